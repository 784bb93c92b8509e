/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/shop/wanted.h"
#include "common/err.h"
#include "common/fault.h"
#include "common/log.h"
#include "controller/promo/offer.h"
#include "controller/promo/promotion.h"
#include "controller/shop/desired.h"
#include "controller/shop/label_notify.h"
#include "controller/shop/shop_internal.h"
#include "controller/shop/template.h"
#include "controller/shop/wanted_draw.h"
#include "controller/shop/wanted_store.h"
#include <errno.h>
#include <string.h>

#define RETRY_US  (2 * US_PER_SEC)
#define TIMER_MAX (INT64_C(300) * US_PER_SEC)
#define BACK_US   US_PER_SEC /* a clock set back by less changes no timeline */

struct wanted {
	struct shop *shop;
	bool running; /* a batch is under way */
	bool again;   /* somebody kicked meanwhile */
	bool stopped;
	bool turning; /* prices that have come into force are being marked */
	struct loop_timer *timer;
	int64_t turned_us; /* prices up to here have been marked */
	struct wanted_batch batch;
};

static void run_batch(struct wanted *w);

/* --- prices that come into force by themselves -------------------------------------------------
 */

struct turn {
	struct wanted *w;
	int64_t from_us, to_us;
	size_t n;
	int64_t products[256];
};

static int turn_write(struct sql *s, void *arg)
{
	struct turn *t = arg;

	return wanted_store_turn(s, t->from_us, t->to_us, t->products, ARRAY_SIZE(t->products),
				 &t->n);
}

static void publish_price(struct shop *s, int64_t product_id, int64_t now_us)
{
	struct offer_step step;
	char from[CLOCK_RFC3339_MAX];

	if (offer_timeline(db_reader(s->app->db), product_id, now_us, 1, &step) < 1)
		return;
	events_publish(s->app->events, "price",
		       json_pack("{s:I,s:I,s:s,s:s}", "product_id", (json_int_t) product_id,
				 "price_minor", (json_int_t) step.price_minor, "currency",
				 step.currency, "from", clock_rfc3339(step.from_us, from)));
}

static void turn_done(void *arg, int err)
{
	struct turn *t = arg;
	struct wanted *w = t->w;

	w->turning = false;
	if (err == 0) {
		bool first = t->from_us == 0;

		w->turned_us = t->to_us;
		for (size_t i = 0; i < t->n && !first && !w->stopped; i++)
			publish_price(w->shop, t->products[i], t->to_us);
		if (!first && !w->stopped)
			promotion_publish_edges(w->shop->app, t->from_us, t->to_us);
		wanted_kick(w);
	} else if (!w->stopped) {
		loop_timer_start(w->timer, RETRY_US);
	}
	free(t);
}

static void begin_turn(struct wanted *w)
{
	struct turn *t;

	if (w->turning || w->stopped)
		return;
	t = calloc(1, sizeof *t);
	if (!t) {
		loop_timer_start(w->timer, RETRY_US);
		return;
	}
	t->w = w;
	t->from_us = w->turned_us;
	t->to_us = clock_real_us(w->shop->app->clock);
	if (t->to_us < t->from_us && t->to_us + BACK_US > t->from_us)
		t->to_us = t->from_us;
	w->turning = true;
	if (db_write(w->shop->app->db, turn_write, turn_done, t) < 0) {
		w->turning = false;
		free(t);
		loop_timer_start(w->timer, RETRY_US);
	}
}

static void on_timer(void *user)
{
	begin_turn(user);
}

/* All pictures are made: sleep until the next offer changes, or comes near enough to be put on its
 * labels. The clock may be set meanwhile, so look again every few minutes. */
