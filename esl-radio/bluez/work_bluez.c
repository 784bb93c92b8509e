/* SPDX-License-Identifier: Apache-2.0 */
/* What is read from and written into a label, and its control point (ESLS 1.0 3). */
#include "esl-radio/bluez/link_impl.h"

#include "common/err.h"
#include "esl-radio/le/hci_conn_wire.h"
#include <errno.h>
#include <string.h>

#define WORK_US        (INT64_C(10) * US_PER_SEC)
#define DISPLAY_BYTES  5
#define SENSOR_VENDOR  0xffff
#define SENSOR_TEMP    0x0054 /* Mesh device property: 1/100 degree Celsius */
#define SENSOR_VOLTAGE 0x0059 /* 1/64 V */

/* --- control point ---------------------------------------------------------------------------- */

static void control_end(struct visit *v, int err)
{
	void (*answered)(struct visit * v, int err) = v->answered;

	v->answered = NULL;
	v->tlv_len = 0;
	if (answered)
		answered(v, err);
}

/* The label's answer may overtake the response to the write. */
static void control_check(struct visit *v)
{
	if (v->tlv_written && (v->res.tlv_len > 0 || esl_op_answer(v->tlv[0]) < 0))
		control_end(v, 0);
}

static void on_control_written(struct visit *v, int err, const uint8_t *data, size_t len)
{
	(void) data;
	(void) len;
	v->tlv_written = true;
	if (err < 0)
		control_end(v, err);
	else
		control_check(v);
}

static void control(struct visit *v, const uint8_t *tlv, size_t len,
		    void (*answered)(struct visit *v, int err))
{
	memcpy(v->tlv, tlv, len);
	v->tlv_len = (uint8_t) len;
	v->tlv_written = false;
	v->res.tlv_len = 0;
	v->answered = answered;
	bluez_write(v, BLUEZ_CONTROL, tlv, len, on_control_written);
}

static void on_controlled(struct visit *v, int err)
{
	bluez_visit_finish(v, err);
}

int bluez_control(struct visit *v, const uint8_t *tlv, size_t len, esl_link_done_fn done,
		  void *user)
{
	int r = len == 0 || len > ESL_TLV_MAX ? -ERR_RANGE
					      : bluez_visit_begin(v, WORK_US, done, user);

	if (r == 0)
		control(v, tlv, len, on_controlled);
	return r;
}

/* --- information ------------------------------------------------------------------------------ */

/** The property of sensor n: 0 when there is none, SENSOR_VENDOR for a vendor's own. */
static uint16_t sensor_property(const struct visit *v, unsigned int n)
{
	struct wire w;

	wire_init(&w, v->sensors, v->sensors_len);
	for (unsigned int i = 0; wire_left(&w); i++) {
		bool vendor = wire_get_u8(&w) != 0;
		uint16_t property = wire_get_u16le(&w);

		if (vendor)
			wire_skip(&w, 2);
		if (i == n && wire_ok(&w))
			return vendor ? SENSOR_VENDOR : property;
	}
	return 0;
}

static void read_sensor(struct visit *v);

static void on_sensor(struct visit *v, int err)
{
	struct esl_rsp rsp = {.tag = 0};
	struct wire w;
	int32_t value;

	wire_init(&w, v->res.tlv, v->res.tlv_len);
	if (err == 0)
		esl_rsp_decode(&w, &rsp);
	v->res.tlv_len = 0;
	if (err == 0 && wire_finish(&w) == 0 && rsp.tag == ESL_RSP_SENSOR_VALUE &&
	    rsp.raw_len == 2) {
		value = rsp.raw[0] | rsp.raw[1] << 8;
		if (sensor_property(v, v->at) == SENSOR_TEMP)
			v->res.temperature_cc = (int16_t) value;
		else
			v->res.battery_mv = (uint16_t) MIN(value * 1000 / 64, UINT16_MAX);
	}
	v->at++;
	read_sensor(v);
}

