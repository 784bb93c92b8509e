/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * How far one label is with one change: has its picture been made, is it on the label, has the
 * label flipped to it, is that confirmed, or why not. Promotions and rollouts count the same
 * states.
 *
 *   waiting   nobody can do anything about it at present; the reason says what it waits for
 *   drawing   its picture is being made
 *   staging   the access point has the picture and sends it
 *   staged    the picture is on the label, not shown
 *   flipped   the label has acknowledged that it shows it
 *   shown     and that has been confirmed, or read back
 *   failed    not on its way, and the reason says why: an error, or the label is silent
 */
#pragma once

#include "controller/shop/label.h"
#include "controller/shop/label_state.h"

enum label_progress_state {
	LABEL_PROGRESS_WAITING,
	LABEL_PROGRESS_DRAWING,
	LABEL_PROGRESS_STAGING,
	LABEL_PROGRESS_STAGED,
	LABEL_PROGRESS_FLIPPED,
	LABEL_PROGRESS_SHOWN,
	LABEL_PROGRESS_FAILED,
	LABEL_PROGRESS_STATE_COUNT
};

/** What the label is to come to. */
struct label_goal {
	const uint8_t *image; /**< NULL = not in its timeline yet */
	int64_t due_us;       /**< when to flip; PROTO_HOLD_US = staged only, for now */
};

struct label_progress {
	enum label_progress_state state;
	char reason[LABEL_REASON_MAX];           /**< "" where the state says it all */
	int64_t staged_us, flipped_us, shown_us; /**< 0 = not, or not known */
	int grade;                               /**< enum evidence_grade of what it shows */
};

/** Reads the display ledger for when the picture was staged. Any thread with a connection. */
int label_progress_of(struct sql *s, const struct label *l, struct label_agent_view agent,
		      const struct label_goal *goal, int64_t now_us,
		      struct label_progress *ret) _must_check_;
/** "waiting", ...; never NULL. */
const char *label_progress_text(enum label_progress_state state);
/** -ENOENT if there is no such word. */
int label_progress_parse(const char *text, enum label_progress_state *ret) _must_check_;
/** {label, product, agent, wave: null, state, reason, staged_at, flipped_at, shown_at, grade}. */
json_t *label_progress_json(const struct label *l, const struct label_progress *p);
