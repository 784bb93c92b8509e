/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/oepl_impl.h"

#include "common/err.h"
#include "common/hex.h"
#include <errno.h>
#include <nettle/md5.h>
#include <stdio.h>
#include <string.h>

#define DRAW_US      (INT64_C(400) * US_PER_MS) /* a picture */
#define SYS_US       (INT64_C(5) * US_PER_SEC)
#define MAXSLEEP     10
#define PHANTOM_RSSI (-99)

static const struct sim_oepl_colour four[] = {{"black", {0, 0, 0}},
					      {"white", {255, 255, 255}},
					      {"yellow", {255, 255, 0}},
					      {"red", {255, 0, 0}}};
static const struct sim_oepl_colour seven[] = {{"black", {0, 0, 0}},     {"white", {255, 255, 255}},
					       {"green", {0, 255, 0}},   {"blue", {0, 0, 255}},
					       {"red", {255, 0, 0}},     {"yellow", {255, 255, 0}},
					       {"orange", {255, 128, 0}}};

static const struct sim_oepl_type types[] = {
	{0x00, "M2 1.54\"", 152, 152, 0, 2, 0, false, 3, false, 0x25, 0, NULL},
	{0x01, "M2 2.9\"", 296, 128, 1, 2, 0, false, 3, false, 0x25, 0, NULL},
	{0x02, "M2 4.2\"", 400, 300, 0, 2, 0, false, 3, false, 0x25, 0, NULL},
	{0x33, "M3 2.9\"", 384, 168, 3, 2, 0x27, true, 3, false, 0x28, 0, NULL},
	{0x36, "M3 2.9\" yellow", 384, 168, 2, 2, 0x27, true, 3, true, 0x20, 0, NULL},
	{0x60, "plain 2.9\"", 296, 128, 1, 1, 0, true, 2, false, 0x25, 0, NULL},
	{0x11, "M2 2.9\" folded", 296, 128, 1, 2, 0, false, 3, false, 0x29, 0x29, NULL},
	{0x12, "M2 4.2\" folded", 400, 300, 0, 2, 0, false, 3, false, 0x2a, 0x29, NULL},
	{0xbb, "packed 2.9\"", 296, 128, 1, 5, 0, false, 4, false, 1, 0, four},
	{0xc0, "four colours", 360, 184, 1, 2, 0, false, 4, false, 1, 0, four},
	{0xc1, "seven colours", 640, 400, 0, 3, 0, false, 7, false, 1, 0, seven},
	{0xc2, "seven colours", 200, 120, 2, 4, 0, false, 7, false, 1, 0, seven},
};

const struct sim_oepl_type *sim_oepl_type(unsigned int id)
{
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (types[i].id == id)
			return &types[i];
	return NULL;
}

/* --- records ---------------------------------------------------------------------------------- */

struct oepl_rec *oepl_rec_find(const struct sim_oepl *ap, const uint8_t mac[SIM_OEPL_MAC_BYTES])
{
	for (unsigned int i = 0; i < ap->n_recs; i++)
		if (memcmp(ap->recs[i]->mac, mac, SIM_OEPL_MAC_BYTES) == 0)
			return ap->recs[i];
	return NULL;
}

struct oepl_rec *oepl_rec_add(struct sim_oepl *ap, const uint8_t mac[SIM_OEPL_MAC_BYTES])
{
	struct oepl_rec *rec;

	if (ap->n_recs == ap->recs_cap)
		return NULL;
	rec = calloc(1, sizeof *rec);
	if (!rec)
		return NULL;
	memcpy(rec->mac, mac, SIM_OEPL_MAC_BYTES);
	rec->tag = -1;
	ap->recs[ap->n_recs++] = rec;
	return rec;
}

static void rec_free(struct oepl_rec *rec)
{
	oepl_queue_clear(rec);
	free(rec->upload);
	free(rec->kept);
	free(rec);
}

void oepl_rec_delete(struct sim_oepl *ap, struct oepl_rec *rec)
{
	for (unsigned int i = 0; i < ap->n_recs; i++) {
		if (ap->recs[i] != rec)
			continue;
		memmove(ap->recs + i, ap->recs + i + 1, (ap->n_recs - i - 1) * sizeof *ap->recs);
		ap->n_recs--;
		rec_free(rec);
		return;
	}
}

