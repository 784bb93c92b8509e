/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * GTINs as bars: EAN-8 for numbers of up to 8 digits, EAN-13 (UPC-A is one with a leading zero) up
 * to 13, ITF-14 for trade units. Encoding is zint's; drawing sets whole pixels on the black plane.
 */
#pragma once

#include "common/image.h"
#include "controller/shop/template.h"

enum barcode_kind {
	BARCODE_NONE,
	BARCODE_KIND_EAN8,
	BARCODE_KIND_EAN13,
	BARCODE_KIND_ITF14,
	BARCODE_KIND_CODE128
};

#define BARCODE_MAX_MODULES 256

struct barcode {
	enum barcode_kind kind;
	struct barcode_size size;
	char text[16];                     /**< digits as printed under the bars */
	uint8_t bits[BARCODE_MAX_MODULES]; /**< 1 = bar */
};

/** -ERR_RANGE if there is no such symbol. gtin 0 gives kind BARCODE_NONE. */
int barcode_gtin(uint64_t gtin, struct barcode *ret) _must_check_;
/** Code 128 of a short text, for a label's own id. */
int barcode_code128(const char *text, struct barcode *ret) _must_check_;

/**
 * Draws the bars into `at` with the given module width; the lowest `text_h` pixels are left for the
 * digits, into which the guard bars of EAN symbols reach half way.
 */
void barcode_draw(const struct barcode *b, struct image *im, struct box at, int module, int text_h);
