/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * A shop without sockets, in virtual time: database, image store, routes and everything between,
 * driven by injected requests. For the tests of products, prices, labels and wanted state.
 */
#pragma once

#include "tests/unit/test_common.h"

#include "common/err.h"
#include "common/proto.h"
#include "controller/app_config.h"
#include "controller/db/db.h"
#include "controller/http/http.h"
#include "controller/rollout/rollout.h"
#include "controller/shop/label.h"
#include "controller/shop/shop.h"
#include <jansson.h>

#define ENV_START_US (INT64_C(1795000000) * US_PER_SEC)

struct env {
	char dir[64];
	struct loop *loop;
	struct app_config config;
	struct app app;
	bool answered;
	unsigned int status;
	char *body;
	size_t len;
};

int env_setup(void **state);
int env_teardown(void **state);
/** Stops the shop as a kill would leave it (after the commits that were answered), and starts anew.
 */
void env_restart(struct env *e);
/** Lets everything under way come to rest without time passing. */
void env_settle(struct env *e);
void env_advance(struct env *e, int64_t us);
/** Sets the clock on the wall; timers do not notice. */
void env_set_clock(struct env *e, int64_t real_us);
/** A person with all permissions asks; returns the status. e->body has the answer. */
unsigned int env_call(struct env *e, const char *method, const char *uri, const char *json);
unsigned int env_call_as(struct env *e, unsigned int perms, const char *method, const char *uri,
			 const char *const *headers, const void *body, size_t len);
/** An agent asks. The answer may come later: look at e->answered. */
void env_agent(struct env *e, int64_t agent_id, const char *method, const char *uri,
	       const void *body, size_t len);
/** The answer as JSON. */
json_t *env_json(struct env *e);
/** The member `path` ("a.b") of the answer as text; "" for null or absence. */
const char *env_text(struct env *e, const char *path);
int64_t env_int(struct env *e, const char *path);
/** Runs SQL on the writer; returns its result. */
int env_sql(struct env *e, const char *text);
/** Reads one number. */
int64_t env_number(struct env *e, const char *text);

/** Label reports from an agent; numbered after those before it. */
struct env_reports {
	int64_t agent_id;
	uint64_t next_seq;
};
struct proto_label_report env_report(uint64_t addr, enum label_report_kind kind, int64_t at_us);
unsigned int env_send(struct env *e, struct env_reports *from, struct proto_label_report *reports,
		      size_t n);
/** A label that agent 1 has heard and knows: SEEN, then ASSOCIATED. */
void env_new_label(struct env *e, struct env_reports *from, uint64_t addr);
/** Creates a product with a price; returns its id. */
int64_t env_new_product(struct env *e, const char *gtin, const char *name, const char *price);
/** Polls the desired state at once; the caller owns the result. */
void env_desired(struct env *e, int64_t agent_id, uint64_t after, struct proto_desired *ret);
