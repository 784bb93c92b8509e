/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/shop/import_plan.h"
#include "common/err.h"
#include "controller/shop/price.h"
#include "controller/shop/product.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* The product as the row wants it; columns that the file lacks stay as they are. */
static void merge(const struct import_set *set, const struct import_row *row, struct product *p)
{
	p->gtin = row->gtin;
	snprintf(p->name, sizeof p->name, "%s", row->name);
	if (set->sheet.has[COLUMN_BRAND])
		snprintf(p->brand, sizeof p->brand, "%s", row->brand);
	if (set->sheet.has[COLUMN_CATEGORY])
		snprintf(p->category, sizeof p->category, "%s", row->category);
	if (set->sheet.has[COLUMN_CONTENT] || set->sheet.has[COLUMN_UNIT]) {
		p->content_micro = row->content_micro;
		p->unit = row->unit;
	}
}

static bool same(const struct product *a, const struct product *b)
{
	return strcmp(a->name, b->name) == 0 && strcmp(a->brand, b->brand) == 0 &&
	       strcmp(a->category, b->category) == 0 && a->content_micro == b->content_micro &&
	       a->unit == b->unit;
}

/* Here rather than on the writer thread, where others would wait for it. */
static int fold(struct import_set *set, struct import_row *row)
{
	_cleanup_free_ char *folded = product_folded(row->name, row->brand);
	size_t len = folded ? strlen(folded) + 1 : 0;
	char *kept = folded ? csv_sheet_alloc(&set->sheet, len) : NULL;

	if (!kept)
		return -ENOMEM;
	memcpy(kept, folded, len);
	row->folded = kept;
	return 0;
}

static int plan_row(struct sql *s, struct import_set *set, struct import_row *row,
		    const struct currency *currency, int64_t now_us)
{
	struct product old, new;
	int r = product_find_gtin(s, row->gtin, &row->product_id);

	if (r == -ENOENT) {
		row->action = IMPORT_CREATE;
		row->sets_price = row->has_price;
		return fold(set, row);
	}
	if (r == 0)
		r = product_load(s, row->product_id, now_us, &old);
	if (r < 0)
		return r;
	new = old;
	merge(set, row, &new);
	row->rev = old.rev;
	row->action = same(&old, &new) ? IMPORT_UNCHANGED : IMPORT_UPDATE;
	row->sets_price =
		row->has_price && (!old.has_price || old.price_minor != row->price_minor ||
				   strcmp(old.currency, currency->code) != 0);
	return 0;
}

int import_plan(struct sql *s, struct import_set *set, const struct currency *currency,
		int64_t now_us, struct import_counts *ret)
{
	struct import_counts c = {.rows = set->n};

	for (size_t i = 0; i < set->n; i++) {
		struct import_row *row = &set->rows[i];
		int r = plan_row(s, set, row, currency, now_us);

		if (r < 0)
			return r;
		c.created += row->action == IMPORT_CREATE;
		c.updated += row->action == IMPORT_UPDATE ||
			     (row->action == IMPORT_UNCHANGED && row->sets_price);
		c.unchanged += row->action == IMPORT_UNCHANGED && !row->sets_price;
		c.prices_changed += row->sets_price;
	}
	*ret = c;
	return 0;
}

static int apply_row(struct sql *s, const struct import_set *set, const struct import_row *row,
		     int64_t *ret_id, int64_t now_us)
{
	struct product p = {.id = 0};
	int r;

	*ret_id = row->product_id;
	if (row->action == IMPORT_UNCHANGED)
		return 0;
	if (row->action == IMPORT_UPDATE) {
		r = product_load(s, row->product_id, now_us, &p);
		if (r < 0)
			return r;
		p.rev = row->rev;
	}
	merge(set, row, &p);
	if (row->action == IMPORT_UPDATE)
		return product_update(s, &p, now_us);
	r = product_insert(s, &p, row->scanned, row->folded, now_us);
	*ret_id = p.id;
	return r;
}

int import_apply(struct sql *s, const struct import_set *set, const struct currency *currency,
		 const char *who, int64_t now_us)
{
	struct price price = {.from_us = now_us, .at_us = now_us, .reason = "import"};

	snprintf(price.who, sizeof price.who, "%s", who);
	memcpy(price.currency, currency->code, sizeof price.currency);
	for (size_t i = 0; i < set->n; i++) {
		const struct import_row *row = &set->rows[i];
		int r = apply_row(s, set, row, &price.product_id, now_us);

		if (r == 0 && row->sets_price) {
			price.price_minor = row->price_minor;
			r = price_append(s, &price);
		}
		if (r == 0 && row->sets_price && row->action == IMPORT_UNCHANGED)
			r = product_mark_labels(s, price.product_id); /* an update has done it */
		if (r < 0)
			return r;
	}
	return 0;
}
