/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/shop/render_price.h"
#include <stdio.h>
#include <string.h>

/* The price, part by part: sizes in percent of the big digits. */
#define MINOR_PERCENT 52
#define SIGN_PERCENT  40

struct price_set {
	struct price_parts parts;
	const char *sign;
	char separator[2];
	bool sign_first;
	struct box major, sep, minor, sgn; /* ink; x and y from the set's own corner */
	int w, h;
	int below; /* how far the separator hangs below the digits */
};

static struct box measure(struct canvas *c, int px, const char *text)
{
	if (!*text)
		return (struct box){0};
	canvas_text(c, FONT_DIGITS, px, text);
	return canvas_ink(c);
}

static int percent_of(int px, int percent)
{
	return MAX(px * percent / 100, 8);
}

static void set_price(struct canvas *c, struct price_set *s, int px)
{
	int gap = MAX(px / 14, 1), x = 0, pair;

	s->major = measure(c, px, s->parts.major);
	s->sep = measure(c, px, s->separator);
	s->minor = measure(c, percent_of(px, MINOR_PERCENT), s->parts.minor);
	s->sgn = measure(c, percent_of(px, SIGN_PERCENT), s->sign);
	s->h = s->major.h;
	if (s->sign_first) {
		s->sgn.x = 0;
		s->sgn.y = 0;
		x = s->sgn.w + gap;
	}
	s->major.x = x;
	s->sep.y -= s->major.y; /* the comma hangs below the line */
	s->major.y = 0;
	s->below = MAX(0, s->sep.y + s->sep.h - s->h);
	x += s->major.w;
	if (s->sep.w) {
		s->sep.x = x + gap;
		x += gap + s->sep.w;
	}
	pair = s->minor.w;
	s->minor.x = x + gap;
	s->minor.y = 0;
	if (!s->sign_first) { /* under the small digits, or beside the big ones */
		s->sgn.x = x + gap + (s->minor.w ? MAX(0, s->minor.w - s->sgn.w) / 2 : 0);
		s->sgn.y = s->h - s->sgn.h;
		pair = MAX(pair, s->sgn.w);
	}
	s->w = x + (pair ? gap + pair : 0);
}

/* What digits are drawn with: on a plane, or cut out of what fills it. */
struct pen {
	unsigned int plane;
	bool cut;
};

static void draw_part(struct canvas *c, struct pen pen, int px, const char *text, struct box b,
		      int x, int y)
{
	if (!*text)
		return;
	canvas_text(c, FONT_DIGITS, px, text);
	if (pen.cut)
		canvas_cut_ink(c, pen.plane, x + b.x, y + b.y);
	else
		canvas_draw_ink(c, pen.plane, x + b.x, y + b.y);
}

/* Chooses the size at which the price fits, `px` at most. Returns the pixels of its big digits. */
static int fit_price(struct canvas *c, struct price_set *s, const struct render_facts *f,
		     struct box at, int px)
{
	int h;

	s->sign = currency_sign(&f->currency);
	s->sign_first = f->currency.sign_first;
	if (!f->has_price) {
		memcpy(s->parts.major, "–", sizeof "–");
		s->sign = "";
	} else {
		price_split(f->price_minor, &f->currency, &s->parts);
		s->separator[0] = s->parts.minor[0] ? f->currency.separator : 0;
	}
	for (int i = 0; i < 12; i++) {
		set_price(c, s, px);
		h = s->h + s->below;
		if (s->w <= at.w && h <= at.h)
			break;
		px = MIN(px - 1, MIN(px * at.w / MAX(s->w, 1), px * at.h / MAX(h, 1)));
		px = MAX(px, 8);
	}
	return px;
}

static void draw_set(struct canvas *c, const struct price_set *s, struct pen pen, int px, int x,
		     int y)
{
	draw_part(c, pen, px, s->parts.major, s->major, x, y);
	draw_part(c, pen, px, s->separator, s->sep, x, y);
	draw_part(c, pen, percent_of(px, MINOR_PERCENT), s->parts.minor, s->minor, x, y);
	draw_part(c, pen, percent_of(px, SIGN_PERCENT), s->sign, s->sgn, x, y);
}

void price_draw(struct canvas *c, const struct render_facts *f, struct box at,
		struct render_accent accent)
{
	struct price_set s = {.w = 0};
	struct pen pen = {.plane = accent.behind ? 0 : accent.plane};
	int inset = accent.behind ? 5 : 0, px = at.h * 130 / 100, x, y;

	at = (struct box){at.x + inset, at.y + inset, at.w - 2 * inset, at.h - 2 * inset};
	px = fit_price(c, &s, f, at, px);
	x = at.x + at.w - s.w;
	y = at.y + (at.h - s.h - s.below) / 2;
	if (accent.behind)
		canvas_fill(c, accent.plane,
			    (struct box){x - 5, y - 5, s.w + 10, s.h + s.below + 10});
	draw_set(c, &s, pen, px, x, y);
}

/* --- a reduced price --------------------------------------------------------------------------
 */

#define LINE_MIN 6 /* pixels of a font: better hardly read than not there */

/* The first of some texts, longest first, that fits into a width at about its size: shorter words
 * are easier to read than smaller ones. The last one is made to fit. */
