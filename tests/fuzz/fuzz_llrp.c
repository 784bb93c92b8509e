/* SPDX-License-Identifier: Apache-2.0 */
/** @file Any bytes as an LLRP message: what decodes must encode, and then stay as it is. */
#include "rfid/llrp_codec.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
	if (!ok)
		abort();
}

/** Touches every value, so that a sanitizer sees a bad pointer. */
static uint64_t walk(const struct llrp_elem *e)
{
	uint64_t sum = e->raw_len ? e->raw[e->raw_len - 1] : 0;

	for (size_t i = 0; e->type && i < e->type->n_fields; i++) {
		const struct llrp_field *f = &e->type->fields[i];
		size_t len;
		const uint8_t *p;

		sum += e->values[i].num;
		if (!f->name || f->kind < LLRP_U96)
			continue;
		p = llrp_get_bytes(e, f->name, &len);
		sum += p ? p[0] : 0;
		sum += len ? llrp_get_at(e, f->name, len - 1) : 0;
	}
	for (const struct llrp_elem *c = e->first; c; c = c->next) {
		must(c->parent == e);
		sum += walk(c);
	}
	return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(llrp_msg_freep) struct llrp_msg *m = NULL, *again = NULL;
	_cleanup_buf_ struct buf first = BUF_INIT, second = BUF_INIT;
	struct llrp_diag diag;
	char text[32];

	if (llrp_msg_decode(data, size, &m, &diag) < 0) {
		must(!m && diag.at <= size);
		return 0;
	}
	(void) walk(llrp_root(m));
	(void) llrp_msg_status(m, text, sizeof(text));
	(void) !llrp_msg_validate(m, &diag);
	/* Reserved bits are cleared and parameters put in order; nothing else may change. */
	must(llrp_msg_encode(m, &first) == 0);
	must(first.len == size);
	must(llrp_msg_decode(first.data, first.len, &again, NULL) == 0);
	must(llrp_msg_encode(again, &second) == 0);
	must(second.len == first.len && memcmp(first.data, second.data, first.len) == 0);
	return 0;
}
