/* SPDX-License-Identifier: Apache-2.0 */
/** @file Made walks: a tag wanders about one corner of a hall, four antennas hear it from the four
 * corners; the level falls with distance and is disturbed by a slow and a fast noise. */
#pragma once

#include "controller/inventory/place_model.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

static uint64_t walk_seed = 1;

static double walk_uniform(void)
{
	walk_seed = walk_seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (double) (walk_seed >> 11) / 9007199254740992.0;
}

/* About normal, spread 1. */
static double walk_noise(void)
{
	double sum = 0;

	for (int i = 0; i < 12; i++)
		sum += walk_uniform();
	return sum - 6;
}

/* A walk of `n` reads in the corner (0..3), one every `gap_ms` in the mean. */
static struct place_walk make_walk(const char *place, int corner, size_t n, double gap_ms)
{
	static const double corners[4][2] = {{0, 0}, {0, 10}, {10, 10}, {10, 0}};
	struct place_walk w = {.place = place};
	double x = 0.25, y = 0.25, fade[4] = {0}, at = 1.7e15;

	w.trace.reads = calloc(n, sizeof(*w.trace.reads));
	w.trace.n_readers = 1;
	snprintf(w.trace.readers[0], TRACE_NAME_CAP, "192.0.2.1:5084");
	for (size_t i = 0; i < n; i++) {
		int a = (int) (walk_uniform() * 4) & 3;

		x = fmin(fmax(x + 0.05 * walk_noise(), 0), 0.45);
		y = fmin(fmax(y + 0.05 * walk_noise(), 0), 0.45);
		double px = fabs(corners[corner][0] - 10 * x);
		double py = fabs(corners[corner][1] - 10 * y);
		double d = hypot(px - corners[a][0], py - corners[a][1]);

		fade[a] = 0.9 * fade[a] + 0.4 * walk_noise();
		at += gap_ms * 1000 * (0.2 + 1.6 * walk_uniform());
		w.trace.reads[w.trace.n++] = (struct trace_read){
			.at_us = (int64_t) at,
			.antenna = (uint16_t) (a + 1),
			.rssi_dbm =
				(float) round(-40 - 24 * log10(1 + d) + 2 * fade[a] + walk_noise()),
			.channel = -1,
			.phase = -1,
			.doppler = TRACE_NO_DOPPLER,
		};
	}
	return w;
}
