/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * What the simulated labels' panels make of the bytes of an image object. Each personality has a
 * format of its own, as makers do, written down here from the panel's side and shared with nobody:
 *
 *     SL    the panel stands on end: its rows are the picture's columns from the bottom up. One bit
 *           a pixel, highest first, rows of whole bytes, 0 = ink; the black plane, then the
 *           colour's.
 *     NRF   "GC", the length (32 bits, little-endian), then as a zlib stream whose window is 1 KiB
 *           at most: the colour's plane, the black one; columns from the left, each from the top,
 *           lowest bit first, columns of whole 16 bits, 1 = ink. Two planes whatever the panel.
 */
#pragma once

#include "sim/label.h"

/** UUID of SL's object type, most significant byte first. */
extern const uint8_t sim_object_type[16];
/** NRF's Model Number String. */
#define SIM_MODEL_NUMBER "SIM-COLUMNS-1"

/** -ERR_BADMSG for anything else than a whole picture of this panel. */
int sim_pixels_decode(const struct sim_label_model *m, const uint8_t *data, size_t len,
		      struct image *ret) _must_check_;
