/* SPDX-License-Identifier: Apache-2.0 */
/* /api/v1/promotions: create, change, cancel, list. */
#include "common/err.h"
#include "common/fault.h"
#include "controller/http/idempotency.h"
#include "controller/http/list.h"
#include "controller/promo/promo_internal.h"
#include "controller/promo/promotion_json.h"
#include "controller/shop/wanted.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define BODY_MAX (256u << 10) /* a list of PROMOTION_LIST_MAX products */

void promotion_init(struct promotion *p, const struct app *app)
{
	*p = (struct promotion){.stored = PROMOTION_SCHEDULED};
	snprintf(p->zone, sizeof p->zone, "%s", app->config->store_zone);
	memcpy(p->currency, app->shop->currency.code, sizeof p->currency);
}

bool promotion_api_load(struct http_request *rq, struct app *app, struct promotion *ret)
{
	int64_t id;
	int r;

	if (!shop_arg_id(rq, 0, &id))
		return false;
	r = promotion_load(db_reader(app->db), id, ret);
	if (r == -ENOENT)
		http_problem(rq, 404, "no-such-promotion", "There is no such promotion.");
	else if (r < 0)
		http_reply_err(rq, r, "Promotion");
	return r == 0;
}

bool promotion_reply_faults(struct http_request *rq, struct promotion_reading *r)
{
	json_t *errors = r->errors, *first = json_array_get(errors, 0);
	char code[40], detail[256];

	r->errors = NULL;
	if (!first) {
		json_decref(errors);
		return true;
	}
	snprintf(code, sizeof code, "%s", json_string_value(json_object_get(first, "code")));
	snprintf(detail, sizeof detail, "%s", json_string_value(json_object_get(first, "detail")));
	http_problem_errors(rq, 422, code, errors, "%s", detail);
	return false;
}

/* --- writing ----------------------------------------------------------------------------------
 */

enum what {
	CREATE,
	CHANGE,
	CANCEL
};

struct promotion_op {
	struct shop_op op;
	struct idempotency again;
	enum what what;
	struct promotion p;         /* as it shall be; id and rev of what was looked at */
	enum promotion_state state; /* what it was when the request was understood */
	unsigned int has;           /* what a change changes */
	char *answer;               /* owned */
};

static void op_free(struct promotion_op *o)
{
	promotion_done(&o->p);
	free(o->answer);
	free(o);
}

/* From now on it counts: its products are members, its occurrences instants. */
static int schedule(struct sql *s, const struct promotion *p, int64_t now_us)
{
	int r = promotion_enrol(s, p, now_us);

	return r < 0 ? r : promotion_write_plan(s, p, now_us);
}

static int create(struct sql *s, struct promotion_op *o, int64_t now_us)
{
	int r;

	o->p.created_us = now_us;
	snprintf(o->p.who, sizeof o->p.who, "%s", o->op.who);
	r = promotion_insert(s, &o->p);
	return r == 0 && o->p.stored == PROMOTION_SCHEDULED ? schedule(s, &o->p, now_us) : r;
}

/* A promotion that runs keeps its terms; its end may move, which moves those ahead as well. */
static int change(struct sql *s, struct promotion_op *o, int64_t now_us)
{
	int r = promotion_update(s, &o->p);

	if (r < 0 || o->p.stored != PROMOTION_SCHEDULED)
		return r;
	if (o->state != PROMOTION_RUNNING)
		return schedule(s, &o->p, now_us);
	if (!(o->has & PROMOTION_HAS_END))
		return 0;
	r = promotion_move_end(s, &o->p, now_us);
	if (r == 0)
		r = promotion_write_plan(s, &o->p, now_us);
	return r < 0 ? r : promotion_mark_labels(s, o->p.id);
}

static int cancel(struct sql *s, struct promotion_op *o, int64_t now_us)
{
	int r;

	o->p.stored = PROMOTION_CANCELLED;
	o->p.cancelled_us = now_us;
	snprintf(o->p.cancelled_by, sizeof o->p.cancelled_by, "%s", o->op.who);
	r = promotion_update(s, &o->p);
	if (r == 0)
		r = promotion_cut_plan(s, o->p.id, now_us);
	return r < 0 ? r : promotion_mark_labels(s, o->p.id);
}

