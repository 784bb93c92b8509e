/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/shop/render.h"
#include "common/err.h"
#include "controller/shop/render_barcode.h"
#include "controller/shop/render_canvas.h"
#include "controller/shop/render_price.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

struct renderer {
	PangoFontMap *fonts;
	PangoContext *context;
};

int renderer_new(struct renderer **ret)
{
	struct renderer *r = calloc(1, sizeof *r);
	cairo_font_options_t *o;

	if (!r)
		return -ENOMEM;
	r->fonts = pango_cairo_font_map_new_for_font_type(CAIRO_FONT_TYPE_FT);
	if (!r->fonts) {
		free(r);
		return -ENOMEM;
	}
	pango_cairo_font_map_set_resolution(PANGO_CAIRO_FONT_MAP(r->fonts), 72);
	r->context = pango_font_map_create_context(r->fonts);
	o = cairo_font_options_create();
	cairo_font_options_set_antialias(o, CAIRO_ANTIALIAS_NONE);
	cairo_font_options_set_hint_style(o, CAIRO_HINT_STYLE_FULL);
	cairo_font_options_set_hint_metrics(o, CAIRO_HINT_METRICS_ON);
	pango_cairo_context_set_font_options(r->context, o);
	cairo_font_options_destroy(o);
	*ret = r;
	return 0;
}

void renderer_free(struct renderer *r)
{
	if (!r)
		return;
	g_object_unref(r->context);
	g_object_unref(r->fonts);
	free(r);
}

static void draw_name(struct canvas *c, const char *name, struct box at)
{
	static const int percent[] = {58, 50, 44, 40, 36, 31}; /* of the box, one line or two */
	int px = 8;

	for (size_t i = 0; i < ARRAY_SIZE(percent); i++) {
		px = MAX(at.h * percent[i] / 100, 9);
		if (canvas_paragraph(c, FONT_NAME, px, name, at.w) &&
		    canvas_text_height(c) <= at.h + px / 6)
			break;
	}
	canvas_draw(c, 0, at.x, at.y + (at.h - canvas_text_height(c)) / 2 - px / 16);
}

/* Content as shops print it: the currency's decimal mark, the unit after it. */
static void content_text(const struct render_facts *f, char *buf, size_t len)
{
	char number[CONTENT_TEXT_MAX], *point;

	content_format(f->content_micro, number);
	point = strchr(number, '.');
	if (point)
		*point = f->currency.separator;
	snprintf(buf, len, "%s %s", number, content_unit_text(f->unit));
}

static void draw_line(struct canvas *c, const char *font, int px, const char *text, struct box at,
		      bool right)
{
	struct box ink = {0};

	for (; px >= 8; px--) {
		canvas_text(c, font, px, text);
		ink = canvas_ink(c);
		if (ink.w <= at.w)
			break;
	}
	canvas_draw(c, 0, (right ? at.x + at.w - ink.w : at.x) - ink.x, at.y);
}

static void draw_content(struct canvas *c, const struct render_facts *f, struct box at, bool right)
{
	char line[96], price[PRICE_TEXT_MAX];
	struct unit_price up;
	bool has_unit_price;
	int px, rows;

	if (f->content_micro <= 0 || f->unit == CONTENT_NONE || at.h < 8)
		return;
	has_unit_price = f->has_price &&
			 unit_price(f->price_minor, f->content_micro, f->unit, &up) &&
			 !(f->unit == CONTENT_PC && f->content_micro == CONTENT_MICRO);
	rows = at.h >= 22 ? 2 : 1;
	px = MIN(at.h * 10 / (12 * rows), MAX(12, f->height * 13 / 100));
	px = MIN(px, MAX(12, f->width / 18));
	if (rows == 2 || !has_unit_price) {
		content_text(f, line, sizeof line);
		draw_line(c, FONT_TEXT, px, line, at, right);
		at.y += px * 12 / 10;
	}
	if (!has_unit_price)
		return;
	snprintf(line, sizeof line, "%s = %s", up.per,
		 price_sentence(up.minor, &f->currency, price));
	draw_line(c, rows == 2 ? FONT_NAME : FONT_TEXT, px, line, at, right);
}

