/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * From a tag report as it stood in the frame to a struct rfid_read: fields that were enabled but
 * left out are carried forward from the last one received (LLRP 14.2.3), and the reader's times are
 * put on the agent's clock when the two disagree.
 *
 * The difference between the clocks is the smallest seen between a report's time and its arrival,
 * over the last ten to twenty seconds: reports come late but never early. A difference that the
 * network explains is left alone; beyond a second the read is flagged. No time is later than the
 * arrival.
 */
#pragma once

#include "rfid/llrp_report.h"
#include "rfid/rfid.h"

#define LLRP_CLOCK_NOISE_US     (100 * US_PER_MS)
#define LLRP_CLOCK_TOLERANCE_US (1 * US_PER_SEC) /**< beyond, `rebased` is set */
#define LLRP_CLOCK_WINDOW_US    (10 * US_PER_SEC)

/** How far the agent's clock is ahead of one of the reader's. */
struct llrp_offset {
	int64_t window_start_us;
	int64_t now_us;    /**< smallest of this window, INT64_MAX = none */
	int64_t before_us; /**< smallest of the window before */
};

struct llrp_normal {
	uint32_t known; /**< enum llrp_tag_has: what was received at least once */
	struct llrp_tag last;
	uint16_t default_antenna;
	struct llrp_offset utc, uptime;
};

void llrp_normal_init(struct llrp_normal *n, uint16_t default_antenna);
/** Evidence of the reader's UTC clock from elsewhere (the connection event). */
void llrp_normal_clock(struct llrp_normal *n, uint64_t reader_us, int64_t now_us);
/** The same of its uptime, for readers without a UTC clock. */
void llrp_normal_uptime(struct llrp_normal *n, uint64_t reader_us, int64_t now_us);
/** Our own clock was set: what is known about the difference is void. */
void llrp_normal_clock_set(struct llrp_normal *n);
/** One report. -ERR_RANGE for an EPC that is empty or longer than a tag can hold. */
int llrp_normal_read(struct llrp_normal *n, const struct llrp_tag *tag, int64_t now_us,
		     struct rfid_read *ret) _must_check_;
