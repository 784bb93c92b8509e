/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/inventory/place_model.h"
#include "controller/inventory/place_model_internal.h"
#include <errno.h>
#include <math.h>
#include <string.h>

#define FLOOR_DBM     (-72.0f) /* a level that no tag falls below for long */
#define DB_PER_UNIT   6.0f     /* features are about one wide */
#define LEVEL_PRIOR   0.5f     /* reads' worth of floor in every level: silence is weak */
#define RATE_PRIOR    0.3f
#define WORST_LOG     (-6.0f) /* one expert never says less of a place: it may be wrong */
#define FIRST_STEP_S  0.05f
#define LONGEST_GAP_S 3600.0f

int place_expert_alloc(struct place_expert *e, unsigned int places, unsigned int antennas)
{
	return place_gauss_alloc(&e->gauss, places, e->rates ? 2 * antennas : antennas);
}

void place_model_free(struct place_model *m)
{
	if (!m)
		return;
	for (unsigned int x = 0; x < PLACE_MODEL_EXPERTS; x++)
		place_gauss_done(&m->experts[x].gauss);
	free(m);
}

int place_model_antenna(const struct place_model *m, const char *reader, unsigned int number)
{
	for (unsigned int i = 0; i < m->n_antennas; i++) {
		const struct place_model_antenna *a = &m->antennas[i];

		if (a->number == number && (!a->reader[0] || strcmp(a->reader, reader) == 0))
			return (int) i;
	}
	return PLACE_MODEL_NONE;
}

int place_model_place(const struct place_model *m, const char *name)
{
	for (unsigned int i = 0; i < m->n_places; i++)
		if (strcmp(m->places[i], name) == 0)
			return (int) i;
	return PLACE_MODEL_NONE;
}

int place_read_antenna(const struct place_model *m, const struct trace *t,
		       const struct trace_read *r)
{
	return place_model_antenna(m, t->readers[r->reader], r->antenna);
}

void place_memory_read(const struct place_model *m, unsigned int x, struct place_memory *mem,
		       int antenna, float rssi_dbm, float dt_s)
{
	float keep = expf(-dt_s / m->experts[x].tau_s);

	for (unsigned int a = 0; a < m->n_antennas; a++) {
		mem->level[a] *= keep;
		mem->level_n[a] *= keep;
		mem->reads[a] *= keep;
	}
	if (antenna < 0)
		return;
	mem->reads[antenna] += 1.0f;
	if (rssi_dbm > TRACE_NO_RSSI) {
		mem->level[antenna] += rssi_dbm - FLOOR_DBM;
		mem->level_n[antenna] += 1.0f;
	}
}

void place_features(const struct place_model *m, unsigned int x, const struct place_memory *mem,
		    float *ret)
{
	const struct place_expert *e = &m->experts[x];
	unsigned int n = m->n_antennas;
	float usual = e->tau_s * m->reads_per_s / (float) n, mean = 0;

	for (unsigned int a = 0; a < n; a++) {
		ret[a] = mem->level[a] / (mem->level_n[a] + LEVEL_PRIOR) / DB_PER_UNIT;
		mean += ret[a] / (float) n;
	}
	for (unsigned int a = 0; e->relative && a < n; a++)
		ret[a] -= mean;
	for (unsigned int a = 0; e->rates && a < n; a++)
		ret[n + a] = logf((mem->reads[a] + RATE_PRIOR) / (usual + RATE_PRIOR));
}

/* Adds the expert's log odds of every place to `sum`. */
static void add_opinion(const struct place_model *m, unsigned int x, const struct place_memory *mem,
			float *sum)
{
	float f[PLACE_MAX_DIMS], said[PLACE_MODEL_MAX_PLACES];

	place_features(m, x, mem, f);
	place_gauss_say(&m->experts[x].gauss, m->n_places, f, said);
	place_gauss_add(said, m->n_places, WORST_LOG, sum);
}

/* One step of the filter: some of what was believed has left, then the evidence counts. */
static void step(const struct place_model *m, struct place_track *t, const float *evidence,
		 float dt_s)
{
	unsigned int n = m->n_places;
	float leave = 1.0f - expf(-m->leave_per_s * dt_s), total = 0;
	float weight = fminf(m->trust_per_s * dt_s, 1.0f), best = -INFINITY;

	for (unsigned int p = 0; p < n; p++)
		best = fmaxf(best, evidence[p]);
	for (unsigned int p = 0; p < n; p++) {
		float elsewhere = n > 1 ? (1.0f - t->odds[p]) / (float) (n - 1) : 1.0f;

		t->odds[p] = (1.0f - leave) * t->odds[p] + leave * elsewhere;
		t->odds[p] *= expf(weight * (evidence[p] - best));
		total += t->odds[p];
	}
	for (unsigned int p = 0; p < n; p++)
		t->odds[p] = fmaxf(t->odds[p] / total, 1e-12f);
}

static void name_place(const struct place_model *m, struct place_track *t, bool first)
{
	unsigned int best = 0;

	for (unsigned int p = 1; p < m->n_places; p++)
		if (t->odds[p] > t->odds[best])
			best = p;
	if (first || logf(t->odds[best] / t->odds[t->named]) > m->margin)
		t->named = (int) best;
}

int place_track_read(const struct place_model *m, struct place_track *t, int antenna,
		     float rssi_dbm, int64_t at_us)
{
	float evidence[PLACE_MODEL_MAX_PLACES] = {0}, dt_s = FIRST_STEP_S;
	bool first = !t->begun;

	if (antenna < 0 || (unsigned int) antenna >= m->n_antennas)
		return t->begun ? t->named : PLACE_MODEL_NONE;
	if (first) {
		t->begun = true;
		for (unsigned int p = 0; p < m->n_places; p++)
			t->odds[p] = 1.0f / (float) m->n_places;
	} else {
		dt_s = at_us > t->last_us ? (float) (at_us - t->last_us) / 1e6f : 0.0f;
		dt_s = fminf(dt_s, LONGEST_GAP_S);
	}
	t->last_us = first ? at_us : MAX(at_us, t->last_us);
	for (unsigned int x = 0; x < PLACE_MODEL_EXPERTS; x++) {
		place_memory_read(m, x, &t->memory[x], antenna, rssi_dbm, dt_s);
		add_opinion(m, x, &t->memory[x], evidence);
	}
	step(m, t, evidence, dt_s);
	name_place(m, t, first);
	return t->named;
}

float place_track_confidence(const struct place_model *m, const struct place_track *t)
{
	float total = 0;

	if (!t->begun)
		return 0;
	for (unsigned int p = 0; p < m->n_places; p++)
		total += powf(t->odds[p], m->temper);
	return powf(t->odds[t->named], m->temper) / total;
}
