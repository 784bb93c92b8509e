/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What was remembered of a label. Its Database Hash says at every link whether that still holds;
 * without one nothing is taken for granted. Where it turns out wrong after all (a handle that is
 * not there, a label that says nothing) it is forgotten, and the next link asks for everything.
 */
#include "esl-radio/le/esl_peer_impl.h"

#include "common/err.h"
#include <errno.h>
#include <string.h>

#define UUID_DATABASE_HASH 0x2b2a
#define HASH_ELEMENT       (2 + ESL_KIND_HASH_BYTES)

_Static_assert(CHR_COUNT == ESL_KIND_VALUES, "every characteristic has a place in the record");

static void tell_learned(struct esl_peer *p)
{
	if (p->cb.learned && p->bond.known)
		p->cb.learned(p->user, p->how.peer, &p->kind);
}

void peer_forget_kind(struct esl_peer *p)
{
	p->recalled = false;
	if (!p->kind.known)
		return;
	p->kind = (struct esl_kind){.known = false};
	tell_learned(p);
}

void peer_doubt(struct esl_peer *p, const struct att_pdu *error)
{
	static const uint8_t wrong[] = {ATT_ERR_INVALID_HANDLE, ATT_ERR_NOT_FOUND,
					ATT_ERR_READ_NOT_PERMITTED, ATT_ERR_WRITE_NOT_PERMITTED,
					ATT_ERR_OUT_OF_SYNC};
	bool by_handle = error->request != ATT_READ_BY_TYPE_REQ;

	if (p->recalled && by_handle && memchr(wrong, error->error, sizeof(wrong)))
		peer_forget_kind(p);
}

void peer_learn_handles(struct esl_peer *p)
{
	if (!p->has_hash)
		return;
	p->kind = (struct esl_kind){.known = true};
	memcpy(p->kind.hash, p->hash, sizeof(p->hash));
	for (size_t i = 0; i < CHR_COUNT; i++) {
		p->kind.value[i] = p->chr[i].value;
		p->kind.turn_on[i] = p->chr[i].turn_on;
	}
	tell_learned(p);
}

/* --- at the beginning of a link --------------------------------------------------------------- */

static void recall(struct esl_peer *p)
{
	for (size_t i = 0; i < CHR_COUNT; i++)
		p->chr[i] = (struct chr_found){.value = p->kind.value[i],
					       .turn_on = p->kind.turn_on[i]};
	p->recalled = true;
	p->ready = true;
	peer_finish(p, 0);
}

static void on_hash(void *user, int err, const struct att_pdu *answer)
{
	struct esl_peer *p = user;

	if (err < 0 && err != -ERR_PEER) {
		peer_fail(p, err);
		return;
	}
	p->has_hash = err == 0 && answer->format == HASH_ELEMENT && answer->len >= HASH_ELEMENT;
	if (p->has_hash)
		memcpy(p->hash, answer->value + 2, sizeof(p->hash));
	if (p->has_hash && p->kind.known && memcmp(p->hash, p->kind.hash, sizeof(p->hash)) == 0) {
		recall(p);
		return;
	}
	if (p->has_hash)
		p->kind = (struct esl_kind){.known = false}; /* a new one follows */
	else
		peer_forget_kind(p);
	peer_find(p);
}

/* By its type, as its handle may be another one by now (Vol 3 Part G 7.3). */
void peer_recall(struct esl_peer *p)
{
	uint8_t uuid[2];

	att_put_uuid(uuid, UUID_DATABASE_HASH);
	peer_ask(p,
		 &(struct att_pdu){.op = ATT_READ_BY_TYPE_REQ,
				   .handle = 1,
				   .end = ATT_HANDLE_LAST,
				   .value = uuid,
				   .len = sizeof(uuid)},
		 on_hash);
}

/* --- what it says of itself ------------------------------------------------------------------- */

bool peer_recall_facts(struct esl_peer *p)
{
	const struct esl_facts *f = &p->kind.facts;
	struct esl_link_result *r = &p->res;

	if (!p->recalled || !p->kind.has_facts)
		return false;
	r->n_displays = f->n_displays;
	memcpy(r->displays, f->displays, sizeof(r->displays));
	r->max_image_index = f->max_image_index;
	r->n_leds = f->n_leds;
	memcpy(r->leds, f->leds, sizeof(r->leds));
	r->n_sensors = f->n_sensors;
	for (size_t i = 0; i < f->n_sensors; i++)
		r->sensors[i].id = f->sensors[i];
	r->identity = f->identity;
	return true;
}

void peer_learn_facts(struct esl_peer *p)
{
	struct esl_facts *f = &p->kind.facts;
	const struct esl_link_result *r = &p->res;

	if (!p->kind.known || r->n_displays == 0)
		return;
	*f = (struct esl_facts){.n_displays = r->n_displays,
				.max_image_index = r->max_image_index,
				.n_leds = r->n_leds,
				.n_sensors = r->n_sensors,
				.identity = r->identity};
	memcpy(f->displays, r->displays, sizeof(f->displays));
	memcpy(f->leds, r->leds, sizeof(f->leds));
	for (size_t i = 0; i < r->n_sensors; i++)
		f->sensors[i] = r->sensors[i].id;
	p->kind.has_facts = true;
	tell_learned(p);
}

/* --- switches --------------------------------------------------------------------------------- */

/* A label keeps them with the bond (Vol 3 Part G 3.3.3.3). For pictures that is relied upon, as the
 * missing answer would be noticed; a label that turns out to forget is not asked to again. */

static void turn_on_next(struct esl_peer *p);

static void on_turned(void *user, int err, const struct att_pdu *answer)
{
	struct esl_peer *p = user;

	(void) answer;
	if (err < 0) {
		peer_finish(p, err);
		return;
	}
	p->chr[p->turning].on = true;
	turn_on_next(p);
}

static void turn_on_next(struct esl_peer *p)
{
	uint8_t value[2];

	while (p->turning < CHR_COUNT && (!(p->to_turn & 1u << p->turning) ||
					  !p->chr[p->turning].turn_on || p->chr[p->turning].on))
		p->turning++;
	if (p->turning == CHR_COUNT) {
		p->turned(p);
		return;
	}
	att_put_uuid(value, peer_switch_value((enum chr) p->turning));
	peer_ask(p,
		 &(struct att_pdu){.op = ATT_WRITE_REQ,
				   .handle = p->chr[p->turning].turn_on,
				   .value = value,
				   .len = sizeof(value)},
		 on_turned);
}

void peer_turn_on(struct esl_peer *p, unsigned int which, void (*then)(struct esl_peer *p))
{
	p->to_turn = which;
	p->turned = then;
	p->turning = 0;
	turn_on_next(p);
}

void peer_switches_forgotten(struct esl_peer *p)
{
	if (!p->kind.known || p->kind.forgets_switches)
		return;
	p->kind.forgets_switches = true;
	tell_learned(p);
}
