/* SPDX-License-Identifier: Apache-2.0 */
#include "common/err.h"
#include "common/log.h"
#include "controller/db/db.h"
#include "controller/fleet/fleet_incidents.h"
#include "controller/http/events.h"
#include "controller/http/list.h"
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define WATCH_US (5 * US_PER_SEC)

static const struct throttle_rule stranger_rule = {
	.free_failures = 10,
	.base_us = US_PER_SEC,
	.max_us = 300 * US_PER_SEC,
	.forget_us = 3600 * US_PER_SEC,
	.max_entries = 4096,
};

/* --- memory -------------------------------------------------------------------------------- */

size_t fleet_name_cut(const char *name, size_t max)
{
	size_t len = strnlen(name, max + 1);

	if (len <= max)
		return len;
	while (max > 0 && ((unsigned char) name[max] & 0xc0) == 0x80)
		max--;
	return max;
}

struct agent *fleet_find(const struct fleet *f, int64_t id)
{
	struct agent *a;

	HASH_FIND(hh, f->agents, &id, sizeof(id), a);
	return a;
}

struct agent *fleet_add(struct fleet *f, int64_t id, const char *name)
{
	struct agent *a = fleet_find(f, id);

	if (!a) {
		a = calloc(1, sizeof(*a));
		if (!a)
			return NULL;
		a->id = id;
		HASH_ADD(hh, f->agents, id, sizeof(a->id), a);
		if (!a->hh.tbl) {
			free(a);
			return NULL;
		}
	}
	snprintf(a->name, sizeof(a->name), "%s", name);
	return a;
}

void fleet_revoke_certs(struct fleet *f, struct agent *a)
{
	for (struct agent_cert *c = f->certs; c; c = c->hh.next)
		c->revoked = c->revoked || c->agent_id == a->id;
	free(a->health);
	a->health = NULL;
	a->cert_not_after_us = 0;
	a->online = false;
}

int fleet_add_cert(struct fleet *f, const uint8_t fingerprint[CA_FINGERPRINT_BYTES],
		   int64_t agent_id, int64_t not_after_us, bool revoked)
{
	struct agent *a = fleet_find(f, agent_id);
	struct agent_cert *c;

	if (a && !revoked)
		a->cert_not_after_us = MAX(a->cert_not_after_us, not_after_us);
	HASH_FIND(hh, f->certs, fingerprint, CA_FINGERPRINT_BYTES, c);
	if (c)
		return 0;
	c = calloc(1, sizeof(*c));
	if (!c)
		return -ENOMEM;
	memcpy(c->fingerprint, fingerprint, CA_FINGERPRINT_BYTES);
	c->agent_id = agent_id;
	c->revoked = revoked;
	HASH_ADD(hh, f->certs, fingerprint, CA_FINGERPRINT_BYTES, c);
	if (!c->hh.tbl) {
		free(c);
		return -ENOMEM;
	}
	return 0;
}

void fleet_seen(struct fleet *f, struct agent *a)
{
	a->last_seen_us = clock_real_us(f->app->clock);
	if (a->online)
		return;
	a->online = true;
	a->state_since_us = a->last_seen_us;
	log_info("fleet", "agent=%lld msg=online", (long long) a->id);
	fleet_publish(f, a);
}

static void watch(void *user)
{
	struct fleet *f = user;
	int64_t now = clock_real_us(f->app->clock);

	for (struct agent *a = f->agents; a; a = a->hh.next) {
		if (!a->revoked_us)
			fleet_incidents_watch(f->incidents, a);
		if (!a->online || now - a->last_seen_us < FLEET_OFFLINE_US)
			continue;
		a->online = false;
		a->state_since_us = a->last_seen_us;
		log_notice("fleet", "agent=%lld msg=offline", (long long) a->id);
		fleet_publish(f, a);
	}
	loop_timer_start(f->watch, WATCH_US);
}

/* --- who is this --------------------------------------------------------------------------- */

/* The chain is checked once per connection; state and time in every request. */
static int check_peer(struct fleet *f, struct http_request *rq, struct http_peer *peer)
{
	const uint8_t *der;
	size_t len;

	if (peer->checked)
		return peer->err;
	der = http_peer_cert(rq, &len);
	peer->err = der ? ca_verify_client(f->app->ca, der, len, clock_real_us(f->app->clock),
					   peer->fingerprint, &peer->not_after_us)
			: -ERR_AUTH;
	peer->checked = true;
	return peer->err;
}

int fleet_identify(void *user, struct http_request *rq, struct http_who *ret)
{
	struct fleet *f = user;
	struct http_peer *peer = http_peer(rq);
	struct agent_cert *c;
	struct agent *a;
	int r;

	if (!peer)
		return -ERR_AUTH;
	r = check_peer(f, rq, peer);
	if (r < 0)
		return r;
	if (clock_real_us(f->app->clock) > peer->not_after_us)
		return -ERR_EXPIRED;
	HASH_FIND(hh, f->certs, peer->fingerprint, CA_FINGERPRINT_BYTES, c);
	a = c ? fleet_find(f, c->agent_id) : NULL;
	if (!a)
		return -ERR_AUTH;
	if (a->revoked_us || c->revoked)
		return -ERR_REVOKED;
	ret->agent_id = a->id;
	ret->perms = PERM_AGENT;
	fleet_seen(f, a);
	return 0;
}

