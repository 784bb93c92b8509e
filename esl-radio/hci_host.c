/* SPDX-License-Identifier: Apache-2.0 */
#include "esl-radio/hci_host_impl.h"

#include "common/err.h"
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKOFF_FIRST_US   (US_PER_SEC / 2)
#define BACKOFF_LONGEST_US (INT64_C(30) * US_PER_SEC)
#define STEADY_US          (INT64_C(10) * US_PER_SEC) /* up this long: the back-off begins anew */
#define COMMAND_TIMEOUT_US (INT64_C(2) * US_PER_SEC)
#define OUT_MAX            (256 * 1024)
#define READ_CHUNK         4096
#define SHARED_CREDITS     4 /* commands of ours in a kernel's queue at a time */

/* --- lists of commands ------------------------------------------------------------------------ */

static void list_init(struct command_list *l)
{
	l->first = NULL;
	l->end = &l->first;
}

static void list_append(struct command_list *l, struct command *c)
{
	c->next = NULL;
	*l->end = c;
	l->end = &c->next;
}

/** Takes out the first command with this opcode. */
static struct command *list_take(struct command_list *l, uint16_t opcode)
{
	for (struct command **p = &l->first; *p; p = &(*p)->next) {
		struct command *c = *p;

		if (c->opcode != opcode)
			continue;
		*p = c->next;
		if (!*p)
			l->end = p;
		return c;
	}
	return NULL;
}

static void list_drop(struct command_list *l)
{
	while (l->first) {
		struct command *c = l->first;

		l->first = c->next;
		free(c);
	}
	list_init(l);
}

void hci_host_fail_soon(struct hci_host *h, int err, const char *text)
{
	h->failing = err;
	h->failing_text = text;
	loop_timer_start(h->watchdog, 0);
}

/** Anybody waiting for an answer keeps the watchdog awake; an answer is a reason to wait anew. */
static void watch(struct hci_host *h)
{
	if (h->failing)
		return;
	for (const struct command *c = h->sent.first; c; c = c->next)
		if (c->done || h->shared) { /* there, an answer that is lost blocks the queue */
			loop_timer_start(h->watchdog, COMMAND_TIMEOUT_US);
			return;
		}
	loop_timer_stop(h->watchdog);
}

/* --- sending ---------------------------------------------------------------------------------- */

/* A peer that is gone must not raise a signal; a serial line knows no such thing. Messages of a
 * shared port go one by one. */
static ssize_t write_some(const struct hci_host *h)
{
	struct h4_packet p;
	const struct buf *b = &h->out;
	int one = h->shared ? h4_next(b->data, b->len, &p) : 0;
	ssize_t n = send(h->fd, b->data, one > 0 ? (size_t) one : b->len, MSG_NOSIGNAL);

	return n < 0 && errno == ENOTSOCK ? write(h->fd, b->data, b->len) : n;
}

static void flush_out(struct hci_host *h)
{
	while (h->fd >= 0 && !h->failing && h->out.len > 0) {
		ssize_t n = write_some(h);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			break;
		if (n < 0) {
			hci_host_fail_soon(h, -errno,
					   "The radio's controller does not take commands.");
			return;
		}
		buf_consume(&h->out, (size_t) n);
	}
	if (h->io)
		loop_io_set(h->io, LOOP_READ | (h->out.len ? LOOP_WRITE : 0));
}

/** Passes on as many queued commands as the controller has room for. */
static void pass_commands(struct hci_host *h)
{
	bool awaited = false;

	while (h->queue.first && h->credits > 0) {
		struct command *c = h->queue.first;

		h->queue.first = c->next;
		if (!h->queue.first)
			h->queue.end = &h->queue.first;
		buf_put(&h->out, c->packet, c->len);
		list_append(&h->sent, c);
		awaited |= c->done != NULL || h->shared;
		h->credits--;
	}
	if (!buf_ok(&h->out)) {
		hci_host_fail_soon(h, h->out.err, "The radio's controller is too slow.");
		return;
	}
	if (awaited && !loop_timer_active(h->watchdog))
		watch(h);
	flush_out(h);
}

