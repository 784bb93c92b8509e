/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/radio_links.h"

#include "common/err.h"
#include <string.h>

#define REQUEST_BATCH          4u
#define REQUEST_LEAD_MIN_US    (40 * US_PER_MS)
#define TX_POWER_DBM           8
#define RESPONSE_MAX           (HCI_PARAMS_MAX - 5 - 6) /* an event must hold it */
#define SLIP_US                (20 * US_PER_MS)
#define SYNC_TIMEOUT_INTERVALS 6
#define UNIT_US                1250 /**< interval, subevent interval, response delay */
#define PACKET_MOST_US         1250 /**< a packet of a subevent is over then */
#define SPACING_UNIT_US        125

int train_check(const struct hci_pa_params *p)
{
	int64_t sub_us = (int64_t) p->subevent_interval * UNIT_US;
	int64_t delay_us = (int64_t) p->response_delay * UNIT_US;
	int64_t slots_us = (int64_t) p->response_slots * p->response_spacing * SPACING_UNIT_US;

	if (p->interval_max < 6 || p->interval_min > p->interval_max || p->subevents < 1 ||
	    p->subevents > HCI_SUBEVENTS_MAX || p->subevent_interval < 6)
		return -ERR_RANGE;
	if (p->response_delay < 1 || p->response_delay == 255 || p->response_spacing < 2 ||
	    p->response_slots < 1)
		return -ERR_RANGE;
	if (p->subevents * sub_us > (int64_t) p->interval_max * UNIT_US || delay_us >= sub_us ||
	    slots_us > sub_us - delay_us)
		return -ERR_RANGE;
	return 0;
}

static int64_t start_of(const struct train *t, uint64_t g)
{
	return t->anchor_us + (int64_t) (g / t->subevents) * t->interval_us +
	       (int64_t) (g % t->subevents) * t->subevent_us;
}

static int64_t request_due_us(const struct train *t)
{
	/* One buffer a subevent: the next round's data is asked for when this round's is sent. */
	if (t->requested >= t->next + t->subevents)
		return INT64_MAX;
	return start_of(t, t->requested) - MAX(2 * t->subevent_us, REQUEST_LEAD_MIN_US);
}

static int64_t train_due_us(const struct train *t)
{
	int64_t due_us = MIN(start_of(t, t->next), request_due_us(t));

	return t->report.set ? MIN(due_us, t->report.due_us) : due_us;
}

/* --- the three things a train does ------------------------------------------------------------ */

static void train_request(struct sim_radio *r)
{
	struct train *t = &r->train;
	uint64_t room = t->next + t->subevents - t->requested;
	struct hci_data_request e = {.handle = t->handle,
				     .start = (uint8_t) (t->requested % t->subevents),
				     .count = (uint8_t) MIN((uint64_t) REQUEST_BATCH, room)};
	_cleanup_buf_ struct buf out = BUF_INIT;

	t->requested += e.count;
	if (!radio_host_wants(r, HCI_LE_PA_SUBEVENT_DATA_REQUEST))
		return;
	hci_put_data_request(&out, &e);
	hci_port_send(&r->port, &out);
}

/** A packet with n bytes of advertising data on the 1M PHY: preamble, address, headers, check sum.
 */
static int64_t packet_us(size_t n)
{
	return (int64_t) (n + 13) * 8;
}

bool train_on_air(const struct sim_radio *r, int64_t from_us, int64_t to_us, uint8_t channel)
{
	const struct train *t = &r->train;

	if (!t->running)
		return false;
	/* The subevent that was begun last, and the one that begins next. */
	for (uint64_t g = t->next > 0 ? t->next - 1 : 0; g <= t->next; g++) {
		const struct subevent_slot *s = &t->slot[g % t->subevents];
		bool begun = g < t->next;
		int64_t at_us = start_of(t, g), answers_us = at_us + t->delay_us;

		if (radio_channels_select(&r->channels, (uint16_t) g) != channel)
			continue;
		if ((begun || s->set) && from_us < at_us + packet_us(s->len) && to_us > at_us)
			return true;
		if (begun && t->report.set && t->report.slot_count > 0 &&
		    from_us < answers_us + t->report.slot_count * t->spacing_us &&
		    to_us > answers_us)
			return true;
	}
	return false;
}

