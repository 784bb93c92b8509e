/* SPDX-License-Identifier: Apache-2.0 */
/** @file libjpeg, and the only door to it in the label room: 24 bits a pixel, rows top to bottom.
 */
#pragma once

#include "common/buf.h"

/** Baseline, every colour at full resolution. */
int jpeg_pack(const uint8_t *rgb, unsigned int width, unsigned int height, int quality,
	      struct buf *out) _must_check_;
/** The pixels, to be freed. -ERR_BADMSG for what is no JPEG, -ERR_TOO_LARGE beyond
 * IMAGE_MAX_SIDE. */
int jpeg_unpack(const void *data, size_t len, uint8_t **ret_rgb, unsigned int *ret_width,
		unsigned int *ret_height) _must_check_;
