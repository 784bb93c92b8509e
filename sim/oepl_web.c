/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/oepl_web.h"

#include "common/err.h"
#include "sim/net.h"
#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <nettle/base64.h>
#include <nettle/sha1.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PARAMS_MAX   16
#define VALUE_MAX    (1u << 20)
#define FORM_BUFFER  4096
#define RUNS_AT_ONCE 16
#define FEED_QUEUE   (4u << 20)

struct sim_oepl_web {
	struct loop *loop;
	struct sim_oepl *ap;
	struct MHD_Daemon *daemon;
	struct loop_io *io;
	struct loop_timer *timer;
	uint16_t port;
	struct feed *feeds;
};

/* --- a WebSocket, the server's half ----------------------------------------------------------- */

struct feed {
	struct feed *next;
	struct sim_oepl_web *web;
	struct MHD_UpgradeResponseHandle *urh;
	struct net_conn *conn;
	uint8_t in[4096];
	size_t len;
};

static void feed_end(struct feed *f)
{
	struct sim_oepl_web *w = f->web;

	for (struct feed **p = &w->feeds; *p; p = &(*p)->next) {
		if (*p == f) {
			*p = f->next;
			break;
		}
	}
	sim_oepl_unlisten(w->ap, f);
	net_conn_free(f->conn);
	(void) MHD_upgrade_action(f->urh, MHD_UPGRADE_ACTION_CLOSE);
	free(f);
	loop_timer_start(w->timer, US_PER_MS);
}

static int feed_send(struct feed *f, uint8_t opcode, const void *data, size_t len)
{
	uint8_t head[10] = {(uint8_t) (0x80 | opcode)};
	size_t n = 2;

	if (len < 126) {
		head[1] = (uint8_t) len;
	} else if (len <= UINT16_MAX) {
		head[1] = 126;
		head[2] = (uint8_t) (len >> 8);
		head[3] = (uint8_t) len;
		n = 4;
	} else {
		head[1] = 127;
		for (size_t i = 0; i < 8; i++)
			head[2 + i] = (uint8_t) ((uint64_t) len >> (56 - 8 * i));
		n = 10;
	}
	if (net_conn_send(f->conn, head, n) < 0)
		return -ERR_CLOSED;
	return len ? net_conn_send(f->conn, data, len) : 0;
}

static void feed_message(void *user, const char *text, size_t len)
{
	(void) !feed_send(user, 0x1, text, len); /* its end is seen where it is read */
}

static void feed_closed(void *user)
{
	feed_end(user);
}

/** A client's frame is masked, short, and here only of interest if it asks or leaves. */
static bool feed_frame(struct feed *f)
{
	uint8_t *in = f->in, *data;
	size_t n = f->len >= 2 ? in[1] & 0x7f : 0, head = 6;

	if (f->len < 2)
		return false;
	if (n == 126) {
		if (f->len < 4)
			return false;
		n = (size_t) in[2] << 8 | in[3];
		head = 8;
	}
	if (n == 127 || head + n > sizeof f->in)
		n = sizeof f->in; /* never whole: it is cut off when there is no room left */
	if (f->len < head + n)
		return false;
	data = in + head;
	for (size_t i = 0; i < n; i++)
		data[i] ^= in[head - 4 + i % 4];
	if ((in[0] & 0x0f) == 0x9)
		(void) !feed_send(f, 0xa, data, n);
	f->len -= head + n;
	memmove(in, in + head + n, f->len);
	return true;
}

static void feed_data(void *user, const uint8_t *data, size_t len)
{
	struct feed *f = user;

	if (len > sizeof f->in - f->len) {
		feed_end(f);
		return;
	}
	memcpy(f->in + f->len, data, len);
	f->len += len;
	while (f->len >= 2 && (f->in[0] & 0x0f) != 0x8 && feed_frame(f))
		;
	if (f->len >= 2 && (f->in[0] & 0x0f) == 0x8)
		feed_end(f); /* it says good-bye */
}

static void feed_lost(void *user, int err)
{
	(void) err;
	feed_end(user);
}