int hci_host_queue(struct hci_host *h, const struct buf *packet, hci_done_fn done, void *user)
{
	struct command *c;

	if (!buf_ok(packet))
		return packet->err;
	c = malloc(sizeof(*c) + packet->len);
	if (!c)
		return -ENOMEM;
	*c = (struct command){.opcode = (uint16_t) (packet->data[1] | packet->data[2] << 8),
			      .done = done,
			      .user = user,
			      .len = packet->len};
	memcpy(c->packet, packet->data, packet->len);
	list_append(&h->queue, c);
	pass_commands(h);
	return 0;
}

int hci_host_command(struct hci_host *h, const struct buf *packet, hci_done_fn done, void *user)
{
	return h->up ? hci_host_queue(h, packet, done, user) : -ERR_STATE;
}

int hci_host_data(struct hci_host *h, const struct buf *packet)
{
	if (!h->up)
		return -ERR_STATE;
	if (!buf_ok(packet))
		return packet->err;
	buf_put(&h->out, packet->data, packet->len);
	if (!buf_ok(&h->out)) {
		hci_host_fail_soon(h, h->out.err, "The radio's controller is too slow.");
		return -ENOBUFS;
	}
	flush_out(h);
	return 0;
}

/* --- what is known of it -----------------------------------------------------------------------
 */

bool hci_host_has_feature(const struct hci_host *h, unsigned int bit)
{
	return bit / 8 < sizeof(h->features) && (h->features[bit / 8] & 1u << bit % 8);
}

const struct hci_version *hci_host_version(const struct hci_host *h)
{
	return h->version_known ? &h->version : NULL;
}

bool hci_host_is_up(const struct hci_host *h)
{
	return h->up;
}

bool hci_host_is_open(const struct hci_host *h)
{
	return h->fd >= 0;
}

/* --- receiving -------------------------------------------------------------------------------- */

static void answered(struct hci_host *h, uint8_t credits, uint16_t opcode, uint8_t status,
		     const uint8_t *more, size_t len)
{
	struct command *c;

	if (h->shared && hci_shared_is_theirs(&h->kernel, opcode))
		return; /* and so are its credits */
	c = opcode ? list_take(&h->sent, opcode) : NULL;
	h->credits = h->shared ? h->credits + (c ? 1 : 0) : credits;
	if (!c)
		return;
	watch(h);
	if (c->done)
		c->done(c->user, status, more, len);
	free(c);
}

static int tell_drivers(struct hci_host *h, uint8_t code, const struct wire *w)
{
	int r = 0;

	for (struct hci_driver *d = h->drivers; d && h->up && r == 0; d = d->next) {
		struct wire own = *w; /* each reads from the start */

		r = d->ops->event(d, code, &own);
	}
	return r;
}

static int on_event(struct hci_host *h, const struct h4_packet *p)
{
	struct hci_command_complete complete;
	struct hci_command_status status;
	struct wire w;

	wire_init(&w, p->params, p->len);
	switch (p->event) {
	case HCI_EVT_COMMAND_COMPLETE:
		hci_get_command_complete(&w, &complete);
		if (wire_finish(&w) < 0)
			return -ERR_BADMSG;
		answered(h, complete.credits, complete.opcode, complete.status, complete.more,
			 complete.more_len);
		break;
	case HCI_EVT_COMMAND_STATUS:
		hci_get_command_status(&w, &status);
		if (wire_finish(&w) < 0)
			return -ERR_BADMSG;
		answered(h, status.credits, status.opcode, status.status, NULL, 0);
		break;
	case HCI_EVT_HARDWARE_ERROR:
		hci_host_fault(h, -EIO, "The radio's controller reported a hardware error.");
		return 0;
	default:
		return tell_drivers(h, p->event, &w);
	}
	if (h->fd >= 0)
		pass_commands(h);
	return 0;
}

