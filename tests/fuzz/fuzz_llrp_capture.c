/* SPDX-License-Identifier: Apache-2.0 */
/* A capture or a file of frames from anywhere goes through gondola-llrp: streams put together,
 * messages decoded and printed. */
#include "rfid/tool/tool.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

void tool_error(const char *fmt, ...)
{
	(void) fmt;
}

static int print_one(void *user, const struct tool_frame *f)
{
	_cleanup_(llrp_msg_freep) struct llrp_msg *m = NULL;

	if (llrp_msg_decode(f->data, f->len, &m, NULL) == 0)
		tool_print_frame(user, f, m);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static FILE *nowhere;

	if (!nowhere)
		nowhere = fopen("/dev/null", "we");
	if (!nowhere)
		abort();
	if (tool_is_capture(data, size))
		ignore_result(tool_each_captured("input", data, size, RFID_DEFAULT_PORT, print_one,
						 nowhere));
	else
		ignore_result(tool_each_frame("input", data, size, print_one, nowhere));
	return 0;
}
