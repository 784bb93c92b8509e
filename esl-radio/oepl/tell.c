/* SPDX-License-Identifier: Apache-2.0 */
#include "esl-radio/oepl/oepl.h"

#include "common/err.h"
#include <stdio.h>
#include <string.h>

#define SEEN_AGAIN_US  (INT64_C(60) * US_PER_SEC)
#define ERROR_AGAIN_US (INT64_C(600) * US_PER_SEC)
#define LED_RGB        0x3f /* red, green and blue, apart (common/led.h) */

static struct esl_report report_of(const struct oepl *o, const struct oepl_label *l,
				   enum esl_report_kind kind)
{
	const struct oepl_type *t = oepl_type_of(o, l);
	struct esl_report r = {
		.kind = kind,
		.at_us = oepl_utc(o),
		.width = l->width,
		.height = l->height,
		.display_type = l->display_type,
		.slots = 1, /* what it gets it shows */
		.rssi_dbm = l->rec.rssi_dbm,
		.battery_mv = l->rec.battery_mv,
		.temperature_cc = INT16_MIN,
	};

	memcpy(r.addr, l->addr, sizeof(r.addr));
	if (l->present && l->rec.temperature_c != INT16_MIN && l->rec.rssi_dbm)
		r.temperature_cc = (int16_t) (l->rec.temperature_c * 100);
	if (t) {
		r.leds_known = true;
		r.n_leds = t->led;
		r.leds[0] = t->led ? LED_RGB : 0;
	}
	return r;
}

static void hand_over(struct oepl *o, const struct esl_report *r)
{
	if (o->cb.report)
		o->cb.report(o->user, r);
}

static const char warning[] =
	"The access point knows no encryption and no password: whoever reaches it on the network "
	"can change the labels.";

/** With several of them, which one it is. */
static void say_trouble(const struct oepl *o, const struct oepl_ap *ap, const char *what,
			char text[ESL_TEXT_MAX])
{
	if (o->n_aps > 1)
		(void) snprintf(text, ESL_TEXT_MAX, "%.60s: %.90s", ap->url, what);
	else
		(void) snprintf(text, ESL_TEXT_MAX, "%.*s", ESL_TEXT_MAX - 1, what);
}

void oepl_tell_radio(struct oepl *o)
{
	char text[ESL_TEXT_MAX] = "", one[ESL_TEXT_MAX];
	bool up = false, asked = false;

	for (size_t i = 0; i < o->n_aps; i++) {
		const struct oepl_ap *ap = &o->aps[i];
		const char *what = oepl_ap_trouble(ap, one);

		asked |= ap->up || ap->silent;
		up |= ap->up && (ap->apstate < 0 || ap->apstate == OEPL_AP_ONLINE);
		if (what && !text[0])
			say_trouble(o, ap, what, text);
	}
	if (!asked)
		return;
	if (!text[0])
		(void) snprintf(text, sizeof(text), "%s", warning);
	if (o->told && o->told_up == up && strcmp(o->told_text, text) == 0)
		return;
	o->told = true;
	o->told_up = up;
	memcpy(o->told_text, text, sizeof(text));
	o->stats.radio_up = up;
	if (o->cb.radio)
		o->cb.radio(o->user, up, up ? 0 : -ERR_STATE, text);
}

void oepl_tell_seen(struct oepl *o, struct oepl_label *l)
{
	struct esl_report r = report_of(o, l, ESL_SEEN);

	if (l->told_seen_us && oepl_now(o) - l->told_seen_us < SEEN_AGAIN_US)
		return;
	l->told_seen_us = oepl_now(o);
	hand_over(o, &r);
}

void oepl_tell_associated(struct oepl *o, const struct oepl_label *l)
{
	struct esl_report r = report_of(o, l, ESL_ASSOCIATED);

	hand_over(o, &r);
}

void oepl_tell_sent(struct oepl *o, const struct oepl_label *l)
{
	struct esl_report r = report_of(o, l, ESL_SENT);

	memcpy(r.image, l->sending.image, sizeof(r.image));
	hand_over(o, &r);
}

void oepl_tell_shown(struct oepl *o, const struct oepl_label *l)
{
	struct esl_report r = report_of(o, l, ESL_SHOWN);

	r.at_us = l->shown.since_utc_us;
	r.grade = l->shown.grade;
	memcpy(r.image, l->shown.image, sizeof(r.image));
	hand_over(o, &r);
}

void oepl_tell_status(struct oepl *o, struct oepl_label *l)
{
	struct esl_report r = report_of(o, l, ESL_STATUS);

	l->told_status_us = oepl_now(o);
	hand_over(o, &r);
}

void oepl_tell_lost(struct oepl *o, const struct oepl_label *l)
{
	struct esl_report r = report_of(o, l, ESL_LOST);

	(void) snprintf(r.text, sizeof(r.text), "%s",
			l->rec.nextcheckin_s == OEPL_SLEEPS_S
				? "The label is in deep sleep: press its button, or change its "
				  "battery."
				: "The label has stopped calling. Is it in range, and its battery "
				  "good?");
	hand_over(o, &r);
}

void oepl_tell_led(struct oepl *o, const struct oepl_label *l, enum esl_led led, int64_t until_us,
		   const char *text)
{
	struct esl_report r = report_of(o, l, ESL_STATUS);

	r.led = led;
	r.led_colour = l->flash.colour;
	r.led_until_us = until_us;
	(void) snprintf(r.text, sizeof(r.text), "%s", text ? text : "");
	hand_over(o, &r);
}

void oepl_tell_error(struct oepl *o, struct oepl_label *l, int code, const char *text,
		     const uint8_t *image)
{
	struct esl_report r = report_of(o, l, ESL_ERROR);

	if (l->told_error_us && l->told_error == text &&
	    oepl_now(o) - l->told_error_us < ERROR_AGAIN_US)
		return;
	l->told_error_us = oepl_now(o);
	l->told_error = text;
	r.error = code < 0 ? -code : code;
	if (image)
		memcpy(r.image, image, sizeof(r.image));
	(void) snprintf(r.text, sizeof(r.text), "%s", text);
	hand_over(o, &r);
}
