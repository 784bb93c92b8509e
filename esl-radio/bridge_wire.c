/* SPDX-License-Identifier: Apache-2.0 */
#include "esl-radio/bridge_wire.h"

#include "common/cbor.h"
#include "common/err.h"
#include <errno.h>
#include <string.h>

/** Elements of a message after its op, in wire order. */
enum field {
	F_END,
	F_ID,
	F_STATUS, /**< what follows is there only if it is 0 */
	F_ADDR,
	F_ON,
	F_SUBEVENT,
	F_ESL_ID,
	F_RSSI,
	F_FLAGS,
	F_REASON,
	F_BATTERY,
	F_TEMPERATURE,
	F_ESL_ADDRESS,
	F_RESPONSE_KEY,
	F_TRAIN_KEY,
	F_ABS_MS,
	F_DISPLAYS,
	F_MAX_IMAGE,
	F_LEDS,
	F_IMAGE_INDEX,
	F_DATA,
	F_TLV,
};

#define FIELDS_MAX 9

static const struct msg_row {
	uint8_t op;
	const char *name;
	uint8_t fields[FIELDS_MAX];
} rows[] = {
	{BRIDGE_SCAN, "SCAN", {F_ID, F_ON}},
	{BRIDGE_CONNECT, "CONNECT", {F_ID, F_ADDR, F_SUBEVENT, F_ESL_ID}},
	{BRIDGE_READ_INFO, "READ_INFO", {F_ID, F_ADDR}},
	{BRIDGE_CONFIGURE,
	 "CONFIGURE",
	 {F_ID, F_ADDR, F_ESL_ADDRESS, F_RESPONSE_KEY, F_TRAIN_KEY, F_ABS_MS}},
	{BRIDGE_WRITE_IMAGE, "WRITE_IMAGE", {F_ID, F_ADDR, F_IMAGE_INDEX, F_DATA}},
	{BRIDGE_ECP, "ECP", {F_ID, F_ADDR, F_TLV}},
	{BRIDGE_SET_TIME, "SET_TIME", {F_ID, F_ADDR, F_ABS_MS}},
	{BRIDGE_UPDATE_COMPLETE, "UPDATE_COMPLETE", {F_ID, F_ADDR}},
	{BRIDGE_DISCONNECT, "DISCONNECT", {F_ID, F_ADDR}},
	{BRIDGE_REPLY + BRIDGE_SCAN, "SCAN reply", {F_ID, F_STATUS}},
	{BRIDGE_REPLY + BRIDGE_CONNECT, "CONNECT reply", {F_ID, F_STATUS}},
	{BRIDGE_REPLY + BRIDGE_READ_INFO,
	 "READ_INFO reply",
	 {F_ID, F_STATUS, F_DISPLAYS, F_MAX_IMAGE, F_LEDS, F_BATTERY, F_TEMPERATURE}},
	{BRIDGE_REPLY + BRIDGE_CONFIGURE, "CONFIGURE reply", {F_ID, F_STATUS}},
	{BRIDGE_REPLY + BRIDGE_WRITE_IMAGE, "WRITE_IMAGE reply", {F_ID, F_STATUS}},
	{BRIDGE_REPLY + BRIDGE_ECP, "ECP reply", {F_ID, F_STATUS, F_TLV}},
	{BRIDGE_REPLY + BRIDGE_SET_TIME, "SET_TIME reply", {F_ID, F_STATUS}},
	{BRIDGE_REPLY + BRIDGE_UPDATE_COMPLETE, "UPDATE_COMPLETE reply", {F_ID, F_STATUS}},
	{BRIDGE_REPLY + BRIDGE_DISCONNECT, "DISCONNECT reply", {F_ID, F_STATUS}},
	{BRIDGE_EVT_ADVERT, "ADVERT", {F_ADDR, F_RSSI, F_FLAGS, F_BATTERY}},
	{BRIDGE_EVT_LOST, "LOST", {F_ADDR, F_REASON}},
};

static const struct msg_row *find_row(uint64_t op)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].op == op)
			return &rows[i];
	return NULL;
}

const char *bridge_op_name(uint8_t op)
{
	const struct msg_row *row = find_row(op);

	return row ? row->name : "unknown message";
}

