/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each subscriber has a cursor into the ring and is brought up to date at most ten times a second,
 * so that a burst of events costs each browser one write.
 */
#include "controller/http/events.h"
#include "common/err.h"
#include "common/log.h"
#include "controller/db/db.h"
#include "controller/people/auth.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define RING     2048u /* a power of two */
#define FLUSH_US (100 * US_PER_MS)
#define CHECK_US (15 * US_PER_SEC)

struct subscriber {
	struct subscriber *prev, *next;
	struct events *events;
	struct http_stream *stream;
	uint64_t cursor; /* number of the last event it was sent */
	uint8_t session[32];
	bool has_session;
};

struct events {
	struct app *app;
	char *ring[RING]; /* complete SSE records, without id */
	uint64_t head;    /* number of the newest event, 0 = none yet */
	uint32_t life;    /* tells numbers of this run from those of the one before */
	int64_t flushed_us;
	struct loop_timer *flush, *check;
	struct subscriber *subscribers;
	struct events_stats stats;
	const char *heard_type; /* what the listener inside the house waits for */
	void (*heard)(void *user);
	void *heard_user;
};

/* --- publishing ---------------------------------------------------------------------------- */

void events_listen(struct events *e, const char *type, void (*fn)(void *user), void *user)
{
	e->heard_type = type;
	e->heard = fn;
	e->heard_user = user;
}

void events_publish(struct events *e, const char *type, json_t *data)
{
	char *text = NULL, *json;

	if (e && e->heard_type && strcmp(type, e->heard_type) == 0)
		e->heard(e->heard_user);

	if (!e || !e->subscribers) {
		/* Nobody listens: the number still counts, so that a returning browser fetches
		 * anew. */
		json_decref(data);
		if (e) {
			e->head++;
			free(e->ring[e->head % RING]);
			e->ring[e->head % RING] = NULL;
			e->stats.published++;
		}
		return;
	}
	json = json_dumps(data, JSON_COMPACT);
	json_decref(data);
	if (json && asprintf(&text, "event: %s\ndata: %s\n\n", type, json) < 0)
		text = NULL;
	free(json);
	e->head++;
	e->stats.published++;
	free(e->ring[e->head % RING]);
	e->ring[e->head % RING] = text;
	if (!loop_timer_active(e->flush)) {
		int64_t since = clock_mono_us(e->app->clock) - e->flushed_us;

		loop_timer_start(e->flush, since >= FLUSH_US ? 0 : FLUSH_US - since);
	}
}

static void put_reset(struct events *e, struct buf *out)
{
	buf_printf(out, "id: %08" PRIx32 "-%" PRIu64 "\nevent: reset\ndata: {}\n\n", e->life,
		   e->head);
}

/* Appends what the subscriber has not seen; a hole in the ring means that it must fetch anew. */
static void catch_up(struct events *e, struct subscriber *sub)
{
	_cleanup_buf_ struct buf out = BUF_INIT;

	if (sub->cursor == e->head)
		return;
	if (e->head - sub->cursor > RING) {
		put_reset(e, &out);
		sub->cursor = e->head;
	}
	while (sub->cursor < e->head) {
		const char *text = e->ring[++sub->cursor % RING];

		if (!text) {
			buf_clear(&out);
			put_reset(e, &out);
			sub->cursor = e->head;
			break;
		}
		buf_printf(&out, "id: %08" PRIx32 "-%" PRIu64 "\n", e->life, sub->cursor);
		buf_put_str(&out, text);
	}
	if (!buf_ok(&out) || !http_stream_write(sub->stream, out.data, out.len))
		http_stream_end(sub->stream);
	else
		e->stats.delivered++;
}

static void flush(void *user)
{
	struct events *e = user;

	e->flushed_us = clock_mono_us(e->app->clock);
	for (struct subscriber *sub = e->subscribers, *next; sub; sub = next) {
		next = sub->next;
		catch_up(e, sub);
	}
}

