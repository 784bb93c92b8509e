/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/promo/promotion.h"
#include "common/err.h"
#include "controller/shop/product.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char *const states[PROMOTION_STATE_COUNT] = {
	"draft", "scheduled", "running", "ended", "cancelled",
};
static const char *const selects[] = {"list", "brand", "category"};

const char *promotion_state_text(enum promotion_state state)
{
	return (unsigned int) state < PROMOTION_STATE_COUNT ? states[state] : "";
}

int promotion_state_parse(const char *text, enum promotion_state *ret)
{
	for (int i = 0; i < PROMOTION_STATE_COUNT; i++)
		if (strcmp(text, states[i]) == 0) {
			*ret = (enum promotion_state) i;
			return 0;
		}
	return -ENOENT;
}

void promotion_done(struct promotion *p)
{
	free(p->products);
	p->products = NULL;
	p->n_products = 0;
}

/* --- rows -------------------------------------------------------------------------------------
 */

static int copy_text(struct sql_stmt *q, int i, char *to, size_t cap)
{
	const char *text = sql_col_text(q, i);

	return snprintf(to, cap, "%s", text ? text : "") < (int) cap ? 0 : -ERR_CORRUPT;
}

static int copy_wall(struct sql_stmt *q, int i, struct walltime *ret)
{
	const char *text = sql_col_text(q, i);

	return text && walltime_parse(text, strlen(text), ret) == 0 ? 0 : -ERR_CORRUPT;
}

static int read_row(struct sql_stmt *q, struct promotion *p)
{
	const char *select = sql_col_text(q, 5), *state = sql_col_text(q, 11);
	int bad = 0;

	*p = (struct promotion){.id = sql_col_i64(q, 0),
				.percent_milli = sql_col_i64(q, 2),
				.price_minor = sql_col_i64(q, 3),
				.created_us = sql_col_i64(q, 12),
				.cancelled_us = sql_col_i64(q, 14),
				.rev = sql_col_i64(q, 17)};
	for (size_t i = 0; i < ARRAY_SIZE(selects); i++)
		if (strcmp(select, selects[i]) == 0)
			p->select = (enum promotion_select) i;
	bad |= copy_text(q, 1, p->name, sizeof p->name);
	bad |= copy_text(q, 4, p->currency, sizeof p->currency);
	bad |= copy_text(q, 6, p->select_text, sizeof p->select_text);
	bad |= copy_text(q, 7, p->zone, sizeof p->zone);
	bad |= copy_wall(q, 8, &p->start);
	bad |= copy_wall(q, 9, &p->end);
	bad |= copy_text(q, 10, p->recurrence, sizeof p->recurrence);
	bad |= promotion_state_parse(state ? state : "", &p->stored);
	bad |= copy_text(q, 13, p->who, sizeof p->who);
	bad |= copy_text(q, 15, p->cancelled_by, sizeof p->cancelled_by);
	bad |= copy_text(q, 16, p->cancel_reason, sizeof p->cancel_reason);
	return bad ? -ERR_CORRUPT : 0;
}

static int load_list(struct sql *s, struct promotion *p)
{
	struct sql_stmt *q = sql_prepare(s, "SELECT count(*) FROM promotion_list"
					    " WHERE promotion_id = ?");
	size_t n;
	int r;

	sql_bind_i64(q, 1, p->id);
	r = sql_step(q);
	if (r <= 0)
		return r < 0 ? r : -ERR_DB;
	n = (size_t) sql_col_i64(q, 0);
	sql_reset(q);
	if (n == 0)
		return 0;
	p->products = calloc(n, sizeof *p->products);
	if (!p->products)
		return -ENOMEM;
	q = sql_prepare(s, "SELECT product_id FROM promotion_list WHERE promotion_id = ?"
			   " ORDER BY product_id");
	sql_bind_i64(q, 1, p->id);
	while (p->n_products < n && (r = sql_step(q)) > 0)
		p->products[p->n_products++] = sql_col_i64(q, 0);
	sql_reset(q);
	return r < 0 ? r : 0;
}

int promotion_load(struct sql *s, int64_t id, struct promotion *ret)
{
	struct sql_stmt *q = sql_prepare(
		s, "SELECT id, name, percent_milli, price_minor, currency, select_kind,"
		   " select_text, zone, start_wall, end_wall, recurrence, state, created, who,"
		   " cancelled_at, cancelled_by, cancel_reason, rev FROM promotions WHERE id = ?");
	struct promotion p;
	int r;

	sql_bind_i64(q, 1, id);
	r = sql_step(q);
	if (r <= 0)
		return r < 0 ? r : -ENOENT;
	r = read_row(q, &p);
	sql_reset(q);
	if (r == 0 && p.select == PROMOTION_BY_LIST)
		r = load_list(s, &p);
	if (r < 0)
		promotion_done(&p);
	else
		*ret = p;
	return r;
}

