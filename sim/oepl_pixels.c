/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the firmware does to a picture, done in its own order: the JPEG becomes pixels of 16 bits,
 * each pixel goes, turned, to the nearest colour of the label's table, in passes of one plane. It
 * shares no line with the product's idea of it.
 */
#include "sim/oepl_impl.h"

#include "common/err.h"
#include <errno.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
/* after <stdio.h>, which it needs */
#include <jpeglib.h>
#include <string.h>
#include <zlib.h>

struct sprite {
	int w, h;
	uint16_t *px; /* RGB565 */
};

struct trap {
	struct jpeg_error_mgr mgr;
	jmp_buf out;
};

static void fail(j_common_ptr c)
{
	longjmp(((struct trap *) c->err)->out, 1);
}

static int read_jpeg(const void *data, size_t len, const struct sim_oepl_type *t,
		     struct sprite *ret)
{
	struct jpeg_decompress_struct d = {0};
	uint16_t *const px = calloc((size_t) t->width * t->height, sizeof *px);
	uint8_t *const row = malloc((size_t) t->width * 3);
	struct trap trap;
	volatile int r = -ERR_BADMSG;

	d.err = jpeg_std_error(&trap.mgr);
	trap.mgr.error_exit = fail;
	if (!px || !row || setjmp(trap.out))
		goto out;
	jpeg_create_decompress(&d);
	jpeg_mem_src(&d, data, len);
	(void) jpeg_read_header(&d, TRUE);
	/* The small decoder of the firmware reads baseline only; another size would be cut off. */
	if (d.progressive_mode || d.image_width != t->width || d.image_height != t->height)
		goto out;
	d.out_color_space = JCS_RGB;
	(void) jpeg_start_decompress(&d);
	while (d.output_scanline < d.output_height) {
		JSAMPROW at = row;
		size_t y = d.output_scanline;

		(void) jpeg_read_scanlines(&d, &at, 1);
		for (size_t x = 0; x < t->width; x++)
			px[y * t->width + x] =
				(uint16_t) ((row[3 * x] & 0xf8) << 8 |
					    (row[3 * x + 1] & 0xfc) << 3 | row[3 * x + 2] >> 3);
	}
	*ret = (struct sprite){.w = t->width, .h = t->height, .px = px};
	r = 0;
out:
	jpeg_destroy_decompress(&d);
	free(row);
	if (r < 0)
		free(px);
	return r;
}

const char *oepl_colour(const struct sim_oepl_type *t, int i, int rgb[3])
{
	static const struct sim_oepl_colour usual[] = {{"white", {255, 255, 255}},
						       {"black", {0, 0, 0}},
						       {"red", {255, 0, 0}},
						       {"yellow", {255, 255, 0}}};
	const struct sim_oepl_colour *c = t->palette            ? &t->palette[i]
					  : i == 2 && t->yellow ? &usual[3]
								: &usual[i];

	for (int k = 0; k < 3; k++)
		rgb[k] = c->rgb[k];
	return c->name;
}

static bool is_coloured(int r, int g, int b, int more_than)
{
	return abs(r - g) > more_than || abs(b - g) > more_than;
}

/** A grey pixel gets no colour; else the nearest one. */
static double distance(int r, int g, int b, const int c[3])
{
	if (!is_coloured(r, g, b, 19) && is_coloured(c[0], c[1], c[2], 20))
		return 4294967295.0;
	return 3.0 * (r - c[0]) * (r - c[0]) + 5.47 * (g - c[1]) * (g - c[1]) +
	       1.53 * (b - c[2]) * (b - c[2]);
}

static int best_colour(const struct sim_oepl_type *t, uint16_t px, int n, bool invert)
{
	int r = px >> 8 & 0xf8, g = px >> 3 & 0xfc, b = px << 3 & 0xf8, best = 0;
	double best_d = -1;

	for (int i = 0; i < n; i++) {
		int c[3];
		double d;

		(void) oepl_colour(t, invert && i < 2 ? 1 - i : i, c);
		d = distance(r, g, b, c);
		if (best_d < 0 || d < best_d) {
			best_d = d;
			best = i;
		}
	}
	return best;
}

/** Where the pixel of the buffer at (x, y) comes from: the turns of the firmware. */
static uint16_t turned(const struct sprite *s, unsigned int rotate, int bufw, int bufh, int x,
		       int y)
{
	int sx = x, sy = y;

	if (rotate == 1)
		sx = y, sy = bufw - 1 - x;
	else if (rotate == 2)
		sx = bufw - 1 - x, sy = bufh - 1 - y;
	else if (rotate == 3)
		sx = bufh - 1 - y, sy = x;
	return s->px[sy * s->w + sx];
}

static unsigned int total_turn(const struct sim_oepl_type *t, unsigned int rotate)
{
	if (t->rotatebuffer % 2)
		return ((rotate + 3) % 4 + t->rotatebuffer - 1u) % 4;
	return (rotate + t->rotatebuffer) % 4;
}

