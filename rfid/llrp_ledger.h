/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Keeps the ledger of a session (struct rfid_ledger): counts what becomes of the reports, and finds
 * the gaps. LLRP reports carry no acknowledgement, so what was under way when a connection ended is
 * lost without a word. What can be known is between when: from the last message of the old
 * connection (all that was sent before it has arrived) to the first report that the reader held,
 * or, if it held none, to the moment the inventory runs again. All instants are UTC.
 */
#pragma once

#include "rfid/rfid.h"

/** After running again, held reports come within this; then there are none. */
#define LLRP_LEDGER_HELD_US (2 * US_PER_SEC)

struct llrp_ledger {
	struct rfid_ledger told;
	bool open;              /**< a gap whose end is not known yet */
	bool resumed;           /**< reports from before `running_us` are held ones */
	int64_t running_us;     /**< of this connection; 0 = not yet */
	int64_t newest_read_us; /**< of all that were handed on */
};

void llrp_ledger_init(struct llrp_ledger *l, int64_t heard_until_us);
/** The inventory runs; `resumed`: it did all the time. */
void llrp_ledger_running(struct llrp_ledger *l, int64_t now_us, bool resumed);
/** A message came while it runs. */
void llrp_ledger_heard(struct llrp_ledger *l, int64_t now_us, bool report);
void llrp_ledger_frame(struct llrp_ledger *l, size_t reports);
void llrp_ledger_unclaimed(struct llrp_ledger *l, size_t reports);
void llrp_ledger_strange(struct llrp_ledger *l, size_t reports);
/** One that is handed on. */
void llrp_ledger_read(struct llrp_ledger *l, const struct rfid_read *r);
void llrp_ledger_warning(struct llrp_ledger *l);
void llrp_ledger_overflow(struct llrp_ledger *l, int64_t now_us);
