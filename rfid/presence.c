/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The presence filter: raw reads in, a few sightings per tag and minute out.
 *
 * One record of 64 bytes per tag x antenna pair that was really observed, one of 24 per tag (shared
 * by its antennas), both found by a keyed hash, since whoever writes tags chooses EPCs. Nothing
 * else grows with the number of reads.
 *
 * When is a silent tag gone? Each pair keeps running averages of the gap between its reads: mean m
 * and deviation s. Gaps have an exponential tail of scale s after a shift of m - s, so
 *
 *     P(gap > T) = exp(-(T - (m - s)) / s)
 *
 * and over ten seconds there are 10 s / m gaps that may each be the unlucky one. Solved for T, with
 * the wanted chance of a false GONE in ten seconds, that is the timeout, between the configured
 * bounds. A tag that answers every inventory round (s small) is missed after a few rounds. An
 * antenna that takes turns with others reads in bursts, whose pauses averages forget: so T is also
 * at least the longest gap of late and a fifth. Compare SMURF (Jeffery et al., VLDB 2006), which
 * needs a window of observations per tag to do the same.
 *
 * Deadlines live in a wheel of 128 ms slots. A read does not move its pair there; the wheel looks
 * again when the old deadline comes, so that a read costs two hash look-ups and some arithmetic,
 * and a tick only touches the pairs whose deadline has come.
 */
#include "rfid/presence_impl.h"

#include "common/err.h"
#include <errno.h>
#include <math.h>
#include <string.h>

#define DEFAULT_REFRESH_US  (60 * US_PER_SEC)
#define DEFAULT_RSSI_STEP   600
#define DEFAULT_MIN_STEP_US (1 * US_PER_SEC)
#define DEFAULT_MISS        0.001
#define DEFAULT_MIN_GONE_US (1 * US_PER_SEC)
#define DEFAULT_MAX_GONE_US (30 * US_PER_SEC)
#define DEFAULT_MAX_PAIRS   65536u
/* Before a tag's own gaps are known it is taken for one read twice a second. */
#define PRIOR_GAP_US        500000.0f
#define PRIOR_LONGEST       16 /* wheel slots: two seconds, a round of a few antennas */
/* Weight of a new gap, once there are enough of them. */
#define GAP_ALPHA           (1.0f / 24)
#define RSSI_ALPHA          (1.0f / 4)
/* The timeout is at least this much of the longest gap of late. */
#define RHYTHM_MARGIN       1.2f
/* How soon after a resume a pair must be found again. */
#define SUSPENDED_LOOK_US   (1 * US_PER_SEC)
/* A clock that goes back this much was set; one that leaps ahead this much means we stood still. */
#define CLOCK_BACK_US       (1 * US_PER_SEC)
#define CLOCK_LEAP_US       (5 * US_PER_SEC)

/* --- sources ---------------------------------------------------------------------------------- */

