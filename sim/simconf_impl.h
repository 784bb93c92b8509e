/* SPDX-License-Identifier: Apache-2.0 */
/** @file What the readers of sim.conf share: simconf*.c only. */
#pragma once

#include "sim/simconf.h"

/** What is being read, for the diagnostics. */
struct simconf_reading {
	const char *file;
	char *diag;
	size_t diag_len;
	const struct conf *conf;
	struct simconf *to;
};

/** Says what is wrong, after the file's name. */
int simconf_wrong(const struct simconf_reading *rd, const char *fmt, ...) _printf_(2, 3);

/** A number within bounds; `title` may be NULL. */
int simconf_number(const struct simconf_reading *rd, const char *section, const char *title,
		   const char *key, double min, double max, double *ret) _must_check_;

/* simconf_floor.c */
/** Rectangle, door and walls of a place. */
int simconf_read_plan(const struct simconf_reading *rd, const char *title,
		      struct simconf_place *to) _must_check_;
/** Sections antenna, room and day, after readers and places. */
int simconf_read_floor(const struct simconf_reading *rd) _must_check_;
