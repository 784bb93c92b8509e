/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * What the files of the HTTP seam share. http.c has the listeners and all calls of libmicrohttpd
 * that move a connection; http_request.c takes a request from its first byte to its handler;
 * http_reply.c builds replies; http_stream.c the ones without an end.
 *
 * A request lives until it has been replied to and libmicrohttpd has let go of it, whichever is
 * later.
 */
#pragma once

#include "controller/http/http.h"
#include "controller/http/http_route.h"

struct MHD_Connection;
struct MHD_Daemon;

/* Limits. The connection pool bounds a request's headers. */
#define HTTP_POOL_BYTES       (16u * 1024)
#define HTTP_POOL_AGENT_BYTES (32u * 1024) /* a whole TLS record at a time */
#define HTTP_DEFAULT_BODY     (64u * 1024)
#define HTTP_RESERVE_BYTES    (64u * 1024)   /* of an announced body */
#define HTTP_DRAIN_BYTES      (1024u * 1024) /* read and dropped so that a refusal arrives */
#define HTTP_JSON_DEPTH       32
#define HTTP_STREAM_MAX_QUEUE (256u * 1024)
#define HTTP_HEARTBEAT_US     (15 * US_PER_SEC)

/* How long the other end may take; http.c cuts whoever takes longer. */
#define HTTP_FIRST_REQUEST_US   (20 * US_PER_SEC)
#define HTTP_PRESSED_REQUEST_US (3 * US_PER_SEC) /* the same when connections get scarce */
#define HTTP_IDLE_PUBLIC_US     (75 * US_PER_SEC)
#define HTTP_IDLE_AGENT_US      (600 * US_PER_SEC)
#define HTTP_TRANSFER_US        (30 * US_PER_SEC) /* plus the time at the rate below */
#define HTTP_SLOWEST_BYTES_S    (8u * 1024)
#define HTTP_STREAM_STUCK_US    (60 * US_PER_SEC)

struct http_conn {
	struct http_conn *prev, *next;
	struct http_server *server;
	enum http_listener listener;
	int fd;
	int64_t deadline_us; /* mono; INT64_MAX = the request waits for us */
	bool pressable;      /* has not made a request yet */
	bool cut;
	struct http_peer peer;
	uint8_t *cert; /* DER copy of the peer's certificate */
	size_t cert_len;
	char remote[48];
};

struct http_header {
	struct http_header *next;
	char *name, *value;
};

enum reply_kind {
	REPLY_NONE,
	REPLY_BUF,
	REPLY_FILE,
	REPLY_STREAM
};

struct http_reply {
	enum reply_kind kind;
	unsigned int status;
	const char *content_type;
	struct buf body;
	int fd;
	uint64_t size;
	struct http_header *headers;
};

enum request_stage {
	RQ_NEW,
	RQ_BODY,
	RQ_HANDLED,
	RQ_QUEUED
};

struct http_request {
	struct http_request *prev, *next;
	struct http_server *server;
	enum http_listener listener;
	struct http_conn *conn;    /* NULL when injected, or after the connection is gone */
	struct MHD_Connection *mc; /* likewise */
	struct http_injection inject;
	bool injected;
	bool injecting; /* its handler is running */

	enum request_stage stage;
	bool suspended;
	bool replied;
	bool forced;   /* replied to by us at the stop; its handler does not know yet */
	bool finished; /* libmicrohttpd is through with it */
	int uri_err;
	enum http_method method;
	const struct http_route *route;
	const char *args[HTTP_ARGS_MAX];
	size_t max_body;
	uint64_t dropped; /* body bytes read although the answer is a refusal */
	struct buf body;
	struct http_who who;
	char user_name[72];
	uint8_t session[32];
	int64_t start_us;
	struct http_reply reply;
	struct http_stream *stream;
	struct http_uri uri;
};

struct http_stream {
	struct http_stream *prev, *next;
	struct http_request *rq;
	void (*gone)(void *user);
	void *user;
	struct buf queue;
	size_t sent; /* bytes of queue already handed over */
	int64_t progress_us;
	bool suspended;
	bool ended;
	bool cut;
};

struct http_door {
	struct MHD_Daemon *daemon;
	struct MHD_Daemon *old; /* quiesced one with the certificate before, or NULL */
	struct loop_io *io, *old_io;
	struct loop_timer *timer;
	struct http_server *server;
	enum http_listener which;
	int fd;
	uint16_t port;
};

struct http_server {
	struct app *app;
	struct loop *loop;
	const struct clock *clock;
	struct http_routes routes;
	http_handler fallback;
	http_identify_fn identify[2];
	void *identify_user[2];
	struct http_door doors[2];
	struct loop_timer *sweep;
	struct http_conn *conns;
	struct http_request *requests;
	struct http_stream *streams;
	size_t n_conns[2];
	size_t max_conns;
	bool stopping;
	int64_t beat_us;
	struct http_stats stats;
};

/* http_request.c */
struct http_request *http_request_new(struct http_server *s, enum http_listener listener,
				      const char *raw_uri);
/** Headers are there: route, caller, permission, length. May reply. */
void http_request_begin(struct http_request *rq, const char *method);
/** Takes body bytes. False = the other end must be cut off. */
bool http_request_body(struct http_request *rq, const char *data, size_t len);
/** Everything is there: calls the handler unless it was refused before. */
void http_request_dispatch(struct http_request *rq);
/** libmicrohttpd (or the injection) is through. Frees the request if it was replied to. */
void http_request_finished(struct http_request *rq);
void http_request_free(struct http_request *rq);

/* http_reply.c: called by every reply once rq->reply is set. */
void http_reply_ready(struct http_request *rq);
bool http_reply_answered(struct http_request *rq);
const char *http_reply_header(const struct http_request *rq, const char *name);

/* http.c */
void http_conn_cut(struct http_conn *c);
void http_conn_resume(struct http_request *rq);
const char *http_conn_header(const struct http_request *rq, const char *name);

/* http_stream.c */
long http_stream_read(struct http_stream *st, char *to, size_t max);
void http_stream_gone(struct http_stream *st);
/** Heartbeats, and the end of those that do not move. */
void http_streams_tick(struct http_server *s, int64_t now_us);
#define HTTP_STREAM_WAIT   (-1L) /* nothing to send: suspend */
#define HTTP_STREAM_OVER   (-2L)
#define HTTP_STREAM_BROKEN (-3L)

/* http_inject.c */
void http_inject_complete(struct http_request *rq);
