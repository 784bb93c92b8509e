/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys of labels, by whom they are to be replaced: an instant per access point, before which a key
 * must not have been made. The access point does it at its visits; its health says how far it is.
 */
#include "controller/fleet/fleet_internal.h"

#include "common/err.h"
#include "controller/db/db.h"
#include "controller/db/db_schema.h"
#include <errno.h>
#include <stdio.h>

const char keys_schema_v4[] = "CREATE TABLE label_key_orders("
			      " agent_id INTEGER PRIMARY KEY REFERENCES agents(id),"
			      " store_id INTEGER NOT NULL DEFAULT 1,"
			      " before INTEGER NOT NULL," /* keys made sooner are to be replaced */
			      " rev INTEGER NOT NULL);";

struct order {
	struct http_request *rq;
	struct app *app;
	int64_t agent_id, before_us;
	char by[AUTH_WHO_MAX];
	char name[PROTO_NAME_MAX];
};

static int write_order(struct sql *s, void *arg)
{
	const struct order *o = arg;
	struct sql_stmt *q;
	uint64_t rev;
	int r = db_next_rev(s, &rev);

	if (r < 0)
		return r;
	q = sql_prepare(s, "INSERT INTO label_key_orders(agent_id, before, rev) VALUES(?1, ?2, ?3)"
			   " ON CONFLICT(agent_id) DO UPDATE SET before = ?2, rev = ?3");
	sql_bind_i64(q, 1, o->agent_id);
	sql_bind_i64(q, 2, o->before_us);
	sql_bind_i64(q, 3, (int64_t) rev);
	r = sql_run(q);
	return r < 0 ? r : db_audit(s, o->by, "labels.rotate-keys", o->name, NULL);
}

static void ordered(void *arg, int err)
{
	struct order *o = arg;
	char before[CLOCK_RFC3339_MAX];

	if (err < 0) {
		http_reply_err(o->rq, err, "Keys");
	} else {
		app_desired_changed(o->app, o->agent_id);
		http_reply_json(o->rq, 202,
				json_pack("{s:I,s:o,s:s}", "agent_id", (json_int_t) o->agent_id,
					  "agent", fleet_json_text(o->name), "before",
					  clock_rfc3339(o->before_us, before)));
	}
	free(o);
}

void fleet_rotate_keys(struct http_request *rq, struct app *app)
{
	struct agent *a = fleet_from_path(rq, app->fleet);
	struct order *o;
	int r;

	if (!a)
		return;
	if (a->revoked_us) {
		http_problem(rq, 409, "revoked", "This access point was revoked.");
		return;
	}
	o = calloc(1, sizeof(*o));
	if (!o) {
		http_reply_err(rq, -ENOMEM, "Keys");
		return;
	}
	o->rq = rq;
	o->app = app;
	o->agent_id = a->id;
	o->before_us = clock_real_us(app->clock);
	snprintf(o->name, sizeof(o->name), "%s", a->name);
	auth_who_text(http_who(rq), o->by);
	r = db_write(app->db, write_order, ordered, o);
	if (r < 0) {
		free(o);
		http_reply_err(rq, r, "Keys");
	}
}

int fleet_desired_keys(struct app *app, int64_t agent_id, uint64_t after, struct proto_desired *m)
{
	struct sql_stmt *q = sql_prepare(db_reader(app->db), "SELECT before FROM label_key_orders"
							     " WHERE agent_id = ? AND rev > ?");
	int r;

	sql_bind_i64(q, 1, agent_id);
	sql_bind_i64(q, 2, (int64_t) after);
	r = sql_step(q);
	if (r > 0)
		m->rotate_keys_us = sql_col_i64(q, 0);
	sql_reset(q);
	return r < 0 ? r : 0;
}
