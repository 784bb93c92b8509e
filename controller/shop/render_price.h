/* SPDX-License-Identifier: Apache-2.0 */
/** @file The price on a label: large, and what belongs beside a reduced one. */
#pragma once

#include "controller/shop/render.h"
#include "controller/shop/render_canvas.h"

/** The plane for what should catch the eye, and whether it can carry text of its own. */
struct render_accent {
	unsigned int plane;
	bool behind; /**< a pale colour: it goes behind black text */
};

void price_draw(struct canvas *c, const struct render_facts *f, struct box at,
		struct render_accent accent);
/** In reverse on a field of colour; above it what it was and until when it holds, below it the
 * lowest price of the 30 days before. */
void price_draw_reduced(struct canvas *c, const struct render_facts *f, struct box at,
			struct render_accent accent);
