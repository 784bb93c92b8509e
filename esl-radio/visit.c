/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A visit is one connection to one label: join it to the train if it advertises, give it the images
 * it misses, set its clock, send it back. What to do next is decided anew after every step, so that
 * a wish that changes during a visit is served by the same visit.
 */
#include "esl-radio/visit.h"
#include "esl-radio/flash.h"
#include "esl-radio/keys.h"
#include "esl-radio/label.h"
#include "esl-radio/persist.h"
#include "esl-radio/report.h"
#include "esl-radio/sensor.h"
#include "esl-radio/timebase.h"
#include "esl-radio/visit_impl.h"
#include "esl-radio/wake.h"

#include "common/err.h"
#include <errno.h>
#include <string.h>

#define NEAR_FLIP_US     (INT64_C(60) * US_PER_SEC)
#define CONN_EVENT_US    (INT64_C(15) * US_PER_MS)
#define TIME_TRIES       5
/** The timing of the train has a few connection events to its label, which answers as quickly. */
#define HEAR_MARGIN_US   (INT64_C(250) * US_PER_MS)
/** After its packet, for a label's own host to hear of it and choose its subevent. */
#define HEARD_US         (INT64_C(150) * US_PER_MS)
#define LONGEST_LAG_US   (INT64_C(30) * US_PER_SEC)
#define ADVERT_SOON_US   (INT64_C(1200) * US_PER_MS)
#define QUICK_RETRIES    3
#define LOST_AFTER       12
#define LONGEST_RETRY_US (INT64_C(60) * US_PER_SEC)
/** A call that fails has kept the controller from listening for about half as long. */
#define LISTEN_US        (INT64_C(500) * US_PER_MS)

void esl_visit_called(struct esl_visit *v)
{
	if (v->listening)
		v->e->n_listening--;
	else if (v->e->calling == v)
		v->e->calling = NULL;
	else
		return;
	v->listening = false;
	loop_timer_start(v->e->pump, 0); /* what it waits for may have changed */
}

static void end_visit(struct esl_visit *v)
{
	struct esl_engine *e = v->e;
	struct esl_label *l = v->label;

	esl_visit_called(v);
	loop_timer_stop(v->timer);
	memset(v->hash, 0, sizeof(v->hash));
	v->label = NULL;
	loop_timer_start(e->pump, 0); /* the link is free for the next */
	if (!l)
		return;
	l->visit = NULL;
	l->coming_back = false;
	/* One that did not go by itself advertises, and is to be believed at once. */
	if (v->left || v->connected)
		l->heard_us = v->left ? esl_now(e) : 0;
	esl_reconsider(e, l);
}

void visit_began(struct esl_visit *v, enum esl_visit_step step, int r)
{
	v->step = step;
	v->busy = r >= 0;
	if (r < 0) { /* nothing is under way: the connection, if any, is given up */
		if (v->label)
			v->label->visit_after_us = esl_now(v->e) + US_PER_SEC;
		end_visit(v);
	}
}

static void close_link(struct esl_visit *v, const uint8_t *addr)
{
	visit_began(v, ESL_STEP_CLOSE,
		    v->e->link->ops->disconnect(v->e->link, addr, visit_step_done, v));
}

void visit_fail(struct esl_visit *v, int err, const char *text)
{
	struct esl_engine *e = v->e;
	struct esl_label *l = v->label;
	bool connected = v->connected && err != -ERR_CLOSED && !v->broken;

	e->stats.upload_failures++;
	e->failures[v->step]++;
	l->image_absent = false;
	if (l->visit_failures < UINT8_MAX)
		l->visit_failures++;
	l->call_failed = !v->connected && !v->by_advert;
	if (l->call_failed)
		e->listen_until_us = esl_now(e) + LISTEN_US;
	/* It will hardly be in its subevent. */
	if (!v->by_advert && (v->connected || v->advertises))
		l->visit_after_us = esl_now(e) + ADVERT_SOON_US;
	if (l->visit_failures > QUICK_RETRIES) {
		unsigned int shift = MIN(l->visit_failures - QUICK_RETRIES - 1u, 6u);

		l->visit_after_us = esl_now(e) + MIN(US_PER_SEC << shift, LONGEST_RETRY_US);
		esl_report_error(e, l, err, text, NULL);
	}
	if (!v->connected && !v->by_advert && l->visit_failures >= LOST_AFTER &&
	    l->phase == ESL_PHASE_SYNCED && !l->rekeying) {
		l->phase = ESL_PHASE_LOST;
		esl_report_lost(e, l);
	}
	if (connected)
		close_link(v, l->addr);
	else
		end_visit(v);
}

