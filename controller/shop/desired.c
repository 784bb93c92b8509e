/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/shop/desired.h"
#include "common/err.h"
#include "common/hex.h"
#include "common/log.h"
#include "controller/fleet/fleet.h"
#include "controller/inventory/watch.h"
#include "controller/shop/label_notify.h"
#include "controller/shop/shop_internal.h"
#include "controller/tags/tags.h"
#include <errno.h>
#include <string.h>

#define WAIT_MAX_S  60
#define ONLINE_US   (90 * US_PER_SEC) /* silence after which an agent counts as away */
#define AGENTS_MAX  4096
#define NOTIFY_MAX  256
/** Timeline entries in one answer: keeps it well below PROTO_MAX_BODY. */
#define ENTRIES_MAX 9000

/* One waiting poll; the request is ours until it is answered. */
struct waiter {
	struct waiter *next;
	struct desired *owner;
	struct http_request *rq;
	struct loop_timer *timer;
	int64_t agent_id;
	uint64_t after;
	bool known; /* `after` is of this database */
};

struct agent {
	int64_t id;
	uint64_t seen_rev;
	int64_t polled_us; /* monotonic */
	unsigned int waiting;
};

struct desired {
	struct shop *shop;
	struct waiter *waiters;
	size_t n_waiting;
	struct agent *agents;
	size_t n_agents;
};

int desired_new(struct shop *s, struct desired **ret)
{
	struct desired *d = calloc(1, sizeof *d);

	if (!d)
		return -ENOMEM;
	d->shop = s;
	*ret = d;
	return 0;
}

size_t desired_waiting(const struct desired *d)
{
	return d->n_waiting;
}

static struct agent *find_agent(const struct desired *d, int64_t id)
{
	for (size_t i = 0; i < d->n_agents; i++)
		if (d->agents[i].id == id)
			return &d->agents[i];
	return NULL;
}

static struct agent *get_agent(struct desired *d, int64_t id)
{
	struct agent *a = find_agent(d, id);
	struct agent *more;

	if (a || d->n_agents == AGENTS_MAX)
		return a;
	more = reallocarray(d->agents, d->n_agents + 1, sizeof *more);
	if (!more)
		return NULL;
	d->agents = more;
	a = &more[d->n_agents++];
	*a = (struct agent){.id = id};
	return a;
}

struct label_agent_view desired_agent(const struct desired *d, int64_t agent_id)
{
	const struct agent *a = find_agent(d, agent_id);
	int64_t now = clock_mono_us(d->shop->app->clock);

	if (!a)
		return (struct label_agent_view){.online = false};
	return (struct label_agent_view){.online = a->waiting > 0 || now - a->polled_us < ONLINE_US,
					 .seen_rev = a->seen_rev};
}

static int by_id(const void *a, const void *b)
{
	int64_t x = *(const int64_t *) a, y = *(const int64_t *) b;

	return x < y ? -1 : x > y;
}

size_t desired_online(const struct desired *d, int64_t *ret_ids, size_t max)
{
	size_t n = 0;

	for (size_t i = 0; i < d->n_agents && n < max; i++)
		if (desired_agent(d, d->agents[i].id).online)
			ret_ids[n++] = d->agents[i].id;
	qsort(ret_ids, n, sizeof *ret_ids, by_id);
	return n;
}

/* --- the answer --------------------------------------------------------------------------------
 */

static int read_rev(struct sql *s, uint64_t *ret)
{
	struct sql_stmt *q = sql_prepare(s, "SELECT value FROM meta WHERE key = 'rev'");
	int r = sql_step(q);

	if (r <= 0)
		return r < 0 ? r : -ERR_CORRUPT;
	*ret = (uint64_t) sql_col_i64(q, 0);
	sql_reset(q);
	return 0;
}

/* Wanted rows of one label; expired ones, except the one in force, are of no use to anybody. */
static int add_timeline(struct sql *s, struct proto_desired_label *l, uint64_t addr, int64_t now_us,
			size_t max)
{
	struct label_wish wishes[PROTO_MAX_TIMELINE];
	int n = label_load_wanted(s, addr, wishes);

	for (int i = 0; i < n && l->n < max; i++) {
		if (i + 1 < n && wishes[i + 1].from_us <= now_us)
			continue;
		memcpy(l->timeline[l->n].image, wishes[i].image, IMAGE_HASH_BYTES);
		l->timeline[l->n++].from_us = wishes[i].from_us;
	}
	return n < 0 ? n : 0;
}

