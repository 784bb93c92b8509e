/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/oepl_world.h"

#include "common/err.h"
#include "esl-radio/oepl/net.h"
#include "esl-radio/oepl/oepl.h"
#include "tests/unit/test_common.h"
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* --- the seam's twin -------------------------------------------------------------------------- */

#define PARAMS_MAX 16

struct twin {
	struct oepl_net net;
	struct oepl_world *w;
	struct sim_oepl *ap;
	struct oepl_net_callbacks cb;
	void *user;
	struct loop_timer *answer, *opened;
	bool busy, listening;
	struct sim_oepl_reply reply;
	size_t max_reply;
};

static void feed_message(void *user, const char *text, size_t len)
{
	struct twin *t = user;

	t->cb.message(t->user, (const uint8_t *) text, len);
}

static void feed_closed(void *user)
{
	struct twin *t = user;

	t->listening = false;
	t->cb.feed(t->user, false);
}

static void on_opened(void *user)
{
	static const struct sim_oepl_listener cb = {.message = feed_message, .closed = feed_closed};
	struct twin *t = user;

	if (sim_oepl_listen(t->ap, &cb, t) < 0) {
		feed_closed(t);
		return;
	}
	t->w->listens++;
	t->cb.feed(t->user, true);
}

static int twin_listen(struct oepl_net *n, bool on)
{
	struct twin *t = (struct twin *) n;

	if (!on) {
		loop_timer_stop(t->opened);
		sim_oepl_unlisten(t->ap, t);
		t->listening = false;
		return 0;
	}
	if (t->listening)
		return -ERR_STATE;
	t->listening = true;
	loop_timer_start(t->opened, t->w->latency_us);
	return 0;
}

static void on_answer(void *user)
{
	struct twin *t = user;
	struct sim_oepl_reply sim = t->reply;
	struct oepl_reply reply = {
		.status = sim.status, .body = sim.body.data, .len = sim.body.len};

	t->busy = false;
	if (sim.status == 0)
		reply = (struct oepl_reply){.err = -ECONNREFUSED};
	else if (sim.body.len > t->max_reply)
		reply = (struct oepl_reply){.err = -ERR_TOO_LARGE};
	t->cb.reply(t->user, &reply);
	buf_done(&sim.body);
}

/** As a server takes a query apart. */
static size_t query(char *text, struct sim_oepl_param *params)
{
	char *mark = strchr(text, '?'), *save = NULL;
	size_t n = 0;

	if (!mark)
		return 0;
	*mark = '\0';
	for (char *p = strtok_r(mark + 1, "&", &save); p; p = strtok_r(NULL, "&", &save)) {
		char *eq = strchr(p, '=');

		assert_non_null(eq);
		*eq = '\0';
		params[n++] =
			(struct sim_oepl_param){.name = p, .value = eq + 1, .len = strlen(eq + 1)};
	}
	return n;
}

/** True if the request never comes to the access point. */
static bool goes_astray(struct twin *t, const char *path)
{
	struct oepl_world *w = t->w;

	if (!w->astray.path || strcmp(w->astray.path, path) != 0)
		return false;
	w->astray.asked++;
	t->reply = (struct sim_oepl_reply){.status = w->astray.fail ? 500 : 0};
	if (w->astray.fail || w->astray.lose == 0)
		return w->astray.fail;
	w->astray.lose--;
	return true;
}

static int twin_request(struct oepl_net *n, const struct oepl_request *req)
{
	struct twin *t = (struct twin *) n;
	struct sim_oepl_param params[PARAMS_MAX];
	struct sim_oepl_request asked = {.post = req->n_fields > 0, .params = params};
	char path[256];

	assert_false(t->busy);
	snprintf(path, sizeof(path), "%s", req->path);
	asked.path = path;
	asked.n = query(path, params);
	for (size_t i = 0; i < req->n_fields; i++)
		params[asked.n++] = (struct sim_oepl_param){.name = req->fields[i].name,
							    .value = req->fields[i].data,
							    .len = req->fields[i].len,
							    .file = req->fields[i].filename};
	t->busy = true;
	t->max_reply = req->max_reply;
	if (!goes_astray(t, path))
		sim_oepl_answer(t->ap, &asked, &t->reply);
	loop_timer_start(t->answer, t->w->latency_us);
	return 0;
}

