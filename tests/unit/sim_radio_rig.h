/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The virtual controller in virtual time: a host of ours on its H4 stream, and what it has heard.
 */
#pragma once

#include "tests/unit/test_common.h"

#include "esl-radio/le/hci_conn_wire.h"
#include "sim/radio.h"

#define INTERVAL_US (1560 * US_PER_MS)
#define SUB_US      (60 * US_PER_MS)
#define SUBEVENTS   26
#define GROUP       3

struct fixture {
	struct loop *loop;
	struct sim_radio *radio;
	int host; /**< our end */
	int64_t now_us;

	uint8_t in[65536];
	size_t in_len;
	/* What the host heard last. */
	uint8_t status;
	uint16_t completed;
	unsigned int requests, requested_subevents;
	int64_t request_us[SUBEVENTS];
	unsigned int reports, heard, unheard;
	int64_t report_us;
	uint8_t answer[SIM_LABEL_ANSWER_MAX];
	uint8_t answer_len, answer_slot;
	unsigned int hardware_errors;
	bool host_closed;

	/* What the host sends whenever it is asked for GROUP. */
	uint8_t data[ESL_AD_MAX + EAD_OVERHEAD];
	uint8_t data_len, slots;
	int64_t delay_us; /**< it dawdles that long before it answers */
	int64_t owed_us;  /**< 0 = nothing owed */

	/* Links. */
	unsigned int connections, failures, disconnections, adverts, encrypted, refused;
	uint16_t handle, credits;
	uint8_t reason, failure;
	uint8_t peer[HCI_ADDR_BYTES]; /**< that was connected last */
	int64_t connected_us;
	uint8_t frame[256]; /**< last data from a label */
	size_t frame_len;
	uint8_t response_key[EAD_WIRE_KEY_BYTES], train_key[EAD_WIRE_KEY_BYTES];
};

/** Lets virtual time pass in steps of a millisecond, so that we hear things when they happen. */
void pass(struct fixture *f, int64_t us);
/** The status that comes back. */
uint8_t command(struct fixture *f, struct buf *b);
/** A train of SUBEVENTS, one each 60 ms, as the access point asks for it. */
void host_start_train(struct fixture *f);
/** Brings label `number` into the train as (GROUP, id = number), with a picture in slot 0. */
void commission(struct fixture *f, uint8_t number);
/** Asks for a connection to label `number`; yields the command's status. */
uint8_t connect_to(struct fixture *f, uint8_t number, uint8_t subevent);
/** Sends a frame on the link. */
void say(struct fixture *f, uint16_t cid, const char *bytes, size_t len);
/** What the host sends from now on: one Ping for each id listed. */
void ping(struct fixture *f, const uint8_t *ids, size_t n);
/** A controller among that many labels, switched on; with `loss` in the air each way. */
void air_begin_with(struct fixture *f, double loss, unsigned int labels);
/** The same without loss, and the train runs. */
void air_begin(struct fixture *f, unsigned int labels);
/** One more in the same time, whose train runs. It is to end before that. */
void air_begin_beside(struct fixture *f, const struct fixture *other, unsigned int labels);
void air_end_beside(struct fixture *f);
void air_end(struct fixture *f);
