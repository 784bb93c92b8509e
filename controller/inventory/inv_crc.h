/* SPDX-License-Identifier: Apache-2.0 */
/** @file CRC-32C (Castagnoli, reflected, as in RFC 3720 12.1): the check of journal and snapshot.
 */
#pragma once

#include "common/util.h"

/** Continues from `crc`; start with 0. */
uint32_t inv_crc32c(uint32_t crc, const void *data, size_t len);
