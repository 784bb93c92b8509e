/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/bluez_fake.h"

#include "esl-radio/le/hci_conn_wire.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define ADAPTER      BLUEZ_FAKE_ADAPTER
#define DEVICE       BLUEZ_FAKE_DEVICE
#define HANDLE       BLUEZ_FAKE_HANDLE
#define FIRST_NUMBER 0x0b /* of a characteristic's object; they are two apart */

const uint8_t bluez_fake_label[SIM_LABEL_ADDR_BYTES] = {0xc0, 0xff, 0xee, 0, 0, 1};

/** Characteristics of the label, in the order of their objects' numbers. */
#define NO_SERVICE(uuid)                                                                           \
	{                                                                                          \
		0, VALUE_NONE                                                                      \
	}
#define CHARACTERISTIC(uuid, properties, value)                                                    \
	{                                                                                          \
		uuid, value                                                                        \
	}
static const struct {
	uint16_t uuid;
	enum label_value value;
} chrs[] = {LABEL_SERVICES(NO_SERVICE, CHARACTERISTIC, CHARACTERISTIC)};

/* --- the kernel ------------------------------------------------------------------------------- */

struct fake_port {
	struct hci_port base;
	struct bluez_fake *b;
};

static int port_open(struct hci_port *base, const char **ret_text)
{
	struct bluez_fake *b = ((struct fake_port *) base)->b;
	int ends[2];

	(void) ret_text;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, ends), 0);
	if (b->kernel >= 0)
		close(b->kernel);
	b->kernel = ends[1];
	return ends[0];
}

static void port_free(struct hci_port *base)
{
	free(base);
}

static void from_kernel(struct bluez_fake *f, const struct buf *b)
{
	assert_int_equal(write(f->kernel, b->data, b->len), b->len);
}

/** The end of a call that came to nothing. */
static void tell_no_connection(struct bluez_fake *f)
{
	const struct hci_connection_complete e = {.status = HCI_ERR_UNKNOWN_CONNECTION};
	_cleanup_buf_ struct buf out = BUF_INIT;

	hci_put_connection_complete(&out, &e);
	from_kernel(f, &out);
}

static void hang_up(void *user);

/** Everything succeeds, but for calls through the train; some of it is counted. */
static void play_kernel(struct bluez_fake *b)
{
	uint8_t packet[HCI_COMMAND_MAX];
	struct h4_packet p;
	ssize_t n = b->kernel >= 0 ? read(b->kernel, packet, sizeof(packet)) : -1;
	_cleanup_buf_ struct buf out = BUF_INIT;
	static const uint8_t zeros[64];
	const uint8_t handle[2] = {HANDLE, 0};
	struct hci_command_complete e = {.credits = 1, .more = zeros, .more_len = 8};

	if (n <= 0)
		return;
	assert_int_equal(h4_next(packet, (size_t) n, &p), n);
	e.opcode = p.opcode;
	if (p.opcode == HCI_LE_PA_SET_INFO_TRANSFER) {
		assert_memory_equal(p.params, handle, 2);
		b->transfers++;
		e.more = handle;
		e.more_len = 2;
	}
	if (p.opcode == HCI_LE_EXT_CREATE_CONNECTION_V2) {
		b->calls++;
		e.status = b->call_status;
	}
	hci_put_command_complete(&out, &e);
	from_kernel(b, &out);
	if (p.opcode == HCI_LE_CREATE_CONNECTION_CANCEL) {
		b->cancels++;
		tell_no_connection(b);
	}
	if (p.opcode == HCI_DISCONNECT)
		hang_up(b);
}

static void tell_connection(struct bluez_fake *f)
{
	struct hci_connection_complete e = {.handle = HANDLE, .peer_type = 1};
	_cleanup_buf_ struct buf out = BUF_INIT;

	for (size_t i = 0; i < sizeof(bluez_fake_label); i++)
		e.peer[i] = bluez_fake_label[sizeof(bluez_fake_label) - 1 - i];
	hci_put_connection_complete(&out, &e);
	from_kernel(f, &out);
}

