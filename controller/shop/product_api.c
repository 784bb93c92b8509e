/* SPDX-License-Identifier: Apache-2.0 */
/* /api/v1/products: lists, looks up, creates and edits products. */
#include "common/err.h"
#include "common/gtin.h"
#include "controller/http/list.h"
#include "controller/shop/product.h"
#include "controller/shop/shop_internal.h"
#include "controller/shop/wanted.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* --- reading -----------------------------------------------------------------------------------
 */

struct list_job {
	struct shop_job job;
	struct http_request *rq;
	struct shop *shop;
	struct list_page page;
	struct product_query query;
	int64_t now_us;
	json_t *items;
	int64_t next;
	int64_t total; /* counted for the first page only */
	int err;
};

static void list_work(struct shop_job *job, struct shop_slot *slot)
{
	struct list_job *l = (struct list_job *) job;
	_cleanup_free_ int64_t *ids = calloc((size_t) l->page.limit + 1, sizeof *ids);
	struct product p;
	int n;

	l->items = json_array();
	if (!ids || !l->items) {
		l->err = -ENOMEM;
		return;
	}
	n = product_search(slot->sql, &l->query, l->page.after, (size_t) l->page.limit + 1, ids);
	if (n < 0)
		l->err = n;
	for (int i = 0; i < n && i < l->page.limit && l->err == 0; i++) {
		l->err = product_load(slot->sql, ids[i], l->now_us, &p);
		if (l->err == 0)
			l->err = product_load_offer(slot->sql, l->now_us, &p);
		if (l->err == 0)
			json_array_append_new(l->items, product_json(&p, &l->shop->currency));
		if (i + 1 == l->page.limit && n > l->page.limit)
			l->next = ids[i];
	}
	l->total = l->page.after ? -1 : n;
	if (l->err == 0 && l->next && l->page.after == 0)
		l->err = product_count(slot->sql, &l->query, &l->total);
}

static void list_done(struct shop_job *job)
{
	struct list_job *l = (struct list_job *) job;

	if (l->err < 0) {
		json_decref(l->items);
		http_reply_err(l->rq, l->err, "Products");
	} else {
		list_reply_total(l->rq, l->items, l->next, l->total);
	}
	product_query_done(&l->query);
	free(l);
}

void product_api_list(struct http_request *rq, struct app *app)
{
	const char *text = http_query(rq, "q");
	struct list_job *l = calloc(1, sizeof *l);
	int r;

	if (!l) {
		http_reply_err(rq, -ENOMEM, "Products");
		return;
	}
	if (!list_page_read(rq, &l->page)) {
		free(l);
		return;
	}
	r = product_query_parse(text ? text : "", &l->query);
	if (r < 0) {
		http_problem(rq, 400, "bad-query", "Search for at most %d words of plain text.",
			     SEARCH_MAX_WORDS);
		free(l);
		return;
	}
	l->job = (struct shop_job){.work = list_work, .done = list_done};
	l->rq = rq;
	l->shop = app->shop;
	l->now_us = clock_real_us(app->clock);
	shop_work_submit(app->shop->work, &l->job, false);
}

static void reply_product(struct http_request *rq, struct shop *s, unsigned int status, int64_t id)
{
	struct product p;
	char etag[32];
	int64_t now = clock_real_us(s->app->clock);
	int r = product_load(db_reader(s->app->db), id, now, &p);

	if (r == 0)
		r = product_load_offer(db_reader(s->app->db), now, &p);
	if (r == -ENOENT) {
		http_problem(rq, 404, "no-such-product", "There is no such product.");
		return;
	}
	if (r < 0) {
		http_reply_err(rq, r, "Product");
		return;
	}
	snprintf(etag, sizeof etag, "\"%lld\"", (long long) p.rev);
	http_set_header(rq, "ETag", etag);
	http_reply_json(rq, status, product_json(&p, &s->currency));
}

void product_api_get(struct http_request *rq, struct app *app)
{
	int64_t id;

	if (shop_arg_id(rq, 0, &id))
		reply_product(rq, app->shop, 200, id);
}

void product_api_by_gtin(struct http_request *rq, struct app *app)
{
	const char *text = http_arg(rq, 0);
	uint64_t gtin;
	int64_t id;
	int r = gtin_parse(text, strlen(text), &gtin);

	if (r < 0) {
		http_problem(rq, 422, "bad-check-digit", "That is not a GTIN.");
		return;
	}
	r = product_find_gtin(db_reader(app->db), gtin, &id);
	if (r == -ENOENT)
		http_problem(rq, 404, "no-such-product", "No product has this number.");
	else if (r < 0)
		http_reply_err(rq, r, "Product");
	else
		reply_product(rq, app->shop, 200, id);
}

