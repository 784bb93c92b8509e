/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Listeners and connections. Each listener is a libmicrohttpd daemon without a thread: its epoll
 * descriptor is watched by the loop, and MHD_run() does what is ready. libmicrohttpd only knows an
 * idle time, which a client that sends a byte now and then never reaches; so each connection has a
 * deadline of ours, and whoever misses it has his socket shut down, which libmicrohttpd notices.
 */
#include "common/err.h"
#include "common/log.h"
#include "controller/app.h"
#include "controller/http_internal.h"
#include <arpa/inet.h>
#include <errno.h>
#include <gnutls/gnutls.h>
#include <microhttpd.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define TLS_PRIORITIES                                                                             \
	"NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-CIPHER-ALL:+AES-128-GCM:"                     \
	"+AES-256-GCM:+CHACHA20-POLY1305:-KX-ALL:+ECDHE-ECDSA:+ECDHE-RSA:"                         \
	"%SERVER_PRECEDENCE"
#define MAX_CONNECTIONS 4096u
#define LISTEN_BACKLOG  256
#define SWEEP_US        US_PER_SEC
#define RUNS_PER_WAKEUP 16
#define STOP_FLUSH_MS   500
#define UNACKED_MS      60000 /* a half-open connection that we write to ends after this */

/* --- connections -------------------------------------------------------------------------------
 */

static void on_connection(void *cls, struct MHD_Connection *mc, void **socket_context,
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

static void stop_old(struct http_door *door)
{
	if (!door->old)
		return;
	loop_io_free(door->old_io);
	MHD_stop_daemon(door->old);
	door->old = NULL;
	door->old_io = NULL;
}

/* The daemon with the certificate before goes when its last connection has gone. */
static void retire_old(struct http_door *door)
{
	const union MHD_DaemonInfo *info =
		door->old ? MHD_get_daemon_info(door->old, MHD_DAEMON_INFO_CURRENT_CONNECTIONS)
			  : NULL;

	if (info && info->num_connections == 0)
		stop_old(door);
}

static void sweep(void *user)
{
	struct http_server *s = user;
	int64_t now = clock_mono_us(s->clock);

	for (struct http_conn *c = s->conns; c; c = c->next) {
		bool scarce = s->n_conns[c->listener] > s->max_conns / 4 * 3;
		int64_t deadline = c->deadline_us;

		if (scarce && c->pressable)
			deadline -= HTTP_FIRST_REQUEST_US - HTTP_PRESSED_REQUEST_US;
		if (c->cut || now < deadline)
			continue;
		s->stats.cut++;
		http_conn_cut(c);
	}
	http_streams_tick(s, now);
	for (size_t i = 0; i < ARRAY_SIZE(s->doors); i++)
		retire_old(&s->doors[i]);
	loop_timer_start(s->sweep, SWEEP_US);
}

/* --- the other end's certificate ----------------------------------------------------------------
 */

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

/* --- requests ----------------------------------------------------------------------------------
 */

/* Called with the untouched target, before anything else of a request. */
static void *on_uri(void *cls, const char *uri, struct MHD_Connection *mc)
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
static size_t no_unescape(void *cls _unused_, struct MHD_Connection *mc _unused_, char *text)
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
	for (size_t i = 0; i < ARRAY_SIZE(fixed_headers); i++)
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

static enum MHD_Result on_access(void *cls _unused_, struct MHD_Connection *mc _unused_,
				 const char *url _unused_, const char *method,
				 const char *version _unused_, const char *upload,
				 size_t *upload_len, void **req_cls)
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

static void on_completed(void *cls, struct MHD_Connection *mc _unused_, void **req_cls,
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

static __attribute__((format(printf, 2, 0))) void on_mhd_log(void *cls, const char *fmt, va_list ap)
{
	struct http_door *door = cls;
	char text[256];

	vsnprintf(text, sizeof(text), fmt, ap);
	text[strcspn(text, "\r\n\"")] = '\0';
	log_debug("http", "listener=%s msg=\"%s\"",
		  door->which == HTTP_AGENTS ? "agents" : "public", text);
}

/* --- the loop ----------------------------------------------------------------------------------
 */

static void run_daemon(struct http_door *door, struct MHD_Daemon *daemon, int64_t *ret_wait_us)
{
	MHD_UNSIGNED_LONG_LONG wait_ms = 0;

	*ret_wait_us = -1;
	if (!daemon)
		return;
	for (int i = 0; i < RUNS_PER_WAKEUP; i++) {
		(void) MHD_run(daemon);
		if (MHD_get_timeout(daemon, &wait_ms) != MHD_YES)
			return;
		if (wait_ms > 0)
			break;
	}
	(void) door;
	*ret_wait_us = (int64_t) MIN(wait_ms, 3600000u) * US_PER_MS;
}

static void run_door(void *user)
{
	struct http_door *door = user;
	int64_t wait, old_wait;

	run_daemon(door, door->daemon, &wait);
	run_daemon(door, door->old, &old_wait);
	if (old_wait >= 0 && (wait < 0 || old_wait < wait))
		wait = old_wait;
	if (wait >= 0)
		loop_timer_start(door->timer, wait);
	else
		loop_timer_stop(door->timer);
}

static void on_door_io(void *user, unsigned int events _unused_)
{
	run_door(user);
}

/* --- opening and closing -----------------------------------------------------------------------
 */

static int parse_address(const struct http_listen *how, struct sockaddr_storage *ret,
			 socklen_t *ret_len)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *) ret;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *) ret;

	memset(ret, 0, sizeof(*ret));
	if (inet_pton(AF_INET, how->address, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(how->port);
		*ret_len = sizeof(*v4);
		return 0;
	}
	if (inet_pton(AF_INET6, how->address, &v6->sin6_addr) == 1) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons(how->port);
		*ret_len = sizeof(*v6);
		return 0;
	}
	return -EINVAL;
}