void bluez_fake_key_missing(struct bluez_fake *f)
{
	_cleanup_buf_ struct buf out = BUF_INIT;

	hci_put_encryption_change(&out, &(struct hci_encryption_change){
						.status = HCI_ERR_PIN_MISSING, .handle = HANDLE});
	from_kernel(f, &out);
}

struct hci_port *bluez_fake_port(struct bluez_fake *f)
{
	static const struct hci_port_ops ops = {port_open, port_free};
	struct fake_port *port = calloc(1, sizeof(*port));

	assert_non_null(port);
	*port = (struct fake_port){.base.ops = &ops, .b = f};
	return &port->base;
}

/* --- bluetoothd ------------------------------------------------------------------------------- */

static void put_property(DBusMessageIter *dict, const char *name, int type, const void *value)
{
	const char signature[2] = {(char) type, 0};
	DBusMessageIter row, v;

	dbus_message_iter_open_container(dict, DBUS_TYPE_DICT_ENTRY, NULL, &row);
	dbus_message_iter_append_basic(&row, DBUS_TYPE_STRING, &name);
	dbus_message_iter_open_container(&row, DBUS_TYPE_VARIANT, signature, &v);
	dbus_message_iter_append_basic(&v, type, value);
	dbus_message_iter_close_container(&row, &v);
	dbus_message_iter_close_container(dict, &row);
}

static void say(struct bluez_fake *b, DBusMessage *m)
{
	dbus_connection_send(b->bluez, m, NULL);
	dbus_message_unref(m);
}

/** PropertiesChanged with one property that is a truth, or -60 for RSSI. */
static void set_property(struct bluez_fake *f, const char *path, const char *interface,
			 const char *name, dbus_bool_t to)
{
	DBusMessage *m = dbus_message_new_signal(path, "org.freedesktop.DBus.Properties",
						 "PropertiesChanged");
	DBusMessageIter i, dict, none;
	dbus_int16_t rssi = -60;

	dbus_message_iter_init_append(m, &i);
	dbus_message_iter_append_basic(&i, DBUS_TYPE_STRING, &interface);
	dbus_message_iter_open_container(&i, DBUS_TYPE_ARRAY, "{sv}", &dict);
	if (strcmp(name, "RSSI") == 0)
		put_property(&dict, name, DBUS_TYPE_INT16, &rssi);
	else
		put_property(&dict, name, DBUS_TYPE_BOOLEAN, &to);
	dbus_message_iter_close_container(&i, &dict);
	dbus_message_iter_open_container(&i, DBUS_TYPE_ARRAY, "s", &none);
	dbus_message_iter_close_container(&i, &none);
	say(f, m);
}

static void changed(struct bluez_fake *f, const char *path, const char *interface, const char *name)
{
	set_property(f, path, interface, name, TRUE);
}

/** An object with one interface, as a row of GetManagedObjects or as InterfacesAdded's body. */
static void put_object(DBusMessageIter *to, const char *path, const char *interface,
		       const char *property, int type, const void *value)
{
	DBusMessageIter list, row, dict;

	dbus_message_iter_append_basic(to, DBUS_TYPE_OBJECT_PATH, &path);
	dbus_message_iter_open_container(to, DBUS_TYPE_ARRAY, "{sa{sv}}", &list);
	dbus_message_iter_open_container(&list, DBUS_TYPE_DICT_ENTRY, NULL, &row);
	dbus_message_iter_append_basic(&row, DBUS_TYPE_STRING, &interface);
	dbus_message_iter_open_container(&row, DBUS_TYPE_ARRAY, "{sv}", &dict);
	put_property(&dict, property, type, value);
	dbus_message_iter_close_container(&row, &dict);
	dbus_message_iter_close_container(&list, &row);
	dbus_message_iter_close_container(to, &list);
}

static DBusMessage *added(void)
{
	return dbus_message_new_signal("/", "org.freedesktop.DBus.ObjectManager",
				       "InterfacesAdded");
}

static int64_t now_us(const struct bluez_fake *f)
{
	return clock_mono_us(loop_clock(f->loop));
}

