/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What comes over the message bus: answers and signals about adapters, devices and characteristics.
 * The first byte chooses: a message as it is on the wire, or one that is built from the rest, so
 * that every shape is met which libdbus lets through.
 */
#include "esl-radio/bluez/objects.h"
#include <dbus/dbus.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const paths[] = {
	"/org/bluez/hci0",
	"/org/bluez/hci0/dev_C0_FF_EE_00_00_01",
	"/org/bluez/hci0/dev_C0_FF_EE_00_00_01/service000a/char000b",
	"/org/bluez/hci0/dev_C0_FF_EE_00_00_01/service000a/char000b/desc000d",
	"/org/bluez/hci0/dev_C0_FF_EE_00_00_02",
	"/org/bluez/hci0/dev_C0_FF_EE_00_00_02/service0001",
	"/org/bluez/hci0/dev_C0_FF_EE",
	"/org/bluez/hci1",
	"/",
};
static const char *const texts[] = {
	"org.bluez.Adapter1",
	"org.bluez.Device1",
	"org.bluez.GattCharacteristic1",
	"Powered",
	"Discovering",
	"Address",
	"00:11:22:33:44:55",
	"Connected",
	"Paired",
	"ServicesResolved",
	"AddressType",
	"random",
	"UUIDs",
	"00001857-0000-1000-8000-00805f9b34fb",
	"RSSI",
	"UUID",
	"00002bfe-0000-1000-8000-00805f9b34fb",
	"Value",
	"",
};

/** Bytes that decide what is built; zeros when they are used up. */
struct source {
	const uint8_t *at;
	size_t left;
};

static uint8_t next(struct source *s)
{
	if (!s->left)
		return 0;
	s->left--;
	return *s->at++;
}

/* Everything of a shape that is told must hold together. */
static void told_device(void *user, struct bluez_device *d, bool gone)
{
	char path[BLUEZ_PATH_MAX];

	(void) gone;
	for (unsigned int i = 0; i < BLUEZ_CHR_COUNT; i++)
		if (bluez_chr_path(*(struct bluez_objects **) user, d, (enum bluez_chr) i, path) ==
			    0 &&
		    strlen(path) >= sizeof(path))
			abort();
}

static void told_heard(void *user, struct bluez_device *d)
{
	if (bluez_device_find(*(struct bluez_objects **) user, d->addr) != d)
		abort();
}

static void told_adapter(void *user)
{
	(void) user;
}

static void told_value(void *user, struct bluez_device *d, enum bluez_chr chr, const uint8_t *data,
		       size_t len)
{
	volatile uint8_t sum = 0;

	(void) user;
	if (chr >= BLUEZ_CHR_COUNT || !d->chrs[chr].chr || len > 512)
		abort();
	for (size_t i = 0; i < len; i++)
		sum = (uint8_t) (sum + data[i]);
}

/* --- building --------------------------------------------------------------------------------- */

static const char *text_of(struct source *s)
{
	return texts[next(s) % ARRAY_SIZE(texts)];
}

static const char *path_of(struct source *s)
{
	return paths[next(s) % ARRAY_SIZE(paths)];
}

/** One value, of any type a property may claim to have. */
static void put_value(DBusMessageIter *to, struct source *s)
{
	const char *text = text_of(s), *path = path_of(s);
	dbus_bool_t yes = next(s) & 1;
	dbus_int16_t number = (dbus_int16_t) (next(s) << 8 | next(s));
	uint8_t bytes[600];
	const uint8_t *borrowed = bytes;
	DBusMessageIter v, list;
	int n;

	switch (next(s) % 6) {
	case 0:
		dbus_message_iter_open_container(to, DBUS_TYPE_VARIANT, "b", &v);
		dbus_message_iter_append_basic(&v, DBUS_TYPE_BOOLEAN, &yes);
		break;
	case 1:
		dbus_message_iter_open_container(to, DBUS_TYPE_VARIANT, "s", &v);
		dbus_message_iter_append_basic(&v, DBUS_TYPE_STRING, &text);
		break;
	case 2:
		dbus_message_iter_open_container(to, DBUS_TYPE_VARIANT, "n", &v);
		dbus_message_iter_append_basic(&v, DBUS_TYPE_INT16, &number);
		break;
	case 3:
		n = number & 0x3ff;
		n = n > (int) sizeof(bytes) ? (int) sizeof(bytes) : n;
		for (int i = 0; i < n; i++)
			bytes[i] = next(s);
		dbus_message_iter_open_container(to, DBUS_TYPE_VARIANT, "ay", &v);
		dbus_message_iter_open_container(&v, DBUS_TYPE_ARRAY, "y", &list);
		dbus_message_iter_append_fixed_array(&list, DBUS_TYPE_BYTE, &borrowed, n);
		dbus_message_iter_close_container(&v, &list);
		break;
	case 4:
		dbus_message_iter_open_container(to, DBUS_TYPE_VARIANT, "as", &v);
		dbus_message_iter_open_container(&v, DBUS_TYPE_ARRAY, "s", &list);
		for (n = next(s) % 4; n > 0; n--) {
			text = text_of(s);
			dbus_message_iter_append_basic(&list, DBUS_TYPE_STRING, &text);
		}
		dbus_message_iter_close_container(&v, &list);
		break;
	default:
		dbus_message_iter_open_container(to, DBUS_TYPE_VARIANT, "o", &v);
		dbus_message_iter_append_basic(&v, DBUS_TYPE_OBJECT_PATH, &path);
	}
	dbus_message_iter_close_container(to, &v);
}

