/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connections and what libmicrohttpd calls back. It only knows an idle time, which a client that
 * sends a byte now and then never reaches; so each connection has a deadline of ours, and whoever
 * misses it has his socket shut down, which libmicrohttpd notices.
 */
#include "common/err.h"
#include "common/log.h"
#include "controller/app.h"
#include "controller/http/http_internal.h"
#include <gnutls/gnutls.h>
#include <microhttpd.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include "controller/http/http_conn.h"

#define UNACKED_MS 60000 /* a half-open connection that we write to ends after this */

/* --- connections --------------------------------------------------------------------------- */

void http_on_connection(void *cls, struct MHD_Connection *mc, void **socket_context,
			enum MHD_ConnectionNotificationCode toe)
{
	struct http_door *door = cls;
	struct http_server *s = door->server;
	struct http_conn *c = *socket_context;
	const union MHD_ConnectionInfo *info;
	unsigned int patience_ms = UNACKED_MS;

	if (toe == MHD_CONNECTION_NOTIFY_CLOSED) {
		if (!c)
			return;
		if (c->prev)
			c->prev->next = c->next;
		else
			s->conns = c->next;
		if (c->next)
			c->next->prev = c->prev;
		s->n_conns[c->listener]--;
		free(c->cert);
		free(c);
		*socket_context = NULL;
		return;
	}
	c = calloc(1, sizeof(*c));
	if (!c)
		return; /* its requests are refused */
	c->server = s;
	c->listener = door->which;
	info = MHD_get_connection_info(mc, MHD_CONNECTION_INFO_CONNECTION_FD);
	c->fd = info ? info->connect_fd : -1;
	info = MHD_get_connection_info(mc, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	if (info && info->client_addr)
		(void) getnameinfo(info->client_addr,
				   info->client_addr->sa_family == AF_INET6
					   ? sizeof(struct sockaddr_in6)
					   : sizeof(struct sockaddr_in),
				   c->remote, sizeof(c->remote), NULL, 0, NI_NUMERICHOST);
	(void) setsockopt(c->fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &patience_ms, sizeof(patience_ms));
	c->deadline_us = clock_mono_us(s->clock) + HTTP_FIRST_REQUEST_US;
	c->pressable = true;
	c->next = s->conns;
	if (c->next)
		c->next->prev = c;
	s->conns = c;
	s->n_conns[c->listener]++;
	*socket_context = c;
}

void http_conn_cut(struct http_conn *c)
{
	if (c->cut)
		return;
	c->cut = true;
	if (c->fd >= 0)
		(void) shutdown(c->fd, SHUT_RDWR);
}

void http_conn_resume(struct http_request *rq)
{
	if (!rq->suspended)
		return;
	rq->suspended = false;
	MHD_resume_connection(rq->mc);
	/* Without a thread of its own libmicrohttpd wakes nobody: run it at the next turn. */
	if (rq->server->doors[rq->listener].timer)
		loop_timer_start(rq->server->doors[rq->listener].timer, 0);
}

static void suspend(struct http_request *rq)
{
	rq->suspended = true;
	if (rq->conn)
		rq->conn->deadline_us = INT64_MAX;
	MHD_suspend_connection(rq->mc);
}

const char *http_conn_header(const struct http_request *rq, const char *name)
{
	return rq->mc ? MHD_lookup_connection_value(rq->mc, MHD_HEADER_KIND, name) : NULL;
}

static void give_time(struct http_request *rq, uint64_t bytes)
{
	if (rq->conn)
		rq->conn->deadline_us = clock_mono_us(rq->server->clock) + HTTP_TRANSFER_US +
					(int64_t) (bytes / HTTP_SLOWEST_BYTES_S) * US_PER_SEC;
}
/* --- the other end's certificate ----------------------------------------------------------- */

struct http_peer *http_peer(struct http_request *rq)
{
	return rq->conn ? &rq->conn->peer : NULL;
}

const uint8_t *http_peer_cert(struct http_request *rq, size_t *ret_len)
{
	struct http_conn *c = rq->conn;
	const union MHD_ConnectionInfo *info;
	const gnutls_datum_t *chain;
	unsigned int n = 0;

	*ret_len = 0;
	if (!c || !rq->mc)
		return NULL;
	if (!c->cert) {
		info = MHD_get_connection_info(rq->mc, MHD_CONNECTION_INFO_GNUTLS_SESSION);
		if (!info || !info->tls_session)
			return NULL;
		chain = gnutls_certificate_get_peers(info->tls_session, &n);
		if (!chain || n == 0)
			return NULL;
		c->cert = malloc(chain[0].size);
		if (!c->cert)
			return NULL;
		memcpy(c->cert, chain[0].data, chain[0].size);
		c->cert_len = chain[0].size;
	}
	*ret_len = c->cert_len;
	return c->cert;
}

/* --- requests ------------------------------------------------------------------------------ */

/* Called with the untouched target, before anything else of a request. */
void *http_on_uri(void *cls, const char *uri, struct MHD_Connection *mc)
{
	struct http_door *door = cls;
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(mc, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	struct http_conn *c = info ? info->socket_context : NULL;
	struct http_request *rq = c ? http_request_new(door->server, door->which, uri) : NULL;

	if (rq) {
		rq->conn = c;
		rq->mc = mc;
		c->pressable = false;
		give_time(rq, 0);
	}
	return rq;
}

/* Targets are decoded by http_uri.c, segment by segment. */
size_t http_no_unescape(void *cls _unused_, struct MHD_Connection *mc _unused_, char *text)
{
	return strlen(text);
}

static ssize_t read_stream(void *cls, uint64_t pos _unused_, char *to, size_t max)
{
	struct http_request *rq = cls;
	long n = rq->stream ? http_stream_read(rq->stream, to, max) : HTTP_STREAM_OVER;

	if (n == HTTP_STREAM_WAIT) {
		suspend(rq);
		return 0;
	}
	if (n == HTTP_STREAM_OVER)
		return MHD_CONTENT_READER_END_OF_STREAM;
	if (n == HTTP_STREAM_BROKEN)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	return n;
}

static struct MHD_Response *make_response(struct http_request *rq)
{
	struct http_reply *reply = &rq->reply;
	struct MHD_Response *response = NULL;

	switch (reply->kind) {
	case REPLY_BUF:
		response = MHD_create_response_from_buffer_with_free_callback(
			reply->body.len, reply->body.data, free);
		if (response)
			reply->body = BUF_INIT;
		break;
	case REPLY_FILE:
		response = MHD_create_response_from_fd64(reply->size, reply->fd);
		if (response)
			reply->fd = -1;
		break;
	case REPLY_STREAM:
		response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 4096, read_stream,
							     rq, NULL);
		break;
	case REPLY_NONE:
		break;
	}
	return response;
}

static const char *const fixed_headers[][2] = {
	{"Content-Security-Policy",
	 "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
	 "img-src 'self' data: blob:; base-uri 'none'; form-action 'none'; "
	 "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"},
	{"X-Content-Type-Options", "nosniff"},
	{"Strict-Transport-Security", "max-age=31536000"},
	{"Referrer-Policy", "no-referrer"},
	{"Cross-Origin-Resource-Policy", "same-origin"},
	{"Cross-Origin-Opener-Policy", "same-origin"},
};

static enum MHD_Result queue_reply(struct http_request *rq)
{
	struct MHD_Response *response = make_response(rq);
	enum MHD_Result ok;

