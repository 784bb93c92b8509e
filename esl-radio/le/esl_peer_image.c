/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A picture into one image memory: choose the object, open a channel, announce the write, send, and
 * close the channel; its end says that the label has taken everything. After a broken link the next
 * attempt goes on where the label proves that it has the bytes before, by their checksum, and the
 * whole is checked at the end; a label that offers no checksum gets the picture anew.
 */
#include "esl-radio/le/esl_peer_impl.h"

#include "common/err.h"
#include <errno.h>

#define IMAGE_US (INT64_C(30) * US_PER_SEC)
#define TRUST_US INT64_C(1500000)
#define SWITCHES (1u << CHR_OACP | 1u << CHR_OLCP)

static void on_asked(void *user, int err, const struct att_pdu *answer)
{
	struct esl_peer *p = user;

	(void) answer;
	if (err == -ERR_PEER && p->trusting) /* such as: not switched on (OTS 1.0 3.3.2) */
		peer_transfer_silent(p);
	else if (err < 0)
		peer_finish(p, err);
}

void peer_write_object_control(struct esl_peer *p, enum chr chr, const struct ots_control *c)
{
	uint8_t bytes[OTS_CONTROL_MAX];
	int n = ots_encode(c, bytes);

	if (n < 0)
		peer_finish(p, n);
	else
		peer_write(p, chr, bytes, (size_t) n, on_asked);
}

/* --- announcing ------------------------------------------------------------------------------- */

static void announce(struct esl_peer *p)
{
	peer_write_object_control(
		p, CHR_OACP,
		&(struct ots_control){.op = OACP_WRITE,
				      .offset = (uint32_t) p->picture_at,
				      .length = (uint32_t) (p->picture.len - p->picture_at),
				      .mode = p->truncate && p->picture_at == 0 ? OACP_TRUNCATE
										: 0});
}

/* --- what the label has kept of an earlier attempt ---------------------------------------------
 */

/** The object is chosen and its beginning known; the channel was asked for meanwhile. */
static void start(struct esl_peer *p)
{
	p->may_announce = true;
	if (p->channel.state == L2CAP_OPEN)
		announce(p);
}

static void start_over(struct esl_peer *p)
{
	p->resume.kept.len = 0;
	start(p);
}

static void ask_checksum(struct esl_peer *p)
{
	peer_write_object_control(
		p, CHR_OACP,
		&(struct ots_control){.op = OACP_CHECKSUM, .length = (uint32_t) p->resume.asked});
}

static void guess(struct esl_peer *p, size_t n)
{
	if (n > 0)
		ask_checksum(p);
	else
		start_over(p);
}

static void on_size(struct esl_peer *p, int err)
{
	guess(p, ots_resume_first(&p->resume, p->value.data, err < 0 ? 0 : p->value.len));
}

static void on_feature(struct esl_peer *p, int err)
{
	if (ots_resume_offered(p->value.data, err < 0 ? 0 : p->value.len))
		peer_read(p, CHR_OBJECT_SIZE, on_size);
	else
		start_over(p); /* nobody could tell what it has */
}

static void on_checksum(struct esl_peer *p, const struct ots_control *c)
{
	bool proven = ots_resume_proven(&p->resume, c, p->picture.data, p->picture.len);

	if (p->checking) {
		peer_finish(p, proven ? 0 : -ERR_CORRUPT);
	} else if (proven) {
		p->picture_at = p->resume.asked;
		p->res.resumed_at = (uint32_t) p->resume.asked;
		start(p);
	} else {
		guess(p, ots_resume_fewer(&p->resume));
	}
}

void peer_picture_lost(struct esl_peer *p)
{
	struct ots_partial now = {
		.index = p->image,
		.unit = (uint16_t) (p->channel.mps ? l2cap_channel_unit(&p->channel) : 0),
		.len = (uint32_t) p->picture.len,
		.sent = (uint32_t) MIN(p->picture_at, p->picture.len)};

	if (p->picture.len == 0 || p->checking || !p->cb.broken_off)
		return;
	if (p->picture_at == 0 && p->resume.kept.len) /* it did not come so far this time */
		now = p->resume.kept;
	now.crc = ots_checksum(p->picture.data, p->picture.len);
	if (now.sent > 0 && now.unit > 0)
		p->cb.broken_off(p->user, p->how.peer, &now);
}

/* --- sending ---------------------------------------------------------------------------------- */

static void send_part(struct esl_peer *p)
{
	size_t n = MIN(p->picture.len - p->picture_at, l2cap_channel_unit(&p->channel));
	int r;

	if (n == 0) {
		l2cap_channel_close(&p->channel, peer_signal_id(p));
		return;
	}
	p->picture_at += n;
	r = l2cap_channel_send(&p->channel, p->picture.data + p->picture_at - n, n);
	if (r < 0)
		peer_fail(p, r);
}

