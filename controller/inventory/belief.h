/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Place belief: where one item is, judged from what every antenna of the store last said of it.
 * Pure: no state of its own, no clock, no allocation, so that a whole day runs in a test in
 * milliseconds.
 *
 * Each antenna has at most one piece of evidence on an item: heard there now (its agent said appear
 * or refresh) or gone, how strong, how often. Its weight is
 *
 *     reads per second * 2^((RSSI + 50 dBm) / 6 dB) * freshness
 *
 * so 6 dB weaker counts half, and half of the reads counts half. Agents tell both anew when one of
 * their antennas has overtaken another, so that a move shows before the old antenna has given up,
 * even if stray reads keep it from ever doing so. A lone first read counts little. Antennas of one
 * place add up; antennas without a place have no vote. Freshness of what is heard is 1 for stale_us
 * after its last word, then falls to a tenth: an agent that is away keeps its items where they
 * were, until another hears them. What is gone counts only while nobody hears the item, fading over
 * the grace.
 *
 * An item moves
 *   - at once, when it has no place yet or was gone;
 *   - when its place no longer hears it and another does: at once if the other hears it about as
 * well as its place did, else (it looks like a cross-read) only doubt_us after the last read at its
 * place;
 *   - when another place outweighs its own `outweigh` times, for hold_us, and it has been where it
 * is for dwell_us. It is gone
 * (kept at its last place, but not counted as stock) when nobody has heard it for grace_us.
 *
 * Confidence, in thousandths, is the weight that speaks for the place over all weight plus a floor
 * that stands for noise: two antennas that disagree halve it, a barely heard item has little.
 */
#pragma once

#include "common/util.h"
#include <stdbool.h>

struct belief_config {
	int64_t stale_us;
	int64_t faded_us; /**< from here on freshness is a tenth */
	int64_t doubt_us;
	int64_t hold_us;
	int64_t dwell_us;
	int64_t grace_us;
	float outweigh;
	float comparable; /**< "about as well": at least 1/comparable of the weight */
	float floor;
};

/** 90 s, 180 s, 2.5 s, 0.4 s, 2 s, 30 s, 1.8, 2.5, 0.02. */
const struct belief_config *belief_defaults(void);

#define BELIEF_RSSI_UNKNOWN INT16_MIN
#define BELIEF_NO_PLACE     0u
#define BELIEF_NEVER        INT64_MAX

struct belief_evidence {
	uint32_t place; /**< BELIEF_NO_PLACE: no vote */
	bool present;
	int16_t rssi_cdbm;
	uint16_t rate_mhz; /**< reads per second times 1000; 0 = unknown */
	int64_t first_us;
	int64_t last_us;
};

enum belief_state {
	BELIEF_UNKNOWN = 0, /**< no evidence has been judged yet */
	BELIEF_PRESENT = 1,
	BELIEF_GONE = 2,
};

/** Why an item's place or state changed last; part of the journal's format. */
enum belief_cause {
	CAUSE_NONE = 0,
	CAUSE_FIRST_SEEN = 1,
	CAUSE_LEFT = 2,     /**< its place stopped hearing it, another hears it */
	CAUSE_STRONGER = 3, /**< another place hears it much better */
	CAUSE_RETURNED = 4, /**< was gone, is heard again */
	CAUSE_NOT_SEEN = 5, /**< nobody has heard it for the grace */
	CAUSE_ANTENNA = 6,  /**< an antenna was given to another place */
	CAUSE_MODEL = 7,    /**< the store's fitted model says so */
	CAUSE_COUNT
};
const char *belief_cause_str(enum belief_cause c);

struct belief {
	uint32_t place;
	uint8_t state;       /**< enum belief_state */
	uint8_t cause;       /**< enum belief_cause */
	uint16_t confidence; /**< thousandths */
	int64_t since_us;    /**< in this place and state */
	int64_t due_us;      /**< judge again at this instant even without news; BELIEF_NEVER */
};

/** Moves the belief; false if it was there already. Events of one item have distinct times. */
bool belief_change(struct belief *b, uint32_t place, enum belief_state state,
		   enum belief_cause cause, int64_t since_us, int64_t now_us);
/** What one piece of evidence weighs at `now_us` if it is heard (freshness included, gone ignored).
 */
float belief_weight(const struct belief_config *cfg, const struct belief_evidence *e,
		    int64_t now_us);

/** Judges. Updates *b and returns true if place or state changed. */
bool belief_judge(const struct belief_config *cfg, struct belief *b,
		  const struct belief_evidence *ev, size_t n, int64_t now_us);
