/* SPDX-License-Identifier: Apache-2.0 */
#include "common/image.h"
#include "common/err.h"
#include "common/wire.h"
#include <errno.h>
#include <nettle/sha2.h>
#include <string.h>

static const uint8_t magic[4] = {'G', 'L', 'I', '1'};

unsigned int image_planes(uint8_t type)
{
	switch (type) {
	case DISPLAY_BLACK_WHITE:
		return 1;
	case DISPLAY_RED_BLACK_WHITE:
	case DISPLAY_YELLOW_BLACK_WHITE:
		return 2;
	default:
		return 0;
	}
}

int image_init(struct image *im, uint16_t width, uint16_t height, uint8_t type)
{
	unsigned int planes = image_planes(type);

	if (!planes || !width || !height || width > IMAGE_MAX_SIDE || height > IMAGE_MAX_SIDE)
		return -ERR_RANGE;
	struct image made = {
		.width = width, .height = height, .type = type, .planes = (uint8_t) planes};

	made.data = calloc(1, image_data_bytes(&made));
	if (!made.data)
		return -ENOMEM;
	*im = made;
	return 0;
}

void image_done(struct image *im)
{
	free(im->data);
	*im = (struct image){0};
}

static size_t bit_at(const struct image *im, unsigned int plane, unsigned int x, unsigned int y)
{
	return ((size_t) plane * im->height + y) * image_stride(im) * 8 + x;
}

bool image_get(const struct image *im, unsigned int plane, unsigned int x, unsigned int y)
{
	size_t at = bit_at(im, plane, x, y);

	return im->data[at / 8] >> (7 - at % 8) & 1u;
}

void image_set(struct image *im, unsigned int plane, unsigned int x, unsigned int y, bool on)
{
	size_t at = bit_at(im, plane, x, y);
	uint8_t mask = (uint8_t) (0x80u >> at % 8);

	if (on)
		im->data[at / 8] |= mask;
	else
		im->data[at / 8] &= (uint8_t) ~mask;
}

void image_encode(const struct image *im, struct buf *out)
{
	buf_put(out, magic, sizeof(magic));
	buf_put_u8(out, im->type);
	buf_put_u8(out, im->planes);
	buf_put_u16be(out, im->width);
	buf_put_u16be(out, im->height);
	buf_put(out, im->data, image_data_bytes(im));
}

/* One picture has one serial form, hence one hash: stray bits beside the panel are refused. */
static bool padding_is_zero(const struct image *im)
{
	unsigned int spare = (8 - im->width % 8) % 8;
	size_t stride = image_stride(im), rows = (size_t) im->height * im->planes;

	for (size_t row = 0; spare && row < rows; row++)
		if (im->data[row * stride + stride - 1] & ((1u << spare) - 1))
			return false;
	return true;
}

int image_decode(const void *data, size_t len, struct image *ret)
{
	struct wire w;
	uint8_t head[4];
	struct image im = {0};

	wire_init(&w, data, len);
	wire_copy(&w, head, sizeof(head));
	uint8_t type = wire_get_u8(&w), planes = wire_get_u8(&w);
	uint16_t width = wire_get_u16be(&w), height = wire_get_u16be(&w);

	if (!wire_ok(&w))
		return w.err;
	if (memcmp(head, magic, sizeof(magic)) != 0 || planes != image_planes(type))
		return -ERR_BADMSG;
	int r = image_init(&im, width, height, type);

	if (r < 0)
		return r;
	wire_copy(&w, im.data, image_data_bytes(&im));
	r = wire_finish(&w);
	if (r == 0 && !padding_is_zero(&im))
		r = -ERR_BADMSG;
	if (r < 0) {
		image_done(&im);
		return r;
	}
	*ret = im;
	return 0;
}

void image_hash(const void *data, size_t len, uint8_t ret_hash[IMAGE_HASH_BYTES])
{
	struct sha256_ctx ctx;

	sha256_init(&ctx);
	sha256_update(&ctx, len, data);
	sha256_digest(&ctx, IMAGE_HASH_BYTES, ret_hash);
}
