/* SPDX-License-Identifier: Apache-2.0 */
/* The folded pictures of an OpenEPaperLink access point. The first two bytes are the sides: width
 * in bytes, height in lines. What comes out has exactly the size asked for. */
#include "common/err.h"
#include "esl-radio/oepl/g5.h"
#include <errno.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct buf out = BUF_INIT;
	unsigned int width, height;
	int r;

	if (len < 2)
		return 0;
	width = data[0] * 8u;
	height = data[1];
	r = g5_unpack(data + 2, len - 2, width, height, &out);
	if (r == 0 && out.len != (size_t) width / 8 * height)
		abort();
	if (r < 0 && r != -ERR_BADMSG && r != -ERR_RANGE && r != -ENOMEM)
		abort();
	buf_done(&out);
	return 0;
}