/** Index of the caller's source, made on first sight; -ENOSPC or -ENOMEM. */
static int source_index(struct presence *p, uint32_t id, bool make)
{
	struct presence_source *grown;
	size_t lo = 0, hi = p->n_sources;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (p->source_order[mid].id == id)
			return p->source_order[mid].index;
		if (p->source_order[mid].id < id)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (!make)
		return -ENOENT;
	if (p->n_sources == PRESENCE_MAX_SOURCES)
		return -ENOSPC;
	if (p->n_sources == p->cap_sources) {
		size_t cap = MAX(2 * p->cap_sources, (size_t) 8);
		struct presence_order *order = realloc(p->source_order, cap * sizeof(*order));

		if (!order)
			return -ENOMEM;
		p->source_order = order;
		grown = realloc(p->sources, cap * sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		p->sources = grown;
		p->cap_sources = cap;
	}
	memmove(&p->source_order[lo + 1], &p->source_order[lo],
		(p->n_sources - lo) * sizeof(p->source_order[0]));
	p->source_order[lo] = (struct presence_order){id, (uint16_t) p->n_sources};
	p->sources[p->n_sources] = (struct presence_source){.id = id, .resumed_us = INT64_MIN};
	return (int) p->n_sources++;
}

/* --- timeouts --------------------------------------------------------------------------------- */

static int64_t gone_after_us(const struct presence *p, const struct presence_pair *pair)
{
	float m = MAX(pair->gap_us, 1000.0f);
	float s = MIN(MAX(sqrtf(pair->gap_var), 0.15f * m), 20 * m);
	float t = m - s + s * logf(MAX(p->chances_us / m, 1.0f / (float) p->cfg.miss_probability));

	t = MAX(t, RHYTHM_MARGIN * (float) ((int64_t) pair->longest << PRESENCE_SLOT_SHIFT));
	if (!(t > (float) p->cfg.min_gone_us))
		return p->cfg.min_gone_us;
	return t < (float) p->cfg.max_gone_us ? (int64_t) t : p->cfg.max_gone_us;
}

static uint32_t in_ms(int64_t us)
{
	return (uint32_t) (uint64_t) (us / US_PER_MS);
}

/** Time since the pair was last told of, as of at_us. */
static int64_t since_told_us(const struct presence_pair *pair, int64_t at_us)
{
	return (int64_t) (int32_t) (in_ms(at_us) - pair->emitted_ms) * US_PER_MS;
}

/** When the pair has to be looked at again. */
static int64_t deadline_us(const struct presence *p, const struct presence_pair *pair)
{
	const struct presence_source *src = &p->sources[pair->source];
	int64_t gone_us =
		MAX(MAX(pair->last_us, src->resumed_us), p->resumed_us) + gone_after_us(p, pair);
	int64_t refresh_us = pair->last_us - since_told_us(pair, pair->last_us) + p->cfg.refresh_us;

	if (src->suspended)
		return INT64_MAX;
	return pair->count ? MIN(gone_us, refresh_us) : gone_us;
}

static void learn_gap(struct presence_pair *pair, float gap_us)
{
	/* The first gaps count more: the prior is worth two of them. */
	float alpha = MAX(1.0f / (float) (3 + pair->n_gaps), GAP_ALPHA);
	float off = gap_us - pair->gap_us;
	int64_t slots = ((int64_t) gap_us >> PRESENCE_SLOT_SHIFT) + 1;

	pair->longest = (uint8_t) MAX((int64_t) pair->longest, MIN(slots, (int64_t) UINT8_MAX));
	if (pair->n_gaps < UINT8_MAX)
		pair->n_gaps++;
	pair->gap_us += alpha * off;
	pair->gap_var = (1 - alpha) * (pair->gap_var + alpha * off * off);
}

static void learn_gaps(const struct presence *p, struct presence_pair *pair,
		       const struct rfid_read *r)
{
	int64_t start_us = MAX(p->sources[pair->source].resumed_us, p->resumed_us);
	int64_t first_us = MIN(MAX(r->first_us, pair->last_us), r->last_us);

	/* Silence while nobody listened, or while the clock was set, says nothing about the tag. */
	if (first_us > pair->last_us && pair->last_us >= start_us &&
	    first_us - pair->last_us <= p->cfg.max_gone_us)
		learn_gap(pair, (float) (first_us - pair->last_us));
	/* Several reads in one report: their spacing inside it, without outweighing the past. */
	if (r->count > 1 && r->last_us > first_us) {
		float inner_us = (float) (r->last_us - first_us) / (float) (r->count - 1);

		for (int i = 0; i < MIN(r->count - 1, 4); i++)
			learn_gap(pair, inner_us);
	}
}

/* --- telling ---------------------------------------------------------------------------------- */

static void emit(struct presence *p, uint32_t at, enum presence_kind kind, int64_t now_us)
{
	struct presence_pair *pair = presence_pair(p, at);
	struct presence_sighting s = {
		.kind = kind,
		.source = p->sources[pair->source].id,
		.first_us = pair->last_us - pair->span_us,
		.last_us = pair->last_us,
		.count = pair->count,
		.rssi_cdbm = pair->smooth_cdbm,
		.peak_cdbm = pair->peak_cdbm,
	};
	float rate = 1e9f / MAX(pair->gap_us, 1.0f);
	struct epc epc;

	presence_tag_epc(presence_tag(p, pair->tag), &epc);
	s.epc = &epc;
	if (pair->n_rssi)
		s.rssi_cdbm = (int16_t) lrintf(pair->rssi_sum / (float) pair->n_rssi);
	s.rate_mhz = pair->n_gaps ? (uint16_t) MIN(rate, (float) UINT16_MAX) : 0;
	/* Everything is settled before the call, so that the callback finds us consistent. */
	pair->emitted_ms = in_ms(now_us);
	pair->told_cdbm = pair->smooth_cdbm;
	pair->count = 0;
	pair->n_rssi = 0;
	pair->rssi_sum = 0;
	pair->span_us = 0;
	pair->peak_cdbm = INT16_MIN;
	if (kind == PRESENCE_GONE)
		presence_pair_free(p, at);
	p->fn(p->user, &s);
}

/* --- reads ------------------------------------------------------------------------------------ */

static void add_rssi(struct presence_pair *pair, int16_t cdbm)
{
	if (cdbm == INT16_MIN)
		return;
	pair->rssi_sum += (float) cdbm;
	if (pair->n_rssi < UINT16_MAX)
		pair->n_rssi++;
	else
		pair->rssi_sum -= pair->rssi_sum / (float) UINT16_MAX;
	pair->peak_cdbm = MAX(pair->peak_cdbm, cdbm);
	if (pair->smooth_cdbm == INT16_MIN)
		pair->smooth_cdbm = cdbm;
	else
		pair->smooth_cdbm =
			(int16_t) lrintf((float) pair->smooth_cdbm +
					 RSSI_ALPHA * ((float) cdbm - (float) pair->smooth_cdbm));
}

static void add_read(struct presence_pair *pair, const struct rfid_read *r)
{
	int64_t first_us = pair->count ? pair->last_us - pair->span_us : r->first_us;
	int64_t span_us;

	pair->last_us = MAX(pair->last_us, r->last_us);
	span_us = pair->last_us - MIN(first_us, pair->last_us);
	pair->span_us = (uint32_t) MIN(span_us, (int64_t) UINT32_MAX);
	pair->count = pair->count > UINT32_MAX - r->count ? UINT32_MAX : pair->count + r->count;
	add_rssi(pair, r->rssi_cdbm);
}

static bool stepped(const struct presence *p, const struct presence_pair *pair)
{
	return pair->smooth_cdbm != INT16_MIN && pair->told_cdbm != INT16_MIN &&
	       abs(pair->smooth_cdbm - pair->told_cdbm) >= p->cfg.rssi_step_cdbm &&
	       since_told_us(pair, pair->last_us) >= p->cfg.min_step_us;
}

static int appear(struct presence *p, uint16_t source, const struct rfid_read *r)
{
	struct presence_pair *pair;
	uint32_t at;
	int err;

	err = presence_pair_new(p, source, &r->epc, &at);
	if (err < 0)
		return err;
	pair = presence_pair(p, at);
	pair->last_us = r->last_us;
	pair->gap_us = PRIOR_GAP_US;
	pair->gap_var = PRIOR_GAP_US * PRIOR_GAP_US;
	pair->longest = PRIOR_LONGEST;
	pair->smooth_cdbm = pair->told_cdbm = pair->peak_cdbm = INT16_MIN;
	if (r->count > 1)
		learn_gaps(p, pair, r);
	add_read(pair, r);
	presence_wheel_start(p, pair->last_us);
	presence_wheel_put(p, at, pair->last_us + gone_after_us(p, pair));
	emit(p, at, PRESENCE_APPEAR, pair->last_us);
	return 0;
}

int presence_read(struct presence *p, uint32_t source, const struct rfid_read *r)
{
	struct presence_pair *pair;
	int src = source_index(p, source, true);
	int64_t due_us;
	uint32_t at;
	int err;

	if (src < 0)
		return src;
	at = presence_pair_find(p, (uint16_t) src, &r->epc);
	if (at == PRESENCE_NONE) {
		err = appear(p, (uint16_t) src, r);
		p->dropped += err < 0;
		return err;
	}
	pair = presence_pair(p, at);
	learn_gaps(p, pair, r);
	add_read(pair, r);
	/* The wheel is only told when it would look too late; the timeout has become shorter. */
	due_us = deadline_us(p, pair);
	if (due_us != INT64_MAX && presence_wheel_slot(p, due_us) < pair->slot)
		presence_wheel_move(p, at, due_us);
	if (stepped(p, pair))
		emit(p, at, PRESENCE_REFRESH, pair->last_us);
	return 0;
}

/* --- time ------------------------------------------------------------------------------------- */

static void look_at(struct presence *p, uint32_t at, int64_t now_us)
{
	struct presence_pair *pair = presence_pair(p, at);
	const struct presence_source *src = &p->sources[pair->source];
	int64_t since_us = MAX(MAX(pair->last_us, src->resumed_us), p->resumed_us);

	if (src->suspended) {
		presence_wheel_put(p, at, now_us + SUSPENDED_LOOK_US);
		return;
	}
	if (now_us - since_us >= gone_after_us(p, pair)) {
		emit(p, at, PRESENCE_GONE, now_us);
		return;
	}
	if (pair->count && since_told_us(pair, now_us) >= p->cfg.refresh_us) {
		emit(p, at, PRESENCE_REFRESH, now_us);
		/* The callback has no way to take the pair from us. */
	}
	/* A rhythm is confirmed at least once between two looks, or else forgotten by and by. */
	pair->longest = (uint8_t) (pair->longest - (pair->longest + 7) / 8);
	presence_wheel_put(p, at, deadline_us(p, pair));
}

void presence_tick(struct presence *p, int64_t now_us)
{
	uint32_t at;

	if (p->ticked && now_us < p->now_us - CLOCK_BACK_US)
		presence_shift(p, now_us - p->now_us);
	else if (p->ticked && now_us > p->now_us + CLOCK_LEAP_US)
		p->resumed_us = now_us; /* what was read meanwhile has not reached us yet */
	p->ticked = true;
	p->now_us = MAX(now_us, p->now_us);
	presence_wheel_turn(p, p->now_us);
	while ((at = presence_wheel_take(p)) != PRESENCE_NONE)
		look_at(p, at, p->now_us);
}

void presence_suspend(struct presence *p, uint32_t source)
{
	int src = source_index(p, source, true);

	if (src >= 0)
		p->sources[src].suspended = true;
}

void presence_resume(struct presence *p, uint32_t source, int64_t now_us)
{
	int src = source_index(p, source, false);

	if (src >= 0 && p->sources[src].suspended) {
		p->sources[src].suspended = false;
		p->sources[src].resumed_us = now_us;
	}
}

/* --- life ------------------------------------------------------------------------------------- */

#define OR(value, fallback) ((value) ? (value) : (fallback))

int presence_new(const struct presence_config *cfg, presence_fn fn, void *user,
		 struct presence **ret)
{
	struct presence *p = calloc(1, sizeof(*p));
	int r;

	if (!p)
		return -ENOMEM;
	p->fn = fn;
	p->user = user;
	p->cfg = *cfg;
	p->cfg.refresh_us = OR(cfg->refresh_us, DEFAULT_REFRESH_US);
	p->cfg.rssi_step_cdbm = OR(cfg->rssi_step_cdbm, DEFAULT_RSSI_STEP);
	p->cfg.min_step_us = OR(cfg->min_step_us, DEFAULT_MIN_STEP_US);
	p->cfg.miss_probability = cfg->miss_probability > 0 ? cfg->miss_probability : DEFAULT_MISS;
	p->cfg.miss_probability = MIN(p->cfg.miss_probability, 0.5);
	p->cfg.min_gone_us = OR(cfg->min_gone_us, DEFAULT_MIN_GONE_US);
	p->cfg.max_gone_us = MAX(OR(cfg->max_gone_us, DEFAULT_MAX_GONE_US), p->cfg.min_gone_us);
	p->cfg.max_pairs = OR(cfg->max_pairs, DEFAULT_MAX_PAIRS);
	p->chances_us = (float) (10 * (double) US_PER_SEC / p->cfg.miss_probability);
	p->resumed_us = INT64_MIN;
	r = presence_tables_init(p);
	if (r < 0) {
		presence_free(p);
		return r;
	}
	*ret = p;
	return 0;
}

void presence_free(struct presence *p)
{
	if (!p)
		return;
	presence_tables_done(p);
	free(p->sources);
	free(p->source_order);
	free(p);
}

size_t presence_pairs(const struct presence *p)
{
	return p->n_pairs;
}

size_t presence_tags(const struct presence *p)
{
	return p->n_tags;
}
