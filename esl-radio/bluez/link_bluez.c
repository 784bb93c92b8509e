/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The connected driver over bluetoothd. The link is up when all of this is there: the controller's
 * raw socket, bluetoothd with its objects, the adapter switched on, and our pairing agent. Whatever
 * goes away brings it down with a sentence that says what to do; settle() then does the next thing
 * that is missing, again and again, until all is there.
 */
#include "esl-radio/bluez/link_impl.h"

#include "common/err.h"
#include "esl-radio/le/hci_conn_wire.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define OFF_US (US_PER_SEC / 2)

static struct bluez_link *link_of(struct hci_driver *d)
{
	return (struct bluez_link *) ((char *) d - offsetof(struct bluez_link, driver));
}

struct visit *bluez_visit_find(struct bluez_link *k, const uint8_t *addr)
{
	for (size_t i = 0; i < BLUEZ_VISITS_MAX; i++)
		if (k->visits[i] && !memcmp(k->visits[i]->addr, addr, ESL_ADDR_BYTES))
			return k->visits[i];
	return NULL;
}

void bluez_link_settle(struct bluez_link *k)
{
	loop_timer_start(k->settle, 0);
}

/* --- up and down ------------------------------------------------------------------------------ */

static void link_down(struct bluez_link *k, int err, const char *text)
{
	bool tell = k->up || strcmp(k->told, text) != 0;

	k->up = false;
	(void) snprintf(k->told, sizeof(k->told), "%s", text);
	bluez_visits_end(k);
	if (tell)
		k->cb.down(k->user, err, text);
}

static void link_up(struct bluez_link *k)
{
	if (k->up)
		return;
	k->up = true;
	k->told[0] = '\0';
	bluez_visits_let_go(k); /* left over from a life that was cut short */
	k->cb.up(k->user);
}

/* --- asking bluetoothd ------------------------------------------------------------------------ */

/** Without this there are no connections. That bluetoothd went over it is told elsewhere. */
static void refused(struct bluez_link *k, int err, const char *what, const char *name)
{
	char text[ESL_TEXT_MAX];

	if (err == -ETIMEDOUT)
		link_down(k, err,
			  "bluetoothd does not answer; 'systemctl restart bluetooth' may help.");
	if (err != -ERR_PEER)
		return;
	(void) snprintf(text, sizeof(text),
			"bluetoothd %s (%.40s), so no label can be paired. See its policy on the "
			"bus.",
			what, name);
	link_down(k, err, text);
}

static void on_objects(void *user, int err, const char *name, DBusMessage *m)
{
	struct bluez_link *k = user;

	k->have_objects = err == 0;
	if (err == 0)
		bluez_objects_all(k->objects, m);
	else
		refused(k, err, "does not tell us of its labels", name);
	loop_timer_start(k->settle, err == 0 ? 0 : BLUEZ_AGAIN_US);
}

static int ask_objects(struct bluez_link *k)
{
	DBusMessage *m =
		bus_message(k->bus, "/", "org.freedesktop.DBus.ObjectManager", "GetManagedObjects");

	return bus_send(k->bus, m, BLUEZ_ASK_US, on_objects, k, &k->asking);
}

static void on_agent(void *user, int err, const char *name, DBusMessage *m)
{
	struct bluez_link *k = user;

	(void) m;
	if (err == -ERR_PEER && strcmp(name, "org.bluez.Error.AlreadyExists") == 0)
		err = 0;
	k->have_agent = err == 0;
	if (err < 0)
		refused(k, err, "takes no pairing agent from us", name);
	loop_timer_start(k->settle, err == 0 ? 0 : BLUEZ_AGAIN_US);
}

static int ask_agent(struct bluez_link *k)
{
	const char *path = BLUEZ_AGENT_PATH, *can = "NoInputNoOutput";
	DBusMessage *m = bus_message(k->bus, "/org/bluez", BLUEZ_AGENTS, "RegisterAgent");

	if (m && !dbus_message_append_args(m, DBUS_TYPE_OBJECT_PATH, &path, DBUS_TYPE_STRING, &can,
					   DBUS_TYPE_INVALID)) {
		dbus_message_unref(m);
		m = NULL;
	}
	return bus_send(k->bus, m, BLUEZ_ASK_US, on_agent, k, &k->asking);
}

static void on_power(void *user, int err, const char *name, DBusMessage *m)
{
	struct bluez_link *k = user;

	(void) name;
	(void) m;
	if (err == 0)
		bluez_link_settle(k);
	else
		link_down(
			k, err,
			"The Bluetooth adapter does not switch on; is it blocked ('rfkill list')?");
}

