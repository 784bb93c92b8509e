/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Time told by a conductor, for tests with whole daemons in virtual time: one small file that every
 * process of a store maps and the test writes. It says which instant it was at one instant of this
 * machine's monotonic clock, and how fast time runs since then. A process that is killed and
 * started again finds the same time going on.
 *
 * The file, in the machine's byte order: "GONDCLK1", u64 count, then two records of four i64: the
 * machine's monotonic clock, the monotonic and the real clock told at that instant, all in
 * microseconds, and the rate in thousandths (1000 = as fast as the machine, 0 = time stands).
 * Record `count` modulo 2 holds. The conductor writes the other one and then the count, so that a
 * reader never sees half a record, and a dead conductor stops nobody.
 *
 * Exists only in builds with --enable-fault-points; see GONDOLA_CLOCK in clock.h.
 */
#pragma once

#include "common/util.h"
#include <stdint.h>

/** A change of the rate is noticed within this time of the machine. */
#define CONDUCTED_LOOK_US (50 * US_PER_MS)

struct conducted;

struct conducted_time {
	int64_t mono_us, real_us;
	int64_t rate_milli;
};

/** -ERR_BADMSG: not a conductor's file. */
int conducted_open(const char *path, struct conducted **ret) _must_check_;
void conducted_free(struct conducted *c);
/** The time told when the machine's monotonic clock says host_us. */
void conducted_read(const struct conducted *c, int64_t host_us, struct conducted_time *ret);
/** Time of the machine to sleep before looking again whether delay_us have passed at that rate. */
int64_t conducted_wait_us(int64_t rate_milli, int64_t delay_us);
