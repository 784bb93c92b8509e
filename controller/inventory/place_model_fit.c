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
#define RIDGE       1e-3 /* what is left where a feature never moved */

#define WARM_UP   15 /* reads of a walk before the memories are filled */
#define GAP_LEFT  20 /* reads next to a part left out that would give it away */
#define GAP_RIGHT 60

/* Sets of reads that models are fitted on: all, and all but one part of each walk. */
#define SETS (1 + PLACE_PARTS)

struct stats {
	double n;
	double *sum;   /* dims */
	double *outer; /* dims x dims, lower triangle */
};

struct fit {
	const struct place_walk *walks;
	size_t n;
	struct place_model *models[SETS];
	struct stats *stats; /* [set][expert][place] */
	size_t n_stats;
	const char *why;
};

static int refuse(struct fit *f, const char *why)
{
	f->why = why;
	return -ERR_RANGE;
}

static struct stats *stats_of(const struct fit *f, unsigned int set, unsigned int x,
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
		size_t d = 2 * (size_t) shape.n_antennas;

		f->stats[i].sum = calloc(d, sizeof(double));
		f->stats[i].outer = calloc(d * d, sizeof(double));
		if (!f->stats[i].sum || !f->stats[i].outer)
			return -ENOMEM;
	}
	return 0;
}

static void stats_add(struct stats *s, const float *x, unsigned int d)
{
	s->n += 1;
	for (unsigned int i = 0; i < d; i++) {
		s->sum[i] += (double) x[i];
		for (unsigned int j = 0; j <= i; j++)
			s->outer[i * d + j] += (double) x[i] * (double) x[j];
	}
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
					stats_add(stats_of(f, s, x, place), features,
						  m->experts[x].dims);
		}
	}
}

/* Covariance of one place in `ret` (d x d, lower triangle). */
static void covariance(const struct stats *s, unsigned int d, double *ret)
{
	for (unsigned int i = 0; i < d; i++)
		for (unsigned int j = 0; j <= i; j++)
			ret[i * d + j] =
				s->outer[i * d + j] / s->n - s->sum[i] / s->n * (s->sum[j] / s->n);
}

/* Turns a covariance into the whitening matrix (the inverse of its Cholesky factor) and the
 * logarithm of its determinant. The ridge keeps it positive. */
static float whiten(double *c, unsigned int d, float *ret)
{
	double log_det = 0;

	for (unsigned int j = 0; j < d; j++) {
		double diag = c[j * d + j];

		for (unsigned int k = 0; k < j; k++)
			diag -= c[j * d + k] * c[j * d + k];
		diag = sqrt(fmax(diag, RIDGE / 10));
		c[j * d + j] = diag;
		log_det += 2 * log(diag);
		for (unsigned int i = j + 1; i < d; i++) {
			double v = c[i * d + j];

			for (unsigned int k = 0; k < j; k++)
				v -= c[i * d + k] * c[j * d + k];
			c[i * d + j] = v / diag;
		}
	}
	for (unsigned int j = 0; j < d; j++) {
		for (unsigned int i = j; i < d; i++) {
			double v = i == j;

			for (unsigned int k = j; k < i; k++)
				v -= c[i * d + k] * (double) ret[k * d + j];
			ret[i * d + j] = (float) (v / c[i * d + i]);
		}
	}
	return (float) log_det;
}

static int solve(struct fit *f, unsigned int set, unsigned int x)
{
	struct place_model *m = f->models[set];
	struct place_expert *e = &m->experts[x];
	unsigned int d = e->dims;
	double widen = x == 0 ? QUICK_DB / 6.0 : CALM_DB / 6.0;
	_cleanup_free_ double *common = calloc((size_t) d * d, sizeof(double));
	_cleanup_free_ double *own = calloc((size_t) d * d, sizeof(double));

	if (!common || !own)
		return -ENOMEM;
	for (unsigned int p = 0; p < m->n_places; p++) {
		covariance(stats_of(f, set, x, p), d, own);
		for (unsigned int i = 0; i < d * d; i++)
			common[i] += own[i] / (double) m->n_places;
	}
	for (unsigned int p = 0; p < m->n_places; p++) {
		const struct stats *s = stats_of(f, set, x, p);

		covariance(s, d, own);
		for (unsigned int i = 0; i < d; i++) {
			for (unsigned int j = 0; j <= i; j++)
				own[i * d + j] =
					(1 - COMMON) * own[i * d + j] + COMMON * common[i * d + j];
			own[i * d + i] += widen * widen + RIDGE;
			e->mean[p * d + i] = (float) (s->sum[i] / s->n);
		}
		e->log_det[p] = whiten(own, d, e->whiten + (size_t) p * d * d);
	}
	return 0;
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
	for (size_t i = 0; f->stats && i < f->n_stats; i++) {
		free(f->stats[i].sum);
		free(f->stats[i].outer);
	}
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