static void bind_terms(struct sql_stmt *q, const struct promotion *p)
{
	char start[WALLTIME_TEXT_MAX], end[WALLTIME_TEXT_MAX];

	sql_bind_text(q, 1, p->name);
	if (p->percent_milli)
		sql_bind_i64(q, 2, p->percent_milli);
	else
		sql_bind_i64(q, 3, p->price_minor);
	sql_bind_text(q, 4, p->currency);
	sql_bind_text(q, 5, selects[p->select]);
	sql_bind_text(q, 6, p->select_text);
	sql_bind_text(q, 7, p->zone);
	sql_bind_text(q, 8, walltime_format(&p->start, start));
	sql_bind_text(q, 9, walltime_format(&p->end, end));
	sql_bind_text(q, 10, p->recurrence);
	sql_bind_text(q, 11, states[p->stored]);
}

static int store_list(struct sql *s, const struct promotion *p)
{
	struct sql_stmt *q = sql_prepare(s, "DELETE FROM promotion_list WHERE promotion_id = ?");
	int r;

	sql_bind_i64(q, 1, p->id);
	r = sql_run(q);
	for (size_t i = 0; i < p->n_products && r == 0; i++) {
		q = sql_prepare(s, "INSERT INTO promotion_list(promotion_id, product_id)"
				   " VALUES(?, ?)");
		sql_bind_i64(q, 1, p->id);
		sql_bind_i64(q, 2, p->products[i]);
		r = sql_run(q);
	}
	return r;
}

