/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The "G5" compression that access points use for labels with newer firmware: two-dimensional as in
 * ITU-T T.6, each line told by how its changes lie to those of the line above, but with runs as
 * plain numbers where T.6 has tables. The first run of a line is of bits that are set.
 */
#pragma once

#include "common/buf.h"

#define G5_SIDE_MAX 8192

/** All lines of a bitmap of that size, each of width / 8 bytes; width is a multiple of 8.
 * -ERR_BADMSG for what does not end well. */
int g5_unpack(const uint8_t *data, size_t len, unsigned int width, unsigned int height,
	      struct buf *out) _must_check_;