static int audit(struct sql *s, const struct promotion_op *o)
{
	static const char *const actions[] = {"promotion.create", "promotion.change",
					      "promotion.cancel"};
	char object[40], start[WALLTIME_TEXT_MAX], end[WALLTIME_TEXT_MAX], detail[400],
		terms[PRICE_TEXT_MAX], percent[16];
	const struct promotion *p = &o->p;

	if (p->percent_milli)
		snprintf(terms, sizeof terms, "%s %%",
			 promotion_percent_text(p->percent_milli, percent));
	else
		price_with_code(p->price_minor, p->currency, terms);
	snprintf(object, sizeof object, "promotion:%lld", (long long) p->id);
	if (o->what == CANCEL)
		snprintf(detail, sizeof detail, "%s: %s", p->name, p->cancel_reason);
	else
		snprintf(detail, sizeof detail, "%s (%s): %s, %s to %s%s%s", p->name,
			 promotion_state_text(p->stored), terms, walltime_format(&p->start, start),
			 walltime_format(&p->end, end), p->recurrence[0] ? ", " : "",
			 p->recurrence);
	return db_audit(s, o->op.who, actions[o->what], object, detail);
}

static int promotion_write(struct sql *s, void *arg)
{
	struct promotion_op *o = arg;
	enum promotion_state state;
	json_t *body;
	int64_t now;
	int r = db_now_us(s, &now);

	if (r == 0 && o->what != CREATE) {
		r = promotion_state_at(s, &o->p, now, &state);
		/* p is as it shall be: a draft that is being scheduled was a draft */
		if (r == 0 && o->state != PROMOTION_DRAFT && state != o->state)
			r = -ERR_STATE;
	}
	if (r == 0)
		r = o->what == CREATE   ? create(s, o, now)
		    : o->what == CHANGE ? change(s, o, now)
					: cancel(s, o, now);
	if (r == 0)
		r = audit(s, o);
	if (r == 0)
		r = promotion_json(s, &o->p, now, &body);
	if (r < 0)
		return r;
	o->answer = json_dumps(body, JSON_COMPACT);
	json_decref(body);
	if (!o->answer)
		return -ENOMEM;
	FAULT_POINT("ctl.promotion.before_commit");
	return idempotency_store(s, &o->again, 201, o->answer);
}

static void promotion_failed(struct promotion_op *o, int err)
{
	struct http_request *rq = o->op.rq;

	/* the same key came twice at once: the other one's answer is there by now */
	if (err == -ERR_CONFLICT && o->again.key[0] &&
	    !idempotency_begin(rq, o->op.shop->app, &o->again))
		return;
	if (err == -ERR_CONFLICT && o->what != CREATE)
		http_problem(rq, 412, "changed-meanwhile",
			     "Somebody changed this promotion meanwhile; load it again.");
	else if (err == -ERR_STATE)
		http_problem(rq, 409, "wrong-state", "It began or ended just now; load it again.");
	else if (err == -ERR_RANGE)
		http_problem(rq, 422, "over",
			     "The new end has passed already; cancel it to end it now.");
	else
		http_reply_err(rq, err, "Promotion");
}

static void promotion_written(void *arg, int err)
{
	struct promotion_op *o = arg;
	struct shop *shop = o->op.shop;
	struct buf body = BUF_INIT;
	char etag[32];

	if (err < 0) {
		promotion_failed(o, err);
		op_free(o);
		return;
	}
	FAULT_POINT("ctl.promotion.after_commit");
	buf_put_str(&body, o->answer);
	snprintf(etag, sizeof etag, "\"%lld\"", (long long) o->p.rev);
	http_set_header(o->op.rq, "ETag", etag);
	http_reply_buf(o->op.rq, o->what == CREATE ? 201 : 200, "application/json", &body);
	promotion_publish(shop->app, o->p.id);
	wanted_kick(shop->wanted);
	op_free(o);
}

