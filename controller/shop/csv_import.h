/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * A CSV file that somebody sends: read and planned on the pool, then written in one audited
 * transaction, or not at all when any row is wrong; ?dry_run says what would come of it. If what
 * was read has changed until it is written, it is read anew, a few times. The request is kept until
 * the answer, so that its body need not be copied.
 */
#pragma once

#include "controller/http/http.h"
#include "controller/people/auth.h"
#include "controller/shop/csv_sheet.h"
#include "controller/shop/shop_work.h"
#include <jansson.h>

struct csv_import;

struct csv_import_kind {
	const char *what; /**< in the sentence that says what failed */
	size_t size;      /**< of the struct that begins with struct csv_import */
	/** Pool; may be called again. Errors of the rows go to `sheet`. */
	int (*read)(struct csv_import *im, struct sql *s, const void *body, size_t len);
	/** Why the caller may not write what was read, in a sentence; NULL = may. */
	const char *(*refusal)(const struct csv_import *im);
	/** Writer. -ERR_CONFLICT, -ENOENT: it is no longer as it was read. */
	int (*write)(struct csv_import *im, struct sql *s);
	/** Loop, after the commit and before the answer. */
	void (*written)(struct csv_import *im);
	/** The members of the answer beside dry_run and errors. */
	json_t *(*counts)(const struct csv_import *im);
	void (*done)(struct csv_import *im);
};

/** Embed it first. */
struct csv_import {
	struct shop_job job;
	const struct csv_import_kind *kind;
	struct http_request *rq;
	struct app *app;
	struct csv_sheet *sheet; /**< set by who embeds it */
	bool *under_way;
	bool dry_run;
	char who[AUTH_WHO_MAX];
	int err, tries;
};

/** Replies and returns NULL if no CSV file is sent, or another import is under way (*under_way). */
struct csv_import *csv_import_new(struct http_request *rq, struct app *app,
				  const struct csv_import_kind *kind, bool *under_way);
void csv_import_start(struct csv_import *im);
