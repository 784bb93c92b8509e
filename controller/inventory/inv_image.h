/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * An image of the state at one instant, and its stored form. Taking it is a handful of memory
 * copies on the loop thread (about 100 bytes an item); turning it into bytes is the snapshot
 * thread's work.
 *
 * Stored form: numbered sections, each "GSNP", version (u16le), kind (u16le), number of elements,
 * payload length, CRC-32C of number, kind and payload (u32le each), payload. First the head, then
 * antennas, streams and items in id order, INV_IMAGE_CHUNK a section.
 */
#pragma once

#include "controller/inventory/inv_state.h"

#define INV_IMAGE_VERSION 1u
#define INV_IMAGE_CHUNK   4096u

struct inv_image {
	uint64_t cover; /**< journal blobs up to this one are in it */
	int64_t taken_us;
	INV_ARRAY(struct inv_item) items;
	INV_ARRAY(struct inv_evidence) evidence;
	INV_ARRAY(struct epc) long_epcs;
	INV_ARRAY(struct inv_antenna) antennas;
	INV_ARRAY(struct inv_stream) streams;
};

/** Copies; reuses the image's storage. */
int inv_image_take(struct inv_image *im, const struct inv_state *st, uint64_t cover,
		   int64_t now_us) _must_check_;
void inv_image_done(struct inv_image *im);

/** How many sections the image has, and one of them appended to `out`. */
size_t inv_image_sections(const struct inv_image *im);
int inv_image_encode(const struct inv_image *im, size_t section, struct buf *out) _must_check_;

/** Restores section by section into a fresh state. */
struct inv_image_loader {
	struct inv_state *st;
	size_t section;
	size_t sections; /**< known after the head */
	uint64_t cover;
	int64_t taken_us;
	uint32_t items, antennas, streams; /**< promised by the head */
};
int inv_image_load(struct inv_image_loader *l, const void *data, size_t len) _must_check_;
/** After the last section: everything promised is there. */
int inv_image_loaded(const struct inv_image_loader *l) _must_check_;