/* Answers of the two control points. */
static void on_chosen(struct esl_peer *p, const struct ots_control *c)
{
	if (p->trusting) {
		p->trusting = false;
		p->chr[CHR_OLCP].on = p->chr[CHR_OACP].on = true;
		loop_timer_start(p->deadline, IMAGE_US);
	}
	if (c->request != OLCP_GO_TO || c->result != OTS_SUCCESS)
		peer_finish(p, c->request == OLCP_GO_TO ? -ERR_RANGE : -ERR_BADMSG);
	else if (p->resume.kept.len)
		peer_read(p, CHR_OTS_FEATURE, on_feature);
	else
		start(p);
}

static void on_announced(struct esl_peer *p, const struct ots_control *c)
{
	bool mode = c->result == OTS_NOT_SUPPORTED || c->result == OTS_INVALID_PARAMETER;

	if (c->result == OTS_SUCCESS) {
		send_part(p);
	} else if (mode && p->picture_at > 0) {
		p->picture_at = 0; /* it takes whole pictures only */
		p->res.resumed_at = 0;
		announce(p);
	} else if (mode && p->truncate) {
		p->truncate = false; /* some labels only overwrite */
		announce(p);
	} else {
		p->picture_at = SIZE_MAX; /* the channel's end is not a success */
		l2cap_channel_close(&p->channel, peer_signal_id(p));
	}
}

void peer_transfer_value(struct esl_peer *p, enum chr chr, const uint8_t *data, size_t len)
{
	struct ots_control c;

	if (!p->done || (p->picture.len == 0 && !p->choosing))
		return;
	if (ots_decode(data, len, &c) < 0)
		peer_fail(p, -ERR_BADMSG);
	else if (p->choosing)
		peer_identify_chosen(p, &c);
	else if (chr == CHR_OLCP && c.op == OLCP_RESPONSE)
		on_chosen(p, &c);
	else if (chr != CHR_OACP || c.op != OACP_RESPONSE)
		return;
	else if (c.request == OACP_CHECKSUM && p->resume.asked > 0)
		on_checksum(p, &c);
	else if (c.request == OACP_WRITE && p->channel.state == L2CAP_OPEN)
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
	struct esl_peer *p = user;

	(void) result;
	if (err < 0)
		peer_finish(p, err);
	else if (p->may_announce)
		announce(p);
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

	if (err < 0 || p->picture_at != p->picture.len) {
		peer_finish(p, err < 0 ? err : -ERR_PEER);
	} else if (p->res.resumed_at) { /* of two attempts: it has to be the whole picture */
		p->checking = true;
		p->resume.asked = p->picture.len;
		ask_checksum(p);
	} else {
		peer_finish(p, 0);
	}
}

const struct l2cap_channel_io peer_channel_io = {channel_frame, channel_signal,   channel_opened,
						 channel_sent,  channel_received, channel_closed};

/* --- the object ------------------------------------------------------------------------------- */

static void choose(struct esl_peer *p)
{
	loop_timer_start(p->deadline, IMAGE_US);
	if (p->channel.state == L2CAP_CLOSED)
		l2cap_channel_open(&p->channel, &peer_channel_io, p, OTS_SPSM, L2CAP_DYNAMIC_CID,
				   peer_signal_id(p));
	peer_write_object_control(
		p, CHR_OLCP,
		&(struct ots_control){.op = OLCP_GO_TO, .object = OTS_FIRST_OBJECT + p->image});
}

/* Its answer proves that what was switched on over an earlier link is on still. */
static void trust_and_choose(struct esl_peer *p)
{
	choose(p);
	p->trusting = p->recalled && !p->chr[CHR_OLCP].on && p->done;
	if (p->trusting)
		loop_timer_start(p->deadline, TRUST_US);
}

void peer_transfer_silent(struct esl_peer *p)
{
	p->trusting = false;
	peer_switches_forgotten(p);
	peer_turn_on(p, SWITCHES, choose);
}

int esl_peer_write_image(struct esl_peer *p, uint8_t index, const void *data, size_t len,
			 const struct ots_partial *kept, esl_link_done_fn done, void *user)
{
	int r;

	if (!p->chr[CHR_OACP].value || !p->chr[CHR_OLCP].value)
		return -ENOTSUP;
	r = peer_begin(p, IMAGE_US, done, user);
	if (r < 0)
		return r;
	buf_clear(&p->picture);
	buf_put(&p->picture, data, len);
	p->picture_at = 0;
	p->checking = p->may_announce = false;
	p->resume = (struct ots_resume){.kept = kept ? *kept : (struct ots_partial){.len = 0}};
	p->image = index;
	p->truncate = true;
	if (!buf_ok(&p->picture))
		peer_finish(p, -ENOMEM);
	else if (p->recalled && p->kind.forgets_switches)
		peer_turn_on(p, SWITCHES, choose);
	else
		trust_and_choose(p);
	return 0;
}
