/* SPDX-License-Identifier: Apache-2.0 */
/** @file Texts of products: what may be stored, and the folded form that search compares. */
#pragma once

#include "common/util.h"
#include <stdbool.h>

#define PRODUCT_TEXT_MAX 300 /**< bytes of a name; brand and category as well */

/**
 * Checks and trims: valid UTF-8, no control characters (a line break becomes a blank), at most
 * PRODUCT_TEXT_MAX bytes. -ERR_UTF8, -ERR_SYNTAX (control character) or -ERR_TOO_LARGE; then
 * *ret_at is the offset of the first bad byte.
 */
int product_text_clean(const char *text, size_t len, char buf[PRODUCT_TEXT_MAX + 1],
		       size_t *ret_at) _must_check_;

/**
 * The form in which names are compared: lower case, without accents, blanks squeezed ("Crème
 * BRÛLÉE" -> "creme brulee"). Valid UTF-8 in, owned text out; NULL when out of memory.
 */
char *product_text_fold(const char *text);
