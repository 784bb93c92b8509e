/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * A label picture in canonical form: one or two bit planes, and the SHA-256 that names it. The
 * controller renders it, the agent stages it, the label shows it; none of them changes a bit.
 *
 * Serial form (big-endian): "GLI1", u8 display type, u8 plane count, u16 width, u16 height, then
 * the planes, rows top to bottom, each row padded to a whole byte, most significant bit leftmost.
 * Plane 0: 1 = black. Plane 1 (three-colour panels): 1 = the colour, and the black bit is then 0.
 */
#pragma once

#include "common/buf.h"

/** Display types of the ESL service (facts of ESLS 1.0 Display Information). */
enum display_type {
	DISPLAY_BLACK_WHITE = 0x01,
	DISPLAY_RED_BLACK_WHITE = 0x06,
	DISPLAY_YELLOW_BLACK_WHITE = 0x07,
};

#define IMAGE_HEADER_BYTES 10
#define IMAGE_MAX_SIDE     2048
#define IMAGE_MAX_BYTES    (IMAGE_HEADER_BYTES + 2 * (IMAGE_MAX_SIDE / 8) * IMAGE_MAX_SIDE)
#define IMAGE_HASH_BYTES   32
#define IMAGE_HASH_HEX_MAX 65

struct image {
	uint16_t width, height; /**< pixels */
	uint8_t type;           /**< enum display_type */
	uint8_t planes;         /**< 1, or 2 for three-colour panels */
	uint8_t *data;          /**< owned; planes * stride * height bytes */
};

/** Planes a display type needs; 0 for a type we cannot draw for. */
unsigned int image_planes(uint8_t type);
static inline size_t image_stride(const struct image *im)
{
	return (size_t) (im->width + 7) / 8;
}
static inline size_t image_data_bytes(const struct image *im)
{
	return image_stride(im) * im->height * im->planes;
}
/** A white picture. -ERR_RANGE for a side of 0 or beyond IMAGE_MAX_SIDE or an unknown type. */
int image_init(struct image *im, uint16_t width, uint16_t height, uint8_t type) _must_check_;
void image_done(struct image *im);
bool image_get(const struct image *im, unsigned int plane, unsigned int x, unsigned int y);
void image_set(struct image *im, unsigned int plane, unsigned int x, unsigned int y, bool on);
void image_encode(const struct image *im, struct buf *out);
/** Strict: exact length, known type, padding bits zero. */
int image_decode(const void *data, size_t len, struct image *ret) _must_check_;
/** SHA-256 of serial-form bytes. */
void image_hash(const void *data, size_t len, uint8_t ret_hash[IMAGE_HASH_BYTES]);
