/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The broadcast driver for an HCI controller behind an H4 byte stream on a UNIX socket. A script of
 * commands brings the controller from reset to a running train; afterwards the driver only carries
 * subevent data and reports. Whatever goes wrong ends in the same way: the connection is closed and
 * opened again with back-off, and the script begins anew.
 */
#include "esl-radio/esl_radio.h"

#include "common/err.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define ADV_HANDLE         0xe0 /* high, out of the way of a kernel stack on the same controller */
#define BACKOFF_FIRST_US   (US_PER_SEC / 2)
#define BACKOFF_LONGEST_US (INT64_C(30) * US_PER_SEC)
#define STEADY_US          (INT64_C(10) * US_PER_SEC) /* up this long: the back-off begins anew */
#define COMMAND_TIMEOUT_US (INT64_C(2) * US_PER_SEC)
#define SILENCE_INTERVALS  4
#define SILENCE_LEAST_US   (INT64_C(10) * US_PER_SEC)
#define OUT_MAX            (64 * 1024)
#define READ_CHUNK         4096

struct command {
	struct command *next;
	uint16_t opcode;
	size_t len;
	uint8_t packet[];
};

struct radio_h4 {
	struct esl_radio base;
	struct loop *loop;
	struct esl_radio_callbacks cb;
	void *user;
	struct esl_train train;
	int fd;
	struct loop_io *io;
	struct loop_timer *retry; /**< reopening */
	struct loop_timer
		*watchdog; /**< a command without an answer, or a train without requests */
	struct buf in, out;
	struct command *queue, **queue_end; /**< waiting for credits */
	unsigned int credits, outstanding;
	unsigned int step; /**< of the script */
	bool up, freed, calling;
	int64_t backoff_us, up_since_us;
	char path[sizeof(((struct sockaddr_un *) 0)->sun_path)];
};

static void fault(struct radio_h4 *r, int err, const char *text);

/* --- sending ---------------------------------------------------------------------------------- */

