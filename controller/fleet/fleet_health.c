/* SPDX-License-Identifier: Apache-2.0 */
#include "common/err.h"
#include "controller/db/db.h"
#include "controller/fleet/fleet_incidents.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define STORE_EVERY_US (60 * US_PER_SEC)

struct store {
	int64_t agent_id, at_us;
	uint64_t caps;
	char version[PROTO_TEXT_MAX];
	size_t len;
	uint8_t report[];
};

static int write_health(struct sql *s, void *arg)
{
	const struct store *h = arg;
	struct sql_stmt *q = sql_prepare(s, "UPDATE agents SET last_seen = ?, version = ?, caps = ?"
					    " WHERE id = ?");
	int r;

	sql_bind_i64(q, 1, h->at_us);
	sql_bind_text(q, 2, h->version);
	sql_bind_i64(q, 3, (int64_t) h->caps);
	sql_bind_i64(q, 4, h->agent_id);
	r = sql_run(q);
	if (r < 0)
		return r;
	q = sql_prepare(s, "INSERT INTO agent_health(agent_id, at, report) VALUES(?, ?, ?)"
			   " ON CONFLICT(agent_id) DO UPDATE SET at = excluded.at,"
			   " report = excluded.report");
	sql_bind_i64(q, 1, h->agent_id);
	sql_bind_i64(q, 2, h->at_us);
	sql_bind_blob(q, 3, h->report, h->len);
	return sql_run(q);
}

static void health_written(void *arg, int err _unused_)
{
	free(arg); /* the next one comes within a minute */
}

/* A row now and then: what an agent said last is worth keeping, every word of it is not. */
static void store_health(struct fleet *f, struct agent *a, const void *report, size_t len)
{
	int64_t now = clock_real_us(f->app->clock);
	struct store *h;

	if (now - a->health_stored_us < STORE_EVERY_US)
		return;
	h = calloc(1, sizeof(*h) + len);
	if (!h)
		return;
	h->agent_id = a->id;
	h->at_us = now;
	h->caps = a->caps & INT64_MAX;
	memcpy(h->version, a->version, sizeof(h->version));
	h->len = len;
	memcpy(h->report, report, len);
	if (db_write(f->app->db, write_health, health_written, h) < 0)
		free(h);
	else
		a->health_stored_us = now;
}

void fleet_post_health(struct http_request *rq, struct app *app)
{
	struct fleet *f = app->fleet;
	struct agent *a = fleet_find(f, http_who(rq)->agent_id);
	_cleanup_free_ struct proto_health *h = calloc(1, sizeof(*h));
	struct proto_health_response answer = {.server_time_us = clock_real_us(app->clock)};
	struct buf out = BUF_INIT;
	const uint8_t *body;
	size_t len, at = 0;
	int r;

	if (!h || !a) {
		http_reply_err(rq, a ? -ENOMEM : -ENOENT, "Health");
		return;
	}
	body = http_body(rq, &len);
	r = proto_health_decode(body, len, h, &at);
	if (r < 0) {
		http_problem(rq, 400, "malformed", "Health report: %s at byte %zu.", err_str(r),
			     at);
		return;
	}
	f->health_reports++;
	a->caps = h->caps;
	memcpy(a->version, h->version, sizeof(a->version));
	free(a->health);
	a->health = TAKE_PTR(h);
	store_health(f, a, body, len);
	fleet_incidents_health(f->incidents, a);
	fleet_publish(f, a);
	r = proto_health_response_encode(&answer, &out);
	if (r < 0) {
		buf_done(&out);
		http_reply_err(rq, r, "Health");
		return;
	}
	http_reply_buf(rq, 200, PROTO_CONTENT_TYPE, &out);
}
