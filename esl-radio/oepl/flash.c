/* SPDX-License-Identifier: Apache-2.0 */
#include "esl-radio/oepl/oepl.h"

#include "common/err.h"
#include "common/hex.h"
#include <stdio.h>
#include <string.h>

#define ROUND_TENTHS 14 /* of a second that one repetition of the pattern below takes */
#define PATTERN_MAX  12
#define TIMEOUT_US   (INT64_C(10) * US_PER_SEC)

/* --- wishes ----------------------------------------------------------------------------------- */

static void over(struct oepl *o, struct oepl_label *l, enum esl_led led, int64_t until_us,
		 const char *text)
{
	l->flash.state = OEPL_FLASH_OVER;
	oepl_tell_led(o, l, led, until_us, text);
}

static bool is_spent(const struct oepl *o, const struct oepl_flash *f)
{
	return o->utc_known && !f->paid && f->budget && led_budget_spent(f->budget, oepl_utc(o));
}

/** Once for each, before it is asked for: an answer may get lost. */
static bool pay(struct oepl *o, struct oepl_label *l)
{
	struct oepl_flash *f = &l->flash;

	if (f->paid)
		return true;
	if (!f->budget)
		f->budget = calloc(1, sizeof(*f->budget));
	if (!f->budget)
		return false;
	led_budget_pay(f->budget, oepl_utc(o));
	f->paid = true;
	oepl_save(o, l);
	return true;
}

/** No command reaches a label that sleeps: what it has not fetched is taken back, what it has ends
 * by itself. */
static void call_off(struct oepl *o, struct oepl_label *l, int64_t until_us)
{
	struct oepl_flash *f = &l->flash;

	if (f->state == OEPL_FLASH_SENT || f->state == OEPL_FLASH_OVER)
		over(o, l, ESL_LED_OFF, until_us, "If it blinks already, it goes out by itself.");
	else
		oepl_tell_led(o, l, ESL_LED_OFF, until_us, NULL);
	if (f->state == OEPL_FLASH_WANTED)
		f->state = OEPL_FLASH_NONE;
}

static bool refuse_spent(struct oepl *o, struct oepl_label *l)
{
	if (!is_spent(o, &l->flash))
		return false;
	over(o, l, ESL_LED_FAILED, l->flash.until_utc_us,
	     "It has blinked often enough for its battery.");
	return true;
}

void oepl_flash_want(struct oepl *o, struct oepl_label *l, int64_t until_utc_us, uint8_t colour)
{
	struct oepl_flash *f = &l->flash;

	if (until_utc_us == f->until_utc_us && colour == f->colour)
		return;
	if (!until_utc_us) {
		f->until_utc_us = 0;
		if (f->state == OEPL_FLASH_WANTED)
			f->state = OEPL_FLASH_NONE;
		return; /* one that was handed over ends by itself */
	}
	f->until_utc_us = until_utc_us;
	f->colour = colour;
	if (!colour) {
		call_off(o, l, until_utc_us);
		return;
	}
	f->state = OEPL_FLASH_WANTED;
	f->paid = false;
	refuse_spent(o, l);
}

/* --- the command ------------------------------------------------------------------------------ */

/** RGB332. */
static uint8_t colour_byte(uint8_t colour)
{
	return (uint8_t) ((colour & LED_RED ? 0xe0 : 0) | (colour & LED_GREEN ? 0x1c : 0) |
			  (colour & LED_BLUE ? 0x03 : 0));
}

static void pattern_of(const struct oepl_flash *f, int64_t seconds, uint8_t p[PATTERN_MAX])
{
	int64_t rounds = seconds * 10 / ROUND_TENTHS;

	memset(p, 0, PATTERN_MAX);
	p[0] = 0x1 | 0x1 << 4; /* mode 1, shortest light */
	p[1] = colour_byte(f->colour);
	p[2] = 0x2 | 0x2 << 4; /* two flashes, two tenths apart */
	p[3] = 10;             /* then a second of nothing */
	p[10] = (uint8_t) (rounds < 1 ? 1 : MIN(rounds, 255));
}

bool oepl_flash_work(struct oepl *o, struct oepl_label *l)
{
	struct oepl_flash *f = &l->flash;
	const struct oepl_type *t = oepl_type_of(o, l);
	int64_t seconds = (f->until_utc_us - oepl_utc(o)) / US_PER_SEC;
	char path[128], mac[2 * OEPL_MAC_BYTES + 1], hex[2 * PATTERN_MAX + 1];
	uint8_t pattern[PATTERN_MAX];
	struct oepl_request req = {.path = path, .max_reply = 1024, .timeout_us = TIMEOUT_US};

	/* A picture on its way goes first: the queue of the label is one. */
	if (f->state != OEPL_FLASH_WANTED || !o->utc_known || !l->present || !t || l->rec.pending ||
	    l->sending.state != OEPL_SENDING_NONE)
		return false;
	if (!t->led) {
		over(o, l, ESL_LED_FAILED, f->until_utc_us, "This kind of label has no light.");
		return false;
	}
	if (refuse_spent(o, l) || !pay(o, l))
		return false;
	/* When the label calls it blinks that long; so it may blink past the end by a poll. */
	pattern_of(f, MIN(MAX(seconds / 2, 1), LED_FLASH_MAX_S), pattern);
	memcpy(f->marker, pattern, sizeof(f->marker));
	hex_encode(l->mac, sizeof(l->mac), mac);
	hex_encode(pattern, sizeof(pattern), hex);
	(void) snprintf(path, sizeof(path), "/led_flash?mac=%s&pattern=%s", mac, hex);
	oepl_ask(l->ap, OEPL_JOB_FLASH, l, &req);
	return true;
}

void oepl_flash_answer(struct oepl *o, struct oepl_label *l, const struct oepl_reply *reply)
{
	struct oepl_flash *f = &l->flash;

	if (f->state != OEPL_FLASH_WANTED)
		return;
	if (reply->status != 200) {
		over(o, l, ESL_LED_FAILED, f->until_utc_us,
		     "The access point refused to flash it.");
		return;
	}
	f->state = OEPL_FLASH_SENT;
	f->count_before = l->rec.updatecount;
	f->queued = true;
	l->rec.pending++;
}

/* --- what became of it ------------------------------------------------------------------------ */

void oepl_flash_evidence(struct oepl *o, struct oepl_label *l)
{
	struct oepl_flash *f = &l->flash;

	if (f->state == OEPL_FLASH_NONE || l->rec.updatecount == f->count_before ||
	    memcmp(l->rec.hash, f->marker, sizeof(f->marker)) != 0)
		return;
	/* Its record has the command where the picture's MD5 was. The panel is as it was. */
	f->count_before = l->rec.updatecount;
	f->queued = false;
	if (l->shown.known)
		memcpy(l->shown.hash, l->rec.hash, sizeof(l->shown.hash));
	if (f->state == OEPL_FLASH_SENT)
		over(o, l, ESL_LED_ON, f->until_utc_us, NULL);
}

void oepl_flash_tick(struct oepl *o, struct oepl_label *l)
{
	struct oepl_flash *f = &l->flash;

	if ((f->state != OEPL_FLASH_WANTED && f->state != OEPL_FLASH_SENT) ||
	    oepl_utc(o) < f->until_utc_us)
		return;
	over(o, l, ESL_LED_FAILED, f->until_utc_us,
	     "The label did not call in time: it listens only when it wakes.");
	/* What is queued still would make it blink long after: the next step of the label takes it
	 * back. */
}