void train_answer(struct radio_station *s, unsigned int slot, const uint8_t *answer, size_t len)
{
	struct sim_radio *r = s->radio;
	struct train *t = &r->train;
	int64_t at_us = start_of(t, t->next - 1) + t->delay_us + slot * t->spacing_us;
	struct air_response *a;

	if (slot >= t->slots)
		return;
	r->stats.responses++;
	a = &t->report.responses[slot];
	if (a->heard || a->broken) {
		r->stats.collisions++;
		a->heard = false;
		a->broken = true;
	} else if (radio_train_drowned(r, at_us, at_us + packet_us(len)) ||
		   radio_train_lost_up(r, s)) {
		r->stats.responses_lost++;
		a->broken = true;
	} else {
		a->heard = true;
		a->rssi = radio_rssi(r, s);
		a->len = (uint8_t) len;
		memcpy(a->data, answer, len);
	}
}

uint8_t train_respond(struct radio_station *s, uint16_t event, uint8_t subevent, uint8_t slot,
		      const uint8_t *data, size_t len)
{
	const struct sim_radio *r = s->radio;
	const struct train *t = &r->train;
	const struct pending_report *p = &t->report;

	if (slot >= t->slots || len > RESPONSE_MAX)
		return HCI_ERR_INVALID_PARAMETERS;
	if (!p->set || p->subevent != subevent || (uint16_t) (p->number / t->subevents) != event ||
	    clock_mono_us(r->clock) > start_of(t, p->number) + t->delay_us + slot * t->spacing_us)
		return HCI_ERR_TOO_LATE;
	/* Links may have hopped meanwhile. */
	radio_channels_hop(&s->radio->channels, (uint16_t) p->number);
	train_answer(s, slot, data, len);
	return HCI_OK;
}

static void air_reach(struct sim_radio *r, struct radio_station *s, struct train_packet *p,
		      bool drowned)
{
	r->stats.packets++;
	if (drowned || radio_train_lost_down(r, s)) {
		r->stats.packets_lost++;
		s->ops->miss(s, p);
	} else {
		s->ops->hear(s, p);
	}
}

/** Guests choose themselves where they listen, and hear the beat of subevents without a word. */
static void air_guests(struct sim_radio *r, struct train_packet *p, bool drowned)
{
	for (unsigned int i = 0; i < r->n_guests; i++) {
		struct radio_station *s = r->guests[i];

		if (!s->ops->listens(s, p->subevent))
			continue;
		if (p->sent)
			air_reach(r, s, p, drowned);
		else if (!radio_train_lost_down(r, s))
			s->ops->hear(s, p);
	}
}

/** One packet flies past every label of the subevent that is in sync and listening. An empty one
 * only keeps them in step. */
static void air_send(struct sim_radio *r, struct train_packet *p)
{
	size_t len = p->air.len;
	bool drowned = len && radio_train_drowned(r, p->at_us, p->at_us + packet_us(len));
	struct radio_station *s, *next;

	for (s = len ? TAILQ_FIRST(&r->in_group[p->subevent]) : NULL; s; s = next) {
		next = TAILQ_NEXT(s, place); /* it may leave the group over this */
		if (radio_in_sync(s) && !s->link)
			air_reach(r, s, p, drowned);
	}
	air_guests(r, p, drowned);
}

