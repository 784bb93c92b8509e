/* SPDX-License-Identifier: Apache-2.0 */
#include "common/clock.h"
#include "common/err.h"
#include "controller/promo/offer.h"
#include "controller/rollout/draft.h"
#include "controller/shop/product.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OFFERS_MAX 2000 /* products whose promotions are looked at for a warning */

static int find_product(struct sql *s, struct draft *d, struct draft_change *c)
{
	struct sql_stmt *q;
	int r;

	if (c->gtin) {
		r = product_find_gtin(s, c->gtin, &c->product_id);
	} else {
		q = sql_prepare(s, "SELECT 1 FROM products WHERE id = ?");
		sql_bind_i64(q, 1, c->product_id);
		r = sql_step(q);
		sql_reset(q);
		r = r > 0 ? 0 : r < 0 ? r : -ENOENT;
	}
	if (r == -ENOENT)
		draft_error(d, "no-such-product", "There is no such product.", "/changes/%zu",
			    c->index);
	return r;
}

static int read_price(struct sql *s, struct draft *d, struct draft_change *c, int64_t now_us)
{
	struct sql_stmt *q =
		sql_prepare(s, "SELECT price_minor FROM prices WHERE product_id = ?"
			       " AND from_at <= ? ORDER BY from_at DESC, id DESC LIMIT 1");
	int r;

	sql_bind_i64(q, 1, c->product_id);
	sql_bind_i64(q, 2, now_us);
	r = sql_step(q);
	if (r > 0)
		c->old_minor = sql_col_i64(q, 0);
	sql_reset(q);
	if (r == 0)
		draft_error(d, "no-price",
			    "The product has no price yet, so there is none to go back to.",
			    "/changes/%zu", c->index);
	return r > 0 ? 0 : r < 0 ? r : -ENOENT;
}

static int count_labels(struct sql *s, int64_t product, int64_t *ret)
{
	struct sql_stmt *q = sql_prepare(s, "SELECT count(*) FROM labels WHERE product_id = ?");
	int r;

	sql_bind_i64(q, 1, product);
	r = sql_step(q);
	if (r > 0)
		*ret = sql_col_i64(q, 0);
	sql_reset(q);
	return r < 0 ? r : 0;
}

/* One product in two rollouts at once could not be taken back. */
static int find_clash(struct sql *s, struct draft *d, int64_t product)
{
	struct sql_stmt *q =
		sql_prepare(s, "SELECT r.id, r.name, p.name FROM rollout_products o JOIN rollouts r"
			       " ON r.id = o.rollout_id JOIN products p ON p.id = o.product_id"
			       " WHERE o.product_id = ? AND o.open = 1");
	int r;

	sql_bind_i64(q, 1, product);
	r = sql_step(q);
	if (r > 0 && !d->clash_id) {
		d->clash_id = sql_col_i64(q, 0);
		snprintf(d->clash_name, sizeof d->clash_name, "%s", sql_col_text(q, 1));
		snprintf(d->clash_product, sizeof d->clash_product, "%s", sql_col_text(q, 2));
	}
	sql_reset(q);
	return r < 0 ? r : 0;
}

static int by_product(const void *a, const void *b)
{
	const struct draft_change *x = *(const struct draft_change *const *) a,
				  *y = *(const struct draft_change *const *) b;

	if (x->product_id != y->product_id)
		return x->product_id < y->product_id ? -1 : 1;
	return x->index < y->index ? -1 : 1;
}

/* Two prices for one product: which did they mean? */
static int find_twice(struct draft *d)
{
	const struct draft_change **order = calloc(d->n + 1, sizeof(struct draft_change *));

	if (!order)
		return -ENOMEM;
	for (size_t i = 0; i < d->n; i++)
		order[i] = &d->changes[i];
	qsort(order, d->n, sizeof(struct draft_change *), by_product);
	for (size_t i = 1; i < d->n; i++)
		if (order[i]->product_id && order[i]->product_id == order[i - 1]->product_id)
			draft_error(d, "duplicate-product",
				    "The product has a price further up already.", "/changes/%zu",
				    order[i]->index);
	free(order);
	return 0;
}

