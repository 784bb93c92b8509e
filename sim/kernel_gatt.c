/* SPDX-License-Identifier: Apache-2.0 */
/* The objects that bluetoothd makes attributes and an advertisement of. It keeps handles, switches
 * and permissions, and asks here for values. */
#include "common/err.h"
#include "esl-radio/le/att_wire.h"
#include "sim/kernel_bluez_impl.h"

#include <stdio.h>
#include <string.h>

#define GATT_SERVICE "org.bluez.GattService1"
#define GATT_VALUE   "org.bluez.GattCharacteristic1"
#define ADVERTISED   "org.bluez.LEAdvertisement1"
#define UUID_TEXT    40
#define FLAGS_MAX    8
#define ADVERT_MS    150 /* of the advertisement */

static const struct row {
	bool service;
	uint16_t uuid;
	uint8_t properties;
	enum label_value value;
} rows[] = {
#define SERVICE(uuid)                                                                              \
	{                                                                                          \
		true, uuid, 0, VALUE_NONE                                                          \
	}
#define CHARACTERISTIC(uuid, properties, value)                                                    \
	{                                                                                          \
		false, uuid, properties, value                                                     \
	}
	LABEL_SERVICES(SERVICE, CHARACTERISTIC, CHARACTERISTIC)};

static void service_path(size_t row, char to[PATH_MAX_LEN])
{
	while (!rows[row].service)
		row--;
	(void) snprintf(to, PATH_MAX_LEN, KERNEL_ROOT "/service%04x", rows[row].uuid);
}

static void row_path(size_t row, char to[PATH_MAX_LEN])
{
	size_t n;

	service_path(row, to);
	n = strlen(to);
	if (!rows[row].service)
		(void) snprintf(to + n, PATH_MAX_LEN - n, "/value%04x", rows[row].uuid);
}

static const struct row *row_at(const char *path)
{
	char mine[PATH_MAX_LEN];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		row_path(i, mine);
		if (!rows[i].service && strcmp(path, mine) == 0)
			return &rows[i];
	}
	return NULL;
}

static void uuid_text(uint16_t uuid, char to[UUID_TEXT])
{
	(void) snprintf(to, UUID_TEXT, "%08x-0000-1000-8000-00805f9b34fb", uuid);
}

/* --- the tree --------------------------------------------------------------------------------- */

/** Who made it anybody may read: bluetoothd does at once, and would start to pair for it. All the
 * rest wants an encrypted link, as in other labels. */
static size_t flags_of(const struct row *row, const char *to[FLAGS_MAX])
{
	uint8_t properties = row->properties;
	bool open = row->value == VALUE_MODEL || row->value == VALUE_PNP;
	size_t n = 0;

	if (properties & PROP_READ)
		to[n++] = open ? "read" : "encrypt-read";
	if (properties & PROP_WRITE) {
		to[n++] = "write";
		to[n++] = "encrypt-write";
	}
	if (properties & PROP_COMMAND)
		to[n++] = "write-without-response";
	if (properties & PROP_NOTIFY)
		to[n++] = "notify";
	if (properties & PROP_INDICATE)
		to[n++] = "indicate";
	return n;
}

static bool put_properties(DBusMessageIter *dict, size_t i)
{
	const char *flags[FLAGS_MAX];
	char uuid[UUID_TEXT], service[PATH_MAX_LEN];
	const char *uuid_at = uuid, *service_at = service;
	dbus_bool_t primary = TRUE;

	uuid_text(rows[i].uuid, uuid);
	service_path(i, service);
	if (!kernel_put_row(dict, "UUID", DBUS_TYPE_STRING, &uuid_at))
		return false;
	if (rows[i].service)
		return kernel_put_row(dict, "Primary", DBUS_TYPE_BOOLEAN, &primary);
	return kernel_put_row(dict, "Service", DBUS_TYPE_OBJECT_PATH, &service_at) &&
	       kernel_put_strings(dict, "Flags", flags, flags_of(&rows[i], flags));
}

