/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/inventory/exit.h"
#include <stdio.h>
#include <string.h>

/* A sale by GTIN explains an item that left this long after it, or shortly before: as the books'
 * rule of which gone item a sale took. */
#define BEFORE_US (INT64_C(12) * 3600 * US_PER_SEC)
#define AFTER_US  (120 * US_PER_SEC)

static void take(struct sql_stmt *q, struct exit_sale *ret)
{
	*ret = (struct exit_sale){.line = sql_col_i64(q, 0), .at_us = sql_col_i64(q, 1)};
	snprintf(ret->till, sizeof(ret->till), "%s", sql_col_text(q, 2));
	snprintf(ret->number, sizeof(ret->number), "%s", sql_col_text(q, 3));
}

/* The tills' last word on this very item. */
static int by_epc(struct sql *s, const struct epc *epc, struct exit_sale *ret)
{
	struct sql_stmt *q = sql_prepare(
		s, "SELECT l.id, l.at, s.till, s.number, l.quantity FROM sale_lines l"
		   " JOIN sales s ON s.id = l.sale_id WHERE l.epc = ? AND l.epc_bits = ?"
		   " ORDER BY l.at DESC, l.id DESC LIMIT 1");
	int r;

	sql_bind_blob(q, 1, epc->data, epc_bytes(epc));
	sql_bind_i64(q, 2, epc->bits);
	r = sql_step(q);
	if (r > 0) {
		r = sql_col_i64(q, 4) > 0;
		take(q, ret);
	}
	sql_reset(q);
	return r;
}

/* A sale of the product, nearest in time, of which not every unit explains another item. */
static int by_gtin(struct sql *s, uint64_t gtin, int64_t at_us, int64_t grace_us,
		   struct exit_sale *ret)
{
	struct sql_stmt *q = sql_prepare(
		s, "SELECT l.id, l.at, s.till, s.number FROM sale_lines l"
		   " JOIN sales s ON s.id = l.sale_id WHERE l.gtin = ?1 AND l.epc IS NULL"
		   " AND l.quantity > 0 AND l.at BETWEEN ?2 AND ?3 AND l.quantity >"
		   " (SELECT count(*) FROM passages p WHERE p.sale_line = l.id)"
		   " ORDER BY abs(l.at - ?4), l.id LIMIT 1");
	int r;

	sql_bind_i64(q, 1, (int64_t) gtin);
	sql_bind_i64(q, 2, at_us - BEFORE_US);
	sql_bind_i64(q, 3, at_us + MAX(AFTER_US, grace_us));
	sql_bind_i64(q, 4, at_us);
	r = sql_step(q);
	if (r > 0)
		take(q, ret);
	sql_reset(q);
	return r > 0 ? 1 : r;
}

int exit_find_sale(struct sql *s, const struct epc *epc, uint64_t gtin, int64_t at_us,
		   int64_t grace_us, struct exit_sale *ret)
{
	int r = by_epc(s, epc, ret);

	return r || !gtin ? r : by_gtin(s, gtin, at_us, grace_us, ret);
}
