/* SPDX-License-Identifier: Apache-2.0 */
#include "esl-radio/le/hci_conn_wire.h"

#include "common/err.h"

#define PHY_1M        1u
#define ADV_REPORT_AT 24u /* bytes of one report before its data */

/* A packet is put together in a buffer of its own, so that its length is known. */
static void put_command(struct buf *out, uint16_t opcode, const struct buf *params)
{
	if (!buf_ok(params))
		out->err = out->err ? out->err : params->err;
	else
		hci_put_command(out, opcode, params->data, (uint8_t) params->len);
}

static void put_event(struct buf *out, uint8_t code, const struct buf *params)
{
	if (!buf_ok(params)) {
		out->err = out->err ? out->err : params->err;
		return;
	}
	buf_put_u8(out, H4_EVENT);
	buf_put_u8(out, code);
	buf_put_u8(out, (uint8_t) params->len);
	buf_put(out, params->data, params->len);
}

/* --- commands --------------------------------------------------------------------------------- */

void hci_put_disconnect(struct buf *out, const struct hci_disconnect *c)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	buf_put_u16le(&b, c->handle);
	buf_put_u8(&b, c->reason);
	put_command(out, HCI_DISCONNECT, &b);
}

void hci_get_disconnect(struct wire *w, struct hci_disconnect *ret)
{
	ret->handle = wire_get_u16le(w);
	ret->reason = wire_get_u8(w);
}

void hci_put_ext_scan_params(struct buf *out, const struct hci_ext_scan *c)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	buf_put_u8(&b, 0); /* own address: public */
	buf_put_u8(&b, 0); /* filter policy: everybody */
	buf_put_u8(&b, PHY_1M);
	buf_put_u8(&b, c->active);
	buf_put_u16le(&b, c->interval);
	buf_put_u16le(&b, c->window);
	put_command(out, HCI_LE_SET_EXT_SCAN_PARAMS, &b);
}

void hci_get_ext_scan_params(struct wire *w, struct hci_ext_scan *ret)
{
	wire_skip(w, 2);
	if (wire_get_u8(w) != PHY_1M)
		wire_fail(w, -ERR_RANGE);
	ret->active = wire_get_u8(w) & 1;
	ret->interval = wire_get_u16le(w);
	ret->window = wire_get_u16le(w);
}

void hci_put_ext_scan_enable(struct buf *out, const struct hci_scan_enable *c)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	buf_put_u8(&b, c->enable);
	buf_put_u8(&b, c->filter);
	buf_put_u16le(&b, 0); /* duration: no end */
	buf_put_u16le(&b, 0); /* period */
	put_command(out, HCI_LE_SET_EXT_SCAN_ENABLE, &b);
}

void hci_get_ext_scan_enable(struct wire *w, struct hci_scan_enable *ret)
{
	ret->enable = wire_get_u8(w) & 1;
	ret->filter = wire_get_u8(w);
	wire_skip(w, 4);
}

void hci_put_set_random_address(struct buf *out, const uint8_t addr[HCI_ADDR_BYTES])
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	buf_put(&b, addr, HCI_ADDR_BYTES);
	put_command(out, HCI_LE_SET_RANDOM_ADDRESS, &b);
}

void hci_get_set_random_address(struct wire *w, uint8_t ret[HCI_ADDR_BYTES])
{
	wire_copy(w, ret, HCI_ADDR_BYTES);
}

void hci_put_accept(struct buf *out, bool add, const struct hci_accept *c)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	buf_put_u8(&b, c->peer_type);
	buf_put(&b, c->peer, sizeof(c->peer));
	put_command(out, add ? HCI_LE_ADD_TO_ACCEPT_LIST : HCI_LE_REMOVE_FROM_ACCEPT_LIST, &b);
}

void hci_get_accept(struct wire *w, struct hci_accept *ret)
{
	ret->peer_type = wire_get_u8(w);
	wire_copy(w, ret->peer, sizeof(ret->peer));
}

void hci_put_create_connection(struct buf *out, const struct hci_create_connection *c)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	buf_put_u8(&b, c->adv_handle);
	buf_put_u8(&b, c->subevent);
	buf_put_u8(&b, c->listed);
	buf_put_u8(&b, c->own_type);
	buf_put_u8(&b, c->peer_type);
	buf_put(&b, c->peer, sizeof(c->peer));
	buf_put_u8(&b, PHY_1M);
	buf_put_u16le(&b, c->scan_interval);
	buf_put_u16le(&b, c->scan_window);
	buf_put_u16le(&b, c->interval_min);
	buf_put_u16le(&b, c->interval_max);
	buf_put_u16le(&b, c->latency);
	buf_put_u16le(&b, c->timeout);
	buf_put_u16le(&b, 0); /* shortest and longest connection event: as it comes */
	buf_put_u16le(&b, 0);
	put_command(out, HCI_LE_EXT_CREATE_CONNECTION_V2, &b);
}

