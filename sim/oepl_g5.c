/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The "G5" compression of the firmware, both ways, pixel by pixel as ITU-T T.6 describes its modes.
 * It shares no line with the product's idea of it.
 */
#include "sim/oepl_impl.h"

#include "common/err.h"
#include <string.h>

struct strip {
	struct buf *out;    /* writing */
	const uint8_t *in;  /* reading */
	size_t bits, limit; /* written or read so far; there are */
};

static void put_bits(struct strip *s, unsigned int v, unsigned int n)
{
	while (n-- > 0) {
		if (s->bits % 8 == 0)
			buf_put_u8(s->out, 0);
		if (buf_ok(s->out) && v >> n & 1)
			s->out->data[s->bits / 8] |= (uint8_t) (0x80 >> s->bits % 8);
		s->bits++;
	}
}

static unsigned int get_bits(struct strip *s, unsigned int n)
{
	unsigned int v = 0;

	for (; n > 0; n--, s->bits++)
		v = v << 1 | (s->bits < s->limit && s->in[s->bits / 8] >> (7 - s->bits % 8) & 1);
	return v;
}

/* A row of pixels, 1 = the colour that rows begin with; before its first pixel is one more of it.
 */
struct row {
	const uint8_t *bits;
	int width;
};

static int pixel(const struct row *r, int x)
{
	return x < 0 || !r->bits || (r->bits[x / 8] >> (7 - x % 8) & 1);
}

/** The first place right of x where the row changes to `to`; its width if it does not. */
static int change_to(const struct row *r, int x, int to)
{
	for (x++; x < r->width; x++)
		if (pixel(r, x) == to && pixel(r, x - 1) != to)
			return x;
	return r->width;
}

/** Where the run ends in which x lies. */
static int run_end(const struct row *r, int x, int colour)
{
	while (x < r->width && pixel(r, x) == colour)
		x++;
	return x;
}

static unsigned int long_bits(int width)
{
	return 32u - (unsigned int) __builtin_clz((unsigned int) width);
}

static void put_runs(struct strip *s, int first, int second, int width)
{
	unsigned int n1 = first < 8 ? 3 : long_bits(width), n2 = second < 8 ? 3 : long_bits(width);

	put_bits(s, 1, 3);
	put_bits(s, (n1 > 3) << 1 | (n2 > 3), 2);
	put_bits(s, (unsigned int) first, n1);
	put_bits(s, (unsigned int) second, n2);
}

static void put_row(struct strip *s, const struct row *above, const struct row *here)
{
	static const uint8_t code[7][2] = {{2, 7}, {2, 6}, {2, 3}, {1, 1}, {3, 3}, {3, 6}, {3, 7}};
	int a0 = -1, colour = 1;

	while (a0 < here->width) {
		int from = a0 < 0 ? 0 : a0, b1 = change_to(above, a0, !colour);
		int b2 = change_to(above, b1, colour), a1 = run_end(here, from, colour);

		if (b2 < a1) {
			put_bits(s, 1, 4);
			a0 = b2;
		} else if (a1 - b1 >= -3 && a1 - b1 <= 3) {
			put_bits(s, code[a1 - b1 + 3][0], code[a1 - b1 + 3][1]);
			a0 = a1;
			colour = !colour;
		} else {
			int a2 = run_end(here, a1, !colour);

			put_runs(s, a1 - from, a2 - a1, here->width);
			a0 = a2;
		}
	}
}

void oepl_g5_pack(const uint8_t *bits, int width, int height, struct buf *out)
{
	struct buf body = BUF_INIT;
	struct strip s = {.out = &body};
	struct row above = {.width = width};

	for (int y = 0; y < height; y++) {
		struct row here = {.bits = bits + (size_t) y * (size_t) width / 8, .width = width};

		put_row(&s, &above, &here);
		above = here;
	}
	buf_put(out, body.data, body.len);
	buf_put_u8(out, 0); /* the firmware ends with one more */
	buf_done(&body);
}

static void paint(uint8_t *row, int from, int to, int width, int colour)
{
	for (int x = from < 0 ? 0 : from; x < to && x < width; x++)
		if (colour)
			row[x / 8] |= (uint8_t) (0x80 >> x % 8);
}

/** 0, or negative at a code that there is not. */
static int get_row(struct strip *s, const struct row *above, uint8_t *to)
{
	int a0 = -1, colour = 1, width = above->width;

	while (a0 < width) {
		int b1 = change_to(above, a0, !colour), zeros = 0, a1;

		while (zeros < 7 && !get_bits(s, 1))
			zeros++;
		if (zeros > 5 || s->bits > s->limit)
			return -ERR_BADMSG;
		if (zeros == 3) {
			a1 = change_to(above, b1, colour);
			paint(to, a0, a1, width, colour);
			a0 = a1;
			continue;
		}
		if (zeros == 2) {
			unsigned int kind = get_bits(s, 2);
			int from = a0 < 0 ? 0 : a0;

			a1 = from + (int) get_bits(s, kind & 2 ? long_bits(width) : 3);
			a0 = a1 + (int) get_bits(s, kind & 1 ? long_bits(width) : 3);
			paint(to, from, a1, width, colour);
			paint(to, a1, a0, width, !colour);
			continue;
		}
		/* 1, 01x, 00001x, 000001x: by as much as there are zeros, less those of the mark */
		a1 = zeros == 0 ? 0 : zeros == 1 ? 1 : zeros - 2;
		if (zeros)
			a1 = get_bits(s, 1) ? a1 : -a1;
		paint(to, a0, b1 + a1, width, colour);
		a0 = b1 + a1;
		colour = !colour;
	}
	return 0;
}

int oepl_g5_unpack(const uint8_t *data, size_t len, int width, int height, uint8_t *ret)
{
	struct strip s = {.in = data, .limit = len * 8};
	struct row above = {.width = width};

	memset(ret, 0, (size_t) width / 8 * (size_t) height);
	for (int y = 0; y < height; y++) {
		uint8_t *here = ret + (size_t) y * (size_t) width / 8;

		if (get_row(&s, &above, here) < 0)
			return -ERR_BADMSG;
		above.bits = here;
	}
	return 0;
}
