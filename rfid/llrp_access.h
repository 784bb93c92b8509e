/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Operations on tags as LLRP wants them: the AccessSpec that asks, and the results in the reports.
 */
#pragma once

#include "rfid/llrp_codec.h"
#include "rfid/rfid.h"

/** ADD_ACCESSSPEC that works once on a tag and is then gone. */
int llrp_access_add(struct buf *out, uint32_t id, uint32_t spec,
		    const struct rfid_access *access) _must_check_;
/** Looks in a report for results of that spec. True and *ret when there are some. */
bool llrp_access_take(struct llrp_msg *report, uint32_t spec, const struct rfid_access *access,
		      struct rfid_access_result *ret);
