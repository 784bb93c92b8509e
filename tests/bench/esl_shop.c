/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/esl_shop.h"
#include "esl-radio/wake.h"

#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define PICTURES 8

const struct esl_train shop_train_sl = {1248, 26, 48, 34, 6, 23};
const struct esl_train shop_train_nrf = {1408, 128, 11, 8, 3, 8};

/** Few pictures, of one size, shared by all labels of all shops. */
static uint16_t width = 64, height = 32;
static uint8_t type = DISPLAY_BLACK_WHITE;
static struct picture {
	struct buf bytes;
	uint8_t hash[IMAGE_HASH_BYTES];
} pictures[PICTURES];

void shop_must(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "bench: %s: failed\n", what);
	exit(1);
}

static const struct picture *picture(uint32_t n)
{
	struct picture *p = &pictures[n % PICTURES];
	struct image im;

	if (p->bytes.len)
		return p;
	shop_must(image_init(&im, width, height, type) == 0, "picture");
	memcpy(im.data, &n, sizeof(n));
	image_encode(&im, &p->bytes);
	image_done(&im);
	image_hash(p->bytes.data, p->bytes.len, p->hash);
	return p;
}

/* --- the engine's owner ----------------------------------------------------------------------- */

static void on_report(void *user, const struct esl_report *r)
{
	struct shop *s = user;

	s->lost += r->kind == ESL_LOST;
	s->errors += r->kind == ESL_ERROR;
}

static int on_save(void *user, const char *key, const void *data, size_t len)
{
	struct shop *s = user;

	(void) key;
	(void) data;
	(void) len;
	s->saves++;
	return 0;
}

static void on_need_image(void *user, const uint8_t hash[IMAGE_HASH_BYTES])
{
	struct shop *s = user;

	for (uint32_t n = 1; n < PICTURES; n++)
		if (memcmp(picture(n)->hash, hash, IMAGE_HASH_BYTES) == 0)
			shop_must(esl_engine_image(s->engine, hash, picture(n)->bytes.data,
						   picture(n)->bytes.len) == 0,
				  "picture handed over");
}

static const struct esl_engine_callbacks callbacks = {
	.report = on_report,
	.need_image = on_need_image,
	.save = on_save,
};

static void choose_panel(uint16_t w, uint16_t h, uint8_t t)
{
	if (w == width && h == height && t == type)
		return;
	width = w;
	height = h;
	type = t;
	for (int n = 0; n < PICTURES; n++)
		buf_done(&pictures[n].bytes);
	memset(pictures, 0, sizeof(pictures));
}

static void open_shop(struct shop *s, const struct shop_config *cfg)
{
	struct sim_radio_config rc = {
		.name = "ap", .loss = cfg->loss, .index = cfg->index, .seed = cfg->seed};
	struct sim_label_model model = {.width = width,
					.height = height,
					.type = type,
					.slots = 2,
					.leds = 1,
					.redraw_us = 800 * US_PER_MS,
					.clock_spread_ppm = cfg->spread_ppm,
					.corrects_clock = cfg->corrects_clock};
	struct esl_engine_config ec = {.train = cfg->train,
				       .max_links = cfg->max_links,
				       .hci = s->hci,
				       .seed = (uint32_t) cfg->seed + 1};
	struct esl_stats stats;

	memset(s, 0, sizeof(*s));
	s->cfg = *cfg;
	snprintf(s->dir, sizeof(s->dir), "/tmp/esl-shop-XXXXXX");
	shop_must(mkdtemp(s->dir) != NULL, "directory");
	snprintf(s->hci, sizeof(s->hci), "unix:%s/hci", s->dir);
	s->loop = cfg->loop;
	if (!s->loop)
		shop_must(loop_new_virtual(SHOP_START, SHOP_UTC, &s->loop) == 0, "loop");
	shop_must(sim_radio_new(s->loop, &rc, &s->radio) == 0, "radio");
	shop_must(sim_radio_add_labels(s->radio, &model, cfg->labels) == 0, "labels");
	shop_must(sim_radio_listen(s->radio, s->hci + 5) == 0, "socket");
	shop_must(esl_engine_new(s->loop, &ec, &callbacks, s, &s->engine) == 0, "engine");
	shop_must(esl_engine_start(s->engine) == 0, "start");
	esl_engine_set_utc(s->engine, 0, 1000);
	shop_run(s, US_PER_SEC);
	esl_engine_get_stats(s->engine, &stats);
	shop_must(stats.radio_up, "train");
}