static void flush_out(struct radio_h4 *r)
{
	while (r->fd >= 0 && r->out.len > 0) {
		ssize_t n = send(r->fd, r->out.data, r->out.len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			break;
		if (n < 0) {
			fault(r, -errno, "The radio's controller does not take commands.");
			return;
		}
		buf_consume(&r->out, (size_t) n);
	}
	if (r->io)
		loop_io_set(r->io, LOOP_READ | (r->out.len ? LOOP_WRITE : 0));
}

/** Passes on as many queued commands as the controller has room for. */
static void pass_commands(struct radio_h4 *r)
{
	while (r->queue && r->credits > 0) {
		struct command *c = r->queue;

		r->queue = c->next;
		if (!r->queue)
			r->queue_end = &r->queue;
		buf_put(&r->out, c->packet, c->len);
		free(c);
		r->credits--;
		if (r->outstanding++ == 0 && !r->up)
			loop_timer_start(r->watchdog, COMMAND_TIMEOUT_US);
	}
	if (!buf_ok(&r->out)) {
		fault(r, r->out.err, "The radio's controller is too slow.");
		return;
	}
	flush_out(r);
}

static int queue_command(struct radio_h4 *r, const struct buf *packet)
{
	struct command *c;

	if (!buf_ok(packet))
		return packet->err;
	c = malloc(sizeof(*c) + packet->len);
	if (!c)
		return -ENOMEM;
	c->next = NULL;
	c->len = packet->len;
	c->opcode = (uint16_t) (packet->data[1] | packet->data[2] << 8);
	memcpy(c->packet, packet->data, packet->len);
	*r->queue_end = c;
	r->queue_end = &c->next;
	return 0;
}

static void drop_commands(struct radio_h4 *r)
{
	while (r->queue) {
		struct command *c = r->queue;

		r->queue = c->next;
		free(c);
	}
	r->queue_end = &r->queue;
}

/* --- the script ------------------------------------------------------------------------------- */

static void put_reset(struct radio_h4 *r, struct buf *b)
{
	(void) r;
	hci_put_command(b, HCI_RESET, NULL, 0);
}

static void put_read_version(struct radio_h4 *r, struct buf *b)
{
	(void) r;
	hci_put_command(b, HCI_READ_LOCAL_VERSION, NULL, 0);
}

static void put_read_features(struct radio_h4 *r, struct buf *b)
{
	(void) r;
	hci_put_command(b, HCI_LE_READ_LOCAL_FEATURES, NULL, 0);
}

static void put_event_mask(struct radio_h4 *r, struct buf *b)
{
	(void) r;
	hci_put_mask(b, HCI_SET_EVENT_MASK, HCI_MASK_LE_META | HCI_MASK_HARDWARE_ERROR);
}

static void put_le_event_mask(struct radio_h4 *r, struct buf *b)
{
	(void) r;
	/* Never bit 40 (connection complete v2): a kernel stack beside us would miss its
	 * connections. */
	hci_put_mask(b, HCI_LE_SET_EVENT_MASK,
		     HCI_LE_MASK(HCI_LE_PA_SUBEVENT_DATA_REQUEST) |
			     HCI_LE_MASK(HCI_LE_PA_RESPONSE_REPORT));
}

static void put_adv_params(struct radio_h4 *r, struct buf *b)
{
	struct hci_ext_adv_params p = {
		.handle = ADV_HANDLE,
		.interval_min =
			0x0640, /* 1 s: nobody needs the advertisement but a scanner's user */
		.interval_max = 0x0640,
		.channels = 7,
		.tx_power = 127,
		.primary_phy = 1,
		.secondary_phy = 2,
		.sid = 1,
	};

	(void) r;
	hci_put_ext_adv_params(b, &p);
}

static void put_pa_params(struct radio_h4 *r, struct buf *b)
{
	struct hci_pa_params p = {
		.handle = ADV_HANDLE,
		.interval_min = r->train.interval,
		.interval_max = r->train.interval,
		.subevents = r->train.subevents,
		.subevent_interval = r->train.subevent_interval,
		.response_delay = r->train.response_delay,
		.response_spacing = r->train.response_spacing,
		.response_slots = r->train.response_slots,
	};

	hci_put_pa_params(b, &p);
}

static void put_pa_enable(struct radio_h4 *r, struct buf *b)
{
	struct hci_adv_enable p = {.enable = true, .handle = ADV_HANDLE};

	(void) r;
	hci_put_pa_enable(b, &p);
}

static void put_adv_enable(struct radio_h4 *r, struct buf *b)
{
	struct hci_adv_enable p = {.enable = true, .handle = ADV_HANDLE};

	(void) r;
	hci_put_ext_adv_enable(b, &p);
}

/** From reset to a running train, one command after the other's success. */
static const struct script_row {
	uint16_t opcode;
	void (*put)(struct radio_h4 *r, struct buf *b);
	bool optional; /**< a refusal does not matter */
} script[] = {
	{HCI_RESET, put_reset, false},
	{HCI_READ_LOCAL_VERSION, put_read_version, true},
	{HCI_LE_READ_LOCAL_FEATURES, put_read_features, false},
	{HCI_SET_EVENT_MASK, put_event_mask, false},
	{HCI_LE_SET_EVENT_MASK, put_le_event_mask, false},
	{HCI_LE_SET_EXT_ADV_PARAMS, put_adv_params, false},
	{HCI_LE_SET_PA_PARAMS_V2, put_pa_params, false},
	{HCI_LE_SET_PA_ENABLE, put_pa_enable, false},
	{HCI_LE_SET_EXT_ADV_ENABLE, put_adv_enable, false},
};

static void run_step(struct radio_h4 *r)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	int e;

	script[r->step].put(r, &b);
	e = queue_command(r, &b);
	if (e < 0) {
		fault(r, e, "The access point is out of memory.");
		return;
	}
	pass_commands(r);
}

static void feed_watchdog(struct radio_h4 *r)
{
	int64_t silence_us = r->train.interval * INT64_C(1250) * SILENCE_INTERVALS;

	loop_timer_start(r->watchdog, MAX(silence_us, SILENCE_LEAST_US));
}

static void script_done(struct radio_h4 *r)
{
	r->up = true;
	r->up_since_us = clock_mono_us(loop_clock(r->loop));
	feed_watchdog(r);
	r->cb.up(r->user);
}

static void step_answered(struct radio_h4 *r, uint16_t opcode, uint8_t status, const uint8_t *more,
			  size_t more_len)
{
	const unsigned int bit = HCI_LE_FEATURE_PAWR_ADVERTISER;
	char text[ESL_TEXT_MAX];

	if (r->up || opcode != script[r->step].opcode)
		return;
	loop_timer_stop(r->watchdog);
	if (status != HCI_OK && !script[r->step].optional) {
		(void) snprintf(text, sizeof(text), "The radio's controller refused %s: %s.",
				hci_opcode_name(opcode), hci_status_name(status));
		fault(r, -ERR_PEER, text);
		return;
	}
	if (opcode == HCI_LE_READ_LOCAL_FEATURES &&
	    (more_len < 8 || !(more[bit / 8] & 1u << bit % 8))) {
		fault(r, -ENOTSUP,
		      "The radio's controller cannot send periodic advertising with responses.");
		return;
	}
	if (++r->step == ARRAY_SIZE(script))
		script_done(r);
	else
		run_step(r);
}

