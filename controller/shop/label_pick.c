/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Picking by light. POST /api/v1/labels/pick makes up to a hundred labels blink at once, named by
 * themselves or by the products they show: one write, one row of the audit, and for each label
 * either the instant until which it blinks or why it does not. Each blink counts in its label's
 * budget as any other. POST /api/v1/labels/pick/stop calls it off: what has not begun does not
 * begin, and what blinks is turned off.
 */
#include "common/err.h"
#include "common/gtin.h"
#include "controller/shop/desired.h"
#include "controller/shop/label_flash.h"
#include "controller/shop/label_notify.h"
#include "controller/shop/product.h"
#include <errno.h>
#include <string.h>

#define PICK_MAX 100

/* One label, or a product whose labels cannot be told. */
struct pick_item {
	size_t asked; /* its place in the request's list */
	uint64_t gtin;
	bool changed;
	struct flash_wish wish; /* addr 0 = a product without labels */
};

struct pick_op {
	struct shop_op op;
	struct idempotency again;
	struct shop_refusal why;
	bool stop;
	const char *key; /* labels or gtins */
	int64_t seconds;
	uint8_t colour;
	size_t n_asked;
	uint64_t asked[PICK_MAX];
	size_t n;
	struct pick_item items[PICK_MAX];
	json_t *errors;  /* owned; of a request refused for every label */
	int64_t retry_s; /* with it: when the first of them may blink again */
	char *answer;    /* owned */
};

static void pick_free(struct pick_op *p)
{
	json_decref(p->errors);
	free(p->answer);
	free(p);
}

/* --- which labels ------------------------------------------------------------------------------
 */

static int add_label(struct pick_op *p, size_t asked, uint64_t gtin, uint64_t addr)
{
	struct pick_item *i;

	for (size_t k = 0; k < p->n && addr; k++)
		if (p->items[k].wish.addr == addr)
			return 0; /* named twice, it blinks once */
	if (p->n == PICK_MAX)
		return shop_refuse(&p->why, 422, "too-many-labels",
				   "These products have more than %d labels.", PICK_MAX);
	i = &p->items[p->n++];
	i->asked = asked;
	i->gtin = gtin;
	i->wish = (struct flash_wish){
		.who = p->op.who, .addr = addr, .seconds = p->seconds, .colour = p->colour};
	return 0;
}

static int add_product(struct sql *s, struct pick_op *p, size_t asked)
{
	struct sql_stmt *q;
	size_t before = p->n;
	int64_t id;
	int r = product_find_gtin(s, p->asked[asked], &id), e;

	if (r == -ENOENT) {
		r = add_label(p, asked, p->asked[asked], 0);
		if (r == 0)
			(void) shop_refuse(&p->items[p->n - 1].wish.why, 404, "no-such-product",
					   "No product has this GTIN.");
		return r;
	}
	if (r < 0)
		return r;
	q = sql_prepare(s, "SELECT addr FROM labels WHERE product_id = ? ORDER BY addr");
	sql_bind_i64(q, 1, id);
	while ((r = sql_step(q)) > 0) {
		e = add_label(p, asked, p->asked[asked], (uint64_t) sql_col_i64(q, 0));
		if (e < 0) {
			sql_reset(q);
			return e;
		}
	}
	sql_reset(q);
	if (r < 0 || p->n > before)
		return r;
	for (size_t k = 0; k < asked; k++)
		if (p->asked[k] == p->asked[asked])
			return 0; /* its labels stand there already */
	r = add_label(p, asked, p->asked[asked], 0);
	if (r == 0)
		(void) shop_refuse(&p->items[p->n - 1].wish.why, 409, "no-label",
				   "No label shows this product.");
	return r;
}

static int find_labels(struct sql *s, struct pick_op *p)
{
	int r = 0;

	for (size_t i = 0; i < p->n_asked && r >= 0; i++)
		r = strcmp(p->key, "gtins") == 0 ? add_product(s, p, i)
						 : add_label(p, i, 0, p->asked[i]);
	return r;
}