/* --- commissioning ---------------------------------------------------------------------------- */

static int configure(struct esl_visit *v)
{
	struct esl_engine *e = v->e;
	struct esl_label *l = v->label;
	struct esl_link_config c;
	uint32_t abs_ms;
	int r = 0;

	if (!l->has_address)
		r = esl_label_allocate(e, l);
	if (r == 0)
		r = esl_random(&e->rng, l->response_key, sizeof(l->response_key));
	l->configured = false;
	/* In the train it goes on with the old ones, should it not hear of the new: it is visited
	 * again. Otherwise it goes on advertising. */
	l->rekeying = !v->by_advert;
	v->key_gen = e->key_gen;
	/* Kept before it is used: a label whose key nobody has is a label somebody must walk to. */
	if (r == 0)
		r = esl_save_label(e, l);
	if (r == 0)
		r = esl_time_to_set(e, &v->new_gen, &abs_ms);
	if (r < 0) {
		v->label->visit_failures = MAX(v->label->visit_failures, QUICK_RETRIES);
		visit_fail(v, r,
			   r == -ENOSPC
				   ? "This access point's train has no place for another label."
				   : "The label's keys could not be stored, so it was not joined.");
		return r;
	}
	v->time_asked_us = esl_now(e);
	c = (struct esl_link_config){.esl_address = esl_address(l->group, l->id), .abs_ms = abs_ms};
	memcpy(c.response_key, l->response_key, sizeof(c.response_key));
	memcpy(c.train_key, e->train_key_wire, sizeof(c.train_key));
	visit_began(v, ESL_STEP_CONFIGURE,
		    e->link->ops->configure(e->link, l->addr, &c, visit_step_done, v));
	explicit_bzero(&c, sizeof(c));
	return 0;
}

static void learn_leds(struct esl_visit *v, const struct esl_link_result *res)
{
	struct esl_label *l = v->label;
	uint8_t n = MIN(res->n_leds, ESL_LEDS_MAX);
	bool same = l->leds_known && l->n_leds == n && memcmp(l->leds, res->leds, n) == 0;

	l->leds_known = true;
	l->n_leds = n;
	memcpy(l->leds, res->leds, n);
	if (!same && !v->by_advert) /* or the report of its joining tells */
		esl_report_status(v->e, l);
}

/** What a label measures is read once a day, at a visit that is made anyway. */
static uint16_t today(const struct esl_engine *e)
{
	return e->time.utc_known ? (uint16_t) (esl_utc(e) / (INT64_C(86400) * US_PER_SEC)) : 0;
}

/** Who says how pictures get onto its panel. */
static uint8_t describe(const struct esl_engine *e, const struct esl_link_result *res)
{
	struct pixel_identity id = res->identity;
	int i;

	id.width = res->displays[0].width;
	id.height = res->displays[0].height;
	id.display_type = res->displays[0].type;
	i = pixel_table_find(e->pixels, &id);
	return i < 0 ? ESL_NO_PIXELS : (uint8_t) i;
}

static void learn_info(struct esl_visit *v, const struct esl_link_result *res)
{
	struct esl_label *l = v->label;
	const struct esl_display *d = &res->displays[0];
	uint8_t pixels;

	if (res->n_displays == 0) {
		visit_fail(v, ERR_PEER, "The label says that it has no display.");
		return;
	}
	pixels = describe(v->e, res);
	if (l->info_known && (l->width != d->width || l->height != d->height ||
			      l->display_type != d->type || l->pixels != pixels))
		esl_label_forget_slots(l);
	l->pixels = pixels;
	l->width = d->width;
	l->height = d->height;
	l->display_type = d->type;
	l->battery_mv = res->battery_mv;
	l->temperature_cc = res->temperature_cc;
	if (esl_label_set_slots(l, (uint8_t) MIN(res->max_image_index + 1, ESL_SLOTS_MAX)) < 0) {
		visit_fail(v, -ENOMEM, "The access point is out of memory.");
		return;
	}
	l->info_known = true;
	l->info_stale = false;
	l->no_timed = false; /* it may have learned */
	learn_leds(v, res);
	esl_sensors_learn(v->e, l, res);
	l->info_day = today(v->e);
	v->readings = *res;
	v->info = false;
	visit_advance(v);
}