static DBusMessage *power_message(struct bluez_link *k, dbus_bool_t on)
{
	const char *interface = BLUEZ_ADAPTER1, *name = "Powered";
	DBusMessage *m =
		bus_message(k->bus, bluez_adapter_path(k->objects), BLUEZ_PROPERTIES, "Set");
	DBusMessageIter i, v;

	if (m) {
		dbus_message_iter_init_append(m, &i);
		if (!dbus_message_iter_append_basic(&i, DBUS_TYPE_STRING, &interface) ||
		    !dbus_message_iter_append_basic(&i, DBUS_TYPE_STRING, &name) ||
		    !dbus_message_iter_open_container(&i, DBUS_TYPE_VARIANT, "b", &v) ||
		    !dbus_message_iter_append_basic(&v, DBUS_TYPE_BOOLEAN, &on) ||
		    !dbus_message_iter_close_container(&i, &v)) {
			dbus_message_unref(m);
			m = NULL;
		}
	}
	return m;
}

/* Once, after bluetoothd has come: an access point that was rebooted is not waited for. Whoever
 * switches it off afterwards means it. */
static int ask_power(struct bluez_link *k)
{
	k->power_asked = true;
	return bus_send(k->bus, power_message(k, TRUE), BLUEZ_ASK_US, on_power, k, &k->asking);
}

/* Somebody wanted the adapter off, and the train was in the way (hci_keep.h): it is off the air
 * now, and what was wanted is done. Nothing happens when the kernel had its way after all. */
static void on_off(void *user)
{
	struct bluez_link *k = user;

	if (bus_is_there(k->bus) && k->host_up && bluez_adapter_powered(k->objects))
		bus_tell(k->bus, power_message(k, FALSE));
}

static void sets_cleared(void *user)
{
	struct bluez_link *k = user;

	loop_timer_start(k->off, OFF_US);
}

/* --- what is missing -------------------------------------------------------------------------- */

static void on_settle(void *user)
{
	struct bluez_link *k = user;
	int r = 0;

	if (!bus_is_there(k->bus) || k->asking)
		return;
	if (!k->have_objects)
		r = ask_objects(k);
	else if (!k->have_agent)
		r = ask_agent(k);
	else if (!bluez_adapter_known(k->objects))
		link_down(k, -ENODEV,
			  "bluetoothd has no such adapter; 'bluetoothctl list' and the key "
			  "'adapter' of agent.conf must agree.");
	else if (!bluez_adapter_powered(k->objects) && !k->power_asked)
		r = ask_power(k);
	else if (!bluez_adapter_powered(k->objects))
		link_down(k, -ENETDOWN,
			  "The Bluetooth adapter is off; 'bluetoothctl power on' switches it on.");
	else if (k->host_up) {
		k->power_asked = true;
		link_up(k);
		bluez_scan_settle(k);
	}
	if (r < 0)
		loop_timer_start(k->settle, BLUEZ_AGAIN_US);
}

/* --- bluetoothd's words ----------------------------------------------------------------------- */

static void bus_there(void *user)
{
	struct bluez_link *k = user;

	k->have_objects = k->have_agent = k->power_asked = k->filter_set = k->scanning = false;
	bluez_objects_clear(k->objects);
	bluez_link_settle(k);
}

static void bus_gone(void *user, int err, const char *text)
{
	struct bluez_link *k = user;

	k->have_objects = k->have_agent = false;
	link_down(k, err, text);
	bluez_objects_clear(k->objects);
}

static void bus_signal(void *user, DBusMessage *m)
{
	bluez_objects_signal(((struct bluez_link *) user)->objects, m);
}

static DBusMessage *bus_called(void *user, DBusMessage *m)
{
	return bluez_agent_called(user, m);
}

static void adapter_changed(void *user)
{
	struct bluez_link *k = user;

	if (!bluez_adapter_powered(k->objects))
		k->filter_set = false;
	if (!bluez_adapter_powered(k->objects) || !bluez_adapter_discovering(k->objects))
		k->scanning = false;
	bluez_link_settle(k);
}

static void device_changed(void *user, struct bluez_device *d, bool gone)
{
	struct bluez_link *k = user;
	struct visit *v = bluez_visit_find(k, d->addr);

	if (v)
		bluez_visit_device(v, d, gone);
}

static void device_heard(void *user, struct bluez_device *d)
{
	struct bluez_link *k = user;

	/* Signals of those we are connected to say nothing: labels do not advertise then. */
	if (k->up && !d->connected)
		k->cb.advert(k->user, d->addr, (int8_t) MAX(d->rssi, (int16_t) INT8_MIN), d->paired,
			     0);
}

