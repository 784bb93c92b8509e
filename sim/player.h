/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Feeds a recorded trace (sim/replay.h) to a simulated reader, at the recorded pace or faster. It
 * begins with the client's first inventory, pauses while none runs, and is over when everything was
 * played and the client has taken it.
 */
#pragma once

#include "sim/reader.h"
#include "sim/replay.h"
#include <stdio.h>

struct sim_player_config {
	double speed;   /**< 1 = as recorded */
	bool loop;      /**< begin again at the end */
	bool no_rebase; /**< keep the recorded instants instead of moving them to now */
	FILE *progress; /**< NULL = silent */
};

struct sim_player;

/** Becomes the reader's source. Reader and trace are borrowed. `done` is called once, not with
 * loop. */
int sim_player_new(struct loop *loop, struct sim_reader *reader, const struct replay *trace,
		   const struct sim_player_config *cfg, loop_fn done, void *user,
		   struct sim_player **ret) _must_check_;
void sim_player_free(struct sim_player *p);
/** Reads fed so far. */
uint64_t sim_player_played(const struct sim_player *p);
