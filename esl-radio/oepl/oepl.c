/* SPDX-License-Identifier: Apache-2.0 */
#include "esl-radio/oepl/oepl.h"

#include "common/err.h"
#include "esl-radio/oepl/pixels.h"
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

	if (l || HASH_COUNT(o->labels) >= OEPL_TAGS_MAX * o->n_aps)
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
	for (size_t i = 0; i < o->n_aps; i++)
		if (o->aps[i].turn == l)
			o->aps[i].turn = l->hh.next;
	HASH_DEL(o->labels, l);
	free(l->flash.budget);
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

static void pump_one(struct oepl_ap *ap)
{
	struct oepl *o = ap->o;
	unsigned int n = HASH_COUNT(o->labels);
	struct oepl_label *l;

	if (ap->job != OEPL_JOB_NONE || oepl_ap_work(ap) || oepl_home_tidy(ap))
		return;
	for (l = ap->turn; n > 0; n--) {
		if (!l)
			l = o->labels;
		ap->turn = l->hh.next;
		if (l->ap == ap && label_work(o, l))
			return;
		l = ap->turn;
	}
}

static void pump(void *user)
{
	struct oepl *o = user;

	for (size_t i = 0; o->started && i < o->n_aps; i++)
		pump_one(&o->aps[i]);
}

/** Nothing of a label that we forget may stay where we put it, unless nobody is there to ask. */
static bool is_forgotten(const struct oepl *o, const struct oepl_label *l)
{
	if (l->ap && l->sending.state != OEPL_SENDING_NONE)
		return false;
	for (size_t i = 0; i < o->n_aps; i++)
		if (l->stale & 1u << i && o->aps[i].up)
			return false;
	return true;
}

static void tick(void *user)
{
	struct oepl *o = user;
	struct oepl_label *l, *next;
	unsigned int in_flight[OEPL_APS_MAX] = {0}, homeless = 0;

	HASH_ITER (hh, o->labels, l, next) {
		/* Here alone, so that no label goes away under somebody's feet. */
		if (l->forgetting && is_forgotten(o, l)) {
			oepl_forget_saved(o, l);
			oepl_drop(o, l);
			continue;
		}
		oepl_label_tick(o, l);
		if (l->ap)
			in_flight[l->ap->number] += oepl_is_awaited(o, l);
		homeless += l->wanted && !l->ap;
	}
	o->homeless = homeless;
	for (size_t i = 0; i < o->n_aps; i++)
		o->aps[i].in_flight = in_flight[i];
	loop_timer_start(o->tick, OEPL_SECOND_US);
	pump(o);
}

/* --- the seam's side -------------------------------------------------------------------------- */

static void unanswered(struct oepl_ap *ap, enum oepl_job job)
{
	struct oepl_label *l = job < OEPL_JOB_ASK ? NULL : oepl_find(ap->o, ap->job_addr);

	if (job == OEPL_JOB_INFO)
		ap->info_asked = false;
	else if (l)
		oepl_send_unanswered(ap, l, job);
}

static void on_reply(void *user, const struct oepl_reply *reply)
{
	struct oepl_ap *ap = user;
	struct oepl *o = ap->o;
	enum oepl_job job = ap->job;
	struct oepl_label *l;

	ap->job = OEPL_JOB_NONE;
	oepl_pump_soon(o);
	if (!oepl_ap_answered(ap, reply)) {
		unanswered(ap, job);
		return;
	}
	if (job < OEPL_JOB_ASK) {
		oepl_ap_answer(ap, job, reply);
		return;
	}
	l = oepl_find(o, ap->job_addr);
	if (!l)
		return;
	if (job == OEPL_JOB_TIDY)
		oepl_home_tidied(ap, l, reply);
	else if (job == OEPL_JOB_FLASH)
		oepl_flash_answer(o, l, reply);
	else
		oepl_send_answer(ap, l, job, reply);
}

static void on_feed(void *user, bool up)
{
	oepl_ap_feed(user, up);
}

static void on_message(void *user, const uint8_t *text, size_t len)
{
	oepl_ap_message(user, text, len);
}

void oepl_ask(struct oepl_ap *ap, enum oepl_job job, const struct oepl_label *l,
	      const struct oepl_request *req)
{
	int r;

	ap->o->stats.packets++;
	if (l)
		memcpy(ap->job_addr, l->addr, sizeof(ap->job_addr));
	r = ap->net->ops->request(ap->net, req);
	if (r == 0) {
		ap->job = job;
		return;
	}
	ap->retry_us = oepl_now(ap->o) + US_PER_SEC;
	unanswered(ap, job);
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

	for (size_t i = 0; i < o->n_aps; i++) { /* first: no callback comes after this */
		o->aps[i].net->ops->free(o->aps[i].net);
		oepl_draw_drop(&o->aps[i]);
	}
	HASH_ITER (hh, o->labels, l, next)
		oepl_drop(o, l);
	oepl_pictures_done(o);
	loop_timer_free(o->tick);
	loop_timer_free(o->soon);
	free(o);
}

