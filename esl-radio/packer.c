/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One packet per subevent and train event, shared by the labels of its group. A command that is not
 * answered is simply planned again for the next packet, as the label still stands in its queue.
 */
#include "esl-radio/packer.h"
#include "esl-radio/engine.h"
#include "esl-radio/keys.h"
#include "esl-radio/plan.h"
#include "esl-radio/wake.h"

#include "common/err.h"
#include <string.h>

/** Labels drop their bond after an hour without one packet they can authenticate. */
#define KEEP_ALIVE_US (INT64_C(20) * 60 * US_PER_SEC)
/** Labels of one queue looked at for one packet, at most. */
#define LOOKS_MAX     40
/** Labels looked at that did not answer their timed command. */
#define ASKED_MAX     16

int esl_packet_seal(struct esl_engine *e, const struct esl_packet *p, uint8_t *out, size_t cap)
{
	uint8_t plain[ESL_AD_MAX], rand[EAD_RAND_BYTES];
	int len = esl_ad_encode(p->data, p->len, plain, sizeof(plain));
	int r;

	if (len < 0)
		return len;
	r = esl_next_randomizer(e, rand);
	if (r < 0)
		return r;
	return ead_seal(&e->train_key, rand, plain, (size_t) len, out, cap);
}

/** For labels that still have the key before the present one. */
static int seal_old(struct esl_engine *e, const struct esl_packet *p, uint8_t *out, size_t cap)
{
	uint8_t plain[ESL_AD_MAX], rand[EAD_RAND_BYTES];
	int len = esl_ad_encode(p->data, p->len, plain, sizeof(plain));
	int r = esl_next_old_randomizer(e, rand);

	if (len < 0 || r < 0)
		return len < 0 ? len : r;
	return ead_seal(&e->old_key, rand, plain, (size_t) len, out, cap);
}

/** Which key the next packet is for: in turn, where labels of a group have different ones. */
static bool old_keys_turn(const struct esl_engine *e, struct esl_group *g)
{
	g->old_turn = e->rotating && g->stale > 0 && (g->stale >= g->n || !g->old_turn);
	return g->old_turn;
}

static bool understands(const struct esl_engine *e, const struct esl_label *l)
{
	return !e->rotating || (l->key_gen != e->key_gen) == e->groups[l->group].old_turn;
}

static bool in_flight(const struct esl_flight *f, const struct esl_label *l)
{
	for (unsigned int i = 0; i < f->n; i++)
		if (f->entry[i].label == l)
			return true;
	return false;
}

/** Its index names a sensor or an LED; a label has one display. */
static bool names_part(uint8_t op)
{
	return op == ESL_OP_READ_SENSOR || op == ESL_OP_LED_CONTROL || op == ESL_OP_LED_TIMED;
}

enum added {
	ADDED,
	MISFIT,  /**< there is no room for it, or it has another key; it keeps its place */
	SKIPPED, /**< it has nothing of that urgency to hear, or must not be told */
};

/** Puts the label's command into the packet if it is of that urgency, fits, and may go out. */
static enum added add_command(struct esl_engine *e, struct esl_label *l, struct esl_packet *p,
			      struct esl_flight *f)
{
	enum esl_urgency urgency = l->ready, now;
	struct esl_cmd c;

	now = esl_plan(e, l, &c);
	if (now != urgency) {
		esl_set_ready(e, l, now);
		return SKIPPED;
	}
	if (p->len + esl_tlv_len(c.op) > sizeof(p->data) || !understands(e, l))
		return MISFIT;
	/* To the end of its queue, so that a silent one does not crowd out the others. */
	esl_set_ready(e, l, ESL_URGENCY_NONE);
	esl_set_ready(e, l, urgency);
	if (!esl_command_sent(e, l, &c) || esl_packet_add(p, &c) < 0)
		return SKIPPED;
	f->entry[f->n++] = (struct esl_flight_entry){
		.label = l,
		.cmd = {.op = c.op,
			.image = names_part(c.op) ? c.index : c.image,
			.abs_ms = c.abs_ms},
	};
	e->stats.commands++;
	return ADDED;
}

/** From the head of one queue. Reports on the way may have the owner change any of it, so that it
 * is begun anew after each command. */
static void add_commands(struct esl_engine *e, struct esl_group *g, enum esl_urgency urgency,
			 struct esl_packet *p, struct esl_flight *f)
{
	unsigned int max = MIN(ESL_RESPONSE_SLOTS, e->train.response_slots);
	struct esl_label *l = TAILQ_FIRST(&g->ready[urgency]);

	for (unsigned int k = 0; k < LOOKS_MAX && l && !in_flight(f, l) && p->n < max &&
				 sizeof(p->data) - p->len >= esl_tlv_len(ESL_OP_PING);
	     k++) {
		if (add_command(e, l, p, f) == MISFIT)
			l = TAILQ_NEXT(l, ready_link);
		else
			l = TAILQ_FIRST(&g->ready[urgency]);
	}
}

/**
 * A timed command that was not answered may have been heard. Two bytes ask: a label that holds one
 * says so, and needs not be told again. The labels told last stand at the end of their queue, and
 * room for a few of these is left in a packet full of timed commands.
 */
static void ask_unanswered(struct esl_engine *e, struct esl_group *g, struct esl_packet *p,
			   struct esl_flight *f)
{
	unsigned int max = MIN(ESL_RESPONSE_SLOTS, e->train.response_slots);
	struct esl_label *l = TAILQ_LAST(&g->ready[ESL_URGENCY_STAGE], esl_label_list), *before;