/* Its light and its sensors; what is over is nobody's wish. */
static void add_asides(struct sql_stmt *q, int64_t now_us, struct proto_desired_label *l)
{
	int64_t state = sql_col_i64(q, 4);

	if (sql_col_i64(q, 2) > now_us) {
		l->flash_until_us = sql_col_i64(q, 2);
		l->flash_colour = state == FLASH_STOPPING || state == FLASH_OFF
					  ? LED_NONE
					  : (uint8_t) sql_col_i64(q, 3);
	}
	if (sql_col_i64(q, 5) > now_us) {
		l->sensors_until_us = sql_col_i64(q, 5);
		l->sensors = (uint8_t) sql_col_i64(q, 6);
	}
}

/* Labels of the agent with a revision above `after`, oldest change first. When an answer would
 * become too large, later labels come with their first picture only, and the answer's revision
 * stays below theirs, so that the next poll brings the rest. */
static int add_labels(struct sql *s, int64_t agent_id, uint64_t after, int64_t now_us,
		      struct proto_desired *m)
{
	struct sql_stmt *q =
		sql_prepare(s, "SELECT addr, wanted_rev, flash_until, flash_colour, flash_state,"
			       " sensors_until, sensors_wanted FROM labels"
			       " WHERE agent_id = ? AND wanted_rev > ?"
			       " ORDER BY wanted_rev LIMIT ?");
	size_t entries = 0, cap = 0;
	uint64_t complete = after;
	bool cut = false;
	int r;

	sql_bind_i64(q, 1, agent_id);
	sql_bind_i64(q, 2, (int64_t) after);
	sql_bind_i64(q, 3, PROTO_MAX_LABELS);
	while ((r = sql_step(q)) > 0) {
		struct proto_desired_label *l;
		uint64_t addr = (uint64_t) sql_col_i64(q, 0);

		if (m->n_labels == cap) {
			cap = cap ? cap * 2 : 32;
			l = reallocarray(m->labels, cap, sizeof *l);
			if (!l) {
				sql_reset(q);
				return -ENOMEM;
			}
			m->labels = l;
		}
		l = &m->labels[m->n_labels++];
		*l = (struct proto_desired_label){.rev = (uint64_t) sql_col_i64(q, 1)};
		label_addr_bytes(addr, l->addr);
		add_asides(q, now_us, l);
		cut = cut || entries > ENTRIES_MAX;
		r = add_timeline(s, l, addr, now_us, cut ? 1 : PROTO_MAX_TIMELINE);
		if (r < 0)
			break;
		entries += l->n;
		if (!cut)
			complete = l->rev;
	}
	sql_reset(q);
	if (r == 0 && (cut || m->n_labels == PROTO_MAX_LABELS))
		m->rev = complete;
	return r;
}

static int add_forgotten(struct sql *s, int64_t agent_id, uint64_t after, struct proto_desired *m)
{
	struct sql_stmt *q = sql_prepare(s, "SELECT addr, rev FROM labels_forgotten"
					    " WHERE agent_id = ? AND rev > ? LIMIT ?");
	int r;

	sql_bind_i64(q, 1, agent_id);
	sql_bind_i64(q, 2, (int64_t) after);
	sql_bind_i64(q, 3, (int64_t) (PROTO_MAX_LABELS - m->n_labels));
	while ((r = sql_step(q)) > 0) {
		struct proto_desired_label *l = reallocarray(m->labels, m->n_labels + 1, sizeof *l);

		if (!l) {
			sql_reset(q);
			return -ENOMEM;
		}
		m->labels = l;
		l = &m->labels[m->n_labels++];
		*l = (struct proto_desired_label){.rev = (uint64_t) sql_col_i64(q, 1),
						  .forget = true};
		label_addr_bytes((uint64_t) sql_col_i64(q, 0), l->addr);
	}
	return r;
}

/* `known`: `after` was read from this database, also if it is 0. */
static int build(struct desired *d, int64_t agent_id, uint64_t after, bool known,
		 struct proto_desired *m)
{
	struct app *app = d->shop->app;
	struct sql *s = db_reader(app->db);
	int64_t now = clock_real_us(app->clock);
	int r;

