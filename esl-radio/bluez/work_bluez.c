/* SPDX-License-Identifier: Apache-2.0 */
/* What is read from and written into a label by bluetoothd's GATT, its control point, and pictures
 * by object transfer (ESLS 1.0 3, ESLP 1.0 6; OTS 1.0). */
#include "esl-radio/bluez/link_impl.h"

#include "common/err.h"
#include "esl-radio/le/hci_conn_wire.h"
#include <errno.h>
#include <string.h>

#define WORK_US          (INT64_C(10) * US_PER_SEC)
#define IMAGE_US         (INT64_C(60) * US_PER_SEC)
#define DISPLAY_BYTES    5
#define SENSOR_VENDOR    0xffff
#define SENSOR_TEMP      0x0054 /* Mesh device property: 1/100 degree Celsius */
#define SENSOR_VOLTAGE   0x0059 /* 1/64 V */
#define EMPTY_DICTIONARY "{sv}"

/* --- one read or write ------------------------------------------------------------------------ */

static void answer(struct visit *v, int err, const uint8_t *data, size_t len)
{
	void (*got)(struct visit * v, int err, const uint8_t *data, size_t len) = v->got;

	v->got = NULL;
	if (got)
		got(v, err, data, len);
}

static int map_error(int err, const char *name)
{
	if (err != -ERR_PEER)
		return err;
	if (!strcmp(name, "org.bluez.Error.NotConnected") ||
	    !strcmp(name, DBUS_ERROR_UNKNOWN_OBJECT))
		return -ERR_CLOSED;
	return !strcmp(name, "org.bluez.Error.NotPermitted") ? -ENOENT : -ERR_PEER;
}

static void on_answer(void *user, int err, const char *name, DBusMessage *m)
{
	struct visit *v = user;
	const uint8_t *data = NULL;
	int len = 0;
	DBusMessageIter i, bytes;

	if (err == 0 && dbus_message_iter_init(m, &i) &&
	    dbus_message_iter_get_arg_type(&i) == DBUS_TYPE_ARRAY &&
	    dbus_message_iter_get_element_type(&i) == DBUS_TYPE_BYTE) {
		dbus_message_iter_recurse(&i, &bytes);
		dbus_message_iter_get_fixed_array(&bytes, &data, &len);
	}
	answer(v, map_error(err, name), data, len > 0 ? (size_t) len : 0);
}

static DBusMessage *chr_message(struct visit *v, enum bluez_chr chr, const char *member)
{
	struct bluez_device *d = bluez_device_find(v->k->objects, v->addr);
	char path[BLUEZ_PATH_MAX];

	if (!d || bluez_chr_path(v->k->objects, d, chr, path) < 0)
		return NULL;
	return bus_message(v->k->bus, path, BLUEZ_GATT1, member);
}

/** a{sv}: no options, or "type" = "request". */
static bool put_options(DBusMessageIter *i, const char *type)
{
	static const char key[] = "type";
	const char *k = key;
	DBusMessageIter dict, row, cell;
	bool ok = dbus_message_iter_open_container(i, DBUS_TYPE_ARRAY, EMPTY_DICTIONARY, &dict);

	if (ok && type)
		ok = dbus_message_iter_open_container(&dict, DBUS_TYPE_DICT_ENTRY, NULL, &row) &&
		     dbus_message_iter_append_basic(&row, DBUS_TYPE_STRING, &k) &&
		     dbus_message_iter_open_container(&row, DBUS_TYPE_VARIANT, "s", &cell) &&
		     dbus_message_iter_append_basic(&cell, DBUS_TYPE_STRING, &type) &&
		     dbus_message_iter_close_container(&row, &cell) &&
		     dbus_message_iter_close_container(&dict, &row);
	return ok && dbus_message_iter_close_container(i, &dict);
}

