/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/radio_links.h"

#include "common/err.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/** A train ended a while ago: labels that follow no running train notice now. */
static void sync_timeout(void *user)
{
	struct sim_radio *r = user;

	for (size_t i = 0; i < r->n_labels; i++) {
		if (sim_radio_in_sync(r, i) && r->labels[i]->station.loss_down < 1)
			continue;
		sim_label_sync_lost(r->labels[i]->label, clock_mono_us(r->clock));
		sim_radio_touched(r, i);
	}
}

int sim_radio_new(struct loop *loop, const struct sim_radio_config *cfg, struct sim_radio **ret)
{
	struct sim_radio *r = calloc(1, sizeof *r);
	int e;

	if (!r)
		return -ENOMEM;
	r->loop = loop;
	r->clock = loop_clock(loop);
	(void) snprintf(r->name, sizeof r->name, "%s", cfg->name);
	r->loss = cfg->loss;
	r->drop = cfg->drop;
	r->max_links = cfg->max_links;
	r->advert_us = (cfg->advert_ms ? cfg->advert_ms : 1000) * US_PER_MS;
	r->index = cfg->index;
	r->seed = cfg->seed;
	r->shows = cfg->shows;
	sim_rng_init(&r->rng, cfg->seed, cfg->name);
	radio_channels_init(&r->channels, (uint16_t) (0x5a31 + 0x1111 * cfg->index));
	if (cfg->wifi.mhz)
		r->channels.wifi[r->channels.n_wifi++] = cfg->wifi;
	for (size_t g = 0; g < HCI_SUBEVENTS_MAX; g++)
		TAILQ_INIT(&r->in_group[g]);
	TAILQ_INIT(&r->advertising);
	hci_port_init(&r->port, loop, &radio_port_ops, r);
	radio_host_reset(r);
	e = loop_timer_new(loop, sync_timeout, r, &r->sync_timer);
	if (e == 0)
		e = train_timer_new(r);
	if (e == 0)
		e = radio_links_new(r, &r->links);
	if (e < 0) {
		sim_radio_free(r);
		return e;
	}
	*ret = r;
	return 0;
}

void sim_radio_free(struct sim_radio *r)
{
	if (!r)
		return;
	hci_port_done(&r->port);
	radio_links_free(r->links);
	for (size_t i = 0; i < r->n_labels; i++)
		radio_label_free(r->labels[i]);
	free(r->labels);
	if (r->sync_timer)
		loop_timer_free(r->sync_timer);
	if (r->train.timer)
		loop_timer_free(r->train.timer);
	free(r);
}

/* --- labels ----------------------------------------------------------------------------------- */

size_t sim_radio_labels(const struct sim_radio *r)
{
	return r->n_labels;
}

struct sim_label *sim_radio_label(const struct sim_radio *r, size_t i)
{
	return r->labels[i]->label;
}

int sim_radio_find(const struct sim_radio *r, const uint8_t addr[SIM_LABEL_ADDR_BYTES])
{
	static const uint8_t prefix[3] = {0xc0, 0xff, 0xee};
	size_t number = (size_t) addr[4] << 8 | addr[5];

	if (memcmp(addr, prefix, sizeof prefix) || addr[3] != r->index || number < 1 ||
	    number > r->n_labels)
		return -ENOENT;
	return (int) number - 1;
}

void sim_radio_watch(struct sim_radio *r, sim_radio_label_fn fn, void *user)
{
	r->watch = fn;
	r->watch_user = user;
}

/* --- air -------------------------------------------------------------------------------------- */

int sim_radio_hear(struct sim_radio *r, struct sim_radio *other)
{
	if (r->n_heard == SIM_RADIO_HEARS_MAX || r == other)
		return -ERR_RANGE;
	r->heard[r->n_heard++] = other;
	return 0;
}