/* --- receiving -------------------------------------------------------------------------------- */

/** Reports every response of one event; they are borrowed from the input, which stays in place. */
static int on_response_report(struct radio_h4 *r, struct wire *w)
{
	struct hci_response_report report;

	hci_get_response_report(w, &report);
	for (unsigned int i = 0; i < report.n && r->fd >= 0; i++) {
		struct hci_response one;

		hci_get_response(w, &one);
		if (!wire_ok(w))
			break;
		if (report.handle == ADV_HANDLE && one.status == HCI_RESPONSE_COMPLETE)
			r->cb.response(r->user, report.subevent, one.slot, one.rssi, one.data,
				       one.len);
	}
	return wire_finish(w);
}

static int on_le_event(struct radio_h4 *r, struct wire *w)
{
	struct hci_data_request request;

	switch (hci_get_le_event(w)) {
	case HCI_LE_PA_SUBEVENT_DATA_REQUEST:
		hci_get_data_request(w, &request);
		if (wire_finish(w) < 0)
			return -ERR_BADMSG;
		if (r->up && request.handle == ADV_HANDLE) {
			feed_watchdog(r);
			r->cb.data_request(r->user, request.start, request.count);
		}
		return 0;
	case HCI_LE_PA_RESPONSE_REPORT:
		return r->up ? on_response_report(r, w) : 0;
	default:
		return wire_ok(w) ? 0 : -ERR_BADMSG; /* not ours */
	}
}

static int on_event(struct radio_h4 *r, const struct h4_packet *p)
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
		r->credits = complete.credits;
		r->outstanding -= r->outstanding && complete.opcode;
		step_answered(r, complete.opcode, complete.status, complete.more,
			      complete.more_len);
		break;
	case HCI_EVT_COMMAND_STATUS:
		hci_get_command_status(&w, &status);
		if (wire_finish(&w) < 0)
			return -ERR_BADMSG;
		r->credits = status.credits;
		r->outstanding -= r->outstanding && status.opcode;
		step_answered(r, status.opcode, status.status, NULL, 0);
		break;
	case HCI_EVT_HARDWARE_ERROR:
		fault(r, -EIO, "The radio's controller reported a hardware error.");
		return 0;
	case HCI_EVT_LE_META:
		return on_le_event(r, &w);
	}
	if (r->fd >= 0)
		pass_commands(r);
	return 0;
}

/** Takes the complete packets out of the input. */
static void take_packets(struct radio_h4 *r)
{
	size_t at = 0;

	while (r->fd >= 0) {
		struct h4_packet p;
		int n = h4_next(r->in.data + at, r->in.len - at, &p);
		int e = n;

		if (n == 0)
			break;
		if (n > 0)
			e = p.type == H4_EVENT ? on_event(r, &p) : 0;
		if (e < 0) {
			fault(r, -ERR_BADMSG,
			      "The radio's controller sent something unintelligible.");
			break;
		}
		at += (size_t) n;
	}
	if (r->fd >= 0)
		buf_consume(&r->in, at);
}

static void on_readable(struct radio_h4 *r)
{
	uint8_t chunk[READ_CHUNK];
	ssize_t n = recv(r->fd, chunk, sizeof(chunk), 0);

	if (n < 0 && (errno == EINTR || errno == EAGAIN || errno == EWOULDBLOCK))
		return;
	if (n <= 0) {
		fault(r, n < 0 ? -errno : -ERR_CLOSED, "The radio's controller went away.");
		return;
	}
	buf_put(&r->in, chunk, (size_t) n);
	if (!buf_ok(&r->in)) {
		fault(r, r->in.err, "The access point is out of memory.");
		return;
	}
	take_packets(r);
}

static void on_io(void *user, unsigned int events)
{
	struct radio_h4 *r = user;

	if (events & LOOP_READ)
		on_readable(r);
	if (r->fd >= 0 && (events & LOOP_WRITE))
		flush_out(r);
}

/* --- opening and closing ---------------------------------------------------------------------- */

static void close_stream(struct radio_h4 *r)
{
	loop_io_free(r->io);
	r->io = NULL;
	if (r->fd >= 0)
		(void) close(r->fd);
	r->fd = -1;
	loop_timer_stop(r->watchdog);
	drop_commands(r);
	buf_clear(&r->out);
	r->up = false;
}

/** Ends this connection and plans the next; the input buffer is left alone, somebody may read it.
 */
