/* SPDX-License-Identifier: Apache-2.0 */
#include "esl-radio/oepl/ws.h"

#include "common/err.h"
#include "esl-radio/oepl/net.h"
#include "esl-radio/oepl/ws_wire.h"
#include <errno.h>
#include <sys/random.h>
#include <sys/socket.h>

#define READ_AT_ONCE 16384
#define OUT_MAX      8192
#define GRANT_US     (15 * US_PER_SEC)
#define QUIET_US     (60 * US_PER_SEC) /* then it is asked whether it is still there */

struct ws {
	struct loop *loop;
	int fd;
	struct loop_io *io;
	struct loop_timer *timer;
	struct ws_callbacks cb;
	void *user;
	char key[WS_KEY_MAX];
	struct buf in, out, message;
	bool granted, asked, parted; /* parted: a close frame was sent, nothing may follow it */
	bool open;                   /* a message began that has not ended */
	bool *gone;                  /* set when a callback freed it */
};

/* --- out -------------------------------------------------------------------------------------- */

static int flush(struct ws *w)
{
	while (w->out.len) {
		ssize_t n = send(w->fd, w->out.data, w->out.len, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			break;
		if (n <= 0)
			return -ERR_CLOSED;
		buf_consume(&w->out, (size_t) n);
	}
	loop_io_set(w->io, LOOP_READ | (w->out.len ? LOOP_WRITE : 0));
	return 0;
}

static int put(struct ws *w, uint8_t opcode, const void *data, size_t len)
{
	uint8_t mask[4];

	if (getrandom(mask, sizeof(mask), 0) != (ssize_t) sizeof(mask))
		return -EIO;
	ws_frame_put(&w->out, opcode, data, len, mask);
	return buf_ok(&w->out) ? flush(w) : w->out.err;
}

/** Says why we go, once; whether it is heard does not matter. */
static void part(struct ws *w, uint16_t code)
{
	const uint8_t data[2] = {(uint8_t) (code >> 8), (uint8_t) code};

	if (!w->granted || w->parted)
		return;
	(void) !put(w, WS_CLOSE, data, sizeof(data));
	w->parted = true;
}

/** RFC 6455 7.4.1. */
static uint16_t close_code(int err)
{
	switch (err) {
	case -ERR_TOO_LARGE:
		return 1009;
	case -ENOTSUP:
		return 1003;
	case -ERR_BADMSG:
		return 1002;
	default:
		return 1011;
	}
}

static void ended(struct ws *w, int err)
{
	if (err != -ERR_CLOSED && err != -ETIMEDOUT)
		part(w, close_code(err));
	loop_io_set(w->io, 0);
	loop_timer_stop(w->timer);
	w->cb.down(w->user, err);
}

/* --- in --------------------------------------------------------------------------------------- */

/** 1 = the callback freed the ws. */
static int take_message(struct ws *w)
{
	bool gone = false;

	w->gone = &gone;
	w->cb.message(w->user, w->message.data, w->message.len);
	if (gone)
		return 1;
	w->gone = NULL;
	buf_clear(&w->message);
	return 0;
}

static int take_frame(struct ws *w, const struct ws_frame *f)
{
	switch (f->opcode) {
	case WS_TEXT:
	case WS_CONTINUE:
		if ((f->opcode == WS_CONTINUE) != w->open)
			return -ERR_BADMSG;
		w->open = !f->fin;
		buf_put(&w->message, f->data, f->len);
		if (!buf_ok(&w->message))
			return w->message.err;
		return f->fin && w->message.len ? take_message(w) : 0;
	case WS_PING:
		return put(w, WS_PONG, f->data, f->len);
	case WS_PONG:
		return 0;
	case WS_CLOSE:
		/* Its own code comes back, where it gave one. */
		if (f->len >= 2)
			part(w, (uint16_t) (f->data[0] << 8 | f->data[1]));
		else
			part(w, 1000);
		return -ERR_CLOSED;
	case WS_BINARY:
		return -ENOTSUP;
	default:
		return -ERR_BADMSG;
	}
}

/** 1 = freed, 0 = needs more, negative = over. */
static int take_frames(struct ws *w)
{
	for (;;) {
		struct ws_frame f;
		int n = ws_frame_parse(w->in.data, w->in.len, OEPL_MESSAGE_MAX, &f), r;

		if (n <= 0)
			return n;
		r = take_frame(w, &f);
		if (r)
			return r;
		buf_consume(&w->in, (size_t) n);
	}
}

static int take_grant(struct ws *w)
{
	bool gone = false;
	int n = ws_granted(w->in.data, w->in.len, w->key);

	if (n <= 0)
		return n;
	buf_consume(&w->in, (size_t) n);
	w->granted = true;
	w->gone = &gone;
	w->cb.up(w->user);
	if (gone)
		return 1;
	w->gone = NULL;
	return 0;
}

static int fill(struct ws *w)
{
	uint8_t data[READ_AT_ONCE];
	ssize_t n = recv(w->fd, data, sizeof(data), MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0)
		return -ERR_CLOSED;
	buf_put(&w->in, data, (size_t) n);
	return buf_ok(&w->in) ? 0 : w->in.err;
}

static void on_io(void *user, unsigned int events)
{
	struct ws *w = user;
	int r = 0;

	if (events & LOOP_WRITE)
		r = flush(w);
	if (r == 0 && (events & LOOP_READ)) {
		r = fill(w);
		if (r == 0) {
			w->asked = false;
			loop_timer_start(w->timer, w->granted ? QUIET_US : GRANT_US);
		}
	}
	if (r == 0 && !w->granted)
		r = take_grant(w);
	if (r == 0 && w->granted)
		r = take_frames(w);
	if (r < 0)
		ended(w, r);
}

/** Nothing was heard for a while: it may be gone without a word. */
static void on_quiet(void *user)
{
	struct ws *w = user;
	int r = -ETIMEDOUT;

	if (w->granted && !w->asked) {
		w->asked = true;
		r = put(w, WS_PING, NULL, 0);
		loop_timer_start(w->timer, GRANT_US);
	}
	if (r < 0)
		ended(w, r);
}

/* --- life ------------------------------------------------------------------------------------- */

int ws_new(struct loop *loop, int fd, const char *host, const char *path,
	   const struct ws_callbacks *cb, void *user, struct ws **ret)
{
	struct ws *w = calloc(1, sizeof(*w));
	uint8_t random[16];
	int r = -ENOMEM;

	if (!w)
		return r;
	w->loop = loop;
	w->fd = fd;
	w->cb = *cb;
	w->user = user;
	/* A frame that is not whole yet, and what came behind it. */
	buf_init(&w->in, OEPL_MESSAGE_MAX + 2 * READ_AT_ONCE);
	buf_init(&w->out, OUT_MAX);
	buf_init(&w->message, OEPL_MESSAGE_MAX);
	if (getrandom(random, sizeof(random), 0) == (ssize_t) sizeof(random)) {
		ws_key(random, w->key);
		ws_ask(&w->out, host, path, w->key);
		r = w->out.err;
	}
	if (r == 0)
		r = loop_timer_new(loop, on_quiet, w, &w->timer);
	if (r == 0)
		r = loop_io_new(loop, fd, LOOP_READ | LOOP_WRITE, on_io, w, &w->io);
	if (r < 0) {
		ws_free(w);
		return r;
	}
	loop_timer_start(w->timer, GRANT_US);
	*ret = w;
	return 0;
}

void ws_free(struct ws *w)
{
	if (!w)
		return;
	if (w->gone)
		*w->gone = true;
	if (w->io)
		part(w, 1000);
	if (w->io)
		loop_io_free(w->io);
	loop_timer_free(w->timer);
	buf_done(&w->in);
	buf_done(&w->out);
	buf_done(&w->message);
	free(w);
}
