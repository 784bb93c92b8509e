/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/radio_links_impl.h"

#include "common/err.h"
#include <errno.h>
#include <string.h>

#define FIRST_HANDLE   0x40
#define FRAME_MAX      4096
#define ENCRYPT_EVENTS 4
#define LENGTH_EVENTS  2
#define PHY_EVENTS     6
#define LINK_GRID_US   1250
#define CALL_EVENTS    6 /* without an answer the link counts as not established */

static uint16_t handle_of(const struct one_link *o)
{
	return (uint16_t) (FIRST_HANDLE + (o - o->k->links));
}

static struct one_link *link_by_handle(struct radio_links *k, uint16_t handle)
{
	size_t i = (size_t) (handle - FIRST_HANDLE);

	return i < RADIO_LINKS_MAX && k->links[i].state != LINK_FREE ? &k->links[i] : NULL;
}

struct one_link *radio_link_of(struct radio_links *k, size_t label)
{
	for (size_t i = 0; i < RADIO_LINKS_MAX; i++)
		if (k->links[i].state != LINK_FREE && k->links[i].label == label)
			return &k->links[i];
	return NULL;
}

static void send_events(struct radio_links *k, struct buf *b)
{
	hci_port_send(&k->r->port, b);
	buf_done(b);
}

/* --- packets ---------------------------------------------------------------------------------- */

static void list_init(struct packet_list *l)
{
	l->first = NULL;
	l->end = &l->first;
}

static void list_add(struct packet_list *l, const uint8_t *data, size_t len, bool first)
{
	struct packet *p = malloc(sizeof(*p) + len);

	if (!p)
		return; /* as a radio would lose it */
	*p = (struct packet){.first = first, .len = len};
	memcpy(p->data, data, len);
	*l->end = p;
	l->end = &p->next;
}

static struct packet *list_take(struct packet_list *l)
{
	struct packet *p = l->first;

	if (p) {
		l->first = p->next;
		if (!l->first)
			l->end = &l->first;
	}
	return p;
}

static void list_drop(struct packet_list *l)
{
	struct packet *p;

	while ((p = list_take(l)))
		free(p);
}

/* --- the label's end -------------------------------------------------------------------------- */

/* A frame of the label's host, cut into packets. */
static void label_frame(void *user, uint16_t cid, const uint8_t *data, size_t len)
{
	struct one_link *o = user;
	_cleanup_buf_ struct buf b = BUF_INIT;

	l2cap_put_header(&b, cid, len);
	buf_put(&b, data, len);
	for (size_t at = 0; buf_ok(&b) && at < b.len; at += RADIO_LINK_DATA)
		list_add(&o->up, b.data + at, MIN(b.len - at, (size_t) RADIO_LINK_DATA), at == 0);
}

static void label_end(void *user)
{
	struct one_link *o = user;

	o->state = LINK_ENDING;
	o->reason = HCI_ERR_REMOTE_ENDED;
}

static bool label_in_range(void *user)
{
	struct one_link *o = user;

	return o->synced && sim_radio_sync_label(o->k->r, o->label) == 0;
}

static const struct label_host_io host_io = {label_frame, label_end, label_in_range};

static void label_hears(struct one_link *o, const struct packet *p)
{
	size_t len;

	if (p->first)
		buf_clear(&o->frame);
	buf_put(&o->frame, p->data, p->len);
	if (o->frame.len < L2CAP_HEADER)
		return;
	len = (size_t) (o->frame.data[0] | o->frame.data[1] << 8);
	if (o->frame.len != L2CAP_HEADER + len)
		return;
	label_host_frame(o->host, (uint16_t) (o->frame.data[2] | o->frame.data[3] << 8),
			 o->frame.data + L2CAP_HEADER, len, links_now_us(o->k));
	buf_clear(&o->frame);
	sim_radio_touched(o->k->r, o->label);
}

/* --- the life of a link ----------------------------------------------------------------------- */

static void link_free(struct one_link *o)
{
	loop_timer_stop(o->event);
	list_drop(&o->down);
	list_drop(&o->up);
	buf_clear(&o->frame);
	label_host_free(o->host);
	o->host = NULL;
	o->state = LINK_FREE;
	o->encrypted = o->synced = false;
	o->encrypt_in = o->length_in = o->phy_in = 0;
	o->air = (struct link_air){.octets = AIR_OCTETS_LEAST};
}