/**
 * The value was right when it was asked for, and took effect somewhere within one connection event
 * before the answer to it came, if nothing was lost. Where it took longer nobody knows by how much
 * the label's clock is behind: it is written again.
 */
static void clock_was_set(struct esl_visit *v)
{
	struct esl_label *l = v->label;
	int64_t took_us = esl_now(v->e) - v->time_asked_us, lag_us = took_us - CONN_EVENT_US / 2;

	l->time_lag_ms = (uint16_t) (MIN(MAX(lag_us, 0), LONGEST_LAG_US) / US_PER_MS);
	if (l->time_gen != v->new_gen && l->pending.state != ESL_PENDING_NONE) {
		/* Its instant was meant on the old count. */
		l->pending.state = ESL_PENDING_FOREIGN;
		l->pending.at_us = ESL_NEVER;
		l->queue_known = false;
	}
	l->time_gen = v->new_gen;
	l->time_set_us = esl_now(v->e);
	v->time = took_us > 2 * CONN_EVENT_US && ++v->time_tries < TIME_TRIES;
}

/* --- the steps -------------------------------------------------------------------------------- */

static bool may_set_time(const struct esl_engine *e, const struct esl_label *l)
{
	/* A rewritten clock moves a change that is about to happen. */
	return l->pending.state == ESL_PENDING_NONE || l->pending.at_us - esl_now(e) > NEAR_FLIP_US;
}

/** How long until a label that has just been told of the train hears it: what it was told points to
 * the first subevent. One that came back although it was given so long, or where nobody knows when
 * that is, gets a whole interval. */
static int64_t hears_in_us(const struct esl_engine *e, struct esl_label *l)
{
	int64_t wait_us = esl_beat_wait(e, 0);

	l->hasty = !l->hasty && e->beat_known;
	if (!l->hasty)
		return e->interval_us + HEAR_MARGIN_US;
	return (wait_us < HEAR_MARGIN_US ? wait_us + e->interval_us : wait_us) + HEARD_US;
}

/** A visit that broke before it was over need not wait anew: the label's radio goes on. Should that
 * be wrong it comes back once more, and is waited for. */
static void told_of_train(struct esl_visit *v)
{
	if (v->by_advert && !v->label->in_step_us)
		v->label->in_step_us = esl_now(v->e) + hears_in_us(v->e, v->label);
}

/**
 * A label that was out of step knows where the train is from the moment it is told, but hears it
 * only when it next comes by; told to go before that, it would have nowhere to go and advertise
 * again. Everything else of the visit is done meanwhile.
 */
static bool wait_for_train(struct esl_visit *v)
{
	int64_t wait_us = v->label->in_step_us - esl_now(v->e);

	if (!v->by_advert || wait_us <= 0)
		return false;
	v->step = ESL_STEP_WAIT_TRAIN;
	loop_timer_start(v->timer, wait_us);
	return true;
}

void visit_advance(struct esl_visit *v)
{
	struct esl_engine *e = v->e;
	struct esl_label *l = v->label;
	uint32_t abs_ms;

	if (v->broken) {
		visit_fail(v, -ERR_CLOSED, "The connection to the label breaks again and again.");
		return;
	}
	if (v->info) {
		visit_began(v, ESL_STEP_INFO,
			    e->link->ops->read_info(e->link, l->addr, visit_step_done, v));
		return;
	}
	/* Of another access point's, perhaps: by our clock it might come due at once. */
	if (v->configure && v->by_advert && l->pending.state == ESL_PENDING_FOREIGN &&
	    l->has_address && l->visit_failures < QUICK_RETRIES) {
		visit_clear_pending(v, 0);
		return;
	}
	if (v->configure && (v->by_advert || l->rekeying || may_set_time(e, l))) {
		(void) configure(v);
		return;
	}
	/* Others wait to come back: once this one can listen to the train, it gets its pictures
	 * through the train. */
	if (!l->forgetting &&
	    !(v->by_advert && esl_visits_hurry(e) && esl_now(e) >= l->in_step_us) &&
	    visit_next_upload(v))
		return;
	loop_timer_stop(v->timer);
	if (v->time && may_set_time(e, l) && esl_time_to_set(e, &v->new_gen, &abs_ms) == 0) {
		v->time_asked_us = esl_now(e);
		visit_began(v, ESL_STEP_SET_TIME,
			    e->link->ops->set_time(e->link, l->addr, abs_ms, visit_step_done, v));
		return;
	}
	if (wait_for_train(v))
		return;
	/* It may be back in its subevent before we hear so: the next packet already tries. */
	l->coming_back = true;
	l->phase = ESL_PHASE_SYNCED;
	esl_reconsider(e, l);
	visit_began(v, ESL_STEP_COMPLETE,
		    e->link->ops->update_complete(e->link, l->addr, visit_step_done, v));
}

