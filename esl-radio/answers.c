/* SPDX-License-Identifier: Apache-2.0 */
#include "esl-radio/engine.h"
#include "esl-radio/flash.h"
#include "esl-radio/packer.h"
#include "esl-radio/persist.h"
#include "esl-radio/plan.h"
#include "esl-radio/report.h"
#include "esl-radio/sensor.h"
#include "esl-radio/timebase.h"
#include "esl-radio/wake.h"

#include "common/err.h"
#include <stdio.h>
#include <string.h>

#define UNANSWERED_SPAN   32 /* commands back that count */
#define LOST_AFTER_MISSES 20
#define PROBE_LONGEST_S   60
#define HOLD_LONGEST_S    600
#define RETRY_LONGEST_S   60
#define RETRY_TOLD_S      16
#define BATTERY_HOLD_S    600
#define PING_US           (INT64_C(20) * 60 * US_PER_SEC)
#define PING_PENDING_US   (INT64_C(5) * 60 * US_PER_SEC)
#define STATUS_US         (INT64_C(3600) * US_PER_SEC)
#define SERVICE_AGAIN_US  (INT64_C(60) * US_PER_SEC)
#define CONFIRM_AFTER_US  (INT64_C(900) * US_PER_MS)

/* --- going out -------------------------------------------------------------------------------- */

static void missed(struct esl_engine *e, struct esl_label *l)
{
	e->stats.retries++;
	l->unanswered = (uint16_t) (l->unanswered + (UINT16_MAX - l->unanswered) / UNANSWERED_SPAN);
	if (l->misses < UINT8_MAX)
		l->misses++;
	if (l->forgetting && ++l->forget_tries >= ESL_CMD_FORGET_TRIES) {
		l->configured = false; /* it drops its bond by itself when the train stays away */
		esl_reconsider(e, l);
		return;
	}
	if (l->misses < LOST_AFTER_MISSES)
		return;
	if (l->phase != ESL_PHASE_LOST) {
		l->phase = ESL_PHASE_LOST;
		esl_report_lost(e, l);
	}
	/* Asked ever more rarely, so that it does not take room from labels that do listen. */
	l->hold_s = (uint16_t) MIN(MAX(l->hold_s * 2, 2), PROBE_LONGEST_S);
	l->hold_until_us = esl_now(e) + l->hold_s * US_PER_SEC;
	esl_reconsider(e, l);
}

static bool timed_sent(struct esl_engine *e, struct esl_label *l, const struct esl_cmd *c)
{
	struct esl_pending before = l->pending;
	int32_t ahead_ms;

	if (c->abs_ms == 0 || (before.state == ESL_PENDING_SENT && before.abs_ms == c->abs_ms))
		return true;
	ahead_ms = (int32_t) (c->abs_ms - esl_label_time(e, l, esl_now(e)));
	l->pending = (struct esl_pending){
		.state = ESL_PENDING_SENT,
		.slot = c->image,
		.abs_ms = c->abs_ms,
		.at_us = esl_now(e) + ahead_ms * US_PER_MS,
	};
	/* A label that holds a timed command nobody remembers would show an old price some day. */
	if (esl_save_label(e, l) < 0) {
		l->pending = before;
		return false;
	}
	esl_reconsider(e, l);
	return true;
}

static void report_sent(struct esl_engine *e, struct esl_label *l, const struct esl_cmd *c)
{
	const uint8_t *image;

	if ((c->op != ESL_OP_DISPLAY_IMAGE && c->op != ESL_OP_DISPLAY_TIMED) ||
	    (c->op == ESL_OP_DISPLAY_TIMED && c->abs_ms == 0) || c->image >= l->n_slots)
		return;
	image = l->slots[c->image].image;
	if (memcmp(l->sent_image, image, sizeof(l->sent_image)) == 0)
		return;
	memcpy(l->sent_image, image, sizeof(l->sent_image));
	esl_report_image(e, l, ESL_SENT, image);
}

