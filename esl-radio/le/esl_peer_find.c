/* SPDX-License-Identifier: Apache-2.0 */
/* Services and characteristics by UUID (Vol 3 Part G 4.4 to 4.7), and the switches of those that
 * speak up by themselves. */
#include "esl-radio/le/esl_peer_impl.h"

#include "common/err.h"
#include <errno.h>

#define UUID_PRIMARY        0x2800
#define UUID_CHARACTERISTIC 0x2803
#define UUID_SWITCH         0x2902 /* Client Characteristic Configuration */
#define DECLARATION_BYTES   7      /* handle, properties, value's handle, 16-bit UUID */

enum {
	SERVICE_ATTRIBUTES,
	SERVICE_ESL,
	SERVICE_TRANSFER,
	SERVICE_COUNT
};

static const uint16_t services[SERVICE_COUNT] = {0x1801, ESL_SERVICE_UUID, OTS_SERVICE_UUID};

static const struct {
	uint16_t uuid;
	uint16_t on; /**< what to write into its switch: 1 notify, 2 indicate, 0 it has none */
	bool needed;
} table[CHR_COUNT] = {
	[CHR_ADDRESS] = {0x2bf6, 0, true},
	[CHR_TRAIN_KEY] = {0x2bf7, 0, true},
	[CHR_RESPONSE_KEY] = {0x2bf8, 0, true},
	[CHR_TIME] = {0x2bf9, 0, true},
	[CHR_DISPLAYS] = {0x2bfa, 0, false},
	[CHR_IMAGES] = {0x2bfb, 0, false},
	[CHR_SENSORS] = {0x2bfc, 0, false},
	[CHR_LEDS] = {0x2bfd, 0, false},
	[CHR_CONTROL] = {0x2bfe, 1, true},
	[CHR_OTS_FEATURE] = {OTS_FEATURE_UUID, 0, false},
	[CHR_OBJECT_SIZE] = {OTS_SIZE_UUID, 0, false},
	[CHR_OBJECT_TYPE] = {OTS_TYPE_UUID, 0, false},
	[CHR_OACP] = {OTS_OACP_UUID, 2, false},
	[CHR_OLCP] = {OTS_OLCP_UUID, 2, false},
	[CHR_CHANGED] = {0x2a05, 2, false}, /* Service Changed */
};

uint16_t peer_switch_value(enum chr chr)
{
	return table[chr].on;
}

static void find_service(struct esl_peer *p);
static void find_switch(struct esl_peer *p);

/* --- switches --------------------------------------------------------------------------------- */

static void on_switched(void *user, int err, const struct att_pdu *answer)
{
	struct esl_peer *p = user;

	(void) answer;
	if (err < 0) {
		peer_fail(p, err);
		return;
	}
	p->chr[p->at].on = true;
	p->at++;
	find_switch(p);
}

static void on_descriptors(void *user, int err, const struct att_pdu *answer)
{
	struct esl_peer *p = user;
	uint8_t on[2];

	if (err < 0) {
		peer_fail(p, err == -ERR_PEER ? -ENOTSUP : err);
		return;
	}
	for (size_t i = 0; answer->format == 1 && i + 4 <= answer->len; i += 4) {
		const uint8_t *d = answer->value + i;

		if (att_get_uuid(d + 2, 2) != UUID_SWITCH)
			continue;
		att_put_uuid(on, table[p->at].on);
		p->chr[p->at].turn_on = att_get_uuid(d, 2);
		peer_ask(p,
			 &(struct att_pdu){.op = ATT_WRITE_REQ,
					   .handle = att_get_uuid(d, 2),
					   .value = on,
					   .len = sizeof(on)},
			 on_switched);
		return;
	}
	peer_fail(p, -ENOTSUP);
}

