/* SPDX-License-Identifier: Apache-2.0 */
#include "esl-radio/oepl/oepl.h"

#include "common/buf.h"
#include "common/err.h"
#include "common/hex.h"
#include "common/wire.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define BLOB_VERSION 2
#define BLOB_ONE     1 /* it knew of one access point only, and nothing of its light */
#define KEY_MAX      (sizeof(OEPL_KEEPS) + 2 * ESL_ADDR_BYTES)

static void key_of(const struct oepl_label *l, char key[KEY_MAX])
{
	memcpy(key, OEPL_KEEPS, strlen(OEPL_KEEPS));
	hex_encode(l->addr, sizeof(l->addr), key + strlen(OEPL_KEEPS));
}

/** Access points are known by their addresses: the order in the configuration may change. */
static void put_homes(const struct oepl *o, const struct oepl_label *l, struct buf *b)
{
	uint8_t n = 0;

	for (size_t i = 0; i < o->n_aps; i++)
		n = (uint8_t) (n + (l->stale >> i & 1));
	buf_put_u32be(b, l->home);
	buf_put_u8(b, n);
	for (size_t i = 0; i < o->n_aps; i++)
		if (l->stale >> i & 1)
			buf_put_u32be(b, o->aps[i].id);
}

static void read_homes(struct oepl *o, struct wire *w, struct oepl_label *l)
{
	uint8_t n;

	l->home = wire_get_u32be(w);
	n = wire_get_u8(w);
	for (size_t i = 0; i < n && i < OEPL_APS_MAX; i++) {
		const struct oepl_ap *ap = oepl_home_by_id(o, wire_get_u32be(w));

		if (ap)
			l->stale |= (uint8_t) (1u << ap->number);
	}
}

void oepl_save(struct oepl *o, const struct oepl_label *l)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	char key[KEY_MAX];

	buf_put_u8(&b, BLOB_VERSION);
	buf_put(&b, l->mac, sizeof(l->mac));
	buf_put_u8(&b, l->has_mac);
	buf_put_u16be(&b, l->width);
	buf_put_u16be(&b, l->height);
	buf_put_u8(&b, l->display_type);
	buf_put_u8(&b, (uint8_t) l->sending.state);
	buf_put(&b, l->sending.image, sizeof(l->sending.image));
	buf_put_u8(&b, l->sending.hash_known);
	buf_put(&b, l->sending.hash, sizeof(l->sending.hash));
	buf_put_u8(&b, l->sending.exact);
	buf_put_u32be(&b, l->sending.count_before);
	buf_put_u8(&b, l->shown.known);
	buf_put(&b, l->shown.image, sizeof(l->shown.image));
	buf_put(&b, l->shown.hash, sizeof(l->shown.hash));
	buf_put_u8(&b, l->shown.exact);
	buf_put_u8(&b, (uint8_t) l->shown.grade);
	buf_put_u64be(&b, (uint64_t) l->shown.since_utc_us);
	put_homes(o, l, &b);
	led_budget_put(l->flash.budget, o->utc_known ? oepl_utc(o) : 0, &b);
	key_of(l, key);
	if (buf_ok(&b) && o->cb.save)
		(void) !o->cb.save(o->user, key, b.data, b.len);
}

void oepl_forget_saved(struct oepl *o, const struct oepl_label *l)
{
	char key[KEY_MAX];

	key_of(l, key);
	if (o->cb.save)
		(void) !o->cb.save(o->user, key, NULL, 0);
}

static void read_label(struct wire *w, struct oepl_label *l)
{
	wire_copy(w, l->mac, sizeof(l->mac));
	l->has_mac = wire_get_u8(w) != 0;
	l->width = wire_get_u16be(w);
	l->height = wire_get_u16be(w);
	l->display_type = wire_get_u8(w);
	l->sending.state = (enum oepl_sending_state) wire_get_u8(w);
	wire_copy(w, l->sending.image, sizeof(l->sending.image));
	l->sending.hash_known = wire_get_u8(w) != 0;
	wire_copy(w, l->sending.hash, sizeof(l->sending.hash));
	l->sending.exact = wire_get_u8(w) != 0;
	l->sending.count_before = wire_get_u32be(w);
	l->shown.known = wire_get_u8(w) != 0;
	wire_copy(w, l->shown.image, sizeof(l->shown.image));
	wire_copy(w, l->shown.hash, sizeof(l->shown.hash));
	l->shown.exact = wire_get_u8(w) != 0;
	l->shown.grade = (enum esl_grade) wire_get_u8(w);
	l->shown.since_utc_us = (int64_t) wire_get_u64be(w);
}

int oepl_restore(struct oepl *o, const char *key, const void *data, size_t len)
{
	uint8_t addr[ESL_ADDR_BYTES];
	struct oepl_label read = {0}, *l;
	struct led_budget budget = {.n = 0};
	struct wire w;
	uint8_t version;
	int r;

	if (hex_decode(key + strlen(OEPL_KEEPS), addr, sizeof(addr)) < 0)
		return -ERR_SYNTAX;
	wire_init(&w, data, len);
	version = wire_get_u8(&w);
	if (version != BLOB_VERSION && version != BLOB_ONE)
		return -ERR_VERSION;
	read_label(&w, &read);
	if (version != BLOB_ONE) {
		read_homes(o, &w, &read);
		led_budget_get(&budget, &w);
	}
	r = wire_finish(&w);
	if (r < 0)
		return r;
	if (read.sending.state > OEPL_SENDING_QUEUED || read.shown.grade > ESL_GRADE_READ_BACK)
		return -ERR_CORRUPT;
	l = oepl_find_or_add(o, addr);
	if (!l)
		return -ENOMEM;
	if (budget.n > 0 && !l->flash.budget)
		l->flash.budget = calloc(1, sizeof(budget));
	if (budget.n > 0 && !l->flash.budget)
		return -ENOMEM;
	if (budget.n > 0)
		*l->flash.budget = budget;
	memcpy(l->mac, read.mac, sizeof(l->mac));
	l->has_mac = read.has_mac;
	l->home = read.home;
	l->stale = read.stale;
	l->width = read.width;
	l->height = read.height;
	l->display_type = read.display_type;
	l->sending = read.sending;
	l->sending.since_us = oepl_now(o);
	l->shown = read.shown;
	l->shown.told = true;
	l->shown.drawn_us = oepl_now(o);
	l->associated = l->display_type != 0;
	return 0;
}
