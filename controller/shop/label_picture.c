/* SPDX-License-Identifier: Apache-2.0 */
/* Pictures for people: PNGs of exactly the bits that a label is wanted to show, was sent or shows,
 * and the preview of a price before it is set. */
#include "common/clock.h"
#include "common/err.h"
#include "common/hex.h"
#include "controller/db/db.h"
#include "controller/shop/display_ledger.h"
#include "controller/shop/label_api.h"
#include "controller/shop/product.h"
#include "controller/shop/render.h"
#include "controller/shop/template.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

struct picture {
	struct shop_job job;
	struct http_request *rq;
	struct shop *shop;
	unsigned int scale;
	bool stored; /* by hash from the image store; else drawn from the facts */
	uint8_t hash[IMAGE_HASH_BYTES];
	int64_t product_id;
	int64_t now_us;
	struct render_facts facts;
	struct buf png;
	int err;
};

static int load_stored(const struct picture *p, struct image *ret)
{
	struct buf bytes = BUF_INIT;
	int r = image_store_get(p->shop->images, p->hash, &bytes);

	if (r == 0)
		r = image_decode(bytes.data, bytes.len, ret);
	buf_done(&bytes);
	return r;
}

static int draw(struct picture *p, struct shop_slot *slot, struct image *ret)
{
	struct product product;
	int r = product_load(slot->sql, p->product_id, p->now_us, &product);

	if (r < 0)
		return r;
	p->facts.name = product.name;
	p->facts.gtin = product.gtin;
	p->facts.content_micro = product.content_micro;
	p->facts.unit = product.unit;
	if (!p->facts.has_price && product.has_price) {
		p->facts.has_price = true;
		p->facts.price_minor = product.price_minor;
	}
	r = render_label(slot->renderer, &p->facts, ret);
	p->facts.name = NULL;
	return r;
}

static void picture_work(struct shop_job *job, struct shop_slot *slot)
{
	struct picture *p = (struct picture *) job;
	struct image im;

	p->err = p->stored ? load_stored(p, &im) : draw(p, slot, &im);
	if (p->err < 0)
		return;
	p->err = render_png(&im, p->scale, &p->png);
	image_done(&im);
}

static void picture_done(struct shop_job *job)
{
	struct picture *p = (struct picture *) job;

	if (p->err == -ENOENT) {
		http_problem(p->rq, 404, p->stored ? "no-such-image" : "no-such-product",
			     p->stored ? "The picture is not here." : "There is no such product.");
	} else if (p->err < 0) {
		http_reply_err(p->rq, p->err, "Picture");
	} else {
		http_set_header(p->rq, "Cache-Control", "private, no-cache");
		http_reply_buf(p->rq, 200, "image/png", &p->png);
	}
	buf_done(&p->png);
	free(p);
}

static struct picture *picture_new(struct http_request *rq, struct app *app)
{
	struct picture *p = calloc(1, sizeof *p);

	if (!p) {
		http_reply_err(rq, -ENOMEM, "Picture");
		return NULL;
	}
	p->job = (struct shop_job){.work = picture_work, .done = picture_done};
	p->rq = rq;
	p->shop = app->shop;
	p->scale = 1;
	p->now_us = clock_real_us(app->clock);
	return p;
}

static const uint8_t *pick(const struct label *l, const char *what, int64_t now_us)
{
	const struct label_wish *wish = label_wish_at(l, now_us);

	if (strcmp(what, "wanted") == 0)
		return wish ? wish->image : NULL;
	if (strcmp(what, "sent") == 0)
		return l->sent.at_us ? l->sent.image : NULL;
	return l->shown.at_us ? l->shown.image : NULL;
}

/* Any picture of this label's history, by its hash. False = replied. */
static bool pick_past(struct http_request *rq, struct app *app, const struct label *l,
		      const char *text, uint8_t ret_hash[IMAGE_HASH_BYTES])
{
	int r;

	if (hex_decode(text, ret_hash, IMAGE_HASH_BYTES) < 0) {
		http_problem(rq, 400, "bad-query", "image is the 64 digits of a picture's hash.");
		return false;
	}
	r = ledger_names(db_reader(app->db), l->addr, ret_hash);
	if (r < 0)
		http_reply_err(rq, r, "Picture");
	else if (r == 0)
		http_problem(rq, 404, "no-such-image",
			     "This picture is not in the history of this label.");
	return r > 0;
}

/* The picture that is wanted, sent or shown. False = replied. */
static bool pick_present(struct http_request *rq, struct app *app, const struct label *l,
			 const char *what, uint8_t ret_hash[IMAGE_HASH_BYTES])
{
	const uint8_t *hash;

	if (strcmp(what, "wanted") != 0 && strcmp(what, "sent") != 0 &&
	    strcmp(what, "shown") != 0) {
		http_problem(rq, 400, "bad-query", "what is wanted, sent or shown.");
		return false;
	}
	hash = pick(l, what, clock_real_us(app->clock));
	if (!hash) {
		http_problem(rq, 404, "no-such-image", "Nothing is known to be %s on this label.",
			     what);
		return false;
	}
	memcpy(ret_hash, hash, IMAGE_HASH_BYTES);
	return true;
}

