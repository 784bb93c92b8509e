/* SPDX-License-Identifier: Apache-2.0 */
/* Labels that the simulator plays, as stations of the air: where each can be reached, and its own
 * Bluetooth host at the far end of a link. */
#include "sim/radio_links.h"

#include "common/err.h"
#include "esl-radio/le/l2cap_wire.h"
#include <errno.h>
#include <string.h>

#define CLOCK_STREAM UINT64_C(0x636c6f636b) /* keeps draws of clocks apart from those of places */

/** The label's end of a link. */
struct label_end {
	struct radio_label *rl;
	struct one_link *link;
	struct label_host *host;
	struct buf frame; /**< being put together */
	uint8_t central[LE_ADDR_BYTES];
	bool synced; /**< the train's timing was handed over */
};

static struct radio_label *label_of(const struct radio_station *s)
{
	return (struct radio_label *) s;
}

static int64_t now_us(const struct radio_label *rl)
{
	return clock_mono_us(rl->station.radio->clock);
}

/* --- where it can be reached ------------------------------------------------------------------ */

static struct radio_station_list *list_of(struct radio_label *rl)
{
	if (rl->place == RADIO_IN_GROUP)
		return &rl->station.radio->in_group[rl->group];
	return rl->place == RADIO_ADVERTISING ? &rl->station.radio->advertising : NULL;
}

/** Its state decides who can reach it, and how. */
static void label_moved(struct radio_label *rl)
{
	enum esl_label_state state = sim_label_state(rl->label);

	if (list_of(rl))
		TAILQ_REMOVE(list_of(rl), &rl->station, place);
	rl->group = sim_label_group(rl->label);
	if (state == ESL_SYNCHRONIZED)
		rl->place = RADIO_IN_GROUP;
	else if (state == ESL_UNASSOCIATED || state == ESL_UNSYNCHRONIZED)
		rl->place = RADIO_ADVERTISING;
	else
		rl->place = RADIO_NOWHERE;
	if (rl->place == RADIO_ADVERTISING)
		rl->hear_us = INT64_MAX;
	if (list_of(rl))
		TAILQ_INSERT_TAIL(list_of(rl), &rl->station, place);
	if (rl->place == RADIO_ADVERTISING)
		radio_adverts_wake(rl->station.radio->links);
}

static void label_due(void *user)
{
	struct radio_label *rl = user;

	sim_label_advance(rl->label, now_us(rl));
	sim_radio_touched(rl->station.radio, rl->index);
}

/** It forgot its access point: bond and link go with it. */
static void label_left(struct radio_label *rl)
{
	rl->bond.has_key = false;
	if (rl->station.link && radio_link_encrypted(rl->station.link))
		radio_link_end(rl->station.link, HCI_ERR_REMOTE_ENDED);
}

static void label_event(void *user, struct sim_label *l, enum sim_label_event event, int64_t at_us)
{
	struct radio_label *rl = user;

	(void) at_us;
	if (event == SIM_LABEL_REDRAW_ENDED && rl->station.radio->shows)
		sim_shows_add(rl->station.radio->shows, l);
	if (event == SIM_LABEL_STATE_CHANGED)
		label_moved(rl);
	if (event == SIM_LABEL_STATE_CHANGED && sim_label_state(l) == ESL_UNASSOCIATED)
		label_left(rl);
	if (rl->station.radio->watch)
		rl->station.radio->watch(rl->station.radio->watch_user, rl->index, event);
}

void sim_radio_touched(struct sim_radio *r, size_t i)
{
	struct radio_label *rl = r->labels[i];
	int64_t next_us = sim_label_next_us(rl->label);

	/* One that fires too early finds nothing to do, and is set again. */
	if (next_us == INT64_MAX || (loop_timer_active(rl->timer) && rl->armed_us <= next_us))
		return;
	rl->armed_us = next_us;
	loop_timer_start(rl->timer, MAX(next_us - clock_mono_us(r->clock), INT64_C(0)));
}

/* --- the air ---------------------------------------------------------------------------------- */

static bool label_is(const struct radio_station *s, const uint8_t addr[7])
{
	struct sim_label_view v;

	sim_label_get(label_of(s)->label, &v);
	return memcmp(v.addr, addr + 1, sizeof(v.addr)) == 0;
}

static void label_advertise(struct radio_station *s, bool ask, int8_t rssi, struct buf *events)
{
	static const uint8_t data[] = {2, 0x01, 0x06, 3, 0x03, 0x57, 0x18};
	struct hci_adv_report r = {.type = HCI_ADV_CONNECTABLE | HCI_ADV_SCANNABLE | HCI_ADV_LEGACY,
				   .addr_type = 1,
				   .rssi = rssi,
				   .len = sizeof(data),
				   .data = data};
	struct sim_label_view v;

	sim_label_get(label_of(s)->label, &v);
	for (size_t n = 0; n < HCI_ADDR_BYTES; n++)
		r.addr[n] = v.addr[HCI_ADDR_BYTES - 1 - n];
	ignore_result(hci_put_adv_report(events, &r));
	/* Who scans actively asks for more, and gets an empty answer: there is nothing else. */
	r.type |= HCI_ADV_SCAN_RESPONSE;
	r.len = 0;
	if (ask)
		ignore_result(hci_put_adv_report(events, &r));
}