static void submit(struct promotion_op *o, struct app *app)
{
	int r = db_write(app->db, promotion_write, promotion_written, o);

	if (r < 0) {
		http_reply_err(o->op.rq, r, "Promotion");
		op_free(o);
	}
}

static void api_create(struct http_request *rq, struct app *app)
{
	struct promotion_op *o = calloc(1, sizeof *o);
	struct promotion_reading reading = {.sql = db_reader(app->db),
					    .currency = app->shop->currency,
					    .now_us = clock_real_us(app->clock)};
	json_t *body = o ? http_json(rq) : NULL;
	int r = 0;

	if (!o)
		http_reply_err(rq, -ENOMEM, "Promotion");
	if (!body) {
		free(o);
		return;
	}
	shop_op_init(&o->op, rq, app);
	promotion_init(&o->p, app);
	r = promotion_read_whole(&reading, body, &o->p);
	json_decref(body);
	if (r < 0) {
		json_decref(reading.errors);
		http_reply_err(rq, r, "Promotion");
		op_free(o);
	} else if (!promotion_reply_faults(rq, &reading) ||
		   !idempotency_begin(rq, app, &o->again)) {
		op_free(o);
	} else {
		submit(o, app);
	}
}

/* False when it has replied. A tag may come without its quotes. */
static bool if_match(struct http_request *rq, const struct promotion *p)
{
	const char *tag = http_header(rq, "If-Match");
	char etag[32];

	snprintf(etag, sizeof etag, "\"%lld\"", (long long) p->rev);
	if (!tag || strcmp(tag, "*") == 0 || strcmp(tag, etag) == 0 ||
	    (strlen(tag) == strlen(etag) - 2 && memcmp(tag, etag + 1, strlen(tag)) == 0))
		return true;
	http_problem(rq, 412, "changed-meanwhile",
		     "Somebody changed this promotion meanwhile; load it again.");
	return false;
}

static bool same_choice(const struct promotion *a, const struct promotion *b)
{
	return a->select == b->select && strcmp(a->select_text, b->select_text) == 0 &&
	       a->n_products == b->n_products &&
	       (a->n_products == 0 ||
		memcmp(a->products, b->products, a->n_products * sizeof *a->products) == 0);
}

/* What is different, whatever the body repeated. */
static unsigned int differences(const struct promotion *a, const struct promotion *b)
{
	bool terms = a->percent_milli != b->percent_milli || a->price_minor != b->price_minor;
	bool start = walltime_to_count(&a->start) != walltime_to_count(&b->start);
	bool end = walltime_to_count(&a->end) != walltime_to_count(&b->end);

	return (strcmp(a->name, b->name) ? PROMOTION_HAS_NAME : 0u) |
	       (terms ? PROMOTION_HAS_TERMS : 0u) |
	       (same_choice(a, b) ? 0u : PROMOTION_HAS_SELECT) |
	       (strcmp(a->zone, b->zone) ? PROMOTION_HAS_ZONE : 0u) |
	       (start ? PROMOTION_HAS_START : 0u) | (end ? PROMOTION_HAS_END : 0u) |
	       (strcmp(a->recurrence, b->recurrence) ? PROMOTION_HAS_RECURRENCE : 0u) |
	       (a->stored != b->stored ? PROMOTION_HAS_STATE : 0u);
}

/* May it be changed like this? Replies if not. */
static bool may_change(struct http_request *rq, const struct promotion_op *o)
{
	const unsigned int running = PROMOTION_HAS_NAME | PROMOTION_HAS_END;

	if (o->state == PROMOTION_RUNNING && (o->has & ~running)) {
		http_problem(rq, 409, "wrong-state",
			     "It is running: only its name and end can be changed; or cancel it.");
		return false;
	}
	if (o->state == PROMOTION_SCHEDULED && o->p.stored == PROMOTION_DRAFT) {
		http_problem(rq, 409, "wrong-state",
			     "It is scheduled; cancel it rather than make it a draft again.");
		return false;
	}
	return true;
}