static int open_socket(struct http_door *door, const struct http_listen *how)
{
	struct sockaddr_storage addr;
	socklen_t len;
	int one = 1, r = parse_address(how, &addr, &len);

	if (r < 0)
		return r;
	door->fd = socket(addr.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (door->fd < 0)
		return -errno;
	(void) setsockopt(door->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(door->fd, (struct sockaddr *) &addr, len) < 0 ||
	    listen(door->fd, LISTEN_BACKLOG) < 0) {
		r = -errno;
		close(door->fd);
		door->fd = -1;
		return r;
	}
	len = sizeof(addr);
	if (getsockname(door->fd, (struct sockaddr *) &addr, &len) == 0)
		door->port = ntohs(addr.ss_family == AF_INET6
					   ? ((struct sockaddr_in6 *) &addr)->sin6_port
					   : ((struct sockaddr_in *) &addr)->sin_port);
	return 0;
}

static struct MHD_Daemon *start_daemon(struct http_door *door, const struct http_listen *how)
{
	struct MHD_OptionItem trust[] = {
		{how->ca_pem ? MHD_OPTION_HTTPS_MEM_TRUST : MHD_OPTION_END, 0,
		 (void *) (uintptr_t) how->ca_pem},
		{MHD_OPTION_END, 0, NULL},
	};
	struct MHD_OptionItem options[] = {
		{MHD_OPTION_EXTERNAL_LOGGER, (intptr_t) on_mhd_log, door},
		{MHD_OPTION_LISTEN_SOCKET, door->fd, NULL},
		{MHD_OPTION_HTTPS_MEM_CERT, 0, (void *) (uintptr_t) how->cert_pem},
		{MHD_OPTION_HTTPS_MEM_KEY, 0, (void *) (uintptr_t) how->key_pem},
		{MHD_OPTION_HTTPS_PRIORITIES, 0, (void *) (uintptr_t) TLS_PRIORITIES},
		{MHD_OPTION_CONNECTION_LIMIT, (intptr_t) door->server->max_conns, NULL},
		{MHD_OPTION_CONNECTION_MEMORY_LIMIT, HTTP_POOL_BYTES, NULL},
		{MHD_OPTION_CONNECTION_TIMEOUT, HTTP_IDLE_AGENT_US / US_PER_SEC + 60, NULL},
		{MHD_OPTION_STRICT_FOR_CLIENT, 1, NULL},
		{MHD_OPTION_NOTIFY_COMPLETED, (intptr_t) on_completed, door},
		{MHD_OPTION_NOTIFY_CONNECTION, (intptr_t) on_connection, door},
		{MHD_OPTION_URI_LOG_CALLBACK, (intptr_t) on_uri, door},
		{MHD_OPTION_UNESCAPE_CALLBACK, (intptr_t) no_unescape, NULL},
		{MHD_OPTION_END, 0, NULL},
	};

	return MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_TLS | MHD_ALLOW_SUSPEND_RESUME |
					MHD_USE_ERROR_LOG,
				0, NULL, NULL, on_access, door, MHD_OPTION_ARRAY, options,
				MHD_OPTION_ARRAY, trust, MHD_OPTION_END);
}

static int watch_daemon(struct http_door *door, struct MHD_Daemon *daemon, struct loop_io **ret)
{
	const union MHD_DaemonInfo *info = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_EPOLL_FD);

	if (!info)
		return -ENOTSUP;
	return loop_io_new(door->server->loop, info->epoll_fd, LOOP_READ, on_door_io, door, ret);
}

int http_server_listen(struct http_server *s, enum http_listener which,
		       const struct http_listen *how)
{
	struct http_door *door = &s->doors[which];
	struct MHD_Daemon *daemon;
	struct loop_io *io = NULL;
	int r;

	if (door->old)
		return -EBUSY; /* connections of the certificate before the last are still open */
	if (door->fd < 0) {
		r = open_socket(door, how);
		if (r < 0)
			return r;
	}
	daemon = start_daemon(door, how);
	if (!daemon)
		return -ERR_TLS;
	r = watch_daemon(door, daemon, &io);
	if (r == 0 && !door->timer)
		r = loop_timer_new(s->loop, run_door, door, &door->timer);
	if (r < 0) {
		loop_io_free(io);
		(void) MHD_quiesce_daemon(daemon); /* the socket stays ours */
		MHD_stop_daemon(daemon);
		return r;
	}
	if (door->daemon) {
		(void) MHD_quiesce_daemon(door->daemon);
		door->old = door->daemon;
		door->old_io = door->io;
	}
	door->daemon = daemon;
	door->io = io;
	return 0;
}

