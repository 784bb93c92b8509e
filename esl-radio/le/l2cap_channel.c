/* SPDX-License-Identifier: Apache-2.0 */
#include "esl-radio/le/l2cap_channel.h"

#include "common/err.h"
#include <errno.h>

void l2cap_channel_drop(struct l2cap_channel *c)
{
	c->state = L2CAP_CLOSED;
	buf_done(&c->out);
	buf_done(&c->in);
	c->out_at = 0;
	c->out_begun = false;
	c->in_len = 0;
	c->credits = 0;
}

static void end(struct l2cap_channel *c, int err)
{
	l2cap_channel_drop(c);
	c->io->closed(c->user, err);
}

void l2cap_channel_open(struct l2cap_channel *c, const struct l2cap_channel_io *io, void *user,
			uint16_t spsm, uint16_t own_cid, uint8_t id)
{
	l2cap_channel_drop(c);
	c->io = io;
	c->user = user;
	c->state = L2CAP_OPENING;
	c->id = id;
	c->own_cid = own_cid;
	c->in_credits = L2CAP_OWN_CREDITS;
	io->signal(user, &(struct l2cap_signal){.code = L2CAP_CREDIT_CONNECT_REQ,
						.id = id,
						.spsm = spsm,
						.scid = own_cid,
						.mtu = L2CAP_SDU_MAX,
						.mps = L2CAP_OWN_MPS,
						.credits = L2CAP_OWN_CREDITS});
}

/* --- sending ---------------------------------------------------------------------------------- */

/** Sends frames while there are credits. */
static void pump(struct l2cap_channel *c)
{
	uint8_t frame[L2CAP_FRAME_MAX];

	while (c->state == L2CAP_OPEN && c->out_begun && c->credits > 0) {
		size_t head = c->out_at == 0 ? 2 : 0;
		size_t room = MIN((size_t) c->mps, sizeof(frame)) - head;
		size_t n = MIN(c->out.len - c->out_at, room);

		if (head) {
			frame[0] = (uint8_t) c->out.len;
			frame[1] = (uint8_t) (c->out.len >> 8);
		}
		for (size_t i = 0; i < n; i++)
			frame[head + i] = c->out.data[c->out_at + i];
		c->out_at += n;
		c->credits--;
		if (c->out_at == c->out.len)
			c->out_begun = false;
		c->io->frame(c->user, c->peer_cid, frame, head + n);
		if (!c->out_begun && c->state == L2CAP_OPEN) {
			c->io->sent(c->user);
			return;
		}
	}
}

int l2cap_channel_send(struct l2cap_channel *c, const void *data, size_t len)
{
	if (c->state != L2CAP_OPEN)
		return -ERR_STATE;
	if (c->out_begun)
		return -EBUSY;
	if (len > c->mtu || len == 0)
		return -ERR_TOO_LARGE;
	buf_clear(&c->out);
	buf_put(&c->out, data, len);
	if (!buf_ok(&c->out))
		return c->out.err;
	c->out_at = 0;
	c->out_begun = true;
	pump(c);
	return 0;
}

size_t l2cap_channel_unit(const struct l2cap_channel *c)
{
	size_t mps = MIN(c->mps, (size_t) L2CAP_FRAME_MAX), frames = (c->mtu + (size_t) 2) / mps;

	return frames > 0 ? frames * mps - 2 : c->mtu;
}

void l2cap_channel_close(struct l2cap_channel *c, uint8_t id)
{
	if (c->state != L2CAP_OPEN)
		return;
	c->state = L2CAP_CLOSING;
	c->id = id;
	c->io->signal(c->user, &(struct l2cap_signal){.code = L2CAP_DISCONNECT_REQ,
						      .id = id,
						      .dcid = c->peer_cid,
						      .scid = c->own_cid});
}

/* --- receiving -------------------------------------------------------------------------------- */

static void on_connect_answer(struct l2cap_channel *c, const struct l2cap_signal *s)
{
	if (s->result != L2CAP_OK) {
		l2cap_channel_drop(c);
		c->io->opened(c->user, -ERR_PEER, s->result);
		return;
	}
	if (s->dcid < L2CAP_DYNAMIC_CID || s->mtu < L2CAP_MPS_LEAST || s->mps < L2CAP_MPS_LEAST) {
		l2cap_channel_drop(c);
		c->io->opened(c->user, -ERR_BADMSG, 0);
		return;
	}
	c->state = L2CAP_OPEN;
	c->peer_cid = s->dcid;
	c->mtu = s->mtu;
	c->mps = s->mps;
	c->credits = s->credits;
	c->io->opened(c->user, 0, L2CAP_OK);
}

