/* SPDX-License-Identifier: Apache-2.0 */
#include "esl-radio/le/att_wire.h"

#include "common/err.h"
#include <errno.h>
#include <string.h>

enum field {
	F_END,
	F_REQUEST,
	F_HANDLE,
	F_ERROR,
	F_MTU,
	F_LAST,
	F_TYPE,
	F_FORMAT,
	F_OFFSET,
	F_FLAGS,
	F_VALUE, /**< the rest */
};

/* What a list in the rest must look like. */
enum list {
	LIST_NONE,
	LIST_INFO,    /**< by format: 4 or 18 bytes each */
	LIST_HANDLES, /**< found handle and group end: 4 bytes each */
	LIST_SIZED,   /**< `format` bytes each */
	LIST_UUID,    /**< 2 or 16 bytes in all */
};

static const struct row {
	uint8_t op;
	uint8_t answer;
	const char *name;
	enum field fields[5];
	enum list list;
} rows[] = {
	{ATT_ERROR_RSP, 0, "Error Response", {F_REQUEST, F_HANDLE, F_ERROR}, LIST_NONE},
	{ATT_MTU_REQ, ATT_MTU_RSP, "Exchange MTU Request", {F_MTU}, LIST_NONE},
	{ATT_MTU_RSP, 0, "Exchange MTU Response", {F_MTU}, LIST_NONE},
	{ATT_FIND_INFO_REQ,
	 ATT_FIND_INFO_RSP,
	 "Find Information Request",
	 {F_HANDLE, F_LAST},
	 LIST_NONE},
	{ATT_FIND_INFO_RSP, 0, "Find Information Response", {F_FORMAT, F_VALUE}, LIST_INFO},
	{ATT_FIND_BY_VALUE_REQ,
	 ATT_FIND_BY_VALUE_RSP,
	 "Find By Type Value Request",
	 {F_HANDLE, F_LAST, F_TYPE, F_VALUE},
	 LIST_NONE},
	{ATT_FIND_BY_VALUE_RSP, 0, "Find By Type Value Response", {F_VALUE}, LIST_HANDLES},
	{ATT_READ_BY_TYPE_REQ,
	 ATT_READ_BY_TYPE_RSP,
	 "Read By Type Request",
	 {F_HANDLE, F_LAST, F_VALUE},
	 LIST_UUID},
	{ATT_READ_BY_TYPE_RSP, 0, "Read By Type Response", {F_FORMAT, F_VALUE}, LIST_SIZED},
	{ATT_READ_REQ, ATT_READ_RSP, "Read Request", {F_HANDLE}, LIST_NONE},
	{ATT_READ_RSP, 0, "Read Response", {F_VALUE}, LIST_NONE},
	{ATT_READ_BLOB_REQ,
	 ATT_READ_BLOB_RSP,
	 "Read Blob Request",
	 {F_HANDLE, F_OFFSET},
	 LIST_NONE},
	{ATT_READ_BLOB_RSP, 0, "Read Blob Response", {F_VALUE}, LIST_NONE},
	{ATT_READ_BY_GROUP_REQ,
	 ATT_READ_BY_GROUP_RSP,
	 "Read By Group Type Request",
	 {F_HANDLE, F_LAST, F_VALUE},
	 LIST_UUID},
	{ATT_READ_BY_GROUP_RSP, 0, "Read By Group Type Response", {F_FORMAT, F_VALUE}, LIST_SIZED},
	{ATT_WRITE_REQ, ATT_WRITE_RSP, "Write Request", {F_HANDLE, F_VALUE}, LIST_NONE},
	{ATT_WRITE_RSP, 0, "Write Response", {F_END}, LIST_NONE},
	{ATT_PREPARE_REQ,
	 ATT_PREPARE_RSP,
	 "Prepare Write Request",
	 {F_HANDLE, F_OFFSET, F_VALUE},
	 LIST_NONE},
	{ATT_PREPARE_RSP, 0, "Prepare Write Response", {F_HANDLE, F_OFFSET, F_VALUE}, LIST_NONE},
	{ATT_EXECUTE_REQ, ATT_EXECUTE_RSP, "Execute Write Request", {F_FLAGS}, LIST_NONE},
	{ATT_EXECUTE_RSP, 0, "Execute Write Response", {F_END}, LIST_NONE},
	{ATT_NOTIFY, 0, "Handle Value Notification", {F_HANDLE, F_VALUE}, LIST_NONE},
	{ATT_INDICATE, ATT_CONFIRM, "Handle Value Indication", {F_HANDLE, F_VALUE}, LIST_NONE},
	{ATT_CONFIRM, 0, "Handle Value Confirmation", {F_END}, LIST_NONE},
	{ATT_WRITE_CMD, 0, "Write Command", {F_HANDLE, F_VALUE}, LIST_NONE},
};

static const struct {
	uint8_t code;
	const char *name;
} errors[] = {
	{ATT_ERR_INVALID_HANDLE, "no such attribute"},
	{ATT_ERR_READ_NOT_PERMITTED, "cannot be read"},
	{ATT_ERR_WRITE_NOT_PERMITTED, "cannot be written"},
	{ATT_ERR_INVALID_PDU, "packet not understood"},
	{ATT_ERR_AUTHENTICATION, "insufficient authentication"},
	{ATT_ERR_NOT_SUPPORTED, "request not supported"},
	{ATT_ERR_INVALID_OFFSET, "offset past the value's end"},
	{ATT_ERR_PREPARE_QUEUE_FULL, "too many writes prepared"},
	{ATT_ERR_NOT_FOUND, "attribute not found"},
	{ATT_ERR_INVALID_LENGTH, "value of the wrong length"},
	{ATT_ERR_UNLIKELY, "unlikely error"},
	{ATT_ERR_ENCRYPTION, "insufficient encryption"},
	{ATT_ERR_RESOURCES, "insufficient resources"},
	{ATT_ERR_OUT_OF_SYNC, "changed attributes that we do not know of"},
	{ATT_ERR_WRITE_REJECTED, "write request rejected"},
};

