/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/guest_impl.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#define MEAN_RSSI_DBM -55

static const struct radio_station_ops guest_ops = {
	.features = STATION_FEATURES,
	.is = guest_is,
	.advertise = guest_advertise,
	.connectable = guest_connectable,
	.listens = guest_listens,
	.hear = guest_hear,
	.miss = guest_miss,
	.link_begin = guest_link_begin,
	.link_data = guest_link_data,
	.link_sent = guest_link_sent,
	.link_key = guest_link_key,
	.link_encrypted = guest_link_encrypted,
	.link_updated = guest_link_updated,
	.link_transfer = guest_link_transfer,
	.link_end = guest_link_end,
};

void guest_tell(struct sim_guest *g, struct buf *b)
{
	hci_port_send(&g->port, b);
	buf_done(b);
}

void guest_le_event(struct sim_guest *g, uint8_t code, const struct buf *params)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	if (!buf_ok(params))
		return;
	assert(params->len < HCI_PARAMS_MAX);
	buf_put_u8(&b, H4_EVENT);
	buf_put_u8(&b, HCI_EVT_LE_META);
	buf_put_u8(&b, (uint8_t) (1 + params->len));
	buf_put_u8(&b, code);
	buf_put(&b, params->data, params->len);
	hci_port_send(&g->port, &b);
}

void sim_guest_address(const struct sim_guest *g, uint8_t ret[6])
{
	const uint8_t addr[6] = {0xc0, 0xd0, 0xda, 0xb0, g->station.radio->index, g->number};

	memcpy(ret, addr, sizeof(addr));
}

void guest_reset(struct sim_guest *g)
{
	if (g->station.link) {
		radio_link_lose(g->station.link);
		guest_link_end(&g->station, HCI_OK);
	}
	guest_adverts_reset(g);
	guest_sync_reset(g);
	g->past = g->default_past = (struct hci_past_params){0};
	g->has_random = false;
	hci_port_reset(&g->port);
}

void sim_guest_power_cycle(struct sim_guest *g)
{
	hci_port_drop(&g->port);
	guest_reset(g);
}

void sim_guest_set_loss(struct sim_guest *g, double down, double up)
{
	g->station.loss_down = (float) down;
	g->station.loss_up = (float) up;
}

int sim_guest_listen(struct sim_guest *g, const char *path)
{
	return hci_port_listen(&g->port, path);
}

int sim_guest_attach(struct sim_guest *g, int fd)
{
	return hci_port_attach(&g->port, fd);
}

int sim_guest_capture(struct sim_guest *g, const char *path)
{
	return hci_port_capture(&g->port, path);
}

int sim_guest_new(struct sim_radio *r, struct sim_guest **ret)
{
	struct sim_guest *g;
	int e;

	if (r->n_guests == MIN(SIM_GUESTS_MAX, RADIO_GUESTS_MAX))
		return -ENOSPC;
	g = calloc(1, sizeof(*g));
	if (!g)
		return -ENOMEM;
	g->station = (struct radio_station){.ops = &guest_ops,
					    .radio = r,
					    .mean_rssi_dbm = MEAN_RSSI_DBM,
					    .loss_down = -1,
					    .loss_up = -1,
					    .advert_interval_us = US_PER_SEC};
	g->number = ++r->guest_numbers;
	hci_port_init(&g->port, r->loop, &guest_port_ops, g);
	r->guests[r->n_guests++] = &g->station;
	e = guest_adverts_new(g);
	if (e == 0)
		e = guest_link_new(g);
	if (e == 0)
		e = guest_sync_new(g);
	if (e < 0) {
		sim_guest_free(g);
		return e;
	}
	*ret = g;
	return 0;
}

void sim_guest_free(struct sim_guest *g)
{
	struct sim_radio *r;

	if (!g)
		return;
	r = g->station.radio;
	hci_port_drop(&g->port);
	if (g->sync.lost) /* it was made to the end */
		guest_reset(g);
	for (unsigned int i = 0; i < r->n_guests; i++)
		if (r->guests[i] == &g->station)
			r->guests[i--] = r->guests[--r->n_guests];
	guest_adverts_done(g);
	loop_timer_free(g->key.late);
	loop_timer_free(g->sync.vain);
	loop_timer_free(g->sync.lost);
	hci_port_done(&g->port);
	free(g);
}