/** a{sv} */
static void put_properties(DBusMessageIter *to, struct source *s)
{
	DBusMessageIter dict, row;

	dbus_message_iter_open_container(to, DBUS_TYPE_ARRAY, "{sv}", &dict);
	for (int n = next(s) % 6; n > 0; n--) {
		const char *name = text_of(s);

		dbus_message_iter_open_container(&dict, DBUS_TYPE_DICT_ENTRY, NULL, &row);
		dbus_message_iter_append_basic(&row, DBUS_TYPE_STRING, &name);
		put_value(&row, s);
		dbus_message_iter_close_container(&dict, &row);
	}
	dbus_message_iter_close_container(to, &dict);
}

/** oa{sa{sv}} */
static void put_object(DBusMessageIter *to, struct source *s)
{
	const char *path = path_of(s);
	DBusMessageIter list, row;

	dbus_message_iter_append_basic(to, DBUS_TYPE_OBJECT_PATH, &path);
	dbus_message_iter_open_container(to, DBUS_TYPE_ARRAY, "{sa{sv}}", &list);
	for (int n = next(s) % 3; n > 0; n--) {
		const char *interface = text_of(s);

		dbus_message_iter_open_container(&list, DBUS_TYPE_DICT_ENTRY, NULL, &row);
		dbus_message_iter_append_basic(&row, DBUS_TYPE_STRING, &interface);
		put_properties(&row, s);
		dbus_message_iter_close_container(&list, &row);
	}
	dbus_message_iter_close_container(to, &list);
}

static DBusMessage *objects_answer(struct source *s)
{
	DBusMessage *m = dbus_message_new(DBUS_MESSAGE_TYPE_METHOD_RETURN);
	DBusMessageIter i, list, row;

	dbus_message_iter_init_append(m, &i);
	dbus_message_iter_open_container(&i, DBUS_TYPE_ARRAY, "{oa{sa{sv}}}", &list);
	for (int n = next(s) % 5; n > 0; n--) {
		dbus_message_iter_open_container(&list, DBUS_TYPE_DICT_ENTRY, NULL, &row);
		put_object(&row, s);
		dbus_message_iter_close_container(&list, &row);
	}
	dbus_message_iter_close_container(&i, &list);
	return m;
}

static DBusMessage *signal_of(struct source *s)
{
	static const char *const members[] = {"InterfacesAdded", "InterfacesRemoved"};
	unsigned int kind = next(s) % 3;
	const char *text = text_of(s), *path = path_of(s);
	DBusMessage *m = kind == 2
				 ? dbus_message_new_signal(path, DBUS_INTERFACE_PROPERTIES,
							   "PropertiesChanged")
				 : dbus_message_new_signal("/", DBUS_INTERFACE_PEER, members[kind]);
	DBusMessageIter i, list;

	if (kind < 2)
		dbus_message_set_interface(m, "org.freedesktop.DBus.ObjectManager");
	dbus_message_iter_init_append(m, &i);
	switch (next(s) % 8) {
	case 0: /* something else altogether */
		put_value(&i, s);
		return m;
	case 1:
		return m;
	default:
		break;
	}
	if (kind == 0) {
		put_object(&i, s);
	} else if (kind == 1) {
		dbus_message_iter_append_basic(&i, DBUS_TYPE_OBJECT_PATH, &path);
		dbus_message_iter_open_container(&i, DBUS_TYPE_ARRAY, "s", &list);
		for (int n = next(s) % 4; n > 0; n--) {
			text = text_of(s);
			dbus_message_iter_append_basic(&list, DBUS_TYPE_STRING, &text);
		}
		dbus_message_iter_close_container(&i, &list);
	} else {
		dbus_message_iter_append_basic(&i, DBUS_TYPE_STRING, &text);
		put_properties(&i, s);
	}
	return m;
}

/* --- reading ---------------------------------------------------------------------------------- */

static void read_message(struct bluez_objects *o, DBusMessage *m)
{
	if (!m)
		return;
	if (dbus_message_get_type(m) == DBUS_MESSAGE_TYPE_SIGNAL)
		bluez_objects_signal(o, m);
	else
		bluez_objects_all(o, m);
	dbus_message_unref(m);
}

/** Messages one behind the other, as they are on the wire. */
static void read_wire(struct bluez_objects *o, const uint8_t *data, size_t size)
{
	while (size > 0 && size <= INT32_MAX) {
		int n = dbus_message_demarshal_bytes_needed((const char *) data, (int) size);
		DBusMessage *m;

		if (n <= 0 || (size_t) n > size)
			return;
		m = dbus_message_demarshal((const char *) data, n, NULL);
		if (!m)
			return;
		read_message(o, m);
		data += n;
		size -= (size_t) n;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct bluez_objects_callbacks cb = {told_adapter, told_device, told_heard,
							  told_value};
	struct bluez_objects *o = NULL;
	struct source s;

	if (size < 1 || bluez_objects_new("hci0", &cb, &o, &o) < 0)
		return 0;
	(void) setenv("DBUS_FATAL_WARNINGS", "1", 1); /* wrong use of libdbus is a finding */
	if (data[0] == 0) {
		read_wire(o, data + 1, size - 1);
	} else {
		s = (struct source){data + 1, size - 1};
		while (s.left > 0)
			read_message(o, next(&s) & 1 ? objects_answer(&s) : signal_of(&s));
	}
	bluez_objects_free(o);
	return 0;
}