static bool put_bytes(DBusMessageIter *i, const uint8_t *data, size_t len)
{
	DBusMessageIter bytes;

	return dbus_message_iter_open_container(i, DBUS_TYPE_ARRAY, "y", &bytes) &&
	       dbus_message_iter_append_fixed_array(&bytes, DBUS_TYPE_BYTE, &data, (int) len) &&
	       dbus_message_iter_close_container(i, &bytes);
}

/** What could not even begin fails from the loop, as everything else does. */
static void fail_late(struct visit *v, int err)
{
	v->late_err = err;
	loop_timer_start(v->retry, 0);
}

void bluez_work_late(struct visit *v)
{
	int err = v->late_err;

	v->late_err = 0;
	if (err < 0 && v->got)
		answer(v, err, NULL, 0);
	else if (err < 0)
		bluez_visit_finish(v, err);
}

static int send_work(struct visit *v, DBusMessage *m, bool ok)
{
	bus_call_drop(&v->call); /* a label's word may have overtaken the answer to a write */
	if (m && !ok) {
		dbus_message_unref(m);
		m = NULL;
	}
	return bus_send(v->k->bus, m, WORK_US, on_answer, v, &v->call);
}

static bool has(const struct visit *v, enum bluez_chr chr)
{
	const struct bluez_device *d = bluez_device_find(v->k->objects, v->addr);

	return d && d->chrs[chr].chr;
}

void bluez_read(struct visit *v, enum bluez_chr chr,
		void (*got)(struct visit *v, int err, const uint8_t *data, size_t len))
{
	DBusMessage *m = chr_message(v, chr, "ReadValue");
	DBusMessageIter i;
	int r;

	v->got = got;
	if (!m && !has(v, chr)) {
		fail_late(v, -ENOENT);
		return;
	}
	if (m)
		dbus_message_iter_init_append(m, &i);
	r = send_work(v, m, m && put_options(&i, NULL));
	if (r < 0)
		fail_late(v, r);
}

static void write_chr(struct visit *v, enum bluez_chr chr, const uint8_t *data, size_t len,
		      void (*got)(struct visit *v, int err, const uint8_t *, size_t))
{
	DBusMessage *m = chr_message(v, chr, "WriteValue");
	DBusMessageIter i;
	int r;

	v->got = got;
	if (m)
		dbus_message_iter_init_append(m, &i);
	r = send_work(v, m, m && put_bytes(&i, data, len) && put_options(&i, "request"));
	if (r < 0)
		fail_late(v, r == -ENOMEM && !has(v, chr) ? -ENOENT : r);
}

int bluez_notify(struct visit *v, enum bluez_chr chr, bus_reply_fn fn)
{
	return bus_send(v->k->bus, chr_message(v, chr, "StartNotify"), WORK_US, fn, v, &v->call);
}

void bluez_work_drop(struct visit *v)
{
	bus_call_drop(&v->call);
	v->late_err = 0;
	v->got = NULL;
	v->synced = NULL;
	v->answered = NULL;
	v->choosing = false;
	v->tlv_len = 0;
	ots_socket_free(v->channel);
	v->channel = NULL;
	explicit_bzero(&v->config, sizeof(v->config));
}

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
	write_chr(v, BLUEZ_CONTROL, tlv, len, on_control_written);
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
		fail_late(v, r);
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
		write_chr(v, BLUEZ_ADDRESS, number, 2, on_config_written);
		break;
	case 1:
		write_chr(v, BLUEZ_RESPONSE_KEY, c->response_key, ESL_KEY_BYTES, on_config_written);
		break;
	case 2:
		write_chr(v, BLUEZ_TRAIN_KEY, c->train_key, ESL_KEY_BYTES, on_config_written);
		break;
	case 3:
		put_le(number, c->abs_ms, 4);
		write_chr(v, BLUEZ_TIME, number, 4, on_config_written);
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
	write_chr(v, BLUEZ_TIME, number, sizeof(number), on_time_written);
	return 0;
}

/* --- pictures --------------------------------------------------------------------------------- */

static void on_asked(struct visit *v, int err, const uint8_t *data, size_t len)
{
	(void) data;
	(void) len;
	if (err < 0)
		bluez_visit_finish(v, err);
}

