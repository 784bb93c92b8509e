/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The connected driver beside bluetoothd on a bench: bluetoothd, the kernel and a label are played
 * (bluez_fake.h), and what the driver tells its engine is written down. Time stands still but for
 * what a test lets pass: a slow host changes nothing.
 */
#pragma once

#include "esl-radio/bluez/bluez.h"
#include "tests/unit/bluez_fake.h"

struct bluez_bench {
	struct bluez_fake bluez;
	struct loop *loop;
	struct hci_host *host;
	struct esl_link *link;
	unsigned int ups, downs, adverts, lost, reached, saves;
	bool bonded;     /**< the label that was heard is */
	uint8_t kept[3]; /**< of the label's bond */
	int save_err;    /**< what comes of the next save */
	char text[ESL_TEXT_MAX];
	unsigned int done; /**< completions, and the last one's code */
	int err;
	struct esl_link_result res;
};

/** Of the test that runs. */
extern struct bluez_bench bench;

/** As `from` has it; a test without a bus is skipped. */
void bench_open(const struct bluez_bench *from);
/** A test's teardown: whatever is open is closed. */
int bench_close(void **state);
/** Everybody has a turn; a millisecond passes. */
void bench_step(void);
/** Goes on until *what has reached n. */
void bench_until(const unsigned int *what, unsigned int n);
void bench_until_true(const bool *what);
/** Time passes in which nobody says anything on the bus. */
void bench_pass(int64_t us);
/** Until the link is up and the label was heard. */
void bench_hear(void);
/** The label is connected to while it advertises; its completion is still to come. */
void bench_connect(uint8_t subevent, const uint8_t *addr);
/** Heard, and connected to, with success. */
void bench_meet(void);
/** A completion, of `bench`. */
void bench_done(void *user, int err, const struct esl_link_result *res);
