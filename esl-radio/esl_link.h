/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The connected seam: scanning, connections to single labels, and what is done over them. Every
 * request is answered by exactly one completion, from the loop, never from within the call itself:
 * with the label's answer, after the driver's time limit (-ETIMEDOUT), when the connection broke
 * (-ERR_CLOSED) or when the whole link went away (-ERR_CLOSED). Requests to one label are made one
 * at a time. Addresses are most significant byte first.
 */
#pragma once

#include "common/loop.h"
#include "esl-radio/esl.h"
#include "esl-radio/esl_wire.h"
#include "esl-radio/pixels.h"

#define ESL_ADVERTISING  0xff /**< instead of a subevent: the label advertises */
#define ESL_DISPLAYS_MAX 8

/** One display of a label, as ESL Display Information has it (ESLS 1.0 3.5). */
struct esl_display {
	uint16_t width, height;
	uint8_t type;
};

struct esl_link_callbacks {
	void (*up)(void *user);
	void (*down)(void *user, int err, const char *text);
	/** A label advertises. `bonded`: it lost its synchronization but keeps our bond. */
	void (*advert)(void *user, const uint8_t addr[ESL_ADDR_BYTES], int8_t rssi_dbm, bool bonded,
		       uint16_t battery_mv);
	/** A connection broke between two requests. */
	void (*lost)(void *user, const uint8_t addr[ESL_ADDR_BYTES]);
	/** Keep this durably under a key that begins with ESL_LINK_KEEPS; len 0 = forget it. */
	int (*save)(void *user, const char *key, const void *data, size_t len);
	/** Random bytes for keys. */
	int (*random)(void *user, void *to, size_t n);
	/** The link to a label is made and the controller could make another, while securing it and
	 * finding its services goes on. A driver that cannot tell leaves it out: the completion of
	 * the connect says as much. */
	void (*reached)(void *user, const uint8_t addr[ESL_ADDR_BYTES]);
};

/** Keys of what a driver keeps for itself: it comes back through `restore` before the start. */
#define ESL_LINK_KEEPS "bond:"

/** What a completion brings: READ_INFO's members, or the control point's answer. */
struct esl_link_result {
	uint8_t n_displays;
	struct esl_display displays[ESL_DISPLAYS_MAX];
	uint8_t max_image_index;
	uint8_t n_leds;
	uint8_t leds[ESL_LEDS_MAX]; /**< LED Information, an octet each */
	uint16_t battery_mv;        /**< 0 = unknown */
	int16_t temperature_cc;     /**< INT16_MIN = unknown */
	uint8_t tlv[ESL_TLV_MAX];
	uint8_t tlv_len;
	uint8_t n_sensors;
	struct sensor_reading sensors[SENSORS_MAX]; /**< READ_INFO; len 0 = it gave no value */
	struct pixel_identity identity;             /**< READ_INFO; what is not known stays zero */
	/** CONNECT: our bond was worth nothing to the label, a new one was made. It was reset. */
	bool rebonded;
	uint32_t resumed_at; /**< WRITE_IMAGE: bytes the label had kept of an earlier attempt */
};

/** `res` is there when err is 0. */
typedef void (*esl_link_done_fn)(void *user, int err, const struct esl_link_result *res);

/** Everything a label needs to join the train. */
struct esl_link_config {
	uint16_t esl_address;
	uint8_t response_key[ESL_KEY_BYTES];
	uint8_t train_key[ESL_KEY_BYTES];
	uint32_t abs_ms;
};

struct esl_link;

struct esl_link_ops {
	int (*start)(struct esl_link *l, const struct esl_link_callbacks *cb, void *user);
	/** What `save` was handed in an earlier life; NULL for drivers that keep nothing. */
	int (*restore)(struct esl_link *l, const char *key, const void *data, size_t len);
	/** The same of another machine, whose label is ours now: it is saved as ours. -ENOTSUP for
	 * a bond that is good with that machine's radio alone; NULL for drivers with no such thing.
	 */
	int (*adopt)(struct esl_link *l, const char *key, const void *data, size_t len);
	int (*scan)(struct esl_link *l, bool on);
	/** Yields how many labels that advertise may be called at a time: whoever of them does so
	 * first is connected. From now on there are to be no more than `links` connections, the
	 * last `kept` of them for labels that are called through the train. NULL for drivers that
	 * make one call at a time. */
	unsigned int (*calls)(struct esl_link *l, unsigned int links, unsigned int kept);
	/** Through the train's subevent, or ESL_ADVERTISING for a label that advertises. */
	int (*connect)(struct esl_link *l, const uint8_t *addr, uint8_t subevent, uint8_t esl_id,
		       esl_link_done_fn done, void *user);
	int (*read_info)(struct esl_link *l, const uint8_t *addr, esl_link_done_fn done,
			 void *user);
	int (*configure)(struct esl_link *l, const uint8_t *addr, const struct esl_link_config *c,
			 esl_link_done_fn done, void *user);
	int (*write_image)(struct esl_link *l, const uint8_t *addr, uint8_t index, const void *data,
			   size_t len, esl_link_done_fn done, void *user);
	/** One control point TLV; the answer is in the result. */
	int (*ecp)(struct esl_link *l, const uint8_t *addr, const uint8_t *tlv, size_t len,
		   esl_link_done_fn done, void *user);
	int (*set_time)(struct esl_link *l, const uint8_t *addr, uint32_t abs_ms,
			esl_link_done_fn done, void *user);
	/** The label goes back to its subevent and the connection closes. */
	int (*update_complete)(struct esl_link *l, const uint8_t *addr, esl_link_done_fn done,
			       void *user);
	int (*disconnect)(struct esl_link *l, const uint8_t *addr, esl_link_done_fn done,
			  void *user);
	/** What a driver remembers of a label may not hold: it is to be asked anew. NULL for
	 * drivers that remember nothing. */
	void (*doubt)(struct esl_link *l, const uint8_t *addr);
	void (*free)(struct esl_link *l);
};

struct esl_link {
	const struct esl_link_ops *ops;
};

struct hci_host;
/** Our own central on a controller that it shares with the train. */
int esl_link_le_over(struct loop *loop, struct hci_host *host, struct esl_link **ret) _must_check_;