/* --- the queue of a label --------------------------------------------------------------------- */

void oepl_queue_drop_first(struct oepl_rec *rec)
{
	if (!rec->n_queue)
		return;
	free(rec->queue[0].data);
	rec->n_queue--;
	memmove(rec->queue, rec->queue + 1, rec->n_queue * sizeof *rec->queue);
}

void oepl_queue_clear(struct oepl_rec *rec)
{
	while (rec->n_queue)
		oepl_queue_drop_first(rec);
}

bool oepl_queue_put(struct sim_oepl *ap, struct oepl_rec *rec, const struct oepl_item *item)
{
	if (rec->n_queue == OEPL_QUEUE_MAX) {
		free(item->data);
		return false;
	}
	rec->queue[rec->n_queue++] = *item;
	rec->pending = rec->n_queue;
	ap->stats.queued++;
	return true;
}

/* --- the feed --------------------------------------------------------------------------------- */

void oepl_say(struct sim_oepl *ap, json_t *message)
{
	char *text = json_dumps(message, JSON_COMPACT);

	json_decref(message);
	for (size_t i = 0; text && i < SIM_OEPL_LISTENERS; i++) {
		if (!ap->listeners[i].user)
			continue;
		ap->stats.messages++;
		ap->listeners[i].cb.message(ap->listeners[i].user, text, strlen(text));
	}
	free(text);
}

void oepl_say_text(struct sim_oepl *ap, const char *key, const char *text)
{
	oepl_say(ap, json_pack("{s:s}", key, text));
}

void oepl_say_rec(struct sim_oepl *ap, const struct oepl_rec *rec)
{
	oepl_say(ap, json_pack("{s:[o]}", "tags", oepl_rec_json(rec)));
}

static void say_sys(struct sim_oepl *ap)
{
	int64_t up_s = (oepl_now_us(ap) - ap->up_since_us) / US_PER_SEC;

	oepl_say(ap, json_pack("{s:{s:I,s:I,s:i,s:i,s:I,s:i,s:i,s:i,s:i,s:s,s:I}}", "sys",
			       "currtime", (json_int_t) oepl_now_s(ap), "heap",
			       (json_int_t) ap->heap, "recordcount", (int) ap->n_recs, "dbsize",
			       (int) ap->n_recs * 200, "littlefsfree", (json_int_t) ap->storage,
			       "apstate", 1, "runstate", 2, "rssi", -50, "wifistatus", 3,
			       "wifissid", "store", "uptime", (json_int_t) up_s));
}

int sim_oepl_listen(struct sim_oepl *ap, const struct sim_oepl_listener *cb, void *user)
{
	if (!sim_oepl_is_up(ap))
		return -ERR_CLOSED;
	for (size_t i = 0; i < SIM_OEPL_LISTENERS; i++) {
		if (ap->listeners[i].user)
			continue;
		ap->listeners[i].cb = *cb;
		ap->listeners[i].user = user;
		return 0;
	}
	return -ENOSPC;
}

void sim_oepl_unlisten(struct sim_oepl *ap, void *user)
{
	for (size_t i = 0; i < SIM_OEPL_LISTENERS; i++)
		if (ap->listeners[i].user == user)
			ap->listeners[i].user = NULL;
}

static void hang_up(struct sim_oepl *ap)
{
	for (size_t i = 0; i < SIM_OEPL_LISTENERS; i++) {
		void *user = ap->listeners[i].user;

		ap->listeners[i].user = NULL;
		if (user)
			ap->listeners[i].cb.closed(user);
	}
}

/* --- drawing ---------------------------------------------------------------------------------- */

