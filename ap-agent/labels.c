/* SPDX-License-Identifier: Apache-2.0 */
#include "ap-agent/labels.h"
#include "common/err.h"
#include "common/log.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Both rooms name the same wire facts; the controller reads ours. */
_Static_assert((int) ESL_STATUS == (int) LABEL_STATUS && (int) ESL_SHOWN == (int) LABEL_SHOWN &&
		       (int) ESL_SEEN == (int) LABEL_SEEN,
	       "report kinds differ");
_Static_assert((int) ESL_LED_FAILED == (int) LED_REPORT_FAILED && ESL_LEDS_MAX <= PROTO_MAX_LEDS,
	       "lights differ");
_Static_assert(ESL_GROUPS_AT_MOST <= PROTO_MAX_GROUPS && ESL_SIGNAL_STEPS == PROTO_MAX_SIGNAL &&
		       ESL_CHANNELS_ALL == PROTO_CHANNELS_ALL,
	       "radios differ");
_Static_assert(ESL_SENSOR_MAX == SENSOR_DATA_MAX && ESL_SENSORS_MAX == SENSORS_MAX,
	       "sensors differ");
_Static_assert((int) ESL_GRADE_READ_BACK == (int) EVIDENCE_READ_BACK, "grades differ");
_Static_assert(ESL_ADDR_BYTES == LABEL_ADDR_BYTES && ESL_KEY_BYTES == PROTO_KEY_BYTES &&
		       ESL_TIMELINE_MAX >= PROTO_MAX_TIMELINE,
	       "sizes differ");

struct labels {
	struct loop *loop;
	struct labels_config cfg;
	struct images *images;
	struct esl_engine *engine; /* NULL while the radio rests */
	loop_fn changed;
	void *user;
	bool radio_up;
	uint64_t channels;
	int64_t sensor_period_s;
	char radio_error[PROTO_TEXT_MAX];
	struct log_limit save_limit;
};

/* Somebody looks at it, or a price has moved on. */
static bool is_awaited(const struct proto_label_report *m)
{
	if (m->kind == LABEL_STATUS)
		return m->led || m->led_off_us || m->reading_until_us;
	return m->kind != LABEL_SEEN;
}

static void on_report(void *user, const struct esl_report *r)
{
	struct labels *l = user;
	_cleanup_buf_ struct buf body = BUF_INIT;
	struct proto_label_report m = {
		.kind = (uint8_t) r->kind,
		.at_us = r->at_us,
		.grade = (uint8_t) r->grade,
		.width = r->width,
		.height = r->height,
		.display_type = r->display_type,
		.slots = r->slots,
		.esl_group = r->group,
		.esl_id = r->id,
		.rssi_dbm = r->rssi_dbm,
		.battery_mv = r->battery_mv,
		.temperature_cc = r->temperature_cc,
		.has_keys = r->has_keys,
		.error = r->error,
		.has_leds = r->leds_known && (r->kind == ESL_ASSOCIATED || r->kind == ESL_STATUS),
		.led = r->led == ESL_LED_OFF ? 0 : (uint8_t) r->led,
		.led_off_us = r->led == ESL_LED_OFF ? r->led_until_us : 0,
		.has_reading = r->has_sensor,
		.reading = r->sensor,
		.reading_until_us = r->sensor_until_us,
		.reading_len = r->sensor_len,
		.led_colour = r->led_colour,
		.led_until_us = r->led_until_us,
	};
	bool utc = l->cfg.tb->known;

	m.n_sensors = r->n_sensors;
	memcpy(m.sensors, r->sensors, sizeof(m.sensors));
	memcpy(m.reading_data, r->sensor_data, sizeof(m.reading_data));
	memcpy(m.addr, r->addr, sizeof(m.addr));
	memcpy(m.image, r->image, sizeof(m.image));
	if (m.has_leds) {
		m.n_leds = r->n_leds;
		memcpy(m.leds, r->leds, r->n_leds);
	}
	if (r->has_keys) {
		memcpy(m.response_key, r->response_key, sizeof(m.response_key));
		memcpy(m.train_key, r->train_key, sizeof(m.train_key));
	}
	snprintf(m.text, sizeof(m.text), "%.*s", (int) sizeof(r->text), r->text);
	/* Before the clock is measured the engine's UTC is this machine's own. */
	if (!utc)
		m.at_us -= timebase_skew(l->cfg.tb);
	if (proto_label_report_encode(&m, &body) < 0) {
		log_error("labels", "msg=\"a report cannot be encoded\"");
		return;
	}
	if (m.has_keys) {
		(void) journal_add_sealed(l->cfg.journal, JOURNAL_LABELS, utc, body.data, body.len);
		explicit_bzero(body.data, body.len);
		explicit_bzero(m.response_key, sizeof(m.response_key));
		explicit_bzero(m.train_key, sizeof(m.train_key));
	} else {
		(void) journal_add(l->cfg.journal, JOURNAL_LABELS, utc, body.data, body.len);
	}
	if (is_awaited(&m))
		journal_hurry(l->cfg.journal);
}

