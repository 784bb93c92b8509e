/* SPDX-License-Identifier: Apache-2.0 */
/* Who a promotion is for, and how far each label is with it: /products, /labels and /progress below
 * /api/v1/promotions/{id}. */
#include "common/clock.h"
#include "common/err.h"
#include "common/gtin.h"
#include "controller/http/list.h"
#include "controller/promo/offer.h"
#include "controller/promo/promo_internal.h"
#include "controller/shop/desired.h"
#include "controller/shop/label_progress.h"
#include "controller/shop/product.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

struct view {
	int64_t agent_id;
	struct label_agent_view view;
};

struct job {
	struct shop_job job;
	struct http_request *rq;
	struct shop *shop;
	struct promotion p;
	enum promotion_state promo_state;
	struct list_page page;
	int state; /* enum label_progress_state; -1 = any */
	bool at_end;
	bool counting;          /* /progress */
	int64_t now_us, due_us; /* due 0 = nothing is due */
	struct view *views;
	size_t n_views;
	/* answers */
	json_t *items;
	int64_t next;
	int64_t counts[LABEL_PROGRESS_STATE_COUNT];
	int err;
};

static void job_free(struct job *j)
{
	promotion_done(&j->p);
	free(j->views);
	free(j);
}

/* --- products ---------------------------------------------------------------------------------
 */

static json_t *money_or_null(bool has, int64_t minor)
{
	return has ? json_integer(minor) : json_null();
}

static int product_item(struct sql *s, int64_t id, int64_t now_us, json_t *items)
{
	char gtin[GTIN_STR_MAX], until[CLOCK_RFC3339_MAX];
	struct offer_step o = {.from_us = 0};
	struct product p;
	json_t *offer;
	int r = product_load(s, id, now_us, &p), has;

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	has = offer_at(s, id, now_us, &o);
	if (has < 0)
		return has;
	offer = !has ? json_null()
		     : json_pack("{s:I,s:o,s:o,s:o,s:o}", "price_minor", (json_int_t) o.price_minor,
				 "was_minor", money_or_null(o.promotion_id, o.was_minor),
				 "prior_minor", money_or_null(o.prior_minor, o.prior_minor),
				 "promotion_id", money_or_null(o.promotion_id, o.promotion_id),
				 "until",
				 o.until_us ? json_string(clock_rfc3339(o.until_us, until))
					    : json_null());
	json_array_append_new(
		items,
		json_pack("{s:I,s:o,s:s,s:o,s:I,s:o}", "product_id", (json_int_t) p.id, "gtin",
			  p.gtin ? json_string(gtin_format(p.gtin, gtin)) : json_null(), "name",
			  p.name, "price_minor", money_or_null(p.has_price, p.price_minor),
			  "labels", (json_int_t) p.labels, "offer", offer));
	return 0;
}

static void products_work(struct shop_job *job, struct shop_slot *slot)
{
	struct job *j = (struct job *) job;
	_cleanup_free_ int64_t *ids = calloc((size_t) j->page.limit + 1, sizeof *ids);
	int n;

	j->items = json_array();
	if (!ids) {
		j->err = -ENOMEM;
		return;
	}
	n = promotion_chosen(slot->sql, &j->p, j->page.after, (size_t) j->page.limit + 1, ids);
	j->err = n < 0 ? n : 0;
	for (int i = 0; i < n && i < j->page.limit && j->err == 0; i++) {
		j->err = product_item(slot->sql, ids[i], j->now_us, j->items);
		if (i + 1 == j->page.limit && n > j->page.limit)
			j->next = ids[i];
	}
}

/* --- labels -----------------------------------------------------------------------------------
 */

static struct label_agent_view view_of(const struct job *j, int64_t agent_id)
{
	for (size_t i = 0; i < j->n_views; i++)
		if (j->views[i].agent_id == agent_id)
			return j->views[i].view;
	return (struct label_agent_view){.online = false};
}

