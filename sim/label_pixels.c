/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/label_pixels.h"

#include "common/err.h"
#include <errno.h>
#include <zlib.h>

#define HEAD_BYTES  6
#define WINDOW_BITS 10

const uint8_t sim_object_type[16] = {0x6c, 0x1b, 0x49, 0x02, 0x8d, 0x3e, 0x4f, 0x57,
				     0x9a, 0x60, 0x21, 0xc4, 0x5e, 0xa7, 0x90, 0x01};

/* Row by row of the panel, whose row r is the picture's column r and begins at its bottom. */
static int standing(const uint8_t *data, size_t len, struct image *im)
{
	size_t row_bytes = (im->height + 7u) / 8, plane_bytes = row_bytes * im->width;

	if (len != plane_bytes * im->planes)
		return -ERR_BADMSG;
	for (unsigned int plane = 0; plane < im->planes; plane++)
		for (unsigned int row = 0; row < im->width; row++) {
			const uint8_t *bits = data + plane * plane_bytes + row * row_bytes;

			for (unsigned int i = 0; i < im->height; i++)
				if (!(bits[i >> 3] & 0x80 >> (i & 7)))
					image_set(im, plane, row, im->height - 1 - i, true);
		}
	return 0;
}

static int columns(const uint8_t *data, size_t len, struct image *im)
{
	size_t column_bytes = (im->height + 15u) / 16 * 2, plane_bytes = column_bytes * im->width;

	if (len != 2 * plane_bytes)
		return -ERR_BADMSG;
	for (size_t at = 0; at < len; at++) {
		unsigned int plane = at < plane_bytes; /* the colour comes first */
		size_t in_plane = at % plane_bytes;
		unsigned int x = (unsigned int) (in_plane / column_bytes);
		unsigned int y = (unsigned int) (in_plane % column_bytes) * 8;

		for (unsigned int bit = 0; bit < 8; bit++) {
			if (!(data[at] >> bit & 1))
				continue;
			if (plane >= im->planes || y + bit >= im->height)
				return -ERR_BADMSG;
			image_set(im, plane, x, y + bit, true);
		}
	}
	return 0;
}

static int unpack(const uint8_t *data, size_t len, struct image *im)
{
	z_stream z = {0};
	uint32_t length;
	uint8_t *raw;
	int r;

	if (len < HEAD_BYTES || data[0] != 'G' || data[1] != 'C')
		return -ERR_BADMSG;
	length = (uint32_t) (data[2] | data[3] << 8) | (uint32_t) data[4] << 16 |
		 (uint32_t) data[5] << 24;
	if (length == 0 || length > 2u * IMAGE_MAX_SIDE * IMAGE_MAX_SIDE / 8)
		return -ERR_BADMSG;
	raw = malloc(length);
	if (!raw || inflateInit2(&z, WINDOW_BITS) != Z_OK) {
		free(raw);
		return -ENOMEM;
	}
	z.next_in = (Bytef *) data + HEAD_BYTES;
	z.avail_in = (uInt) (len - HEAD_BYTES);
	z.next_out = raw;
	z.avail_out = length;
	r = inflate(&z, Z_FINISH);
	r = r == Z_STREAM_END && z.avail_in == 0 && z.avail_out == 0 ? columns(raw, length, im)
								     : -ERR_BADMSG;
	(void) inflateEnd(&z);
	free(raw);
	return r;
}

/** Nothing can be black and coloured at once. */
static int settle(struct image *im)
{
	size_t plane = image_stride(im) * im->height;

	for (size_t i = 0; im->planes > 1 && i < plane; i++)
		if (im->data[i] & im->data[plane + i])
			return -ERR_BADMSG;
	return 0;
}

int sim_pixels_decode(const struct sim_label_model *m, const uint8_t *data, size_t len,
		      struct image *ret)
{
	struct image im;
	int r = image_init(&im, m->width, m->height, m->type);

	if (r < 0)
		return r;
	r = m->personality == SIM_PERSONALITY_SL ? standing(data, len, &im)
						 : unpack(data, len, &im);
	if (r == 0)
		r = settle(&im);
	if (r < 0)
		image_done(&im);
	else
		*ret = im;
	return r;
}
