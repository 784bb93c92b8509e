/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/rollout/label_step.h"
#include "common/proto.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const label_texts[ROLLOUT_LABEL_STATE_COUNT] = {
	"waiting", "drawing", "staging", "staged", "flipped", "shown", "failed", "rolled-back",
};
static const char *const product_texts[ROLLOUT_PRODUCT_STATE_COUNT] = {
	"waiting", "staging", "flipped", "rolled-back", "overtaken",
};

static int find(const char *const *texts, int n, const char *text)
{
	int i = 0;

	while (i < n && strcmp(texts[i], text) != 0)
		i++;
	return i;
}

const char *rollout_label_text(enum rollout_label_state state)
{
	return (unsigned int) state < ROLLOUT_LABEL_STATE_COUNT ? label_texts[state] : "";
}

enum rollout_label_state rollout_label_parse(const char *text)
{
	return (enum rollout_label_state) find(label_texts, ROLLOUT_LABEL_STATE_COUNT, text);
}

const char *rollout_product_text(enum rollout_product_state state)
{
	return (unsigned int) state < ROLLOUT_PRODUCT_STATE_COUNT ? product_texts[state] : "";
}

enum rollout_product_state rollout_product_parse(const char *text)
{
	return (enum rollout_product_state) find(product_texts, ROLLOUT_PRODUCT_STATE_COUNT, text);
}

static _printf_(3, 4) void say(struct rollout_label_verdict *v, enum rollout_label_state state,
			       const char *fmt, ...)
{
	va_list ap;

	v->row.state = state;
	va_start(ap, fmt);
	vsnprintf(v->row.reason, sizeof v->row.reason, fmt, ap);
	va_end(ap);
}

/* --- trouble -----------------------------------------------------------------------------------
 */

static bool is_lost(const struct rollout_label_facts *f)
{
	return f->lost_us > 0;
}

/* An error of an earlier picture says nothing about this one. */
static bool has_error(const struct rollout_label_facts *f)
{
	return f->error && f->error_us > f->began_us;
}

static void say_trouble(const struct rollout_label_facts *f, struct rollout_label_verdict *v)
{
	if (is_lost(f))
		say(v, ROLLOUT_LABEL_FAILED, "%s",
		    f->lost_text[0] ? f->lost_text : "The label has not answered for long.");
	else
		say(v, ROLLOUT_LABEL_FAILED, "%s",
		    f->error_text[0] ? f->error_text : "The label could not take the picture.");
	v->lost_before = is_lost(f) && f->lost_us <= f->began_us;
}

static void say_who_is_silent(const struct rollout_label_facts *f, struct rollout_label_verdict *v,
			      enum rollout_label_state state, const char *what)
{
	if (!f->adopted)
		say(v, state, "%s No access point takes care of this label.", what);
	else if (!f->online)
		say(v, state, "%s Access point %s is offline.", what, f->agent);
	else
		say(v, state, "%s", what);
}

/* --- before its flip ---------------------------------------------------------------------------
 */

static void judge_staging(const struct rollout_label_facts *f, struct rollout_label_verdict *v)
{
	v->staged = f->drawn && f->has_wish && (!f->has_held || f->held_staged_us || f->shows_held);
	if (is_lost(f) || (has_error(f) && !v->staged)) {
		say_trouble(f, v);
	} else if (!f->adopted) {
		say(v, ROLLOUT_LABEL_WAITING, "No access point takes care of this label yet.");
	} else if (f->drawn && (!f->has_wish || !f->slots)) {
		say(v, ROLLOUT_LABEL_WAITING,
		    "The size of its display is not known until the label answers.");
	} else if (!f->drawn) {
		say(v, ROLLOUT_LABEL_DRAWING, "Its picture is being made.");
	} else if (v->staged) {
		say(v, ROLLOUT_LABEL_STAGED, "%s", "");
		v->row.staged_us = f->held_staged_us  ? f->held_staged_us
				   : v->row.staged_us ? v->row.staged_us
						      : f->now_us;
	} else if (!f->online) {
		say(v, ROLLOUT_LABEL_WAITING, "Access point %s is offline.", f->agent);
	} else if (!v->stageable) {
		say(v, ROLLOUT_LABEL_WAITING,
		    f->slots == 1 ? "It has room for one picture: the new one is sent when the"
				    " wave flips."
				  : "Its slots are taken by prices with a date: the new picture is"
				    " sent when the wave flips.");
	} else {
		say(v, ROLLOUT_LABEL_STAGING, "Access point %s is sending the picture.", f->agent);
	}
}

