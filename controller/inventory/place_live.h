/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The place model in daily work: where is an item, judged from what the antennas last *told* of it.
 * Raw reads stay at the access points; what comes here are sightings: an antenna hears the item
 * now, so strongly and so often, or it hears it no more. So this model is fitted on exactly that:
 * the sightings of a tag that somebody carried through one place at a time.
 *
 * What the antennas last told is one vector: each one's level, how often it reads the tag, nothing
 * where it does not hear it. Two experts know for every place a mean and a spread of it: one looks
 * at levels and rates as they are, one only compares the antennas' levels with each other. Evidence
 * counts by the time for which it held. The odds of the places run through a filter in which an
 * item leaves its place once a minute; another place is claimed when it is `margin` more likely (in
 * log odds) than the one named.
 *
 * Pure: no clock, no state of its own. Of each item only the odds of its likeliest places are kept
 * (struct place_live_memory, 14 bytes).
 */
#pragma once

#include "common/proto.h"
#include "controller/inventory/place_gauss.h"

#define PLACE_LIVE_VERSION      1
#define PLACE_LIVE_MAX_PLACES   64
#define PLACE_LIVE_MAX_ANTENNAS 32
#define PLACE_LIVE_EXPERTS      2
#define PLACE_LIVE_KEPT         3 /* places whose odds an item remembers */
#define PLACE_LIVE_NONE         (-1)
#define PLACE_LIVE_TEMPERS      32
#define PLACE_LIVE_MIN_S        20 /* of a walk, or there is nothing to learn from */
#define PLACE_LIVE_MIN_EVENTS   10
#define PLACE_LIVE_TICK_US      (250 * US_PER_MS)
#define PLACE_LIVE_MAX_WALK_US  (3600 * US_PER_SEC)
#define PLACE_LIVE_MAX_BYTES    ((size_t) 32 << 20)

struct place_live_antenna {
	uint64_t agent;
	char reader[PROTO_NAME_MAX];
	uint16_t number;
};

struct place_live {
	unsigned int n_places, n_antennas;
	uint32_t places[PLACE_LIVE_MAX_PLACES]; /**< their ids */
	struct place_live_antenna antennas[PLACE_LIVE_MAX_ANTENNAS];
	float usual_rate;  /**< reads per second of an antenna that hears the tag */
	float leave_per_s; /**< how often an item leaves its place */
	float trust_per_s; /**< weight of a second of evidence */
	float margin;
	float temper; /**< makes the confidence honest: exponent on the odds */
	struct place_gauss experts[PLACE_LIVE_EXPERTS];
};

/** What one antenna of the model last told. */
struct place_live_evidence {
	bool present;
	int16_t rssi_cdbm; /**< INT16_MIN = unknown */
	uint16_t rate_mhz; /**< 0 = unknown */
};

/** What is remembered of one item between two looks; zeroed = nothing. */
struct place_live_memory {
	uint16_t at_ms[2]; /**< of the last look, modulo 2^32, low half first */
	uint16_t odds[PLACE_LIVE_KEPT];
	uint8_t place[PLACE_LIVE_KEPT]; /**< index plus 1, likeliest first; 0 = none */
	bool decides;                   /**< the caller's: the model named the present place */
};

_Static_assert(sizeof(struct place_live_memory) == 14, "it has room in an item's cache line");

/** Index of an antenna or a place in the model; PLACE_LIVE_NONE. */
int place_live_antenna(const struct place_live *m, uint64_t agent, const char *reader,
		       unsigned int number);
int place_live_place(const struct place_live *m, uint32_t place);

/** Log odds of every place from what all antennas last told (n_antennas of them). */
void place_live_opinion(const struct place_live *m, const struct place_live_evidence *ev,
			float *ret);
/** Lets `dt_us` pass over the odds while this evidence held. */
void place_live_pass(const struct place_live *m, float *odds, const float *opinion, int64_t dt_us);
/** The place to name when `named` (or PLACE_LIVE_NONE) was named before. */
int place_live_name(const struct place_live *m, const float *odds, int named);
/** How sure: 0..1. */
float place_live_confidence(const struct place_live *m, const float *odds, int named);
/** Odds as remembered, or when nothing is: `sure` for the place named, evenly for all others. */
void place_live_recall(const struct place_live *m, const struct place_live_memory *mem, int named,
		       float sure, float *ret_odds);
void place_live_keep(const struct place_live *m, const float *odds, int64_t at_us,
		     struct place_live_memory *ret);
/** Time since the last look: 0 if there was none. */
int64_t place_live_since(const struct place_live_memory *mem, int64_t now_us);

/* --- fitting -----------------------------------------------------------------------------------
 */

/** An antenna told something of the carried tag. */
struct place_live_event {
	int64_t at_us;
	uint16_t antenna; /**< index into the antennas given to the fit */
	struct place_live_evidence told;
};

struct place_live_walk {
	uint32_t place;
	int64_t from_us, to_us;
	const struct place_live_event *events; /**< by time */
	size_t n;
};

/** What a model does on walks, by time: every quarter of a second counts once. */
struct place_live_score {
	size_t looks, right, moves, real_moves;
	/** looks by [place walked][place named] */
	uint32_t confusion[PLACE_LIVE_MAX_PLACES][PLACE_LIVE_MAX_PLACES];
	/** looks and right ones by confidence in tenths */
	uint32_t sure[10], sure_right[10];
	double log_loss[PLACE_LIVE_TEMPERS]; /**< the fit's own */
};

/** Fits a model and says in *ret_left_out (may be NULL) how it does on what it was not shown: a
 * quarter of every walk's time is left out in turn, all quarters played joined. -ERR_RANGE: too
 * little to learn from or too much to know; ret_why says what. */
int place_live_fit(const struct place_live_antenna *antennas, size_t n_antennas,
		   const struct place_live_walk *walks, size_t n, struct place_live **ret,
		   struct place_live_score *ret_left_out, const char **ret_why) _must_check_;
void place_live_free(struct place_live *m);
DEFINE_CLEANUP(struct place_live *, place_live_free)

struct buf;
/** The form in which a model is kept. */
int place_live_write(const struct place_live *m, struct buf *out) _must_check_;
/** -ERR_VERSION, -ERR_BADMSG, -ERR_RANGE, -ENOMEM: it is checked like anything from outside. */
int place_live_read(const void *data, size_t len, struct place_live **ret) _must_check_;