struct drawing {
	const struct sim_oepl_type *t;
	struct sprite s;
	unsigned int rotate;
	bool invert;
	int colours;
	bool has_red;
};

static void draw_plane(struct drawing *d, uint8_t *to, bool is_red)
{
	bool odd = d->t->rotatebuffer % 2;
	int bufw = odd ? d->s.h : d->s.w, bufh = odd ? d->s.w : d->s.h;

	for (int y = 0; y < bufh; y++) {
		for (int x = 0; x < bufw; x++) {
			int c = best_colour(d->t, turned(&d->s, d->rotate, bufw, bufh, x, y),
					    d->colours, d->invert);
			bool on = c == 3 || (is_red ? c == 2 : c == 1);

			d->has_red |= c >= 2;
			if (on)
				to[(y * bufw + x) / 8] |= (uint8_t) (0x80 >> x % 8);
		}
	}
}

static int packed_bits(const struct sim_oepl_type *t)
{
	return t->bpp == OEPL_BPP_PACKED2 ? 2 : t->bpp > 2 ? t->bpp : 0;
}

/** As the firmware has it: a number may straddle two bytes. */
static void draw_packed(struct drawing *d, uint8_t *to)
{
	bool odd = d->t->rotatebuffer % 2;
	int bufw = odd ? d->s.h : d->s.w, bufh = odd ? d->s.w : d->s.h;
	int bits = packed_bits(d->t);
	size_t at = 0;

	for (int y = 0; y < bufh; y++) {
		for (int x = 0; x < bufw; x++, at += (size_t) bits) {
			int c = best_colour(d->t, turned(&d->s, d->rotate, bufw, bufh, x, y),
					    d->colours, d->invert);
			int over = (int) (at % 8) + bits - 8;

			if (over <= 0) {
				to[at / 8] |= (uint8_t) (c << -over);
			} else {
				to[at / 8] |= (uint8_t) (c >> over);
				to[at / 8 + 1] |= (uint8_t) (c << (8 - over));
			}
		}
	}
}

static void fold_planes(const struct sim_oepl_type *t, const struct buf *planes, uint8_t n_planes,
			struct buf *ret)
{
	uint16_t a = t->rotatebuffer % 2 ? t->height : t->width;
	uint16_t b = t->rotatebuffer % 2 ? t->width : t->height;

	buf_put_u8(ret, 6);
	buf_put_u16le(ret, a);
	buf_put_u16le(ret, b);
	buf_put_u8(ret, n_planes);
	oepl_g5_pack(planes->data, a, b * n_planes, ret);
}

static int compress_planes(const struct sim_oepl_type *t, const struct buf *planes,
			   uint8_t n_planes, struct buf *ret)
{
	size_t total = planes->len + 6;
	uLongf n = compressBound(total);
	uint8_t *in = malloc(total), *out = malloc(n);
	uint16_t a = t->rotatebuffer % 2 ? t->height : t->width;
	uint16_t b = t->rotatebuffer % 2 ? t->width : t->height;
	const uint8_t head[6] = {6,           (uint8_t) a,        (uint8_t) (a >> 8),
				 (uint8_t) b, (uint8_t) (b >> 8), n_planes};
	int r = -ENOMEM;

	if (in && out) {
		memcpy(in, head, sizeof head);
		memcpy(in + sizeof head, planes->data, planes->len);
		r = compress2(out, &n, in, total, 9) == Z_OK ? 0 : -ENOMEM;
	}
	if (r == 0) {
		buf_put_u32le(ret, (uint32_t) total);
		buf_put(ret, out, n);
	}
	free(in);
	free(out);
	return r;
}

/** Room for n bytes more, all 0; NULL when out of memory. */
static uint8_t *blank(struct buf *b, size_t n)
{
	uint8_t *at = buf_extend(b, n);

	return at ? memset(at, 0, n) : NULL;
}

int oepl_draw(const struct sim_oepl_type *t, const void *jpeg, size_t len, unsigned int rotate,
	      bool invert, bool poor, struct buf *ret, uint8_t *ret_kind)
{
	struct drawing d = {.t = t,
			    .rotate = total_turn(t, rotate),
			    .invert = invert,
			    .colours = poor || t->bpp == 1 ? 2 : t->colours};
	size_t packed = ((size_t) t->width * t->height * (size_t) packed_bits(t) + 7) / 8;
	_cleanup_buf_ struct buf planes = BUF_INIT;
	size_t n = (size_t) t->width * t->height / 8;
	int r = read_jpeg(jpeg, len, t, &d.s);

	if (r < 0)
		return r;
	if (packed) {
		if (blank(ret, packed))
			draw_packed(&d, ret->data);
		free(d.s.px);
		*ret_kind = t->bpp == 4 ? OEPL_DATA_IMAGE4 : OEPL_DATA_IMAGE3;
		return buf_ok(ret) ? 0 : ret->err;
	}
	if (blank(&planes, n))
		draw_plane(&d, planes.data, false);
	if (d.has_red && t->bpp > 1 && blank(&planes, n))
		draw_plane(&d, planes.data + n, true);
	free(d.s.px);
	if (!buf_ok(&planes))
		return planes.err;
	*ret_kind = planes.len > n ? OEPL_DATA_IMAGE2 : OEPL_DATA_IMAGE1;
	if (t->zlib && t->version >= t->zlib) {
		*ret_kind = OEPL_DATA_ZLIB;
		return compress_planes(t, &planes, planes.len > n ? 2 : 1, ret);
	}
	if (t->g5 && t->version >= t->g5) {
		*ret_kind = OEPL_DATA_G5;
		fold_planes(t, &planes, planes.len > n ? 2 : 1, ret);
		return 0;
	}
	buf_put(ret, planes.data, planes.len);
	return buf_ok(ret) ? 0 : ret->err;
}

