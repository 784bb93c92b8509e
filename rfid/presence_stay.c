/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * When is a silent tag gone? Each pair keeps running averages of the gap between its reads: mean m
 * and deviation s. Gaps have an exponential tail of scale s after a shift of m - s, so
 *
 *     P(gap > T) = exp(-(T - (m - s)) / s)
 *
 * and T is where that chance is small enough. How small is, is a matter of two mistakes. A tag that
 * is called gone and is not, costs two sightings and a doubt; a tag that left and is not called
 * gone is counted on a shelf where it is not. Each source knows how long tags stay there, from how
 * often one left: D. A tag that leaves at rate 1/D and is read at rate 1/m has as likely left as
 * not when the chance of its silence is one in 2 + D/m, and to wait longer is wrong more often than
 * right. So a door, where tags pass, gives them up after some rounds; a shelf, where they stay for
 * weeks, does not, and there the bound is the configured chance of a false GONE in ten seconds. A
 * tag that answers again soon was not gone; its departure is taken back, and its pause remembered.
 *
 * An antenna that takes turns with others reads in bursts, whose pauses averages forget: where gaps
 * vary more than chance explains, T is also at least the longest gap of late and a fifth. Compare
 * SMURF (Jeffery et al., VLDB 2006), which needs a window of observations per tag to do the same.
 */
#include "rfid/presence_impl.h"

#include <math.h>

/* Before its tags' gaps are known, a source is taken to read each of them twice a second. */
#define PRIOR_GAP_US    500000.0f
#define PRIOR_LONGEST   16 /* wheel slots: two seconds, a round of a few antennas */
/* Of a pair that has so many gaps its own longest one is believed, before that its source's, which
 * rises with the long gaps and fades with each. */
#define OWN_RHYTHM_GAPS 12
#define LONGEST_RISE    0.5f
/* A gap this many times the usual one is a pause of the antenna, not chance. */
#define PAUSE_GAPS      6
#define LONGEST_FADE    (1.0f / 256)
/* Before tags were seen to leave, they stay for hours; the first that leave count more. */
#define PRIOR_STAYS_US  (200.0f * (float) US_PER_SEC)
#define PRIOR_DEPARTS   0.02f
#define MAX_DEPARTS     64.0f
#define MAX_STAYS_US    1e12f
/* A tag that answers again within so many timeouts was not gone. */
#define RETURN_TIMEOUTS 3
/* Weight of a new gap, once there are enough of them. */
#define GAP_ALPHA       (1.0f / 24)
#define SOURCE_ALPHA    (1.0f / 256)
/* What a source's gaps count against a tag's own: as two, and as more where tags only pass. */
#define PRIOR_WEIGHT    2.0f
#define PASSING_WEIGHT  16.0f
#define PASSING_GAPS    300.0f
/* The least patience is configured; where tags only pass, it is this share of their stay. */
#define STAY_SHARE      (1.0f / 16)
#define MIN_SHARE       (1.0f / 5)
/* The timeout is at least this much of the longest gap of late. */
#define RHYTHM_MARGIN   1.2f
/* Gaps that vary more than exponential ones do, in squares of the mean. */
#define BURSTY          1.5f

void presence_source_init(struct presence_source *src)
{
	src->stays_us = PRIOR_STAYS_US;
	src->departs = PRIOR_DEPARTS;
	src->longest = PRIOR_LONGEST;
	src->gap_us = PRIOR_GAP_US;
}

/* --- timeouts --------------------------------------------------------------------------------- */

/** One over the chance per gap at which a silent tag has as likely left as not. One that has been
 * read often here already is one that stays. */
static float even_odds(const struct presence_source *src, const struct presence_pair *pair, float m)
{
	float n = (float) pair->n_gaps;

	return 2 + MAX(src->stays_us / src->departs / m, n * n / 8);
}

static float longest_gap_us(const struct presence_source *src, const struct presence_pair *pair)
{
	float slots =
		pair->gap_var > BURSTY * pair->gap_us * pair->gap_us ? (float) pair->longest : 0;

	if (pair->n_gaps < OWN_RHYTHM_GAPS)
		slots = MAX(slots, src->longest);
	return slots * (float) (1 << PRESENCE_SLOT_SHIFT);
}

static float least_patience_us(const struct presence *p, const struct presence_source *src)
{
	float least = (float) p->cfg.min_gone_us;

	return MIN(least, MAX(MIN_SHARE * least, STAY_SHARE * src->stays_us / src->departs));
}