static int on_save(void *user, const char *key, const void *data, size_t len)
{
	struct labels *l = user;
	int r = journal_flush(l->cfg.journal);

	if (r >= 0)
		r = store_blob_set(l->cfg.store, key, data, len);
	unsigned int held;

	if (r < 0 && log_limit_pass(&l->save_limit, clock_mono_us(l->cfg.tb->clock),
				    30 * US_PER_SEC, 1, &held))
		log_write(LOG_ERR, "labels", r, "held_back=%u msg=\"cannot keep a label's state\"",
			  held);
	return r;
}

static void on_need_image(void *user, const uint8_t hash[IMAGE_HASH_BYTES])
{
	struct labels *l = user;

	images_want(l->images, hash);
}

static void on_image(void *user, const uint8_t hash[IMAGE_HASH_BYTES], const void *data, size_t len)
{
	struct labels *l = user;
	int r = l->engine ? esl_engine_image(l->engine, hash, data, len) : 0;

	if (r < 0)
		log_write(LOG_WARN, "labels", r, "msg=\"the engine refuses a picture\"");
}

static void on_radio(void *user, bool up, int err, const char *text)
{
	struct labels *l = user;
	/* One that never came up is told once as well. */
	bool change = up != l->radio_up || (!up && l->radio_error[0] == '\0');
	char reason[PROTO_TEXT_MAX], before[PROTO_TEXT_MAX];

	l->radio_up = up;
	memcpy(before, l->radio_error, sizeof(before));
	/* One that is up may come with a warning. */
	snprintf(l->radio_error, sizeof(l->radio_error), "%s",
		 text      ? text
		 : err < 0 ? err_str(err)
			   : "");
	if (!change && (!up || strcmp(before, l->radio_error) == 0))
		return;
	log_write(up && !l->radio_error[0] ? LOG_NOTICE : LOG_WARN, "labels", err,
		  "reason=\"%s\" msg=\"label radio is %s\"",
		  log_quote(l->radio_error, reason, sizeof(reason)), up ? "up" : "down");
	if (l->changed)
		l->changed(l->user);
}

static int give_back(void *user, const char *key, const void *data, size_t len)
{
	struct labels *l = user;
	int r = esl_engine_restore(l->engine, key, data, len);

	if (r < 0)
		log_write(LOG_ERR, "labels", r, "msg=\"a label's kept state is not usable\"");
	return r == -ENOMEM ? r : 0;
}

static void remembered(void *user, const struct proto_desired_label *wish)
{
	labels_want(user, wish);
}

/* An engine with all that was kept of its labels. */
static int open_engine(struct labels *l)
{
	static const struct esl_engine_callbacks cb = {.report = on_report,
						       .need_image = on_need_image,
						       .save = on_save,
						       .radio = on_radio};
	int r = esl_engine_new(l->loop, &l->cfg.engine, &cb, l, &l->engine);

	if (r >= 0)
		r = store_blob_each(l->cfg.store, give_back, l);
	if (r < 0)
		return r;
	labels_clock(l);
	esl_engine_set_channels(l->engine, l->channels);
	esl_engine_set_sensor_period(l->engine, l->sensor_period_s);
	return 0;
}

