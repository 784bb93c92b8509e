/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Global Trade Item Numbers (GS1 General Specifications 3.3, check digit 7.9). Inside the program a
 * GTIN is its 14-digit value in a uint64_t; 0 means none.
 */
#pragma once

#include "common/util.h"

#define GTIN_STR_MAX 15 /**< 14 digits and a NUL */

/** Check digit for a number written without one (`body` = value without the last digit). */
unsigned int gtin_check_digit(uint64_t body);
/**
 * Parses 8, 12, 13 or 14 digits (other lengths up to 14 are taken as if zero-filled from the left).
 * Returns -ERR_SYNTAX (not digits, empty, too long) or -ERR_CHECK_DIGIT.
 */
int gtin_parse(const char *text, size_t len, uint64_t *ret_gtin) _must_check_;
/** Fourteen digits with leading zeros. Returns buf. */
const char *gtin_format(uint64_t gtin, char buf[GTIN_STR_MAX]);
/** True for numbers a store gives out itself (GS1 prefixes 02, 04, 20-29; GTIN-8 prefix 0, 2). */
int gtin_is_restricted(uint64_t gtin);
