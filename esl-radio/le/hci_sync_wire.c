/* SPDX-License-Identifier: Apache-2.0 */
#include "esl-radio/le/hci_sync_wire.h"

#include "common/err.h"

#define REPORT_HEAD 11 /* bytes of a report before its data, the code of the event among them */

/* A packet is put together in a buffer of its own, so that its length is known. */
static void put_command(struct buf *out, uint16_t opcode, const struct buf *params)
{
	if (!buf_ok(params))
		out->err = out->err ? out->err : params->err;
	else
		hci_put_command(out, opcode, params->data, (uint8_t) params->len);
}

static void put_le_event(struct buf *out, const struct buf *params)
{
	if (!buf_ok(params)) {
		out->err = out->err ? out->err : params->err;
		return;
	}
	buf_put_u8(out, H4_EVENT);
	buf_put_u8(out, HCI_EVT_LE_META);
	buf_put_u8(out, (uint8_t) params->len);
	buf_put(out, params->data, params->len);
}

/* --- handing over ----------------------------------------------------------------------------- */

static void put_past(struct buf *b, const struct hci_past_params *c)
{
	buf_put_u8(b, c->mode);
	buf_put_u16le(b, c->skip);
	buf_put_u16le(b, c->timeout);
	buf_put_u8(b, c->cte_type);
}

void hci_put_past_params(struct buf *out, const struct hci_past_params *c)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	buf_put_u16le(&b, c->handle);
	put_past(&b, c);
	put_command(out, HCI_LE_SET_PAST_PARAMS, &b);
}

void hci_put_default_past_params(struct buf *out, const struct hci_past_params *c)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	put_past(&b, c);
	put_command(out, HCI_LE_SET_DEFAULT_PAST_PARAMS, &b);
}

void hci_get_default_past_params(struct wire *w, struct hci_past_params *ret)
{
	ret->handle = 0;
	ret->mode = wire_get_u8(w);
	ret->skip = wire_get_u16le(w);
	ret->timeout = wire_get_u16le(w);
	ret->cte_type = wire_get_u8(w);
}

void hci_get_past_params(struct wire *w, struct hci_past_params *ret)
{
	uint16_t handle = wire_get_u16le(w);

	hci_get_default_past_params(w, ret);
	ret->handle = handle;
}

static void put_sync_handle(struct buf *out, uint16_t opcode, uint16_t sync)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	buf_put_u16le(&b, sync);
	put_command(out, opcode, &b);
}

void hci_put_terminate_sync(struct buf *out, uint16_t sync)
{
	put_sync_handle(out, HCI_LE_PA_TERMINATE_SYNC, sync);
}

uint16_t hci_get_terminate_sync(struct wire *w)
{
	return wire_get_u16le(w);
}

static void put_train(struct buf *b, const struct hci_sync *e)
{
	buf_put_u16le(b, e->sync);
	buf_put_u8(b, e->sid);
	buf_put_u8(b, e->addr_type);
	buf_put(b, e->addr, sizeof(e->addr));
	buf_put_u8(b, e->phy);
	buf_put_u16le(b, e->interval);
	buf_put_u8(b, e->accuracy);
	buf_put_u8(b, e->subevents);
	buf_put_u8(b, e->subevent_interval);
	buf_put_u8(b, e->response_delay);
	buf_put_u8(b, e->response_spacing);
}

static void get_train(struct wire *w, struct hci_sync *ret)
{
	ret->sync = wire_get_u16le(w);
	ret->sid = wire_get_u8(w);
	ret->addr_type = wire_get_u8(w);
	wire_copy(w, ret->addr, sizeof(ret->addr));
	ret->phy = wire_get_u8(w);
	ret->interval = wire_get_u16le(w);
	ret->accuracy = wire_get_u8(w);
	ret->subevents = wire_get_u8(w);
	ret->subevent_interval = wire_get_u8(w);
	ret->response_delay = wire_get_u8(w);
	ret->response_spacing = wire_get_u8(w);
}

void hci_put_sync_established(struct buf *out, const struct hci_sync *e)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	buf_put_u8(&b, HCI_LE_PA_SYNC_ESTABLISHED_V2);
	buf_put_u8(&b, e->status);
	put_train(&b, e);
	put_le_event(out, &b);
}

void hci_get_sync_established(struct wire *w, struct hci_sync *ret)
{
	ret->status = wire_get_u8(w);
	ret->connection = ret->service_data = 0;
	get_train(w, ret);
}

