/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The fast path for RO_ACCESS_REPORT: one pass over the frame, nothing allocated, each tag report
 * into a plain struct. It accepts every report that llrp_msg_decode() accepts and that names an EPC
 * in each TagReportData, and then says the same; a fuzz target holds the two against each other.
 * Parameters it has no use for (operation results, surveys) are stepped over by their length.
 */
#pragma once

#include "rfid/llrp_table.h"

/** Which members of struct llrp_tag the reader sent. */
enum llrp_tag_has {
	LLRP_TAG_ANTENNA = 1u << 0,
	LLRP_TAG_PEAK_RSSI = 1u << 1,
	LLRP_TAG_CHANNEL = 1u << 2,
	LLRP_TAG_COUNT = 1u << 3,
	LLRP_TAG_FIRST_UTC = 1u << 4,
	LLRP_TAG_LAST_UTC = 1u << 5,
	LLRP_TAG_FIRST_UPTIME = 1u << 6,
	LLRP_TAG_LAST_UPTIME = 1u << 7,
	LLRP_TAG_ROSPEC = 1u << 8,
	LLRP_TAG_PC = 1u << 9,
	LLRP_TAG_FINE_RSSI = 1u << 10, /**< Impinj */
	LLRP_TAG_PHASE = 1u << 11,     /**< Impinj */
	LLRP_TAG_DOPPLER = 1u << 12,   /**< Impinj */
	LLRP_TAG_EPC = 1u << 13,
};

/** One TagReportData as it stood in the frame; a member without its bit in `has` is zero. If a
 * parameter came twice, the first counts. */
struct llrp_tag {
	uint32_t has;
	uint16_t epc_bits;
	const uint8_t *epc; /**< into the frame */
	uint16_t antenna;
	uint16_t channel;
	uint16_t count;
	uint16_t pc;
	int8_t peak_rssi;  /**< dBm */
	int16_t fine_rssi; /**< 1/100 dBm */
	uint16_t phase;    /**< 4096 steps a turn */
	int16_t doppler;   /**< 1/16 Hz */
	uint32_t rospec;
	uint64_t first_utc, last_utc;       /**< microseconds since 1970 */
	uint64_t first_uptime, last_uptime; /**< microseconds since the reader started */
};

struct llrp_report {
	const uint8_t *pos, *end;
};

/** `frame` is one whole RO_ACCESS_REPORT. -ERR_BADMSG if it is not. */
int llrp_report_begin(struct llrp_report *it, const uint8_t *frame, size_t len)
	__attribute__((warn_unused_result));
/** 1 and a tag, 0 at the end, -ERR_BADMSG on the first fault (no more after it). */
int llrp_report_next(struct llrp_report *it, struct llrp_tag *ret)
	__attribute__((warn_unused_result));
/** Walks the whole report: how many tags, or -ERR_BADMSG. A message with any error is to be
 * discarded whole, so this comes before the first tag is believed. */
int llrp_report_check(const uint8_t *frame, size_t len) __attribute__((warn_unused_result));