static bool put_object(DBusMessageIter *objects, size_t i)
{
	const char *interface = rows[i].service ? GATT_SERVICE : GATT_VALUE;
	DBusMessageIter object, interfaces, row, dict;
	char path[PATH_MAX_LEN];
	const char *path_at = path;

	row_path(i, path);
	return dbus_message_iter_open_container(objects, DBUS_TYPE_DICT_ENTRY, NULL, &object) &&
	       dbus_message_iter_append_basic(&object, DBUS_TYPE_OBJECT_PATH, &path_at) &&
	       dbus_message_iter_open_container(&object, DBUS_TYPE_ARRAY, "{sa{sv}}",
						&interfaces) &&
	       dbus_message_iter_open_container(&interfaces, DBUS_TYPE_DICT_ENTRY, NULL, &row) &&
	       dbus_message_iter_append_basic(&row, DBUS_TYPE_STRING, &interface) &&
	       dbus_message_iter_open_container(&row, DBUS_TYPE_ARRAY, "{sv}", &dict) &&
	       put_properties(&dict, i) && dbus_message_iter_close_container(&row, &dict) &&
	       dbus_message_iter_close_container(&interfaces, &row) &&
	       dbus_message_iter_close_container(&object, &interfaces) &&
	       dbus_message_iter_close_container(objects, &object);
}

static DBusMessage *tree(struct kernel_bluez *b, DBusMessage *m)
{
	DBusMessage *a = dbus_message_new_method_return(m);
	DBusMessageIter i, objects;
	bool ok = a != NULL;

	if (!ok)
		return NULL;
	dbus_message_iter_init_append(a, &i);
	ok = dbus_message_iter_open_container(&i, DBUS_TYPE_ARRAY, "{oa{sa{sv}}}", &objects);
	for (size_t k = 0; ok && k < ARRAY_SIZE(rows); k++)
		if (rows[k].service || !b->cb.absent(b->user, rows[k].value))
			ok = put_object(&objects, k);
	if (ok && dbus_message_iter_close_container(&i, &objects))
		return a;
	dbus_message_unref(a);
	return NULL;
}

/* --- values ----------------------------------------------------------------------------------- */

/** What goes with a read or a write, a{sv}: of that the offset. */
static uint16_t take_offset(DBusMessageIter *i)
{
	DBusMessageIter dict, row, v;
	uint16_t offset = 0;

	if (dbus_message_iter_get_arg_type(i) != DBUS_TYPE_ARRAY)
		return 0;
	for (dbus_message_iter_recurse(i, &dict);
	     dbus_message_iter_get_arg_type(&dict) == DBUS_TYPE_DICT_ENTRY;
	     dbus_message_iter_next(&dict)) {
		const char *key;

		dbus_message_iter_recurse(&dict, &row);
		if (dbus_message_iter_get_arg_type(&row) != DBUS_TYPE_STRING)
			return 0;
		dbus_message_iter_get_basic(&row, &key);
		dbus_message_iter_next(&row);
		if (dbus_message_iter_get_arg_type(&row) != DBUS_TYPE_VARIANT)
			return 0;
		dbus_message_iter_recurse(&row, &v);
		if (strcmp(key, "offset") == 0 &&
		    dbus_message_iter_get_arg_type(&v) == DBUS_TYPE_UINT16)
			dbus_message_iter_get_basic(&v, &offset);
	}
	return offset;
}

static DBusMessage *failure(DBusMessage *m, const char *name)
{
	return dbus_message_new_error(m, name, "The label refuses.");
}

static DBusMessage *read_value(struct kernel_bluez *b, const struct row *row, DBusMessage *m)
{
	_cleanup_buf_ struct buf value = BUF_INIT;
	uint16_t offset = 0;
	DBusMessage *a;
	const uint8_t *data;
	DBusMessageIter i;

	if (dbus_message_iter_init(m, &i))
		offset = take_offset(&i);
	b->cb.read(b->user, row->value, &value);
	if (!buf_ok(&value) || offset > value.len)
		return failure(m, "org.bluez.Error.InvalidOffset");
	a = dbus_message_new_method_return(m);
	data = value.len ? value.data + offset : (const uint8_t *) "";
	if (a && dbus_message_append_args(a, DBUS_TYPE_ARRAY, DBUS_TYPE_BYTE, &data,
					  (int) (value.len - offset), DBUS_TYPE_INVALID))
		return a;
	if (a)
		dbus_message_unref(a);
	return NULL;
}