uint16_t http_server_port(const struct http_server *s, enum http_listener which)
{
	return s->doors[which].port;
}

/* More connections than file descriptors would make accept() spin. */
static size_t connection_budget(void)
{
	struct rlimit lim;

	if (getrlimit(RLIMIT_NOFILE, &lim) < 0)
		return 256;
	if (lim.rlim_cur < lim.rlim_max) {
		lim.rlim_cur = MIN(lim.rlim_max, (rlim_t) (2 * MAX_CONNECTIONS + 256));
		if (setrlimit(RLIMIT_NOFILE, &lim) < 0)
			(void) getrlimit(RLIMIT_NOFILE, &lim);
	}
	if (lim.rlim_cur < 256)
		return 64;
	return MIN((size_t) MAX_CONNECTIONS, (size_t) (lim.rlim_cur - 128) / 2);
}

int http_server_new(struct app *app, struct http_server **ret)
{
	struct http_server *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return -ENOMEM;
	s->app = app;
	s->loop = app->loop;
	s->clock = loop_clock(app->loop);
	s->max_conns = connection_budget();
	for (size_t i = 0; i < ARRAY_SIZE(s->doors); i++) {
		s->doors[i].server = s;
		s->doors[i].which = (enum http_listener) i;
		s->doors[i].fd = -1;
	}
	s->beat_us = clock_mono_us(s->clock);
	r = loop_timer_new(s->loop, sweep, s, &s->sweep);
	if (r < 0) {
		free(s);
		return r;
	}
	loop_timer_start(s->sweep, SWEEP_US);
	*ret = s;
	return 0;
}

void http_server_quiesce(struct http_server *s)
{
	s->stopping = true;
	for (size_t i = 0; i < ARRAY_SIZE(s->doors); i++) {
		if (s->doors[i].daemon)
			(void) MHD_quiesce_daemon(s->doors[i].daemon);
	}
	for (struct http_stream *st = s->streams, *next; st; st = next) {
		next = st->next;
		http_stream_end(st);
	}
}

/* Lets replies that are on their way leave, for a bounded time. */
static void flush(struct http_server *s)
{
	int64_t until = clock_mono_us(s->clock) + STOP_FLUSH_MS * US_PER_MS;
	bool busy = true;

	while (busy && clock_mono_us(s->clock) < until) {
		int64_t wait;

		busy = false;
		for (size_t i = 0; i < ARRAY_SIZE(s->doors); i++) {
			run_daemon(&s->doors[i], s->doors[i].daemon, &wait);
			run_daemon(&s->doors[i], s->doors[i].old, &wait);
		}
		for (struct http_request *rq = s->requests; rq; rq = rq->next)
			busy |= rq->mc != NULL && rq->replied;
		if (busy)
			(void) usleep(2000);
	}
}

void http_server_stop(struct http_server *s)
{
	http_server_quiesce(s);
	for (struct http_request *rq = s->requests, *next; rq; rq = next) {
		next = rq->next;
		if (rq->replied || !rq->mc || rq->stage != RQ_HANDLED)
			continue;
		rq->forced = true;
		http_problem(rq, 503, "stopping", "The controller is stopping.");
	}
	flush(s);
	for (size_t i = 0; i < ARRAY_SIZE(s->doors); i++) {
		struct http_door *door = &s->doors[i];

		stop_old(door);
		loop_io_free(door->io);
		door->io = NULL;
		if (door->daemon)
			MHD_stop_daemon(door->daemon);
		door->daemon = NULL;
		if (door->fd >= 0)
			close(door->fd);
		door->fd = -1;
		loop_timer_free(door->timer);
		door->timer = NULL;
	}
}

void http_server_free(struct http_server *s)
{
	if (!s)
		return;
	http_server_stop(s);
	loop_timer_free(s->sweep);
	while (s->requests)
		http_request_free(s->requests);
	free(s);
}

/* --- small things ------------------------------------------------------------------------------
 */

void http_add_routes(struct http_server *s, const struct http_route *table)
{
	if (s->routes.n < HTTP_TABLES_MAX)
		s->routes.tables[s->routes.n++] = table;
}

void http_set_fallback(struct http_server *s, http_handler fn)
{
	s->fallback = fn;
}

void http_set_identify(struct http_server *s, enum http_listener which, http_identify_fn fn,
		       void *user)
{
	s->identify[which] = fn;
	s->identify_user[which] = user;
}

void http_stats(const struct http_server *s, struct http_stats *ret)
{
	*ret = s->stats;
	ret->connections = s->n_conns[0] + s->n_conns[1];
	ret->waiting = 0;
	for (const struct http_request *rq = s->requests; rq; rq = rq->next)
		ret->waiting += rq->suspended && rq->reply.kind != REPLY_STREAM;
}
