/* SPDX-License-Identifier: Apache-2.0 */
/* One link: its packets both ways, its connection events, what ends it. */
#include "sim/radio_links_impl.h"

#include <stdlib.h>
#include <string.h>

#define ENCRYPT_EVENTS 4
#define LINK_GRID_US   1250
#define EVENTS_AHEAD   8    /* of a new link, when a place is chosen for them */
#define QUEUE_PACKETS  2048 /* of a label's own, which counts no buffers */

/* --- packets ---------------------------------------------------------------------------------- */

void packet_list_init(struct packet_list *l)
{
	*l = (struct packet_list){0};
	l->end = &l->first;
}

static void packet_list_add(struct packet_list *l, const uint8_t *data, size_t len, bool first)
{
	struct packet *p = l->n < QUEUE_PACKETS ? malloc(sizeof(*p) + len) : NULL;

	if (!p)
		return; /* as a radio would lose it */
	l->n++;
	*p = (struct packet){.first = first, .len = len};
	memcpy(p->data, data, len);
	*l->end = p;
	l->end = &p->next;
}

static struct packet *packet_list_take(struct packet_list *l)
{
	struct packet *p = l->first;

	if (p) {
		l->first = p->next;
		l->n--;
		if (!l->first)
			l->end = &l->first;
	}
	return p;
}

void packet_list_drop(struct packet_list *l)
{
	struct packet *p;

	while ((p = packet_list_take(l)))
		free(p);
}

/* --- for the station at the far end ----------------------------------------------------------- */

void radio_link_send(struct one_link *o, const uint8_t *data, size_t len, bool first)
{
	packet_list_add(&o->up, data, len, first);
}

bool radio_link_may_end(uint8_t reason)
{
	static const uint8_t reasons[] = {0x05, 0x13, 0x14, 0x15, 0x1a, 0x29, 0x3b};

	return memchr(reasons, reason, sizeof(reasons)) != NULL;
}

void radio_link_end(struct one_link *o, uint8_t reason)
{
	if (o->state != LINK_UP)
		return;
	o->state = LINK_ENDING;
	o->reason = reason;
	o->far_reason = reason == HCI_ERR_LINK_RESPONSE ? reason : HCI_ERR_LOCAL_ENDED;
}

void radio_link_key(struct one_link *o, uint8_t status)
{
	if (!o->key_asked)
		return;
	o->key_asked = false;
	o->key_status = status;
	o->encrypt_in = ENCRYPT_EVENTS;
}

bool radio_link_encrypted(const struct one_link *o)
{
	return o->encrypted;
}

unsigned int radio_link_waiting(const struct one_link *o)
{
	return o->up.n;
}

void radio_link_take(struct one_link *o, const struct hci_acl *a)
{
	unsigned int taken = 0;

	for (size_t i = 0; i < RADIO_LINKS_MAX; i++)
		taken += o->k->links[i].down.n;
	if (taken >= HCI_PORT_BUFFERS)
		hci_port_overflow(&o->k->r->port);
	else if (o->state == LINK_UP && a->len <= RADIO_LINK_DATA)
		packet_list_add(&o->down, a->data, a->len, a->boundary != HCI_PB_CONTINUING);
}

/* --- the life of a link ----------------------------------------------------------------------- */

void radio_link_free(struct one_link *o)
{
	loop_timer_stop(o->event);
	packet_list_drop(&o->down);
	packet_list_drop(&o->up);
	if (o->station)
		o->station->link = NULL;
	o->station = NULL;
	o->state = LINK_FREE;
	o->encrypted = o->key_asked = false;
	o->encrypt_in = o->length_in = o->phy_in = 0;
	o->air = (struct link_air){.octets = AIR_OCTETS_LEAST};
}

/** Ends it; both ends are told why. */
static void link_close(struct one_link *o, uint8_t reason, uint8_t far_reason)
{
	struct radio_links *k = o->k;
	struct radio_station *s = o->station;
	struct buf b = BUF_INIT;

	hci_put_disconnection(
		&b, &(struct hci_disconnection){.handle = link_handle(o), .reason = reason});
	radio_link_free(o);
	s->ops->link_end(s, far_reason);
	links_tell(k, &b);
}

