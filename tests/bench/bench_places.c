/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * How often the place model is right on the recorded walks of one room (four quarters, fixed and
 * variable height), and what a read costs. Three questions, from easy to hard: quarters of the
 * walks left out in turn; the last 40 % judged by what the first 60 % taught; the walks of another
 * week, at another height. All are played joined, where 15 moves are real. Nothing is random.
 */
#include "controller/inventory/place_model.h"

#include <stdio.h>
#include <time.h>

#define PLACES 4
#define SETS   2

static const char *const sets[SETS] = {"fixed_height", "variable_height"};
static const char *const stems[SETS] = {"quad", "quadz"};
static const char *const places[PLACES] = {"1", "2", "3", "4"};

static void say(const char *set, const char *what, const struct place_score *s)
{
	printf("bench places_%s_%s_accuracy %.3f share\n", set, what,
	       (double) s->right / (double) s->reads);
	printf("bench places_%s_%s_moves %zu moves\n", set, what, s->moves);
}

static int load(unsigned int set, struct place_walk *walks)
{
	const char *dir = getenv("GONDOLA_DATA");

	for (unsigned int i = 0; i < PLACES; i++) {
		char file[512];

		snprintf(file, sizeof(file), "%s/rfid-traces/quadrant/%s%u_train.csv",
			 dir ? dir : "../shared/data", stems[set], i + 1);
		walks[i].place = places[i];
		if (trace_load(file, NULL, NULL, &walks[i].trace) < 0) {
			printf("# skipped: %s is missing (GONDOLA_DATA names the folder)\n", file);
			return -1;
		}
	}
	return 0;
}

/* The share [from, to) of each walk, in hundredths; borrows the reads. */
static void cut(const struct place_walk *walks, unsigned int from, unsigned int to,
		struct place_walk *ret)
{
	for (unsigned int i = 0; i < PLACES; i++) {
		size_t n = walks[i].trace.n;

		ret[i] = walks[i];
		ret[i].trace.reads += n * from / 100;
		ret[i].trace.n = n * to / 100 - n * from / 100;
	}
}

static double cpu_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double) t.tv_sec + (double) t.tv_nsec / 1e9;
}

static void say_cost(const struct place_model *m, const struct place_walk *walk)
{
	struct place_track t = {0};
	double start = cpu_s();
	unsigned int rounds = 100;

	for (unsigned int k = 0; k < rounds; k++)
		for (size_t i = 0; i < walk->trace.n; i++) {
			const struct trace_read *r = &walk->trace.reads[i];

			(void) place_track_read(m, &t, (r->antenna - 1) % (int) m->n_antennas,
						r->rssi_dbm, r->at_us);
		}
	printf("bench places_read_cost %.0f ns\n",
	       (cpu_s() - start) * 1e9 / (double) (walk->trace.n * rounds));
	printf("bench places_memory_per_tag %zu bytes\n", sizeof(t));
}

int main(void)
{
	static struct place_walk walks[SETS][PLACES];
	static struct place_score score;
	struct place_model *models[SETS] = {NULL}, *early = NULL;
	int failed = 0;

	for (unsigned int s = 0; s < SETS; s++)
		if (load(s, walks[s]) < 0)
			return 0;
	for (unsigned int s = 0; s < SETS; s++) {
		struct place_walk part[PLACES];

		failed |= place_model_fit(walks[s], PLACES, &models[s], &score, NULL) < 0;
		say(sets[s], "quarters_left_out", &score);
		cut(walks[s], 0, 60, part);
		failed |= place_model_fit(part, PLACES, &early, NULL, NULL) < 0;
		cut(walks[s], 60, 100, part);
		if (failed || place_model_score(early, part, PLACES, true, &score) < 0)
			return 1;
		say(sets[s], "last_40_percent", &score);
		place_model_free(early);
	}
	for (unsigned int s = 0; s < SETS; s++) {
		if (place_model_score(models[!s], walks[s], PLACES, true, &score) < 0)
			return 1;
		say(sets[s], "taught_by_the_other_week", &score);
	}
	say_cost(models[0], &walks[0][0]);
	for (unsigned int s = 0; s < SETS; s++) {
		place_model_free(models[s]);
		for (unsigned int i = 0; i < PLACES; i++)
			trace_done(&walks[s][i].trace);
	}
	return 0;
}
