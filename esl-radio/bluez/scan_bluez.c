/* SPDX-License-Identifier: Apache-2.0 */
/* Scanning for labels that advertise, which bluetoothd does for whoever asks. */
#include "esl-radio/bluez/link_impl.h"

#include "common/err.h"
#include <string.h>

#define ESL_UUID "00001857-0000-1000-8000-00805f9b34fb"

static void on_scan(void *user, int err, const char *name, DBusMessage *m)
{
	struct bluez_link *k = user;

	(void) m;
	/* It has stopped by itself, as it does with its adapter. */
	if (err == -ERR_PEER && k->scan_asked == SCAN_STOP)
		err = 0;
	/* We have it already; or the kernel still scans for a bluetoothd that died, and this one
	 * does not: then it must be asked again. */
	if (err == -ERR_PEER && strcmp(name, "org.bluez.Error.InProgress") == 0 &&
	    (k->scan_asked != SCAN_START || bluez_adapter_discovering(k->objects)))
		err = 0;
	if (err == 0 && k->scan_asked != SCAN_FILTER)
		k->scanning = k->scan_asked == SCAN_START;
	loop_timer_start(k->settle, err == 0 ? 0 : BLUEZ_AGAIN_US);
}

/** key = value, as a row of a{sv}. */
static bool put_row(DBusMessageIter *dict, const char *key, int type, const char *signature,
		    const void *value)
{
	DBusMessageIter row, v, list;
	bool ok = dbus_message_iter_open_container(dict, DBUS_TYPE_DICT_ENTRY, NULL, &row) &&
		  dbus_message_iter_append_basic(&row, DBUS_TYPE_STRING, &key) &&
		  dbus_message_iter_open_container(&row, DBUS_TYPE_VARIANT, signature, &v);

	if (ok && type == DBUS_TYPE_ARRAY)
		ok = dbus_message_iter_open_container(&v, DBUS_TYPE_ARRAY, "s", &list) &&
		     dbus_message_iter_append_basic(&list, DBUS_TYPE_STRING, value) &&
		     dbus_message_iter_close_container(&v, &list);
	else if (ok)
		ok = dbus_message_iter_append_basic(&v, type, value);
	return ok && dbus_message_iter_close_container(&row, &v) &&
	       dbus_message_iter_close_container(dict, &row);
}

static DBusMessage *filter_message(struct bluez_link *k)
{
	const char *uuid = ESL_UUID, *transport = "le";
	dbus_bool_t again = TRUE;
	DBusMessage *m = bus_message(k->bus, bluez_adapter_path(k->objects), BLUEZ_ADAPTER1,
				     "SetDiscoveryFilter");
	DBusMessageIter i, dict;

	if (!m)
		return NULL;
	dbus_message_iter_init_append(m, &i);
	if (dbus_message_iter_open_container(&i, DBUS_TYPE_ARRAY, "{sv}", &dict) &&
	    put_row(&dict, "UUIDs", DBUS_TYPE_ARRAY, "as", &uuid) &&
	    put_row(&dict, "Transport", DBUS_TYPE_STRING, "s", &transport) &&
	    put_row(&dict, "DuplicateData", DBUS_TYPE_BOOLEAN, "b", &again) &&
	    dbus_message_iter_close_container(&i, &dict))
		return m;
	dbus_message_unref(m);
	return NULL;
}

void bluez_scan_settle(struct bluez_link *k)
{
	const char *path = bluez_adapter_path(k->objects);
	DBusMessage *m;

	if (k->scan || k->scanning == k->scan_wanted)
		return;
	k->scan_asked = !k->scan_wanted ? SCAN_STOP : !k->filter_set ? SCAN_FILTER : SCAN_START;
	if (k->scan_asked == SCAN_FILTER) {
		k->filter_set = true;
		m = filter_message(k);
	} else {
		m = bus_message(k->bus, path, BLUEZ_ADAPTER1,
				k->scan_wanted ? "StartDiscovery" : "StopDiscovery");
	}
	if (bus_send(k->bus, m, BLUEZ_ASK_US, on_scan, k, &k->scan) < 0)
		loop_timer_start(k->settle, BLUEZ_AGAIN_US);
}