/* Sensors are asked through the control point, one after the other, those we can read. */
static void read_sensor(struct visit *v)
{
	uint16_t property = sensor_property(v, v->at);
	uint8_t tlv[3] = {ESL_OP_READ_SENSOR, v->esl_id, 0};

	while (property && property != SENSOR_TEMP && property != SENSOR_VOLTAGE)
		property = sensor_property(v, ++v->at);
	if (!property || v->at > UINT8_MAX) {
		bluez_visit_finish(v, 0);
		return;
	}
	tlv[2] = (uint8_t) v->at;
	control(v, tlv, sizeof(tlv), on_sensor);
}

static void on_sensors(struct visit *v, int err, const uint8_t *data, size_t len)
{
	v->sensors_len = err == 0 ? MIN(len, sizeof(v->sensors)) : 0; /* none is no fault */
	if (v->sensors_len > 0)
		memcpy(v->sensors, data, v->sensors_len);
	v->at = 0;
	read_sensor(v);
}

static void on_leds(struct visit *v, int err, const uint8_t *data, size_t len)
{
	if (err < 0 && err != -ENOENT && err != -ERR_PEER) {
		bluez_visit_finish(v, err);
		return;
	}
	if (err == 0 && len > 0) {
		v->res.n_leds = (uint8_t) MIN(len, sizeof(v->res.leds));
		memcpy(v->res.leds, data, v->res.n_leds);
	}
	bluez_read(v, BLUEZ_SENSORS, on_sensors);
}

static void on_images(struct visit *v, int err, const uint8_t *data, size_t len)
{
	if (err < 0 && err != -ENOENT) {
		bluez_visit_finish(v, err);
		return;
	}
	if (err == 0 && len == 1)
		v->res.max_image_index = data[0];
	bluez_read(v, BLUEZ_LEDS, on_leds);
}

static void on_displays(struct visit *v, int err, const uint8_t *data, size_t len)
{
	struct wire w;

	if (err < 0 && err != -ENOENT) {
		bluez_visit_finish(v, err);
		return;
	}
	wire_init(&w, data, err == 0 ? len : 0);
	while (wire_left(&w) >= DISPLAY_BYTES && v->res.n_displays < ESL_DISPLAYS_MAX) {
		struct esl_display *d = &v->res.displays[v->res.n_displays++];

		d->width = wire_get_u16le(&w);
		d->height = wire_get_u16le(&w);
		d->type = wire_get_u8(&w);
	}
	bluez_read(v, BLUEZ_IMAGES, on_images);
}

static void read_displays(struct visit *v)
{
	bluez_read(v, BLUEZ_DISPLAYS, on_displays);
}

int bluez_read_info(struct visit *v, esl_link_done_fn done, void *user)
{
	int r = bluez_visit_begin(v, WORK_US, done, user);

	if (r == 0)
		bluez_identify(v, read_displays);
	return r;
}

/* --- the train's timing ----------------------------------------------------------------------- */

/* The answer names the connection, which may be another visit's by now. */
static void on_transferred(void *user, uint8_t status, const uint8_t *more, size_t len)
{
	struct bluez_link *k = user;
	uint16_t handle = len >= 2 ? (uint16_t) (more[0] | more[1] << 8) : BLUEZ_NO_HANDLE;

	for (size_t i = 0; i < BLUEZ_VISITS_MAX; i++) {
		struct visit *v = k->visits[i];
		void (*synced)(struct visit * v, int err) = v ? v->synced : NULL;

		if (!v || v->handle != handle || !synced)
			continue;
		v->synced = NULL;
		synced(v, status == HCI_OK ? 0 : -ERR_PEER);
		return;
	}
}

static void transfer_sync(struct visit *v, void (*synced)(struct visit *v, int err))
{
	struct hci_set_info_transfer p = {.handle = v->handle, .adv_handle = HCI_TRAIN_HANDLE};
	_cleanup_buf_ struct buf b = BUF_INIT;
	int r = -ERR_STATE;

	v->synced = synced;
	hci_put_set_info_transfer(&b, &p);
	if (v->handle != BLUEZ_NO_HANDLE)
		r = hci_host_command(v->k->host, &b, on_transferred, v->k);
	if (r < 0)
		bluez_fail_late(v, r);
}

/* --- configuration ---------------------------------------------------------------------------- */

static void put_le(uint8_t *to, uint32_t value, unsigned int bytes)
{
	for (unsigned int i = 0; i < bytes; i++)
		to[i] = (uint8_t) (value >> 8 * i);
}