	rq->stage = RQ_QUEUED;
	if (!response)
		return MHD_NO;
	/* They are for browsers, which have no business at the agents' door. */
	for (size_t i = 0; rq->listener == HTTP_PUBLIC && i < ARRAY_SIZE(fixed_headers); i++)
		(void) MHD_add_response_header(response, fixed_headers[i][0], fixed_headers[i][1]);
	if (rq->reply.content_type)
		(void) MHD_add_response_header(response, "Content-Type", rq->reply.content_type);
	if (!http_reply_header(rq, "Cache-Control"))
		(void) MHD_add_response_header(response, "Cache-Control", "no-store");
	for (struct http_header *h = rq->reply.headers; h; h = h->next)
		(void) MHD_add_response_header(response, h->name, h->value);
	if (rq->server->stopping)
		(void) MHD_add_response_header(response, "Connection", "close");
	give_time(rq, rq->reply.kind == REPLY_FILE ? rq->reply.size : rq->reply.body.cap);
	if (rq->reply.kind == REPLY_STREAM && rq->conn)
		rq->conn->deadline_us = INT64_MAX; /* http_streams_tick() minds it */
	ok = MHD_queue_response(rq->mc, rq->reply.status, response);
	MHD_destroy_response(response);
	return ok;
}

/* A refusal is sent at once when the body would be long or waits for our word; else the body is
 * read and dropped first, because closing on unread bytes would lose the reply on its way. */
static bool refuse_at_once(struct http_request *rq)
{
	const char *length = http_header(rq, "Content-Length");

	return http_header(rq, "Expect") ||
	       (length && strtoull(length, NULL, 10) > HTTP_DRAIN_BYTES);
}

static enum MHD_Result on_headers(struct http_request *rq, const char *method)
{
	http_request_begin(rq, method);
	if (rq->replied && refuse_at_once(rq))
		return queue_reply(rq);
	give_time(rq, rq->max_body);
	return MHD_YES;
}

enum MHD_Result http_on_access(void *cls _unused_, struct MHD_Connection *mc _unused_,
			       const char *url _unused_, const char *method,
			       const char *version _unused_, const char *upload, size_t *upload_len,
			       void **req_cls)
{
	struct http_request *rq = *req_cls;

	if (!rq)
		return MHD_NO;
	switch (rq->stage) {
	case RQ_NEW:
		return on_headers(rq, method);
	case RQ_BODY:
		if (*upload_len > 0) {
			bool go_on = http_request_body(rq, upload, *upload_len);

			*upload_len = 0;
			return go_on ? MHD_YES : MHD_NO;
		}
		http_request_dispatch(rq);
		if (rq->replied)
			return queue_reply(rq);
		suspend(rq);
		return MHD_YES;
	case RQ_HANDLED:
		return rq->replied ? queue_reply(rq) : MHD_YES;
	case RQ_QUEUED:
		break;
	}
	return MHD_YES;
}

void http_on_completed(void *cls, struct MHD_Connection *mc _unused_, void **req_cls,
		       enum MHD_RequestTerminationCode toe _unused_)
{
	struct http_door *door = cls;
	struct http_request *rq = *req_cls;

	if (!rq)
		return;
	*req_cls = NULL;
	if (rq->conn)
		rq->conn->deadline_us =
			clock_mono_us(door->server->clock) +
			(rq->who.agent_id ? HTTP_IDLE_AGENT_US : HTTP_IDLE_PUBLIC_US);
	http_request_finished(rq);
}
