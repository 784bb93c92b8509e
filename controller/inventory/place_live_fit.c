/* SPDX-License-Identifier: Apache-2.0 */
#include "common/err.h"
#include "controller/inventory/place_live.h"
#include "controller/inventory/place_live_internal.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Chosen on recordings of four places by four antennas, leaving out quarters of every walk. */
#define LEAVE_PER_S (1.0f / 60.0f)
#define TRUST_PER_S 0.6f
#define MARGIN      2.5f
#define COMMON      0.3 /* how far a place's spread is drawn towards the common one */
#define LEVEL_DB    1.0 /* by what another day may differ */
#define RELATION_DB 0.5
#define DB_UNIT     6.0

#define PARTS     4
#define WARM_US   (2 * US_PER_SEC)   /* of a walk before what is told is of this place */
#define GAP_US    (2 * US_PER_SEC)   /* beside a part left out that would give it away */
#define LAG_US    (1500 * US_PER_MS) /* before the antennas have told that the tag is elsewhere */
#define LONG_US   (5 * US_PER_SEC)   /* nothing told for longer teaches no more */
#define MIN_SUM_S 5                  /* of every place in every set */

/* Sets of time that models are fitted on: all, and all but one part of each walk. */
#define SETS (1 + PARTS)

struct fit {
	const struct place_live_walk *walks;
	size_t n;
	struct place_live *models[SETS];
	struct place_sums *sums; /* [set][expert][place] */
	size_t n_sums;
	const char *why;
};

static int refuse(struct fit *f, const char *why)
{
	f->why = why;
	return -ERR_RANGE;
}

static struct place_sums *sums_of(const struct fit *f, unsigned int set, unsigned int expert)
{
	return &f->sums[(set * PLACE_LIVE_EXPERTS + expert) * f->models[0]->n_places];
}

static int64_t part_start(const struct place_live_walk *w, unsigned int part)
{
	return w->from_us + (w->to_us - w->from_us) * (int64_t) part / PARTS;
}

/* --- what was walked ---------------------------------------------------------------------------
 */

static int check_walk(struct fit *f, const struct place_live_walk *w)
{
	if (w->n < PLACE_LIVE_MIN_EVENTS || w->to_us - w->from_us < PLACE_LIVE_MIN_S * US_PER_SEC)
		return refuse(f, "a walk is shorter than 20 seconds, or its tag was hardly heard");
	if (w->to_us - w->from_us > PLACE_LIVE_MAX_WALK_US)
		return refuse(f, "a walk is longer than an hour");
	for (size_t i = 0; i < w->n; i++)
		if (w->events[i].antenna >= f->models[0]->n_antennas)
			return refuse(f, "a walk names an antenna that is not there");
	return 0;
}

static int survey(struct fit *f)
{
	struct place_live *m = f->models[0];
	double rates = 0, told = 0;
	int r = 0;

	for (size_t i = 0; i < f->n && !r; i++) {
		const struct place_live_walk *w = &f->walks[i];

		r = check_walk(f, w);
		if (!r && place_live_place(m, w->place) == PLACE_LIVE_NONE) {
			if (m->n_places == PLACE_LIVE_MAX_PLACES)
				return refuse(f, "more than 64 places");
			m->places[m->n_places++] = w->place;
		}
		for (size_t k = 0; k < w->n; k++) {
			const struct place_live_evidence *e = &w->events[k].told;

			if (e->present && e->rate_mhz) {
				rates += (double) e->rate_mhz / 1000.0;
				told += 1;
			}
		}
	}
	if (r)
		return r;
	if (m->n_places < 2)
		return refuse(f, "walks of at least two places are needed");
	m->usual_rate = told > 0 ? (float) fmin(fmax(rates / told, 0.01), 60.0) : 1.0f;
	m->leave_per_s = LEAVE_PER_S;
	m->trust_per_s = TRUST_PER_S;
	m->margin = MARGIN;
	m->temper = 1.0f;
	return 0;
}