/* Keeps what changes something, in the order of the request. */
static int weigh(struct sql *s, struct draft *d)
{
	size_t kept = 0;

	for (size_t i = 0; i < d->n; i++) {
		struct draft_change c = d->changes[i];
		int r;

		if (c.price_minor == c.old_minor) {
			d->unchanged++;
			continue;
		}
		r = find_clash(s, d, c.product_id);
		if (r == 0)
			r = count_labels(s, c.product_id, &d->products[kept].labels);
		if (r < 0)
			return r;
		d->changes[kept++] = c;
	}
	d->n = kept;
	if (kept == 0)
		draft_error(d, "nothing-to-do", "All these products have these prices already.",
			    "/changes");
	return 0;
}

int draft_check(struct sql *s, struct draft *d, int64_t now_us)
{
	int r = 0;

	for (size_t i = 0; i < d->n; i++) {
		r = find_product(s, d, &d->changes[i]);
		if (r == 0)
			r = read_price(s, d, &d->changes[i], now_us);
		if (r < 0 && r != -ENOENT)
			return r;
	}
	r = find_twice(d);
	if (r < 0 || d->error_count > 0)
		return r;
	r = weigh(s, d);
	if (r == 0 && d->error_count == 0)
		rollout_plan_waves(&d->plan, d->products, d->n);
	return r;
}

/* --- warnings ----------------------------------------------------------------------------------
 */

static void warn(json_t *a, const char *code, int64_t n, const char *what)
{
	char detail[200];

	if (n == 0)
		return;
	snprintf(detail, sizeof detail, "%lld %s", (long long) n, what);
	json_array_append_new(a, json_pack("{s:s,s:s}", "code", code, "detail", detail));
}

static int64_t number(struct sql_stmt *q)
{
	int64_t n = sql_step(q) > 0 ? sql_col_i64(q, 0) : 0;

	sql_reset(q);
	return n;
}

static int64_t planned_ahead(struct sql *s, int64_t product, int64_t now_us)
{
	struct sql_stmt *q =
		sql_prepare(s, "SELECT count(*) FROM prices WHERE product_id = ? AND from_at > ?");

	sql_bind_i64(q, 1, product);
	sql_bind_i64(q, 2, now_us);
	return number(q) > 0;
}

static int64_t one_slot_labels(struct sql *s, int64_t product)
{
	struct sql_stmt *q =
		sql_prepare(s, "SELECT count(*) FROM labels WHERE product_id = ? AND slots = 1");

	sql_bind_i64(q, 1, product);
	return number(q);
}

static int64_t in_promotion(struct sql *s, int64_t product, int64_t now_us)
{
	struct offer_step step;

	return offer_timeline(s, product, now_us, 1, &step) > 0 && step.promotion_id != 0;
}

json_t *draft_warnings(struct sql *s, const struct draft *d, int64_t now_us)
{
	int64_t without = 0, ahead = 0, single = 0, promoted = 0;
	json_t *a = json_array();

	for (size_t i = 0; i < d->n; i++) {
		int64_t product = d->changes[i].product_id;

		without += d->products[i].labels == 0;
		ahead += planned_ahead(s, product, now_us);
		single += one_slot_labels(s, product);
		if (i < OFFERS_MAX)
			promoted += in_promotion(s, product, now_us);
	}
	warn(a, "unchanged", d->unchanged, "products have that price already and are left out.");
	warn(a, "no-labels", without,
	     "products have no label: their prices change with the last wave.");
	warn(a, "planned-price", ahead,
	     "products have a planned price: it replaces the rollout's when its date comes.");
	warn(a, "one-slot", single,
	     "labels have room for one picture: they get the new one after the flip.");
	warn(a, "promotion", promoted,
	     "products are in a promotion now: their labels show the lower of both prices.");
	warn(a, "rollout-conflict", d->clash_id,
	     "is the number of a rollout that has some of these products; it must be over first.");
	return a;
}