static void train_send(struct sim_radio *r)
{
	struct train *t = &r->train;
	int64_t now_us = start_of(t, t->next);
	uint8_t subevent = (uint8_t) (t->next % t->subevents);
	struct subevent_slot *s = &t->slot[subevent];
	struct train_packet p = {.event = (uint16_t) (t->next / t->subevents),
				 .subevent = subevent,
				 .at_us = now_us};

	t->next++;
	if (t->requested < t->next)
		t->requested = t->next;
	if (!s->set && r->n_guests == 0)
		return;
	radio_channels_hop(&r->channels, (uint16_t) (t->next - 1));
	if (!s->set) {
		air_guests(r, &p, false);
		return;
	}
	s->set = false;
	p.sent = true;
	for (unsigned int slot = 0; slot < t->slots; slot++)
		t->report.responses[slot].heard = t->report.responses[slot].broken = false;
	sim_label_air_init(&p.air, s->data, s->len);
	air_send(r, &p);
	t->report.set = true;
	t->report.number = t->next - 1;
	t->report.due_us = now_us + t->delay_us + t->slots * t->spacing_us;
	t->report.subevent = subevent;
	t->report.slot_start = s->slot_start;
	t->report.slot_count = s->slot_count;
}

/** Sends what is collected in `list` and empties it. */
static void report_flush(struct sim_radio *r, const struct hci_response *list, size_t *n)
{
	_cleanup_buf_ struct buf out = BUF_INIT;

	if (*n > 0 && hci_put_response_report(&out, r->train.handle, r->train.report.subevent, 0,
					      list, *n) == 0)
		hci_port_send(&r->port, &out);
	*n = 0;
}

static void train_report(struct sim_radio *r)
{
	struct pending_report *p = &r->train.report;
	struct hci_response list[48];
	size_t n = 0, bytes = 0;

	p->set = false;
	if (!radio_host_wants(r, HCI_LE_PA_RESPONSE_REPORT))
		return;
	for (unsigned int slot = p->slot_start;
	     slot < (unsigned int) p->slot_start + p->slot_count && slot < r->train.slots; slot++) {
		const struct air_response *a = &p->responses[slot];
		size_t len = a->heard ? a->len : 0;

		/* An event holds 255 bytes: 5 of its own, 6 and the data of each answer. */
		if (bytes + 6 + len > HCI_PARAMS_MAX - 5 || n == ARRAY_SIZE(list)) {
			report_flush(r, list, &n);
			bytes = 0;
		}
		bytes += 6 + len;
		list[n++] = (struct hci_response){
			.tx_power = a->heard ? TX_POWER_DBM : 127,
			.rssi = a->heard ? a->rssi : 127,
			.cte = 0xff,
			.slot = (uint8_t) slot,
			.status = a->heard ? HCI_RESPONSE_COMPLETE : HCI_RESPONSE_FAILED,
			.len = (uint8_t) len,
			.data = a->data,
		};
	}
	report_flush(r, list, &n);
}

/* --- its clock -------------------------------------------------------------------------------- */

/**
 * A simulator that was held up (a busy machine) lets the whole train slip, as if its crystal had
 * been slow: the host keeps the time it has for its data, and nothing is sent in a rush.
 */
static void train_slip(struct train *t, int64_t now_us)
{
	int64_t late_us = now_us - train_due_us(t);

	if (late_us <= SLIP_US)
		return;
	t->anchor_us += late_us;
	t->report.due_us += late_us;
}

static void train_fire(void *user)
{
	struct sim_radio *r = user;
	struct train *t = &r->train;
	int64_t now_us = clock_mono_us(r->clock);

	train_slip(t, now_us);
	while (t->running) {
		int64_t due_us = train_due_us(t);

		if (due_us > now_us) {
			loop_timer_start(t->timer, due_us - now_us);
			return;
		}
		if (t->report.set && t->report.due_us <= due_us)
			train_report(r);
		else if (start_of(t, t->next) <= due_us)
			train_send(r);
		else
			train_request(r);
	}
}

int64_t train_wants_us(const struct sim_radio *r, int64_t now_us)
{
	const struct train *t = &r->train;
	int64_t next_us = INT64_MAX, sent_us, listen_us;

	if (!t->running)
		return next_us;
	next_us = start_of(t, t->next);
	if (!t->report.set || t->report.slot_count == 0)
		return MAX(next_us, now_us);
	sent_us = t->report.due_us - t->delay_us - t->slots * t->spacing_us;
	listen_us = sent_us + t->delay_us + t->report.slot_start * t->spacing_us;
	if (now_us < listen_us)
		return MIN(next_us, listen_us);
	return now_us < listen_us + t->report.slot_count * t->spacing_us ? now_us
									 : MAX(next_us, now_us);
}

