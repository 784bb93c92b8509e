/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Slows down whoever guesses. Every attempt is charged to its keys before it is judged, so that
 * attempts in parallel gain nothing; success is refunded. After some free failures each further one
 * doubles the wait. Time is given by the caller; the table is bounded and forgets its oldest.
 */
#pragma once

#include "common/util.h"

struct throttle;

struct throttle_rule {
	unsigned int free_failures;
	int64_t base_us; /**< wait after the first charged failure */
	int64_t max_us;
	int64_t forget_us; /**< an entry at rest this long is clean again */
	size_t max_entries;
};

int throttle_new(const struct throttle_rule *rule, struct throttle **ret) _must_check_;
void throttle_free(struct throttle *t);

/** How long this key must still wait; 0 = it may try now. */
int64_t throttle_wait_us(struct throttle *t, const char *key, int64_t now_us);
void throttle_charge(struct throttle *t, const char *key, int64_t now_us);
/** Takes one charge back. */
void throttle_refund(struct throttle *t, const char *key);
/** Forgets the key's failures. */
void throttle_forgive(struct throttle *t, const char *key);
size_t throttle_size(const struct throttle *t);
