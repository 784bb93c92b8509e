/* SPDX-License-Identifier: Apache-2.0 */
/*
 * POST /agent/v1/reads: raw reads of the tags that an agent was asked to follow, answered when they
 * are durable. Entries at or below the stream's mark were here before and are dropped.
 */
#include "common/err.h"
#include "common/fault.h"
#include "controller/db/db.h"
#include "controller/fleet/fleet.h"
#include "controller/http/events.h"
#include "controller/incidents/incidents.h"
#include "controller/inventory/exit.h"
#include "controller/inventory/walk.h"
#include <errno.h>
#include <stdlib.h>

struct reads_op {
	struct http_request *rq;
	struct app *app;
	int64_t agent_id;
	struct proto_reads m;
	uint64_t acked;
	bool walks, passages; /* something new of these */
};

static void op_free(struct reads_op *op)
{
	proto_reads_done(&op->m);
	free(op);
}

static int read_mark(struct sql *s, struct reads_op *op)
{
	struct sql_stmt *q = sql_prepare(
		s, "SELECT acked FROM read_streams WHERE agent_id = ? AND journal_id = ?");
	int r;

	sql_bind_i64(q, 1, op->agent_id);
	sql_bind_blob(q, 2, op->m.journal_id, sizeof(op->m.journal_id));
	r = sql_step(q);
	op->acked = r > 0 ? (uint64_t) sql_col_i64(q, 0) : 0;
	sql_reset(q);
	return r < 0 ? r : 0;
}

static int write_mark(struct sql *s, const struct reads_op *op)
{
	struct sql_stmt *q = sql_prepare(s, "INSERT INTO read_streams VALUES(?1, ?2, ?3)"
					    " ON CONFLICT DO UPDATE SET acked = excluded.acked");

	sql_bind_i64(q, 1, op->agent_id);
	sql_bind_blob(q, 2, op->m.journal_id, sizeof(op->m.journal_id));
	sql_bind_i64(q, 3, (int64_t) op->acked);
	return sql_run(q);
}

static int take(struct sql *s, struct reads_op *op, const struct proto_reads_entry *e,
		int64_t now_us)
{
	if (e->kind == READS_WALK) {
		op->walks = true;
		return walk_rows_add(s, op->agent_id, e, now_us);
	}
	op->passages = true;
	return passage_add(s, op->agent_id, e, now_us);
}

static int write_reads(struct sql *s, void *arg)
{
	struct reads_op *op = arg;
	int64_t now_us;
	int r = db_now_us(s, &now_us);

	if (!r)
		r = fleet_check_revoked(s, op->agent_id);
	if (!r)
		r = read_mark(s, op);
	for (size_t i = 0; i < op->m.n && !r; i++) {
		uint64_t seq = op->m.first_seq + i;

		if (seq <= op->acked)
			continue;
		r = take(s, op, &op->m.entries[i], now_us);
		op->acked = seq;
	}
	if (!r)
		r = write_mark(s, op);
	FAULT_POINT("ctl.reads.before_commit");
	return r;
}

static void reads_done(void *arg, int err)
{
	struct reads_op *op = arg;
	struct buf body = BUF_INIT;
	struct proto_ack ack = {.acked = op->acked,
				.server_time_us = clock_real_us(op->app->clock)};

	if (!err)
		FAULT_POINT("ctl.reads.after_commit");
	if (!err)
		err = proto_ack_encode(&ack, &body);
	if (err) {
		buf_done(&body);
		http_reply_err(op->rq, err, "Reads");
		op_free(op);
		return;
	}
	http_reply_buf(op->rq, 200, PROTO_CONTENT_TYPE, &body);
	if (op->walks)
		events_publish(op->app->events, "walk", json_object());
	if (op->passages) {
		events_publish(op->app->events, "passage", json_object());
		incidents_look(op->app->incidents);
		exits_look(op->app->inventory);
	}
	op_free(op);
}

void ingest_reads(struct http_request *rq, struct app *app)
{
	struct reads_op *op = calloc(1, sizeof(*op));
	const uint8_t *body;
	size_t len, at = 0;
	int r;

	if (!op) {
		http_reply_err(rq, -ENOMEM, "Reads");
		return;
	}
	body = http_body(rq, &len);
	r = proto_reads_decode(body, len, &op->m, &at);
	if (r < 0) {
		if (r == -ERR_VERSION)
			http_problem(rq, 400, "protocol-version",
				     "This controller speaks version %u.", PROTO_VERSION);
		else
			http_problem(rq, 400, "bad-message", "%s at byte %zu", err_str(r), at);
		free(op);
		return;
	}
	op->rq = rq;
	op->app = app;
	op->agent_id = http_who(rq)->agent_id;
	r = db_write(app->db, write_reads, reads_done, op);
	if (r < 0) {
		http_reply_err(rq, r, "Reads");
		op_free(op);
	}
}
