/* SPDX-License-Identifier: Apache-2.0 */
/* Stations that advertise, as the virtual controller hears them while it scans, or while it
 * connects to whoever of its filter accept list does so first. */
#include "sim/radio_links_impl.h"

#include <string.h>

static void advert_send(struct radio_links *k, struct radio_station *s)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	s->ops->advertise(s, k->active, radio_rssi(k->r, s), &b);
	if (b.len > 0)
		hci_port_send(&k->r->port, &b);
}

/* --- the filter accept list ------------------------------------------------------------------- */

/** Also when it was cancelled, until the host has heard of its end (Vol 4 Part E 7.8.16). */
static bool list_in_use(const struct radio_links *k)
{
	return k->attempt.active && k->attempt.listed;
}

uint8_t radio_links_accept(struct radio_links *k, bool add, const struct hci_accept *c)
{
	uint8_t addr[7] = {c->peer_type};
	unsigned int i = 0;

	for (size_t b = 0; b < HCI_ADDR_BYTES; b++)
		addr[1 + b] = c->peer[HCI_ADDR_BYTES - 1 - b];
	while (i < k->n_accept && memcmp(k->accept[i], addr, sizeof(addr)) != 0)
		i++;
	if (list_in_use(k))
		return HCI_ERR_COMMAND_DISALLOWED;
	if (add && i == RADIO_ACCEPT_MAX)
		return HCI_ERR_MEMORY;
	if (add && i == k->n_accept)
		memcpy(k->accept[k->n_accept++], addr, sizeof(addr));
	else if (!add && i < k->n_accept)
		memmove(k->accept[i], k->accept[--k->n_accept], sizeof(addr));
	return HCI_OK;
}

uint8_t radio_links_accept_nobody(struct radio_links *k)
{
	if (list_in_use(k))
		return HCI_ERR_COMMAND_DISALLOWED;
	k->n_accept = 0;
	return HCI_OK;
}

static const uint8_t *accepted(const struct radio_links *k, const struct radio_station *s)
{
	for (unsigned int i = 0; i < k->n_accept; i++)
		if (s->ops->is(s, k->accept[i]))
			return k->accept[i];
	return NULL;
}

/** One that the attempt waits for is connected, if the receiver was on just then. */
static void attempt_heard(struct radio_links *k, const struct radio_station *s)
{
	struct attempt *a = &k->attempt;
	const uint8_t *addr =
		list_in_use(k) && !a->cancelled && !a->will_succeed && s->ops->connectable(s)
			? accepted(k, s)
			: NULL;

	if (!addr || sim_rng_below(&k->rng, MAX(a->scan_interval, 1u)) >= a->scan_window)
		return;
	memcpy(a->addr, addr, sizeof(a->addr));
	a->will_succeed = true;
	loop_timer_start(k->attempt_timer, 0);
}

/* --- who is heard ----------------------------------------------------------------------------- */

/** To advertisements, for the host or to connect to one who sends them. */
static bool radio_listens(const struct radio_links *k)
{
	return k->scanning || list_in_use(k);
}

void radio_advert_tick(void *user)
{
	struct radio_links *k = user;
	int64_t now = links_now_us(k);
	struct radio_station *s, *next;

	for (s = TAILQ_FIRST(&k->r->advertising); s && radio_listens(k); s = next) {
		next = TAILQ_NEXT(s, place);
		/* Nobody has listened for a while: it goes by its own clock, not by ours. */
		if (!s->advert_due_us || now - s->advert_due_us > s->advert_interval_us)
			s->advert_due_us =
				now + sim_rng_below(&k->rng, (uint32_t) s->advert_interval_us);
		if (s->advert_due_us > now)
			continue;
		s->advert_due_us = now + s->advert_interval_us - ADVERT_TICK_US +
				   sim_rng_below(&k->rng, 2 * ADVERT_TICK_US);
		if (s->link || radio_lost_up(k->r, s))
			continue;
		attempt_heard(k, s);
		if (k->scanning)
			advert_send(k, s);
	}
	radio_adverts_wake(k);
}

void radio_adverts_wake(struct radio_links *k)
{
	if (radio_listens(k) && !TAILQ_EMPTY(&k->r->advertising) &&
	    !loop_timer_active(k->advert_timer))
		loop_timer_start(k->advert_timer, ADVERT_TICK_US);
}

uint8_t radio_links_scan(struct radio_links *k, bool on)
{
	k->scanning = on;
	if (on)
		radio_adverts_wake(k);
	else if (!radio_listens(k))
		loop_timer_stop(k->advert_timer);
	return HCI_OK;
}

void radio_links_scan_kind(struct radio_links *k, bool active)
{
	k->active = active;
}
