/* SPDX-License-Identifier: Apache-2.0 */
/* /api/v1/labels: what labels should show and do show. Linking is in label_link.c, pictures are in
 * label_picture.c. */
#include "controller/shop/label_api.h"
#include "common/err.h"
#include "controller/http/list.h"
#include "controller/shop/desired.h"
#include "controller/shop/display_ledger.h"
#include "controller/shop/label.h"
#include "controller/shop/label_budget.h"
#include "controller/shop/label_sensors.h"
#include "controller/shop/label_state.h"
#include "controller/shop/product.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

struct list_job {
	struct shop_job job;
	struct http_request *rq;
	struct shop *shop;
	struct list_page page;
	struct product_query query;
	char state[16];
	int64_t now_us;
	int64_t next;
	json_t *items;
	int err;
	size_t n_views;
	struct {
		int64_t id;
		struct label_agent_view view;
	} * views; /* of all agents, taken on the loop thread */
};

static struct label_agent_view view_of(const struct list_job *l, int64_t agent_id)
{
	for (size_t i = 0; i < l->n_views; i++)
		if (l->views[i].id == agent_id)
			return l->views[i].view;
	return (struct label_agent_view){.online = false};
}

/* The words may be part of the label's id, its access point or its product. */
static bool matches(const struct list_job *l, const struct label *label)
{
	char id[LABEL_ID_MAX], text[PRODUCT_TEXT_MAX + PROTO_NAME_MAX + 32];
	_cleanup_free_ char *folded = NULL;

	if (l->query.n == 0)
		return true;
	snprintf(text, sizeof text, "%s %s %s", label_id_format(label->addr, id), label->agent,
		 label->product);
	folded = product_text_fold(text);
	return folded && product_query_match(&l->query, folded, label->gtin);
}

static int next_addr(struct sql *s, uint64_t after, uint64_t *ret)
{
	struct sql_stmt *q =
		sql_prepare(s, "SELECT addr FROM labels WHERE addr > ? ORDER BY addr LIMIT 1");
	int r;

	sql_bind_i64(q, 1, (int64_t) after);
	r = sql_step(q);
	if (r > 0)
		*ret = (uint64_t) sql_col_i64(q, 0);
	sql_reset(q);
	return r;
}

static void list_work(struct shop_job *job, struct shop_slot *slot)
{
	struct list_job *l = (struct list_job *) job;
	uint64_t addr = (uint64_t) l->page.after, last = 0;
	int64_t n = 0;
	int r;

	l->items = json_array();
	while ((r = next_addr(slot->sql, addr, &addr)) > 0) {
		struct label label;
		json_t *o;

		r = label_load(slot->sql, addr, &label);
		if (r == -ENOENT)
			continue;
		if (r < 0)
			break;
		if (!matches(l, &label))
			continue;
		o = label_json(&label, view_of(l, label.agent_id), l->now_us);
		if (l->state[0] &&
		    strcmp(json_string_value(json_object_get(o, "state")), l->state) != 0) {
			json_decref(o);
			continue;
		}
		if (n++ == l->page.limit) {
			json_decref(o);
			l->next = (int64_t) last;
			break;
		}
		json_array_append_new(l->items, o);
		last = addr;
	}
	l->err = r < 0 ? r : 0;
}

static void list_free(struct list_job *l)
{
	product_query_done(&l->query);
	free(l->views);
	free(l);
}

static void list_done(struct shop_job *job)
{
	struct list_job *l = (struct list_job *) job;

	if (l->err < 0) {
		json_decref(l->items);
		http_reply_err(l->rq, l->err, "Labels");
	} else {
		list_reply(l->rq, l->items, l->next);
	}
	list_free(l);
}

static int take_views(struct list_job *l)
{
	struct sql_stmt *q =
		sql_prepare(db_reader(l->shop->app->db), "SELECT DISTINCT agent_id FROM labels"
							 " WHERE agent_id IS NOT NULL");
	int r;

	while ((r = sql_step(q)) > 0) {
		void *more = reallocarray(l->views, l->n_views + 1, sizeof *l->views);

		if (!more) {
			sql_reset(q);
			return -ENOMEM;
		}
		l->views = more;
		l->views[l->n_views].id = sql_col_i64(q, 0);
		l->views[l->n_views].view = desired_agent(l->shop->desired, sql_col_i64(q, 0));
		l->n_views++;
	}
	return r;
}

static bool read_state(struct http_request *rq, char state[16])
{
	const char *text = http_query(rq, "state");

	if (!text || !*text)
		return true;
	for (int i = 0; i < LABEL_STATE_COUNT; i++)
		if (strcmp(text, label_state_text((enum label_state) i)) == 0) {
			snprintf(state, 16, "%s", text);
			return true;
		}
	http_problem(rq, 400, "bad-query", "There is no such state of a label.");
	return false;
}

void label_api_list(struct http_request *rq, struct app *app)
{
	const char *text = http_query(rq, "q");
	struct list_job *l = calloc(1, sizeof *l);
	int r;

	if (!l) {
		http_reply_err(rq, -ENOMEM, "Labels");
		return;
	}
	l->rq = rq;
	l->shop = app->shop;
	l->now_us = clock_real_us(app->clock);
	l->job = (struct shop_job){.work = list_work, .done = list_done};
	if (!list_page_read(rq, &l->page) || !read_state(rq, l->state)) {
		list_free(l);
		return;
	}
	r = take_views(l);
	if (r < 0) {
		http_reply_err(rq, r, "Labels");
		list_free(l);
		return;
	}
	r = product_query_parse(text ? text : "", &l->query);
	if (r < 0) {
		http_problem(rq, 400, "bad-query", "Search for at most %d words of plain text.",
			     SEARCH_MAX_WORDS);
		list_free(l);
		return;
	}
	shop_work_submit(app->shop->work, &l->job, false);
}

bool label_api_load(struct http_request *rq, struct app *app, struct label *ret)
{
	uint64_t addr;
	int r = label_id_parse(http_arg(rq, 0), &addr);

	if (r == 0)
		r = label_load(db_reader(app->db), addr, ret);
	if (r == -ENOENT || r == -ERR_SYNTAX)
		http_problem(rq, 404, "no-such-label", "No label has this id.");
	else if (r < 0)
		http_reply_err(rq, r, "Label");
	return r == 0;
}

void label_api_get(struct http_request *rq, struct app *app)
{
	int64_t now = clock_real_us(app->clock);
	struct label l;
	json_t *body;

	if (!label_api_load(rq, app, &l))
		return;
	body = label_json(&l, desired_agent(app->shop->desired, l.agent_id), now);
	json_object_set_new(body, "sensors", label_sensors_json(db_reader(app->db), l.addr, now));
	json_object_set_new(body, "budget", label_budget_json(db_reader(app->db), l.addr, now));
	http_reply_json(rq, 200, body);
}

void label_api_history(struct http_request *rq, struct app *app)
{
	struct list_page page;
	struct label l;
	json_t *items;
	int64_t next = 0;
	int r;

	if (!list_page_read(rq, &page) || !label_api_load(rq, app, &l))
		return;
	items = json_array();
	r = ledger_list(db_reader(app->db), l.addr, page.after, page.limit, items, &next);
	if (r < 0) {
		json_decref(items);
		http_reply_err(rq, r, "History");
		return;
	}
	list_reply(rq, items, next);
}
