/* SPDX-License-Identifier: Apache-2.0 */
/* A guest in step with the access point's train: its timing comes over a link (sync transfer), its
 * host names the subevents to listen to, and answers what was heard there. */
#include "sim/guest_impl.h"

#include <string.h>

#define TIMEOUT_UNIT_US (10 * US_PER_MS)
#define SKIP_MOST       0x01f3
#define TIMEOUT_MOST    0x4000
#define TX_POWER_DBM    8
#define REPORT_HEAD     8 /* bytes of the event before its data, its code among them, */
#define REPORT_V2_MORE  3 /* and so many more in its newer form */
#define PHY_1M          1
#define CLOCK_50_PPM    0x05
#define NO_CTE          0xff
#define POWER_UNKNOWN   127

static bool in_step(const struct sim_guest *g)
{
	return g->sync.active && radio_in_sync(&g->station);
}

/** True if that is the handle of its sync; else the status says that there is none. */
static bool sync_known(const struct sim_guest *g, uint16_t handle, struct hci_reply *ret)
{
	if (g->sync.active && handle == GUEST_SYNC_HANDLE)
		return true;
	ret->status = HCI_ERR_UNKNOWN_ADVERTISER;
	return false;
}

/* --- how it comes and goes -------------------------------------------------------------------- */

static void sync_end(struct sim_guest *g)
{
	struct guest_sync *y = &g->sync;

	y->active = y->chosen = false;
	memset(y->subevents, 0, sizeof(y->subevents));
	g->station.generation = 0;
	loop_timer_stop(y->lost);
}

static void sync_lost(void *user)
{
	struct sim_guest *g = user;
	_cleanup_buf_ struct buf b = BUF_INIT;

	sync_end(g);
	buf_put_u16le(&b, GUEST_SYNC_HANDLE);
	guest_le_event(g, HCI_LE_PA_SYNC_LOST, &b);
}

static void sync_heard(struct sim_guest *g)
{
	loop_timer_start(g->sync.lost, g->sync.how.timeout * TIMEOUT_UNIT_US);
}

/** The newest form of the event that the host wants. */
static void tell_received(struct sim_guest *g, uint8_t status)
{
	const struct guest_sync *y = &g->sync;
	const struct sim_radio *r = g->station.radio;
	const struct hci_pa_params *p = &r->hs.pa;
	_cleanup_buf_ struct buf b = BUF_INIT;
	bool v2 = hci_port_wants(&g->port, HCI_LE_PAST_RECEIVED_V2);
	uint8_t addr[7];

	radio_own_address(r, r->hs.own_type, addr);
	buf_put_u8(&b, status);
	buf_put_u16le(&b, y->conn_handle);
	buf_put_u16le(&b, y->service_data);
	buf_put_u16le(&b, GUEST_SYNC_HANDLE);
	buf_put_u8(&b, r->hs.sid);
	buf_put_u8(&b, addr[0]);
	for (size_t i = sizeof(addr) - 1; i > 0; i--)
		buf_put_u8(&b, addr[i]);
	buf_put_u8(&b, PHY_1M);
	buf_put_u16le(&b, p->interval_max);
	buf_put_u8(&b, CLOCK_50_PPM);
	if (v2) {
		buf_put_u8(&b, p->subevents);
		buf_put_u8(&b, p->subevent_interval);
		buf_put_u8(&b, p->response_delay);
		buf_put_u8(&b, p->response_spacing);
	}
	guest_le_event(g, v2 ? HCI_LE_PAST_RECEIVED_V2 : HCI_LE_PAST_RECEIVED, &b);
}

static void sync_found(struct sim_guest *g)
{
	struct guest_sync *y = &g->sync;

	y->coming = false;
	loop_timer_stop(y->vain);
	y->active = true;
	y->reports = y->how.mode != HCI_PAST_QUIET;
	g->station.generation = y->coming_of;
	sync_heard(g);
	tell_received(g, HCI_OK);
}

