/* SPDX-License-Identifier: Apache-2.0 */
/* What model a label is: model number and PnP ID of its device information, and the type of its
 * first image object. None of it is a must. */
#include "esl-radio/bluez/link_impl.h"

#include "common/err.h"
#include <errno.h>
#include <string.h>

static bool broken(struct visit *v, int err)
{
	if (err == 0 || err == -ENOENT || err == -ERR_PEER)
		return false;
	bluez_visit_finish(v, err);
	return true;
}

static void on_type(struct visit *v, int err, const uint8_t *data, size_t len)
{
	static const uint8_t base[PIXEL_UUID_BYTES] = {0,    0, 0, 0,    0,    0,    0x10, 0,
						       0x80, 0, 0, 0x80, 0x5f, 0x9b, 0x34, 0xfb};
	struct pixel_identity *id = &v->res.identity;

	if (broken(v, err))
		return;
	if (err == 0 && len == PIXEL_UUID_BYTES) {
		id->has_type = true;
		for (size_t i = 0; i < PIXEL_UUID_BYTES; i++)
			id->type[i] = data[PIXEL_UUID_BYTES - 1 - i];
	} else if (err == 0 && len == 2) {
		id->has_type = true;
		memcpy(id->type, base, sizeof(base));
		id->type[2] = data[1];
		id->type[3] = data[0];
	}
	v->identified(v);
}

void bluez_identify_chosen(struct visit *v, const struct ots_control *c)
{
	v->choosing = false;
	if (c->request == OLCP_GO_TO && c->result == OTS_SUCCESS)
		bluez_read(v, BLUEZ_OBJECT_TYPE, on_type);
	else
		v->identified(v);
}

static void on_pnp(struct visit *v, int err, const uint8_t *data, size_t len)
{
	struct pixel_identity *id = &v->res.identity;
	struct wire w;

	if (broken(v, err))
		return;
	wire_init(&w, data, err == 0 ? len : 0);
	id->vendor_source = wire_get_u8(&w);
	id->vendor = wire_get_u16le(&w);
	id->product = wire_get_u16le(&w);
	id->has_pnp = wire_ok(&w);
	v->choosing = true;
	if (!bluez_choose(v, 0)) {
		v->choosing = false;
		v->identified(v);
	}
}

static void on_model(struct visit *v, int err, const uint8_t *data, size_t len)
{
	char *to = v->res.identity.model;
	size_t n = MIN(len, (size_t) PIXEL_NAME_MAX - 1);

	if (broken(v, err))
		return;
	if (err == 0 && n > 0)
		memcpy(to, data, n);
	to[strnlen(to, err == 0 ? n : 0)] = '\0';
	bluez_read(v, BLUEZ_PNP, on_pnp);
}

void bluez_identify(struct visit *v, void (*next)(struct visit *v))
{
	v->identified = next;
	v->choosing = false;
	bluez_read(v, BLUEZ_MODEL, on_model);
}
