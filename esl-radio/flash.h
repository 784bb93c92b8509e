/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Making a label blink, for who asks (flash.c).
 */
#pragma once

#include "esl-radio/label.h"
#include "esl-radio/led_budget.h"
#include "esl-radio/packer.h"

struct esl_engine;

enum esl_flash_state {
	ESL_FLASH_NONE,
	ESL_FLASH_ASKED,
	ESL_FLASH_ON,   /**< acknowledged; it goes out by itself */
	ESL_FLASH_STOP, /**< called off: over when no LED is left to be turned off */
	ESL_FLASH_FAILED,
};

/** The last flash that was wished for, and what the last ones have cost. */
struct esl_flash {
	int64_t until_utc_us;
	uint8_t colour;
	uint8_t state; /**< enum esl_flash_state */
	bool lived;    /**< there was a wish in this life */
	bool counted;  /**< its command has gone out: the budget has paid for it */
	uint8_t led;   /**< that one was told to blink */
	uint8_t dark;  /**< LEDs to be turned off, a bit each */
	uint8_t error; /**< why it was not done yet; 0 = it did not say */
	uint8_t pause_s;
	int64_t dark_until_us; /**< UTC: then they are out anyway */
	int64_t again_us;      /**< not told before, after an error */
	struct led_budget budget;
};

/** A wish came, or came again; until 0 = that it blinks no more, colour 0 = that what blinks until
 * then is turned off. */
void esl_flash_want(struct esl_engine *e, struct esl_label *l, int64_t until_utc_us,
		    uint8_t colour);
/** Gives up what cannot be, or is over. */
void esl_flash_due(struct esl_engine *e, struct esl_label *l);
int64_t esl_flash_wake(const struct esl_engine *e, const struct esl_label *l);
/** The command that makes it blink for as long as is left, or turns an LED off; false = there is
 * none to give. */
bool esl_flash_plan(const struct esl_engine *e, const struct esl_label *l, struct esl_cmd *ret);
/** Takes back what another access point left behind, when there is nothing better to say. */
bool esl_flash_plan_foreign(const struct esl_label *l, struct esl_cmd *ret);
/** Which flash a command and its answer belong to; 0 = an LED turned off. */
uint32_t esl_flash_tag(const struct esl_label *l);
/** Its command goes out: the budget pays for it, once. False if that could not be kept. */
bool esl_flash_sent(struct esl_engine *e, struct esl_label *l, const struct esl_cmd *c);
/** What they have cost of late, for the next life. */
void esl_flash_keep(const struct esl_engine *e, const struct esl_label *l, struct buf *out);
/** Reads that; fails the cursor. */
void esl_flash_restore(struct esl_label *l, struct wire *w);
/** An LED State, or an error. */
void esl_flash_answered(struct esl_engine *e, struct esl_label *l, const struct esl_cmd_brief *cmd,
			const struct esl_rsp *r);
/** The label may have restarted: it is dark. */
void esl_flash_restarted(struct esl_engine *e, struct esl_label *l);
/** It holds timed LED commands, and we gave it none. */
void esl_flash_foreign(struct esl_label *l);
