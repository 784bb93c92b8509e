/* SPDX-License-Identifier: Apache-2.0 */
/** @file From marked labels to stored pictures: the part of wanted.h that runs on the pool. */
#pragma once

#include "controller/shop/image_store.h"
#include "controller/shop/label.h"
#include "controller/shop/shop_work.h"
#include "controller/shop/wanted.h"

struct wanted_label {
	uint64_t addr;
	int64_t stale; /**< the count that these pictures answer */
	int64_t agent_id;
	int64_t product_id;
	uint16_t width, height;
	uint8_t display_type;
	size_t n;
	struct label_wish wishes[PROTO_MAX_TIMELINE];
	bool changed; /**< out of the store: has a new revision */
};

struct wanted_batch {
	struct shop_job job; /* first */
	struct wanted *owner;
	struct image_store *images;
	struct currency currency;
	const char *zone; /**< of the shop */
	int64_t now_us;
	int err;
	size_t n;
	uint64_t drawn;
	struct wanted_label labels[WANTED_BATCH];
};

/** Reads up to WANTED_BATCH marked labels, draws their timelines and stores the pictures durably.
 */
void wanted_draw_batch(struct shop_job *job, struct shop_slot *slot);
void wanted_batch_clear(struct wanted_batch *b);