static void on_upgrade(void *cls, struct MHD_Connection *conn, void *req, const char *extra,
		       size_t extra_len, MHD_socket sock, struct MHD_UpgradeResponseHandle *urh)
{
	static const struct net_conn_callbacks conn_cb = {.data = feed_data, .closed = feed_lost};
	static const struct sim_oepl_listener cb = {.message = feed_message, .closed = feed_closed};
	struct sim_oepl_web *w = cls;
	struct feed *f = calloc(1, sizeof *f);
	int fd = f ? dup(sock) : -1; /* the library closes its own */

	(void) conn;
	(void) req;
	if (fd < 0 || net_conn_new(w->loop, fd, false, FEED_QUEUE, &conn_cb, f, &f->conn) < 0) {
		free(f);
		(void) MHD_upgrade_action(urh, MHD_UPGRADE_ACTION_CLOSE);
		return;
	}
	f->web = w;
	f->urh = urh;
	f->next = w->feeds;
	w->feeds = f;
	if (sim_oepl_listen(w->ap, &cb, f) < 0)
		feed_end(f);
	else if (extra_len)
		feed_data(f, (const uint8_t *) extra, extra_len);
}

static enum MHD_Result upgrade(struct sim_oepl_web *w, struct MHD_Connection *conn)
{
	const char *key = MHD_lookup_connection_value(conn, MHD_HEADER_KIND, "Sec-WebSocket-Key");
	struct MHD_Response *response;
	struct sha1_ctx ctx;
	uint8_t digest[SHA1_DIGEST_SIZE];
	char accept[BASE64_ENCODE_RAW_LENGTH(SHA1_DIGEST_SIZE) + 1] = "";
	enum MHD_Result r;

	if (!key || !sim_oepl_is_up(w->ap))
		return MHD_NO;
	sha1_init(&ctx);
	sha1_update(&ctx, strlen(key), (const uint8_t *) key);
	sha1_update(&ctx, 36, (const uint8_t *) "258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
	sha1_digest(&ctx, sizeof digest, digest);
	base64_encode_raw(accept, sizeof digest, digest);
	response = MHD_create_response_for_upgrade(on_upgrade, w);
	if (!response)
		return MHD_NO;
	(void) MHD_add_response_header(response, "Upgrade", "websocket");
	(void) MHD_add_response_header(response, "Sec-WebSocket-Accept", accept);
	r = MHD_queue_response(conn, MHD_HTTP_SWITCHING_PROTOCOLS, response);
	MHD_destroy_response(response);
	return r;
}

/* --- requests --------------------------------------------------------------------------------- */

struct request {
	struct MHD_PostProcessor *form;
	struct sim_oepl_param params[PARAMS_MAX];
	struct buf values[PARAMS_MAX];
	char names[PARAMS_MAX][32];
	size_t n;
	bool bad;
};

/** Adds to the value that began at `off` 0. */
static void put_value(struct request *q, const char *name, bool file, const void *data, size_t len,
		      bool first)
{
	if (first) {
		if (q->n == PARAMS_MAX) {
			q->bad = true;
			return;
		}
		(void) snprintf(q->names[q->n], sizeof q->names[0], "%s", name);
		buf_init(&q->values[q->n], VALUE_MAX);
		q->params[q->n].name = q->names[q->n];
		q->params[q->n++].file = file;
	}
	if (q->n)
		buf_put(&q->values[q->n - 1], data, len);
}

static enum MHD_Result on_query(void *cls, enum MHD_ValueKind kind, const char *key,
				const char *value)
{
	(void) kind;
	put_value(cls, key, false, value ? value : "", value ? strlen(value) : 0, true);
	return MHD_YES;
}

static enum MHD_Result on_form(void *cls, enum MHD_ValueKind kind, const char *key,
			       const char *filename, const char *type, const char *encoding,
			       const char *data, uint64_t off, size_t size)
{
	(void) kind;
	(void) type;
	(void) encoding;
	put_value(cls, key, filename != NULL, data, size, off == 0);
	return MHD_YES;
}

static enum MHD_Result reply(struct sim_oepl_web *w, struct MHD_Connection *conn, const char *path,
			     bool post, struct request *q)
{
	struct sim_oepl_request req = {.post = post, .path = path, .params = q->params, .n = q->n};
	struct sim_oepl_reply got;
	struct MHD_Response *response;
	enum MHD_Result r;

	for (size_t i = 0; i < q->n; i++) {
		q->params[i].value = q->values[i].data ? (const char *) q->values[i].data : "";
		q->params[i].len = q->values[i].len;
		q->bad |= !buf_ok(&q->values[i]);
	}
	sim_oepl_answer(w->ap, &req, &got);
	if (q->bad || got.status == 0) {
		buf_done(&got.body);
		return MHD_NO; /* it hangs up */
	}
	response = MHD_create_response_from_buffer(
		got.body.len, got.body.data ? got.body.data : (void *) "", MHD_RESPMEM_MUST_COPY);
	buf_done(&got.body);
	if (!response)
		return MHD_NO;
	(void) MHD_add_response_header(response, "Content-Type", got.type);
	(void) MHD_add_response_header(response, "Access-Control-Allow-Origin", "*");
	r = MHD_queue_response(conn, got.status, response);
	MHD_destroy_response(response);
	return r;
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *conn, const char *url,
				  const char *method, const char *version, const char *data,
				  size_t *size, void **state)
{
	struct sim_oepl_web *w = cls;
	struct request *q = *state;
	bool post = strcmp(method, "POST") == 0;

	(void) version;
	if (!q) {
		*state = q = calloc(1, sizeof *q);
		if (!q)
			return MHD_NO;
		(void) MHD_get_connection_values(conn, MHD_GET_ARGUMENT_KIND, on_query, q);
		if (post)
			q->form = MHD_create_post_processor(conn, FORM_BUFFER, on_form, q);
		return MHD_YES;
	}
	if (*size) {
		if (!q->form || MHD_post_process(q->form, data, *size) != MHD_YES)
			q->bad = true;
		*size = 0;
		return MHD_YES;
	}
	if (q->form)
		(void) MHD_destroy_post_processor(q->form);
	q->form = NULL;
	return strcmp(url, "/ws") == 0 ? upgrade(w, conn) : reply(w, conn, url, post, q);
}

static void on_completed(void *cls, struct MHD_Connection *conn, void **state,
			 enum MHD_RequestTerminationCode code)
{
	struct request *q = *state;

