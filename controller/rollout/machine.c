/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/rollout/machine.h"
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define LEAD_LEAST_US     (15 * US_PER_SEC)
#define LABELS_PER_SECOND 250 /* drawn, fetched and commanded */

static const char *const texts[ROLLOUT_STATE_COUNT] = {
	"scheduled", "staging",      "flipping",    "settling", "paused",
	"halted",    "rolling-back", "rolled-back", "done",     "cancelled",
};

const char *rollout_state_text(enum rollout_state state)
{
	return (unsigned int) state < ROLLOUT_STATE_COUNT ? texts[state] : "";
}

int rollout_state_parse(const char *text, enum rollout_state *ret)
{
	for (int i = 0; i < ROLLOUT_STATE_COUNT; i++)
		if (strcmp(text, texts[i]) == 0) {
			*ret = (enum rollout_state) i;
			return 0;
		}
	return -ENOENT;
}

bool rollout_is_closed(enum rollout_state state)
{
	return state == ROLLOUT_ROLLED_BACK || state == ROLLOUT_DONE || state == ROLLOUT_CANCELLED;
}

int64_t rollout_lead_us(const struct rollout_rules *rules, int64_t labels)
{
	if (rules->lead_us)
		return rules->lead_us;
	return LEAD_LEAST_US + labels / LABELS_PER_SECOND * US_PER_SEC;
}

bool rollout_allows(enum rollout_state state, enum rollout_verb verb)
{
	bool runs = state <= ROLLOUT_SETTLING;

	switch (verb) {
	case ROLLOUT_PAUSE:
		return runs;
	case ROLLOUT_RESUME:
		return state == ROLLOUT_PAUSED || state == ROLLOUT_HALTED;
	case ROLLOUT_CANCEL:
	case ROLLOUT_ROLLBACK:
		return runs || state == ROLLOUT_PAUSED || state == ROLLOUT_HALTED;
	}
	return false;
}

/* --- the gate and the brake --------------------------------------------------------------------
 */

/* Those that failed in this rollout, without what a person has accepted. */
static int64_t failures(const struct rollout_facts *f)
{
	return MAX(f->counts.failed - f->counts.lost_before - f->forgiven, 0);
}

static bool more_than(int64_t part, double percent, int64_t whole)
{
	return whole > 0 && (double) part * 100 > percent * (double) whole;
}

static int64_t cut_off(const struct rollout_counts *c)
{
	return MAX(c->labels - c->reachable - c->lost_before, 0);
}

int64_t rollout_forgive(const struct rollout_counts *c)
{
	return MAX(MAX(c->failed - c->lost_before, cut_off(c)), 0);
}

/* How many must be staged: never fewer than the share that was asked for. */
static int64_t needed(const struct rollout_facts *f)
{
	return (int64_t) ceil(f->rules.staged_percent * (double) f->counts.stageable / 100 - 1e-9);
}

static bool gate_is_open(const struct rollout_facts *f)
{
	const struct rollout_counts *c = &f->counts;

	/* who cannot be reached will not flip: the failures are foreseeable */
	if (more_than(cut_off(c) - f->forgiven, f->rules.failed_percent, c->labels))
		return false;
	return c->undrawn == 0 && c->stageable_staged >= needed(f);
}

static void decide(struct rollout_decision *d, enum rollout_action action)
{
	d->action = action;
}

static void say_failures(const struct rollout_facts *f, struct rollout_decision *d)
{
	int n = snprintf(d->reason, sizeof d->reason,
			 "Wave %" PRId64 ": %" PRId64 " of %" PRId64
			 " labels failed (%.1f %%; up to %g %% are allowed).",
			 f->wave, failures(f), f->counts.labels,
			 (double) failures(f) * 100 / (double) MAX(f->counts.labels, 1),
			 f->rules.failed_percent);

	if (f->counts.lost_before > 0 && n > 0 && (size_t) n < sizeof d->reason)
		snprintf(d->reason + n, sizeof d->reason - (size_t) n,
			 " %" PRId64 " that were silent before do not count.",
			 f->counts.lost_before);
}

