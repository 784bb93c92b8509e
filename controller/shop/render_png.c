/* SPDX-License-Identifier: Apache-2.0 */
#include "common/err.h"
#include "controller/shop/render.h"
#include <cairo.h>
#include <errno.h>

#define PAPER  0xffffffu
#define INK    0x000000u
#define RED    0xc8102eu
#define YELLOW 0xf2c200u

static cairo_status_t append(void *closure, const unsigned char *data, unsigned int length)
{
	struct buf *out = closure;

	buf_put(out, data, length);
	return buf_ok(out) ? CAIRO_STATUS_SUCCESS : CAIRO_STATUS_WRITE_ERROR;
}

static uint32_t pixel(const struct image *im, unsigned int x, unsigned int y)
{
	if (im->planes > 1 && image_get(im, 1, x, y))
		return im->type == DISPLAY_YELLOW_BLACK_WHITE ? YELLOW : RED;
	return image_get(im, 0, x, y) ? INK : PAPER;
}

static void paint(const struct image *im, unsigned int scale, unsigned char *data, size_t stride)
{
	for (unsigned int y = 0; y < im->height * scale; y++) {
		uint32_t *row = (uint32_t *) (void *) (data + y * stride);

		for (unsigned int x = 0; x < im->width * scale; x++)
			row[x] = pixel(im, x / scale, y / scale);
	}
}

int render_png(const struct image *im, unsigned int scale, struct buf *out)
{
	cairo_surface_t *s;
	int r = 0;

	if (scale < 1 || scale > 4)
		return -ERR_RANGE;
	s = cairo_image_surface_create(CAIRO_FORMAT_RGB24, (int) (im->width * scale),
				       (int) (im->height * scale));
	if (cairo_surface_status(s) != CAIRO_STATUS_SUCCESS) {
		cairo_surface_destroy(s);
		return -ENOMEM;
	}
	paint(im, scale, cairo_image_surface_get_data(s),
	      (size_t) cairo_image_surface_get_stride(s));
	cairo_surface_mark_dirty(s);
	if (cairo_surface_write_to_png_stream(s, append, out) != CAIRO_STATUS_SUCCESS)
		r = buf_ok(out) ? -ENOMEM : out->err;
	cairo_surface_destroy(s);
	return r;
}
