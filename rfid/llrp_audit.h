/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Is what a reader says of itself what we have set? Both sides are trees of messages: what we would
 * send, and what it answered. Only what we set is compared, and only where the reader tells it: a
 * reader that fills in more, or says less, has not drifted.
 */
#pragma once

#include "rfid/llrp_setup.h"

#define LLRP_AUDIT_FINDINGS 6
#define LLRP_AUDIT_TEXT     224

struct llrp_finding {
	const char *what;       /**< "transmit power" */
	uint64_t found, wanted; /**< as on the wire */
	uint16_t antenna;       /**< 0 = all, or no matter of antennas */
	bool is_power;          /**< an index into the power table */
};

struct llrp_findings {
	size_t n; /**< of the list; beyond that they are counted in `more` */
	size_t more;
	struct llrp_finding list[LLRP_AUDIT_FINDINGS];
};

/** `wanted` and `found` are ROSpec parameters: antennas, power, hop table, mode, session,
 * population, and what a report contains. */
void llrp_audit_rospec(const struct llrp_elem *wanted, const struct llrp_elem *found,
		       struct llrp_findings *ret);
/** `wanted` is the root of a SET_READER_CONFIG, `found` that of a GET_READER_CONFIG_RESPONSE:
 * keepalives, events, holding. */
void llrp_audit_config(const struct llrp_elem *wanted, const struct llrp_elem *found,
		       struct llrp_findings *ret);
/** "transmit power 15.00 dBm instead of 30.00 dBm (antenna 2); session 0 instead of 1". */
const char *llrp_audit_words(const struct llrp_findings *f, const struct llrp_caps *caps,
			     char buf[LLRP_AUDIT_TEXT]);
