/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Doors, who passed them, and what becomes of it.
 *
 *     door_api.c     doors: two groups of antennas of one agent at a place
 *     passage.c      an agent's raw reads of one passage -> its direction (door.h) -> a row
 * (writer) exit.c         what becomes of those that went out: sold, still here, or an incident
 *     exit_sale.c    which sale explains that an item is gone
 *     passage_api.c  lists, with the reads for a chart
 *
 * A passage out of an exit, or of which the direction is not sure, waits for its grace: is the item
 * sold meanwhile, or heard inside again, all is well. If not, it becomes the incident
 * `exit-unsold`, which closes itself when the sale arrives or the item comes back. An item that was
 * heard last at an exit without a door, and is gone, counts like one that went out there.
 */
#pragma once

#include "common/proto.h"
#include "common/sql.h"
#include "controller/inventory/door.h"
#include "controller/inventory/inventory_internal.h"

#define EXIT_GRACE_S      120
#define EXIT_GRACE_MAX_S  86400
#define EXIT_INCIDENT     "exit-unsold"
#define EXIT_SURE         0.6                               /* a direction below is none */
#define EXIT_LOOK_BACK_US (INT64_C(24) * 3600 * US_PER_SEC) /* for exits without a door */
#define DOORS_MAX         64
#define PASSAGES_KEPT_US  (INT64_C(90) * 86400 * US_PER_SEC)
#define PASSAGE_BODY_US   (INT64_C(14) * 86400 * US_PER_SEC)

struct exits;

int exits_new(struct inventory *inv, struct exits **ret) _must_check_;
void exits_free(struct exits *x);
/** There may be something to decide. NULL-safe in the exits. */
void exits_look(struct inventory *inv);
/** The tills have told something. NULL-safe in the exits. */
void exits_sold(struct inventory *inv);
/** An item has changed: was it heard last at an exit? */
void exits_note(struct inventory *inv, const struct inv_change *c);
/** Doors or places have changed. */
void exits_reload(struct inventory *inv);

/** Judges and stores an agent's passage. On the writer thread. What names no door of this agent is
 * dropped: it may have been deleted meanwhile. */
int passage_add(struct sql *s, int64_t agent_id, const struct proto_reads_entry *e,
		int64_t now_us) _must_check_;
/** The verdict on a passage as an agent tells it; antennas of the groups are sources counted
 * from 1. */
void passage_judge(const struct proto_reads_entry *e, const struct door_group *inner,
		   const struct door_group *outer, struct door_verdict *ret);
/** A row that is not there yet (same item and instant); waiting until due_us. */
struct passage_row {
	int64_t door, place, agent;
	const struct epc *epc;
	int64_t began_us, at_us, due_us; /**< due 0 = nothing to wait for */
	const char *direction;
	double confidence;
	size_t reads;
	const void *body;
	size_t body_len;
	const char *note;
};
int passage_insert(struct sql *s, const struct passage_row *p) _must_check_;

/** A sale that explains why an item left. */
struct exit_sale {
	int64_t line, at_us;
	char till[64], number[64];
};
/** 1 = there is one. On the writer thread. */
int exit_find_sale(struct sql *s, const struct epc *epc, uint64_t gtin, int64_t at_us,
		   int64_t grace_us, struct exit_sale *ret) _must_check_;

void doors_list(struct http_request *rq, struct app *app);
void doors_create(struct http_request *rq, struct app *app);
void doors_change(struct http_request *rq, struct app *app);
void doors_delete(struct http_request *rq, struct app *app);
void passages_list(struct http_request *rq, struct app *app);
void passages_show(struct http_request *rq, struct app *app);
