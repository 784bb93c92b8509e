/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Direction of travel between two groups of antennas, judged from one passage of a tag. Five
 * witnesses, of which none is right always and which are wrong about different passages:
 *
 *   - the mean time at which each group heard the tag, weighed by how well it did
 *   - the same without weights
 *   - the trend of every antenna's level, falling behind and rising ahead
 *   - the phase of reads that follow each other on one channel: radial speed
 *   - the reader's Doppler estimate, of which only the small values are trusted
 *
 * Each is scaled to its usual size and weighed; swapping the groups negates every one of them, so
 * the opposite question has the opposite answer. What a recording lacks does not count.
 */
#pragma once

#include "controller/inventory/trace_csv.h"
#include <stdbool.h>

#define DOOR_MAX_ANTENNAS 16 /* of one group */
#define DOOR_MIN_READS    3  /* by each group, or there is no answer */

enum door_direction {
	DOOR_BACKWARD = -1,
	DOOR_UNKNOWN = 0,
	DOOR_FORWARD = 1, /**< out of the first group's reach into the second's */
};
const char *door_direction_str(enum door_direction d);

struct door_group {
	unsigned int n;
	uint16_t antennas[DOOR_MAX_ANTENNAS];
};

enum door_witness {
	DOOR_LOUD_TIME,
	DOOR_READ_TIME,
	DOOR_TREND,
	DOOR_PHASE,
	DOOR_DOPPLER,
	DOOR_WITNESSES
};

struct door_verdict {
	enum door_direction direction;
	float confidence;              /**< 0.5 (no idea) to 1 */
	float score;                   /**< log odds of forward */
	float witness[DOOR_WITNESSES]; /**< each in its usual size; > 0 speaks for forward */
};

/** Reads "1,2". -ERR_SYNTAX, -ERR_RANGE (too many), -EEXIST (twice the same). */
int door_group_parse(const char *text, struct door_group *ret) _must_check_;
bool door_group_has(const struct door_group *g, unsigned int antenna);
/** Judges a passage; reads in order of time. Pure. */
void door_judge(const struct trace_read *reads, size_t n, const struct door_group *from,
		const struct door_group *to, struct door_verdict *ret);
