/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * GET /agent/v1/desired: the agents' long poll. An agent says how far it has got (epoch and
 * revision); the answer has everything that is newer, or comes when there is something newer, or
 * after `wait` seconds, empty. Loop thread.
 */
#pragma once

#include "controller/shop/label.h"
#include "controller/shop/shop.h"

struct desired;

int desired_new(struct shop *s, struct desired **ret) _must_check_;
/** Lets go of whoever waits. */
void desired_free(struct desired *d);
/** The agent was revoked: a poll of it that waits gets the answer that its next request would. */
void desired_shut_out(struct desired *d, int64_t agent_id);
/** What an agent should be has a new revision: answer it if it waits. */
void desired_wake(struct desired *d, int64_t agent_id);
/** The same for whoever waits: a write that may have concerned many. */
void desired_wake_all(struct desired *d);
/** Is it there, and how far has it got? */
struct label_agent_view desired_agent(const struct desired *d, int64_t agent_id);
/** The agents that are there, by rising id, at most `max`. Returns the count. */
size_t desired_online(const struct desired *d, int64_t *ret_ids, size_t max);
/** Agents waiting now. */
size_t desired_waiting(const struct desired *d);
