/* SPDX-License-Identifier: Apache-2.0 */
#include "common/proto_impl.h"
#include <errno.h>
#include <string.h>

/* --- one report: a map of its own, only with the fields its kind has ----------------------------
 */

enum {
	REPORT_ADDR,
	REPORT_KIND,
	REPORT_AT,
	REPORT_IMAGE,
	REPORT_GRADE,
	REPORT_DISPLAY, /* [width, height, type] */
	REPORT_SLOTS,
	REPORT_ESL, /* [group, id] */
	REPORT_RSSI,
	REPORT_BATTERY,
	REPORT_TEMPERATURE,
	REPORT_KEY_MATERIAL, /* [response key, train key] */
	REPORT_ERROR,
	REPORT_TEXT,
	REPORT_LEDS,    /* an octet each */
	REPORT_LED,     /* [enum led_report, colour, until] */
	REPORT_SENSORS, /* each [a maker's own, id, bytes] */
	REPORT_LED_OFF, /* until when it would have blinked */
	REPORT_READING, /* [sensor, until, bytes] */
	REPORT_FIELDS
};

static bool is_zero(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i])
			return false;
	return true;
}

static void put_display(struct buf *out, const struct proto_label_report *m)
{
	pp_put_array(out, REPORT_DISPLAY, 3);
	cbor_put_uint(out, m->width);
	cbor_put_uint(out, m->height);
	cbor_put_uint(out, m->display_type);
}

static void put_esl_address(struct buf *out, const struct proto_label_report *m)
{
	pp_put_array(out, REPORT_ESL, 2);
	cbor_put_uint(out, m->esl_group);
	cbor_put_uint(out, m->esl_id);
}

static void put_keys(struct buf *out, const struct proto_label_report *m)
{
	pp_put_array(out, REPORT_KEY_MATERIAL, 2);
	cbor_put_bytes(out, m->response_key, sizeof(m->response_key));
	cbor_put_bytes(out, m->train_key, sizeof(m->train_key));
}

static void put_led(struct buf *out, const struct proto_label_report *m)
{
	pp_put_array(out, REPORT_LED, 3);
	cbor_put_uint(out, m->led);
	cbor_put_uint(out, m->led_colour);
	cbor_put_int(out, m->led_until_us);
}

static void put_sensors(struct buf *out, const struct proto_label_report *m)
{
	size_t n = MIN(m->n_sensors, (size_t) SENSORS_MAX);

	pp_put_array(out, REPORT_SENSORS, n);
	for (size_t i = 0; i < n; i++) {
		const struct sensor_reading *v = &m->sensors[i];

		cbor_put_array(out, 3);
		cbor_put_bool(out, v->id.vendor);
		cbor_put_uint(out, v->id.number);
		cbor_put_bytes(out, v->data, MIN(v->len, (size_t) SENSOR_DATA_MAX));
	}
}

static void get_sensors(struct cbor_reader *r, struct proto_label_report *m)
{
	m->n_sensors = (uint8_t) cbor_get_array(r, SENSORS_MAX);
	for (size_t i = 0; i < m->n_sensors && cbor_reader_ok(r); i++) {
		struct sensor_reading *v = &m->sensors[i];

		pp_expect_array(r, 3);
		v->id.vendor = cbor_get_boolean(r);
		v->id.number = (uint32_t) cbor_get_uint(r, UINT32_MAX);
		v->len = (uint8_t) pp_get_b(r, v->data, sizeof(v->data));
	}
}

static void get_leds(struct cbor_reader *r, struct proto_label_report *m)
{
	m->n_leds = (uint8_t) pp_get_b(r, m->leds, sizeof(m->leds));
	m->has_leds = cbor_reader_ok(r);
}

static void get_led(struct cbor_reader *r, struct proto_label_report *m)
{
	pp_expect_array(r, 3);
	m->led = (uint8_t) cbor_get_uint(r, LED_REPORT_COUNT - 1);
	m->led_colour = (uint8_t) cbor_get_uint(r, LED_COLOUR_MAX);
	m->led_until_us = cbor_get_i64(r);
}

static void put_reading(struct buf *out, const struct proto_label_report *m)
{
	pp_put_array(out, REPORT_READING, 3);
	cbor_put_uint(out, m->reading);
	cbor_put_int(out, m->reading_until_us);
	cbor_put_bytes(out, m->reading_data, MIN(m->reading_len, (size_t) SENSOR_DATA_MAX));
}

