/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/radio_links_impl.h"

#include "common/err.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LENGTH_EVENTS 2
#define PHY_EVENTS    6
#define CALL_EVENTS   6 /* without an answer the link counts as not established */

static struct one_link *link_by_handle(struct radio_links *k, uint16_t handle)
{
	size_t i = (size_t) (handle - LINK_FIRST_HANDLE);

	return i < RADIO_LINKS_MAX && k->links[i].state != LINK_FREE ? &k->links[i] : NULL;
}

void radio_links_data(struct radio_links *k, const struct hci_acl *a)
{
	struct one_link *o = link_by_handle(k, a->handle);

	if (o)
		radio_link_take(o, a);
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
	const struct attempt *a = &k->attempt;
	struct hci_connection_complete e = {.status = status, .peer_type = 1};
	struct buf b = BUF_INIT;

	if (o) {
		e.handle = link_handle(o);
		e.interval = (uint16_t) (o->interval_us / 1250);
		e.latency = a->latency;
		e.timeout = a->timeout;
		e.peer_type = a->addr[0];
		for (size_t i = 0; i < HCI_ADDR_BYTES; i++)
			e.peer[i] = a->addr[HCI_ADDR_BYTES - i];
	}
	hci_put_connection_complete(&b, &e);
	links_tell(k, &b);
}

static bool station_begin(struct one_link *o, struct radio_station *s)
{
	const struct attempt *a = &o->k->attempt;
	struct station_link how = {.link = o,
				   .handle = link_handle(o),
				   .through_train = !a->by_advert,
				   .interval = (uint16_t) (a->interval_us / 1250),
				   .latency = a->latency,
				   .timeout = a->timeout};

	how.central_type = a->central[0];
	for (size_t i = 0; i < HCI_ADDR_BYTES; i++)
		how.central[i] = a->central[HCI_ADDR_BYTES - i];
	s->link = o;
	if (s->ops->link_begin(s, &how) == 0)
		return true;
	s->link = NULL;
	return false;
}

static void attempt_end(void *user)
{
	struct radio_links *k = user;
	struct attempt *a = &k->attempt;
	struct radio_station *s = a->will_succeed ? radio_find(k->r, a->addr) : NULL;
	struct one_link *o = NULL;

	a->active = false;
	for (size_t i = 0; i < RADIO_LINKS_MAX && !o; i++)
		if (k->links[i].state == LINK_FREE)
			o = &k->links[i];
	if (!s || s->link || !o || !station_begin(o, s)) {
		tell_connection(k, a->cancelled ? HCI_ERR_UNKNOWN_CONNECTION : HCI_ERR_ESTABLISH,
				NULL);
		return;
	}
	o->state = LINK_UP;
	o->station = s;
	o->interval_us = a->interval_us;
	k->r->stats.links_made++;
	k->r->stats.links_most = MAX(k->r->stats.links_most, (unsigned int) radio_links_count(k));
	radio_link_begin_events(o);
	tell_connection(k, HCI_OK, o);
}

/* The request goes out once in the station's subevent; it and the answer must both arrive. */
static int64_t plan_call(struct radio_links *k, uint8_t subevent)
{
	int64_t at_us = sim_radio_next_occurrence_us(k->r, subevent);
	const struct radio_station *s = radio_find(k->r, k->attempt.addr);

	if (at_us < 0)
		return 0;
	k->attempt.will_succeed = s && s->ops->listens(s, subevent) && radio_in_sync(s) &&
				  !radio_lost_down(k->r, s) && !radio_lost_up(k->r, s);
	return at_us - links_now_us(k) +
	       (k->attempt.will_succeed ? 1 : CALL_EVENTS) * k->attempt.interval_us;
}

/* Until the host gives up: a station that does not advertise now may do so later. */
static void look_for_advert(struct radio_links *k)
{
	const struct radio_station *s = radio_find(k->r, k->attempt.addr);
	int64_t interval_us = s ? s->advert_interval_us : US_PER_SEC;

	loop_timer_start(k->attempt_timer,
			 interval_us / 2 + sim_rng_below(&k->rng, (uint32_t) interval_us));
	k->attempt.will_succeed = s && s->ops->connectable(s) && !radio_lost_up(k->r, s);
}

static void attempt_due(void *user)
{
	struct radio_links *k = user;

	if (k->attempt.by_advert && !k->attempt.will_succeed && !k->attempt.cancelled)
		look_for_advert(k);
	else
		attempt_end(k);
}

/** What a link can have: intervals in 1.25 ms, and a timeout in 10 ms that at least two events fit
 * into (Vol 4 Part E 7.8.66). */
static bool timing_fits(uint16_t least, uint16_t most, uint16_t latency, uint16_t timeout)
{
	return least >= 6 && least <= most && most <= 3200 && latency <= 0x1f3 && timeout >= 10 &&
	       timeout <= 3200 && 4u * timeout > (1u + latency) * most;
}

