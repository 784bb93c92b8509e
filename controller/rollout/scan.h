/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Looks at every label of the waves that have begun, writes down where it has come to something
 * new, and counts. Writer thread, inside a write.
 */
#pragma once

#include "controller/rollout/row.h"

#define SCAN_AGENTS_MAX 4096

/** Labels of the present wave at one access point. */
struct scan_agent {
	int64_t id;
	char name[64];
	int64_t labels;    /**< that can be staged */
	int64_t left;      /**< of these, not staged yet */
	int64_t came;      /**< staged since the wave began */
	int64_t latest_us; /**< the last of them */
};

/** Which access points answer, as the loop thread knows. */
struct scan_online {
	size_t n;
	int64_t ids[SCAN_AGENTS_MAX]; /**< rising */
};

struct scan {
	struct rollout_counts
		present; /**< of the present wave; rolling back: of all flipped ones */
	size_t n_agents;
	struct scan_agent *agents; /**< owned */
	size_t changed;            /**< labels */
};

/** Also updates the counts in row->waves (not stored). */
int rollout_scan(struct sql *s, struct rollout_row *row, const struct scan_online *online,
		 int64_t now_us, struct scan *ret) _must_check_;
void rollout_scan_done(struct scan *scan);

/** The access point with most pictures left, or NULL. */
const struct scan_agent *rollout_scan_slowest(const struct scan *scan);
/** Pictures a second at the busiest access point of the present wave; 0 = too few to say. */
double rollout_scan_rate(const struct scan *scan, int64_t since_us);
