/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/gen2.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define US         1000000.0
#define S1_LEAST_S 0.5
#define S1_MOST_S  5.0
#define S2_LEAST_S 2.0
#define S2_MORE_S  58.0 /* tags are commonly much better than they must be */
#define DEFAULT_Q  4
#define CAPTURE_DB 8.0F /* so much stronger, and the other is noise */

/* --- tags ------------------------------------------------------------------------------------- */

void gen2_tag_init(struct gen2_tag *t, const double unit[3])
{
	*t = (struct gen2_tag){
		.s1_s = (float) (S1_LEAST_S + (S1_MOST_S - S1_LEAST_S) * unit[0]),
		.s2_s = (float) (S2_LEAST_S + S2_MORE_S * unit[1] * unit[1]),
		.s3_s = (float) (S2_LEAST_S + S2_MORE_S * unit[2] * unit[2]),
	};
}

static void forget(struct gen2_tag *t, unsigned int session)
{
	t->flags &= (uint8_t) ~(1u << session);
}

void gen2_tag_blink(struct gen2_tag *t)
{
	forget(t, 0);
}

void gen2_tag_power(struct gen2_tag *t, int64_t at_us, int64_t until_us)
{
	double dark_s = t->lit ? (double) (at_us - t->power_until_us) / US : 0;

	if (dark_s > 0) {
		forget(t, 0);
		if (dark_s > (double) t->s2_s)
			forget(t, 2);
		if (dark_s > (double) t->s3_s)
			forget(t, 3);
	}
	if (at_us >= t->s1_until_us)
		forget(t, 1);
	t->lit = true;
	t->power_until_us = MAX(t->power_until_us, until_us);
}

bool gen2_tag_is_b(const struct gen2_tag *t, unsigned int session, int64_t at_us)
{
	if (session == 1 && at_us >= t->s1_until_us)
		return false;
	return t->flags >> session & 1;
}

void gen2_tag_toggle(struct gen2_tag *t, unsigned int session, int64_t at_us)
{
	if (gen2_tag_is_b(t, session, at_us)) {
		forget(t, session);
		return;
	}
	t->flags |= (uint8_t) (1u << session);
	if (session == 1)
		t->s1_until_us = at_us + (int64_t) ((double) t->s1_s * US);
}

int64_t gen2_tag_falls_us(const struct gen2_tag *t, unsigned int session, int64_t at_us)
{
	return session == 1 && gen2_tag_is_b(t, session, at_us) ? t->s1_until_us : GEN2_FOREVER;
}

/* --- link modes ------------------------------------------------------------------------------- */

static const struct gen2_mode modes[] = {
	{0, 640000, 1500, 6250, 0, -70},     /* fastest */
	{1, 320000, 1500, 12500, 1, -75},    /* Miller 2 */
	{2, 274000, 2000, 20000, 2, -80},    /* Miller 4 */
	{3, 170600, 2000, 25000, 3, -84},    /* Miller 8, dense reader */
	{1000, 274000, 2000, 20000, 2, -80}, /* automatic */
};

const struct gen2_mode *gen2_modes(size_t *ret_n)
{
	*ret_n = ARRAY_SIZE(modes);
	return modes;
}

const struct gen2_mode *gen2_mode_find(uint32_t id)
{
	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		if (modes[i].id == id)
			return &modes[i];
	}
	return &modes[ARRAY_SIZE(modes) - 1];
}

/* Lengths of commands and answers in bits (Gen2, 6.3.2.12) and of what is around them (6.3.1). */
enum {
	QUERY_BITS = 22,
	QUERY_REP_BITS = 4,
	QUERY_ADJUST_BITS = 9,
	ACK_BITS = 18,
	RN16_BITS = 16 + 1,
	REPLY_BITS = 16 + 16 + 1, /* PC, CRC and a dummy, beside the EPC */
	FM0_PREAMBLE = 6,
	MILLER_PREAMBLE = 10
};

struct gen2_times gen2_times(const struct gen2_mode *m, unsigned int epc_bits)
{
	double tari = m->tari_ns / 1000.0, rtcal = tari * (1 + m->pie / 1000.0);
	double forward = rtcal / 2, delimiter = 12.5;
	double sync = delimiter + tari + rtcal, trcal = 2 * rtcal;
	double tick = US / m->blf_hz, back = tick * (1 << m->m);
	double preamble = back * (m->m ? MILLER_PREAMBLE : FM0_PREAMBLE);
	double t1 = MAX(rtcal, 10 * tick), t2 = 10 * tick, t3 = 2 * tick;
	double rep = sync + QUERY_REP_BITS * forward;
	double rn16 = preamble + RN16_BITS * back;

	return (struct gen2_times){
		.query = sync + trcal + QUERY_BITS * forward,
		.adjust = sync + QUERY_ADJUST_BITS * forward,
		.empty = rep + t1 + t3,
		.collision = rep + t1 + rn16 + t2,
		.single = rep + t1 + rn16 + t2 + sync + ACK_BITS * forward + t1 + preamble +
			  (REPLY_BITS + epc_bits) * back + t2,
	};
}

