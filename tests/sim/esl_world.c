/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/esl_world.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

const struct sim_label_model world_small = {
	.width = 64,
	.height = 32,
	.type = DISPLAY_BLACK_WHITE,
	.slots = 3,
	.leds = 1,
	.personality = SIM_PERSONALITY_SL,
	.redraw_us = US_PER_SEC,
	.clock_ppm = 20,
};

static void on_report(void *user, const struct esl_report *r)
{
	struct world *w = user;

	if (getenv("WORLD_VERBOSE"))
		fprintf(stderr, "# %8.3f label %u kind %d grade %d at %.3f %s\n",
			(double) (world_now(w) - WORLD_START) / 1e6, r->addr[5], r->kind, r->grade,
			(double) (r->at_us - WORLD_UTC) / 1e6, r->text);
	w->reports[w->n_reports++ % WORLD_REPORTS] = *r;
}

static int on_save(void *user, const char *key, const void *data, size_t len)
{
	struct world *w = user;
	struct world_blob *b = NULL;

	w->saves++;
	if (w->kill_at && w->saves >= w->kill_at && (w->killed || !w->kill_after))
		w->killed = true;
	if (w->save_fails || w->killed)
		return -EIO;
	w->killed = w->kill_at && w->saves == w->kill_at;
	for (size_t i = 0; i < w->n_blobs; i++)
		if (strcmp(w->blobs[i].key, key) == 0)
			b = &w->blobs[i];
	if (!b) {
		assert_true(w->n_blobs < WORLD_BLOBS);
		b = &w->blobs[w->n_blobs++];
		snprintf(b->key, sizeof(b->key), "%s", key);
	}
	free(b->data);
	b->data = NULL;
	b->len = len;
	if (len) {
		b->data = malloc(len);
		assert_non_null(b->data);
		memcpy(b->data, data, len);
	}
	return 0;
}

/** Picture n is noise, which does not compress. */
static void draw(const struct sim_label_model *m, uint32_t n, struct image *ret)
{
	uint32_t noise = n * UINT32_C(2654435761) + 1;

	assert_int_equal(image_init(ret, m->width, m->height, m->type), 0);
	for (size_t i = 0; i < image_stride(ret) * ret->height; i++) {
		noise = noise * 1664525u + 1013904223u;
		if (m->width % 8 == 0)
			ret->data[i] = (uint8_t) (noise >> 24);
	}
	if (m->width % 8)
		memcpy(ret->data, &n, sizeof(n));
}

/** Names of all pictures there are, made when the first is asked for. */
static void name_images(struct world *w)
{
	uint8_t(*names)[IMAGE_HASH_BYTES];

	if (w->names)
		return;
	names = calloc(WORLD_IMAGES, sizeof(*names));
	assert_non_null(names);
	for (uint32_t n = 1; n < WORLD_IMAGES; n++)
		world_image(w, 0, n, names[n]);
	w->names = names;
}

static void on_need_image(void *user, const uint8_t hash[IMAGE_HASH_BYTES])
{
	struct world *w = user;
	struct image im;

	w->asked++;
	if (w->no_images)
		return;
	name_images(w);
	for (uint32_t n = 1; n < WORLD_IMAGES; n++) {
		struct sim_label_view v = world_view(w, 0);
		_cleanup_buf_ struct buf b = BUF_INIT;

		if (memcmp(w->names[n], hash, IMAGE_HASH_BYTES) != 0)
			continue;
		draw(&v.model, n, &im);
		image_encode(&im, &b);
		image_done(&im);
		assert_int_equal(esl_engine_image(w->engine, hash, b.data, b.len), 0);
		return;
	}
}

static void on_radio(void *user, bool up, int err, const char *text)
{
	struct world *w = user;

	(void) err;
	(void) text;
	w->up = up;
}

static const struct esl_engine_callbacks callbacks = {
	.report = on_report,
	.need_image = on_need_image,
	.save = on_save,
	.radio = on_radio,
};

void world_start(struct world *w)
{
	assert_int_equal(esl_engine_new(w->loop, &w->cfg, &callbacks, w, &w->engine), 0);
	for (size_t i = 0; i < w->n_blobs; i++)
		if (w->blobs[i].len)
			assert_int_equal(esl_engine_restore(w->engine, w->blobs[i].key,
							    w->blobs[i].data, w->blobs[i].len),
					 0);
	assert_int_equal(esl_engine_start(w->engine), 0);
	esl_engine_set_utc(w->engine, 0, 1000);
}

