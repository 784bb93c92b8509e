/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Operations on tags: a person asks a reader to read, write or lock one tag; the agent carries it
 * out once and tells what came of it. What is asked is a row; the long poll carries it to the
 * agent; a result is taken once, the first that is final.
 *
 *     tag_ask.c     what people ask for, checked
 *     tag_rows.c    rows in and out, serials that are given out once
 *     tag_agent.c   the agent's side: what is to be done, and what became of it
 *     tags_api.c    /api/v1/tag-operations
 *
 * An access password is kept in memory until its operation has ended, and nowhere else: not in the
 * database, not in a log, not in an answer.
 */
#pragma once

#include "common/proto_operations.h"
#include "common/sql.h"
#include "controller/app.h"
#include "controller/http/http.h"
#include "controller/people/auth.h"

struct tags;

int tags_new(struct app *app, struct tags **ret) _must_check_;
void tags_free(struct tags *t);
extern const struct http_route tags_routes[];

/** Adds the agent's operations to an answer of the long poll, if there are new ones since
 * `after_rev`, or always if that is 0. */
int tags_desired(struct app *app, int64_t agent_id, uint64_t after_rev,
		 struct proto_desired *out) _must_check_;

/* --- inside this room --------------------------------------------------------------------------
 */

#define TAGS_TIMEOUT_S  60
#define TAGS_OPEN_MAX   1000               /**< operations of the store that have not ended */
#define TAGS_LATE_US    (15 * US_PER_SEC)  /**< for a result to arrive, beyond its time */
#define TAGS_UNKNOWN_US (900 * US_PER_SEC) /**< for one that was begun */
#define TAGS_TEXT_MAX   PROTO_TEXT_MAX

struct tag_ask {
	struct proto_operation op;
	int64_t agent_id;
	uint64_t gtin;              /**< 0 = an EPC was given */
	uint64_t serial;            /**< 0 = the next one */
	unsigned int prefix_digits; /**< 0 = as last time, or 7 */
	bool again;                 /**< the serial may have been given out before */
	int64_t timeout_us;
};

/** Reads the body. Replies 422 and returns false if it is wrong. */
bool tag_ask_read(struct http_request *rq, struct app *app, const json_t *body,
		  struct tag_ask *ret);

const char *tag_kind_name(unsigned int kind);
const char *tag_state_name(unsigned int state);
const char *const *tag_bank_names(size_t *ret_n);
const char *const *tag_field_names(size_t *ret_n);
const char *const *tag_how_names(size_t *ret_n);

/** Inside a write. Gives out a serial if one is asked for. -ERR_CONFLICT: that serial was given
 * out; -ENOENT: no such reader; -EAGAIN: too many are open; -ERR_RANGE, -ERR_CHECK_DIGIT: no such
 * EPC. */
int tag_rows_insert(struct sql *s, struct tag_ask *ask, int64_t token, const char *by,
		    int64_t now_us) _must_check_;
/** 1 = taken, 0 = it says nothing new. */
int tag_rows_result(struct sql *s, int64_t agent_id, const struct proto_operation_result *r,
		    int64_t now_us) _must_check_;
/** Ends those that nobody carried out in their time. Returns how many. */
int tag_rows_expire(struct sql *s, int64_t now_us) _must_check_;
/** NULL if there is none. */
json_t *tag_row_json(struct app *app, int64_t id);

/* the passwords of operations that have not ended, by token */
int64_t tags_secret_keep(struct tags *t, uint32_t password);
uint32_t tags_secret(const struct tags *t, int64_t token, bool *ret_known);
void tags_secret_drop(struct tags *t, int64_t token);
void tags_publish(struct app *app, int64_t id);

void tags_api_list(struct http_request *rq, struct app *app);
void tags_api_get(struct http_request *rq, struct app *app);
void tags_api_post(struct http_request *rq, struct app *app);
void tags_agent_results(struct http_request *rq, struct app *app);
