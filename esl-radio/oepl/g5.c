/* SPDX-License-Identifier: Apache-2.0 */
#include "esl-radio/oepl/g5.h"

#include "common/err.h"
#include <errno.h>
#include <string.h>

#define SHORT_RUN_BITS 3

struct bits {
	const uint8_t *data;
	size_t n, at; /* in bits */
};

/** Of a code that ends beyond the data the missing bits are 0; a line of those is refused. */
static unsigned int peek(const struct bits *b, unsigned int n)
{
	unsigned int v = 0;

	for (size_t i = b->at; i < b->at + n; i++)
		v = v << 1 | (i < b->n ? b->data[i / 8] >> (7 - i % 8) & 1 : 0);
	return v;
}

static unsigned int take(struct bits *b, unsigned int n)
{
	unsigned int v = peek(b, n);

	b->at += n;
	return v;
}

enum mode {
	MODE_VERTICAL,
	MODE_HORIZONTAL,
	MODE_PASS,
	MODE_BAD
};

/** As T.6 has them: `ret_shift` is how far the change lies right of the one above. */
static enum mode take_mode(struct bits *b, int *ret_shift)
{
	static const struct {
		uint8_t len, code;
		enum mode mode;
		int shift;
	} codes[] = {
		{1, 1, MODE_VERTICAL, 0},   {3, 3, MODE_VERTICAL, 1}, {3, 2, MODE_VERTICAL, -1},
		{3, 1, MODE_HORIZONTAL, 0}, {4, 1, MODE_PASS, 0},     {6, 3, MODE_VERTICAL, 2},
		{6, 2, MODE_VERTICAL, -2},  {7, 3, MODE_VERTICAL, 3}, {7, 2, MODE_VERTICAL, -3},
	};

	for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
		if (peek(b, codes[i].len) != codes[i].code)
			continue;
		b->at += codes[i].len;
		*ret_shift = codes[i].shift;
		return b->at <= b->n ? codes[i].mode : MODE_BAD;
	}
	return MODE_BAD;
}

/** Where a line changes its colour, in order, and its width from there on. */
struct line {
	int *at;
	size_t n;
};

struct g5 {
	struct bits bits;
	int width;
	unsigned int long_run_bits;
	struct line above, here;
};

static int change_above(const struct g5 *g, size_t i)
{
	return i < g->above.n ? g->above.at[i] : g->width;
}

/** A change must not lie before the last one, nor outside. */
static bool put_change(struct g5 *g, int at)
{
	int last = g->here.n ? g->here.at[g->here.n - 1] : 0;

	if (at < last || at > g->width || g->here.n > (size_t) g->width)
		return false;
	g->here.at[g->here.n++] = at;
	return true;
}

static bool take_runs(struct g5 *g, int *from)
{
	unsigned int kind = take(&g->bits, 2);

	for (unsigned int i = 0; i < 2; i++) {
		bool is_long = kind >> (1 - i) & 1;
		int run = (int) take(&g->bits, is_long ? g->long_run_bits : SHORT_RUN_BITS);

		*from = MAX(*from, 0) + run;
		if (g->bits.at > g->bits.n || !put_change(g, *from))
			return false;
	}
	return true;
}

static bool take_line(struct g5 *g)
{
	int from = -1, shift;
	size_t b1 = 0;

	g->here.n = 0;
	while (from < g->width) {
		/* The first change above that is to the right, and to the colour that we are not.
		 */
		b1 -= b1 > 0;
		while (change_above(g, b1) <= from || (b1 + g->here.n) % 2)
			b1++;
		switch (take_mode(&g->bits, &shift)) {
		case MODE_VERTICAL:
			from = change_above(g, b1) + shift;
			if (!put_change(g, from))
				return false;
			break;
		case MODE_HORIZONTAL:
			if (!take_runs(g, &from))
				return false;
			break;
		case MODE_PASS:
			from = change_above(g, b1 + 1);
			break;
		default:
			return false;
		}
	}
	return true;
}

static void draw(const struct g5 *g, uint8_t *to)
{
	int x = 0;

	memset(to, 0, (size_t) g->width / 8);
	for (size_t i = 0; i <= g->here.n; i++) {
		int end = i < g->here.n ? g->here.at[i] : g->width;

		for (; x < end; x++)
			if (i % 2 == 0)
				to[x / 8] |= (uint8_t) (0x80u >> x % 8);
	}
}

static int take_lines(struct g5 *g, unsigned int height, struct buf *out)
{
	for (unsigned int y = 0; y < height; y++) {
		struct line done;
		uint8_t *to;

		if (!take_line(g))
			return -ERR_BADMSG;
		to = buf_extend(out, (size_t) g->width / 8);
		if (!to)
			return out->err;
		draw(g, to);
		done = g->here;
		g->here = g->above;
		g->above = done;
	}
	return 0;
}

int g5_unpack(const uint8_t *data, size_t len, unsigned int width, unsigned int height,
	      struct buf *out)
{
	struct g5 g = {.bits = {.data = data, .n = len * 8}, .width = (int) width};
	int r = -ENOMEM;

	if (!width || !height || width % 8 || width > G5_SIDE_MAX || height > G5_SIDE_MAX)
		return -ERR_RANGE;
	if (height > g.bits.n)
		return -ERR_BADMSG; /* a line takes a bit at least */
	while (width >> g.long_run_bits)
		g.long_run_bits++;
	g.above.at = calloc(width + 1, sizeof(int));
	g.here.at = calloc(width + 1, sizeof(int));
	if (g.above.at && g.here.at)
		r = take_lines(&g, height, out);
	free(g.above.at);
	free(g.here.at);
	return r;
}
