/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/esl_fake.h"

#include "common/err.h"
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

const uint8_t fake_addr[ESL_ADDR_BYTES] = {0xc0, 0xff, 0xee, 0, 0, 1};

/* --- radio ------------------------------------------------------------------------------------ */

static int radio_start(struct esl_radio *base, const struct esl_train *train,
		       const struct esl_radio_callbacks *cb, void *user)
{
	struct fake_radio *r = (struct fake_radio *) base;

	(void) train;
	r->cb = *cb;
	r->user = user;
	return 0;
}

static int radio_set_data(struct esl_radio *base, const struct hci_subevent_data *sets, size_t n)
{
	struct fake_radio *r = (struct fake_radio *) base;

	for (size_t i = 0; i < n; i++) {
		struct fake_set *s = &r->sets[r->n_sets++];
		uint8_t plain[ESL_AD_MAX];
		const uint8_t *payload;
		struct wire w;
		size_t len;
		int got;

		s->subevent = sets[i].subevent;
		s->n = 0;
		if (sets[i].len == 0)
			continue;
		got = ead_open(&r->train_key, sets[i].data, sets[i].len, plain, sizeof(plain));
		assert_true(got > 0);
		assert_int_equal(esl_ad_find(plain, (size_t) got, &payload, &len), 0);
		wire_init(&w, payload, len);
		assert_int_equal(wire_get_u8(&w), s->subevent);
		while (wire_left(&w))
			esl_cmd_decode(&w, &s->cmd[s->n++]);
		assert_int_equal(wire_finish(&w), 0);
	}
	return 0;
}

static void radio_free(struct esl_radio *base)
{
	free(base);
}

static const struct esl_radio_ops radio_ops = {radio_start, radio_set_data, radio_free};

/* --- link ------------------------------------------------------------------------------------- */

static int link_start(struct esl_link *base, const struct esl_link_callbacks *cb, void *user)
{
	struct fake_link *l = (struct fake_link *) base;

	l->cb = *cb;
	l->user = user;
	return 0;
}

static int link_scan(struct esl_link *base, bool on)
{
	(void) base;
	assert_true(on);
	return 0;
}

static int ask(struct esl_link *base, uint8_t op, const uint8_t *addr, esl_link_done_fn done,
	       void *user)
{
	struct fake_link *l = (struct fake_link *) base;

	assert_int_equal(l->op, 0);
	l->op = op;
	memcpy(l->addr, addr, sizeof(l->addr));
	l->done = done;
	l->done_user = user;
	return 0;
}

static int link_connect(struct esl_link *l, const uint8_t *addr, uint8_t subevent, uint8_t id,
			esl_link_done_fn done, void *user)
{
	(void) id;
	((struct fake_link *) l)->subevent = subevent;
	return ask(l, FAKE_CONNECT, addr, done, user);
}

static int link_read_info(struct esl_link *l, const uint8_t *addr, esl_link_done_fn done,
			  void *user)
{
	return ask(l, FAKE_READ_INFO, addr, done, user);
}

static int link_configure(struct esl_link *l, const uint8_t *addr, const struct esl_link_config *c,
			  esl_link_done_fn done, void *user)
{
	((struct fake_link *) l)->config = *c;
	((struct fake_link *) l)->config_us = esl_now(((struct fake_link *) l)->user);
	return ask(l, FAKE_CONFIGURE, addr, done, user);
}

static int link_write_image(struct esl_link *l, const uint8_t *addr, uint8_t index,
			    const void *data, size_t len, esl_link_done_fn done, void *user)
{
	(void) data;
	assert_true(len > 0);
	((struct fake_link *) l)->index = index;
	return ask(l, FAKE_WRITE_IMAGE, addr, done, user);
}

static int link_ecp(struct esl_link *base, const uint8_t *addr, const uint8_t *tlv, size_t len,
		    esl_link_done_fn done, void *user)
{
	struct fake_link *l = (struct fake_link *) base;

	assert_true(len <= sizeof(l->tlv));
	memcpy(l->tlv, tlv, len);
	l->tlv_len = len;
	return ask(base, FAKE_ECP, addr, done, user);
}

static int link_set_time(struct esl_link *l, const uint8_t *addr, uint32_t abs_ms,
			 esl_link_done_fn done, void *user)
{
	((struct fake_link *) l)->abs_ms = abs_ms;
	return ask(l, FAKE_SET_TIME, addr, done, user);
}

static int link_update_complete(struct esl_link *l, const uint8_t *addr, esl_link_done_fn done,
				void *user)
{
	return ask(l, FAKE_UPDATE_COMPLETE, addr, done, user);
}