void radio_link_lose(struct one_link *o)
{
	struct radio_links *k = o->k;
	struct buf b = BUF_INIT;

	hci_put_disconnection(&b,
			      &(struct hci_disconnection){.handle = link_handle(o),
							  .reason = HCI_ERR_CONNECTION_TIMEOUT});
	radio_link_free(o);
	links_tell(k, &b);
}

/** The end of the procedure. One that has begun anew cannot go back to what was before: without a
 * key the link ends (Vol 6 Part B 5.1.3.2). */
static void tell_encryption(struct one_link *o)
{
	struct hci_encryption_change e = {.status = o->key_status, .handle = link_handle(o)};
	struct buf b = BUF_INIT;
	bool again = o->encrypted;

	if (o->key_status == HCI_ERR_MIC || (again && o->key_status != HCI_OK)) {
		link_close(o, o->key_status, o->key_status);
		return;
	}
	e.enabled = o->encrypted = o->air.encrypted = o->key_status == HCI_OK;
	if (o->encrypted)
		o->station->ops->link_encrypted(o->station, again);
	if (again)
		hci_put_encryption_refresh(&b, &e);
	else
		hci_put_encryption_change(&b, &e);
	links_tell(o->k, &b);
}

/* --- connection events ------------------------------------------------------------------------ */

/** When another link or the train wants the radio; at or before now: it has it already. */
static int64_t radio_free_until_us(const struct one_link *o, int64_t now_us)
{
	const struct radio_links *k = o->k;
	int64_t until_us = MIN(now_us + o->interval_us, train_wants_us(k->r, now_us));

	for (size_t i = 0; i < RADIO_LINKS_MAX; i++) {
		const struct one_link *other = &k->links[i];

		if (other != o && other->state != LINK_FREE && other->next_us > now_us)
			until_us = MIN(until_us, other->next_us);
	}
	return until_us - AIR_GAP_US;
}

/** A packet to the station that flies from then on; the station may answer within the same event.
 * False if it was lost. */
static bool carry_down(struct one_link *o, int64_t from_us, unsigned int *sent)
{
	struct sim_radio *r = o->k->r;
	int64_t to_us = from_us + air_packet_us(&o->air, o->down.first->len);
	struct packet *p;

	if (radio_lost_down(r, o->station) || radio_train_drowned(r, from_us, to_us))
		return false; /* the next event repeats it */
	p = packet_list_take(&o->down);
	o->station->ops->link_data(o->station, p->data, p->len, p->first);
	free(p);
	(*sent)++;
	return true;
}

/** One from it that has flown by then. */
static bool carry_up(struct one_link *o, int64_t to_us, struct buf *b, unsigned int *heard)
{
	struct sim_radio *r = o->k->r;
	int64_t from_us = to_us - air_packet_us(&o->air, o->up.first->len);
	struct packet *p;

	if (radio_lost_up(r, o->station) || radio_train_drowned(r, from_us, to_us))
		return false;
	p = packet_list_take(&o->up);
	hci_put_acl(b, &(struct hci_acl){.handle = link_handle(o),
					 .boundary = p->first ? HCI_PB_FIRST_CONTROLLER
							      : HCI_PB_CONTINUING,
					 .data = p->data,
					 .len = p->len});
	free(p);
	(*heard)++;
	return true;
}

/** Empty packets keep a link alive, and are not drawn for; out of range there are none. */
static bool beats(const struct one_link *o)
{
	const struct radio_station *s = o->station;
	double loss = o->k->r->loss;

	return (s->loss_down < 0 ? loss : (double) s->loss_down) < 1 &&
	       (s->loss_up < 0 ? loss : (double) s->loss_up) < 1;
}

/** Exchanges, each with a packet both ways where there is one, while none is lost and the radio is
 * this link's. What the station says to a packet comes with a later exchange. */