static int alloc_all(struct fit *f)
{
	const struct place_live shape = *f->models[0]; /* it has no tables yet */

	for (unsigned int s = 0; s < SETS; s++) {
		if (s > 0) {
			f->models[s] = malloc(sizeof(shape));
			if (!f->models[s])
				return -ENOMEM;
			*f->models[s] = shape;
		}
		for (unsigned int e = 0; e < PLACE_LIVE_EXPERTS; e++)
			if (place_gauss_alloc(&f->models[s]->experts[e], shape.n_places,
					      place_live_dims(e, shape.n_antennas)) < 0)
				return -ENOMEM;
	}
	f->n_sums = (size_t) SETS * PLACE_LIVE_EXPERTS * shape.n_places;
	f->sums = calloc(f->n_sums, sizeof(*f->sums));
	if (!f->sums)
		return -ENOMEM;
	for (size_t i = 0; i < f->n_sums; i++)
		if (place_sums_alloc(&f->sums[i], 2 * shape.n_antennas) < 0)
			return -ENOMEM;
	return 0;
}

/* --- learning ----------------------------------------------------------------------------------
 */

/* Of [from, to), how long may teach the model of a set. */
static int64_t teaches(const struct place_live_walk *w, unsigned int set, int64_t from_us,
		       int64_t to_us)
{
	int64_t out_from, out_to;

	from_us = MAX(from_us, w->from_us + WARM_US);
	if (to_us <= from_us)
		return 0;
	if (set == 0)
		return to_us - from_us;
	out_from = part_start(w, set - 1) - GAP_US;
	out_to = part_start(w, set) + GAP_US;
	if (out_to <= from_us || out_from >= to_us)
		return to_us - from_us;
	return MAX(out_from - from_us, (int64_t) 0) + MAX(to_us - out_to, (int64_t) 0);
}

static void learn(struct fit *f, const struct place_live_walk *w)
{
	struct place_live_evidence ev[PLACE_LIVE_MAX_ANTENNAS] = {0};
	const struct place_live *m = f->models[0];
	unsigned int place = (unsigned int) place_live_place(m, w->place);

	for (size_t i = 0; i < w->n; i++) {
		float x[PLACE_LIVE_EXPERTS][PLACE_LIVE_MAX_DIMS];
		int64_t to_us = i + 1 < w->n ? w->events[i + 1].at_us : w->to_us;

		ev[w->events[i].antenna] = w->events[i].told;
		to_us = MIN(to_us, w->events[i].at_us + LONG_US);
		if (to_us <= w->events[i].at_us)
			continue;
		place_live_features(m, ev, x);
		for (unsigned int s = 0; s < SETS; s++) {
			int64_t us = teaches(w, s, w->events[i].at_us, to_us);

			for (unsigned int e = 0; us > 0 && e < PLACE_LIVE_EXPERTS; e++)
				place_sums_add(&sums_of(f, s, e)[place], x[e], m->experts[e].dims,
					       (double) us / 1e6);
		}
	}
}

static int solve(struct fit *f)
{
	unsigned int places = f->models[0]->n_places;

	for (unsigned int s = 0; s < SETS; s++)
		for (unsigned int e = 0; e < PLACE_LIVE_EXPERTS; e++) {
			const struct place_gauss_taste taste = {
				.common = COMMON,
				.widen = (e == 0 ? LEVEL_DB : RELATION_DB) / DB_UNIT,
			};

			for (unsigned int p = 0; p < places; p++)
				if (sums_of(f, s, e)[p].n < MIN_SUM_S)
					return refuse(f, "a place was not walked long enough");
			if (place_gauss_fit(&f->models[s]->experts[e], sums_of(f, s, e), places,
					    &taste) < 0)
				return -ENOMEM;
		}
	return 0;
}

/* --- judging what was left out -----------------------------------------------------------------
 */

struct play {
	struct place_live_score *score;
	struct place_live_evidence ev[PLACE_LIVE_MAX_ANTENNAS];
	float odds[PLACE_LIVE_MAX_PLACES];
	int named, truth;
};

static void count(struct play *p, const struct place_live *m)
{
	struct place_live_score *s = p->score;
	int named = place_live_name(m, p->odds, p->named);
	float sure = place_live_confidence(m, p->odds, named);
	unsigned int tenth = MIN((unsigned int) (sure * 10.0f), 9u);

	s->looks++;
	s->right += named == p->truth;
	s->confusion[p->truth][named]++;
	s->sure[tenth]++;
	s->sure_right[tenth] += named == p->truth;
	s->moves += p->named != PLACE_LIVE_NONE && named != p->named;
	p->named = named;
	/* How the odds of the truth would have done at each trial exponent. */
	for (unsigned int i = 0; i < PLACE_LIVE_TEMPERS; i++) {
		float total = 0, g = 0.05f * (float) (i + 1);

		for (unsigned int k = 0; k < m->n_places; k++)
			total += powf(p->odds[k], g);
		s->log_loss[i] += (double) (logf(total) - g * logf(p->odds[p->truth]));
	}
}

