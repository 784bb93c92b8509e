/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/shop/product.h"
#include "common/clock.h"
#include "common/err.h"
#include "common/gtin.h"
#include "controller/db/db.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

static void copy_text(char *to, size_t cap, const char *from)
{
	snprintf(to, cap, "%s", from ? from : "");
}

int product_load(struct sql *s, int64_t id, int64_t now_us, struct product *ret)
{
	struct sql_stmt *q = sql_prepare(
		s,
		"SELECT p.id, p.gtin, p.name, p.brand, p.category, p.content_micro, p.unit, p.rev,"
		" (SELECT count(*) FROM labels l WHERE l.product_id = p.id), c.price_minor, "
		"c.currency"
		" FROM products p LEFT JOIN prices c ON c.id ="
		" (SELECT id FROM prices WHERE product_id = p.id AND from_at <= ?2"
		"  ORDER BY from_at DESC, id DESC LIMIT 1) WHERE p.id = ?1");
	int r;

	sql_bind_i64(q, 1, id);
	sql_bind_i64(q, 2, now_us);
	r = sql_step(q);
	if (r <= 0)
		return r < 0 ? r : -ENOENT;
	*ret = (struct product){.id = sql_col_i64(q, 0),
				.gtin = (uint64_t) sql_col_i64(q, 1),
				.content_micro = sql_col_i64(q, 5),
				.unit = (enum content_unit) sql_col_i64(q, 6),
				.rev = sql_col_i64(q, 7),
				.labels = sql_col_i64(q, 8),
				.has_price = !sql_col_is_null(q, 9),
				.price_minor = sql_col_i64(q, 9)};
	copy_text(ret->name, sizeof ret->name, sql_col_text(q, 2));
	copy_text(ret->brand, sizeof ret->brand, sql_col_text(q, 3));
	copy_text(ret->category, sizeof ret->category, sql_col_text(q, 4));
	copy_text(ret->currency, sizeof ret->currency, sql_col_text(q, 10));
	sql_reset(q);
	return 0;
}

int product_load_offer(struct sql *s, int64_t now_us, struct product *p)
{
	int r = p->has_price ? offer_at(s, p->id, now_us, &p->offer) : 0;

	return r < 0 ? r : 0;
}

int product_find_gtin(struct sql *s, uint64_t gtin, int64_t *ret_id)
{
	struct sql_stmt *q = sql_prepare(s, "SELECT product_id FROM product_aliases"
					    " WHERE store_id = ? AND kind = 'gtin' AND value = ?");
	char value[GTIN_STR_MAX];
	int r;

	sql_bind_i64(q, 1, SHOP_STORE_ID);
	sql_bind_text(q, 2, gtin_format(gtin, value));
	r = sql_step(q);
	if (r <= 0)
		return r < 0 ? r : -ENOENT;
	*ret_id = sql_col_i64(q, 0);
	sql_reset(q);
	return 0;
}

char *product_folded(const char *name, const char *brand)
{
	char both[2 * PRODUCT_TEXT_MAX + 2];

	snprintf(both, sizeof both, "%s%s%s", name, brand[0] ? " " : "", brand);
	return product_text_fold(both);
}

static int insert_alias(struct sql *s, const struct product *p, const char *scanned)
{
	struct sql_stmt *q = sql_prepare(
		s, "INSERT INTO product_aliases(store_id, kind, value, scanned, product_id)"
		   " VALUES(?, 'gtin', ?, ?, ?)");
	char value[GTIN_STR_MAX];

	gtin_format(p->gtin, value);
	sql_bind_i64(q, 1, SHOP_STORE_ID);
	sql_bind_text(q, 2, value);
	sql_bind_text(q, 3, scanned ? scanned : value);
	sql_bind_i64(q, 4, p->id);
	return sql_run(q);
}