static int link_disconnect(struct esl_link *l, const uint8_t *addr, esl_link_done_fn done,
			   void *user)
{
	return ask(l, FAKE_DISCONNECT, addr, done, user);
}

static void link_free(struct esl_link *l)
{
	free(l);
}

static const struct esl_link_ops link_ops = {
	.start = link_start,
	.scan = link_scan,
	.connect = link_connect,
	.read_info = link_read_info,
	.configure = link_configure,
	.write_image = link_write_image,
	.ecp = link_ecp,
	.set_time = link_set_time,
	.update_complete = link_update_complete,
	.disconnect = link_disconnect,
	.free = link_free,
};

/* --- the engine's owner ----------------------------------------------------------------------- */

static void encode_image(uint32_t n, struct buf *b)
{
	struct image im;

	assert_int_equal(image_init(&im, 32, 8, DISPLAY_BLACK_WHITE), 0);
	memcpy(im.data, &n, sizeof(n));
	image_encode(&im, b);
	image_done(&im);
	assert_true(buf_ok(b));
}

void fake_image(uint32_t n, uint8_t ret_hash[IMAGE_HASH_BYTES])
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	encode_image(n, &b);
	image_hash(b.data, b.len, ret_hash);
}

static void on_need_image(void *user, const uint8_t hash[IMAGE_HASH_BYTES])
{
	struct fake *f = user;

	f->asked++;
	for (uint32_t n = 1; n < 100; n++) {
		_cleanup_buf_ struct buf b = BUF_INIT;
		uint8_t name[IMAGE_HASH_BYTES];

		fake_image(n, name);
		if (memcmp(name, hash, sizeof(name)) != 0)
			continue;
		encode_image(n, &b);
		assert_int_equal(esl_engine_image(f->engine, hash, b.data, b.len), 0);
	}
}

static void on_report(void *user, const struct esl_report *r)
{
	struct fake *f = user;

	f->reports[f->n_reports++ % FAKE_REPORTS] = *r;
}

static int on_save(void *user, const char *key, const void *data, size_t len)
{
	struct fake *f = user;

	(void) key;
	(void) data;
	(void) len;
	f->saves++;
	return f->save_err;
}

void fake_open(struct fake *f)
{
	static const struct esl_engine_callbacks cb = {
		.report = on_report, .need_image = on_need_image, .save = on_save};
	struct esl_engine_config cfg = {.seed = 5, .max_links = 1};

	memset(f, 0, sizeof(*f));
	f->max_image_index = 1;
	f->radio = calloc(1, sizeof(*f->radio));
	f->link = calloc(1, sizeof(*f->link));
	assert_non_null(f->radio);
	assert_non_null(f->link);
	f->radio->base.ops = &radio_ops;
	f->link->base.ops = &link_ops;
	assert_int_equal(loop_new_virtual(FAKE_START, FAKE_UTC, &f->loop), 0);
	assert_int_equal(esl_engine_new_over(f->loop, &cfg, &cb, f, &f->radio->base, &f->link->base,
					     &f->engine),
			 0);
	assert_int_equal(esl_engine_start(f->engine), 0);
	esl_engine_set_utc(f->engine, 0, 0);
	f->radio->cb.up(f->radio->user);
	f->link->cb.up(f->link->user);
	fake_run(f, US_PER_MS);
}

void fake_close(struct fake *f)
{
	esl_engine_free(f->engine);
	loop_free(f->loop);
}

void fake_run(struct fake *f, int64_t us)
{
	loop_run_until(f->loop, clock_mono_us(loop_clock(f->loop)) + us);
}

int64_t fake_utc(const struct fake *f)
{
	return clock_real_us(loop_clock(f->loop));
}

void fake_want(struct fake *f, uint32_t picture)
{
	struct esl_want w = {.n = picture ? 1 : 0};

	memcpy(w.addr, fake_addr, sizeof(w.addr));
	fake_image(picture, w.timeline[0].image);
	w.timeline[0].from_us = fake_utc(f);
	assert_int_equal(esl_engine_want(f->engine, &w), 0);
	fake_run(f, US_PER_MS);
}

void fake_want_two(struct fake *f, uint32_t now, uint32_t later, int64_t later_utc_us)
{
	struct esl_want w = {.n = 2};

	memcpy(w.addr, fake_addr, sizeof(w.addr));
	fake_image(now, w.timeline[0].image);
	w.timeline[0].from_us = 1;
	fake_image(later, w.timeline[1].image);
	w.timeline[1].from_us = later_utc_us;
	assert_int_equal(esl_engine_want(f->engine, &w), 0);
	fake_run(f, US_PER_MS);
}

