/* SPDX-License-Identifier: Apache-2.0 */
/* Labels that advertise, as the virtual controller hears them while it scans. */
#include "sim/radio_links_impl.h"

static void advert_send(struct radio_links *k, size_t i, const struct sim_label_view *v)
{
	static const uint8_t data[] = {2, 0x01, 0x06, 3, 0x03, 0x57, 0x18};
	struct hci_adv_report r = {.type = HCI_ADV_CONNECTABLE | HCI_ADV_SCANNABLE | HCI_ADV_LEGACY,
				   .addr_type = 1,
				   .rssi = sim_radio_rssi(k->r, i),
				   .len = sizeof(data),
				   .data = data};
	struct buf b = BUF_INIT;

	for (size_t n = 0; n < HCI_ADDR_BYTES; n++)
		r.addr[n] = v->addr[HCI_ADDR_BYTES - 1 - n];
	if (hci_put_adv_report(&b, &r) < 0)
		b.len = 0;
	/* Who scans actively asks for more, and gets an empty answer: there is nothing else. */
	r.type |= HCI_ADV_SCAN_RESPONSE;
	r.len = 0;
	if (k->active && hci_put_adv_report(&b, &r) < 0)
		b.len = 0;
	if (b.len > 0)
		hci_port_send(&k->r->port, &b);
	buf_done(&b);
}

void radio_advert_tick(void *user)
{
	struct radio_links *k = user;
	int64_t now = links_now_us(k);

	struct radio_label *rl, *next;

	for (rl = TAILQ_FIRST(&k->r->advertising); rl && k->scanning; rl = next) {
		size_t i = (size_t) (rl - k->r->labels);
		struct sim_label_view v;

		next = TAILQ_NEXT(rl, link);
		if (!rl->advert_due_us)
			rl->advert_due_us = now + sim_rng_below(&k->rng, ADVERT_INTERVAL_US);
		if (rl->advert_due_us > now)
			continue;
		rl->advert_due_us = now + ADVERT_INTERVAL_US - ADVERT_TICK_US +
				    sim_rng_below(&k->rng, 2 * ADVERT_TICK_US);
		if (radio_link_of(k, i) || sim_radio_lost_up(k->r, i))
			continue;
		sim_label_get(rl->label, &v);
		advert_send(k, i, &v);
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