static void twin_set(struct oepl_net *n, const struct oepl_net_callbacks *cb, void *user)
{
	struct twin *t = (struct twin *) n;

	t->cb = *cb;
	t->user = user;
}

static void twin_free(struct oepl_net *n)
{
	struct twin *t = (struct twin *) n;

	if (t->busy)
		buf_done(&t->reply.body);
	sim_oepl_unlisten(t->ap, t);
	loop_timer_free(t->answer);
	loop_timer_free(t->opened);
	free(t);
}

static struct oepl_net *twin_new(struct oepl_world *w, struct sim_oepl *ap)
{
	static const struct oepl_net_ops ops = {
		.set = twin_set, .request = twin_request, .listen = twin_listen, .free = twin_free};
	struct twin *t = calloc(1, sizeof(*t));

	assert_non_null(t);
	t->net.ops = &ops;
	t->w = w;
	t->ap = ap;
	assert_int_equal(loop_timer_new(w->loop, on_answer, t, &t->answer), 0);
	assert_int_equal(loop_timer_new(w->loop, on_opened, t, &t->opened), 0);
	return &t->net;
}

/* --- the engine's owner ----------------------------------------------------------------------- */

static void on_report(void *user, const struct esl_report *r)
{
	struct oepl_world *w = user;
	size_t i = 0;
	struct told *t;

	while (i < w->n_labels && memcmp(w->addrs[i], r->addr, ESL_ADDR_BYTES) != 0)
		i++;
	if (i == w->n_labels) {
		w->strangers++;
		return;
	}
	t = &w->told[i];
	t->seen += r->kind == ESL_SEEN;
	t->associated += r->kind == ESL_ASSOCIATED;
	t->sent += r->kind == ESL_SENT;
	t->shown += r->kind == ESL_SHOWN;
	t->errors += r->kind == ESL_ERROR;
	t->lost += r->kind == ESL_LOST;
	t->status += r->kind == ESL_STATUS;
	if (r->width) {
		t->width = r->width;
		t->height = r->height;
		t->display_type = r->display_type;
	}
	if (r->kind == ESL_SENT)
		t->sent_at_us = r->at_us;
	if (r->kind == ESL_LOST)
		snprintf(t->lost_text, sizeof(t->lost_text), "%s", r->text);
	if (r->kind == ESL_ERROR)
		snprintf(t->error, sizeof(t->error), "%s", r->text);
	if (r->kind == ESL_STATUS && r->led) {
		t->led = r->led;
		snprintf(t->led_text, sizeof(t->led_text), "%s", r->text);
	}
	if (r->kind == ESL_STATUS) {
		t->battery_mv = r->battery_mv;
		t->temperature_cc = r->temperature_cc;
		t->rssi_dbm = r->rssi_dbm;
	}
	if (r->kind != ESL_SHOWN)
		return;
	memcpy(t->image, r->image, sizeof(t->image));
	t->grade = r->grade;
	t->shown_at_us = r->at_us;
}

static void on_need_image(void *user, const uint8_t hash[IMAGE_HASH_BYTES])
{
	struct oepl_world *w = user;

	if (w->withhold)
		return;
	for (size_t i = 0; i < w->n_pictures; i++)
		if (memcmp(w->pictures[i].hash, hash, IMAGE_HASH_BYTES) == 0)
			assert_int_equal(esl_engine_image(w->engine, hash, w->pictures[i].data.data,
							  w->pictures[i].data.len),
					 0);
}

static int on_save(void *user, const char *key, const void *data, size_t len)
{
	struct oepl_world *w = user;
	size_t i = 0;

	while (i < w->n_kept && strcmp(w->kept[i].key, key) != 0)
		i++;
	assert_true(i < ARRAY_SIZE(w->kept));
	if (i == w->n_kept)
		w->n_kept++;
	snprintf(w->kept[i].key, sizeof(w->kept[i].key), "%s", key);
	buf_clear(&w->kept[i].data);
	buf_put(&w->kept[i].data, data, len);
	return 0;
}

