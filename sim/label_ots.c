/* SPDX-License-Identifier: Apache-2.0 */
/* The object transfer server of a label: image N is object 0x100 + N. One
 * kind of label takes whole pictures only; the other keeps what broke off, and can prove it. */
#include "common/err.h"
#include "sim/label_host_impl.h"
#include "sim/label_pixels.h"

#include <string.h>

static void answer_with(struct label_host *h, enum host_value value, const struct ots_control *c)
{
	uint8_t out[OTS_CONTROL_MAX];
	int n = ots_encode(c, out);

	if (n > 0)
		host_tell(h, value, out, (size_t) n);
}

static void answer(struct label_host *h, enum host_value value, uint8_t op, uint8_t request,
		   uint8_t result)
{
	answer_with(h, value,
		    &(struct ots_control){.op = op, .request = request, .result = result});
}

void host_olcp(struct label_host *h, const uint8_t *data, size_t len)
{
	struct sim_label_view v;
	struct ots_control c;
	uint8_t result = OTS_NOT_SUPPORTED;
	int r = ots_decode(data, len, &c);

	sim_label_get(h->label, &v);
	if (r == 0 && c.op == OLCP_GO_TO) {
		bool there = c.object >= OTS_FIRST_OBJECT &&
			     c.object < OTS_FIRST_OBJECT + (uint64_t) v.model.slots;

		result = there ? OTS_SUCCESS : OLCP_NOT_FOUND;
		h->chosen = there;
		h->object = there ? (unsigned int) (c.object - OTS_FIRST_OBJECT) : 0;
	} else if (r == 0 && c.op == OLCP_FIRST) {
		result = OTS_SUCCESS;
		h->chosen = true;
		h->object = 0;
	} else if (r == 0 && c.op == OLCP_NEXT) {
		result = h->chosen && h->object + 1 < v.model.slots ? OTS_SUCCESS
								    : OLCP_OUT_OF_BOUNDS;
		h->object += result == OTS_SUCCESS;
	}
	answer(h, VALUE_OLCP, OLCP_RESPONSE, c.op, result);
}

/* --- what is in an object --------------------------------------------------------------------- */

void label_bond_drop_kept(struct label_bond *bond)
{
	free(bond->kept);
	bond->kept = NULL;
	bond->kept_len = 0;
}

static bool keeps(const struct label_host *h)
{
	return h->bond->kept && h->bond->kept_object == h->object;
}

size_t host_object_size(const struct label_host *h)
{
	struct sim_label_view v;

	if (keeps(h))
		return h->bond->kept_len;
	sim_label_get(h->label, &v);
	return h->chosen && v.slot_filled[h->object] ? v.slot_len[h->object] : 0;
}

/** Only of what broke off: a whole picture is kept in the panel's own form. */
static uint8_t checksum(const struct label_host *h, const struct ots_control *c, uint32_t *ret)
{
	if (!h->chosen)
		return OACP_INVALID_OBJECT;
	if (h->stored && h->object == h->stored_object && c->offset == 0 &&
	    c->length == h->content.len)
		*ret = ots_checksum(h->content.data, h->content.len);
	else if (keeps(h) && c->offset == 0 && c->length <= h->bond->kept_len)
		*ret = ots_checksum(h->bond->kept, c->length);
	else
		return OTS_INVALID_PARAMETER;
	return OTS_SUCCESS;
}

/* --- writing ---------------------------------------------------------------------------------- */

static uint8_t begin_write(struct label_host *h, const struct ots_control *c)
{
	struct sim_label_view v;
	bool nrf, from_kept;

	sim_label_get(h->label, &v);
	nrf = v.model.personality == SIM_PERSONALITY_NRF;
	from_kept = nrf && keeps(h) && c->offset > 0 && c->offset <= h->bond->kept_len;
	if (!h->chosen)
		return OACP_INVALID_OBJECT;
	if (!h->channel.open)
		return OACP_NO_CHANNEL;
	if ((c->offset != 0 && !from_kept) || c->length == 0 ||
	    (uint64_t) c->offset + c->length > HOST_OBJECT_MAX)
		return OTS_INVALID_PARAMETER;
	if (c->mode != (nrf ? 0 : OACP_TRUNCATE))
		return OTS_INVALID_PARAMETER;
	buf_clear(&h->content);
	if (from_kept)
		buf_put(&h->content, h->bond->kept, c->offset);
	label_bond_drop_kept(h->bond);
	sim_label_clear_image(h->label, h->object, h->now_us);
	h->expected = c->offset + c->length;
	h->stored = false;
	return buf_ok(&h->content) ? OTS_SUCCESS : OACP_NO_RESOURCES;
}

void host_oacp(struct label_host *h, const uint8_t *data, size_t len)
{
	struct sim_label_view v;
	struct ots_control c, a = {.op = OACP_RESPONSE, .result = OTS_NOT_SUPPORTED};
	int r = ots_decode(data, len, &c);

	sim_label_get(h->label, &v);
	a.request = c.op;
	if (r == 0 && c.op == OACP_ABORT) {
		h->writing = false;
		a.result = OTS_SUCCESS;
	} else if (r == 0 && c.op == OACP_WRITE) {
		a.result = begin_write(h, &c);
		h->writing = a.result == OTS_SUCCESS;
	} else if (r == 0 && c.op == OACP_CHECKSUM && v.model.personality == SIM_PERSONALITY_NRF) {
		a.result = checksum(h, &c, &a.checksum);
	}
	answer_with(h, VALUE_OACP, &a);
}

/** The panel keeps what it makes of the bytes; the truth is told in the canonical form. */
static void store(struct label_host *h)
{
	_cleanup_buf_ struct buf serial = BUF_INIT;
	struct sim_label_view v;
	struct image im;

	sim_label_get(h->label, &v);
	if (sim_pixels_decode(&v.model, h->content.data, h->content.len, &im) < 0)
		return;
	image_encode(&im, &serial);
	image_done(&im);
	if (buf_ok(&serial))
		ignore_result(sim_label_write_image(h->label, h->object, serial.data, serial.len,
						    h->now_us));
}

void host_content(struct label_host *h, const uint8_t *data, size_t len)
{
	if (!h->writing)
		return;
	buf_put(&h->content, data, len);
	if (h->content.len < h->expected)
		return;
	h->writing = false;
	if (h->content.len != h->expected || !buf_ok(&h->content))
		return;
	h->stored = true;
	h->stored_object = h->object;
	store(h);
}

/** The channel or the link ended: what is not whole is no picture, but some labels keep it. */
void host_content_end(struct label_host *h)
{
	struct sim_label_view v;

	sim_label_get(h->label, &v);
	if (h->writing && v.model.personality == SIM_PERSONALITY_NRF && h->content.len > 0) {
		label_bond_drop_kept(h->bond);
		h->bond->kept = malloc(h->content.len);
		if (h->bond->kept) {
			memcpy(h->bond->kept, h->content.data, h->content.len);
			h->bond->kept_len = h->content.len;
			h->bond->kept_object = h->object;
		}
	}
	h->writing = false;
}