	*m = (struct proto_desired){.caps = PROTO_CAP_LABELS | PROTO_CAP_RFID,
				    .epoch = db_epoch(app->db),
				    .full = after == 0,
				    .sensor_period_s =
					    app->config->labels_read_sensors_h > 0
						    ? app->config->labels_read_sensors_h * 3600
						    : -1,
				    .server_time_us = now};
	/* read first: what commits meanwhile has a higher revision and may come twice, never not */
	r = read_rev(s, &m->rev);
	if (r == 0 && known && after == 0 && m->rev == 0) { /* nothing was ever wanted here */
		m->full = false;
		return 0;
	}
	if (r == 0 && after > m->rev) { /* from a future that this database has not seen */
		after = 0;
		m->full = true;
	}
	if (r == 0)
		r = add_labels(s, agent_id, after, now, m);
	if (r == 0 && !m->full)
		r = add_forgotten(s, agent_id, after, m);
	if (r == 0 && app->fleet) {
		uint64_t rev = m->rev;

		r = fleet_desired_readers(app, agent_id, after, m);
		m->rev = rev;
		if (r >= 0)
			r = fleet_desired_keys(app, agent_id, after, m);
	}
	if (r >= 0)
		r = watch_desired(app, agent_id, after, m);
	if (r >= 0)
		r = tags_desired(app, agent_id, after, m);
	if (r < 0)
		proto_desired_done(m);
	return r < 0 ? r : 0;
}

static void reply(struct desired *d, struct http_request *rq, struct proto_desired *m)
{
	struct buf body = BUF_INIT;
	int r = proto_desired_encode(m, &body);

	(void) d;
	proto_desired_done(m);
	if (r < 0) {
		buf_done(&body);
		http_reply_err(rq, r, "Desired state");
		return;
	}
	http_set_header(rq, "Cache-Control", "no-store");
	http_reply_buf(rq, 200, PROTO_CONTENT_TYPE, &body);
}

static bool has_news(const struct proto_desired *m)
{
	return m->full || m->n_labels > 0 || m->has_readers || m->watch || m->has_operations ||
	       m->rotate_keys_us;
}

/* --- waiting -----------------------------------------------------------------------------------
 */

static void remove_waiter(struct waiter *w)
{
	struct desired *d = w->owner;
	struct waiter **at = &d->waiters;
	struct agent *a = find_agent(d, w->agent_id);

	while (*at != w)
		at = &(*at)->next;
	*at = w->next;
	d->n_waiting--;
	if (a) {
		a->waiting--;
		a->polled_us = clock_mono_us(d->shop->app->clock);
	}
	loop_timer_free(w->timer);
	free(w);
}

/* Answers a waiting poll; `news` NULL = there are none. */
static void answer(struct waiter *w, struct proto_desired *news)
{
	struct desired *d = w->owner;
	struct http_request *rq = w->rq;
	int64_t agent_id = w->agent_id;
	uint64_t after = w->after;
	bool known = w->known;
	struct proto_desired m;
	int r = 0;

	remove_waiter(w);
	if (!news)
		r = build(d, agent_id, after, known, &m);
	else
		m = *news;
	if (r < 0)
		http_reply_err(rq, r, "Desired state");
	else
		reply(d, rq, &m);
}

static void on_timeout(void *user)
{
	answer(user, NULL);
}

/* agent_id 0 = whoever waits. */
static void wake(struct desired *d, int64_t agent_id)
{
	struct waiter *next;

	for (struct waiter *w = d->waiters; w; w = next) {
		struct proto_desired m;

		next = w->next;
		if ((agent_id && w->agent_id != agent_id) ||
		    build(d, w->agent_id, w->after, w->known, &m) < 0)
			continue;
		if (has_news(&m))
			answer(w, &m);
		else
			proto_desired_done(&m);
	}
}

void desired_wake(struct desired *d, int64_t agent_id)
{
	wake(d, agent_id);
}

void desired_wake_all(struct desired *d)
{
	wake(d, 0);
}

void desired_shut_out(struct desired *d, int64_t agent_id)
{
	struct waiter *next;

	for (struct waiter *w = d->waiters; w; w = next) {
		struct http_request *rq = w->rq;

		next = w->next;
		if (w->agent_id != agent_id)
			continue;
		remove_waiter(w);
		http_reply_err(rq, -ERR_REVOKED, "Desired state");
	}
}

void desired_free(struct desired *d)
{
	if (!d)
		return;
	while (d->waiters) {
		struct http_request *rq = d->waiters->rq;

		remove_waiter(d->waiters);
		http_problem(rq, 503, "stopping", "The controller is stopping.");
	}
	free(d->agents);
	free(d);
}

