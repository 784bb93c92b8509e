/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Pictures asked for and held for a moment (images.c).
 */
#pragma once

#include "esl-radio/label.h"
#include <sys/queue.h>

struct buf;
struct esl_engine;

struct esl_image {
	TAILQ_ENTRY(esl_image) link; /**< most recently used first */
	uint8_t hash[IMAGE_HASH_BYTES];
	uint8_t *data;
	size_t len;
	uint16_t width, height;
	uint8_t type;
	bool asked; /**< wanted, not here yet */
	int64_t asked_us;
};

TAILQ_HEAD(esl_image_list, esl_image);

/** The image if it is here; otherwise asks for it (again after 30 s) and returns NULL. */
struct esl_image *esl_image_get(struct esl_engine *e, const uint8_t hash[IMAGE_HASH_BYTES]);
/** The image if it is here; never asks. */
struct esl_image *esl_image_peek(struct esl_engine *e, const uint8_t hash[IMAGE_HASH_BYTES]);
/** The picture as the label's panel wants it. -ENOTSUP where nobody has said how. */
int esl_image_for(const struct esl_engine *e, const struct esl_label *l, const struct esl_image *im,
		  struct buf *ret) _must_check_;
/** True if it was asked for a while ago and has not come. */
bool esl_image_is_late(const struct esl_engine *e, const uint8_t hash[IMAGE_HASH_BYTES]);
int esl_image_put(struct esl_engine *e, const uint8_t hash[IMAGE_HASH_BYTES], const void *data,
		  size_t len);
void esl_images_done(struct esl_engine *e);