static void get_reading(struct cbor_reader *r, struct proto_label_report *m)
{
	pp_expect_array(r, 3);
	m->reading = (uint8_t) cbor_get_uint(r, SENSORS_MAX - 1);
	m->reading_until_us = cbor_get_i64(r);
	m->reading_len = (uint8_t) pp_get_b(r, m->reading_data, sizeof(m->reading_data));
	m->has_reading = cbor_reader_ok(r);
}

int proto_label_report_encode(const struct proto_label_report *m, struct buf *out)
{
	bool image = !is_zero(m->image, sizeof(m->image));
	bool temperature = m->temperature_cc != INT16_MIN;
	bool associated = m->kind == LABEL_ASSOCIATED;
	size_t fields = 3 + image + (m->grade != 0) + (m->width != 0) + (m->slots != 0) +
			associated + (m->rssi_dbm != 0) + (m->battery_mv != 0) + temperature +
			m->has_keys + (m->error != 0) + (m->text[0] != 0) + m->has_leds +
			(m->led != 0) + (m->n_sensors != 0) + (m->led_off_us != 0) + m->has_reading;

	cbor_put_map(out, fields);
	pp_put_b(out, REPORT_ADDR, m->addr, sizeof(m->addr));
	pp_put_u(out, REPORT_KIND, m->kind);
	pp_put_i(out, REPORT_AT, m->at_us);
	if (image)
		pp_put_b(out, REPORT_IMAGE, m->image, sizeof(m->image));
	if (m->grade)
		pp_put_u(out, REPORT_GRADE, m->grade);
	if (m->width)
		put_display(out, m);
	if (m->slots)
		pp_put_u(out, REPORT_SLOTS, m->slots);
	if (associated)
		put_esl_address(out, m);
	if (m->rssi_dbm)
		pp_put_i(out, REPORT_RSSI, m->rssi_dbm);
	if (m->battery_mv)
		pp_put_u(out, REPORT_BATTERY, m->battery_mv);
	if (temperature)
		pp_put_i(out, REPORT_TEMPERATURE, m->temperature_cc);
	if (m->has_keys)
		put_keys(out, m);
	if (m->error)
		pp_put_u(out, REPORT_ERROR, (uint64_t) m->error);
	if (m->text[0])
		pp_put_t(out, REPORT_TEXT, m->text);
	if (m->has_leds)
		pp_put_b(out, REPORT_LEDS, m->leds, MIN(m->n_leds, PROTO_MAX_LEDS));
	if (m->led)
		put_led(out, m);
	if (m->n_sensors)
		put_sensors(out, m);
	if (m->led_off_us)
		pp_put_i(out, REPORT_LED_OFF, m->led_off_us);
	if (m->has_reading)
		put_reading(out, m);
	return out->err;
}

static void get_report_field(struct cbor_reader *r, unsigned int key, struct proto_label_report *m)
{
	switch (key) {
	case REPORT_ADDR:
		cbor_get_bytes_exact(r, m->addr, sizeof(m->addr));
		break;
	case REPORT_KIND:
		m->kind = (uint8_t) cbor_get_uint(r, LABEL_REPORT_KIND_COUNT - 1);
		break;
	case REPORT_AT:
		m->at_us = cbor_get_i64(r);
		break;
	case REPORT_IMAGE:
		cbor_get_bytes_exact(r, m->image, sizeof(m->image));
		break;
	case REPORT_GRADE:
		m->grade = (uint8_t) cbor_get_uint(r, EVIDENCE_GRADE_COUNT - 1);
		break;
	case REPORT_DISPLAY:
		pp_expect_array(r, 3);
		m->width = (uint16_t) cbor_get_uint(r, UINT16_MAX);
		m->height = (uint16_t) cbor_get_uint(r, UINT16_MAX);
		m->display_type = (uint8_t) cbor_get_uint(r, UINT8_MAX);
		break;
	case REPORT_SLOTS:
		m->slots = (uint8_t) cbor_get_uint(r, UINT8_MAX);
		break;
	case REPORT_ESL:
		pp_expect_array(r, 2);
		m->esl_group = (uint8_t) cbor_get_uint(r, 127);
		m->esl_id = (uint8_t) cbor_get_uint(r, UINT8_MAX);
		break;
	case REPORT_RSSI:
		m->rssi_dbm = pp_get_i8(r);
		break;
	case REPORT_BATTERY:
		m->battery_mv = (uint16_t) cbor_get_uint(r, UINT16_MAX);
		break;
	case REPORT_TEMPERATURE:
		m->temperature_cc = pp_get_i16(r);
		break;
	case REPORT_KEY_MATERIAL:
		pp_expect_array(r, 2);
		cbor_get_bytes_exact(r, m->response_key, sizeof(m->response_key));
		cbor_get_bytes_exact(r, m->train_key, sizeof(m->train_key));
		m->has_keys = true;
		break;
	case REPORT_ERROR:
		m->error = (int) cbor_get_uint(r, INT32_MAX);
		break;
	case REPORT_TEXT:
		cbor_get_text(r, m->text, sizeof(m->text));
		break;
	case REPORT_LEDS:
		get_leds(r, m);
		break;
	case REPORT_LED:
		get_led(r, m);
		break;
	case REPORT_SENSORS:
		get_sensors(r, m);
		break;
	case REPORT_LED_OFF:
		m->led_off_us = cbor_get_i64(r);
		break;
	case REPORT_READING:
		get_reading(r, m);
		break;
	}
}

