/* SPDX-License-Identifier: Apache-2.0 */
/* What is read from and written into a label, and its control point. */
#include "esl-radio/le/esl_peer_impl.h"

#include "common/err.h"
#include "esl-radio/label_says.h"
#include <errno.h>
#include <string.h>

#define WORK_US    (INT64_C(5) * US_PER_SEC)
#define GOODBYE_US (INT64_C(2) * US_PER_SEC)
#define SYNC_TRIES 5

/* --- control point ---------------------------------------------------------------------------- */

static void control_end(struct esl_peer *p, int err)
{
	void (*next)(struct esl_peer * p, int err) = p->control_next;

	p->control_next = NULL;
	p->tlv_len = 0;
	if (next)
		next(p, err);
	else
		peer_finish(p, err);
}

/* The label's answer may overtake the response to the write. */
static void control_done(struct esl_peer *p)
{
	if (p->tlv_written && (p->res.tlv_len > 0 || esl_op_answer(p->tlv[0]) < 0))
		control_end(p, 0);
}

static void on_control_written(void *user, int err, const struct att_pdu *answer)
{
	struct esl_peer *p = user;

	(void) answer;
	if (err < 0) {
		control_end(p, err);
		return;
	}
	p->tlv_written = true;
	control_done(p);
}

void peer_control_value(struct esl_peer *p, const uint8_t *data, size_t len)
{
	if (!p->done || p->tlv_len == 0 || len == 0 || len > sizeof(p->res.tlv))
		return;
	memcpy(p->res.tlv, data, len);
	p->res.tlv_len = (uint8_t) len;
	control_done(p);
}

static int control(struct esl_peer *p, const uint8_t *tlv, size_t len, att_done_fn written)
{
	if (len == 0 || len > sizeof(p->tlv))
		return -ERR_RANGE;
	if (tlv != p->tlv)
		memcpy(p->tlv, tlv, len);
	p->tlv_len = (uint8_t) len;
	p->tlv_written = false;
	p->res.tlv_len = 0;
	peer_write(p, CHR_CONTROL, tlv, len, written);
	return 0;
}

static void send_control(struct esl_peer *p)
{
	ignore_result(control(p, p->tlv, p->tlv_len, on_control_written));
}

int esl_peer_control(struct esl_peer *p, const uint8_t *tlv, size_t len, esl_link_done_fn done,
		     void *user)
{
	int r = len == 0 || len > ESL_TLV_MAX ? -ERR_RANGE : peer_begin(p, WORK_US, done, user);

	if (r < 0)
		return r;
	memcpy(p->tlv, tlv, len);
	p->tlv_len = (uint8_t) len;
	peer_turn_on(p, esl_op_answer(tlv[0]) < 0 ? 0 : 1u << CHR_CONTROL, send_control);
	return 0;
}

/* --- information ------------------------------------------------------------------------------ */

/* Sensors are asked through the control point, one after the other. */
static void read_sensor(struct esl_peer *p);

static void on_sensor(struct esl_peer *p, int err)
{
	if (err < 0)
		p->res.tlv_len = 0;
	label_says_reading(&p->res, p->at++);
	read_sensor(p);
}

static void ask_sensors(struct esl_peer *p)
{
	p->at = 0;
	read_sensor(p);
}

static void read_sensor(struct esl_peer *p)
{
	uint8_t tlv[3] = {ESL_OP_READ_SENSOR, p->esl_id, (uint8_t) p->at};

	if (p->at >= p->res.n_sensors) {
		peer_finish(p, 0);
		return;
	}
	p->control_next = on_sensor;
	ignore_result(control(p, tlv, sizeof(tlv), on_control_written));
}

static void on_sensors(struct esl_peer *p, int err)
{
	/* None is no fault. */
	label_says_sensors(&p->res, p->value.data, err == 0 ? p->value.len : 0);
	peer_learn_facts(p);
	ask_sensors(p);
}

static void on_leds(struct esl_peer *p, int err)
{
	if (err < 0 && err != -ENOENT && err != -ERR_PEER) {
		peer_finish(p, err);
		return;
	}
	label_says_leds(&p->res, p->value.data, err == 0 ? p->value.len : 0);
	peer_read(p, CHR_SENSORS, on_sensors);
}

static void on_images(struct esl_peer *p, int err)
{
	if (err < 0 && err != -ENOENT) {
		peer_finish(p, err);
		return;
	}
	label_says_images(&p->res, p->value.data, err == 0 ? p->value.len : 0);
	peer_read(p, CHR_LEDS, on_leds);
}

static void read_images(struct esl_peer *p)
{
	peer_read(p, CHR_IMAGES, on_images);
}

static void on_displays(struct esl_peer *p, int err)
{
	if (err < 0 && err != -ENOENT) {
		peer_finish(p, err);
		return;
	}
	label_says_displays(&p->res, p->value.data, err == 0 ? p->value.len : 0);
	peer_identify(p, read_images);
}

static void on_displays_again(struct esl_peer *p, int err)
{
	peer_finish(p, err == -ENOENT ? 0 : err);
}

static void read_displays(struct esl_peer *p)
{
	peer_read(p, CHR_DISPLAYS, on_displays);
}

