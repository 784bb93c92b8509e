/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * A group of labels (= a subevent of the train): who of them has something to hear, and what its
 * last packets said. packer.c fills the packets and matches answers to commands; answers.c draws
 * the conclusions.
 */
#pragma once

#include "esl-radio/label.h"

struct esl_engine;

#define ESL_IDS_PER_GROUP  255 /**< 0x00 to 0xfe */
#define ESL_RESPONSE_SLOTS 23  /**< more TLVs than this never fit a packet */

/** What went out in one packet, so that answers find their command. */
struct esl_flight_entry {
	struct esl_label *label; /**< NULL = broadcast, answered, or gone */
	struct esl_cmd_brief {
		uint8_t op;
		uint8_t image; /**< or sensor, or LED */
		uint32_t abs_ms;
	} cmd;
};

struct esl_flight {
	uint8_t n;
	struct esl_flight_entry entry[ESL_RESPONSE_SLOTS];
};

struct esl_group {
	/** Labels that have something to hear, by urgency; the one served longest ago first. */
	struct esl_label_list ready[ESL_URGENCY_COUNT];
	unsigned int n;
	uint8_t used[ESL_IDS_PER_GROUP / 8 + 1]; /**< ids taken, a bit each */
	int64_t last_tx_us[2];       /**< last authentic packet by the present and by the old key */
	unsigned int stale;          /**< labels that hold the old one */
	bool old_turn;               /**< whose turn it was */
	struct esl_flight flight[2]; /**< answers may come after the next packet was asked for */
	uint8_t latest;              /**< index of the newer one */
};

void esl_packer_request(struct esl_engine *e, uint8_t start, uint8_t count);
void esl_packer_response(struct esl_engine *e, uint8_t subevent, uint8_t slot, int8_t rssi_dbm,
			 const uint8_t *data, size_t len);
/** Encrypts one packet as it goes on air. Returns its length. */
int esl_packet_seal(struct esl_engine *e, const struct esl_packet *p, uint8_t *out,
		    size_t cap) _must_check_;

/** A command was handed to the radio. False if it must not go out (its record could not be kept).
 */
bool esl_command_sent(struct esl_engine *e, struct esl_label *l, const struct esl_cmd *c);
/** An authentic answer. */
void esl_answer(struct esl_engine *e, struct esl_label *l, const struct esl_cmd_brief *cmd,
		const struct esl_rsp *r);
/** A pending timed display's instant has passed, or its wish did. */
void esl_pending_due(struct esl_engine *e, struct esl_label *l);
/** Tells SHOWN once the panel has had the time to draw what the label acknowledged. */
void esl_drawn_due(struct esl_engine *e, struct esl_label *l);
