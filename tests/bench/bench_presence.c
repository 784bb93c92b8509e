/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * How often presence is wrong, beside static windows and SMURF (Jeffery et al., VLDB 2006), and
 * what a read and a tick cost.
 *
 * The world, seeded: 25 tags move back and forth past a reader whose range is 20 ft; up to half of
 * it (the major region) a tag answers an epoch with probability p, beyond falling linearly to
 * nothing at the edge. Speeds 0 to 2 ft an epoch, p 0.8 or 0.5. An epoch is 0.2 s. Wrong is a tag
 * said to be there that is out of range, or the other way round. SMURF is the per-tag form with
 * delta 0.05, its answer taken at the end of the window (there = seen in it); it is told the true
 * response rate of each epoch in which the tag was seen, which a reader can only estimate.
 *
 * Another grid: bench_presence [speeds=0,1] [p=0.9,0.6] [seeds=1,2].
 */
#include "rfid/rfid.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TAGS     25
#define EPOCHS   4000
#define RANGE    20.0
#define WORLD    60.0
#define EPOCH_US (200 * US_PER_MS)
#define START_US (INT64_C(1790000000) * US_PER_SEC)
#define METHODS  7
#define MAX_WIN  256

static const char *const names[METHODS] = {"static_2", "static_5", "static_10",     "static_25",
					   "smurf",    "presence", "presence_tuned"};

static uint64_t rng;

static double uniform(void)
{
	rng = rng * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (double) (rng >> 11) / 9007199254740992.0;
}

static double cpu_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double) t.tv_sec + (double) t.tv_nsec / 1e9;
}

/* --- SMURF, per tag --------------------------------------------------------------------------- */

struct smurf {
	double history[MAX_WIN]; /* response rate by epoch modulo MAX_WIN, 0 = not seen */
	int window;
};

/** Algorithm 1 of the paper; `rate` is the epoch's response rate, 0 if the tag was not seen. */
static bool smurf_step(struct smurf *s, int epoch, double rate)
{
	double sum = 0, p_avg, expect;
	int n = 0, want;

	s->history[epoch % MAX_WIN] = rate;
	s->window = s->window < 1 ? 1 : s->window;
	for (int i = 0; i < s->window && i <= epoch; i++) {
		double h = s->history[(epoch - i) % MAX_WIN];

		n += h > 0;
		sum += h;
	}
	if (n == 0) {
		s->window = 1;
		return false;
	}
	p_avg = sum / n;
	want = (int) ceil(log(1 / 0.05) / p_avg);
	expect = s->window * p_avg;
	if (want > s->window)
		s->window = (int) fmax(fmin(s->window + 2, want), 1);
	else if (fabs(n - expect) > 2 * sqrt(expect * (1 - p_avg)))
		s->window = (int) fmax(fmin(s->window / 2, want), 1);
	s->window = s->window < MAX_WIN ? s->window : MAX_WIN;
	return true;
}

/* --- the world -------------------------------------------------------------------------------- */

struct world {
	double at[TAGS], speed[TAGS];
	int last_seen[TAGS];
	struct smurf smurf[TAGS];
	bool here[2][TAGS]; /* as the two presence filters say */
	struct presence *filter[2];
};

static void told(struct world *w, int which, const struct presence_sighting *s)
{
	w->here[which][s->epc->data[11]] = s->kind != PRESENCE_GONE;
}

static void told_plain(void *user, const struct presence_sighting *s)
{
	told(user, 0, s);
}

static void told_tuned(void *user, const struct presence_sighting *s)
{
	told(user, 1, s);
}

static double chance(double distance, double p)
{
	if (distance >= RANGE)
		return 0;
	return distance <= RANGE / 2 ? p : p * (RANGE - distance) / (RANGE / 2);
}

