/* SPDX-License-Identifier: Apache-2.0 */
/* A picture has exactly one serial form. */
#include "common/image.h"
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_buf_ struct buf again = BUF_INIT;
	struct image im;

	if (image_decode(data, size, &im) < 0)
		return 0;
	image_encode(&im, &again);
	if (again.len != size || memcmp(again.data, data, size) != 0)
		abort();
	image_done(&im);
	return 0;
}
