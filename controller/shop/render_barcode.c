/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/shop/render_barcode.h"
#include "common/err.h"
#include "common/gtin.h"
#include <errno.h>
#include <string.h>
#include <zint.h>

static int encode(int symbology, const char *text, struct barcode *ret)
{
	struct zint_symbol *sym = ZBarcode_Create();
	int r = 0;

	if (!sym)
		return -ENOMEM;
	sym->symbology = symbology;
	if (ZBarcode_Encode(sym, (const unsigned char *) text, (int) strlen(text)) >= ZINT_ERROR ||
	    sym->rows < 1 || sym->width < 1 || sym->width > BARCODE_MAX_MODULES)
		r = -ERR_RANGE;
	for (int i = 0; r == 0 && i < sym->width; i++)
		ret->bits[i] = sym->encoded_data[0][i >> 3] >> (i & 7) & 1;
	if (r == 0)
		ret->size.bars = sym->width;
	ZBarcode_Delete(sym);
	return r;
}

int barcode_gtin(uint64_t gtin, struct barcode *ret)
{
	struct barcode b = {.kind = BARCODE_NONE};
	char digits[GTIN_STR_MAX], body[GTIN_STR_MAX];
	int r;

	if (gtin == 0) {
		*ret = b;
		return 0;
	}
	if (gtin > UINT64_C(99999999999999))
		return -ERR_RANGE;
	gtin_format(gtin, digits);
	/* zint adds the check digit itself: it gets the number without it */
	if (gtin < UINT64_C(100000000)) {
		b.kind = BARCODE_KIND_EAN8;
		b.size = (struct barcode_size){.quiet_left = 7, .quiet_right = 7};
		memcpy(b.text, digits + 6, 9);
	} else if (gtin < UINT64_C(10000000000000)) {
		b.kind = BARCODE_KIND_EAN13;
		b.size = (struct barcode_size){.quiet_left = 11, .quiet_right = 7};
		memcpy(b.text, digits + 1, 14);
	} else {
		b.kind = BARCODE_KIND_ITF14;
		b.size = (struct barcode_size){.quiet_left = 10, .quiet_right = 10};
		memcpy(b.text, digits, 15);
	}
	memcpy(body, b.text, strlen(b.text) - 1);
	body[strlen(b.text) - 1] = 0;
	r = encode(b.kind == BARCODE_KIND_ITF14 ? BARCODE_ITF14 : BARCODE_EANX, body, &b);
	if (r == 0)
		*ret = b;
	return r;
}

int barcode_code128(const char *text, struct barcode *ret)
{
	struct barcode b = {.kind = BARCODE_KIND_CODE128,
			    .size = {.quiet_left = 10, .quiet_right = 10}};
	int r = encode(BARCODE_CODE128, text, &b);

	if (r == 0)
		*ret = b;
	return r;
}

/* Start, middle and end bars of EAN symbols reach below the others. */
static bool is_guard(const struct barcode *b, int i)
{
	if (b->kind == BARCODE_KIND_EAN13)
		return i < 3 || (i >= 45 && i < 50) || i >= 92;
	if (b->kind == BARCODE_KIND_EAN8)
		return i < 3 || (i >= 31 && i < 36) || i >= 64;
	return false;
}

static void fill(struct image *im, int x, int y, int w, int h)
{
	for (int j = MAX(y, 0); j < y + h && j < im->height; j++)
		for (int i = MAX(x, 0); i < x + w && i < im->width; i++)
			image_set(im, 0, (unsigned int) i, (unsigned int) j, true);
}

void barcode_draw(const struct barcode *b, struct image *im, struct box at, int module, int text_h)
{
	int height = at.h - text_h;

	for (int i = 0; i < b->size.bars; i++) {
		if (!b->bits[i])
			continue;
		fill(im, at.x + i * module, at.y, module,
		     height + (is_guard(b, i) ? text_h / 2 : 0));
	}
	if (b->kind == BARCODE_KIND_ITF14) { /* bearer bars against short scans */
		fill(im, at.x, at.y, at.w, 2 * module);
		fill(im, at.x, at.y + height - 2 * module, at.w, 2 * module);
	}
}
