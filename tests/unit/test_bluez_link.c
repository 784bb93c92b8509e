/* SPDX-License-Identifier: Apache-2.0 */
/* The connected driver against a bus of its own, on which the test plays bluetoothd, and a raw
 * socket, on which it plays the kernel. No Bluetooth is needed; only dbus-daemon. */
#include "common/err.h"
#include "esl-radio/bluez/bluez.h"
#include "esl-radio/le/hci_conn_wire.h"

#include <dbus/dbus.h>
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define ADAPTER "/org/bluez/hci0"
#define DEVICE  ADAPTER "/dev_C0_FF_EE_00_00_01"
#define HANDLE  0x0040
#define BOND    "bond:c0ffee000001"
#define ROUNDS  2000

static const uint8_t label[ESL_ADDR_BYTES] = {0xc0, 0xff, 0xee, 0, 0, 1};

/** Characteristics of the label: number of the object, UUID, what it reads as. */
static const struct {
	unsigned int number;
	const char *uuid;
	const char *value;
	int len;
} chrs[] = {
	{0x0b, "00002bf6", "", 0},
	{0x0d, "00002bf7", "", 0},
	{0x0f, "00002bf8", "", 0},
	{0x11, "00002bf9", "", 0},
	{0x13, "00002bfa", "\x28\x01\x80\x00\x01", 5},
	{0x15, "00002bfb", "\x03", 1},
	{0x17, "00002bfc", "\x00\x54\x00\x01\x34\x12\x05\x00\x00\x59\x00", 11},
	{0x1b, "00002bfe", "", 0},
};

struct bench {
	struct loop *loop;
	struct hci_host *host;
	struct esl_link *link;
	DBusConnection *bluez; /* bluetoothd's connection */
	int kernel;
	bool refuse_agent, agent_asked;
	unsigned int ups, downs, adverts, lost, transfers;
	bool bonded, hangs_up;
	bool holds;  /* it is connected to the label from before */
	bool silent; /* connections are not told by bluetoothd, except in the answer */
	bool stalls; /* connections get no further than being there */
	unsigned int removed, reached;
	uint8_t kept[3];
	char text[ESL_TEXT_MAX], writes[64];
	int done, err; /* completions, and the last one's code */
	struct esl_link_result res;
};

static pid_t daemon_pid;

/* --- the kernel ------------------------------------------------------------------------------- */

struct fake_port {
	struct hci_port base;
	struct bench *b;
};

static int port_open(struct hci_port *base, const char **ret_text)
{
	struct bench *b = ((struct fake_port *) base)->b;
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

/** Everything succeeds; the transfer of the train's timing is counted. */
static void play_kernel(struct bench *b)
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
	hci_put_command_complete(&out, &e);
	assert_int_equal(write(b->kernel, out.data, out.len), out.len);
}

