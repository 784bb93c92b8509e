/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/app.h"
#include "common/err.h"
#include "common/log.h"
#include "controller/app_config.h"
#include "controller/books/books.h"
#include "controller/db/db.h"
#include "controller/fleet/ca.h"
#include "controller/fleet/diagnostics.h"
#include "controller/fleet/fleet.h"
#include "controller/http/events.h"
#include "controller/http/http.h"
#include "controller/http/metrics.h"
#include "controller/http/static.h"
#include "controller/incidents/incidents.h"
#include "controller/inventory/inventory.h"
#include "controller/keeping/backup.h"
#include "controller/keeping/retention.h"
#include "controller/people/audit.h"
#include "controller/people/auth.h"
#include "controller/people/tokens.h"
#include "controller/promo/promo.h"
#include "controller/rollout/rollout.h"
#include "controller/shop/shop.h"
#include "controller/tags/tags.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define RENEW_US (24 * 3600 * US_PER_SEC)

/* A part of the daemon: parts start in the order of the table and stop in the reverse one. */
struct part {
	const char *name;
	int (*start)(struct app *app);
	void (*stop)(struct app *app);
};

static int start_db(struct app *app)
{
	int r = db_open(app->loop, app->config->state_dir, &app->db);

	if (r < 0)
		log_write(LOG_ERR, "app", r, "msg=\"%s/gondola.db cannot be opened\"",
			  app->config->state_dir);
	return r;
}

static void stop_db(struct app *app)
{
	db_close(app->db);
	app->db = NULL;
}

static int start_ca(struct app *app)
{
	_cleanup_free_ char *dir = NULL;

	if (asprintf(&dir, "%s/ca", app->config->state_dir) < 0)
		return -ENOMEM;
	return ca_open(dir, app->config->store_name, clock_real_us(app->clock), &app->ca);
}

static void stop_ca(struct app *app)
{
	ca_free(app->ca);
	app->ca = NULL;
}

static int start_http(struct app *app)
{
	return http_server_new(app, &app->http);
}

static void stop_http(struct app *app)
{
	http_server_free(app->http);
	app->http = NULL;
}

static int start_events(struct app *app)
{
	int r = events_new(app, &app->events);

	if (r == 0)
		http_add_routes(app->http, events_routes);
	return r;
}

static void stop_events(struct app *app)
{
	events_free(app->events);
	app->events = NULL;
}

static int start_auth(struct app *app)
{
	int r = auth_new(app, &app->auth);

	if (r < 0)
		return r;
	http_set_identify(app->http, HTTP_PUBLIC, auth_identify, app->auth);
	http_add_routes(app->http, auth_routes);
	http_add_routes(app->http, users_routes);
	http_add_routes(app->http, session_routes);
	http_add_routes(app->http, token_routes);
	return auth_first_admin(app, stdout);
}

static void stop_auth(struct app *app)
{
	auth_free(app->auth);
	app->auth = NULL;
}

static int start_incidents(struct app *app)
{
	int r = incidents_new(app, &app->incidents);

	if (r == 0)
		http_add_routes(app->http, incident_routes);
	return r;
}

static void stop_incidents(struct app *app)
{
	incidents_free(app->incidents);
	app->incidents = NULL;
}

static int start_fleet(struct app *app)
{
	int r = fleet_new(app, &app->fleet);

	if (r < 0)
		return r;
	http_set_identify(app->http, HTTP_AGENTS, fleet_identify, app->fleet);
	http_add_routes(app->http, fleet_routes);
	http_add_routes(app->http, fleet_code_routes);
	http_add_routes(app->http, fleet_enroll_routes);
	return 0;
}

static void stop_fleet(struct app *app)
{
	fleet_free(app->fleet);
	app->fleet = NULL;
}

static int start_tags(struct app *app)
{
	int r = tags_new(app, &app->tags);

	if (r == 0)
		http_add_routes(app->http, tags_routes);
	return r;
}

static void stop_tags(struct app *app)
{
	tags_free(app->tags);
	app->tags = NULL;
}

static int start_shop(struct app *app)
{
	int r = shop_new(app, &app->shop);

	if (r < 0)
		return r;
	http_add_routes(app->http, shop_routes);
	http_add_routes(app->http, promo_routes);
	return 0;
}

static void stop_shop(struct app *app)
{
	shop_free(app->shop);
	app->shop = NULL;
}

static int start_rollouts(struct app *app)
{
	int r = rollouts_new(app, &app->rollouts);

	if (r == 0)
		http_add_routes(app->http, rollout_routes);
	return r;
}

static void stop_rollouts(struct app *app)
{
	rollouts_free(app->rollouts);
	app->rollouts = NULL;
}

static int start_inventory(struct app *app)
{
	int r = inventory_new(app, &app->inventory);

	if (r == 0)
		http_add_routes(app->http, inventory_routes);
	return r;
}

static void stop_inventory(struct app *app)
{
	inventory_free(app->inventory);
	app->inventory = NULL;
}