/* 0000xxxx-0000-1000-8000-00805f9b34fb, as it travels: the 16 bits are bytes 12 and 13. */
static const uint8_t base_uuid[12] = {0xfb, 0x34, 0x9b, 0x5f, 0x80, 0x00,
				      0x00, 0x80, 0x00, 0x10, 0x00, 0x00};

static const struct row *find(uint8_t op)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].op == op)
			return &rows[i];
	return NULL;
}

const char *att_op_name(uint8_t op)
{
	const struct row *row = find(op);

	return row ? row->name : "unknown packet";
}

uint8_t att_answer_of(uint8_t op)
{
	const struct row *row = find(op);

	return row ? row->answer : 0;
}

const char *att_error_name(uint8_t error)
{
	for (size_t i = 0; i < ARRAY_SIZE(errors); i++)
		if (errors[i].code == error)
			return errors[i].name;
	return error >= 0x80 && error <= 0x9f ? "error of the application" : "unknown error";
}

uint16_t att_get_uuid(const uint8_t *data, size_t len)
{
	if (len == 16 && memcmp(data, base_uuid, sizeof(base_uuid)) == 0 && !data[14] && !data[15])
		data += 12;
	else if (len != 2)
		return 0;
	return (uint16_t) (data[0] | data[1] << 8);
}

static size_t put16(uint8_t *p, uint16_t v)
{
	att_put_uuid(p, v);
	return 2;
}

/** Writes the fixed fields after the opcode. Returns their length. */
static size_t put_fixed(const struct row *row, const struct att_pdu *p, uint8_t *out,
			bool *ret_value)
{
	size_t n = 0;

	*ret_value = false;
	for (const enum field *f = row->fields; *f != F_END; f++) {
		switch (*f) {
		case F_REQUEST:
			out[n++] = p->request;
			break;
		case F_ERROR:
			out[n++] = p->error;
			break;
		case F_FORMAT:
			out[n++] = p->format;
			break;
		case F_FLAGS:
			out[n++] = p->flags;
			break;
		case F_HANDLE:
			n += put16(out + n, p->handle);
			break;
		case F_LAST:
			n += put16(out + n, p->end);
			break;
		case F_TYPE:
			n += put16(out + n, p->type);
			break;
		case F_MTU:
			n += put16(out + n, p->mtu);
			break;
		case F_OFFSET:
			n += put16(out + n, p->offset);
			break;
		case F_VALUE:
			*ret_value = true;
			break;
		case F_END:
			break;
		}
	}
	return n;
}

int att_encode(const struct att_pdu *p, size_t mtu, uint8_t *out, size_t cap)
{
	const struct row *row = find(p->op);
	uint8_t fixed[8];
	bool has_value;
	size_t n;

	if (!row)
		return -ERR_RANGE;
	n = put_fixed(row, p, fixed, &has_value);
	if (1 + n + (has_value ? p->len : 0) > mtu)
		return -ERR_TOO_LARGE;
	if (1 + n + (has_value ? p->len : 0) > cap)
		return -ENOBUFS;
	out[0] = p->op;
	memcpy(out + 1, fixed, n);
	if (!has_value || p->len == 0)
		return (int) (1 + n);
	memcpy(out + 1 + n, p->value, p->len);
	return (int) (1 + n + p->len);
}

/** Are the elements whole? Every list has at least one. */
static bool list_is_whole(enum list list, const struct att_pdu *p)
{
	size_t size = p->format;

	switch (list) {
	case LIST_NONE:
		return true;
	case LIST_UUID:
		return p->len == 2 || p->len == 16;
	case LIST_INFO:
		size = p->format == 1 ? 4 : p->format == 2 ? 18 : 0;
		break;
	case LIST_HANDLES:
		size = 4;
		break;
	case LIST_SIZED:
		break;
	}
	return size >= 2 && p->len >= size && p->len % size == 0;
}

int att_decode(const uint8_t *data, size_t len, struct att_pdu *ret)
{
	const struct row *row;
	struct wire w;

	wire_init(&w, data, len);
	*ret = (struct att_pdu){.op = wire_get_u8(&w)};
	row = find(ret->op);
	if (!wire_ok(&w))
		return -ERR_BADMSG;
	if (!row)
		return -ENOTSUP;
	for (const enum field *f = row->fields; *f != F_END; f++) {
		switch (*f) {
		case F_REQUEST:
			ret->request = wire_get_u8(&w);
			break;
		case F_ERROR:
			ret->error = wire_get_u8(&w);
			break;
		case F_FORMAT:
			ret->format = wire_get_u8(&w);
			break;
		case F_FLAGS:
			ret->flags = wire_get_u8(&w);
			break;
		case F_HANDLE:
			ret->handle = wire_get_u16le(&w);
			break;
		case F_LAST:
			ret->end = wire_get_u16le(&w);
			break;
		case F_TYPE:
			ret->type = wire_get_u16le(&w);
			break;
		case F_MTU:
			ret->mtu = wire_get_u16le(&w);
			break;
		case F_OFFSET:
			ret->offset = wire_get_u16le(&w);
			break;
		case F_VALUE:
			ret->len = wire_left(&w);
			ret->value = wire_get_bytes(&w, ret->len);
			break;
		case F_END:
			break;
		}
	}
	return wire_finish(&w) < 0 || !list_is_whole(row->list, ret) ? -ERR_BADMSG : 0;
}