static DBusMessage *write_value(struct kernel_bluez *b, const struct row *row, DBusMessage *m)
{
	const uint8_t *data = NULL;
	DBusMessageIter i, bytes;
	uint8_t error;
	int n = 0;

	if (!dbus_message_iter_init(m, &i) ||
	    dbus_message_iter_get_arg_type(&i) != DBUS_TYPE_ARRAY ||
	    dbus_message_iter_get_element_type(&i) != DBUS_TYPE_BYTE)
		return failure(m, "org.bluez.Error.Failed");
	dbus_message_iter_recurse(&i, &bytes);
	dbus_message_iter_get_fixed_array(&bytes, &data, &n);
	dbus_message_iter_next(&i);
	error = take_offset(&i) ? ATT_ERR_INVALID_OFFSET
				: b->cb.write(b->user, row->value, data, n > 0 ? (size_t) n : 0);
	switch (error) {
	case 0:
		return dbus_message_new_method_return(m);
	case ATT_ERR_INVALID_LENGTH:
		return failure(m, "org.bluez.Error.InvalidValueLength");
	case ATT_ERR_INVALID_OFFSET:
		return failure(m, "org.bluez.Error.InvalidOffset");
	case ATT_ERR_WRITE_NOT_PERMITTED:
		return failure(m, "org.bluez.Error.NotPermitted");
	default:
		return failure(m, "org.bluez.Error.Failed");
	}
}

static DBusMessage *value_called(struct kernel_bluez *b, const struct row *row, DBusMessage *m)
{
	const char *member = dbus_message_get_member(m);

	if (strcmp(member, "ReadValue") == 0)
		return read_value(b, row, m);
	if (strcmp(member, "WriteValue") == 0)
		return write_value(b, row, m);
	if (strcmp(member, "StartNotify") == 0 || strcmp(member, "StopNotify") == 0 ||
	    strcmp(member, "Confirm") == 0)
		return dbus_message_new_method_return(m);
	return NULL;
}

DBusMessage *kernel_gatt_signal(enum label_value value, const uint8_t *data, size_t len)
{
	const char *interface = GATT_VALUE;
	DBusMessageIter i, dict, none;
	char path[PATH_MAX_LEN];
	DBusMessage *m;
	size_t row = 0;

	while (rows[row].value != value)
		row++;
	row_path(row, path);
	m = dbus_message_new_signal(path, DBUS_INTERFACE_PROPERTIES, "PropertiesChanged");
	if (!m)
		return NULL;
	dbus_message_iter_init_append(m, &i);
	if (dbus_message_iter_append_basic(&i, DBUS_TYPE_STRING, &interface) &&
	    dbus_message_iter_open_container(&i, DBUS_TYPE_ARRAY, "{sv}", &dict) &&
	    kernel_put_bytes(&dict, "Value", data, len) &&
	    dbus_message_iter_close_container(&i, &dict) &&
	    dbus_message_iter_open_container(&i, DBUS_TYPE_ARRAY, "s", &none) &&
	    dbus_message_iter_close_container(&i, &none))
		return m;
	dbus_message_unref(m);
	return NULL;
}

/* --- the advertisement ------------------------------------------------------------------------ */

static DBusMessage *advertisement(DBusMessage *m)
{
	DBusMessage *a = dbus_message_new_method_return(m);
	const char *type = "peripheral", *service = "1857";
	dbus_bool_t yes = TRUE;
	uint32_t ms = ADVERT_MS;
	DBusMessageIter i, dict;

	if (!a)
		return NULL;
	dbus_message_iter_init_append(a, &i);
	if (dbus_message_iter_open_container(&i, DBUS_TYPE_ARRAY, "{sv}", &dict) &&
	    kernel_put_row(&dict, "Type", DBUS_TYPE_STRING, &type) &&
	    kernel_put_strings(&dict, "ServiceUUIDs", &service, 1) &&
	    kernel_put_row(&dict, "Discoverable", DBUS_TYPE_BOOLEAN, &yes) &&
	    kernel_put_row(&dict, "MinInterval", DBUS_TYPE_UINT32, &ms) &&
	    kernel_put_row(&dict, "MaxInterval", DBUS_TYPE_UINT32, &ms) &&
	    dbus_message_iter_close_container(&i, &dict))
		return a;
	dbus_message_unref(a);
	return NULL;
}

DBusMessage *kernel_gatt_called(struct kernel_bluez *b, DBusMessage *m)
{
	const char *path = dbus_message_get_path(m), *member = dbus_message_get_member(m);
	const struct row *row = path ? row_at(path) : NULL;

	if (!path || !member)
		return NULL;
	if (row)
		return value_called(b, row, m);
	if (strcmp(path, KERNEL_ROOT) == 0 && strcmp(member, "GetManagedObjects") == 0)
		return tree(b, m);
	if (strcmp(path, KERNEL_ADVERT) == 0 && strcmp(member, "GetAll") == 0)
		return advertisement(m);
	return NULL;
}
