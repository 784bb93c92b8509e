/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * A rollout that somebody asks for: read from JSON (draft.c, pure), then checked against the
 * products and cut into waves (draft_check.c, with a connection). What is wrong is collected with
 * JSON pointers, the first ROLLOUT_ERRORS_MAX.
 */
#pragma once

#include "common/sql.h"
#include "controller/rollout/machine.h"
#include "controller/rollout/plan.h"
#include "controller/rollout/row.h"
#include "controller/shop/price_text.h"
#include <jansson.h>

#define ROLLOUT_CHANGES_MAX 20000
#define ROLLOUT_ERRORS_MAX  1000

struct draft_change {
	size_t index; /**< in the request */
	int64_t product_id;
	uint64_t gtin; /**< asked by number; 0 = by id */
	int64_t price_minor;
	int64_t old_minor;
};

struct draft {
	char name[ROLLOUT_NAME_MAX + 1];
	char why[PRICE_REASON_MAX + 1];
	char currency[PRICE_CURRENCY_MAX];
	int64_t start_us; /**< 0 = at once */
	struct rollout_rules rules;
	struct rollout_plan plan;
	size_t n;
	struct draft_change *changes;          /**< owned */
	struct rollout_plan_product *products; /**< owned; of the changes, after draft_check() */
	json_t *errors;                        /**< array, owned */
	int64_t error_count;
	/* draft_check() */
	int64_t unchanged; /**< left out: they have that price already */
	int64_t clash_id;  /**< open rollout that has one of the products; 0 = none */
	char clash_name[ROLLOUT_NAME_MAX + 1];
	char clash_product[320];
};

void draft_init(struct draft *d);
void draft_done(struct draft *d);
void draft_error(struct draft *d, const char *code, const char *detail, const char *pointer, ...)
	_printf_(4, 5);

/** Reads the body; what is wrong is in d->errors. */
int draft_parse(struct draft *d, const json_t *body, const struct currency *cur, int64_t now_us,
		bool must_have_name) _must_check_;
/** Finds the products, leaves out what would change nothing, makes the waves. Any thread. */
int draft_check(struct sql *s, struct draft *d, int64_t now_us) _must_check_;
/** What a person should know before: [{code, detail}]. Owned by the caller. */
json_t *draft_warnings(struct sql *s, const struct draft *d, int64_t now_us);