static void wait_for_news(struct desired *d, struct http_request *rq, int64_t agent_id,
			  uint64_t after, bool known, int64_t seconds)
{
	struct waiter *w = calloc(1, sizeof *w);
	struct agent *a = find_agent(d, agent_id);
	int r = -ENOMEM;

	if (w)
		r = loop_timer_new(d->shop->app->loop, on_timeout, w, &w->timer);
	if (r < 0) {
		free(w);
		http_reply_err(rq, r, "Desired state");
		return;
	}
	w->owner = d;
	w->rq = rq;
	w->agent_id = agent_id;
	w->after = after;
	w->known = known;
	w->next = d->waiters;
	d->waiters = w;
	d->n_waiting++;
	if (a)
		a->waiting++;
	loop_timer_start(w->timer, seconds * US_PER_SEC);
}

/* The agent asks anew: a poll of it that still waits belongs to a connection that is gone. */
static void end_older_polls(struct desired *d, int64_t agent_id)
{
	struct waiter *next;

	for (struct waiter *w = d->waiters; w; w = next) {
		next = w->next;
		if (w->agent_id == agent_id)
			answer(w, NULL);
	}
}

/* An agent that asks for what comes after `after` has everything up to there: its labels are on
 * their way now, and browsers may say so. */
static void note_progress(struct desired *d, int64_t agent_id, uint64_t after)
{
	struct agent *a = get_agent(d, agent_id);
	uint64_t addrs[NOTIFY_MAX], before;
	struct sql_stmt *q;
	size_t n = 0;

	if (!a)
		return;
	before = a->seen_rev;
	a->polled_us = clock_mono_us(d->shop->app->clock);
	a->seen_rev = after;
	if (after <= before)
		return;
	q = sql_prepare(db_reader(d->shop->app->db), "SELECT addr FROM labels WHERE agent_id = ?"
						     " AND wanted_rev > ? AND wanted_rev <= ?"
						     " LIMIT ?");
	sql_bind_i64(q, 1, agent_id);
	sql_bind_i64(q, 2, (int64_t) before);
	sql_bind_i64(q, 3, (int64_t) after);
	sql_bind_i64(q, 4, NOTIFY_MAX);
	while (n < NOTIFY_MAX && sql_step(q) > 0)
		addrs[n++] = (uint64_t) sql_col_i64(q, 0);
	sql_reset(q);
	for (size_t i = 0; i < n; i++)
		label_notify(d->shop, addrs[i]);
}

void desired_get(struct http_request *rq, struct app *app)
{
	struct desired *d = app->shop->desired;
	int64_t agent_id = http_who(rq)->agent_id, epoch, after, wait;
	struct proto_desired m;
	bool known;
	int r;

	if (!http_query_int(rq, "epoch", 0, 0, INT64_MAX, &epoch) ||
	    !http_query_int(rq, "after", 0, 0, INT64_MAX, &after) ||
	    !http_query_int(rq, "wait", 0, 0, WAIT_MAX_S, &wait))
		return;
	known = (uint64_t) epoch == db_epoch(app->db);
	if (!known)
		after = 0;
	end_older_polls(d, agent_id);
	note_progress(d, agent_id, (uint64_t) after);
	r = build(d, agent_id, (uint64_t) after, known, &m);
	if (r < 0) {
		http_reply_err(rq, r, "Desired state");
	} else if (has_news(&m) || wait == 0) {
		reply(d, rq, &m);
	} else {
		proto_desired_done(&m);
		wait_for_news(d, rq, agent_id, (uint64_t) after, known, wait);
	}
}

void desired_image_get(struct http_request *rq, struct app *app)
{
	const char *name = http_arg(rq, 0);
	uint8_t hash[IMAGE_HASH_BYTES];
	struct buf body = BUF_INIT;
	int r;

	if (strlen(name) != 2 * IMAGE_HASH_BYTES || hex_decode(name, hash, sizeof hash) < 0) {
		http_problem(rq, 404, "no-such-image", "A picture is named by 64 hex digits.");
		return;
	}
	r = image_store_get(app->shop->images, hash, &body);
	if (r < 0) {
		buf_done(&body);
		if (r == -ENOENT)
			http_problem(rq, 404, "no-such-image", "There is no such picture.");
		else
			http_reply_err(rq, r, "Picture");
		return;
	}
	http_set_header(rq, "Cache-Control", "private, max-age=31536000, immutable");
	http_reply_buf(rq, 200, "application/octet-stream", &body);
}
