/* SPDX-License-Identifier: Apache-2.0 */
/* A capture from anywhere goes through gondola-esl's decoder, with the published sample key. */
#include "common/hex.h"
#include "esl-radio/tool/tool.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

void tool_error(const char *fmt, ...)
{
	(void) fmt;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static FILE *nowhere;
	struct tool_label_key label = {.group = 0, .esl_id = 1};
	struct tool_keys keys = {.has_train = true, .labels = &label, .n_labels = 1};
	struct tool_train *t = calloc(1, sizeof(*t));

	if (!nowhere)
		nowhere = fopen("/dev/null", "we");
	if (!t || !nowhere)
		abort();
	if (tool_key_parse("196a0ad12a61201e136e2ed112daa957"
			   "9e7a00efb17ae746",
			   &keys.train) < 0)
		abort();
	label.key = keys.train;
	t->out = nowhere;
	t->keys = &keys;
	ignore_result(tool_each_record("input", data, size, tool_decode_record, t));
	free(t);
	return 0;
}
