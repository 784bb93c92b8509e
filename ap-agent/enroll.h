/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * How an access point becomes a member of the store: key, request, certificate. The request may be
 * repeated: after a crash the same key asks again with the same code, and the controller answers
 * again. Renewal is the same exchange with an empty code over the mutual TLS that is there.
 */
#pragma once

#include "ap-agent/http_client.h"
#include "ap-agent/identity.h"
#include "common/proto.h"

struct enroll;

struct enroll_config {
	struct http_client *http;
	struct identity *identity;
	struct trust *trust;
	struct timebase *tb;
	struct joincode code;
	const char *name;
	const char *version;
	uint64_t caps;
	uint64_t seed; /**< jitter; 0 = 1 */
};

/** What the controller answered: its number and name for this agent. */
typedef void (*enroll_fn)(void *user, uint64_t agent_id, const char *name);

/** Tries until it works (1 s doubling to 30 s, a refused code once in five minutes), then calls fn
 * once, from which enroll_free() is allowed. */
int enroll_new(struct loop *loop, const struct enroll_config *cfg, enroll_fn fn, void *user,
	       struct enroll **ret) _must_check_;
void enroll_free(struct enroll *e);
/** A sentence about the last failure; empty while there is none. */
const char *enroll_last_error(const struct enroll *e);

/** The body of an enrolment (or, with an empty code, renewal) request. */
int enroll_request(const struct identity *id, const char *code, const char *name,
		   const char *version, uint64_t caps, struct buf *out) _must_check_;
/** Takes the answer: its CA must be the trusted one. The decoded answer is the caller's to free().
 */
int enroll_accept(struct identity *id, struct trust *trust, const void *body, size_t len,
		  struct proto_enroll_response **ret) _must_check_;
