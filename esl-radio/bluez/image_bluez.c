/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A picture by object transfer over a channel of the kernel (ESLP 1.0 6; OTS 1.0): choose the
 * object, open a channel, announce the write, send. After a broken link the next attempt goes on
 * where the label proves that it has the bytes before, and the whole is checked at the end.
 */
#include "esl-radio/bluez/link_impl.h"

#include "common/err.h"
#include <errno.h>

#define IMAGE_US (INT64_C(60) * US_PER_SEC)

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
		bluez_fail_late(v, n);
	else
		bluez_write(v, chr, bytes, (size_t) n, on_asked);
}

bool bluez_choose(struct visit *v, uint8_t image)
{
	if (!bluez_has(v, BLUEZ_OLCP))
		return false;
	write_ots(v, BLUEZ_OLCP,
		  &(struct ots_control){.op = OLCP_GO_TO, .object = OTS_FIRST_OBJECT + image});
	return true;
}

/** It will not do it: nothing of this attempt is worth keeping. */
static void refused(struct visit *v, int err)
{
	v->sending = false;
	bluez_visit_finish(v, err);
}

/* --- announcing ------------------------------------------------------------------------------- */

static void announce(struct visit *v)
{
	v->announced = true;
	write_ots(v, BLUEZ_OACP,
		  &(struct ots_control){.op = OACP_WRITE,
					.offset = (uint32_t) v->picture_at,
					.length = (uint32_t) (v->picture.len - v->picture_at),
					.mode = v->truncate && v->picture_at == 0 ? OACP_TRUNCATE
										  : 0});
}

static void on_announced(struct visit *v, const struct ots_control *c)
{
	bool mode = c->result == OTS_NOT_SUPPORTED || c->result == OTS_INVALID_PARAMETER;

	v->announced = false;
	if (c->result == OTS_SUCCESS) {
		ots_socket_send(v->channel, v->picture.data + v->picture_at,
				v->picture.len - v->picture_at);
	} else if (mode && v->picture_at > 0) {
		v->picture_at = 0; /* it takes whole pictures only */
		v->res.resumed_at = 0;
		announce(v);
	} else if (mode && v->truncate) {
		v->truncate = false; /* some labels only overwrite */
		announce(v);
	} else {
		refused(v, -ERR_PEER);
	}
}

/* --- sending ---------------------------------------------------------------------------------- */

static void ask_checksum(struct visit *v)
{
	write_ots(v, BLUEZ_OACP,
		  &(struct ots_control){.op = OACP_CHECKSUM, .length = (uint32_t) v->resume.asked});
}

static void on_confirmed(struct visit *v, int err, const uint8_t *data, size_t len)
{
	(void) data;
	(void) len;
	bluez_visit_finish(v, err == -ENOENT || err == -ERR_PEER ? 0 : err);
}

static void channel_opened(void *user, int err)
{
	struct visit *v = user;

	if (err < 0)
		bluez_visit_finish(v, err);
	else
		announce(v);
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
	v->sending = false;
	ots_socket_free(v->channel);
	v->channel = NULL;
	if (v->res.resumed_at) { /* of two attempts: it has to be the whole picture */
		v->resume.asked = v->picture.len;
		ask_checksum(v);
	} else {
		bluez_read(v, BLUEZ_IMAGES, on_confirmed);
	}
}

static void open_channel(struct visit *v)
{
	static const struct ots_socket_callbacks cb = {channel_opened, channel_sent};
	struct bluez_link *k = v->k;
	const struct bluez_device *d = bluez_visit_device_of(v);
	const struct ots_end own = {bluez_adapter_addr(k->objects),
				    bluez_adapter_random(k->objects)};
	int r = -ERR_CLOSED;

	if (d && !v->channel)
		r = ots_socket_new(k->loop, &own, &(struct ots_end){v->addr, d->random}, &cb, v,
				   &v->channel);
	if (r < 0)
		bluez_visit_finish(v, r);
}

