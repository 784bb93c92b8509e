/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/label_host_impl.h"

#include "common/err.h"
#include <errno.h>
#include <string.h>

void host_send(struct label_host *h, uint16_t cid, const uint8_t *data, size_t len)
{
	if (!h->ended)
		h->io->frame(h->user, cid, data, len);
}

void host_signal(struct label_host *h, const struct l2cap_signal *s)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct l2cap_signal with_id = *s;

	if (!with_id.id)
		with_id.id = ++h->signal_id ? h->signal_id : ++h->signal_id;
	if (l2cap_put_signal(&b, &with_id) == 0)
		host_send(h, L2CAP_SIGNAL_CID, b.data + L2CAP_HEADER, b.len - L2CAP_HEADER);
}

/* --- the channel ------------------------------------------------------------------------------ */

static void channel_open(struct label_host *h, const struct l2cap_signal *s)
{
	struct l2cap_signal answer = {.code = L2CAP_CREDIT_CONNECT_RSP, .id = s->id};

	if (s->spsm != OTS_SPSM)
		answer.result = L2CAP_NO_SPSM;
	else if (!h->encrypted)
		answer.result = L2CAP_ENCRYPTION;
	else if (h->channel.open)
		answer.result = L2CAP_NO_RESOURCES;
	else if (s->scid < L2CAP_DYNAMIC_CID || s->mps < L2CAP_MPS_LEAST)
		answer.result = L2CAP_BAD_PARAMETERS;
	if (answer.result == L2CAP_OK) {
		h->channel.open = h->service.channel_open = true;
		h->channel.peer_cid = s->scid;
		h->channel.credits = CHANNEL_CREDITS;
		answer.dcid = CHANNEL_CID;
		answer.mtu = CHANNEL_MTU;
		answer.mps = CHANNEL_MPS;
		answer.credits = CHANNEL_CREDITS;
	}
	host_signal(h, &answer);
}

static void channel_close(struct label_host *h)
{
	h->channel.open = h->service.channel_open = false;
	buf_done(&h->channel.unit);
	h->channel.begun = false;
	label_service_content_end(&h->service);
}

/** Who sends more than was agreed loses the channel (Vol 3 Part A 3.4.3, 10.1). */
static void channel_end(struct label_host *h)
{
	host_signal(h, &(struct l2cap_signal){.code = L2CAP_DISCONNECT_REQ,
					      .scid = CHANNEL_CID,
					      .dcid = h->channel.peer_cid});
	channel_close(h);
}

/** What a unit is made of: its length goes before it. */
static bool channel_take(struct host_channel *c, const uint8_t *data, size_t len)
{
	if (c->credits == 0 || len > CHANNEL_MPS || (!c->begun && len < 2))
		return false;
	c->credits--;
	if (!c->begun) {
		c->begun = true;
		c->unit_len = (size_t) (data[0] | data[1] << 8);
		data += 2;
		len -= 2;
	}
	if (c->unit_len > CHANNEL_MTU || c->unit.len + len > c->unit_len)
		return false;
	buf_put(&c->unit, data, len);
	return true;
}

static void channel_frame(struct label_host *h, const uint8_t *data, size_t len)
{
	struct host_channel *c = &h->channel;

	if (!c->open)
		return;
	if (!channel_take(c, data, len)) {
		channel_end(h);
		return;
	}
	if (c->unit.len == c->unit_len) {
		label_service_content(&h->service, c->unit.data, c->unit.len);
		buf_clear(&c->unit);
		c->begun = false;
	}
	if (c->credits <= CHANNEL_CREDITS / 2) {
		host_signal(h, &(struct l2cap_signal){
				       .code = L2CAP_CREDITS,
				       .scid = CHANNEL_CID,
				       .credits = (uint16_t) (CHANNEL_CREDITS - c->credits)});
		c->credits = CHANNEL_CREDITS;
	}
}

static void on_signal(struct label_host *h, const uint8_t *data, size_t len)
{
	struct l2cap_signal s;
	int r = l2cap_get_signal(data, len, &s);

	if (r == 0 && s.code == L2CAP_CREDIT_CONNECT_REQ) {
		channel_open(h, &s);
	} else if (r == 0 && s.code == L2CAP_DISCONNECT_REQ && h->channel.open &&
		   s.dcid == CHANNEL_CID && s.scid == h->channel.peer_cid) {
		channel_close(h);
		host_signal(h, &(struct l2cap_signal){.code = L2CAP_DISCONNECT_RSP,
						      .id = s.id,
						      .dcid = s.dcid,
						      .scid = s.scid});
	} else if (s.id && s.code != L2CAP_CREDITS && s.code != L2CAP_REJECT &&
		   s.code != L2CAP_DISCONNECT_RSP) {
		host_signal(h, &(struct l2cap_signal){.code = L2CAP_REJECT, .id = s.id});
	}
}

/* --- what the services want ------------------------------------------------------------------- */

static void service_tells(void *user, enum label_value value, const uint8_t *data, size_t len)
{
	host_tell(user, value, data, len);
}

static void service_ends(void *user)
{
	struct label_host *h = user;

	h->io->end(h->user);
}

static bool service_in_range(void *user)
{
	struct label_host *h = user;

	return h->io->in_range(h->user);
}

static const struct label_service_io service_io = {service_tells, service_ends, service_in_range};

/* --- the link --------------------------------------------------------------------------------- */

void label_host_frame(struct label_host *h, uint16_t cid, const uint8_t *data, size_t len,
		      int64_t now_us)
{
	h->service.now_us = now_us;
	switch (cid) {
	case ATT_CID:
		host_att_packet(h, data, len);
		break;
	case SMP_CID:
		host_pair_packet(h, data, len);
		break;
	case L2CAP_SIGNAL_CID:
		on_signal(h, data, len);
		break;
	case CHANNEL_CID:
		channel_frame(h, data, len);
		break;
	default:
		break;
	}
}

void label_host_encrypted(struct label_host *h, int64_t now_us)
{
	bool first = !h->encrypted;
	struct sim_label_view v;

	h->service.now_us = now_us;
	h->encrypted = true;
	if (!first)
		return;
	sim_label_get(h->service.label, &v);
	if (v.model.forgets_switches)
		h->service.bond->switched = 0;
	sim_label_connected(h->service.label, now_us);
	host_tell_changed(h);
}

int label_host_new(struct sim_label *label, struct label_bond *bond, const uint8_t central[7],
		   uint64_t seed, const struct label_host_io *io, void *user,
		   struct label_host **ret)
{
	struct label_host *h = calloc(1, sizeof(*h));
	struct sim_label_view v;

	if (!h)
		return -ENOMEM;
	label_service_init(&h->service, label, bond, &service_io, h);
	h->io = io;
	h->user = user;
	h->mtu = ATT_MTU_LEAST;
	sim_label_get(label, &v);
	h->own[0] = 1;
	memcpy(h->own + 1, v.addr, sizeof(v.addr));
	memcpy(h->central, central, LE_ADDR_BYTES);
	sim_rng_init(&h->rng, seed, "label-host");
	buf_init(&h->queue, HOST_QUEUE_MAX);
	*ret = h;
	return 0;
}

void label_host_free(struct label_host *h)
{
	if (!h)
		return;
	label_service_done(&h->service);
	buf_done(&h->queue);
	buf_done(&h->channel.unit);
	free(h);
}