static bool has(const struct bluez_fake *f, size_t k)
{
	return chrs[k].value != VALUE_NONE && !label_service_absent(&f->service, chrs[k].value) &&
	       !(f->no_transfer && chrs[k].uuid < 0x2b00 && chrs[k].uuid >= 0x2abd);
}

static const char *chr_path(size_t k, char path[96])
{
	snprintf(path, 96, DEVICE "/service000a/char%04x", (unsigned int) (FIRST_NUMBER + 2 * k));
	return path;
}

/** Which one a call is about. */
static size_t chr_of(DBusMessage *call)
{
	const char *path = dbus_message_get_path(call);
	unsigned int number = 0;

	assert_int_equal(sscanf(path + strlen(path) - 4, "%x", &number), 1);
	number = (number - FIRST_NUMBER) / 2;
	assert_true(number < ARRAY_SIZE(chrs));
	return number;
}

static void add_services(struct bluez_fake *f)
{
	for (size_t k = 0; k < ARRAY_SIZE(chrs); k++) {
		char path[96], uuid[40];
		const char *text = uuid;
		DBusMessage *m = added();
		DBusMessageIter i;

		snprintf(uuid, sizeof(uuid), "0000%04x-0000-1000-8000-00805f9b34fb", chrs[k].uuid);
		dbus_message_iter_init_append(m, &i);
		put_object(&i, chr_path(k, path), "org.bluez.GattCharacteristic1", "UUID",
			   DBUS_TYPE_STRING, &text);
		if (has(f, k))
			say(f, m);
		else
			dbus_message_unref(m);
	}
}

void bluez_fake_show_label(struct bluez_fake *b)
{
	const char *uuid = "00001857-0000-1000-8000-00805f9b34fb", *interface = "org.bluez.Device1";
	const char *name = "UUIDs", *kind = "random";
	DBusMessage *m = added();
	DBusMessageIter i, dict, row, v, list, none;

	dbus_message_iter_init_append(m, &i);
	put_object(&i, DEVICE, interface, "AddressType", DBUS_TYPE_STRING, &kind);
	say(b, m);
	m = dbus_message_new_signal(DEVICE, "org.freedesktop.DBus.Properties", "PropertiesChanged");
	dbus_message_iter_init_append(m, &i);
	dbus_message_iter_append_basic(&i, DBUS_TYPE_STRING, &interface);
	dbus_message_iter_open_container(&i, DBUS_TYPE_ARRAY, "{sv}", &dict);
	dbus_message_iter_open_container(&dict, DBUS_TYPE_DICT_ENTRY, NULL, &row);
	dbus_message_iter_append_basic(&row, DBUS_TYPE_STRING, &name);
	dbus_message_iter_open_container(&row, DBUS_TYPE_VARIANT, "as", &v);
	dbus_message_iter_open_container(&v, DBUS_TYPE_ARRAY, "s", &list);
	dbus_message_iter_append_basic(&list, DBUS_TYPE_STRING, &uuid);
	dbus_message_iter_close_container(&v, &list);
	dbus_message_iter_close_container(&row, &v);
	dbus_message_iter_close_container(&dict, &row);
	dbus_message_iter_close_container(&i, &dict);
	dbus_message_iter_open_container(&i, DBUS_TYPE_ARRAY, "s", &none);
	dbus_message_iter_close_container(&i, &none);
	say(b, m);
	if (b->paired)
		changed(b, DEVICE, interface, "Paired");
	changed(b, DEVICE, interface, "RSSI");
}

