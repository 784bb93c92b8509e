/* SPDX-License-Identifier: Apache-2.0 */
/** @file Inside of the operations: operations.c works on tags, operations_store.c remembers. */
#pragma once

#include "ap-agent/operations.h"

#define OPERATIONS_MAX 64 /* that are not finished, or not told */
#define SEEN_TAGS_MAX  8

enum op_phase {
	OP_ACCEPTED = 0,
	OP_BEGUN = 1,
	OP_FINISHED = 2,
};

struct op {
	struct proto_operation ask; /**< its tag is the one that was found, once it is begun */
	enum op_phase phase;
	bool secret; /**< it came with a password */
	bool has_result;
	bool told;            /**< the controller has the result */
	bool recovering;      /**< begun in an earlier life, or cut off: only looked at */
	int64_t give_up_us;   /**< monotonic: recovering ends */
	unsigned int version; /**< of the result */
	struct proto_operation_result result;
};

enum op_step {
	STEP_IDLE,
	STEP_LOOK,     /**< which tags are in view? */
	STEP_WORK,     /**< the operation itself */
	STEP_READ_NEW, /**< does the new EPC answer? */
	STEP_READ_OLD, /**< or still the old one? */
	STEP_WAIT,     /**< for the reader */
};

struct operations {
	struct loop *loop;
	const struct clock *clock;
	struct operations_config cfg;
	struct sql *sql;
	struct op *list[OPERATIONS_MAX]; /**< by id */
	size_t n;
	struct op *active;
	enum op_step step;
	bool said_done;           /**< the tag said that the write was done */
	char why[PROTO_TEXT_MAX]; /**< else, what it or the reader said */
	size_t n_tags;
	struct epc tags[SEEN_TAGS_MAX];
	struct loop_timer *timer; /**< of the step */
	struct loop_timer *send;
	struct http_call *call;
	int64_t backoff_us;
	struct proto_operation_results sent;
	unsigned int sent_version[PROTO_MAX_OPERATIONS];
};

/* operations_store.c */
int op_table(struct operations *o) _must_check_;
/** Inserts an accepted one. 1 = new, 0 = known already. */
int op_accept(struct operations *o, const struct op *op) _must_check_;
/** Whatever changed of it, durable on return. */
int op_save(struct operations *o, const struct op *op) _must_check_;
/** Those that are not finished or not told. */
int op_load(struct operations *o) _must_check_;
/** Old ids. */
int op_prune(struct operations *o) _must_check_;
/** Adds to the list in memory, which keeps its order; NULL = no room. */
struct op *op_add(struct operations *o, const struct op *op);