static size_t count_fields(const struct msg_row *row, bool failed)
{
	size_t n = 0;

	while (n < FIELDS_MAX && row->fields[n] != F_END)
		if (row->fields[n++] == F_STATUS && failed)
			break;
	return n;
}

/* --- encode ----------------------------------------------------------------------------------- */

static void put_displays(const struct bridge_msg *m, struct buf *out)
{
	cbor_put_array(out, m->n_displays);
	for (size_t i = 0; i < m->n_displays; i++) {
		cbor_put_array(out, 3);
		cbor_put_uint(out, m->displays[i].width);
		cbor_put_uint(out, m->displays[i].height);
		cbor_put_uint(out, m->displays[i].type);
	}
}

/** Fields that are one unsigned number: where they are and how much they hold. */
static bool number_field(enum field f, const struct bridge_msg *m, uint64_t *ret)
{
	switch (f) {
	case F_ID:
		*ret = m->id;
		return true;
	case F_SUBEVENT:
		*ret = m->subevent;
		return true;
	case F_ESL_ID:
		*ret = m->esl_id;
		return true;
	case F_FLAGS:
		*ret = m->flags;
		return true;
	case F_REASON:
		*ret = m->reason;
		return true;
	case F_BATTERY:
		*ret = m->battery_mv;
		return true;
	case F_ESL_ADDRESS:
		*ret = m->esl_address;
		return true;
	case F_ABS_MS:
		*ret = m->abs_ms;
		return true;
	case F_MAX_IMAGE:
		*ret = m->max_image_index;
		return true;
	case F_IMAGE_INDEX:
		*ret = m->image_index;
		return true;
	default:
		return false;
	}
}

static void put_field(enum field f, const struct bridge_msg *m, struct buf *out)
{
	uint64_t v;

	if (number_field(f, m, &v)) {
		cbor_put_uint(out, v);
		return;
	}
	switch (f) {
	case F_STATUS:
		cbor_put_uint(out, (uint64_t) m->status);
		break;
	case F_ADDR:
		cbor_put_bytes(out, m->addr, sizeof(m->addr));
		break;
	case F_ON:
		cbor_put_bool(out, m->on);
		break;
	case F_RSSI:
		cbor_put_int(out, m->rssi_dbm);
		break;
	case F_TEMPERATURE:
		cbor_put_int(out, m->temperature_cc);
		break;
	case F_RESPONSE_KEY:
		cbor_put_bytes(out, m->response_key, sizeof(m->response_key));
		break;
	case F_TRAIN_KEY:
		cbor_put_bytes(out, m->train_key, sizeof(m->train_key));
		break;
	case F_DISPLAYS:
		put_displays(m, out);
		break;
	case F_LEDS:
		cbor_put_bytes(out, m->leds, m->n_leds);
		break;
	case F_DATA:
		cbor_put_bytes(out, m->data, m->data_len);
		break;
	case F_TLV:
		cbor_put_bytes(out, m->tlv, m->tlv_len);
		break;
	default:
		break;
	}
}

int bridge_encode(const struct bridge_msg *m, struct buf *out)
{
	const struct msg_row *row = find_row(m->op);
	size_t n;

	if (!row || m->status < 0 || m->n_displays > BRIDGE_DISPLAYS_MAX ||
	    m->n_leds > BRIDGE_LEDS_MAX || m->tlv_len > ESL_TLV_MAX ||
	    m->data_len > BRIDGE_IMAGE_MAX)
		return -ERR_RANGE;
	n = count_fields(row, m->status != 0);
	cbor_put_array(out, n + 1);
	cbor_put_uint(out, m->op);
	for (size_t i = 0; i < n; i++)
		put_field(row->fields[i], m, out);
	return out->err;
}

/* --- decode ----------------------------------------------------------------------------------- */

static uint8_t get_u8(struct cbor_reader *r)
{
	return (uint8_t) cbor_get_uint(r, UINT8_MAX);
}

static uint16_t get_u16(struct cbor_reader *r)
{
	return (uint16_t) cbor_get_uint(r, UINT16_MAX);
}

static int64_t get_int(struct cbor_reader *r, int64_t min, int64_t max)
{
	int64_t v = cbor_get_i64(r);

	if (v < min || v > max) {
		cbor_reader_fail(r, -ERR_RANGE);
		return 0;
	}
	return v;
}