static void on_disconnect(struct l2cap_channel *c, const struct l2cap_signal *s)
{
	c->io->signal(c->user, &(struct l2cap_signal){.code = L2CAP_DISCONNECT_RSP,
						      .id = s->id,
						      .dcid = s->dcid,
						      .scid = s->scid});
	end(c, c->state == L2CAP_CLOSING ? 0 : -ERR_CLOSED);
}

static void on_credits(struct l2cap_channel *c, const struct l2cap_signal *s)
{
	/* More than there can be, or none at all, is a rule broken (10.1). */
	if (s->credits == 0 || c->credits + s->credits > L2CAP_CREDITS_MAX) {
		end(c, -ERR_BADMSG);
		return;
	}
	c->credits += s->credits;
	pump(c);
}

bool l2cap_channel_signal(struct l2cap_channel *c, const struct l2cap_signal *s)
{
	bool up = c->state == L2CAP_OPEN || c->state == L2CAP_CLOSING;

	if (c->state == L2CAP_OPENING && s->id == c->id) {
		if (s->code == L2CAP_CREDIT_CONNECT_RSP)
			on_connect_answer(c, s);
		else if (s->code == L2CAP_REJECT) {
			l2cap_channel_drop(c);
			c->io->opened(c->user, -ERR_PEER, L2CAP_NO_SPSM);
		} else
			return false;
		return true;
	}
	if (c->state == L2CAP_CLOSING && s->id == c->id &&
	    (s->code == L2CAP_DISCONNECT_RSP || s->code == L2CAP_REJECT)) {
		end(c, 0);
		return true;
	}
	if (up && s->code == L2CAP_DISCONNECT_REQ && s->dcid == c->own_cid &&
	    s->scid == c->peer_cid) {
		on_disconnect(c, s);
		return true;
	}
	if (up && s->code == L2CAP_CREDITS && s->scid == c->peer_cid) {
		on_credits(c, s);
		return true;
	}
	return false;
}

/** Gives back what the unit took, and hands it over. */
static void unit_complete(struct l2cap_channel *c)
{
	struct buf unit = c->in;
	uint16_t used = (uint16_t) (L2CAP_OWN_CREDITS - c->in_credits);

	c->in = BUF_INIT;
	c->in_len = 0;
	c->in_credits = L2CAP_OWN_CREDITS;
	c->io->signal(c->user, &(struct l2cap_signal){
				       .code = L2CAP_CREDITS, .scid = c->own_cid, .credits = used});
	c->io->received(c->user, unit.data, unit.len);
	buf_done(&unit);
}

void l2cap_channel_frame(struct l2cap_channel *c, const uint8_t *data, size_t len)
{
	if (c->state != L2CAP_OPEN && c->state != L2CAP_CLOSING)
		return;
	if (c->in_credits == 0 || len > L2CAP_OWN_MPS || (c->in_len == 0 && len < 2)) {
		end(c, -ERR_BADMSG);
		return;
	}
	c->in_credits--;
	if (c->in_len == 0) {
		c->in_len = (size_t) (data[0] | data[1] << 8);
		data += 2;
		len -= 2;
		if (c->in_len == 0 || c->in_len > L2CAP_SDU_MAX) {
			end(c, -ERR_BADMSG);
			return;
		}
	}
	buf_put(&c->in, data, len);
	if (!buf_ok(&c->in) || c->in.len > c->in_len)
		end(c, -ERR_BADMSG);
	else if (c->in.len == c->in_len)
		unit_complete(c);
	else if (c->in_credits == 0) { /* a long unit: what is here already makes room for more */
		c->in_credits = L2CAP_OWN_CREDITS;
		c->io->signal(c->user, &(struct l2cap_signal){.code = L2CAP_CREDITS,
							      .scid = c->own_cid,
							      .credits = L2CAP_OWN_CREDITS});
	}
}