static void count_wrong(struct world *w, int epoch, int tag, double rate, double wrong[METHODS])
{
	static const int windows[] = {2, 5, 10, 25};
	bool truth = w->at[tag] < RANGE;

	for (int i = 0; i < 4; i++)
		wrong[i] += truth != (epoch - w->last_seen[tag] < windows[i]);
	wrong[4] += truth != smurf_step(&w->smurf[tag], epoch, rate);
	wrong[5] += truth != w->here[0][tag];
	wrong[6] += truth != w->here[1][tag];
}

static int run_world(double speed, double p, uint64_t seed, double wrong[METHODS])
{
	/* The defaults serve seconds; with bounds in epochs, the same rule competes on their terms.
	 */
	const struct presence_config plain = {0};
	const struct presence_config tuned = {.miss_probability = 0.5, .min_gone_us = EPOCH_US};
	struct world w;

	memset(&w, 0, sizeof(w));
	memset(wrong, 0, METHODS * sizeof(wrong[0]));
	rng = seed;
	if (presence_new(&plain, told_plain, &w, &w.filter[0]) < 0)
		return -1;
	if (presence_new(&tuned, told_tuned, &w, &w.filter[1]) < 0) {
		presence_free(w.filter[0]);
		return -1;
	}
	for (int t = 0; t < TAGS; t++) {
		w.at[t] = uniform() * WORLD;
		w.speed[t] = (uniform() < 0.5 ? -1 : 1) * speed * (0.5 + uniform() / 2);
		w.last_seen[t] = -1000;
	}
	for (int epoch = 0; epoch < EPOCHS; epoch++) {
		bool seen[TAGS];

		for (int t = 0; t < TAGS; t++) {
			struct rfid_read r = {.antenna = 1, .count = 1, .rssi_cdbm = -6000};

			w.at[t] += w.speed[t];
			if (w.at[t] < 0 || w.at[t] > WORLD)
				w.speed[t] = -w.speed[t];
			w.at[t] = fmin(fmax(w.at[t], 0), WORLD);
			seen[t] = uniform() < chance(w.at[t], p);
			if (!seen[t])
				continue;
			w.last_seen[t] = epoch;
			r.epc.bits = 96;
			r.epc.data[11] = (uint8_t) t;
			r.first_us = r.last_us = START_US + epoch * EPOCH_US;
			(void) !presence_read(w.filter[0], 1, &r);
			(void) !presence_read(w.filter[1], 1, &r);
		}
		for (int i = 0; i < 2; i++)
			presence_tick(w.filter[i], START_US + epoch * EPOCH_US + 1);
		for (int t = 0; t < TAGS; t++)
			count_wrong(&w, epoch, t, seen[t] ? chance(w.at[t], p) : 0, wrong);
	}
	presence_free(w.filter[0]);
	presence_free(w.filter[1]);
	for (int i = 0; i < METHODS; i++)
		wrong[i] /= EPOCHS;
	return 0;
}

#define MAX_AXIS 16

/** One axis of the grid. */
struct axis {
	const char *name;
	double values[MAX_AXIS];
	size_t n;
};

/** Takes NAME=V,V,... over if it is about this axis. */
static void take_axis(struct axis *a, const char *arg)
{
	size_t len = strlen(a->name);

	if (strncmp(arg, a->name, len) != 0 || arg[len] != '=')
		return;
	a->n = 0;
	for (const char *at = arg + len; *at && a->n < MAX_AXIS;) {
		char *end;

		a->values[a->n++] = strtod(at + 1, &end);
		if (end == at + 1)
			return;
		at = end;
	}
}

static void print_axis(const struct axis *a)
{
	printf(", %s", a->name);
	for (size_t i = 0; i < a->n; i++)
		printf("%s%g", i ? "," : " ", a->values[i]);
}