void world_open(struct world *w, unsigned int labels, const struct sim_label_model *model,
		double loss, uint64_t seed)
{
	world_open_train(w, labels, model, loss, seed, &(struct esl_train){0});
}

void world_open_train(struct world *w, unsigned int labels, const struct sim_label_model *model,
		      double loss, uint64_t seed, const struct esl_train *train)
{
	struct sim_radio_config rc = {.name = "ap1", .loss = loss, .index = 1, .seed = seed};

	memset(w, 0, sizeof(*w));
	w->n_labels = labels;
	snprintf(w->dir, sizeof(w->dir), "/tmp/esl-XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	snprintf(w->hci, sizeof(w->hci), "unix:%s/hci", w->dir);
	assert_int_equal(loop_new_virtual(WORLD_START, WORLD_UTC, &w->loop), 0);
	assert_int_equal(sim_radio_new(w->loop, &rc, &w->radio), 0);
	assert_int_equal(sim_radio_add_labels(w->radio, model, labels), 0);
	assert_int_equal(sim_radio_listen(w->radio, w->hci + 5), 0);
	if (getenv("WORLD_CAPTURE"))
		assert_int_equal(sim_radio_capture(w->radio, getenv("WORLD_CAPTURE")), 0);
	w->cfg = (struct esl_engine_config){
		.train = *train, .hci = w->hci, .seed = (uint32_t) seed + 1};
	world_start(w);
	world_run(w, US_PER_SEC);
	assert_true(w->up);
}

void world_close(struct world *w)
{
	esl_engine_free(w->engine);
	sim_radio_free(w->radio);
	for (size_t i = 0; i < w->n_blobs; i++)
		free(w->blobs[i].data);
	free(w->names);
	loop_run_until(w->loop, world_now(w));
	loop_free(w->loop);
	unlink(w->hci + 5);
	rmdir(w->dir);
}

void world_restart(struct world *w)
{
	esl_engine_free(w->engine);
	w->cfg.seed++; /* or it would draw the same keys again */
	w->kill_at = 0;
	w->killed = false;
	world_run(w, US_PER_SEC);
	world_start(w);
}

void world_run_to_kill(struct world *w, int64_t us)
{
	for (int64_t end_us = world_now(w) + us; !w->killed && world_now(w) < end_us;)
		world_run(w, US_PER_MS);
}

unsigned int world_end_at_each_save(world_life_fn life)
{
	unsigned int ends = 0;

	for (unsigned int n = 1; life(n, false); n++)
		ends += 1 + life(n, true);
	return ends;
}

int64_t world_now(const struct world *w)
{
	return clock_mono_us(loop_clock(w->loop));
}

int64_t world_utc(const struct world *w)
{
	return clock_real_us(loop_clock(w->loop));
}

void world_run(struct world *w, int64_t us)
{
	loop_run_until(w->loop, world_now(w) + us);
}

void world_addr(unsigned int i, uint8_t addr[ESL_ADDR_BYTES])
{
	static const uint8_t first[ESL_ADDR_BYTES] = {0xc0, 0xff, 0xee, 1, 0, 0};

	memcpy(addr, first, ESL_ADDR_BYTES);
	addr[4] = (uint8_t) ((i + 1) >> 8);
	addr[5] = (uint8_t) (i + 1);
}

void world_image(const struct world *w, unsigned int i, uint32_t n,
		 uint8_t ret_hash[IMAGE_HASH_BYTES])
{
	if (w->names && n < WORLD_IMAGES) {
		memcpy(ret_hash, w->names[n], IMAGE_HASH_BYTES);
		return;
	}

	struct sim_label_view v = world_view(w, i);
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct image im;

	draw(&v.model, n, &im);
	image_encode(&im, &b);
	image_done(&im);
	image_hash(b.data, b.len, ret_hash);
}

void world_want(struct world *w, unsigned int i, uint32_t picture)
{
	struct esl_want want = {.n = picture ? 1 : 0};

	world_addr(i, want.addr);
	if (picture)
		world_image(w, i, picture, want.timeline[0].image);
	want.timeline[0].from_us = world_utc(w);
	assert_int_equal(esl_engine_want(w->engine, &want), 0);
}

void world_want_two(struct world *w, unsigned int i, uint32_t now, uint32_t later,
		    int64_t later_utc_us)
{
	struct esl_want want = {.n = 2};

	world_addr(i, want.addr);
	world_image(w, i, now, want.timeline[0].image);
	want.timeline[0].from_us = 1;
	world_image(w, i, later, want.timeline[1].image);
	want.timeline[1].from_us = later_utc_us;
	assert_int_equal(esl_engine_want(w->engine, &want), 0);
}

void world_adopt_all(struct world *w)
{
	struct esl_stats stats;

	for (unsigned int i = 0; i < w->n_labels; i++)
		world_want(w, i, 0);
	for (unsigned int s = 0; s < 300 + 3 * w->n_labels; s++) { /* who joins takes turns */
		world_run(w, US_PER_SEC);
		esl_engine_get_stats(w->engine, &stats);
		if (stats.synced == w->n_labels)
			break;
	}
	assert_int_equal(stats.synced, w->n_labels);
	world_run(w, 10 * US_PER_SEC);
}

struct sim_label_view world_view(const struct world *w, unsigned int i)
{
	struct sim_label_view v;

	sim_label_get(sim_radio_label(w->radio, i), &v);
	return v;
}

bool world_shows(const struct world *w, unsigned int i, uint32_t picture)
{
	struct sim_label_view v = world_view(w, i);
	uint8_t name[IMAGE_HASH_BYTES];

	world_image(w, i, picture, name);
	return v.frame && memcmp(v.frame_hash, name, sizeof(name)) == 0;
}

unsigned int world_showing(const struct world *w, uint32_t picture)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < w->n_labels; i++)
		n += world_shows(w, i, picture);
	return n;
}

