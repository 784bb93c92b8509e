/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A label's light, for who looks for the label. A flash is a wish with an end: the label is told to
 * blink for the whole seconds that are left, again while it does not answer, and nothing goes out
 * any more once it has, or when the end has come. One that is called off, or gives way to another,
 * is turned off by a command of its own, said until it is acknowledged or the LED is out anyway. It
 * costs battery, so that a label has a budget of them whoever asks (common/led.h).
 */
#include "esl-radio/flash.h"
#include "esl-radio/engine.h"
#include "esl-radio/packer.h"
#include "esl-radio/persist.h"
#include "esl-radio/report.h"
#include "esl-radio/timebase.h"
#include "esl-radio/wake.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/** On for 100 ms, off for 400 ms: seen from afar, and dark for four fifths of the time. */
#define ON_PERIOD     50 /* 2 ms each */
#define OFF_PERIOD    200
#define BRIGHTEST     3u
/** A packet is asked for this long before it goes on air, at most. */
#define FURTHEST_US   US_PER_SEC
#define OFF_TAG       0u
#define LONGEST_PAUSE 16 /* s */
#define FOREIGN_TRIES 10

static int led_for(const struct esl_label *l, uint8_t colour)
{
	for (int i = 0; i < l->n_leds; i++)
		if (led_shows(l->leds[i], colour))
			return i;
	return -1;
}

static int64_t seconds_left(const struct esl_engine *e, const struct esl_label *l)
{
	int64_t margin_us = MIN(e->interval_us, FURTHEST_US);

	return (l->flash->until_utc_us - esl_utc(e) - margin_us) / US_PER_SEC;
}

static bool over_budget(const struct esl_engine *e, const struct esl_label *l)
{
	return e->time.utc_known && led_budget_spent(&l->flash->budget, esl_utc(e));
}

static void give_up(struct esl_engine *e, struct esl_label *l, const char *text)
{
	l->flash->state = ESL_FLASH_FAILED;
	esl_report_led(e, l, ESL_LED_FAILED, text);
}

/* --- the wish --------------------------------------------------------------------------------- */

/** The LED of the present flash may be lit: from now on it is to be dark. */
static void douse(struct esl_engine *e, struct esl_label *l)
{
	struct esl_flash *f = l->flash;
	bool sent = f->counted && (f->state == ESL_FLASH_ASKED || f->state == ESL_FLASH_ON);

	if (!sent || (e->time.utc_known && esl_utc(e) >= f->until_utc_us))
		return;
	f->dark |= (uint8_t) (1u << f->led);
	f->dark_until_us = MAX(f->dark_until_us, f->until_utc_us);
}

/** Whoever is new here does not know which LED was lit. */
static void douse_all(struct esl_label *l, int64_t until_utc_us)
{
	l->flash->dark = UINT8_MAX;
	l->flash->dark_until_us = until_utc_us;
}

static void called_off(struct esl_engine *e, struct esl_label *l)
{
	if (l->flash->state != ESL_FLASH_STOP || l->flash->dark)
		return;
	l->flash->state = ESL_FLASH_NONE;
	esl_report_led(e, l, ESL_LED_OFF, NULL);
}

void esl_flash_want(struct esl_engine *e, struct esl_label *l, int64_t until_utc_us, uint8_t colour)
{
	struct esl_flash *f = l->flash;
	bool first = !f || !f->lived;

	if (first && !until_utc_us)
		return;
	if (!f)
		f = l->flash = calloc(1, sizeof(*f));
	if (!f || (f->until_utc_us == until_utc_us && f->colour == colour))
		return;                              /* what cannot be counted is not spent */
	if (!colour || led_for(l, colour) != f->led) /* else the new command takes its place */
		douse(e, l);
	if (first && !colour)
		douse_all(l, until_utc_us);
	f->lived = true;
	f->until_utc_us = until_utc_us;
	f->colour = colour;
	f->state = ESL_FLASH_NONE;
	f->counted = false;
	f->error = 0;
	f->pause_s = 0;
	f->again_us = 0;
	if (until_utc_us)
		f->state = colour ? ESL_FLASH_ASKED : ESL_FLASH_STOP;
	if (f->state == ESL_FLASH_ASKED && !l->leds_known && l->configured)
		l->info_stale = true; /* a visit finds out */
	called_off(e, l);
	esl_reconsider(e, l);
}

void esl_flash_restarted(struct esl_engine *e, struct esl_label *l)
{
	struct esl_flash *f = l->flash;

	if (f && f->state == ESL_FLASH_ON && e->time.utc_known && esl_utc(e) < f->until_utc_us)
		f->state = ESL_FLASH_ASKED; /* for what is left; it is paid for */
}

/* --- by the clock ----------------------------------------------------------------------------- */

