/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/http/metrics.h"
#include "common/err.h"
#include "config.h"
#include "controller/app.h"
#include "controller/app_config.h"
#include "controller/db/db.h"
#include "controller/fleet/fleet.h"
#include "controller/http/events.h"
#include "controller/inventory/inventory.h"
#include "controller/shop/shop.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define LEAST_ROOM_BYTES (1024u * 1024)

static void get_healthz(struct http_request *rq, struct app *app _unused_)
{
	http_reply_json(rq, 200, json_pack("{s:s}", "status", "ok"));
}

/* --- readiness ----------------------------------------------------------------------------- */

static int probe_write(struct sql *s, void *arg _unused_)
{
	return sql_exec(s, "UPDATE meta SET value = value WHERE key = 'rev'");
}

static void probed(void *arg, int err)
{
	struct http_request *rq = arg;

	if (err < 0)
		http_problem(rq, 503, err == -ENOSPC ? "disk-full" : "database",
			     "The database does not take writes: %s.", err_str(err));
	else
		http_reply_json(rq, 200, json_pack("{s:s}", "status", "ready"));
}

/* Where there is so little room, a small write may succeed and the next price not. */
static bool disk_is_full(const struct app *app)
{
	struct statvfs v;

	return statvfs(app->config->state_dir, &v) == 0 &&
	       (uint64_t) v.f_bavail * v.f_frsize < LEAST_ROOM_BYTES;
}

/* The last write says whether writes succeed; after a failed one, another is tried. */
static void get_readyz(struct http_request *rq, struct app *app)
{
	struct db_stats st;

	db_stats(app->db, &st);
	if (st.last_err == 0)
		probed(rq, 0);
	else if (disk_is_full(app))
		probed(rq, -ENOSPC);
	else if (db_write(app->db, probe_write, probed, rq) < 0)
		probed(rq, -ENOMEM);
}

/* --- figures ------------------------------------------------------------------------------- */

static void put(struct buf *b, const char *name, const char *type, const char *help, double value)
{
	buf_printf(b, "# HELP gondola_%s %s\n# TYPE gondola_%s %s\ngondola_%s %.17g\n", name, help,
		   name, type, name, value);
}

static double resident_bytes(void)
{
	unsigned long size, resident = 0;
	FILE *f = fopen("/proc/self/statm", "re");

	if (!f)
		return 0;
	if (fscanf(f, "%lu %lu", &size, &resident) != 2)
		resident = 0;
	(void) fclose(f);
	return (double) resident * (double) sysconf(_SC_PAGESIZE);
}

static void put_http(struct buf *b, const struct app *app)
{
	struct http_stats st;

	http_stats(app->http, &st);
	put(b, "http_requests_total", "counter", "Requests begun.", (double) st.requests);
	buf_put_str(b, "# HELP gondola_http_replies_total Replies by class of status.\n"
		       "# TYPE gondola_http_replies_total counter\n");
	for (int i = 1; i <= 5; i++)
		buf_printf(b, "gondola_http_replies_total{class=\"%dxx\"} %" PRIu64 "\n", i,
			   st.by_class[i]);
	put(b, "http_connections", "gauge", "Open connections.", (double) st.connections);
	put(b, "http_waiting_requests", "gauge", "Requests not answered yet, long polls included.",
	    (double) st.waiting);
	put(b, "http_streams", "gauge", "Open event streams.", (double) st.streams);
	put(b, "http_cut_total", "counter", "Connections closed for being too slow.",
	    (double) st.cut);
}

static void put_db(struct buf *b, const struct app *app)
{
	struct db_stats st;

	db_stats(app->db, &st);
	put(b, "db_writes_total", "counter", "Writes, failed ones included.", (double) st.writes);
	put(b, "db_failed_writes_total", "counter", "Writes that failed.", (double) st.failed);
	put(b, "db_commits_total", "counter", "Groups of writes.", (double) st.commits);
	put(b, "db_commit_seconds_total", "counter", "Time spent in groups.",
	    (double) st.commit_us / US_PER_SEC);
	put(b, "db_longest_group_seconds", "gauge", "Longest group since the start.",
	    (double) st.max_group_us / US_PER_SEC);
	put(b, "db_queue", "gauge", "Writes not finished yet.", (double) st.queued);
	put(b, "db_writable", "gauge", "1 if the last group was written.", st.last_err == 0);
}