	for (unsigned int k = 0; l && k < ASKED_MAX && p->n < max; k++, l = before) {
		struct esl_cmd ping = {.op = ESL_OP_PING, .esl_id = l->id};

		before = TAILQ_PREV(l, esl_label_list, ready_link);
		if (l->pending.state != ESL_PENDING_SENT || !l->awaiting || !l->queue_known ||
		    !understands(e, l) || in_flight(f, l))
			continue;
		if (p->len + esl_tlv_len(ping.op) > sizeof(p->data))
			return;
		if (!esl_command_sent(e, l, &ping) || esl_packet_add(p, &ping) < 0)
			continue;
		f->entry[f->n++] = (struct esl_flight_entry){.label = l, .cmd = {.op = ping.op}};
		e->stats.commands++;
	}
}

/** Fills a group's packet; false if there is nothing to say. */
static bool fill(struct esl_engine *e, struct esl_group *g, uint8_t group, bool old,
		 struct esl_packet *p)
{
	struct esl_flight *f;

	g->latest ^= 1;
	f = &g->flight[g->latest];
	f->n = 0;
	esl_packet_init(p, group);
	for (int u = ESL_URGENCY_FLIP; u > ESL_URGENCY_UPKEEP; u--)
		add_commands(e, g, (enum esl_urgency) u, p, f);
	ask_unanswered(e, g, p, f);
	add_commands(e, g, ESL_URGENCY_UPKEEP, p, f);
	if (p->n == 0 && esl_now(e) - g->last_tx_us[old] >= KEEP_ALIVE_US) {
		struct esl_cmd ping = {.op = ESL_OP_PING, .esl_id = ESL_ID_BROADCAST};

		if (esl_packet_add(p, &ping) == 0)
			f->entry[f->n++] = (struct esl_flight_entry){.label = NULL};
	}
	return p->n > 0;
}

void esl_packer_request(struct esl_engine *e, uint8_t start, uint8_t count)
{
	struct hci_subevent_data sets[HCI_SUBEVENTS_PER_CMD];
	uint8_t air[HCI_SUBEVENTS_PER_CMD][ESL_AD_MAX + EAD_OVERHEAD];
	size_t n = 0;

	if (start >= e->train.subevents)
		return;
	esl_wakes_due(e);
	for (unsigned int i = 0; i < MIN(count, e->train.subevents); i++) {
		uint8_t subevent = (uint8_t) ((start + i) % e->train.subevents);
		struct esl_group *g = &e->groups[subevent];
		struct esl_packet p;
		bool old;
		int len = 0;

		if (g->n == 0)
			continue;
		old = old_keys_turn(e, g);
		if (fill(e, g, subevent, old, &p)) {
			len = old ? seal_old(e, &p, air[n], sizeof(air[n]))
				  : esl_packet_seal(e, &p, air[n], sizeof(air[n]));
			if (len > 0) {
				g->last_tx_us[old] = esl_now(e);
				e->stats.packets++;
			}
		}
		/* Nothing to say still goes out, empty: labels keep their timing by it. */
		sets[n] = (struct hci_subevent_data){
			.subevent = subevent,
			.slot_count = len > 0 ? (uint8_t) p.n : 0,
			.len = len > 0 ? (uint8_t) len : 0,
			.data = air[n],
		};
		if (++n == ARRAY_SIZE(sets)) {
			(void) e->radio->ops->set_data(e->radio, sets, n);
			n = 0;
		}
	}
	/* A set that could not be handed over is a lost packet; it is planned again. */
	if (n)
		(void) e->radio->ops->set_data(e->radio, sets, n);
}

/** True if the answer can be one to this command. */
static bool fits(const struct esl_cmd_brief *cmd, const struct esl_rsp *r)
{
	if (r->tag == ESL_RSP_ERROR)
		return true;
	if (esl_op_answer(cmd->op) != r->tag)
		return false;
	if (cmd->op == ESL_OP_READ_SENSOR)
		return cmd->image == r->index;
	return cmd->op != ESL_OP_DISPLAY_IMAGE || cmd->image == r->image;
}

/** Tries an answer as one to a packet; true if it was the label's and fitted. */
static bool try_flight(struct esl_engine *e, struct esl_flight *f, uint8_t slot, int8_t rssi_dbm,
		       const uint8_t *data, size_t len)
{
	uint8_t plain[ESL_AD_MAX];
	const uint8_t *payload;
	struct esl_cmd_brief cmd;
	struct esl_label *l;
	struct ead_key key;
	struct esl_rsp r;
	size_t n;
	struct wire w;
	int got;

	if (slot >= f->n || !f->entry[slot].label)
		return false;
	l = f->entry[slot].label;
	cmd = f->entry[slot].cmd;
	ead_key_from_wire(l->response_key, &key);
	got = ead_open(&key, data, len, plain, sizeof(plain));
	explicit_bzero(&key, sizeof(key));
	if (got < 0 || esl_ad_find(plain, (size_t) got, &payload, &n) < 0)
		return false;
	wire_init(&w, payload, n);
	esl_rsp_decode(&w, &r); /* one command each, so one answer each */
	if (!wire_ok(&w) || !fits(&cmd, &r))
		return false;
	f->entry[slot].label = NULL;
	if (rssi_dbm != 127)
		l->rssi_dbm = rssi_dbm;
	esl_answer(e, l, &cmd, &r);
	return true;
}

void esl_packer_response(struct esl_engine *e, uint8_t subevent, uint8_t slot, int8_t rssi_dbm,
			 const uint8_t *data, size_t len)
{
	struct esl_group *g;

	if (len == 0 || subevent >= e->train.subevents)
		return;
	g = &e->groups[subevent];
	if (try_flight(e, &g->flight[g->latest], slot, rssi_dbm, data, len) ||
	    try_flight(e, &g->flight[g->latest ^ 1], slot, rssi_dbm, data, len))
		return;
	e->stats.decrypt_failures++;
}
