/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The shop: what a product is and costs, and what its shelf labels should show and do show. The
 * price journey of the house runs through here:
 *
 *     product*.c price*.c import*.c   REST -> checked facts -> one transaction: product row,
 * append-only |                       price ledger, audit row, and a mark on each label it concerns
 *             v
 *     wanted.c                        marked labels -> pictures (render*.c, template.c; on the
 * pool) -> |                       image_store.h (LMDB, durable first) -> wanted rows with a
 * revision
 *             v
 *     desired.c                       the agent's long poll: labels whose revision it has not seen
 *             v
 *     label_report.c                  what agents say happened -> label facts + append-only display
 *             |                       ledger, once each (streams have a high-water mark)
 *             v
 *     label_api.c label_state.c       wanted, sent and shown as three facts, and a reason in words
 *
 * The mark on a label (`stale` differs from `done`) is written in the transaction that acknowledges
 * a price; wanted.c looks for marks after each commit and at the start, so that a price once
 * acknowledged reaches its label, whatever dies in between.
 *
 * Threads: handlers and wanted.c on the loop thread; functions named *_write and those that take
 * the writer's struct sql on the writer thread; jobs of shop_work.h on the pool, with a database
 * reader and a renderer of their own.
 */
#pragma once

#include "controller/app.h"
#include "controller/http/http.h"

struct shop;
struct shop_work;

/** Needs app->loop, clock, config, db, http; events may be NULL. Registers
 * app_on_desired_changed(). */
int shop_new(struct app *app, struct shop **ret) _must_check_;
/** Its share of the pool, with a database reader for each job, for other rooms (shop_work.h). They
 * drain it before they go. */
struct shop_work *shop_pool(struct shop *s);
/** Finishes what is under way. Call after the HTTP server has stopped. NULL-safe. */
void shop_free(struct shop *s);
DEFINE_CLEANUP(struct shop *, shop_free)

extern const struct http_route shop_routes[];

struct sql;

/** The product that a GTIN names, by its id and name. -ENOENT. Any thread with a connection. */
int shop_product_by_gtin(struct sql *s, uint64_t gtin, int64_t *ret_id, char *name,
			 size_t name_len) _must_check_;

/** An agent's labels may be taken over by others from now on; call inside the write that revokes
 * it. */
int shop_agent_revoked(struct sql *s, int64_t agent_id) _must_check_;

/** The same agent, after that write: what it waits for is refused now. NULL-safe. */
void shop_agent_shut_out(struct shop *s, int64_t agent_id);
/** Makes the pictures of labels that a write has marked. Call after its commit. NULL-safe. */
void shop_look_for_marks(struct shop *s);
/** The agents that are there, by rising id, at most `max`. Returns the count. */
size_t shop_agents_online(const struct shop *s, int64_t *ret_ids, size_t max);
/** Writes a copy of the pictures' LMDB file to `fd`. Any thread. */
int shop_copy_images(struct shop *s, int fd) _must_check_;

/** Figures for /metrics; constant time. */
struct shop_stats {
	uint64_t rendered;      /**< pictures drawn since the start */
	uint64_t price_changes; /**< acknowledged since the start */
	uint64_t reports;       /**< label reports taken in since the start */
	uint64_t duplicates;    /**< reports dropped as repeated */
	uint64_t readings;      /**< values of labels' sensors taken in since the start */
	uint64_t polls;         /**< agents waiting for desired state, now */
};
void shop_stats(const struct shop *s, struct shop_stats *ret);
