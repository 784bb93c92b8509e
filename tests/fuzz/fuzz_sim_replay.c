/* SPDX-License-Identifier: Apache-2.0 */
/* Recorded traces: any bytes are read or refused, and what is read is in order of time. */
#include "sim/replay.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct replay r;

	if (replay_parse((const char *) data, size, NULL, NULL, &r) < 0)
		return 0;
	for (size_t i = 1; i < r.n; i++) {
		if (r.rows[i - 1].at_us > r.rows[i].at_us || r.rows[i].antenna > r.max_antenna)
			abort();
	}
	replay_done(&r);
	return 0;
}