static void fault(struct radio_h4 *r, int err, const char *text)
{
	int64_t now_us = clock_mono_us(loop_clock(r->loop));

	if (r->up && now_us - r->up_since_us >= STEADY_US)
		r->backoff_us = BACKOFF_FIRST_US;
	close_stream(r);
	loop_timer_start(r->retry, r->backoff_us);
	r->backoff_us = MIN(r->backoff_us * 2, BACKOFF_LONGEST_US);
	r->cb.down(r->user, err, text);
}

static int open_stream(struct radio_h4 *r)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int e;

	if (fd < 0)
		return -errno;
	memcpy(sa.sun_path, r->path, sizeof(sa.sun_path));
	if (connect(fd, (const struct sockaddr *) &sa, sizeof(sa)) < 0) {
		e = -errno;
		(void) close(fd);
		return e;
	}
	e = loop_io_new(r->loop, fd, LOOP_READ, on_io, r, &r->io);
	if (e < 0) {
		(void) close(fd);
		return e;
	}
	r->fd = fd;
	return 0;
}

static void on_retry(void *user)
{
	struct radio_h4 *r = user;
	int e;

	buf_clear(&r->in);
	r->step = 0;
	r->credits = 1; /* until the controller says otherwise (Vol 4 Part E 4.4) */
	r->outstanding = 0;
	e = open_stream(r);
	if (e < 0)
		fault(r, e, "The radio's controller cannot be reached.");
	else
		run_step(r);
}

static void on_watchdog(void *user)
{
	struct radio_h4 *r = user;

	fault(r, -ETIMEDOUT,
	      r->up ? "The radio's controller has stopped asking for data."
		    : "The radio's controller does not answer.");
}

/* --- the seam --------------------------------------------------------------------------------- */

static int h4_start(struct esl_radio *base, const struct esl_train *train,
		    const struct esl_radio_callbacks *cb, void *user)
{
	struct radio_h4 *r = (struct radio_h4 *) base;

	r->train = *train;
	r->cb = *cb;
	r->user = user;
	loop_timer_start(r->retry, 0);
	return 0;
}

static int h4_set_data(struct esl_radio *base, const struct hci_subevent_data *sets, size_t n)
{
	struct radio_h4 *r = (struct radio_h4 *) base;
	_cleanup_buf_ struct buf b = BUF_INIT;
	size_t done = 0;

	if (!r->up)
		return -ERR_STATE;
	/* As many sets to a command as its 255 bytes hold. */
	while (done < n) {
		size_t take = 1, bytes = 2 + 4u + sets[done].len;
		int e;

		while (done + take < n && take < HCI_SUBEVENTS_PER_CMD &&
		       bytes + 4u + sets[done + take].len <= HCI_PARAMS_MAX) {
			bytes += 4u + sets[done + take].len;
			take++;
		}
		buf_clear(&b);
		e = hci_put_subevent_data(&b, ADV_HANDLE, sets + done, take);
		if (e == 0)
			e = queue_command(r, &b);
		if (e < 0)
			return e;
		done += take;
	}
	pass_commands(r);
	return 0;
}

static void h4_free(struct esl_radio *base)
{
	struct radio_h4 *r = (struct radio_h4 *) base;

	close_stream(r);
	loop_timer_free(r->retry);
	loop_timer_free(r->watchdog);
	buf_done(&r->in);
	buf_done(&r->out);
	free(r);
}

static const struct esl_radio_ops h4_ops = {
	.start = h4_start,
	.set_data = h4_set_data,
	.free = h4_free,
};

int esl_radio_h4_new(struct loop *loop, const char *address, struct esl_radio **ret)
{
	const char *path = strncmp(address, "unix:", 5) == 0 ? address + 5 : "";
	struct radio_h4 *r;
	int e;

	if (!path[0] || strlen(path) >= sizeof(r->path))
		return -ERR_SYNTAX;
	r = calloc(1, sizeof(*r));
	if (!r)
		return -ENOMEM;
	r->base.ops = &h4_ops;
	r->loop = loop;
	r->fd = -1;
	r->queue_end = &r->queue;
	r->backoff_us = BACKOFF_FIRST_US;
	buf_init(&r->in, 0);
	buf_init(&r->out, OUT_MAX);
	memcpy(r->path, path, strlen(path) + 1);
	e = loop_timer_new(loop, on_retry, r, &r->retry);
	if (e == 0)
		e = loop_timer_new(loop, on_watchdog, r, &r->watchdog);
	if (e < 0) {
		h4_free(&r->base);
		return e;
	}
	*ret = &r->base;
	return 0;
}