int fleet_check_revoked(struct sql *s, int64_t agent_id)
{
	struct sql_stmt *q =
		sql_prepare(s, "SELECT 1 FROM agents WHERE id = ? AND revoked IS NOT NULL");
	int r;

	sql_bind_i64(q, 1, agent_id);
	r = sql_step(q);
	sql_reset(q);
	return r > 0 ? -ERR_REVOKED : r;
}

/* --- what others ask ----------------------------------------------------------------------- */

const char *fleet_agent_name(const struct fleet *f, int64_t agent_id)
{
	const struct agent *a = f ? fleet_find(f, agent_id) : NULL;

	return a ? a->name : "";
}

bool fleet_agent_online(const struct fleet *f, int64_t agent_id)
{
	const struct agent *a = f ? fleet_find(f, agent_id) : NULL;

	return a && a->online;
}

double fleet_picture_rate(const struct fleet *f)
{
	uint32_t slowest_ms = 0;

	for (const struct agent *a = f->agents; a; a = a->hh.next)
		if (!a->revoked_us && a->online && a->health)
			slowest_ms = MAX(slowest_ms, a->health->radio.picture_ms);
	return slowest_ms ? 1000.0 / slowest_ms : 0;
}

void fleet_stats(const struct fleet *f, struct fleet_stats *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->health_reports = f->health_reports;
	for (const struct agent *a = f->agents; a; a = a->hh.next) {
		if (a->revoked_us)
			ret->revoked++;
		else if (a->online)
			ret->online++;
		else
			ret->offline++;
	}
}

/* --- life ---------------------------------------------------------------------------------- */

static int load_agents(struct fleet *f)
{
	struct sql_stmt *q = sql_prepare(db_reader(f->app->db),
					 "SELECT id, name, created, coalesce(revoked, 0), version,"
					 " caps, coalesce(last_seen, 0) FROM agents ORDER BY id");
	int r;

	while ((r = sql_step(q)) > 0) {
		struct agent *a = fleet_add(f, sql_col_i64(q, 0), sql_col_text(q, 1));

		if (!a) {
			sql_reset(q);
			return -ENOMEM;
		}
		a->created_us = sql_col_i64(q, 2);
		a->revoked_us = sql_col_i64(q, 3);
		snprintf(a->version, sizeof(a->version), "%s", sql_col_text(q, 4));
		a->caps = (uint64_t) sql_col_i64(q, 5);
		a->last_seen_us = a->state_since_us = sql_col_i64(q, 6);
	}
	return r;
}

static int load_certs(struct fleet *f)
{
	struct sql_stmt *q =
		sql_prepare(db_reader(f->app->db), "SELECT fingerprint, agent_id, not_after,"
						   " revoked IS NOT NULL FROM agent_certs");
	int r;

	while ((r = sql_step(q)) > 0) {
		size_t len;
		const void *fingerprint = sql_col_blob(q, 0, &len);

		if (!fingerprint || len != CA_FINGERPRINT_BYTES)
			continue;
		r = fleet_add_cert(f, fingerprint, sql_col_i64(q, 1), sql_col_i64(q, 2),
				   sql_col_i64(q, 3) != 0);
		if (r < 0) {
			sql_reset(q);
			return r;
		}
	}
	return r;
}

/* The last report stays readable over a restart of ours; one that no longer decodes is left out. */
static int load_health(struct fleet *f)
{
	struct sql_stmt *q =
		sql_prepare(db_reader(f->app->db), "SELECT agent_id, report FROM agent_health");
	int r;

	while ((r = sql_step(q)) > 0) {
		struct agent *a = fleet_find(f, sql_col_i64(q, 0));
		struct proto_health *h = calloc(1, sizeof(*h));
		size_t len;
		const void *report = sql_col_blob(q, 1, &len);

		if (a && h && report && proto_health_decode(report, len, h, NULL) == 0)
			a->health = TAKE_PTR(h);
		free(h);
	}
	return r;
}

int fleet_new(struct app *app, struct fleet **ret)
{
	struct fleet *f = calloc(1, sizeof(*f));
	int r;

	if (!f)
		return -ENOMEM;
	f->app = app;
	r = throttle_new(&stranger_rule, &f->strangers);
	if (r == 0)
		r = load_agents(f);
	if (r == 0)
		r = load_certs(f);
	if (r == 0)
		r = load_health(f);
	if (r == 0)
		r = fleet_incidents_new(app, &f->incidents);
	if (r == 0)
		r = loop_timer_new(app->loop, watch, f, &f->watch);
	if (r < 0) {
		fleet_free(f);
		return r;
	}
	loop_timer_start(f->watch, WATCH_US);
	*ret = f;
	return 0;
}

void fleet_free(struct fleet *f)
{
	struct agent *a, *next_a;
	struct agent_cert *c, *next_c;

	if (!f)
		return;
	HASH_ITER (hh, f->agents, a, next_a) {
		HASH_DEL(f->agents, a);
		free(a->health);
		free(a);
	}
	HASH_ITER (hh, f->certs, c, next_c) {
		HASH_DEL(f->certs, c);
		free(c);
	}
	throttle_free(f->strangers);
	fleet_incidents_free(f->incidents);
	loop_timer_free(f->watch);
	free(f);
}
