/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * How far one label is in a rollout: a pure function of what is known of it. The words are those of
 * label_progress.h, and "rolled-back". A label that has acknowledged the new picture stays so,
 * whatever is drawn on it later, until its price goes back.
 */
#pragma once

#include "common/util.h"
#include "controller/shop/label_state.h"
#include <stdbool.h>

enum rollout_label_state {
	ROLLOUT_LABEL_WAITING,
	ROLLOUT_LABEL_DRAWING,
	ROLLOUT_LABEL_STAGING,
	ROLLOUT_LABEL_STAGED,
	ROLLOUT_LABEL_FLIPPED, /**< acknowledged */
	ROLLOUT_LABEL_SHOWN,   /**< confirmed or read back */
	ROLLOUT_LABEL_FAILED,
	ROLLOUT_LABEL_BACK,
	ROLLOUT_LABEL_STATE_COUNT
};
const char *rollout_label_text(enum rollout_label_state state);
/** ROLLOUT_LABEL_STATE_COUNT if there is no such word. */
enum rollout_label_state rollout_label_parse(const char *text);

/** How far the product is whose label it is. */
enum rollout_product_state {
	ROLLOUT_PRODUCT_WAITING,
	ROLLOUT_PRODUCT_STAGING,
	ROLLOUT_PRODUCT_FLIPPED,
	ROLLOUT_PRODUCT_BACK,      /**< the old price is restored, or will be at back_us */
	ROLLOUT_PRODUCT_OVERTAKEN, /**< somebody changed its price: the rollout leaves it alone */
	ROLLOUT_PRODUCT_STATE_COUNT
};
const char *rollout_product_text(enum rollout_product_state state);
/** ROLLOUT_PRODUCT_STATE_COUNT if there is no such word. */
enum rollout_product_state rollout_product_parse(const char *text);

/** What a label had reached by the step before. */
struct rollout_label_row {
	enum rollout_label_state state;
	int64_t staged_us, flipped_us, shown_us; /**< 0 = not */
	int grade;
	char reason[LABEL_REASON_MAX];
};

struct rollout_label_facts {
	int64_t now_us;
	int64_t began_us;  /**< when the rollout's first wave began */
	int64_t flip_us;   /**< of its product; 0 = none yet */
	int64_t back_us;   /**< when its product goes back; 0 = it does not */
	int64_t settle_us; /**< who has not answered by then has failed */
	enum rollout_product_state product;
	bool adopted;
	bool online; /**< its access point */
	const char *agent;
	int64_t lost_us; /**< 0 = not lost */
	const char *lost_text;
	int error;
	int64_t error_us;
	const char *error_text;
	int64_t slots;    /**< 0 = not known yet */
	int64_t pictures; /**< different ones in its timeline */
	bool drawn;       /**< its timeline is up to date */
	bool has_wish;    /**< there is a picture in force */
	bool has_held;    /**< and one that is held */
	int64_t held_staged_us;
	bool shows_held; /**< what it shows already is the picture held */
	bool shows_wish; /**< evidence that it shows the picture in force */
	int64_t shown_since_us;
	int grade;
	struct rollout_label_row before;
};

struct rollout_label_verdict {
	struct rollout_label_row row;
	bool reachable;
	bool stageable; /**< has a slot to spare */
	bool staged;    /**< has the picture, or needs none */
	bool lost_before;
};

void rollout_label_judge(const struct rollout_label_facts *f, struct rollout_label_verdict *ret);