/* A label above `after` whose product is, or in the end was, in the promotion. */
static int next_label(struct sql *s, int64_t promotion_id, int64_t after, int64_t *ret)
{
	struct sql_stmt *q = sql_prepare(
		s, "SELECT addr FROM labels l WHERE addr > ?2 AND product_id IS NOT NULL"
		   " AND EXISTS (SELECT 1 FROM promotion_members m WHERE"
		   " m.product_id = l.product_id AND m.promotion_id = ?1 AND m.to_at IS NULL)"
		   " ORDER BY addr LIMIT 1");
	int r;

	sql_bind_i64(q, 1, promotion_id);
	sql_bind_i64(q, 2, after);
	r = sql_step(q);
	if (r > 0)
		*ret = sql_col_i64(q, 0);
	sql_reset(q);
	return r;
}

static int progress_of(struct job *j, struct sql *s, const struct label *l,
		       struct label_progress *ret)
{
	struct label_goal goal = {.due_us = j->due_us};
	const struct label_wish *wish = label_wish_at(l, MAX(j->due_us, j->now_us));

	/* further ahead than pictures are made */
	if (wish && j->due_us <= j->now_us + OFFER_AHEAD_US)
		goal.image = wish->image;
	return label_progress_of(s, l, view_of(j, l->agent_id), &goal, j->now_us, ret);
}

static int add_label(struct job *j, struct sql *s, int64_t addr, int64_t *last)
{
	struct label_progress progress;
	struct label l;
	int r = label_load(s, (uint64_t) addr, &l);

	if (r == 0)
		r = progress_of(j, s, &l, &progress);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	j->counts[progress.state]++;
	if (j->counting || (j->state >= 0 && (int) progress.state != j->state))
		return 0;
	if ((int64_t) json_array_size(j->items) == j->page.limit) {
		j->next = *last;
		return 1;
	}
	json_array_append_new(j->items, label_progress_json(&l, &progress));
	*last = addr;
	return 0;
}

static void labels_work(struct shop_job *job, struct shop_slot *slot)
{
	struct job *j = (struct job *) job;
	int64_t addr = j->page.after, last = 0;
	int r;

	j->items = json_array();
	while ((r = next_label(slot->sql, j->p.id, addr, &addr)) > 0) {
		r = add_label(j, slot->sql, addr, &last);
		if (r != 0)
			break;
	}
	j->err = r < 0 ? r : 0;
}

/* --- answers ----------------------------------------------------------------------------------
 */

static void list_done(struct shop_job *job)
{
	struct job *j = (struct job *) job;

	if (j->err < 0) {
		json_decref(j->items);
		http_reply_err(j->rq, j->err, "Promotion");
	} else {
		list_reply(j->rq, j->items, j->next);
	}
	job_free(j);
}

static void progress_done(struct shop_job *job)
{
	struct job *j = (struct job *) job;
	const int64_t *n = j->counts;
	char due[CLOCK_RFC3339_MAX];
	int64_t total = 0;

	json_decref(j->items);
	if (j->err < 0) {
		http_reply_err(j->rq, j->err, "Promotion");
		job_free(j);
		return;
	}
	for (int i = 0; i < LABEL_PROGRESS_STATE_COUNT; i++)
		total += n[i];
	http_reply_json(
		j->rq, 200,
		json_pack("{s:s,s:o,s:I,s:I,s:I,s:I,s:I,s:I}", "edge", j->at_end ? "end" : "start",
			  "due",
			  j->due_us ? json_string(clock_rfc3339(j->due_us, due)) : json_null(),
			  "total", (json_int_t) total, "waiting",
			  (json_int_t) (n[LABEL_PROGRESS_WAITING] + n[LABEL_PROGRESS_DRAWING] +
					n[LABEL_PROGRESS_STAGING]),
			  "staged", (json_int_t) n[LABEL_PROGRESS_STAGED], "flipped",
			  (json_int_t) n[LABEL_PROGRESS_FLIPPED], "shown",
			  (json_int_t) n[LABEL_PROGRESS_SHOWN], "failed",
			  (json_int_t) n[LABEL_PROGRESS_FAILED]));
	job_free(j);
}