static void sleep_until_next(struct wanted *w)
{
	struct sql *s = db_reader(w->shop->app->db);
	int64_t now = clock_real_us(w->shop->app->clock), next, near;

	if (offer_next_change(s, w->turned_us, &next) < 0 ||
	    offer_next_change(s, w->turned_us + OFFER_AHEAD_US, &near) < 0)
		next = near = now + RETRY_US;
	else if (near != INT64_MAX)
		near -= OFFER_AHEAD_US;
	next = MIN(MIN(next, near), now + TIMER_MAX);
	if (next <= now)
		begin_turn(w); /* it came while the last turn was being written */
	else
		loop_timer_start(w->timer, next - now + US_PER_MS);
}

/* --- batches -----------------------------------------------------------------------------------
 */

static void batch_stored(void *arg, int err)
{
	struct wanted *w = arg;
	struct wanted_batch *b = &w->batch;
	bool more = b->n == WANTED_BATCH;

	w->running = false;
	if (err < 0) {
		log_write(LOG_ERR, "wanted", err, "labels=%zu msg=\"will be tried again\"", b->n);
		if (!w->stopped)
			loop_timer_start(w->timer, RETRY_US);
		wanted_batch_clear(b);
		return;
	}
	w->shop->stats.rendered += b->drawn;
	for (size_t i = 0; i < b->n && !w->stopped; i++) {
		bool seen = false;

		for (size_t k = 0; k < i && !seen; k++)
			seen = b->labels[k].changed &&
			       b->labels[k].agent_id == b->labels[i].agent_id;
		if (b->labels[i].changed && b->labels[i].agent_id && !seen)
			desired_wake(w->shop->desired, b->labels[i].agent_id);
	}
	for (size_t i = 0; i < b->n && !w->stopped; i++)
		label_notify(w->shop, b->labels[i].addr);
	wanted_batch_clear(b);
	if (w->stopped)
		return;
	if (more || w->again)
		run_batch(w);
	else
		sleep_until_next(w);
}

static int batch_write(struct sql *s, void *arg)
{
	struct wanted *w = arg;

	return wanted_store_batch(s, &w->batch);
}

static void batch_drawn(struct shop_job *job)
{
	struct wanted_batch *b = (struct wanted_batch *) job;
	struct wanted *w = b->owner;

	if (b->err == 0 && b->n == 0) {
		w->running = false;
		if (w->again && !w->stopped)
			run_batch(w);
		else if (!w->stopped)
			sleep_until_next(w);
		return;
	}
	FAULT_POINT("ctl.wanted.before_store");
	if (b->err == 0)
		b->err = db_write(w->shop->app->db, batch_write, batch_stored, w);
	if (b->err < 0)
		batch_stored(w, b->err);
}

static void run_batch(struct wanted *w)
{
	w->running = true;
	w->again = false;
	w->batch.job = (struct shop_job){.work = wanted_draw_batch, .done = batch_drawn};
	w->batch.owner = w;
	w->batch.images = w->shop->images;
	w->batch.currency = w->shop->currency;
	w->batch.zone = w->shop->app->config->store_zone;
	w->batch.now_us = clock_real_us(w->shop->app->clock);
	shop_work_submit(w->shop->work, &w->batch.job, true);
}

void wanted_kick(struct wanted *w)
{
	if (!w || w->stopped)
		return;
	if (w->running)
		w->again = true;
	else
		run_batch(w);
}

int wanted_new(struct shop *s, struct wanted **ret)
{
	struct wanted *w = calloc(1, sizeof *w);
	int r;

	if (!w)
		return -ENOMEM;
	w->shop = s;
	r = loop_timer_new(s->app->loop, on_timer, w, &w->timer);
	if (r < 0) {
		free(w);
		return r;
	}
	*ret = w;
	begin_turn(w); /* marks what came into force while nobody looked, then makes the pictures */
	return 0;
}

void wanted_stop(struct wanted *w)
{
	if (!w)
		return;
	w->stopped = true;
	loop_timer_stop(w->timer);
}

void wanted_free(struct wanted *w)
{
	if (!w)
		return;
	loop_timer_free(w->timer);
	wanted_batch_clear(&w->batch);
	free(w);
}
