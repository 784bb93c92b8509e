/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * What an access point and a label say to each other (Electronic Shelf Label Service and Profile
 * 1.0): commands, responses, errors and states, each from one table, and the advertising structure
 * that carries them. Pure functions over bytes; the access point's engine, the simulated labels,
 * the tests and the fuzz targets all use these.
 *
 * A TLV is `(L << 4 | tag)` and L + 1 more bytes. A command's second byte is the ESL_ID it
 * addresses; a response's second byte is already data. A packet is `group, TLV...` of at most 48
 * bytes, and a label answers in the response slot whose number is the index of its own last TLV in
 * the packet.
 */
#pragma once

#include "common/wire.h"

#define ESL_PACKET_MAX   48 /**< group and TLVs, or the TLVs of a response */
#define ESL_COMMANDS_MAX 47 /**< TLV bytes in one packet to the labels */
#define ESL_TLV_MAX      17
#define ESL_AD_TYPE      0x34
#define ESL_AD_MAX       (ESL_PACKET_MAX + 2)
#define ESL_ID_BROADCAST 0xff
#define ESL_ID_MAX       0xfe
#define ESL_GROUP_MAX    127
#define ESL_SERVICE_UUID 0x1857
#define ESL_VENDOR_MAX   15
#define ESL_LED_PATTERN  5
/** A timed command further ahead than this is refused with ESL_ERR_IMPLAUSIBLE_TIME (48 days). */
#define ESL_MAX_DELAY_MS 4147200000u

/** Commands, numbered by their whole first byte. Vendor commands have any length and low nibble F.
 */
enum esl_op {
	ESL_OP_PING = 0x00,
	ESL_OP_UNASSOCIATE = 0x01,
	ESL_OP_SERVICE_RESET = 0x02,
	ESL_OP_FACTORY_RESET = 0x03,
	ESL_OP_UPDATE_COMPLETE = 0x04,
	ESL_OP_READ_SENSOR = 0x10,
	ESL_OP_REFRESH_DISPLAY = 0x11,
	ESL_OP_DISPLAY_IMAGE = 0x20,
	ESL_OP_DISPLAY_TIMED = 0x60,
	ESL_OP_LED_CONTROL = 0xb0,
	ESL_OP_LED_TIMED = 0xf0,
	ESL_OP_VENDOR = 0x0f, /**< any first byte with this low nibble */
};

/** Responses, by whole first byte; sensor values and vendor responses have any length. */
enum esl_rsp_tag {
	ESL_RSP_ERROR = 0x00,
	ESL_RSP_LED_STATE = 0x01,
	ESL_RSP_BASIC_STATE = 0x10,
	ESL_RSP_DISPLAY_STATE = 0x11,
	ESL_RSP_SENSOR_VALUE = 0x0e, /**< any first byte with this low nibble */
	ESL_RSP_VENDOR = 0x0f,       /**< any first byte with this low nibble */
};

enum esl_error {
	ESL_ERR_UNSPECIFIED = 0x01,
	ESL_ERR_INVALID_OPCODE = 0x02,
	ESL_ERR_INVALID_STATE = 0x03,
	ESL_ERR_INVALID_IMAGE_INDEX = 0x04,
	ESL_ERR_IMAGE_NOT_AVAILABLE = 0x05,
	ESL_ERR_INVALID_PARAMETER = 0x06,
	ESL_ERR_CAPACITY = 0x07,
	ESL_ERR_BATTERY = 0x08,
	ESL_ERR_RESOURCES = 0x09,
	ESL_ERR_RETRY = 0x0a,
	ESL_ERR_QUEUE_FULL = 0x0b,
	ESL_ERR_IMPLAUSIBLE_TIME = 0x0c,
	ESL_ERR_VENDOR_FIRST = 0xf0,
};

/** Bits of Basic State. */
enum esl_basic_state {
	ESL_STATE_SERVICE_NEEDED = 1 << 0,
	ESL_STATE_SYNCHRONIZED = 1 << 1,
	ESL_STATE_ACTIVE_LED = 1 << 2,
	ESL_STATE_PENDING_LED = 1 << 3,
	ESL_STATE_PENDING_DISPLAY = 1 << 4,
};

/** States of a label (ESLS 1.0, 2.7). */
enum esl_label_state {
	ESL_UNASSOCIATED,
	ESL_CONFIGURING,
	ESL_SYNCHRONIZED,
	ESL_UPDATING,
	ESL_UNSYNCHRONIZED,
	ESL_LABEL_STATE_COUNT
};

