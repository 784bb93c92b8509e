/* SPDX-License-Identifier: Apache-2.0 */
/** @file The agent's context, shared by agent.c (its life), agent_join.c (what an enrolment leaves
 * behind) and health.c (what it says of itself). */
#pragma once

#include "ap-agent/agent.h"
#include "ap-agent/enroll.h"
#include "ap-agent/escrow.h"
#include "ap-agent/follow.h"
#include "ap-agent/labels.h"
#include "ap-agent/link.h"
#include "ap-agent/neighbours.h"
#include "ap-agent/netwatch.h"
#include "ap-agent/operations.h"
#include "ap-agent/readers.h"

struct agent {
	struct loop *loop;
	const struct clock *clock;
	const struct settings *settings;
	int64_t started_us;
	struct timebase tb;
	struct store *store;
	struct identity *identity;
	struct trust *trust;
	struct http_client *http;
	struct journal *journal;
	struct readers *readers;
	struct follow *follow;
	struct operations *operations; /**< on tags */
	struct labels *labels;         /**< NULL without a label radio */
	struct escrow *escrow;         /**< likewise */
	struct netwatch *netwatch;     /**< NULL where it could not start */
	struct neighbours *neighbours; /**< NULL without a label radio */
	struct enroll *enroll;         /**< while joining */
	struct link *link;             /**< once joined */
	struct joincode given;         /**< from the command line */
	bool has_given;
	char name[PROTO_NAME_MAX]; /**< as the controller calls us */
	uint64_t caps;
	uint64_t seed;
	bool no_code_told;
	bool serving;        /**< drives readers and labels */
	bool desired_failed; /**< the last desired state could not be kept */
	struct loop_timer *tick;
	struct loop_timer *guard; /**< ends a stop that takes too long */
	unsigned int ticks;
	int64_t told_skew_us;
	int64_t saved_mono_us;
};

/** Fills the report for the controller. */
void agent_health(struct agent *a, struct proto_health *h);
/** Drives readers and labels by what is remembered. */
int agent_serve(struct agent *a);
/** The code is in the unit file or the configuration and stays there: it is used once. */
bool agent_code_used(struct agent *a, const struct joincode *code);
/** The store says that we belong to it, under that name. */
int agent_remember_joining(struct agent *a, const char *name);