void shop_open(struct shop *s, const struct shop_config *cfg)
{
	choose_panel(cfg->width ? cfg->width : 64, cfg->height ? cfg->height : 32,
		     cfg->type ? cfg->type : DISPLAY_BLACK_WHITE);
	open_shop(s, cfg);
}

void shop_close(struct shop *s)
{
	esl_engine_free(s->engine);
	sim_radio_free(s->radio);
	loop_run_until(s->loop, shop_now(s));
	if (!s->cfg.loop)
		loop_free(s->loop);
	unlink(s->hci + 5);
	rmdir(s->dir);
}

int64_t shop_now(const struct shop *s)
{
	return clock_mono_us(loop_clock(s->loop));
}

int64_t shop_utc(const struct shop *s)
{
	return clock_real_us(loop_clock(s->loop));
}

void shop_run(struct shop *s, int64_t us)
{
	loop_run_until(s->loop, shop_now(s) + us);
}

void shop_addr(const struct shop *s, unsigned int i, uint8_t addr[ESL_ADDR_BYTES])
{
	const uint8_t a[ESL_ADDR_BYTES] = {
		0xc0, 0xff, 0xee, s->cfg.index, (uint8_t) ((i + 1) >> 8), (uint8_t) (i + 1)};

	memcpy(addr, a, sizeof(a));
}

void shop_want(struct shop *s, unsigned int i, uint32_t now, uint32_t later, int64_t later_utc_us)
{
	struct esl_want w = {0};

	shop_addr(s, i, w.addr);
	if (now) {
		memcpy(w.timeline[w.n].image, picture(now)->hash, IMAGE_HASH_BYTES);
		w.timeline[w.n++].from_us = 1;
	}
	if (later) {
		memcpy(w.timeline[w.n].image, picture(later)->hash, IMAGE_HASH_BYTES);
		w.timeline[w.n++].from_us = later_utc_us;
	}
	shop_must(esl_engine_want(s->engine, &w) == 0, "wish");
}

/* --- labels that joined long ago -------------------------------------------------------------- */

/** The engine's half: what it would know of the label. */
static struct esl_label *seed_engine(struct shop *s, unsigned int i)
{
	struct esl_engine *e = s->engine;
	uint8_t addr[ESL_ADDR_BYTES];
	struct esl_label *l;

	shop_addr(s, i, addr);
	shop_want(s, i, 1, 2, INT64_MAX / 2);
	l = esl_label_find(e, addr);
	shop_must(l && esl_label_allocate(e, l) == 0 && esl_label_set_slots(l, 2) == 0 &&
			  esl_random(&e->rng, l->response_key, sizeof(l->response_key)) == 0,
		  "place in the train");
	for (uint32_t n = 0; n < 2; n++) {
		memcpy(l->slots[n].image, picture(n + 1)->hash, IMAGE_HASH_BYTES);
		l->slots[n].held = true;
	}
	l->width = width;
	l->height = height;
	l->display_type = type;
	l->shown_slot = 0;
	l->grade = ESL_GRADE_CONFIRMED;
	l->configured = l->info_known = l->leds_known = l->queue_known = true;
	l->phase = ESL_PHASE_SYNCED;
	l->heard_us = l->time_set_us = shop_now(s);
	/* They were heard at different times of the last twenty minutes. */
	l->ping_at_us = shop_now(s) + (int64_t) i % 1200 * US_PER_SEC;
	return l;
}