/* --- the answer --------------------------------------------------------------------------------
 */

static json_t *item_json(const struct pick_op *p, const struct pick_item *i)
{
	char id[LABEL_ID_MAX], gtin[GTIN_STR_MAX], until[CLOCK_RFC3339_MAX];
	const struct flash_wish *w = &i->wish;
	json_t *o = json_object();

	json_object_set_new(o, "label",
			    w->addr ? json_string(label_id_format(w->addr, id)) : json_null());
	if (i->gtin)
		json_object_set_new(o, "gtin", json_string(gtin_format(i->gtin, gtin)));
	if (w->why.status) {
		json_object_set_new(
			o, "refused",
			json_pack("{s:s,s:s}", "code", w->why.code, "detail", w->why.detail));
		return o;
	}
	json_object_set_new(o, "until",
			    w->until_us ? json_string(clock_rfc3339(w->until_us, until))
					: json_null());
	if (!p->stop)
		json_object_set_new(o, "colour", json_string(label_colour_text(w->colour)));
	return o;
}

/* Nothing blinks: 429 when it is the batteries' sake at least once, since then time helps. */
static int refuse_all(struct pick_op *p)
{
	char pointer[32], id[LABEL_ID_MAX];

	p->errors = json_array();
	for (size_t k = 0; k < p->n; k++) {
		const struct pick_item *i = &p->items[k];

		snprintf(pointer, sizeof pointer, "/%s/%zu", p->key, i->asked);
		json_array_append_new(
			p->errors,
			json_pack("{s:s,s:s*,s:s,s:s}", "pointer", pointer, "label",
				  i->wish.addr ? label_id_format(i->wish.addr, id) : NULL, "code",
				  i->wish.why.code, "detail", i->wish.why.detail));
		if (i->wish.retry_s && (!p->retry_s || i->wish.retry_s < p->retry_s))
			p->retry_s = i->wish.retry_s;
	}
	if (p->retry_s)
		return shop_refuse(
			&p->why, 429, "battery-budget",
			"None of these labels may blink now; their batteries are spared.");
	return shop_refuse(&p->why, 409, "none-blinks", "None of these labels can blink.");
}

static int make_answer(struct sql *s, struct pick_op *p)
{
	json_t *items = json_array(), *body;

	for (size_t i = 0; i < p->n; i++)
		json_array_append_new(items, item_json(p, &p->items[i]));
	body = json_pack("{s:o}", "items", items);
	p->answer = body ? json_dumps(body, JSON_COMPACT) : NULL;
	json_decref(body);
	return p->answer ? idempotency_store(s, &p->again, p->stop ? 200 : 202, p->answer)
			 : -ENOMEM;
}

/* One row tells of all of them: how many, and which. */
static int audit(struct sql *s, const struct pick_op *p, size_t changed)
{
	_cleanup_buf_ struct buf text = BUF_INIT;
	char id[LABEL_ID_MAX];

	if (!p->stop)
		buf_printf(&text, "%s, %lld s, ",
			   p->colour ? label_colour_text(p->colour) : "green",
			   (long long) p->seconds);
	buf_printf(&text, "%zu of %zu:", changed, p->n);
	for (size_t i = 0; i < p->n; i++)
		if (p->items[i].changed)
			buf_printf(&text, " %s", label_id_format(p->items[i].wish.addr, id));
	buf_put_u8(&text, 0);
	return buf_ok(&text) ? db_audit(s, p->op.who, p->stop ? "label.pick-stop" : "label.pick",
					"labels", (const char *) text.data)
			     : -ENOMEM;
}

static int pick_write(struct sql *s, void *arg)
{
	struct pick_op *p = arg;
	size_t changed = 0;
	int64_t now;
	int r = db_now_us(s, &now);

	if (r == 0)
		r = find_labels(s, p);
	for (size_t k = 0; k < p->n && r >= 0; k++) {
		struct pick_item *i = &p->items[k];

		if (i->wish.why.status)
			continue;
		r = p->stop ? label_flash_stop(s, &i->wish, now, &i->changed)
			    : label_flash_ask(s, &i->wish, now);
		if (r == 0 && !p->stop)
			i->changed = true;
		if (r == -ERR_STATE && i->wish.why.status)
			r = 0; /* this one is refused, and has written nothing */
		changed += i->changed;
	}
	if (r < 0)
		return r;
	if (!p->stop && changed == 0)
		return refuse_all(p);
	r = audit(s, p, changed);
	return r < 0 ? r : make_answer(s, p);
}

