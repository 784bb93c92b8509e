/* SPDX-License-Identifier: Apache-2.0 */
/* A picture by object transfer over a channel of the kernel (ESLP 1.0 6; OTS 1.0). */
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

void bluez_image_chosen(struct visit *v, const struct ots_control *c)
{
	static const struct ots_socket_callbacks cb = {channel_opened, channel_sent};
	struct bluez_link *k = v->k;
	const struct bluez_device *d = bluez_device_find(k->objects, v->addr);
	int r = -ERR_CLOSED;

	if (c->request != OLCP_GO_TO || c->result != OTS_SUCCESS)
		r = c->request == OLCP_GO_TO ? -ERR_RANGE : -ERR_BADMSG;
	else if (d && !v->channel)
		r = ots_socket_new(k->loop,
				   &(struct ots_end){bluez_adapter_addr(k->objects),
						     bluez_adapter_random(k->objects)},
				   &(struct ots_end){v->addr, d->random}, &cb, v, &v->channel);
	if (r < 0)
		bluez_visit_finish(v, r);
}

void bluez_image_announced(struct visit *v, const struct ots_control *c)
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

	if (!bluez_has(v, BLUEZ_OACP) || !bluez_has(v, BLUEZ_OLCP))
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