/* --- writing -----------------------------------------------------------------------------------
 */

enum {
	HAS_NAME = 1,
	HAS_BRAND = 2,
	HAS_CATEGORY = 4,
	HAS_CONTENT = 8,
	HAS_UNIT = 16
};

struct product_op {
	struct shop_op op;
	struct product given; /* id and gtin with it */
	unsigned int has;
	char scanned[24];
	bool create;
	int64_t if_rev; /* 0 = any */
};

static int patch_write(struct sql *s, struct product_op *p, int64_t now)
{
	struct product old;
	int r = product_load(s, p->given.id, now, &old);

	if (r < 0)
		return r;
	if (p->if_rev && p->if_rev != old.rev)
		return -ERR_STATE;
	if (p->given.gtin && p->given.gtin != old.gtin)
		return -ERR_CHECK_DIGIT; /* another number is another product */
	if (p->has & HAS_NAME)
		memcpy(old.name, p->given.name, sizeof old.name);
	if (p->has & HAS_BRAND)
		memcpy(old.brand, p->given.brand, sizeof old.brand);
	if (p->has & HAS_CATEGORY)
		memcpy(old.category, p->given.category, sizeof old.category);
	if (p->has & HAS_CONTENT)
		old.content_micro = p->given.content_micro;
	if (p->has & HAS_UNIT)
		old.unit = p->given.unit;
	if ((old.content_micro > 0) != (old.unit != CONTENT_NONE))
		return -ERR_RANGE; /* a content without a unit says nothing */
	memcpy(p->given.name, old.name, sizeof p->given.name); /* for the audit trail */
	return product_update(s, &old, now);
}

static int product_write(struct sql *s, void *arg)
{
	struct product_op *p = arg;
	char object[40];
	int64_t now;
	int r = db_now_us(s, &now);

	if (r == 0)
		r = p->create ? product_insert(s, &p->given, p->scanned[0] ? p->scanned : NULL,
					       NULL, now)
			      : patch_write(s, p, now);
	if (r < 0)
		return r;
	snprintf(object, sizeof object, "product:%lld", (long long) p->given.id);
	return db_audit(s, p->op.who, p->create ? "product.create" : "product.change", object,
			p->given.name);
}

static void product_written(void *arg, int err)
{
	struct product_op *p = arg;
	struct shop *s = p->op.shop;
	struct http_request *rq = p->op.rq;

	if (err == 0) {
		reply_product(rq, s, p->create ? 201 : 200, p->given.id);
		events_publish(s->app->events, "product",
			       json_pack("{s:I}", "id", (json_int_t) p->given.id));
		wanted_kick(s->wanted);
	} else if (err == -ERR_CONFLICT && p->create) {
		http_problem(rq, 409, "duplicate-gtin", "A product with this GTIN exists already.");
	} else if (err == -ERR_STATE) {
		http_problem(rq, 412, "changed-meanwhile",
			     "Somebody changed this product meanwhile; load it again.");
	} else if (err == -ERR_CHECK_DIGIT) {
		http_problem(rq, 422, "gtin-fixed", "A product keeps its GTIN.");
	} else if (err == -ERR_RANGE) {
		http_problem(rq, 422, "bad-content", "content and unit belong together.");
	} else if (err == -ENOENT) {
		http_problem(rq, 404, "no-such-product", "There is no such product.");
	} else {
		http_reply_err(rq, err, "Product");
	}
	free(p);
}

/* One text field of the body. Replies and returns false if it cannot be stored. */
static bool read_text(struct http_request *rq, json_t *body, const char *field, char *to,
		      unsigned int bit, unsigned int *has)
{
	json_t *v = json_object_get(body, field);
	size_t at;
	int r;

	if (!v)
		return true;
	if (json_is_null(v)) { /* no brand, no category; a name is asked for below */
		*has |= bit;
		return true;
	}
	if (!json_is_string(v)) {
		http_problem(rq, 422, "bad-text", "%s is a string.", field);
		return false;
	}
	r = product_text_clean(json_string_value(v), json_string_length(v), to, &at);
	if (r < 0) {
		http_problem(rq, 422, r == -ERR_TOO_LARGE ? "too-long" : "bad-text",
			     "%s is plain text of at most %d bytes.", field, PRODUCT_TEXT_MAX);
		return false;
	}
	*has |= bit;
	return true;
}

