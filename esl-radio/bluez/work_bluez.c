/* SPDX-License-Identifier: Apache-2.0 */
/* What is read from and written into a label, and its control point (ESLS 1.0 3). */
#include "esl-radio/bluez/link_impl.h"

#include "common/err.h"
#include "esl-radio/label_says.h"
#include "esl-radio/le/hci_conn_wire.h"
#include <errno.h>
#include <string.h>

#define WORK_US    (INT64_C(10) * US_PER_SEC)
#define SYNC_TRIES 5

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

static void read_sensor(struct visit *v);

static void on_sensor(struct visit *v, int err)
{
	if (err < 0 && err != -ERR_PEER) {
		bluez_visit_finish(v, err);
		return;
	}
	if (err < 0)
		v->res.tlv_len = 0;
	label_says_reading(&v->res, v->at++);
	read_sensor(v);
}

/* Sensors are asked through the control point, one after the other. */
static void read_sensor(struct visit *v)
{
	const uint8_t tlv[3] = {ESL_OP_READ_SENSOR, v->esl_id, (uint8_t) v->at};

	if (v->at >= v->res.n_sensors)
		bluez_visit_finish(v, 0);
	else
		control(v, tlv, sizeof(tlv), on_sensor);
}

static void on_sensors(struct visit *v, int err, const uint8_t *data, size_t len)
{
	label_says_sensors(&v->res, data, err == 0 ? len : 0); /* none is no fault */
	v->at = 0;
	read_sensor(v);
}

static void on_leds(struct visit *v, int err, const uint8_t *data, size_t len)
{
	if (err < 0 && err != -ENOENT && err != -ERR_PEER) {
		bluez_visit_finish(v, err);
		return;
	}
	label_says_leds(&v->res, data, err == 0 ? len : 0);
	bluez_read(v, BLUEZ_SENSORS, on_sensors);
}

static void on_images(struct visit *v, int err, const uint8_t *data, size_t len)
{
	if (err < 0 && err != -ENOENT) {
		bluez_visit_finish(v, err);
		return;
	}
	label_says_images(&v->res, data, err == 0 ? len : 0);
	bluez_read(v, BLUEZ_LEDS, on_leds);
}

static void on_displays(struct visit *v, int err, const uint8_t *data, size_t len)
{
	if (err < 0 && err != -ENOENT) {
		bluez_visit_finish(v, err);
		return;
	}
	label_says_displays(&v->res, data, err == 0 ? len : 0);
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

static int ask_transfer(struct visit *v);

/** Controllers refuse now and then while they are busy with the train: a few times are a rule. */
static bool transfer_again(struct visit *v, uint8_t status)
{
	return status != HCI_OK && ++v->sync_tries < SYNC_TRIES && ask_transfer(v) == 0;
}

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
		if (transfer_again(v, status))
			return;
		v->synced = NULL;
		synced(v, status == HCI_OK ? 0 : -ERR_PEER);
		return;
	}
}

static int ask_transfer(struct visit *v)
{
	struct hci_set_info_transfer p = {.handle = v->handle, .adv_handle = HCI_TRAIN_HANDLE};
	_cleanup_buf_ struct buf b = BUF_INIT;

	if (v->handle == BLUEZ_NO_HANDLE)
		return -ERR_STATE;
	hci_put_set_info_transfer(&b, &p);
	return hci_host_command(v->k->host, &b, on_transferred, v->k);
}

static void transfer_sync(struct visit *v, void (*synced)(struct visit *v, int err))
{
	int r;

	v->synced = synced;
	v->sync_tries = 0;
	r = ask_transfer(v);
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

/* It has what a reset took from it. */
static void on_configured(struct visit *v, int err)
{
	const struct bluez_known_label *l = bluez_known_find(&v->k->known, v->addr);

	if (err == 0 && l && l->reset)
		err = bluez_known_keep(v->k, v->addr, l->random, false);
	bluez_visit_finish(v, err);
}

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
		transfer_sync(v, on_configured);
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
		else if (chr == BLUEZ_OACP && c.op == OACP_RESPONSE)
			bluez_image_answered(v, &c);
	}
}
