/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/shop/wanted_store.h"
#include "common/err.h"
#include "controller/db/db.h"
#include "controller/promo/offer.h"
#include "controller/promo/promotion.h"
#include "controller/shop/display_ledger.h"
#include "controller/shop/template.h"
#include <string.h>

#define HELD_TEXT "Kept on the label for a rollout; not shown now."

/* Does the stored timeline already say this? Pictures decide, and when those ahead begin; since
 * when the present one holds does not matter, it is shown already. */
static bool same_timeline(const struct label_wish *old, size_t n_old, const struct wanted_label *l,
			  int64_t now_us)
{
	while (n_old > 1 && old[1].from_us <= now_us) { /* passed by itself */
		old++;
		n_old--;
	}
	if (n_old != l->n)
		return false;
	for (size_t i = 0; i < n_old; i++) {
		if (memcmp(old[i].image, l->wishes[i].image, IMAGE_HASH_BYTES) != 0)
			return false;
		if (old[i].from_us != l->wishes[i].from_us &&
		    (old[i].from_us > now_us || l->wishes[i].from_us > now_us))
			return false;
	}
	return true;
}

static int replace_rows(struct sql *s, const struct wanted_label *l)
{
	struct sql_stmt *q = sql_prepare(s, "DELETE FROM wanted WHERE addr = ?");
	int r;

	sql_bind_i64(q, 1, (int64_t) l->addr);
	r = sql_run(q);
	for (size_t i = 0; i < l->n && r == 0; i++) {
		const struct label_wish *w = &l->wishes[i];

		q = sql_prepare(s, "INSERT INTO wanted(addr, from_at, image, price_minor, currency,"
				   " staged_at) VALUES(?, ?, ?, ?, ?, ?)");
		sql_bind_i64(q, 1, (int64_t) l->addr);
		sql_bind_i64(q, 2, w->from_us);
		sql_bind_blob(q, 3, w->image, IMAGE_HASH_BYTES);
		if (w->has_price) {
			sql_bind_i64(q, 4, w->price_minor);
			sql_bind_text(q, 5, w->currency);
		}
		if (w->staged_us)
			sql_bind_i64(q, 6, w->staged_us);
		r = sql_run(q);
	}
	return r;
}

static const struct label_wish *find_wish(const struct label_wish *wishes, size_t n,
					  const uint8_t image[IMAGE_HASH_BYTES])
{
	for (size_t i = 0; i < n; i++)
		if (memcmp(wishes[i].image, image, IMAGE_HASH_BYTES) == 0)
			return &wishes[i];
	return NULL;
}

/* A picture that was on the label under the old timeline still is. */
static void keep_staged(struct wanted_label *l, const struct label_wish *old, size_t n_old)
{
	for (size_t i = 0; i < l->n; i++) {
		const struct label_wish *w = find_wish(old, n_old, l->wishes[i].image);

		l->wishes[i].staged_us = w ? w->staged_us : 0;
	}
}

/* What is held has no date: it is noted once, when it is first wished. */
static int note_wanted(struct sql *s, const struct wanted_label *l, const struct label_wish *old,
		       size_t n_old, int64_t now_us)
{
	int r = 0;

	for (size_t i = 0; i < l->n && r == 0; i++) {
		const struct label_wish *w = &l->wishes[i];
		bool held = w->from_us == PROTO_HOLD_US;
		struct ledger_entry e = {.addr = l->addr,
					 .at_us = held ? now_us : MAX(w->from_us, now_us),
					 .kind = held ? "held" : "wanted",
					 .text = held ? HELD_TEXT : NULL,
					 .image = w->image,
					 .has_price = w->has_price,
					 .price_minor = w->price_minor,
					 .currency = w->currency};

		if (held && find_wish(old, n_old, w->image))
			continue;
		r = ledger_append(s, &e);
	}
	return r;
}

static int new_revision(struct sql *s, const struct wanted_label *l)
{
	struct sql_stmt *q = sql_prepare(s, "UPDATE labels SET wanted_rev = ? WHERE addr = ?");
	uint64_t rev;
	int r = db_next_rev(s, &rev);

	if (r < 0)
		return r;
	sql_bind_i64(q, 1, (int64_t) rev);
	sql_bind_i64(q, 2, (int64_t) l->addr);
	return sql_run(q);
}

static int clear_mark(struct sql *s, const struct wanted_label *l)
{
	struct sql_stmt *q =
		sql_prepare(s, "UPDATE labels SET done = ?, template = ? WHERE addr = ?");

	sql_bind_i64(q, 1, l->stale);
	sql_bind_i64(q, 2, TEMPLATE_VERSION);
	sql_bind_i64(q, 3, (int64_t) l->addr);
	return sql_run(q);
}

int wanted_store_batch(struct sql *s, struct wanted_batch *b)
{
	for (size_t i = 0; i < b->n; i++) {
		struct wanted_label *l = &b->labels[i];
		struct label_wish old[PROTO_MAX_TIMELINE];
		int n = label_load_wanted(s, l->addr, old), r = n < 0 ? n : 0;

		l->changed = r == 0 && !same_timeline(old, (size_t) n, l, b->now_us);
		if (r == 0)
			keep_staged(l, old, (size_t) n);
		if (r == 0)
			r = replace_rows(s, l);
		if (r == 0 && l->changed)
			r = note_wanted(s, l, old, (size_t) n, b->now_us);
		if (r == 0 && l->changed)
			r = new_revision(s, l);
		if (r == 0)
			r = clear_mark(s, l);
		if (r < 0)
			return r;
	}
	return 0;
}

/* A clock that was set back: any timeline may have been made for a time that has not come. */
static int mark_all(struct sql *s)
{
	return sql_run(
		sql_prepare(s, "UPDATE labels SET stale = stale + 1 WHERE product_id IS NOT NULL"));
}

static int mark_old_templates(struct sql *s)
{
	struct sql_stmt *q = sql_prepare(
		s, "UPDATE labels SET stale = stale + 1 WHERE template <> ? AND stale = done");

	sql_bind_i64(q, 1, TEMPLATE_VERSION);
	return sql_run(q);
}

int wanted_store_turn(struct sql *s, int64_t from_us, int64_t to_us, int64_t *ret_products,
		      size_t max, size_t *ret_n)
{
	struct sql_stmt *q;
	int r = promotion_turn(s, from_us, to_us);

	/* what has come into force, and what has come near enough to be put on the labels */
	if (r == 0 && to_us < from_us)
		r = mark_all(s);
	else if (r == 0 && from_us == 0)
		r = offer_mark_changes(s, 0, to_us + OFFER_AHEAD_US);
	else if (r == 0)
		r = offer_mark_changes(s, from_us, to_us);
	if (r == 0 && from_us > 0 && to_us > from_us)
		r = offer_mark_changes(s, from_us + OFFER_AHEAD_US, to_us + OFFER_AHEAD_US);
	if (r == 0)
		r = mark_old_templates(s);
	if (r < 0)
		return r;
	q = sql_prepare(s, "SELECT DISTINCT product_id FROM prices WHERE from_at > at"
			   " AND from_at > ? AND from_at <= ? LIMIT ?");
	sql_bind_i64(q, 1, from_us);
	sql_bind_i64(q, 2, to_us);
	sql_bind_i64(q, 3, (int64_t) max);
	*ret_n = 0;
	while (*ret_n < max && (r = sql_step(q)) > 0)
		ret_products[(*ret_n)++] = sql_col_i64(q, 0);
	sql_reset(q);
	return r < 0 ? r : 0;
}
