/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/shop/wanted_draw.h"
#include "common/err.h"
#include "controller/promo/offer.h"
#include "controller/rollout/held.h"
#include "controller/shop/product.h"
#include "controller/shop/render.h"
#include <errno.h>
#include <string.h>

/* Pictures of a batch until they are stored. */
struct album {
	struct image_store_item *items;
	struct buf *bytes;
	size_t n, cap;
};

static void album_done(struct album *a)
{
	for (size_t i = 0; i < a->n; i++)
		buf_done(&a->bytes[i]);
	free(a->items);
	free(a->bytes);
}

static int album_add(struct album *a, struct buf *bytes, uint8_t ret_hash[IMAGE_HASH_BYTES])
{
	struct image_store_item item = {.data = bytes->data, .len = bytes->len};

	image_hash(bytes->data, bytes->len, item.hash);
	memcpy(ret_hash, item.hash, IMAGE_HASH_BYTES);
	for (size_t i = 0; i < a->n; i++)
		if (memcmp(a->items[i].hash, item.hash, IMAGE_HASH_BYTES) == 0) {
			buf_done(bytes);
			return 0;
		}
	if (a->n == a->cap) {
		size_t cap = a->cap ? a->cap * 2 : 64;
		struct image_store_item *items = reallocarray(a->items, cap, sizeof *items);
		struct buf *bufs = items ? reallocarray(a->bytes, cap, sizeof *bufs) : NULL;

		if (items)
			a->items = items;
		if (bufs)
			a->bytes = bufs;
		if (!bufs) {
			buf_done(bytes);
			return -ENOMEM;
		}
		a->cap = cap;
	}
	a->items[a->n] = item;
	a->bytes[a->n++] = *bytes;
	return 0;
}

static int draw_one(struct shop_slot *slot, const struct render_facts *f, struct album *album,
		    uint8_t ret_hash[IMAGE_HASH_BYTES])
{
	struct image im;
	struct buf bytes = BUF_INIT;
	int r = render_label(slot->renderer, f, &im);

	if (r < 0)
		return r;
	image_encode(&im, &bytes);
	image_done(&im);
	if (!buf_ok(&bytes)) {
		r = bytes.err;
		buf_done(&bytes);
		return r;
	}
	return album_add(album, &bytes, ret_hash);
}

static int draw_unlinked(struct shop_slot *slot, struct wanted_label *l, struct album *album)
{
	char id[LABEL_ID_MAX];
	struct render_facts f = {.width = l->width,
				 .height = l->height,
				 .type = l->display_type,
				 .label_id = label_id_format(l->addr, id)};

	l->n = 1;
	l->wishes[0] = (struct label_wish){.from_us = 0};
	return draw_one(slot, &f, album, l->wishes[0].image);
}

/* One picture per step of the offer; steps that look alike become one. `known` is the picture, if
 * it has been drawn already. */
static int draw_step(struct shop_slot *slot, struct wanted_label *l, const struct render_facts *f,
		     int64_t from_us, const uint8_t *known, struct album *album)
{
	struct label_wish *w = &l->wishes[l->n];
	int r = 0;

	*w = (struct label_wish){
		.from_us = from_us, .has_price = f->has_price, .price_minor = f->price_minor};
	memcpy(w->currency, f->currency.code, sizeof w->currency);
	if (known)
		memcpy(w->image, known, IMAGE_HASH_BYTES);
	else
		r = draw_one(slot, f, album, w->image);
	if (r == 0 &&
	    (l->n == 0 || memcmp(l->wishes[l->n - 1].image, w->image, IMAGE_HASH_BYTES) != 0))
		l->n++;
	return r;
}

/* What the picture of a step says; `zone` is the shop's, in which an end is a date. */
static void set_price(struct render_facts *f, const struct wanted_batch *b,
		      const struct offer_step *step)
{
	f->has_price = true;
	f->price_minor = step->price_minor;
	f->was_minor = step->was_minor;
	f->prior_minor = step->prior_minor;
	f->has_until = step->until_us && walltime_at(step->until_us, b->zone, &f->until) == 0;
	if (!currency_find(step->currency, &f->currency))
		f->currency = b->currency;
}

/* What a rollout keeps on the label comes last, if need be instead of what is furthest ahead. */
static int draw_held(struct shop_slot *slot, const struct wanted_batch *b, struct wanted_label *l,
		     struct render_facts *f, struct album *album)
{
	struct rollout_held held;
	struct offer_step step;
	int r = rollout_held(slot->sql, l->product_id, b->now_us, &held);

	if (r <= 0)
		return r;
	r = offer_if(slot->sql, l->product_id, b->now_us, held.price_minor, held.currency, &step);
	if (r < 0)
		return r;
	set_price(f, b, &step);
	if (l->n == PROTO_MAX_TIMELINE)
		l->n--;
	return draw_step(slot, l, f, PROTO_HOLD_US, NULL, album);
}