int64_t presence_gone_after_us(const struct presence *p, const struct presence_pair *pair)
{
	const struct presence_source *src = &p->sources[pair->source];
	float m = MAX(pair->gap_us, 1000.0f), least_us = least_patience_us(p, src);
	float s = MIN(MAX(sqrtf(pair->gap_var), 0.15f * m), 20 * m);
	float t = m - s +
		  s * logf(MIN(MAX(p->chances_us / m, 1.0f / (float) p->cfg.miss_probability),
			       even_odds(src, pair, m)));

	t = MAX(t, RHYTHM_MARGIN * longest_gap_us(src, pair));
	if (!(t > least_us))
		return (int64_t) least_us;
	return t < (float) p->cfg.max_gone_us ? (int64_t) t : p->cfg.max_gone_us;
}

/** A tag that passes is read a few times, the last ones from the edge: what is usual at this
 * antenna says more of its rhythm than they do. */
static float prior_weight(const struct presence_source *src)
{
	float gaps_of_stay = src->stays_us / src->departs / src->gap_us;

	return PRIOR_WEIGHT + MIN(PASSING_WEIGHT, PASSING_GAPS / gaps_of_stay);
}

void presence_learn_gap(struct presence_source *src, struct presence_pair *pair, float gap_us)
{
	/* The first gaps count more. */
	float alpha = MAX(1.0f / (prior_weight(src) + 1 + (float) pair->n_gaps), GAP_ALPHA);
	float off = gap_us - pair->gap_us;
	int64_t slots = ((int64_t) gap_us >> PRESENCE_SLOT_SHIFT) + 1;

	pair->longest = (uint8_t) MAX((int64_t) pair->longest, MIN(slots, (int64_t) UINT8_MAX));
	if (gap_us > PAUSE_GAPS * pair->gap_us && (float) slots > src->longest)
		src->longest +=
			LONGEST_RISE * (MIN((float) slots, (float) UINT8_MAX) - src->longest);
	else
		src->longest -= LONGEST_FADE * src->longest;
	src->gap_us += SOURCE_ALPHA * (gap_us - src->gap_us);
	if (pair->n_gaps < UINT8_MAX)
		pair->n_gaps++;
	pair->gap_us += alpha * off;
	pair->gap_var = (1 - alpha) * (pair->gap_var + alpha * off * off);
}

/* --- coming and going --------------------------------------------------------------------------
 */

/** The gap of a tag that was called gone too early, in wheel slots; 0 = it had left, or is new. */
uint8_t presence_returned(struct presence *p, uint16_t source, const struct rfid_read *r)
{
	struct presence_source *src = &p->sources[source];
	uint32_t hash = presence_epc_hash(p, &r->epc);
	struct presence_left *left = &src->left[hash / 2 % PRESENCE_LEFT];
	int64_t gap_us = r->first_us - left->last_us;

	if (left->tag != hash || gap_us > RETURN_TIMEOUTS * left->timeout_us)
		return 0;
	left->tag = 0;
	src->departs = MAX(src->departs - 1, PRIOR_DEPARTS);
	return (uint8_t) MIN((MAX(gap_us, (int64_t) 0) >> PRESENCE_SLOT_SHIFT) + 1,
			     (int64_t) UINT8_MAX);
}

/** A tag that was more than a stray read has left. */
void presence_depart(struct presence *p, const struct presence_pair *pair, const struct epc *epc)
{
	struct presence_source *src = &p->sources[pair->source];
	uint32_t hash = presence_epc_hash(p, epc);

	src->n_pairs--;
	if (pair->n_gaps < PRESENCE_CONFIRMING)
		return;
	src->departs++;
	src->left[hash / 2 % PRESENCE_LEFT] =
		(struct presence_left){.tag = hash,
				       .last_us = pair->last_us,
				       .timeout_us = presence_gone_after_us(p, pair)};
}

void presence_pass_time(struct presence *p, int64_t us)
{
	for (size_t i = 0; i < p->n_sources; i++) {
		struct presence_source *src = &p->sources[i];

		if (!src->suspended)
			src->stays_us += (float) us * (float) src->n_pairs;
		if (src->departs > MAX_DEPARTS || src->stays_us > MAX_STAYS_US) {
			src->stays_us /= 2;
			src->departs /= 2;
		}
	}
}