bool radio_train_drowned(struct sim_radio *r, int64_t from_us, int64_t to_us)
{
	for (unsigned int i = 0; i < r->n_heard; i++) {
		if (!train_on_air(r->heard[i], from_us, to_us, r->channels.now))
			continue;
		r->stats.drowned++;
		return true;
	}
	return false;
}

/** A packet on the present channel; `own` is its label's chance of loss, negative = the radio's. */
static bool lottery(struct sim_radio *r, float own)
{
	return radio_channels_fly(&r->channels, &r->rng) ||
	       sim_rng_chance(&r->rng, own < 0 ? r->loss : (double) own);
}

bool radio_train_lost_down(struct sim_radio *r, const struct radio_station *s)
{
	return lottery(r, s->loss_down);
}

bool radio_train_lost_up(struct sim_radio *r, const struct radio_station *s)
{
	return lottery(r, s->loss_up);
}

bool radio_lost_down(struct sim_radio *r, const struct radio_station *s)
{
	radio_channels_hop(&r->channels, r->channels.events++);
	return radio_train_lost_down(r, s);
}

bool radio_lost_up(struct sim_radio *r, const struct radio_station *s)
{
	radio_channels_hop(&r->channels, r->channels.events++);
	return radio_train_lost_up(r, s);
}

int sim_radio_set_wifi(struct sim_radio *r, const struct radio_wifi *list, unsigned int n)
{
	if (n > RADIO_WIFI_MAX)
		return -ERR_RANGE;
	r->channels.n_wifi = 0;
	for (unsigned int i = 0; i < n; i++)
		if (list[i].mhz)
			r->channels.wifi[r->channels.n_wifi++] = list[i];
	return 0;
}

void sim_radio_set_label_loss(struct sim_radio *r, size_t i, double down, double up)
{
	r->labels[i]->station.loss_down = (float) down;
	r->labels[i]->station.loss_up = (float) up;
	if (down >= 1 && r->train.running)
		loop_timer_start(r->sync_timer, train_sync_timeout_us(r));
}

int8_t radio_rssi(struct sim_radio *r, const struct radio_station *s)
{
	return (int8_t) lround((double) s->mean_rssi_dbm + 2.5 * sim_rng_normal(&r->rng));
}

bool radio_in_sync(const struct radio_station *s)
{
	return s->radio->train.running && s->generation == s->radio->train.generation;
}

struct radio_station *radio_find(const struct sim_radio *r, const uint8_t addr[7])
{
	int i = sim_radio_find(r, addr + 1);

	for (unsigned int k = 0; k < r->n_guests; k++)
		if (r->guests[k]->ops->is(r->guests[k], addr))
			return r->guests[k];

	return i >= 0 && r->labels[i]->station.ops->is(&r->labels[i]->station, addr)
		       ? &r->labels[i]->station
		       : NULL;
}

bool sim_radio_in_sync(const struct sim_radio *r, size_t i)
{
	return radio_in_sync(&r->labels[i]->station);
}

int sim_radio_sync_label(struct sim_radio *r, size_t i)
{
	if (!r->train.running)
		return -ENOENT;
	r->labels[i]->station.generation = r->train.generation;
	return 0;
}

const char *sim_radio_name(const struct sim_radio *r)
{
	return r->name;
}

void sim_radio_set_loss(struct sim_radio *r, double loss)
{
	r->loss = loss;
}

void sim_radio_set_drop(struct sim_radio *r, double drop)
{
	r->drop = drop;
}

double sim_radio_loss(const struct sim_radio *r)
{
	return r->loss;
}

void sim_radio_get_stats(const struct sim_radio *r, struct sim_radio_stats *ret)
{
	*ret = r->stats;
	ret->links = (unsigned int) radio_links_count(r->links);
	ret->train_running = r->train.running;
	ret->channels = r->channels.map;
	memcpy(ret->channel_sent, r->channels.sent, sizeof ret->channel_sent);
	ret->jammed = r->channels.jammed;
	ret->generation = r->train.generation;
}
