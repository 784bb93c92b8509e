/* SPDX-License-Identifier: Apache-2.0 */
#include "esl-radio/oepl/pixels.h"

#include "common/err.h"
#include "common/wire.h"
#include "esl-radio/oepl/g5.h"
#include "esl-radio/oepl/jpeg.h"
#include <errno.h>
#include <nettle/md5.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define HEADER      6  /* of what is compressed: its own length, width, height, planes */
#define GREY_PIXEL  20 /* the channels of a pixel that counts as grey differ by less, */
#define GREY_COLOUR 21 /* and those of a colour of the table */
#define SAME_COLOUR (900u * 128 * 128)
#define BPP_PACKED2 5 /* two bits, one pixel after the other instead of in planes */

/* --- colours ---------------------------------------------------------------------------------- */

enum ink {
	INK_WHITE,
	INK_BLACK,
	INK_COLOUR,
	INK_COUNT
};

/** Weighted as access points do it, in hundredths: the newer firmware's way, and the one before. */
enum weighing {
	WEIGHED_NOW,
	WEIGHED_ONCE,
	WEIGHINGS
};

static uint32_t distance(const uint8_t a[3], const uint8_t b[3], enum weighing how)
{
	static const uint32_t weights[WEIGHINGS][3] = {{300, 547, 153}, {300, 600, 100}};
	uint32_t sum = 0;

	for (unsigned int i = 0; i < 3; i++)
		sum += weights[how][i] * (uint32_t) ((a[i] - b[i]) * (a[i] - b[i]));
	return sum;
}

static bool is_grey(const uint8_t c[3], int at_most)
{
	return abs(c[0] - c[1]) < at_most && abs(c[2] - c[1]) < at_most;
}

/** The first of the nearest, of as many colours as the panel's planes can tell apart. Grey pixels
 * are never given a colour by the newer firmware. */
static unsigned int nearest_by(const struct oepl_type *t, const uint8_t rgb[3], enum weighing how)
{
	unsigned int n = t->bpp == 1 ? 2 : t->n_colours, best = 0;
	uint32_t best_distance = UINT32_MAX;
	bool grey = how == WEIGHED_NOW && is_grey(rgb, GREY_PIXEL);

	for (unsigned int i = 0; i < n; i++) {
		uint32_t d = distance(rgb, t->colours[i], how);

		if (grey && !is_grey(t->colours[i], GREY_COLOUR))
			continue;
		if (d < best_distance) {
			best_distance = d;
			best = i;
		}
	}
	return best;
}

static unsigned int nearest(const struct oepl_type *t, const uint8_t rgb[3])
{
	return nearest_by(t, rgb, WEIGHED_NOW);
}

static bool has_colour(const struct oepl_type *t, const uint8_t rgb[3])
{
	return t->bpp > 1 && distance(t->colours[nearest(t, rgb)], rgb, WEIGHED_NOW) < SAME_COLOUR;
}

static const uint8_t white[3] = {255, 255, 255}, black[3] = {0, 0, 0}, red[3] = {255, 0, 0},
		     yellow[3] = {255, 255, 0};

uint8_t oepl_display_type(const struct oepl_type *t)
{
	if (has_colour(t, red))
		return DISPLAY_RED_BLACK_WHITE;
	return has_colour(t, yellow) ? DISPLAY_YELLOW_BLACK_WHITE : DISPLAY_BLACK_WHITE;
}

/** Which of the type's colours each of our inks is. */
static int find_inks(const struct image *im, const struct oepl_type *t, unsigned int ret[INK_COUNT])
{
	const uint8_t *colour = im->type == DISPLAY_YELLOW_BLACK_WHITE ? yellow : red;

	ret[INK_WHITE] = nearest(t, white);
	ret[INK_BLACK] = nearest(t, black);
	ret[INK_COLOUR] = nearest(t, im->planes > 1 ? colour : black);
	if (ret[INK_WHITE] == ret[INK_BLACK])
		return -ERR_RANGE;
	return im->width == t->width && im->height == t->height ? 0 : -ERR_RANGE;
}

static enum ink ink_at(const struct image *im, unsigned int x, unsigned int y)
{
	if (im->planes > 1 && image_get(im, 1, x, y))
		return INK_COLOUR;
	return image_get(im, 0, x, y) ? INK_BLACK : INK_WHITE;
}

/* --- JPEG ------------------------------------------------------------------------------------- */

/** Whatever the age of the firmware. */
static bool comes_out_as(const struct oepl_type *t, const uint8_t rgb[3], unsigned int colour)
{
	return nearest_by(t, rgb, WEIGHED_NOW) == colour &&
	       nearest_by(t, rgb, WEIGHED_ONCE) == colour;
}

