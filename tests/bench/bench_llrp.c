/* SPDX-License-Identifier: Apache-2.0 */
/** @file Tag reports decoded per CPU second: the fast path, with and without normalising, and the
 * table. */
#include "rfid/llrp_codec.h"
#include "rfid/llrp_normal.h"
#include "rfid/llrp_report.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define TAGS   100
#define ROUNDS 5

static double cpu_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double) t.tv_sec + (double) t.tv_nsec / 1e9;
}

/** A report of TAGS tags with the fields a session asks for; with the vendor's three if `extended`.
 */
static int make_report(struct buf *out, bool extended)
{
	_cleanup_(llrp_msg_freep) struct llrp_msg *m = NULL;
	int r;

	r = llrp_msg_new(LLRP_RO_ACCESS_REPORT, 1, &m);
	for (unsigned int i = 0; r == 0 && i < TAGS; i++) {
		const uint8_t epc[12] = {0x30, 0x34, [11] = (uint8_t) i};
		struct llrp_elem *t = llrp_add(llrp_root(m), LLRP_P_TAG_REPORT_DATA);

		llrp_set_bytes(llrp_add(t, LLRP_P_EPC_96), "EPC", epc, 12);
		llrp_set(llrp_add(t, LLRP_P_ANTENNA_ID), "AntennaID", 1 + i % 4);
		llrp_set_signed(llrp_add(t, LLRP_P_PEAK_RSSI), "PeakRSSI", -60);
		llrp_set(llrp_add(t, LLRP_P_CHANNEL_INDEX), "ChannelIndex", 5);
		llrp_set(llrp_add(t, LLRP_P_FIRST_SEEN_UTC), "Microseconds", 1790000000000000u);
		llrp_set(llrp_add(t, LLRP_P_LAST_SEEN_UTC), "Microseconds", 1790000000000000u);
		llrp_set(llrp_add(t, LLRP_P_TAG_SEEN_COUNT), "TagCount", 1);
		if (!extended)
			continue;
		llrp_set(llrp_add_custom(t, LLRP_VENDOR_IMPINJ, LLRP_IMPINJ_RF_PHASE_ANGLE),
			 "PhaseAngle", 100);
		llrp_set_signed(llrp_add_custom(t, LLRP_VENDOR_IMPINJ, LLRP_IMPINJ_PEAK_RSSI),
				"RSSI", -6000);
		llrp_set_signed(llrp_add_custom(t, LLRP_VENDOR_IMPINJ, LLRP_IMPINJ_RF_DOPPLER),
				"DopplerFrequency", -3);
	}
	return r < 0 ? r : llrp_msg_encode(m, out);
}

static volatile uint64_t sink;

static void by_table(const uint8_t *frame, size_t len)
{
	_cleanup_(llrp_msg_freep) struct llrp_msg *m = NULL;
	const struct llrp_elem *t;

	if (llrp_msg_decode(frame, len, &m, NULL) < 0)
		return;
	for (t = llrp_find(llrp_root(m), LLRP_P_TAG_REPORT_DATA); t; t = llrp_find_next(t))
		sink += llrp_get(llrp_find(t, LLRP_P_ANTENNA_ID), "AntennaID");
}

static void by_fast_path(const uint8_t *frame, size_t len)
{
	struct llrp_report it;
	struct llrp_tag tag;

	if (llrp_report_begin(&it, frame, len) < 0)
		return;
	while (llrp_report_next(&it, &tag) == 1)
		sink += tag.antenna;
}

/** What a session does: check the whole, then decode, carry forward and rebase each. */
static void as_session(const uint8_t *frame, size_t len)
{
	static struct llrp_normal normal;
	struct rfid_read read;
	struct llrp_report it;
	struct llrp_tag tag;

	if (!normal.default_antenna)
		llrp_normal_init(&normal, 1);
	if (llrp_report_check(frame, len) < 0 || llrp_report_begin(&it, frame, len) < 0)
		return;
	while (llrp_report_next(&it, &tag) == 1)
		if (llrp_normal_read(&normal, &tag, 1790000000000500, &read) == 0)
			sink += read.antenna;
}

static void run(const char *name, void (*fn)(const uint8_t *, size_t), const struct buf *report,
		unsigned int times)
{
	double best = 0;

	for (int round = 0; round < ROUNDS; round++) {
		double start = cpu_s(), rate;

		for (unsigned int i = 0; i < times; i++)
			fn(report->data, report->len);
		rate = (double) times * TAGS / (cpu_s() - start);
		best = rate > best ? rate : best;
	}
	printf("bench %s %.2f M-reports/cpu-s\n", name, best / 1e6);
}

int main(void)
{
	for (int extended = 0; extended < 2; extended++) {
		_cleanup_buf_ struct buf report = BUF_INIT;
		char name[64];

		if (make_report(&report, extended) < 0)
			return 1;
		printf("# %d tags a message, %.1f bytes a tag, best of %d\n", TAGS,
		       (double) report.len / TAGS, ROUNDS);
		snprintf(name, sizeof(name), "llrp_fast%s", extended ? "_impinj" : "");
		run(name, by_fast_path, &report, 40000);
		snprintf(name, sizeof(name), "llrp_session%s", extended ? "_impinj" : "");
		run(name, as_session, &report, 20000);
		snprintf(name, sizeof(name), "llrp_table%s", extended ? "_impinj" : "");
		run(name, by_table, &report, 1000);
	}
	return 0;
}
