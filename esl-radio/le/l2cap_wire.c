/* SPDX-License-Identifier: Apache-2.0 */
#include "esl-radio/le/l2cap_wire.h"

#include "common/err.h"
#include <errno.h>
#include <stddef.h>

#define FIELDS_MAX 5

/** Every parameter is a little-endian number of 16 bits; a row says where each goes. */
static const struct row {
	uint8_t code;
	uint8_t n;
	uint8_t least; /**< parameters that must be there; more than n are ignored (REJECT's data)
			*/
	size_t at[FIELDS_MAX];
} rows[] = {
#define AT(member) offsetof(struct l2cap_signal, member)
	{L2CAP_REJECT, 1, 1, {AT(reason)}},
	{L2CAP_DISCONNECT_REQ, 2, 2, {AT(dcid), AT(scid)}},
	{L2CAP_DISCONNECT_RSP, 2, 2, {AT(dcid), AT(scid)}},
	{L2CAP_PARAMS_REQ, 4, 4, {AT(interval_min), AT(interval_max), AT(latency), AT(timeout)}},
	{L2CAP_PARAMS_RSP, 1, 1, {AT(result)}},
	{L2CAP_CREDIT_CONNECT_REQ, 5, 5, {AT(spsm), AT(scid), AT(mtu), AT(mps), AT(credits)}},
	{L2CAP_CREDIT_CONNECT_RSP, 5, 5, {AT(dcid), AT(mtu), AT(mps), AT(credits), AT(result)}},
	{L2CAP_CREDITS, 2, 2, {AT(scid), AT(credits)}},
#undef AT
};

static const struct row *find(uint8_t code)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].code == code)
			return &rows[i];
	return NULL;
}

void l2cap_put_header(struct buf *b, uint16_t cid, size_t len)
{
	buf_put_u16le(b, (uint16_t) len);
	buf_put_u16le(b, cid);
}

int l2cap_put_signal(struct buf *b, const struct l2cap_signal *s)
{
	const struct row *row = find(s->code);

	if (!row)
		return -ERR_RANGE;
	l2cap_put_header(b, L2CAP_SIGNAL_CID, 4 + 2u * row->n);
	buf_put_u8(b, s->code);
	buf_put_u8(b, s->id);
	buf_put_u16le(b, (uint16_t) (2 * row->n));
	for (size_t i = 0; i < row->n; i++)
		buf_put_u16le(b, *(const uint16_t *) ((const char *) s + row->at[i]));
	return b->err;
}

int l2cap_get_signal(const uint8_t *data, size_t len, struct l2cap_signal *ret)
{
	const struct row *row;
	struct wire w;
	size_t said;

	wire_init(&w, data, len);
	*ret = (struct l2cap_signal){.code = wire_get_u8(&w)};
	ret->id = wire_get_u8(&w);
	said = wire_get_u16le(&w);
	row = find(ret->code);
	if (!wire_ok(&w) || said != wire_left(&w))
		return -ERR_BADMSG;
	if (!row)
		return -ENOTSUP;
	if (said < 2u * row->least || (said > 2u * row->n && ret->code != L2CAP_REJECT))
		return -ERR_BADMSG;
	for (size_t i = 0; i < row->n; i++)
		*(uint16_t *) ((char *) ret + row->at[i]) = wire_get_u16le(&w);
	return 0;
}

const char *l2cap_result_name(uint16_t result)
{
	switch (result) {
	case L2CAP_OK:
		return "accepted";
	case L2CAP_NO_SPSM:
		return "no such service";
	case L2CAP_NO_RESOURCES:
		return "no resources";
	case L2CAP_AUTHENTICATION:
		return "insufficient authentication";
	case L2CAP_ENCRYPTION:
		return "insufficient encryption";
	case L2CAP_BAD_CID:
	case L2CAP_CID_TAKEN:
		return "channel number refused";
	case L2CAP_BAD_PARAMETERS:
		return "parameters refused";
	default:
		return "refused";
	}
}
