/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What model a label is: Model Number String and PnP ID of the Device Information Service, by their
 * types, and the type of its first image object. None of it is a must.
 */
#include "esl-radio/le/esl_peer_impl.h"

#include "common/err.h"
#include "esl-radio/label_says.h"
#include <errno.h>

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
static bool first_value(struct esl_peer *p, int err, const struct att_pdu *answer,
			const uint8_t **ret, size_t *ret_len)
{
	bool there = err == 0 && answer->format > 2 && answer->format <= answer->len;

	if (err < 0 && err != -ERR_PEER) {
		peer_finish(p, err);
		return false;
	}
	*ret = there ? answer->value + 2 : NULL;
	*ret_len = there ? answer->format - 2u : 0;
	return true;
}

static void identified(struct esl_peer *p)
{
	p->identified(p);
}

/* --- type of the first object ----------------------------------------------------------------- */

static void on_type(struct esl_peer *p, int err)
{
	if (err < 0 && err != -ENOENT && err != -ERR_PEER) {
		peer_finish(p, err);
		return;
	}
	label_says_type(&p->res.identity, p->value.data, err == 0 ? p->value.len : 0);
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
	const uint8_t *data;
	size_t len;

	if (!first_value(p, err, answer, &data, &len))
		return;
	label_says_pnp(&p->res.identity, data, len);
	choose_first(p);
}

static void on_model(void *user, int err, const struct att_pdu *answer)
{
	struct esl_peer *p = user;
	const uint8_t *data;
	size_t len;

	if (!first_value(p, err, answer, &data, &len))
		return;
	label_says_model(&p->res.identity, data, len);
	ask_by_type(p, UUID_PNP_ID, on_pnp);
}

void peer_identify(struct esl_peer *p, void (*next)(struct esl_peer *p))
{
	p->identified = next;
	p->choosing = false;
	ask_by_type(p, UUID_MODEL_NUMBER, on_model);
}