static void on_radio(void *user, bool up, int err, const char *text)
{
	struct oepl_world *w = user;

	(void) err;
	w->ups += up;
	w->downs += !up;
	snprintf(w->radio_text, sizeof(w->radio_text), "%s", text ? text : "");
}

static const struct esl_engine_callbacks callbacks = {
	.report = on_report, .need_image = on_need_image, .save = on_save, .radio = on_radio};

static void begin(struct oepl_world *w)
{
	struct oepl_way ways[WORLD_APS + 1] = {{.url = "http://ap", .net = twin_new(w, w->ap)}};

	for (size_t i = 0; i < w->n_others; i++) {
		ways[i + 1].net = twin_new(w, w->others[i]);
		snprintf(ways[i + 1].url, sizeof(ways[0].url), "http://ap%zu", i + 2);
	}
	assert_int_equal(oepl_new_over(w->loop, &callbacks, w, ways, w->n_others + 1, &w->engine),
			 0);
	for (size_t i = 0; i < w->n_kept; i++)
		if (w->kept[i].data.len)
			assert_int_equal(esl_engine_restore(w->engine, w->kept[i].key,
							    w->kept[i].data.data,
							    w->kept[i].data.len),
					 0);
	esl_engine_set_utc(w->engine, 0, 1000);
	assert_int_equal(esl_engine_start(w->engine), 0);
}

static void know_labels(struct oepl_world *w, const struct sim_oepl *ap)
{
	for (unsigned int i = 0; i < sim_oepl_tags(ap); i++) {
		struct sim_oepl_view v;

		assert_true(w->n_labels < WORLD_LABELS);
		sim_oepl_get(ap, i, &v);
		memcpy(w->addrs[w->n_labels++], v.mac + 2, ESL_ADDR_BYTES);
	}
}

void world_start_many(struct oepl_world *w, const struct sim_oepl_config *cfg, size_t n)
{
	struct sim_oepl_config one = *cfg;

	memset(w, 0, sizeof(*w));
	w->latency_us = 40 * US_PER_MS;
	assert_int_equal(loop_new_virtual(US_PER_SEC, WORLD_UTC_US, &w->loop), 0);
	assert_int_equal(sim_oepl_new(w->loop, cfg, &w->ap), 0);
	know_labels(w, w->ap);
	while (w->n_others + 1 < n) {
		one.index++;
		one.seed++;
		assert_int_equal(sim_oepl_new(w->loop, &one, &w->others[w->n_others]), 0);
		know_labels(w, w->others[w->n_others++]);
	}
	begin(w);
}

void world_start(struct oepl_world *w, const struct sim_oepl_config *cfg)
{
	world_start_many(w, cfg, 1);
}

void world_kill(struct oepl_world *w)
{
	esl_engine_free(w->engine);
	begin(w);
}

void world_stop(struct oepl_world *w)
{
	if (!w->loop)
		return;
	esl_engine_free(w->engine);
	sim_oepl_free(w->ap);
	for (size_t i = 0; i < w->n_others; i++)
		sim_oepl_free(w->others[i]);
	loop_free(w->loop);
	for (size_t i = 0; i < w->n_pictures; i++)
		buf_done(&w->pictures[i].data);
	for (size_t i = 0; i < w->n_kept; i++)
		buf_done(&w->kept[i].data);
	w->loop = NULL;
}

void world_run(struct oepl_world *w, int64_t seconds)
{
	loop_run_until(w->loop, clock_mono_us(loop_clock(w->loop)) + seconds * US_PER_SEC);
}

int64_t world_utc(const struct oepl_world *w)
{
	return clock_real_us(loop_clock(w->loop));
}

/* --- pictures and wishes ---------------------------------------------------------------------- */

static uint8_t display_type(const struct sim_oepl_type *t)
{
	if (t->colours < 3)
		return DISPLAY_BLACK_WHITE;
	return t->yellow ? DISPLAY_YELLOW_BLACK_WHITE : DISPLAY_RED_BLACK_WHITE;
}

