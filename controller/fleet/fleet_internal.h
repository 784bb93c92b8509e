/* SPDX-License-Identifier: Apache-2.0 */
/** @file What the files of the fleet share. */
#pragma once

#include "controller/fleet/ca.h"
#include "controller/fleet/fleet.h"
#include "controller/incidents/incidents.h"
#include "controller/people/auth.h"
#include "controller/people/auth_throttle.h"
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#define FLEET_OFFLINE_US   (75 * US_PER_SEC) /* no request for this long; a long poll ends sooner */
#define FLEET_READER_PORT  5084              /* LLRP */
#define FLEET_CERT_WARN_US (14 * 86400 * US_PER_SEC)
#define FLEET_CLOCK_OFF_US (5 * US_PER_SEC)
#define FLEET_JOURNAL_MANY 10000u

struct agent {
	int64_t id;
	char name[PROTO_NAME_MAX];
	char version[PROTO_TEXT_MAX];
	uint64_t caps;
	int64_t created_us;
	int64_t revoked_us;   /* 0 = not */
	int64_t last_seen_us; /* 0 = never */
	int64_t cert_not_after_us;
	int64_t state_since_us; /* online or offline since; 0 = not known */
	bool online;
	struct proto_health *health; /* NULL until the first report */
	int64_t health_stored_us;
	UT_hash_handle hh;
};

struct agent_cert {
	uint8_t fingerprint[CA_FINGERPRINT_BYTES];
	int64_t agent_id;
	bool revoked; /* another machine has taken the agent's place */
	UT_hash_handle hh;
};

struct fleet {
	struct app *app;
	struct agent *agents;
	struct agent_cert *certs;
	struct throttle *strangers; /* who tries join codes */
	struct loop_timer *watch;
	struct fleet_incidents *incidents;
	uint64_t health_reports;
};

/* fleet.c */
/** Bytes of `name` that fit into `max` without splitting a character. */
size_t fleet_name_cut(const char *name, size_t max);
struct agent *fleet_find(const struct fleet *f, int64_t id);
/** Adds or finds. NULL when out of memory. */
struct agent *fleet_add(struct fleet *f, int64_t id, const char *name);
int fleet_add_cert(struct fleet *f, const uint8_t fingerprint[CA_FINGERPRINT_BYTES],
		   int64_t agent_id, int64_t not_after_us, bool revoked) _must_check_;
/** From now on the agent's certificates up to here are worth nothing, and nothing is known of the
 * machine that has them. */
void fleet_revoke_certs(struct fleet *f, struct agent *a);
/** Notes that the agent was heard from. */
void fleet_seen(struct fleet *f, struct agent *a);
/** The agent's object of the API; NULL when out of memory. */
json_t *fleet_agent_json(const struct fleet *f, const struct agent *a);
/** Tells the browsers. */
void fleet_publish(struct fleet *f, const struct agent *a);
/** The agent named by the first argument of the path; replies 404 and returns NULL otherwise. */
struct agent *fleet_from_path(struct http_request *rq, struct fleet *f);
/** A string from an agent as JSON; "" if it is not UTF-8. */
json_t *fleet_json_text(const char *text);
/** What to do about a trouble of a reader's radio, by its code. */
const char *fleet_trouble_step(const char *code);

/* fleet_advice.c */
/** What a person should do about this agent, as one sentence; "" if nothing. */
void fleet_advise(const struct agent *a, int64_t now_us, char *buf, size_t cap);

/* fleet_links.c */
#define FLEET_FINDINGS_MAX 6
#define FLEET_STEP_MAX     320

/** Something wrong, to become an incident when it lasts. */
struct fleet_finding {
	const char *kind;
	enum incident_severity severity;
	int64_t settle_us;
	const char *step;
	char title[INCIDENT_TITLE_MAX];
	json_t *detail; /* the caller's */
};

json_t *fleet_interfaces_json(const struct proto_health *h);
/** State of the label radio, and all that an agent tells of it. */
json_t *fleet_label_radio_json(const struct proto_health *h);
/** What to do about the label radio; "" if nothing. */
void fleet_advise_radio(const struct proto_health *h, char *buf, size_t cap);
/** What is wrong with links and label radio in a->health. */
size_t fleet_find_troubles(const struct agent *a, struct fleet_finding list[FLEET_FINDINGS_MAX]);

/* fleet_health.c */
void fleet_post_health(struct http_request *rq, struct app *app);

/* fleet_readers.c */
json_t *fleet_readers_json(const struct fleet *f, const struct agent *a);
/** fleet_keys.c: POST /api/v1/agents/{id}/rotate-keys. */
void fleet_rotate_keys(struct http_request *rq, struct app *app);
void fleet_put_reader(struct http_request *rq, struct app *app);
void fleet_delete_reader(struct http_request *rq, struct app *app);

/* fleet_radio_json.c */
/** Adds to each reader of the agent's object what its antennas and channels read. */
void fleet_add_radio_json(const struct agent *a, json_t *body);

/* fleet_codes.c */
#define JOIN_SECRET_CHARS 16
/** Takes a join code apart. -ERR_SYNTAX if it is none; -ERR_AUTH if it is of another store. */
int fleet_code_parse(const char *text, const uint8_t ca_fingerprint[CA_FINGERPRINT_BYTES],
		     uint8_t ret_secret_hash[32]) _must_check_;
