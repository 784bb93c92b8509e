/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * How a model of label wants its pictures. The Bluetooth specification leaves pixels to the maker,
 * so that each model has a description, as data: how the model is recognised, and how the canonical
 * planes of common/image.h become the bytes of its image object. Descriptions come built in and
 * from a file (panels.conf); the first that fits a label is its own, the file's before ours.
 *
 * The way of a picture: turned by `rotate` (clockwise), then mirrored; scanned in lines, by rows or
 * by columns; each line one bit a pixel and plane (planes one after the other) or some bits a pixel
 * (packed), filled up to `line_bits`; the whole compressed; a header before it.
 *
 * Pure: no I/O but pixel_table_load(). What a table yields lives as long as the table.
 */
#pragma once

#include "common/buf.h"
#include "common/image.h"

#define PIXEL_NAME_MAX    32
#define PIXEL_HEADER_MAX  8 /**< fields */
#define PIXEL_FIELD_BYTES 8
#define PIXEL_UUID_BYTES  16
#define PIXEL_MODELS_MAX  200 /**< of one table */
#define PIXEL_WHY_MAX     320

/** What a label says of itself. Anything may be missing. */
struct pixel_identity {
	char model[PIXEL_NAME_MAX]; /**< Model Number String; empty = it has none */
	bool has_pnp;
	uint8_t vendor_source; /**< 1 Bluetooth SIG, 2 USB forum */
	uint16_t vendor, product;
	bool has_type;
	uint8_t type[PIXEL_UUID_BYTES]; /**< of its image objects, most significant byte first */
	uint16_t width, height;
	uint8_t display_type;
};

enum pixel_channel {
	PIXEL_BLACK,
	PIXEL_COLOUR,
	PIXEL_WHITE,
	PIXEL_CHANNEL_COUNT
};

enum pixel_compression {
	PIXEL_PLAIN,
	PIXEL_ZLIB,     /**< RFC 1950 */
	PIXEL_DEFLATE,  /**< RFC 1951 */
	PIXEL_PACKBITS, /**< 0-127: so many and one more bytes follow; 129-255: the next one 257 - n
			   times */
	PIXEL_COMPRESSION_COUNT
};

enum pixel_field_kind {
	PIXEL_FIELD_BYTES_AS_IS,
	PIXEL_FIELD_WIDTH,
	PIXEL_FIELD_HEIGHT,
	PIXEL_FIELD_LENGTH, /**< of the pixels before compression */
	PIXEL_FIELD_STORED, /**< after it */
	PIXEL_FIELD_KIND_COUNT
};

struct pixel_field {
	uint8_t kind;  /**< enum pixel_field_kind */
	uint8_t bytes; /**< 1, 2 or 4 of a number */
	bool big_endian;
	uint8_t as_is[PIXEL_FIELD_BYTES];
};

struct pixel_model {
	char name[PIXEL_NAME_MAX];
	/* recognised by all of these that are given */
	char model[PIXEL_NAME_MAX]; /**< exact, or a beginning and '*' */
	bool has_pnp, any_product, has_type;
	uint8_t vendor_source;
	uint16_t vendor, product;
	uint8_t type[PIXEL_UUID_BYTES];
	uint16_t width, height; /**< 0 = any */
	uint8_t display_type;   /**< 0 = any */
	/* how */
	bool canonical;  /**< the serial form of common/image.h, and nothing else counts */
	uint16_t rotate; /**< 0, 90, 180, 270: clockwise */
	bool mirror_x, mirror_y;
	bool columns; /**< lines are columns, from the left, each from the top */
	bool lsb_first;
	uint8_t n_planes; /**< 0 = packed */
	uint8_t plane[PIXEL_CHANNEL_COUNT];
	bool invert[PIXEL_CHANNEL_COUNT];  /**< by place, as `plane` */
	uint8_t pixel_bits;                /**< packed: 1, 2, 4 or 8 */
	uint8_t code[PIXEL_CHANNEL_COUNT]; /**< packed: by enum pixel_channel */
	uint8_t line_bits;                 /**< 1, 8, 16 or 32 */
	bool pad;                          /**< what lines are filled up with */
	uint8_t compression;
	uint8_t window_bits; /**< 9-15 */
	uint8_t n_header;
	struct pixel_field header[PIXEL_HEADER_MAX];
};

/** Does the description hang together? 0, or -ERR_RANGE and in `why` what is wrong. */
int pixel_model_check(const struct pixel_model *m, char why[PIXEL_WHY_MAX]) _must_check_;
/** The bytes for the label's image object, appended. A channel that the picture lacks has no ink.
 * -ENOMEM. */
int pixel_encode(const struct pixel_model *m, const struct image *im, struct buf *out) _must_check_;
/** Tells one way of drawing from another, whatever they are called; never 0. */
uint32_t pixel_fingerprint(const struct pixel_model *m);

struct pixel_table;

/** The built-in descriptions, and before them those of a file (NULL or empty = none). -ERR_CONFIG
 * with "FILE:LINE: what is wrong" in `why`. */
int pixel_table_load(const char *file, char why[PIXEL_WHY_MAX],
		     struct pixel_table **ret) _must_check_;
/** NULL-safe. */
void pixel_table_free(struct pixel_table *t);
size_t pixel_table_count(const struct pixel_table *t);
const struct pixel_model *pixel_table_at(const struct pixel_table *t, size_t i);
/** Index of the first description that fits; -ENOENT for a label with a vendor's object type that
 * none fits: it would draw noise. */
int pixel_table_find(const struct pixel_table *t, const struct pixel_identity *id);
/** By pixel_fingerprint(); -ENOENT. */
int pixel_table_by_fingerprint(const struct pixel_table *t, uint32_t fingerprint);
