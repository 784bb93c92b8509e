/* SPDX-License-Identifier: Apache-2.0 */
/** @file A label's light: who asks for it, within what its battery allows, and what a report says
 * of it. */
#pragma once

#include "controller/shop/label.h"
#include "controller/shop/shop_internal.h"

/** One label that is to blink. */
struct flash_wish {
	const char *who;
	uint64_t addr;
	int64_t seconds;
	uint8_t colour; /**< LED_NONE = green; then what it is */
	/* found out */
	struct shop_refusal why;
	int64_t retry_s; /**< with the refusal of a spent budget */
	int64_t until_us;
	int64_t agent_id;
};

/** Inside a write, which audits it. -ERR_STATE: refused, `why` says why, and nothing is written. */
int label_flash_ask(struct sql *s, struct flash_wish *f, int64_t now_us) _must_check_;
/** Calls a flash off. One that blinks is turned off, and out by until_us at the latest. Otherwise
 * as label_flash_ask(). */
int label_flash_stop(struct sql *s, struct flash_wish *f, int64_t now_us,
		     bool *ret_stopped) _must_check_;
/** seconds and colour of a request, with what they are when it does not say. Replies and returns
 * false if they are wrong. */
bool label_flash_read(struct http_request *rq, const json_t *body, int64_t *ret_seconds,
		      uint8_t *ret_colour);

/** Keeps which LEDs it has and what became of a flash; inside a write. `text` is the report's,
 * cleaned. */
int label_flash_reported(struct sql *s, const struct label *l, const struct proto_label_report *rep,
			 int64_t agent_id, int64_t at_us, const char *text) _must_check_;
