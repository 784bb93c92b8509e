/* SPDX-License-Identifier: Apache-2.0 */
#include "rfid/llrp_report.h"

#include "common/err.h"
#include <string.h>

/* Octets after the type octet of each TV parameter; a unit test holds this against the table. */
static const uint8_t tv_bytes[32] = {
	[1] = 2,  [2] = 8,  [3] = 8,  [4] = 8,  [5] = 8,  [6] = 1,   [7] = 2,
	[8] = 2,  [9] = 4,  [10] = 2, [11] = 2, [12] = 2, [13] = 12, [14] = 2,
	[15] = 2, [16] = 4, [17] = 2, [18] = 4, [19] = 2, [20] = 2,
};

static inline uint16_t be16(const uint8_t *p)
{
	return (uint16_t) (p[0] << 8 | p[1]);
}

static inline uint32_t be32(const uint8_t *p)
{
	return (uint32_t) be16(p) << 16 | be16(p + 2);
}

static inline uint64_t be64(const uint8_t *p)
{
	return (uint64_t) be32(p) << 32 | be32(p + 4);
}

#define SET(flag, member, value)                                                                   \
	do {                                                                                       \
		if (!(t->has & (flag))) {                                                          \
			t->has |= (flag);                                                          \
			t->member = (value);                                                       \
		}                                                                                  \
	} while (0)

static void take_tv(struct llrp_tag *t, unsigned int num, const uint8_t *v)
{
	switch (num) {
	case LLRP_P_EPC_96:
		if (!(t->has & LLRP_TAG_EPC))
			t->epc_bits = 96;
		SET(LLRP_TAG_EPC, epc, v);
		break;
	case LLRP_P_ANTENNA_ID:
		SET(LLRP_TAG_ANTENNA, antenna, be16(v));
		break;
	case LLRP_P_PEAK_RSSI:
		SET(LLRP_TAG_PEAK_RSSI, peak_rssi, (int8_t) *v);
		break;
	case LLRP_P_CHANNEL_INDEX:
		SET(LLRP_TAG_CHANNEL, channel, be16(v));
		break;
	case LLRP_P_TAG_SEEN_COUNT:
		SET(LLRP_TAG_COUNT, count, be16(v));
		break;
	case LLRP_P_FIRST_SEEN_UTC:
		SET(LLRP_TAG_FIRST_UTC, first_utc, be64(v));
		break;
	case LLRP_P_LAST_SEEN_UTC:
		SET(LLRP_TAG_LAST_UTC, last_utc, be64(v));
		break;
	case LLRP_P_FIRST_SEEN_UPTIME:
		SET(LLRP_TAG_FIRST_UPTIME, first_uptime, be64(v));
		break;
	case LLRP_P_LAST_SEEN_UPTIME:
		SET(LLRP_TAG_LAST_UPTIME, last_uptime, be64(v));
		break;
	case LLRP_P_ROSPEC_ID:
		SET(LLRP_TAG_ROSPEC, rospec, be32(v));
		break;
	case LLRP_P_C1G2_PC:
		SET(LLRP_TAG_PC, pc, be16(v));
		break;
	default:
		break;
	}
}

static void take_custom(struct llrp_tag *t, const uint8_t *body, size_t len)
{
	if (len != 10 || be32(body) != LLRP_VENDOR_IMPINJ)
		return;
	switch (be32(body + 4)) {
	case LLRP_IMPINJ_RF_PHASE_ANGLE:
		SET(LLRP_TAG_PHASE, phase, be16(body + 8));
		break;
	case LLRP_IMPINJ_PEAK_RSSI:
		SET(LLRP_TAG_FINE_RSSI, fine_rssi, (int16_t) be16(body + 8));
		break;
	case LLRP_IMPINJ_RF_DOPPLER:
		SET(LLRP_TAG_DOPPLER, doppler, (int16_t) be16(body + 8));
		break;
	default:
		break;
	}
}

/** One TLV parameter at *pos; moves past it. */
static int take_tlv(struct llrp_tag *t, const uint8_t **pos, const uint8_t *end)
{
	const uint8_t *p = *pos;
	size_t len;

	if (end - p < 4)
		return -ERR_BADMSG;
	len = be16(p + 2);
	if (len < 4 || len > (size_t) (end - p))
		return -ERR_BADMSG;
	*pos = p + len;
	switch (be16(p) & 0x3ff) {
	case LLRP_P_EPC_DATA:
		if (len < 6 || len - 6 < ((size_t) be16(p + 4) + 7) / 8)
			return -ERR_BADMSG;
		if (!(t->has & LLRP_TAG_EPC))
			t->epc_bits = be16(p + 4);
		SET(LLRP_TAG_EPC, epc, p + 6);
		break;
	case LLRP_P_CUSTOM:
		if (len < 12)
			return -ERR_BADMSG;
		take_custom(t, p + 4, len - 4);
		break;
	default:
		break;
	}
	return 0;
}

static int take_tag(struct llrp_tag *t, const uint8_t *p, const uint8_t *end)
{
	memset(t, 0, sizeof(*t));
	while (p < end) {
		if (*p & 0x80) {
			unsigned int num = *p & 0x7f;
			size_t n = num < sizeof(tv_bytes) ? tv_bytes[num] : 0;

			if (n == 0 || n > (size_t) (end - p - 1))
				return -ERR_BADMSG;
			take_tv(t, num, p + 1);
			p += 1 + n;
		} else if (take_tlv(t, &p, end) < 0) {
			return -ERR_BADMSG;
		}
	}
	return t->has & LLRP_TAG_EPC ? 1 : -ERR_BADMSG;
}

int llrp_report_begin(struct llrp_report *it, const uint8_t *frame, size_t len)
{
	it->pos = it->end = frame;
	if (len < LLRP_HEADER_BYTES || (be16(frame) & 0x3ff) != LLRP_RO_ACCESS_REPORT ||
	    be32(frame + 2) != len)
		return -ERR_BADMSG;
	it->pos = frame + LLRP_HEADER_BYTES;
	it->end = frame + len;
	return 0;
}

int llrp_report_next(struct llrp_report *it, struct llrp_tag *ret)
{
	struct llrp_tag unused = {0};

	while (it->pos < it->end) {
		const uint8_t *p = it->pos;
		size_t left = (size_t) (it->end - p), len;

		it->pos = it->end; /* nothing more, unless this one is sound */
		if (*p & 0x80) {
			unsigned int num = *p & 0x7f;

			len = num < sizeof(tv_bytes) && tv_bytes[num] ? 1u + tv_bytes[num]
								      : SIZE_MAX;
			if (len > left)
				return -ERR_BADMSG;
			it->pos = p + len;
			continue;
		}
		len = left >= 4 ? be16(p + 2) : 0;
		if (len < 4 || len > left)
			return -ERR_BADMSG;
		if ((be16(p) & 0x3ff) == LLRP_P_TAG_REPORT_DATA) {
			if (take_tag(ret, p + 4, p + len) < 0)
				return -ERR_BADMSG;
			it->pos = p + len;
			return 1;
		}
		if (take_tlv(&unused, &p, it->end) < 0)
			return -ERR_BADMSG;
		it->pos = p;
	}
	return 0;
}

int llrp_report_check(const uint8_t *frame, size_t len)
{
	struct llrp_report it;
	struct llrp_tag tag;
	int n = 0, r;

	r = llrp_report_begin(&it, frame, len);
	if (r < 0)
		return r;
	while ((r = llrp_report_next(&it, &tag)) > 0)
		n++;
	return r < 0 ? r : n;
}
