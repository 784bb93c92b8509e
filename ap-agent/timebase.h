/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * What the agent knows about the controller's time. An access point may boot without a clock, or
 * with one that is a year off, and its clock may be stepped while it runs; so the offset is
 * measured against the monotonic clock, which does neither: UTC = mono + base.
 *
 * Every reply of the controller carries its time. The stamp was made between sending the request
 * and receiving the reply, so the middle of the two is right within half the round trip; of several
 * samples the tightest wins, and an old one loosens with the drift that a cheap crystal has.
 *
 * Before the first sample nothing can be vouched for. What happens then is kept in the journal on
 * the monotonic scale, together with the identity of this boot (a monotonic clock has no meaning in
 * another one) and the distance to the own real clock; it is converted when it is sent, and nothing
 * is sent before the first sample. Only what an earlier boot left unconverted goes out with that
 * boot's own clock: nobody can know better.
 */
#pragma once

#include "common/clock.h"
#include "common/util.h"
#include <stdbool.h>

/** Parts per million by which the agent's crystal may drift against the controller. */
#define TIMEBASE_DRIFT_PPM 100

struct timebase {
	const struct clock *clock;
	uint64_t boot;   /**< identity of this boot, never 0 */
	bool known;      /**< a sample was taken */
	int64_t base_us; /**< UTC minus mono */
	int64_t unc_us;  /**< uncertainty of base_us when it was measured */
	int64_t at_us;   /**< mono, when it was measured */
};

void timebase_init(struct timebase *tb, const struct clock *clock, uint64_t boot);
/** Identity of the running boot, from the kernel; a random number where it has none to give. */
uint64_t timebase_boot_id(void);

/** Takes a reply's stamp. True when it became the new measurement. */
bool timebase_sample(struct timebase *tb, int64_t sent_mono_us, int64_t recv_mono_us,
		     int64_t server_time_us);

/** Uncertainty now, drift included; -1 while nothing is known. */
int64_t timebase_uncertainty(const struct timebase *tb);
/** The own real clock minus the monotonic one, at this instant. */
int64_t timebase_skew(const struct timebase *tb);
/** Controller minus own real clock; 0 while nothing is known. */
int64_t timebase_offset(const struct timebase *tb);
/** UTC at this instant as well as it is known: the controller's, or else the own clock's. */
int64_t timebase_now(const struct timebase *tb);

/** What to add to a monotonic instant that was noted in boot `boot` with skew `skew_us`. boot 0
 * marks an instant that is UTC already. */
int64_t timebase_delta(const struct timebase *tb, uint64_t boot, int64_t skew_us);

#define TIMEBASE_BLOB_BYTES 32
/** For the store: a restart within the same boot goes on with what was measured. */
void timebase_save(const struct timebase *tb, uint8_t ret_blob[TIMEBASE_BLOB_BYTES]);
/** Ignored (false) when it was saved in another boot. */
bool timebase_restore(struct timebase *tb, const uint8_t blob[TIMEBASE_BLOB_BYTES]);