	(void) cls;
	(void) conn;
	(void) code;
	if (!q)
		return;
	if (q->form)
		(void) MHD_destroy_post_processor(q->form);
	for (size_t i = 0; i < q->n; i++)
		buf_done(&q->values[i]);
	free(q);
	*state = NULL;
}

/* --- the loop --------------------------------------------------------------------------------- */

static void run(void *user)
{
	struct sim_oepl_web *w = user;
	MHD_UNSIGNED_LONG_LONG wait_ms = 0;

	for (int i = 0; i < RUNS_AT_ONCE; i++) {
		(void) MHD_run(w->daemon);
		if (MHD_get_timeout(w->daemon, &wait_ms) != MHD_YES)
			return;
		if (wait_ms > 0)
			break;
	}
	loop_timer_start(w->timer, MAX((int64_t) MIN(wait_ms, 60000u), 1) * US_PER_MS);
}

static void on_io(void *user, unsigned int events)
{
	(void) events;
	run(user);
}

int sim_oepl_web_new(struct loop *loop, struct sim_oepl *ap, uint16_t port,
		     struct sim_oepl_web **ret)
{
	struct sim_oepl_web *w = calloc(1, sizeof *w);
	struct sockaddr_in at = {.sin_family = AF_INET,
				 .sin_port = htons(port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	const union MHD_DaemonInfo *info;
	int r = -EADDRINUSE;

	if (!w)
		return -ENOMEM;
	w->loop = loop;
	w->ap = ap;
	w->daemon = MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_UPGRADE, port, NULL, NULL,
				     on_request, w, MHD_OPTION_SOCK_ADDR, &at,
				     MHD_OPTION_NOTIFY_COMPLETED, on_completed, w,
				     MHD_OPTION_CONNECTION_TIMEOUT, 60u, MHD_OPTION_END);
	info = w->daemon ? MHD_get_daemon_info(w->daemon, MHD_DAEMON_INFO_BIND_PORT) : NULL;
	if (info)
		w->port = info->port;
	info = info ? MHD_get_daemon_info(w->daemon, MHD_DAEMON_INFO_EPOLL_FD) : NULL;
	if (info)
		r = loop_timer_new(loop, run, w, &w->timer);
	if (info && r == 0)
		r = loop_io_new(loop, info->epoll_fd, LOOP_READ, on_io, w, &w->io);
	if (r < 0) {
		sim_oepl_web_free(w);
		return r;
	}
	*ret = w;
	return 0;
}

void sim_oepl_web_free(struct sim_oepl_web *w)
{
	if (!w)
		return;
	while (w->feeds)
		feed_end(w->feeds);
	if (w->io)
		loop_io_free(w->io);
	if (w->timer)
		loop_timer_free(w->timer);
	if (w->daemon)
		MHD_stop_daemon(w->daemon);
	free(w);
}

uint16_t sim_oepl_web_port(const struct sim_oepl_web *w)
{
	return w->port;
}