static struct box fit_text(struct canvas *c, const char *font, int px, const char *const *texts,
			   size_t n, int width, int *ret_px)
{
	struct box ink = {0};

	for (size_t i = 0; i < n; i++) {
		int least = i + 1 < n ? px - px / 14 : LINE_MIN;

		for (int size = px; size >= least; size--) {
			canvas_text(c, font, size, texts[i]);
			ink = canvas_ink(c);
			*ret_px = size;
			if (ink.w <= width)
				return ink;
		}
	}
	return ink;
}

/* The regular price, struck through; the word beside it is not, or nobody could read it. Returns
 * how wide it is. */
static int draw_was(struct canvas *c, const struct render_facts *f, struct box at, int px)
{
	char price[PRICE_TEXT_MAX], word[PRICE_TEXT_MAX + 8];
	const char *texts[2] = {word, price};
	int thick = at.h >= 24 ? 3 : at.h >= 16 ? 2 : 1, y, size;
	struct box ink, digits;

	price_sentence(f->was_minor, &f->currency, price);
	snprintf(word, sizeof word, "was %s", price);
	ink = fit_text(c, FONT_TEXT, px, texts, 2, at.w, &size);
	y = at.y + (at.h - ink.h) / 2;
	canvas_draw_ink(c, 0, at.x, y);
	canvas_text(c, FONT_TEXT, size, price);
	digits = canvas_ink(c);
	canvas_fill(c, 0,
		    (struct box){at.x + ink.w - digits.w - 1, y + (ink.h - thick) / 2, digits.w + 2,
				 thick});
	return ink.w + 1;
}

/* A promotion that ends at midnight lasts until the day before. */
static void until_texts(const struct walltime *end, char *with_time, char *day, size_t len)
{
	static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
					     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	bool midnight = !end->hour && !end->minute && !end->second;
	struct walltime last;

	walltime_from_count(walltime_to_count(end) - (midnight ? 1 : 0), &last);
	snprintf(day, len, "until %d %s", last.day, months[(last.month + 11) % 12]);
	if (midnight)
		snprintf(with_time, len, "%s", day);
	else
		snprintf(with_time, len, "until %d %s %02d:%02d", last.day,
			 months[(last.month + 11) % 12], last.hour, last.minute);
}

static void draw_until(struct canvas *c, const struct render_facts *f, struct box at, int px)
{
	char with_time[40], day[40];
	const char *texts[] = {with_time, day, day + 6}; /* without the word at last */
	struct box ink;
	int size;

	until_texts(&f->until, with_time, day, sizeof day);
	ink = fit_text(c, FONT_TEXT, px, texts, ARRAY_SIZE(texts), at.w, &size);
	canvas_draw_ink(c, 0, at.x + at.w - ink.w, at.y + (at.h - ink.h) / 2);
}

/* Directive 98/6/EC, Art. 6a: a reduction is announced with the lowest price of the 30 days before.
 */
static void draw_prior(struct canvas *c, const struct render_facts *f, struct box at, int px)
{
	static const char *const forms[] = {"Lowest price of the last 30 days: %s",
					    "Lowest price in 30 days: %s", "Lowest in 30 days: %s",
					    "30-day low %s"};
	char price[PRICE_TEXT_MAX], text[ARRAY_SIZE(forms)][PRICE_TEXT_MAX + 48];
	const char *texts[ARRAY_SIZE(forms)];
	struct box ink;
	int size;

	price_sentence(f->prior_minor, &f->currency, price);
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		const char *hole = strstr(forms[i], "%s");

		snprintf(text[i], sizeof text[i], "%.*s%s", (int) (hole - forms[i]), forms[i],
			 price);
		texts[i] = text[i];
	}
	ink = fit_text(c, FONT_TEXT, px, texts, ARRAY_SIZE(texts), at.w, &size);
	canvas_draw_ink(c, 0, at.x + at.w - ink.w, at.y + (at.h - ink.h) / 2);
}

/* The price in reverse, on a field of the panel's colour. */
static void draw_field(struct canvas *c, const struct render_facts *f, struct box at,
		       struct render_accent accent)
{
	int pad = MAX(3, at.h / 10);
	struct box inner = {at.x + pad, at.y + pad, at.w - 2 * pad, at.h - 2 * pad};
	struct pen pen = {.plane = accent.behind ? 0 : accent.plane, .cut = !accent.behind};
	struct price_set s = {.w = 0};
	int px = fit_price(c, &s, f, inner, inner.h * 130 / 100);

	canvas_fill(c, accent.plane, at);
	draw_set(c, &s, pen, px, inner.x + (inner.w - s.w) / 2,
		 inner.y + (inner.h - s.h - s.below) / 2);
}

void price_draw_reduced(struct canvas *c, const struct render_facts *f, struct box at,
			struct render_accent accent)
{
	int line = MAX(11, MIN(at.h * 17 / 100, 34)), px = line * 84 / 100, gap = MAX(1, line / 8);
	int bottom = f->prior_minor > 0 ? line + gap : 0, used;
	struct box top = {at.x, at.y, at.w, line};

	/* a narrow field has no room for both in one line */
	used = draw_was(c, f,
			(struct box){top.x, top.y, f->has_until ? top.w * 58 / 100 : top.w, top.h},
			px);
	if (f->has_until)
		draw_until(c, f,
			   (struct box){top.x + used + line / 3, top.y, top.w - used - line / 3,
					top.h},
			   px);
	draw_field(c, f, (struct box){at.x, at.y + line + gap, at.w, at.h - line - gap - bottom},
		   accent);
	if (bottom)
		draw_prior(c, f, (struct box){at.x, at.y + at.h - line, at.w, line}, px);
}
