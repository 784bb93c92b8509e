/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/inventory/watch.h"
#include "common/err.h"
#include "controller/db/db.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

int watch_changed(struct sql *s)
{
	struct sql_stmt *q;
	uint64_t rev;
	int r = db_next_rev(s, &rev);

	if (r < 0)
		return r;
	q = sql_prepare(s, "UPDATE meta SET value = ? WHERE key = 'watch_rev'");
	sql_bind_i64(q, 1, (int64_t) rev);
	return sql_run(q);
}

void watch_wake(struct app *app)
{
	app_desired_changed(app, 0);
}

static int add_walks(struct sql *s, int64_t now_us, struct proto_watch *w)
{
	struct sql_stmt *q =
		sql_prepare(s, "SELECT id, epc, epc_bits, until FROM walks"
			       " WHERE ended IS NULL AND until > ? ORDER BY id LIMIT ?");
	int r;

	sql_bind_i64(q, 1, now_us);
	sql_bind_i64(q, 2, PROTO_MAX_FOLLOW);
	while ((r = sql_step(q)) > 0) {
		struct proto_follow *f = &w->follow[w->n_follow];
		size_t len;
		const void *epc = sql_col_blob(q, 1, &len);

		if (len > EPC_MAX_BYTES || epc_set(&f->epc, epc, (size_t) sql_col_i64(q, 2)) < 0)
			continue;
		f->walk = (uint32_t) sql_col_i64(q, 0);
		f->until_us = sql_col_i64(q, 3);
		w->n_follow++;
	}
	return r;
}

static int add_doors(struct sql *s, int64_t agent_id, struct proto_watch *w)
{
	struct sql_stmt *q =
		sql_prepare(s, "SELECT d.id, a.reader, a.antenna, a.side FROM doors d"
			       " JOIN door_antennas a ON a.door_id = d.id WHERE d.agent_id = ?"
			       " ORDER BY d.id, a.reader, a.antenna");
	struct proto_door *d = NULL;
	int r;

	sql_bind_i64(q, 1, agent_id);
	while ((r = sql_step(q)) > 0) {
		uint32_t id = (uint32_t) sql_col_i64(q, 0);
		struct proto_door_antenna *a;

		if (!d || d->door != id) {
			if (w->n_doors == PROTO_MAX_DOORS)
				break;
			d = &w->doors[w->n_doors++];
			d->door = id;
		}
		if (d->n == PROTO_MAX_DOOR_ANTENNAS)
			continue;
		a = &d->antennas[d->n++];
		memcpy(a->reader, sql_col_text(q, 1),
		       strnlen(sql_col_text(q, 1), sizeof(a->reader) - 1));
		a->antenna = (uint16_t) sql_col_i64(q, 2);
		a->side = strcmp(sql_col_text(q, 3), "inner") == 0 ? DOOR_INNER : DOOR_OUTER;
	}
	sql_reset(q);
	return r < 0 ? r : 0;
}

/* Finer steps also while somebody walks: a model is fitted on what agents tell while it is in use.
 */
static int add_fineness(struct sql *s, struct proto_watch *w)
{
	struct sql_stmt *q =
		sql_prepare(s, "SELECT 1 FROM place_model_now WHERE model_id IS NOT NULL");
	int r = sql_step(q);

	w->fine = r > 0 || w->n_follow > 0;
	sql_reset(q);
	return r < 0 ? r : 0;
}

int watch_desired(struct app *app, int64_t agent_id, uint64_t after, struct proto_desired *m)
{
	struct sql *s = db_reader(app->db);
	struct sql_stmt *q = sql_prepare(s, "SELECT value FROM meta WHERE key = 'watch_rev'");
	uint64_t rev;
	int r = sql_step(q);

	if (r <= 0)
		return r < 0 ? r : -ERR_CORRUPT;
	rev = (uint64_t) sql_col_i64(q, 0);
	sql_reset(q);
	if (rev == 0 || (after > 0 && rev <= after))
		return 0;
	m->watch = calloc(1, sizeof(*m->watch));
	if (!m->watch)
		return -ENOMEM;
	r = add_walks(s, clock_real_us(app->clock), m->watch);
	if (r >= 0)
		r = add_doors(s, agent_id, m->watch);
	if (r >= 0)
		r = add_fineness(s, m->watch);
	return r < 0 ? r : 0;
}
