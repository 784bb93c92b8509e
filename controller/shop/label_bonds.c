/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GET and POST /agent/v1/escrow: what the access points keep of their labels, so that another
 * machine can look after these without their pairing anew.
 *
 * Every row says which machine told it: an access point's place outlives the machine in it. An
 * agent is handed rows of labels that are its own now and that another machine told; nobody else
 * gets them, and who was handed something is recorded. Only the agent a label belongs to may change
 * its rows, so that one it was taken from does not write over what the next one says; of a label
 * that is nobody's, the machine that told may say that it has nothing any more.
 */
#include "common/err.h"
#include "common/fault.h"
#include "common/hex.h"
#include "common/log.h"
#include "controller/db/db_schema.h"
#include "controller/fleet/fleet.h"
#include "controller/shop/label.h"
#include "controller/shop/label_escrow.h"
#include "controller/shop/shop_internal.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

const char bonds_schema_v5[] = "CREATE TABLE label_bonds("
			       " addr INTEGER NOT NULL,"
			       " kind INTEGER NOT NULL," /* common/proto_escrow.h */
			       " agent_id INTEGER NOT NULL,"
			       " machine BLOB NOT NULL,"
			       " sealed BLOB NOT NULL," /* DIR/escrow.key opens it */
			       " at INTEGER NOT NULL,"
			       " store_id INTEGER NOT NULL DEFAULT 1,"
			       " PRIMARY KEY(addr, kind)) WITHOUT ROWID;";

struct bonds_op {
	struct http_request *rq;
	struct app *app;
	int64_t agent_id;
	bool has_after;
	uint64_t after; /**< label address */
	struct proto_escrow m;
};

static void op_free(struct bonds_op *op)
{
	explicit_bzero(op, sizeof *op);
	free(op);
}

/* --- what an agent tells ---------------------------------------------------------------------- */

/* 1 = the label is this agent's; or nobody's, when it only says that it has nothing of it. */
static int may_tell(struct sql *s, int64_t agent_id, const struct proto_escrow_entry *e)
{
	struct sql_stmt *q = sql_prepare(s, "SELECT agent_id FROM labels WHERE addr = ?");
	int r;

	sql_bind_i64(q, 1, (int64_t) label_addr_number(e->addr));
	r = sql_step(q);
	if (r > 0)
		r = sql_col_is_null(q, 0) ? e->len == 0 : sql_col_i64(q, 0) == agent_id;
	sql_reset(q);
	return r;
}

/* Only what it told itself: another machine's word stays. */
static int drop(struct sql *s, const struct bonds_op *op, const struct proto_escrow_entry *e)
{
	struct sql_stmt *q = sql_prepare(s, "DELETE FROM label_bonds WHERE addr = ? AND kind = ?"
					    " AND machine = ?");

	sql_bind_i64(q, 1, (int64_t) label_addr_number(e->addr));
	sql_bind_i64(q, 2, e->kind);
	sql_bind_blob(q, 3, op->m.machine, sizeof op->m.machine);
	return sql_run(q);
}

static int keep(struct sql *s, const struct bonds_op *op, const struct proto_escrow_entry *e,
		int64_t now_us)
{
	_cleanup_buf_ struct buf sealed = BUF_INIT;
	struct sql_stmt *q;
	int r = label_escrow_seal_entry(op->app->shop->escrow, e, &sealed);

	if (r < 0)
		return r;
	q = sql_prepare(s, "INSERT INTO label_bonds(addr, kind, agent_id, machine, sealed, at)"
			   " VALUES(?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT(addr, kind) DO UPDATE SET"
			   " agent_id = ?3, machine = ?4, sealed = ?5, at = ?6");
	sql_bind_i64(q, 1, (int64_t) label_addr_number(e->addr));
	sql_bind_i64(q, 2, e->kind);
	sql_bind_i64(q, 3, op->agent_id);
	sql_bind_blob(q, 4, op->m.machine, sizeof op->m.machine);
	sql_bind_blob(q, 5, sealed.data, sealed.len);
	sql_bind_i64(q, 6, now_us);
	return sql_run(q);
}

static int write_told(struct sql *s, void *arg)
{
	const struct bonds_op *op = arg;
	int64_t now_us;
	int r = db_now_us(s, &now_us);

	if (r == 0)
		r = fleet_check_revoked(s, op->agent_id);
	for (size_t i = 0; r == 0 && i < op->m.n; i++) {
		const struct proto_escrow_entry *e = &op->m.list[i];

		r = may_tell(s, op->agent_id, e);
		if (r > 0)
			r = e->len ? keep(s, op, e, now_us) : drop(s, op, e);
	}
	FAULT_POINT("ctl.escrow.before_commit");
	return r;
}

static void told(void *arg, int err)
{
	struct bonds_op *op = arg;
	struct proto_ack ack = {.caps = PROTO_CAP_LABELS,
				.acked = op->m.n,
				.server_time_us = clock_real_us(op->app->clock)};
	struct buf body = BUF_INIT;

	FAULT_POINT("ctl.escrow.before_ack");
	if (err == 0)
		err = proto_ack_encode(&ack, &body);
	if (err == 0) {
		http_reply_buf(op->rq, 200, PROTO_CONTENT_TYPE, &body);
	} else {
		buf_done(&body);
		http_reply_err(op->rq, err, "Escrow");
	}
	op_free(op);
}

/** The request's operation; NULL after it was answered. */
static struct bonds_op *begin(struct http_request *rq, struct app *app)
{
	struct bonds_op *op = calloc(1, sizeof *op);

	if (!op) {
		http_reply_err(rq, -ENOMEM, "Escrow");
		return NULL;
	}
	op->rq = rq;
	op->app = app;
	op->agent_id = http_who(rq)->agent_id;
	return op;
}