static void came_too_late(struct esl_engine *e, struct esl_label *l)
{
	const struct esl_flash *f = l->flash;
	char text[ESL_TEXT_MAX];

	if (f->error) {
		(void) snprintf(text, sizeof(text), "The label did not blink: it says \"%s\".",
				esl_error_name(f->error));
		give_up(e, l, text);
	} else {
		give_up(e, l,
			f->counted ? "The label was told to blink, and did not answer in time."
				   : "The label could not be reached in time.");
	}
}

static void asked_due(struct esl_engine *e, struct esl_label *l)
{
	struct esl_flash *f = l->flash;

	if (l->leds_known && l->n_leds == 0)
		give_up(e, l, "The label has no LED.");
	else if (l->leds_known && led_for(l, f->colour) < 0)
		give_up(e, l, "The label has no LED of that colour.");
	else if (!f->counted && over_budget(e, l))
		give_up(e, l, "The label has blinked too often of late; its battery is spared.");
	else if (e->time.utc_known && esl_utc(e) >= f->until_utc_us)
		came_too_late(e, l);
}

void esl_flash_due(struct esl_engine *e, struct esl_label *l)
{
	struct esl_flash *f = l->flash;

	if (!f)
		return;
	if (f->dark && e->time.utc_known && esl_utc(e) >= f->dark_until_us)
		f->dark = 0; /* out by now, whether it heard us or not */
	if (f->state == ESL_FLASH_STOP && !f->dark)
		f->state = ESL_FLASH_NONE;
	if (f->state == ESL_FLASH_ASKED)
		asked_due(e, l);
}

int64_t esl_flash_wake(const struct esl_engine *e, const struct esl_label *l)
{
	const struct esl_flash *f = l->flash;
	int64_t wake_us = ESL_NEVER;

	if (!f || !e->time.utc_known)
		return ESL_NEVER;
	if (f->state == ESL_FLASH_ASKED)
		wake_us = esl_mono_of_utc(e, f->until_utc_us);
	if (f->dark)
		wake_us = MIN(wake_us, esl_mono_of_utc(e, f->dark_until_us));
	if (f->again_us > esl_now(e))
		wake_us = MIN(wake_us, f->again_us);
	return wake_us;
}

/* --- the command ------------------------------------------------------------------------------ */

static void led_command(const struct esl_label *l, uint8_t led, struct esl_cmd *ret)
{
	*ret = (struct esl_cmd){.op = ESL_OP_LED_CONTROL, .esl_id = l->id, .index = led};
	ret->led.pattern[ESL_LED_PATTERN - 1] = 0x02; /* on, off */
	ret->led.on_period = ON_PERIOD;
	ret->led.off_period = OFF_PERIOD;
}

static bool plan_on(const struct esl_engine *e, const struct esl_label *l, struct esl_cmd *ret)
{
	const struct esl_flash *f = l->flash;
	int64_t seconds = seconds_left(e, l);
	int led = led_for(l, f->colour);

	if (f->state != ESL_FLASH_ASKED || seconds < 1 || led < 0 ||
	    (!f->counted && over_budget(e, l)))
		return false;
	led_command(l, (uint8_t) led, ret);
	ret->led.color = (uint8_t) (BRIGHTEST << 6 | ((f->colour & LED_BLUE) ? BRIGHTEST << 4 : 0) |
				    ((f->colour & LED_GREEN) ? BRIGHTEST << 2 : 0) |
				    ((f->colour & LED_RED) ? BRIGHTEST : 0));
	ret->led.repeats = (uint16_t) (MIN(seconds, LED_FLASH_MAX_S) << 1 | 1);
	ret->abs_ms = esl_flash_tag(l); /* not on air: which flash an answer is to */
	return true;
}

static bool plan_off(const struct esl_label *l, struct esl_cmd *ret)
{
	for (uint8_t led = 0; led < l->n_leds; led++) {
		if (!(l->flash->dark & 1u << led))
			continue;
		led_command(l, led, ret);
		ret->led.repeats = 0;
		ret->abs_ms = OFF_TAG;
		return true;
	}
	return false;
}

bool esl_flash_plan(const struct esl_engine *e, const struct esl_label *l, struct esl_cmd *ret)
{
	const struct esl_flash *f = l->flash;

	if (!f || !e->time.utc_known || !l->leds_known || esl_now(e) < f->again_us)
		return false;
	return plan_on(e, l, ret) || (f->dark && plan_off(l, ret));
}

uint32_t esl_flash_tag(const struct esl_label *l)
{
	uint32_t tag = (uint32_t) (l->flash->until_utc_us / US_PER_MS) ^ l->flash->colour;

	return tag == OFF_TAG ? 1 : tag;
}

/** Kept first: a restart must not give the battery's budget back. */
static bool pay(struct esl_engine *e, struct esl_label *l)
{
	struct led_budget before = l->flash->budget;

	led_budget_pay(&l->flash->budget, esl_utc(e));
	l->flash->counted = esl_save_label(e, l) == 0;
	if (!l->flash->counted)
		l->flash->budget = before;
	return l->flash->counted;
}

