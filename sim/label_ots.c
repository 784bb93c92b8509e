/* SPDX-License-Identifier: Apache-2.0 */
/* The object transfer server of a label: image N is object 0x100 + N. One
 * kind of label takes whole pictures only; the other keeps what broke off, and can prove it. */
#include "common/err.h"
#include "esl-radio/le/ots_wire.h"
#include "sim/label_pixels.h"
#include "sim/label_service.h"

#include <string.h>

static void answer_with(struct label_service *s, enum label_value value,
			const struct ots_control *c)
{
	uint8_t out[OTS_CONTROL_MAX];
	int n = ots_encode(c, out);

	if (n > 0)
		s->io->tell(s->user, value, out, (size_t) n);
}

static void answer(struct label_service *s, enum label_value value, uint8_t op, uint8_t request,
		   uint8_t result)
{
	answer_with(s, value,
		    &(struct ots_control){.op = op, .request = request, .result = result});
}

void label_service_olcp(struct label_service *s, const uint8_t *data, size_t len)
{
	struct sim_label_view v;
	struct ots_control c;
	uint8_t result = OTS_NOT_SUPPORTED;
	int r = ots_decode(data, len, &c);

	sim_label_get(s->label, &v);
	if (r == 0 && c.op == OLCP_GO_TO) {
		bool there = c.object >= OTS_FIRST_OBJECT &&
			     c.object < OTS_FIRST_OBJECT + (uint64_t) v.model.slots;

		result = there ? OTS_SUCCESS : OLCP_NOT_FOUND;
		s->chosen = there;
		s->object = there ? (unsigned int) (c.object - OTS_FIRST_OBJECT) : 0;
	} else if (r == 0 && c.op == OLCP_FIRST) {
		result = OTS_SUCCESS;
		s->chosen = true;
		s->object = 0;
	} else if (r == 0 && c.op == OLCP_NEXT) {
		result = s->chosen && s->object + 1 < v.model.slots ? OTS_SUCCESS
								    : OLCP_OUT_OF_BOUNDS;
		s->object += result == OTS_SUCCESS;
	}
	answer(s, VALUE_OLCP, OLCP_RESPONSE, c.op, result);
}

/* --- what is in an object --------------------------------------------------------------------- */

void label_bond_drop_kept(struct label_bond *bond)
{
	free(bond->kept);
	bond->kept = NULL;
	bond->kept_len = 0;
}

static bool keeps(const struct label_service *s)
{
	return s->bond->kept && s->bond->kept_object == s->object;
}

size_t label_service_object_size(const struct label_service *s)
{
	struct sim_label_view v;

	if (keeps(s))
		return s->bond->kept_len;
	sim_label_get(s->label, &v);
	return s->chosen && v.slot_filled[s->object] ? v.slot_len[s->object] : 0;
}

/** Only of what broke off: a whole picture is kept in the panel's own form. */
static uint8_t checksum(const struct label_service *s, const struct ots_control *c, uint32_t *ret)
{
	if (!s->chosen)
		return OACP_INVALID_OBJECT;
	if (s->stored && s->object == s->stored_object && c->offset == 0 &&
	    c->length == s->content.len)
		*ret = ots_checksum(s->content.data, s->content.len);
	else if (keeps(s) && c->offset == 0 && c->length <= s->bond->kept_len)
		*ret = ots_checksum(s->bond->kept, c->length);
	else
		return OTS_INVALID_PARAMETER;
	return OTS_SUCCESS;
}

/* --- writing ---------------------------------------------------------------------------------- */

static uint8_t refusal(struct label_service *s)
{
	if (sim_label_trouble(s->label, SIM_TROUBLE_LOCKED))
		return OACP_LOCKED;
	if (sim_label_trouble(s->label, SIM_TROUBLE_FAILED))
		return OACP_FAILED;
	return sim_label_trouble(s->label, SIM_TROUBLE_FULL) ? OACP_NO_RESOURCES : OTS_SUCCESS;
}

static uint8_t begin_write(struct label_service *s, const struct ots_control *c)
{
	struct sim_label_view v;
	bool nrf, from_kept;
	uint8_t refused;

	sim_label_get(s->label, &v);
	nrf = v.model.personality == SIM_PERSONALITY_NRF;
	from_kept = nrf && keeps(s) && c->offset > 0 && c->offset <= s->bond->kept_len;
	if (!s->chosen)
		return OACP_INVALID_OBJECT;
	if (!s->channel_open)
		return OACP_NO_CHANNEL;
	if ((c->offset != 0 && !from_kept) || c->length == 0 ||
	    (uint64_t) c->offset + c->length > LABEL_OBJECT_MAX)
		return OTS_INVALID_PARAMETER;
	if (c->mode != (nrf ? 0 : OACP_TRUNCATE))
		return OTS_INVALID_PARAMETER;
	refused = refusal(s);
	if (refused != OTS_SUCCESS)
		return refused;
	buf_clear(&s->content);
	if (from_kept)
		buf_put(&s->content, s->bond->kept, c->offset);
	label_bond_drop_kept(s->bond);
	sim_label_clear_image(s->label, s->object, s->now_us);
	s->expected = c->offset + c->length;
	s->stored = false;
	return buf_ok(&s->content) ? OTS_SUCCESS : OACP_NO_RESOURCES;
}

void label_service_oacp(struct label_service *s, const uint8_t *data, size_t len)
{
	struct sim_label_view v;
	struct ots_control c, a = {.op = OACP_RESPONSE, .result = OTS_NOT_SUPPORTED};
	int r = ots_decode(data, len, &c);

	sim_label_get(s->label, &v);
	a.request = c.op;
	if (r == 0 && c.op == OACP_ABORT) {
		s->writing = false;
		a.result = OTS_SUCCESS;
	} else if (r == 0 && c.op == OACP_WRITE) {
		a.result = begin_write(s, &c);
		s->writing = a.result == OTS_SUCCESS;
	} else if (r == 0 && c.op == OACP_CHECKSUM && v.model.personality == SIM_PERSONALITY_NRF) {
		a.result = checksum(s, &c, &a.checksum);
	}
	answer_with(s, VALUE_OACP, &a);
}

/** The panel keeps what it makes of the bytes; the truth is told in the canonical form. */
static void store(struct label_service *s)
{
	_cleanup_buf_ struct buf serial = BUF_INIT;
	struct sim_label_view v;
	struct image im;

	sim_label_get(s->label, &v);
	if (sim_pixels_decode(&v.model, s->content.data, s->content.len, &im) < 0)
		return;
	image_encode(&im, &serial);
	image_done(&im);
	if (buf_ok(&serial))
		ignore_result(sim_label_write_image(s->label, s->object, serial.data, serial.len,
						    s->now_us));
}

void label_service_content(struct label_service *s, const uint8_t *data, size_t len)
{
	if (!s->writing)
		return;
	buf_put(&s->content, data, len);
	if (s->content.len < s->expected)
		return;
	s->writing = false;
	if (s->content.len != s->expected || !buf_ok(&s->content))
		return;
	s->stored = true;
	s->stored_object = s->object;
	store(s);
}

void label_service_content_end(struct label_service *s)
{
	struct sim_label_view v;

	sim_label_get(s->label, &v);
	if (s->writing && v.model.personality == SIM_PERSONALITY_NRF && s->content.len > 0) {
		label_bond_drop_kept(s->bond);
		s->bond->kept = malloc(s->content.len);
		if (s->bond->kept) {
			memcpy(s->bond->kept, s->content.data, s->content.len);
			s->bond->kept_len = s->content.len;
			s->bond->kept_object = s->object;
		}
	}
	s->writing = false;
}