static void say_gate(const struct rollout_facts *f, struct rollout_decision *d)
{
	const struct rollout_counts *c = &f->counts;
	long long minutes = f->rules.timeout_us / (60 * US_PER_SEC);
	char after[48];
	int n;

	if (minutes)
		snprintf(after, sizeof after, "%lld min", minutes);
	else
		snprintf(after, sizeof after, "%lld s",
			 (long long) (f->rules.timeout_us / US_PER_SEC));
	n = snprintf(d->reason, sizeof d->reason,
		     "Wave %" PRId64 ": after %s only %" PRId64 " of %" PRId64
		     " labels have the new picture; %" PRId64 " are needed to flip.",
		     f->wave, after, c->stageable_staged, c->stageable, needed(f));
	if (n < 0 || (size_t) n >= sizeof d->reason)
		return;
	if (cut_off(c) > 0)
		snprintf(d->reason + n, sizeof d->reason - (size_t) n,
			 " %" PRId64 " of the wave's %" PRId64 " labels cannot be reached.",
			 cut_off(c), c->labels);
	else if (f->slowest)
		snprintf(d->reason + n, sizeof d->reason - (size_t) n,
			 " Most are missing at access point %s.", f->slowest);
}

/* --- one state after the other -----------------------------------------------------------------
 */

static void in_staging(const struct rollout_facts *f, struct rollout_decision *d)
{
	if (more_than(failures(f), f->rules.failed_percent, f->counts.labels)) {
		decide(d, ROLLOUT_HALT);
		say_failures(f, d);
	} else if (gate_is_open(f)) {
		decide(d, ROLLOUT_FLIP);
		d->at_us = f->now_us + rollout_lead_us(&f->rules, f->counts.labels);
	} else if (f->now_us - f->since_us >= f->rules.timeout_us) {
		decide(d, ROLLOUT_HALT);
		say_gate(f, d);
	} else {
		d->look_us = f->since_us + f->rules.timeout_us;
	}
}

/* Failures count as they come; at the end those count too that have not been heard of. */
static void in_settling(const struct rollout_facts *f, struct rollout_decision *d)
{
	if (more_than(failures(f), f->rules.failed_percent, f->counts.labels)) {
		decide(d, ROLLOUT_HALT);
		say_failures(f, d);
	} else if (f->now_us < f->flip_us + f->rules.settle_us) {
		d->look_us = f->flip_us + f->rules.settle_us;
	} else if (f->wave < f->n_waves) {
		decide(d, ROLLOUT_BEGIN_WAVE);
		d->wave = f->wave + 1;
	} else {
		decide(d, ROLLOUT_FINISH);
	}
}

static void in_rolling_back(const struct rollout_facts *f, struct rollout_decision *d)
{
	if (f->now_us < f->back_us)
		d->look_us = f->back_us;
	else if (f->counts.back >= f->counts.to_go_back ||
		 f->now_us >= f->back_us + f->rules.settle_us)
		decide(d, ROLLOUT_CLOSE_BACK);
	else
		d->look_us = f->back_us + f->rules.settle_us;
}

void rollout_decide(const struct rollout_facts *f, struct rollout_decision *ret)
{
	*ret = (struct rollout_decision){.action = ROLLOUT_WAIT, .look_us = INT64_MAX};
	switch (f->state) {
	case ROLLOUT_SCHEDULED:
		if (f->now_us >= f->start_us) {
			decide(ret, ROLLOUT_BEGIN_WAVE);
			ret->wave = 1;
		} else {
			ret->look_us = f->start_us;
		}
		break;
	case ROLLOUT_STAGING:
		in_staging(f, ret);
		break;
	case ROLLOUT_FLIPPING:
		if (f->now_us >= f->flip_us)
			decide(ret, ROLLOUT_SETTLE);
		else
			ret->look_us = f->flip_us;
		break;
	case ROLLOUT_SETTLING:
		in_settling(f, ret);
		break;
	case ROLLOUT_ROLLING_BACK:
		in_rolling_back(f, ret);
		break;
	default: /* only a person goes on from here */
		break;
	}
}