static void run(struct bonds_op *op, db_write_fn write, db_done_fn done)
{
	int r = db_write(op->app->db, write, done, op);

	if (r < 0) {
		http_reply_err(op->rq, r, "Escrow");
		op_free(op);
	}
}

void label_bonds_post(struct http_request *rq, struct app *app)
{
	struct bonds_op *op = begin(rq, app);
	const uint8_t *body;
	size_t len, at = 0;

	if (!op)
		return;
	body = http_body(rq, &len);
	if (proto_escrow_decode(body, len, &op->m, &at) < 0) {
		http_problem(rq, 400, "bad-message", "Byte %zu: not an escrow message.", at);
		op_free(op);
		return;
	}
	run(op, write_told, told);
}

/* --- what an agent is handed ------------------------------------------------------------------ */

/* A row that does not open was sealed under another escrow.key: nobody can be helped with it. */
static bool add_entry(struct bonds_op *op, struct sql_stmt *q)
{
	struct proto_escrow_entry *e = &op->m.list[op->m.n];
	const void *sealed;
	size_t len;

	if (op->m.n == PROTO_MAX_ESCROW)
		return false;
	label_addr_bytes((uint64_t) sql_col_i64(q, 0), e->addr);
	e->kind = (uint8_t) sql_col_i64(q, 1);
	sealed = sql_col_blob(q, 2, &len);
	if (label_escrow_open_entry(op->app->shop->escrow, sealed, len, e) < 0)
		return false;
	op->m.n++;
	return true;
}

/* The labels after one, and how many rows of them do not open. Whole labels only: there are at most
 * two rows of each. */
static int read_page(struct sql *s, struct bonds_op *op, int64_t *after, size_t *closed)
{
	struct sql_stmt *q = sql_prepare(
		s, "SELECT b.addr, b.kind, b.sealed FROM label_bonds b WHERE b.addr IN ("
		   "SELECT DISTINCT x.addr FROM labels l JOIN label_bonds x ON x.addr = l.addr"
		   " WHERE l.agent_id = ?1 AND x.machine <> ?2 AND x.addr > ?3"
		   " ORDER BY x.addr LIMIT ?4) AND b.machine <> ?2 ORDER BY b.addr, b.kind");
	size_t labels = 0;
	int r;

	sql_bind_i64(q, 1, op->agent_id);
	sql_bind_blob(q, 2, op->m.machine, sizeof op->m.machine);
	sql_bind_i64(q, 3, *after);
	sql_bind_i64(q, 4, PROTO_MAX_ESCROW / 2);
	while ((r = sql_step(q)) > 0) {
		labels += sql_col_i64(q, 0) != *after;
		*after = sql_col_i64(q, 0);
		*closed += !add_entry(op, q);
	}
	op->m.more = labels == PROTO_MAX_ESCROW / 2;
	return r;
}

/* The agent goes on after the last label of a page, so that a page of rows that do not open, all of
 * them, must not be its last. */
static int read_rows(struct sql *s, struct bonds_op *op)
{
	int64_t after = op->has_after ? (int64_t) op->after : -1;
	size_t closed = 0;
	int r;

	do {
		r = read_page(s, op, &after, &closed);
	} while (r == 0 && op->m.n == 0 && op->m.more);
	if (closed)
		log_write(LOG_ERR, "shop", -ERR_CRYPTO,
			  "agent=%lld rows=%zu msg=\"what was kept of labels does not open with "
			  "escrow.key\"",
			  (long long) op->agent_id, closed);
	return r;
}

static int write_handed(struct sql *s, void *arg)
{
	struct bonds_op *op = arg;
	char agent[PROTO_NAME_MAX], detail[64];
	struct sql_stmt *q;
	int r = fleet_check_revoked(s, op->agent_id);

	if (r == 0)
		r = read_rows(s, op);
	if (r < 0 || op->m.n == 0)
		return r;
	q = sql_prepare(s, "SELECT name FROM agents WHERE id = ?");
	sql_bind_i64(q, 1, op->agent_id);
	r = sql_step(q);
	snprintf(agent, sizeof agent, "%s", r > 0 ? sql_col_text(q, 0) : "");
	sql_reset(q);
	snprintf(detail, sizeof detail, "%zu entries", op->m.n);
	return r < 0 ? r : db_audit(s, agent, "labels.escrow-handed", agent, detail);
}

static void handed(void *arg, int err)
{
	struct bonds_op *op = arg;
	struct buf body = BUF_INIT;

	op->m.caps = PROTO_CAP_LABELS;
	if (err == 0)
		err = proto_escrow_encode(&op->m, &body);
	if (err == 0) {
		http_reply_buf(op->rq, 200, PROTO_CONTENT_TYPE, &body);
	} else {
		buf_done(&body);
		http_reply_err(op->rq, err, "Escrow");
	}
	op_free(op);
}

void label_bonds_get(struct http_request *rq, struct app *app)
{
	const char *machine = http_query(rq, "machine"), *after = http_query(rq, "after");
	struct bonds_op *op = begin(rq, app);
	uint8_t addr[LABEL_ADDR_BYTES];

	if (!op)
		return;
	if (!machine || strlen(machine) != 2 * sizeof op->m.machine ||
	    hex_decode(machine, op->m.machine, sizeof op->m.machine) < 0 ||
	    (after &&
	     (strlen(after) != 2 * sizeof addr || hex_decode(after, addr, sizeof addr) < 0))) {
		http_problem(rq, 400, "bad-query", "machine and after are hexadecimal.");
		op_free(op);
		return;
	}
	if (after) {
		op->has_after = true;
		op->after = label_addr_number(addr);
	}
	run(op, write_handed, handed);
}
