/* SPDX-License-Identifier: Apache-2.0 */
#include "esl-radio/persist.h"
#include "esl-radio/engine.h"
#include "esl-radio/flash.h"
#include "esl-radio/label.h"
#include "esl-radio/timebase.h"

#include "common/buf.h"
#include "common/err.h"
#include "common/hex.h"
#include "common/wire.h"
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define TRAIN_KEY              "train"
#define BLOB_VERSION           2 /* 1 had one key, without an age */
/* 1 had no LEDs, 2 no description of its pixels, 3 no generation of its keys, 4 no sensors and
 * no account of its light */
#define LABEL_VERSION          5
#define LEDS_UNKNOWN           0xff
#define ADDR_HEX               (2 * ESL_ADDR_BYTES + 1)
#define LABEL_FLAGS_CONFIGURED 1u
#define LABEL_FLAGS_FORGETTING 2u
#define LABEL_FLAGS_INFO       4u
#define LABEL_FLAGS_ADDRESS    8u
#define LABEL_FLAGS_REKEYING   16u

static void addr_key(const uint8_t addr[ESL_ADDR_BYTES], char key[ADDR_HEX])
{
	(void) hex_encode(addr, ESL_ADDR_BYTES, key);
	for (char *p = key; *p; p++)
		*p = (char) toupper((unsigned char) *p);
}

static int hand_over(struct esl_engine *e, const char *key, struct buf *b)
{
	int r = b->err;

	if (r == 0 && e->cb.save)
		r = e->cb.save(e->user, key, b->data, b->len);
	if (b->data)
		explicit_bzero(b->data, b->len);
	return r;
}

int esl_save_train(struct esl_engine *e)
{
	const struct esl_timebase *t = &e->time;
	_cleanup_buf_ struct buf b = BUF_INIT;

	buf_put_u8(&b, BLOB_VERSION);
	buf_put(&b, e->train_key_wire, ESL_KEY_BYTES);
	buf_put_u64be(&b, e->rand_end);
	buf_put_u8(&b, t->gen);
	/* While saved bases wait for UTC, what was known of them is handed on. */
	buf_put_u8(&b, t->saved ? t->saved_utc_known : t->utc_known);
	buf_put_u64be(&b, (uint64_t) (t->saved ? t->saved_real_minus_mono_us
					       : clock_real_us(e->clock) - esl_now(e)));
	for (int i = 0; i < 2; i++) {
		buf_put_u64be(&b, (uint64_t) t->base_us[i]);
		buf_put_u64be(&b, (uint64_t) (t->saved ? t->saved_minus_utc_us[i]
						       : t->base_us[i] - t->utc_us));
	}
	buf_put_u64be(&b, (uint64_t) e->key_since_utc_us);
	buf_put_u8(&b, e->key_stagger);
	buf_put_u8(&b, e->key_gen);
	buf_put_u8(&b, e->rotating);
	if (e->rotating) {
		buf_put(&b, e->old_key_wire, ESL_KEY_BYTES);
		buf_put_u64be(&b, e->old_rand_end);
	}
	return hand_over(e, TRAIN_KEY, &b);
}

static void get_rotation(struct wire *w, struct esl_engine *e)
{
	e->key_since_utc_us = (int64_t) wire_get_u64be(w);
	e->key_stagger = wire_get_u8(w);
	e->key_gen = wire_get_u8(w);
	e->rotating = wire_get_u8(w) != 0;
	if (!e->rotating)
		return;
	wire_copy(w, e->old_key_wire, ESL_KEY_BYTES);
	e->old_rand_next = e->old_rand_end = wire_get_u64be(w);
	ead_key_from_wire(e->old_key_wire, &e->old_key);
}

int esl_restore_train(struct esl_engine *e, const void *data, size_t len)
{
	struct esl_timebase t = {.utc_us = e->time.utc_us, .saved = true};
	uint8_t key[ESL_KEY_BYTES];
	uint64_t rand_end;
	uint8_t version;
	struct wire w;

	wire_init(&w, data, len);
	version = wire_get_u8(&w);
	if (version < 1 || version > BLOB_VERSION)
		return -ERR_VERSION;
	wire_copy(&w, key, sizeof(key));
	rand_end = wire_get_u64be(&w);
	t.gen = wire_get_u8(&w);
	t.saved_utc_known = wire_get_u8(&w) != 0;
	t.saved_real_minus_mono_us = (int64_t) wire_get_u64be(&w);
	for (int i = 0; i < 2; i++) {
		t.base_us[i] = (int64_t) wire_get_u64be(&w);
		t.saved_minus_utc_us[i] = (int64_t) wire_get_u64be(&w);
	}
	if (version >= 2)
		get_rotation(&w, e);
	if (wire_finish(&w) < 0) {
		e->rotating = false;
		return -ERR_CORRUPT;
	}
	memcpy(e->train_key_wire, key, sizeof(key));
	ead_key_from_wire(key, &e->train_key);
	e->rand_next = e->rand_end = rand_end;
	e->time = t;
	e->train_saved = true;
	return 0;
}