int labels_new(struct loop *loop, const struct labels_config *cfg, loop_fn changed, void *user,
	       struct labels **ret)
{
	_cleanup_(labels_freep) struct labels *l = calloc(1, sizeof(*l));

	if (!l)
		return -ENOMEM;
	l->loop = loop;
	l->cfg = *cfg;
	l->channels = ESL_CHANNELS_ALL;
	l->changed = changed;
	l->user = user;

	int r = images_new(loop, cfg->http, cfg->store, on_image, l, &l->images);

	if (r >= 0)
		r = open_engine(l);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(l);
	return 0;
}

void labels_free(struct labels *l)
{
	if (!l)
		return;
	esl_engine_free(l->engine);
	images_free(l->images);
	free(l);
}

int labels_start(struct labels *l)
{
	int r = l->engine ? 0 : open_engine(l);

	if (r >= 0)
		r = esl_engine_start(l->engine);
	if (r < 0)
		return r;
	return store_desired_labels(l->cfg.store, remembered, l);
}

void labels_rest(struct labels *l)
{
	esl_engine_free(l->engine);
	l->engine = NULL;
	l->radio_up = false;
	snprintf(l->radio_error, sizeof(l->radio_error), "%s", "at rest: the agent was revoked");
}

void labels_want(struct labels *l, const struct proto_desired_label *wish)
{
	struct esl_want want = {.n = wish->n,
				.flash_until_us = wish->flash_until_us,
				.flash_colour = wish->flash_colour,
				.sensors_until_us = wish->sensors_until_us,
				.sensors = wish->sensors};

	if (!l->engine)
		return;
	if (wish->forget) {
		labels_forget(l, wish->addr);
		return;
	}
	if (l->cfg.hold && !esl_engine_knows(l->engine, wish->addr) &&
	    l->cfg.hold(l->cfg.hold_user, wish->addr))
		return;
	memcpy(want.addr, wish->addr, sizeof(want.addr));
	for (size_t i = 0; i < wish->n; i++) {
		memcpy(want.timeline[i].image, wish->timeline[i].image, IMAGE_HASH_BYTES);
		want.timeline[i].from_us = wish->timeline[i].from_us;
	}

	int r = esl_engine_want(l->engine, &want);

	if (r < 0)
		log_write(LOG_ERR, "labels", r, "msg=\"the engine refuses a wish\"");
}

int labels_take_over(struct labels *l, const char *key, const void *data, size_t len)
{
	return l->engine ? esl_engine_take_over(l->engine, key, data, len) : -ERR_STATE;
}

void labels_forget(struct labels *l, const uint8_t addr[LABEL_ADDR_BYTES])
{
	if (l->engine)
		esl_engine_forget(l->engine, addr);
}

void labels_tell(struct labels *l)
{
	if (l->engine)
		esl_engine_tell(l->engine);
}

/** As often as the clock is measured: an engine that is not ready, or is at it, is asked again. */
static void rotate(struct labels *l)
{
	uint64_t before_us;

	if (store_meta_get_u64(l->cfg.store, STORE_ROTATE_KEYS, &before_us) < 0)
		return;
	ignore_result(esl_engine_rotate_keys(l->engine, (int64_t) before_us));
}

void labels_clock(struct labels *l)
{
	const struct timebase *tb = l->cfg.tb;

	if (!l->engine || !tb->known)
		return;
	esl_engine_set_utc(l->engine, timebase_offset(tb), timebase_uncertainty(tb));
	rotate(l);
}

void labels_online(struct labels *l, bool online)
{
	images_online(l->images, online);
}

void labels_set_channels(struct labels *l, uint64_t map)
{
	l->channels = map;
	if (l->engine)
		esl_engine_set_channels(l->engine, map);
}

void labels_set_sensor_period(struct labels *l, int64_t seconds)
{
	l->sensor_period_s = MAX(seconds, 0);
	if (l->engine)
		esl_engine_set_sensor_period(l->engine, l->sensor_period_s);
}