/** None of the packets that it was waited for came: the sync never comes to be. */
static void sync_in_vain(void *user)
{
	struct sim_guest *g = user;

	g->sync.coming = false;
	tell_received(g, HCI_ERR_ESTABLISH);
}

/** Where the train is it knows now, and waits for as many of its packets as any link layer does. A
 * train that it follows already is passed over. */
void guest_link_transfer(struct radio_station *s, uint16_t service_data)
{
	struct sim_guest *g = guest_of(s);
	struct guest_sync *y = &g->sync;
	const struct train *t = &s->radio->train;
	int64_t at_us = sim_radio_next_occurrence_us(s->radio, 0), last_us;

	if (g->past.mode == HCI_PAST_IGNORE || y->coming || in_step(g))
		return;
	if (y->active)
		sync_lost(g); /* of a train that is no more */
	y->coming = true;
	y->coming_of = t->running ? t->generation : 0;
	y->how = g->past;
	y->service_data = service_data;
	y->conn_handle = g->handle;
	last_us = MAX(at_us - guest_now_us(g), INT64_C(0)) + (SYNC_EVENTS - 1) * t->interval_us;
	loop_timer_start(y->vain, last_us + t->interval_us / 2);
}

/* --- packets ---------------------------------------------------------------------------------- */

bool guest_listens(const struct radio_station *s, uint8_t subevent)
{
	const struct sim_guest *g = guest_of(s);

	if (g->sync.coming)
		return subevent == 0 && g->sync.coming_of == g->station.radio->train.generation;
	if (!in_step(g))
		return false;
	return g->sync.chosen ? g->sync.subevents[subevent] : subevent == 0;
}

/** The newest form of the event that the host wants: the older one knows no subevents. */
static void report(struct sim_guest *g, const struct train_packet *p, uint8_t status, int8_t rssi,
		   size_t from, size_t len)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	bool v2 = hci_port_wants(&g->port, HCI_LE_PA_REPORT_V2);

	buf_put_u16le(&b, GUEST_SYNC_HANDLE);
	buf_put_u8(&b, rssi == POWER_UNKNOWN ? POWER_UNKNOWN : TX_POWER_DBM);
	buf_put_u8(&b, (uint8_t) rssi);
	buf_put_u8(&b, NO_CTE);
	if (v2) {
		buf_put_u16le(&b, p->event);
		buf_put_u8(&b, p->subevent);
	}
	buf_put_u8(&b, status);
	buf_put_u8(&b, (uint8_t) len);
	if (len > 0)
		buf_put(&b, p->air.ad + from, len);
	guest_le_event(g, v2 ? HCI_LE_PA_REPORT_V2 : HCI_LE_PA_REPORT, &b);
}

/** As many bytes of a packet as one report holds. */
static size_t report_room(const struct sim_guest *g)
{
	return HCI_PARAMS_MAX - REPORT_HEAD -
	       (hci_port_wants(&g->port, HCI_LE_PA_REPORT_V2) ? REPORT_V2_MORE : 0);
}

void guest_hear(struct radio_station *s, struct train_packet *p)
{
	struct sim_guest *g = guest_of(s);
	int8_t rssi;
	size_t at = 0;

	if (g->sync.coming) {
		sync_found(g);
		return;
	}
	sync_heard(g);
	if (!p->sent || !g->sync.reports || !g->sync.chosen)
		return;
	rssi = radio_rssi(s->radio, s);
	do {
		size_t n = MIN(p->air.len - at, report_room(g));

		report(g, p, at + n < p->air.len ? HCI_REPORT_MORE : HCI_REPORT_COMPLETE, rssi, at,
		       n);
		at += n;
	} while (at < p->air.len);
}

void guest_miss(struct radio_station *s, const struct train_packet *p)
{
	struct sim_guest *g = guest_of(s);

	if (p->sent && g->sync.reports && g->sync.chosen)
		report(g, p, HCI_REPORT_FAILED, POWER_UNKNOWN, 0, 0);
}

