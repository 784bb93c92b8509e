/* SPDX-License-Identifier: Apache-2.0 */
#include "common/err.h"
#include "controller/inventory/place_model.h"
#include "controller/inventory/place_model_internal.h"
#include "controller/inventory/place_model_play.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Chosen on recordings of four places by four antennas, leaving out quarters of every walk and
 * carrying models from one week's walks to another's; nothing here is sensitive to a third. */
#define QUICK_S     0.35f /* memory of the experts, */
#define CALM_S      1.5f
#define QUICK_READS 6.0f /* but at least so many reads: where tags are read rarely, they wait */
#define CALM_READS  25.0f
#define LEAVE_PER_S (1.0f / 60.0f)
#define TRUST_PER_S 0.85f
#define MARGIN      3.0f
#define COMMON      0.3 /* how far a place's spread is drawn towards the common one */
#define QUICK_DB    1.0 /* by what another day may differ */
#define CALM_DB     0.5

#define WARM_UP   15 /* reads of a walk before the memories are filled */
#define GAP_LEFT  20 /* reads next to a part left out that would give it away */
#define GAP_RIGHT 60

/* Sets of reads that models are fitted on: all, and all but one part of each walk. */
#define SETS (1 + PLACE_PARTS)

struct fit {
	const struct place_walk *walks;
	size_t n;
	struct place_model *models[SETS];
	struct place_sums *stats; /* [set][expert][place] */
	size_t n_stats;
	const char *why;
};

static int refuse(struct fit *f, const char *why)
{
	f->why = why;
	return -ERR_RANGE;
}

static struct place_sums *stats_of(const struct fit *f, unsigned int set, unsigned int x,
				   unsigned int place)
{
	return &f->stats[(set * PLACE_MODEL_EXPERTS + x) * f->models[0]->n_places + place];
}

static int add_place(struct fit *f, struct place_model *m, const char *name)
{
	if (place_model_place(m, name) != PLACE_MODEL_NONE)
		return 0;
	if (m->n_places == PLACE_MODEL_MAX_PLACES)
		return refuse(f, "more than 64 places");
	if (!name[0] || strlen(name) >= TRACE_NAME_CAP)
		return refuse(f, "a place's name must have 1 to 63 bytes");
	for (const char *c = name; *c; c++)
		if ((unsigned char) *c < ' ')
			return refuse(f, "a place's name has a control character");
	memcpy(m->places[m->n_places++], name, strlen(name) + 1);
	return 0;
}

static int by_antenna(const void *a, const void *b)
{
	const struct place_model_antenna *x = a, *y = b;
	int c = strcmp(x->reader, y->reader);

	return c ? c : (int) x->number - (int) y->number;
}

static int add_antenna(struct fit *f, struct place_model *m, const char *reader,
		       unsigned int number)
{
	if (place_model_antenna(m, reader, number) != PLACE_MODEL_NONE)
		return 0;
	if (m->n_antennas == PLACE_MODEL_MAX_ANTENNAS)
		return refuse(f, "more than 32 antennas");
	m->antennas[m->n_antennas].number = (uint16_t) number;
	snprintf(m->antennas[m->n_antennas++].reader, TRACE_NAME_CAP, "%s", reader);
	return 0;
}

/* Whether all reads come from one reader: then its name does not matter (addresses change). */
static bool one_reader(const struct fit *f)
{
	const char *name = NULL;

	for (size_t w = 0; w < f->n; w++) {
		const struct trace *t = &f->walks[w].trace;

		for (size_t i = 0; i < t->n; i++) {
			const char *reader = t->readers[t->reads[i].reader];

			if (name && strcmp(name, reader) != 0)
				return false;
			name = reader;
		}
	}
	return true;
}

/* Places, antennas and rates of what was walked. */
static int survey(struct fit *f, struct place_model *m)
{
	double reads = 0, seconds = 0;
	bool one = one_reader(f);
	int r = 0;

	for (size_t w = 0; w < f->n && r == 0; w++) {
		const struct trace *t = &f->walks[w].trace;

		if (t->n < PLACE_MODEL_MIN_READS)
			return refuse(f, "a walk has fewer than 80 reads of its tag");
		r = add_place(f, m, f->walks[w].place);
		reads += (double) t->n;
		seconds += (double) (t->reads[t->n - 1].at_us - t->reads[0].at_us) / 1e6;
		for (size_t i = 0; i < t->n && r == 0; i++)
			r = add_antenna(f, m, one ? "" : t->readers[t->reads[i].reader],
					t->reads[i].antenna);
	}
	if (r < 0)
		return r;
	if (m->n_places < 2)
		return refuse(f, "walks of at least two places are needed");
	qsort(m->antennas, m->n_antennas, sizeof(m->antennas[0]), by_antenna);
	m->reads_per_s = (float) MIN(MAX(reads / MAX(seconds, 1.0), 0.01), 10000.0);
	m->leave_per_s = LEAVE_PER_S;
	m->trust_per_s = TRUST_PER_S;
	m->margin = MARGIN;
	m->temper = 1.0f;
	m->experts[0].tau_s = fmaxf(QUICK_S, QUICK_READS / m->reads_per_s);
	m->experts[0].rates = true;
	m->experts[1].tau_s = fmaxf(CALM_S, CALM_READS / m->reads_per_s);
	m->experts[1].relative = true;
	return 0;
}