void label_api_image(struct http_request *rq, struct app *app)
{
	const char *what = http_query(rq, "what"), *past = http_query(rq, "image"),
		   *have = http_header(rq, "If-None-Match");
	char etag[IMAGE_HASH_HEX_MAX + 8], hex[IMAGE_HASH_HEX_MAX];
	uint8_t hash[IMAGE_HASH_BYTES];
	struct picture *p;
	struct label l;
	int64_t scale;

	if (!http_query_int(rq, "scale", 1, 1, 4, &scale) || !label_api_load(rq, app, &l))
		return;
	if (past ? !pick_past(rq, app, &l, past, hash)
		 : !pick_present(rq, app, &l, what ? what : "wanted", hash))
		return;
	snprintf(etag, sizeof etag, "\"%s-%d\"", hex_encode(hash, IMAGE_HASH_BYTES, hex),
		 (int) scale);
	http_set_header(rq, "ETag", etag);
	if (have && strcmp(have, etag) == 0) {
		http_reply_empty(rq, 304);
		return;
	}
	p = picture_new(rq, app);
	if (!p)
		return;
	p->scale = (unsigned int) scale;
	p->stored = true;
	memcpy(p->hash, hash, sizeof p->hash);
	shop_work_submit(app->shop->work, &p->job, false);
}

/* An integer of the body within a range; `def` if it is not there. */
static bool read_int(json_t *body, const char *name, int64_t def, int64_t min, int64_t max,
		     int64_t *ret)
{
	json_t *v = json_object_get(body, name);

	*ret = v ? json_integer_value(v) : def;
	return (!v || json_is_integer(v)) && *ret >= min && *ret <= max;
}

/* until: an instant, or a wall time of the shop. False if it is neither. */
static bool read_until(json_t *body, const char *zone, struct render_facts *f)
{
	json_t *v = json_object_get(body, "until");
	int64_t at;

	if (!v || json_is_null(v))
		return true;
	if (!json_is_string(v))
		return false;
	f->has_until = walltime_parse(json_string_value(v), json_string_length(v), &f->until) == 0;
	if (!f->has_until && clock_parse_rfc3339(json_string_value(v), &at) == 0)
		f->has_until = walltime_at(at, zone, &f->until) == 0;
	return f->has_until;
}

/* What stands beside a reduced price; null is as good as nothing. */
static bool read_reduction(json_t *body, const char *zone, struct render_facts *f)
{
	static const char *const fields[] = {"was_minor", "prior_minor"};

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		if (json_is_null(json_object_get(body, fields[i])))
			json_object_del(body, fields[i]);
	return read_int(body, "was_minor", 0, 0, PRICE_MAX_MINOR, &f->was_minor) &&
	       read_int(body, "prior_minor", 0, 0, PRICE_MAX_MINOR, &f->prior_minor) &&
	       read_until(body, zone, f);
}

void label_api_preview(struct http_request *rq, struct app *app)
{
	struct render_facts reduction = {.has_until = false};
	struct picture *p;
	json_t *body = http_json(rq);
	int64_t width, height, type, price, scale, id;
	bool ok;

	if (!body)
		return;
	ok = read_int(body, "width", 296, TEMPLATE_MIN_SIDE, 1024, &width) &&
	     read_int(body, "height", 128, TEMPLATE_MIN_SIDE, 1024, &height) &&
	     read_int(body, "display_type", DISPLAY_BLACK_WHITE, 0, 255, &type) &&
	     image_planes((uint8_t) type) > 0 &&
	     read_int(body, "price_minor", -1, -1, PRICE_MAX_MINOR, &price) &&
	     read_int(body, "scale", 1, 1, 4, &scale) &&
	     read_int(body, "product_id", 0, 1, INT64_MAX, &id) &&
	     read_reduction(body, app->config->store_zone, &reduction);
	json_decref(body);
	if (!ok) {
		http_problem(rq, 422, "bad-number",
			     "Give product_id and, within reason, price_minor, width, height,"
			     " display_type, was_minor, prior_minor, until.");
		return;
	}
	p = picture_new(rq, app);
	if (!p)
		return;
	p->product_id = id;
	p->scale = (unsigned int) scale;
	p->facts = (struct render_facts){.width = (uint16_t) width,
					 .height = (uint16_t) height,
					 .type = (uint8_t) type,
					 .has_price = price >= 0,
					 .price_minor = price,
					 .currency = app->shop->currency,
					 .was_minor = reduction.was_minor,
					 .prior_minor = reduction.prior_minor,
					 .has_until = reduction.has_until,
					 .until = reduction.until};
	shop_work_submit(app->shop->work, &p->job, false);
}
