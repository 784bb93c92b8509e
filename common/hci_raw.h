/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Raw HCI sockets: what the kernel shows of an adapter beside its own Bluetooth stack, and the word
 * it gives of adapters that come, go and are switched (kernel_bt.h has the numbers).
 */
#pragma once

#include "common/util.h"

/** "hci0" to "hci999": yields the number, or -ERR_SYNTAX. */
int hci_raw_adapter(const char *name) _must_check_;
/** A socket on an adapter that hears those events, and the commands of everybody who works with it.
 * Not blocking. A descriptor, or -errno. */
int hci_raw_open(uint16_t adapter, const uint8_t *events, size_t n) _must_check_;
/** 0 if the adapter is on, with its address (most significant byte first; NULL = not asked for);
 * -ENETDOWN if it is off, or another -errno. `fd` is any raw HCI socket. */
int hci_raw_look(int fd, uint16_t adapter, uint8_t ret_addr[6]) _must_check_;
/** A socket that hears of all adapters, for hci_raw_news(). */
int hci_raw_watch(void) _must_check_;
/** Takes one message: what became of that adapter (KBT_STACK_...), or 0. */
uint16_t hci_raw_news(int fd, uint16_t adapter) _must_check_;