/* --- after it ----------------------------------------------------------------------------------
 */

static void take_evidence(const struct rollout_label_facts *f, struct rollout_label_verdict *v)
{
	v->row.grade = MAX(v->row.grade, f->grade);
	if (!v->row.flipped_us)
		v->row.flipped_us = MAX(f->shown_since_us, f->flip_us);
	if (!v->row.shown_us && f->grade >= EVIDENCE_CONFIRMED)
		v->row.shown_us = MAX(f->shown_since_us, f->flip_us);
	if (!v->row.staged_us)
		v->row.staged_us = v->row.flipped_us;
}

static void judge_flipped(const struct rollout_label_facts *f, struct rollout_label_verdict *v)
{
	if (f->shows_wish && f->drawn)
		take_evidence(f, v);
	if (v->row.shown_us)
		say(v, ROLLOUT_LABEL_SHOWN, "%s", "");
	else if (v->row.flipped_us)
		say(v, ROLLOUT_LABEL_FLIPPED, "%s", "");
	else if (is_lost(f) || has_error(f))
		say_trouble(f, v);
	else if (f->now_us >= f->flip_us + f->settle_us)
		say_who_is_silent(f, v, ROLLOUT_LABEL_FAILED,
				  "It has not shown the new price in time.");
	else
		say_who_is_silent(f, v,
				  v->row.staged_us ? ROLLOUT_LABEL_STAGED : ROLLOUT_LABEL_STAGING,
				  "It has not answered yet that it shows the new price.");
}

static void judge_back(const struct rollout_label_facts *f, struct rollout_label_verdict *v)
{
	if (!f->back_us) { /* its wave was never flipped */
		if (!v->row.flipped_us)
			say(v, ROLLOUT_LABEL_WAITING,
			    "The rollout was rolled back before this wave flipped.");
		return;
	}
	if (f->now_us < f->back_us)
		return;
	if (v->row.state == ROLLOUT_LABEL_BACK)
		return;
	if (f->shows_wish && f->drawn) {
		v->row.grade = f->grade;
		say(v, ROLLOUT_LABEL_BACK, "%s", "");
	} else if (is_lost(f) || has_error(f)) {
		say_trouble(f, v);
	} else if (f->now_us >= f->back_us + f->settle_us) {
		say_who_is_silent(f, v, ROLLOUT_LABEL_FAILED,
				  "It has not shown the old price in time.");
	} else {
		snprintf(v->row.reason, sizeof v->row.reason,
			 "It has not answered yet that it shows the old price.");
	}
}

void rollout_label_judge(const struct rollout_label_facts *f, struct rollout_label_verdict *ret)
{
	struct rollout_label_verdict v = {.row = f->before};

	v.reachable = f->adopted && f->online && !is_lost(f) && f->slots > 0 &&
		      (f->has_wish || !f->drawn);
	v.stageable = v.reachable && f->slots > 1 && f->pictures <= f->slots;
	switch (f->product) {
	case ROLLOUT_PRODUCT_WAITING:
		say(&v, ROLLOUT_LABEL_WAITING, "Its wave has not begun.");
		break;
	case ROLLOUT_PRODUCT_STAGING:
		judge_staging(f, &v);
		break;
	case ROLLOUT_PRODUCT_FLIPPED:
		v.staged = v.row.staged_us > 0;
		if (f->now_us >= f->flip_us)
			judge_flipped(f, &v);
		else if (is_lost(f))
			say_trouble(f, &v);
		break;
	case ROLLOUT_PRODUCT_BACK:
		judge_back(f, &v);
		break;
	default:
		break;
	}
	*ret = v;
}