static bool is_over(struct http_request *rq, const struct promotion_op *o)
{
	if (o->state != PROMOTION_ENDED && o->state != PROMOTION_CANCELLED)
		return false;
	http_problem(rq, 409, "wrong-state", "It is %s; make a new one.",
		     promotion_state_text(o->state));
	return true;
}

/* Reads the body over the stored one. False when it has replied. */
static bool read_change(struct http_request *rq, struct app *app, json_t *body,
			struct promotion_op *o)
{
	_cleanup_(promotion_done) struct promotion was = {.id = 0};
	struct promotion_reading reading = {.sql = db_reader(app->db),
					    .currency = app->shop->currency,
					    .now_us = clock_real_us(app->clock)};
	int r = promotion_load(reading.sql, o->p.id, &was);

	if (r == 0)
		r = promotion_read(&reading, body, &o->p);
	if (r == 0)
		r = promotion_check(&reading, &o->p);
	o->has = differences(&was, &o->p);
	if (r < 0) {
		json_decref(reading.errors);
		http_reply_err(rq, r, "Promotion");
		return false;
	}
	return promotion_reply_faults(rq, &reading) && may_change(rq, o);
}

/* The stored promotion and its state, for a change. NULL when it has replied. */
static struct promotion_op *begin(struct http_request *rq, struct app *app, enum what what)
{
	struct promotion_op *o = calloc(1, sizeof *o);
	int r;

	if (!o) {
		http_reply_err(rq, -ENOMEM, "Promotion");
		return NULL;
	}
	o->what = what;
	shop_op_init(&o->op, rq, app);
	if (!promotion_api_load(rq, app, &o->p)) {
		free(o);
		return NULL;
	}
	r = promotion_state_at(db_reader(app->db), &o->p, clock_real_us(app->clock), &o->state);
	if (r < 0)
		http_reply_err(rq, r, "Promotion");
	if (r < 0 || !if_match(rq, &o->p)) {
		op_free(o);
		return NULL;
	}
	return o;
}

static void api_patch(struct http_request *rq, struct app *app)
{
	struct promotion_op *o = begin(rq, app, CHANGE);
	json_t *body = o ? http_json(rq) : NULL;

	if (!o)
		return;
	if (!body || is_over(rq, o) || !read_change(rq, app, body, o))
		op_free(o);
	else
		submit(o, app);
	json_decref(body);
}

static bool read_reason(struct http_request *rq, json_t *body, struct promotion *p)
{
	json_t *v = json_object_get(body, "reason");
	char clean[PRODUCT_TEXT_MAX + 1];
	size_t at;

	if (!v || json_is_null(v))
		return true;
	if (!json_is_string(v) || json_string_length(v) > PROMOTION_REASON_MAX ||
	    product_text_clean(json_string_value(v), json_string_length(v), clean, &at) < 0) {
		http_problem(rq, 422, "too-long", "A reason has at most %d bytes of text.",
			     PROMOTION_REASON_MAX);
		return false;
	}
	snprintf(p->cancel_reason, sizeof p->cancel_reason, "%.*s", PROMOTION_REASON_MAX, clean);
	return true;
}

static void api_cancel(struct http_request *rq, struct app *app)
{
	struct promotion_op *o = begin(rq, app, CANCEL);
	json_t *body = o ? http_json(rq) : NULL;

	if (!o)
		return;
	if (body && !is_over(rq, o) && read_reason(rq, body, &o->p)) {
		submit(o, app);
		o = NULL;
	}
	if (o)
		op_free(o);
	json_decref(body);
}

/* --- reading ----------------------------------------------------------------------------------
 */

static void api_get(struct http_request *rq, struct app *app)
{
	_cleanup_(promotion_done) struct promotion p = {.id = 0};
	char etag[32];
	json_t *o;
	int r;

	if (!promotion_api_load(rq, app, &p))
		return;
	r = promotion_json(db_reader(app->db), &p, clock_real_us(app->clock), &o);
	if (r < 0) {
		http_reply_err(rq, r, "Promotion");
		return;
	}
	snprintf(etag, sizeof etag, "\"%lld\"", (long long) p.rev);
	http_set_header(rq, "ETag", etag);
	http_reply_json(rq, 200, o);
}