static bool read_content(struct http_request *rq, json_t *body, struct product_op *p)
{
	json_t *content = json_object_get(body, "content"), *unit = json_object_get(body, "unit");

	if (content) {
		p->has |= HAS_CONTENT;
		if (!json_is_null(content) &&
		    (!json_is_string(content) ||
		     content_parse(json_string_value(content), json_string_length(content),
				   &p->given.content_micro) < 0)) {
			http_problem(rq, 422, "bad-number",
				     "content is decimal text such as \"0.75\", above 0.");
			return false;
		}
	}
	if (unit) {
		p->has |= HAS_UNIT;
		if (json_is_string(unit))
			p->given.unit = content_unit_parse(json_string_value(unit),
							   json_string_length(unit));
		if (!json_is_null(unit) && p->given.unit == CONTENT_NONE) {
			http_problem(rq, 422, "bad-unit", "unit is one of kg, g, l, ml, m, pc.");
			return false;
		}
	}
	return true;
}

static bool known_fields(struct http_request *rq, json_t *body)
{
	static const char *const known[] = {"name", "brand", "category", "content", "unit"};
	const char *key;
	json_t *value;

	json_object_foreach(body, key, value)
	{
		bool ok = strcmp(key, "gtin") == 0;

		for (size_t i = 0; i < ARRAY_SIZE(known) && !ok; i++)
			ok = strcmp(key, known[i]) == 0;
		if (!ok) {
			http_problem(rq, 422, "unknown-field", "%.40s cannot be set here.", key);
			return false;
		}
	}
	return true;
}

static bool read_gtin(struct http_request *rq, json_t *body, struct product_op *p)
{
	json_t *gtin = json_object_get(body, "gtin");

	if (!gtin || json_is_null(gtin))
		return true;
	if (!json_is_string(gtin) || json_string_length(gtin) >= sizeof p->scanned ||
	    gtin_parse(json_string_value(gtin), json_string_length(gtin), &p->given.gtin) < 0 ||
	    p->given.gtin == 0) {
		http_problem(rq, 422, "bad-check-digit",
			     "gtin is a text of 8, 12, 13 or 14 digits, the last a check digit.");
		return false;
	}
	snprintf(p->scanned, sizeof p->scanned, "%s", json_string_value(gtin));
	return true;
}

static bool read_product(struct http_request *rq, json_t *body, struct product_op *p)
{
	if (!known_fields(rq, body) ||
	    !read_text(rq, body, "name", p->given.name, HAS_NAME, &p->has) ||
	    !read_text(rq, body, "brand", p->given.brand, HAS_BRAND, &p->has) ||
	    !read_text(rq, body, "category", p->given.category, HAS_CATEGORY, &p->has) ||
	    !read_content(rq, body, p) || !read_gtin(rq, body, p))
		return false;
	if ((p->create || (p->has & HAS_NAME)) && !p->given.name[0]) {
		http_problem(rq, 422, "missing-name", "A product has a name.");
		return false;
	}
	if (p->create && (p->given.content_micro > 0) != (p->given.unit != CONTENT_NONE)) {
		http_problem(rq, 422, "bad-content", "content and unit belong together.");
		return false;
	}
	return true;
}

static void begin_write(struct http_request *rq, struct app *app, bool create, int64_t id,
			int64_t if_rev)
{
	struct product_op *p = calloc(1, sizeof *p);
	json_t *body = p ? http_json(rq) : NULL;
	bool ok;
	int r;

	if (!p) {
		http_reply_err(rq, -ENOMEM, "Product");
		return;
	}
	p->create = create;
	p->if_rev = if_rev;
	p->given.id = id;
	ok = body && read_product(rq, body, p);
	json_decref(body);
	if (!ok) {
		free(p);
		return;
	}
	shop_op_init(&p->op, rq, app);
	r = db_write(app->db, product_write, product_written, p);
	if (r < 0) {
		http_reply_err(rq, r, "Product");
		free(p);
	}
}

void product_api_create(struct http_request *rq, struct app *app)
{
	begin_write(rq, app, true, 0, 0);
}

void product_api_patch(struct http_request *rq, struct app *app)
{
	const char *tag = http_header(rq, "If-Match");
	int64_t id, rev = 0;

	if (!shop_arg_id(rq, 0, &id))
		return;
	if (tag && strcmp(tag, "*") != 0) {
		const char *p = tag + (*tag == '"');

		rev = -1; /* a tag that we never gave matches nothing */
		if (*p >= '1' && *p <= '9' && strlen(p) < 20)
			rev = strtoll(p, NULL, 10);
	}
	begin_write(rq, app, false, id, rev);
}
