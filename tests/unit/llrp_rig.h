/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * For the tests of the LLRP session: the session, its clock, what came out of it, and the words of
 * a reader to play it with.
 */
#pragma once

#include "common/err.h"
#include "rfid/llrp_codec.h"
#include "rfid/llrp_normal.h"
#include "rfid/llrp_session.h"
#include "rfid/llrp_setup.h"

#define NOW_US (INT64_C(1790000000) * US_PER_SEC)

struct rig {
	struct clock_fake clock;
	struct llrp_session *session;
	struct buf sent;
	uint8_t version;      /**< expected in what the session sends */
	uint32_t rospec;      /**< id of the last one it added */
	struct llrp_msg *got; /**< last message taken from `sent` */
	enum rfid_reader_state state;
	struct rfid_read reads[256];
	size_t n_reads;
	char incidents[4096];
	bool chunked; /**< feed a byte at a time */
	enum {
		KEEP,
		FREE_ON_STATE,
		FREE_ON_READS,
		FREE_ON_INCIDENT,
		FREE_ON_SEND
	} mischief;
};

void rig_init(struct rig *rig, const struct rfid_reader_config *cfg);
void rig_done(struct rig *rig);
/** The session must have sent this next; keeps it in rig->got. */
struct llrp_elem *rig_expect(struct rig *rig, uint16_t type);
int rig_feed_msg(struct rig *rig, struct llrp_msg *m);
struct llrp_msg *rig_message(uint16_t type, uint32_t id);
/** The response to what was expected last. */
int rig_reply(struct rig *rig, uint16_t type, uint16_t status, const char *text);
struct llrp_elem *rig_event_data(struct llrp_msg *m, int64_t utc_us);
int rig_connection_event(struct rig *rig, uint16_t status);
/** Capabilities of a reader with powers 10.00, 20.00 and 30.00 dBm at indices 5, 7 and 9. */
int rig_capabilities(struct rig *rig, uint32_t vendor);
/** From the connection event to RUNNING, with a reader that grants everything. */
void rig_bring_up(struct rig *rig);
/** The same, from the request for capabilities on. */
void rig_bring_up_from_capabilities(struct rig *rig);
/** Up to the point where the ROSpec is to be added. */
void rig_bring_up_to_add(struct rig *rig);
struct llrp_elem *rig_report_tag(struct llrp_msg *m, uint8_t last_octet);
int rig_rospec_event(struct rig *rig, unsigned int type);