static void write_next(struct visit *v);

static void on_config_written(struct visit *v, int err, const uint8_t *data, size_t len)
{
	(void) data;
	(void) len;
	if (err < 0) {
		bluez_visit_finish(v, err);
		return;
	}
	v->at++;
	write_next(v);
}

/* Address, keys and clock in the order of the profile, then the train's timing. */
static void write_next(struct visit *v)
{
	const struct esl_link_config *c = &v->config;
	uint8_t number[4];

	switch (v->at) {
	case 0:
		put_le(number, c->esl_address, 2);
		bluez_write(v, BLUEZ_ADDRESS, number, 2, on_config_written);
		break;
	case 1:
		bluez_write(v, BLUEZ_RESPONSE_KEY, c->response_key, ESL_KEY_BYTES,
			    on_config_written);
		break;
	case 2:
		bluez_write(v, BLUEZ_TRAIN_KEY, c->train_key, ESL_KEY_BYTES, on_config_written);
		break;
	case 3:
		put_le(number, c->abs_ms, 4);
		bluez_write(v, BLUEZ_TIME, number, 4, on_config_written);
		break;
	default:
		explicit_bzero(&v->config, sizeof(v->config));
		transfer_sync(v, on_controlled);
	}
}

int bluez_configure(struct visit *v, const struct esl_link_config *c, esl_link_done_fn done,
		    void *user)
{
	int r = bluez_visit_begin(v, WORK_US, done, user);

	if (r < 0)
		return r;
	v->config = *c;
	v->esl_id = esl_address_id(c->esl_address);
	v->at = 0;
	write_next(v);
	return 0;
}

static void on_time_written(struct visit *v, int err, const uint8_t *data, size_t len)
{
	(void) data;
	(void) len;
	bluez_visit_finish(v, err);
}

int bluez_set_time(struct visit *v, uint32_t abs_ms, esl_link_done_fn done, void *user)
{
	uint8_t number[4];
	int r = bluez_visit_begin(v, WORK_US, done, user);

	if (r < 0)
		return r;
	put_le(number, abs_ms, 4);
	bluez_write(v, BLUEZ_TIME, number, sizeof(number), on_time_written);
	return 0;
}

/* --- going back ------------------------------------------------------------------------------- */

/* The label ends the connection by itself, perhaps before its answer to the write is through. */
static void on_goodbye(struct visit *v, int err)
{
	v->going = err == 0 || err == -ERR_CLOSED || err == -ERR_PEER;
	if (v->going)
		bluez_visit_leave(v);
	else
		bluez_visit_finish(v, err);
}

static void on_ready_to_go(struct visit *v, int err)
{
	const uint8_t tlv[2] = {ESL_OP_UPDATE_COMPLETE, v->esl_id};

	if (err < 0) {
		bluez_visit_finish(v, err);
		return;
	}
	v->going = true;
	control(v, tlv, sizeof(tlv), on_goodbye);
}

int bluez_update_complete(struct visit *v, esl_link_done_fn done, void *user)
{
	int r = bluez_visit_begin(v, WORK_US, done, user);

	if (r == 0)
		transfer_sync(v, on_ready_to_go);
	return r;
}

/* --- what the label says ---------------------------------------------------------------------- */

void bluez_work_value(struct visit *v, enum bluez_chr chr, const uint8_t *data, size_t len)
{
	struct ots_control c;

	if (!v->done)
		return;
	if (chr == BLUEZ_CONTROL) {
		if (v->tlv_len == 0 || len == 0 || len > sizeof(v->res.tlv))
			return;
		memcpy(v->res.tlv, data, len);
		v->res.tlv_len = (uint8_t) len;
		control_check(v);
	} else if ((chr == BLUEZ_OACP || chr == BLUEZ_OLCP) && ots_decode(data, len, &c) == 0) {
		if (chr == BLUEZ_OLCP && c.op == OLCP_RESPONSE && v->choosing)
			bluez_identify_chosen(v, &c);
		else if (chr == BLUEZ_OLCP && c.op == OLCP_RESPONSE)
			bluez_image_chosen(v, &c);
		else if (chr == BLUEZ_OACP && c.op == OACP_RESPONSE && v->channel)
			bluez_image_announced(v, &c);
	}
}