int esl_save_label(struct esl_engine *e, const struct esl_label *l)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	char key[ADDR_HEX];

	buf_put_u8(&b, LABEL_VERSION);
	buf_put_u8(&b, (uint8_t) ((l->configured ? LABEL_FLAGS_CONFIGURED : 0) |
				  (l->forgetting ? LABEL_FLAGS_FORGETTING : 0) |
				  (l->info_known ? LABEL_FLAGS_INFO : 0) |
				  (l->has_address ? LABEL_FLAGS_ADDRESS : 0) |
				  (l->rekeying ? LABEL_FLAGS_REKEYING : 0)));
	buf_put_u8(&b, l->group);
	buf_put_u8(&b, l->id);
	buf_put(&b, l->response_key, ESL_KEY_BYTES);
	buf_put_u8(&b, l->time_gen);
	buf_put_u16be(&b, l->time_lag_ms);
	buf_put_u16be(&b, l->width);
	buf_put_u16be(&b, l->height);
	buf_put_u8(&b, l->display_type);
	buf_put_u8(&b, (uint8_t) l->shown_slot);
	buf_put_u8(&b, (uint8_t) l->prev_slot);
	buf_put_u8(&b, l->grade);
	buf_put_u64be(&b, (uint64_t) l->shown_since_utc_us);
	buf_put_u8(&b, (uint8_t) l->pending.state);
	buf_put_u8(&b, l->pending.slot);
	buf_put_u32be(&b, l->pending.abs_ms);
	buf_put_u8(&b, l->n_slots);
	for (int s = 0; s < l->n_slots; s++) {
		buf_put_u8(&b, l->slots[s].held);
		if (l->slots[s].held)
			buf_put(&b, l->slots[s].image, IMAGE_HASH_BYTES);
	}
	buf_put_u8(&b, l->leds_known ? l->n_leds : LEDS_UNKNOWN);
	if (l->leds_known)
		buf_put(&b, l->leds, l->n_leds);
	buf_put_u32be(&b, l->pixels == ESL_NO_PIXELS
				  ? 0
				  : pixel_fingerprint(pixel_table_at(e->pixels, l->pixels)));
	buf_put_u8(&b, l->key_gen);
	buf_put_u8(&b, l->n_sensors);
	buf_put_u8(&b, (uint8_t) l->battery_sensor);
	buf_put_u8(&b, (uint8_t) l->temperature_sensor);
	esl_flash_keep(e, l, &b);
	addr_key(l->addr, key);
	return hand_over(e, key, &b);
}

int esl_forget_saved(struct esl_engine *e, const struct esl_label *l)
{
	char key[ADDR_HEX];

	addr_key(l->addr, key);
	return e->cb.save ? e->cb.save(e->user, key, NULL, 0) : 0;
}