/* The picture of an earlier step that shows the same: the regular price comes back after each
 * promotion. */
static bool drawn_before(const struct wanted_label *l, const struct offer_step *steps, int i,
			 uint8_t ret[IMAGE_HASH_BYTES])
{
	for (int k = 0; k < i; k++) {
		if (!offer_same(&steps[k], &steps[i]))
			continue;
		for (size_t w = 0; w < l->n; w++)
			if (l->wishes[w].from_us == steps[k].from_us && l->wishes[w].has_price) {
				memcpy(ret, l->wishes[w].image, IMAGE_HASH_BYTES);
				return true;
			}
	}
	return false;
}

static int draw_linked(struct shop_slot *slot, const struct wanted_batch *b, struct wanted_label *l,
		       struct album *album)
{
	struct offer_step steps[PROTO_MAX_TIMELINE];
	struct product p;
	struct render_facts f = {.width = l->width, .height = l->height, .type = l->display_type};
	int r = product_load(slot->sql, l->product_id, b->now_us, &p), n;

	if (r < 0)
		return r;
	n = offer_timeline(slot->sql, l->product_id, b->now_us, PROTO_MAX_TIMELINE, steps);
	if (n < 0)
		return n;
	f.name = p.name;
	f.gtin = p.gtin;
	f.content_micro = p.content_micro;
	f.unit = p.unit;
	f.currency = b->currency;
	if (n == 0 || steps[0].from_us > b->now_us) /* no price yet */
		r = draw_step(slot, l, &f, 0, NULL, album);
	for (int i = 0; i < n && r == 0 && l->n < PROTO_MAX_TIMELINE; i++) {
		uint8_t known[IMAGE_HASH_BYTES];
		bool again = drawn_before(l, steps, i, known);

		set_price(&f, b, &steps[i]);
		r = draw_step(slot, l, &f, steps[i].from_us, again ? known : NULL, album);
	}
	return r < 0 ? r : draw_held(slot, b, l, &f, album);
}

/* Labels of one product and size have one timeline. */
static const struct wanted_label *twin(const struct wanted_batch *b, const struct wanted_label *l)
{
	for (const struct wanted_label *t = b->labels; t < l; t++)
		if (t->product_id && t->product_id == l->product_id && t->width == l->width &&
		    t->height == l->height && t->display_type == l->display_type)
			return t;
	return NULL;
}

static int draw_label(struct shop_slot *slot, struct wanted_batch *b, struct wanted_label *l,
		      struct album *album)
{
	const struct wanted_label *like = twin(b, l);
	int r;

	if (like) {
		l->n = like->n;
		memcpy(l->wishes, like->wishes, sizeof l->wishes);
		return 0;
	}
	r = l->product_id ? draw_linked(slot, b, l, album) : draw_unlinked(slot, l, album);
	if (r == -ERR_RANGE) { /* size not known yet, or a panel we cannot draw for */
		l->n = 0;
		return 0;
	}
	b->drawn += l->n;
	return r;
}

static int read_batch(struct sql *s, struct wanted_batch *b)
{
	struct sql_stmt *q = sql_prepare(
		s, "SELECT addr, stale, agent_id, product_id, width, height, display_type"
		   " FROM labels WHERE stale <> done ORDER BY addr LIMIT ?");
	int r = 0;

	sql_bind_i64(q, 1, WANTED_BATCH);
	while (b->n < WANTED_BATCH && (r = sql_step(q)) > 0)
		b->labels[b->n++] = (struct wanted_label){
			.addr = (uint64_t) sql_col_i64(q, 0),
			.stale = sql_col_i64(q, 1),
			.agent_id = sql_col_i64(q, 2),
			.product_id = sql_col_i64(q, 3),
			.width = (uint16_t) sql_col_i64(q, 4),
			.height = (uint16_t) sql_col_i64(q, 5),
			.display_type = (uint8_t) sql_col_i64(q, 6),
		};
	if (b->n < WANTED_BATCH && r < 0)
		return r;
	sql_reset(q);
	return 0;
}

void wanted_draw_batch(struct shop_job *job, struct shop_slot *slot)
{
	struct wanted_batch *b = (struct wanted_batch *) job;
	struct album album = {.n = 0};

	b->n = 0;
	b->drawn = 0;
	b->err = read_batch(slot->sql, b);
	for (size_t i = 0; i < b->n && b->err == 0; i++)
		b->err = draw_label(slot, b, &b->labels[i], &album);
	if (b->err == 0 && album.n > 0)
		b->err = image_store_put(b->images, album.items, album.n, b->now_us);
	album_done(&album);
}

void wanted_batch_clear(struct wanted_batch *b)
{
	b->n = 0;
}