static void draw(struct sim_oepl *ap, struct oepl_rec *rec)
{
	const struct sim_oepl_type *t = sim_oepl_type(rec->hw_type);
	_cleanup_buf_ struct buf planes = BUF_INIT;
	struct oepl_item item = {0};
	struct md5_ctx md5;
	bool poor = ap->starve > 0;

	if (poor) {
		ap->starve--;
		oepl_say_text(ap, "errMsg", "low on memory. Fallback to 1bpp");
	}
	ap->stats.drawn++;
	if (!t || oepl_draw(t, rec->upload, rec->upload_len, rec->rotate, rec->invert, poor,
			    &planes, &item.kind) < 0) {
		oepl_say_text(ap, "errMsg", "invalid jpg");
		return;
	}
	if (ap->stamps)
		planes.data[planes.len - 1] ^= (uint8_t) (1 + oepl_now_s(ap) / 60 % 255);
	md5_init(&md5);
	md5_update(&md5, planes.len, planes.data);
	md5_digest(&md5, sizeof item.ver, item.ver);
	if (memcmp(item.ver, rec->md5, sizeof item.ver) == 0) {
		ap->stats.same++;
		oepl_say_text(ap, "logMsg",
			      "new image is the same as current image. not updating tag.");
		oepl_say_rec(ap, rec);
		return;
	}
	item.data = malloc(planes.len);
	item.len = planes.len;
	if (!item.data)
		return;
	memcpy(item.data, planes.data, planes.len);
	(void) oepl_queue_put(ap, rec, &item);
	oepl_say_rec(ap, rec);
}

static void draw_next(struct sim_oepl *ap)
{
	if (oepl_now_us(ap) < ap->draw_us)
		return;
	for (unsigned int i = 0; i < ap->n_recs; i++) {
		struct oepl_rec *rec = ap->recs[i];

		/* One that was never heard gets nothing drawn. */
		if (!rec->upload || !rec->rssi)
			continue;
		ap->draw_us = oepl_now_us(ap) + oepl_takes_us(ap, DRAW_US);
		if (ap->reverts) {
			ap->reverts--;
			rec->content_mode = OEPL_MODE_REMOTE;
		} else {
			draw(ap, rec);
		}
		free(rec->upload);
		rec->upload = NULL;
		return;
	}
}

/* --- clockwork -------------------------------------------------------------------------------- */

static void run(void *user)
{
	struct sim_oepl *ap = user;
	int64_t next_us = oepl_tags_run(ap), now_us = oepl_now_us(ap);

	if (sim_oepl_is_up(ap)) {
		draw_next(ap);
		if (now_us >= ap->sys_us) {
			ap->sys_us = now_us + oepl_takes_us(ap, SYS_US);
			say_sys(ap);
		}
	}
	/* Drawing and talking do not need to be exact; labels ask to be called when they are due.
	 */
	loop_timer_start(ap->timer, MAX(MIN(next_us - now_us, 200 * US_PER_MS), US_PER_MS));
}

bool sim_oepl_is_up(const struct sim_oepl *ap)
{
	return oepl_now_us(ap) >= ap->up_again_us;
}

/* --- life ------------------------------------------------------------------------------------- */

int sim_oepl_new(struct loop *loop, const struct sim_oepl_config *cfg, struct sim_oepl **ret)
{
	struct sim_oepl *ap = calloc(1, sizeof *ap);
	int r = -ENOMEM;

	if (!ap)
		return r;
	ap->loop = loop;
	ap->clock = loop_clock(loop);
	ap->cfg = *cfg;
	ap->type = sim_oepl_type(cfg->type);
	(void) snprintf(ap->name, sizeof ap->name, "%s", cfg->name);
	if (ap->cfg.poll_s <= 0)
		ap->cfg.poll_s = 40;
	if (ap->cfg.speed <= 0)
		ap->cfg.speed = 1;
	ap->up_since_us = oepl_now_us(ap);
	ap->heap = 120000;
	ap->storage = 4000000;
	sim_rng_init(&ap->rng, cfg->seed, ap->name);
	ap->recs_cap = cfg->tags + 1024;
	ap->recs = calloc(ap->recs_cap, sizeof(struct oepl_rec *));
	if (!ap->type || cfg->tags > SIM_OEPL_MAX_TAGS)
		r = -ERR_RANGE;
	else if (ap->recs)
		r = oepl_tags_init(ap);
	if (r == 0)
		r = loop_timer_new(loop, run, ap, &ap->timer);
	if (r < 0) {
		sim_oepl_free(ap);
		return r;
	}
	loop_timer_start(ap->timer, 0);
	*ret = ap;
	return 0;
}