/** The label's half. */
static void seed_label(struct shop *s, unsigned int i, const struct esl_label *l, uint32_t abs_ms)
{
	struct sim_label *sl = sim_radio_label(s->radio, i);
	int64_t now_us = shop_now(s);
	uint8_t answer[ESL_PACKET_MAX], tlv[ESL_TLV_MAX];
	struct esl_cmd c = {.op = ESL_OP_DISPLAY_IMAGE, .esl_id = l->id};
	int n = esl_cmd_encode(&c, tlv, sizeof(tlv));

	sim_label_connected(sl, now_us);
	shop_must(n > 0 && sim_label_configure(sl, esl_address(l->group, l->id), l->response_key,
					       s->engine->train_key_wire, abs_ms, now_us) == 0,
		  "configuration");
	for (unsigned int k = 0; k < 2; k++)
		shop_must(sim_label_write_image(sl, k, picture(k + 1)->bytes.data,
						picture(k + 1)->bytes.len, now_us) == 0,
			  "image");
	shop_must(sim_label_control_point(sl, tlv, (size_t) n, answer, now_us) > 0 &&
			  sim_radio_sync_label(s->radio, i) == 0 &&
			  sim_label_update_complete(sl, true, now_us) == 0,
		  "synchronization");
	sim_radio_touched(s->radio, i);
}

void shop_seed(struct shop *s)
{
	struct esl_label **l = calloc(s->cfg.labels, sizeof(struct esl_label *));
	size_t before;
	uint8_t gen;
	uint32_t ms;

	shop_must(l && esl_time_to_set(s->engine, &gen, &ms) == 0, "time base");
	before = mallinfo2().uordblks + mallinfo2().hblkhd;
	for (unsigned int i = 0; i < s->cfg.labels; i++) {
		l[i] = seed_engine(s, i);
		l[i]->time_gen = gen;
		esl_reconsider(s->engine, l[i]);
	}
	s->bytes_per_label =
		(double) (mallinfo2().uordblks + mallinfo2().hblkhd - before) / s->cfg.labels;
	before = mallinfo2().uordblks + mallinfo2().hblkhd;
	for (unsigned int i = 0; i < s->cfg.labels; i++) {
		uint8_t bond[18] = {1, 1};
		char key[32];

		snprintf(key, sizeof(key), "bond:C0FFEE%02X%04X", s->cfg.index, i + 1);
		shop_must(s->engine->link->ops->restore(s->engine->link, key, bond, sizeof(bond)) ==
				  0,
			  "bond");
	}
	s->bond_bytes =
		(double) (mallinfo2().uordblks + mallinfo2().hblkhd - before) / s->cfg.labels;
	for (unsigned int i = 0; i < s->cfg.labels; i++)
		seed_label(s, i, l[i], ms);
	free(l);
	shop_run(s, 10 * US_PER_SEC);
}

int64_t shop_join(struct shop *s)
{
	int64_t start_us = shop_now(s);

	for (unsigned int i = 0; i < s->cfg.labels; i++)
		shop_want(s, i, 1, 0, 0);
	for (int k = 0; k < 3600 && shop_showing(s, 1) < s->cfg.labels; k++)
		shop_run(s, 10 * US_PER_SEC);
	shop_must(shop_showing(s, 1) == s->cfg.labels, "joining");
	return shop_now(s) - start_us;
}

/* --- looking ---------------------------------------------------------------------------------- */

bool shop_shows(const struct shop *s, unsigned int i, uint32_t n)
{
	struct sim_label_view v;

	sim_label_get(sim_radio_label(s->radio, i), &v);
	return v.frame && memcmp(v.frame_hash, picture(n)->hash, IMAGE_HASH_BYTES) == 0;
}

unsigned int shop_showing(const struct shop *s, uint32_t n)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < s->cfg.labels; i++)
		count += shop_shows(s, i, n);
	return count;
}

unsigned int shop_acknowledged(const struct shop *s)
{
	const struct esl_label *l;
	unsigned int n = 0;

	ESL_LABELS_FOREACH(s->engine, i, l)
	n += l->pending.state == ESL_PENDING_ACKED;
	return n;
}

double shop_cpu_s(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (double) (u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	       (double) (u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *) a, y = *(const double *) b;

	return (x > y) - (x < y);
}

void shop_print_spread(const char *name, double *values, size_t n, const char *unit)
{
	qsort(values, n, sizeof(*values), by_size);
	if (n == 0)
		return;
	printf("bench %s_p50 %.2f %s\n", name, values[n / 2], unit);
	printf("bench %s_p99 %.2f %s\n", name, values[n * 99 / 100], unit);
	printf("bench %s_max %.2f %s\n", name, values[n - 1], unit);
}