static void write_ots(struct visit *v, enum bluez_chr chr, const struct ots_control *c)
{
	uint8_t bytes[OTS_CONTROL_MAX];
	int n = ots_encode(c, bytes);

	if (n < 0)
		fail_late(v, n);
	else
		write_chr(v, chr, bytes, (size_t) n, on_asked);
}

bool bluez_choose(struct visit *v, uint8_t image)
{
	if (!has(v, BLUEZ_OLCP))
		return false;
	write_ots(v, BLUEZ_OLCP,
		  &(struct ots_control){.op = OLCP_GO_TO, .object = OTS_FIRST_OBJECT + image});
	return true;
}

static void announce(struct visit *v)
{
	v->announced = true;
	write_ots(v, BLUEZ_OACP,
		  &(struct ots_control){.op = OACP_WRITE,
					.length = (uint32_t) v->picture.len,
					.mode = v->truncate ? OACP_TRUNCATE : 0});
}

static void channel_opened(void *user, int err)
{
	struct visit *v = user;

	if (err < 0)
		bluez_visit_finish(v, err);
	else
		announce(v);
}

static void on_confirmed(struct visit *v, int err, const uint8_t *data, size_t len)
{
	(void) data;
	(void) len;
	bluez_visit_finish(v, err == -ENOENT || err == -ERR_PEER ? 0 : err);
}

/* The controller has everything; an answer of the label to whatever comes after it says that the
 * label has, too. */
static void channel_sent(void *user, int err)
{
	struct visit *v = user;

	if (err < 0) {
		bluez_visit_finish(v, err);
		return;
	}
	ots_socket_free(v->channel);
	v->channel = NULL;
	bluez_read(v, BLUEZ_IMAGES, on_confirmed);
}

static void on_chosen(struct visit *v, const struct ots_control *c)
{
	static const struct ots_socket_callbacks cb = {channel_opened, channel_sent};
	struct bluez_link *k = v->k;
	const struct bluez_device *d = bluez_device_find(k->objects, v->addr);
	int r = -ERR_CLOSED;

	if (c->request != OLCP_GO_TO || c->result != OTS_SUCCESS)
		r = c->request == OLCP_GO_TO ? -ERR_RANGE : -ERR_BADMSG;
	else if (d && !v->channel)
		r = ots_socket_new(k->loop, bluez_adapter_addr(k->objects), v->addr, d->random, &cb,
				   v, &v->channel);
	if (r < 0)
		bluez_visit_finish(v, r);
}

static void on_announced(struct visit *v, const struct ots_control *c)
{
	bool mode = c->result == OTS_NOT_SUPPORTED || c->result == OTS_INVALID_PARAMETER;

	if (c->request != OACP_WRITE || !v->announced)
		return;
	v->announced = false;
	if (c->result == OTS_SUCCESS) {
		ots_socket_send(v->channel, v->picture.data, v->picture.len);
	} else if (mode && v->truncate) {
		v->truncate = false; /* some labels only overwrite */
		announce(v);
	} else {
		bluez_visit_finish(v, -ERR_PEER);
	}
}

int bluez_write_image(struct visit *v, uint8_t index, const void *data, size_t len,
		      esl_link_done_fn done, void *user)
{
	int r;

	if (!has(v, BLUEZ_OACP) || !has(v, BLUEZ_OLCP))
		return -ENOTSUP;
	buf_clear(&v->picture);
	buf_put(&v->picture, data, len);
	if (!buf_ok(&v->picture))
		return -ENOMEM;
	r = bluez_visit_begin(v, IMAGE_US, done, user);
	if (r < 0)
		return r;
	v->image = index;
	v->truncate = true;
	v->announced = false;
	ignore_result(bluez_choose(v, index));
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
			on_chosen(v, &c);
		else if (chr == BLUEZ_OACP && c.op == OACP_RESPONSE && v->channel)
			on_announced(v, &c);
	}
}
