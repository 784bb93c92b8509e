/* SPDX-License-Identifier: Apache-2.0 */
/** @file The agent's state file and the journal in it, in virtual time. */
#pragma once

#include "ap-agent/journal.h"
#include "tests/unit/test_common.h"

struct fixture {
	char dir[64];
	char path[96];
	struct loop *loop;
	struct timebase tb;
	struct store *store;
	struct journal *journal;
	unsigned int committed;
};

/** What stood in a stream: how many, which numbers, and the first one's clock and text. */
struct seen {
	size_t n;
	uint64_t first, last;
	int64_t delta;
	char text[32];
};

/** The state file at `path`, and a journal over it. */
void open_files(struct fixture *f);
void close_files(struct fixture *f);
/** For cmocka: a directory of its own with open files in virtual time, and their end. */
int setup(void **state);
int teardown(void **state);
/** One entry of the agent's own text. */
void add(struct fixture *f, enum journal_stream stream, const char *text);
/** What waits in the stream. */
struct seen look(struct fixture *f, enum journal_stream stream);

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
