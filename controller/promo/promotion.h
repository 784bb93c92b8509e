/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Promotions in the database. A promotion says in wall time what it wants; when it is scheduled,
 * its products become members and its occurrences instants, and from those offer.h computes what
 * the shelf shows. Whether it is running or ended follows from the occurrences and the time alone,
 * so that no step has to be taken at an edge, and none can be missed.
 *
 * Functions take a connection and run on whichever thread owns it; those that write are for the
 * writer thread, inside a write.
 *
 *   promotion.c          rows, members, the state at an instant
 *   promotion_plan.c     wall times to occurrences; what is written ahead, and written anew
 *   promotion_read.c     a request's body, checked
 *   promotion_json.c     the API's object
 *   promotion_api.c      create, change, cancel, list
 *   promotion_preview.c  what would happen, before anything does
 *   promotion_labels.c   products, labels and progress of one
 */
#pragma once

#include "common/sql.h"
#include "controller/promo/walltime.h"
#include "controller/shop/price_text.h"
#include "controller/shop/product_text.h"
#include <jansson.h>

#define PROMOTION_NAME_MAX   120
#define PROMOTION_LIST_MAX   5000
#define PROMOTION_REASON_MAX 200
#define PROMOTION_ZONE_MAX   64
#define PROMOTION_SHOWN      10 /**< occurrences in the API's object */

enum promotion_select {
	PROMOTION_BY_LIST,
	PROMOTION_BY_BRAND,
	PROMOTION_BY_CATEGORY
};

enum promotion_state {
	PROMOTION_DRAFT,
	PROMOTION_SCHEDULED,
	PROMOTION_RUNNING,
	PROMOTION_ENDED,
	PROMOTION_CANCELLED,
	PROMOTION_STATE_COUNT
};
const char *promotion_state_text(enum promotion_state state);
/** -ENOENT if there is no such word. */
int promotion_state_parse(const char *text, enum promotion_state *ret) _must_check_;

struct promotion {
	int64_t id;
	char name[PROMOTION_NAME_MAX + 1];
	int64_t percent_milli; /**< thousandths of a percent; 0 = a fixed price */
	int64_t price_minor;
	char currency[PRICE_CURRENCY_MAX];
	enum promotion_select select;
	char select_text[PRODUCT_TEXT_MAX + 1];
	int64_t *products; /**< owned; of a list, in order, each once */
	size_t n_products;
	char zone[PROMOTION_ZONE_MAX];
	struct walltime start, end;
	char recurrence[WALLTIME_RULE_MAX]; /**< "" = once */
	enum promotion_state stored;        /**< DRAFT, SCHEDULED or CANCELLED */
	int64_t created_us;
	char who[72];
	int64_t cancelled_us; /**< 0 = not */
	char cancelled_by[72];
	char cancel_reason[PROMOTION_REASON_MAX + 1];
	int64_t rev;
};

void promotion_done(struct promotion *p);

/** With its list. -ENOENT. */
int promotion_load(struct sql *s, int64_t id, struct promotion *ret) _must_check_;
/** Sets p->id and p->rev. */
int promotion_insert(struct sql *s, struct promotion *p) _must_check_;
/** Stores all fields where the revision is still p->rev, which goes up. -ERR_CONFLICT. */
int promotion_update(struct sql *s, struct promotion *p) _must_check_;
/** The state at an instant. */
int promotion_state_at(struct sql *s, const struct promotion *p, int64_t now_us,
		       enum promotion_state *ret) _must_check_;

/** Ids of the products that it chooses now, in order, at most `max`, above `after`. Returns the
 * count. */
int promotion_chosen(struct sql *s, const struct promotion *p, int64_t after, size_t max,
		     int64_t *ret_ids) _must_check_;
/** How many products and labels it is for. */
int promotion_count(struct sql *s, const struct promotion *p, int64_t *ret_products,
		    int64_t *ret_labels) _must_check_;
/** Makes the members what the promotion chooses now, and marks the labels of all that come, stay or
 * go. */
int promotion_enrol(struct sql *s, const struct promotion *p, int64_t now_us) _must_check_;
/** Marks the labels of its members. */
int promotion_mark_labels(struct sql *s, int64_t id) _must_check_;

/* --- promotion_plan.c -------------------------------------------------------------------------
 */

struct occurrence {
	struct walltime start, end;
	int64_t start_us, end_us;
};

struct promotion_plan;
/** Walks the occurrences of a promotion from its wall times, oldest first. As walltime_rule_new().
 */
int promotion_plan_new(const struct promotion *p, struct promotion_plan **ret) _must_check_;
void promotion_plan_free(struct promotion_plan *plan);
DEFINE_CLEANUP(struct promotion_plan *, promotion_plan_free)
/** False when there are no more that can be known. Those that a skipped hour swallows are left
 * out. */
bool promotion_plan_next(struct promotion_plan *plan, struct occurrence *ret);
/** Those that end after `now_us`, at most `max`. Returns the count. */
int promotion_upcoming(const struct promotion *p, int64_t now_us, size_t max,
		       struct occurrence *ret) _must_check_;

/** Writes the occurrences ahead anew; those that have begun stay. */
int promotion_write_plan(struct sql *s, const struct promotion *p, int64_t now_us) _must_check_;
/** Ends the one that is running at `now_us` then, and drops those ahead. */
int promotion_cut_plan(struct sql *s, int64_t id, int64_t now_us) _must_check_;
/** Moves the end of the one that is running to where p->end says. -ERR_RANGE if that has passed. */
int promotion_move_end(struct sql *s, const struct promotion *p, int64_t now_us) _must_check_;

/** Time has gone from `from_us` (0 = the first look) to `to_us`: writes further occurrences of
 * recurring promotions; at the first look also resolves again what lies ahead, because the zone's
 * rules may have been changed by law since. */
int promotion_turn(struct sql *s, int64_t from_us, int64_t to_us) _must_check_;

struct app;
/** Tells browsers which promotions began or ended in (from, to]. Loop thread. */
void promotion_publish_edges(struct app *app, int64_t from_us, int64_t to_us);
/** Tells them that one changed. */
void promotion_publish(struct app *app, int64_t id);
