/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The air protocol, EPC Gen2 (ISO 18000-63), as far as it decides who is read when: flags of tags
 * and how long they last, and slotted rounds with an adaptive Q. Pure: time and chance come from
 * the caller.
 *
 * Flags (Gen2, 6.3.2.2, table 6.20): a tag has an inventoried flag per session, A or B, and
 * toggles the round's when it is read. S0 falls back to A when power is lost. S1 falls back after
 * 0.5 to 5 s whether it has power or not. S2 and S3 stay as long as there is power and at least 2 s
 * beyond. Each tag has its own persistence within that.
 *
 * Rounds: tags whose flag is the target draw one of 2^Q slots. An empty slot is short, a collision
 * loses an RN16, a lone tag is acknowledged and sends its EPC. The reader follows Annex D: Q grows
 * with collisions and shrinks with empty slots, and a new Q starts a new frame.
 */
#pragma once

#include "common/util.h"
#include "sim/rng.h"

#define GEN2_SESSIONS 4
#define GEN2_MAX_Q    15
#define GEN2_FOREVER  INT64_MAX

/* --- tags ------------------------------------------------------------------------------------- */

struct gen2_tag {
	uint8_t flags;          /**< a bit per session: 1 = B */
	bool lit;               /**< had power at some time */
	int64_t power_until_us; /**< has, or had, power until then */
	int64_t s1_until_us;    /**< B of session 1 lasts till then */
	float s1_s, s2_s, s3_s; /**< its persistence */
};

/** A tag as it comes, everything at A; `unit` are three numbers in [0, 1) that make its
 * persistence. */
void gen2_tag_init(struct gen2_tag *t, const double unit[3]);
/** It has power from `at_us` till `until_us`; what was forgotten before is forgotten. */
void gen2_tag_power(struct gen2_tag *t, int64_t at_us, int64_t until_us);
/** The carrier stops for a moment (a hop): session 0 is forgotten. */
void gen2_tag_blink(struct gen2_tag *t);
/** Is that flag B? */
bool gen2_tag_is_b(const struct gen2_tag *t, unsigned int session, int64_t at_us);
/** It was read in that session: the flag turns. */
void gen2_tag_toggle(struct gen2_tag *t, unsigned int session, int64_t at_us);
/** When the flag falls back to A by itself, with power; GEN2_FOREVER = never, or it is A. */
int64_t gen2_tag_falls_us(const struct gen2_tag *t, unsigned int session, int64_t at_us);

/* --- link modes ------------------------------------------------------------------------------- */

struct gen2_mode {
	uint32_t id;
	uint32_t blf_hz;  /**< backscatter link frequency */
	uint32_t pie;     /**< length of a one against a zero, thousandths */
	uint32_t tari_ns; /**< length of a zero */
	uint8_t m;        /**< 0 = FM0, 1 to 3 = Miller 2, 4, 8 */
	int8_t floor_dbm; /**< weakest answer that the receiver makes out */
};

const struct gen2_mode *gen2_modes(size_t *ret_n);
/** Mode of an id; the automatic one for an id that is none. */
const struct gen2_mode *gen2_mode_find(uint32_t id);

/** How long the parts of a round take, in microseconds. */
struct gen2_times {
	double query, adjust, empty, collision, single;
};
struct gen2_times gen2_times(const struct gen2_mode *m, unsigned int epc_bits);

/* --- rounds ----------------------------------------------------------------------------------- */

struct gen2_entry {
	uint32_t tag;
	float level_db; /**< how strong it answers; the far stronger one may drown another */
};

enum gen2_slot {
	GEN2_EMPTY,
	GEN2_COLLISION,
	GEN2_SINGLE,
	GEN2_FRAME, /**< Query or QueryAdjust: a new frame begins */
	GEN2_OVER
};

struct gen2_round {
	struct gen2_entry *pool; /**< those yet to come in this frame, then those that collided */
	size_t n, n_collided, cap;
	unsigned int q;
	double q_fp;
	uint32_t slots; /**< left in this frame */
	bool running;
	bool had_collision; /**< in this frame */
};

void gen2_round_done(struct gen2_round *r);
/** One more that takes part, before the round begins. */
int gen2_round_add(struct gen2_round *r, const struct gen2_entry *e) _must_check_;
/** Empties the pool. */
void gen2_round_clear(struct gen2_round *r);
/** Begins with the tags added: Q as fits a population (0 = unknown). */
void gen2_round_begin(struct gen2_round *r, unsigned int population);
/** The next slot. After GEN2_SINGLE, ret is the tag; it is out of the round. */
enum gen2_slot gen2_round_step(struct gen2_round *r, struct sim_rng *rng, struct gen2_entry *ret);
/** That one was not understood after all: it stays for the next frame. */
void gen2_round_keep(struct gen2_round *r, const struct gen2_entry *e);