/** The adapter, as a row of GetManagedObjects. */
static void put_adapter(DBusMessageIter *row, const struct bluez_fake *f)
{
	const char *path = ADAPTER, *interface = "org.bluez.Adapter1";
	const char *kind = f->random ? "random" : "public";
	const dbus_bool_t yes = TRUE;
	DBusMessageIter list, entry, dict;

	dbus_message_iter_append_basic(row, DBUS_TYPE_OBJECT_PATH, &path);
	dbus_message_iter_open_container(row, DBUS_TYPE_ARRAY, "{sa{sv}}", &list);
	dbus_message_iter_open_container(&list, DBUS_TYPE_DICT_ENTRY, NULL, &entry);
	dbus_message_iter_append_basic(&entry, DBUS_TYPE_STRING, &interface);
	dbus_message_iter_open_container(&entry, DBUS_TYPE_ARRAY, "{sv}", &dict);
	put_property(&dict, "AddressType", DBUS_TYPE_STRING, &kind);
	put_property(&dict, "Powered", DBUS_TYPE_BOOLEAN, &yes);
	dbus_message_iter_close_container(&entry, &dict);
	dbus_message_iter_close_container(&list, &entry);
	dbus_message_iter_close_container(row, &list);
}

static DBusMessage *managed_objects(const struct bluez_fake *b, DBusMessage *call)
{
	DBusMessage *m = dbus_message_new_method_return(call);
	DBusMessageIter i, list, row;
	dbus_bool_t yes = TRUE;

	dbus_message_iter_init_append(m, &i);
	dbus_message_iter_open_container(&i, DBUS_TYPE_ARRAY, "{oa{sa{sv}}}", &list);
	dbus_message_iter_open_container(&list, DBUS_TYPE_DICT_ENTRY, NULL, &row);
	put_adapter(&row, b);
	dbus_message_iter_close_container(&list, &row);
	if (b->holds) {
		dbus_message_iter_open_container(&list, DBUS_TYPE_DICT_ENTRY, NULL, &row);
		put_object(&row, DEVICE, "org.bluez.Device1", "Connected", DBUS_TYPE_BOOLEAN, &yes);
		dbus_message_iter_close_container(&list, &row);
	}
	dbus_message_iter_close_container(&i, &list);
	return m;
}

/* --- the label -------------------------------------------------------------------------------- */

/** A property of bytes, told by its object. */
static void tell_value(void *user, enum label_value value, const uint8_t *data, size_t len)
{
	const char *interface = "org.bluez.GattCharacteristic1", *name = "Value";
	struct bluez_fake *f = user;
	char path[96];
	size_t k = 0;
	DBusMessage *m;
	DBusMessageIter i, dict, row, v, bytes;

	while (k < ARRAY_SIZE(chrs) && chrs[k].value != value)
		k++;
	assert_true(k < ARRAY_SIZE(chrs));
	m = dbus_message_new_signal(chr_path(k, path), "org.freedesktop.DBus.Properties",
				    "PropertiesChanged");
	dbus_message_iter_init_append(m, &i);
	dbus_message_iter_append_basic(&i, DBUS_TYPE_STRING, &interface);
	dbus_message_iter_open_container(&i, DBUS_TYPE_ARRAY, "{sv}", &dict);
	dbus_message_iter_open_container(&dict, DBUS_TYPE_DICT_ENTRY, NULL, &row);
	dbus_message_iter_append_basic(&row, DBUS_TYPE_STRING, &name);
	dbus_message_iter_open_container(&row, DBUS_TYPE_VARIANT, "ay", &v);
	dbus_message_iter_open_container(&v, DBUS_TYPE_ARRAY, "y", &bytes);
	dbus_message_iter_append_fixed_array(&bytes, DBUS_TYPE_BYTE, &data, (int) len);
	dbus_message_iter_close_container(&v, &bytes);
	dbus_message_iter_close_container(&row, &v);
	dbus_message_iter_close_container(&dict, &row);
	dbus_message_iter_close_container(&i, &dict);
	dbus_message_iter_open_container(&i, DBUS_TYPE_ARRAY, "s", &bytes);
	dbus_message_iter_close_container(&i, &bytes);
	say(f, m);
}

static void no_link(struct bluez_fake *f)
{
	set_property(f, DEVICE, "org.bluez.Device1", "ServicesResolved", false);
	set_property(f, DEVICE, "org.bluez.Device1", "Connected", false);
}