int esl_peer_read_info(struct esl_peer *p, esl_link_done_fn done, void *user)
{
	int r = peer_begin(p, WORK_US, done, user);

	if (r < 0)
		return r;
	if (!peer_recall_facts(p))
		peer_turn_on(p, 1u << CHR_CONTROL | 1u << CHR_OACP | 1u << CHR_OLCP, read_displays);
	else if (p->res.n_sensors > 0)
		peer_turn_on(p, 1u << CHR_CONTROL, ask_sensors);
	else /* one question, as an answer never comes from within the call */
		peer_read(p, CHR_DISPLAYS, on_displays_again);
	return 0;
}

/* --- configuration ---------------------------------------------------------------------------- */

static void put_u32le(uint8_t to[4], uint32_t v)
{
	for (int i = 0; i < 4; i++)
		to[i] = (uint8_t) (v >> 8 * i);
}

static void on_written(void *user, int err, const struct att_pdu *answer)
{
	(void) answer;
	peer_finish(user, err);
}

/** Controllers refuse now and then while they are busy with the train: a few times are a rule. */
static bool sync_again(struct esl_peer *p, uint8_t status, hci_done_fn done)
{
	if (status == HCI_OK || ++p->sync_tries >= SYNC_TRIES || !p->link || !p->done)
		return false;
	if (le_link_transfer_sync(p->link, p->adv_handle, done, p) < 0)
		return false;
	return true;
}

static void on_sync(void *user, uint8_t status, const uint8_t *more, size_t len)
{
	struct esl_peer *p = user;

	(void) more;
	(void) len;
	if (!sync_again(p, status, on_sync))
		peer_finish(p, status == HCI_OK ? 0 : -ERR_PEER);
}

static void transfer_sync(struct esl_peer *p, hci_done_fn done)
{
	int r = p->link ? le_link_transfer_sync(p->link, p->adv_handle, done, p) : -ERR_STATE;

	p->sync_tries = 0;
	if (r < 0)
		peer_finish(p, r);
}

static void write_next(struct esl_peer *p);

static void on_config_written(void *user, int err, const struct att_pdu *answer)
{
	struct esl_peer *p = user;

	(void) answer;
	if (err < 0) {
		peer_finish(p, err);
		return;
	}
	p->at++;
	write_next(p);
}

/* Address, keys and clock in the order of the profile (ESLP 5.3.1.4.1), then the train's timing. */
static void write_next(struct esl_peer *p)
{
	const struct esl_link_config *c = &p->config;
	uint8_t number[4];

	switch (p->at) {
	case 0:
		att_put_uuid(number, c->esl_address);
		peer_write(p, CHR_ADDRESS, number, 2, on_config_written);
		break;
	case 1:
		peer_write(p, CHR_RESPONSE_KEY, c->response_key, ESL_KEY_BYTES, on_config_written);
		break;
	case 2:
		peer_write(p, CHR_TRAIN_KEY, c->train_key, ESL_KEY_BYTES, on_config_written);
		break;
	case 3:
		put_u32le(number, c->abs_ms);
		peer_write(p, CHR_TIME, number, 4, on_config_written);
		break;
	default:
		explicit_bzero(&p->config, sizeof(p->config));
		transfer_sync(p, on_sync);
	}
}

int esl_peer_configure(struct esl_peer *p, const struct esl_link_config *c, uint8_t adv_handle,
		       esl_link_done_fn done, void *user)
{
	int r = peer_begin(p, WORK_US, done, user);

	if (r < 0)
		return r;
	p->config = *c;
	p->esl_id = esl_address_id(c->esl_address);
	p->adv_handle = adv_handle;
	p->at = 0;
	write_next(p);
	return 0;
}

int esl_peer_set_time(struct esl_peer *p, uint32_t abs_ms, esl_link_done_fn done, void *user)
{
	uint8_t number[4];
	int r = peer_begin(p, WORK_US, done, user);

	if (r < 0)
		return r;
	put_u32le(number, abs_ms);
	peer_write(p, CHR_TIME, number, sizeof(number), on_written);
	return 0;
}

/* --- going back ------------------------------------------------------------------------------- */

/* The label ends the link by itself; one that does not is sent away. */
static void on_goodbye(void *user, int err, const struct att_pdu *answer)
{
	struct esl_peer *p = user;

	(void) answer;
	if (err < 0 && err != -ERR_CLOSED) {
		peer_finish(p, err);
		return;
	}
	p->told_to_go = true;
	loop_timer_start(p->deadline, GOODBYE_US);
	if (!p->link)
		peer_finish(p, 0);
}

static void on_ready_to_go(void *user, uint8_t status, const uint8_t *more, size_t len)
{
	struct esl_peer *p = user;
	const uint8_t tlv[2] = {ESL_OP_UPDATE_COMPLETE, p->esl_id};

	(void) more;
	(void) len;
	if (sync_again(p, status, on_ready_to_go))
		return;
	if (status != HCI_OK)
		peer_finish(p, -ERR_PEER);
	else
		ignore_result(control(p, tlv, sizeof(tlv), on_goodbye));
}

int esl_peer_update_complete(struct esl_peer *p, uint8_t adv_handle, esl_link_done_fn done,
			     void *user)
{
	int r = peer_begin(p, WORK_US, done, user);

	if (r < 0)
		return r;
	p->adv_handle = adv_handle;
	transfer_sync(p, on_ready_to_go);
	return 0;
}