int product_insert(struct sql *s, struct product *p, const char *scanned, const char *folded,
		   int64_t now_us)
{
	_cleanup_free_ char *made = folded ? NULL : product_folded(p->name, p->brand);
	struct sql_stmt *q =
		sql_prepare(s, "INSERT INTO products(store_id, gtin, name, brand, category,"
			       " content_micro, unit, folded, created, changed)"
			       " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9)");
	int r;

	if (!folded)
		folded = made;
	if (!folded)
		return -ENOMEM;
	sql_bind_i64(q, 1, SHOP_STORE_ID);
	if (p->gtin)
		sql_bind_i64(q, 2, (int64_t) p->gtin);
	sql_bind_text(q, 3, p->name);
	sql_bind_text(q, 4, p->brand);
	sql_bind_text(q, 5, p->category);
	sql_bind_i64(q, 6, p->content_micro);
	sql_bind_i64(q, 7, p->unit);
	sql_bind_text(q, 8, folded);
	sql_bind_i64(q, 9, now_us);
	r = sql_run(q);
	if (r < 0)
		return r;
	p->id = sql_last_rowid(s);
	p->rev = 1;
	return p->gtin ? insert_alias(s, p, scanned) : 0;
}

int product_update(struct sql *s, struct product *p, int64_t now_us)
{
	_cleanup_free_ char *folded = product_folded(p->name, p->brand);
	struct sql_stmt *q = sql_prepare(
		s, "UPDATE products SET name = ?, brand = ?, category = ?,"
		   " content_micro = ?, unit = ?, folded = ?, changed = ?, rev = rev + 1"
		   " WHERE id = ? AND rev = ?");
	int r;

	if (!folded)
		return -ENOMEM;
	sql_bind_text(q, 1, p->name);
	sql_bind_text(q, 2, p->brand);
	sql_bind_text(q, 3, p->category);
	sql_bind_i64(q, 4, p->content_micro);
	sql_bind_i64(q, 5, p->unit);
	sql_bind_text(q, 6, folded);
	sql_bind_i64(q, 7, now_us);
	sql_bind_i64(q, 8, p->id);
	sql_bind_i64(q, 9, p->rev);
	r = sql_run(q);
	if (r < 0)
		return r;
	if (sql_changes(s) == 0)
		return -ERR_CONFLICT;
	p->rev++;
	return product_mark_labels(s, p->id);
}

int product_mark_labels(struct sql *s, int64_t product_id)
{
	struct sql_stmt *q =
		sql_prepare(s, "UPDATE labels SET stale = stale + 1 WHERE product_id = ?");

	sql_bind_i64(q, 1, product_id);
	return sql_run(q);
}

static json_t *unit_price_json(const struct product *p)
{
	struct unit_price up;

	if (!p->has_price || !unit_price(p->price_minor, p->content_micro, p->unit, &up))
		return json_null();
	return json_pack("{s:I,s:s}", "minor", (json_int_t) up.minor, "per", up.per);
}

static json_t *positive_or_null(int64_t v)
{
	return v > 0 ? json_integer(v) : json_null();
}

static json_t *offer_json(const struct offer_step *o)
{
	char until[CLOCK_RFC3339_MAX];

	if (!o->promotion_id)
		return json_null();
	return json_pack("{s:I,s:I,s:o,s:I,s:s}", "price_minor", (json_int_t) o->price_minor,
			 "was_minor", (json_int_t) o->was_minor, "prior_minor",
			 positive_or_null(o->prior_minor), "promotion_id",
			 (json_int_t) o->promotion_id, "until", clock_rfc3339(o->until_us, until));
}

json_t *product_json(const struct product *p, const struct currency *currency)
{
	char gtin[GTIN_STR_MAX], content[CONTENT_TEXT_MAX], etag[24];
	bool has_content = p->content_micro > 0;

	snprintf(etag, sizeof etag, "%lld", (long long) p->rev);
	return json_pack(
		"{s:I,s:o,s:s,s:s,s:s,s:o,s:o,s:o,s:s,s:o,s:I,s:s,s:o}", "id", (json_int_t) p->id,
		"gtin", p->gtin ? json_string(gtin_format(p->gtin, gtin)) : json_null(), "name",
		p->name, "brand", p->brand, "category", p->category, "content",
		has_content ? json_string(content_format(p->content_micro, content)) : json_null(),
		"unit", has_content ? json_string(content_unit_text(p->unit)) : json_null(),
		"price_minor", p->has_price ? json_integer(p->price_minor) : json_null(),
		"currency", p->has_price ? p->currency : currency->code, "unit_price",
		unit_price_json(p), "labels", (json_int_t) p->labels, "etag", etag, "offer",
		offer_json(&p->offer));
}
