/* SPDX-License-Identifier: Apache-2.0 */
#include "esl-radio/le/att_client.h"

#include "common/err.h"
#include <errno.h>
#include <string.h>

struct att_request {
	struct att_request *next;
	att_done_fn done;
	void *user;
	size_t len;
	uint8_t packet[];
};

void att_client_init(struct att_client *c, const struct att_client_io *io, void *user)
{
	*c = (struct att_client){.io = io, .user = user, .mtu = ATT_MTU_LEAST};
	c->queue_end = &c->queue;
}

/** Takes the first request out; its `done` is called by the caller. */
static struct att_request *take_first(struct att_client *c)
{
	struct att_request *q = c->queue;

	c->queue = q->next;
	if (!c->queue)
		c->queue_end = &c->queue;
	c->n--;
	return q;
}

void att_client_done(struct att_client *c)
{
	/* Those that are added meanwhile by callbacks end as well. */
	while (c->queue) {
		struct att_request *q = take_first(c);

		q->done(q->user, -ERR_CLOSED, NULL);
		free(q);
	}
}

static void send_first(struct att_client *c)
{
	c->io->waiting(c->user, c->queue != NULL);
	if (c->queue)
		c->io->send(c->user, c->queue->packet, c->queue->len);
}

int att_client_request(struct att_client *c, const struct att_pdu *p, att_done_fn done, void *user)
{
	uint8_t packet[ATT_MTU_MAX];
	int n = att_encode(p, c->mtu, packet, sizeof(packet));
	struct att_request *q;

	if (n < 0)
		return n;
	if (c->n == ATT_QUEUE_MAX)
		return -ENOBUFS;
	q = malloc(sizeof(*q) + (size_t) n);
	if (!q)
		return -ENOMEM;
	*q = (struct att_request){.done = done, .user = user, .len = (size_t) n};
	memcpy(q->packet, packet, (size_t) n);
	*c->queue_end = q;
	c->queue_end = &q->next;
	if (c->n++ == 0)
		send_first(c);
	return 0;
}

int att_client_command(struct att_client *c, const struct att_pdu *p)
{
	uint8_t packet[ATT_MTU_MAX];
	int n = att_encode(p, c->mtu, packet, sizeof(packet));

	if (n < 0)
		return n;
	c->io->send(c->user, packet, (size_t) n);
	return 0;
}

static void answer_first(struct att_client *c, int err, const struct att_pdu *p)
{
	struct att_request *q = take_first(c);

	/* The next goes out before the callback, which may end the link. */
	send_first(c);
	q->done(q->user, err, p);
	free(q);
}

static void confirm(struct att_client *c)
{
	static const uint8_t packet[1] = {ATT_CONFIRM};

	c->io->send(c->user, packet, sizeof(packet));
}

int att_client_receive(struct att_client *c, const uint8_t *data, size_t len)
{
	uint8_t asked = c->queue ? c->queue->packet[0] : 0;
	struct att_pdu p;
	int r = att_decode(data, len, &p);

	if (r == 0 && p.op == ATT_INDICATE)
		confirm(c);
	if (r == 0 && (p.op == ATT_NOTIFY || p.op == ATT_INDICATE)) {
		c->io->value(c->user, p.handle, p.value, p.len);
		return 0;
	}
	if (asked && r == 0 && p.op == ATT_ERROR_RSP && p.request == asked) {
		answer_first(c, -ERR_PEER, &p);
		return 0;
	}
	if (asked && p.op == att_answer_of(asked)) {
		answer_first(c, r, r == 0 ? &p : NULL);
		return 0;
	}
	return -ERR_BADMSG;
}

void att_client_set_mtu(struct att_client *c, uint16_t mtu)
{
	c->mtu = MAX(MIN(mtu, (uint16_t) ATT_MTU_MAX), (uint16_t) ATT_MTU_LEAST);
}
