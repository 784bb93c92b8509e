/* SPDX-License-Identifier: Apache-2.0 */
#include "rfid/llrp_normal.h"

#include "common/err.h"
#include <string.h>

/* Times beyond this (the year 73000) are nonsense, and sums with them could overflow. */
#define MAX_TIME_US (UINT64_C(1) << 61)
/* A report spans at most this, whatever its first and last times claim. */
#define MAX_SPAN_US (600 * US_PER_SEC)

static void offset_init(struct llrp_offset *o)
{
	*o = (struct llrp_offset){.now_us = INT64_MAX, .before_us = INT64_MAX};
}

static void offset_learn(struct llrp_offset *o, int64_t reader_us, int64_t now_us)
{
	int64_t age = now_us - o->window_start_us;

	if (o->now_us == INT64_MAX || age >= LLRP_CLOCK_WINDOW_US || age < 0) {
		o->before_us = age >= 0 && age < 2 * LLRP_CLOCK_WINDOW_US ? o->now_us : INT64_MAX;
		o->now_us = INT64_MAX;
		o->window_start_us = now_us;
	}
	o->now_us = MIN(o->now_us, now_us - reader_us);
}

static int64_t offset_get(const struct llrp_offset *o)
{
	return MIN(o->now_us, o->before_us);
}

void llrp_normal_init(struct llrp_normal *n, uint16_t default_antenna)
{
	*n = (struct llrp_normal){.default_antenna = default_antenna};
	llrp_normal_clock_set(n);
}

void llrp_normal_clock_set(struct llrp_normal *n)
{
	offset_init(&n->utc);
	offset_init(&n->uptime);
}

void llrp_normal_clock(struct llrp_normal *n, uint64_t reader_us, int64_t now_us)
{
	if (reader_us < MAX_TIME_US)
		offset_learn(&n->utc, (int64_t) reader_us, now_us);
}

void llrp_normal_uptime(struct llrp_normal *n, uint64_t reader_us, int64_t now_us)
{
	if (reader_us < MAX_TIME_US)
		offset_learn(&n->uptime, (int64_t) reader_us, now_us);
}

#define CARRY(flag, member)                                                                        \
	do {                                                                                       \
		if (tag->has & (flag))                                                             \
			n->last.member = tag->member;                                              \
	} while (0)

static void carry_forward(struct llrp_normal *n, const struct llrp_tag *tag)
{
	CARRY(LLRP_TAG_ANTENNA, antenna);
	CARRY(LLRP_TAG_PEAK_RSSI, peak_rssi);
	CARRY(LLRP_TAG_CHANNEL, channel);
	CARRY(LLRP_TAG_COUNT, count);
	CARRY(LLRP_TAG_FIRST_UTC, first_utc);
	CARRY(LLRP_TAG_LAST_UTC, last_utc);
	CARRY(LLRP_TAG_FIRST_UPTIME, first_uptime);
	CARRY(LLRP_TAG_LAST_UPTIME, last_uptime);
	n->known |= tag->has;
}

/** The reader's view of the report's times; false if it gave none that make sense. */
static bool reader_times(const struct llrp_normal *n, bool uptime, uint64_t *first, uint64_t *last)
{
	uint32_t has_first = uptime ? LLRP_TAG_FIRST_UPTIME : LLRP_TAG_FIRST_UTC;
	uint32_t has_last = uptime ? LLRP_TAG_LAST_UPTIME : LLRP_TAG_LAST_UTC;

	*first = uptime ? n->last.first_uptime : n->last.first_utc;
	*last = uptime ? n->last.last_uptime : n->last.last_utc;
	if (!(n->known & (has_first | has_last)))
		return false;
	if (!(n->known & has_last))
		*last = *first;
	if (!(n->known & has_first) || *first > *last)
		*first = *last;
	return *last < MAX_TIME_US;
}

static void put_times(struct llrp_normal *n, int64_t now_us, struct rfid_read *ret)
{
	bool uptime = !(n->known & (LLRP_TAG_FIRST_UTC | LLRP_TAG_LAST_UTC));
	struct llrp_offset *o = uptime ? &n->uptime : &n->utc;
	uint64_t first, last;
	int64_t off;

	ret->first_us = ret->last_us = now_us;
	ret->rebased = true;
	if (!reader_times(n, uptime, &first, &last))
		return;
	offset_learn(o, (int64_t) last, now_us);
	off = offset_get(o);
	if (!uptime && off <= LLRP_CLOCK_TOLERANCE_US && off >= -LLRP_CLOCK_TOLERANCE_US)
		ret->rebased = false;
	if (!uptime && off <= LLRP_CLOCK_NOISE_US && off >= -LLRP_CLOCK_NOISE_US)
		off = 0;
	ret->last_us = MIN((int64_t) last + off, now_us);
	ret->first_us = ret->last_us - MIN((int64_t) (last - first), MAX_SPAN_US);
}

int llrp_normal_read(struct llrp_normal *n, const struct llrp_tag *tag, int64_t now_us,
		     struct rfid_read *ret)
{
	/* Carried even if this tag itself is of no use: the rule speaks of parameters received. */
	carry_forward(n, tag);
	memset(ret, 0, sizeof(*ret));
	if (tag->epc_bits == 0 || epc_set(&ret->epc, tag->epc, tag->epc_bits) < 0)
		return -ERR_RANGE;
	ret->antenna = n->known & LLRP_TAG_ANTENNA ? n->last.antenna : n->default_antenna;
	ret->count = n->known & LLRP_TAG_COUNT ? MAX(n->last.count, 1) : 1;
	ret->channel = n->known & LLRP_TAG_CHANNEL ? n->last.channel : 0;
	if (tag->has & LLRP_TAG_FINE_RSSI)
		ret->rssi_cdbm = tag->fine_rssi;
	else if (n->known & LLRP_TAG_PEAK_RSSI)
		ret->rssi_cdbm = (int16_t) (n->last.peak_rssi * 100);
	else
		ret->rssi_cdbm = INT16_MIN;
	/* Custom parameters describe this very read; the rule is not for them. */
	ret->phase = tag->has & LLRP_TAG_PHASE ? tag->phase : UINT16_MAX;
	ret->doppler = tag->has & LLRP_TAG_DOPPLER ? tag->doppler : INT16_MIN;
	put_times(n, now_us, ret);
	return 0;
}
