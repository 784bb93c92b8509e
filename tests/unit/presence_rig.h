/* SPDX-License-Identifier: Apache-2.0 */
/** @file A presence filter that tells the test what it says, and seeded reads for it. */
#pragma once

#include "common/err.h"
#include "rfid/rfid.h"

#include <errno.h>
#include <malloc.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define START_US (INT64_C(1790000000) * US_PER_SEC)
#define TICK_US  (250 * US_PER_MS)

/* --- helpers ---------------------------------------------------------------------------------- */

struct seen {
	unsigned int appear, refresh, gone;
	struct presence_sighting last;
	char epc[EPC_HEX_MAX];
	int64_t now_us;     /**< the test's clock */
	int64_t told_at_us; /**< its time at the last sighting */
};

static inline void note(void *user, const struct presence_sighting *s)
{
	struct seen *seen = user;

	seen->appear += s->kind == PRESENCE_APPEAR;
	seen->refresh += s->kind == PRESENCE_REFRESH;
	seen->gone += s->kind == PRESENCE_GONE;
	seen->last = *s;
	seen->last.epc = NULL;
	epc_to_hex(s->epc, seen->epc);
	seen->told_at_us = seen->now_us;
}

static inline struct rfid_read read_of(uint64_t serial, int64_t at_us, int16_t cdbm)
{
	struct rfid_read r = {
		.antenna = 1,
		.count = 1,
		.rssi_cdbm = cdbm,
		.first_us = at_us,
		.last_us = at_us,
	};

	r.epc.bits = 96;
	r.epc.data[0] = 0x30;
	for (int i = 0; i < 8; i++)
		r.epc.data[4 + i] = (uint8_t) (serial >> (56 - 8 * i));
	return r;
}

static inline struct presence *filter(const struct presence_config *cfg, struct seen *seen)
{
	static const struct presence_config defaults;
	struct presence *p = NULL;

	memset(seen, 0, sizeof(*seen));
	assert_int_equal(presence_new(cfg ? cfg : &defaults, note, seen, &p), 0);
	return p;
}

static inline double uniform(uint64_t *seed)
{
	*seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (double) (*seed >> 11) / 9007199254740992.0;
}

/** Ticks from now to then, four times a second. */
static inline int64_t tick_until(struct presence *p, struct seen *seen, int64_t now_us,
				 int64_t until_us)
{
	for (; now_us <= until_us; now_us += TICK_US) {
		seen->now_us = now_us;
		presence_tick(p, now_us);
	}
	return now_us;
}