int64_t train_leaves_us(const struct sim_radio *r, int64_t at_us)
{
	const struct train *t = &r->train;
	int64_t since_us;

	if (!t->running)
		return INT64_MAX;
	since_us = (at_us - t->anchor_us) % t->interval_us;
	since_us += since_us < 0 ? t->interval_us : 0;
	if (since_us >= t->subevents * t->subevent_us) /* the pause after the last one */
		return t->interval_us - since_us;
	since_us %= t->subevent_us;
	return since_us < PACKET_MOST_US ? 0 : t->subevent_us - since_us;
}

int train_timer_new(struct sim_radio *r)
{
	return loop_timer_new(r->loop, train_fire, r, &r->train.timer);
}

int64_t train_sync_timeout_us(const struct sim_radio *r)
{
	return SYNC_TIMEOUT_INTERVALS * r->train.interval_us;
}

void train_start(struct sim_radio *r, const struct hci_pa_params *p)
{
	struct train *t = &r->train;

	t->running = true;
	t->generation++;
	t->handle = p->handle;
	t->subevents = p->subevents;
	t->slots = p->response_slots;
	t->interval_us = (int64_t) p->interval_max * UNIT_US;
	t->subevent_us = (int64_t) p->subevent_interval * UNIT_US;
	t->delay_us = (int64_t) p->response_delay * UNIT_US;
	t->spacing_us = (int64_t) p->response_spacing * SPACING_UNIT_US;
	t->next = t->requested = 0;
	t->report.set = false;
	memset(t->slot, 0, sizeof t->slot);
	t->anchor_us = clock_mono_us(r->clock) + 4 * t->subevent_us + REQUEST_LEAD_MIN_US;
	loop_timer_start(t->timer, 0);
}

void train_stop(struct sim_radio *r)
{
	struct train *t = &r->train;

	if (!t->running)
		return;
	t->running = false;
	loop_timer_stop(t->timer);
	loop_timer_start(r->sync_timer, train_sync_timeout_us(r));
}

/** Where in the count the data for a subevent belongs, or a status that says why nowhere. */
uint8_t train_set_data(struct sim_radio *r, const struct hci_subevent_data *d)
{
	struct train *t = &r->train;
	uint64_t g;
	struct subevent_slot *s;

	if (d->subevent >= t->subevents || d->len > AIR_DATA_MAX ||
	    (d->slot_count > 0 && (unsigned int) d->slot_start + d->slot_count > t->slots))
		return HCI_ERR_INVALID_PARAMETERS;
	g = t->next + (d->subevent + t->subevents - t->next % t->subevents) % t->subevents;
	if (g >= t->requested) {
		r->stats.late++;
		/* Its last turn is nearer than its next one: the host came too late for it. */
		return g - t->next > t->subevents / 2 ? HCI_ERR_TOO_LATE : HCI_ERR_TOO_EARLY;
	}
	s = &t->slot[d->subevent];
	s->set = true;
	s->slot_start = d->slot_start;
	s->slot_count = d->slot_count;
	s->len = d->len;
	memcpy(s->data, d->data, d->len);
	return HCI_OK;
}

void train_tune(struct sim_radio *r, unsigned int n)
{
	const struct train *t = &r->train;
	uint64_t g = (t->next + t->subevents - 1) / t->subevents * t->subevents;

	radio_channels_hop(&r->channels, (uint16_t) (g + (uint64_t) n * t->subevents));
}

int64_t sim_radio_next_occurrence_us(const struct sim_radio *r, uint8_t subevent)
{
	const struct train *t = &r->train;

	if (!t->running || subevent >= t->subevents)
		return -1;
	return start_of(t, t->next + (subevent + t->subevents - t->next % t->subevents) %
					     t->subevents);
}
