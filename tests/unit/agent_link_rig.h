/* SPDX-License-Identifier: Apache-2.0 */
/** @file The link in virtual time, against a controller played by the test. */
#pragma once

#include "ap-agent/link.h"
#include "ap-agent/sighting.h"
#include "tests/unit/test_agent_fake_http.h"
#include "tests/unit/test_common.h"

#define SERVER_AHEAD INT64_C(31536000000000) /* a year */
#define START_REAL   INT64_C(1700000000000000)

struct fixture {
	char dir[64];
	struct loop *loop;
	struct timebase tb;
	struct store *store;
	struct journal *journal;
	struct identity *identity;
	struct trust *trust;
	struct http_client *http;
	struct link *link;
	int64_t now;
	unsigned int desired, clocks, linked, revoked, healths;
	uint64_t last_rev;
};

/** For cmocka: a link that is not started yet, with all it needs, in a directory of its own. */
int setup(void **state);
int teardown(void **state);
/** Lets virtual time pass. */
void run(struct fixture *f, int64_t us);
/** The controller's clock. */
int64_t server_now(const struct fixture *f);
/** The controller answers what is on its way there. */
void answer_health(struct fixture *f);
void answer_desired(struct fixture *f, uint64_t epoch, uint64_t rev, bool full);
void answer_ack(struct fixture *f, const char *path, uint64_t acked);
void add_sighting(struct fixture *f);
/** Linked, clock measured, both standing requests answered once. */
void bring_up(struct fixture *f);

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
