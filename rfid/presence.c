/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The presence filter: raw reads in, a few sightings per tag and minute out.
 *
 * One record of 64 bytes per tag x antenna pair that was really observed, one of 24 per tag (shared
 * by its antennas), both found by a keyed hash, since whoever writes tags chooses EPCs. Nothing
 * else grows with the number of reads.
 *
 * When a silent tag is gone, presence_stay.c says.
 *
 * When has a tag moved from one antenna to another? Silence alone tells it late, and not at all
 * when the old antenna still reads it now and then. So each pair also counts its reads with a
 * weight that fades over a few gaps; that rate of late and the smoothed RSSI make its heat, an
 * octave for twice the reads or 6 dB. A read that finds its own pair well ahead of the one that was
 * told to be the hottest is news: both are told, as they are now, and for a few seconds so is
 * whatever else falls behind. Noise between antennas that hear a tag alike seldom gets that far,
 * and a neighbour that was told to be weak is not told of again.
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
#define RSSI_ALPHA          (1.0f / 3)
/* Heat: octaves of reads per second and of signal, where 6 dB are one. */
#define OCTAVE              256
#define OCTAVE_CDBM         600.0f
#define UNKNOWN_CDBM        (-6000)
/* A read counts for as long as this, or so many gaps; longer where pauses are much longer. */
#define MEMORY_MIN_US       800000.0f
#define MEMORY_PRIOR_US     2000000.0f
#define MEMORY_GAPS         4
#define SETTLED_GAPS        6
#define RHYTHM_SPREAD       6
/* What an APPEAR stands for until it is known to be more than a stray read. */
#define UNCONFIRMED_GAP_US  800000.0f
/* When one source has overtaken another, in heat: its lead, how much more that is than was told,
 * and the told leads from which on it is no longer watched: at first, and while it is contested. */
#define CONTEST_LEAD        350
#define CONTEST_NEWS        400
#define CONTEST_OPEN        256
#define CONTEST_CLEAR       600
#define CONTEST_SLOTS       32 /* four seconds */
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
	presence_source_init(&p->sources[p->n_sources]);
	return (int) p->n_sources++;
}

/* --- deadlines ---------------------------------------------------------------------------------
 */

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
	int64_t gone_us = MAX(MAX(pair->last_us, src->resumed_us), p->resumed_us) +
			  presence_gone_after_us(p, pair);
	int64_t refresh_us = pair->last_us - since_told_us(pair, pair->last_us) + p->cfg.refresh_us;

	if (src->suspended)
		return INT64_MAX;
	return pair->count ? MIN(gone_us, refresh_us) : gone_us;
}

static void learn_gaps(const struct presence *p, struct presence_pair *pair,
		       const struct rfid_read *r)
{
	struct presence_source *src = &p->sources[pair->source];
	int64_t start_us = MAX(src->resumed_us, p->resumed_us);
	int64_t first_us = MIN(MAX(r->first_us, pair->last_us), r->last_us);

	/* Silence while nobody listened, or while the clock was set, says nothing about the tag. */
	if (first_us > pair->last_us && pair->last_us >= start_us &&
	    first_us - pair->last_us <= p->cfg.max_gone_us)
		presence_learn_gap(src, pair, (float) (first_us - pair->last_us));
	/* Several reads in one report: their spacing inside it, without outweighing the past. */
	if (r->count > 1 && r->last_us > first_us) {
		float inner_us = (float) (r->last_us - first_us) / (float) (r->count - 1);

		for (int i = 0; i < MIN(r->count - 1, 4); i++)
			presence_learn_gap(src, pair, inner_us);
	}
}

/* --- heat: where a tag is being read most, of late ---------------------------------------------
 */

static int16_t heat_of(const struct presence_pair *pair, float gap_us)
{
	int16_t cdbm = pair->smooth_cdbm == INT16_MIN ? UNKNOWN_CDBM : pair->smooth_cdbm;
	float octaves = log2f((float) US_PER_SEC / MIN(MAX(gap_us, 1000.0f), 1e9f)) +
			(float) cdbm / OCTAVE_CDBM;

	return (int16_t) lrintf(OCTAVE * MIN(MAX(octaves, -100.0f), 100.0f));
}

/**
 * For how long a read of this tag counts: some gaps of the pair that hears it most often. Where
 * antennas take long turns the pauses must not look like a departure.
 */
static float memory_us(const struct presence *p, uint32_t tag)
{
	const struct presence_pair *best = NULL;

	for (uint32_t at = presence_tag(p, tag)->pairs; at != PRESENCE_NONE;
	     at = presence_pair(p, at)->next) {
		const struct presence_pair *pair = presence_pair(p, at);

		if (pair->n_gaps >= SETTLED_GAPS && (!best || pair->gap_us < best->gap_us))
			best = pair;
	}
	if (!best)
		return MEMORY_PRIOR_US;
	if (best->gap_var > RHYTHM_SPREAD * best->gap_us * best->gap_us)
		return MAX(2 * (float) ((int64_t) best->longest << PRESENCE_SLOT_SHIFT),
			   MEMORY_PRIOR_US);
	return MAX(MEMORY_GAPS * best->gap_us, MEMORY_MIN_US);
}

