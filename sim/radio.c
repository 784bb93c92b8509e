/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/radio_links.h"

#include "common/err.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define CLOCK_STREAM UINT64_C(0x636c6f636b) /* keeps draws of clocks apart from those of places */

/** A train ended a while ago: labels that follow no running train notice now. */
static void sync_timeout(void *user)
{
	struct sim_radio *r = user;

	for (size_t i = 0; i < r->n_labels; i++) {
		if (sim_radio_in_sync(r, i) && r->labels[i].loss_down < 1)
			continue;
		sim_label_sync_lost(r->labels[i].label, clock_mono_us(r->clock));
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
	for (size_t i = 0; i < r->n_labels; i++) {
		loop_timer_free(r->labels[i].timer);
		sim_label_free(r->labels[i].label);
	}
	free(r->labels);
	if (r->sync_timer)
		loop_timer_free(r->sync_timer);
	if (r->train.timer)
		loop_timer_free(r->train.timer);
	free(r);
}

/* --- labels ----------------------------------------------------------------------------------- */

static struct radio_label_list *list_of(struct radio_label *rl)
{
	if (rl->place == RADIO_IN_GROUP)
		return &rl->radio->in_group[rl->group];
	return rl->place == RADIO_ADVERTISING ? &rl->radio->advertising : NULL;
}

/** Its state decides who can reach it, and how. */
static void label_moved(struct radio_label *rl)
{
	enum esl_label_state state = sim_label_state(rl->label);

	if (list_of(rl))
		TAILQ_REMOVE(list_of(rl), rl, link);
	rl->group = sim_label_group(rl->label);
	if (state == ESL_SYNCHRONIZED)
		rl->place = RADIO_IN_GROUP;
	else if (state == ESL_UNASSOCIATED || state == ESL_UNSYNCHRONIZED)
		rl->place = RADIO_ADVERTISING;
	else
		rl->place = RADIO_NOWHERE;
	if (list_of(rl))
		TAILQ_INSERT_TAIL(list_of(rl), rl, link);
	if (rl->place == RADIO_ADVERTISING)
		radio_adverts_wake(rl->radio->links);
}

static void label_due(void *user)
{
	struct radio_label *rl = user;

	sim_label_advance(rl->label, clock_mono_us(rl->radio->clock));
	sim_radio_touched(rl->radio, (size_t) (rl - rl->radio->labels));
}

static void label_event(void *user, struct sim_label *l, enum sim_label_event event, int64_t at_us)
{
	struct radio_label *rl = user;

	(void) at_us;
	if (event == SIM_LABEL_REDRAW_ENDED && rl->radio->shows)
		sim_shows_add(rl->radio->shows, l);
	if (event == SIM_LABEL_STATE_CHANGED)
		label_moved(rl);
	if (event == SIM_LABEL_STATE_CHANGED)
		radio_links_label(rl->radio->links, (size_t) (rl - rl->radio->labels));
	if (rl->radio->watch)
		rl->radio->watch(rl->radio->watch_user, (size_t) (rl - rl->radio->labels), event);
}

void sim_radio_touched(struct sim_radio *r, size_t i)
{
	struct radio_label *rl = &r->labels[i];
	int64_t next_us = sim_label_next_us(rl->label);

	/* One that fires too early finds nothing to do, and is set again. */
	if (next_us == INT64_MAX || (loop_timer_active(rl->timer) && rl->armed_us <= next_us))
		return;
	rl->armed_us = next_us;
	loop_timer_start(rl->timer, MAX(next_us - clock_mono_us(r->clock), INT64_C(0)));
}

static int label_init(struct sim_radio *r, size_t i, const struct sim_label_model *model)
{
	uint16_t number = (uint16_t) (i + 1);
	uint8_t addr[SIM_LABEL_ADDR_BYTES] = {
		0xc0, 0xff, 0xee, r->index, (uint8_t) (number >> 8), (uint8_t) number};
	struct radio_label *rl = &r->labels[i];
	struct sim_label_model own = *model;
	int e;

	*rl = (struct radio_label){.radio = r, .loss_down = -1, .loss_up = -1};
	/* Labels stand at distances of their own; those at the far end are weak. */
	rl->mean_rssi_dbm = (float) (-45.0 - 33.0 * sim_hash_unit(r->seed, r->index, number));
	own.clock_ppm += own.clock_spread_ppm *
			 (2 * sim_hash_unit(r->seed ^ CLOCK_STREAM, r->index, number) - 1);
	e = sim_label_new(addr, &own, r->seed, label_event, rl, &rl->label);
	if (e < 0)
		return e;
	e = loop_timer_new(r->loop, label_due, rl, &rl->timer);
	if (e < 0) {
		sim_label_free(rl->label);
		return e;
	}
	label_moved(rl);
	return 0;
}

int sim_radio_add_labels(struct sim_radio *r, const struct sim_label_model *model, unsigned int n)
{
	/* Timers and labels point at their entry, so the table never moves. */
	if (!r->labels) {
		r->labels = calloc(SIM_RADIO_MAX_LABELS, sizeof *r->labels);
		if (!r->labels)
			return -ENOMEM;
	}
	if (n > SIM_RADIO_MAX_LABELS - r->n_labels)
		return -ERR_RANGE;
	while (n--) {
		int e = label_init(r, r->n_labels, model);

		if (e < 0)
			return e;
		r->n_labels++;
	}
	return 0;
}

size_t sim_radio_labels(const struct sim_radio *r)
{
	return r->n_labels;
}

struct sim_label *sim_radio_label(const struct sim_radio *r, size_t i)
{
	return r->labels[i].label;
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

bool radio_train_lost_down(struct sim_radio *r, size_t i)
{
	return lottery(r, r->labels[i].loss_down);
}

bool radio_train_lost_up(struct sim_radio *r, size_t i)
{
	return lottery(r, r->labels[i].loss_up);
}

bool sim_radio_packet_lost(struct sim_radio *r)
{
	radio_channels_hop(&r->channels, r->channels.events++);
	return lottery(r, -1);
}

bool sim_radio_lost_down(struct sim_radio *r, size_t i)
{
	radio_channels_hop(&r->channels, r->channels.events++);
	return radio_train_lost_down(r, i);
}

bool sim_radio_lost_up(struct sim_radio *r, size_t i)
{
	radio_channels_hop(&r->channels, r->channels.events++);
	return radio_train_lost_up(r, i);
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
	r->labels[i].loss_down = (float) down;
	r->labels[i].loss_up = (float) up;
	if (down >= 1 && r->train.running)
		loop_timer_start(r->sync_timer, train_sync_timeout_us(r));
}

int8_t sim_radio_rssi(struct sim_radio *r, size_t i)
{
	return (int8_t) lround((double) r->labels[i].mean_rssi_dbm + 2.5 * sim_rng_normal(&r->rng));
}

bool sim_radio_in_sync(const struct sim_radio *r, size_t i)
{
	return r->train.running && r->labels[i].generation == r->train.generation;
}

int sim_radio_sync_label(struct sim_radio *r, size_t i)
{
	if (!r->train.running)
		return -ENOENT;
	r->labels[i].generation = r->train.generation;
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
