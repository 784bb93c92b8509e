/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * What a label does with the values of its two services (electronic shelf label, object transfer),
 * whoever carries them: it reads and writes values, obeys the control points and takes pictures.
 * The simulated host (label_host.h) reaches it from packets of its own; a host of somebody
 * else's, such as the kernel's and bluetoothd, from outside.
 *
 *     label_service.c   values
 *     label_ots.c       object transfer
 *
 * Encryption and permissions are the carrier's business. No I/O and no time of its own.
 */
#pragma once

#include "common/buf.h"
#include "sim/label.h"

#define LABEL_OBJECT_MAX 65536 /**< longest picture taken */

/** What a label keeps between two links, and over a reboot. */
struct label_bond {
	bool has_key;
	uint8_t ltk[16];       /**< most significant byte first */
	uint32_t switched;     /**< what it tells by itself: a bit for each enum label_value */
	uint16_t handle_shift; /**< of the attributes that the access point knows */
	unsigned int searches; /**< for a service, over all links */
	uint8_t central[7];    /**< whose key it is: no other central may use it */
	unsigned int pairings; /**< so far */
	/* an object whose writing broke off, where the label keeps it (SIM_PERSONALITY_NRF) */
	unsigned int kept_object;
	uint8_t *kept;
	size_t kept_len;
};

/** What was kept of an object is gone. */
void label_bond_drop_kept(struct label_bond *bond);

/** Values behind attributes that can be read or written. */
enum label_value {
	VALUE_NONE,
	VALUE_NAME,
	VALUE_SERVICE_CHANGED,
	VALUE_DATABASE_HASH, /**< the carrier's own */
	VALUE_MODEL,
	VALUE_PNP,
	VALUE_ADDRESS,
	VALUE_TRAIN_KEY,
	VALUE_RESPONSE_KEY,
	VALUE_TIME,
	VALUE_DISPLAYS,
	VALUE_IMAGES,
	VALUE_SENSORS,
	VALUE_LEDS,
	VALUE_CONTROL,
	VALUE_FEATURES,
	VALUE_OBJECT_TYPE,
	VALUE_OBJECT_SIZE,
	VALUE_OBJECT_ID,
	VALUE_OBJECT_PROPERTIES,
	VALUE_OACP,
	VALUE_OLCP,
	VALUE_COUNT
};

/* Properties of a characteristic, as its declaration has them. */
#define PROP_READ     0x02
#define PROP_COMMAND  0x04
#define PROP_WRITE    0x08
#define PROP_NOTIFY   0x10
#define PROP_INDICATE 0x20

/**
 * The services as they stand in every label: SERVICE(uuid), and after it its characteristics,
 * QUIET(uuid, properties, value), or TELLS(...) for those that the label tells by itself.
 */
#define LABEL_SERVICES(SERVICE, QUIET, TELLS)                                                      \
	SERVICE(0x180a), /* device information */                                                  \
		QUIET(0x2a24, PROP_READ, VALUE_MODEL), QUIET(0x2a50, PROP_READ, VALUE_PNP),        \
		SERVICE(0x1857), QUIET(0x2bf6, PROP_WRITE, VALUE_ADDRESS),                         \
		QUIET(0x2bf7, PROP_WRITE, VALUE_TRAIN_KEY),                                        \
		QUIET(0x2bf8, PROP_WRITE, VALUE_RESPONSE_KEY),                                     \
		QUIET(0x2bf9, PROP_WRITE, VALUE_TIME), QUIET(0x2bfa, PROP_READ, VALUE_DISPLAYS),   \
		QUIET(0x2bfb, PROP_READ, VALUE_IMAGES), QUIET(0x2bfc, PROP_READ, VALUE_SENSORS),   \
		QUIET(0x2bfd, PROP_READ, VALUE_LEDS),                                              \
		TELLS(0x2bfe, PROP_WRITE | PROP_COMMAND | PROP_NOTIFY, VALUE_CONTROL),             \
		SERVICE(0x1825), QUIET(0x2abd, PROP_READ, VALUE_FEATURES),                         \
		QUIET(0x2abf, PROP_READ, VALUE_OBJECT_TYPE),                                       \
		QUIET(0x2ac0, PROP_READ, VALUE_OBJECT_SIZE),                                       \
		QUIET(0x2ac3, PROP_READ, VALUE_OBJECT_ID),                                         \
		QUIET(0x2ac4, PROP_READ, VALUE_OBJECT_PROPERTIES),                                 \
		TELLS(0x2ac5, PROP_WRITE | PROP_INDICATE, VALUE_OACP),                             \
		TELLS(0x2ac6, PROP_WRITE | PROP_INDICATE, VALUE_OLCP)

struct label_service_io {
	/** A value that the label tells by itself, if the access point has asked for that. */
	void (*tell)(void *user, enum label_value value, const uint8_t *data, size_t len);
	/** The label ends the link. */
	void (*end)(void *user);
	/** Has the train's timing been handed over, and does the train run? */
	bool (*in_range)(void *user);
};

/** One link's worth of it. */
struct label_service {
	struct sim_label *label;
	struct label_bond *bond;
	const struct label_service_io *io;
	void *user;
	int64_t now_us; /**< set by the carrier before each call */
	/* configuration comes in pieces */
	unsigned int have;
	uint16_t address;
	uint8_t response_key[EAD_WIRE_KEY_BYTES], train_key[EAD_WIRE_KEY_BYTES];
	uint32_t abs_ms;
	/* object transfer */
	bool channel_open;    /**< set by the carrier: there is one for pictures */
	bool chosen, writing; /**< an object; its content */
	bool stored; /**< `content` was taken as the picture of stored_object on this link */
	unsigned int stored_object;
	unsigned int object;
	size_t expected; /**< bytes of the whole object, when all is there */
	struct buf content;
};

/** A link begins. */
void label_service_init(struct label_service *s, struct sim_label *label, struct label_bond *bond,
			const struct label_service_io *io, void *user);
/** It ends, with a channel open perhaps. */
void label_service_done(struct label_service *s);

/** What a label does not have, it does not declare. */
bool label_service_absent(const struct label_service *s, enum label_value value);
void label_service_read(const struct label_service *s, enum label_value value, struct buf *out);
/** Yields 0 or an error of the attribute protocol. */
uint8_t label_service_write(struct label_service *s, enum label_value value, const uint8_t *data,
			    size_t len);

/** Bytes came on the channel for pictures. */
void label_service_content(struct label_service *s, const uint8_t *data, size_t len);
/** The channel or the link ended: what is not whole is no picture, but some labels keep it. */
void label_service_content_end(struct label_service *s);

/* --- between label_service.c and label_ots.c -------------------------------------------------- */

/** Procedures of the two control points. */
void label_service_oacp(struct label_service *s, const uint8_t *data, size_t len);
void label_service_olcp(struct label_service *s, const uint8_t *data, size_t len);
size_t label_service_object_size(const struct label_service *s);
