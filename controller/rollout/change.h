/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * What a rollout does to prices and labels: each function is one whole change inside a write. The
 * row is changed in memory; the caller stores it in the same write. Labels that must be drawn anew
 * are marked; the caller looks for marks after the commit.
 */
#pragma once

#include "controller/rollout/row.h"

/** The wave's labels get the new picture, unseen. */
int rollout_begin_wave(struct sql *s, struct rollout_row *r, int64_t wave,
		       int64_t now_us) _must_check_;
/** The wave's new prices hold from `at_us` on: all of them, or none. */
int rollout_flip(struct sql *s, struct rollout_row *r, int64_t at_us, int64_t now_us) _must_check_;
/** Nothing more is held; flipped prices stay. */
int rollout_close(struct sql *s, struct rollout_row *r, enum rollout_state state, int64_t now_us,
		  const char *reason) _must_check_;
/** What flipped gets its price from before, in one write; the rest is let go. */
int rollout_go_back(struct sql *s, struct rollout_row *r, int64_t now_us,
		    const char *reason) _must_check_;
/** Lets go of products whose price somebody else has changed since: the newer decision stands.
 * *ret_n products were found. */
int rollout_overtake(struct sql *s, struct rollout_row *r, int64_t now_us,
		     size_t *ret_n) _must_check_;
