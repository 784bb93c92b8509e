/* SPDX-License-Identifier: Apache-2.0 */
/** @file Inside of a label's place in bluetoothd: kernel_bluez.c and kernel_gatt.c only. */
#pragma once

#include "common/bus.h"
#include "sim/kernel_bluez.h"

#define KERNEL_ROOT   "/org/gondola/label"
#define KERNEL_ADVERT KERNEL_ROOT "/advertisement"
#define KERNEL_AGENT  KERNEL_ROOT "/agent"
#define PATH_MAX_LEN  128

#define TOLD_MAX 8

/** A value that waits to be told. */
struct kernel_told {
	enum label_value value;
	uint8_t data[ESL_PACKET_MAX];
	size_t len;
};

struct kernel_bluez {
	struct loop *loop;
	struct kernel_bluez_callbacks cb;
	void *user;
	struct bus *bus;
	struct bus_call *call; /**< one at a time */
	struct loop_timer *settle, *tell;
	char adapter[PATH_MAX_LEN];  /**< its object */
	char stranger[PATH_MAX_LEN]; /**< whose bond goes; empty = nobody's */
	bool up, agent, default_agent, services, advertised;
	bool stale; /**< advertised before the adapter was switched: the kernel may know nothing */
	bool want_advert, want_power, power;
	bool asked_power; /**< what the adapter is being switched to */
	struct kernel_told told[TOLD_MAX];
	size_t n_told;
};

/* kernel_bluez.c */
/** A row of a{sv}; `value` as libdbus takes it. */
bool kernel_put_row(DBusMessageIter *dict, const char *key, int type, const void *value);
/** The same with an array of strings or (type DBUS_TYPE_BYTE) of bytes. */
bool kernel_put_strings(DBusMessageIter *dict, const char *key, const char *const *list, size_t n);
bool kernel_put_bytes(DBusMessageIter *dict, const char *key, const uint8_t *data, size_t len);

/* kernel_gatt.c */
/** Calls of our services, characteristics and advertisement; NULL for what we do not have. */
DBusMessage *kernel_gatt_called(struct kernel_bluez *b, DBusMessage *m);
/** The signal that a characteristic's value is told; NULL when out of memory. */
DBusMessage *kernel_gatt_signal(enum label_value value, const uint8_t *data, size_t len);