static void tell_counters(const struct esl_stats *s, struct proto_health_radio *r)
{
	r->labels = s->labels;
	r->synced = s->synced;
	r->packets = s->packets;
	r->commands = s->commands;
	r->acks = s->acks;
	r->retries = s->retries;
	r->uploads = s->uploads;
	r->upload_failures = s->upload_failures;
	r->decrypt_failures = s->decrypt_failures;
}

static void tell_keys(const struct esl_stats *s, struct proto_health_radio *r)
{
	r->keys_rotating = s->rotating;
	r->keys_old = s->keys_old;
	r->keys_since_us = s->keys_since_utc_us;
}

static void tell_station(const struct esl_station *s, struct proto_station *to)
{
	*to = (struct proto_station){.up = s->up,
				     .channel = s->channel,
				     .tags = s->tags,
				     .serves = s->serves,
				     .queued = s->queued,
				     .heap_bytes = s->heap_bytes,
				     .storage_bytes = s->storage_bytes,
				     .wifi_dbm = s->wifi_dbm,
				     .low_batteries = s->low_batteries,
				     .timeouts = s->timeouts,
				     .uptime_s = s->uptime_s};
	snprintf(to->address, sizeof(to->address), "%s", s->address);
	snprintf(to->name, sizeof(to->name), "%s", s->name);
	snprintf(to->state, sizeof(to->state), "%s", s->state);
	snprintf(to->version, sizeof(to->version), "%s", s->version);
}

static void tell_radio(const struct labels *l, struct proto_health_radio *r)
{
	const struct clock *clock = l->cfg.tb->clock;
	struct esl_radio_view v;

	esl_engine_get_view(l->engine, &v);
	snprintf(r->driver, sizeof(r->driver), "%s", v.driver);
	snprintf(r->controller, sizeof(r->controller), "%s", v.controller);
	r->interval = v.train.interval;
	r->subevents = v.train.subevents;
	r->subevent_interval = v.train.subevent_interval;
	r->response_delay = v.train.response_delay;
	r->response_spacing = v.train.response_spacing;
	r->response_slots = v.train.response_slots;
	r->capacity = v.capacity;
	r->waiting = v.waiting;
	r->lost = v.lost;
	r->armed = v.armed;
	if (v.armed_us)
		r->armed_us = clock_real_us(clock) - clock_mono_us(clock) + v.armed_us;
	r->channels_known = v.channels_known;
	r->channels = v.channels;
	r->wanted = l->channels;
	r->refused = v.channels_refused;
	r->n_groups = v.groups;
	memcpy(r->groups, v.group, v.groups);
	r->n_signal = ESL_SIGNAL_STEPS;
	memcpy(r->signal, v.signal, sizeof(v.signal));
	for (; r->n_stations < v.n_stations; r->n_stations++)
		tell_station(&v.stations[r->n_stations], &r->stations[r->n_stations]);
}

static void tell_outlook(const struct labels *l, struct proto_health_radio *r)
{
	struct esl_outlook o;

	if (esl_engine_outlook(l->engine, &o) < 0)
		return;
	r->picture_ms = o.picture_ms;
	r->flip_s = o.flip_s;
}

void labels_health(const struct labels *l, struct proto_health *h)
{
	struct esl_stats stats = {0};
	uint32_t bonds;

	if (l->engine) {
		esl_engine_get_stats(l->engine, &stats);
		tell_radio(l, &h->radio);
		tell_outlook(l, &h->radio);
	}
	tell_counters(&stats, &h->radio);
	tell_keys(&stats, &h->radio);
	h->radio.unescrowed = store_escrow_owed(l->cfg.store);
	h->radio.unescrowed_bonds =
		store_escrow_bonds_owed(l->cfg.store, &bonds) < 0 ? -1 : (int64_t) bonds;
	h->labels_synced = stats.synced;
	snprintf(h->radio_state, sizeof(h->radio_state), "%s", l->radio_up ? "running" : "down");
	snprintf(h->radio_error, sizeof(h->radio_error), "%s", l->radio_error);
}
