/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/shop/label_links.h"
#include "common/gtin.h"
#include "controller/db/db.h"
#include "controller/shop/display_ledger.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* --- writing -----------------------------------------------------------------------------------
 */

struct present {
	int64_t product_id, agent_id, heard_by;
};

static int load_present(struct sql *s, uint64_t addr, struct present *ret)
{
	struct sql_stmt *q = sql_prepare(s, "SELECT product_id, agent_id, (SELECT id FROM agents"
					    " WHERE id = heard_by AND revoked IS NULL) FROM labels"
					    " WHERE addr = ?");
	int r;

	sql_bind_i64(q, 1, (int64_t) addr);
	r = sql_step(q);
	if (r <= 0)
		return r < 0 ? r : -ENOENT;
	*ret = (struct present){.product_id = sql_col_i64(q, 0),
				.agent_id = sql_col_i64(q, 1),
				.heard_by = sql_col_i64(q, 2)};
	sql_reset(q);
	return 0;
}

static int product_name(struct sql *s, int64_t id, char name[PRODUCT_TEXT_MAX + 1])
{
	struct sql_stmt *q = sql_prepare(s, "SELECT name FROM products WHERE id = ?");
	int r;

	sql_bind_i64(q, 1, id);
	r = sql_step(q);
	if (r <= 0)
		return r < 0 ? r : -ENOENT;
	snprintf(name, PRODUCT_TEXT_MAX + 1, "%s", sql_col_text(q, 0));
	sql_reset(q);
	return 0;
}

/* A label that gets a product is in use again, whatever became of it before. */
static int set_product(struct sql *s, const struct label_link *l)
{
	struct sql_stmt *q =
		sql_prepare(s, "UPDATE labels SET product_id = ?1, stale = stale + 1,"
			       " retired_at = iif(?1 IS NULL, retired_at, NULL),"
			       " replaced_by = iif(?1 IS NULL, replaced_by, NULL) WHERE addr = ?2");

	if (l->product_id)
		sql_bind_i64(q, 1, l->product_id);
	sql_bind_i64(q, 2, (int64_t) l->addr);
	return sql_run(q);
}

static int add_row(struct sql *s, struct label_link *l)
{
	struct sql_stmt *q = sql_prepare(
		s, "INSERT INTO label_links(at, who, addr, from_product, to_product, cause, batch,"
		   " undo_of) VALUES(?1, ?2, ?3, ?4, ?5, ?6,"
		   " iif(?7 = 0, (SELECT coalesce(max(id), 0) + 1 FROM label_links), ?7), ?8)");
	int r;

	sql_bind_i64(q, 1, l->now_us);
	sql_bind_text(q, 2, l->who);
	sql_bind_i64(q, 3, (int64_t) l->addr);
	if (l->from_product)
		sql_bind_i64(q, 4, l->from_product);
	if (l->product_id)
		sql_bind_i64(q, 5, l->product_id);
	sql_bind_text(q, 6, l->cause);
	if (l->in_batch)
		sql_bind_i64(q, 7, l->batch);
	if (l->undo_of)
		sql_bind_i64(q, 8, l->undo_of);
	r = sql_run(q);
	if (r == 0)
		l->id = sql_last_rowid(s);
	return r;
}

int label_link_set(struct sql *s, struct label_link *l)
{
	char name[PRODUCT_TEXT_MAX + 1] = "";
	struct ledger_entry e = {.addr = l->addr,
				 .at_us = l->now_us,
				 .kind = l->product_id ? "linked" : "unlinked",
				 .text = l->note ? l->note : name};
	struct present now;
	int r = load_present(s, l->addr, &now);

	l->id = 0;
	l->adopted_by = 0;
	if (r < 0)
		return r;
	l->from_product = now.product_id;
	if (now.product_id == l->product_id)
		return 0;
	r = product_name(s, l->product_id ? l->product_id : now.product_id, name);
	if (r == 0)
		r = set_product(s, l);
	if (r == 0)
		r = add_row(s, l);
	if (r == 0)
		r = ledger_append(s, &e);
	if (r < 0 || !l->product_id || now.agent_id || !now.heard_by)
		return r;
	l->adopted_by = now.heard_by;
	return label_assign(s, l->addr, 0, now.heard_by);
}

/* --- reading -----------------------------------------------------------------------------------
 */

#define NEWER "EXISTS(SELECT 1 FROM label_links n WHERE n.addr = l.addr AND n.id > l.id)"