static void chr_value(void *user, struct bluez_device *d, enum bluez_chr chr, const uint8_t *data,
		      size_t len)
{
	struct visit *v = bluez_visit_find(user, d->addr);

	if (v)
		bluez_work_value(v, chr, data, len);
}

/* --- the controller --------------------------------------------------------------------------- */

static void host_up(struct hci_driver *d)
{
	struct bluez_link *k = link_of(d);

	k->host_up = true;
	bluez_link_settle(k);
}

static void host_down(struct hci_driver *d, int err, const char *text)
{
	struct bluez_link *k = link_of(d);

	k->host_up = false;
	bluez_handles_clear(k);
	k->calling = NULL;
	link_down(k, err, text);
}

/* Handles of connections, whoever made them. The first version of the event and the enhanced one
 * begin in the same way. */
static int on_le_event(struct bluez_link *k, struct wire *w)
{
	uint8_t code = hci_get_le_event(w), status, addr[ESL_ADDR_BYTES], low[ESL_ADDR_BYTES];
	uint16_t handle;

	if (code != HCI_LE_CONNECTION_COMPLETE && code != HCI_LE_ENHANCED_CONNECTION_COMPLETE &&
	    code != HCI_LE_ENHANCED_CONNECTION_COMPLETE_V2)
		return wire_ok(w) ? 0 : -ERR_BADMSG;
	status = wire_get_u8(w);
	handle = wire_get_u16le(w);
	wire_skip(w, 2);
	wire_copy(w, low, sizeof(low));
	if (!wire_ok(w))
		return -ERR_BADMSG;
	for (size_t i = 0; i < sizeof(addr); i++)
		addr[i] = low[sizeof(low) - 1 - i];
	if (status == HCI_OK && (bluez_visit_find(k, addr) || bluez_known_find(&k->known, addr)))
		bluez_handle_made(k, handle, addr);
	bluez_visit_connected(k, status, handle, addr);
	return 0;
}

static int on_event(struct hci_driver *d, uint8_t code, struct wire *w)
{
	struct bluez_link *k = link_of(d);
	struct hci_disconnection gone;
	struct hci_encryption_change change;

	switch (code) {
	case HCI_EVT_LE_META:
		return on_le_event(k, w);
	case HCI_EVT_DISCONNECTION_COMPLETE:
		hci_get_disconnection(w, &gone);
		if (wire_finish(w) < 0)
			return -ERR_BADMSG;
		if (gone.status == HCI_OK) {
			bluez_handle_gone(k, gone.handle);
			bluez_visit_disconnected(k, gone.handle);
		}
		return 0;
	case HCI_EVT_ENCRYPTION_CHANGE:
		hci_get_encryption_change(w, &change);
		if (wire_finish(w) < 0)
			return -ERR_BADMSG;
		if (change.status != HCI_OK)
			bluez_visit_encryption(k, change.handle, change.status);
		return 0;
	default:
		return 0;
	}
}

/* --- the seam --------------------------------------------------------------------------------- */

static int bz_start(struct esl_link *base, const struct esl_link_callbacks *cb, void *user)
{
	struct bluez_link *k = (struct bluez_link *) base;

	k->cb = *cb;
	k->user = user;
	bus_start(k->bus); /* the train has started the host */
	return 0;
}

static int bz_restore(struct esl_link *base, const char *key, const void *data, size_t len)
{
	return bluez_known_restore(&((struct bluez_link *) base)->known, key, data, len);
}

static int bz_scan(struct esl_link *base, bool on)
{
	struct bluez_link *k = (struct bluez_link *) base;

	k->scan_wanted = on;
	bluez_link_settle(k);
	return 0;
}

static int bz_connect(struct esl_link *base, const uint8_t *addr, uint8_t subevent, uint8_t esl_id,
		      esl_link_done_fn done, void *user)
{
	struct bluez_link *k = (struct bluez_link *) base;

	return k->up ? bluez_visit_new(k, addr, subevent, esl_id, done, user) : -ERR_STATE;
}

static int bz_read_info(struct esl_link *base, const uint8_t *addr, esl_link_done_fn done,
			void *user)
{
	struct visit *v = bluez_visit_find((struct bluez_link *) base, addr);

	return v ? bluez_read_info(v, done, user) : -ERR_STATE;
}

static int bz_configure(struct esl_link *base, const uint8_t *addr, const struct esl_link_config *c,
			esl_link_done_fn done, void *user)
{
	struct visit *v = bluez_visit_find((struct bluez_link *) base, addr);

	return v ? bluez_configure(v, c, done, user) : -ERR_STATE;
}