/* --- what the label has kept of an earlier attempt ---------------------------------------------
 */

static void guess(struct visit *v, size_t n)
{
	if (n > 0)
		ask_checksum(v);
	else
		open_channel(v);
}

static void on_checksum(struct visit *v, const struct ots_control *c)
{
	bool proven = ots_resume_proven(&v->resume, c, v->picture.data, v->picture.len);

	if (!v->sending) { /* all of it was */
		bluez_visit_finish(v, proven ? 0 : -ERR_CORRUPT);
	} else if (proven) {
		v->picture_at = v->resume.asked;
		v->res.resumed_at = (uint32_t) v->resume.asked;
		v->resume.asked = 0;
		open_channel(v);
	} else {
		guess(v, ots_resume_fewer(&v->resume));
	}
}

static void on_size(struct visit *v, int err, const uint8_t *data, size_t len)
{
	guess(v, ots_resume_first(&v->resume, data, err < 0 ? 0 : len));
}

static void on_feature(struct visit *v, int err, const uint8_t *data, size_t len)
{
	if (ots_resume_offered(data, err < 0 ? 0 : len)) {
		bluez_read(v, BLUEZ_OBJECT_SIZE, on_size);
		return;
	}
	v->resume.kept.len = 0; /* nobody could tell what it has */
	open_channel(v);
}

/** Says how far a picture had come. */
static void broke_off(struct visit *v)
{
	const size_t sent = v->channel ? ots_socket_sent(v->channel) : 0;
	struct ots_partial now = {.index = v->image,
				  .unit = v->channel ? ots_socket_unit(v->channel) : 0,
				  .crc = ots_checksum(v->picture.data, v->picture.len),
				  .len = (uint32_t) v->picture.len,
				  .sent = (uint32_t) (v->picture_at + sent)};

	if (sent == 0 && v->resume.kept.len) /* it did not come so far this time */
		now = v->resume.kept;
	if (now.sent > 0 && now.unit > 0)
		ots_partials_put(&v->k->partials, v->addr, &now);
}

/* --- the job ---------------------------------------------------------------------------------- */

void bluez_image_chosen(struct visit *v, const struct ots_control *c)
{
	if (!v->sending || v->channel)
		return;
	if (c->request != OLCP_GO_TO || c->result != OTS_SUCCESS)
		refused(v, c->request == OLCP_GO_TO ? -ERR_RANGE : -ERR_BADMSG);
	else if (v->resume.kept.len)
		bluez_read(v, BLUEZ_OTS_FEATURE, on_feature);
	else
		open_channel(v);
}

void bluez_image_answered(struct visit *v, const struct ots_control *c)
{
	if (c->request == OACP_CHECKSUM && v->resume.asked > 0)
		on_checksum(v, c);
	else if (c->request == OACP_WRITE && v->announced && v->channel)
		on_announced(v, c);
}

void bluez_image_drop(struct visit *v)
{
	if (v->sending)
		broke_off(v);
	v->sending = v->announced = false;
	v->resume.asked = 0;
	ots_socket_free(v->channel);
	v->channel = NULL;
}

int bluez_write_image(struct visit *v, uint8_t index, const void *data, size_t len,
		      esl_link_done_fn done, void *user)
{
	int r;

	if (!bluez_has(v, BLUEZ_OACP) || !bluez_has(v, BLUEZ_OLCP))
		return -ENOTSUP;
	buf_clear(&v->picture);
	buf_put(&v->picture, data, len);
	if (!buf_ok(&v->picture))
		return -ENOMEM;
	r = bluez_visit_begin(v, IMAGE_US, done, user);
	if (r < 0)
		return r;
	v->resume = (struct ots_resume){
		.kept = ots_partials_take(&v->k->partials, v->addr, index, data, len)};
	v->image = index;
	v->picture_at = 0;
	v->truncate = v->sending = true;
	ignore_result(bluez_choose(v, index));
	return 0;
}
