/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The store's agents: who they are (certificates, revocation), what they should be (readers), how
 * they are (health), and one sentence for the person who has to do something about it.
 *
 * Agents and their certificates are held in memory, so that asking "who is this?" in every request
 * costs a hash lookup; SQLite has the durable truth and is written first.
 */
#pragma once

#include "common/proto.h"
#include "common/sql.h"
#include "controller/app.h"
#include "controller/http/http.h"

struct fleet;

int fleet_new(struct app *app, struct fleet **ret) _must_check_;
void fleet_free(struct fleet *f);

/** /api/v1/agents, join codes, readers, and the agents' enroll, renew and health. */
extern const struct http_route fleet_routes[];
extern const struct http_route fleet_code_routes[];
extern const struct http_route fleet_enroll_routes[];

/** http_identify_fn of the agents' listener; `user` is the struct fleet. */
int fleet_identify(void *user, struct http_request *rq, struct http_who *ret);

/**
 * Adds the readers of an agent to an answer of the long poll, if they changed after `after_rev` (or
 * always, if that is 0). Raises out->rev to the revision of the change. 1 = added, 0 = unchanged.
 */
int fleet_desired_readers(struct app *app, int64_t agent_id, uint64_t after_rev,
			  struct proto_desired *out) _must_check_;
/** Before which instant the agent's label keys must not have been made, where that is news. */
int fleet_desired_keys(struct app *app, int64_t agent_id, uint64_t after,
		       struct proto_desired *m) _must_check_;

/** Inside a write: -ERR_REVOKED if the agent was revoked since its request was let in. */
int fleet_check_revoked(struct sql *s, int64_t agent_id) _must_check_;

/** Name of an agent, "" if unknown. Borrowed until the agent changes. */
const char *fleet_agent_name(const struct fleet *f, int64_t agent_id);
bool fleet_agent_online(const struct fleet *f, int64_t agent_id);

/** All agents as the API shows them, health included. The caller's reference. */
json_t *fleet_agents_json(const struct fleet *f);

/** Pictures a second that the slowest access point which is there says it can send; 0 = none says.
 */
double fleet_picture_rate(const struct fleet *f);

struct fleet_stats {
	size_t online, offline, revoked;
	uint64_t health_reports;
};
void fleet_stats(const struct fleet *f, struct fleet_stats *ret);