static int alloc_all(struct fit *f)
{
	const struct place_model shape = *f->models[0]; /* it has no tables yet */

	for (unsigned int s = 0; s < SETS; s++) {
		if (s > 0) {
			f->models[s] = malloc(sizeof(shape));
			if (!f->models[s])
				return -ENOMEM;
			*f->models[s] = shape;
		}
		for (unsigned int x = 0; x < PLACE_MODEL_EXPERTS; x++)
			if (place_expert_alloc(&f->models[s]->experts[x], shape.n_places,
					       shape.n_antennas) < 0)
				return -ENOMEM;
	}
	f->n_stats = (size_t) SETS * PLACE_MODEL_EXPERTS * shape.n_places;
	f->stats = calloc(f->n_stats, sizeof(*f->stats));
	if (!f->stats)
		return -ENOMEM;
	for (size_t i = 0; i < f->n_stats; i++) {
		if (place_sums_alloc(&f->stats[i], 2 * shape.n_antennas) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* Whether read i of n may teach the model of a set. */
static bool teaches(unsigned int set, size_t i, size_t n)
{
	size_t from, to;

	if (i < WARM_UP)
		return false;
	if (set == 0)
		return true;
	from = place_part_start(n, set - 1);
	to = place_part_start(n, set);
	return i + GAP_LEFT < from || i >= to + GAP_RIGHT;
}

static void learn_walk(struct fit *f, const struct place_walk *walk)
{
	const struct place_model *m = f->models[0];
	const struct trace *t = &walk->trace;
	unsigned int place = (unsigned int) place_model_place(m, walk->place);

	for (unsigned int x = 0; x < PLACE_MODEL_EXPERTS; x++) {
		struct place_memory mem = {0};
		float features[PLACE_MAX_DIMS];

		for (size_t i = 0; i < t->n; i++) {
			const struct trace_read *r = &t->reads[i];
			float dt = i ? (float) (r->at_us - t->reads[i - 1].at_us) / 1e6f : 0;

			place_memory_read(m, x, &mem, place_read_antenna(m, t, r), r->rssi_dbm, dt);
			place_features(m, x, &mem, features);
			for (unsigned int s = 0; s < SETS; s++)
				if (teaches(s, i, t->n))
					place_sums_add(stats_of(f, s, x, place), features,
						       m->experts[x].gauss.dims, 1);
		}
	}
}

static int solve(struct fit *f, unsigned int set, unsigned int x)
{
	struct place_model *m = f->models[set];
	const struct place_gauss_taste taste = {
		.common = COMMON,
		.widen = x == 0 ? QUICK_DB / 6.0 : CALM_DB / 6.0,
	};

	return place_gauss_fit(&m->experts[x].gauss, stats_of(f, set, x, 0), m->n_places, &taste);
}

/* Plays every part to the model that was not shown it. */
static void play_left_out(const struct fit *f, struct place_score *score)
{
	struct place_play play;

	*score = (struct place_score){.n_walks = f->n};
	place_play_begin(&play, score);
	for (unsigned int part = 0; part < PLACE_PARTS; part++)
		for (size_t i = 0; i < f->n; i++) {
			size_t n = f->walks[i].trace.n;

			place_play_part(&play, f->models[1 + part], &f->walks[i],
					place_part_start(n, part), place_part_start(n, part + 1));
		}
}

static void fit_temper(struct place_model *m, const struct place_score *left_out)
{
	unsigned int best = 0;

	for (unsigned int i = 1; i < PLACE_MODEL_TEMPERS; i++)
		if (left_out->log_loss[i] < left_out->log_loss[best])
			best = i;
	m->temper = place_temper(best);
}

static void fit_done(struct fit *f)
{
	for (size_t i = 0; f->stats && i < f->n_stats; i++)
		place_sums_done(&f->stats[i]);
	free(f->stats);
	for (unsigned int s = 0; s < SETS; s++)
		place_model_free(f->models[s]);
}

static int run(struct fit *f, struct place_score *left_out)
{
	int r = survey(f, f->models[0]);

	if (r == 0)
		r = alloc_all(f);
	for (size_t i = 0; i < f->n && r == 0; i++)
		learn_walk(f, &f->walks[i]);
	for (unsigned int s = 0; s < SETS && r == 0; s++)
		for (unsigned int x = 0; x < PLACE_MODEL_EXPERTS && r == 0; x++)
			r = solve(f, s, x);
	if (r < 0)
		return r;
	/* The left out parts say what the confidence is worth; score once more with that. */
	play_left_out(f, left_out);
	fit_temper(f->models[0], left_out);
	for (unsigned int s = 1; s < SETS; s++)
		f->models[s]->temper = f->models[0]->temper;
	play_left_out(f, left_out);
	return 0;
}

int place_model_fit(const struct place_walk *walks, size_t n, struct place_model **ret,
		    struct place_score *ret_left_out, const char **ret_why)
{
	_cleanup_free_ struct place_score *spare = calloc(1, sizeof(*spare));
	struct fit f = {.walks = walks, .n = n};
	int r = -ENOMEM;

	f.models[0] = calloc(1, sizeof(*f.models[0]));
	if (spare && f.models[0])
		r = run(&f, ret_left_out ? ret_left_out : spare);
	if (r == 0)
		*ret = TAKE_PTR(f.models[0]);
	if (ret_why)
		*ret_why = f.why ? f.why : err_str(r);
	fit_done(&f);
	return r;
}
