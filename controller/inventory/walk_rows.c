/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/inventory/walk.h"
#include <string.h>

/* 1 = takes reads of this tag now, 0 = not. */
static int takes(struct sql *s, const struct proto_reads_entry *e, int64_t now_us, int64_t *ret_has)
{
	struct sql_stmt *q =
		sql_prepare(s, "SELECT reads FROM walks WHERE id = ? AND epc = ? AND epc_bits = ?"
			       " AND coalesce(ended, until) > ?");
	int r;

	sql_bind_i64(q, 1, e->subject);
	sql_bind_blob(q, 2, e->epc.data, epc_bytes(&e->epc));
	sql_bind_i64(q, 3, e->epc.bits);
	sql_bind_i64(q, 4, now_us - WALK_LATE_US);
	r = sql_step(q);
	if (r > 0)
		*ret_has = sql_col_i64(q, 0);
	sql_reset(q);
	return r;
}

static int refuse(struct sql *s, const struct proto_reads_entry *e)
{
	struct sql_stmt *q = sql_prepare(s, "UPDATE walks SET refused = refused + ? WHERE id = ?");

	sql_bind_i64(q, 1, (int64_t) e->n);
	sql_bind_i64(q, 2, e->subject);
	return sql_run(q);
}

static int count_antenna(struct sql *s, int64_t agent_id, const struct proto_reads_entry *e,
			 uint8_t source)
{
	int64_t reads = 0, sum = 0, levels = 0, last_us = 0;
	struct sql_stmt *q;

	for (size_t i = 0; i < e->n; i++) {
		const struct proto_read *r = &e->reads[i];

		if (r->source != source)
			continue;
		reads++;
		last_us = MAX(last_us, r->at_us);
		if (r->rssi_cdbm != INT16_MIN) {
			sum += r->rssi_cdbm;
			levels++;
		}
	}
	if (!reads)
		return 0;
	q = sql_prepare(s,
			"INSERT INTO walk_antennas VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"
			" ON CONFLICT DO UPDATE SET reads = reads + ?5, cdbm_sum = cdbm_sum + ?6,"
			" with_level = with_level + ?7, last = max(last, ?8)");
	sql_bind_i64(q, 1, e->subject);
	sql_bind_i64(q, 2, agent_id);
	sql_bind_text(q, 3, e->sources[source].reader);
	sql_bind_i64(q, 4, e->sources[source].antenna);
	sql_bind_i64(q, 5, reads);
	sql_bind_i64(q, 6, sum);
	sql_bind_i64(q, 7, levels);
	sql_bind_i64(q, 8, last_us);
	return sql_run(q);
}

static int add_body(struct sql *s, int64_t agent_id, const struct proto_reads_entry *e)
{
	_cleanup_buf_ struct buf body = BUF_INIT;
	struct sql_stmt *q;
	int r = proto_reads_entry_encode(e, &body);

	if (r < 0)
		return r;
	q = sql_prepare(s, "INSERT INTO walk_reads(walk_id, agent_id, n, body) VALUES(?, ?, ?, ?)");
	sql_bind_i64(q, 1, e->subject);
	sql_bind_i64(q, 2, agent_id);
	sql_bind_i64(q, 3, (int64_t) e->n);
	sql_bind_blob(q, 4, body.data, body.len);
	r = sql_run(q);
	if (r < 0)
		return r;
	q = sql_prepare(s, "UPDATE walks SET reads = reads + ? WHERE id = ?");
	sql_bind_i64(q, 1, (int64_t) e->n);
	sql_bind_i64(q, 2, e->subject);
	return sql_run(q);
}

int walk_rows_add(struct sql *s, int64_t agent_id, const struct proto_reads_entry *e,
		  int64_t now_us)
{
	int64_t has = 0;
	int r = takes(s, e, now_us, &has);

	if (r <= 0)
		return r;
	if (has + (int64_t) e->n > WALK_MAX_READS)
		return refuse(s, e);
	r = add_body(s, agent_id, e);
	for (size_t i = 0; i < e->n_sources && !r; i++)
		r = count_antenna(s, agent_id, e, (uint8_t) i);
	return r;
}