void hci_put_past_received(struct buf *out, const struct hci_sync *e)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	buf_put_u8(&b, HCI_LE_PAST_RECEIVED_V2);
	buf_put_u8(&b, e->status);
	buf_put_u16le(&b, e->connection);
	buf_put_u16le(&b, e->service_data);
	put_train(&b, e);
	put_le_event(out, &b);
}

void hci_get_past_received(struct wire *w, struct hci_sync *ret)
{
	ret->status = wire_get_u8(w);
	ret->connection = wire_get_u16le(w);
	ret->service_data = wire_get_u16le(w);
	get_train(w, ret);
}

void hci_put_sync_lost(struct buf *out, uint16_t sync)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	buf_put_u8(&b, HCI_LE_PA_SYNC_LOST);
	buf_put_u16le(&b, sync);
	put_le_event(out, &b);
}

uint16_t hci_get_sync_lost(struct wire *w)
{
	return wire_get_u16le(w);
}

/* --- subevents -------------------------------------------------------------------------------- */

void hci_put_sync_subevent(struct buf *out, const struct hci_sync_subevent *c)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	buf_put_u16le(&b, c->sync);
	buf_put_u16le(&b, c->properties);
	buf_put_u8(&b, c->n);
	buf_put(&b, c->subevents, MIN(c->n, sizeof(c->subevents)));
	put_command(out, HCI_LE_SET_PA_SYNC_SUBEVENT, &b);
}

void hci_get_sync_subevent(struct wire *w, struct hci_sync_subevent *ret)
{
	ret->sync = wire_get_u16le(w);
	ret->properties = wire_get_u16le(w);
	ret->n = wire_get_u8(w);
	if (ret->n < 1 || ret->n > HCI_SUBEVENTS_MAX) {
		wire_fail(w, -ERR_RANGE);
		ret->n = 0;
	}
	wire_copy(w, ret->subevents, ret->n);
	for (unsigned int i = 0; i < ret->n; i++)
		if (ret->subevents[i] >= HCI_SUBEVENTS_MAX)
			wire_fail(w, -ERR_RANGE);
}

int hci_put_response_data(struct buf *out, const struct hci_response_data *c)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	if (c->len > HCI_RESPONSE_MAX)
		return -ERR_TOO_LARGE;
	buf_put_u16le(&b, c->sync);
	buf_put_u16le(&b, c->event);
	buf_put_u8(&b, c->request_subevent);
	buf_put_u8(&b, c->subevent);
	buf_put_u8(&b, c->slot);
	buf_put_u8(&b, c->len);
	if (c->len)
		buf_put(&b, c->data, c->len);
	put_command(out, HCI_LE_SET_PA_RESPONSE_DATA, &b);
	return 0;
}

void hci_get_response_data(struct wire *w, struct hci_response_data *ret)
{
	ret->sync = wire_get_u16le(w);
	ret->event = wire_get_u16le(w);
	ret->request_subevent = wire_get_u8(w);
	ret->subevent = wire_get_u8(w);
	ret->slot = wire_get_u8(w);
	ret->len = wire_get_u8(w);
	ret->data = wire_get_bytes(w, ret->len);
	if (!ret->data)
		ret->len = 0;
}

int hci_put_pa_report(struct buf *out, const struct hci_pa_report *e)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	if (e->len > HCI_PARAMS_MAX - REPORT_HEAD)
		return -ERR_TOO_LARGE;
	buf_put_u8(&b, HCI_LE_PA_REPORT_V2);
	buf_put_u16le(&b, e->sync);
	buf_put_u8(&b, (uint8_t) e->tx_power);
	buf_put_u8(&b, (uint8_t) e->rssi);
	buf_put_u8(&b, e->cte_type);
	buf_put_u16le(&b, e->event);
	buf_put_u8(&b, e->subevent);
	buf_put_u8(&b, e->status);
	buf_put_u8(&b, e->len);
	if (e->len)
		buf_put(&b, e->data, e->len);
	put_le_event(out, &b);
	return 0;
}

void hci_get_pa_report(struct wire *w, struct hci_pa_report *ret)
{
	ret->sync = wire_get_u16le(w);
	ret->tx_power = (int8_t) wire_get_u8(w);
	ret->rssi = (int8_t) wire_get_u8(w);
	ret->cte_type = wire_get_u8(w);
	ret->event = wire_get_u16le(w);
	ret->subevent = wire_get_u8(w);
	ret->status = wire_get_u8(w);
	ret->len = wire_get_u8(w);
	ret->data = wire_get_bytes(w, ret->len);
	if (!ret->data)
		ret->len = 0;
}
