/* SPDX-License-Identifier: Apache-2.0 */
/** @file A simulated reader that answers scripted messages in virtual time. */
#pragma once

#include "tests/unit/test_common.h"

#include "common/err.h"
#include "rfid/llrp_codec.h"
#include "sim/reader.h"

#define SELECT_ALL 0xffc0

struct fixture {
	struct loop *loop;
	struct sim_reader *reader;
	int fd;
	int64_t now_us;
	uint8_t in[1 << 20];
	size_t in_len;
	uint32_t id;
	uint16_t antennas[SIM_READER_MAX_ANTENNAS];
	size_t n_antennas;
	unsigned int inventories;
	struct epc epcs[4];
};

/** What a ROSpec of a test asks for. */
struct rospec_wish {
	uint32_t id;
	uint8_t start, state;
	uint16_t antennas[2];
	size_t n_antennas;
	uint32_t rospec_ms, aispec_ms;
	uint8_t trigger;
	uint16_t n;
	uint16_t select; /**< bits of TagReportContentSelector, from the top */
};

/** Starts at once, on all antennas, and reports each read by itself with all there is. */
extern const struct rospec_wish plain_wish;

void client_open(struct fixture *f);
void fixture_begin_with(struct fixture *f, const struct sim_reader_config *cfg);
/** A reader of four antennas whose client was greeted. */
void fixture_begin(struct fixture *f);
void fixture_end(struct fixture *f);
/** The same around a test, which finds it in *state. */
int fixture_setup(void **state);
int fixture_teardown(void **state);
#define WITH_FIXTURE(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)
void pass(struct fixture *f, int64_t us);

/** The next message the reader sent, or NULL; checked by the codec. */
struct llrp_msg *take(struct fixture *f);
void skip_hello(struct fixture *f);
void send_bytes(struct fixture *f, const void *data, size_t len);
/** Sends a message, frees it, and yields the answer, which must have `type` and the same id. */
struct llrp_msg *ask(struct fixture *f, struct llrp_msg *m, uint16_t type);
struct llrp_msg *message(struct fixture *f, uint16_t type);
/** Sends a message whose response is type + 10, and yields its status. */
uint16_t status_of(struct fixture *f, struct llrp_msg *m);
uint16_t rospec_op(struct fixture *f, uint16_t type, uint32_t rospec);
struct llrp_msg *add_rospec(struct fixture *f, const struct rospec_wish *w);
/** Adds and enables. */
void inventory(struct fixture *f, const struct rospec_wish *wish);
void feed(struct fixture *f, unsigned int epc, uint16_t antenna, int8_t rssi, int64_t at_us);
/** The next message, which must be a report with n tag reports. */
struct llrp_msg *take_report(struct fixture *f, size_t n);
void assert_silent(struct fixture *f);
uint64_t attempt_status(struct llrp_msg *m);
/** Counts tag reports per antenna until nothing more is there. */
size_t drain(struct fixture *f, size_t per_antenna[5]);