/** Ends it; the host is told. A label that has not said Update Complete has lost its link. */
static void link_close(struct one_link *o, uint8_t reason)
{
	struct radio_links *k = o->k;
	struct buf b = BUF_INIT;
	size_t label = o->label;

	hci_put_disconnection(
		&b, &(struct hci_disconnection){.handle = handle_of(o), .reason = reason});
	link_free(o);
	sim_label_link_lost(sim_radio_label(k->r, label), links_now_us(k));
	sim_radio_touched(k->r, label);
	send_events(k, &b);
}

static void tell_encryption(struct one_link *o)
{
	struct buf b = BUF_INIT;
	uint8_t status = o->key_matches ? HCI_OK : HCI_ERR_PIN_MISSING;

	o->encrypted = o->air.encrypted = o->key_matches;
	if (o->key_matches)
		label_host_encrypted(o->host, links_now_us(o->k));
	hci_put_encryption_change(&b, &(struct hci_encryption_change){.status = status,
								      .handle = handle_of(o),
								      .enabled = o->encrypted});
	send_events(o->k, &b);
	sim_radio_touched(o->k->r, o->label);
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

/** A packet to the label, which may answer within the same event. False if it was lost. */
static bool carry_down(struct one_link *o, unsigned int *sent)
{
	struct packet *p;

	if (sim_radio_lost_down(o->k->r, o->label))
		return false; /* the next event repeats it */
	p = list_take(&o->down);
	label_hears(o, p);
	free(p);
	(*sent)++;
	return true;
}

static bool carry_up(struct one_link *o, struct buf *b)
{
	struct packet *p;

	if (sim_radio_lost_up(o->k->r, o->label))
		return false;
	p = list_take(&o->up);
	hci_put_acl(b, &(struct hci_acl){.handle = handle_of(o),
					 .boundary = p->first ? HCI_PB_FIRST_CONTROLLER
							      : HCI_PB_CONTINUING,
					 .data = p->data,
					 .len = p->len});
	free(p);
	return true;
}

/** Packets both ways while there are any, none is lost and the radio is this link's. */
static void carry(struct one_link *o, struct buf *b)
{
	int64_t at_us = links_now_us(o->k), until_us = radio_free_until_us(o, at_us);
	unsigned int sent = 0;

	while (o->down.first || o->up.first) {
		bool down = o->down.first && o->state == LINK_UP;
		const struct packet *p = down ? o->down.first : o->up.first;

		if (!p)
			break;
		at_us += air_carry_us(&o->air, p->len);
		if (at_us > until_us || !(down ? carry_down(o, &sent) : carry_up(o, b)))
			break;
	}
	if (sent > 0)
		hci_put_completed_packets(
			b, &(struct hci_completed_packets){.handle = handle_of(o),
							   .count = (uint16_t) sent});
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
static void link_event(void *user)
{
	struct one_link *o = user;
	struct buf b = BUF_INIT;

	carry(o, &b);
	if (b.len > 0)
		send_events(o->k, &b);
	buf_done(&b);
	if (o->state == LINK_FREE) /* the host went away over it */
		return;
	if (sim_rng_chance(&o->k->rng, o->k->r->drop)) {
		o->k->r->stats.links_dropped++;
		link_close(o, HCI_ERR_CONNECTION_TIMEOUT);
		return;
	}
	procedures(o);
	if (o->state == LINK_ENDING && !o->up.first) {
		link_close(o, o->reason);
	} else if (o->state != LINK_FREE) {
		o->next_us = links_now_us(o->k) + o->interval_us;
		loop_timer_start(o->event, o->interval_us);
	}
}

/** The first event of a new link: where it is farthest from the events of the others. */
static void begin_events(struct one_link *o)
{
	const struct radio_links *k = o->k;
	int64_t now_us = links_now_us(k), best_us = 0, best_gap_us = -1;

	for (int64_t at_us = 0; at_us < o->interval_us; at_us += LINK_GRID_US) {
		int64_t gap_us = o->interval_us;

		for (size_t i = 0; i < RADIO_LINKS_MAX; i++) {
			const struct one_link *other = &k->links[i];
			int64_t apart_us;

			if (other == o || other->state == LINK_FREE)
				continue;
			apart_us = (now_us + at_us - other->next_us) % o->interval_us;
			apart_us += apart_us < 0 ? o->interval_us : 0;
			gap_us = MIN(gap_us, MIN(apart_us, o->interval_us - apart_us));
		}
		if (gap_us > best_gap_us) {
			best_gap_us = gap_us;
			best_us = at_us;
		}
	}
	o->next_us = now_us + o->interval_us + best_us;
	loop_timer_start(o->event, o->interval_us + best_us);
}

void radio_links_label(struct radio_links *k, size_t label)
{
	struct one_link *o = radio_link_of(k, label);

	if (sim_label_state(sim_radio_label(k->r, label)) != ESL_UNASSOCIATED)
		return;
	k->bonds[label].has_key = false; /* its bond goes with its access point */
	if (o && o->state == LINK_UP && o->encrypted)
		label_end(o);
}

void radio_links_data(struct radio_links *k, const struct hci_acl *a)
{
	struct one_link *o = link_by_handle(k, a->handle);

	if (o && o->state == LINK_UP && a->len <= FRAME_MAX)
		list_add(&o->down, a->data, a->len, a->boundary != HCI_PB_CONTINUING);
}

bool radio_links_has(const struct radio_links *k, size_t label)
{
	for (size_t i = 0; i < RADIO_LINKS_MAX; i++)
		if (k->links[i].state != LINK_FREE && k->links[i].label == label)
			return true;
	return false;
}

size_t radio_links_count(const struct radio_links *k)
{
	size_t n = 0;

	for (size_t i = 0; i < RADIO_LINKS_MAX; i++)
		n += k->links[i].state != LINK_FREE;
	return n;
}

/* --- making one ------------------------------------------------------------------------------- */

static void tell_connection(struct radio_links *k, uint8_t status, const struct one_link *o)
{
	struct hci_connection_complete e = {.status = status, .peer_type = 1};
	struct sim_label_view v;
	struct buf b = BUF_INIT;

	if (o) {
		sim_label_get(sim_radio_label(k->r, o->label), &v);
		e.handle = handle_of(o);
		e.interval = (uint16_t) (o->interval_us / 1250);
		e.timeout = 200;
		for (size_t i = 0; i < HCI_ADDR_BYTES; i++)
			e.peer[i] = v.addr[HCI_ADDR_BYTES - 1 - i];
	}
	hci_put_connection_complete(&b, &e);
	send_events(k, &b);
}

static void attempt_end(void *user)
{
	struct radio_links *k = user;
	struct attempt a = k->attempt;
	struct one_link *o = NULL;

	k->attempt.active = false;
	for (size_t i = 0; i < RADIO_LINKS_MAX && !o; i++)
		if (k->links[i].state == LINK_FREE)
			o = &k->links[i];
	if (!a.will_succeed || !o ||
	    label_host_new(sim_radio_label(k->r, a.label), &k->bonds[a.label], a.central,
			   k->r->seed + a.label, &host_io, o, &o->host) < 0) {
		tell_connection(k, HCI_ERR_ESTABLISH, NULL);
		return;
	}
	o->state = LINK_UP;
	o->label = a.label;
	memcpy(o->central, a.central, LE_ADDR_BYTES);
	o->interval_us = a.interval_us;
	k->r->stats.links_most = MAX(k->r->stats.links_most, (unsigned int) radio_links_count(k));
	begin_events(o);
	tell_connection(k, HCI_OK, o);
}

/* The request goes out once in the label's subevent; it and the label's answer must both arrive. */
static int64_t plan_call(struct radio_links *k, const struct sim_label_view *v, uint8_t subevent)
{
	int64_t at_us = sim_radio_next_occurrence_us(k->r, subevent);

	if (at_us < 0)
		return 0;
	k->attempt.will_succeed = v && v->state == ESL_SYNCHRONIZED && v->group == subevent &&
				  sim_radio_in_sync(k->r, k->attempt.label) &&
				  !sim_radio_lost_down(k->r, k->attempt.label) &&
				  !sim_radio_lost_up(k->r, k->attempt.label);
	return at_us - links_now_us(k) +
	       (k->attempt.will_succeed ? 1 : CALL_EVENTS) * k->attempt.interval_us;
}

/* Until the host gives up: a label that does not advertise now may do so later. */
static void look_for_advert(struct radio_links *k)
{
	struct sim_label_view v;

	loop_timer_start(k->attempt_timer,
			 ADVERT_INTERVAL_US / 2 + sim_rng_below(&k->rng, ADVERT_INTERVAL_US));
	if (!k->attempt.known)
		return;
	sim_label_get(sim_radio_label(k->r, k->attempt.label), &v);
	k->attempt.will_succeed = v.advertising && !sim_radio_lost_up(k->r, k->attempt.label);
}

static void attempt_due(void *user)
{
	struct radio_links *k = user;

	if (k->attempt.by_advert && !k->attempt.will_succeed)
		look_for_advert(k);
	else
		attempt_end(k);
}

uint8_t radio_links_create(struct radio_links *k, const struct hci_create_connection *c)
{
	uint8_t addr[HCI_ADDR_BYTES];
	struct sim_label_view v;
	int label;

	if (k->attempt.active)
		return HCI_ERR_COMMAND_DISALLOWED;
	if (c->interval_max < 6 || c->interval_max > 3200)
		return HCI_ERR_INVALID_PARAMETERS;
	if (radio_links_count(k) >= (k->r->max_links ? k->r->max_links : RADIO_LINKS_MAX))
		return HCI_ERR_CONNECTION_LIMIT;
	for (size_t i = 0; i < HCI_ADDR_BYTES; i++)
		addr[i] = c->peer[HCI_ADDR_BYTES - 1 - i];
	label = sim_radio_find(k->r, addr);
	if (label >= 0 && radio_link_of(k, (size_t) label))
		return HCI_ERR_COMMAND_DISALLOWED;
	k->attempt = (struct attempt){.active = true,
				      .known = label >= 0,
				      .label = label >= 0 ? (size_t) label : 0,
				      .by_advert = c->subevent == 0xff,
				      .interval_us = c->interval_max * INT64_C(1250)};
	radio_own_address(k->r, c->own_type, k->attempt.central);
	if (label >= 0)
		sim_label_get(sim_radio_label(k->r, (size_t) label), &v);
	if (k->attempt.by_advert)
		look_for_advert(k);
	else
		loop_timer_start(k->attempt_timer,
				 plan_call(k, label >= 0 ? &v : NULL, c->subevent));
	return HCI_OK;
}

bool radio_links_idle(const struct radio_links *k)
{
	return !k->scanning && !k->attempt.active;
}

uint8_t radio_links_cancel(struct radio_links *k)
{
	if (!k->attempt.active)
		return HCI_ERR_COMMAND_DISALLOWED;
	k->attempt = (struct attempt){.active = true};
	loop_timer_start(k->attempt_timer, 0);
	return HCI_OK;
}

/* --- commands on a link ----------------------------------------------------------------------- */

uint8_t radio_links_check(struct radio_links *k, uint16_t handle)
{
	return link_by_handle(k, handle) ? HCI_OK : HCI_ERR_UNKNOWN_CONNECTION;
}

uint8_t radio_links_disconnect(struct radio_links *k, const struct hci_disconnect *c)
{
	struct one_link *o = link_by_handle(k, c->handle);

	if (!o)
		return HCI_ERR_UNKNOWN_CONNECTION;
	o->state = LINK_ENDING;
	o->reason = HCI_ERR_LOCAL_ENDED;
	list_drop(&o->up);
	return HCI_OK;
}

uint8_t radio_links_encrypt(struct radio_links *k, const struct hci_enable_encryption *c)
{
	struct one_link *o = link_by_handle(k, c->handle);
	const struct label_bond *bond;

	if (!o)
		return HCI_ERR_UNKNOWN_CONNECTION;
	bond = &k->bonds[o->label];
	o->key_matches = bond->has_key && memcmp(bond->central, o->central, LE_ADDR_BYTES) == 0;
	for (size_t i = 0; i < HCI_KEY_BYTES; i++)
		o->key_matches &= c->ltk[i] == bond->ltk[HCI_KEY_BYTES - 1 - i];
	o->encrypt_in = ENCRYPT_EVENTS;
	return HCI_OK;
}

uint8_t radio_links_length(struct radio_links *k, const struct hci_data_length *c)
{
	struct one_link *o = link_by_handle(k, c->handle);

	if (!o)
		return HCI_ERR_UNKNOWN_CONNECTION;
	if (c->octets < AIR_OCTETS_LEAST || c->octets > AIR_OCTETS_MOST)
		return HCI_ERR_INVALID_PARAMETERS;
	if (c->octets == AIR_OCTETS_MOST) /* the label can do as much */
		o->length_in = LENGTH_EVENTS;
	return HCI_OK;
}

uint8_t radio_links_phy(struct radio_links *k, const struct hci_set_phy *c)
{
	struct one_link *o = link_by_handle(k, c->handle);

	if (!o)
		return HCI_ERR_UNKNOWN_CONNECTION;
	if ((c->tx & HCI_PHY_2M) && (c->rx & HCI_PHY_2M))
		o->phy_in = PHY_EVENTS;
	return HCI_OK;
}

uint8_t radio_links_transfer(struct radio_links *k, const struct hci_set_info_transfer *c)
{
	struct one_link *o = link_by_handle(k, c->handle);

	if (!o)
		return HCI_ERR_UNKNOWN_CONNECTION;
	if (k->r->refuse_sync > 0) {
		k->r->refuse_sync--;
		return HCI_ERR_COMMAND_DISALLOWED;
	}
	o->synced = true;
	return HCI_OK;
}

/* --- life ------------------------------------------------------------------------------------- */

void radio_links_reset(struct radio_links *k)
{
	ignore_result(radio_links_scan(k, false));
	k->attempt.active = false;
	loop_timer_stop(k->attempt_timer);
	for (size_t i = 0; i < RADIO_LINKS_MAX; i++) {
		struct one_link *o = &k->links[i];
		size_t label = o->label;

		if (o->state == LINK_FREE)
			continue;
		link_free(o);
		sim_label_link_lost(sim_radio_label(k->r, label), links_now_us(k));
		sim_radio_touched(k->r, label);
	}
}

int radio_links_new(struct sim_radio *r, struct radio_links **ret)
{
	struct radio_links *k = calloc(1, sizeof(*k));
	int e = k ? 0 : -ENOMEM;

	if (!k)
		return e;
	k->r = r;
	sim_rng_init(&k->rng, r->seed, "links");
	k->bonds = calloc(SIM_RADIO_MAX_LABELS, sizeof(*k->bonds));
	if (!k->bonds)
		e = -ENOMEM;
	for (size_t i = 0; i < RADIO_LINKS_MAX; i++) {
		struct one_link *o = &k->links[i];

		o->k = k;
		list_init(&o->down);
		list_init(&o->up);
		if (e == 0)
			e = loop_timer_new(r->loop, link_event, o, &o->event);
	}
	if (e == 0)
		e = loop_timer_new(r->loop, attempt_due, k, &k->attempt_timer);
	if (e == 0)
		e = loop_timer_new(r->loop, radio_advert_tick, k, &k->advert_timer);
	if (e < 0) {
		radio_links_free(k);
		return e;
	}
	*ret = k;
	return 0;
}

void radio_links_free(struct radio_links *k)
{
	if (!k)
		return;
	for (size_t i = 0; i < RADIO_LINKS_MAX; i++) {
		struct one_link *o = &k->links[i];

		if (o->event)
			link_free(o);
		buf_done(&o->frame);
		loop_timer_free(o->event);
	}
	loop_timer_free(k->attempt_timer);
	loop_timer_free(k->advert_timer);
	for (size_t i = 0; k->bonds && i < SIM_RADIO_MAX_LABELS; i++)
		label_bond_drop_kept(&k->bonds[i]);
	free(k->bonds);
	free(k);
}

unsigned int sim_radio_pairings(const struct sim_radio *r, size_t label)
{
	return r->links->bonds[label].pairings;
}

void sim_radio_refuse_sync(struct sim_radio *r, unsigned int n)
{
	r->refuse_sync = n;
}