void hci_get_create_connection(struct wire *w, struct hci_create_connection *ret)
{
	ret->adv_handle = wire_get_u8(w);
	ret->subevent = wire_get_u8(w);
	ret->listed = wire_get_u8(w) & 1;
	ret->own_type = wire_get_u8(w);
	ret->peer_type = wire_get_u8(w);
	wire_copy(w, ret->peer, sizeof(ret->peer));
	if (wire_get_u8(w) != PHY_1M)
		wire_fail(w, -ERR_RANGE);
	ret->scan_interval = wire_get_u16le(w);
	ret->scan_window = wire_get_u16le(w);
	ret->interval_min = wire_get_u16le(w);
	ret->interval_max = wire_get_u16le(w);
	ret->latency = wire_get_u16le(w);
	ret->timeout = wire_get_u16le(w);
	wire_skip(w, 4);
}

/* Peer and filter first, then 16 bytes for each PHY, of which the first is the 1M. */
void hci_get_create_connection_v1(struct wire *w, struct hci_create_connection *ret)
{
	uint8_t phys;

	ret->adv_handle = ret->subevent = 0xff;
	ret->listed = wire_get_u8(w) & 1;
	ret->own_type = wire_get_u8(w);
	ret->peer_type = wire_get_u8(w);
	wire_copy(w, ret->peer, sizeof(ret->peer));
	phys = wire_get_u8(w);
	if (!(phys & PHY_1M) || phys & ~7u)
		wire_fail(w, -ERR_RANGE);
	ret->scan_interval = wire_get_u16le(w);
	ret->scan_window = wire_get_u16le(w);
	ret->interval_min = wire_get_u16le(w);
	ret->interval_max = wire_get_u16le(w);
	ret->latency = wire_get_u16le(w);
	ret->timeout = wire_get_u16le(w);
	wire_skip(w, 4);
	for (phys >>= 1; phys; phys >>= 1)
		wire_skip(w, phys & 1 ? 16 : 0);
}

void hci_get_connection_update(struct wire *w, struct hci_connection_update *ret)
{
	ret->handle = wire_get_u16le(w);
	ret->interval_min = wire_get_u16le(w);
	ret->interval_max = wire_get_u16le(w);
	ret->latency = wire_get_u16le(w);
	ret->timeout = wire_get_u16le(w);
	wire_skip(w, 4);
}

void hci_put_enable_encryption(struct buf *out, const struct hci_enable_encryption *c)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	buf_put_u16le(&b, c->handle);
	buf_put_u64le(&b, c->random);
	buf_put_u16le(&b, c->ediv);
	buf_put(&b, c->ltk, sizeof(c->ltk));
	put_command(out, HCI_LE_ENABLE_ENCRYPTION, &b);
}

void hci_get_enable_encryption(struct wire *w, struct hci_enable_encryption *ret)
{
	ret->handle = wire_get_u16le(w);
	ret->random = wire_get_u64le(w);
	ret->ediv = wire_get_u16le(w);
	wire_copy(w, ret->ltk, sizeof(ret->ltk));
}

void hci_put_set_info_transfer(struct buf *out, const struct hci_set_info_transfer *c)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	buf_put_u16le(&b, c->handle);
	buf_put_u16le(&b, c->service_data);
	buf_put_u8(&b, c->adv_handle);
	put_command(out, HCI_LE_PA_SET_INFO_TRANSFER, &b);
}

void hci_get_set_info_transfer(struct wire *w, struct hci_set_info_transfer *ret)
{
	ret->handle = wire_get_u16le(w);
	ret->service_data = wire_get_u16le(w);
	ret->adv_handle = wire_get_u8(w);
}

void hci_put_data_length(struct buf *out, const struct hci_data_length *c)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	buf_put_u16le(&b, c->handle);
	buf_put_u16le(&b, c->octets);
	buf_put_u16le(&b, c->time_us);
	put_command(out, HCI_LE_SET_DATA_LENGTH, &b);
}

