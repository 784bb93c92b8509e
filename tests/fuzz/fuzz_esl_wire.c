/* SPDX-License-Identifier: Apache-2.0 */
/* A packet to labels and a label's answer, as they come out of the decryption. */
#include "esl-radio/esl_wire.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_commands(struct wire w)
{
	while (wire_left(&w)) {
		struct wire before = w;
		uint8_t out[ESL_TLV_MAX];
		struct esl_cmd c;
		int n;

		esl_cmd_decode(&w, &c);
		if (!wire_ok(&w))
			break;
		(void) esl_op_name(c.op);
		n = esl_cmd_encode(&c, out, sizeof(out));
		assert((n > 0) == esl_op_known(c.op));
		if (n > 0) {
			assert((size_t) n == w.pos - before.pos);
			assert(memcmp(out, before.base + before.pos, (size_t) n) == 0);
		}
	}
}

static void fuzz_responses(struct wire w)
{
	while (wire_left(&w)) {
		struct wire before = w;
		uint8_t out[ESL_TLV_MAX];
		struct esl_rsp r;
		int n;

		esl_rsp_decode(&w, &r);
		if (!wire_ok(&w))
			break;
		(void) esl_rsp_name(r.tag);
		(void) esl_error_sentence(r.error);
		n = esl_rsp_encode(&r, out, sizeof(out));
		if (n > 0) {
			assert((size_t) n == w.pos - before.pos);
			assert(memcmp(out, before.base + before.pos, (size_t) n) == 0);
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *payload;
	struct wire w;
	size_t len;

	if (esl_ad_find(data, size, &payload, &len) == 0) {
		wire_init(&w, payload, len);
		fuzz_responses(w);
		(void) wire_get_u8(&w);
		fuzz_commands(w);
	}
	wire_init(&w, data, size);
	fuzz_commands(w);
	fuzz_responses(w);
	return 0;
}