static void get_displays(struct cbor_reader *r, struct bridge_msg *ret)
{
	ret->n_displays = (uint8_t) cbor_get_array(r, BRIDGE_DISPLAYS_MAX);
	for (size_t i = 0; i < ret->n_displays && cbor_reader_ok(r); i++) {
		if (cbor_get_array(r, 3) != 3)
			cbor_reader_fail(r, -ERR_BADMSG);
		ret->displays[i].width = get_u16(r);
		ret->displays[i].height = get_u16(r);
		ret->displays[i].type = get_u8(r);
	}
}

static uint8_t get_short_bytes(struct cbor_reader *r, uint8_t *to, size_t cap)
{
	size_t n = 0;
	const uint8_t *p = cbor_get_bytes(r, cap, &n);

	if (p && n)
		memcpy(to, p, n);
	return (uint8_t) n;
}

static void get_field(enum field f, struct cbor_reader *r, struct bridge_msg *ret)
{
	switch (f) {
	case F_ID:
		ret->id = (uint32_t) cbor_get_uint(r, UINT32_MAX);
		break;
	case F_STATUS:
		ret->status = (int) cbor_get_uint(r, INT16_MAX);
		break;
	case F_ADDR:
		cbor_get_bytes_exact(r, ret->addr, sizeof(ret->addr));
		break;
	case F_ON:
		ret->on = cbor_get_boolean(r);
		break;
	case F_SUBEVENT:
		ret->subevent = get_u8(r);
		break;
	case F_ESL_ID:
		ret->esl_id = get_u8(r);
		break;
	case F_RSSI:
		ret->rssi_dbm = (int8_t) get_int(r, INT8_MIN, INT8_MAX);
		break;
	case F_FLAGS:
		ret->flags = get_u8(r);
		break;
	case F_REASON:
		ret->reason = get_u8(r);
		break;
	case F_BATTERY:
		ret->battery_mv = get_u16(r);
		break;
	case F_TEMPERATURE:
		ret->temperature_cc = (int16_t) get_int(r, INT16_MIN, INT16_MAX);
		break;
	case F_ESL_ADDRESS:
		ret->esl_address = get_u16(r);
		break;
	case F_RESPONSE_KEY:
		cbor_get_bytes_exact(r, ret->response_key, sizeof(ret->response_key));
		break;
	case F_TRAIN_KEY:
		cbor_get_bytes_exact(r, ret->train_key, sizeof(ret->train_key));
		break;
	case F_ABS_MS:
		ret->abs_ms = (uint32_t) cbor_get_uint(r, UINT32_MAX);
		break;
	case F_DISPLAYS:
		get_displays(r, ret);
		break;
	case F_MAX_IMAGE:
		ret->max_image_index = get_u8(r);
		break;
	case F_LEDS:
		ret->n_leds = get_short_bytes(r, ret->leds, sizeof(ret->leds));
		break;
	case F_IMAGE_INDEX:
		ret->image_index = get_u8(r);
		break;
	case F_DATA:
		ret->data = cbor_get_bytes(r, BRIDGE_IMAGE_MAX, &ret->data_len);
		break;
	case F_TLV:
		ret->tlv_len = get_short_bytes(r, ret->tlv, sizeof(ret->tlv));
		break;
	case F_END:
		break;
	}
}

int bridge_decode(const void *data, size_t len, struct bridge_msg *ret)
{
	struct bridge_msg m = {.temperature_cc = INT16_MIN};
	const struct msg_row *row;
	struct cbor_reader r;
	size_t n, i;

	if (len > BRIDGE_MESSAGE_MAX)
		return -ERR_TOO_LARGE;
	cbor_reader_init(&r, data, len);
	n = cbor_get_array(&r, 32);
	m.op = (uint8_t) cbor_get_uint(&r, UINT8_MAX);
	if (!cbor_reader_ok(&r))
		return r.err;
	row = find_row(m.op);
	if (!row)
		return -ERR_VERSION;
	for (i = 1; i <= count_fields(row, m.status != 0) && cbor_reader_ok(&r); i++) {
		if (i >= n)
			return -ERR_BADMSG;
		get_field(row->fields[i - 1], &r, &m);
	}
	for (; i < n && cbor_reader_ok(&r); i++)
		cbor_skip(&r);
	if (cbor_reader_finish(&r) < 0)
		return r.err ? r.err : -ERR_BADMSG;
	*ret = m;
	return 0;
}