bool esl_flash_sent(struct esl_engine *e, struct esl_label *l, const struct esl_cmd *c)
{
	struct esl_flash *f = l->flash;

	if (!f || c->op != ESL_OP_LED_CONTROL || c->abs_ms == OFF_TAG)
		return true;
	if (!f->counted && !pay(e, l))
		return false;
	f->led = c->index;
	f->dark &= (uint8_t) ~(1u << c->index); /* what it did before ends with this */
	return true;
}

void esl_flash_keep(const struct esl_engine *e, const struct esl_label *l, struct buf *out)
{
	led_budget_put(l->flash ? &l->flash->budget : NULL, e->time.utc_known ? esl_utc(e) : 0,
		       out);
}

void esl_flash_restore(struct esl_label *l, struct wire *w)
{
	struct led_budget kept;

	led_budget_get(&kept, w);
	if (!wire_ok(w) || kept.n == 0)
		return;
	if (!l->flash)
		l->flash = calloc(1, sizeof(*l->flash));
	if (l->flash)
		l->flash->budget = kept;
	else
		wire_fail(w, -ENOMEM);
}

/* --- the answer ------------------------------------------------------------------------------- */

/** Turned off, or it will not be: then it goes out by itself, at the latest when it would have. */
static void off_answered(struct esl_engine *e, struct esl_label *l, uint8_t led)
{
	l->flash->dark &= (uint8_t) ~(1u << led);
	/* Those it does not have are dark. */
	if (!(l->flash->dark & ((1u << l->n_leds) - 1)))
		l->flash->dark = 0;
	called_off(e, l);
}

static void pause(struct esl_engine *e, struct esl_flash *f, uint8_t code)
{
	f->error = code;
	f->pause_s = (uint8_t) MIN(MAX(f->pause_s * 2, 2), LONGEST_PAUSE);
	f->again_us = esl_now(e) + f->pause_s * US_PER_SEC;
}

static void refused(struct esl_engine *e, struct esl_label *l, bool off, uint8_t code)
{
	char text[ESL_TEXT_MAX];

	switch (esl_reaction_to(ESL_KIND_LED, code)) {
	case ESL_REACT_AGAIN:
		l->flash->error = code;
		return;
	case ESL_REACT_LATER:
		pause(e, l->flash, code);
		return;
	default:
		break;
	}
	if (off) {
		l->flash->dark = 0;
		if (l->flash->state != ESL_FLASH_STOP)
			return;
		l->flash->state = ESL_FLASH_NONE;
		(void) snprintf(
			text, sizeof(text),
			"The label will not be turned off, it says \"%s\": it goes out by itself.",
			esl_error_name(code));
		esl_report_led(e, l, ESL_LED_OFF, text);
		return;
	}
	if (code == ESL_ERR_BATTERY)
		(void) snprintf(text, sizeof(text), "The label's battery is too low to blink.");
	else
		(void) snprintf(text, sizeof(text), "The label will not blink: it says \"%s\".",
				esl_error_name(code));
	give_up(e, l, text);
}

/** What another access point left is no use to anybody: a label that stays busy is let be until its
 * next sign of life. */
static void foreign_answered(struct esl_label *l, uint8_t led, const struct esl_rsp *r)
{
	bool busy = r->tag == ESL_RSP_ERROR && r->error == ESL_ERR_RETRY;

	if (!busy || ++l->foreign_tries >= FOREIGN_TRIES)
		l->leds_foreign &= (uint8_t) ~(1u << led);
}

void esl_flash_answered(struct esl_engine *e, struct esl_label *l, const struct esl_cmd_brief *cmd,
			const struct esl_rsp *r)
{
	struct esl_flash *f = l->flash;
	bool off = cmd->abs_ms == OFF_TAG;

	if (cmd->op == ESL_OP_LED_TIMED) {
		foreign_answered(l, cmd->image, r);
		return;
	}
	if (!f || cmd->image >= ESL_LEDS_MAX ||
	    (off ? !(f->dark & 1u << cmd->image)
		 : f->state != ESL_FLASH_ASKED || cmd->abs_ms != esl_flash_tag(l)))
		return;
	if (r->tag == ESL_RSP_ERROR) {
		refused(e, l, off, r->error);
	} else if (off) {
		off_answered(e, l, cmd->image);
	} else {
		f->state = ESL_FLASH_ON;
		esl_report_led(e, l, ESL_LED_ON, NULL);
	}
}

/* --- another's -------------------------------------------------------------------------------- */

void esl_flash_foreign(struct esl_label *l)
{
	l->leds_foreign = l->leds_known ? (uint8_t) ((1u << l->n_leds) - 1) : 0;
	l->foreign_tries = 0;
}

bool esl_flash_plan_foreign(const struct esl_label *l, struct esl_cmd *ret)
{
	for (uint8_t led = 0; led < l->n_leds; led++) {
		if (!(l->leds_foreign & 1u << led))
			continue;
		led_command(l, led, ret);
		ret->op = ESL_OP_LED_TIMED; /* at no time: deleted */
		return true;
	}
	return false;
}
