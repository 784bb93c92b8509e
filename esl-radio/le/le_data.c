/* SPDX-License-Identifier: Apache-2.0 */
/* Frames of L2CAP on the links of a central, to and from the controller's packets. */
#include "esl-radio/le/le_central_impl.h"

#include "common/err.h"
#include <errno.h>

struct le_link *le_link_by_handle(struct le_central *c, uint16_t handle)
{
	for (size_t i = 0; i < LE_PLACES; i++)
		if (c->links[i].state >= LINK_UP && c->links[i].handle == handle)
			return &c->links[i];
	return NULL;
}

/* --- data out --------------------------------------------------------------------------------- */

/** Sends the next packet of a link's queue. */
static int send_packet(struct le_link *l)
{
	struct le_central *c = l->c;
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct hci_acl a = {.handle = l->handle,
			    .boundary = l->out_begun ? HCI_PB_CONTINUING : HCI_PB_FIRST_HOST,
			    .data = l->out.data};

	if (!l->out_begun)
		l->out_left = HEADER_BYTES + (size_t) (l->out.data[0] | l->out.data[1] << 8);
	a.len = MIN(l->out_left, (size_t) c->buffers.len);
	hci_put_acl(&b, &a);
	l->out_left -= a.len;
	l->out_begun = l->out_left > 0;
	buf_consume(&l->out, a.len);
	l->in_flight++;
	c->in_flight++;
	return hci_host_data(c->host, &b);
}

/** A label that does not take its data would keep all of the controller's buffers until its link is
 * given up for lost: one is left to each link that has none. */
static bool may_fill_another(const struct le_central *c, const struct le_link *l)
{
	unsigned int without = 0;

	for (size_t i = 0; i < LE_PLACES; i++)
		without += c->links[i].state == LINK_UP && c->links[i].in_flight == 0;
	return l->in_flight == 0 || c->buffers.packets - c->in_flight > without;
}

void le_data_pump(struct le_central *c)
{
	unsigned int idle = 0;

	while (c->up && c->in_flight < c->buffers.packets && idle < LE_PLACES) {
		struct le_link *l = &c->links[c->turn];

		c->turn = (c->turn + 1) % LE_PLACES;
		if (l->state != LINK_UP || l->out.len == 0 || !may_fill_another(c, l)) {
			idle++;
			continue;
		}
		idle = 0;
		if (send_packet(l) < 0)
			return;
	}
}

int le_link_send(struct le_link *l, uint16_t cid, const void *data, size_t len)
{
	if (l->state != LINK_UP)
		return -ERR_STATE;
	if (len > LE_FRAME_MAX)
		return -ERR_TOO_LARGE;
	if (l->out.len + HEADER_BYTES + len > LE_QUEUE_MAX)
		return -ENOBUFS;
	l2cap_put_header(&l->out, cid, len);
	buf_put(&l->out, data, len);
	if (!buf_ok(&l->out)) { /* half a frame must not go out */
		int e = l->out.err;

		le_link_close(l);
		return e;
	}
	le_data_pump(l->c);
	return 0;
}

/* --- data in ---------------------------------------------------------------------------------- */

static void frame_complete(struct le_link *l)
{
	struct buf frame = l->in;
	uint16_t cid = (uint16_t) (frame.data[2] | frame.data[3] << 8);

	l->in = BUF_INIT;
	l->in_len = 0;
	l->cb.frame(l->user, cid, frame.data + HEADER_BYTES, frame.len - HEADER_BYTES);
	buf_done(&frame);
}

void le_data_in(struct le_central *c, const struct hci_acl *a)
{
	struct le_link *l = le_link_by_handle(c, a->handle);

	if (!l || l->state != LINK_UP)
		return;
	if (a->boundary != HCI_PB_CONTINUING) {
		buf_clear(&l->in); /* an unfinished one is lost: the controller says so this way */
		l->in_len = 0;
	} else if (l->in.len == 0) {
		return;
	}
	buf_put(&l->in, a->data, a->len);
	if (l->in_len == 0 && l->in.len >= HEADER_BYTES)
		l->in_len = HEADER_BYTES + (size_t) (l->in.data[0] | l->in.data[1] << 8);
	if (!buf_ok(&l->in) || l->in_len > HEADER_BYTES + LE_FRAME_MAX ||
	    (l->in_len && l->in.len > l->in_len))
		le_link_close(l); /* it does not keep to lengths */
	else if (l->in_len && l->in.len == l->in_len)
		frame_complete(l);
}

void le_data_sent(struct le_central *c, struct wire *w)
{
	size_t n = hci_get_completed_packets(w);

	while (n-- && wire_ok(w)) {
		struct hci_completed_packets p;
		struct le_link *l;
		unsigned int done;

		hci_get_completed(w, &p);
		l = wire_ok(w) ? le_link_by_handle(c, p.handle) : NULL;
		if (!l)
			continue;
		done = MIN((unsigned int) p.count, l->in_flight);
		l->in_flight -= done;
		c->in_flight -= MIN(c->in_flight, done);
	}
	le_data_pump(c);
}