static int next_id(struct sql *s, int64_t before, int64_t *ret)
{
	struct sql_stmt *q =
		sql_prepare(s, "SELECT id FROM promotions WHERE id < ? ORDER BY id DESC LIMIT 1");
	int r;

	sql_bind_i64(q, 1, before);
	r = sql_step(q);
	if (r > 0)
		*ret = sql_col_i64(q, 0);
	sql_reset(q);
	return r;
}

struct listing {
	const char *state; /* NULL = any */
	int64_t limit, now_us;
	json_t *items;
	int64_t last, next;
};

/* Adds a promotion if it is wanted. 1 = the page is full. */
static int list_one(struct sql *s, int64_t id, struct listing *l)
{
	_cleanup_(promotion_done) struct promotion p = {.id = 0};
	enum promotion_state state = PROMOTION_DRAFT;
	json_t *o;
	int r = promotion_load(s, id, &p);

	if (r == 0)
		r = promotion_state_at(s, &p, l->now_us, &state);
	if (r < 0 || (l->state && strcmp(l->state, promotion_state_text(state)) != 0))
		return r;
	if ((int64_t) json_array_size(l->items) == l->limit) {
		l->next = l->last;
		return 1;
	}
	r = promotion_json(s, &p, l->now_us, &o);
	if (r == 0) {
		json_array_append_new(l->items, o);
		l->last = id;
	}
	return r;
}

static void api_list(struct http_request *rq, struct app *app)
{
	struct listing l = {.state = http_query(rq, "state"), .now_us = clock_real_us(app->clock)};
	struct sql *s = db_reader(app->db);
	enum promotion_state state;
	struct list_page page;
	int64_t id;
	int r;

	if (!list_page_read(rq, &page))
		return;
	if (l.state && promotion_state_parse(l.state, &state) < 0) {
		http_problem(rq, 400, "bad-query", "There is no such state of a promotion.");
		return;
	}
	l.limit = page.limit;
	l.items = json_array();
	id = page.after ? page.after : INT64_MAX;
	while ((r = next_id(s, id, &id)) > 0) {
		r = list_one(s, id, &l);
		if (r != 0)
			break;
	}
	if (r < 0) {
		json_decref(l.items);
		http_reply_err(rq, r, "Promotions");
		return;
	}
	list_reply(rq, l.items, l.next);
}

const struct http_route promo_routes[] = {
	{HTTP_PUBLIC, HTTP_GET, "/api/v1/promotions", PERM_VIEW, 0, api_list},
	{HTTP_PUBLIC, HTTP_POST, "/api/v1/promotions", PERM_PRICES, BODY_MAX, api_create},
	{HTTP_PUBLIC, HTTP_POST, "/api/v1/promotions/preview", PERM_VIEW, BODY_MAX,
	 promotion_api_preview},
	{HTTP_PUBLIC, HTTP_GET, "/api/v1/promotions/{}", PERM_VIEW, 0, api_get},
	{HTTP_PUBLIC, HTTP_PATCH, "/api/v1/promotions/{}", PERM_PRICES, BODY_MAX, api_patch},
	{HTTP_PUBLIC, HTTP_POST, "/api/v1/promotions/{}/cancel", PERM_PRICES, 0, api_cancel},
	{HTTP_PUBLIC, HTTP_GET, "/api/v1/promotions/{}/products", PERM_VIEW, 0,
	 promotion_api_products},
	{HTTP_PUBLIC, HTTP_GET, "/api/v1/promotions/{}/labels", PERM_VIEW, 0, promotion_api_labels},
	{HTTP_PUBLIC, HTTP_GET, "/api/v1/promotions/{}/progress", PERM_VIEW, 0,
	 promotion_api_progress},
	{HTTP_PUBLIC, HTTP_GET, "/api/v1/products/{}/history", PERM_VIEW, 0, price_history_get},
	{.path = NULL},
};