static void tell_connection(struct bench *b)
{
	struct hci_connection_complete e = {.handle = HANDLE, .peer_type = 1};
	_cleanup_buf_ struct buf out = BUF_INIT;

	for (size_t i = 0; i < sizeof(label); i++)
		e.peer[i] = label[sizeof(label) - 1 - i];
	hci_put_connection_complete(&out, &e);
	assert_int_equal(write(b->kernel, out.data, out.len), out.len);
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

static void say(struct bench *b, DBusMessage *m)
{
	dbus_connection_send(b->bluez, m, NULL);
	dbus_message_unref(m);
}

/** PropertiesChanged with one property that is a truth, or -60 for RSSI. */
static void changed(struct bench *b, const char *path, const char *interface, const char *name)
{
	DBusMessage *m = dbus_message_new_signal(path, "org.freedesktop.DBus.Properties",
						 "PropertiesChanged");
	DBusMessageIter i, dict, none;
	dbus_bool_t yes = TRUE;
	dbus_int16_t rssi = -60;

	dbus_message_iter_init_append(m, &i);
	dbus_message_iter_append_basic(&i, DBUS_TYPE_STRING, &interface);
	dbus_message_iter_open_container(&i, DBUS_TYPE_ARRAY, "{sv}", &dict);
	if (strcmp(name, "RSSI") == 0)
		put_property(&dict, name, DBUS_TYPE_INT16, &rssi);
	else
		put_property(&dict, name, DBUS_TYPE_BOOLEAN, &yes);
	dbus_message_iter_close_container(&i, &dict);
	dbus_message_iter_open_container(&i, DBUS_TYPE_ARRAY, "s", &none);
	dbus_message_iter_close_container(&i, &none);
	say(b, m);
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

static void add_services(struct bench *b)
{
	for (size_t k = 0; k < ARRAY_SIZE(chrs); k++) {
		char path[96], uuid[40];
		const char *text = uuid;
		DBusMessage *m = added();
		DBusMessageIter i;

		snprintf(path, sizeof(path), DEVICE "/service000a/char%04x", chrs[k].number);
		snprintf(uuid, sizeof(uuid), "%s-0000-1000-8000-00805f9b34fb", chrs[k].uuid);
		dbus_message_iter_init_append(m, &i);
		put_object(&i, path, "org.bluez.GattCharacteristic1", "UUID", DBUS_TYPE_STRING,
			   &text);
		say(b, m);
	}
}

/** A label comes into range: its object, its services' names, its signal. */
static void show_label(struct bench *b)
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
	changed(b, DEVICE, interface, "RSSI");
}

static DBusMessage *managed_objects(const struct bench *b, DBusMessage *call)
{
	DBusMessage *m = dbus_message_new_method_return(call);
	DBusMessageIter i, list, row;
	dbus_bool_t yes = TRUE;

	dbus_message_iter_init_append(m, &i);
	dbus_message_iter_open_container(&i, DBUS_TYPE_ARRAY, "{oa{sa{sv}}}", &list);
	dbus_message_iter_open_container(&list, DBUS_TYPE_DICT_ENTRY, NULL, &row);
	put_object(&row, ADAPTER, "org.bluez.Adapter1", "Powered", DBUS_TYPE_BOOLEAN, &yes);
	dbus_message_iter_close_container(&list, &row);
	if (b->holds) {
		dbus_message_iter_open_container(&list, DBUS_TYPE_DICT_ENTRY, NULL, &row);
		put_object(&row, DEVICE, "org.bluez.Device1", "Connected", DBUS_TYPE_BOOLEAN, &yes);
		dbus_message_iter_close_container(&list, &row);
	}
	dbus_message_iter_close_container(&i, &list);
	return m;
}

/** The label's control point answers: what sensor 0 and 2 measure, and that it knows no other. */
static void answer_control(struct bench *b, DBusMessage *call)
{
	static const uint8_t *const says[] = {(const uint8_t *) "\x2e\x00\xfc\xff",
					      (const uint8_t *) "\x00\x06",
					      (const uint8_t *) "\x2e\x02\xc0\x00"};
	static const int lens[] = {4, 2, 4};
	const char *interface = "org.bluez.GattCharacteristic1", *name = "Value";
	const uint8_t *tlv;
	int n = 0;
	DBusMessage *m;
	DBusMessageIter i, dict, row, v, bytes;

	dbus_message_iter_init(call, &i);
	dbus_message_iter_recurse(&i, &bytes);
	dbus_message_iter_get_fixed_array(&bytes, &tlv, &n);
	if (n != 3 || tlv[0] != ESL_OP_READ_SENSOR || tlv[2] >= ARRAY_SIZE(says))
		return;
	m = dbus_message_new_signal(dbus_message_get_path(call), "org.freedesktop.DBus.Properties",
				    "PropertiesChanged");
	dbus_message_iter_init_append(m, &i);
	dbus_message_iter_append_basic(&i, DBUS_TYPE_STRING, &interface);
	dbus_message_iter_open_container(&i, DBUS_TYPE_ARRAY, "{sv}", &dict);
	dbus_message_iter_open_container(&dict, DBUS_TYPE_DICT_ENTRY, NULL, &row);
	dbus_message_iter_append_basic(&row, DBUS_TYPE_STRING, &name);
	dbus_message_iter_open_container(&row, DBUS_TYPE_VARIANT, "ay", &v);
	dbus_message_iter_open_container(&v, DBUS_TYPE_ARRAY, "y", &bytes);
	dbus_message_iter_append_fixed_array(&bytes, DBUS_TYPE_BYTE, &says[tlv[2]], lens[tlv[2]]);
	dbus_message_iter_close_container(&v, &bytes);
	dbus_message_iter_close_container(&row, &v);
	dbus_message_iter_close_container(&dict, &row);
	dbus_message_iter_close_container(&i, &dict);
	dbus_message_iter_open_container(&i, DBUS_TYPE_ARRAY, "s", &bytes);
	dbus_message_iter_close_container(&i, &bytes);
	say(b, m);
}

static DBusMessage *read_value(DBusMessage *call)
{
	DBusMessage *m = dbus_message_new_method_return(call);
	const char *path = dbus_message_get_path(call);
	unsigned int number = 0;

	sscanf(path + strlen(path) - 4, "%x", &number);
	for (size_t k = 0; k < ARRAY_SIZE(chrs); k++)
		if (chrs[k].number == number)
			dbus_message_append_args(m, DBUS_TYPE_ARRAY, DBUS_TYPE_BYTE, &chrs[k].value,
						 chrs[k].len, DBUS_TYPE_INVALID);
	return m;
}

/** What bluetoothd would do, reduced to its signals. */
static DBusHandlerResult play_bluez(DBusConnection *c, DBusMessage *m, void *user)
{
	struct bench *b = user;
	const char *member = dbus_message_get_member(m), *path = dbus_message_get_path(m);
	DBusMessage *answer = NULL;

	(void) c;
	if (dbus_message_get_type(m) != DBUS_MESSAGE_TYPE_METHOD_CALL)
		return DBUS_HANDLER_RESULT_NOT_YET_HANDLED;
	if (strcmp(member, "GetManagedObjects") == 0) {
		answer = managed_objects(b, m);
	} else if (strcmp(member, "RegisterAgent") == 0) {
		b->agent_asked = true;
		if (b->refuse_agent)
			answer = dbus_message_new_error(m, DBUS_ERROR_ACCESS_DENIED, "no");
	} else if (strcmp(member, "StartDiscovery") == 0) {
		changed(b, ADAPTER, "org.bluez.Adapter1", "Discovering");
	} else if (strcmp(member, "Connect") == 0) {
		tell_connection(b);
		if (b->stalls)
			return DBUS_HANDLER_RESULT_HANDLED;
		if (!b->silent)
			changed(b, DEVICE, "org.bluez.Device1", "Connected");
		add_services(b);
		changed(b, DEVICE, "org.bluez.Device1", "ServicesResolved");
	} else if (strcmp(member, "Pair") == 0) {
		changed(b, DEVICE, "org.bluez.Device1", "Paired");
	} else if (strcmp(member, "ReadValue") == 0) {
		answer = read_value(m);
	} else if (strcmp(member, "WriteValue") == 0) {
		size_t n = strlen(b->writes);

		snprintf(b->writes + n, sizeof(b->writes) - n, "%s ", path + strlen(path) - 2);
		answer_control(b, m);
	} else if (strcmp(member, "Disconnect") == 0) {
		b->hangs_up = true;
	} else if (strcmp(member, "RemoveDevice") == 0) {
		b->removed++;
	}
	say(b, answer ? answer : dbus_message_new_method_return(m));
	return DBUS_HANDLER_RESULT_HANDLED;
}

/* --- the engine ------------------------------------------------------------------------------- */

static void on_up(void *user)
{
	((struct bench *) user)->ups++;
}

static void on_down(void *user, int err, const char *text)
{
	struct bench *b = user;

	(void) err;
	b->downs++;
	snprintf(b->text, sizeof(b->text), "%s", text);
}

static void on_advert(void *user, const uint8_t addr[ESL_ADDR_BYTES], int8_t rssi, bool bonded,
		      uint16_t battery_mv)
{
	struct bench *b = user;

	(void) battery_mv;
	assert_memory_equal(addr, label, sizeof(label));
	assert_int_equal(rssi, -60);
	b->adverts++;
	b->bonded = bonded;
}

static void on_lost(void *user, const uint8_t addr[ESL_ADDR_BYTES])
{
	(void) addr;
	((struct bench *) user)->lost++;
}

static void on_reached(void *user, const uint8_t addr[ESL_ADDR_BYTES])
{
	assert_memory_equal(addr, label, sizeof(label));
	((struct bench *) user)->reached++;
}

static int on_save(void *user, const char *key, const void *data, size_t len)
{
	struct bench *b = user;

	assert_string_equal(key, BOND);
	assert_int_equal(len, sizeof(b->kept));
	memcpy(b->kept, data, len);
	return 0;
}

static void on_done(void *user, int err, const struct esl_link_result *res)
{
	struct bench *b = user;

	b->done++;
	b->err = err;
	if (res)
		b->res = *res;
}

static void step(struct bench *b)
{
	loop_run_once(b->loop, 5);
	play_kernel(b);
	dbus_connection_read_write(b->bluez, 0);
	while (dbus_connection_dispatch(b->bluez) == DBUS_DISPATCH_DATA_REMAINS)
		;
}

/** Goes on until *what has reached n. */
static void until(struct bench *b, const unsigned int *what, unsigned int n)
{
	for (int i = 0; i < ROUNDS && *what < n; i++)
		step(b);
	assert_int_equal(*what, n);
}

static void until_done(struct bench *b, int n)
{
	for (int i = 0; i < ROUNDS && b->done < n; i++)
		step(b);
	assert_int_equal(b->done, n);
}

static void own_name(struct bench *b, bool own)
{
	if (own)
		assert_int_equal(dbus_bus_request_name(b->bluez, "org.bluez", 0, NULL),
				 DBUS_REQUEST_NAME_REPLY_PRIMARY_OWNER);
	else
		assert_true(dbus_bus_release_name(b->bluez, "org.bluez", NULL) > 0);
}

static void bench_set(struct bench *b, const struct bench *from)
{
	static const struct hci_port_ops ops = {port_open, port_free};
	static const struct esl_link_callbacks cb = {.up = on_up,
						     .down = on_down,
						     .advert = on_advert,
						     .lost = on_lost,
						     .save = on_save,
						     .reached = on_reached};
	struct fake_port *port = calloc(1, sizeof(*port));

	if (!getenv("DBUS_SYSTEM_BUS_ADDRESS"))
		skip();
	*b = *from;
	b->kernel = -1;
	assert_non_null(port);
	*port = (struct fake_port){.base.ops = &ops, .b = b};
	b->bluez = dbus_connection_open_private(getenv("DBUS_SYSTEM_BUS_ADDRESS"), NULL);
	assert_non_null(b->bluez);
	assert_true(dbus_bus_register(b->bluez, NULL));
	assert_true(dbus_connection_add_filter(b->bluez, play_bluez, b, NULL));
	own_name(b, true);
	assert_int_equal(loop_new(&b->loop), 0);
	assert_int_equal(hci_host_new_shared(b->loop, &port->base, &b->host), 0);
	assert_int_equal(esl_link_bluez_over(b->loop, b->host, "bluez:hci0", &b->link), 0);
	if (b->kept[0])
		assert_int_equal(b->link->ops->restore(b->link, BOND, b->kept, sizeof(b->kept)), 0);
	assert_int_equal(b->link->ops->start(b->link, &cb, b), 0);
	hci_host_start(b->host);
}

static void bench_open(struct bench *b, bool refuse_agent)
{
	bench_set(b, &(struct bench){.refuse_agent = refuse_agent});
}

static void bench_close(struct bench *b)
{
	b->link->ops->free(b->link);
	hci_host_unref(b->host);
	loop_free(b->loop);
	dbus_connection_close(b->bluez);
	dbus_connection_unref(b->bluez);
	if (b->kernel >= 0)
		close(b->kernel);
}

/* --- tests ------------------------------------------------------------------------------------ */

static void label_that_advertises_is_paired_read_and_configured(void **state)
{
	const struct esl_link_config config = {.esl_address = 0x0305, .abs_ms = 1000};
	struct bench b;

	(void) state;
	bench_open(&b, false);
	until(&b, &b.ups, 1);
	assert_true(b.agent_asked);
	assert_int_equal(b.link->ops->scan(b.link, true), 0);
	for (int i = 0; i < 20; i++)
		step(&b);
	show_label(&b);
	until(&b, &b.adverts, 1);
	assert_false(b.bonded);
	assert_int_equal(b.link->ops->connect(b.link, label, ESL_ADVERTISING, 5, on_done, &b), 0);
	until_done(&b, 1);
	assert_int_equal(b.err, 0);
	assert_false(b.res.rebonded);
	assert_int_equal(b.reached, 1);
	assert_memory_equal(b.kept, "\x02\x01\x00", 3);
	assert_int_equal(b.link->ops->read_info(b.link, label, on_done, &b), 0);
	until_done(&b, 2);
	assert_int_equal(b.err, 0);
	assert_int_equal(b.res.n_displays, 1);
	assert_int_equal(b.res.displays[0].width, 296);
	assert_int_equal(b.res.displays[0].height, 128);
	assert_int_equal(b.res.max_image_index, 3);
	assert_int_equal(b.res.n_sensors, 3);
	assert_false(b.res.sensors[0].id.vendor);
	assert_int_equal(b.res.sensors[0].len, 2);
	assert_int_equal(b.res.temperature_cc, -4);
	assert_true(b.res.sensors[1].id.vendor);
	assert_int_equal(b.res.sensors[1].id.number, 0x12340005);
	assert_int_equal(b.res.sensors[1].len, 0); /* it would not say */
	assert_int_equal(b.res.battery_mv, 3000);
	assert_int_equal(b.link->ops->configure(b.link, label, &config, on_done, &b), 0);
	until_done(&b, 3);
	assert_int_equal(b.err, 0);
	assert_string_equal(b.writes,
			    "1b 1b 1b 0b 0f 0d 11 "); /* address, its key, the train's, time */
	assert_int_equal(b.transfers, 1);
	/* It has no object transfer: that is said at once. */
	assert_int_equal(b.link->ops->write_image(b.link, label, 0, "x", 1, on_done, &b), -ENOTSUP);
	bench_close(&b);
}

static void label_nobody_has_heard_of_cannot_be_connected_to(void **state)
{
	struct bench b;

	(void) state;
	bench_open(&b, false);
	until(&b, &b.ups, 1);
	assert_int_equal(b.link->ops->connect(b.link, label, ESL_ADVERTISING, 5, on_done, &b),
			 -ENOENT);
	bench_close(&b);
}

static void refused_pairing_agent_is_named(void **state)
{
	struct bench b;

	(void) state;
	bench_open(&b, true);
	until(&b, &b.downs, 1);
	assert_non_null(strstr(b.text, "takes no pairing agent from us"));
	assert_non_null(strstr(b.text, "AccessDenied"));
	assert_int_equal(b.ups, 0);
	bench_close(&b);
}

static void bluetoothd_that_goes_and_comes_back_is_followed(void **state)
{
	struct bench b;

	(void) state;
	bench_open(&b, false);
	until(&b, &b.ups, 1);
	show_label(&b);
	until(&b, &b.adverts, 1);
	assert_int_equal(b.link->ops->connect(b.link, label, ESL_ADVERTISING, 5, on_done, &b), 0);
	until_done(&b, 1);
	own_name(&b, false);
	until(&b, &b.downs, 1);
	assert_non_null(strstr(b.text, "bluetoothd is not running"));
	assert_int_equal(b.lost, 1);
	assert_int_equal(b.link->ops->read_info(b.link, label, on_done, &b), -ERR_STATE);
	b.agent_asked = false;
	own_name(&b, true);
	until(&b, &b.ups, 2);
	assert_true(b.agent_asked); /* the new one knows nothing of the old one's */
	bench_close(&b);
}

/** Until the label has been heard and connected to. */
static void meet(struct bench *b)
{
	until(b, &b->ups, 1);
	show_label(b);
	until(b, &b->adverts, 1);
	assert_int_equal(b->link->ops->connect(b->link, label, ESL_ADVERTISING, 5, on_done, b), 0);
	until_done(b, 1);
	assert_int_equal(b->err, 0);
}

static void label_bonded_before_that_must_be_paired_anew_was_reset(void **state)
{
	const struct esl_link_config config = {.esl_address = 0x0305, .abs_ms = 1000};
	struct bench b;

	(void) state;
	bench_set(&b, &(struct bench){.kept = {2, 1, 0}});
	meet(&b);
	assert_true(b.res.rebonded);
	assert_memory_equal(b.kept, "\x02\x01\x01", 3); /* and is, until it is configured */
	assert_int_equal(b.link->ops->configure(b.link, label, &config, on_done, &b), 0);
	until_done(&b, 2);
	assert_int_equal(b.err, 0);
	assert_memory_equal(b.kept, "\x02\x01\x00", 3);
	bench_close(&b);
}

static void label_that_was_reset_is_said_to_be_after_a_restart(void **state)
{
	struct bench b;

	(void) state;
	bench_set(&b, &(struct bench){.kept = {2, 1, 1}});
	until(&b, &b.ups, 1);
	show_label(&b);
	changed(&b, DEVICE, "org.bluez.Device1", "Paired"); /* in the life before */
	until(&b, &b.adverts, 1);
	assert_int_equal(b.link->ops->connect(b.link, label, ESL_ADVERTISING, 5, on_done, &b), 0);
	until_done(&b, 1);
	assert_true(b.res.rebonded);
	bench_close(&b);
}

static void label_without_our_key_is_forgotten_by_bluetoothd(void **state)
{
	struct bench b;
	_cleanup_buf_ struct buf out = BUF_INIT;

	(void) state;
	bench_set(&b, &(struct bench){.kept = {2, 1, 0}, .stalls = true});
	until(&b, &b.ups, 1);
	show_label(&b);
	changed(&b, DEVICE, "org.bluez.Device1", "Paired");
	until(&b, &b.adverts, 1);
	assert_int_equal(b.link->ops->connect(b.link, label, ESL_ADVERTISING, 5, on_done, &b), 0);
	until(&b, &b.reached, 1);
	hci_put_encryption_change(&out, &(struct hci_encryption_change){
						.status = HCI_ERR_PIN_MISSING, .handle = HANDLE});
	assert_int_equal(write(b.kernel, out.data, out.len), out.len);
	until_done(&b, 1);
	assert_int_equal(b.err, -ERR_CRYPTO);
	until(&b, &b.removed, 1);
	bench_close(&b);
}

static void connection_left_over_from_an_earlier_life_is_ended(void **state)
{
	struct bench b;

	(void) state;
	bench_set(&b, &(struct bench){.kept = {2, 1, 0}, .holds = true});
	until(&b, &b.ups, 1);
	for (int i = 0; i < ROUNDS && !b.hangs_up; i++)
		step(&b);
	assert_true(b.hangs_up);
	bench_close(&b);
}

static void connection_that_bluetoothd_forgets_to_tell_is_used(void **state)
{
	struct bench b;

	(void) state;
	bench_set(&b, &(struct bench){.silent = true});
	meet(&b);
	assert_int_equal(b.link->ops->read_info(b.link, label, on_done, &b), 0);
	until_done(&b, 2);
	assert_int_equal(b.err, 0);
	bench_close(&b);
}

static int start_bus(void **state)
{
	char address[256];
	int out[2];
	ssize_t n;

	(void) state;
	if (pipe(out) < 0)
		return -1;
	daemon_pid = fork();
	if (daemon_pid == 0) {
		dup2(out[1], 1);
		close(out[0]);
		execlp("dbus-daemon", "dbus-daemon", "--session", "--nofork", "--print-address=1",
		       "--address=unix:tmpdir=/tmp", (char *) NULL);
		_exit(127);
	}
	close(out[1]);
	n = read(out[0], address, sizeof(address) - 1);
	close(out[0]);
	if (n <= 1)
		return 0; /* no dbus-daemon: the tests skip */
	address[n - 1] = '\0';
	return setenv("DBUS_SYSTEM_BUS_ADDRESS", address, 1);
}

static int stop_bus(void **state)
{
	(void) state;
	kill(daemon_pid, SIGTERM);
	waitpid(daemon_pid, NULL, 0);
	dbus_shutdown();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(label_that_advertises_is_paired_read_and_configured),
		cmocka_unit_test(label_nobody_has_heard_of_cannot_be_connected_to),
		cmocka_unit_test(refused_pairing_agent_is_named),
		cmocka_unit_test(bluetoothd_that_goes_and_comes_back_is_followed),
		cmocka_unit_test(label_bonded_before_that_must_be_paired_anew_was_reset),
		cmocka_unit_test(label_that_was_reset_is_said_to_be_after_a_restart),
		cmocka_unit_test(label_without_our_key_is_forgotten_by_bluetoothd),
		cmocka_unit_test(connection_that_bluetoothd_forgets_to_tell_is_used),
		cmocka_unit_test(connection_left_over_from_an_earlier_life_is_ended),
	};

	return cmocka_run_group_tests(tests, start_bus, stop_bus);
}