void world_show_all(struct world *w, uint32_t picture, int64_t at_most_us)
{
	int64_t end_us = world_now(w) + at_most_us;

	for (unsigned int i = 0; i < w->n_labels; i++)
		world_want(w, i, picture);
	while (world_showing(w, picture) < w->n_labels && world_now(w) < end_us)
		world_run(w, US_PER_SEC);
	assert_int_equal(world_showing(w, picture), w->n_labels);
}

void world_show(struct world *w, unsigned int i, uint32_t picture)
{
	size_t mark = world_mark(w);

	world_want(w, i, picture);
	assert_true(world_await(w, mark, i, ESL_SHOWN, ESL_GRADE_CONFIRMED, picture,
				60 * US_PER_SEC) >= 0);
	assert_true(world_shows(w, i, picture));
}

size_t world_mark(const struct world *w)
{
	return w->n_reports;
}

const struct esl_report *world_find(const struct world *w, size_t mark, unsigned int i,
				    enum esl_report_kind kind, uint32_t picture)
{
	uint8_t addr[ESL_ADDR_BYTES], name[IMAGE_HASH_BYTES];

	world_addr(i, addr);
	if (picture)
		world_image(w, i, picture, name);
	assert_true(w->n_reports - mark <= WORLD_REPORTS);
	for (size_t k = mark; k < w->n_reports; k++) {
		const struct esl_report *r = &w->reports[k % WORLD_REPORTS];

		if (r->kind == kind && memcmp(r->addr, addr, sizeof(addr)) == 0 &&
		    (!picture || memcmp(r->image, name, sizeof(name)) == 0))
			return r;
	}
	return NULL;
}

int64_t world_await(struct world *w, size_t mark, unsigned int i, enum esl_report_kind kind,
		    enum esl_grade grade, uint32_t picture, int64_t at_most_us)
{
	int64_t start_us = world_now(w);
	size_t from = mark;

	for (;;) {
		const struct esl_report *r;

		while ((r = world_find(w, from, i, kind, picture))) {
			if (r->grade >= grade)
				return world_now(w) - start_us;
			from = (size_t) (r - w->reports) + 1;
			if (w->n_reports > WORLD_REPORTS)
				from = w->n_reports; /* the ring has turned: look at what comes */
		}
		if (world_now(w) - start_us >= at_most_us)
			return -1;
		world_run(w, 10 * US_PER_MS);
	}
}
