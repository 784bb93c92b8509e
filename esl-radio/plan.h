/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * What a label should show (slots.c), and what it should hear next to come to that (plan.c).
 */
#pragma once

#include "esl-radio/label.h"

struct esl_engine;

/** Index of the wish that holds now, or -1; *ret_next the one after it, or -1. */
int esl_wish_now(const struct esl_engine *e, const struct esl_label *l, int *ret_next);
/** Slot that holds this image, or ESL_NO_SLOT. */
int esl_slot_of(const struct esl_label *l, const uint8_t image[IMAGE_HASH_BYTES]);

struct esl_upload {
	const uint8_t *image; /**< of the label's wishes */
	uint8_t slot;
	bool clear_pending; /**< the label holds a timed command for that slot: delete it first */
};
/** The next image to write into the label, if any. */
enum esl_urgency esl_next_upload(const struct esl_engine *e, const struct esl_label *l,
				 struct esl_upload *ret);
bool esl_is_shown(const struct esl_label *l, const uint8_t image[IMAGE_HASH_BYTES]);

/** The command the label should hear next, ESL_URGENCY_NONE if none. Changes nothing. */
enum esl_urgency esl_plan(const struct esl_engine *e, const struct esl_label *l,
			  struct esl_cmd *ret);
/** When plan or wish change by the clock alone. */
int64_t esl_plan_wake(const struct esl_engine *e, const struct esl_label *l);
