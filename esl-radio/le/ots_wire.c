/* SPDX-License-Identifier: Apache-2.0 */
#include "esl-radio/le/ots_wire.h"

#include "common/err.h"
#include <errno.h>
#include <string.h>

static uint8_t *put_le(uint8_t *p, uint64_t v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		*p++ = (uint8_t) (v >> 8 * i);
	return p;
}

int ots_encode(const struct ots_control *c, uint8_t out[OTS_CONTROL_MAX])
{
	uint8_t *p = out;

	*p++ = c->op;
	switch (c->op) {
	case OACP_WRITE:
		p = put_le(p, c->offset, 4);
		p = put_le(p, c->length, 4);
		*p++ = c->mode;
		break;
	case OACP_CHECKSUM:
		p = put_le(p, c->offset, 4);
		p = put_le(p, c->length, 4);
		break;
	case OLCP_GO_TO:
		p = put_le(p, c->object, 6);
		break;
	case OACP_RESPONSE:
	case OLCP_RESPONSE:
		*p++ = c->request;
		*p++ = c->result;
		if (c->op == OACP_RESPONSE && c->request == OACP_CHECKSUM &&
		    c->result == OTS_SUCCESS)
			p = put_le(p, c->checksum, 4);
		break;
	case OACP_ABORT:
	case OLCP_FIRST:
	case OLCP_NEXT:
		break;
	default:
		return -ERR_RANGE;
	}
	return (int) (p - out);
}

static uint64_t get_u48(struct wire *w)
{
	uint64_t low = wire_get_u32le(w);

	return low | (uint64_t) wire_get_u16le(w) << 32;
}

int ots_decode(const uint8_t *data, size_t len, struct ots_control *ret)
{
	struct wire w;

	wire_init(&w, data, len);
	*ret = (struct ots_control){.op = wire_get_u8(&w)};
	if (!wire_ok(&w))
		return -ERR_BADMSG;
	switch (ret->op) {
	case OACP_WRITE:
	case OACP_CHECKSUM:
		ret->offset = wire_get_u32le(&w);
		ret->length = wire_get_u32le(&w);
		if (ret->op == OACP_WRITE)
			ret->mode = wire_get_u8(&w);
		break;
	case OLCP_GO_TO:
		ret->object = get_u48(&w);
		break;
	case OACP_RESPONSE:
	case OLCP_RESPONSE:
		ret->request = wire_get_u8(&w);
		ret->result = wire_get_u8(&w);
		if (ret->op == OACP_RESPONSE && ret->request == OACP_CHECKSUM &&
		    ret->result == OTS_SUCCESS)
			ret->checksum = wire_get_u32le(&w);
		else if (wire_ok(&w)) /* a later version may say more */
			wire_skip(&w, wire_left(&w));
		break;
	case OACP_ABORT:
	case OLCP_FIRST:
	case OLCP_NEXT:
		break;
	default:
		return -ENOTSUP;
	}
	return wire_finish(&w) < 0 ? -ERR_BADMSG : 0;
}

uint32_t ots_checksum(const uint8_t *data, size_t len)
{
	uint32_t crc = UINT32_MAX;

	for (size_t i = 0; i < len; i++) {
		crc ^= data[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (UINT32_C(0xedb88320) & (0u - (crc & 1)));
	}
	return ~crc;
}

const char *oacp_result_name(uint8_t result)
{
	static const char *const names[] = {
		[OTS_SUCCESS] = "done",
		[OTS_NOT_SUPPORTED] = "not supported",
		[OTS_INVALID_PARAMETER] = "a parameter is wrong",
		[OACP_NO_RESOURCES] = "no room for it",
		[OACP_INVALID_OBJECT] = "no such image memory",
		[OACP_NO_CHANNEL] = "no channel is open",
		[OACP_UNSUPPORTED_TYPE] = "the type is not supported",
		[OACP_NOT_PERMITTED] = "not permitted",
		[OACP_LOCKED] = "it is being used",
		[OACP_FAILED] = "it failed",
	};

	return result < ARRAY_SIZE(names) && names[result] ? names[result] : "refused";
}

const char *olcp_result_name(uint8_t result)
{
	static const char *const names[] = {
		[OTS_SUCCESS] = "done",
		[OTS_NOT_SUPPORTED] = "not supported",
		[OTS_INVALID_PARAMETER] = "a parameter is wrong",
		[OLCP_FAILED] = "it failed",
		[OLCP_OUT_OF_BOUNDS] = "past the last object",
		[OLCP_TOO_MANY] = "too many objects",
		[OLCP_NO_OBJECT] = "there is no object",
		[OLCP_NOT_FOUND] = "no such object",
	};

	return result < ARRAY_SIZE(names) && names[result] ? names[result] : "refused";
}
