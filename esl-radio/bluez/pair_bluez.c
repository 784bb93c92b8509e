/* SPDX-License-Identifier: Apache-2.0 */
/* The bond with a label, its services, and what a label without our key comes to. */
#include "esl-radio/bluez/link_impl.h"

#include "common/err.h"
#include "esl-radio/le/hci_conn_wire.h"
#include <errno.h>
#include <string.h>

/* --- services --------------------------------------------------------------------------------- */

static void switch_next(struct visit *v);

static void on_switched(void *user, int err, const char *name, DBusMessage *m)
{
	struct visit *v = user;

	(void) name;
	(void) m;
	if (err < 0) {
		bluez_visit_give_up(v, err);
		return;
	}
	v->at++;
	switch_next(v);
}

/** It can be worked with. One that was bonded before and had to be paired anew was reset. */
static void ready(struct visit *v, const struct bluez_device *d)
{
	const struct bluez_known_label *l = bluez_known_find(&v->k->known, v->addr);
	int r = l ? 0 : bluez_known_keep(v->k, v->addr, d && d->random, false);

	if (r < 0) {
		bluez_visit_give_up(v, r);
		return;
	}
	v->res.rebonded = l && l->reset;
	v->stage = VISIT_READY;
	bluez_visit_finish(v, 0);
}

/** Turns on what speaks up by itself. */
static void switch_next(struct visit *v)
{
	static const enum bluez_chr speakers[] = {BLUEZ_CONTROL, BLUEZ_OACP, BLUEZ_OLCP};
	struct bluez_device *d = bluez_visit_device_of(v);

	while (d && v->at < ARRAY_SIZE(speakers) && !d->chrs[speakers[v->at]].chr)
		v->at++;
	if (v->at == ARRAY_SIZE(speakers)) {
		ready(v, d);
		return;
	}
	int r = d ? bluez_notify(v, speakers[v->at], on_switched) : -ERR_CLOSED;

	if (r < 0)
		bluez_visit_give_up(v, r);
}

static void check_services(struct visit *v, const struct bluez_device *d)
{
	static const enum bluez_chr needed[] = {BLUEZ_ADDRESS, BLUEZ_TRAIN_KEY, BLUEZ_RESPONSE_KEY,
						BLUEZ_TIME, BLUEZ_CONTROL};

	for (size_t i = 0; i < ARRAY_SIZE(needed); i++)
		if (!d->chrs[needed[i]].chr) {
			bluez_visit_give_up(v, -ENOTSUP); /* it is no shelf label */
			return;
		}
	v->stage = VISIT_SWITCHING;
	v->at = 0;
	switch_next(v);
}

static void on_told(void *user, int err, const char *name, DBusMessage *m)
{
	struct visit *v = user;
	struct bluez_device *d = bluez_visit_device_of(v);

	(void) name;
	(void) m;
	if (err < 0)
		bluez_visit_give_up(v, err);
	else if (d && d->paired && d->resolved)
		check_services(v, d);
}

/* bluetoothd may say that the services are resolved before it has told them. Whatever it answers
 * comes behind what it has to tell, so that it is asked for something that it knows. */
static void await_services(struct visit *v)
{
	const char *interface = BLUEZ_DEVICE1, *name = "ServicesResolved";
	char path[BLUEZ_PATH_MAX];
	DBusMessage *m;
	int r;

	if (v->told)
		return;
	bluez_device_path(v->k->objects, v->addr, path);
	m = bus_message(v->k->bus, path, BLUEZ_PROPERTIES, "Get");
	if (m && !dbus_message_append_args(m, DBUS_TYPE_STRING, &interface, DBUS_TYPE_STRING, &name,
					   DBUS_TYPE_INVALID)) {
		dbus_message_unref(m);
		m = NULL;
	}
	r = bus_send(v->k->bus, m, BLUEZ_SECURE_US, on_told, v, &v->told);
	if (r < 0)
		bluez_visit_give_up(v, r);
}

/* --- the bond --------------------------------------------------------------------------------- */

static void on_paired(void *user, int err, const char *name, DBusMessage *m)
{
	struct visit *v = user;
	struct bluez_device *d = bluez_visit_device_of(v);

	(void) m;
	if (err == -ERR_PEER && strcmp(name, "org.bluez.Error.AlreadyExists") == 0)
		err = 0;
	if (err < 0) {
		bluez_visit_give_up(v, err == -ERR_PEER ? -ERR_CRYPTO : err);
		return;
	}
	v->new_key = true;
	if (d && d->paired && d->resolved)
		check_services(v, d);
}

/* Kept before it is paired: whatever happens then, it will be said that it was reset. */
static int pair(struct visit *v, const struct bluez_device *d)
{
	int r = bluez_known_find(&v->k->known, v->addr)
			? bluez_known_keep(v->k, v->addr, d->random, true)
			: 0;

	return r < 0 ? r
		     : bus_send(v->k->bus, bluez_visit_message(v, "Pair"), BLUEZ_SECURE_US,
				on_paired, v, &v->pair);
}

void bluez_secure(struct visit *v, const struct bluez_device *d)
{
	int r = 0;

	if (v->stage == VISIT_CONNECTING) {
		v->stage = VISIT_SECURING;
		v->linked = true;
		loop_timer_start(v->deadline, BLUEZ_SECURE_US);
		if (!d->paired)
			r = pair(v, d);
	}
	if (r < 0)
		bluez_visit_give_up(v, r);
	else if (d->paired && d->resolved) {
		/* bluetoothd answers Pair when it has resolved the services, unless it was about it
		 * already: then it never does. What it says of the device is enough. */
		v->new_key |= v->pair != NULL;
		bus_call_drop(&v->pair);
		await_services(v);
	}
}

/* --- without our key -------------------------------------------------------------------------- */

void bluez_bond_forget(struct bluez_link *k)
{
	char path[BLUEZ_PATH_MAX];
	const char *at = path;
	DBusMessage *m;

	k->forgets = false;
	bluez_device_path(k->objects, k->forget, path);
	m = bus_message(k->bus, bluez_adapter_path(k->objects), BLUEZ_ADAPTER1, "RemoveDevice");
	if (m && dbus_message_append_args(m, DBUS_TYPE_OBJECT_PATH, &at, DBUS_TYPE_INVALID))
		bus_tell(k->bus, m);
	else if (m)
		dbus_message_unref(m);
}

/* The label has another key than ours, or none: bluetoothd forgets it, and it is paired anew when
 * it advertises. Not before the connection is buried: bluetoothd 5.66 may fall over that, too. */
void bluez_visit_encryption(struct bluez_link *k, uint16_t handle, uint8_t status)
{
	struct visit *v = NULL;
	struct bluez_device *d;

	for (size_t i = 0; i < BLUEZ_VISITS_MAX; i++)
		if (k->visits[i] && k->visits[i]->handle == handle)
			v = k->visits[i];
	d = v ? bluez_visit_device_of(v) : NULL;
	if (!d || !d->paired || v->new_key ||
	    (status != HCI_ERR_PIN_MISSING && status != HCI_ERR_AUTHENTICATION &&
	     status != HCI_ERR_MIC))
		return;
	if (k->forgets)
		bluez_bond_forget(k);
	k->forgets = true;
	memcpy(k->forget, v->addr, sizeof(k->forget));
	loop_timer_start(k->rest, BLUEZ_REST_US);
	d->connected = d->resolved = d->paired = false;
	bluez_visit_over(v, -ERR_CRYPTO);
}