static void on_overheard(struct hci_host *h, const struct h4_packet *p)
{
	hci_shared_overheard(&h->kernel, p);
	for (struct hci_driver *d = h->drivers; d && h->up; d = d->next) {
		struct wire w;

		wire_init(&w, p->params, p->len);
		if (d->ops->overheard)
			d->ops->overheard(d, p->opcode, &w);
	}
}

static void on_data(struct hci_host *h, const uint8_t *packet)
{
	struct hci_acl a;

	hci_get_acl(packet, &a);
	for (struct hci_driver *d = h->drivers; d && h->up; d = d->next)
		if (d->ops->acl)
			d->ops->acl(d, &a);
}

/** Takes the complete packets out of the input. */
static void take_packets(struct hci_host *h)
{
	size_t at = 0;

	while (h->fd >= 0) {
		struct h4_packet p;
		int n = h4_next(h->in.data + at, h->in.len - at, &p);
		int e = n;

		if (n == 0)
			break;
		if (n > 0)
			e = p.type == H4_EVENT ? on_event(h, &p) : 0;
		if (n > 0 && p.type == H4_ACL)
			on_data(h, h->in.data + at);
		if (n > 0 && p.type == H4_COMMAND && h->shared)
			on_overheard(h, &p);
		if (e < 0) {
			hci_host_fault(h, -ERR_BADMSG,
				       "The radio's controller sent something unintelligible.");
			break;
		}
		at += (size_t) n;
	}
	if (h->fd >= 0)
		buf_consume(&h->in, at);
}

static void on_readable(struct hci_host *h)
{
	uint8_t chunk[READ_CHUNK];
	ssize_t n = read(h->fd, chunk, sizeof(chunk));

	if (n < 0 && (errno == EINTR || errno == EAGAIN || errno == EWOULDBLOCK))
		return;
	if (n <= 0) {
		hci_host_fault(h, n < 0 ? -errno : -ERR_CLOSED,
			       "The radio's controller went away.");
		return;
	}
	buf_put(&h->in, chunk, (size_t) n);
	if (!buf_ok(&h->in)) {
		hci_host_fault(h, h->in.err, "The access point is out of memory.");
		return;
	}
	take_packets(h);
}

static void on_io(void *user, unsigned int events)
{
	struct hci_host *h = user;

	if (events & LOOP_READ)
		on_readable(h);
	if (h->fd >= 0 && (events & LOOP_WRITE))
		flush_out(h);
}

/* --- opening and closing ---------------------------------------------------------------------- */

static void close_stream(struct hci_host *h)
{
	loop_io_free(h->io);
	h->io = NULL;
	if (h->fd >= 0)
		(void) close(h->fd);
	h->fd = -1;
	loop_timer_stop(h->watchdog);
	list_drop(&h->queue);
	list_drop(&h->sent);
	buf_clear(&h->out);
	h->up = false;
	h->failing = 0;
}

/* The input buffer is left alone, somebody may be reading it. */
void hci_host_fault(struct hci_host *h, int err, const char *text)
{
	int64_t now_us = clock_mono_us(loop_clock(h->loop));

	if (h->up && now_us - h->up_since_us >= STEADY_US)
		h->backoff_us = BACKOFF_FIRST_US;
	close_stream(h);
	loop_timer_start(h->retry, h->backoff_us);
	h->backoff_us = MIN(h->backoff_us * 2, BACKOFF_LONGEST_US);
	for (struct hci_driver *d = h->drivers; d; d = d->next)
		d->ops->down(d, err, text);
}

static void on_retry(void *user)
{
	struct hci_host *h = user;
	const char *text = "The radio's controller cannot be reached.";
	int e;

	buf_clear(&h->in);
	h->step = 0;
	/* Until the controller says otherwise (Vol 4 Part E 4.4); a kernel has a queue of its own.
	 */
	h->credits = h->shared ? SHARED_CREDITS : 1;
	memset(h->features, 0, sizeof(h->features));
	h->kernel.their_opcode = 0; /* its answer came while nobody listened */
	e = h->shared ? h->shared->ops->open(h->shared, &text) : hci_port_open(h->address);
	if (e >= 0) {
		h->fd = e;
		e = loop_io_new(h->loop, h->fd, LOOP_READ, on_io, h, &h->io);
	}
	if (e < 0)
		hci_host_fault(h, e, text);
	else
		hci_script_step(h);
}

