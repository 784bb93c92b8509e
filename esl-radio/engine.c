/* SPDX-License-Identifier: Apache-2.0 */
#include "esl-radio/engine.h"
#include "esl-radio/bluez/bluez.h"
#include "esl-radio/flash.h"
#include "esl-radio/hci_channels.h"
#include "esl-radio/hci_host.h"
#include "esl-radio/images.h"
#include "esl-radio/keys.h"
#include "esl-radio/label.h"
#include "esl-radio/packer.h"
#include "esl-radio/persist.h"
#include "esl-radio/report.h"
#include "esl-radio/sensor.h"
#include "esl-radio/timebase.h"
#include "esl-radio/visit.h"
#include "esl-radio/wake.h"

#include "common/err.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define DEFAULT_LINKS   4
#define LEFT_ADVERTS_US (INT64_C(3) * US_PER_SEC)
#define SAVE_AGAIN_US   (INT64_C(5) * US_PER_SEC)

/* --- clockwork -------------------------------------------------------------------------------- */

static void on_wake(void *user)
{
	struct esl_engine *e = user;

	e->wake_us = ESL_NEVER;
	esl_wakes_due(e);
	/* Reconsidering arms it again; an instant within this millisecond is the next one's. */
	if (e->wake_us == ESL_NEVER && e->n_labels && e->wakes[0]->wake_at_us != ESL_NEVER) {
		e->wake_us = MAX(e->wakes[0]->wake_at_us, esl_now(e) + US_PER_MS);
		loop_timer_start(e->wake, e->wake_us - esl_now(e));
	}
}

static void on_pump(void *user)
{
	struct esl_engine *e = user;

	if (e->started && !e->train_saved && esl_keys_make(e) < 0) {
		loop_timer_start(e->pump, SAVE_AGAIN_US);
		return;
	}
	if (e->all_again) {
		e->all_again = false;
		esl_reconsider_all(e);
	}
	esl_visits_pump(e);
}

/* --- the radio's side ------------------------------------------------------------------------- */

static void on_radio_up(void *user)
{
	struct esl_engine *e = user;

	e->radio_up = true;
	e->beat_known = false;
	e->armed++;
	e->armed_us = esl_now(e);
	if (e->cb.radio)
		e->cb.radio(e->user, true, e->link_err, e->link_text[0] ? e->link_text : NULL);
}

static void on_radio_down(void *user, int err, const char *text)
{
	struct esl_engine *e = user;

	e->radio_up = false;
	if (e->cb.radio)
		e->cb.radio(e->user, false, err, text);
}

static void on_data_request(void *user, uint8_t start, uint8_t count)
{
	struct esl_engine *e = user;

	esl_beat_requested(e, start);
	esl_keys_tick(e);
	if (e->train_saved)
		esl_packer_request(e, start, count);
}

static void on_response(void *user, uint8_t subevent, uint8_t slot, int8_t rssi_dbm,
			const uint8_t *data, size_t len)
{
	if (len > 0)
		esl_beat_heard(user, subevent);
	esl_packer_response(user, subevent, slot, rssi_dbm, data, len);
}

static const struct esl_radio_callbacks radio_callbacks = {
	.up = on_radio_up,
	.down = on_radio_down,
	.data_request = on_data_request,
	.response = on_response,
};

/* --- the link's side -------------------------------------------------------------------------- */

static void on_link_up(void *user)
{
	struct esl_engine *e = user;

	bool told = e->link_text[0] != '\0';

	e->link_up = true;
	e->link_err = 0;
	e->link_text[0] = '\0';
	if (e->cb.radio && e->radio_up && told)
		e->cb.radio(e->user, true, 0, NULL);
	(void) e->link->ops->scan(e->link, true); /* a failure shows as the link going down */
	loop_timer_start(e->pump, 0);
}

