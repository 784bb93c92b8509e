/* SPDX-License-Identifier: Apache-2.0 */
/** @file The one thing the agent wants of an RFC 9457 problem body: its `code` word. */
#pragma once

#include "common/util.h"

#define PROBLEM_CODE_MAX 48

/** Copies the value of the first "code" member: lower-case words and dashes only. Empty if there is
 * none that looks so. Returns ret_code. */
const char *problem_code(const void *body, size_t len, char ret_code[PROBLEM_CODE_MAX]);
