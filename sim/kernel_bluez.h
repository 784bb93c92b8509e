/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * A label's place in bluetoothd: its services (GattManager1), its advertisement
 * (LEAdvertisingManager1) and an agent that pairs without codes (AgentManager1), all on one
 * adapter. What the values mean is the label's business.
 *
 *     kernel_bluez.c   what is registered, and kept so when bluetoothd or the adapter restarts
 *     kernel_gatt.c    the objects that bluetoothd reads: services, characteristics, advertisement
 */
#pragma once

#include "common/buf.h"
#include "common/loop.h"
#include "sim/label_service.h"

struct kernel_bluez;

struct kernel_bluez_callbacks {
	/** An access point reads or writes. bluetoothd has seen to permissions. */
	void (*read)(void *user, enum label_value value, struct buf *out);
	/** Yields 0 or an error of the attribute protocol. */
	uint8_t (*write)(void *user, enum label_value value, const uint8_t *data, size_t len);
	bool (*absent)(void *user, enum label_value value);
};

/** `adapter` is "hciN"; borrowed. */
int kernel_bluez_new(struct loop *loop, const char *adapter,
		     const struct kernel_bluez_callbacks *cb, void *user,
		     struct kernel_bluez **ret) _must_check_;
/** NULL-safe. */
void kernel_bluez_free(struct kernel_bluez *b);

/** Switches the adapter, once, as soon as it can be done. */
void kernel_bluez_power(struct kernel_bluez *b, bool on);
/** The adapter is on now, or off: then nothing is registered with it any more. */
void kernel_bluez_adapter(struct kernel_bluez *b, bool up);
void kernel_bluez_advertise(struct kernel_bluez *b, bool on);
/** The label tells a value by itself; after the answer to what is being written. */
void kernel_bluez_tell(struct kernel_bluez *b, enum label_value value, const uint8_t *data,
		       size_t len);
/** That access point (address of its packets: least significant byte first) is a stranger from now
 * on. */
void kernel_bluez_forget(struct kernel_bluez *b, const uint8_t addr[6]);