static void on_link_down(void *user, int err, const char *text)
{
	struct esl_engine *e = user;

	e->link_up = false;
	e->link_err = err;
	(void) snprintf(e->link_text, sizeof(e->link_text), "%s", text ? text : "");
	if (e->cb.radio && e->radio_up)
		e->cb.radio(e->user, true, err, text);
}

/** A label that was in the train advertises: it lost its way, or its memory. */
static void came_back(struct esl_label *l, bool bonded)
{
	l->phase = ESL_PHASE_WAITING;
	l->queue_known = false;
	if (l->pending.state == ESL_PENDING_ACKED)
		l->pending.state = ESL_PENDING_SENT; /* lost, if it restarted */
	if (bonded)
		return;
	esl_label_was_reset(l);
}

static void on_advert(void *user, const uint8_t addr[ESL_ADDR_BYTES], int8_t rssi_dbm, bool bonded,
		      uint16_t battery_mv)
{
	struct esl_engine *e = user;
	struct esl_label *l = esl_label_find(e, addr);

	if (!l || (!l->wanted && !l->configured && !l->rekeying)) {
		esl_report_seen(e, addr, rssi_dbm, battery_mv);
		return;
	}
	l->rssi_dbm = rssi_dbm;
	if (battery_mv)
		l->battery_mv = battery_mv;
	/* Advertisements on their way when it left for its subevent mean nothing. */
	if (l->phase == ESL_PHASE_SYNCED && l->heard_us &&
	    esl_now(e) - l->heard_us < LEFT_ADVERTS_US)
		return;
	if (l->visit) {
		l->visit->advertises = true;
		return;
	}
	/* Once for each call that failed: calls are what is ever more rarely made. */
	if (l->call_failed)
		l->visit_after_us = 0;
	l->call_failed = false;
	if (l->forgetting) {
		l->configured = false;
	} else if (l->phase != ESL_PHASE_WAITING || !bonded) {
		came_back(l, bonded);
	}
	l->advert_us = esl_now(e);
	esl_reconsider(e, l);
}

static void on_link_lost(void *user, const uint8_t addr[ESL_ADDR_BYTES])
{
	struct esl_engine *e = user;
	struct esl_label *l = esl_label_find(e, addr);

	if (l)
		esl_visit_lost(e, l);
}

static void on_link_reached(void *user, const uint8_t addr[ESL_ADDR_BYTES])
{
	struct esl_engine *e = user;
	const struct esl_label *l = esl_label_find(e, addr);

	if (l && l->visit)
		esl_visit_called(l->visit);
}

static int on_link_save(void *user, const char *key, const void *data, size_t len)
{
	struct esl_engine *e = user;

	return e->cb.save(e->user, key, data, len);
}

static int on_link_random(void *user, void *to, size_t n)
{
	struct esl_engine *e = user;

	return esl_random(&e->rng, to, n);
}

static const struct esl_link_callbacks link_callbacks = {
	.up = on_link_up,
	.down = on_link_down,
	.advert = on_advert,
	.lost = on_link_lost,
	.save = on_link_save,
	.random = on_link_random,
	.reached = on_link_reached,
};

/* --- life ------------------------------------------------------------------------------------- */

static void free_seams(struct esl_radio *radio, struct esl_link *link)
{
	if (radio)
		radio->ops->free(radio);
	if (link)
		link->ops->free(link);
}

static void pawr_free(struct esl_engine *e)
{
	struct esl_stranger *s, *s_next;

	hci_channels_free(e->channels);
	free_seams(e->radio, e->link); /* first: no completion comes after this */
	while (e->n_labels)
		esl_label_drop(e, e->wakes[e->n_labels - 1]);
	esl_wakes_done(e);
	free(e->labels);
	HASH_ITER (hh, e->strangers, s, s_next) {
		HASH_DEL(e->strangers, s);
		free(s);
	}
	esl_visits_done(e);
	esl_images_done(e);
	loop_timer_free(e->wake);
	loop_timer_free(e->pump);
	free(e->groups);
	pixel_table_free(e->pixels);
	explicit_bzero(e, sizeof(*e));
	free(e);
}