static void completed(struct esl_visit *v)
{
	struct esl_engine *e = v->e;
	struct esl_label *l = v->label;

	v->left = true;
	l->in_step_us = 0; /* should it advertise again, it did not hear */
	l->visit_failures = 0;
	l->misses = 0;
	l->awaiting = false;
	l->lost_reported = false;
	if (v->rekeyed && !v->configure) {
		esl_report_associated(e, l);
		esl_report_waiting(e, l, NULL, 0);
		if (l->shown_slot != ESL_NO_SLOT && l->slots[l->shown_slot].held)
			esl_report_shown(e, l);
	}
	if (v->by_advert) {
		/* It must have found the train before it can be called through it. */
		l->visit_after_us = MAX(l->visit_after_us, esl_now(e) + e->interval_us);
		esl_flash_restarted(e, l);
		l->ping_at_us = esl_now(e);
		l->status_reported_s = esl_seconds(esl_now(e)); /* the report carries it all */
		esl_report_associated(e, l);
		esl_report_waiting(e, l, NULL, 0);
	}
	esl_report_sensors(e, l, &v->readings);
	if (esl_save_label(e, l) < 0)
		esl_report_error(e, l, -EIO, "The label's state could not be stored.", NULL);
	end_visit(v);
}

static void step_done(struct esl_visit *v, const struct esl_link_result *res)
{
	switch (v->step) {
	case ESL_STEP_CONNECT:
		v->connected = true;
		if (v->by_advert)
			v->e->advert_came_us = esl_now(v->e);
		v->label->call_failed = false;
		esl_label_cut_flights(v->e, v->label); /* what it heard before is settled */
		v->label->awaiting = false;
		if (res->rebonded) {
			esl_label_was_reset(v->label);
			v->info = v->configure = true;
		}
		visit_advance(v);
		break;
	case ESL_STEP_INFO:
		learn_info(v, res);
		break;
	case ESL_STEP_CONFIGURE:
		v->configure = false;
		v->label->configured = true;
		told_of_train(v);
		esl_keys_given(v->e, v->label, v->key_gen);
		clock_was_set(v);
		visit_advance(v);
		break;
	case ESL_STEP_CLEAR_PENDING:
		visit_pending_cleared(v, res);
		break;
	case ESL_STEP_SET_TIME:
		clock_was_set(v);
		visit_advance(v);
		break;
	case ESL_STEP_WRITE:
		v->e->stats.resumed += res->resumed_at > 0;
		visit_image_written(v);
		break;
	case ESL_STEP_COMPLETE:
		completed(v);
		break;
	case ESL_STEP_CLOSE:
	case ESL_STEP_WAIT_IMAGE:
	case ESL_STEP_WAIT_TRAIN:
		end_visit(v);
		break;
	}
}

static const char *trouble(const struct esl_visit *v, int err)
{
	if (v->step == ESL_STEP_CONNECT && v->by_advert && err == -ERR_PEER)
		return "The label refuses to be joined: it may belong to another access point, "
		       "and must then be reset first.";
	switch (v->step) {
	case ESL_STEP_CONNECT:
		return "The label could not be reached.";
	case ESL_STEP_WRITE:
		return "The picture could not be sent to the label.";
	case ESL_STEP_INFO:
	case ESL_STEP_CONFIGURE:
		return "The label could not be joined to this access point.";
	default:
		return "The label was reached, but the connection failed.";
	}
}

