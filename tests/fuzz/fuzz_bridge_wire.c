/* SPDX-License-Identifier: Apache-2.0 */
/* One message of the bridge, from either side. */
#include "esl-radio/bridge_wire.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_buf_ struct buf once = BUF_INIT, twice = BUF_INIT;
	struct bridge_msg m, back;

	if (bridge_decode(data, size, &m) < 0)
		return 0;
	(void) bridge_op_name(m.op);
	assert(bridge_encode(&m, &once) == 0);
	assert(bridge_decode(once.data, once.len, &back) == 0);
	assert(bridge_encode(&back, &twice) == 0);
	assert(once.len == twice.len && memcmp(once.data, twice.data, once.len) == 0);
	return 0;
}
