/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The shop's share of the work pool: a few slots, each with a database reader and a renderer that
 * no other thread touches. Jobs wait their turn for a slot; urgent ones (pictures for labels) go
 * first.
 */
#pragma once

#include "common/loop.h"
#include "common/sql.h"
#include "controller/db/db.h"
#include "controller/shop/render.h"

struct shop_work;

/** What a job may use while it runs. */
struct shop_slot {
	struct sql *sql;
	struct renderer *renderer;
};

/** Embed it; it must live until `done`, which may free it. */
struct shop_job {
	void (*work)(struct shop_job *job, struct shop_slot *slot); /**< pool thread */
	void (*done)(struct shop_job *job);                         /**< loop thread, once */
	/* the rest is shop_work's */
	struct shop_job *next;
	struct shop_work *owner;
	size_t slot;
};

int shop_work_new(struct loop *loop, struct db *db, struct shop_work **ret) _must_check_;
/** Waits for the jobs that run or wait; their `done` is called. NULL-safe. */
void shop_work_free(struct shop_work *w);
void shop_work_submit(struct shop_work *w, struct shop_job *job, bool urgent);
/** Turns the loop until no job runs or waits. */
void shop_work_drain(struct shop_work *w);
