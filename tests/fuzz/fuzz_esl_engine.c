/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The label engine between a controller, links, labels and an owner that do what the input says:
 * late, wrong, malformed or authentic but absurd. Besides not crashing, the engine must never tell
 * a label to show what is not wished, and its own books must stay consistent.
 */
#include "esl-radio/engine.h"
#include "esl-radio/flash.h"
#include "esl-radio/packer.h"
#include "esl-radio/plan.h"
#include "esl-radio/wake.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define LABELS   3
#define PICTURES 5
#define BLOBS    (LABELS + 1)
#define STEPS    400

struct shop {
	struct loop *loop;
	struct esl_engine *engine;
	struct esl_radio radio;
	struct esl_link link;
	struct esl_radio_callbacks radio_cb;
	struct esl_link_callbacks link_cb;
	struct {
		esl_link_done_fn done;
		void *user;
	} asked[ESL_VISITS_MAX];
	struct {
		char key[16];
		uint8_t data[1024];
		size_t len;
	} blobs[BLOBS];
	bool save_fails, no_images;
};

static struct shop *shop; /* the seams' objects have no room for it */

/* --- the seams -------------------------------------------------------------------------------- */

static int radio_start(struct esl_radio *r, const struct esl_train *t,
		       const struct esl_radio_callbacks *cb, void *user)
{
	(void) r;
	(void) t;
	(void) user;
	shop->radio_cb = *cb;
	return 0;
}

static const struct esl_label *at_address(uint8_t group, uint8_t id)
{
	const struct esl_label *l;

	ESL_LABELS_FOREACH(shop->engine, i, l)
	{
		if (l->has_address && l->group == group && l->id == id)
			return l;
	}
	return NULL;
}

static void check_command(uint8_t group, const struct esl_cmd *c)
{
	const struct esl_label *l;
	int now, next;

	if (c->esl_id == ESL_ID_BROADCAST) {
		assert(c->op == ESL_OP_PING);
		return;
	}
	l = at_address(group, c->esl_id);
	assert(l && (l->configured || l->forgetting));
	if (c->op == ESL_OP_LED_CONTROL) /* dark again by the end */
		assert(c->led.repeats >> 1 &&
		       esl_utc(shop->engine) + (c->led.repeats >> 1) * US_PER_SEC <=
			       l->flash->until_utc_us);
	now = esl_wish_now(shop->engine, l, &next);
	if (c->op == ESL_OP_DISPLAY_IMAGE)
		assert(now >= 0 && esl_slot_of(l, l->wishes[now].image) == c->image);
	if (c->op == ESL_OP_DISPLAY_TIMED && c->abs_ms)
		assert(next >= 0 && esl_slot_of(l, l->wishes[next].image) == c->image);
}

static int radio_set_data(struct esl_radio *r, const struct hci_subevent_data *sets, size_t n)
{
	(void) r;
	for (size_t i = 0; i < n; i++) {
		uint8_t plain[ESL_AD_MAX];
		const uint8_t *payload;
		struct wire w;
		size_t len;
		int got;

		if (sets[i].len == 0)
			continue;
		got = ead_open(&shop->engine->train_key, sets[i].data, sets[i].len, plain,
			       sizeof(plain));
		assert(got > 0 && esl_ad_find(plain, (size_t) got, &payload, &len) == 0);
		wire_init(&w, payload, len);
		assert(wire_get_u8(&w) == sets[i].subevent);
		while (wire_left(&w)) {
			struct esl_cmd c;

			esl_cmd_decode(&w, &c);
			assert(wire_ok(&w));
			check_command(sets[i].subevent, &c);
		}
	}
	return 0;
}

static void radio_free(struct esl_radio *r)
{
	(void) r;
}

static int link_start(struct esl_link *l, const struct esl_link_callbacks *cb, void *user)
{
	(void) l;
	(void) user;
	shop->link_cb = *cb;
	return 0;
}

static int link_scan(struct esl_link *l, bool on)
{
	(void) l;
	(void) on;
	return 0;
}

static unsigned int link_calls(struct esl_link *l, unsigned int links, unsigned int kept)
{
	(void) l;
	assert(links == 2 && kept < links);
	return LABELS - 1;
}

static int ask(esl_link_done_fn done, void *user)
{
	for (size_t i = 0; i < ESL_VISITS_MAX; i++) {
		if (shop->asked[i].done)
			continue;
		shop->asked[i].done = done;
		shop->asked[i].user = user;
		return 0;
	}
	return -EAGAIN;
}

