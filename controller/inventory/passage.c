/* SPDX-License-Identifier: Apache-2.0 */
#include "common/epc_scheme.h"
#include "common/err.h"
#include "common/hex.h"
#include "controller/incidents/incidents.h"
#include "controller/inventory/exit.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define PRUNE_AT_ONCE 200

/* A door as its rows say. */
struct door_row {
	int64_t id, place, grace_us;
	bool exit;
};

/* --- judging -----------------------------------------------------------------------------------
 */

static int find_door(struct sql *s, int64_t agent_id, int64_t id, struct door_row *ret)
{
	struct sql_stmt *q = sql_prepare(s, "SELECT d.place_id, d.grace_s, p.kind FROM doors d"
					    " JOIN places p ON p.id = d.place_id"
					    " WHERE d.id = ? AND d.agent_id = ?");
	int r;

	sql_bind_i64(q, 1, id);
	sql_bind_i64(q, 2, agent_id);
	r = sql_step(q);
	if (r > 0)
		*ret = (struct door_row){.id = id,
					 .place = sql_col_i64(q, 0),
					 .grace_us = sql_col_i64(q, 1) * US_PER_SEC,
					 .exit = strcmp(sql_col_text(q, 2), "exit") == 0};
	sql_reset(q);
	return r;
}

/* Which side each source of the entry is on. Readers count their antennas alike, so a source is
 * judged under its index plus one. */
static int find_sides(struct sql *s, int64_t door, const struct proto_reads_entry *e,
		      struct door_group *inner, struct door_group *outer)
{
	struct sql_stmt *q =
		sql_prepare(s, "SELECT reader, antenna, side FROM door_antennas WHERE door_id = ?");
	int r;

	*inner = *outer = (struct door_group){0};
	sql_bind_i64(q, 1, door);
	while ((r = sql_step(q)) > 0) {
		struct door_group *g = strcmp(sql_col_text(q, 2), "inner") == 0 ? inner : outer;

		for (size_t i = 0; i < e->n_sources && g->n < DOOR_MAX_ANTENNAS; i++)
			if (e->sources[i].antenna == sql_col_i64(q, 1) &&
			    strcmp(e->sources[i].reader, sql_col_text(q, 0)) == 0 &&
			    !door_group_has(g, (unsigned int) i + 1))
				g->antennas[g->n++] = (uint16_t) (i + 1);
	}
	return r;
}

void passage_judge(const struct proto_reads_entry *e, const struct door_group *inner,
		   const struct door_group *outer, struct door_verdict *ret)
{
	struct trace_read reads[PROTO_MAX_ENTRY_READS];

	for (size_t i = 0; i < e->n; i++) {
		const struct proto_read *r = &e->reads[i];

		reads[i] = (struct trace_read){
			.at_us = r->at_us,
			.rssi_dbm = r->rssi_cdbm == INT16_MIN ? TRACE_NO_RSSI
							      : (float) r->rssi_cdbm / 100.0f,
			.doppler = r->doppler == INT16_MIN ? TRACE_NO_DOPPLER : (float) r->doppler,
			.antenna = (uint16_t) (r->source + 1),
			.channel = r->channel ? (int16_t) MIN(r->channel, INT16_MAX) : -1,
			.phase = r->phase < 4096 ? (int16_t) r->phase : -1,
		};
	}
	door_judge(reads, e->n, inner, outer, ret);
}

/* --- rows --------------------------------------------------------------------------------------
 */

static uint64_t gtin_of(const struct epc *epc)
{
	struct epc_id id;

	return epc_decode(epc, &id) < 0 ? 0 : epc_id_gtin(&id);
}

int passage_insert(struct sql *s, const struct passage_row *p)
{
	struct sql_stmt *q = sql_prepare(
		s,
		"INSERT INTO passages(door_id, place_id, agent_id, epc, epc_bits, gtin, began, at,"
		" direction, confidence, reads, body, state, due, note)"
		" VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING");

	if (p->door)
		sql_bind_i64(q, 1, p->door);
	sql_bind_i64(q, 2, p->place);
	sql_bind_i64(q, 3, p->agent);
	sql_bind_blob(q, 4, p->epc->data, epc_bytes(p->epc));
	sql_bind_i64(q, 5, p->epc->bits);
	sql_bind_i64(q, 6, (int64_t) gtin_of(p->epc));
	sql_bind_i64(q, 7, p->began_us);
	sql_bind_i64(q, 8, p->at_us);
	sql_bind_text(q, 9, p->direction);
	sql_bind_f64(q, 10, p->confidence);
	sql_bind_i64(q, 11, (int64_t) p->reads);
	if (p->body)
		sql_bind_blob(q, 12, p->body, p->body_len);
	sql_bind_text(q, 13, p->due_us ? "waiting" : "noted");
	if (p->due_us)
		sql_bind_i64(q, 14, p->due_us);
	sql_bind_text(q, 15, p->note ? p->note : "");
	return sql_run(q);
}