/** Turns on what speaks up by itself, from characteristic `at` on. */
static void find_switch(struct esl_peer *p)
{
	while (p->at < CHR_COUNT && (!table[p->at].on || !p->chr[p->at].value))
		p->at++;
	if (p->at == CHR_COUNT) {
		p->ready = true;
		peer_learn_handles(p);
		peer_finish(p, 0);
		return;
	}
	peer_ask(p,
		 &(struct att_pdu){.op = ATT_FIND_INFO_REQ,
				   .handle = (uint16_t) (p->chr[p->at].value + 1),
				   .end = p->chr[p->at].end},
		 on_descriptors);
}

static void check_found(struct esl_peer *p)
{
	for (size_t i = 0; i < CHR_COUNT; i++)
		if (table[i].needed && !p->chr[i].value) {
			peer_fail(p, -ENOTSUP); /* it is no shelf label */
			return;
		}
	p->at = 0;
	find_switch(p);
}

/* --- characteristics -------------------------------------------------------------------------- */

static void note_declaration(struct esl_peer *p, const uint8_t *d, size_t size)
{
	uint16_t uuid = att_get_uuid(d + 5, size - 5), value = att_get_uuid(d + 3, 2);

	for (size_t i = 0; i < CHR_COUNT; i++)
		if (table[i].uuid == uuid && value > p->chr[i].value && value < p->to) {
			p->chr[i].value = value;
			p->chr[i].end = p->to;
		}
}

static void find_characteristics(struct esl_peer *p);

static void on_characteristics(void *user, int err, const struct att_pdu *answer)
{
	struct esl_peer *p = user;
	uint16_t last = 0;

	if (err == -ERR_PEER && answer->error == ATT_ERR_NOT_FOUND) { /* no more of them */
		p->at++;
		find_service(p);
		return;
	}
	if (err < 0 || answer->format < DECLARATION_BYTES) {
		peer_fail(p, err < 0 ? err : -ERR_BADMSG);
		return;
	}
	for (size_t i = 0; i < answer->len; i += answer->format) {
		last = att_get_uuid(answer->value + i, 2);
		note_declaration(p, answer->value + i, answer->format);
	}
	if (last < p->from || last >= p->to) { /* it leads in circles, or is at its end */
		p->at++;
		find_service(p);
		return;
	}
	p->from = (uint16_t) (last + 1);
	find_characteristics(p);
}

static void find_characteristics(struct esl_peer *p)
{
	uint8_t uuid[2];

	att_put_uuid(uuid, UUID_CHARACTERISTIC);
	peer_ask(p,
		 &(struct att_pdu){.op = ATT_READ_BY_TYPE_REQ,
				   .handle = p->from,
				   .end = p->to,
				   .value = uuid,
				   .len = sizeof(uuid)},
		 on_characteristics);
}

/* --- services --------------------------------------------------------------------------------- */

static void on_service(void *user, int err, const struct att_pdu *answer)
{
	struct esl_peer *p = user;

	if (err == -ERR_PEER && answer->error == ATT_ERR_NOT_FOUND) { /* it has no such service */
		p->at++;
		find_service(p);
		return;
	}
	if (err < 0) {
		peer_fail(p, err);
		return;
	}
	p->from = att_get_uuid(answer->value, 2);
	p->to = att_get_uuid(answer->value + 2, 2);
	if (p->from == 0 || p->to < p->from)
		peer_fail(p, -ERR_BADMSG);
	else
		find_characteristics(p);
}

static void find_service(struct esl_peer *p)
{
	uint8_t uuid[2];

	if (p->at == SERVICE_COUNT) {
		check_found(p);
		return;
	}
	att_put_uuid(uuid, services[p->at]);
	peer_ask(p,
		 &(struct att_pdu){.op = ATT_FIND_BY_VALUE_REQ,
				   .handle = 1,
				   .end = ATT_HANDLE_LAST,
				   .type = UUID_PRIMARY,
				   .value = uuid,
				   .len = sizeof(uuid)},
		 on_service);
}

/* Of use to those who remember what they found. */
static unsigned int first_service(const struct esl_peer *p)
{
	return p->has_hash ? SERVICE_ATTRIBUTES : SERVICE_ESL;
}

void peer_find(struct esl_peer *p)
{
	p->at = first_service(p);
	find_service(p);
}
