/* SPDX-License-Identifier: Apache-2.0 */
#include "esl-radio/report.h"
#include "esl-radio/engine.h"
#include "esl-radio/flash.h"
#include "esl-radio/plan.h"
#include "esl-radio/timebase.h"

#include "common/err.h"
#include <stdio.h>
#include <string.h>

#define SEEN_AGAIN_US  (INT64_C(60) * US_PER_SEC)
#define ERROR_AGAIN_US (INT64_C(600) * US_PER_SEC)
#define STRANGERS_MAX  2048

static struct esl_report report_of(const struct esl_engine *e, const struct esl_label *l,
				   enum esl_report_kind kind)
{
	struct esl_report r = {
		.kind = kind,
		.at_us = esl_utc(e),
		.width = l->width,
		.height = l->height,
		.display_type = l->display_type,
		.slots = l->n_slots,
		.group = l->group,
		.id = l->id,
		.rssi_dbm = l->rssi_dbm,
		.battery_mv = l->battery_mv,
		.temperature_cc = l->temperature_cc,
	};

	memcpy(r.addr, l->addr, sizeof(r.addr));
	r.leds_known = l->leds_known;
	r.n_leds = l->n_leds;
	memcpy(r.leds, l->leds, sizeof(r.leds));
	return r;
}

static void hand_over(struct esl_engine *e, const struct esl_report *r)
{
	if (e->cb.report)
		e->cb.report(e->user, r);
}

void esl_report_seen(struct esl_engine *e, const uint8_t addr[ESL_ADDR_BYTES], int8_t rssi_dbm,
		     uint16_t battery_mv)
{
	struct esl_report r = {.kind = ESL_SEEN, .at_us = esl_utc(e), .temperature_cc = INT16_MIN};
	struct esl_stranger *s;

	HASH_FIND(hh, e->strangers, addr, ESL_ADDR_BYTES, s);
	if (s && esl_now(e) - s->reported_us < SEEN_AGAIN_US)
		return;
	if (!s) {
		if (HASH_COUNT(e->strangers) >= STRANGERS_MAX) {
			struct esl_stranger *oldest = e->strangers;

			HASH_DEL(e->strangers, oldest);
			free(oldest);
		}
		s = calloc(1, sizeof(*s));
		if (!s)
			return;
		memcpy(s->addr, addr, ESL_ADDR_BYTES);
		HASH_ADD(hh, e->strangers, addr, ESL_ADDR_BYTES, s);
		if (!s->hh.tbl) {
			free(s);
			return;
		}
	}
	s->reported_us = esl_now(e);
	memcpy(r.addr, addr, sizeof(r.addr));
	r.rssi_dbm = rssi_dbm;
	r.battery_mv = battery_mv;
	hand_over(e, &r);
}

void esl_report_associated(struct esl_engine *e, const struct esl_label *l)
{
	struct esl_report r = report_of(e, l, ESL_ASSOCIATED);

	r.has_keys = true;
	memcpy(r.response_key, l->response_key, sizeof(r.response_key));
	memcpy(r.train_key, e->train_key_wire, sizeof(r.train_key));
	hand_over(e, &r);
	explicit_bzero(&r, sizeof(r));
}

void esl_report_image(struct esl_engine *e, const struct esl_label *l, enum esl_report_kind kind,
		      const uint8_t image[IMAGE_HASH_BYTES])
{
	struct esl_report r = report_of(e, l, kind);

	memcpy(r.image, image, sizeof(r.image));
	hand_over(e, &r);
}

static bool has_wish(const struct esl_wish *wishes, size_t n, const uint8_t *image)
{
	for (size_t i = 0; i < n; i++)
		if (memcmp(wishes[i].image, image, IMAGE_HASH_BYTES) == 0)
			return true;
	return false;
}

void esl_report_waiting(struct esl_engine *e, const struct esl_label *l, const struct esl_wish *old,
			size_t n_old)
{
	for (size_t i = 0; i < l->n_wishes; i++) {
		const struct esl_wish *wish = &l->wishes[i];

		if (wish->from_us > esl_utc(e) && !has_wish(old, n_old, wish->image) &&
		    esl_slot_of(l, wish->image) != ESL_NO_SLOT && !esl_is_shown(l, wish->image))
			esl_report_image(e, l, ESL_STAGED, wish->image);
	}
}

void esl_report_shown(struct esl_engine *e, const struct esl_label *l)
{
	struct esl_report r = report_of(e, l, ESL_SHOWN);

	/* Both grades carry the instant since which it is shown, not that of the evidence. */
	r.at_us = l->shown_since_utc_us;
	r.grade = (enum esl_grade) l->grade;
	memcpy(r.image, l->slots[l->shown_slot].image, sizeof(r.image));
	hand_over(e, &r);
}

void esl_report_lost(struct esl_engine *e, struct esl_label *l)
{
	struct esl_report r = report_of(e, l, ESL_LOST);

	if (l->lost_reported)
		return;
	l->lost_reported = true;
	(void) snprintf(r.text, sizeof(r.text),
			"The label has stopped answering. Is it in range, and its battery good?");
	hand_over(e, &r);
}

void esl_report_status(struct esl_engine *e, struct esl_label *l)
{
	struct esl_report r = report_of(e, l, ESL_STATUS);

	l->status_reported_s = esl_seconds(esl_now(e));
	hand_over(e, &r);
}

void esl_report_sensors(struct esl_engine *e, const struct esl_label *l,
			const struct esl_link_result *res)
{
	struct esl_report r = report_of(e, l, ESL_STATUS);

	r.n_sensors = (uint8_t) MIN(res->n_sensors, (size_t) SENSORS_MAX);
	memcpy(r.sensors, res->sensors, sizeof(r.sensors));
	if (r.n_sensors)
		hand_over(e, &r);
}

void esl_report_led(struct esl_engine *e, const struct esl_label *l, enum esl_led led,
		    const char *text)
{
	struct esl_report r = report_of(e, l, ESL_STATUS);

	r.led = led;
	r.led_colour = l->flash->colour;
	r.led_until_us = l->flash->until_utc_us;
	(void) snprintf(r.text, sizeof(r.text), "%s", text ? text : "");
	hand_over(e, &r);
}

void esl_report_sensor(struct esl_engine *e, const struct esl_label *l, uint8_t sensor,
		       const uint8_t *data, size_t len, int64_t until_utc_us, const char *text)
{
	struct esl_report r = report_of(e, l, ESL_STATUS);

	r.has_sensor = true;
	r.sensor = sensor;
	r.sensor_until_us = until_utc_us;
	r.sensor_len = (uint8_t) MIN(len, sizeof(r.sensor_data));
	if (len > 0)
		memcpy(r.sensor_data, data, r.sensor_len);
	(void) snprintf(r.text, sizeof(r.text), "%s", text ? text : "");
	hand_over(e, &r);
}

void esl_report_error(struct esl_engine *e, struct esl_label *l, int code, const char *text,
		      const uint8_t *image)
{
	struct esl_report r = report_of(e, l, ESL_ERROR);

	if (l->error_reported_s && l->error_text == text &&
	    esl_now(e) - l->error_reported_s * US_PER_SEC < ERROR_AGAIN_US)
		return;
	l->error_reported_s = esl_seconds(esl_now(e) + 1);
	l->error_text = text;
	r.error = code < 0 ? -code : code;
	if (image)
		memcpy(r.image, image, sizeof(r.image));
	(void) snprintf(r.text, sizeof(r.text), "%s", text);
	hand_over(e, &r);
}
