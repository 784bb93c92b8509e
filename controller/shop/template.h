/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Where the parts of a shelf label go, for any panel from 152 to 800 pixels wide: pure arithmetic
 * on boxes, no drawing. Two arrangements: wide panels (2.9 inch and alike) have the price beside
 * the unit price and the barcode; the others stack name, price and a foot with both.
 *
 * The layout has a version. A change that alters pictures raises it, and every label is rendered
 * anew at the next start; only those whose picture really differs are sent.
 */
#pragma once

#include "common/util.h"
#include <stdbool.h>

#define TEMPLATE_VERSION  1
#define TEMPLATE_MIN_SIDE 64

struct box {
	int x, y, w, h;
};

/** A one-dimensional symbol's width in modules, quiet zones apart. 0 bars = no barcode. */
struct barcode_size {
	int bars, quiet_left, quiet_right;
};

struct template_layout {
	struct box name;
	struct box price;
	struct box content; /**< content and unit price */
	struct box bars;    /**< the bars with their digits, quiet zones outside; w = 0: no room */
	struct box rule;    /**< thin line between name and price */
	int module;         /**< width of one barcode module, whole pixels */
	bool content_right; /**< set the content flush right */
};

void template_layout(int width, int height, struct barcode_size code, struct template_layout *ret);
/** A reduced price says more: gives it a part of the name's room and, on the smallest panels, that
 * of the bars. */
void template_make_room(struct template_layout *t);
