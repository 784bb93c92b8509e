/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/shop/template.h"

static int clamp(int v, int low, int high)
{
	return v < low ? low : v > high ? high : v;
}

/* Whole pixels per module so that the symbol with its quiet zones fits into `room`; 0 = it cannot.
 */
static int module_for(struct barcode_size code, int room)
{
	int all = code.quiet_left + code.bars + code.quiet_right;

	return code.bars ? clamp(room / all, 0, 6) : 0;
}

/* The quiet zones may reach into the margin, but not beyond the panel. */
static void place_bars(struct template_layout *t, struct barcode_size code, int left, int top,
		       int height)
{
	t->bars = (struct box){left + code.quiet_left * t->module, top, code.bars * t->module,
			       height};
}

static void layout_wide(int w, int h, int margin, struct barcode_size code,
			struct template_layout *t)
{
	int gap = MAX(2, h / 32), top, left_w, bars_h;

	t->name = (struct box){margin, margin, w - 2 * margin, h * 31 / 100};
	t->rule =
		(struct box){margin, t->name.y + t->name.h + gap, w - 2 * margin, MAX(1, h / 128)};
	top = t->rule.y + t->rule.h + gap;
	t->module = module_for(code, w * 46 / 100);
	if (!t->module)
		t->module = module_for(code, w * 56 / 100);
	left_w = (code.quiet_left + code.bars + code.quiet_right) * t->module;
	left_w = clamp(left_w, w * 36 / 100, w * 56 / 100);
	bars_h = clamp(h * 32 / 100, 24, 110);
	if (t->module)
		place_bars(t, code, MAX(0, margin - 4), h - MAX(2, margin - 2) - bars_h, bars_h);
	t->content = (struct box){margin, top, left_w - margin,
				  (t->module ? t->bars.y - gap : h - margin) - top};
	t->price = (struct box){left_w + margin, top, w - left_w - 2 * margin, h - margin - top};
}

static void layout_tall(int w, int h, int margin, struct barcode_size code,
			struct template_layout *t)
{
	int gap = MAX(3, h / 48), foot, bars_h, side;

	t->name = (struct box){margin, margin, w - 2 * margin, h * 25 / 100};
	t->rule =
		(struct box){margin, t->name.y + t->name.h + gap, w - 2 * margin, MAX(1, h / 150)};
	t->module = module_for(code, w * 62 / 100);
	if (!t->module)
		t->module = module_for(code, w);
	bars_h = t->module ? clamp(h * 21 / 100, 24, 120) : 0;
	foot = h - margin - bars_h;
	if (t->module)
		place_bars(t, code, MAX(0, margin - 4), foot, bars_h);
	side = t->module ? t->bars.x + t->bars.w + code.quiet_right * t->module : margin;
	if (w - margin - side >= w * 30 / 100) { /* room beside the barcode */
		t->content = (struct box){side, foot, w - margin - side, bars_h};
		if (!t->module)
			t->content =
				(struct box){margin, h - margin - h / 8, w - 2 * margin, h / 8};
		foot = t->content.y;
	} else {
		int line = clamp(h * 11 / 100, 12, 40);

		t->content = (struct box){margin, foot - gap - line, w - 2 * margin, line};
		foot = t->content.y;
	}
	t->content_right = true;
	t->price = (struct box){margin, t->rule.y + t->rule.h + gap, w - 2 * margin, 0};
	t->price.h = foot - 2 * gap - t->price.y;
}

void template_layout(int width, int height, struct barcode_size code, struct template_layout *ret)
{
	int margin = clamp(MIN(width, height) / 24, 3, 16);

	*ret = (struct template_layout){.module = 0};
	if (width * 10 >= height * 17)
		layout_wide(width, height, margin, code, ret);
	else
		layout_tall(width, height, margin, code, ret);
}

#define ROOM_ENOUGH 64 /* pixels of height that a price and its two lines need */

/* The foot without bars: content slides down, the price grows. */
static void drop_bars(struct template_layout *t)
{
	int y = t->bars.y + t->bars.h - t->content.h;

	if (t->content.y >= t->bars.y) { /* it stands beside them */
		t->content.x = t->price.x;
		t->content.w = t->price.w;
		t->content.h = MIN(t->content.h, 14);
		y = t->bars.y + t->bars.h - t->content.h;
	}
	t->price.h += y - t->content.y;
	t->content.y = y;
	t->bars.w = 0;
}

void template_make_room(struct template_layout *t)
{
	int gain = t->name.h / 4;

	t->name.h -= gain;
	t->rule.y -= gain;
	t->price.y -= gain;
	t->price.h += gain;
	if (!t->content_right) { /* beside the price */
		t->content.y -= gain;
		t->content.h += gain;
	} else if (t->price.h < ROOM_ENOUGH && t->bars.w) {
		drop_bars(t);
	}
}
