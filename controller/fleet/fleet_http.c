/* SPDX-License-Identifier: Apache-2.0 */
/* /api/v1/agents: the list, one agent, and taking its certificate back. */
#include "common/err.h"
#include "controller/db/db.h"
#include "controller/fleet/fleet_incidents.h"
#include "controller/http/events.h"
#include "controller/http/list.h"
#include "controller/shop/shop.h"
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

json_t *fleet_json_text(const char *text)
{
	json_t *j = json_string(text);

	return j ? j : json_string("");
}

static json_t *json_time(int64_t us)
{
	char text[CLOCK_RFC3339_MAX];

	return us ? json_string(clock_rfc3339(us, text)) : json_null();
}

static json_t *caps_json(uint64_t caps)
{
	json_t *list = json_array();

	if (caps & PROTO_CAP_LABELS)
		json_array_append_new(list, json_string("labels"));
	if (caps & PROTO_CAP_RFID)
		json_array_append_new(list, json_string("rfid"));
	return list;
}

static const char *state_text(const struct agent *a)
{
	if (a->revoked_us)
		return "revoked";
	return a->online ? "online" : "offline";
}

static json_t *health_json(const struct proto_health *h)
{
	bool measured = h->clock_uncertainty_us >= 0;

	return json_pack("{s:o,s:o,s:I,s:I,s:I,s:I,s:I,s:o,s:o,s:o}", "clock_offset_ms",
			 measured ? json_integer(h->clock_offset_us / US_PER_MS) : json_null(),
			 "clock_uncertainty_ms",
			 measured ? json_integer(h->clock_uncertainty_us / US_PER_MS) : json_null(),
			 "journal_depth", (json_int_t) h->journal_depth, "journal_dropped",
			 (json_int_t) h->journal_dropped, "rss_kib", (json_int_t) h->rss_kib,
			 "tags_in_view", (json_int_t) h->tags_in_view, "labels_synced",
			 (json_int_t) h->labels_synced, "radio", fleet_label_radio_json(h),
			 "interfaces", fleet_interfaces_json(h), "last_error",
			 fleet_json_text(h->last_error));
}

json_t *fleet_agent_json(const struct fleet *f, const struct agent *a)
{
	static const struct proto_health none = {.clock_uncertainty_us = -1, .radio_state = "none"};
	char advice[512];
	json_t *body, *health = health_json(a->health ? a->health : &none);

	fleet_advise(a, clock_real_us(f->app->clock), advice, sizeof(advice));
	body = json_pack("{s:I,s:o,s:s,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "id", (json_int_t) a->id,
			 "name", fleet_json_text(a->name), "state", state_text(a), "state_since",
			 json_time(a->revoked_us ? a->revoked_us : a->state_since_us), "last_seen",
			 json_time(a->last_seen_us), "version", fleet_json_text(a->version), "caps",
			 caps_json(a->caps), "cert_expires", json_time(a->cert_not_after_us),
			 "readers", fleet_readers_json(f, a), "next_step", fleet_json_text(advice));
	if (body && health)
		(void) json_object_update(body, health);
	json_decref(health);
	return body;
}

void fleet_publish(struct fleet *f, const struct agent *a)
{
	if (f->app->events)
		events_publish(f->app->events, "agent", fleet_agent_json(f, a));
}

struct agent *fleet_from_path(struct http_request *rq, struct fleet *f)
{
	const char *text = http_arg(rq, 0);
	struct agent *a = NULL;
	char *end;
	long long id;

	errno = 0;
	id = strtoll(text, &end, 10);
	if (!errno && !*end && isdigit((unsigned char) text[0]))
		a = fleet_find(f, id);
	if (!a)
		http_problem(rq, 404, "not-found", "There is no such agent.");
	return a;
}

static int by_id(const struct agent *a, const struct agent *b)
{
	return (a->id > b->id) - (a->id < b->id);
}

static void get_agents(struct http_request *rq, struct app *app)
{
	struct fleet *f = app->fleet;
	struct list_page page;
	json_t *items;
	int64_t last = 0, n = 0;
	struct agent *a;

	if (!list_page_read(rq, &page))
		return;
	HASH_SORT(f->agents, by_id);
	items = json_array();
	for (a = f->agents; a && n < page.limit; a = a->hh.next) {
		if (a->id <= page.after)
			continue;
		json_array_append_new(items, fleet_agent_json(f, a));
		last = a->id;
		n++;
	}
	list_reply(rq, items, a ? last : 0);
}