/* A stream outlives its request: it ends with the session that opened it. */
static void check_sessions(void *user)
{
	struct events *e = user;

	for (struct subscriber *sub = e->subscribers, *next; sub; sub = next) {
		next = sub->next;
		if (sub->has_session && e->app->auth &&
		    !auth_session_alive(e->app->auth, sub->session))
			http_stream_end(sub->stream);
	}
	loop_timer_start(e->check, CHECK_US);
}

/* --- subscribing --------------------------------------------------------------------------- */

static void subscriber_gone(void *user)
{
	struct subscriber *sub = user;

	if (sub->prev)
		sub->prev->next = sub->next;
	else
		sub->events->subscribers = sub->next;
	if (sub->next)
		sub->next->prev = sub->prev;
	sub->events->stats.subscribers--;
	free(sub);
}

/* The number to go on after. An id of another life, or one that is no number, starts at a hole. */
static uint64_t read_cursor(const struct events *e, const char *last_id, bool *ret_reset)
{
	uint32_t life;
	uint64_t n;
	char extra;

	*ret_reset = false;
	if (!last_id || !*last_id)
		return e->head;
	if (strlen(last_id) > 40 ||
	    sscanf(last_id, "%8" SCNx32 "-%" SCNu64 "%c", &life, &n, &extra) != 2 ||
	    life != e->life || n > e->head) {
		*ret_reset = true;
		return e->head;
	}
	return n;
}

static void get_events(struct http_request *rq, struct app *app)
{
	struct events *e = app->events;
	struct subscriber *sub = calloc(1, sizeof(*sub));
	_cleanup_buf_ struct buf hello = BUF_INIT;
	bool reset;

	if (!sub) {
		http_reply_err(rq, -ENOMEM, "Events");
		return;
	}
	sub->events = e;
	sub->cursor = read_cursor(e, http_header(rq, "Last-Event-ID"), &reset);
	sub->has_session = http_who(rq)->session != NULL;
	if (sub->has_session)
		memcpy(sub->session, http_who(rq)->session, sizeof(sub->session));
	sub->next = e->subscribers;
	if (sub->next)
		sub->next->prev = sub;
	e->subscribers = sub;
	e->stats.subscribers++;
	sub->stream = http_reply_stream(rq, subscriber_gone, sub);
	if (!sub->stream) {
		subscriber_gone(sub);
		return;
	}
	/* The first id lets even an idle browser resume where it was. */
	buf_printf(&hello, "retry: 2000\nid: %08" PRIx32 "-%" PRIu64 "\n\n", e->life, sub->cursor);
	if (reset)
		put_reset(e, &hello);
	(void) http_stream_write(sub->stream, hello.data, hello.len);
	catch_up(e, sub);
}

const struct http_route events_routes[] = {
	{HTTP_PUBLIC, HTTP_GET, "/api/v1/events", PERM_VIEW, 0, get_events},
	{.path = NULL},
};

/* --- life ---------------------------------------------------------------------------------- */

int events_new(struct app *app, struct events **ret)
{
	struct events *e = calloc(1, sizeof(*e));
	int r;

	if (!e)
		return -ENOMEM;
	e->app = app;
	e->life = (uint32_t) ((uint64_t) clock_real_us(app->clock) / 1000);
	r = loop_timer_new(app->loop, flush, e, &e->flush);
	if (r == 0)
		r = loop_timer_new(app->loop, check_sessions, e, &e->check);
	if (r < 0) {
		events_free(e);
		return r;
	}
	loop_timer_start(e->check, CHECK_US);
	*ret = e;
	return 0;
}

void events_free(struct events *e)
{
	if (!e)
		return;
	while (e->subscribers)
		subscriber_gone(e->subscribers);
	loop_timer_free(e->flush);
	loop_timer_free(e->check);
	for (size_t i = 0; i < RING; i++)
		free(e->ring[i]);
	free(e);
}

void events_stats(const struct events *e, struct events_stats *ret)
{
	*ret = e->stats;
}