static int init(struct esl_engine *e)
{
	int r;

	e->groups = calloc(e->train.subevents, sizeof(*e->groups));
	if (!e->groups)
		return -ENOMEM;
	for (int q = 0; q < ESL_VISIT_QUEUES; q++)
		TAILQ_INIT(&e->visit_queue[q]);
	for (unsigned int g = 0; g < e->train.subevents; g++) {
		for (int u = 0; u < ESL_URGENCY_COUNT; u++)
			TAILQ_INIT(&e->groups[g].ready[u]);
		e->groups[g].last_tx_us[0] = e->groups[g].last_tx_us[1] = esl_now(e);
	}
	r = loop_timer_new(e->loop, on_wake, e, &e->wake);
	if (r == 0)
		r = loop_timer_new(e->loop, on_pump, e, &e->pump);
	if (r == 0)
		r = esl_visits_init(e);
	return r;
}

static int pawr_restore(struct esl_engine *e, const char *key, const void *data, size_t len)
{
	if (e->started)
		return -ERR_STATE;
	if (strcmp(key, "train") == 0)
		return esl_restore_train(e, data, len);
	if (strncmp(key, ESL_LINK_KEEPS, strlen(ESL_LINK_KEEPS)) == 0)
		return e->link && e->link->ops->restore
			       ? e->link->ops->restore(e->link, key, data, len)
			       : 0;
	if (strchr(key, ':'))
		return 0; /* another engine's */
	return esl_restore_label(e, key, data, len);
}

/** Labels restored with a timed command: finds its instant on our clock, if the label's is known.
 */
static void settle_restored(struct esl_engine *e)
{
	struct esl_label *l;

	ESL_LABELS_FOREACH(e, i, l)
	{
		struct esl_pending *p = &l->pending;

		if (p->state == ESL_PENDING_NONE)
			continue;
		if (p->state == ESL_PENDING_FOREIGN || !esl_label_time_known(e, l)) {
			p->state = ESL_PENDING_FOREIGN;
			p->at_us = ESL_NEVER;
			continue;
		}
		p->at_us = esl_now(e) +
			   (int32_t) (p->abs_ms - esl_label_time(e, l, esl_now(e))) * US_PER_MS;
	}
}

static int pawr_start(struct esl_engine *e)
{
	int r;

	if (e->started)
		return -ERR_STATE;
	if (esl_timebase_refresh(e))
		(void) esl_save_train(e);
	esl_keys_restored(e);
	settle_restored(e);
	e->started = true;
	esl_reconsider_all(e);
	loop_timer_start(e->pump, 0);
	r = e->radio->ops->start(e->radio, &e->train, &radio_callbacks, e);
	if (r == 0 && e->link)
		r = e->link->ops->start(e->link, &link_callbacks, e);
	return r;
}

/* --- wishes ----------------------------------------------------------------------------------- */

static bool same_wish(const struct esl_label *l, const struct esl_want *w)
{
	if (l->n_wishes != w->n)
		return false;
	for (size_t i = 0; i < w->n; i++)
		if (l->wishes[i].from_us != w->timeline[i].from_us ||
		    memcmp(l->wishes[i].image, w->timeline[i].image, IMAGE_HASH_BYTES) != 0)
			return false;
	return true;
}

static int set_wishes(struct esl_engine *e, struct esl_label *l, const struct esl_want *w)
{
	struct esl_wish *wishes = calloc(MAX(w->n, 1), sizeof(*wishes)), *old = l->wishes;
	size_t n_old = l->n_wishes;

	if (!wishes)
		return -ENOMEM;
	for (size_t i = 0; i < w->n; i++) {
		memcpy(wishes[i].image, w->timeline[i].image, IMAGE_HASH_BYTES);
		wishes[i].from_us = w->timeline[i].from_us;
	}
	l->wishes = wishes;
	l->n_wishes = (uint8_t) w->n;
	esl_report_waiting(e, l, old, n_old);
	free(old);
	return 0;
}