void hci_get_data_length(struct wire *w, struct hci_data_length *ret)
{
	ret->handle = wire_get_u16le(w);
	ret->octets = wire_get_u16le(w);
	ret->time_us = wire_get_u16le(w);
}

void hci_put_set_phy(struct buf *out, const struct hci_set_phy *c)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	buf_put_u16le(&b, c->handle);
	buf_put_u8(&b, 0); /* both directions have a wish */
	buf_put_u8(&b, c->tx);
	buf_put_u8(&b, c->rx);
	buf_put_u16le(&b, 0); /* options are for the coded PHY */
	put_command(out, HCI_LE_SET_PHY, &b);
}

void hci_get_set_phy(struct wire *w, struct hci_set_phy *ret)
{
	uint8_t none;

	ret->handle = wire_get_u16le(w);
	none = wire_get_u8(w);
	ret->tx = wire_get_u8(w);
	ret->rx = wire_get_u8(w);
	if (none & 1)
		ret->tx = HCI_PHY_1M | HCI_PHY_2M;
	if (none & 2)
		ret->rx = HCI_PHY_1M | HCI_PHY_2M;
	wire_skip(w, 2);
}

int hci_read_buffer_size(const uint8_t *more, size_t len, struct hci_buffer_size *ret)
{
	struct wire w;

	wire_init(&w, more, len);
	ret->len = wire_get_u16le(&w);
	ret->packets = wire_get_u8(&w);
	return wire_ok(&w) ? 0 : -ERR_BADMSG;
}

/* --- events ----------------------------------------------------------------------------------- */

void hci_put_connection_complete(struct buf *out, const struct hci_connection_complete *e)
{
	static const uint8_t no_private_addresses[2 * HCI_ADDR_BYTES];
	_cleanup_buf_ struct buf b = BUF_INIT;

	buf_put_u8(&b, HCI_LE_ENHANCED_CONNECTION_COMPLETE);
	buf_put_u8(&b, e->status);
	buf_put_u16le(&b, e->handle);
	buf_put_u8(&b, e->role);
	buf_put_u8(&b, e->peer_type);
	buf_put(&b, e->peer, sizeof(e->peer));
	buf_put(&b, no_private_addresses, sizeof(no_private_addresses));
	buf_put_u16le(&b, e->interval);
	buf_put_u16le(&b, e->latency);
	buf_put_u16le(&b, e->timeout);
	buf_put_u8(&b, 0); /* clock accuracy */
	put_event(out, HCI_EVT_LE_META, &b);
}

void hci_put_connection_updated(struct buf *out, const struct hci_connection_update *c)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	buf_put_u8(&b, HCI_LE_CONNECTION_UPDATED);
	buf_put_u8(&b, HCI_OK);
	buf_put_u16le(&b, c->handle);
	buf_put_u16le(&b, c->interval_max);
	buf_put_u16le(&b, c->latency);
	buf_put_u16le(&b, c->timeout);
	put_event(out, HCI_EVT_LE_META, &b);
}

void hci_put_remote_features(struct buf *out, uint16_t handle, uint64_t features)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	buf_put_u8(&b, HCI_LE_REMOTE_FEATURES);
	buf_put_u8(&b, HCI_OK);
	buf_put_u16le(&b, handle);
	buf_put_u64le(&b, features);
	put_event(out, HCI_EVT_LE_META, &b);
}

void hci_get_connection_complete(struct wire *w, bool v2, struct hci_connection_complete *ret)
{
	ret->status = wire_get_u8(w);
	ret->handle = wire_get_u16le(w);
	ret->role = wire_get_u8(w);
	ret->peer_type = wire_get_u8(w);
	wire_copy(w, ret->peer, sizeof(ret->peer));
	wire_skip(w, 2 * HCI_ADDR_BYTES);
	ret->interval = wire_get_u16le(w);
	ret->latency = wire_get_u16le(w);
	ret->timeout = wire_get_u16le(w);
	wire_skip(w, v2 ? 4 : 1);
}

void hci_put_disconnection(struct buf *out, const struct hci_disconnection *e)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	buf_put_u8(&b, e->status);
	buf_put_u16le(&b, e->handle);
	buf_put_u8(&b, e->reason);
	put_event(out, HCI_EVT_DISCONNECTION_COMPLETE, &b);
}

void hci_get_disconnection(struct wire *w, struct hci_disconnection *ret)
{
	ret->status = wire_get_u8(w);
	ret->handle = wire_get_u16le(w);
	ret->reason = wire_get_u8(w);
}

