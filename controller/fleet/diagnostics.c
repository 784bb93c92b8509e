/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/fleet/diagnostics.h"
#include "common/clock.h"
#include "common/err.h"
#include "config.h"
#include "controller/app.h"
#include "controller/app_config.h"
#include "controller/db/db.h"
#include "controller/fleet/fleet.h"
#include "controller/http/metrics.h"
#include "controller/inventory/inventory.h"
#include <errno.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>

#define AUDIT_ROWS 200

static json_t *versions_json(void)
{
	struct utsname u;

	if (uname(&u) < 0)
		memset(&u, 0, sizeof(u));
	return json_pack("{s:s,s:s,s:s,s:s}", "gondolad", PACKAGE_VERSION, "system", u.sysname,
			 "kernel", u.release, "machine", u.machine);
}

static json_t *listen_json(const struct app_listen *l)
{
	return json_pack("{s:s,s:i,s:s}", "address", l->address ? l->address : "", "port",
			 (int) l->port, "names", l->names ? l->names : "");
}

static json_t *config_json(const struct app_config *c)
{
	return json_pack("{s:s,s:s,s:s,s:s,s:s,s:b,s:I,s:I,s:o,s:o}", "state_dir", c->state_dir,
			 "store_zone", c->store_zone, "currency", c->currency, "web_root",
			 c->web_root, "log_level", c->log_level, "labels_adopt_auto",
			 c->labels_adopt_auto, "inventory_checkpoint_s",
			 (json_int_t) c->inventory_checkpoint_s, "inventory_max_items",
			 (json_int_t) c->inventory_max_items, "public",
			 listen_json(&c->public_listen), "agents", listen_json(&c->agents_listen));
}

static json_int_t number(struct app *app, const char *text)
{
	struct sql_stmt *q = sql_prepare(db_reader(app->db), text);
	json_int_t n = -1;

	if (sql_step(q) > 0) {
		n = sql_col_i64(q, 0);
		sql_reset(q);
	}
	return n;
}

static json_t *database_json(struct app *app)
{
	struct db_stats st;

	db_stats(app->db, &st);
	return json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:s}", "schema",
			 number(app, "SELECT value FROM meta WHERE key = 'schema'"), "bytes",
			 number(app, "SELECT page_count * page_size FROM pragma_page_count,"
				     " pragma_page_size"),
			 "products", number(app, "SELECT count(*) FROM products"), "prices",
			 number(app, "SELECT count(*) FROM prices"), "labels",
			 number(app, "SELECT count(*) FROM labels"), "display_ledger",
			 number(app, "SELECT max(id) FROM display_ledger"), "audit",
			 number(app, "SELECT count(*) FROM audit"), "queued",
			 (json_int_t) st.queued, "last_write", err_str(st.last_err));
}

static json_t *disk_json(const struct app *app)
{
	struct statvfs v;

	if (statvfs(app->config->state_dir, &v) < 0)
		return json_null();
	return json_pack("{s:I,s:I,s:b}", "bytes", (json_int_t) (v.f_blocks * v.f_frsize),
			 "available_bytes", (json_int_t) (v.f_bavail * v.f_frsize), "read_only",
			 (v.f_flag & ST_RDONLY) != 0);
}

static json_t *inventory_json(const struct app *app)
{
	struct inventory_stats st;

	if (!app->inventory)
		return json_null();
	inventory_stats(app->inventory, &st);
	return json_pack("{s:I,s:I,s:I,s:I,s:s}", "items", (json_int_t) st.items, "present",
			 (json_int_t) st.present, "journal_bytes", (json_int_t) st.journal_bytes,
			 "snapshot_bytes", (json_int_t) st.snapshot_bytes, "storage",
			 err_str(st.storage_err));
}

/* When and what, not who and to whom. */
static json_t *audit_json(struct app *app)
{
	struct sql_stmt *q = sql_prepare(db_reader(app->db), "SELECT at, action FROM audit"
							     " ORDER BY id DESC LIMIT ?");
	char when[CLOCK_RFC3339_MAX];
	json_t *list = json_array();

	sql_bind_i64(q, 1, AUDIT_ROWS);
	while (sql_step(q) > 0)
		json_array_append_new(list, json_pack("{s:s,s:s}", "at",
						      clock_rfc3339(sql_col_i64(q, 0), when),
						      "action", sql_col_text(q, 1)));
	return list;
}

static void get_diagnostics(struct http_request *rq, struct app *app)
{
	struct buf text = BUF_INIT;
	char when[CLOCK_RFC3339_MAX];
	char *metrics;

	metrics_write(app, &text);
	metrics = buf_steal_str(&text);
	http_reply_json(rq, 200,
			json_pack("{s:s,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:s}", "at",
				  clock_rfc3339(clock_real_us(app->clock), when), "versions",
				  versions_json(), "config", config_json(app->config), "database",
				  database_json(app), "disk", disk_json(app), "inventory",
				  inventory_json(app), "agents",
				  app->fleet ? fleet_agents_json(app->fleet) : json_null(), "audit",
				  audit_json(app), "metrics", metrics ? metrics : ""));
	free(metrics);
}

const struct http_route diagnostics_routes[] = {
	{HTTP_PUBLIC, HTTP_GET, "/api/v1/diagnostics", PERM_FLEET, 0, get_diagnostics},
	{.path = NULL},
};