static bool comes_back(const struct image *im, const struct oepl_type *t,
		       const unsigned int inks[INK_COUNT], const struct buf *jpeg)
{
	uint8_t *rgb = NULL;
	unsigned int w, h;
	bool same = true;

	if (jpeg_unpack(jpeg->data, jpeg->len, &rgb, &w, &h) < 0)
		return false;
	for (unsigned int y = 0; same && y < h; y++)
		for (unsigned int x = 0; same && x < w; x++)
			same = comes_out_as(t, rgb + 3 * ((size_t) y * w + x),
					    inks[ink_at(im, x, y)]);
	free(rgb);
	return same;
}

int oepl_jpeg(const struct image *im, const struct oepl_type *t, struct buf *out)
{
	static const int qualities[] = {90, 100};
	size_t n = (size_t) im->width * im->height * 3;
	unsigned int inks[INK_COUNT];
	_cleanup_free_ uint8_t *rgb = NULL;
	int r = find_inks(im, t, inks);

	if (r < 0)
		return r;
	rgb = malloc(n);
	if (!rgb)
		return -ENOMEM;
	for (unsigned int y = 0; y < im->height; y++)
		for (unsigned int x = 0; x < im->width; x++)
			memcpy(rgb + 3 * ((size_t) y * im->width + x),
			       t->colours[inks[ink_at(im, x, y)]], 3);
	for (size_t i = 0; i < ARRAY_SIZE(qualities); i++) {
		buf_clear(out);
		r = jpeg_pack(rgb, im->width, im->height, qualities[i], out);
		if (r < 0 || comes_back(im, t, inks, out))
			return r;
	}
	return -ERR_RANGE;
}

/* --- planes ----------------------------------------------------------------------------------- */

/** Bits of a pixel that follow each other; 0 = the type has planes. */
static unsigned int packed_bits(const struct oepl_type *t)
{
	switch (t->bpp) {
	case 3:
	case 4:
		return t->bpp;
	case BPP_PACKED2:
		return 2;
	default:
		return 0;
	}
}

static bool is_packed(const struct oepl_type *t)
{
	return packed_bits(t) > 0;
}

bool oepl_is_plain(const struct oepl_type *t, uint16_t version)
{
	return is_packed(t) ||
	       (t->bpp <= 2 && !(t->zlib && version >= t->zlib) && !(t->g5 && version >= t->g5));
}

/** How the panel's memory lies to the picture: its sides, and which pixel belongs where. */
struct turn {
	unsigned int w, h; /**< of the memory */
	unsigned int quarters;
};

static struct turn turn_of(const struct oepl_type *t)
{
	struct turn turn = {.w = t->width, .h = t->height, .quarters = t->rotatebuffer};

	if (t->rotatebuffer % 2) {
		turn.w = t->height;
		turn.h = t->width;
		turn.quarters = t->rotatebuffer == 1 ? 3 : 1;
	}
	return turn;
}

static enum ink ink_turned(const struct image *im, const struct turn *t, unsigned int x,
			   unsigned int y)
{
	switch (t->quarters) {
	case 1:
		return ink_at(im, y, t->w - 1 - x);
	case 2:
		return ink_at(im, t->w - 1 - x, t->h - 1 - y);
	case 3:
		return ink_at(im, t->h - 1 - y, x);
	default:
		return ink_at(im, x, y);
	}
}

/** One plane. Colour 1 is a bit of the first, 2 of the second, 3 of both. */
static void put_plane(const struct image *im, const struct turn *turn,
		      const unsigned int inks[INK_COUNT], unsigned int mask, struct buf *out)
{
	uint8_t *to = buf_extend(out, (size_t) turn->w / 8 * turn->h);

	if (!to)
		return;
	memset(to, 0, (size_t) turn->w / 8 * turn->h);
	for (unsigned int y = 0; y < turn->h; y++)
		for (unsigned int x = 0; x < turn->w; x++)
			if (inks[ink_turned(im, turn, x, y)] & mask)
				to[((size_t) y * turn->w + x) / 8] |= (uint8_t) (0x80u >> x % 8);
}

/** The numbers of the colours, one after the other, also from row to row. */
static void put_packed(const struct image *im, const struct oepl_type *t, const struct turn *turn,
		       const unsigned int inks[INK_COUNT], struct buf *out)
{
	unsigned int bits = packed_bits(t);
	size_t n = ((size_t) turn->w * turn->h * bits + 7) / 8, at = 0;
	uint8_t *to = buf_extend(out, n);

	if (!to)
		return;
	memset(to, 0, n);
	for (unsigned int y = 0; y < turn->h; y++)
		for (unsigned int x = 0; x < turn->w; x++)
			for (unsigned int k = bits; k-- > 0; at++)
				if (inks[ink_turned(im, turn, x, y)] >> k & 1)
					to[at / 8] |= (uint8_t) (0x80u >> at % 8);
}