static void pick_failed(struct pick_op *p, int err)
{
	char seconds[24];

	if (p->retry_s) {
		snprintf(seconds, sizeof seconds, "%lld", (long long) p->retry_s);
		http_set_header(p->op.rq, "Retry-After", seconds);
	}
	if (err == -ERR_STATE && p->errors) {
		http_problem_errors(p->op.rq, p->why.status, p->why.code, p->errors, "%s",
				    p->why.detail);
		p->errors = NULL;
	} else {
		shop_reply_failed(&p->op, &p->why, &p->again, err, "Pick");
	}
}

static void pick_done(void *arg, int err)
{
	struct pick_op *p = arg;
	struct shop *s = p->op.shop;
	struct buf body = BUF_INIT;

	if (err < 0) {
		pick_failed(p, err);
		pick_free(p);
		return;
	}
	buf_put_str(&body, p->answer);
	http_reply_buf(p->op.rq, p->stop ? 200 : 202, "application/json", &body);
	for (size_t i = 0; i < p->n; i++) {
		if (!p->items[i].changed)
			continue;
		label_notify(s, p->items[i].wish.addr);
		desired_wake(s->desired, p->items[i].wish.agent_id);
	}
	pick_free(p);
}

/* --- the request -------------------------------------------------------------------------------
 */

static bool read_list(struct http_request *rq, struct pick_op *p, const json_t *body)
{
	const json_t *labels = json_object_get(body, "labels"),
		     *gtins = json_object_get(body, "gtins"), *list = labels ? labels : gtins, *v;
	const char *text;
	size_t i;
	int r;

	if (!json_is_array(list) || (labels && gtins) || json_array_size(list) < 1 ||
	    json_array_size(list) > PICK_MAX) {
		http_problem(rq, 422, "bad-list", "Give labels or gtins, 1 to %d of them.",
			     PICK_MAX);
		return false;
	}
	p->key = labels ? "labels" : "gtins";
	json_array_foreach(list, i, v)
	{
		text = json_is_string(v) ? json_string_value(v) : "";
		r = labels ? label_id_parse(text, &p->asked[i])
			   : gtin_parse(text, strlen(text), &p->asked[i]);
		if (r < 0 || !p->asked[i]) {
			http_problem(rq, 422, labels ? "bad-label" : "bad-gtin",
				     "The entry %zu of %s is not one.", i + 1, p->key);
			return false;
		}
	}
	p->n_asked = json_array_size(list);
	return true;
}

static bool read_request(struct http_request *rq, struct pick_op *p)
{
	json_t *body = http_json(rq);
	bool ok = body && read_list(rq, p, body) &&
		  (p->stop || label_flash_read(rq, body, &p->seconds, &p->colour));

	json_decref(body);
	return ok;
}

static void begin(struct http_request *rq, struct app *app, bool stop)
{
	struct pick_op *p = calloc(1, sizeof *p);
	int r;

	if (!p) {
		http_reply_err(rq, -ENOMEM, "Pick");
		return;
	}
	p->stop = stop;
	if (!read_request(rq, p) || !idempotency_begin(rq, app, &p->again)) {
		pick_free(p);
		return;
	}
	shop_op_init(&p->op, rq, app);
	r = db_write(app->db, pick_write, pick_done, p);
	if (r < 0) {
		http_reply_err(rq, r, "Pick");
		pick_free(p);
	}
}

void label_api_pick(struct http_request *rq, struct app *app)
{
	begin(rq, app, false);
}

void label_api_pick_stop(struct http_request *rq, struct app *app)
{
	begin(rq, app, true);
}