struct esl_led_pattern {
	uint8_t color;                    /**< 7-6 brightness, 5-4 blue, 3-2 green, 1-0 red */
	uint8_t pattern[ESL_LED_PATTERN]; /**< MSB first, leading zeros skipped */
	uint8_t off_period;               /**< 2 ms units, 0 prohibited */
	uint8_t on_period;
	uint16_t repeats; /**< bit 0: 0 = count, 1 = seconds; 0x0001 steady on, 0 off */
};

struct esl_cmd {
	uint8_t op;     /**< enum esl_op, or the raw first byte of an unknown or vendor command */
	uint8_t esl_id; /**< ESL_ID_BROADCAST = the whole group */
	uint8_t index;  /**< sensor, display or LED */
	uint8_t image;
	uint32_t abs_ms; /**< 0 deletes a pending timed command */
	struct esl_led_pattern led;
	uint8_t raw[ESL_VENDOR_MAX]; /**< parameters of an unknown or vendor command */
	uint8_t raw_len;
};

struct esl_rsp {
	uint8_t tag;   /**< enum esl_rsp_tag (SENSOR_VALUE and VENDOR without their length) */
	uint8_t error; /**< ERROR */
	uint8_t index; /**< LED, display or sensor */
	uint8_t image;
	uint16_t basic;                  /**< BASIC_STATE: enum esl_basic_state */
	uint8_t raw[ESL_VENDOR_MAX + 1]; /**< sensor data or vendor bytes */
	uint8_t raw_len;
};

/** True for a command of the table or a vendor command. */
bool esl_op_known(uint8_t op);
const char *esl_op_name(uint8_t op);
/** Total length of a command's TLV as its first byte states it. */
static inline size_t esl_tlv_len(uint8_t first)
{
	return (size_t) (first >> 4) + 2;
}
/** First byte of the response a label owes for `op`; negative if it owes none or `op` is unknown.
 */
int esl_op_answer(uint8_t op);
const char *esl_rsp_name(uint8_t tag);
/** "Queue Full" */
const char *esl_error_name(uint8_t error);
/** One sentence for a person: what the label said and what it means for the shelf. */
const char *esl_error_sentence(uint8_t error);
const char *esl_label_state_name(enum esl_label_state s);

static inline uint16_t esl_address(uint8_t group, uint8_t esl_id)
{
	return (uint16_t) ((group & 0x7f) << 8 | esl_id);
}
static inline uint8_t esl_address_group(uint16_t address)
{
	return (address >> 8) & 0x7f; /* bit 15 is reserved */
}
static inline uint8_t esl_address_id(uint16_t address)
{
	return (uint8_t) address;
}

/** Writes one command TLV. Returns its length, -ENOBUFS if it does not fit, -ERR_RANGE if `op` is
 * neither in the table nor vendor. */
int esl_cmd_encode(const struct esl_cmd *c, uint8_t *out, size_t cap) _must_check_;
/** Reads one command TLV; unknown commands keep their parameters in raw. Errors stick in `w`. */
void esl_cmd_decode(struct wire *w, struct esl_cmd *ret);
int esl_rsp_encode(const struct esl_rsp *r, uint8_t *out, size_t cap) _must_check_;
void esl_rsp_decode(struct wire *w, struct esl_rsp *ret);

/** Wraps a packet or response as `[len][34][payload]`. Returns the length or
 * -ERR_TOO_LARGE/-ENOBUFS. */
int esl_ad_encode(const uint8_t *payload, size_t len, uint8_t *out, size_t cap) _must_check_;
/** Finds the one ESL structure in plain advertising data. Borrows. -ERR_BADMSG or -ENOENT. */
int esl_ad_find(const uint8_t *data, size_t len, const uint8_t **ret_payload,
		size_t *ret_len) _must_check_;

/** Builds the packet of one subevent, command by command. */
struct esl_packet {
	uint8_t data[ESL_PACKET_MAX]; /**< group first */
	size_t len;
	unsigned int n; /**< TLVs so far: the index of the next one */
};

void esl_packet_init(struct esl_packet *p, uint8_t group);
/** Appends; returns the TLV's index, or -ENOBUFS when it no longer fits (the packet is unchanged).
 */
int esl_packet_add(struct esl_packet *p, const struct esl_cmd *c) _must_check_;
