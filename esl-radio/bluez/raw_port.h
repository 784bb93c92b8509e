/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * A controller shared with the kernel's Bluetooth stack: a raw HCI socket on an adapter, beside
 * bluetoothd. Opens only while the adapter is there and on; says so when it goes off, and hurries
 * the host when it comes back.
 */
#pragma once

#include "esl-radio/hci_host.h"

int raw_port_new(struct loop *loop, uint16_t adapter, struct hci_port **ret) _must_check_;