bool esl_command_sent(struct esl_engine *e, struct esl_label *l, const struct esl_cmd *c)
{
	if (c->op == ESL_OP_DISPLAY_TIMED && !timed_sent(e, l, c))
		return false;
	if (c->op == ESL_OP_READ_SENSOR && !esl_sensor_sent(e, l, c))
		return false;
	if (!esl_flash_sent(e, l, c))
		return false;
	if (l->awaiting)
		missed(e, l);
	l->awaiting = !l->visit; /* while it is being visited it cannot hear, and need not */
	report_sent(e, l, c);
	return true;
}

/* --- coming back ------------------------------------------------------------------------------ */

/* The label has begun to draw this slot at `at_us`. */
static void drawing(struct esl_engine *e, struct esl_label *l, uint8_t slot, int64_t at_us)
{
	bool colour = image_planes(l->display_type) > 1;

	if (slot != l->shown_slot)
		l->prev_slot = l->shown_slot;
	l->shown_slot = (int8_t) slot;
	l->grade = ESL_GRADE_ACKNOWLEDGED;
	l->drawn_at_us = at_us + (colour ? ESL_REDRAW_COLOUR_US : ESL_REDRAW_BW_US);
	l->shown_since_utc_us = l->drawn_at_us + e->time.utc_us;
	l->confirm_at_us = MAX(l->drawn_at_us, esl_now(e)) + CONFIRM_AFTER_US;
	memset(l->sent_image, 0, sizeof(l->sent_image));
	/* Kept as acknowledged: after a restart a ping confirms it, and that tells it. */
	(void) esl_save_label(e, l);
}

void esl_drawn_due(struct esl_engine *e, struct esl_label *l)
{
	if (l->drawn_at_us > esl_now(e))
		return;
	l->drawn_at_us = ESL_NEVER;
	if (l->grade == ESL_GRADE_ACKNOWLEDGED && l->shown_slot != ESL_NO_SLOT)
		esl_report_shown(e, l);
}

void esl_pending_due(struct esl_engine *e, struct esl_label *l)
{
	struct esl_pending p = l->pending;

	if (p.state == ESL_PENDING_NONE || p.state == ESL_PENDING_FOREIGN || p.at_us > esl_now(e))
		return;
	l->pending.state = ESL_PENDING_NONE;
	l->queue_known = l->queue_known && p.state == ESL_PENDING_ACKED;
	if (p.state == ESL_PENDING_ACKED && p.slot < l->n_slots && l->slots[p.slot].held)
		drawing(e, l, p.slot, p.at_us);
	/* Not acknowledged: the plan displays it by hand now, which does no harm if it was heard.
	 */
}

static void on_display_state(struct esl_engine *e, struct esl_label *l,
			     const struct esl_cmd_brief *cmd, const struct esl_rsp *r)
{
	if (cmd->op == ESL_OP_DISPLAY_TIMED) {
		if (cmd->abs_ms == 0) {
			l->pending.state = ESL_PENDING_NONE;
			l->queue_known = true;
			(void) esl_save_label(e, l);
		} else if (l->pending.state == ESL_PENDING_SENT &&
			   l->pending.abs_ms == cmd->abs_ms) {
			l->pending.state = ESL_PENDING_ACKED;
		}
		return;
	}
	if (cmd->op == ESL_OP_DISPLAY_IMAGE && r->image == cmd->image && r->image < l->n_slots &&
	    l->slots[r->image].held)
		drawing(e, l, r->image, esl_now(e));
}

/** The label may have restarted: what it was told to do later is lost, what it was drawing half
 * done. */
