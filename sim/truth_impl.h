/* SPDX-License-Identifier: Apache-2.0 */
/** @file What the answers of the truth port share: truth*.c only. */
#pragma once

#include "sim/truth.h"
#include <jansson.h>

struct sim_truth_ctx {
	const struct sim_truth_sources *s;
	const struct clock *clock;
	const json_t *q; /**< the request */
};

json_t *sim_truth_failure(const char *text);

/* truth_readers.c */
json_t *sim_truth_reader(const struct sim_truth_ctx *c);
json_t *sim_truth_readers(const struct sim_truth_ctx *c);

/* truth_goods.c */
json_t *sim_truth_items(const struct sim_truth_ctx *c);
json_t *sim_truth_item(const struct sim_truth_ctx *c);
json_t *sim_truth_move(const struct sim_truth_ctx *c);
json_t *sim_truth_moves(const struct sim_truth_ctx *c);
json_t *sim_truth_reads(const struct sim_truth_ctx *c);
json_t *sim_truth_places(const struct sim_truth_ctx *c);
json_t *sim_truth_leave(const struct sim_truth_ctx *c);
json_t *sim_truth_arrive(const struct sim_truth_ctx *c);
json_t *sim_truth_passages(const struct sim_truth_ctx *c);
/** The item that the request names, or -ENOENT. */
int sim_truth_item_of(const struct sim_truth_ctx *c);

/* truth_day.c */
json_t *sim_truth_plan(const struct sim_truth_ctx *c);
json_t *sim_truth_where(const struct sim_truth_ctx *c);
json_t *sim_truth_walk(const struct sim_truth_ctx *c);
json_t *sim_truth_events(const struct sim_truth_ctx *c);

/* truth_oepl.c */
void sim_truth_oepl_labels(const struct sim_truth_ctx *c, json_t *list);
/** NULL if there is no such label. */
json_t *sim_truth_oepl_label(const struct sim_truth_ctx *c);
json_t *sim_truth_oepl(const struct sim_truth_ctx *c);
json_t *sim_truth_oepl_tag(const struct sim_truth_ctx *c);