void sim_oepl_free(struct sim_oepl *ap)
{
	if (!ap)
		return;
	if (ap->timer)
		loop_timer_free(ap->timer);
	while (ap->n_recs)
		rec_free(ap->recs[--ap->n_recs]);
	free(ap->recs);
	oepl_tags_done(ap);
	free(ap);
}

const char *sim_oepl_name(const struct sim_oepl *ap)
{
	return ap->name;
}

void sim_oepl_get_stats(const struct sim_oepl *ap, struct sim_oepl_stats *ret)
{
	*ret = ap->stats;
	ret->records = ap->n_recs;
	ret->pending = 0;
	for (unsigned int i = 0; i < ap->n_recs; i++)
		ret->pending += ap->recs[i]->n_queue;
}

/* --- what can go wrong ------------------------------------------------------------------------ */

void sim_oepl_set_loss(struct sim_oepl *ap, double loss)
{
	ap->cfg.loss = loss;
}

void sim_oepl_restart(struct sim_oepl *ap, int64_t down_us)
{
	ap->up_again_us = oepl_now_us(ap) + down_us;
	ap->up_since_us = ap->up_again_us;
	for (unsigned int i = 0; i < ap->n_recs; i++) {
		struct oepl_rec *rec = ap->recs[i];

		oepl_queue_clear(rec);
		rec->pending = 0;
		free(rec->upload);
		rec->upload = NULL;
	}
	hang_up(ap);
}

void sim_oepl_forget(struct sim_oepl *ap)
{
	while (ap->n_recs)
		rec_free(ap->recs[--ap->n_recs]);
}

void sim_oepl_busy(struct sim_oepl *ap, int64_t for_us)
{
	ap->busy_us = oepl_now_us(ap) + for_us;
}

void sim_oepl_fail(struct sim_oepl *ap, int64_t for_us)
{
	ap->fail_us = oepl_now_us(ap) + for_us;
}

void sim_oepl_phantoms(struct sim_oepl *ap, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		uint8_t mac[SIM_OEPL_MAC_BYTES];
		struct oepl_rec *rec;

		sim_rng_bytes(&ap->rng, mac, sizeof mac);
		rec = oepl_rec_add(ap, mac);
		if (!rec)
			return;
		/* Half of them claim to be of a type that there is. */
		rec->hw_type = i % 2 ? ap->type->id : (uint8_t) sim_rng_below(&ap->rng, 256);
		rec->lastseen_s = oepl_now_s(ap);
		rec->nextcheckin_s = rec->lastseen_s + 60;
		rec->rssi = PHANTOM_RSSI;
		rec->wakeup = (uint8_t) sim_rng_below(&ap->rng, 256);
		oepl_say_rec(ap, rec);
	}
}

void sim_oepl_starve(struct sim_oepl *ap, unsigned int n)
{
	ap->starve = n;
}

void sim_oepl_break_transfers(struct sim_oepl *ap, unsigned int n)
{
	ap->breaks = n;
}

void sim_oepl_stamp(struct sim_oepl *ap, bool on)
{
	ap->stamps = on;
}

void sim_oepl_revert(struct sim_oepl *ap, unsigned int n)
{
	ap->reverts = n;
}

void sim_oepl_set_memory(struct sim_oepl *ap, int64_t heap, int64_t storage)
{
	ap->heap = heap;
	ap->storage = storage;
}

void sim_oepl_babble(struct sim_oepl *ap, unsigned int n)
{
	static const char *const nonsense[] = {
		"{",        "[1,2",           "{\"tags\":7}", "{\"tags\":[{}]}", "{\"sys\":[]}",
		"\"tags\"", "{\"errMsg\":{}}"};
	const char *text = nonsense[sim_rng_below(&ap->rng, ARRAY_SIZE(nonsense))];
	char *many = malloc(n + 1);

	if (!many)
		return;
	memset(many, '[', n);
	for (size_t i = 0; i < SIM_OEPL_LISTENERS; i++) {
		if (!ap->listeners[i].user)
			continue;
		ap->listeners[i].cb.message(ap->listeners[i].user, text, strlen(text));
		if (ap->listeners[i].user)
			ap->listeners[i].cb.message(ap->listeners[i].user, many, n);
	}
	free(many);
}