/** The gap between reads that those of late stand for. */
static float gap_of_late_us(const struct presence_pair *pair, float memory, int64_t now_us)
{
	float silent_us = (float) MAX(now_us - pair->last_us, (int64_t) 0);

	return memory / MAX(pair->dense * expf(-silent_us / memory), 1e-6f);
}

static int heat_now(const struct presence *p, uint32_t at, float memory, int64_t now_us)
{
	const struct presence_pair *pair = presence_pair(p, at);

	return heat_of(pair, gap_of_late_us(pair, memory, now_us));
}

/* --- telling ---------------------------------------------------------------------------------- */

static void emit(struct presence *p, uint32_t at, enum presence_kind kind, float gap_us,
		 int64_t now_us)
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
	float rate = 1e9f / MAX(gap_us, 1.0f);
	struct epc epc;

	presence_tag_epc(presence_tag(p, pair->tag), &epc);
	s.epc = &epc;
	s.rate_mhz = pair->n_gaps ? (uint16_t) MIN(rate, (float) UINT16_MAX) : 0;
	/* Everything is settled before the call, so that the callback finds us consistent. */
	pair->emitted_ms = in_ms(now_us);
	pair->told_cdbm = pair->smooth_cdbm;
	pair->told_heat = heat_of(pair, gap_us);
	pair->count = 0;
	pair->span_us = 0;
	pair->peak_cdbm = INT16_MIN;
	if (kind == PRESENCE_GONE) {
		presence_depart(p, pair, &epc);
		presence_pair_free(p, at);
	}
	p->fn(p->user, &s);
}

/* --- reads ------------------------------------------------------------------------------------ */

static void add_rssi(struct presence_pair *pair, int16_t cdbm)
{
	if (cdbm == INT16_MIN)
		return;
	pair->peak_cdbm = MAX(pair->peak_cdbm, cdbm);
	if (pair->smooth_cdbm == INT16_MIN)
		pair->smooth_cdbm = cdbm;
	else
		pair->smooth_cdbm =
			(int16_t) lrintf((float) pair->smooth_cdbm +
					 RSSI_ALPHA * ((float) cdbm - (float) pair->smooth_cdbm));
}

