/* SPDX-License-Identifier: Apache-2.0 */
/** @file The fast path for tag reports against the table codec: whatever the table reads, it reads.
 */
#include "rfid/llrp_codec.h"
#include "rfid/llrp_report.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
	if (!ok)
		abort();
}

static bool epc_of(const struct llrp_elem *tag, const uint8_t **epc, size_t *bits)
{
	const struct llrp_elem *e = tag->first;

	while (e && e->num != LLRP_P_EPC_96 && e->num != LLRP_P_EPC_DATA)
		e = e->next;
	if (!e)
		return false;
	*epc = llrp_get_bytes(e, "EPC", bits);
	if (e->num == LLRP_P_EPC_96)
		*bits = 96;
	return true;
}

static void same(const struct llrp_elem *tag, const struct llrp_tag *t, uint16_t type,
		 const char *field, uint32_t flag, uint64_t value)
{
	const struct llrp_elem *e = llrp_find(tag, type);

	must(!!e == !!(t->has & flag));
	must(!e || llrp_get(e, field) == value);
}

static void same_custom(const struct llrp_elem *tag, const struct llrp_tag *t, uint32_t subtype,
			const char *field, uint32_t flag, uint64_t value)
{
	const struct llrp_elem *e = llrp_find_custom(tag, LLRP_VENDOR_IMPINJ, subtype);

	/* The fast path takes those of exactly the known form. */
	while (e && (!e->type->vendor || e->first))
		e = llrp_find_next(e);
	must(!!e == !!(t->has & flag));
	must(!e || llrp_get(e, field) == value);
}

static void compare(const struct llrp_elem *tag, const struct llrp_tag *t)
{
	const uint8_t *epc = NULL;
	size_t bits = 0;

	must(epc_of(tag, &epc, &bits));
	must((t->has & LLRP_TAG_EPC) && t->epc_bits == bits);
	must(bits == 0 || memcmp(t->epc, epc, (bits + 7) / 8) == 0);
	same(tag, t, LLRP_P_ANTENNA_ID, "AntennaID", LLRP_TAG_ANTENNA, t->antenna);
	same(tag, t, LLRP_P_PEAK_RSSI, "PeakRSSI", LLRP_TAG_PEAK_RSSI, (uint64_t) t->peak_rssi);
	same(tag, t, LLRP_P_CHANNEL_INDEX, "ChannelIndex", LLRP_TAG_CHANNEL, t->channel);
	same(tag, t, LLRP_P_TAG_SEEN_COUNT, "TagCount", LLRP_TAG_COUNT, t->count);
	same(tag, t, LLRP_P_FIRST_SEEN_UTC, "Microseconds", LLRP_TAG_FIRST_UTC, t->first_utc);
	same(tag, t, LLRP_P_LAST_SEEN_UTC, "Microseconds", LLRP_TAG_LAST_UTC, t->last_utc);
	same(tag, t, LLRP_P_FIRST_SEEN_UPTIME, "Microseconds", LLRP_TAG_FIRST_UPTIME,
	     t->first_uptime);
	same(tag, t, LLRP_P_LAST_SEEN_UPTIME, "Microseconds", LLRP_TAG_LAST_UPTIME, t->last_uptime);
	same(tag, t, LLRP_P_ROSPEC_ID, "ROSpecID", LLRP_TAG_ROSPEC, t->rospec);
	same(tag, t, LLRP_P_C1G2_PC, "PC_Bits", LLRP_TAG_PC, t->pc);
	same_custom(tag, t, LLRP_IMPINJ_RF_PHASE_ANGLE, "PhaseAngle", LLRP_TAG_PHASE, t->phase);
	same_custom(tag, t, LLRP_IMPINJ_PEAK_RSSI, "RSSI", LLRP_TAG_FINE_RSSI,
		    (uint64_t) t->fine_rssi);
	same_custom(tag, t, LLRP_IMPINJ_RF_DOPPLER, "DopplerFrequency", LLRP_TAG_DOPPLER,
		    (uint64_t) t->doppler);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(llrp_msg_freep) struct llrp_msg *m = NULL;
	const struct llrp_elem *tag;
	const uint8_t *epc;
	struct llrp_report it;
	struct llrp_tag t;
	size_t bits;
	int n, seen = 0;

	n = llrp_report_check(data, size);
	if (llrp_report_begin(&it, data, size) == 0)
		while (llrp_report_next(&it, &t) == 1) {
			seen++;
			must(t.epc >= data && t.epc + (t.epc_bits + 7) / 8 <= data + size);
		}
	must(n < 0 || n == seen);
	if (llrp_msg_decode(data, size, &m, NULL) < 0 || llrp_msg_type(m) != LLRP_RO_ACCESS_REPORT)
		return 0;
	for (tag = llrp_find(llrp_root(m), LLRP_P_TAG_REPORT_DATA); tag; tag = llrp_find_next(tag))
		if (!epc_of(tag, &epc, &bits)) {
			must(n < 0);
			return 0;
		}
	must(n == (int) llrp_count(llrp_root(m), LLRP_P_TAG_REPORT_DATA));
	must(llrp_report_begin(&it, data, size) == 0);
	for (tag = llrp_find(llrp_root(m), LLRP_P_TAG_REPORT_DATA); tag;
	     tag = llrp_find_next(tag)) {
		must(llrp_report_next(&it, &t) == 1);
		compare(tag, &t);
	}
	must(llrp_report_next(&it, &t) == 0);
	return 0;
}
