/* SPDX-License-Identifier: Apache-2.0 */
#include "esl-radio/pixels.h"

#include "common/err.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

/* --- checks ----------------------------------------------------------------------------------- */

static bool in_set(unsigned int v, unsigned int a, unsigned int b, unsigned int c, unsigned int d)
{
	return v == a || v == b || v == c || v == d;
}

static const char *trouble(const struct pixel_model *m)
{
	if (!m->model[0] && !m->has_pnp && !m->has_type && !m->width && !m->display_type)
		return "model: nothing says by what a label of this kind is recognised";
	if ((m->width == 0) != (m->height == 0))
		return "height: width and height go together";
	if (m->width > IMAGE_MAX_SIDE || m->height > IMAGE_MAX_SIDE)
		return "width: no picture is that large";
	if (m->canonical)
		return NULL;
	if (!in_set(m->rotate, 0, 90, 180, 270))
		return "rotate: must be 0, 90, 180 or 270";
	if (!in_set(m->line_bits, 1, 8, 16, 32))
		return "line_bits: must be 1, 8, 16 or 32";
	if (m->n_planes > PIXEL_CHANNEL_COUNT)
		return "planes: there are three channels at most";
	for (unsigned int i = 0; i < m->n_planes; i++)
		if (m->plane[i] >= PIXEL_CHANNEL_COUNT)
			return "planes: black, colour and white are all there is";
	if (m->n_planes == 0 && !in_set(m->pixel_bits, 1, 2, 4, 8))
		return "pixel_bits: must be 1, 2, 4 or 8";
	for (unsigned int i = 0; m->n_planes == 0 && i < PIXEL_CHANNEL_COUNT; i++)
		if (m->code[i] >> m->pixel_bits)
			return "codes: a code has more bits than a pixel";
	if (m->compression >= PIXEL_COMPRESSION_COUNT)
		return "compress: must be none, zlib, deflate or packbits";
	if ((m->compression == PIXEL_ZLIB || m->compression == PIXEL_DEFLATE) &&
	    (m->window_bits < 9 || m->window_bits > 15))
		return "window_bits: must be 9 to 15";
	if (m->n_header > PIXEL_HEADER_MAX)
		return "header: too many fields";
	return NULL;
}

int pixel_model_check(const struct pixel_model *m, char why[PIXEL_WHY_MAX])
{
	const char *text = trouble(m);

	if (!text)
		return 0;
	snprintf(why, PIXEL_WHY_MAX, "%s", text);
	return -ERR_RANGE;
}

uint32_t pixel_fingerprint(const struct pixel_model *m)
{
	/* Field by field: a copy of the struct may have anything in its gaps. */
	const uint32_t how[] = {m->canonical, m->rotate,    m->mirror_x,    m->mirror_y,
				m->columns,   m->lsb_first, m->n_planes,    m->pixel_bits,
				m->line_bits, m->pad,       m->compression, m->window_bits,
				m->n_header};
	uLong crc = crc32(0, (const Bytef *) how, sizeof(how));

	for (unsigned int i = 0; !m->canonical && i < PIXEL_CHANNEL_COUNT; i++) {
		const uint8_t channel[] = {m->plane[i], m->invert[i], m->code[i]};

		crc = crc32(crc, channel, sizeof(channel));
	}
	for (unsigned int i = 0; !m->canonical && i < m->n_header; i++) {
		const struct pixel_field *f = &m->header[i];
		const uint8_t head[] = {f->kind, f->bytes, f->big_endian};

		crc = crc32(crc, head, sizeof(head));
		crc = crc32(crc, f->as_is, sizeof(f->as_is));
	}
	return crc ? (uint32_t) crc : 1;
}

/* --- pixels ----------------------------------------------------------------------------------- */

/** Bits to bytes. */
struct bits {
	struct buf *out;
	bool lsb_first;
	uint8_t byte;
	unsigned int n;
};

static void put_bit(struct bits *b, bool on)
{
	if (on)
		b->byte |= (uint8_t) (b->lsb_first ? 1u << b->n : 0x80u >> b->n);
	if (++b->n == 8) {
		buf_put_u8(b->out, b->byte);
		b->byte = 0;
		b->n = 0;
	}
}

/** The panel's raster: the picture turned and mirrored. */
struct raster {
	const struct pixel_model *m;
	const struct image *im;
	unsigned int width, height;
};

static enum pixel_channel channel_at(const struct raster *r, unsigned int px, unsigned int py)
{
	const struct image *im = r->im;
	unsigned int x, y;

	if (r->m->mirror_x)
		px = r->width - 1 - px;
	if (r->m->mirror_y)
		py = r->height - 1 - py;
	switch (r->m->rotate) {
	case 90:
		x = py;
		y = im->height - 1u - px;
		break;
	case 180:
		x = im->width - 1u - px;
		y = im->height - 1u - py;
		break;
	case 270:
		x = im->width - 1u - py;
		y = px;
		break;
	default:
		x = px;
		y = py;
		break;
	}
	if (im->planes > 1 && image_get(im, 1, x, y))
		return PIXEL_COLOUR;
	return image_get(im, 0, x, y) ? PIXEL_BLACK : PIXEL_WHITE;
}

