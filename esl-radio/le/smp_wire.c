/* SPDX-License-Identifier: Apache-2.0 */
#include "esl-radio/le/smp_wire.h"

#include "common/err.h"
#include <errno.h>
#include <string.h>

enum shape {
	SHAPE_FEATURES, /**< the six fields of a pairing request or response */
	SHAPE_REASON,
	SHAPE_AUTH,
	SHAPE_VALUE, /**< `len` bytes */
};

static const struct row {
	uint8_t op, len; /**< of what follows the opcode */
	enum shape shape;
	const char *name;
} rows[] = {
	{SMP_PAIRING_REQ, 6, SHAPE_FEATURES, "Pairing Request"},
	{SMP_PAIRING_RSP, 6, SHAPE_FEATURES, "Pairing Response"},
	{SMP_CONFIRM, 16, SHAPE_VALUE, "Pairing Confirm"},
	{SMP_RANDOM, 16, SHAPE_VALUE, "Pairing Random"},
	{SMP_FAILED, 1, SHAPE_REASON, "Pairing Failed"},
	{SMP_ENCRYPTION_INFO, 16, SHAPE_VALUE, "Encryption Information"},
	{SMP_CENTRAL_IDENT, 10, SHAPE_VALUE, "Central Identification"},
	{SMP_IDENTITY_INFO, 16, SHAPE_VALUE, "Identity Information"},
	{SMP_IDENTITY_ADDR, 7, SHAPE_VALUE, "Identity Address Information"},
	{SMP_SIGNING_INFO, 16, SHAPE_VALUE, "Signing Information"},
	{SMP_SECURITY_REQ, 1, SHAPE_AUTH, "Security Request"},
	{SMP_PUBLIC_KEY, 64, SHAPE_VALUE, "Pairing Public Key"},
	{SMP_DHKEY_CHECK, 16, SHAPE_VALUE, "Pairing DHKey Check"},
};

static const char *const failures[] = {
	[SMP_FAIL_OOB] = "out-of-band data is not there",
	[SMP_FAIL_AUTHENTICATION] = "authentication requirements cannot be met",
	[SMP_FAIL_CONFIRM] = "the confirm value does not match",
	[SMP_FAIL_NOT_SUPPORTED] = "pairing is not supported",
	[SMP_FAIL_KEY_SIZE] = "the encryption key is too short",
	[SMP_FAIL_COMMAND] = "a packet is not supported",
	[SMP_FAIL_UNSPECIFIED] = "no reason given",
	[SMP_FAIL_REPEATED] = "too many attempts",
	[SMP_FAIL_PARAMETERS] = "a parameter is wrong",
	[SMP_FAIL_DHKEY] = "the keys do not match",
	[SMP_FAIL_COMPARISON] = "the numbers differ",
};

static const struct row *find(uint8_t op)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].op == op)
			return &rows[i];
	return NULL;
}

const char *smp_op_name(uint8_t op)
{
	const struct row *row = find(op);

	return row ? row->name : "unknown packet";
}

const char *smp_failure_name(uint8_t reason)
{
	return reason < ARRAY_SIZE(failures) && failures[reason] ? failures[reason]
								 : "an unknown reason";
}

int smp_encode(const struct smp_pdu *p, uint8_t out[SMP_MAX])
{
	const struct row *row = find(p->op);
	const uint8_t features[] = {
		p->io, p->oob, p->auth, p->key_size, p->initiator_keys, p->responder_keys};

	if (!row)
		return -ERR_RANGE;
	out[0] = p->op;
	switch (row->shape) {
	case SHAPE_FEATURES:
		memcpy(out + 1, features, sizeof(features));
		break;
	case SHAPE_REASON:
		out[1] = p->reason;
		break;
	case SHAPE_AUTH:
		out[1] = p->auth;
		break;
	case SHAPE_VALUE:
		memcpy(out + 1, p->value, row->len);
		break;
	}
	return 1 + row->len;
}

int smp_decode(const uint8_t *data, size_t len, struct smp_pdu *ret)
{
	const struct row *row;
	struct wire w;

	wire_init(&w, data, len);
	*ret = (struct smp_pdu){.op = wire_get_u8(&w)};
	row = find(ret->op);
	if (!wire_ok(&w) || (row && wire_left(&w) != row->len))
		return -ERR_BADMSG;
	if (!row)
		return -ENOTSUP;
	switch (row->shape) {
	case SHAPE_FEATURES:
		ret->io = wire_get_u8(&w);
		ret->oob = wire_get_u8(&w);
		ret->auth = wire_get_u8(&w);
		ret->key_size = wire_get_u8(&w);
		ret->initiator_keys = wire_get_u8(&w);
		ret->responder_keys = wire_get_u8(&w);
		break;
	case SHAPE_REASON:
		ret->reason = wire_get_u8(&w);
		break;
	case SHAPE_AUTH:
		ret->auth = wire_get_u8(&w);
		break;
	case SHAPE_VALUE:
		wire_copy(&w, ret->value, row->len);
		break;
	}
	return wire_finish(&w) < 0 ? -ERR_BADMSG : 0;
}

void smp_reverse(uint8_t *to, const uint8_t *from, size_t n)
{
	for (size_t i = 0; i < n; i++)
		to[i] = from[n - 1 - i];
}