static void carry(struct one_link *o, struct buf *b)
{
	int64_t at_us = links_now_us(o->k), until_us = radio_free_until_us(o, at_us);
	unsigned int sent = 0, heard = 0;
	bool lost = false;

	while (!lost) {
		const struct packet *down = o->state == LINK_UP ? o->down.first : NULL;
		const struct packet *up = o->up.first;
		int64_t from_us = at_us;

		if (!down && !up)
			break;
		at_us += air_exchange_us(&o->air, down ? down->len : 0, up ? up->len : 0);
		if (at_us > until_us)
			break;
		lost = (down && !carry_down(o, from_us, &sent)) ||
		       (up && !carry_up(o, at_us - AIR_GAP_US, b, &heard));
	}
	if (sent > 0 || heard > 0 || (!lost && beats(o)))
		o->alive_us = links_now_us(o->k);
	if (sent > 0)
		hci_put_completed_packets(
			b, &(struct hci_completed_packets){.handle = link_handle(o),
							   .count = (uint16_t) sent});
	if (heard > 0)
		o->station->ops->link_sent(o->station, heard);
}

/** Procedures of the link layer, which take some events each. */
static void procedures(struct one_link *o)
{
	if (o->length_in > 0 && --o->length_in == 0)
		o->air.octets = AIR_OCTETS_MOST;
	if (o->phy_in > 0 && --o->phy_in == 0)
		o->air.two_mega = true;
	if (o->encrypt_in > 0 && --o->encrypt_in == 0)
		tell_encryption(o);
}

/** One connection event: both directions, then whatever ends with it. */
void radio_link_event(void *user)
{
	struct one_link *o = user;
	struct buf b = BUF_INIT;

	carry(o, &b);
	if (b.len > 0)
		links_tell(o->k, &b);
	buf_done(&b);
	if (o->state == LINK_FREE) /* the host went away over it */
		return;
	if (sim_rng_chance(&o->k->rng, o->k->r->drop)) {
		o->k->r->stats.links_dropped++;
		link_close(o, HCI_ERR_CONNECTION_TIMEOUT, HCI_ERR_CONNECTION_TIMEOUT);
		return;
	}
	if (links_now_us(o->k) - o->alive_us >= o->timeout_us) {
		link_close(o, HCI_ERR_CONNECTION_TIMEOUT, HCI_ERR_CONNECTION_TIMEOUT);
		return;
	}
	procedures(o);
	if (o->state == LINK_ENDING && !o->up.first) {
		link_close(o, o->reason, o->far_reason);
	} else if (o->state != LINK_FREE) {
		o->next_us = links_now_us(o->k) + o->interval_us;
		loop_timer_start(o->event, o->interval_us);
	}
}

/** How far an event at that instant is from those of the other links, either way. */
static int64_t apart_from_others_us(const struct one_link *o, int64_t at_us)
{
	const struct radio_links *k = o->k;
	int64_t gap_us = o->interval_us;

	for (size_t i = 0; i < RADIO_LINKS_MAX; i++) {
		const struct one_link *other = &k->links[i];
		int64_t apart_us;

		if (other == o || other->state == LINK_FREE)
			continue;
		apart_us = (at_us - other->next_us) % o->interval_us;
		apart_us += apart_us < 0 ? o->interval_us : 0;
		gap_us = MIN(gap_us, MIN(apart_us, o->interval_us - apart_us));
	}
	return gap_us;
}

/** The first event of a new link: where, over some events, others and the train leave it most. */
void radio_link_begin_events(struct one_link *o)
{
	const struct radio_links *k = o->k;
	int64_t first_us = links_now_us(k) + o->interval_us, best_us = 0, best_room_us = -1;

	for (int64_t at_us = 0; at_us < o->interval_us; at_us += LINK_GRID_US) {
		int64_t gap_us = apart_from_others_us(o, first_us + at_us), room_us = 0;

		for (int i = 0; i < EVENTS_AHEAD; i++)
			room_us += MIN(gap_us, train_leaves_us(k->r, first_us + at_us +
									     i * o->interval_us));
		if (room_us > best_room_us) {
			best_room_us = room_us;
			best_us = at_us;
		}
	}
	o->timeout_us = k->attempt.timeout * LINK_TIMEOUT_UNIT_US;
	o->alive_us = links_now_us(k);
	o->next_us = first_us + best_us;
	loop_timer_start(o->event, o->interval_us + best_us);
}
