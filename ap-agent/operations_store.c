/* SPDX-License-Identifier: Apache-2.0 */
#include "ap-agent/operations_impl.h"
#include "common/err.h"
#include <errno.h>
#include <string.h>

static const char table[] = "CREATE TABLE IF NOT EXISTS operation("
			    " id INTEGER PRIMARY KEY,"
			    " phase INTEGER NOT NULL,"
			    " secret INTEGER NOT NULL,"
			    " told INTEGER NOT NULL DEFAULT 0,"
			    " ask BLOB NOT NULL,"
			    " result BLOB);";

int op_table(struct operations *o)
{
	return sql_exec(o->sql, table);
}

static int finish(struct operations *o, int r)
{
	if (r == 0)
		r = sql_commit(o->sql);
	if (r < 0)
		sql_rollback(o->sql);
	return r;
}

int op_accept(struct operations *o, const struct op *op)
{
	_cleanup_buf_ struct buf ask = BUF_INIT;
	struct sql_stmt *q;
	int r = proto_operation_encode(&op->ask, &ask), added = 0;

	if (r == 0)
		r = sql_begin(o->sql);
	if (r < 0)
		return r;
	q = sql_prepare(o->sql, "INSERT OR IGNORE INTO operation(id, phase, secret, ask)"
				" VALUES(?, 0, ?, ?)");
	sql_bind_i64(q, 1, (int64_t) op->ask.id);
	sql_bind_i64(q, 2, op->secret);
	sql_bind_blob(q, 3, ask.data, ask.len);
	r = sql_run(q);
	added = r == 0 && sql_changes(o->sql) > 0;
	r = finish(o, r);
	return r < 0 ? r : added;
}

int op_save(struct operations *o, const struct op *op)
{
	_cleanup_buf_ struct buf ask = BUF_INIT, result = BUF_INIT;
	struct sql_stmt *q;
	int r = proto_operation_encode(&op->ask, &ask);

	if (r == 0 && op->has_result)
		r = proto_operation_result_encode(&op->result, &result);
	if (r == 0)
		r = sql_begin(o->sql);
	if (r < 0)
		return r;
	q = sql_prepare(o->sql, "UPDATE operation SET phase = ?, told = ?, ask = ?, result = ?"
				" WHERE id = ?");
	sql_bind_i64(q, 1, op->phase);
	sql_bind_i64(q, 2, op->told);
	sql_bind_blob(q, 3, ask.data, ask.len);
	if (op->has_result)
		sql_bind_blob(q, 4, result.data, result.len);
	else
		sql_bind_null(q, 4);
	sql_bind_i64(q, 5, (int64_t) op->ask.id);
	return finish(o, sql_run(q));
}

struct op *op_add(struct operations *o, const struct op *op)
{
	struct op *mine;
	size_t at;

	if (o->n == OPERATIONS_MAX)
		return NULL;
	mine = malloc(sizeof(*mine));
	if (!mine)
		return NULL;
	*mine = *op;
	for (at = o->n++; at > 0 && o->list[at - 1]->ask.id > op->ask.id; at--)
		o->list[at] = o->list[at - 1];
	o->list[at] = mine;
	return mine;
}

int op_load(struct operations *o)
{
	struct sql_stmt *q = sql_prepare(o->sql, "SELECT phase, secret, told, ask, result FROM"
						 " operation WHERE phase < 2 OR told = 0"
						 " ORDER BY id LIMIT 64");
	int r;

	while ((r = sql_step(q)) > 0) {
		struct op op = {.phase = (enum op_phase) sql_col_i64(q, 0),
				.secret = sql_col_i64(q, 1) != 0,
				.told = sql_col_i64(q, 2) != 0};
		size_t len;
		const void *blob = sql_col_blob(q, 3, &len);

		if (!blob || proto_operation_decode(blob, len, &op.ask) < 0)
			continue; /* flash that lies */
		blob = sql_col_blob(q, 4, &len);
		op.has_result = blob && proto_operation_result_decode(blob, len, &op.result) == 0;
		if (!op_add(o, &op)) {
			sql_reset(q);
			return -ENOMEM;
		}
	}
	return r;
}

int op_prune(struct operations *o)
{
	struct sql_stmt *q;
	int r = sql_begin(o->sql);

	if (r < 0)
		return r;
	q = sql_prepare(o->sql, "DELETE FROM operation WHERE phase = 2 AND told = 1 AND id <= "
				"(SELECT max(id) FROM operation) - ?");
	sql_bind_i64(q, 1, OPERATIONS_KEPT);
	return finish(o, sql_run(q));
}

int operations_forget(struct operations *o)
{
	int r = sql_begin(o->sql);

	if (r == 0)
		r = finish(o, sql_exec(o->sql, "DELETE FROM operation"));
	if (r < 0)
		return r;
	for (size_t i = 0; i < o->n; i++)
		if (o->list[i] != o->active)
			free(o->list[i]);
	o->list[0] = o->active; /* what the reader is at still comes back */
	o->n = o->active != NULL;
	if (o->active)
		o->active->told = true;
	return 0;
}