/* One part of a walk. At its start the antennas still tell of the place before; then of this one
 * what they had told by then. */
static void play_part(struct play *p, const struct place_live *m, const struct place_live_walk *w,
		      int64_t from_us, int64_t to_us)
{
	float opinion[PLACE_LIVE_MAX_PLACES];
	int truth = place_live_place(m, w->place);
	bool fresh = false;
	size_t i = 0;

	p->score->real_moves += p->truth != PLACE_LIVE_NONE && p->truth != truth;
	p->truth = truth;
	for (int64_t at_us = from_us; at_us < to_us; at_us += PLACE_LIVE_TICK_US) {
		if (at_us - from_us >= LAG_US && !fresh) {
			memset(p->ev, 0, sizeof(p->ev));
			fresh = true;
		}
		for (; fresh && i < w->n && w->events[i].at_us <= at_us; i++)
			p->ev[w->events[i].antenna] = w->events[i].told;
		place_live_opinion(m, p->ev, opinion);
		place_live_pass(m, p->odds, opinion, PLACE_LIVE_TICK_US);
		count(p, m);
	}
}

static void play_left_out(const struct fit *f, struct place_live_score *score)
{
	struct play p = {.score = score, .named = PLACE_LIVE_NONE, .truth = PLACE_LIVE_NONE};
	unsigned int places = f->models[0]->n_places;

	*score = (struct place_live_score){0};
	for (unsigned int i = 0; i < places; i++)
		p.odds[i] = 1.0f / (float) places;
	for (unsigned int part = 0; part < PARTS; part++)
		for (size_t i = 0; i < f->n; i++)
			play_part(&p, f->models[1 + part], &f->walks[i],
				  part_start(&f->walks[i], part),
				  part_start(&f->walks[i], part + 1));
}

/* The left out parts say what the confidence is worth. */
static void fit_temper(struct fit *f, struct place_live_score *score)
{
	unsigned int best = 0;

	play_left_out(f, score);
	for (unsigned int i = 1; i < PLACE_LIVE_TEMPERS; i++)
		if (score->log_loss[i] < score->log_loss[best])
			best = i;
	for (unsigned int s = 0; s < SETS; s++)
		f->models[s]->temper = 0.05f * (float) (best + 1);
	play_left_out(f, score);
}

/* --- the fit -----------------------------------------------------------------------------------
 */

static int run(struct fit *f, struct place_live_score *left_out)
{
	int r = survey(f);

	if (!r)
		r = alloc_all(f);
	for (size_t i = 0; i < f->n && !r; i++)
		learn(f, &f->walks[i]);
	if (!r)
		r = solve(f);
	if (!r)
		fit_temper(f, left_out);
	return r;
}

static void fit_done(struct fit *f)
{
	for (size_t i = 0; f->sums && i < f->n_sums; i++)
		place_sums_done(&f->sums[i]);
	free(f->sums);
	for (unsigned int s = 0; s < SETS; s++)
		place_live_free(f->models[s]);
}

int place_live_fit(const struct place_live_antenna *antennas, size_t n_antennas,
		   const struct place_live_walk *walks, size_t n, struct place_live **ret,
		   struct place_live_score *ret_left_out, const char **ret_why)
{
	_cleanup_free_ struct place_live_score *spare = calloc(1, sizeof(*spare));
	struct fit f = {.walks = walks, .n = n};
	int r = -ENOMEM;

	f.models[0] = calloc(1, sizeof(*f.models[0]));
	if (n_antennas == 0 || n_antennas > PLACE_LIVE_MAX_ANTENNAS)
		r = refuse(&f, n_antennas ? "the walks met more than 32 antennas"
					  : "no antenna heard the tag");
	else if (spare && f.models[0]) {
		f.models[0]->n_antennas = (unsigned int) n_antennas;
		memcpy(f.models[0]->antennas, antennas, n_antennas * sizeof(*antennas));
		r = run(&f, ret_left_out ? ret_left_out : spare);
	}
	if (r == 0)
		*ret = TAKE_PTR(f.models[0]);
	if (ret_why)
		*ret_why = f.why ? f.why : err_str(r);
	fit_done(&f);
	return r;
}
