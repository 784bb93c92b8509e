/* SPDX-License-Identifier: Apache-2.0 */
/* A guest's link: it is always the peripheral, and has one. */
#include "sim/guest_impl.h"

#include <errno.h>
#include <string.h>

#define KEY_PATIENCE_US (40 * US_PER_SEC) /* of the link layer with a host that does not answer */
#define ROLE_PERIPHERAL 1
#define CLOCK_50_PPM    0x05

bool guest_link_known(const struct sim_guest *g, uint16_t handle, struct hci_reply *ret)
{
	if (g->station.link && g->handle == handle)
		return true;
	ret->status = HCI_ERR_UNKNOWN_CONNECTION;
	return false;
}

/* --- from the air ----------------------------------------------------------------------------- */

/** The newest form of the event that the host wants. */
static void tell_connection(struct sim_guest *g, const struct station_link *how, uint8_t set)
{
	static const uint8_t no_private_addresses[2 * HCI_ADDR_BYTES];
	_cleanup_buf_ struct buf b = BUF_INIT;
	bool v2 = hci_port_wants(&g->port, HCI_LE_ENHANCED_CONNECTION_COMPLETE_V2);
	bool enhanced = v2 || hci_port_wants(&g->port, HCI_LE_ENHANCED_CONNECTION_COMPLETE);

	buf_put_u8(&b, HCI_OK);
	buf_put_u16le(&b, how->handle);
	buf_put_u8(&b, ROLE_PERIPHERAL);
	buf_put_u8(&b, how->central_type);
	buf_put(&b, how->central, sizeof(how->central));
	if (enhanced)
		buf_put(&b, no_private_addresses, sizeof(no_private_addresses));
	buf_put_u16le(&b, how->interval);
	buf_put_u16le(&b, how->latency);
	buf_put_u16le(&b, how->timeout);
	buf_put_u8(&b, CLOCK_50_PPM);
	if (v2) {
		buf_put_u8(&b, how->through_train ? 0xff : set);
		buf_put_u16le(&b, how->through_train ? GUEST_SYNC_HANDLE : 0xffff);
	}
	guest_le_event(g,
		       v2         ? HCI_LE_ENHANCED_CONNECTION_COMPLETE_V2
		       : enhanced ? HCI_LE_ENHANCED_CONNECTION_COMPLETE
				  : HCI_LE_CONNECTION_COMPLETE,
		       &b);
}

int guest_link_begin(struct radio_station *s, const struct station_link *how)
{
	struct sim_guest *g = guest_of(s);
	struct guest_set *set = how->through_train ? NULL : guest_adverts_take(g);

	if (!set && !how->through_train)
		return -ENOENT;
	g->handle = how->handle;
	g->past = g->default_past;
	tell_connection(g, how, set ? set->handle : 0xff);
	if (set && set != &g->legacy)
		guest_set_terminated(set, HCI_OK, how->handle);
	return 0;
}

void guest_link_data(struct radio_station *s, const uint8_t *data, size_t len, bool first)
{
	struct sim_guest *g = guest_of(s);
	struct buf b = BUF_INIT;

	hci_put_acl(&b, &(struct hci_acl){.handle = g->handle,
					  .boundary = first ? HCI_PB_FIRST_CONTROLLER
							    : HCI_PB_CONTINUING,
					  .data = data,
					  .len = len});
	guest_tell(g, &b);
}

void guest_link_sent(struct radio_station *s, unsigned int n)
{
	struct sim_guest *g = guest_of(s);
	struct buf b = BUF_INIT;

	hci_put_completed_packets(
		&b, &(struct hci_completed_packets){.handle = g->handle, .count = (uint16_t) n});
	guest_tell(g, &b);
}

void guest_link_key(struct radio_station *s, const struct hci_enable_encryption *c)
{
	struct sim_guest *g = guest_of(s);
	_cleanup_buf_ struct buf b = BUF_INIT;

	if (!hci_port_wants(&g->port, HCI_LE_LTK_REQUEST)) {
		radio_link_key(s->link, HCI_ERR_PIN_MISSING);
		return;
	}
	memcpy(g->key.ltk, c->ltk, sizeof(g->key.ltk));
	g->key.asked = true;
	loop_timer_start(g->key.late, KEY_PATIENCE_US);
	buf_put_u16le(&b, g->handle);
	buf_put_u64le(&b, c->random);
	buf_put_u16le(&b, c->ediv);
	guest_le_event(g, HCI_LE_LTK_REQUEST, &b);
}

static void key_late(void *user)
{
	struct sim_guest *g = user;

	g->key.asked = false;
	if (g->station.link)
		radio_link_end(g->station.link, HCI_ERR_LINK_RESPONSE);
}

void guest_link_encrypted(struct radio_station *s, bool again)
{
	struct sim_guest *g = guest_of(s);
	struct buf b = BUF_INIT;

	if (again)
		hci_put_encryption_refresh(
			&b, &(struct hci_encryption_change){.status = HCI_OK, .handle = g->handle});
	else
		hci_put_encryption_change(&b, &(struct hci_encryption_change){.status = HCI_OK,
									      .handle = g->handle,
									      .enabled = true});
	guest_tell(g, &b);
}