static void on_silence(void *user)
{
	struct hci_host *h = user;

	if (h->failing)
		hci_host_fault(h, h->failing, h->failing_text);
	else
		hci_host_fault(h, -ETIMEDOUT, "The radio's controller does not answer.");
}

/* --- life ------------------------------------------------------------------------------------- */

static int host_new(struct loop *loop, const char *address, struct hci_port *port,
		    struct hci_host **ret)
{
	struct hci_host *h = calloc(1, sizeof(*h));
	int e;

	if (!h) {
		if (port)
			port->ops->free(port);
		return -ENOMEM;
	}
	h->loop = loop;
	h->shared = port;
	if (port)
		port->host = h;
	h->owners = 1;
	h->fd = -1;
	h->backoff_us = BACKOFF_FIRST_US;
	list_init(&h->queue);
	list_init(&h->sent);
	buf_init(&h->in, 0);
	buf_init(&h->out, OUT_MAX);
	h->address = strdup(address);
	e = h->address ? loop_timer_new(loop, on_retry, h, &h->retry) : -ENOMEM;
	if (e == 0)
		e = loop_timer_new(loop, on_silence, h, &h->watchdog);
	if (e < 0) {
		hci_host_unref(h);
		return e;
	}
	*ret = h;
	return 0;
}

int hci_host_new(struct loop *loop, const char *address, struct hci_host **ret)
{
	int e = hci_port_check(address);

	return e < 0 ? e : host_new(loop, address, NULL, ret);
}

int hci_host_new_shared(struct loop *loop, struct hci_port *port, struct hci_host **ret)
{
	return host_new(loop, "", port, ret);
}

struct hci_host *hci_host_ref(struct hci_host *h)
{
	h->owners++;
	return h;
}

/** The controller goes on after us: what it was told last, such as to end a call, goes out without
 * waiting for room. The kernel has a queue of its own. */
static void last_words(struct hci_host *h)
{
	if (!h->shared || !h->up || h->failing)
		return;
	h->credits = UINT_MAX;
	pass_commands(h);
}

void hci_host_unref(struct hci_host *h)
{
	if (!h || --h->owners > 0)
		return;
	last_words(h);
	if (h->watchdog)
		close_stream(h);
	if (h->shared)
		h->shared->ops->free(h->shared);
	loop_timer_free(h->retry);
	loop_timer_free(h->watchdog);
	buf_done(&h->in);
	buf_done(&h->out);
	free(h->address);
	free(h);
}

void hci_host_join(struct hci_host *h, struct hci_driver *d)
{
	struct hci_driver **end = &h->drivers;

	while (*end)
		end = &(*end)->next;
	d->next = NULL;
	*end = d;
}

void hci_host_leave(struct hci_host *h, struct hci_driver *d)
{
	for (struct hci_driver **p = &h->drivers; *p; p = &(*p)->next)
		if (*p == d) {
			*p = d->next;
			return;
		}
}

static void list_forget(struct command_list *l, const void *user)
{
	for (struct command *c = l->first; c; c = c->next)
		if (c->user == user)
			c->done = NULL;
}

void hci_host_forget(struct hci_host *h, const void *user)
{
	list_forget(&h->queue, user);
	list_forget(&h->sent, user);
}

void hci_host_start(struct hci_host *h)
{
	if (h->fd < 0 && !loop_timer_active(h->retry))
		loop_timer_start(h->retry, 0);
}

void hci_host_hurry(struct hci_host *h)
{
	if (h->fd < 0 && loop_timer_active(h->retry))
		loop_timer_start(h->retry, 0);
}