/** Whether any pixel needs the second plane. */
static bool needs_second(const struct image *im, const unsigned int inks[INK_COUNT])
{
	bool second[INK_COUNT];

	for (size_t i = 0; i < INK_COUNT; i++)
		second[i] = inks[i] & 2;
	for (unsigned int y = 0; y < im->height; y++)
		for (unsigned int x = 0; x < im->width; x++)
			if (second[ink_at(im, x, y)])
				return true;
	return false;
}

int oepl_planes(const struct image *im, const struct oepl_type *t, struct buf *out)
{
	struct turn turn = turn_of(t);
	unsigned int inks[INK_COUNT];
	int r = find_inks(im, t, inks);

	if (r < 0)
		return r;
	if (is_packed(t)) {
		if (t->n_colours > 1u << packed_bits(t))
			return -ENOTSUP;
		put_packed(im, t, &turn, inks, out);
		return buf_ok(out) ? 0 : out->err;
	}
	/* Where rows share bytes the firmware mixes their pixels: what would a panel make of it? */
	if (t->bpp > 2 || t->n_colours > 4 || turn.w % 8)
		return -ENOTSUP;
	put_plane(im, &turn, inks, 1, out);
	if (t->bpp > 1 && needs_second(im, inks))
		put_plane(im, &turn, inks, 2, out);
	return buf_ok(out) ? 0 : out->err;
}

/* --- comparing -------------------------------------------------------------------------------- */

/** Its length, and the sides: those of the picture, or of the memory, as the firmware's age has it.
 */
static bool has_header(const uint8_t head[HEADER], const struct turn *turn)
{
	unsigned int a, b;
	struct wire w;

	wire_init(&w, head, HEADER);
	if (wire_get_u8(&w) != HEADER)
		return false;
	a = wire_get_u16le(&w);
	b = wire_get_u16le(&w);
	return (a == turn->w && b == turn->h) || (a == turn->h && b == turn->w);
}

/** Length (32 bits, little-endian), then a zlib stream of as many bytes: header and planes. */
static int inflated_is(const void *data, size_t len, const struct turn *turn,
		       const struct buf *planes)
{
	size_t full = planes->len + HEADER;
	uLongf n = (uLongf) full;
	_cleanup_free_ uint8_t *to = NULL;
	struct wire w;

	wire_init(&w, data, len);
	if (wire_get_u32le(&w) != full || !wire_ok(&w))
		return 0;
	to = malloc(full);
	if (!to)
		return -ENOMEM;
	if (uncompress(to, &n, (const Bytef *) data + 4, (uLong) (len - 4)) != Z_OK || n != full)
		return 0;
	return has_header(to, turn) && memcmp(to + HEADER, planes->data, planes->len) == 0;
}

/** Header, then both planes one below the other. */
static int unfolded_is(const uint8_t *data, size_t len, const struct turn *turn,
		       const struct buf *planes)
{
	_cleanup_buf_ struct buf lines = BUF_INIT;
	unsigned int rows = (unsigned int) (planes->len / (turn->w / 8));
	int r;

	if (len <= HEADER || !has_header(data, turn))
		return 0;
	r = g5_unpack(data + HEADER, len - HEADER, turn->w, rows, &lines);
	if (r == -ENOMEM)
		return r;
	return r == 0 && lines.len == planes->len &&
	       memcmp(lines.data, planes->data, lines.len) == 0;
}

int oepl_same_picture(const void *data, size_t len, const struct image *im,
		      const struct oepl_type *t)
{
	_cleanup_buf_ struct buf planes = BUF_INIT;
	struct turn turn = turn_of(t);
	int r = oepl_planes(im, t, &planes);

	if (r < 0)
		return r;
	if (len == planes.len && memcmp(data, planes.data, len) == 0)
		return 1;
	if (is_packed(t))
		return 0;
	r = inflated_is(data, len, &turn, &planes);
	return r == 0 && t->g5 ? unfolded_is(data, len, &turn, &planes) : r;
}

void oepl_hash(const void *data, size_t len, uint8_t ret[OEPL_HASH_BYTES])
{
	struct md5_ctx ctx;

	md5_init(&ctx);
	md5_update(&ctx, len, data);
	md5_digest(&ctx, OEPL_HASH_BYTES, ret);
}
