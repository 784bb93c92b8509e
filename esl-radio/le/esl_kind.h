/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * What is remembered of a label with its bond, so that its next visit need not ask again: where its
 * attributes are, and what it says of itself once and for all. It holds as long as the label gives
 * the Database Hash under which it was learned (Core Specification 5.4, Vol 3 Part G 7.3).
 *
 * Labels of one model have the same to say, so that the table keeps each such record once, in the
 * form in which it is stored.
 */
#pragma once

#include "common/buf.h"
#include "common/wire.h"
#include "esl-radio/esl_link.h"

#define ESL_KIND_HASH_BYTES 16
#define ESL_KIND_VALUES     15 /**< characteristics; which, esl_peer_impl.h says */
#define ESL_KIND_MAX        512
#define ESL_KINDS_MAX       256 /**< different ones at a time; what is beyond is not remembered */
#define ESL_NO_KIND         0xffff

/** Read once: what a label has. */
struct esl_facts {
	uint8_t n_displays;
	struct esl_display displays[ESL_DISPLAYS_MAX];
	uint8_t max_image_index;
	uint8_t n_leds;
	uint8_t leds[ESL_LEDS_MAX];
	uint8_t n_sensors;
	struct sensor_id sensors[SENSORS_MAX];
	struct pixel_identity identity;
};

struct esl_kind {
	bool known; /**< the handles below are those of `hash` */
	bool has_facts;
	bool forgets_switches; /**< what was switched on is off on the next link */
	uint8_t hash[ESL_KIND_HASH_BYTES];
	uint16_t value[ESL_KIND_VALUES];   /**< handle; 0 = the label has none */
	uint16_t turn_on[ESL_KIND_VALUES]; /**< of its switch; 0 = it has none */
	struct esl_facts facts;
};

void esl_kind_put(struct buf *b, const struct esl_kind *k);
/** Reads one to its end. -ERR_BADMSG where it is not one of ours. */
int esl_kind_get(const void *data, size_t len, struct esl_kind *ret) _must_check_;

struct esl_kind_row {
	uint8_t *data;
	size_t len;
	unsigned int used; /**< by so many bonds; 0 = free */
};

/** Embedded by its owner; zeroed before the first use. */
struct esl_kinds {
	struct esl_kind_row row[ESL_KINDS_MAX];
};

/** Finds or adds a stored record and counts one more user. ESL_NO_KIND when there is no room. */
uint16_t esl_kinds_take(struct esl_kinds *t, const uint8_t *data, size_t len);
/** One user less. ESL_NO_KIND is nobody's. */
void esl_kinds_leave(struct esl_kinds *t, uint16_t at);
/** NULL for ESL_NO_KIND. */
const struct esl_kind_row *esl_kinds_at(const struct esl_kinds *t, uint16_t at);
void esl_kinds_done(struct esl_kinds *t);
