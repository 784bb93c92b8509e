/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/inventory/place_live.h"
#include "controller/inventory/place_live_internal.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define FLOOR_CDBM   (-7200) /* a level that no tag falls below for long */
#define CDBM_UNIT    600.0f  /* features are about one wide */
#define UNKNOWN_CDBM (-6000)
#define LEVEL_TOP    8.0f /* nothing is louder than -24 dBm */
#define RATE_PRIOR   0.3f
#define ASSUMED_RATE 1.25f   /* of an antenna that has had no time to measure one */
#define WORST_LOG    (-6.0f) /* one expert never says less of a place: it may be wrong */
#define LEAST_ODDS   1e-9f
#define LOG_UNIT     1024.0f /* of kept odds: -log(odds) in these */
#define STEP_US      (250 * US_PER_MS)
#define LONGEST_US   (60 * US_PER_SEC)

int place_live_antenna(const struct place_live *m, uint64_t agent, const char *reader,
		       unsigned int number)
{
	for (unsigned int i = 0; i < m->n_antennas; i++) {
		const struct place_live_antenna *a = &m->antennas[i];

		if (a->number == number && a->agent == agent && strcmp(a->reader, reader) == 0)
			return (int) i;
	}
	return PLACE_LIVE_NONE;
}

int place_live_place(const struct place_live *m, uint32_t place)
{
	for (unsigned int i = 0; i < m->n_places; i++)
		if (m->places[i] == place)
			return (int) i;
	return PLACE_LIVE_NONE;
}

static float level_of(const struct place_live_evidence *e)
{
	int cdbm = e->rssi_cdbm == INT16_MIN ? UNKNOWN_CDBM : e->rssi_cdbm;

	if (!e->present)
		return 0;
	return fminf(fmaxf((float) (cdbm - FLOOR_CDBM) / CDBM_UNIT, 0), LEVEL_TOP);
}

static float rate_of(const struct place_live *m, const struct place_live_evidence *e)
{
	float rate = !e->present ? 0 : e->rate_mhz ? (float) e->rate_mhz / 1000.0f : ASSUMED_RATE;

	return logf((rate + RATE_PRIOR) / (m->usual_rate + RATE_PRIOR));
}

void place_live_features(const struct place_live *m, const struct place_live_evidence *ev,
			 float ret[PLACE_LIVE_EXPERTS][PLACE_LIVE_MAX_DIMS])
{
	unsigned int n = m->n_antennas;
	float mean = 0;

	for (unsigned int a = 0; a < n; a++) {
		ret[0][a] = level_of(&ev[a]);
		ret[0][n + a] = rate_of(m, &ev[a]);
		mean += ret[0][a] / (float) n;
	}
	for (unsigned int a = 0; a < n; a++)
		ret[1][a] = ret[0][a] - mean;
}

void place_live_opinion(const struct place_live *m, const struct place_live_evidence *ev,
			float *ret)
{
	float x[PLACE_LIVE_EXPERTS][PLACE_LIVE_MAX_DIMS], said[PLACE_LIVE_MAX_PLACES];

	place_live_features(m, ev, x);
	for (unsigned int p = 0; p < m->n_places; p++)
		ret[p] = 0;
	for (unsigned int e = 0; e < PLACE_LIVE_EXPERTS; e++) {
		place_gauss_say(&m->experts[e], m->n_places, x[e], said);
		place_gauss_add(said, m->n_places, WORST_LOG, ret);
	}
}

/* One step of the filter: some of what was believed has left, then the evidence counts. */
static void step(const struct place_live *m, float *odds, const float *opinion, float best,
		 float dt_s)
{
	unsigned int n = m->n_places;
	float leave = 1.0f - expf(-m->leave_per_s * dt_s), weight = m->trust_per_s * dt_s;
	float total = 0;

	for (unsigned int p = 0; p < n; p++) {
		float elsewhere = n > 1 ? (1.0f - odds[p]) / (float) (n - 1) : 1.0f;

		odds[p] = (1.0f - leave) * odds[p] + leave * elsewhere;
		odds[p] *= expf(weight * (opinion[p] - best));
		total += odds[p];
	}
	for (unsigned int p = 0; p < n; p++)
		odds[p] = fmaxf(odds[p] / total, LEAST_ODDS);
}

