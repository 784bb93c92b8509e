/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * A label whose host is this machine's own Bluetooth stack: the kernel pairs, encrypts and has the
 * channel for pictures, bluetoothd has the attributes, and what neither of them knows (the train)
 * goes as raw HCI beside them. What the label does with all that is the same as everywhere in the
 * simulator (sim/label.h, sim/label_service.h). It owns its adapter, which is virtual in tests and
 * may be a real one whose controller can listen to a train with responses.
 *
 *     kernel_label.c    the label between its carriers
 *     kernel_bluez.c    bluetoothd, with kernel_gatt.c
 *     kernel_channel.c  the channel for pictures
 *     kernel_hci.c      raw HCI
 */
#pragma once

#include "common/loop.h"
#include "sim/label.h"
#include <stdio.h>

struct kernel_label_config {
	const char *adapter; /**< "hciN" */
	struct sim_label_model model;
	uint64_t seed;
	uint16_t truth_port; /**< 0 = any free one */
	FILE *ready;         /**< told once it is there: "gondola-sim ready {...}" */
};

struct kernel_label;

/** -ERR_SYNTAX for an adapter's name that is none; -EAFNOSUPPORT without Bluetooth in the kernel.
 * The adapter itself may come later. */
int kernel_label_new(struct loop *loop, const struct kernel_label_config *cfg,
		     struct kernel_label **ret) _must_check_;
/** NULL-safe. */
void kernel_label_free(struct kernel_label *k);