static void hang_up(void *user)
{
	struct bluez_fake *f = user;
	_cleanup_buf_ struct buf out = BUF_INIT;

	if (!f->linked)
		return;
	f->linked = false;
	label_service_content_end(&f->service);
	f->service.channel_open = f->service.chosen = f->service.stored = false;
	sim_label_link_lost(f->label, now_us(f));
	hci_put_disconnection(&out, &(struct hci_disconnection){.handle = HANDLE, .reason = 0x13});
	from_kernel(f, &out);
	no_link(f);
}

void bluez_fake_cut(struct bluez_fake *f)
{
	hang_up(f);
}

static bool in_range(void *user)
{
	return ((struct bluez_fake *) user)->transfers > 0;
}

static void make_link(struct bluez_fake *f)
{
	f->linked = true;
	sim_label_connected(f->label, now_us(f));
	if (!f->late)
		tell_connection(f);
	if (f->stalls)
		return;
	if (f->paired && !f->bond.has_key) { /* the label knows nothing of it any more */
		bluez_fake_key_missing(f);
		hang_up(f);
		return;
	}
	if (!f->silent)
		changed(f, DEVICE, "org.bluez.Device1", "Connected");
	if (!f->hasty)
		add_services(f);
	changed(f, DEVICE, "org.bluez.Device1", "ServicesResolved");
}

void bluez_fake_link(struct bluez_fake *f)
{
	make_link(f);
}

static DBusMessage *read_value(struct bluez_fake *f, DBusMessage *call)
{
	DBusMessage *m = dbus_message_new_method_return(call);
	_cleanup_buf_ struct buf value = BUF_INIT;
	const uint8_t *bytes;

	f->service.now_us = now_us(f);
	label_service_read(&f->service, chrs[chr_of(call)].value, &value);
	bytes = value.len ? value.data : (const uint8_t *) "";
	dbus_message_append_args(m, DBUS_TYPE_ARRAY, DBUS_TYPE_BYTE, &bytes, (int) value.len,
				 DBUS_TYPE_INVALID);
	return m;
}

static DBusMessage *write_value(struct bluez_fake *f, DBusMessage *call)
{
	size_t n = strlen(f->writes), k = chr_of(call);
	const uint8_t *data = NULL;
	int len = 0;
	DBusMessageIter i, bytes;

	dbus_message_iter_init(call, &i);
	dbus_message_iter_recurse(&i, &bytes);
	dbus_message_iter_get_fixed_array(&bytes, &data, &len);
	snprintf(f->writes + n, sizeof(f->writes) - n, "%04x ", chrs[k].uuid);
	f->service.now_us = now_us(f);
	if (label_service_write(&f->service, chrs[k].value, data, (size_t) len) != 0)
		return dbus_message_new_error(call, "org.bluez.Error.Failed", "refused");
	return NULL;
}

/** The answer to Properties.Get of something that is true. */
static DBusMessage *get_true(DBusMessage *call)
{
	DBusMessage *m = dbus_message_new_method_return(call);
	DBusMessageIter i, v;
	dbus_bool_t yes = TRUE;

	dbus_message_iter_init_append(m, &i);
	dbus_message_iter_open_container(&i, DBUS_TYPE_VARIANT, "b", &v);
	dbus_message_iter_append_basic(&v, DBUS_TYPE_BOOLEAN, &yes);
	dbus_message_iter_close_container(&i, &v);
	return m;
}

/* --- what is asked ---------------------------------------------------------------------------- */

