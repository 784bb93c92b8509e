/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What model a label is: Model Number String and PnP ID of the Device Information Service, by their
 * types, and the type of its first image object. None of it is a must.
 */
#include "esl-radio/le/esl_peer_impl.h"

#include "common/err.h"
#include <errno.h>
#include <string.h>

#define UUID_MODEL_NUMBER 0x2a24
#define UUID_PNP_ID       0x2a50

static void ask_by_type(struct esl_peer *p, uint16_t type, att_done_fn done)
{
	uint8_t uuid[2];

	att_put_uuid(uuid, type);
	peer_ask(p,
		 &(struct att_pdu){.op = ATT_READ_BY_TYPE_REQ,
				   .handle = 1,
				   .end = ATT_HANDLE_LAST,
				   .value = uuid,
				   .len = sizeof(uuid)},
		 done);
}

/** The first value of the list, without its handle. False where there is none; a link that broke
 * ends the job. */
static bool first_value(struct esl_peer *p, int err, const struct att_pdu *answer, struct wire *ret)
{
	if (err < 0 && err != -ERR_PEER) {
		peer_finish(p, err);
		return false;
	}
	wire_init(ret, answer ? answer->value : NULL,
		  err == 0 && answer->format > 2 && answer->format <= answer->len ? answer->format
										  : 0);
	wire_skip(ret, 2);
	return true;
}

static void identified(struct esl_peer *p)
{
	p->identified(p);
}

/* --- type of the first object ----------------------------------------------------------------- */

static void on_type(struct esl_peer *p, int err)
{
	static const uint8_t base[PIXEL_UUID_BYTES] = {0,    0, 0, 0,    0,    0,    0x10, 0,
						       0x80, 0, 0, 0x80, 0x5f, 0x9b, 0x34, 0xfb};
	struct pixel_identity *id = &p->res.identity;
	const uint8_t *uuid = p->value.data;

	if (err < 0 && err != -ENOENT && err != -ERR_PEER) {
		peer_finish(p, err);
		return;
	}
	if (err == 0 && p->value.len == PIXEL_UUID_BYTES) {
		id->has_type = true;
		for (size_t i = 0; i < PIXEL_UUID_BYTES; i++)
			id->type[i] = uuid[PIXEL_UUID_BYTES - 1 - i];
	} else if (err == 0 && p->value.len == 2) {
		id->has_type = true;
		memcpy(id->type, base, sizeof(base));
		id->type[2] = uuid[1];
		id->type[3] = uuid[0];
	}
	identified(p);
}

void peer_identify_chosen(struct esl_peer *p, const struct ots_control *c)
{
	if (c->op != OLCP_RESPONSE)
		return;
	p->choosing = false;
	if (c->request == OLCP_GO_TO && c->result == OTS_SUCCESS)
		peer_read(p, CHR_OBJECT_TYPE, on_type);
	else
		identified(p);
}

static void choose_first(struct esl_peer *p)
{
	if (!p->chr[CHR_OLCP].value || !p->chr[CHR_OBJECT_TYPE].value) {
		identified(p);
		return;
	}
	p->choosing = true;
	peer_write_object_control(
		p, CHR_OLCP, &(struct ots_control){.op = OLCP_GO_TO, .object = OTS_FIRST_OBJECT});
}

/* --- device information ----------------------------------------------------------------------- */

static void on_pnp(void *user, int err, const struct att_pdu *answer)
{
	struct esl_peer *p = user;
	struct pixel_identity *id = &p->res.identity;
	struct wire w;

	if (!first_value(p, err, answer, &w))
		return;
	id->vendor_source = wire_get_u8(&w);
	id->vendor = wire_get_u16le(&w);
	id->product = wire_get_u16le(&w);
	id->has_pnp = wire_ok(&w);
	choose_first(p);
}

static void on_model(void *user, int err, const struct att_pdu *answer)
{
	struct esl_peer *p = user;
	char *to = p->res.identity.model;
	struct wire w;
	size_t n;

	if (!first_value(p, err, answer, &w))
		return;
	n = MIN(wire_left(&w), (size_t) PIXEL_NAME_MAX - 1);
	if (wire_ok(&w) && n > 0)
		wire_copy(&w, to, n);
	to[strnlen(to, n)] = '\0';
	ask_by_type(p, UUID_PNP_ID, on_pnp);
}

void peer_identify(struct esl_peer *p, void (*next)(struct esl_peer *p))
{
	p->identified = next;
	p->choosing = false;
	ask_by_type(p, UUID_MODEL_NUMBER, on_model);
}
