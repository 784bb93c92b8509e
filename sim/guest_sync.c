/* SPDX-License-Identifier: Apache-2.0 */
/* A guest in step with the access point's train: its timing comes over a link (sync transfer), its
 * host names the subevents to listen to, and answers what was heard there. */
#include "sim/guest_impl.h"

#include <string.h>

#define TIMEOUT_UNIT_US     (10 * US_PER_MS)
#define TX_POWER_DBM        8
#define REPORT_FAILED       0xff
#define REPORT_DATA_MAX     245 /* of one event */
#define PHY_1M              1
#define CLOCK_50_PPM        0x05
#define NO_CTE              0xff
#define POWER_UNKNOWN       127
#define MODE_MOST           3
#define MODE_WITHOUT_REPORT 1

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

/** The train's next packet flies: it is heard, or the sync never comes to be. */
static void sync_found(void *user)
{
	struct sim_guest *g = user;
	struct sim_radio *r = g->station.radio;
	bool there = r->train.running && !radio_train_lost_down(r, &g->station);

	g->sync.coming = false;
	if (there) {
		g->sync.active = true;
		g->sync.reports = g->sync.how.mode != MODE_WITHOUT_REPORT;
		g->station.generation = r->train.generation;
		sync_heard(g);
	}
	tell_received(g, there ? HCI_OK : HCI_ERR_ESTABLISH);
}

/** A train that it follows already is passed over, as a link layer does. */
void guest_link_transfer(struct radio_station *s, uint16_t service_data)
{
	struct sim_guest *g = guest_of(s);
	struct guest_sync *y = &g->sync;
	int64_t at_us = sim_radio_next_occurrence_us(s->radio, 0);

	if (g->past.mode == 0 || y->coming || in_step(g))
		return;
	if (y->active)
		sync_lost(g); /* of a train that is no more */
	y->coming = true;
	y->how = g->past;
	y->service_data = service_data;
	y->conn_handle = g->handle;
	loop_timer_start(y->found, MAX(at_us - guest_now_us(g), INT64_C(0)));
}

/* --- packets ---------------------------------------------------------------------------------- */

bool guest_listens(const struct radio_station *s, uint8_t subevent)
{
	const struct sim_guest *g = guest_of(s);

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

void guest_hear(struct radio_station *s, struct train_packet *p)
{
	struct sim_guest *g = guest_of(s);
	int8_t rssi;
	size_t at = 0;

	sync_heard(g);
	if (!p->sent || !g->sync.reports || !g->sync.chosen)
		return;
	rssi = radio_rssi(s->radio, s);
	do {
		size_t n = MIN(p->air.len - at, (size_t) REPORT_DATA_MAX);

		report(g, p, at + n < p->air.len, rssi, at, n); /* 1 = more comes */
		at += n;
	} while (at < p->air.len);
}

void guest_miss(struct radio_station *s, const struct train_packet *p)
{
	struct sim_guest *g = guest_of(s);

	if (p->sent && g->sync.reports && g->sync.chosen)
		report(g, p, REPORT_FAILED, POWER_UNKNOWN, 0, 0);
}

/* --- commands --------------------------------------------------------------------------------- */

static void get_past(struct wire *w, struct guest_past *ret, struct hci_reply *reply)
{
	ret->mode = wire_get_u8(w);
	ret->skip = wire_get_u16le(w);
	ret->timeout = wire_get_u16le(w);
	wire_skip(w, 1); /* constant tone extensions */
	if (wire_ok(w) && (ret->mode > MODE_MOST || ret->skip > 0x01f3 || ret->timeout < 0x000a ||
			   ret->timeout > 0x4000))
		reply->status = HCI_ERR_INVALID_PARAMETERS;
}

void guest_cmd_past_params(void *guest, struct wire *w, struct hci_reply *ret)
{
	struct sim_guest *g = guest;
	uint16_t handle = wire_get_u16le(w);
	struct guest_past p;

	reply_u16(ret, handle);
	get_past(w, &p, ret);
	if (wire_ok(w) && ret->status == HCI_OK && guest_link_known(g, handle, ret))
		g->past = p;
}

void guest_cmd_default_past_params(void *guest, struct wire *w, struct hci_reply *ret)
{
	struct sim_guest *g = guest;
	struct guest_past p;

	get_past(w, &p, ret);
	if (wire_ok(w) && ret->status == HCI_OK)
		g->default_past = p;
}

void guest_cmd_terminate_sync(void *guest, struct wire *w, struct hci_reply *ret)
{
	uint16_t handle = wire_get_u16le(w);

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
	uint16_t handle = wire_get_u16le(w), properties = wire_get_u16le(w);
	uint8_t n = wire_get_u8(w);
	const uint8_t *list = wire_get_bytes(w, n);
	bool chosen[HCI_SUBEVENTS_MAX] = {false};

	(void) properties; /* transmit power in answers: it is what it is */
	reply_u16(ret, handle);
	if (!list || !sync_known(g, handle, ret))
		return;
	if (n < 1 || n > HCI_SUBEVENTS_MAX)
		ret->status = HCI_ERR_INVALID_PARAMETERS;
	for (uint8_t i = 0; i < n && ret->status == HCI_OK; i++) {
		if (list[i] >= g->station.radio->hs.pa.subevents)
			ret->status = HCI_ERR_INVALID_PARAMETERS;
		else
			chosen[list[i]] = true;
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
	uint16_t handle = wire_get_u16le(w), event = wire_get_u16le(w);
	uint8_t request = wire_get_u8(w), subevent = wire_get_u8(w), slot = wire_get_u8(w);
	uint8_t len = wire_get_u8(w);
	const uint8_t *data = wire_get_bytes(w, len);

	reply_u16(ret, handle);
	if (!data || !sync_known(g, handle, ret))
		return;
	if (request != subevent)
		ret->status = HCI_ERR_UNSUPPORTED; /* answers go to where the question was */
	else if (!in_step(g))
		ret->status = HCI_ERR_TOO_LATE;
	else
		ret->status = train_respond(&g->station, event, subevent, slot, data, len);
}

/* --- life ------------------------------------------------------------------------------------- */

void guest_sync_reset(struct sim_guest *g)
{
	sync_end(g);
	g->sync.coming = g->sync.reports = false;
	loop_timer_stop(g->sync.found);
}

int guest_sync_new(struct sim_guest *g)
{
	int r = loop_timer_new(g->port.loop, sync_found, g, &g->sync.found);

	return r < 0 ? r : loop_timer_new(g->port.loop, sync_lost, g, &g->sync.lost);
}