static int link_simple(struct esl_link *l, const uint8_t *addr, esl_link_done_fn done, void *user)
{
	(void) l;
	(void) addr;
	return ask(done, user);
}

static int link_connect(struct esl_link *l, const uint8_t *addr, uint8_t subevent, uint8_t id,
			esl_link_done_fn done, void *user)
{
	(void) subevent;
	(void) id;
	return link_simple(l, addr, done, user);
}

static int link_configure(struct esl_link *l, const uint8_t *addr, const struct esl_link_config *c,
			  esl_link_done_fn done, void *user)
{
	assert(esl_address_id(c->esl_address) != ESL_ID_BROADCAST);
	return link_simple(l, addr, done, user);
}

static int link_write(struct esl_link *l, const uint8_t *addr, uint8_t index, const void *data,
		      size_t len, esl_link_done_fn done, void *user)
{
	const struct esl_label *label = esl_label_find(shop->engine, addr);

	(void) data;
	assert(len > 0 && label && index < label->n_slots && !label->slots[index].held);
	assert(label->n_slots == 1 || index != label->shown_slot);
	return link_simple(l, addr, done, user);
}

static int link_ecp(struct esl_link *l, const uint8_t *addr, const uint8_t *tlv, size_t len,
		    esl_link_done_fn done, void *user)
{
	assert(len == esl_tlv_len(tlv[0]));
	return link_simple(l, addr, done, user);
}

static int link_set_time(struct esl_link *l, const uint8_t *addr, uint32_t abs_ms,
			 esl_link_done_fn done, void *user)
{
	(void) abs_ms;
	return link_simple(l, addr, done, user);
}

static void link_free(struct esl_link *l)
{
	(void) l;
	memset(shop->asked, 0, sizeof(shop->asked));
}

static const struct esl_radio_ops radio_ops = {radio_start, radio_set_data, radio_free};
static const struct esl_link_ops link_ops = {
	.start = link_start,
	.scan = link_scan,
	.calls = link_calls,
	.connect = link_connect,
	.read_info = link_simple,
	.configure = link_configure,
	.write_image = link_write,
	.ecp = link_ecp,
	.set_time = link_set_time,
	.update_complete = link_simple,
	.disconnect = link_simple,
	.free = link_free,
};

/* --- the owner -------------------------------------------------------------------------------- */

static void picture(uint32_t n, struct buf *b)
{
	struct image im;

	if (image_init(&im, n == PICTURES ? 16 : 8, 1, DISPLAY_BLACK_WHITE) < 0)
		abort();
	im.data[0] = (uint8_t) n;
	image_encode(&im, b);
	image_done(&im);
}

static void picture_name(uint32_t n, uint8_t name[IMAGE_HASH_BYTES])
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	picture(n, &b);
	image_hash(b.data, b.len, name);
}

static void on_need_image(void *user, const uint8_t hash[IMAGE_HASH_BYTES])
{
	(void) user;
	for (uint32_t n = 1; n <= PICTURES && !shop->no_images; n++) {
		_cleanup_buf_ struct buf b = BUF_INIT;
		uint8_t name[IMAGE_HASH_BYTES];

		picture_name(n, name);
		picture(n, &b);
		if (memcmp(name, hash, sizeof(name)) == 0)
			assert(esl_engine_image(shop->engine, hash, b.data, b.len) == 0);
	}
}

static int on_save(void *user, const char *key, const void *data, size_t len)
{
	(void) user;
	if (shop->save_fails)
		return -EIO;
	for (size_t i = 0; i < BLOBS; i++) {
		if (shop->blobs[i].key[0] && strcmp(shop->blobs[i].key, key) != 0)
			continue;
		assert(strlen(key) < sizeof(shop->blobs[i].key) &&
		       len <= sizeof(shop->blobs[i].data));
		memcpy(shop->blobs[i].key, key, strlen(key) + 1);
		if (len)
			memcpy(shop->blobs[i].data, data, len);
		shop->blobs[i].len = len;
		return 0;
	}
	abort();
}

