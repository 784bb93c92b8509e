/* SPDX-License-Identifier: Apache-2.0 */
/** @file A difference as the API shows it: the row, and its reason in words. */
#pragma once

#include "controller/books/view.h"

#define REASON_TEXT_MAX 200

/** The sentence beside a row's reason. Returns buf. */
const char *reason_text(const struct view_row *row, int64_t now_us, char buf[REASON_TEXT_MAX]);
/** A row; `place` NULL = the whole product, with its places if the book is kept by place. */
json_t *difference_json(const struct books *b, const struct view_row *row,
			const struct view_place *place, const struct books_view *v);
json_t *difference_reason_json(enum rec_reason code, const char *text);
