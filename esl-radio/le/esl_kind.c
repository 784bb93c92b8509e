/* SPDX-License-Identifier: Apache-2.0 */
#include "esl-radio/le/esl_kind.h"

#include "common/err.h"
#include <string.h>

#define FORM      1
#define HAS_FACTS 1u
#define FORGETS   2u
#define HAS_PNP   1u
#define HAS_TYPE  2u

static void put_identity(struct buf *b, const struct pixel_identity *id)
{
	size_t n = strnlen(id->model, sizeof(id->model) - 1);

	buf_put_u8(b, (uint8_t) n);
	buf_put(b, id->model, n);
	buf_put_u8(b, (uint8_t) ((id->has_pnp ? HAS_PNP : 0) | (id->has_type ? HAS_TYPE : 0)));
	if (id->has_pnp) {
		buf_put_u8(b, id->vendor_source);
		buf_put_u16le(b, id->vendor);
		buf_put_u16le(b, id->product);
	}
	if (id->has_type)
		buf_put(b, id->type, sizeof(id->type));
}

static void put_facts(struct buf *b, const struct esl_facts *f)
{
	buf_put_u8(b, f->n_displays);
	for (size_t i = 0; i < f->n_displays; i++) {
		buf_put_u16le(b, f->displays[i].width);
		buf_put_u16le(b, f->displays[i].height);
		buf_put_u8(b, f->displays[i].type);
	}
	buf_put_u8(b, f->max_image_index);
	buf_put_u8(b, f->n_leds);
	buf_put(b, f->leds, f->n_leds);
	buf_put_u8(b, f->n_sensors);
	for (size_t i = 0; i < f->n_sensors; i++) {
		buf_put_u8(b, f->sensors[i].vendor);
		buf_put_u32le(b, f->sensors[i].number);
	}
	put_identity(b, &f->identity);
}

void esl_kind_put(struct buf *b, const struct esl_kind *k)
{
	buf_put_u8(b, FORM);
	buf_put_u8(b, (uint8_t) ((k->has_facts ? HAS_FACTS : 0) |
				 (k->forgets_switches ? FORGETS : 0)));
	buf_put(b, k->hash, sizeof(k->hash));
	for (size_t i = 0; i < ESL_KIND_VALUES; i++) {
		buf_put_u16le(b, k->value[i]);
		buf_put_u16le(b, k->turn_on[i]);
	}
	if (k->has_facts)
		put_facts(b, &k->facts);
}

static void get_identity(struct wire *w, struct pixel_identity *id)
{
	size_t n = wire_get_u8(w);
	uint8_t has;

	if (n >= sizeof(id->model))
		wire_fail(w, -ERR_BADMSG);
	if (wire_ok(w) && n > 0)
		wire_copy(w, id->model, n);
	has = wire_get_u8(w);
	id->has_pnp = has & HAS_PNP;
	id->has_type = has & HAS_TYPE;
	if (id->has_pnp) {
		id->vendor_source = wire_get_u8(w);
		id->vendor = wire_get_u16le(w);
		id->product = wire_get_u16le(w);
	}
	if (id->has_type)
		wire_copy(w, id->type, sizeof(id->type));
}

/** A number of things, as there may be at most. */
static uint8_t get_count(struct wire *w, size_t most)
{
	uint8_t n = wire_get_u8(w);

	if (n > most)
		wire_fail(w, -ERR_BADMSG);
	return wire_ok(w) ? n : 0;
}

static void get_facts(struct wire *w, struct esl_facts *f)
{
	f->n_displays = get_count(w, ESL_DISPLAYS_MAX);
	for (size_t i = 0; i < f->n_displays; i++) {
		f->displays[i].width = wire_get_u16le(w);
		f->displays[i].height = wire_get_u16le(w);
		f->displays[i].type = wire_get_u8(w);
	}
	f->max_image_index = wire_get_u8(w);
	f->n_leds = get_count(w, ESL_LEDS_MAX);
	if (f->n_leds > 0)
		wire_copy(w, f->leds, f->n_leds);
	f->n_sensors = get_count(w, SENSORS_MAX);
	for (size_t i = 0; i < f->n_sensors; i++) {
		f->sensors[i].vendor = wire_get_u8(w) != 0;
		f->sensors[i].number = wire_get_u32le(w);
	}
	get_identity(w, &f->identity);
}

int esl_kind_get(const void *data, size_t len, struct esl_kind *ret)
{
	struct esl_kind k = {.known = true};
	struct wire w;
	uint8_t flags;

	wire_init(&w, data, len);
	if (wire_get_u8(&w) != FORM)
		wire_fail(&w, -ERR_BADMSG);
	flags = wire_get_u8(&w);
	k.has_facts = flags & HAS_FACTS;
	k.forgets_switches = flags & FORGETS;
	wire_copy(&w, k.hash, sizeof(k.hash));
	for (size_t i = 0; i < ESL_KIND_VALUES; i++) {
		k.value[i] = wire_get_u16le(&w);
		k.turn_on[i] = wire_get_u16le(&w);
	}
	if (k.has_facts)
		get_facts(&w, &k.facts);
	if (wire_finish(&w) < 0)
		return -ERR_BADMSG;
	*ret = k;
	return 0;
}

/* --- the table -------------------------------------------------------------------------------- */

uint16_t esl_kinds_take(struct esl_kinds *t, const uint8_t *data, size_t len)
{
	struct esl_kind_row *place = NULL;

	for (uint16_t i = 0; i < ESL_KINDS_MAX; i++) {
		struct esl_kind_row *r = &t->row[i];

		if (r->used && r->len == len && memcmp(r->data, data, len) == 0) {
			r->used++;
			return i;
		}
		if (!r->used && !place)
			place = r;
	}
	if (!place || len == 0 || len > ESL_KIND_MAX)
		return ESL_NO_KIND;
	place->data = malloc(len);
	if (!place->data)
		return ESL_NO_KIND;
	memcpy(place->data, data, len);
	place->len = len;
	place->used = 1;
	return (uint16_t) (place - t->row);
}

void esl_kinds_leave(struct esl_kinds *t, uint16_t at)
{
	struct esl_kind_row *r = at < ESL_KINDS_MAX ? &t->row[at] : NULL;

	if (!r || !r->used || --r->used > 0)
		return;
	free(r->data);
	*r = (struct esl_kind_row){.data = NULL};
}

const struct esl_kind_row *esl_kinds_at(const struct esl_kinds *t, uint16_t at)
{
	return at < ESL_KINDS_MAX && t->row[at].used ? &t->row[at] : NULL;
}

void esl_kinds_done(struct esl_kinds *t)
{
	for (size_t i = 0; i < ESL_KINDS_MAX; i++)
		free(t->row[i].data);
	*t = (struct esl_kinds){.row = {{.data = NULL}}};
}
