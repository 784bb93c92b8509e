/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A label's light, for who looks for the label. A flash is a wish with an end: the label is told to
 * blink for the whole seconds that are left, again while it does not answer, and nothing goes out
 * any more once it has, or when the end has come. It costs battery, so that a label has a budget of
 * them whoever asks (common/led.h).
 */
#include "esl-radio/engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/** On for 100 ms, off for 400 ms: seen from afar, and dark for four fifths of the time. */
#define ON_PERIOD   50 /* 2 ms each */
#define OFF_PERIOD  200
#define BRIGHTEST   3u
#define HOUR_US     (INT64_C(3600) * US_PER_SEC)
#define DAY_US      (24 * HOUR_US)
/** A packet is asked for this long before it goes on air, at most. */
#define FURTHEST_US US_PER_SEC

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

/** True if `n` flashes have begun within the last `span_us`. */
static bool spent(const struct esl_engine *e, const struct esl_flash *log, unsigned int n,
		  int64_t span_us)
{
	return log->n >= n && esl_now(e) - log->at_us[(log->n - n) % LED_FLASHES_PER_DAY] < span_us;
}

static bool over_budget(const struct esl_engine *e, const struct esl_label *l)
{
	return spent(e, l->flash, LED_FLASHES_PER_HOUR, HOUR_US) ||
	       spent(e, l->flash, LED_FLASHES_PER_DAY, DAY_US);
}

static void give_up(struct esl_engine *e, struct esl_label *l, const char *text)
{
	l->flash->state = ESL_FLASH_FAILED;
	esl_report_led(e, l, ESL_LED_FAILED, text);
}

void esl_flash_want(struct esl_engine *e, struct esl_label *l, int64_t until_utc_us, uint8_t colour)
{
	struct esl_flash *f = l->flash;

	if (!f && (!until_utc_us || !colour))
		return;
	if (!f)
		f = l->flash = calloc(1, sizeof(*f));
	if (!f || (f->until_utc_us == until_utc_us && f->colour == colour))
		return; /* what cannot be counted is not spent */
	/* One that blinks already goes out by itself. */
	f->until_utc_us = until_utc_us;
	f->colour = colour;
	f->state = until_utc_us && colour ? ESL_FLASH_ASKED : ESL_FLASH_NONE;
	f->counted = false;
	if (f->state == ESL_FLASH_ASKED && !l->leds_known && l->configured)
		l->info_stale = true; /* a visit finds out */
	esl_reconsider(e, l);
}

void esl_flash_due(struct esl_engine *e, struct esl_label *l)
{
	struct esl_flash *f = l->flash;

	if (!f || f->state != ESL_FLASH_ASKED)
		return;
	if (l->leds_known && l->n_leds == 0)
		give_up(e, l, "The label has no LED.");
	else if (l->leds_known && led_for(l, f->colour) < 0)
		give_up(e, l, "The label has no LED of that colour.");
	else if (!f->counted && over_budget(e, l))
		give_up(e, l, "The label has blinked too often of late; its battery is spared.");
	else if (e->time.utc_known && esl_utc(e) >= f->until_utc_us)
		give_up(e, l,
			f->counted ? "The label was told to blink, and did not answer in time."
				   : "The label could not be reached in time.");
}

int64_t esl_flash_wake(const struct esl_engine *e, const struct esl_label *l)
{
	return l->flash && l->flash->state == ESL_FLASH_ASKED && e->time.utc_known
		       ? esl_mono_of_utc(e, l->flash->until_utc_us)
		       : ESL_NEVER;
}

bool esl_flash_plan(const struct esl_engine *e, const struct esl_label *l, struct esl_cmd *ret)
{
	const struct esl_flash *f = l->flash;
	int64_t seconds;
	int led;

	if (!f || f->state != ESL_FLASH_ASKED || !e->time.utc_known || !l->leds_known)
		return false;
	seconds = seconds_left(e, l);
	led = led_for(l, f->colour);
	if (seconds < 1 || led < 0 || (!f->counted && over_budget(e, l)))
		return false;
	*ret = (struct esl_cmd){.op = ESL_OP_LED_CONTROL, .esl_id = l->id, .index = (uint8_t) led};
	ret->led.color = (uint8_t) (BRIGHTEST << 6 | ((f->colour & LED_BLUE) ? BRIGHTEST << 4 : 0) |
				    ((f->colour & LED_GREEN) ? BRIGHTEST << 2 : 0) |
				    ((f->colour & LED_RED) ? BRIGHTEST : 0));
	ret->led.pattern[ESL_LED_PATTERN - 1] = 0x02; /* on, off */
	ret->led.on_period = ON_PERIOD;
	ret->led.off_period = OFF_PERIOD;
	ret->led.repeats = (uint16_t) (MIN(seconds, LED_FLASH_MAX_S) << 1 | 1);
	ret->abs_ms = esl_flash_tag(l); /* not on air: which flash an answer is to */
	return true;
}

uint32_t esl_flash_tag(const struct esl_label *l)
{
	return (uint32_t) (l->flash->until_utc_us / US_PER_MS) ^ l->flash->colour;
}

void esl_flash_sent(struct esl_engine *e, struct esl_label *l)
{
	struct esl_flash *f = l->flash;

	if (!f || f->counted)
		return;
	f->at_us[f->n % LED_FLASHES_PER_DAY] = esl_now(e);
	/* kept small, so that it does not wrap */
	f->n = f->n + 1 < 2 * LED_FLASHES_PER_DAY ? (uint16_t) (f->n + 1) : LED_FLASHES_PER_DAY;
	f->counted = true;
}

void esl_flash_answered(struct esl_engine *e, struct esl_label *l, const struct esl_cmd_brief *cmd)
{
	if (!l->flash || l->flash->state != ESL_FLASH_ASKED || cmd->abs_ms != esl_flash_tag(l))
		return;
	l->flash->state = ESL_FLASH_ON;
	esl_report_led(e, l, ESL_LED_ON, NULL);
}

void esl_flash_refused(struct esl_engine *e, struct esl_label *l, const struct esl_cmd_brief *cmd,
		       uint8_t code)
{
	char text[ESL_TEXT_MAX];

	if (!l->flash || l->flash->state != ESL_FLASH_ASKED || cmd->abs_ms != esl_flash_tag(l) ||
	    code == ESL_ERR_RETRY)
		return;
	if (code == ESL_ERR_BATTERY)
		(void) snprintf(text, sizeof(text), "The label's battery is too low to blink.");
	else
		(void) snprintf(text, sizeof(text), "The label will not blink: it says \"%s\".",
				esl_error_name(code));
	give_up(e, l, text);
}