/* What went before is overtaken: it waits no more, and came back if this is the way in. */
static int overtake(struct sql *s, const struct epc *epc, int64_t at_us, bool inward,
		    int64_t now_us)
{
	char subject[EPC_HEX_MAX + 8] = "item:";
	struct sql_stmt *q =
		sql_prepare(s, "UPDATE passages SET state = ?, due = NULL, note = ?"
			       " WHERE epc = ? AND epc_bits = ? AND at < ?"
			       " AND state IN ('waiting', 'unsold') AND (? OR state = 'waiting')");
	int r;

	sql_bind_text(q, 1, inward ? "returned" : "noted");
	sql_bind_text(q, 2, inward ? "it came in again" : "it passed once more");
	sql_bind_blob(q, 3, epc->data, epc_bytes(epc));
	sql_bind_i64(q, 4, epc->bits);
	sql_bind_i64(q, 5, at_us);
	sql_bind_i64(q, 6, inward);
	r = sql_run(q);
	if (r || !inward)
		return r;
	epc_to_hex(epc, subject + strlen(subject));
	r = incident_close(s, EXIT_INCIDENT, subject, now_us, "The item came in again.");
	return r < 0 ? r : 0;
}

/* Charts are for the days after; the fact stays longer. */
static int prune(struct sql *s, int64_t now_us)
{
	struct sql_stmt *q = sql_prepare(s, "UPDATE passages SET body = NULL WHERE id IN"
					    " (SELECT id FROM passages WHERE at < ? AND body IS NOT"
					    " NULL ORDER BY id LIMIT ?)");
	int r;

	sql_bind_i64(q, 1, now_us - PASSAGE_BODY_US);
	sql_bind_i64(q, 2, PRUNE_AT_ONCE);
	r = sql_run(q);
	if (r)
		return r;
	q = sql_prepare(s, "DELETE FROM passages WHERE id IN (SELECT id FROM passages WHERE at < ?"
			   " AND state NOT IN ('waiting', 'unsold') ORDER BY id LIMIT ?)");
	sql_bind_i64(q, 1, now_us - PASSAGES_KEPT_US);
	sql_bind_i64(q, 2, PRUNE_AT_ONCE);
	return sql_run(q);
}

static const char *direction_of(const struct door_verdict *v)
{
	if ((double) v->confidence < EXIT_SURE || v->direction == DOOR_UNKNOWN)
		return "unknown";
	return v->direction == DOOR_FORWARD ? "out" : "in";
}

int passage_add(struct sql *s, int64_t agent_id, const struct proto_reads_entry *e, int64_t now_us)
{
	_cleanup_buf_ struct buf body = BUF_INIT;
	struct door_row door;
	struct door_group inner, outer;
	struct door_verdict v;
	struct passage_row p = {.agent = agent_id, .epc = &e->epc, .reads = e->n};
	int r = find_door(s, agent_id, e->subject, &door);

	if (r <= 0)
		return r;
	r = find_sides(s, door.id, e, &inner, &outer);
	if (!r)
		r = proto_reads_entry_encode(e, &body);
	if (r)
		return r;
	passage_judge(e, &inner, &outer, &v);
	p.door = door.id;
	p.place = door.place;
	/* A clock that is ahead must not make the grace last for ever. */
	p.at_us = MIN(e->reads[e->n - 1].at_us, now_us);
	p.began_us = MIN(e->reads[0].at_us, p.at_us);
	p.direction = direction_of(&v);
	p.confidence = (double) v.confidence;
	p.body = body.data;
	p.body_len = body.len;
	if (door.exit && strcmp(p.direction, "in") != 0)
		p.due_us = p.at_us + door.grace_us;
	r = overtake(s, p.epc, p.at_us, strcmp(p.direction, "in") == 0, now_us);
	if (!r)
		r = passage_insert(s, &p);
	return r ? r : prune(s, now_us);
}