void guest_link_updated(struct radio_station *s, const struct hci_connection_update *c)
{
	struct sim_guest *g = guest_of(s);
	struct buf b = BUF_INIT;

	hci_put_connection_updated(&b, c);
	guest_tell(g, &b);
}

void guest_link_end(struct radio_station *s, uint8_t reason)
{
	struct sim_guest *g = guest_of(s);
	struct buf b = BUF_INIT;

	g->key.asked = false;
	loop_timer_stop(g->key.late);
	if (reason == HCI_OK)
		return; /* a host that resets its controller hears no more of its link */
	hci_put_disconnection(&b,
			      &(struct hci_disconnection){.handle = g->handle, .reason = reason});
	guest_tell(g, &b);
}

/* --- from the host ---------------------------------------------------------------------------- */

void guest_host_data(void *guest, const struct hci_acl *a)
{
	struct sim_guest *g = guest;

	if (!g->station.link || a->handle != g->handle || a->len > HCI_PORT_DATA)
		return;
	if (radio_link_waiting(g->station.link) >= HCI_PORT_BUFFERS)
		hci_port_overflow(&g->port);
	else
		radio_link_send(g->station.link, a->data, a->len, a->boundary != HCI_PB_CONTINUING);
}

void guest_cmd_disconnect(void *guest, struct wire *w, struct hci_reply *ret)
{
	struct sim_guest *g = guest;
	struct hci_disconnect c;

	hci_get_disconnect(w, &c);
	if (!wire_ok(w) || !guest_link_known(g, c.handle, ret))
		return;
	if (radio_link_may_end(c.reason))
		radio_link_end(g->station.link, c.reason);
	else
		ret->status = HCI_ERR_INVALID_PARAMETERS;
}

/** True if the key was asked for on that link. */
static bool key_owed(struct sim_guest *g, uint16_t handle, struct hci_reply *ret)
{
	if (!guest_link_known(g, handle, ret))
		return false;
	if (!g->key.asked)
		ret->status = HCI_ERR_COMMAND_DISALLOWED;
	return g->key.asked;
}

static void key_answer(struct sim_guest *g, uint8_t status)
{
	g->key.asked = false;
	loop_timer_stop(g->key.late);
	radio_link_key(g->station.link, status);
}

void guest_cmd_key_reply(void *guest, struct wire *w, struct hci_reply *ret)
{
	struct sim_guest *g = guest;
	uint16_t handle = wire_get_u16le(w);
	uint8_t ltk[HCI_KEY_BYTES];

	wire_copy(w, ltk, sizeof(ltk));
	reply_u16(ret, handle);
	if (wire_ok(w) && key_owed(g, handle, ret))
		key_answer(g, memcmp(ltk, g->key.ltk, sizeof(ltk)) ? HCI_ERR_MIC : HCI_OK);
}

void guest_cmd_key_negative(void *guest, struct wire *w, struct hci_reply *ret)
{
	struct sim_guest *g = guest;
	uint16_t handle = wire_get_u16le(w);

	reply_u16(ret, handle);
	if (wire_ok(w) && key_owed(g, handle, ret))
		key_answer(g, HCI_ERR_PIN_MISSING);
}

void guest_cmd_remote_features(void *guest, struct wire *w, struct hci_reply *ret)
{
	struct sim_guest *g = guest;
	uint16_t handle = wire_get_u16le(w);

	if (wire_ok(w) && guest_link_known(g, handle, ret))
		hci_put_remote_features(&ret->after, handle, RADIO_FEATURES);
}

/** The access point's host is not asked: it takes what the label wants. */
void guest_cmd_connection_update(void *guest, struct wire *w, struct hci_reply *ret)
{
	struct sim_guest *g = guest;
	struct hci_connection_update c;

	hci_get_connection_update(w, &c);
	if (wire_ok(w) && guest_link_known(g, c.handle, ret))
		ret->status = radio_link_update(g->station.link, &c);
}

void guest_cmd_data_length(void *guest, struct wire *w, struct hci_reply *ret)
{
	struct sim_guest *g = guest;
	struct hci_data_length c;

	hci_get_data_length(w, &c);
	reply_u16(ret, c.handle);
	if (wire_ok(w) && guest_link_known(g, c.handle, ret))
		ret->status = radio_link_length(g->station.link, c.octets);
}

void guest_cmd_rssi(void *guest, struct wire *w, struct hci_reply *ret)
{
	struct sim_guest *g = guest;
	uint16_t handle = wire_get_u16le(w);

	reply_u16(ret, handle);
	reply_u8(ret, (uint8_t) radio_rssi(g->station.radio, &g->station));
	(void) guest_link_known(g, handle, ret);
}

int guest_link_new(struct sim_guest *g)
{
	return loop_timer_new(g->port.loop, key_late, g, &g->key.late);
}
