/* SPDX-License-Identifier: Apache-2.0 */
/** @file Bytes to lower-case hexadecimal text and back. */
#pragma once

#include "common/util.h"

/** Writes 2 * n digits and a NUL. Returns buf. */
const char *hex_encode(const void *data, size_t n, char *buf);
/** Exactly 2 * n digits, either case. -ERR_SYNTAX otherwise. */
int hex_decode(const char *text, void *ret_data, size_t n) _must_check_;