void world_picture(struct oepl_world *w, unsigned int number, uint8_t ret[IMAGE_HASH_BYTES])
{
	struct sim_oepl_view v;
	struct buf data = BUF_INIT;
	struct image im;

	sim_oepl_get(w->ap, 0, &v);
	assert_int_equal(image_init(&im, v.type->width, v.type->height, display_type(v.type)), 0);
	/* Thin lines, blocks and a number in bits: nothing that blurs may pass. */
	for (unsigned int x = 0; x < im.width; x++) {
		for (unsigned int y = 0; y < im.height; y++) {
			bool black = x == 3 || y == 5 || (x / 7 + y / 9 + number) % 5 == 0 ||
				     (y > 20 && y < 30 && number >> (x / 16) % 16 & 1);
			bool colour = im.planes > 1 && number % 3 && x > im.width / 2u &&
				      (x + y) % 11 < 3;

			image_set(&im, 0, x, y, black && !colour);
			if (im.planes > 1)
				image_set(&im, 1, x, y, colour);
		}
	}
	image_encode(&im, &data);
	image_done(&im);
	image_hash(data.data, data.len, ret);
	for (size_t i = 0; i < w->n_pictures; i++) {
		if (memcmp(w->pictures[i].hash, ret, IMAGE_HASH_BYTES) == 0) {
			buf_done(&data);
			return;
		}
	}
	assert_true(w->n_pictures < ARRAY_SIZE(w->pictures));
	memcpy(w->pictures[w->n_pictures].hash, ret, IMAGE_HASH_BYTES);
	w->pictures[w->n_pictures++].data = data;
}

void world_view(const struct oepl_world *w, unsigned int i, struct sim_oepl_view *ret)
{
	const struct sim_oepl *ap = w->ap;
	int at = sim_oepl_find(ap, w->addrs[i]);

	for (size_t k = 0; at < 0 && k < w->n_others; k++) {
		ap = w->others[k];
		at = sim_oepl_find(ap, w->addrs[i]);
	}
	assert_true(at >= 0);
	sim_oepl_get(ap, (unsigned int) at, ret);
}

void world_addr(const struct oepl_world *w, unsigned int i, uint8_t ret[ESL_ADDR_BYTES])
{
	memcpy(ret, w->addrs[i], ESL_ADDR_BYTES);
}

void world_want(struct oepl_world *w, unsigned int i, unsigned int number, int64_t from_us)
{
	struct esl_want want = {.n = 1};

	world_addr(w, i, want.addr);
	world_picture(w, number, want.timeline[0].image);
	want.timeline[0].from_us = from_us;
	assert_int_equal(esl_engine_want(w->engine, &want), 0);
}

void world_want_two(struct oepl_world *w, unsigned int i, unsigned int first, unsigned int second,
		    int64_t from_us)
{
	struct esl_want want = {.n = 2};

	world_addr(w, i, want.addr);
	world_picture(w, first, want.timeline[0].image);
	world_picture(w, second, want.timeline[1].image);
	want.timeline[1].from_us = from_us;
	assert_int_equal(esl_engine_want(w->engine, &want), 0);
}

void world_want_all(struct oepl_world *w, unsigned int n, unsigned int first)
{
	for (unsigned int i = 0; i < n; i++)
		world_want(w, i, first + i, 0);
}

bool world_shows(struct oepl_world *w, unsigned int i, unsigned int number)
{
	uint8_t hash[IMAGE_HASH_BYTES];
	struct sim_oepl_view v;

	world_picture(w, number, hash);
	world_view(w, i, &v);
	return v.frame && memcmp(v.frame_hash, hash, sizeof(hash)) == 0;
}

bool world_told(struct oepl_world *w, unsigned int i, unsigned int number)
{
	uint8_t hash[IMAGE_HASH_BYTES];

	world_picture(w, number, hash);
	return w->told[i].shown && memcmp(w->told[i].image, hash, sizeof(hash)) == 0;
}

unsigned int world_showing(struct oepl_world *w, unsigned int n, unsigned int first)
{
	unsigned int good = 0;

	for (unsigned int i = 0; i < n; i++)
		good += world_shows(w, i, first + i) && world_told(w, i, first + i);
	return good;
}
