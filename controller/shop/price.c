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