/* Each digit under its own seven modules, as the symbol's printed form has it. */
static void draw_digits(struct canvas *c, const struct barcode *b, struct box bars, int module,
			int text_h)
{
	bool ean13 = b->kind == BARCODE_KIND_EAN13, ean8 = b->kind == BARCODE_KIND_EAN8;
	int px = text_h * 10 / 8, n = (int) strlen(b->text), y = bars.y + bars.h - text_h + 1;

	for (int i = 0; i < n; i++) {
		char digit[2] = {b->text[i], 0};
		int centre = module * (2 * i + 1) * b->size.bars / (2 * n * module);
		struct box ink;

		if (ean13)
			centre = i == 0 ? -6 : i <= 6 ? 3 + 7 * i - 4 : 50 + 7 * (i - 7) + 3;
		else if (ean8)
			centre = i < 4 ? 3 + 7 * i + 3 : 36 + 7 * (i - 4) + 3;
		canvas_text(c, FONT_TEXT, px, digit);
		ink = canvas_ink(c);
		canvas_draw_ink(c, 0, bars.x + centre * module + module / 2 - ink.w / 2, y);
	}
}

static int draw_product(struct canvas *c, const struct render_facts *f, struct render_accent accent,
			struct barcode *code, struct template_layout *t, int *ret_text_h)
{
	bool reduced = f->has_price && f->was_minor > f->price_minor;
	int r = barcode_gtin(f->gtin, code);

	if (r == -ERR_RANGE) /* a number that no symbol can carry: better a label without bars */
		*code = (struct barcode){.kind = BARCODE_NONE};
	else if (r < 0)
		return r;
	template_layout(f->width, f->height, code->size, t);
	if (reduced)
		template_make_room(t);
	draw_name(c, f->name ? f->name : "", t->name);
	canvas_fill(c, 0, t->rule);
	draw_content(c, f, t->content, t->content_right);
	if (reduced)
		price_draw_reduced(c, f, t->price, accent);
	else
		price_draw(c, f, t->price, accent);
	*ret_text_h = MAX(7, MIN(9 * t->module, t->bars.h / 3));
	if (t->bars.w)
		draw_digits(c, code, t->bars, t->module, *ret_text_h);
	return 0;
}

/* For whoever installs labels: which one is this? Its id to read and to scan. */
static int draw_unlinked(struct canvas *c, const struct render_facts *f, struct barcode *code,
			 struct template_layout *t)
{
	int margin = MAX(4, f->height / 20), px = f->width * 14 / 100, module, r;
	char id[24];
	struct box ink;

	r = barcode_code128(f->label_id, code);
	if (r < 0)
		return r;
	snprintf(id, sizeof id, "%.4s %.4s %.4s", f->label_id,
		 strlen(f->label_id) > 4 ? f->label_id + 4 : "",
		 strlen(f->label_id) > 8 ? f->label_id + 8 : "");
	for (ink.w = f->width; px > 8; px--) {
		canvas_text(c, FONT_ID, px, id);
		ink = canvas_ink(c);
		if (ink.w <= f->width - 2 * margin)
			break;
	}
	canvas_draw_ink(c, 0, (f->width - ink.w) / 2, f->height * 30 / 100);
	canvas_text(c, FONT_TEXT, MAX(10, f->height * 12 / 100), "Not linked");
	ink = canvas_ink(c);
	canvas_draw_ink(c, 0, (f->width - ink.w) / 2, f->height * 9 / 100);
	module = f->width / (code->size.bars + code->size.quiet_left + code->size.quiet_right);
	module = MIN(module, 3);
	t->module = module;
	t->bars = (struct box){(f->width - code->size.bars * module) / 2, f->height * 62 / 100,
			       code->size.bars * module, f->height * 28 / 100};
	if (module < 1)
		t->bars.w = 0;
	return 0;
}

int render_label(struct renderer *r, const struct render_facts *f, struct image *ret)
{
	struct render_accent accent = {.plane = image_planes(f->type) > 1 ? 1 : 0,
				       .behind = f->type == DISPLAY_YELLOW_BLACK_WHITE};
	struct template_layout t = {.module = 0};
	struct barcode code = {.kind = BARCODE_NONE};
	struct canvas c;
	int text_h = 0, err;

	if (f->width < TEMPLATE_MIN_SIDE || f->height < TEMPLATE_MIN_SIDE ||
	    f->width > IMAGE_MAX_SIDE || f->height > IMAGE_MAX_SIDE || image_planes(f->type) == 0)
		return -ERR_RANGE;
	err = canvas_init(&c, r->context, f->width, f->height, f->type);
	if (err < 0)
		return err;
	if (f->label_id)
		err = draw_unlinked(&c, f, &code, &t);
	else
		err = draw_product(&c, f, accent, &code, &t, &text_h);
	if (err == 0)
		err = canvas_image(&c, ret);
	canvas_done(&c);
	if (err == 0 && t.bars.w)
		barcode_draw(&code, ret, t.bars, t.module, text_h);
	return err;
}
