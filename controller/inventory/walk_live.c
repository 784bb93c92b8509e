/* SPDX-License-Identifier: Apache-2.0 */
#include "common/hex.h"
#include "common/log.h"
#include "controller/db/db.h"
#include "controller/inventory/walk.h"
#include "controller/inventory/watch.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOOK_US US_PER_SEC
#define KEY_MAX 64

/* --- what agents tell of a carried tag ---------------------------------------------------------
 */

struct told_row {
	int64_t walk;
	int64_t at_us;
	char reader[PROTO_NAME_MAX];
	uint16_t antenna, rate_mhz;
	int16_t rssi_cdbm;
	bool present;
	char key[KEY_MAX];
};

struct told_op {
	uint64_t agent;
	size_t n;
	struct told_row rows[];
};

static int write_told(struct sql *s, void *arg)
{
	const struct told_op *op = arg;
	int r = 0;

	for (size_t i = 0; i < op->n && !r; i++) {
		const struct told_row *t = &op->rows[i];
		struct sql_stmt *q = sql_prepare(
			s, "INSERT OR IGNORE INTO walk_told(walk_id, at, agent_id, reader, antenna,"
			   " present, rssi_cdbm, rate_mhz, key)"
			   " SELECT id, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9 FROM walks WHERE id = ?1"
			   " AND (SELECT count(*) FROM walk_told WHERE walk_id = ?1) < ?10");

		sql_bind_i64(q, 1, t->walk);
		sql_bind_i64(q, 2, t->at_us);
		sql_bind_i64(q, 3, (int64_t) op->agent);
		sql_bind_text(q, 4, t->reader);
		sql_bind_i64(q, 5, t->antenna);
		sql_bind_i64(q, 6, t->present);
		sql_bind_i64(q, 7, t->rssi_cdbm);
		sql_bind_i64(q, 8, t->rate_mhz);
		sql_bind_text(q, 9, t->key);
		sql_bind_i64(q, 10, WALK_MAX_TOLD);
		r = sql_run(q);
	}
	return r;
}

static void told_done(void *arg, int err)
{
	if (err)
		log_warn("walk", "error=%d msg=\"what agents told of a carried tag is lost\"", err);
	free(arg);
}

static const struct walk_open *walk_of(const struct walks *w, const struct inv_sighting *s)
{
	for (size_t i = 0; i < w->n; i++)
		if (w->open[i].epc.bits == s->bits &&
		    memcmp(w->open[i].epc.data, s->epc, epc_bytes(&w->open[i].epc)) == 0)
			return &w->open[i];
	return NULL;
}

/* When the controller heard it: live, what counts is what was known at each instant. */
static void take(struct told_op *op, const struct inv_batch *b, size_t i, int64_t walk,
		 int64_t now_us)
{
	const struct inv_sighting *s = &b->sightings[i];
	struct told_row *t = &op->rows[op->n++];
	char id[2 * PROTO_JOURNAL_ID_BYTES + 1];

	*t = (struct told_row){
		.walk = walk,
		.at_us = now_us,
		.antenna = b->sources[s->source].antenna,
		.rate_mhz = s->rate_mhz,
		.rssi_cdbm = s->rssi_cdbm,
		.present = s->kind != SIGHTING_GONE,
	};
	memcpy(t->reader, b->sources[s->source].reader, sizeof(t->reader));
	hex_encode(b->journal_id, PROTO_JOURNAL_ID_BYTES, id);
	snprintf(t->key, sizeof(t->key), "%s:%llu", id, (unsigned long long) (b->first_seq + i));
}

void walks_told(struct walks *w, const struct inv_batch *b)
{
	int64_t now_us = clock_real_us(w->inv->app->clock);
	struct told_op *op = NULL;

	if (!w->n)
		return;
	for (size_t i = 0; i < b->n; i++) {
		const struct walk_open *o = walk_of(w, &b->sightings[i]);

		if (!o || o->until_us < now_us)
			continue;
		if (!op)
			op = calloc(1, sizeof(*op) + b->n * sizeof(op->rows[0]));
		if (!op)
			return;
		take(op, b, i, o->id, now_us);
	}
	if (!op)
		return;
	op->agent = b->agent;
	if (db_write(w->inv->app->db, write_told, told_done, op) < 0)
		told_done(op, -ENOMEM);
}

/* --- walks that end by themselves --------------------------------------------------------------
 */

struct end_op {
	struct walks *walks;
	int ended;
};

static int write_ends(struct sql *s, void *arg)
{
	struct end_op *op = arg;
	struct sql_stmt *q =
		sql_prepare(s, "UPDATE walks SET ended = until WHERE ended IS NULL AND until <= ?");
	int64_t now_us;
	int r = db_now_us(s, &now_us);

	if (r < 0)
		return r;
	sql_bind_i64(q, 1, now_us);
	r = sql_run(q);
	op->ended = sql_changes(s);
	if (r < 0 || !op->ended)
		return r;
	r = watch_changed(s);
	return r < 0 ? r : db_audit(s, "gondolad", "walk.end", "", "its time was over");
}

static void ends_done(void *arg, int err)
{
	struct end_op *op = arg;
	struct walks *w = op->walks;

	w->ending = false;
	if (!err && op->ended) {
		walks_reload(w);
		watch_wake(w->inv->app);
	}
	free(op);
}

static void on_look(void *user)
{
	struct walks *w = user;
	int64_t now_us = clock_real_us(w->inv->app->clock);
	bool over = false;

	for (size_t i = 0; i < w->n; i++)
		over = over || w->open[i].until_us <= now_us;
	if (over && !w->ending) {
		struct end_op *op = calloc(1, sizeof(*op));

		if (op) {
			op->walks = w;
			w->ending = db_write(w->inv->app->db, write_ends, ends_done, op) == 0;
			if (!w->ending)
				free(op);
		}
	}
	if (w->n)
		loop_timer_start(w->timer, LOOK_US);
}

void walks_reload(struct walks *w)
{
	struct sql_stmt *q =
		sql_prepare(db_reader(w->inv->app->db),
			    "SELECT id, epc, epc_bits, until FROM walks WHERE ended IS NULL"
			    " ORDER BY id LIMIT ?");

	w->n = 0;
	sql_bind_i64(q, 1, PROTO_MAX_FOLLOW);
	while (sql_step(q) > 0) {
		struct walk_open *o = &w->open[w->n];
		size_t len;
		const void *epc = sql_col_blob(q, 1, &len);

		if (len > EPC_MAX_BYTES || epc_set(&o->epc, epc, (size_t) sql_col_i64(q, 2)) < 0)
			continue;
		o->id = sql_col_i64(q, 0);
		o->until_us = sql_col_i64(q, 3);
		w->n++;
	}
	if (w->n)
		loop_timer_start(w->timer, LOOK_US);
}

int walks_new(struct inventory *inv, struct walks **ret)
{
	struct walks *w = calloc(1, sizeof(*w));
	int r;

	if (!w)
		return -ENOMEM;
	w->inv = inv;
	r = loop_timer_new(inv->app->loop, on_look, w, &w->timer);
	if (r < 0) {
		free(w);
		return r;
	}
	walks_reload(w);
	*ret = w;
	return 0;
}

void walks_free(struct walks *w)
{
	if (!w)
		return;
	loop_timer_free(w->timer);
	free(w);
}
