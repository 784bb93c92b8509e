/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Twins of the two rooms the agent runs, linked in place of librfid and libeslradio: they remember
 * what is asked of them, and say what the test has them say.
 */
#pragma once

#include "esl-radio/esl.h"
#include "rfid/rfid.h"

struct rfid_reader {
	struct rfid_reader_config cfg;
	struct rfid_reader_callbacks cb;
	void *user;
	char host[64];
	struct rfid_ledger ledger; /**< what it says of itself */
	bool left;
	loop_fn stopped;
	void *stopped_user;
	/* what it is to do with a tag: answer() with a result, when the test likes */
	unsigned int accesses;
	int refuses; /**< what it says to the next */
	struct rfid_access asked;
	rfid_access_fn answer;
	void *answer_user;
};

struct presence {
	presence_fn fn;
	void *user;
};

struct esl_engine {
	struct esl_engine_callbacks cb;
	void *user;
	unsigned int wants, forgets, images, restored, clocks, told;
	struct esl_want last_want;
	int64_t offset_us, rotate_before_us, sensor_period_s;
	uint64_t map;
	bool stranger; /**< it knows no label */
	unsigned int taken;
	char last_taken[32];
};

extern struct rfid_reader *reader_twins[8];
extern unsigned int readers_made, readers_freed, suspended, resumed;
extern unsigned int restored; /**< tags put back into the filter */
extern uint32_t last_source;
extern struct rfid_read last_read;
extern struct presence *presence_twin;
extern struct esl_engine *engine_twin;
