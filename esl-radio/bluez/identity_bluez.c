/* SPDX-License-Identifier: Apache-2.0 */
/* What model a label is: model number and PnP ID of its device information, and the type of its
 * first image object. None of it is a must. */
#include "esl-radio/bluez/link_impl.h"

#include "common/err.h"
#include "esl-radio/label_says.h"
#include <errno.h>

static bool broken(struct visit *v, int err)
{
	if (err == 0 || err == -ENOENT || err == -ERR_PEER)
		return false;
	bluez_visit_finish(v, err);
	return true;
}

static void on_type(struct visit *v, int err, const uint8_t *data, size_t len)
{
	if (broken(v, err))
		return;
	label_says_type(&v->res.identity, data, err == 0 ? len : 0);
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
	if (broken(v, err))
		return;
	label_says_pnp(&v->res.identity, data, err == 0 ? len : 0);
	v->choosing = true;
	if (!bluez_choose(v, 0)) {
		v->choosing = false;
		v->identified(v);
	}
}

static void on_model(struct visit *v, int err, const uint8_t *data, size_t len)
{
	if (broken(v, err))
		return;
	label_says_model(&v->res.identity, data, err == 0 ? len : 0);
	bluez_read(v, BLUEZ_PNP, on_pnp);
}

void bluez_identify(struct visit *v, void (*next)(struct visit *v))
{
	v->identified = next;
	v->choosing = false;
	bluez_read(v, BLUEZ_MODEL, on_model);
}