int promotion_insert(struct sql *s, struct promotion *p)
{
	struct sql_stmt *q = sql_prepare(
		s, "INSERT INTO promotions(name, percent_milli, price_minor, currency,"
		   " select_kind, select_text, zone, start_wall, end_wall, recurrence, state,"
		   " created, who, store_id) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
	int r;

	bind_terms(q, p);
	sql_bind_i64(q, 12, p->created_us);
	sql_bind_text(q, 13, p->who);
	sql_bind_i64(q, 14, SHOP_STORE_ID);
	r = sql_run(q);
	if (r < 0)
		return r;
	p->id = sql_last_rowid(s);
	p->rev = 1;
	return store_list(s, p);
}

int promotion_update(struct sql *s, struct promotion *p)
{
	struct sql_stmt *q = sql_prepare(
		s, "UPDATE promotions SET name = ?1, percent_milli = ?2, price_minor = ?3,"
		   " currency = ?4, select_kind = ?5, select_text = ?6, zone = ?7,"
		   " start_wall = ?8, end_wall = ?9, recurrence = ?10, state = ?11,"
		   " cancelled_at = ?12, cancelled_by = ?13, cancel_reason = ?14, rev = rev + 1"
		   " WHERE id = ?15 AND rev = ?16");
	int r;

	bind_terms(q, p);
	if (p->cancelled_us)
		sql_bind_i64(q, 12, p->cancelled_us);
	sql_bind_text(q, 13, p->cancelled_by);
	sql_bind_text(q, 14, p->cancel_reason);
	sql_bind_i64(q, 15, p->id);
	sql_bind_i64(q, 16, p->rev);
	r = sql_run(q);
	if (r < 0)
		return r;
	if (sql_changes(s) == 0)
		return -ERR_CONFLICT;
	p->rev++;
	return store_list(s, p);
}

int promotion_state_at(struct sql *s, const struct promotion *p, int64_t now_us,
		       enum promotion_state *ret)
{
	struct sql_stmt *q;
	int r;

	*ret = p->stored;
	if (p->stored != PROMOTION_SCHEDULED)
		return 0;
	q = sql_prepare(s, "SELECT max(start_at <= ?2 AND end_at > ?2), max(start_at > ?2),"
			   " (SELECT complete FROM promotions WHERE id = ?1)"
			   " FROM promotion_occurrences WHERE promotion_id = ?1");
	sql_bind_i64(q, 1, p->id);
	sql_bind_i64(q, 2, now_us);
	r = sql_step(q);
	if (r <= 0)
		return r < 0 ? r : -ERR_DB;
	if (sql_col_i64(q, 0))
		*ret = PROMOTION_RUNNING;
	else if (!sql_col_i64(q, 1) && sql_col_i64(q, 2))
		*ret = PROMOTION_ENDED;
	sql_reset(q);
	return 0;
}

/* --- products and labels ----------------------------------------------------------------------
 */

/* ?1 is a brand, a category or a promotion with a list. */
#define CHOSEN_BY_BRAND    "SELECT id FROM products WHERE brand = ?1"
#define CHOSEN_BY_CATEGORY "SELECT id FROM products WHERE category = ?1"
#define CHOSEN_BY_LIST     "SELECT product_id AS id FROM promotion_list WHERE promotion_id = ?1"

#define PICK(s, p, before, after)                                                                  \
	((p)->select == PROMOTION_BY_BRAND ? sql_prepare((s), before CHOSEN_BY_BRAND after)        \
	 : (p)->select == PROMOTION_BY_CATEGORY                                                    \
		 ? sql_prepare((s), before CHOSEN_BY_CATEGORY after)                               \
		 : sql_prepare((s), before CHOSEN_BY_LIST after))

static void bind_choice(struct sql_stmt *q, const struct promotion *p)
{
	if (p->select == PROMOTION_BY_LIST)
		sql_bind_i64(q, 1, p->id);
	else
		sql_bind_text(q, 1, p->select_text);
}

/* A list as given, which may not have been stored. */
static int chosen_from_list(const struct promotion *p, int64_t after, size_t max, int64_t *ret_ids)
{
	size_t n = 0;

	for (size_t i = 0; i < p->n_products && n < max; i++)
		if (p->products[i] > after)
			ret_ids[n++] = p->products[i];
	return (int) n;
}

int promotion_chosen(struct sql *s, const struct promotion *p, int64_t after, size_t max,
		     int64_t *ret_ids)
{
	struct sql_stmt *q;
	size_t n = 0;
	int r = 0;

	if (p->select == PROMOTION_BY_LIST)
		return chosen_from_list(p, after, max, ret_ids);
	q = PICK(s, p, "SELECT id FROM (", ") WHERE id > ?2 ORDER BY id LIMIT ?3");
	bind_choice(q, p);
	sql_bind_i64(q, 2, after);
	sql_bind_i64(q, 3, (int64_t) max);
	while (n < max && (r = sql_step(q)) > 0)
		ret_ids[n++] = sql_col_i64(q, 0);
	sql_reset(q);
	return r < 0 ? r : (int) n;
}

static int count_labels_of_list(struct sql *s, const struct promotion *p, int64_t *ret)
{
	int64_t n = 0;

	for (size_t i = 0; i < p->n_products; i++) {
		struct sql_stmt *q =
			sql_prepare(s, "SELECT count(*) FROM labels WHERE product_id = ?");
		int r;

		sql_bind_i64(q, 1, p->products[i]);
		r = sql_step(q);
		if (r < 0)
			return r;
		n += sql_col_i64(q, 0);
		sql_reset(q);
	}
	*ret = n;
	return 0;
}

int promotion_count(struct sql *s, const struct promotion *p, int64_t *ret_products,
		    int64_t *ret_labels)
{
	struct sql_stmt *q;
	int r;

	if (p->select == PROMOTION_BY_LIST) {
		*ret_products = (int64_t) p->n_products;
		return count_labels_of_list(s, p, ret_labels);
	}
	q = PICK(s, p,
		 "SELECT count(*), coalesce(sum((SELECT count(*) FROM labels l"
		 " WHERE l.product_id = c.id)), 0) FROM (",
		 ") c");
	bind_choice(q, p);
	r = sql_step(q);
	if (r <= 0)
		return r < 0 ? r : -ERR_DB;
	*ret_products = sql_col_i64(q, 0);
	*ret_labels = sql_col_i64(q, 1);
	sql_reset(q);
	return 0;
}

int promotion_mark_labels(struct sql *s, int64_t id)
{
	struct sql_stmt *q = sql_prepare(
		s, "UPDATE labels SET stale = stale + 1 WHERE product_id IN"
		   " (SELECT product_id FROM promotion_members WHERE promotion_id = ?)");

	sql_bind_i64(q, 1, id);
	return sql_run(q);
}

int promotion_enrol(struct sql *s, const struct promotion *p, int64_t now_us)
{
	struct sql_stmt *q =
		PICK(s, p,
		     "UPDATE promotion_members SET to_at = max(from_at, ?2)"
		     " WHERE promotion_id = ?3 AND to_at IS NULL AND product_id NOT IN (",
		     ")");
	int r;

	bind_choice(q, p);
	sql_bind_i64(q, 2, now_us);
	sql_bind_i64(q, 3, p->id);
	r = sql_run(q);
	if (r < 0)
		return r;
	q = PICK(s, p,
		 "INSERT INTO promotion_members(promotion_id, product_id, from_at)"
		 " SELECT ?3, id, ?2 FROM (",
		 ") c WHERE NOT EXISTS (SELECT 1 FROM promotion_members m WHERE"
		 " m.promotion_id = ?3 AND m.product_id = c.id AND m.to_at IS NULL)");
	bind_choice(q, p);
	sql_bind_i64(q, 2, now_us);
	sql_bind_i64(q, 3, p->id);
	r = sql_run(q);
	return r < 0 ? r : promotion_mark_labels(s, p->id);
}
