/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Labels in the database: one struct with everything that is known about one, and its API object. A
 * label is named by its Bluetooth address, 12 hexadecimal digits.
 */
#pragma once

#include "common/proto.h"
#include "common/sql.h"
#include "controller/shop/price_text.h"
#include "controller/shop/product_text.h"
#include <jansson.h>

#define LABEL_ID_MAX 13

/** One picture of the wanted timeline. */
struct label_wish {
	int64_t from_us;   /**< PROTO_HOLD_US = staged and kept, not shown */
	int64_t staged_us; /**< since when the picture is on the label; 0 = not known to be */
	uint8_t image[IMAGE_HASH_BYTES];
	bool has_price;
	int64_t price_minor;
	char currency[PRICE_CURRENCY_MAX];
};

/** A fact about one picture; at_us 0 = not known. */
struct label_fact {
	uint8_t image[IMAGE_HASH_BYTES];
	int64_t at_us;
};

/** What became of the last flash that was asked for. */
enum flash_state {
	FLASH_ASKED,
	FLASH_ON, /**< the label has acknowledged it */
	FLASH_FAILED,
	FLASH_STOPPING, /**< called off, and perhaps still lit */
	FLASH_OFF,      /**< called off, and dark */
};

struct label_flash {
	int64_t until_us; /**< 0 = there never was one */
	uint8_t colour;   /**< enum led_colour */
	uint8_t state;    /**< enum flash_state */
	char text[PROTO_TEXT_MAX];
};

struct label {
	uint64_t addr;
	int64_t agent_id; /**< 0 = not adopted */
	int64_t heard_by;
	char agent[PROTO_NAME_MAX];
	uint16_t width, height;
	uint8_t display_type;
	int64_t product_id; /**< 0 = not linked */
	uint64_t gtin;
	char product[PRODUCT_TEXT_MAX + 1];
	int64_t battery_mv;     /**< 0 = unknown */
	int64_t temperature_cc; /**< INT16_MIN = unknown */
	int64_t rssi_dbm;       /**< 0 = unknown */
	int64_t last_seen_us;
	int64_t stale, done;
	uint64_t wanted_rev;
	struct label_fact staged, sent, shown;
	int grade;
	int error;
	char error_text[PROTO_TEXT_MAX];
	bool lost;
	char lost_text[PROTO_TEXT_MAX];
	int64_t retired_us; /**< replaced since; 0 = in use */
	uint64_t replaced_by;
	bool leds_known;
	uint8_t n_leds;
	uint8_t leds[PROTO_MAX_LEDS];
	struct label_flash flash;
	size_t n_wanted;
	struct label_wish wanted[PROTO_MAX_TIMELINE];
};

/** -ENOENT. */
int label_load(struct sql *s, uint64_t addr, struct label *ret) _must_check_;
/** The wanted timeline, oldest first. Returns the count. */
int label_load_wanted(struct sql *s, uint64_t addr,
		      struct label_wish ret[PROTO_MAX_TIMELINE]) _must_check_;
/** The picture in force at `now_us`; NULL = none yet. */
const struct label_wish *label_wish_at(const struct label *l, int64_t now_us);

/** "C0FFEE000001" <-> number. The parser wants exactly 12 digits of either case. */
const char *label_id_format(uint64_t addr, char buf[LABEL_ID_MAX]);
int label_id_parse(const char *text, uint64_t *ret_addr) _must_check_;
uint64_t label_addr_number(const uint8_t addr[LABEL_ADDR_BYTES]);
void label_addr_bytes(uint64_t addr, uint8_t ret[LABEL_ADDR_BYTES]);

/** What is known of the access point that has the label, at this moment. */
struct label_agent_view {
	bool online;
	uint64_t seen_rev; /**< revision of the desired state that it has taken */
};
json_t *label_json(const struct label *l, struct label_agent_view agent, int64_t now_us);

/* --- its light (label_flash.c) --- */

const char *label_colour_text(uint8_t colour);
/** 0 if there is no such colour. */
uint8_t label_colour_parse(const char *text);
/** True if one of its LEDs can show the colour. */
bool label_can_flash(const struct label *l, uint8_t colour);
/** Colours it can blink in; null = not known yet. */
json_t *label_leds_json(const struct label *l);
/** {colour, until, state, reason}; null when there is no flash to speak of. */
json_t *label_flash_json(const struct label *l, int64_t now_us);

/** Gives the label to an agent (0 = to nobody): new revision, and the former owner is told to
 * forget it. Inside a write. */
int label_assign(struct sql *s, uint64_t addr, int64_t from_agent, int64_t to_agent) _must_check_;
