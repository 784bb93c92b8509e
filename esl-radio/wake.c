/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Nobody looks through all labels to find the few that matter now. Every label stands in the queue
 * of what it should hear (per group, by urgency), in the queue of why it should be visited, and in
 * a heap by the instant at which the clock alone changes either. Queues are hints: who takes a
 * label out of one computes anew what to do with it.
 */
#include "esl-radio/wake.h"
#include "esl-radio/engine.h"
#include "esl-radio/flash.h"
#include "esl-radio/packer.h"
#include "esl-radio/plan.h"
#include "esl-radio/sensor.h"
#include "esl-radio/visit.h"

#include <errno.h>
#include <stdlib.h>

/* --- the heap --------------------------------------------------------------------------------- */

static void heap_put(struct esl_engine *e, unsigned int i, struct esl_label *l)
{
	e->wakes[i] = l;
	l->wake_index = i;
}

static void heap_up(struct esl_engine *e, unsigned int i)
{
	struct esl_label *l = e->wakes[i];

	while (i > 0) {
		unsigned int parent = (i - 1) / 2;

		if (e->wakes[parent]->wake_at_us <= l->wake_at_us)
			break;
		heap_put(e, i, e->wakes[parent]);
		i = parent;
	}
	heap_put(e, i, l);
}

static void heap_down(struct esl_engine *e, unsigned int i)
{
	struct esl_label *l = e->wakes[i];

	for (unsigned int child; (child = 2 * i + 1) < e->n_labels; i = child) {
		if (child + 1 < e->n_labels &&
		    e->wakes[child + 1]->wake_at_us < e->wakes[child]->wake_at_us)
			child++;
		if (l->wake_at_us <= e->wakes[child]->wake_at_us)
			break;
		heap_put(e, i, e->wakes[child]);
	}
	heap_put(e, i, l);
}

static void heap_moved(struct esl_engine *e, struct esl_label *l)
{
	heap_up(e, l->wake_index);
	heap_down(e, l->wake_index);
}

int esl_wake_add(struct esl_engine *e, struct esl_label *l)
{
	struct esl_label **wakes = reallocarray(e->wakes, e->n_labels + 1u, sizeof(*e->wakes));

	if (!wakes)
		return -ENOMEM;
	e->wakes = wakes;
	heap_put(e, e->n_labels, l);
	e->n_labels++;
	heap_up(e, l->wake_index);
	return 0;
}

void esl_wake_remove(struct esl_engine *e, struct esl_label *l)
{
	unsigned int i = l->wake_index;
	struct esl_label *last = e->wakes[--e->n_labels];

	if (last == l)
		return;
	heap_put(e, i, last);
	heap_moved(e, last);
}

void esl_wakes_done(struct esl_engine *e)
{
	free(e->wakes);
	e->wakes = NULL;
}

/** Has the timer fire for the earliest; it never runs more often than once a millisecond. */
static void arm(struct esl_engine *e)
{
	int64_t at_us = e->n_labels ? e->wakes[0]->wake_at_us : ESL_NEVER;

	if (at_us >= e->wake_us)
		return;
	e->wake_us = at_us;
	loop_timer_start(e->wake, MAX(at_us - esl_now(e), 0));
}

/* --- the queues ------------------------------------------------------------------------------- */

void esl_set_ready(struct esl_engine *e, struct esl_label *l, enum esl_urgency u)
{
	struct esl_group *g = &e->groups[l->group];

	if (l->ready == u)
		return;
	if (l->ready != ESL_URGENCY_NONE)
		TAILQ_REMOVE(&g->ready[l->ready], l, ready_link);
	if (u != ESL_URGENCY_NONE)
		TAILQ_INSERT_TAIL(&g->ready[u], l, ready_link);
	l->ready = (uint8_t) u;
}

void esl_set_queue(struct esl_engine *e, struct esl_label *l, unsigned int queue)
{
	if (l->queue == queue)
		return;
	if (l->queue != ESL_URGENCY_NONE)
		TAILQ_REMOVE(&e->visit_queue[l->queue], l, visit_link);
	if (queue != ESL_URGENCY_NONE)
		TAILQ_INSERT_TAIL(&e->visit_queue[queue], l, visit_link);
	l->queue = (uint8_t) queue;
}

/* --- looking anew ----------------------------------------------------------------------------- */

void esl_reconsider(struct esl_engine *e, struct esl_label *l)
{
	struct esl_cmd c;
	bool by_advert;
	unsigned int queue;

	esl_pending_due(e, l);
	esl_drawn_due(e, l);
	esl_flash_due(e, l);
	esl_sensors_due(e, l);
	esl_set_ready(e, l, esl_plan(e, l, &c));
	queue = esl_visit_need(e, l, &by_advert);
	esl_set_queue(e, l, queue);
	l->wake_at_us = esl_plan_wake(e, l);
	heap_moved(e, l);
	arm(e);
	if (queue != ESL_URGENCY_NONE && !loop_timer_active(e->pump))
		loop_timer_start(e->pump, 0);
}

void esl_reconsider_all(struct esl_engine *e)
{
	unsigned int i = 0;

	/* What is told on the way may have the owner adopt another label, and the table grow. */
	while (i < e->label_cap) {
		unsigned int cap = e->label_cap;

		if (e->labels[i])
			esl_reconsider(e, e->labels[i]);
		i = cap == e->label_cap ? i + 1 : 0;
	}
}

void esl_wakes_due(struct esl_engine *e)
{
	int64_t now_us = esl_now(e);

	for (unsigned int n = e->n_labels; n > 0 && e->wakes[0]->wake_at_us <= now_us; n--)
		esl_reconsider(e, e->wakes[0]);
}