void visit_step_done(void *user, int err, const struct esl_link_result *res)
{
	struct esl_visit *v = user;

	v->busy = false;
	esl_visit_called(v);
	if (!v->label) {
		end_visit(v);
		return;
	}
	if (v->step == ESL_STEP_CLOSE)
		end_visit(v);
	else if (err < 0)
		visit_fail(v, err, trouble(v, err));
	else
		step_done(v, res);
}

static void on_patience(void *user)
{
	struct esl_visit *v = user;

	/* The timer is not active any more: visit_advance() does not wait again. */
	if (v->label && (v->step == ESL_STEP_WAIT_IMAGE || v->step == ESL_STEP_WAIT_TRAIN))
		visit_advance(v);
}

/** The label's trouble was a picture: that one. */
static bool waits_for(const struct esl_label *l, const uint8_t *hash)
{
	for (int i = 0; i < l->n_wishes; i++)
		if (memcmp(l->wishes[i].image, hash, IMAGE_HASH_BYTES) == 0)
			return !l->visit_failures;
	return false;
}

void esl_visit_image_here(struct esl_engine *e, const uint8_t hash[IMAGE_HASH_BYTES])
{
	struct esl_label *l, *next;
	bool by_advert;

	for (l = TAILQ_FIRST(&e->visit_queue[ESL_VISIT_ABSENT]); l; l = next) {
		next = TAILQ_NEXT(l, visit_link);
		if (!waits_for(l, hash))
			continue;
		l->visit_after_us = 0;
		esl_set_queue(e, l, esl_visit_need(e, l, &by_advert));
	}
	for (unsigned int i = 0; i < ESL_VISITS_MAX; i++) {
		struct esl_visit *v = &e->visits[i];

		if (!v->label)
			continue;
		if (v->step == ESL_STEP_WAIT_TRAIN || /* perhaps for this label: it has the time */
		    (v->step == ESL_STEP_WAIT_IMAGE &&
		     memcmp(v->hash, hash, IMAGE_HASH_BYTES) == 0))
			loop_timer_start(v->timer, 0);
	}
}

void esl_visit_lost(struct esl_engine *e, struct esl_label *l)
{
	struct esl_visit *v = l->visit;

	if (!v)
		return;
	v->broken = true;
	if (v->busy)
		return; /* its completion will say so */
	visit_fail(v, -ERR_CLOSED, trouble(v, -ERR_CLOSED));
	(void) e;
}

void esl_visits_detach(struct esl_engine *e, struct esl_label *l)
{
	(void) e;
	if (!l->visit)
		return;
	l->visit->label = NULL;
	l->visit = NULL;
}

void esl_visit_begin(struct esl_visit *v, struct esl_label *l, bool by_advert, bool listening)
{
	struct esl_engine *e = v->e;

	v->label = l;
	l->visit = v;
	l->image_absent = false;
	esl_set_queue(e, l, ESL_URGENCY_NONE);
	v->by_advert = by_advert;
	v->configure = by_advert || l->rekeying || esl_keys_stale(e, l);
	v->rekeyed = v->configure && !by_advert;
	v->readings.n_sensors = 0;
	v->info = l->info_stale || (!by_advert && l->info_known && l->info_day != today(e)) ||
		  (by_advert && !l->info_known);
	v->time = !by_advert && esl_time_is_old(e, l);
	v->broken = false;
	v->connected = v->left = v->advertises = false;
	v->writes = 0;
	v->time_tries = v->clear_tries = 0;
	l->coming_back = false;
	if (l->info_stale && e->link->ops->doubt)
		e->link->ops->doubt(e->link, l->addr);
	v->listening = listening;
	if (listening && e->n_listening++ == 0)
		e->listening_us = esl_now(e);
	if (!listening)
		e->calling = v;
	visit_began(v, ESL_STEP_CONNECT,
		    e->link->ops->connect(e->link, l->addr, by_advert ? ESL_ADVERTISING : l->group,
					  l->id, visit_step_done, v));
}

int esl_visits_init(struct esl_engine *e)
{
	for (unsigned int i = 0; i < ESL_VISITS_MAX; i++) {
		int r;

		e->visits[i].e = e;
		r = loop_timer_new(e->loop, on_patience, &e->visits[i], &e->visits[i].timer);
		if (r < 0)
			return r;
	}
	return 0;
}

void esl_visits_done(struct esl_engine *e)
{
	for (unsigned int i = 0; i < ESL_VISITS_MAX; i++)
		loop_timer_free(e->visits[i].timer);
}
