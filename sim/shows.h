/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The log of every change of what a panel shows, over all labels of the store: the newest
 * SIM_SHOWS_MAX of them, each with the instants between which the panel redrew. For the truth port;
 * numbers count up from 0 and name a change for ever.
 */
#pragma once

#include "common/clock.h"
#include "sim/label.h"

#define SIM_SHOWS_MAX 65536

struct sim_show {
	int64_t started_us, at_us; /**< UTC: the redraw began, the picture is there */
	uint8_t addr[SIM_LABEL_ADDR_BYTES];
	uint8_t hash[IMAGE_HASH_BYTES];
};

struct sim_shows;

int sim_shows_new(const struct clock *clock, struct sim_shows **ret) _must_check_;
void sim_shows_free(struct sim_shows *s);
/** Notes a change; monotonic instants. */
void sim_shows_note(struct sim_shows *s, const uint8_t addr[SIM_LABEL_ADDR_BYTES],
		    const uint8_t hash[IMAGE_HASH_BYTES], int64_t started_us, int64_t at_us);
/** Notes what the label shows now, after a redraw. */
void sim_shows_add(struct sim_shows *s, const struct sim_label *l);
/** Number of the next change, and of the oldest one that is still there. */
uint64_t sim_shows_next(const struct sim_shows *s);
uint64_t sim_shows_oldest(const struct sim_shows *s);
/** NULL for one that is forgotten, or that has not happened. */
const struct sim_show *sim_shows_at(const struct sim_shows *s, uint64_t number);
