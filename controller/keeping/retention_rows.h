/* SPDX-License-Identifier: Apache-2.0 */
/** @file Which tables are kept for how long, and what of them stays however old it is. */
#pragma once

#include "common/util.h"
#include <stddef.h>

#define KEPT_PARTS_MAX 3

struct kept {
	const char *name;
	/** When the oldest row was written. */
	const char *oldest;
	/**
	 * Rows above the number ?1, up to ?2 of them, in the order of their numbers: number,
	 * written before ?3, year, the row for the file, stays all the same.
	 */
	const char *read;
	/** Other tables' rows that belong to these and go first, and the rows themselves: those
	 * above ?1 up to ?2 that are from before ?3 and do not stay. */
	const char *parts[KEPT_PARTS_MAX];
	const char *drop;
	size_t at_once; /**< rows of one transaction */
	size_t days;    /**< where struct app_config says how long */
};

extern const struct kept kept_tables[];
extern const size_t kept_tables_n;
