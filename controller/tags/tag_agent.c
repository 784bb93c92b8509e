/* SPDX-License-Identifier: Apache-2.0 */
/* The agent's side: what is to be done by the long poll, what became of it by its own call. */
#include "common/err.h"
#include "controller/db/db.h"
#include "controller/tags/tags.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* --- what is to be done ------------------------------------------------------------------------
 */

static int newest_rev(struct sql *s, int64_t agent_id, uint64_t *ret)
{
	struct sql_stmt *q = sql_prepare(s, "SELECT coalesce(max(rev), 0) FROM tag_operations"
					    " WHERE agent_id = ?");
	int r;

	*ret = 0;
	sql_bind_i64(q, 1, agent_id);
	r = sql_step(q);
	if (r > 0)
		*ret = (uint64_t) sql_col_i64(q, 0);
	sql_reset(q);
	return MIN(r, 0);
}

static unsigned int kind_of(const char *name)
{
	for (unsigned int k = 1; k < OPERATION_KIND_COUNT; k++)
		if (!strcmp(tag_kind_name(k), name))
			return k;
	return 0;
}

/* False for one whose password went with a restart of ours: it runs into its time. */
static bool row_to_operation(struct app *app, struct sql_stmt *q, struct proto_operation *op)
{
	bool known = true;

	memset(op, 0, sizeof(*op));
	op->id = (uint64_t) sql_col_i64(q, 0);
	snprintf(op->reader, sizeof(op->reader), "%s", sql_col_text(q, 1));
	op->antenna = (uint16_t) sql_col_i64(q, 2);
	op->kind = (uint8_t) kind_of(sql_col_text(q, 3));
	if (sql_col_text(q, 4)[0] && epc_from_hex(sql_col_text(q, 4), &op->tag) < 0)
		return false;
	op->bank = (uint8_t) sql_col_i64(q, 5);
	op->pointer = (uint16_t) sql_col_i64(q, 6);
	op->n_words = (uint16_t) sql_col_i64(q, 7);
	if (sql_col_text(q, 8)[0] && epc_from_hex(sql_col_text(q, 8), &op->epc) < 0)
		return false;
	op->field = (uint8_t) sql_col_i64(q, 9);
	op->how = (uint8_t) sql_col_i64(q, 10);
	if (sql_col_i64(q, 11))
		op->password = tags_secret(app->tags, sql_col_i64(q, 11), &known);
	op->until_us = sql_col_i64(q, 12);
	return known && op->kind != 0;
}

int tags_desired(struct app *app, int64_t agent_id, uint64_t after_rev, struct proto_desired *out)
{
	struct sql *s = db_reader(app->db);
	struct proto_operation *list;
	struct sql_stmt *q;
	uint64_t rev;
	size_t n = 0;
	int r;

	if (!app->tags)
		return 0;
	r = newest_rev(s, agent_id, &rev);
	if (r < 0 || rev == 0 || (after_rev > 0 && rev <= after_rev))
		return r;
	list = calloc(PROTO_MAX_OPERATIONS, sizeof(*list));
	if (!list)
		return -ENOMEM;
	q = sql_prepare(s, "SELECT id, reader, antenna, kind, epc, bank, pointer, words, new_epc,"
			   " field, how, token, until FROM tag_operations WHERE agent_id = ?"
			   " AND state IN ('pending', 'running') AND until > ? ORDER BY id");
	sql_bind_i64(q, 1, agent_id);
	sql_bind_i64(q, 2, clock_real_us(app->clock));
	while ((r = sql_step(q)) > 0 && n < PROTO_MAX_OPERATIONS)
		n += row_to_operation(app, q, &list[n]);
	sql_reset(q);
	if (r < 0) {
		free(list);
		return r;
	}
	free(out->operations);
	out->operations = list;
	out->n_operations = n;
	out->has_operations = true;
	return 1;
}

/* --- what became of it -------------------------------------------------------------------------
 */

struct take {
	struct http_request *rq;
	struct app *app;
	int64_t agent_id;
	bool changed[PROTO_MAX_OPERATIONS];
	int64_t ended[PROTO_MAX_OPERATIONS]; /* tokens of passwords that are not needed any more */
	struct proto_operation_results m;
};

static int64_t token_of(struct sql *s, uint64_t id)
{
	struct sql_stmt *q = sql_prepare(s, "SELECT token FROM tag_operations WHERE id = ?"
					    " AND state NOT IN ('pending', 'running')");
	int64_t token = 0;

	sql_bind_i64(q, 1, (int64_t) id);
	if (sql_step(q) > 0)
		token = sql_col_i64(q, 0);
	sql_reset(q);
	return token;
}

static int take_write(struct sql *s, void *arg)
{
	struct take *t = arg;
	int64_t now_us;
	int r = db_now_us(s, &now_us);

	for (size_t i = 0; i < t->m.n && r >= 0; i++) {
		r = tag_rows_result(s, t->agent_id, &t->m.list[i], now_us);
		t->changed[i] = r > 0;
		t->ended[i] = r > 0 ? token_of(s, t->m.list[i].id) : 0;
	}
	return MIN(r, 0);
}

static void taken(void *arg, int err)
{
	struct take *t = arg;
	struct proto_ack ack = {.acked = t->m.n, .server_time_us = clock_real_us(t->app->clock)};
	struct buf body = BUF_INIT;
	int r = err < 0 ? err : proto_ack_encode(&ack, &body);

	for (size_t i = 0; i < t->m.n && err == 0; i++) {
		if (t->ended[i])
			tags_secret_drop(t->app->tags, t->ended[i]);
		if (t->changed[i])
			tags_publish(t->app, (int64_t) t->m.list[i].id);
	}
	if (r < 0) {
		buf_done(&body);
		http_reply_err(t->rq, r, "Results");
	} else {
		http_reply_buf(t->rq, 200, PROTO_CONTENT_TYPE, &body);
	}
	free(t);
}

/* A text for people is kept only as far as it is text. */
static void clean(char *text)
{
	json_t *j = json_string(text);

	if (!j)
		snprintf(text, TAGS_TEXT_MAX, "The access point gave a reason that is no text.");
	json_decref(j);
}

void tags_agent_results(struct http_request *rq, struct app *app)
{
	struct take *t = calloc(1, sizeof(*t));
	const uint8_t *body;
	size_t len, at = 0;
	int r;

	if (!t) {
		http_reply_err(rq, -ENOMEM, "Results");
		return;
	}
	t->rq = rq;
	t->app = app;
	t->agent_id = http_who(rq)->agent_id;
	body = http_body(rq, &len);
	r = proto_operation_results_decode(body, len, &t->m, &at);
	if (r < 0) {
		http_problem(rq, 400, "malformed", "Results: %s at byte %zu.", err_str(r), at);
		free(t);
		return;
	}
	for (size_t i = 0; i < t->m.n; i++)
		clean(t->m.list[i].text);
	r = db_write(app->db, take_write, taken, t);
	if (r < 0) {
		http_reply_err(rq, r, "Results");
		free(t);
	}
}
