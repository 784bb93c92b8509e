/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * What bluetoothd has told of one adapter and of the devices on it: kept from its signals, so that
 * a visit to a label asks nothing that was said before. Labels are found by their address; what is
 * no label is kept as well, as small as it is, since nobody knows before its services are known.
 */
#pragma once

#include "common/bus.h"
#include "esl-radio/esl.h"

/** Characteristics we use. */
enum bluez_chr {
	BLUEZ_ADDRESS,
	BLUEZ_TRAIN_KEY,
	BLUEZ_RESPONSE_KEY,
	BLUEZ_TIME,
	BLUEZ_DISPLAYS,
	BLUEZ_IMAGES,
	BLUEZ_SENSORS,
	BLUEZ_LEDS,
	BLUEZ_CONTROL,
	BLUEZ_OACP,
	BLUEZ_OLCP,
	BLUEZ_MODEL,
	BLUEZ_PNP,
	BLUEZ_OBJECT_TYPE,
	BLUEZ_OBJECT_SIZE,
	BLUEZ_OTS_FEATURE,
	BLUEZ_CHR_COUNT
};

#define BLUEZ_PATH_MAX 96

struct bluez_device {
	uint8_t addr[ESL_ADDR_BYTES]; /**< most significant byte first */
	bool random, paired, connected, resolved;
	bool label; /**< it names the ESL service */
	int16_t rssi;
	/** Where its characteristics are: numbers in their objects' paths, 0 = it has none. */
	struct {
		uint16_t service, chr;
	} chrs[BLUEZ_CHR_COUNT];
};

struct bluez_objects_callbacks {
	/** The adapter came, went, or was switched. */
	void (*adapter)(void *user);
	/** A device's connected, paired or resolved changed, or it is gone (gone = true). */
	void (*device)(void *user, struct bluez_device *d, bool gone);
	/** A label was heard; d->rssi is its signal. */
	void (*heard)(void *user, struct bluez_device *d);
	/** A characteristic spoke up. */
	void (*value)(void *user, struct bluez_device *d, enum bluez_chr chr, const uint8_t *data,
		      size_t len);
};

struct bluez_objects;

/** `adapter` is "hci0" and the like. */
int bluez_objects_new(const char *adapter, const struct bluez_objects_callbacks *cb, void *user,
		      struct bluez_objects **ret) _must_check_;
void bluez_objects_free(struct bluez_objects *o);
/** Forgets everything, without a word. */
void bluez_objects_clear(struct bluez_objects *o);
/** Takes in the answer to GetManagedObjects, or a signal of bluetoothd. */
void bluez_objects_all(struct bluez_objects *o, DBusMessage *m);
void bluez_objects_signal(struct bluez_objects *o, DBusMessage *m);

bool bluez_adapter_known(const struct bluez_objects *o);
bool bluez_adapter_powered(const struct bluez_objects *o);
bool bluez_adapter_discovering(const struct bluez_objects *o);
/** Most significant byte first. */
const uint8_t *bluez_adapter_addr(const struct bluez_objects *o);
/** Controllers without an address of a manufacturer's have a random one. */
bool bluez_adapter_random(const struct bluez_objects *o);
const char *bluez_adapter_path(const struct bluez_objects *o);

/** `fn` may not make any come or go. */
void bluez_devices_each(struct bluez_objects *o, void (*fn)(void *user, struct bluez_device *d),
			void *user);
struct bluez_device *bluez_device_find(struct bluez_objects *o, const uint8_t *addr);
/** The device's object, written into `path`. */
void bluez_device_path(const struct bluez_objects *o, const uint8_t *addr,
		       char path[BLUEZ_PATH_MAX]);
/** -ENOENT when it has no such characteristic. */
int bluez_chr_path(const struct bluez_objects *o, const struct bluez_device *d, enum bluez_chr chr,
		   char path[BLUEZ_PATH_MAX]) _must_check_;