/** Beside the static window with the smallest mean of all. */
static void print_verdict(const double sum[METHODS], const double worst[METHODS])
{
	int best = 0;

	for (int i = 1; i < 4; i++)
		best = sum[i] < sum[best] ? i : best;
	printf("# the best single window is %s\n", names[best]);
	printf("bench presence_to_best_window_mean %.3f ratio\n", sum[5] / sum[best]);
	printf("bench presence_to_best_window_worst %.3f ratio\n", worst[5] / worst[best]);
}

static void compare(int argc, char **argv)
{
	struct axis speeds = {"speeds", {0, 0.25, 0.5, 1, 2}, 5}, ps = {"p", {0.8, 0.5}, 2},
		    seeds = {"seeds", {42, 7}, 2};
	double sum[METHODS] = {0}, worst[METHODS] = {0};
	int runs = 0;

	for (int i = 1; i < argc; i++) {
		take_axis(&speeds, argv[i]);
		take_axis(&ps, argv[i]);
		take_axis(&seeds, argv[i]);
	}

	printf("# %d tags, %d epochs of 0.2 s, range %.0f ft in a corridor of %.0f ft", TAGS,
	       EPOCHS, RANGE, WORLD);
	print_axis(&speeds);
	print_axis(&ps);
	print_axis(&seeds);
	printf("\n");
	for (size_t s = 0; s < speeds.n; s++) {
		for (size_t p = 0; p < ps.n; p++) {
			for (size_t k = 0; k < seeds.n; k++, runs++) {
				double wrong[METHODS];

				if (run_world(speeds.values[s], ps.values[p],
					      (uint64_t) seeds.values[k], wrong) < 0)
					return;
				printf("# speed %.2f p %.1f seed %.0f:", speeds.values[s],
				       ps.values[p], seeds.values[k]);
				for (int i = 0; i < METHODS; i++) {
					printf(" %.2f", wrong[i]);
					sum[i] += wrong[i];
					worst[i] = fmax(worst[i], wrong[i]);
				}
				printf("\n");
			}
		}
	}
	for (int i = 0; i < METHODS; i++) {
		printf("bench presence_wrong_%s_mean %.3f tags/epoch\n", names[i], sum[i] / runs);
		printf("bench presence_wrong_%s_worst %.3f tags/epoch\n", names[i], worst[i]);
	}
	print_verdict(sum, worst);
}

/* --- cost ------------------------------------------------------------------------------------- */

static void ignore(void *user, const struct presence_sighting *s)
{
	(void) user;
	(void) s;
}

/** 65,536 pairs (16,384 tags on four antennas), each read once a second for a minute. */
static void cost(void)
{
	const struct presence_config cfg = {.max_pairs = 65536};
	struct presence *p = NULL;
	double reads_s = 0, ticks_s = 0, start;
	int64_t t = START_US;

	if (presence_new(&cfg, ignore, NULL, &p) < 0)
		return;
	rng = 1;
	for (int second = 0; second < 60; second++) {
		for (int quarter = 0; quarter < 4; quarter++, t += 250 * US_PER_MS) {
			start = cpu_s();
			for (uint32_t i = 0; i < 16384; i++) {
				struct rfid_read r = {.count = 1, .rssi_cdbm = -6000};

				r.first_us = r.last_us = t + (int64_t) i * 15;
				r.epc.bits = 96;
				memcpy(&r.epc.data[4], &i, sizeof(i));
				(void) !presence_read(p, (uint32_t) quarter, &r);
			}
			reads_s += cpu_s() - start;
			start = cpu_s();
			presence_tick(p, t + 250 * US_PER_MS);
			ticks_s += cpu_s() - start;
		}
	}
	printf("# %zu pairs of %zu tags\n", presence_pairs(p), presence_tags(p));
	printf("bench presence_read %.1f ns\n", reads_s / (60 * 65536) * 1e9);
	printf("bench presence_tick %.1f us\n", ticks_s / 240 * 1e6);
	presence_free(p);
}

int main(int argc, char **argv)
{
	compare(argc, argv);
	cost();
	return 0;
}