static void begin_ap(struct oepl *o, const struct oepl_way *way)
{
	static const struct oepl_net_callbacks net_cb = {
		.reply = on_reply, .feed = on_feed, .message = on_message};
	struct oepl_ap *ap = &o->aps[o->n_aps];
	uint8_t id[OEPL_HASH_BYTES];

	*ap = (struct oepl_ap){
		.o = o, .number = (uint8_t) o->n_aps, .net = way->net, .apstate = -1};
	oepl_hash(way->url, strlen(way->url), id);
	memcpy(&ap->id, id, sizeof(ap->id));
	ap->id |= 1; /* never 0, which means none */
	memcpy(ap->url, way->url, sizeof(ap->url));
	ap->config.stopsleep = true;
	ap->config.channel = -1;
	ap->said = (struct oepl_message){.heap = -1, .storage_free = -1, .uptime_s = -1};
	way->net->ops->set(way->net, &net_cb, ap);
	o->n_aps++;
}

static void free_ways(const struct oepl_way *ways, size_t n)
{
	for (size_t i = 0; i < n; i++)
		ways[i].net->ops->free(ways[i].net);
}

int oepl_new_over(struct loop *loop, const struct esl_engine_callbacks *cb, void *user,
		  const struct oepl_way *ways, size_t n, struct esl_engine **ret)
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
						  .get_view = oepl_get_view};
	struct oepl *o = n && n <= OEPL_APS_MAX ? calloc(1, sizeof(*o)) : NULL;
	struct esl_engine *e = (struct esl_engine *) (void *) o;
	int r;

	if (!o) {
		free_ways(ways, n);
		return n && n <= OEPL_APS_MAX ? -ENOMEM : -ERR_RANGE;
	}
	o->door.ops = &ops;
	o->loop = loop;
	o->clock = loop_clock(loop);
	o->cb = *cb;
	o->user = user;
	for (size_t i = 0; i < n; i++)
		begin_ap(o, &ways[i]);
	o->utc_us = clock_real_us(o->clock) - oepl_now(o);
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

/* --- addresses -------------------------------------------------------------------------------- */

/** The next one of a list with commas; spaces around it do not matter. 0 = that was the last, 1 =
 * there is one, negative = it is none. */
static int next_url(const char **list, char ret[OEPL_URL_MAX])
{
	size_t n = strcspn(*list, ","), blank;
	const char *from = *list;

	if (!*from)
		return 0;
	*list = from + n + (from[n] == ',');
	blank = strspn(from, " \t");
	if (blank > n)
		return -ERR_SYNTAX;
	from += blank;
	n -= blank;
	while (n && strchr(" \t", from[n - 1]))
		n--;
	if (!n || n >= OEPL_URL_MAX || (from[n] == ',' && !**list))
		return -ERR_SYNTAX;
	memcpy(ret, from, n);
	ret[n] = '\0';
	return oepl_url_check(ret) < 0 ? -ERR_SYNTAX : 1;
}

static int read_urls(const char *list, struct oepl_way ways[OEPL_APS_MAX], size_t *ret_n)
{
	char url[OEPL_URL_MAX];
	size_t n = 0;
	int r;

	while ((r = next_url(&list, url)) > 0) {
		if (n == OEPL_APS_MAX)
			return -ERR_RANGE;
		for (size_t i = 0; i < n; i++)
			if (strcmp(ways[i].url, url) == 0)
				return -ERR_SYNTAX;
		memcpy(ways[n++].url, url, sizeof(url));
	}
	*ret_n = n;
	return r == 0 && n == 0 ? -ERR_SYNTAX : r;
}

int esl_oepl_new(struct loop *loop, const struct esl_engine_config *cfg,
		 const struct esl_engine_callbacks *cb, void *user, struct esl_engine **ret)
{
	struct oepl_way ways[OEPL_APS_MAX] = {0};
	size_t n;
	int r = read_urls(cfg->oepl, ways, &n);

	for (size_t i = 0; r == 0 && i < n; i++) {
		r = oepl_net_http(loop, ways[i].url, &ways[i].net);
		if (r < 0)
			free_ways(ways, i);
	}
	return r < 0 ? r : oepl_new_over(loop, cb, user, ways, n, ret);
}

int esl_oepl_check(const char *list)
{
	struct oepl_way ways[OEPL_APS_MAX] = {0};
	size_t n;

	return read_urls(list, ways, &n);
}
