/* SPDX-License-Identifier: Apache-2.0 */
/* Stations that advertise, as the virtual controller hears them while it scans. */
#include "sim/radio_links_impl.h"

static void advert_send(struct radio_links *k, struct radio_station *s)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	s->ops->advertise(s, k->active, radio_rssi(k->r, s), &b);
	if (b.len > 0)
		hci_port_send(&k->r->port, &b);
}

void radio_advert_tick(void *user)
{
	struct radio_links *k = user;
	int64_t now = links_now_us(k);
	struct radio_station *s, *next;

	for (s = TAILQ_FIRST(&k->r->advertising); s && k->scanning; s = next) {
		next = TAILQ_NEXT(s, place);
		if (!s->advert_due_us)
			s->advert_due_us =
				now + sim_rng_below(&k->rng, (uint32_t) s->advert_interval_us);
		if (s->advert_due_us > now)
			continue;
		s->advert_due_us = now + s->advert_interval_us - ADVERT_TICK_US +
				   sim_rng_below(&k->rng, 2 * ADVERT_TICK_US);
		if (!s->link && !radio_lost_up(k->r, s))
			advert_send(k, s);
	}
	radio_adverts_wake(k);
}

void radio_adverts_wake(struct radio_links *k)
{
	if (k->scanning && !TAILQ_EMPTY(&k->r->advertising) && !loop_timer_active(k->advert_timer))
		loop_timer_start(k->advert_timer, ADVERT_TICK_US);
}

uint8_t radio_links_scan(struct radio_links *k, bool on)
{
	k->scanning = on;
	if (on)
		radio_adverts_wake(k);
	else
		loop_timer_stop(k->advert_timer);
	return HCI_OK;
}

void radio_links_scan_kind(struct radio_links *k, bool active)
{
	k->active = active;
}
