/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * What the owner of the engine is told (report.c).
 */
#pragma once

#include "esl-radio/label.h"

struct esl_engine;

void esl_report_seen(struct esl_engine *e, const uint8_t addr[ESL_ADDR_BYTES], int8_t rssi_dbm,
		     uint16_t battery_mv);
void esl_report_associated(struct esl_engine *e, const struct esl_label *l);
/** STAGED or SENT. */
void esl_report_image(struct esl_engine *e, const struct esl_label *l, enum esl_report_kind kind,
		      const uint8_t image[IMAGE_HASH_BYTES]);
/** Says that pictures wished for later are in slots already, except those of the wishes `old`: when
 * an earlier wish left them there, and after esl_report_associated(), which takes back all that was
 * said of the label's slots. */
void esl_report_waiting(struct esl_engine *e, const struct esl_label *l, const struct esl_wish *old,
			size_t n_old);
void esl_report_shown(struct esl_engine *e, const struct esl_label *l);
/** A sensor's value, or (len 0) why there is none; of the wish until then, 0 = of nobody's. */
void esl_report_sensor(struct esl_engine *e, const struct esl_label *l, uint8_t sensor,
		       const uint8_t *data, size_t len, int64_t until_utc_us, const char *text);
void esl_report_lost(struct esl_engine *e, struct esl_label *l);
void esl_report_status(struct esl_engine *e, struct esl_label *l);
/** What it measured. */
void esl_report_sensors(struct esl_engine *e, const struct esl_label *l,
			const struct esl_link_result *res);
/** What became of the label's flash; `text` may be NULL. */
void esl_report_led(struct esl_engine *e, const struct esl_label *l, enum esl_led led,
		    const char *text);
/** At most once per ten minutes for the same text (static storage). `image` may be NULL. */
void esl_report_error(struct esl_engine *e, struct esl_label *l, int code, const char *text,
		      const uint8_t *image);