static void put_fleet(struct buf *b, const struct app *app)
{
	struct fleet_stats st;

	fleet_stats(app->fleet, &st);
	buf_printf(b,
		   "# HELP gondola_agents Agents by state.\n# TYPE gondola_agents gauge\n"
		   "gondola_agents{state=\"online\"} %zu\ngondola_agents{state=\"offline\"} %zu\n"
		   "gondola_agents{state=\"revoked\"} %zu\n",
		   st.online, st.offline, st.revoked);
	put(b, "agent_health_reports_total", "counter", "Health reports taken in.",
	    (double) st.health_reports);
}

static void put_inventory(struct buf *b, const struct app *app)
{
	struct inventory_stats st;

	inventory_stats(app->inventory, &st);
	put(b, "items", "gauge", "Items ever heard.", (double) st.items);
	put(b, "items_present", "gauge", "Items in stock.", (double) st.present);
	put(b, "items_unplaced", "gauge", "Of those, heard only where no place is named.",
	    (double) st.unplaced);
	put(b, "sightings_total", "counter", "Sightings applied.", (double) st.sightings);
	put(b, "sightings_refused_total", "counter", "Sightings past the limit of items.",
	    (double) st.refused);
	put(b, "item_transitions_total", "counter", "Changes that went into the journal.",
	    (double) st.transitions);
	put(b, "sighting_batches_total", "counter", "Batches received.", (double) st.batches);
	put(b, "journal_commits_total", "counter", "Group commits of the journal.",
	    (double) st.commits);
	put(b, "journal_failures_total", "counter", "Group commits that failed.",
	    (double) st.commit_failures);
	put(b, "journal_bytes", "gauge", "Size of the journal.", (double) st.journal_bytes);
	put(b, "journal_writable", "gauge", "1 if the last commit was stored.",
	    st.storage_err == 0);
	put(b, "snapshot_bytes", "gauge", "Size of snapshot and event log.",
	    (double) st.snapshot_bytes);
	put(b, "checkpoints_total", "counter", "Checkpoints written.", (double) st.checkpoints);
}

static void put_shop(struct buf *b, const struct app *app)
{
	struct shop_stats st;

	shop_stats(app->shop, &st);
	put(b, "price_changes_total", "counter", "Prices acknowledged.", (double) st.price_changes);
	put(b, "pictures_drawn_total", "counter", "Label pictures drawn.", (double) st.rendered);
	put(b, "label_reports_total", "counter", "Reports of labels taken in.",
	    (double) st.reports);
	put(b, "label_reports_repeated_total", "counter", "Reports dropped as repeated.",
	    (double) st.duplicates);
	put(b, "label_readings_total", "counter", "Values of labels' sensors taken in.",
	    (double) st.readings);
	put(b, "agents_waiting", "gauge", "Agents that wait for wanted state.", (double) st.polls);
}

void metrics_write(struct app *app, struct buf *b)
{
	buf_put_str(b, "# HELP gondola_build_info Version.\n# TYPE gondola_build_info gauge\n"
		       "gondola_build_info{version=\"" PACKAGE_VERSION "\"} 1\n");
	put(b, "resident_memory_bytes", "gauge", "Resident memory.", resident_bytes());
	put_http(b, app);
	put_db(b, app);
	if (app->fleet)
		put_fleet(b, app);
	if (app->shop)
		put_shop(b, app);
	if (app->inventory)
		put_inventory(b, app);
	if (app->events) {
		struct events_stats st;

		events_stats(app->events, &st);
		put(b, "events_published_total", "counter", "Live events published.",
		    (double) st.published);
		put(b, "events_delivered_total", "counter", "Writes to event streams.",
		    (double) st.delivered);
	}
}

static void get_metrics(struct http_request *rq, struct app *app)
{
	struct buf b = BUF_INIT;

	metrics_write(app, &b);
	http_reply_buf(rq, 200, "text/plain; version=0.0.4; charset=utf-8", &b);
}

const struct http_route metrics_routes[] = {
	{HTTP_PUBLIC, HTTP_GET, "/healthz", PERM_NONE, 0, get_healthz},
	{HTTP_PUBLIC, HTTP_GET, "/readyz", PERM_NONE, 0, get_readyz},
	{HTTP_PUBLIC, HTTP_GET, "/metrics", PERM_NONE, 0, get_metrics},
	{.path = NULL},
};
