/* SPDX-License-Identifier: Apache-2.0 */
/* The object transfer server of a label: image N is object 0x100 + N; write and truncate only. */
#include "common/err.h"
#include "sim/label_host_impl.h"

static void answer(struct label_host *h, enum host_value value, uint8_t op, uint8_t request,
		   uint8_t result)
{
	uint8_t out[OTS_CONTROL_MAX];
	int n = ots_encode(&(struct ots_control){.op = op, .request = request, .result = result},
			   out);

	if (n > 0)
		host_tell(h, value, out, (size_t) n);
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

void host_oacp(struct label_host *h, const uint8_t *data, size_t len)
{
	struct sim_label_view v;
	struct ots_control c;
	uint8_t result = OTS_NOT_SUPPORTED;
	int r = ots_decode(data, len, &c);

	sim_label_get(h->label, &v);
	if (r == 0 && c.op == OACP_ABORT) {
		h->writing = false;
		result = OTS_SUCCESS;
	} else if (r == 0 && c.op == OACP_WRITE) {
		if (!h->chosen)
			result = OACP_INVALID_OBJECT;
		else if (!h->channel.open)
			result = OACP_NO_CHANNEL;
		else if (c.offset != 0 || c.length == 0 || c.length > HOST_OBJECT_MAX)
			result = OTS_INVALID_PARAMETER;
		else if (c.mode != OACP_TRUNCATE && v.model.personality == SIM_PERSONALITY_SL)
			result = OTS_INVALID_PARAMETER;
		else if (c.mode != 0 && v.model.personality == SIM_PERSONALITY_NRF)
			result = OTS_INVALID_PARAMETER;
		else
			result = OTS_SUCCESS;
		h->writing = result == OTS_SUCCESS;
		h->expected = c.length;
		buf_clear(&h->content);
	}
	answer(h, VALUE_OACP, OACP_RESPONSE, c.op, result);
}

void host_content(struct label_host *h, const uint8_t *data, size_t len)
{
	if (!h->writing)
		return;
	buf_put(&h->content, data, len);
	if (h->content.len < h->expected)
		return;
	h->writing = false;
	if (h->content.len == h->expected && buf_ok(&h->content))
		ignore_result(sim_label_write_image(h->label, h->object, h->content.data,
						    h->content.len, h->now_us));
}

void host_content_end(struct label_host *h)
{
	h->writing = false; /* what is not whole is no picture */
	buf_clear(&h->content);
}
