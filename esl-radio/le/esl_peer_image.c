/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A picture into one image memory: choose the object, open a channel, announce the write, send, and
 * close the channel; its end says that the label has taken everything.
 */
#include "esl-radio/le/esl_peer_impl.h"

#include "common/err.h"
#include <errno.h>

#define IMAGE_US (INT64_C(30) * US_PER_SEC)

static void on_asked(void *user, int err, const struct att_pdu *answer)
{
	(void) answer;
	if (err < 0)
		peer_finish(user, err);
}

static void write_control(struct esl_peer *p, enum chr chr, const struct ots_control *c)
{
	uint8_t bytes[OTS_CONTROL_MAX];
	int n = ots_encode(c, bytes);

	if (n < 0)
		peer_finish(p, n);
	else
		peer_write(p, chr, bytes, (size_t) n, on_asked);
}

static void announce(struct esl_peer *p)
{
	write_control(p, CHR_OACP,
		      &(struct ots_control){.op = OACP_WRITE,
					    .length = (uint32_t) p->value.len,
					    .mode = p->truncate ? OACP_TRUNCATE : 0});
}

static void send_part(struct esl_peer *p)
{
	size_t n = MIN(p->value.len - p->value_at, (size_t) p->channel.mtu);
	int r;

	if (n == 0) {
		l2cap_channel_close(&p->channel, peer_signal_id(p));
		return;
	}
	p->value_at += n;
	r = l2cap_channel_send(&p->channel, p->value.data + p->value_at - n, n);
	if (r < 0)
		peer_fail(p, r);
}

/* Answers of the two control points. */
static void on_chosen(struct esl_peer *p, const struct ots_control *c)
{
	if (c->request != OLCP_GO_TO || c->result != OTS_SUCCESS)
		peer_finish(p, c->request == OLCP_GO_TO ? -ERR_RANGE : -ERR_BADMSG);
	else
		l2cap_channel_open(&p->channel, &peer_channel_io, p, OTS_SPSM, L2CAP_DYNAMIC_CID,
				   peer_signal_id(p));
}

static void on_announced(struct esl_peer *p, const struct ots_control *c)
{
	bool mode = c->result == OTS_NOT_SUPPORTED || c->result == OTS_INVALID_PARAMETER;

	if (c->request == OACP_WRITE && c->result == OTS_SUCCESS) {
		p->value_at = 0;
		send_part(p);
	} else if (c->request == OACP_WRITE && mode && p->truncate) {
		p->truncate = false; /* some labels only overwrite */
		announce(p);
	} else {
		p->value_at = SIZE_MAX; /* the channel's end is not a success */
		l2cap_channel_close(&p->channel, peer_signal_id(p));
	}
}

void peer_transfer_value(struct esl_peer *p, enum chr chr, const uint8_t *data, size_t len)
{
	struct ots_control c;

	if (!p->done)
		return;
	if (ots_decode(data, len, &c) < 0)
		peer_fail(p, -ERR_BADMSG);
	else if (chr == CHR_OLCP && c.op == OLCP_RESPONSE)
		on_chosen(p, &c);
	else if (chr == CHR_OACP && c.op == OACP_RESPONSE && p->channel.state == L2CAP_OPEN)
		on_announced(p, &c);
}

/* --- the channel ------------------------------------------------------------------------------ */

static void channel_frame(void *user, uint16_t cid, const uint8_t *data, size_t len)
{
	struct esl_peer *p = user;

	if (p->link && le_link_send(p->link, cid, data, len) < 0)
		peer_fail(p, -ENOBUFS);
}

static void channel_signal(void *user, const struct l2cap_signal *s)
{
	peer_signal(user, s);
}

static void channel_opened(void *user, int err, uint16_t result)
{
	(void) result;
	if (err < 0)
		peer_finish(user, err);
	else
		announce(user);
}

static void channel_sent(void *user)
{
	send_part(user);
}

static void channel_received(void *user, const uint8_t *data, size_t len)
{
	(void) user;
	(void) data;
	(void) len; /* nothing was asked for */
}

static void channel_closed(void *user, int err)
{
	struct esl_peer *p = user;

	if (err == 0 && p->value_at == p->value.len)
		peer_finish(p, 0);
	else
		peer_finish(p, err < 0 ? err : -ERR_PEER);
}

const struct l2cap_channel_io peer_channel_io = {channel_frame, channel_signal,   channel_opened,
						 channel_sent,  channel_received, channel_closed};

int esl_peer_write_image(struct esl_peer *p, uint8_t index, const void *data, size_t len,
			 esl_link_done_fn done, void *user)
{
	int r;

	if (!p->chr[CHR_OACP].value || !p->chr[CHR_OLCP].value)
		return -ENOTSUP;
	r = peer_begin(p, IMAGE_US, done, user);
	if (r < 0)
		return r;
	buf_clear(&p->value);
	buf_put(&p->value, data, len);
	p->image = index;
	p->truncate = true;
	if (buf_ok(&p->value))
		write_control(p, CHR_OLCP,
			      &(struct ots_control){.op = OLCP_GO_TO,
						    .object = OTS_FIRST_OBJECT + index});
	else
		peer_finish(p, -ENOMEM);
	return 0;
}
