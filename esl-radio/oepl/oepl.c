/* SPDX-License-Identifier: Apache-2.0 */
#include "esl-radio/oepl/oepl.h"

#include "common/err.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

static struct oepl *oepl_of(struct esl_engine *e)
{
	return (struct oepl *) (void *) e;
}

/* --- labels ----------------------------------------------------------------------------------- */

struct oepl_label *oepl_find(const struct oepl *o, const uint8_t addr[ESL_ADDR_BYTES])
{
	struct oepl_label *l;

	HASH_FIND(hh, o->labels, addr, ESL_ADDR_BYTES, l);
	return l;
}

struct oepl_label *oepl_find_or_add(struct oepl *o, const uint8_t addr[ESL_ADDR_BYTES])
{
	struct oepl_label *l = oepl_find(o, addr);

	if (l || HASH_COUNT(o->labels) >= OEPL_TAGS_MAX)
		return l;
	l = calloc(1, sizeof(*l));
	if (!l)
		return NULL;
	memcpy(l->addr, addr, ESL_ADDR_BYTES);
	HASH_ADD(hh, o->labels, addr, ESL_ADDR_BYTES, l);
	if (!l->hh.tbl) {
		free(l);
		return NULL;
	}
	return l;
}

void oepl_drop(struct oepl *o, struct oepl_label *l)
{
	if (o->turn == l)
		o->turn = l->hh.next;
	HASH_DEL(o->labels, l);
	free(l);
}

const struct oepl_type *oepl_type_of(const struct oepl *o, const struct oepl_label *l)
{
	const struct oepl_type_slot *slot = &o->types[l->rec.hw_type];

	return l->present && slot->state == OEPL_TYPE_GOOD ? &slot->type : NULL;
}

/* --- clockwork -------------------------------------------------------------------------------- */

void oepl_pump_soon(struct oepl *o)
{
	if (!loop_timer_active(o->soon))
		loop_timer_start(o->soon, 0);
}

/** Urgent first: who shows something wrong now goes before who is sent something ahead. Then in
 * turn, so that one that fails does not hold up the rest. */
static bool label_work(struct oepl *o, struct oepl_label *l)
{
	return l->wanted || l->forgetting
		       ? oepl_send_work(o, l) || (l->wanted && oepl_flash_work(o, l))
		       : false;
}

static void pump(void *user)
{
	struct oepl *o = user;
	unsigned int n = HASH_COUNT(o->labels);
	struct oepl_label *l;

	if (!o->started || o->job != OEPL_JOB_NONE || oepl_ap_work(o))
		return;
	for (l = o->turn; n > 0; n--) {
		if (!l)
			l = o->labels;
		o->turn = l->hh.next;
		if (label_work(o, l))
			return;
		l = o->turn;
	}
}

static void tick(void *user)
{
	struct oepl *o = user;
	struct oepl_label *l, *next;
	unsigned int in_flight = 0;

	HASH_ITER (hh, o->labels, l, next) {
		/* Here alone, so that no label goes away under somebody's feet. */
		if (l->forgetting && !(l->present && l->sending.state != OEPL_SENDING_NONE)) {
			oepl_forget_saved(o, l);
			oepl_drop(o, l);
			continue;
		}
		oepl_label_tick(o, l);
		in_flight += oepl_is_awaited(o, l);
	}
	o->in_flight = in_flight;
	loop_timer_start(o->tick, OEPL_SECOND_US);
	pump(o);
}

/* --- the seam's side -------------------------------------------------------------------------- */

static void on_reply(void *user, const struct oepl_reply *reply)
{
	struct oepl *o = user;
	enum oepl_job job = o->job;
	struct oepl_label *l;

	o->job = OEPL_JOB_NONE;
	oepl_pump_soon(o);
	if (!oepl_ap_answered(o, reply))
		return;
	if (job < OEPL_JOB_ASK) {
		oepl_ap_answer(o, job, reply);
		return;
	}
	l = oepl_find(o, o->job_addr);
	if (!l)
		return;
	if (job == OEPL_JOB_FLASH)
		oepl_flash_answer(o, l, reply);
	else
		oepl_send_answer(o, l, job, reply);
}

