/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/rollout/held.h"
#include <errno.h>
#include <stdio.h>

int rollout_price_without(struct sql *s, int64_t product_id, int64_t without, int64_t at_us,
			  struct rollout_held *ret)
{
	struct sql_stmt *q =
		sql_prepare(s, "SELECT price_minor, currency FROM prices WHERE product_id = ?"
			       " AND from_at <= ? AND id <> ? ORDER BY from_at DESC, id DESC"
			       " LIMIT 1");
	int r;

	sql_bind_i64(q, 1, product_id);
	sql_bind_i64(q, 2, at_us);
	sql_bind_i64(q, 3, without);
	r = sql_step(q);
	if (r <= 0)
		return r < 0 ? r : -ENOENT;
	ret->price_minor = sql_col_i64(q, 0);
	snprintf(ret->currency, sizeof ret->currency, "%s", sql_col_text(q, 1));
	sql_reset(q);
	return 0;
}

int rollout_held(struct sql *s, int64_t product_id, int64_t now_us, struct rollout_held *ret)
{
	struct sql_stmt *q = sql_prepare(s, "SELECT hold, price_minor, currency, flip_price FROM"
					    " rollout_products WHERE product_id = ? AND hold <> 0");
	int64_t hold, flip;
	int r;

	sql_bind_i64(q, 1, product_id);
	r = sql_step(q);
	if (r <= 0)
		return r;
	hold = sql_col_i64(q, 0);
	flip = sql_col_i64(q, 3);
	ret->price_minor = sql_col_i64(q, 1);
	snprintf(ret->currency, sizeof ret->currency, "%s", sql_col_text(q, 2));
	sql_reset(q);
	if (hold == 1)
		return 1;
	r = rollout_price_without(s, product_id, flip, now_us, ret);
	return r == -ENOENT ? 0 : r < 0 ? r : 1;
}