/** What bluetoothd would do, reduced to its signals. */
static DBusHandlerResult play_bluez(DBusConnection *c, DBusMessage *m, void *user)
{
	struct bluez_fake *f = user;
	const char *member = dbus_message_get_member(m);
	DBusMessage *answer = NULL;

	(void) c;
	if (dbus_message_get_type(m) != DBUS_MESSAGE_TYPE_METHOD_CALL)
		return DBUS_HANDLER_RESULT_NOT_YET_HANDLED;
	if (f->refuses && strcmp(member, f->refuses) == 0) {
		f->refused++;
		answer = dbus_message_new_error(m, DBUS_ERROR_ACCESS_DENIED, "no");
	} else if (strcmp(member, "GetManagedObjects") == 0) {
		answer = managed_objects(f, m);
	} else if (strcmp(member, "RegisterAgent") == 0) {
		f->agent_asked = true;
		if (f->refuse_agent)
			answer = dbus_message_new_error(m, DBUS_ERROR_ACCESS_DENIED, "no");
	} else if (strcmp(member, "StartDiscovery") == 0 && f->busy > 0) {
		f->busy--;
		answer = dbus_message_new_error(m, "org.bluez.Error.InProgress", "busy");
	} else if (strcmp(member, "StartDiscovery") == 0) {
		f->discoveries++;
		changed(f, ADAPTER, "org.bluez.Adapter1", "Discovering");
	} else if (strcmp(member, "Connect") == 0) {
		make_link(f);
		if (f->stalls)
			return DBUS_HANDLER_RESULT_HANDLED;
	} else if (strcmp(member, "Pair") == 0) {
		f->paired = f->bond.has_key = true;
		changed(f, DEVICE, "org.bluez.Device1", "Paired");
		if (f->owes)
			return DBUS_HANDLER_RESULT_HANDLED;
	} else if (strcmp(member, "Get") == 0) {
		if (f->hasty)
			add_services(f);
		answer = get_true(m);
	} else if (strcmp(member, "StartNotify") == 0 && f->late) {
		f->late = false;
		tell_connection(f);
	} else if (strcmp(member, "ReadValue") == 0) {
		answer = read_value(f, m);
	} else if (strcmp(member, "WriteValue") == 0) {
		answer = write_value(f, m);
	} else if (strcmp(member, "Disconnect") == 0) {
		f->hangs_up = true;
		if (f->forgets)
			no_link(f);
		else
			hang_up(f);
	} else if (strcmp(member, "RemoveDevice") == 0) {
		f->removed++;
		f->paired = false;
		hang_up(f);
		set_property(f, DEVICE, "org.bluez.Device1", "Paired", false);
	}
	say(f, answer ? answer : dbus_message_new_method_return(m));
	return DBUS_HANDLER_RESULT_HANDLED;
}

void bluez_fake_discovers(struct bluez_fake *f, bool does)
{
	set_property(f, ADAPTER, "org.bluez.Adapter1", "Discovering", does);
}

void bluez_fake_step(struct bluez_fake *f)
{
	play_kernel(f);
	dbus_connection_read_write(f->bluez, 0);
	while (dbus_connection_dispatch(f->bluez) == DBUS_DISPATCH_DATA_REMAINS)
		;
}

void bluez_fake_own_name(struct bluez_fake *f, bool own)
{
	if (own)
		assert_int_equal(dbus_bus_request_name(f->bluez, "org.bluez", 0, NULL),
				 DBUS_REQUEST_NAME_REPLY_PRIMARY_OWNER);
	else
		assert_true(dbus_bus_release_name(f->bluez, "org.bluez", NULL) > 0);
}

static void nothing_seen(void *user, struct sim_label *l, enum sim_label_event event, int64_t at_us)
{
	(void) user;
	(void) l;
	(void) event;
	(void) at_us;
}

void bluez_fake_open(struct bluez_fake *f, struct loop *loop, const struct sim_label_model *model)
{
	static const struct label_service_io io = {tell_value, hang_up, in_range};

	f->loop = loop;
	f->kernel = -1;
	assert_int_equal(sim_label_new(bluez_fake_label, model, 1, nothing_seen, f, &f->label), 0);
	label_service_init(&f->service, f->label, &f->bond, &io, f);
	f->bluez = dbus_connection_open_private(getenv("DBUS_SYSTEM_BUS_ADDRESS"), NULL);
	assert_non_null(f->bluez);
	assert_true(dbus_bus_register(f->bluez, NULL));
	assert_true(dbus_connection_add_filter(f->bluez, play_bluez, f, NULL));
	bluez_fake_own_name(f, true);
}

void bluez_fake_close(struct bluez_fake *f)
{
	dbus_connection_close(f->bluez);
	dbus_connection_unref(f->bluez);
	if (f->kernel >= 0)
		close(f->kernel);
	label_service_done(&f->service);
	label_bond_drop_kept(&f->bond);
	sim_label_free(f->label);
}