static bool label_connectable(const struct radio_station *s)
{
	enum esl_label_state state = sim_label_state(label_of(s)->label);

	return state == ESL_UNASSOCIATED || state == ESL_UNSYNCHRONIZED;
}

static bool label_listens(const struct radio_station *s, uint8_t subevent)
{
	const struct sim_label *l = label_of(s)->label;

	return sim_label_state(l) == ESL_SYNCHRONIZED && sim_label_group(l) == subevent;
}

static void label_hear(struct radio_station *s, struct train_packet *p)
{
	struct radio_label *rl = label_of(s);
	uint8_t answer[SIM_LABEL_ANSWER_MAX];
	unsigned int slot;
	int n = sim_label_hear(rl->label, &p->air, answer, &slot, p->at_us);

	if (n > 0)
		train_answer(s, slot, answer, (size_t) n);
	sim_radio_touched(s->radio, rl->index);
}

static void label_miss(struct radio_station *s, const struct train_packet *p)
{
	(void) s;
	(void) p;
}

/* --- its end of a link ------------------------------------------------------------------------ */

/* A frame of the label's host, cut into packets. */
static void host_frame(void *user, uint16_t cid, const uint8_t *data, size_t len)
{
	struct label_end *e = user;
	_cleanup_buf_ struct buf b = BUF_INIT;

	l2cap_put_header(&b, cid, len);
	buf_put(&b, data, len);
	for (size_t at = 0; buf_ok(&b) && at < b.len; at += RADIO_LINK_DATA)
		radio_link_send(e->link, b.data + at, MIN(b.len - at, (size_t) RADIO_LINK_DATA),
				at == 0);
}

static void host_end(void *user)
{
	struct label_end *e = user;

	radio_link_end(e->link, HCI_ERR_REMOTE_ENDED);
}

static bool host_in_range(void *user)
{
	struct label_end *e = user;

	return e->synced && now_us(e->rl) >= e->rl->hear_us &&
	       sim_radio_sync_label(e->rl->station.radio, e->rl->index) == 0;
}

static const struct label_host_io host_io = {host_frame, host_end, host_in_range};

static int label_link_begin(struct radio_station *s, const struct station_link *how)
{
	struct radio_label *rl = label_of(s);
	struct label_end *e = calloc(1, sizeof(*e));
	int r = e ? 0 : -ENOMEM;

	if (r < 0)
		return r;
	e->central[0] = how->central_type;
	for (size_t i = 0; i < HCI_ADDR_BYTES; i++)
		e->central[1 + i] = how->central[HCI_ADDR_BYTES - 1 - i];
	e->rl = rl;
	e->link = how->link;
	if (rl->told_of != s->radio->train.generation)
		rl->hear_us = INT64_MAX;
	if (sim_label_state(rl->label) == ESL_SYNCHRONIZED && radio_in_sync(s))
		rl->hear_us = 0;
	r = label_host_new(rl->label, &rl->bond, e->central, s->radio->seed + rl->index, &host_io,
			   e, &e->host);
	if (r < 0) {
		free(e);
		return r;
	}
	rl->end = e;
	return 0;
}

static void label_link_data(struct radio_station *s, const uint8_t *data, size_t len, bool first)
{
	struct radio_label *rl = label_of(s);
	struct label_end *e = rl->end;
	size_t frame;

	if (first)
		buf_clear(&e->frame);
	buf_put(&e->frame, data, len);
	if (!buf_ok(&e->frame) || e->frame.len < L2CAP_HEADER)
		return;
	frame = (size_t) (e->frame.data[0] | e->frame.data[1] << 8);
	if (e->frame.len != L2CAP_HEADER + frame)
		return;
	label_host_frame(e->host, (uint16_t) (e->frame.data[2] | e->frame.data[3] << 8),
			 e->frame.data + L2CAP_HEADER, frame, now_us(rl));
	buf_clear(&e->frame);
	sim_radio_touched(s->radio, rl->index);
}

static void label_link_sent(struct radio_station *s, unsigned int n)
{
	(void) s;
	(void) n;
}

static void label_link_key(struct radio_station *s, const struct hci_enable_encryption *c)
{
	struct radio_label *rl = label_of(s);
	const struct label_bond *bond = &rl->bond;
	bool matches = bond->has_key && memcmp(bond->central, rl->end->central, LE_ADDR_BYTES) == 0;

	for (size_t i = 0; i < HCI_KEY_BYTES; i++)
		matches &= c->ltk[i] == bond->ltk[HCI_KEY_BYTES - 1 - i];
	radio_link_key(s->link, matches ? HCI_OK : HCI_ERR_PIN_MISSING);
}

