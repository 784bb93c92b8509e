/* SPDX-License-Identifier: Apache-2.0 */
/** @file What a report says of a label's light. */
#pragma once

#include "controller/shop/label.h"

/** Keeps which LEDs it has and what became of a flash; inside a write. `text` is the report's,
 * cleaned. */
int label_flash_reported(struct sql *s, const struct label *l, const struct proto_label_report *rep,
			 int64_t agent_id, int64_t at_us, const char *text) _must_check_;