static void on_feed(void *user, bool up)
{
	oepl_ap_feed(user, up);
}

static void on_message(void *user, const uint8_t *text, size_t len)
{
	oepl_ap_message(user, text, len);
}

void oepl_ask(struct oepl *o, enum oepl_job job, const struct oepl_label *l,
	      const struct oepl_request *req)
{
	int r;

	o->stats.packets++;
	if (l)
		memcpy(o->job_addr, l->addr, sizeof(o->job_addr));
	r = o->net->ops->request(o->net, req);
	if (r < 0)
		o->ap.retry_us = oepl_now(o) + US_PER_SEC;
	else
		o->job = job;
}

/* --- wishes ----------------------------------------------------------------------------------- */

static int want(struct esl_engine *e, const struct esl_want *w)
{
	struct oepl *o = oepl_of(e);
	struct oepl_label *l;

	if (w->n > ESL_TIMELINE_MAX)
		return -ERR_RANGE;
	for (size_t i = 1; i < w->n; i++)
		if (w->timeline[i].from_us < w->timeline[i - 1].from_us)
			return -ERR_RANGE;
	l = oepl_find_or_add(o, w->addr);
	if (!l)
		return -ENOMEM;
	l->n_wishes = (uint8_t) w->n;
	for (size_t i = 0; i < w->n; i++) {
		memcpy(l->wishes[i].image, w->timeline[i].image, IMAGE_HASH_BYTES);
		l->wishes[i].from_us = w->timeline[i].from_us;
	}
	l->forgetting = false;
	l->hold_us = 0; /* a new wish is a new chance */
	if (!l->wanted) {
		l->wanted = true;
		oepl_label_meet(o, l);
	}
	oepl_flash_want(o, l, w->flash_until_us, w->flash_colour);
	oepl_pump_soon(o);
	return 0;
}

static void forget(struct esl_engine *e, const uint8_t addr[ESL_ADDR_BYTES])
{
	struct oepl *o = oepl_of(e);
	struct oepl_label *l = oepl_find(o, addr);

	if (!l)
		return;
	l->wanted = false;
	l->n_wishes = 0;
	l->forgetting = true; /* first what is queued for it is taken back */
	oepl_pump_soon(o);
}

static int image(struct esl_engine *e, const uint8_t hash[IMAGE_HASH_BYTES], const void *data,
		 size_t len)
{
	struct oepl *o = oepl_of(e);
	int r = oepl_picture_put(o, hash, data, len);

	if (r == 0)
		oepl_pump_soon(o);
	return r;
}

static void set_utc(struct esl_engine *e, int64_t offset_us, int64_t uncertainty_us)
{
	struct oepl *o = oepl_of(e);

	(void) uncertainty_us; /* seconds are all that matters here */
	o->utc_us = clock_real_us(o->clock) + offset_us - oepl_now(o);
	o->utc_known = true;
	oepl_pump_soon(o);
}

static void tell(struct esl_engine *e)
{
	struct oepl *o = oepl_of(e);
	struct oepl_label *l, *next;

	HASH_ITER (hh, o->labels, l, next) {
		if (!l->wanted || !l->associated)
			continue;
		oepl_tell_associated(o, l);
		if (l->sending.state != OEPL_SENDING_NONE)
			oepl_tell_sent(o, l);
		if (l->shown.known && l->shown.told)
			oepl_tell_shown(o, l);
	}
}

static void get_stats(const struct esl_engine *e, struct esl_stats *ret)
{
	const struct oepl *o = (const struct oepl *) (const void *) e;
	const struct oepl_label *l;

	*ret = o->stats;
	ret->labels = ret->synced = 0;
	for (l = o->labels; l; l = l->hh.next) {
		ret->labels += l->wanted;
		ret->synced += l->wanted && l->present && l->heard_us && !oepl_is_lost(o, l);
	}
}