static void get_report(struct cbor_reader *r, struct proto_label_report *m)
{
	struct pp_pairs p = pp_open_pairs(r);
	unsigned int key;

	memset(m, 0, sizeof(*m));
	m->temperature_cc = INT16_MIN;
	while (pp_next_pair(&p, &key, REPORT_FIELDS))
		get_report_field(r, key, m);
	pp_require(&p, KEY_BIT(REPORT_ADDR) | KEY_BIT(REPORT_KIND) | KEY_BIT(REPORT_AT));
	if (cbor_reader_ok(r) && m->kind == 0)
		cbor_reader_fail(r, -ERR_RANGE);
}

int proto_label_report_decode(const void *data, size_t len, struct proto_label_report *ret)
{
	struct proto_label_report m;
	struct cbor_reader r;

	cbor_reader_init(&r, data, len);
	get_report(&r, &m);
	int err = pp_finish(&r, NULL);

	if (err == 0)
		*ret = m;
	return err;
}

/* --- a batch of reports -------------------------------------------------------------------------
 */

enum {
	BATCH_JOURNAL = 2,
	BATCH_FIRST,
	BATCH_ENTRIES,
	BATCH_KEYS
};

int proto_label_reports_encode(const struct proto_label_reports *m, struct buf *out)
{
	pp_begin(out, 3, m->caps);
	pp_put_b(out, BATCH_JOURNAL, m->journal_id, sizeof(m->journal_id));
	pp_put_u(out, BATCH_FIRST, m->first_seq);
	pp_put_array(out, BATCH_ENTRIES, m->n);
	for (size_t i = 0; i < m->n; i++)
		ignore_result(proto_label_report_encode(&m->reports[i], out));
	return out->err;
}

static void get_reports(struct cbor_reader *r, struct proto_label_reports *m)
{
	m->n = cbor_get_array(r, PROTO_MAX_REPORTS);
	m->reports = pp_new_array(r, m->n, sizeof(*m->reports));
	for (size_t i = 0; i < m->n && cbor_reader_ok(r); i++)
		get_report(r, &m->reports[i]);
}

int proto_label_reports_decode(const void *data, size_t len, struct proto_label_reports *ret,
			       size_t *ret_at)
{
	struct proto_label_reports m = {0};
	struct cbor_reader r;
	unsigned int key;

	struct pp_pairs p = pp_open_message(&r, data, len, &m.caps);

	while (pp_next_pair(&p, &key, BATCH_KEYS)) {
		switch (key) {
		case BATCH_JOURNAL:
			cbor_get_bytes_exact(&r, m.journal_id, sizeof(m.journal_id));
			break;
		case BATCH_FIRST:
			m.first_seq = cbor_get_uint(&r, INT64_MAX);
			break;
		case BATCH_ENTRIES:
			get_reports(&r, &m);
			break;
		}
	}
	pp_require(&p, KEY_BIT(BATCH_KEYS) - 1 - KEY_BIT(KEY_CAPS));
	pp_check_batch(&r, m.first_seq, m.n);
	int err = pp_finish(&r, ret_at);

	if (err < 0)
		proto_label_reports_done(&m);
	else
		*ret = m;
	return err;
}

void proto_label_reports_done(struct proto_label_reports *m)
{
	/* Reports carry keys: they do not stay behind in freed memory. */
	if (m->reports)
		explicit_bzero(m->reports, m->n * sizeof(*m->reports));
	free(m->reports);
	*m = (struct proto_label_reports){0};
}