static void start_engine(void)
{
	static const struct esl_engine_callbacks cb = {.need_image = on_need_image,
						       .save = on_save};
	struct esl_engine_config cfg = {.seed = 9, .max_links = 2, .train = {.subevents = 2}};

	shop->radio.ops = &radio_ops;
	shop->link.ops = &link_ops;
	if (esl_engine_new_over(shop->loop, &cfg, &cb, NULL, &shop->radio, &shop->link,
				&shop->engine) < 0)
		abort();
	for (size_t i = 0; i < BLOBS; i++)
		if (shop->blobs[i].len)
			assert(esl_engine_restore(shop->engine, shop->blobs[i].key,
						  shop->blobs[i].data, shop->blobs[i].len) == 0);
	assert(esl_engine_start(shop->engine) == 0);
	shop->radio_cb.up(shop->engine);
	shop->link_cb.up(shop->engine);
}

/* --- what the input does ---------------------------------------------------------------------- */

static void label_addr(uint8_t i, uint8_t addr[ESL_ADDR_BYTES])
{
	memset(addr, 0xc0, ESL_ADDR_BYTES);
	addr[5] = i % LABELS;
}

static void do_want(struct wire *w)
{
	uint8_t first = wire_get_u8(w);
	struct esl_want want = {.n = first % 4};
	int64_t from_us = clock_real_us(loop_clock(shop->loop));

	if (first & 0x80) { /* and it is to blink */
		want.flash_colour = first >> 4 & 7;
		want.flash_until_us = from_us + (first >> 2 & 3) * 20 * US_PER_SEC;
	}

	label_addr(wire_get_u8(w), want.addr);
	for (size_t i = 0; i < want.n; i++) {
		picture_name(wire_get_u8(w) % PICTURES + 1, want.timeline[i].image);
		want.timeline[i].from_us = i ? from_us : 0;
		from_us += wire_get_u16le(w) * US_PER_SEC / 10;
	}
	assert(esl_engine_want(shop->engine, &want) == 0);
}

static void do_completion(struct wire *w)
{
	struct esl_link_result res = {0};
	uint8_t which = wire_get_u8(w), how = wire_get_u8(w);
	esl_link_done_fn done;
	size_t i = which % ESL_VISITS_MAX;

	for (size_t k = 0; k < ESL_VISITS_MAX && !shop->asked[i].done; k++)
		i = (i + 1) % ESL_VISITS_MAX;
	done = shop->asked[i].done;
	if (!done)
		return;
	shop->asked[i].done = NULL;
	if (how < 32) {
		done(shop->asked[i].user, how & 1 ? -ETIMEDOUT : -EPROTO, NULL);
		return;
	}
	res.n_displays = how < 40 ? 0 : 1;
	res.displays[0] = (struct esl_display){8, 1, DISPLAY_BLACK_WHITE};
	res.max_image_index = how & 3;
	res.n_leds = how >> 6;
	res.leds[0] = 0x43;
	res.leds[1] = 0x3f;
	res.tlv_len = how < 48 ? (uint8_t) (how & 15) : 3;
	res.tlv[0] = how & 4 ? ESL_RSP_DISPLAY_STATE : wire_get_u8(w);
	res.tlv[1] = how & 8 ? ESL_ERR_INVALID_PARAMETER : 0;
	done(shop->asked[i].user, 0, &res);
}

/** An answer the engine will authenticate, of whatever content. */
static void do_answer(struct wire *w)
{
	uint8_t plain[ESL_AD_MAX], air[ESL_AD_MAX + EAD_OVERHEAD], rand[EAD_RAND_BYTES] = {1};
	uint8_t addr[ESL_ADDR_BYTES], tlv[ESL_TLV_MAX];
	struct esl_label *l;
	struct ead_key key;
	uint8_t slot;
	size_t n;
	int len;

	label_addr(wire_get_u8(w), addr);
	slot = wire_get_u8(w) & 3;
	n = MIN(wire_get_u8(w) % sizeof(tlv), wire_left(w));
	wire_copy(w, tlv, n);
	l = esl_label_find(shop->engine, addr);
	if (!l || !l->has_address)
		return;
	ead_key_from_wire(l->response_key, &key);
	len = esl_ad_encode(tlv, n, plain, sizeof(plain));
	len = ead_seal(&key, rand, plain, (size_t) len, air, sizeof(air));
	shop->radio_cb.response(shop->engine, l->group, slot, -50, air, (size_t) len);
}

static void do_noise(struct wire *w)
{
	uint8_t subevent = wire_get_u8(w), slot = wire_get_u8(w);
	size_t n = MIN(wire_get_u8(w), wire_left(w));
	const uint8_t *data = wire_get_bytes(w, n);

	if (data)
		shop->radio_cb.response(shop->engine, subevent, slot, 127, data, n);
}