/* --- the panel -------------------------------------------------------------------------------- */

/** Planes from what was fetched; to be freed. */
static uint8_t *unpack(const struct sim_oepl_type *t, uint8_t kind, const void *data, size_t len,
		       size_t *ret_len)
{
	size_t most = (size_t) t->width * t->height / 2 + 6;
	const uint8_t *bytes = data;
	uint8_t *out = malloc(most);
	uLongf n = most;

	if (out && kind == OEPL_DATA_G5 && len > 6) {
		int w = bytes[1] | bytes[2] << 8, h = bytes[3] | bytes[4] << 8;

		*ret_len = (size_t) w / 8 * (size_t) h * bytes[5];
		if (*ret_len <= most &&
		    oepl_g5_unpack(bytes + 6, len - 6, w, h * bytes[5], out) == 0)
			return out;
	} else if (out && kind == OEPL_DATA_ZLIB && len > 4 &&
		   uncompress(out, &n, (const Bytef *) data + 4, len - 4) == Z_OK && n > 6) {
		memmove(out, out + 6, n - 6);
		*ret_len = n - 6;
		return out;
	} else if (out && kind != OEPL_DATA_ZLIB && kind != OEPL_DATA_G5 && len <= most) {
		memcpy(out, data, len);
		*ret_len = len;
		return out;
	}
	free(out);
	return NULL;
}

/** A panel mounted turned by rotatebuffer quarters: where a pixel that one looks at is in its
 * memory. */
static size_t bit_of(const struct sim_oepl_type *t, int x, int y)
{
	int w = t->width, h = t->height;

	switch (t->rotatebuffer) {
	case 1: /* memory is h wide; its x runs down, its y from right to left */
		return (size_t) ((w - 1 - x) * h + y);
	case 2:
		return (size_t) ((h - 1 - y) * w + (w - 1 - x));
	case 3:
		return (size_t) (x * h + (h - 1 - y));
	default:
		return (size_t) (y * w + x);
	}
}

/** The number of the colour that the panel has at this place of its memory. */
static int colour_at(const struct sim_oepl_type *t, const uint8_t *mem, size_t n, size_t at)
{
	size_t plane = (size_t) t->width * t->height / 8, bits = (size_t) packed_bits(t);
	int c = 0;

	if (bits) {
		for (size_t k = at * bits; k < (at + 1) * bits; k++)
			c = c << 1 | (mem[k / 8] >> (7 - k % 8) & 1);
		return c;
	}
	c = mem[at / 8] >> (7 - at % 8) & 1;
	if (n >= 2 * plane && mem[plane + at / 8] >> (7 - at % 8) & 1)
		c += 2;
	/* Panels with three colours show their colour, whatever else is set. */
	return c == 3 && t->colours == 3 ? 2 : c;
}

int oepl_show(const struct sim_oepl_type *t, uint8_t kind, const void *data, size_t len,
	      struct buf *ret)
{
	uint8_t type = t->bpp == 1 || t->colours < 3 ? DISPLAY_BLACK_WHITE
		       : t->yellow                   ? DISPLAY_YELLOW_BLACK_WHITE
						     : DISPLAY_RED_BLACK_WHITE;
	size_t least = (size_t) t->width * t->height * (size_t) MAX(packed_bits(t), 1) / 8, n;
	uint8_t *mem = unpack(t, kind, data, len, &n);
	struct image im;

	if (!mem || n < least || image_init(&im, t->width, t->height, type) < 0) {
		free(mem);
		return -ERR_BADMSG;
	}
	for (int y = 0; y < t->height; y++) {
		for (int x = 0; x < t->width; x++) {
			int rgb[3];
			bool black, white;

			(void) oepl_colour(t, colour_at(t, mem, n, bit_of(t, x, y)), rgb);
			black = !rgb[0] && !rgb[1] && !rgb[2];
			white = rgb[0] == 255 && rgb[1] == 255 && rgb[2] == 255;
			image_set(&im, 0, (unsigned int) x, (unsigned int) y, black);
			if (im.planes > 1)
				image_set(&im, 1, (unsigned int) x, (unsigned int) y,
					  !black && !white);
		}
	}
	free(mem);
	image_encode(&im, ret);
	image_done(&im);
	return buf_ok(ret) ? 0 : ret->err;
}
