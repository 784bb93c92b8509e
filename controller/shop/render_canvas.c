/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/shop/render_canvas.h"
#include "common/err.h"
#include <errno.h>

int canvas_init(struct canvas *c, PangoContext *context, int width, int height, uint8_t type)
{
	*c = (struct canvas){.context = context, .width = width, .height = height, .type = type};
	for (unsigned int i = 0; i < image_planes(type); i++) {
		c->surface[i] = cairo_image_surface_create(CAIRO_FORMAT_A8, width, height);
		c->cr[i] = cairo_create(c->surface[i]);
		if (cairo_status(c->cr[i]) != CAIRO_STATUS_SUCCESS) {
			canvas_done(c);
			return -ENOMEM;
		}
		cairo_set_antialias(c->cr[i], CAIRO_ANTIALIAS_NONE);
		cairo_set_source_rgba(c->cr[i], 0, 0, 0, 1);
	}
	c->layout = pango_layout_new(context);
	return 0;
}

void canvas_done(struct canvas *c)
{
	for (unsigned int i = 0; i < 2; i++) {
		if (c->cr[i])
			cairo_destroy(c->cr[i]);
		if (c->surface[i])
			cairo_surface_destroy(c->surface[i]);
	}
	g_clear_object(&c->layout);
	*c = (struct canvas){.width = 0};
}

static void set_font(struct canvas *c, const char *font, int px)
{
	PangoFontDescription *d = pango_font_description_from_string(font);

	pango_font_description_set_absolute_size(d, (double) px * PANGO_SCALE);
	pango_layout_set_font_description(c->layout, d);
	pango_font_description_free(d);
}

void canvas_text(struct canvas *c, const char *font, int px, const char *text)
{
	set_font(c, font, px);
	pango_layout_set_width(c->layout, -1);
	pango_layout_set_height(c->layout, -1);
	pango_layout_set_ellipsize(c->layout, PANGO_ELLIPSIZE_NONE);
	pango_layout_set_single_paragraph_mode(c->layout, TRUE);
	pango_layout_set_text(c->layout, text, -1);
}

bool canvas_paragraph(struct canvas *c, const char *font, int px, const char *text, int width)
{
	set_font(c, font, px);
	pango_layout_set_width(c->layout, width * PANGO_SCALE);
	pango_layout_set_height(c->layout, -2); /* lines */
	pango_layout_set_wrap(c->layout, PANGO_WRAP_WORD_CHAR);
	pango_layout_set_ellipsize(c->layout, PANGO_ELLIPSIZE_END);
	pango_layout_set_single_paragraph_mode(c->layout, TRUE);
	pango_layout_set_spacing(c->layout, -px * PANGO_SCALE / 12);
	pango_layout_set_text(c->layout, text, -1);
	return !pango_layout_is_ellipsized(c->layout);
}

struct box canvas_ink(struct canvas *c)
{
	PangoRectangle ink, logical;

	pango_layout_get_pixel_extents(c->layout, &ink, &logical);
	return (struct box){ink.x, ink.y, ink.width, ink.height};
}

int canvas_text_height(struct canvas *c)
{
	int w, h;

	pango_layout_get_pixel_size(c->layout, &w, &h);
	return h;
}

void canvas_draw(struct canvas *c, unsigned int plane, int x, int y)
{
	cairo_move_to(c->cr[plane], x, y);
	pango_cairo_show_layout(c->cr[plane], c->layout);
}

void canvas_draw_ink(struct canvas *c, unsigned int plane, int x, int y)
{
	struct box ink = canvas_ink(c);

	canvas_draw(c, plane, x - ink.x, y - ink.y);
}

void canvas_cut_ink(struct canvas *c, unsigned int plane, int x, int y)
{
	cairo_set_operator(c->cr[plane], CAIRO_OPERATOR_DEST_OUT);
	canvas_draw_ink(c, plane, x, y);
	cairo_set_operator(c->cr[plane], CAIRO_OPERATOR_OVER);
}

static void paint_box(struct canvas *c, unsigned int plane, struct box b, cairo_operator_t op)
{
	cairo_set_operator(c->cr[plane], op);
	cairo_rectangle(c->cr[plane], b.x, b.y, b.w, b.h);
	cairo_fill(c->cr[plane]);
	cairo_set_operator(c->cr[plane], CAIRO_OPERATOR_OVER);
}

void canvas_fill(struct canvas *c, unsigned int plane, struct box b)
{
	paint_box(c, plane, b, CAIRO_OPERATOR_OVER);
}

void canvas_clear(struct canvas *c, struct box b)
{
	for (unsigned int i = 0; i < image_planes(c->type); i++)
		paint_box(c, i, b, CAIRO_OPERATOR_CLEAR);
}

/* One row of coverage bytes to bits, most significant bit leftmost. */
static void pack_row(const unsigned char *from, int width, uint8_t *to)
{
	for (int x = 0; x < width; x += 8) {
		unsigned int bits = 0;

		for (int i = 0; i < 8; i++)
			bits = bits << 1 | (x + i < width && from[x + i] >= 128);
		*to++ = (uint8_t) bits;
	}
}

int canvas_image(struct canvas *c, struct image *ret)
{
	size_t stride, plane;
	int r = image_init(ret, (uint16_t) c->width, (uint16_t) c->height, c->type);

	if (r < 0)
		return r;
	stride = image_stride(ret);
	plane = stride * ret->height;
	for (unsigned int p = 0; p < ret->planes; p++) {
		const unsigned char *data;

		cairo_surface_flush(c->surface[p]);
		data = cairo_image_surface_get_data(c->surface[p]);
		for (int y = 0; y < c->height; y++)
			pack_row(data + y * cairo_image_surface_get_stride(c->surface[p]), c->width,
				 ret->data + p * plane + (size_t) y * stride);
	}
	for (size_t i = 0; ret->planes > 1 && i < plane; i++)
		ret->data[plane + i] &= (uint8_t) ~ret->data[i];
	return 0;
}