/** One pass over the raster: a plane, or all of it packed. */
static void put_pass(const struct raster *r, int plane, struct bits *b)
{
	const struct pixel_model *m = r->m;
	unsigned int lines = m->columns ? r->width : r->height;
	unsigned int along = m->columns ? r->height : r->width;

	for (unsigned int line = 0; line < lines; line++) {
		unsigned int bits = 0;

		for (unsigned int i = 0; i < along; i++) {
			enum pixel_channel c =
				m->columns ? channel_at(r, line, i) : channel_at(r, i, line);

			if (plane >= 0) {
				put_bit(b, (m->plane[plane] == c) != m->invert[plane]);
				bits++;
				continue;
			}
			/* The highest bit of a code comes first where bits are counted from there.
			 */
			for (unsigned int k = 0; k < m->pixel_bits; k++, bits++)
				put_bit(b,
					m->code[c] >> (m->lsb_first ? k : m->pixel_bits - 1u - k) &
						1);
		}
		for (; bits % m->line_bits; bits++)
			put_bit(b, m->pad);
	}
	while (b->n) /* a plane begins with a byte */
		put_bit(b, m->pad);
}

static void put_pixels(const struct pixel_model *m, const struct image *im, struct buf *out)
{
	bool turned = m->rotate == 90 || m->rotate == 270;
	struct raster r = {.m = m,
			   .im = im,
			   .width = turned ? im->height : im->width,
			   .height = turned ? im->width : im->height};
	struct bits b = {.out = out, .lsb_first = m->lsb_first};

	for (int p = 0; p < m->n_planes; p++)
		put_pass(&r, p, &b);
	if (m->n_planes == 0)
		put_pass(&r, -1, &b);
}

/* --- compression ------------------------------------------------------------------------------ */

static int deflate_to(const struct pixel_model *m, const struct buf *in, struct buf *out)
{
	bool raw = m->compression == PIXEL_DEFLATE;
	z_stream z = {.next_in = in->data, .avail_in = (uInt) in->len};
	uint8_t part[1024];
	int r = deflateInit2(&z, Z_BEST_COMPRESSION, Z_DEFLATED,
			     raw ? -m->window_bits : m->window_bits, 8, Z_DEFAULT_STRATEGY);

	if (r != Z_OK)
		return -ENOMEM;
	do {
		z.next_out = part;
		z.avail_out = sizeof(part);
		r = deflate(&z, Z_FINISH);
		buf_put(out, part, sizeof(part) - z.avail_out);
	} while (r == Z_OK);
	(void) deflateEnd(&z);
	return r == Z_STREAM_END ? 0 : -ENOMEM;
}

static size_t run_at(const uint8_t *p, size_t left)
{
	size_t n = 1;

	while (n < left && n < 128 && p[n] == p[0])
		n++;
	return n;
}

static void pack_bits(const struct buf *in, struct buf *out)
{
	size_t at = 0;

	while (at < in->len) {
		size_t run = run_at(in->data + at, in->len - at), from = at;

		if (run >= 2) {
			buf_put_u8(out, (uint8_t) (257 - run));
			buf_put_u8(out, in->data[at]);
			at += run;
			continue;
		}
		/* Single bytes, up to where a run of three would pay. */
		while (at < in->len && at - from < 128 && run_at(in->data + at, in->len - at) < 3)
			at++;
		buf_put_u8(out, (uint8_t) (at - from - 1));
		buf_put(out, in->data + from, at - from);
	}
}

/* --- the whole -------------------------------------------------------------------------------- */

static void put_number(struct buf *out, const struct pixel_field *f, uint64_t v)
{
	for (unsigned int i = 0; i < f->bytes; i++)
		buf_put_u8(out, (uint8_t) (v >> 8 * (f->big_endian ? f->bytes - 1u - i : i)));
}

static void put_header(const struct pixel_model *m, const struct image *im, size_t length,
		       size_t stored, struct buf *out)
{
	for (unsigned int i = 0; i < m->n_header; i++) {
		const struct pixel_field *f = &m->header[i];
		const uint64_t value[PIXEL_FIELD_KIND_COUNT] = {[PIXEL_FIELD_WIDTH] = im->width,
								[PIXEL_FIELD_HEIGHT] = im->height,
								[PIXEL_FIELD_LENGTH] = length,
								[PIXEL_FIELD_STORED] = stored};

		if (f->kind == PIXEL_FIELD_BYTES_AS_IS)
			buf_put(out, f->as_is, MIN(f->bytes, sizeof(f->as_is)));
		else
			put_number(out, f, value[f->kind]);
	}
}

int pixel_encode(const struct pixel_model *m, const struct image *im, struct buf *out)
{
	_cleanup_buf_ struct buf raw = BUF_INIT, small = BUF_INIT;
	const struct buf *body = &raw;
	int r = 0;

	if (m->canonical) {
		image_encode(im, out);
		return out->err;
	}
	put_pixels(m, im, &raw);
	if (!buf_ok(&raw))
		return raw.err;
	if (m->compression == PIXEL_PACKBITS)
		pack_bits(&raw, &small);
	else if (m->compression != PIXEL_PLAIN)
		r = deflate_to(m, &raw, &small);
	if (r < 0 || !buf_ok(&small))
		return r < 0 ? r : small.err;
	if (m->compression != PIXEL_PLAIN)
		body = &small;
	put_header(m, im, raw.len, body->len, out);
	buf_put(out, body->data, body->len);
	return out->err;
}
