/* SPDX-License-Identifier: Apache-2.0 */
#include "rfid/llrp_ledger.h"

const char *rfid_gap_cause_str(enum rfid_gap_cause c)
{
	static const char *const names[RFID_GAP_CAUSE_COUNT] = {"none", "connection", "overflow"};

	return (unsigned int) c < RFID_GAP_CAUSE_COUNT ? names[c] : "unknown";
}

void llrp_ledger_init(struct llrp_ledger *l, int64_t heard_until_us)
{
	*l = (struct llrp_ledger){.told.heard_until_us = heard_until_us};
}

static void add_gap(struct llrp_ledger *l, enum rfid_gap_cause cause, int64_t from_us,
		    int64_t to_us)
{
	if (to_us <= from_us)
		return;
	l->told.gaps++;
	l->told.gaps_us += (uint64_t) (to_us - from_us);
	l->told.last_gap = (struct rfid_gap){.cause = cause, .from_us = from_us, .to_us = to_us};
}

static void close_gap(struct llrp_ledger *l, int64_t to_us)
{
	l->open = false;
	add_gap(l, RFID_GAP_CONNECTION, l->told.heard_until_us, MIN(to_us, l->running_us));
}

void llrp_ledger_running(struct llrp_ledger *l, int64_t now_us, bool resumed)
{
	l->running_us = now_us;
	l->resumed = resumed;
	l->told.resumed += resumed;
	l->open = l->told.heard_until_us != 0;
	if (l->open && !resumed)
		close_gap(l, now_us); /* it was silent, or heard by nobody */
	if (!l->open)
		l->told.heard_until_us = now_us;
}

void llrp_ledger_heard(struct llrp_ledger *l, int64_t now_us, bool report)
{
	/* Of an open gap the first report tells the end; llrp_ledger_read() looks at it. */
	if (l->open && (report || now_us < l->running_us + LLRP_LEDGER_HELD_US))
		return;
	if (l->open)
		close_gap(l, l->running_us);
	l->told.heard_until_us = now_us;
}

void llrp_ledger_frame(struct llrp_ledger *l, size_t reports)
{
	l->told.frames++;
	l->told.reports += reports;
}

void llrp_ledger_unclaimed(struct llrp_ledger *l, size_t reports)
{
	l->told.unclaimed += reports;
}

void llrp_ledger_strange(struct llrp_ledger *l, size_t reports)
{
	l->told.strange += reports;
}

void llrp_ledger_read(struct llrp_ledger *l, const struct rfid_read *r)
{
	l->told.handed_on++;
	l->told.reads += r->count;
	if (l->open) {
		close_gap(l, r->first_us);
		l->told.heard_until_us =
			MAX(l->told.heard_until_us, MIN(r->first_us, l->running_us));
	}
	if (l->resumed && r->last_us < l->running_us)
		l->told.held++;
	l->newest_read_us = MAX(l->newest_read_us, r->last_us);
}

void llrp_ledger_warning(struct llrp_ledger *l)
{
	l->told.warnings++;
}

void llrp_ledger_overflow(struct llrp_ledger *l, int64_t now_us)
{
	/* The reader does not say what it dropped: the newest, as a rule, for the buffer was full.
	 */
	l->told.overflows++;
	add_gap(l, RFID_GAP_OVERFLOW, l->newest_read_us ? l->newest_read_us : l->running_us,
		now_us);
}
