/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * A shelf label's picture from its facts: the same facts give the same bits, whichever thread
 * draws. Pango lays out the text with hinted fonts and no antialiasing, zint encodes the barcode,
 * whose modules are set as whole pixels; the result is the canonical picture of common/image.h. The
 * boxes come from template.h; the bars are drawn in render_barcode.c, the preview is made in
 * render_png.c.
 *
 * A struct renderer holds fonts and may be used by one thread at a time (any thread).
 */
#pragma once

#include "common/image.h"
#include "controller/promo/walltime.h"
#include "controller/shop/price_text.h"
#include "controller/shop/unit_price.h"

struct renderer;

int renderer_new(struct renderer **ret) _must_check_;
void renderer_free(struct renderer *r);
DEFINE_CLEANUP(struct renderer *, renderer_free)

#define RENDER_NAME_MAX 512

struct render_facts {
	uint16_t width, height;
	uint8_t type; /**< enum display_type */
	const char
		*label_id; /**< set: the "not linked" picture of that label, the rest is unused */
	const char *name;  /**< valid UTF-8 */
	uint64_t gtin;     /**< 0 = no barcode */
	bool has_price;
	int64_t price_minor;
	struct currency currency;
	int64_t content_micro; /**< 0 = unknown */
	enum content_unit unit;
	/* of a reduced price */
	int64_t was_minor;   /**< 0 = it is not reduced */
	int64_t prior_minor; /**< lowest of the 30 days before; 0 = there was none */
	bool has_until;
	struct walltime until; /**< on the shop's clock */
};

/** Draws. -ERR_RANGE for a panel smaller than TEMPLATE_MIN_SIDE, too large, or of an unknown type.
 */
int render_label(struct renderer *r, const struct render_facts *facts,
		 struct image *ret) _must_check_;

/** The picture as PNG, each label pixel scale x scale (1-4) pixels of white, black or its colour.
 */
int render_png(const struct image *im, unsigned int scale, struct buf *out) _must_check_;