/* --- commands --------------------------------------------------------------------------------- */

static bool past_fits(const struct hci_past_params *p, struct hci_reply *ret)
{
	if (p->mode > HCI_PAST_ONCE || p->skip > SKIP_MOST || p->timeout < HCI_SYNC_TIMEOUT_MIN ||
	    p->timeout > TIMEOUT_MOST)
		ret->status = HCI_ERR_INVALID_PARAMETERS;
	return ret->status == HCI_OK;
}

void guest_cmd_past_params(void *guest, struct wire *w, struct hci_reply *ret)
{
	struct sim_guest *g = guest;
	struct hci_past_params p;

	hci_get_past_params(w, &p);
	reply_u16(ret, p.handle);
	if (wire_ok(w) && past_fits(&p, ret) && guest_link_known(g, p.handle, ret))
		g->past = p;
}

void guest_cmd_default_past_params(void *guest, struct wire *w, struct hci_reply *ret)
{
	struct sim_guest *g = guest;
	struct hci_past_params p;

	hci_get_default_past_params(w, &p);
	if (wire_ok(w) && past_fits(&p, ret))
		g->default_past = p;
}

void guest_cmd_terminate_sync(void *guest, struct wire *w, struct hci_reply *ret)
{
	uint16_t handle = hci_get_terminate_sync(w);

	if (wire_ok(w) && sync_known(guest, handle, ret))
		sync_end(guest);
}

void guest_cmd_receive_enable(void *guest, struct wire *w, struct hci_reply *ret)
{
	struct sim_guest *g = guest;
	uint16_t handle = wire_get_u16le(w);
	uint8_t on = wire_get_u8(w);

	if (wire_ok(w) && sync_known(g, handle, ret))
		g->sync.reports = on & 1;
}

void guest_cmd_sync_subevent(void *guest, struct wire *w, struct hci_reply *ret)
{
	struct sim_guest *g = guest;
	struct hci_sync_subevent c;
	bool chosen[HCI_SUBEVENTS_MAX] = {false};

	hci_get_sync_subevent(w, &c); /* the power of answers is what it is */
	reply_u16(ret, c.sync);
	if (!wire_ok(w) || !sync_known(g, c.sync, ret))
		return;
	for (unsigned int i = 0; i < c.n; i++) {
		if (c.subevents[i] >= g->station.radio->hs.pa.subevents)
			ret->status = HCI_ERR_INVALID_PARAMETERS;
		chosen[c.subevents[i]] = true;
	}
	if (ret->status)
		return;
	memcpy(g->sync.subevents, chosen, sizeof(chosen));
	g->sync.chosen = true;
}

/** Into its slot, if that is still to come. */
void guest_cmd_response_data(void *guest, struct wire *w, struct hci_reply *ret)
{
	struct sim_guest *g = guest;
	struct hci_response_data c;

	hci_get_response_data(w, &c);
	reply_u16(ret, c.sync);
	if (!wire_ok(w) || !sync_known(g, c.sync, ret))
		return;
	if (c.request_subevent != c.subevent)
		ret->status = HCI_ERR_UNSUPPORTED; /* answers go to where the question was */
	else if (!in_step(g))
		ret->status = HCI_ERR_TOO_LATE;
	else
		ret->status =
			train_respond(&g->station, c.event, c.subevent, c.slot, c.data, c.len);
}

/* --- life ------------------------------------------------------------------------------------- */

void guest_sync_reset(struct sim_guest *g)
{
	sync_end(g);
	g->sync.coming = g->sync.reports = false;
	loop_timer_stop(g->sync.vain);
}

int guest_sync_new(struct sim_guest *g)
{
	int r = loop_timer_new(g->port.loop, sync_in_vain, g, &g->sync.vain);

	return r < 0 ? r : loop_timer_new(g->port.loop, sync_lost, g, &g->sync.lost);
}