/** See ESL_SIGNAL_STEPS. */
static unsigned int signal_step(int dbm)
{
	int step = dbm < -95 ? 0 : (dbm + 95) / 5 + 1;

	return (unsigned int) MIN(step, ESL_SIGNAL_STEPS - 1);
}

static void get_view(const struct esl_engine *e, struct esl_radio_view *ret)
{
	const struct oepl *o = (const struct oepl *) (const void *) e;

	*ret = (struct esl_radio_view){.driver = "oepl", .capacity = OEPL_TAGS_MAX};
	(void) snprintf(ret->controller, sizeof(ret->controller), "OpenEPaperLink access point");
	for (const struct oepl_label *l = o->labels; l; l = l->hh.next) {
		const struct oepl_wish *w = oepl_target(o, l);

		if (!l->wanted)
			continue;
		ret->lost += l->lost_told;
		ret->waiting += w && !(l->shown.known &&
				       memcmp(l->shown.image, w->image, IMAGE_HASH_BYTES) == 0);
		if (l->rec.rssi_dbm)
			ret->signal[signal_step(l->rec.rssi_dbm)]++;
	}
}

/* --- life ------------------------------------------------------------------------------------- */

static int restore(struct esl_engine *e, const char *key, const void *data, size_t len)
{
	struct oepl *o = oepl_of(e);

	if (o->started)
		return -ERR_STATE;
	if (strncmp(key, OEPL_KEEPS, strlen(OEPL_KEEPS)) != 0)
		return 0; /* another engine's */
	return oepl_restore(o, key, data, len);
}

static int start(struct esl_engine *e)
{
	struct oepl *o = oepl_of(e);

	if (o->started)
		return -ERR_STATE;
	o->started = true;
	loop_timer_start(o->tick, 0);
	return 0;
}

static void release(struct esl_engine *e)
{
	struct oepl *o = oepl_of(e);
	struct oepl_label *l, *next;

	o->net->ops->free(o->net); /* first: no callback comes after this */
	HASH_ITER (hh, o->labels, l, next)
		oepl_drop(o, l);
	oepl_pictures_done(o);
	loop_timer_free(o->tick);
	loop_timer_free(o->soon);
	free(o);
}

int oepl_new_over(struct loop *loop, const struct esl_engine_callbacks *cb, void *user,
		  struct oepl_net *net, struct esl_engine **ret)
{
	static const struct esl_engine_ops ops = {.restore = restore,
						  .start = start,
						  .free = release,
						  .set_utc = set_utc,
						  .want = want,
						  .forget = forget,
						  .image = image,
						  .tell = tell,
						  .get_stats = get_stats,
						  .get_view = get_view};
	static const struct oepl_net_callbacks net_cb = {
		.reply = on_reply, .feed = on_feed, .message = on_message};
	struct oepl *o = calloc(1, sizeof(*o));
	struct esl_engine *e = (struct esl_engine *) (void *) o;
	int r;

	if (!o) {
		net->ops->free(net);
		return -ENOMEM;
	}
	o->door.ops = &ops;
	o->loop = loop;
	o->clock = loop_clock(loop);
	o->cb = *cb;
	o->user = user;
	o->net = net;
	o->ap.apstate = -1;
	o->ap.config.stopsleep = true;
	o->utc_us = clock_real_us(o->clock) - oepl_now(o);
	net->ops->set(net, &net_cb, o);
	r = loop_timer_new(loop, tick, o, &o->tick);
	if (r == 0)
		r = loop_timer_new(loop, pump, o, &o->soon);
	if (r < 0) {
		release(e);
		return r;
	}
	*ret = e;
	return 0;
}

int esl_oepl_new(struct loop *loop, const struct esl_engine_config *cfg,
		 const struct esl_engine_callbacks *cb, void *user, struct esl_engine **ret)
{
	struct oepl_net *net;
	int r = oepl_net_http(loop, cfg->oepl, &net);

	return r < 0 ? r : oepl_new_over(loop, cb, user, net, ret);
}

int esl_oepl_check(const char *url)
{
	return oepl_url_check(url);
}
