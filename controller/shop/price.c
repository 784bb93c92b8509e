/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/shop/price.h"
#include "common/clock.h"
#include "common/err.h"
#include "common/gtin.h"
#include "controller/shop/product.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

int price_append(struct sql *s, struct price *p)
{
	struct sql_stmt *q = sql_prepare(s, "INSERT INTO prices(store_id, product_id, price_minor,"
					    " currency, from_at, at, who, reason)"
					    " VALUES(?, ?, ?, ?, ?, ?, ?, ?)");
	int r;

	sql_bind_i64(q, 1, SHOP_STORE_ID);
	sql_bind_i64(q, 2, p->product_id);
	sql_bind_i64(q, 3, p->price_minor);
	sql_bind_text(q, 4, p->currency);
	sql_bind_i64(q, 5, p->from_us);
	sql_bind_i64(q, 6, p->at_us);
	sql_bind_text(q, 7, p->who);
	sql_bind_text(q, 8, p->reason);
	r = sql_run(q);
	if (r < 0)
		return r;
	p->id = sql_last_rowid(s);
	if (!p->undo_of)
		return 0;
	q = sql_prepare(s, "INSERT INTO price_undos(price_id, undo_of) VALUES(?, ?)");
	sql_bind_i64(q, 1, p->id);
	sql_bind_i64(q, 2, p->undo_of);
	return sql_run(q);
}

json_t *price_json(const struct price *p)
{
	char gtin[GTIN_STR_MAX], from[CLOCK_RFC3339_MAX], at[CLOCK_RFC3339_MAX];

	return json_pack("{s:I,s:I,s:o,s:I,s:s,s:s,s:s,s:s,s:o,s:o}", "id", (json_int_t) p->id,
			 "product_id", (json_int_t) p->product_id, "gtin",
			 p->gtin ? json_string(gtin_format(p->gtin, gtin)) : json_null(),
			 "price_minor", (json_int_t) p->price_minor, "currency", p->currency,
			 "from", clock_rfc3339(p->from_us, from), "at", clock_rfc3339(p->at_us, at),
			 "by", p->who, "reason",
			 p->reason[0] ? json_string(p->reason) : json_null(), "undo_of",
			 p->undo_of ? json_integer(p->undo_of) : json_null());
}

static void read_step(struct sql_stmt *q, struct price_step *ret)
{
	ret->from_us = sql_col_i64(q, 0);
	ret->price_minor = sql_col_i64(q, 1);
	snprintf(ret->currency, sizeof ret->currency, "%s", sql_col_text(q, 2));
}

int price_timeline(struct sql *s, int64_t product_id, int64_t now_us, size_t max,
		   struct price_step *ret)
{
	struct sql_stmt *q = sql_prepare(s, "SELECT from_at, price_minor, currency FROM prices"
					    " WHERE product_id = ? AND from_at <= ?"
					    " ORDER BY from_at DESC, id DESC LIMIT 1");
	size_t n = 0;
	int r;

	sql_bind_i64(q, 1, product_id);
	sql_bind_i64(q, 2, now_us);
	r = sql_step(q);
	if (r > 0 && max > 0)
		read_step(q, &ret[n++]);
	sql_reset(q);
	q = sql_prepare(s, "SELECT from_at, price_minor, currency FROM prices"
			   " WHERE product_id = ? AND from_at > ? ORDER BY from_at, id");
	sql_bind_i64(q, 1, product_id);
	sql_bind_i64(q, 2, now_us);
	while (r >= 0 && (r = sql_step(q)) > 0) {
		if (n > 0 && ret[n - 1].from_us == sql_col_i64(q, 0))
			n--; /* same instant: the newer row holds */
		if (n == max)
			break;
		read_step(q, &ret[n++]);
	}
	sql_reset(q);
	return r < 0 ? r : (int) n;
}

int price_next_change(struct sql *s, int64_t now_us, int64_t *ret_us)
{
	struct sql_stmt *q = sql_prepare(
		s, "SELECT min(from_at) FROM prices WHERE from_at > at AND from_at > ?");
	int r;

	sql_bind_i64(q, 1, now_us);
	r = sql_step(q);
	if (r < 0)
		return r;
	*ret_us = r == 0 || sql_col_is_null(q, 0) ? INT64_MAX : sql_col_i64(q, 0);
	sql_reset(q);
	return 0;
}