static void do_link_down(void)
{
	shop->link_cb.down(shop->engine, -EIO, "fuzz");
	for (size_t i = 0; i < ESL_VISITS_MAX; i++) {
		esl_link_done_fn done = shop->asked[i].done;

		shop->asked[i].done = NULL;
		if (done)
			done(shop->asked[i].user, -EIO, NULL);
	}
	shop->link_cb.up(shop->engine);
}

static void do_step(struct wire *w)
{
	uint8_t op = wire_get_u8(w), arg = wire_get_u8(w);
	uint8_t addr[ESL_ADDR_BYTES];
	int64_t now_us = clock_mono_us(loop_clock(shop->loop));

	label_addr(arg, addr);
	switch (op % 14) {
	case 0:
		loop_run_until(shop->loop, now_us + (int64_t) arg * 50 * US_PER_MS);
		break;
	case 1:
		loop_run_until(shop->loop, now_us + ((int64_t) arg << 26)); /* up to 4.7 hours */
		break;
	case 2:
		shop->radio_cb.data_request(shop->engine, arg & 3, (arg >> 2) & 7);
		break;
	case 3:
		do_noise(w);
		break;
	case 4:
		do_answer(w);
		break;
	case 5:
	case 6:
		do_completion(w);
		break;
	case 7:
		shop->link_cb.advert(shop->engine, addr, -40, (arg & 0x80) != 0, 2900);
		break;
	case 8:
		do_want(w);
		break;
	case 9:
		if (arg & 0x40)
			esl_engine_forget(shop->engine, addr);
		break;
	case 10:
		if (arg & 0x80)
			shop->link_cb.reached(shop->engine, addr);
		else
			shop->link_cb.lost(shop->engine, addr);
		break;
	case 11:
		esl_engine_set_utc(shop->engine, ((int64_t) arg - 128) * US_PER_SEC * (arg & 7),
				   1000);
		break;
	case 12:
		shop->save_fails = (arg & 3) == 3;
		shop->no_images = (arg & 12) == 12;
		if (arg & 0x80)
			do_link_down();
		break;
	case 13:
		if (arg < 0xc0)
			break;
		esl_engine_free(shop->engine);
		start_engine();
		break;
	}
	loop_run_until(shop->loop, clock_mono_us(loop_clock(shop->loop)));
}

/** Nobody is overlooked: who has something to hear, or is to be visited, stands in a queue. */
static void check_queues(const struct esl_engine *e, const struct esl_label *l)
{
	struct esl_cmd c;
	bool by_advert;

	assert(esl_plan(e, l, &c) == ESL_URGENCY_NONE || l->ready != ESL_URGENCY_NONE);
	assert(esl_visit_need(e, l, &by_advert) == ESL_URGENCY_NONE ||
	       l->queue != ESL_URGENCY_NONE);
	assert(e->wakes[l->wake_index] == l);
	assert(l->wake_index == 0 ||
	       e->wakes[(l->wake_index - 1) / 2]->wake_at_us <= l->wake_at_us);
	assert(l->visit || l->wake_at_us <= esl_plan_wake(e, l));
}

static void check_books(void)
{
	struct esl_engine *e = shop->engine;
	unsigned int placed = 0, grouped = 0, listening = 0;
	struct esl_label *l;

	esl_wakes_due(e);
	ESL_LABELS_FOREACH(e, i, l)
	{
		assert(l->shown_slot < l->n_slots && l->prev_slot < l->n_slots);
		assert(l->shown_slot < 0 || l->slots[l->shown_slot].held);
		assert(!l->visit || l->visit->label == l);
		placed += l->has_address;
		check_queues(e, l);
	}
	for (unsigned int g = 0; g < e->train.subevents; g++)
		grouped += e->groups[g].n;
	assert(placed == grouped);
	for (unsigned int i = 0; i < ESL_VISITS_MAX; i++) {
		assert(!e->visits[i].listening || e->visits[i].busy);
		listening += e->visits[i].listening;
	}
	assert(listening == e->n_listening);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct shop s = {0};
	struct wire w;

	shop = &s;
	if (loop_new_virtual(US_PER_SEC, INT64_C(1790000000) * US_PER_SEC, &s.loop) < 0)
		return 0;
	start_engine();
	esl_engine_set_utc(s.engine, 0, 0);
	wire_init(&w, data, size);
	for (int i = 0; i < STEPS && wire_left(&w); i++) {
		do_step(&w);
		check_books();
	}
	esl_engine_free(s.engine);
	loop_free(s.loop);
	return 0;
}