/* The agents as they are seen now; only the loop thread knows. */
static int take_views(struct job *j)
{
	struct sql_stmt *q =
		sql_prepare(db_reader(j->shop->app->db), "SELECT DISTINCT agent_id FROM labels"
							 " WHERE agent_id IS NOT NULL");
	int r;

	while ((r = sql_step(q)) > 0) {
		struct view *more = reallocarray(j->views, j->n_views + 1, sizeof *more);

		if (!more) {
			sql_reset(q);
			return -ENOMEM;
		}
		j->views = more;
		j->views[j->n_views].agent_id = sql_col_i64(q, 0);
		j->views[j->n_views].view = desired_agent(j->shop->desired, sql_col_i64(q, 0));
		j->n_views++;
	}
	return r;
}

/* The start and end that matter now: of the one that runs, else of the next, else of the last. */
static int take_edge(struct job *j, const char *edge)
{
	struct sql_stmt *q = sql_prepare(
		db_reader(j->shop->app->db),
		"SELECT start_at, end_at FROM promotion_occurrences WHERE promotion_id = ?1"
		" ORDER BY end_at <= ?2, abs(end_at - ?2) LIMIT 1");
	int r;

	j->at_end =
		edge ? strcmp(edge, "end") == 0
		     : j->promo_state == PROMOTION_ENDED || j->promo_state == PROMOTION_CANCELLED;
	sql_bind_i64(q, 1, j->p.id);
	sql_bind_i64(q, 2, j->now_us);
	r = sql_step(q);
	if (r > 0)
		j->due_us = sql_col_i64(q, j->at_end ? 1 : 0);
	sql_reset(q);
	return r < 0 ? r : 0;
}

static struct job *job_new(struct http_request *rq, struct app *app)
{
	struct job *j = calloc(1, sizeof *j);
	const char *edge = http_query(rq, "edge");
	int r;

	if (!j) {
		http_reply_err(rq, -ENOMEM, "Promotion");
		return NULL;
	}
	j->rq = rq;
	j->shop = app->shop;
	j->state = -1;
	j->now_us = clock_real_us(app->clock);
	if (edge && strcmp(edge, "start") != 0 && strcmp(edge, "end") != 0) {
		http_problem(rq, 400, "bad-query", "edge is start or end.");
		free(j);
		return NULL;
	}
	if (!promotion_api_load(rq, app, &j->p)) {
		free(j);
		return NULL;
	}
	r = promotion_state_at(db_reader(app->db), &j->p, j->now_us, &j->promo_state);
	if (r == 0)
		r = take_edge(j, edge);
	if (r == 0)
		r = take_views(j);
	if (r < 0) {
		http_reply_err(rq, r, "Promotion");
		job_free(j);
		return NULL;
	}
	return j;
}

void promotion_api_products(struct http_request *rq, struct app *app)
{
	struct list_page page;
	struct job *j;

	if (!list_page_read(rq, &page))
		return;
	j = job_new(rq, app);
	if (!j)
		return;
	j->page = page;
	j->job = (struct shop_job){.work = products_work, .done = list_done};
	shop_work_submit(app->shop->work, &j->job, false);
}

void promotion_api_labels(struct http_request *rq, struct app *app)
{
	const char *text = http_query(rq, "state");
	enum label_progress_state state = LABEL_PROGRESS_WAITING;
	struct list_page page;
	struct job *j;

	if (!list_page_read(rq, &page))
		return;
	if (text && label_progress_parse(text, &state) < 0) {
		http_problem(rq, 400, "bad-query", "There is no such state of a label.");
		return;
	}
	j = job_new(rq, app);
	if (!j)
		return;
	j->page = page;
	j->state = text ? (int) state : -1;
	j->job = (struct shop_job){.work = labels_work, .done = list_done};
	shop_work_submit(app->shop->work, &j->job, false);
}

void promotion_api_progress(struct http_request *rq, struct app *app)
{
	struct job *j = job_new(rq, app);

	if (!j)
		return;
	j->counting = true;
	j->job = (struct shop_job){.work = labels_work, .done = progress_done};
	shop_work_submit(app->shop->work, &j->job, false);
}
