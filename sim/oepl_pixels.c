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

static void colour(const struct sim_oepl_type *t, int i, int rgb[3])
{
	static const int table[4][3] = {{255, 255, 255}, {0, 0, 0}, {255, 0, 0}, {255, 255, 0}};

	memcpy(rgb, table[i == 2 && t->yellow ? 3 : i], sizeof table[0]);
}

static int best_colour(const struct sim_oepl_type *t, uint16_t px, int n, bool invert)
{
	int r = px >> 8 & 0xf8, g = px >> 3 & 0xfc, b = px << 3 & 0xf8, best = 0;
	long best_d = -1;

	for (int i = 0; i < n; i++) {
		int c[3];
		long d;

		colour(t, invert && i < 2 ? 1 - i : i, c);
		d = 3L * (r - c[0]) * (r - c[0]) + 6L * (g - c[1]) * (g - c[1]) +
		    (long) (b - c[2]) * (b - c[2]);
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

int oepl_draw(const struct sim_oepl_type *t, const void *jpeg, size_t len, unsigned int rotate,
	      bool invert, bool poor, struct buf *ret, uint8_t *ret_kind)
{
	struct drawing d = {.t = t,
			    .rotate = total_turn(t, rotate),
			    .invert = invert,
			    .colours = poor || t->bpp == 1 ? 2 : t->colours};
	_cleanup_buf_ struct buf planes = BUF_INIT;
	size_t n = (size_t) t->width * t->height / 8;
	int r = read_jpeg(jpeg, len, t, &d.s);

	if (r < 0)
		return r;
	memset(buf_extend(&planes, n), 0, n);
	draw_plane(&d, planes.data, false);
	if (d.has_red && t->bpp > 1) {
		memset(buf_extend(&planes, n), 0, n);
		draw_plane(&d, planes.data + n, true);
	}
	free(d.s.px);
	*ret_kind = planes.len > n ? OEPL_DATA_IMAGE2 : OEPL_DATA_IMAGE1;
	if (t->zlib && t->version >= t->zlib) {
		*ret_kind = OEPL_DATA_ZLIB;
		return compress_planes(t, &planes, planes.len > n ? 2 : 1, ret);
	}
	buf_put(ret, planes.data, planes.len);
	return buf_ok(ret) ? 0 : ret->err;
}

/* --- the panel -------------------------------------------------------------------------------- */

/** Planes from what was fetched; to be freed. */
static uint8_t *unpack(const struct sim_oepl_type *t, uint8_t kind, const void *data, size_t len,
		       size_t *ret_len)
{
	size_t most = (size_t) t->width * t->height / 4 + 6;
	uint8_t *out = malloc(most);
	uLongf n = most;

	if (out && kind != OEPL_DATA_ZLIB && len <= most) {
		memcpy(out, data, len);
		*ret_len = len;
		return out;
	}
	if (out && kind == OEPL_DATA_ZLIB && len > 4 &&
	    uncompress(out, &n, (const Bytef *) data + 4, len - 4) == Z_OK && n > 6) {
		memmove(out, out + 6, n - 6);
		*ret_len = n - 6;
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

int oepl_show(const struct sim_oepl_type *t, uint8_t kind, const void *data, size_t len,
	      struct buf *ret)
{
	uint8_t type = t->bpp == 1 || t->colours < 3 ? DISPLAY_BLACK_WHITE
		       : t->yellow                   ? DISPLAY_YELLOW_BLACK_WHITE
						     : DISPLAY_RED_BLACK_WHITE;
	size_t plane = (size_t) t->width * t->height / 8, n;
	uint8_t *planes = unpack(t, kind, data, len, &n);
	struct image im;
	int r;

	if (!planes || n < plane || image_init(&im, t->width, t->height, type) < 0) {
		free(planes);
		return -ERR_BADMSG;
	}
	for (int y = 0; y < t->height; y++) {
		for (int x = 0; x < t->width; x++) {
			size_t at = bit_of(t, x, y);
			bool black = planes[at / 8] >> (7 - at % 8) & 1;
			bool red = n >= 2 * plane && planes[plane + at / 8] >> (7 - at % 8) & 1;

			image_set(&im, 0, (unsigned int) x, (unsigned int) y, black && !red);
			if (im.planes > 1)
				image_set(&im, 1, (unsigned int) x, (unsigned int) y, red);
		}
	}
	free(planes);
	image_encode(&im, ret);
	image_done(&im);
	r = buf_ok(ret) ? 0 : ret->err;
	return r;
}