int label_link_load(struct sql *s, int64_t id, struct label_link_row *ret)
{
	struct sql_stmt *q =
		sql_prepare(s, "SELECT l.addr, l.from_product, l.to_product, l.batch, l.cause,"
			       " " NEWER " FROM label_links l WHERE l.id = ?");
	int r;

	sql_bind_i64(q, 1, id);
	r = sql_step(q);
	if (r <= 0)
		return r < 0 ? r : -ENOENT;
	*ret = (struct label_link_row){.id = id,
				       .addr = (uint64_t) sql_col_i64(q, 0),
				       .from_product = sql_col_i64(q, 1),
				       .to_product = sql_col_i64(q, 2),
				       .batch = sql_col_i64(q, 3),
				       .superseded = sql_col_i64(q, 5) != 0};
	snprintf(ret->cause, sizeof ret->cause, "%s", sql_col_text(q, 4));
	sql_reset(q);
	return 0;
}

#define COLUMNS                                                                                    \
	"SELECT l.id, l.at, l.who, l.addr, l.cause, l.batch, l.undo_of,"                           \
	" l.from_product, f.gtin, f.name, l.to_product, t.gtin, t.name,"                           \
	" EXISTS(SELECT 1 FROM label_links u WHERE u.undo_of = l.id), " NEWER                      \
	" FROM label_links l LEFT JOIN products f ON f.id = l.from_product"                        \
	" LEFT JOIN products t ON t.id = l.to_product"

static json_t *product_at(struct sql_stmt *q, int i)
{
	char gtin[GTIN_STR_MAX];

	if (sql_col_is_null(q, i))
		return json_null();
	return json_pack("{s:I,s:o,s:s}", "id", (json_int_t) sql_col_i64(q, i), "gtin",
			 sql_col_i64(q, i + 1)
				 ? json_string(gtin_format((uint64_t) sql_col_i64(q, i + 1), gtin))
				 : json_null(),
			 "name", sql_col_text(q, i + 2));
}

static json_t *number_at(struct sql_stmt *q, int i)
{
	return sql_col_is_null(q, i) ? json_null() : json_integer(sql_col_i64(q, i));
}

static json_t *row_json(struct sql_stmt *q)
{
	char at[CLOCK_RFC3339_MAX], id[LABEL_ID_MAX];

	return json_pack("{s:I,s:s,s:s,s:s,s:s,s:o,s:o,s:o,s:o,s:b,s:b}", "id",
			 (json_int_t) sql_col_i64(q, 0), "at", clock_rfc3339(sql_col_i64(q, 1), at),
			 "by", sql_col_text(q, 2), "label",
			 label_id_format((uint64_t) sql_col_i64(q, 3), id), "cause",
			 sql_col_text(q, 4), "batch", number_at(q, 5), "undo_of", number_at(q, 6),
			 "from", product_at(q, 7), "to", product_at(q, 10), "undone",
			 (int) sql_col_i64(q, 13), "superseded", (int) sql_col_i64(q, 14));
}

json_t *label_link_json(struct sql *s, int64_t id)
{
	struct sql_stmt *q = sql_prepare(s, COLUMNS " WHERE l.id = ?");
	json_t *o = NULL;

	sql_bind_i64(q, 1, id);
	if (sql_step(q) > 0)
		o = row_json(q);
	sql_reset(q);
	return o;
}

/* One text for each question, so that each is answered by its index. */
static struct sql_stmt *list_query(struct sql *s, uint64_t addr, int64_t product_id)
{
	if (addr)
		return sql_prepare(s,
				   COLUMNS " WHERE l.addr = ?3 AND l.id < ?1"
					   " AND (?4 = 0 OR ?4 IN (l.from_product, l.to_product))"
					   " ORDER BY l.id DESC LIMIT ?2");
	if (product_id)
		return sql_prepare(s, COLUMNS " WHERE l.id IN (SELECT id FROM label_links"
					      " WHERE from_product = ?4 AND id < ?1"
					      " UNION SELECT id FROM label_links"
					      " WHERE to_product = ?4 AND id < ?1)"
					      " ORDER BY l.id DESC LIMIT ?2");
	return sql_prepare(s, COLUMNS " WHERE l.id < ?1 ORDER BY l.id DESC LIMIT ?2");
}

int label_link_list(struct sql *s, const struct list_page *page, uint64_t addr, int64_t product_id,
		    json_t *items, int64_t *ret_next)
{
	struct sql_stmt *q = list_query(s, addr, product_id);
	int64_t n = 0, last = 0;
	int r;

	sql_bind_i64(q, 1, page->after ? page->after : INT64_MAX);
	sql_bind_i64(q, 2, page->limit + 1);
	if (addr)
		sql_bind_i64(q, 3, (int64_t) addr);
	if (addr || product_id)
		sql_bind_i64(q, 4, product_id);
	*ret_next = 0;
	while ((r = sql_step(q)) > 0 && n++ < page->limit) {
		last = sql_col_i64(q, 0);
		json_array_append_new(items, row_json(q));
	}
	if (r > 0)
		*ret_next = last;
	sql_reset(q);
	return r < 0 ? r : 0;
}
