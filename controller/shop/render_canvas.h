/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * What a label is drawn on: one 8-bit coverage surface per plane, on which only text and boxes
 * without antialiasing are painted, so that every pixel is on or off before it becomes a bit.
 */
#pragma once

#include "common/image.h"
#include "controller/shop/template.h"
#include <pango/pangocairo.h>

struct canvas {
	PangoContext *context; /**< borrowed from the renderer */
	PangoLayout *layout;   /**< owned; reused for every text */
	cairo_surface_t *surface[2];
	cairo_t *cr[2];
	int width, height;
	uint8_t type;
};

/** Fonts the template uses, as Pango descriptions without a size. */
#define FONT_NAME   "DejaVu Sans Condensed Bold"
#define FONT_TEXT   "DejaVu Sans Condensed"
#define FONT_DIGITS "DejaVu Sans Condensed Bold"
#define FONT_ID     "DejaVu Sans Mono Bold"

enum align {
	ALIGN_LEFT,
	ALIGN_CENTRE,
	ALIGN_RIGHT
};

int canvas_init(struct canvas *c, PangoContext *context, int width, int height,
		uint8_t type) _must_check_;
void canvas_done(struct canvas *c);

/** Sets the text to measure and draw next: font, size in pixels, one unbroken line. */
void canvas_text(struct canvas *c, const char *font, int px, const char *text);
/** The same in up to two lines of a given width, the rest ellipsized. True if all of it fits. */
bool canvas_paragraph(struct canvas *c, const char *font, int px, const char *text, int width);
/** Inked pixels of the present text, relative to its origin. */
struct box canvas_ink(struct canvas *c);
/** Logical height of the present text in pixels. */
int canvas_text_height(struct canvas *c);
/** Draws the present text so that its ink starts at (x, y) on a plane. */
void canvas_draw_ink(struct canvas *c, unsigned int plane, int x, int y);
/** The same, but takes the text out of what is on the plane. */
void canvas_cut_ink(struct canvas *c, unsigned int plane, int x, int y);
/** Draws the present text with its origin (not its ink) at (x, y). */
void canvas_draw(struct canvas *c, unsigned int plane, int x, int y);
void canvas_fill(struct canvas *c, unsigned int plane, struct box b);
/** Erases a box on both planes. */
void canvas_clear(struct canvas *c, struct box b);
/** Bits of the planes; black wins where both are set. */
int canvas_image(struct canvas *c, struct image *ret) _must_check_;