void hci_put_encryption_change(struct buf *out, const struct hci_encryption_change *e)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	buf_put_u8(&b, e->status);
	buf_put_u16le(&b, e->handle);
	buf_put_u8(&b, e->enabled);
	put_event(out, HCI_EVT_ENCRYPTION_CHANGE, &b);
}

void hci_put_encryption_refresh(struct buf *out, const struct hci_encryption_change *e)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	buf_put_u8(&b, e->status);
	buf_put_u16le(&b, e->handle);
	put_event(out, HCI_EVT_ENCRYPTION_REFRESH, &b);
}

void hci_get_encryption_change(struct wire *w, struct hci_encryption_change *ret)
{
	ret->status = wire_get_u8(w);
	ret->handle = wire_get_u16le(w);
	ret->enabled = wire_get_u8(w) != 0;
}

void hci_put_completed_packets(struct buf *out, const struct hci_completed_packets *e)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	buf_put_u8(&b, 1);
	buf_put_u16le(&b, e->handle);
	buf_put_u16le(&b, e->count);
	put_event(out, HCI_EVT_COMPLETED_PACKETS, &b);
}

size_t hci_get_completed_packets(struct wire *w)
{
	size_t n = wire_get_u8(w);

	return wire_ok(w) ? n : 0;
}

void hci_get_completed(struct wire *w, struct hci_completed_packets *ret)
{
	ret->handle = wire_get_u16le(w);
	ret->count = wire_get_u16le(w);
}

int hci_put_adv_report(struct buf *out, const struct hci_adv_report *r)
{
	static const uint8_t nobody[HCI_ADDR_BYTES];
	_cleanup_buf_ struct buf b = BUF_INIT;

	if (2u + ADV_REPORT_AT + r->len > HCI_PARAMS_MAX)
		return -ERR_TOO_LARGE;
	buf_put_u8(&b, HCI_LE_EXT_ADV_REPORT);
	buf_put_u8(&b, 1);
	buf_put_u16le(&b, r->type);
	buf_put_u8(&b, r->addr_type);
	buf_put(&b, r->addr, sizeof(r->addr));
	buf_put_u8(&b, PHY_1M);
	buf_put_u8(&b, r->extended ? PHY_1M : 0); /* the second one */
	buf_put_u8(&b, r->extended ? r->sid : 0xff);
	buf_put_u8(&b, 127); /* transmit power unknown */
	buf_put_u8(&b, (uint8_t) r->rssi);
	buf_put_u16le(&b, 0); /* no periodic advertising */
	buf_put_u8(&b, 0);
	buf_put(&b, nobody, sizeof(nobody));
	buf_put_u8(&b, r->len);
	if (r->len)
		buf_put(&b, r->data, r->len);
	put_event(out, HCI_EVT_LE_META, &b);
	return 0;
}

size_t hci_get_adv_reports(struct wire *w)
{
	size_t n = wire_get_u8(w);

	return wire_ok(w) ? n : 0;
}

void hci_get_adv_report(struct wire *w, struct hci_adv_report *ret)
{
	ret->type = wire_get_u16le(w);
	ret->addr_type = wire_get_u8(w);
	wire_copy(w, ret->addr, sizeof(ret->addr));
	wire_skip(w, 4); /* PHYs, set, transmit power */
	ret->rssi = (int8_t) wire_get_u8(w);
	wire_skip(w, 2 + 1 + HCI_ADDR_BYTES); /* periodic advertising, direct address */
	ret->len = wire_get_u8(w);
	ret->data = wire_get_bytes(w, ret->len);
	if (!ret->data)
		ret->len = 0;
}

/* --- data ------------------------------------------------------------------------------------- */

void hci_put_acl(struct buf *out, const struct hci_acl *p)
{
	buf_put_u8(out, H4_ACL);
	buf_put_u16le(out, (uint16_t) ((p->handle & 0x0fff) | (p->boundary & 3) << 12));
	buf_put_u16le(out, (uint16_t) p->len);
	buf_put(out, p->data, p->len);
}

void hci_get_acl(const uint8_t *packet, struct hci_acl *ret)
{
	uint16_t head = (uint16_t) (packet[1] | packet[2] << 8);

	ret->handle = head & 0x0fff;
	ret->boundary = (head >> 12) & 3;
	ret->len = (size_t) (packet[3] | packet[4] << 8);
	ret->data = packet + 5;
}
