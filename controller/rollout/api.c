/* SPDX-License-Identifier: Apache-2.0 */
/* GET /api/v1/rollouts, one of them, and its labels. */
#include "common/clock.h"
#include "common/err.h"
#include "common/gtin.h"
#include "controller/db/db.h"
#include "controller/http/list.h"
#include "controller/rollout/label_step.h"
#include "controller/rollout/rollout_internal.h"
#include "controller/shop/display_ledger.h"
#include "controller/shop/label.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

bool rollout_api_id(struct http_request *rq, int64_t *ret)
{
	const char *text = http_arg(rq, 0);
	char *end;
	long long v;

	errno = 0;
	v = strtoll(text, &end, 10);
	if (errno || *end || v <= 0 || text[0] == '+') {
		http_problem(rq, 404, "no-such-rollout", "There is no such rollout.");
		return false;
	}
	*ret = v;
	return true;
}

void rollout_api_list(struct http_request *rq, struct app *app)
{
	struct sql *s = db_reader(app->db);
	const char *state = http_query(rq, "state");
	enum rollout_state wanted;
	int64_t ids[LIST_MAX + 1], n = 0;
	struct list_page page;
	struct sql_stmt *q;
	json_t *items;
	int r;

	if (!list_page_read(rq, &page))
		return;
	if (state && rollout_state_parse(state, &wanted) < 0) {
		http_problem(rq, 400, "bad-query", "There is no state \"%.40s\".", state);
		return;
	}
	q = sql_prepare(s, "SELECT id FROM rollouts WHERE id < ?1 AND (?3 IS NULL OR state = ?3)"
			   " ORDER BY id DESC LIMIT ?2");
	sql_bind_i64(q, 1, page.after ? page.after : INT64_MAX);
	sql_bind_i64(q, 2, page.limit + 1);
	if (state)
		sql_bind_text(q, 3, state);
	while ((r = sql_step(q)) > 0)
		ids[n++] = sql_col_i64(q, 0);
	items = json_array();
	for (int64_t i = 0; i < MIN(n, page.limit) && r == 0; i++) {
		struct rollout_row row;

		r = rollout_row_load(s, ids[i], &row);
		if (r == 0)
			json_array_append_new(items, rollout_json(s, &row, false));
	}
	if (r < 0) {
		json_decref(items);
		http_reply_err(rq, r, "Rollouts");
		return;
	}
	list_reply(rq, items, n > page.limit ? ids[page.limit - 1] : 0);
}

void rollout_api_get(struct http_request *rq, struct app *app)
{
	struct sql *s = db_reader(app->db);
	struct rollout_row row;
	int64_t id;
	int r;

	if (!rollout_api_id(rq, &id))
		return;
	r = rollout_row_load(s, id, &row);
	if (r == -ENOENT)
		http_problem(rq, 404, "no-such-rollout", "There is no such rollout.");
	else if (r < 0)
		http_reply_err(rq, r, "Rollout");
	else
		http_reply_json(rq, 200, rollout_json(s, &row, true));
}

/* --- labels ------------------------------------------------------------------------------------
 */

#define LABEL_COLUMNS                                                                              \
	"SELECT r.addr, r.product_id, p.gtin, p.name, a.name, r.wave, r.state, r.reason,"          \
	" r.staged_at, r.flipped_at, r.shown_at, r.grade FROM rollout_labels r"                    \
	" JOIN products p ON p.id = r.product_id LEFT JOIN labels l ON l.addr = r.addr"            \
	" LEFT JOIN agents a ON a.id = coalesce(l.agent_id, r.agent_id)"                           \
	" WHERE r.rollout_id = ?1 AND r.addr > ?2 AND (?3 = 0 OR r.wave = ?3)"                     \
	" AND (?4 IS NULL OR r.state = ?4) ORDER BY r.addr LIMIT ?5"

static json_t *time_or_null(struct sql_stmt *q, int i)
{
	char text[CLOCK_RFC3339_MAX];

	return sql_col_is_null(q, i) ? json_null()
				     : json_string(clock_rfc3339(sql_col_i64(q, i), text));
}

static json_t *text_or_null(struct sql_stmt *q, int i)
{
	const char *text = sql_col_text(q, i);

	return text && *text ? json_string(text) : json_null();
}

static json_t *row_json(struct sql_stmt *q)
{
	const char *grade = ledger_grade_text((int) sql_col_i64(q, 11));
	char id[LABEL_ID_MAX], gtin[GTIN_STR_MAX];
	uint64_t number = (uint64_t) sql_col_i64(q, 2);

	return json_pack("{s:s,s:{s:I,s:o,s:s},s:o,s:I,s:s,s:o,s:o,s:o,s:o,s:o}", "label",
			 label_id_format((uint64_t) sql_col_i64(q, 0), id), "product", "id",
			 (json_int_t) sql_col_i64(q, 1), "gtin",
			 number ? json_string(gtin_format(number, gtin)) : json_null(), "name",
			 sql_col_text(q, 3), "agent", text_or_null(q, 4), "wave",
			 (json_int_t) sql_col_i64(q, 5), "state", sql_col_text(q, 6), "reason",
			 text_or_null(q, 7), "staged_at", time_or_null(q, 8), "flipped_at",
			 time_or_null(q, 9), "shown_at", time_or_null(q, 10), "grade",
			 grade ? json_string(grade) : json_null());
}

static int exists(struct sql *s, int64_t id)
{
	struct sql_stmt *q = sql_prepare(s, "SELECT 1 FROM rollouts WHERE id = ?");
	int r;

	sql_bind_i64(q, 1, id);
	r = sql_step(q);
	sql_reset(q);
	return r;
}

static int read_labels(struct sql *s, int64_t id, const struct list_page *page, int64_t wave,
		       const char *state, json_t *items, int64_t *ret_next)
{
	struct sql_stmt *q = sql_prepare(s, LABEL_COLUMNS);
	int64_t n = 0, last = 0;
	int r;

	sql_bind_i64(q, 1, id);
	sql_bind_i64(q, 2, page->after);
	sql_bind_i64(q, 3, wave);
	if (state)
		sql_bind_text(q, 4, state);
	sql_bind_i64(q, 5, page->limit + 1);
	while ((r = sql_step(q)) > 0 && n < page->limit) {
		last = sql_col_i64(q, 0);
		json_array_append_new(items, row_json(q));
		n++;
	}
	sql_reset(q);
	*ret_next = r > 0 ? last : 0;
	return r < 0 ? r : 0;
}

void rollout_api_labels(struct http_request *rq, struct app *app)
{
	struct sql *s = db_reader(app->db);
	const char *state = http_query(rq, "state");
	struct list_page page;
	int64_t id, wave, next = 0;
	json_t *items;
	int r;

	if (!rollout_api_id(rq, &id) || !list_page_read(rq, &page) ||
	    !http_query_int(rq, "wave", 0, 1, ROLLOUT_WAVES_MAX, &wave))
		return;
	if (state && rollout_label_parse(state) == ROLLOUT_LABEL_STATE_COUNT) {
		http_problem(rq, 400, "bad-query", "There is no state \"%.40s\".", state);
		return;
	}
	r = exists(s, id);
	if (r == 0) {
		http_problem(rq, 404, "no-such-rollout", "There is no such rollout.");
		return;
	}
	items = json_array();
	if (r > 0)
		r = read_labels(s, id, &page, wave, state, items, &next);
	if (r < 0) {
		json_decref(items);
		http_reply_err(rq, r, "Labels of the rollout");
		return;
	}
	list_reply(rq, items, next);
}