uint8_t radio_links_create(struct radio_links *k, const struct hci_create_connection *c)
{
	const struct radio_station *s;

	if (k->attempt.active)
		return HCI_ERR_COMMAND_DISALLOWED;
	if (!timing_fits(c->interval_min, c->interval_max, c->latency, c->timeout) ||
	    (c->listed && c->subevent != 0xff))
		return HCI_ERR_INVALID_PARAMETERS;
	if (c->subevent != 0xff && !k->r->train.running)
		return HCI_ERR_COMMAND_DISALLOWED;
	if (radio_links_count(k) >= (k->r->max_links ? k->r->max_links : RADIO_LINKS_MAX))
		return HCI_ERR_CONNECTION_LIMIT;
	k->attempt = (struct attempt){.active = true,
				      .by_advert = c->subevent == 0xff,
				      .latency = c->latency,
				      .timeout = c->timeout,
				      .interval_us = c->interval_max * INT64_C(1250)};
	radio_own_address(k->r, c->own_type, k->attempt.central);
	k->attempt.addr[0] = c->peer_type;
	for (size_t i = 0; i < HCI_ADDR_BYTES; i++)
		k->attempt.addr[1 + i] = c->peer[HCI_ADDR_BYTES - 1 - i];
	if (c->listed) { /* radio_attempt_heard() ends it, or the host */
		k->attempt.listed = true;
		k->attempt.scan_interval = c->scan_interval;
		k->attempt.scan_window = c->scan_window;
		radio_adverts_wake(k);
		return HCI_OK;
	}
	s = radio_find(k->r, k->attempt.addr);
	if (s && s->link) {
		k->attempt.active = false;
		return HCI_ERR_COMMAND_DISALLOWED;
	}
	if (k->attempt.by_advert)
		look_for_advert(k);
	else
		loop_timer_start(k->attempt_timer, plan_call(k, c->subevent));
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
	k->attempt.will_succeed = false;
	k->attempt.cancelled = true; /* its list is in use until the host hears of its end */
	loop_timer_start(k->attempt_timer, 0);
	return HCI_OK;
}

/* --- commands on a link ----------------------------------------------------------------------- */

uint8_t radio_links_check(struct radio_links *k, uint16_t handle)
{
	return link_by_handle(k, handle) ? HCI_OK : HCI_ERR_UNKNOWN_CONNECTION;
}

uint64_t radio_links_features(struct radio_links *k, uint16_t handle)
{
	const struct one_link *o = link_by_handle(k, handle);

	return o ? o->station->ops->features : 0;
}

static uint8_t update(struct one_link *o, const struct hci_connection_update *c)
{
	if (!timing_fits(c->interval_min, c->interval_max, c->latency, c->timeout))
		return HCI_ERR_INVALID_PARAMETERS;
	o->interval_us = c->interval_max * INT64_C(1250);
	o->timeout_us = c->timeout * LINK_TIMEOUT_UNIT_US;
	o->station->ops->link_updated(o->station, c);
	return HCI_OK;
}

uint8_t radio_links_update(struct radio_links *k, const struct hci_connection_update *c)
{
	struct one_link *o = link_by_handle(k, c->handle);

	return o ? update(o, c) : HCI_ERR_UNKNOWN_CONNECTION;
}

uint8_t radio_link_update(struct one_link *o, const struct hci_connection_update *c)
{
	struct buf b = BUF_INIT;
	uint8_t status = update(o, c);

	if (status == HCI_OK)
		hci_put_connection_updated(&b, c);
	links_tell(o->k, &b);
	return status;
}

uint8_t radio_links_disconnect(struct radio_links *k, const struct hci_disconnect *c)
{
	struct one_link *o = link_by_handle(k, c->handle);

	if (!o)
		return HCI_ERR_UNKNOWN_CONNECTION;
	if (!radio_link_may_end(c->reason))
		return HCI_ERR_INVALID_PARAMETERS;
	o->state = LINK_ENDING;
	o->reason = HCI_ERR_LOCAL_ENDED;
	o->far_reason = c->reason;
	packet_list_drop(&o->up);
	return HCI_OK;
}

uint8_t radio_links_encrypt(struct radio_links *k, const struct hci_enable_encryption *c)
{
	struct one_link *o = link_by_handle(k, c->handle);

	if (!o)
		return HCI_ERR_UNKNOWN_CONNECTION;
	if (o->key_asked || o->encrypt_in > 0)
		return HCI_ERR_COMMAND_DISALLOWED;
	o->key_asked = true;
	o->station->ops->link_key(o->station, c);
	return HCI_OK;
}

uint8_t radio_link_length(struct one_link *o, uint16_t octets)
{
	if (octets < AIR_OCTETS_LEAST || octets > AIR_OCTETS_MOST)
		return HCI_ERR_INVALID_PARAMETERS;
	if (octets == AIR_OCTETS_MOST) /* the other end can do as much */
		o->length_in = LENGTH_EVENTS;
	return HCI_OK;
}

uint8_t radio_links_length(struct radio_links *k, const struct hci_data_length *c)
{
	struct one_link *o = link_by_handle(k, c->handle);

	return o ? radio_link_length(o, c->octets) : HCI_ERR_UNKNOWN_CONNECTION;
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
	o->station->ops->link_transfer(o->station, c->service_data);
	return HCI_OK;
}

/* --- life ------------------------------------------------------------------------------------- */

void radio_links_reset(struct radio_links *k)
{
	k->attempt = (struct attempt){.active = false};
	k->n_accept = 0;
	ignore_result(radio_links_scan(k, false));
	loop_timer_stop(k->attempt_timer);
	for (size_t i = 0; i < RADIO_LINKS_MAX; i++) {
		struct one_link *o = &k->links[i];
		struct radio_station *s = o->station;

		if (o->state == LINK_FREE)
			continue;
		radio_link_free(o);
		s->ops->link_end(s, HCI_ERR_CONNECTION_TIMEOUT);
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
	for (size_t i = 0; i < RADIO_LINKS_MAX; i++) {
		struct one_link *o = &k->links[i];

		o->k = k;
		packet_list_init(&o->down);
		packet_list_init(&o->up);
		if (e == 0)
			e = loop_timer_new(r->loop, radio_link_event, o, &o->event);
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
			radio_link_free(o);
		loop_timer_free(o->event);
	}
	loop_timer_free(k->attempt_timer);
	loop_timer_free(k->advert_timer);
	free(k);
}

void sim_radio_refuse_sync(struct sim_radio *r, unsigned int n)
{
	r->refuse_sync = n;
}