static void service_asked(struct esl_engine *e, struct esl_label *l,
			  const struct esl_cmd_brief *cmd)
{
	l->service_needed = cmd->op != ESL_OP_SERVICE_RESET; /* once; it may not let go of it */
	l->confirm_at_us = esl_now(e) + SERVICE_AGAIN_US;
	if (l->service_flag)
		return;
	l->service_flag = true;
	l->queue_known = false;
	esl_flash_restarted(e, l);
	if (l->pending.state == ESL_PENDING_ACKED)
		l->pending.state = ESL_PENDING_SENT;
	if (l->grade == ESL_GRADE_ACKNOWLEDGED)
		l->grade = ESL_GRADE_NONE;
	esl_report_error(e, l, ERR_PEER,
			 "The label asks for service: it has restarted, or its battery is low.",
			 NULL);
}

static void on_basic_state(struct esl_engine *e, struct esl_label *l,
			   const struct esl_cmd_brief *cmd, uint16_t bits)
{
	int64_t now_us = esl_now(e);

	if (bits & ESL_STATE_SERVICE_NEEDED) {
		service_asked(e, l, cmd);
		return;
	}
	l->service_flag = false;
	l->service_needed = false;
	if (bits & ESL_STATE_PENDING_LED)
		esl_flash_foreign(l); /* we give none */
	if (l->pending.state == ESL_PENDING_ACKED && !(bits & ESL_STATE_PENDING_DISPLAY) &&
	    l->pending.at_us > now_us + e->interval_us)
		l->pending.state = ESL_PENDING_NONE; /* it forgot: the plan sends it again */
	if (l->pending.state == ESL_PENDING_NONE && (bits & ESL_STATE_PENDING_DISPLAY)) {
		l->pending.state = ESL_PENDING_FOREIGN;
		l->pending.at_us = ESL_NEVER;
		l->queue_known = false;
	}
	/* It held nothing before, and one command was sent since. */
	if (l->pending.state == ESL_PENDING_SENT && l->queue_known &&
	    (bits & ESL_STATE_PENDING_DISPLAY) && l->pending.at_us > now_us)
		l->pending.state = ESL_PENDING_ACKED;
	if (!(bits & ESL_STATE_PENDING_DISPLAY))
		l->queue_known = true;
	if ((bits & ESL_STATE_SYNCHRONIZED) && l->grade == ESL_GRADE_ACKNOWLEDGED &&
	    now_us >= l->confirm_at_us && l->shown_slot != ESL_NO_SLOT) {
		l->grade = ESL_GRADE_CONFIRMED;
		l->drawn_at_us = ESL_NEVER;
		esl_report_shown(e, l);
		(void) esl_save_label(e, l);
	}
}

/* --- errors ----------------------------------------------------------------------------------- */

/** Waits ever longer before the label is told anything again, but not beyond the instant of its
 * next price: that is tried once when it is due. */
static void hold(struct esl_engine *e, struct esl_label *l, unsigned int at_least_s)
{
	int64_t next_us;
	int next;

	l->hold_s = (uint16_t) MIN(MAX(MAX(l->hold_s * 2u, 2u), at_least_s), HOLD_LONGEST_S);
	l->hold_until_us = esl_now(e) + l->hold_s * US_PER_SEC;
	(void) esl_wish_now(e, l, &next);
	next_us = next >= 0 ? esl_mono_of_utc(e, l->wishes[next].from_us) : ESL_NEVER;
	if (next_us > esl_now(e))
		l->hold_until_us = MIN(l->hold_until_us, next_us);
}

/** Busy once is nothing: the plan says the same again at the next interval. A label that stays busy
 * is asked ever more rarely, and after half a minute a person hears of it. */
static void busy(struct esl_engine *e, struct esl_label *l)
{
	if (l->last_error) { /* whatever it said before: it has not taken one since */
		l->hold_s = (uint16_t) MIN(MAX(l->hold_s * 2u, 1u), RETRY_LONGEST_S);
		l->hold_until_us = esl_now(e) + l->hold_s * US_PER_SEC;
	}
	l->last_error = ESL_ERR_RETRY;
	if (l->hold_s >= RETRY_TOLD_S)
		esl_report_error(e, l, ERR_PEER, esl_error_sentence(ESL_ERR_RETRY), NULL);
}