void fake_done(struct fake *f, uint8_t op, int err, const struct esl_link_result *res)
{
	static const struct esl_link_result empty;

	/* A visit may first ask again what is not known of the label. */
	if (f->link->op == FAKE_READ_INFO && op != FAKE_READ_INFO)
		fake_done(f, FAKE_READ_INFO, 0, &f->info);
	/* A label that advertised is let go only when it must have heard the train. */
	if (f->link->op == 0 && op == FAKE_UPDATE_COMPLETE)
		fake_run(f, FAKE_HEARD_US);
	assert_int_equal(f->link->op, op);
	f->link->op = 0;
	f->link->done(f->link->done_user, err, err < 0 ? NULL : (res ? res : &empty));
	fake_run(f, US_PER_MS);
}

void fake_join(struct fake *f)
{
	struct esl_link_result info = {
		.n_displays = 1,
		.displays = {{32, 8, DISPLAY_BLACK_WHITE}},
		.max_image_index = f->max_image_index,
		.n_leds = f->n_leds,
		.leds = {f->led},
		.battery_mv = 3000,
		.temperature_cc = 2000,
	};

	info.n_sensors = f->info.n_sensors;
	memcpy(info.sensors, f->info.sensors, sizeof(info.sensors));
	f->info = info;
	fake_want(f, 0);
	f->link->cb.advert(f->link->user, fake_addr, -50, false, 3000);
	fake_run(f, US_PER_MS);
	assert_int_equal(f->link->subevent, ESL_ADVERTISING);
	fake_done(f, FAKE_CONNECT, 0, NULL);
	fake_done(f, FAKE_READ_INFO, 0, &info);
	f->group = esl_address_group(f->link->config.esl_address);
	f->id = esl_address_id(f->link->config.esl_address);
	ead_key_from_wire(f->link->config.response_key, &f->response_key);
	ead_key_from_wire(f->link->config.train_key, &f->radio->train_key);
	fake_done(f, FAKE_CONFIGURE, 0, NULL);
	fake_done(f, FAKE_UPDATE_COMPLETE, 0, NULL);
	assert_int_equal(fake_request(f)->op, ESL_OP_PING);
	fake_basic_state(f, ESL_STATE_SYNCHRONIZED);
}

void fake_visit(struct fake *f, unsigned int n)
{
	fake_done(f, FAKE_CONNECT, 0, NULL);
	while (n--)
		fake_done(f, FAKE_WRITE_IMAGE, 0, NULL);
	if (f->link->op == FAKE_SET_TIME)
		fake_done(f, FAKE_SET_TIME, 0, NULL);
	fake_done(f, FAKE_UPDATE_COMPLETE, 0, NULL);
}

const struct esl_cmd *fake_request(struct fake *f)
{
	fake_run(f, 1560 * US_PER_MS);
	f->radio->n_sets = 0;
	f->radio->cb.data_request(f->radio->user, f->group, 1);
	return f->radio->n_sets && f->radio->sets[0].n ? &f->radio->sets[0].cmd[0] : NULL;
}

void fake_answer(struct fake *f, const struct esl_rsp *r)
{
	uint8_t tlv[ESL_TLV_MAX], plain[ESL_AD_MAX], air[ESL_AD_MAX + EAD_OVERHEAD];
	uint8_t rand[EAD_RAND_BYTES] = {1, 2, 3, 4, 5};
	int n = esl_rsp_encode(r, tlv, sizeof(tlv));

	n = esl_ad_encode(tlv, (size_t) n, plain, sizeof(plain));
	n = ead_seal(&f->response_key, rand, plain, (size_t) n, air, sizeof(air));
	assert_true(n > 0);
	f->radio->cb.response(f->radio->user, f->group, 0, -60, air, (size_t) n);
	fake_run(f, US_PER_MS);
}

void fake_error(struct fake *f, uint8_t code)
{
	fake_answer(f, &(struct esl_rsp){.tag = ESL_RSP_ERROR, .error = code});
}

void fake_display_state(struct fake *f, uint8_t image)
{
	fake_answer(f, &(struct esl_rsp){.tag = ESL_RSP_DISPLAY_STATE, .image = image});
}

void fake_basic_state(struct fake *f, uint16_t bits)
{
	fake_answer(f, &(struct esl_rsp){.tag = ESL_RSP_BASIC_STATE, .basic = bits});
}

const struct esl_report *fake_last(const struct fake *f, enum esl_report_kind kind)
{
	for (size_t i = 0; i < MIN(f->n_reports, FAKE_REPORTS); i++) {
		const struct esl_report *r = &f->reports[(f->n_reports - 1 - i) % FAKE_REPORTS];

		if (r->kind == kind)
			return r;
	}
	return NULL;
}
