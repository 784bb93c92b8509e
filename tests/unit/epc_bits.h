/* SPDX-License-Identifier: Apache-2.0 */
/** @file EPC bits from the hex of an example. */
#pragma once

#include "common/epc.h"
#include "tests/unit/test_common.h"
#include <stdio.h>
#include <string.h>

/** The hex of an example may end in the middle of an octet. */
static inline struct epc bits_of(const char *hex)
{
	char even[EPC_HEX_MAX];
	struct epc e = {0};

	snprintf(even, sizeof(even), "%s%s", hex, strlen(hex) % 2 ? "0" : "");
	assert_int_equal(epc_from_hex(even, &e), 0);
	return e;
}
