/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Wall time of a zone to instants and back, and rules by which a wall time comes again: the only
 * door to libical. Wall times are what a clock in the shop shows; an instant is UTC.
 *
 * Where clocks are moved, a wall time may not exist or come twice. The rules of the house: one that
 * is skipped means the first instant after the gap; of one that comes twice, a start takes the
 * first, an end the second. Recurrence works on wall times, so that "every day at 08:00" stays at
 * 08:00.
 *
 * Zones are known with certainty up to WALLTIME_MAX_YEAR (the files of the zones have no dates
 * beyond it); later wall times are refused, never guessed. Any thread: libical, which fills its
 * zones as it is asked, is entered by one at a time.
 */
#pragma once

#include "common/util.h"
#include <stdbool.h>

#define WALLTIME_MIN_YEAR 2000
#define WALLTIME_MAX_YEAR 2037
#define WALLTIME_TEXT_MAX 24
#define WALLTIME_NOTE_MAX 160
#define WALLTIME_RULE_MAX 200 /**< longest text of a recurrence, NUL included */

struct walltime {
	int year, month, day, hour, minute, second;
};

enum walltime_edge {
	WALLTIME_START,
	WALLTIME_END
};

enum walltime_kind {
	WALLTIME_PLAIN,
	WALLTIME_SKIPPED,
	WALLTIME_REPEATED
};

/** "2026-11-27T08:00", perhaps with seconds. -ERR_SYNTAX; -ERR_RANGE for a day that no calendar
 * has, or a year out of bounds. */
int walltime_parse(const char *text, size_t len, struct walltime *ret) _must_check_;
/** As parsed; seconds only where there are any. Returns buf. */
const char *walltime_format(const struct walltime *w, char buf[WALLTIME_TEXT_MAX]);
/** Seconds on a calendar without zones: differences of wall times, and back. */
int64_t walltime_to_count(const struct walltime *w);
void walltime_from_count(int64_t seconds, struct walltime *ret);

/** Is there such a zone? IANA names only. */
bool walltime_zone_known(const char *zone);
/** -ENOENT: no such zone. -ERR_RANGE: beyond WALLTIME_MAX_YEAR. `ret_kind` may be NULL. */
int walltime_resolve(const struct walltime *w, const char *zone, enum walltime_edge edge,
		     int64_t *ret_us, enum walltime_kind *ret_kind) _must_check_;
/** What the clock shows at an instant. -ENOENT, -ERR_RANGE. */
int walltime_at(int64_t at_us, const char *zone, struct walltime *ret) _must_check_;
/** "02:30 does not exist on 2027-03-28; it starts at 03:00"; "" where there is nothing to say.
 * Returns buf. */
const char *walltime_note(const struct walltime *w, const char *zone, enum walltime_edge edge,
			  char buf[WALLTIME_NOTE_MAX]);

/* --- recurrence -------------------------------------------------------------------------------
 */

struct walltime_rule;

/**
 * An RRULE of RFC 5545: FREQ (DAILY, WEEKLY, MONTHLY or YEARLY), INTERVAL, COUNT or UNTIL, BYDAY,
 * BYMONTHDAY, BYMONTH, BYSETPOS, WKST. UNTIL is a date, a wall time, or an instant ("Z"), which the
 * zone turns into one. -ERR_SYNTAX, -ERR_RANGE; -ERR_TOO_LARGE for what would come too often
 * (HOURLY and below); -ERR_CONFLICT if `start` is not itself an occurrence.
 */
int walltime_rule_new(const char *text, size_t len, const char *zone, const struct walltime *start,
		      struct walltime_rule **ret) _must_check_;
void walltime_rule_free(struct walltime_rule *r);
DEFINE_CLEANUP(struct walltime_rule *, walltime_rule_free)
/** The next occurrence, the start being the first. False when there are no more, or none that can
 * be known: see WALLTIME_MAX_YEAR. */
bool walltime_rule_next(struct walltime_rule *r, struct walltime *ret);
