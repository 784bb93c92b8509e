/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Listeners. Each is a libmicrohttpd daemon without a thread: its epoll descriptor is watched by
 * the loop, and MHD_run() does what is ready. http_conn.c has what libmicrohttpd calls back.
 */
#include "common/err.h"
#include "common/log.h"
#include "controller/app.h"
#include "controller/http/http_internal.h"
#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "controller/http/http_conn.h"

#define TLS_PRIORITIES                                                                             \
	"NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-CIPHER-ALL:+AES-128-GCM:"                     \
	"+AES-256-GCM:+CHACHA20-POLY1305:-KX-ALL:+ECDHE-ECDSA:+ECDHE-RSA:"                         \
	"%SERVER_PRECEDENCE"
#define MAX_CONNECTIONS 4096u
#define LISTEN_BACKLOG  256
#define SWEEP_US        US_PER_SEC
#define RUNS_PER_WAKEUP 16
#define STOP_FLUSH_MS   500

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
	for (size_t i = 0; i < ARRAY_SIZE(s->doors); i++) {
		retire_old(&s->doors[i]);
		/* A connection that libmicrohttpd gives up while it parses, because its pool is
		 * full, is closed at the next run only, and no event announces that. */
		if (s->doors[i].timer)
			loop_timer_start(s->doors[i].timer, 0);
	}
	loop_timer_start(s->sweep, SWEEP_US);
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

/* --- the loop ------------------------------------------------------------------------------ */

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
	/* A timer of no time at all, set by its own callback, fires again before anything else is
	 * looked at: a fast upload would hold up everybody. */
	if (wait >= 0)
		loop_timer_start(door->timer, MAX(wait, US_PER_MS));
	else
		loop_timer_stop(door->timer);
}

static void on_door_io(void *user, unsigned int events _unused_)
{
	run_door(user);
}

/* --- opening and closing ------------------------------------------------------------------- */

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
		{MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		 door->which == HTTP_AGENTS ? HTTP_POOL_AGENT_BYTES : HTTP_POOL_BYTES, NULL},
		{MHD_OPTION_CONNECTION_TIMEOUT, HTTP_IDLE_AGENT_US / US_PER_SEC + 60, NULL},
		{MHD_OPTION_STRICT_FOR_CLIENT, 1, NULL},
		{MHD_OPTION_NOTIFY_COMPLETED, (intptr_t) http_on_completed, door},
		{MHD_OPTION_NOTIFY_CONNECTION, (intptr_t) http_on_connection, door},
		{MHD_OPTION_URI_LOG_CALLBACK, (intptr_t) http_on_uri, door},
		{MHD_OPTION_UNESCAPE_CALLBACK, (intptr_t) http_no_unescape, NULL},
		{MHD_OPTION_END, 0, NULL},
	};

	return MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_TLS | MHD_ALLOW_SUSPEND_RESUME |
					MHD_USE_ERROR_LOG,
				0, NULL, NULL, http_on_access, door, MHD_OPTION_ARRAY, options,
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

/* --- small things -------------------------------------------------------------------------- */

void http_add_routes(struct http_server *s, const struct http_route *table)
{
	assert(s->routes.n < HTTP_TABLES_MAX); /* one more room than anybody thought of */
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