/** What is wished for beside its pictures. */
static void wish_asides(struct esl_engine *e, struct esl_label *l, const struct esl_want *w)
{
	esl_flash_want(e, l, w->flash_until_us, w->flash_colour);
	esl_sensors_want(e, l, w->sensors, w->sensors_until_us);
}

static int pawr_want(struct esl_engine *e, const struct esl_want *w)
{
	struct esl_label *l = esl_label_find(e, w->addr);
	struct esl_stranger *s;
	int r = 0;

	if (w->n > ESL_TIMELINE_MAX)
		return -ERR_RANGE;
	for (size_t i = 1; i < w->n; i++)
		if (w->timeline[i].from_us < w->timeline[i - 1].from_us)
			return -ERR_RANGE;
	if (!l)
		r = esl_label_add(e, w->addr, &l);
	if (r < 0)
		return r;
	l->forgetting = false;
	if (l->wanted && same_wish(l, w)) {
		wish_asides(e, l, w);
		return 0;
	}
	r = set_wishes(e, l, w);
	if (r < 0)
		return r;
	l->wanted = true;
	/* A new wish is a new chance: what held the old one back may be over. */
	l->visit_after_us = 0;
	if (l->phase != ESL_PHASE_LOST) {
		l->hold_until_us = 0;
		l->hold_s = 0;
	}
	HASH_FIND(hh, e->strangers, w->addr, ESL_ADDR_BYTES, s);
	if (s) {
		HASH_DEL(e->strangers, s);
		free(s);
	}
	wish_asides(e, l, w);
	esl_reconsider(e, l);
	return 0;
}

static void pawr_forget(struct esl_engine *e, const uint8_t addr[ESL_ADDR_BYTES])
{
	struct esl_label *l = esl_label_find(e, addr);

	if (!l)
		return;
	l->wanted = false;
	l->forgetting = true;
	l->forget_tries = 0;
	l->n_wishes = 0;
	if (l->flash) {
		l->flash->state = ESL_FLASH_NONE;
		l->flash->dark = 0;
	}
	l->sensors_asked = l->sensors_told = 0;
	if (l->configured)
		(void) esl_save_label(e,
				      l); /* if that fails it is forgotten again after a restart */
	esl_reconsider(e, l);
}

static int pawr_image(struct esl_engine *e, const uint8_t hash[IMAGE_HASH_BYTES], const void *data,
		      size_t len)
{
	int r = esl_image_put(e, hash, data, len);

	if (r < 0)
		return r;
	esl_visit_image_here(e, hash);
	loop_timer_start(e->pump, 0);
	return 0;
}

static void pawr_tell(struct esl_engine *e)
{
	struct esl_label *l;

	ESL_LABELS_FOREACH(e, i, l)
	{
		if (!l->configured || l->forgetting)
			continue;
		esl_report_associated(e, l);
		esl_report_waiting(e, l, NULL, 0);
		if (l->shown_slot != ESL_NO_SLOT && l->slots[l->shown_slot].held)
			esl_report_shown(e, l);
	}
}

static void pawr_get_stats(const struct esl_engine *e, struct esl_stats *ret)
{
	struct esl_label *l;

	*ret = e->stats;
	ret->labels = e->n_labels;
	ret->synced = 0;
	ESL_LABELS_FOREACH(e, i, l)
	ret->synced += l->configured && l->phase == ESL_PHASE_SYNCED;
	ret->radio_up = e->radio_up;
	esl_keys_get_stats(e, ret);
}

static void pawr_set_channels(struct esl_engine *e, uint64_t map)
{
	if (e->channels)
		hci_channels_set(e->channels, map);
}

