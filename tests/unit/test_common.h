/* SPDX-License-Identifier: Apache-2.0 */
/** @file The includes that cmocka wants in this order, for every unit test. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