static int start_books(struct app *app)
{
	int r = books_new(app, &app->books);

	if (r == 0)
		http_add_routes(app->http, books_routes);
	return r;
}

static void stop_books(struct app *app)
{
	books_free(app->books);
	app->books = NULL;
}

static int start_retention(struct app *app)
{
	return retention_new(app, &app->retention);
}

static void stop_retention(struct app *app)
{
	retention_free(app->retention);
	app->retention = NULL;
}

static int start_backup(struct app *app)
{
	int r = backup_new(app, &app->backup);

	if (r == 0)
		http_add_routes(app->http, backup_routes);
	return r;
}

static void stop_backup(struct app *app)
{
	backup_free(app->backup);
	app->backup = NULL;
}

static int start_pages(struct app *app)
{
	http_add_routes(app->http, audit_routes);
	http_add_routes(app->http, metrics_routes);
	http_add_routes(app->http, diagnostics_routes);
	http_set_fallback(app->http, static_get);
	return 0;
}

static void stop_nothing(struct app *app _unused_)
{
}

/* Both listeners show the same certificate: it names every address of either. */
static int open_doors(struct app *app, bool only_if_renewed)
{
	_cleanup_free_ char *names = NULL, *chain = NULL, *key = NULL;
	const struct app_config *c = app->config;
	struct http_listen how = {0};
	bool made;
	int r;

	if (asprintf(&names, "%s,%s,%s,%s", c->public_listen.names, c->agents_listen.names,
		     c->public_listen.address, c->agents_listen.address) < 0)
		return -ENOMEM;
	r = ca_server_pair(app->ca, names, clock_real_us(app->clock), &chain, &key, &made);
	if (r < 0 || (only_if_renewed && !made))
		return r;
	how.address = c->public_listen.address;
	how.port = c->public_listen.port;
	how.cert_pem = chain;
	how.key_pem = key;
	r = http_server_listen(app->http, HTTP_PUBLIC, &how);
	if (r < 0)
		return r;
	how.address = c->agents_listen.address;
	how.port = c->agents_listen.port;
	how.ca_pem = ca_cert_pem(app->ca);
	return http_server_listen(app->http, HTTP_AGENTS, &how);
}

void app_renew_certificate(struct app *app)
{
	int r = open_doors(app, true);

	if (r < 0)
		log_write(LOG_ERR, "app", r, "msg=\"server certificate not renewed\"");
}

/* Once a day: a certificate that nears its end is replaced while connections go on. */
static void renew_daily(void *user)
{
	struct app *app = user;

	app_renew_certificate(app);
	loop_timer_start(app->renew, RENEW_US);
}

static int start_doors(struct app *app)
{
	int r = open_doors(app, false);

	if (r == 0)
		r = loop_timer_new(app->loop, renew_daily, app, &app->renew);
	if (r == 0)
		loop_timer_start(app->renew, RENEW_US);
	return r;
}

/* Nobody may come in before every part is there; on the way out the doors close first. */
static void close_doors(struct app *app)
{
	loop_timer_free(app->renew);
	app->renew = NULL;
	http_server_quiesce(app->http);
	db_drain(app->db);
	http_server_stop(app->http);
}

static const struct part parts[] = {
	{"database", start_db, stop_db},
	{"certificate authority", start_ca, stop_ca},
	{"http", start_http, stop_http},
	{"events", start_events, stop_events},
	{"auth", start_auth, stop_auth},
	{"incidents", start_incidents, stop_incidents},
	{"fleet", start_fleet, stop_fleet},
	{"tags", start_tags, stop_tags},
	{"shop", start_shop, stop_shop},
	{"rollouts", start_rollouts, stop_rollouts},
	{"inventory", start_inventory, stop_inventory},
	{"books", start_books, stop_books},
	{"retention", start_retention, stop_retention},
	{"backup", start_backup, stop_backup},
	{"pages", start_pages, stop_nothing},
	{"listeners", start_doors, close_doors},
};

static void stop_parts(struct app *app, size_t n)
{
	while (n-- > 0)
		parts[n].stop(app);
}

int app_start(struct app *app, const char **ret_what)
{
	app->clock = loop_clock(app->loop);
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		int r = parts[i].start(app);

		if (r < 0) {
			*ret_what = parts[i].name;
			parts[i].stop(app);
			stop_parts(app, i);
			return r;
		}
	}
	return 0;
}

void app_stop(struct app *app)
{
	stop_parts(app, ARRAY_SIZE(parts));
}

void app_on_desired_changed(struct app *app, void (*fn)(void *user, int64_t agent_id), void *user)
{
	app->desired_changed = fn;
	app->desired_changed_user = user;
}

void app_desired_changed(struct app *app, int64_t agent_id)
{
	if (app->desired_changed)
		app->desired_changed(app->desired_changed_user, agent_id);
}

void app_on_labels_reported(struct app *app, void (*fn)(void *user), void *user)
{
	app->labels_reported = fn;
	app->labels_reported_user = user;
}

void app_labels_reported(struct app *app)
{
	if (app->labels_reported)
		app->labels_reported(app->labels_reported_user);
}
