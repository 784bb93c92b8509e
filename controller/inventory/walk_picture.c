/* SPDX-License-Identifier: Apache-2.0 */
/* What a walk has brought so far, for the person who walks; and its reads as CSV. */
#include "common/err.h"
#include "common/hex.h"
#include "controller/db/db.h"
#include "controller/inventory/walk.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- in words ----------------------------------------------------------------------------------
 */

struct picture {
	int64_t seconds, reads, told, refused;
	bool open;
	bool enough;
	char words[200];
};

static int64_t count_told(struct sql *s, int64_t id)
{
	struct sql_stmt *q = sql_prepare(s, "SELECT count(*) FROM walk_told WHERE walk_id = ?");
	int64_t n = 0;

	sql_bind_i64(q, 1, id);
	if (sql_step(q) > 0)
		n = sql_col_i64(q, 0);
	sql_reset(q);
	return n;
}

static void put_words(struct picture *p)
{
	const char *again = p->open ? "" : " Walk this place once more.";
	char *w = p->words;
	size_t cap = sizeof(p->words);

	p->enough = p->seconds >= WALK_ENOUGH_S && p->reads >= WALK_ENOUGH_READ &&
		    p->told >= WALK_ENOUGH_TOLD;
	if (p->refused)
		snprintf(w, cap, "More than enough: end it, later reads are not kept.");
	else if (p->enough)
		snprintf(w, cap,
			 "Enough. More is better up to about three minutes: edges, high, low.");
	else if (!p->reads && p->seconds >= 10)
		snprintf(w, cap, "No antenna hears the tag. Is it the right one?%s", again);
	else if (!p->reads)
		snprintf(w, cap, "Waiting for the first read.");
	else if (p->seconds < WALK_ENOUGH_S && p->open)
		snprintf(w, cap, "Keep walking: %lld of %d seconds.", (long long) p->seconds,
			 WALK_ENOUGH_S);
	else if (p->seconds < WALK_ENOUGH_S)
		snprintf(w, cap, "Too short: %lld of %d seconds.%s", (long long) p->seconds,
			 WALK_ENOUGH_S, again);
	else if (p->reads < WALK_ENOUGH_READ)
		snprintf(w, cap, "Heard too seldom: %lld of %d reads.%s", (long long) p->reads,
			 WALK_ENOUGH_READ, again);
	else
		snprintf(w, cap, "The antennas told little of it: move about more.%s", again);
}

/* --- as JSON -----------------------------------------------------------------------------------
 */

static json_t *antennas_json(struct inventory *inv, int64_t id)
{
	struct sql_stmt *q =
		sql_prepare(db_reader(inv->app->db),
			    "SELECT agent_id, reader, antenna, reads, cdbm_sum, with_level, last"
			    " FROM walk_antennas WHERE walk_id = ? ORDER BY reads DESC LIMIT 64");
	json_t *list = json_array();

	sql_bind_i64(q, 1, id);
	while (sql_step(q) > 0) {
		uint64_t agent = (uint64_t) sql_col_i64(q, 0);
		int64_t levels = sql_col_i64(q, 5);
		struct inv_antenna a = {.agent = agent, .number = (uint16_t) sql_col_i64(q, 2)};
		double dbm = levels ? (double) (sql_col_i64(q, 4) / levels) / 100.0 : 0;

		snprintf(a.reader, sizeof(a.reader), "%s", sql_col_text(q, 1));
		json_array_append_new(
			list,
			json_pack("{s:I,s:o,s:s,s:i,s:o,s:I,s:o,s:o}", "agent_id",
				  (json_int_t) agent, "agent", inventory_agent_json(inv, agent),
				  "reader", a.reader, "antenna", (int) a.number, "place",
				  inventory_place_json(inv, inventory_place_of(inv, &a)), "reads",
				  (json_int_t) sql_col_i64(q, 3), "rssi_dbm",
				  levels ? json_real(dbm) : json_null(), "last",
				  inventory_time_json(sql_col_i64(q, 6))));
	}
	return list;
}