static int bz_write_image(struct esl_link *base, const uint8_t *addr, uint8_t index,
			  const void *data, size_t len, esl_link_done_fn done, void *user)
{
	struct visit *v = bluez_visit_find((struct bluez_link *) base, addr);

	return v ? bluez_write_image(v, index, data, len, done, user) : -ERR_STATE;
}

static int bz_ecp(struct esl_link *base, const uint8_t *addr, const uint8_t *tlv, size_t len,
		  esl_link_done_fn done, void *user)
{
	struct visit *v = bluez_visit_find((struct bluez_link *) base, addr);

	return v ? bluez_control(v, tlv, len, done, user) : -ERR_STATE;
}

static int bz_set_time(struct esl_link *base, const uint8_t *addr, uint32_t abs_ms,
		       esl_link_done_fn done, void *user)
{
	struct visit *v = bluez_visit_find((struct bluez_link *) base, addr);

	return v ? bluez_set_time(v, abs_ms, done, user) : -ERR_STATE;
}

static int bz_update_complete(struct esl_link *base, const uint8_t *addr, esl_link_done_fn done,
			      void *user)
{
	struct visit *v = bluez_visit_find((struct bluez_link *) base, addr);

	return v ? bluez_update_complete(v, done, user) : -ERR_STATE;
}

static int bz_disconnect(struct esl_link *base, const uint8_t *addr, esl_link_done_fn done,
			 void *user)
{
	struct visit *v = bluez_visit_find((struct bluez_link *) base, addr);

	return v ? bluez_visit_close(v, done, user) : -ERR_STATE;
}

static void bz_free(struct esl_link *base)
{
	struct bluez_link *k = (struct bluez_link *) base;

	if (k->up)
		bluez_visits_let_go(k);
	for (size_t i = 0; i < BLUEZ_VISITS_MAX; i++)
		if (k->visits[i])
			bluez_visit_free(k->visits[i]);
	if (k->keep)
		hci_keep_free(k->keep);
	if (k->host) {
		hci_host_leave(k->host, &k->driver);
		hci_host_forget(k->host, k);
		hci_host_unref(k->host);
	}
	if (k->bus) {
		bus_call_drop(&k->asking);
		bus_call_drop(&k->scan);
	}
	bus_free(k->bus);
	bluez_objects_free(k->objects);
	bluez_known_free(&k->known);
	loop_timer_free(k->settle);
	loop_timer_free(k->off);
	loop_timer_free(k->rest);
	loop_timer_free(k->look);
	free(k);
}

static const struct esl_link_ops bz_ops = {
	.start = bz_start,
	.restore = bz_restore,
	.scan = bz_scan,
	.connect = bz_connect,
	.read_info = bz_read_info,
	.configure = bz_configure,
	.write_image = bz_write_image,
	.ecp = bz_ecp,
	.set_time = bz_set_time,
	.update_complete = bz_update_complete,
	.disconnect = bz_disconnect,
	.free = bz_free,
};

int esl_link_bluez_over(struct loop *loop, struct hci_host *host, const char *address,
			struct esl_link **ret)
{
	static const struct bus_callbacks bus_cb = {
		.missing = "bluetoothd is not running; 'systemctl enable --now bluetooth' starts "
			   "it.",
		.there = bus_there,
		.gone = bus_gone,
		.signal = bus_signal,
		.called = bus_called};
	static const struct bluez_objects_callbacks objects_cb = {adapter_changed, device_changed,
								  device_heard, chr_value};
	static const struct hci_driver_ops driver_ops = {
		.up = host_up, .down = host_down, .event = on_event};
	struct bluez_link *k = calloc(1, sizeof(*k));
	int r;

	if (!k)
		return -ENOMEM;
	k->base.ops = &bz_ops;
	k->loop = loop;
	k->driver.ops = &driver_ops;
	r = loop_timer_new(loop, on_settle, k, &k->settle);
	if (r == 0)
		r = bluez_objects_new(address + strlen(ESL_BLUEZ_PREFIX), &objects_cb, k,
				      &k->objects);
	if (r == 0)
		r = bus_new(loop, NULL, BLUEZ_SERVICE, &bus_cb, k, &k->bus);
	if (r == 0)
		r = loop_timer_new(loop, on_off, k, &k->off);
	if (r == 0)
		r = loop_timer_new(loop, bluez_visit_rested, k, &k->rest);
	if (r == 0)
		r = loop_timer_new(loop, bluez_handles_look, k, &k->look);
	if (r == 0)
		r = hci_keep_new(loop, host, HCI_TRAIN_HANDLE, sets_cleared, k, &k->keep);
	if (r < 0) {
		bz_free(&k->base);
		return r;
	}
	k->host = hci_host_ref(host);
	hci_host_join(host, &k->driver);
	*ret = &k->base;
	return 0;
}