static void add_read(struct presence_pair *pair, const struct rfid_read *r, float memory)
{
	float silent_us = (float) MAX(r->last_us - pair->last_us, (int64_t) 0);
	int64_t first_us = pair->count ? pair->last_us - pair->span_us : r->first_us;
	int64_t span_us;

	pair->dense = pair->dense * expf(-silent_us / memory) + (float) r->count;
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

/** Of the tag's other pairs, the one that was told to be read most; PRESENCE_NONE if it has none.
 */
static uint32_t told_rival(const struct presence *p, uint32_t at)
{
	uint32_t best = PRESENCE_NONE;

	for (uint32_t o = presence_tag(p, presence_pair(p, at)->tag)->pairs; o != PRESENCE_NONE;
	     o = presence_pair(p, o)->next)
		if (o != at && !p->sources[presence_pair(p, o)->source].suspended &&
		    (best == PRESENCE_NONE ||
		     presence_pair(p, o)->told_heat > presence_pair(p, best)->told_heat))
			best = o;
	return best;
}

/** Does `pair` lead by so much, and was told to lead by so much less, that it is worth a word? */
static bool overtook(const struct presence_pair *pair, const struct presence_pair *other, int lead,
		     int clear)
{
	int told = pair->told_heat - other->told_heat;

	return lead >= CONTEST_LEAD && told < clear && lead - told >= CONTEST_NEWS;
}

/**
 * The tag has just been read at one source. Has this one overtaken the one that was told to read it
 * most? That is the news of a move, and all that it overtook are told as they are now; so they are
 * for a while from then on, until the lead that was told is clear.
 */
static void contest(struct presence *p, uint32_t at, float memory)
{
	struct presence_pair *pair = presence_pair(p, at);
	struct presence_tag *tag = presence_tag(p, pair->tag);
	uint16_t slot = (uint16_t) (pair->last_us >> PRESENCE_SLOT_SHIFT);
	float gap_us = gap_of_late_us(pair, memory, pair->last_us);
	int heat = heat_of(pair, gap_us);
	uint32_t rival = told_rival(p, at);
	bool news = false;

	if (rival == PRESENCE_NONE)
		return;
	if (overtook(pair, presence_pair(p, rival),
		     heat - heat_now(p, rival, memory, pair->last_us), CONTEST_OPEN))
		tag->contested = slot;
	else if ((uint16_t) (slot - tag->contested) > CONTEST_SLOTS)
		return;
	for (uint32_t o = tag->pairs; o != PRESENCE_NONE; o = presence_pair(p, o)->next) {
		struct presence_pair *other = presence_pair(p, o);
		float other_gap_us = gap_of_late_us(other, memory, pair->last_us);

		if (o == at || p->sources[other->source].suspended ||
		    !overtook(pair, other, heat - heat_of(other, other_gap_us), CONTEST_CLEAR))
			continue;
		emit(p, o, PRESENCE_REFRESH, other_gap_us, pair->last_us);
		news = true;
	}
	if (news)
		emit(p, at, PRESENCE_REFRESH, gap_us, pair->last_us);
}

/** A pair with nothing known about its rhythm. */
static int new_pair(struct presence *p, uint16_t source, const struct epc *epc, int64_t last_us,
		    uint32_t *ret)
{
	struct presence_pair *pair;
	int err = presence_pair_new(p, source, epc, ret);

	if (err < 0)
		return err;
	pair = presence_pair(p, *ret);
	pair->last_us = last_us;
	pair->gap_us = p->sources[source].gap_us;
	pair->gap_var = pair->gap_us * pair->gap_us;
	pair->smooth_cdbm = pair->told_cdbm = pair->peak_cdbm = INT16_MIN;
	p->sources[source].n_pairs++;
	return 0;
}

static void file_pair(struct presence *p, uint32_t at)
{
	const struct presence_pair *pair = presence_pair(p, at);

	presence_wheel_start(p, pair->last_us);
	presence_wheel_put(p, at, pair->last_us + presence_gone_after_us(p, pair));
}

static int appear(struct presence *p, uint16_t source, const struct rfid_read *r)
{
	struct presence_pair *pair;
	uint32_t at;
	int err = new_pair(p, source, &r->epc, r->last_us, &at);

	if (err < 0)
		return err;
	pair = presence_pair(p, at);
	pair->longest = presence_returned(p, source, r);
	if (r->count > 1)
		learn_gaps(p, pair, r);
	add_read(pair, r, MEMORY_PRIOR_US);
	file_pair(p, at);
	emit(p, at, PRESENCE_APPEAR, pair->n_gaps ? pair->gap_us : UNCONFIRMED_GAP_US,
	     pair->last_us);
	return 0;
}

int presence_restore(struct presence *p, uint32_t source, const struct epc *epc, int64_t now_us)
{
	int src = source_index(p, source, true);
	uint32_t at;
	int err;

	if (src < 0)
		return src;
	if (presence_pair_find(p, (uint16_t) src, epc) != PRESENCE_NONE)
		return 0;
	err = new_pair(p, (uint16_t) src, epc, now_us, &at);
	if (err < 0)
		return err;
	/* Half the usual patience: it is not for sure that it is there, and a word too many is
	 * cheap. */
	presence_pair(p, at)->gap_us /= 2;
	presence_pair(p, at)->gap_var /= 4;
	presence_pair(p, at)->emitted_ms = in_ms(now_us);
	/* As good as any: so that whoever reads it now is seen to overtake it. */
	presence_pair(p, at)->told_heat = heat_of(presence_pair(p, at), UNCONFIRMED_GAP_US);
	file_pair(p, at);
	return 0;
}

int presence_read(struct presence *p, uint32_t source, const struct rfid_read *r)
{
	struct presence_pair *pair;
	int src = source_index(p, source, true);
	int64_t due_us;
	float memory;
	bool young;
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
	young = pair->n_gaps < PRESENCE_CONFIRMING;
	learn_gaps(p, pair, r);
	memory = memory_us(p, pair->tag);
	add_read(pair, r, memory);
	/* The wheel is only told when it would look too late; the timeout has become shorter. */
	due_us = deadline_us(p, pair);
	if (due_us != INT64_MAX && presence_wheel_slot(p, due_us) < pair->slot)
		presence_wheel_move(p, at, due_us);
	/* Once it is no stray read: how often it is read here, which the first could not say. */
	if (stepped(p, pair) || (young && pair->n_gaps >= PRESENCE_CONFIRMING))
		emit(p, at, PRESENCE_REFRESH, gap_of_late_us(pair, memory, pair->last_us),
		     pair->last_us);
	contest(p, at, memory);
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
	if (now_us - since_us >= presence_gone_after_us(p, pair)) {
		emit(p, at, PRESENCE_GONE, pair->gap_us, now_us);
		return;
	}
	if (pair->count && since_told_us(pair, now_us) >= p->cfg.refresh_us) {
		emit(p, at, PRESENCE_REFRESH, pair->gap_us, now_us);
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
	else if (p->ticked && now_us > p->now_us)
		presence_pass_time(p, now_us - p->now_us);
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

void presence_set_step(struct presence *p, int16_t rssi_step_cdbm, int64_t min_step_us)
{
	p->cfg.rssi_step_cdbm = OR(rssi_step_cdbm, DEFAULT_RSSI_STEP);
	p->cfg.min_step_us = OR(min_step_us, DEFAULT_MIN_STEP_US);
}

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
	presence_set_step(p, cfg->rssi_step_cdbm, cfg->min_step_us);
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