json_t *walk_json(struct inventory *inv, int64_t id, bool full)
{
	struct sql *s = db_reader(inv->app->db);
	struct picture p = {.told = count_told(s, id)};
	int64_t started_us, ended_us, now_us = clock_real_us(inv->app->clock);
	char hex[2 * EPC_MAX_BYTES + 1];
	struct sql_stmt *q = sql_prepare(
		s, "SELECT place_id, epc, started, ended, until, who, reads, refused FROM walks"
		   " WHERE id = ?");
	json_t *walk;
	const void *epc;
	size_t len;

	sql_bind_i64(q, 1, id);
	if (sql_step(q) <= 0)
		return NULL;
	epc = sql_col_blob(q, 1, &len);
	hex_encode(epc, MIN(len, (size_t) EPC_MAX_BYTES), hex);
	started_us = sql_col_i64(q, 2);
	p.open = sql_col_is_null(q, 3);
	ended_us = p.open ? MIN(now_us, sql_col_i64(q, 4)) : sql_col_i64(q, 3);
	p.seconds = MAX(ended_us - started_us, (int64_t) 0) / US_PER_SEC;
	p.reads = sql_col_i64(q, 6);
	p.refused = sql_col_i64(q, 7);
	put_words(&p);
	walk = json_pack(
		"{s:I,s:o,s:s,s:o,s:o,s:s,s:I,s:I,s:I,s:I,s:b,s:b,s:s}", "id", (json_int_t) id,
		"place", inventory_place_json(inv, (uint32_t) sql_col_i64(q, 0)), "epc", hex,
		"started", inventory_time_json(started_us), "ended",
		p.open ? json_null() : inventory_time_json(ended_us), "by", sql_col_text(q, 5),
		"seconds", (json_int_t) p.seconds, "reads", (json_int_t) p.reads, "told",
		(json_int_t) p.told, "refused", (json_int_t) p.refused, "open", p.open, "enough",
		p.enough, "words", p.words);
	sql_reset(q);
	if (walk && full)
		json_object_set_new(walk, "antennas", antennas_json(inv, id));
	return walk;
}

/* --- as CSV ------------------------------------------------------------------------------------
 */

static void put_read(struct buf *out, int64_t agent, const struct proto_reads_entry *e,
		     const struct proto_read *r)
{
	const struct proto_source *src = &e->sources[r->source];
	char hex[EPC_HEX_MAX];

	buf_printf(out, "%lld.%06lld,%lld/", (long long) (r->at_us / US_PER_SEC),
		   (long long) (r->at_us % US_PER_SEC), (long long) agent);
	/* A reader's name is whatever somebody typed. */
	for (const char *c = src->reader; *c; c++)
		buf_put_u8(out, strchr(",\"\r\n", *c) ? '_' : (uint8_t) *c);
	buf_printf(out, ",%u,", src->antenna);
	if (r->rssi_cdbm != INT16_MIN)
		buf_printf(out, "%.2f", r->rssi_cdbm / 100.0);
	buf_printf(out, ",%s,", epc_to_hex(&e->epc, hex));
	if (r->phase != UINT16_MAX)
		buf_printf(out, "%u", r->phase);
	buf_printf(out, ",");
	if (r->channel)
		buf_printf(out, "%u", r->channel);
	buf_printf(out, ",");
	if (r->doppler != INT16_MIN)
		buf_printf(out, "%d", r->doppler);
	buf_printf(out, "\n");
}

void walks_csv(struct http_request *rq, struct app *app)
{
	struct buf out = BUF_INIT;
	struct sql_stmt *q;
	int64_t id;
	int r;

	if (!http_arg_id(rq, 0, &id))
		return;
	q = sql_prepare(db_reader(app->db),
			"SELECT agent_id, body FROM walk_reads WHERE walk_id = ? ORDER BY id");
	sql_bind_i64(q, 1, id);
	buf_printf(&out, "timestamp,reader,antenna,rssi,epc,phase_angle,channel_index,"
			 "doppler_frequency\n");
	while ((r = sql_step(q)) > 0) {
		struct proto_reads_entry e;
		size_t len;
		const void *body = sql_col_blob(q, 1, &len);

		if (proto_reads_entry_decode(body, len, &e) < 0)
			continue;
		for (size_t i = 0; i < e.n; i++)
			if (e.reads[i].at_us >= 0)
				put_read(&out, sql_col_i64(q, 0), &e, &e.reads[i]);
		proto_reads_entry_done(&e);
	}
	if (r < 0 || out.err) {
		r = r < 0 ? r : out.err;
		buf_done(&out);
		http_reply_err(rq, r, "Walk");
		return;
	}
	http_set_header(rq, "Content-Disposition", "attachment; filename=\"walk.csv\"");
	http_reply_buf(rq, 200, "text/csv; charset=utf-8", &out);
}