/** The slot does not hold what we thought: it will be written again. */
static void slot_is_gone(struct esl_engine *e, struct esl_label *l, uint8_t slot)
{
	if (slot < l->n_slots) {
		l->slots[slot].held = false;
		if (l->shown_slot == slot)
			l->shown_slot = ESL_NO_SLOT;
		if (l->prev_slot == slot)
			l->prev_slot = ESL_NO_SLOT;
	}
	(void) esl_save_label(e, l);
	/* The first time it is mended at once; a label that keeps saying so is given time. */
	if (l->last_error) {
		hold(e, l, 0);
		l->visit_after_us = l->hold_until_us;
	}
}

/** What the label did with a timed change that it refuses. */
static void timed_refused(struct esl_engine *e, struct esl_label *l, enum esl_reaction reaction)
{
	l->pending.state = ESL_PENDING_NONE;
	if (reaction == ESL_REACT_TAKE_BACK) {
		l->pending.state = ESL_PENDING_FOREIGN;
		l->pending.at_us = ESL_NEVER;
		l->queue_known = false;
	} else if (reaction == ESL_REACT_RETIME) {
		l->time_gen = 0; /* its clock is not what we wrote: the next visit sets it */
		(void) esl_save_label(e, l);
	} else if (reaction == ESL_REACT_BY_HAND) {
		l->no_timed = true;
	}
}

/** A picture that is not shown, or a change that is not ordered: what is done about it. */
static void mend(struct esl_engine *e, struct esl_label *l, enum esl_reaction reaction,
		 uint8_t slot, bool again)
{
	switch (reaction) {
	case ESL_REACT_RELEARN:
		l->info_stale = true; /* it has other slots than it said */
		slot_is_gone(e, l, slot);
		break;
	case ESL_REACT_RESTAGE:
		slot_is_gone(e, l, slot);
		break;
	case ESL_REACT_TAKE_BACK:
		if (again)
			hold(e, l, 0);
		break;
	case ESL_REACT_RETIME:
		if (!again)
			break;
		hold(e, l, 0);
		l->visit_after_us = l->hold_until_us;
		break;
	case ESL_REACT_BATTERY:
		hold(e, l, BATTERY_HOLD_S);
		break;
	case ESL_REACT_LATER:
		hold(e, l, 0);
		break;
	default: /* nothing keeps the next command back */
		break;
	}
}

static void on_error(struct esl_engine *e, struct esl_label *l, const struct esl_cmd_brief *cmd,
		     uint8_t code)
{
	enum esl_kind kind = esl_kind_of(cmd->op, cmd->abs_ms);
	enum esl_reaction reaction = esl_reaction_to(kind, code);
	bool display = kind <= ESL_KIND_TAKE_BACK;
	uint8_t image[IMAGE_HASH_BYTES] = {0};

	if (reaction == ESL_REACT_AGAIN) {
		busy(e, l);
		return;
	}
	if (reaction == ESL_REACT_DONE) {
		l->pending.state = ESL_PENDING_NONE; /* nothing was pending: as good as deleted */
		(void) esl_save_label(e, l);
		return;
	}
	if (display && cmd->image < l->n_slots)
		memcpy(image, l->slots[cmd->image].image, sizeof(image));
	if (kind == ESL_KIND_TIMED)
		timed_refused(e, l, reaction);
	mend(e, l, reaction, cmd->image, l->last_error != 0);
	l->last_error = code;
	esl_report_error(e, l, ERR_PEER,
			 reaction == ESL_REACT_BY_HAND
				 ? "The label takes no timed changes: its price changes within "
				   "seconds of the instant, when it is told."
				 : esl_error_sentence(code),
			 display ? image : NULL);
}