/* --- behind the front door -------------------------------------------------------------------- */

static const struct esl_engine_ops pawr_ops = {
	.restore = pawr_restore,
	.start = pawr_start,
	.take_over = esl_take_over,
	.knows = esl_knows,
	.free = pawr_free,
	.set_utc = esl_timebase_set_utc,
	.want = pawr_want,
	.forget = pawr_forget,
	.image = pawr_image,
	.set_sensor_period = esl_sensors_period,
	.rotate_keys = esl_keys_rotate,
	.outlook = esl_outlook,
	.tell = pawr_tell,
	.get_stats = pawr_get_stats,
	.get_view = esl_view_get,
	.set_channels = pawr_set_channels,
};

int esl_engine_new_over(struct loop *loop, const struct esl_engine_config *cfg,
			const struct esl_engine_callbacks *cb, void *user, struct esl_radio *radio,
			struct esl_link *link, struct esl_engine **ret)
{
	char why[ESL_TEXT_MAX], panel[PIXEL_WHY_MAX];
	struct esl_engine *e;
	int r = esl_train_check(&cfg->train, why);

	e = r < 0 ? NULL : calloc(1, sizeof(*e));
	if (!e) {
		free_seams(radio, link);
		return r < 0 ? r : -ENOMEM;
	}
	e->door.ops = &pawr_ops;
	e->loop = loop;
	e->clock = loop_clock(loop);
	e->cb = *cb;
	e->user = user;
	e->radio = radio;
	e->link = link;
	e->train = cfg->train;
	esl_train_defaults(&e->train);
	e->interval_us = e->train.interval * INT64_C(1250);
	e->max_links = MIN(cfg->max_links ? cfg->max_links : DEFAULT_LINKS, ESL_LINKS_MAX);
	e->wake_us = ESL_NEVER;
	e->key_days = cfg->key_days;
	e->time.utc_us = clock_real_us(e->clock) - esl_now(e);
	if (cfg->seed) {
		e->rng.seed[0] = cfg->seed * UINT64_C(0x9e3779b97f4a7c15);
		e->rng.seed[1] = cfg->seed;
	}
	TAILQ_INIT(&e->images);
	r = pixel_table_load(cfg->panels, panel, &e->pixels);
	if (r == 0)
		r = init(e);
	if (r < 0) {
		pawr_free(e);
		return r;
	}
	*ret = e;
	return 0;
}

int esl_pawr_new(struct loop *loop, const struct esl_engine_config *cfg,
		 const struct esl_engine_callbacks *cb, void *user, struct esl_engine **ret)
{
	struct hci_host *host = NULL;
	struct hci_channels *channels = NULL;
	struct esl_radio *radio = NULL;
	struct esl_link *link = NULL;
	bool bluez = cfg->hci && esl_bluez_is_address(cfg->hci);
	int r = bluez ? esl_bluez_host_new(loop, cfg->hci, &host)
		      : hci_host_new(loop, cfg->hci ? cfg->hci : "", &host);

	if (r == 0) /* first: before the train is set up */
		r = hci_channels_new(loop, host, &channels);
	/* What looks after a shared controller joins before those who set it up. */
	if (r == 0 && bluez)
		r = esl_link_bluez_over(loop, host, cfg->hci, &link);
	if (r == 0)
		r = esl_radio_h4_over(loop, host, &radio);
	if (r == 0 && !bluez)
		r = esl_link_le_over(loop, host, &link);
	hci_host_unref(host);
	if (r < 0)
		free_seams(radio, link);
	else
		r = esl_engine_new_over(loop, cfg, cb, user, radio, link, ret);
	if (r < 0) {
		hci_channels_free(channels);
		return r;
	}
	(*ret)->driver = bluez ? "bluez" : "h4";
	(*ret)->host = host;
	(*ret)->channels = channels;
	return 0;
}