static void label_link_encrypted(struct radio_station *s, bool again)
{
	struct radio_label *rl = label_of(s);

	(void) again;
	label_host_encrypted(rl->end->host, now_us(rl));
	sim_radio_touched(s->radio, rl->index);
}

static void label_link_updated(struct radio_station *s, const struct hci_connection_update *c)
{
	(void) s;
	(void) c;
}

/** Where the train is on its way it has been told; in step it is once it has heard a packet that
 * begins one of the next intervals. */
static void label_link_transfer(struct radio_station *s, uint16_t service_data)
{
	struct radio_label *rl = label_of(s);
	int64_t at_us = sim_radio_next_occurrence_us(s->radio, 0);

	(void) service_data;
	rl->end->synced = true;
	if (rl->hear_us != INT64_MAX || at_us < 0)
		return;
	rl->told_of = s->radio->train.generation;
	for (unsigned int n = 0; n < SYNC_EVENTS; n++, at_us += s->radio->train.interval_us) {
		train_tune(s->radio, n);
		if (radio_train_lost_down(s->radio, s))
			continue;
		rl->hear_us = at_us;
		return;
	}
}

static void end_free(struct radio_label *rl)
{
	if (!rl->end)
		return;
	label_host_free(rl->end->host);
	buf_done(&rl->end->frame);
	free(rl->end);
	rl->end = NULL;
}

/** A label that has not said Update Complete has lost its link. What it was told of the train
 * before that it still knows. */
static void label_link_end(struct radio_station *s, uint8_t reason)
{
	struct radio_label *rl = label_of(s);
	int64_t hear_us = rl->hear_us;

	(void) reason;
	end_free(rl);
	sim_label_link_lost(rl->label, now_us(rl));
	rl->hear_us = hear_us;
	sim_radio_touched(s->radio, rl->index);
}

static const struct radio_station_ops label_ops = {
	.features = STATION_FEATURES,
	.is = label_is,
	.advertise = label_advertise,
	.connectable = label_connectable,
	.listens = label_listens,
	.hear = label_hear,
	.miss = label_miss,
	.link_begin = label_link_begin,
	.link_data = label_link_data,
	.link_sent = label_link_sent,
	.link_key = label_link_key,
	.link_encrypted = label_link_encrypted,
	.link_updated = label_link_updated,
	.link_transfer = label_link_transfer,
	.link_end = label_link_end,
};

/* --- life ------------------------------------------------------------------------------------- */

void radio_label_free(struct radio_label *rl)
{
	if (!rl)
		return;
	end_free(rl);
	label_bond_drop_kept(&rl->bond);
	loop_timer_free(rl->timer);
	sim_label_free(rl->label);
	free(rl);
}

static int label_new(struct sim_radio *r, size_t i, const struct sim_label_model *model,
		     struct radio_label **ret)
{
	uint16_t number = (uint16_t) (i + 1);
	uint8_t addr[SIM_LABEL_ADDR_BYTES] = {
		0xc0, 0xff, 0xee, r->index, (uint8_t) (number >> 8), (uint8_t) number};
	struct radio_label *rl = calloc(1, sizeof(*rl));
	struct sim_label_model own = *model;
	int e;

	if (!rl)
		return -ENOMEM;
	*rl = (struct radio_label){.index = i,
				   .station = {.ops = &label_ops,
					       .radio = r,
					       .loss_down = -1,
					       .loss_up = -1,
					       .advert_interval_us = r->advert_us}};
	/* Labels stand at distances of their own; those at the far end are weak. */
	rl->station.mean_rssi_dbm =
		(float) (-45.0 - 33.0 * sim_hash_unit(r->seed, r->index, number));
	own.clock_ppm += own.clock_spread_ppm *
			 (2 * sim_hash_unit(r->seed ^ CLOCK_STREAM, r->index, number) - 1);
	e = sim_label_new(addr, &own, r->seed, label_event, rl, &rl->label);
	if (e == 0)
		e = loop_timer_new(r->loop, label_due, rl, &rl->timer);
	if (e < 0) {
		radio_label_free(rl);
		return e;
	}
	*ret = rl;
	return 0;
}

int sim_radio_add_labels(struct sim_radio *r, const struct sim_label_model *model, unsigned int n)
{
	struct radio_label **labels;

	if (n > SIM_RADIO_MAX_LABELS - r->n_labels)
		return -ERR_RANGE;
	labels = reallocarray(r->labels, r->n_labels + n, sizeof(*labels));
	if (!labels && n > 0)
		return -ENOMEM;
	r->labels = labels;
	while (n--) {
		int e = label_new(r, r->n_labels, model, &labels[r->n_labels]);

		if (e < 0)
			return e;
		label_moved(labels[r->n_labels++]);
	}
	return 0;
}

unsigned int sim_radio_pairings(const struct sim_radio *r, size_t label)
{
	return r->labels[label]->bond.pairings;
}