/** Reads the blob into a label that is in no group yet. */
static void get_label(struct wire *w, struct esl_label *l, bool *ret_has_address)
{
	uint8_t flags = wire_get_u8(w);
	uint8_t pending, n;

	l->configured = (flags & LABEL_FLAGS_CONFIGURED) != 0;
	l->forgetting = (flags & LABEL_FLAGS_FORGETTING) != 0;
	l->info_known = (flags & LABEL_FLAGS_INFO) != 0;
	l->rekeying = (flags & LABEL_FLAGS_REKEYING) != 0;
	*ret_has_address = (flags & LABEL_FLAGS_ADDRESS) != 0;
	l->group = wire_get_u8(w);
	l->id = wire_get_u8(w);
	wire_copy(w, l->response_key, ESL_KEY_BYTES);
	l->time_gen = wire_get_u8(w);
	l->time_lag_ms = wire_get_u16be(w);
	l->width = wire_get_u16be(w);
	l->height = wire_get_u16be(w);
	l->display_type = wire_get_u8(w);
	l->shown_slot = (int8_t) wire_get_u8(w);
	l->prev_slot = (int8_t) wire_get_u8(w);
	l->grade = wire_get_u8(w);
	l->shown_since_utc_us = (int64_t) wire_get_u64be(w);
	pending = wire_get_u8(w);
	l->pending.state = (uint8_t) MIN(pending, (uint8_t) ESL_PENDING_FOREIGN);
	l->pending.slot = wire_get_u8(w);
	l->pending.abs_ms = wire_get_u32be(w);
	n = wire_get_u8(w);
	if (n > ESL_SLOTS_MAX || l->shown_slot >= n || l->prev_slot >= n ||
	    l->shown_slot < ESL_NO_SLOT || l->prev_slot < ESL_NO_SLOT ||
	    l->grade > ESL_GRADE_READ_BACK) {
		wire_fail(w, -ERR_CORRUPT);
		return;
	}
	if (esl_label_set_slots(l, n) < 0) {
		wire_fail(w, -ENOMEM);
		return;
	}
	for (int s = 0; s < n; s++) {
		l->slots[s].held = wire_get_u8(w) != 0;
		if (l->slots[s].held)
			wire_copy(w, l->slots[s].image, IMAGE_HASH_BYTES);
	}
}

static void get_leds(struct wire *w, struct esl_label *l)
{
	uint8_t n = wire_get_u8(w);

	if (n == LEDS_UNKNOWN)
		return;
	if (n > ESL_LEDS_MAX) {
		wire_fail(w, -ERR_CORRUPT);
		return;
	}
	wire_copy(w, l->leds, n);
	l->n_leds = n;
	l->leds_known = true;
}

static void get_sensors(struct wire *w, struct esl_label *l)
{
	l->n_sensors = wire_get_u8(w);
	l->battery_sensor = (int8_t) wire_get_u8(w);
	l->temperature_sensor = (int8_t) wire_get_u8(w);
	if (l->n_sensors > ESL_SENSORS_MAX || l->battery_sensor >= l->n_sensors ||
	    l->temperature_sensor >= l->n_sensors || l->battery_sensor < ESL_NO_SENSOR ||
	    l->temperature_sensor < ESL_NO_SENSOR)
		wire_fail(w, -ERR_CORRUPT);
}

/** What the label's slots hold was made by a description that may have changed since. */
static void get_pixels(struct wire *w, const struct esl_engine *e, struct esl_label *l,
		       uint8_t version)
{
	int i = version >= 3 ? pixel_table_by_fingerprint(e->pixels, wire_get_u32be(w)) : -ENOENT;

	if (i >= 0)
		l->pixels = (uint8_t) i;
	else
		l->info_stale = l->info_known; /* a visit finds out */
}

int esl_restore_label(struct esl_engine *e, const char *key, const void *data, size_t len)
{
	uint8_t addr[ESL_ADDR_BYTES];
	struct esl_label *l;
	bool has_address = false;
	uint8_t version;
	struct wire w;
	int r;

	if (hex_decode(key, addr, sizeof(addr)) < 0)
		return -ERR_SYNTAX;
	if (esl_label_find(e, addr))
		return -EEXIST;
	wire_init(&w, data, len);
	version = wire_get_u8(&w);
	if (version < 1 || version > LABEL_VERSION)
		return -ERR_VERSION;
	r = esl_label_add(e, addr, &l);
	if (r < 0)
		return r;
	get_label(&w, l, &has_address);
	if (version >= 2)
		get_leds(&w, l);
	get_pixels(&w, e, l, version);
	l->key_gen = version >= 4 ? wire_get_u8(&w) : 0;
	if (version >= 5) {
		get_sensors(&w, l);
		esl_flash_restore(l, &w);
	}
	r = wire_finish(&w) < 0 ? -ERR_CORRUPT : 0;
	if (r == 0 && has_address) {
		/* A smaller train than in the earlier life: it will be commissioned anew. */
		if (esl_label_place(e, l, l->group, l->id) < 0)
			l->configured = false;
	}
	if (r < 0) {
		esl_label_drop(e, l);
		return r;
	}
	l->phase = l->configured || l->rekeying ? ESL_PHASE_SYNCED : ESL_PHASE_WAITING;
	l->heard_us = esl_now(e);
	l->confirm_at_us = esl_now(e);
	l->time_set_us = esl_now(e) - INT64_C(86400) * US_PER_SEC; /* not known: as old as a day */
	return 0;
}