/** It will not say how it is, nor let go of its wish for service; but it is there. */
static void upkeep_refused(struct esl_engine *e, struct esl_label *l,
			   const struct esl_cmd_brief *cmd, uint8_t code)
{
	if (code == ESL_ERR_RETRY) {
		busy(e, l);
		return;
	}
	if (cmd->op == ESL_OP_SERVICE_RESET)
		l->service_needed = false;
	l->ping_at_us = l->confirm_at_us = esl_now(e) + PING_US;
	esl_report_error(e, l, ERR_PEER, esl_error_sentence(code), NULL);
}

/** It leaves. One that cannot just now is told again, as often as one that does not answer. */
static void leave_answered(struct esl_label *l, const struct esl_rsp *r)
{
	enum esl_reaction reaction = r->tag == ESL_RSP_ERROR
					     ? esl_reaction_to(ESL_KIND_LEAVE, r->error)
					     : ESL_REACT_DONE;

	if (reaction == ESL_REACT_AGAIN && ++l->forget_tries < ESL_CMD_FORGET_TRIES)
		return;
	l->configured = false;
}

static void on_done(struct esl_engine *e, struct esl_label *l, const struct esl_cmd_brief *cmd,
		    const struct esl_rsp *r)
{
	enum esl_kind kind = esl_kind_of(cmd->op, cmd->abs_ms);

	/* Taking a change back is a step towards the command that was refused. */
	if (kind == ESL_KIND_SHOW || kind == ESL_KIND_TIMED) {
		l->hold_s = 0;
		l->last_error = 0;
	}
	if (r->tag == ESL_RSP_DISPLAY_STATE)
		on_display_state(e, l, cmd, r);
	else if (r->tag == ESL_RSP_BASIC_STATE)
		on_basic_state(e, l, cmd, r->basic);
}

static void take_answer(struct esl_engine *e, struct esl_label *l, const struct esl_cmd_brief *cmd,
			const struct esl_rsp *r)
{
	switch (esl_kind_of(cmd->op, cmd->abs_ms)) {
	case ESL_KIND_LEAVE:
		if (l->forgetting)
			leave_answered(l, r);
		break;
	case ESL_KIND_LED: /* its light never holds up its price */
		esl_flash_answered(e, l, cmd, r);
		break;
	case ESL_KIND_SENSOR:
		esl_sensor_answered(e, l, cmd, r);
		break;
	case ESL_KIND_UPKEEP:
		if (r->tag == ESL_RSP_ERROR)
			upkeep_refused(e, l, cmd, r->error);
		else
			on_done(e, l, cmd, r);
		break;
	default:
		if (r->tag == ESL_RSP_ERROR)
			on_error(e, l, cmd, r->error);
		else
			on_done(e, l, cmd, r);
		break;
	}
}

void esl_answer(struct esl_engine *e, struct esl_label *l, const struct esl_cmd_brief *cmd,
		const struct esl_rsp *r)
{
	int64_t now_us = esl_now(e);

	e->stats.acks++;
	l->unanswered = (uint16_t) (l->unanswered - l->unanswered / UNANSWERED_SPAN);
	l->awaiting = false;
	l->misses = 0;
	l->heard_us = now_us;
	l->hasty = false;
	l->ping_at_us = now_us + (l->pending.state == ESL_PENDING_NONE ? PING_US : PING_PENDING_US);
	if (l->phase == ESL_PHASE_LOST) {
		l->phase = ESL_PHASE_SYNCED;
		l->hold_s = 0;
		l->hold_until_us = 0;
		l->visit_failures = 0;
		l->visit_after_us = 0;
		l->lost_reported = false;
		esl_report_status(e, l);
	}
	take_answer(e, l, cmd, r);
	if (now_us - l->status_reported_s * US_PER_SEC > STATUS_US)
		esl_report_status(e, l);
	esl_reconsider(e, l);
}
