/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Labels on a Bluetooth adapter of the system, beside bluetoothd: the train by raw HCI
 * (raw_port.h), bonds and GATT by bluetoothd over the message bus, pictures by the kernel's L2CAP.
 * Addresses are "bluez:ADAPTER", such as "bluez:hci0".
 */
#pragma once

#include "esl-radio/esl_link.h"
#include "esl-radio/hci_host.h"

#define ESL_BLUEZ_PREFIX "bluez:"

bool esl_bluez_is_address(const char *address);
/** 0, -ERR_SYNTAX, or -ENOTSUP in a program built without libdbus. */
int esl_bluez_check(const char *address) _must_check_;
/** A host on the adapter's raw socket. */
int esl_bluez_host_new(struct loop *loop, const char *address, struct hci_host **ret) _must_check_;
/** Connections by bluetoothd. Joins the host, also as the one that looks after the train: before
 * the train's driver does. */
int esl_link_bluez_over(struct loop *loop, struct hci_host *host, const char *address,
			struct esl_link **ret) _must_check_;