/* --- rounds ----------------------------------------------------------------------------------- */

void gen2_round_done(struct gen2_round *r)
{
	free(r->pool);
	*r = (struct gen2_round){0};
}

void gen2_round_clear(struct gen2_round *r)
{
	r->n = r->n_collided = 0;
	r->running = false;
}

int gen2_round_add(struct gen2_round *r, const struct gen2_entry *e)
{
	if (r->n == r->cap) {
		size_t cap = r->cap ? r->cap * 2 : 64;
		struct gen2_entry *pool = realloc(r->pool, cap * sizeof *pool);

		if (!pool)
			return -ENOMEM;
		r->pool = pool;
		r->cap = cap;
	}
	r->pool[r->n++] = *e;
	return 0;
}

/** All that are left draw a slot of a new frame. */
static void frame(struct gen2_round *r, unsigned int q)
{
	r->n += r->n_collided;
	r->n_collided = 0;
	r->had_collision = false;
	r->q = q;
	r->slots = 1u << q;
}

void gen2_round_begin(struct gen2_round *r, unsigned int population)
{
	unsigned int q = population ? (unsigned int) lround(log2(population)) : DEFAULT_Q;

	q = MIN(q, (unsigned int) GEN2_MAX_Q);
	r->running = true;
	r->q_fp = q;
	frame(r, q);
}

/** How many of the n that are to come chose this slot of the s left: binomial, by inversion. */
static size_t draw(struct sim_rng *rng, size_t n, uint32_t s)
{
	double p, chance, u;
	size_t k = 0;

	if (n == 0 || s <= 1)
		return n;
	p = 1.0 / s;
	chance = exp((double) n * log1p(-p));
	for (u = sim_rng_unit(rng); u >= chance && k < n; k++) {
		u -= chance;
		chance *= (double) (n - k) / (double) (k + 1) * p / (1 - p);
	}
	return k;
}

/** Moves one that is to come, at random, to the end of those; yields its place. */
static struct gen2_entry *pick(struct gen2_round *r, struct sim_rng *rng)
{
	size_t i = sim_rng_below(rng, (uint32_t) r->n);
	struct gen2_entry e = r->pool[i];

	r->n--;
	r->pool[i] = r->pool[r->n];
	r->pool[r->n] = e;
	return &r->pool[r->n];
}

/** Takes out what stands between those to come and those that collided. */
static void close_gap(struct gen2_round *r)
{
	r->pool[r->n] = r->pool[r->n + r->n_collided];
}

/** Those k all answer at once; the strongest may drown the others and get through. */
static enum gen2_slot collide(struct gen2_round *r, struct sim_rng *rng, size_t k,
			      struct gen2_entry *ret)
{
	float second = -INFINITY;
	size_t strongest;

	for (size_t i = 0; i < k; i++) {
		(void) pick(r, rng);
		r->n_collided++;
	}
	r->had_collision = true;
	/* They stand first among the collided. */
	strongest = r->n;
	for (size_t i = r->n + 1; i < r->n + k; i++) {
		if (r->pool[i].level_db > r->pool[strongest].level_db) {
			second = r->pool[strongest].level_db;
			strongest = i;
		} else {
			second = MAX(second, r->pool[i].level_db);
		}
	}
	if (r->pool[strongest].level_db - second < CAPTURE_DB || sim_rng_chance(rng, 0.5))
		return GEN2_COLLISION;
	*ret = r->pool[strongest];
	r->n_collided--;
	r->pool[strongest] = r->pool[r->n + r->n_collided];
	return GEN2_SINGLE;
}

enum gen2_slot gen2_round_step(struct gen2_round *r, struct sim_rng *rng, struct gen2_entry *ret)
{
	unsigned int q = (unsigned int) lround(r->q_fp);
	double c = MIN(0.5, 0.8 / MAX(r->q, 2u));
	size_t k;

	if (q != r->q || (r->slots == 0 && r->had_collision)) {
		frame(r, q);
		return GEN2_FRAME;
	}
	if (r->slots == 0) {
		r->running = false;
		return GEN2_OVER;
	}
	k = draw(rng, r->n, r->slots--);
	if (k == 0) {
		r->q_fp = MAX(r->q_fp - c, 0.0);
		return GEN2_EMPTY;
	}
	if (k == 1) {
		*ret = *pick(r, rng);
		close_gap(r);
		return GEN2_SINGLE;
	}
	if (collide(r, rng, k, ret) == GEN2_SINGLE)
		return GEN2_SINGLE;
	r->q_fp = MIN(r->q_fp + c, (double) GEN2_MAX_Q);
	return GEN2_COLLISION;
}

void gen2_round_keep(struct gen2_round *r, const struct gen2_entry *e)
{
	/* There is room: it was in the pool a moment ago. */
	r->pool[r->n + r->n_collided] = *e;
	r->n_collided++;
	r->had_collision = true;
}