void place_live_pass(const struct place_live *m, float *odds, const float *opinion, int64_t dt_us)
{
	float best = -INFINITY;

	for (unsigned int p = 0; p < m->n_places; p++)
		best = fmaxf(best, opinion[p]);
	/* After some seconds of the same evidence nothing changes any more. */
	for (dt_us = MIN(dt_us, LONGEST_US); dt_us > 0; dt_us -= STEP_US)
		step(m, odds, opinion, best, (float) MIN(dt_us, STEP_US) / 1e6f);
}

int place_live_name(const struct place_live *m, const float *odds, int named)
{
	int best = 0;

	for (unsigned int p = 1; p < m->n_places; p++)
		if (odds[p] > odds[best])
			best = (int) p;
	if (named < 0 || (unsigned int) named >= m->n_places)
		return best;
	return logf(odds[best] / odds[named]) > m->margin ? best : named;
}

float place_live_confidence(const struct place_live *m, const float *odds, int named)
{
	float total = 0;

	if (named < 0 || (unsigned int) named >= m->n_places)
		return 0;
	for (unsigned int p = 0; p < m->n_places; p++)
		total += powf(odds[p], m->temper);
	return powf(odds[named], m->temper) / total;
}

void place_live_recall(const struct place_live *m, const struct place_live_memory *mem, int named,
		       float sure, float *ret_odds)
{
	unsigned int n = m->n_places, known = 0;
	float rest = 1;

	for (unsigned int p = 0; p < n; p++)
		ret_odds[p] = 0;
	for (unsigned int i = 0; i < PLACE_LIVE_KEPT; i++) {
		unsigned int p = mem->place[i];

		if (p == 0 || p > n || ret_odds[p - 1] > 0)
			continue;
		ret_odds[p - 1] = fmaxf(expf(-(float) mem->odds[i] / LOG_UNIT), LEAST_ODDS);
		rest -= ret_odds[p - 1];
		known++;
	}
	if (!known && named >= 0 && (unsigned int) named < n) {
		ret_odds[named] = fminf(fmaxf(sure, 1.0f / (float) n), 0.999f);
		rest -= ret_odds[named];
		known++;
	}
	for (unsigned int p = 0; p < n; p++)
		if (ret_odds[p] <= 0)
			ret_odds[p] = fmaxf(rest / (float) (n - known), LEAST_ODDS);
}

void place_live_keep(const struct place_live *m, const float *odds, int64_t at_us,
		     struct place_live_memory *ret)
{
	uint32_t ms = (uint32_t) (uint64_t) (at_us / US_PER_MS);

	*ret = (struct place_live_memory){.at_ms = {(uint16_t) ms, (uint16_t) (ms >> 16)}};
	for (unsigned int i = 0; i < PLACE_LIVE_KEPT && i < m->n_places; i++) {
		int best = PLACE_LIVE_NONE;

		for (unsigned int p = 0; p < m->n_places; p++) {
			bool had = false;

			for (unsigned int k = 0; k < i; k++)
				had = had || ret->place[k] == p + 1;
			if (!had && (best < 0 || odds[p] > odds[best]))
				best = (int) p;
		}
		ret->place[i] = (uint8_t) (best + 1);
		ret->odds[i] = (uint16_t) fminf(
			-logf(fminf(fmaxf(odds[best], LEAST_ODDS), 1.0f)) * LOG_UNIT, UINT16_MAX);
	}
}

int64_t place_live_since(const struct place_live_memory *mem, int64_t now_us)
{
	if (!mem->place[0])
		return 0;
	/* A clock that was set back looks like weeks: then no time has passed. */
	uint32_t then_ms = (uint32_t) mem->at_ms[1] << 16 | mem->at_ms[0];
	uint32_t ms = (uint32_t) (uint64_t) (now_us / US_PER_MS) - then_ms;

	return ms > INT32_MAX ? 0 : (int64_t) ms * US_PER_MS;
}

void place_live_free(struct place_live *m)
{
	if (!m)
		return;
	for (unsigned int e = 0; e < PLACE_LIVE_EXPERTS; e++)
		place_gauss_done(&m->experts[e]);
	free(m);
}
