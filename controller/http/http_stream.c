/* SPDX-License-Identifier: Apache-2.0 */
#include "common/log.h"
#include "controller/app.h"
#include "controller/http/http_internal.h"
#include <poll.h>
#include <string.h>

struct http_stream *http_reply_stream(struct http_request *rq, void (*gone)(void *user), void *user)
{
	struct http_server *s = rq->server;
	struct http_stream *st;

	if (http_reply_answered(rq))
		return NULL;
	st = calloc(1, sizeof(*st));
	if (!st) {
		http_problem(rq, 503, "no-memory", "The controller is out of memory.");
		return NULL;
	}
	st->rq = rq;
	st->gone = gone;
	st->user = user;
	st->progress_us = clock_mono_us(s->clock);
	buf_init(&st->queue, 2 * HTTP_STREAM_MAX_QUEUE);
	st->next = s->streams;
	if (st->next)
		st->next->prev = st;
	s->streams = st;
	s->stats.streams++;
	rq->stream = st;
	rq->reply.kind = REPLY_STREAM;
	rq->reply.status = 200;
	rq->reply.content_type = "text/event-stream";
	http_reply_ready(rq);
	return st;
}

void *http_stream_user(const struct http_stream *st)
{
	return st->user;
}

static void cut(struct http_stream *st)
{
	if (st->cut)
		return;
	st->cut = true;
	if (st->rq->conn) {
		http_conn_cut(st->rq->conn);
		http_conn_resume(st->rq);
	}
}

bool http_stream_write(struct http_stream *st, const void *data, size_t len)
{
	if (st->cut || st->ended)
		return false;
	if (st->queue.len - st->sent + len > HTTP_STREAM_MAX_QUEUE) {
		cut(st);
		return false;
	}
	if (st->sent == st->queue.len)
		st->progress_us = clock_mono_us(st->rq->server->clock);
	if (st->sent > 0) {
		buf_consume(&st->queue, st->sent);
		st->sent = 0;
	}
	buf_put(&st->queue, data, len);
	if (!buf_ok(&st->queue)) {
		cut(st);
		return false;
	}
	if (st->rq->mc)
		http_conn_resume(st->rq);
	return true;
}

void http_stream_end(struct http_stream *st)
{
	st->ended = true;
	if (st->rq->mc)
		http_conn_resume(st->rq);
}

long http_stream_read(struct http_stream *st, char *to, size_t max)
{
	size_t n = MIN(st->queue.len - st->sent, max);

	if (st->cut)
		return HTTP_STREAM_BROKEN;
	if (n == 0)
		return st->ended ? HTTP_STREAM_OVER : HTTP_STREAM_WAIT;
	memcpy(to, st->queue.data + st->sent, n);
	st->sent += n;
	if (st->sent == st->queue.len) {
		buf_clear(&st->queue);
		st->sent = 0;
	}
	st->progress_us = clock_mono_us(st->rq->server->clock);
	return (long) n;
}

void http_stream_gone(struct http_stream *st)
{
	struct http_server *s = st->rq->server;

	if (st->prev)
		st->prev->next = st->next;
	else
		s->streams = st->next;
	if (st->next)
		st->next->prev = st->prev;
	s->stats.streams--;
	st->rq->stream = NULL;
	if (st->gone)
		st->gone(st->user);
	buf_done(&st->queue);
	free(st);
}

/* libmicrohttpd does not look at a suspended connection: without this a client that went away
 * would hold its place until the second heartbeat after. */
static bool is_deserted(const struct http_stream *st)
{
	struct pollfd p = {.fd = st->rq->conn ? st->rq->conn->fd : -1, .events = POLLRDHUP};

	return p.fd >= 0 && poll(&p, 1, 0) > 0;
}

void http_streams_tick(struct http_server *s, int64_t now_us)
{
	bool beat = now_us - s->beat_us >= HTTP_HEARTBEAT_US;

	if (beat)
		s->beat_us = now_us;
	for (struct http_stream *st = s->streams, *next; st; st = next) {
		next = st->next;
		if (st->queue.len > st->sent && now_us - st->progress_us > HTTP_STREAM_STUCK_US) {
			s->stats.cut++;
			cut(st);
		} else if (is_deserted(st)) {
			cut(st);
		} else if (beat) {
			(void) http_stream_write(st, ":\n\n", 3);
		}
	}
}