static void get_agent(struct http_request *rq, struct app *app)
{
	struct agent *a = fleet_from_path(rq, app->fleet);
	json_t *body;

	if (!a)
		return;
	body = fleet_agent_json(app->fleet, a);
	fleet_add_radio_json(a, body);
	http_reply_json(rq, 200, body);
}

/* --- revocation ---------------------------------------------------------------------------- */

struct revoke {
	struct http_request *rq;
	struct app *app;
	int64_t id, at_us;
	char by[AUTH_WHO_MAX];
	char name[PROTO_NAME_MAX];
};

/* The name becomes free for the access point's successor. */
static int write_revoke(struct sql *s, void *arg)
{
	struct revoke *v = arg;
	struct sql_stmt *q =
		sql_prepare(s, "SELECT name FROM agents WHERE id = ? AND revoked IS NULL");
	const char *name;
	int r;

	sql_bind_i64(q, 1, v->id);
	r = sql_step(q);
	if (r <= 0)
		return r < 0 ? r : -ENOENT;
	name = sql_col_text(q, 0);
	snprintf(v->name, sizeof(v->name), "%.*s (revoked %lld)", (int) fleet_name_cut(name, 32),
		 name, (long long) v->id);
	sql_reset(q);
	q = sql_prepare(s, "UPDATE agents SET revoked = ?, name = ? WHERE id = ?");
	sql_bind_i64(q, 1, v->at_us);
	sql_bind_text(q, 2, v->name);
	sql_bind_i64(q, 3, v->id);
	r = sql_run(q);
	if (r < 0)
		return r;
	r = shop_agent_revoked(s, v->id);
	if (r < 0)
		return r;
	return db_audit(s, v->by, "agent.revoke", v->name, NULL);
}

static void revoked(void *arg, int err)
{
	struct revoke *v = arg;
	struct agent *a = fleet_find(v->app->fleet, v->id);

	if (err < 0) {
		http_reply_err(v->rq, err, "The agent could not be revoked");
	} else {
		if (a) {
			a->revoked_us = v->at_us;
			a->online = false;
			a->state_since_us = v->at_us;
			fleet_incidents_revoked(v->app->fleet->incidents, a);
			snprintf(a->name, sizeof(a->name), "%s", v->name);
			fleet_publish(v->app->fleet, a);
		}
		shop_agent_shut_out(v->app->shop, v->id);
		http_reply_empty(v->rq, 204);
	}
	free(v);
}

static void revoke_agent(struct http_request *rq, struct app *app)
{
	struct agent *a = fleet_from_path(rq, app->fleet);
	struct revoke *v;
	int r;

	if (!a)
		return;
	if (a->revoked_us) {
		http_reply_empty(rq, 204);
		return;
	}
	v = calloc(1, sizeof(*v));
	if (!v) {
		http_reply_err(rq, -ENOMEM, "Agent");
		return;
	}
	v->rq = rq;
	v->app = app;
	v->id = a->id;
	v->at_us = clock_real_us(app->clock);
	auth_who_text(http_who(rq), v->by);
	r = db_write(app->db, write_revoke, revoked, v);
	if (r < 0) {
		free(v);
		http_reply_err(rq, r, "Agent");
	}
}

json_t *fleet_agents_json(const struct fleet *f)
{
	json_t *list = json_array();
	const struct agent *a;

	for (a = f->agents; a; a = a->hh.next)
		json_array_append_new(list, fleet_agent_json(f, a));
	return list;
}

const struct http_route fleet_routes[] = {
	{HTTP_PUBLIC, HTTP_GET, "/api/v1/agents", PERM_VIEW, 0, get_agents},
	{HTTP_PUBLIC, HTTP_GET, "/api/v1/agents/{}", PERM_VIEW, 0, get_agent},
	{HTTP_PUBLIC, HTTP_DELETE, "/api/v1/agents/{}", PERM_FLEET, 0, revoke_agent},
	{HTTP_PUBLIC, HTTP_PUT, "/api/v1/agents/{}/readers/{}", PERM_FLEET, 4096, fleet_put_reader},
	{HTTP_PUBLIC, HTTP_DELETE, "/api/v1/agents/{}/readers/{}", PERM_FLEET, 0,
	 fleet_delete_reader},
	{HTTP_PUBLIC, HTTP_POST, "/api/v1/agents/{}/rotate-keys", PERM_FLEET, 0, fleet_rotate_keys},
	{HTTP_AGENTS, HTTP_POST, "/agent/v1/health", PERM_AGENT, 128 * 1024, fleet_post_health},
	{.path = NULL},
};
