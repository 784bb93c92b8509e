/* SPDX-License-Identifier: Apache-2.0 */
/* A label's place in bluetoothd, against a bus of its own on which the test plays bluetoothd. No
 * Bluetooth is needed; only dbus-daemon. */
#include "common/bus.h"
#include "esl-radio/le/att_wire.h"
#include "sim/kernel_bluez.h"
#include "tests/unit/bus_daemon.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define ROUNDS   2000
#define SERVICES "/org/gondola/label"
#define ADVERT   SERVICES "/advertisement"
#define AGENT    SERVICES "/agent"
#define CONTROL  SERVICES "/service1857/value2bfe"
#define DISPLAYS SERVICES "/service1857/value2bfa"
#define VALUE    "org.bluez.GattCharacteristic1"

struct bench {
	struct loop *loop;
	struct kernel_bluez *label;
	DBusConnection *bluez; /* bluetoothd's connection */
	char peer[64];         /* the label's name on the bus */
	char asked[512];       /* members it has called, in order */
	char removed[64];      /* device that it had removed */
	const char *refuse;    /* refused once */
	char written[64];
	size_t written_len;
	uint8_t error; /* what the label answers to a write */
	bool tell;     /* it tells a value while it is written to */
	unsigned int told;
	bool told_early; /* before the answer */
	DBusMessage *answer;
};

/* --- the label -------------------------------------------------------------------------------- */

static void label_read(void *user, enum label_value value, struct buf *out)
{
	(void) user;
	if (value == VALUE_DISPLAYS)
		buf_put_str(out, "panel");
}

static uint8_t label_write(void *user, enum label_value value, const uint8_t *data, size_t len)
{
	struct bench *b = user;

	assert_int_equal(value, VALUE_CONTROL);
	assert_true(len <= sizeof(b->written));
	if (len)
		memcpy(b->written, data, len);
	b->written_len = len;
	if (b->tell)
		kernel_bluez_tell(b->label, VALUE_CONTROL, (const uint8_t *) "yes", 3);
	return b->error;
}

static bool label_absent(void *user, enum label_value value)
{
	(void) user;
	return value == VALUE_LEDS;
}

/* --- bluetoothd ------------------------------------------------------------------------------- */

static void note_call(struct bench *b, DBusMessage *m)
{
	size_t n = strlen(b->asked);

	(void) snprintf(b->peer, sizeof(b->peer), "%s", dbus_message_get_sender(m));
	(void) snprintf(b->asked + n, sizeof(b->asked) - n, "%s ", dbus_message_get_member(m));
}

static void note_removed(struct bench *b, DBusMessage *m)
{
	const char *path;

	assert_true(
		dbus_message_get_args(m, NULL, DBUS_TYPE_OBJECT_PATH, &path, DBUS_TYPE_INVALID));
	(void) snprintf(b->removed, sizeof(b->removed), "%s", path);
}

static DBusHandlerResult play_bluez(DBusConnection *conn, DBusMessage *m, void *user)
{
	struct bench *b = user;
	DBusMessage *a;

	if (dbus_message_is_signal(m, DBUS_INTERFACE_PROPERTIES, "PropertiesChanged")) {
		assert_true(dbus_message_has_path(m, CONTROL));
		b->told++;
		b->told_early = b->answer == NULL;
		return DBUS_HANDLER_RESULT_HANDLED;
	}
	if (dbus_message_get_type(m) == DBUS_MESSAGE_TYPE_METHOD_RETURN ||
	    dbus_message_get_type(m) == DBUS_MESSAGE_TYPE_ERROR) {
		b->answer = dbus_message_ref(m);
		return DBUS_HANDLER_RESULT_HANDLED;
	}
	if (dbus_message_get_type(m) != DBUS_MESSAGE_TYPE_METHOD_CALL)
		return DBUS_HANDLER_RESULT_NOT_YET_HANDLED;
	note_call(b, m);
	if (dbus_message_has_member(m, "RemoveDevice"))
		note_removed(b, m);
	if (b->refuse && dbus_message_has_member(m, b->refuse)) {
		b->refuse = NULL;
		a = dbus_message_new_error(m, "org.bluez.Error.AlreadyExists", "again");
	} else {
		a = dbus_message_new_method_return(m);
	}
	assert_true(dbus_connection_send(conn, a, NULL));
	dbus_message_unref(a);
	return DBUS_HANDLER_RESULT_HANDLED;
}

static void step(struct bench *b)
{
	loop_run_once(b->loop, 5);
	dbus_connection_read_write(b->bluez, 0);
	while (dbus_connection_dispatch(b->bluez) == DBUS_DISPATCH_DATA_REMAINS)
		;
}

/** Goes on until the label has asked for all that, and then a little to see that it is all. */
static void assert_asks(struct bench *b, const char *members)
{
	for (int i = 0; i < ROUNDS && strlen(b->asked) < strlen(members); i++)
		step(b);
	for (int i = 0; i < 5; i++)
		step(b);
	assert_string_equal(b->asked, members);
	b->asked[0] = '\0';
}

/** Calls the label; the answer stays until the next call. */
static DBusMessage *call(struct bench *b, DBusMessage *m)
{
	assert_non_null(m);
	if (b->answer)
		dbus_message_unref(b->answer);
	b->answer = NULL;
	assert_true(dbus_connection_send(b->bluez, m, NULL));
	dbus_message_unref(m);
	for (int i = 0; i < ROUNDS && !b->answer; i++)
		step(b);
	assert_non_null(b->answer);
	return b->answer;
}

static DBusMessage *to_label(struct bench *b, const char *path, const char *interface,
			     const char *member)
{
	return dbus_message_new_method_call(b->peer, path, interface, member);
}

static void put_options(DBusMessage *m, uint16_t offset)
{
	const char *key = "offset";
	DBusMessageIter i, dict, row, v;

	dbus_message_iter_init_append(m, &i);
	assert_true(dbus_message_iter_open_container(&i, DBUS_TYPE_ARRAY, "{sv}", &dict));
	assert_true(dbus_message_iter_open_container(&dict, DBUS_TYPE_DICT_ENTRY, NULL, &row));
	assert_true(dbus_message_iter_append_basic(&row, DBUS_TYPE_STRING, &key));
	assert_true(dbus_message_iter_open_container(&row, DBUS_TYPE_VARIANT, "q", &v));
	assert_true(dbus_message_iter_append_basic(&v, DBUS_TYPE_UINT16, &offset));
	assert_true(dbus_message_iter_close_container(&row, &v));
	assert_true(dbus_message_iter_close_container(&dict, &row));
	assert_true(dbus_message_iter_close_container(&i, &dict));
}

static DBusMessage *read_at(struct bench *b, uint16_t offset)
{
	DBusMessage *m = to_label(b, DISPLAYS, VALUE, "ReadValue");

	put_options(m, offset);
	return call(b, m);
}

static DBusMessage *write_control(struct bench *b, const char *text)
{
	DBusMessage *m = to_label(b, CONTROL, VALUE, "WriteValue");

	assert_true(dbus_message_append_args(m, DBUS_TYPE_ARRAY, DBUS_TYPE_BYTE, &text,
					     (int) strlen(text), DBUS_TYPE_INVALID));
	put_options(m, 0);
	return call(b, m);
}

static DBusMessage *confirm_for(struct bench *b, const char *device)
{
	DBusMessage *m = to_label(b, AGENT, "org.bluez.Agent1", "RequestAuthorization");

	assert_true(dbus_message_append_args(m, DBUS_TYPE_OBJECT_PATH, &device, DBUS_TYPE_INVALID));
	return call(b, m);
}

static void own_name(struct bench *b, bool own)
{
	if (own)
		assert_int_equal(dbus_bus_request_name(b->bluez, "org.bluez", 0, NULL),
				 DBUS_REQUEST_NAME_REPLY_PRIMARY_OWNER);
	else
		assert_true(dbus_bus_release_name(b->bluez, "org.bluez", NULL) > 0);
}

/** Up to a label that is registered, and asks for nothing more. */
static void bench_open(struct bench *b)
{
	static const struct kernel_bluez_callbacks cb = {label_read, label_write, label_absent};

	if (!getenv("DBUS_SYSTEM_BUS_ADDRESS"))
		skip();
	*b = (struct bench){0};
	b->bluez = dbus_connection_open_private(getenv("DBUS_SYSTEM_BUS_ADDRESS"), NULL);
	assert_non_null(b->bluez);
	assert_true(dbus_bus_register(b->bluez, NULL));
	dbus_bus_add_match(b->bluez, "type='signal',path='" CONTROL "'", NULL);
	assert_true(dbus_connection_add_filter(b->bluez, play_bluez, b, NULL));
	own_name(b, true);
	assert_int_equal(loop_new(&b->loop), 0);
	assert_int_equal(kernel_bluez_new(b->loop, "hci1", &cb, b, &b->label), 0);
	kernel_bluez_power(b->label, true);
	assert_asks(b, "Set RegisterAgent RequestDefaultAgent ");
	kernel_bluez_adapter(b->label, true);
	assert_asks(b, "RegisterApplication ");
}

static void bench_close(struct bench *b)
{
	kernel_bluez_free(b->label);
	loop_free(b->loop);
	if (b->answer)
		dbus_message_unref(b->answer);
	dbus_connection_close(b->bluez);
	dbus_connection_unref(b->bluez);
}

/* --- what it must do -------------------------------------------------------------------------- */

static void label_that_wants_to_be_found_is_advertised_until_it_is_not(void **state)
{
	struct bench b;

	(void) state;
	bench_open(&b);
	kernel_bluez_advertise(b.label, true);
	assert_asks(&b, "RegisterAdvertisement ");
	kernel_bluez_advertise(b.label, true);
	assert_asks(&b, "");
	kernel_bluez_advertise(b.label, false);
	assert_asks(&b, "UnregisterAdvertisement ");
	bench_close(&b);
}

static void adapter_that_was_off_gets_its_advertisement_anew(void **state)
{
	struct bench b;

	(void) state;
	bench_open(&b);
	kernel_bluez_advertise(b.label, true);
	assert_asks(&b, "RegisterAdvertisement ");
	kernel_bluez_adapter(b.label, false);
	assert_asks(&b, "");
	b.refuse = "RegisterApplication"; /* bluetoothd has kept that one */
	kernel_bluez_adapter(b.label, true);
	assert_asks(&b, "RegisterApplication UnregisterAdvertisement RegisterAdvertisement ");
	bench_close(&b);
}

static void wish_that_comes_before_the_answer_to_the_last_one_is_kept(void **state)
{
	struct bench b;

	(void) state;
	bench_open(&b);
	kernel_bluez_power(b.label, false);
	/* asked, but bluetoothd has not read it */
	for (int i = 0; i < ROUNDS &&
			dbus_connection_get_dispatch_status(b.bluez) != DBUS_DISPATCH_DATA_REMAINS;
	     i++) {
		loop_run_once(b.loop, 5);
		dbus_connection_read_write(b.bluez, 0);
	}
	kernel_bluez_power(b.label, true);
	assert_asks(&b, "Set Set ");
	bench_close(&b);
}

static void advertisement_that_bluetoothd_drops_is_registered_again(void **state)
{
	struct bench b;

	(void) state;
	bench_open(&b);
	kernel_bluez_advertise(b.label, true);
	assert_asks(&b, "RegisterAdvertisement ");
	(void) call(&b, to_label(&b, ADVERT, "org.bluez.LEAdvertisement1", "Release"));
	assert_asks(&b, "RegisterAdvertisement ");
	bench_close(&b);
}

static void access_point_that_is_forgotten_goes_before_anybody_finds_the_label(void **state)
{
	static const uint8_t addr[6] = {0, 1, 0xa0, 0xda, 0xd0, 0xc0};
	struct bench b;

	(void) state;
	bench_open(&b);
	kernel_bluez_advertise(b.label, true);
	kernel_bluez_forget(b.label, addr);
	assert_asks(&b, "RemoveDevice RegisterAdvertisement ");
	assert_string_equal(b.removed, "/org/bluez/hci1/dev_C0_D0_DA_A0_01_00");
	bench_close(&b);
}

static void bluetoothd_that_restarts_is_told_everything_again(void **state)
{
	struct bench b;

	(void) state;
	bench_open(&b);
	kernel_bluez_advertise(b.label, true);
	assert_asks(&b, "RegisterAdvertisement ");
	own_name(&b, false);
	assert_asks(&b, "");
	own_name(&b, true);
	assert_asks(&b, "RegisterAgent RequestDefaultAgent RegisterApplication "
			"RegisterAdvertisement ");
	bench_close(&b);
}

/** Is this text somewhere among the strings of a message? */
static unsigned int occurs(DBusMessageIter *i, const char *text)
{
	unsigned int n = 0;

	for (int t; (t = dbus_message_iter_get_arg_type(i)) != DBUS_TYPE_INVALID;
	     dbus_message_iter_next(i)) {
		DBusMessageIter in;
		const char *s;

		if (t == DBUS_TYPE_STRING || t == DBUS_TYPE_OBJECT_PATH) {
			dbus_message_iter_get_basic(i, &s);
			n += strcmp(s, text) == 0;
		} else if (dbus_type_is_container(t)) {
			dbus_message_iter_recurse(i, &in);
			n += occurs(&in, text);
		}
	}
	return n;
}

static unsigned int count_in(DBusMessage *m, const char *text)
{
	DBusMessageIter i;

	dbus_message_iter_init(m, &i);
	return occurs(&i, text);
}

static void services_are_told_with_what_the_label_has_and_no_more(void **state)
{
	DBusMessage *tree;
	struct bench b;

	(void) state;
	bench_open(&b);
	tree = call(&b, to_label(&b, SERVICES, "org.freedesktop.DBus.ObjectManager",
				 "GetManagedObjects"));
	assert_string_equal(dbus_message_get_signature(tree), "a{oa{sa{sv}}}");
	assert_int_equal(count_in(tree, "00001857-0000-1000-8000-00805f9b34fb"), 1);
	assert_int_equal(count_in(tree, "00001825-0000-1000-8000-00805f9b34fb"), 1);
	assert_int_equal(count_in(tree, "00002bfa-0000-1000-8000-00805f9b34fb"), 1);
	assert_int_equal(count_in(tree, "00002bfd-0000-1000-8000-00805f9b34fb"), 0);
	assert_int_equal(count_in(tree, "indicate"), 2);
	assert_int_equal(count_in(tree, "notify"), 1);
	/* whatever may be written wants an encrypted link; open is who made it, and nothing else */
	assert_int_equal(count_in(tree, "encrypt-write"), count_in(tree, "write"));
	assert_int_equal(count_in(tree, "read"), 2);
	assert_true(count_in(tree, "encrypt-read") > 5);
	bench_close(&b);
}

static void values_are_read_from_where_bluetoothd_asks(void **state)
{
	const uint8_t *data;
	struct bench b;
	int n;

	(void) state;
	bench_open(&b);
	assert_true(dbus_message_get_args(read_at(&b, 2), NULL, DBUS_TYPE_ARRAY, DBUS_TYPE_BYTE,
					  &data, &n, DBUS_TYPE_INVALID));
	assert_int_equal(n, 3);
	assert_memory_equal(data, "nel", 3);
	assert_true(dbus_message_get_args(read_at(&b, 5), NULL, DBUS_TYPE_ARRAY, DBUS_TYPE_BYTE,
					  &data, &n, DBUS_TYPE_INVALID));
	assert_int_equal(n, 0);
	assert_true(dbus_message_is_error(read_at(&b, 6), "org.bluez.Error.InvalidOffset"));
	bench_close(&b);
}

static void writes_reach_the_label_and_its_refusals_come_back(void **state)
{
	struct bench b;

	(void) state;
	bench_open(&b);
	assert_int_equal(dbus_message_get_type(write_control(&b, "abc")),
			 DBUS_MESSAGE_TYPE_METHOD_RETURN);
	assert_int_equal(b.written_len, 3);
	assert_memory_equal(b.written, "abc", 3);
	b.error = ATT_ERR_INVALID_LENGTH;
	assert_true(
		dbus_message_is_error(write_control(&b, ""), "org.bluez.Error.InvalidValueLength"));
	assert_int_equal(b.written_len, 0);
	b.error = ATT_ERR_WRITE_REJECTED;
	assert_true(dbus_message_is_error(write_control(&b, "x"), "org.bluez.Error.Failed"));
	bench_close(&b);
}

static void write_without_bytes_of_its_kind_is_refused(void **state)
{
	const char *text = "not bytes";
	DBusMessage *m;
	struct bench b;

	(void) state;
	bench_open(&b);
	m = to_label(&b, CONTROL, VALUE, "WriteValue");
	assert_true(dbus_message_append_args(m, DBUS_TYPE_STRING, &text, DBUS_TYPE_INVALID));
	assert_true(dbus_message_is_error(call(&b, m), "org.bluez.Error.Failed"));
	assert_true(dbus_message_is_error(call(&b, to_label(&b, CONTROL, VALUE, "WriteValue")),
					  "org.bluez.Error.Failed"));
	assert_int_equal(dbus_message_get_type(
				 call(&b, to_label(&b, SERVICES "/nothing", VALUE, "ReadValue"))),
			 DBUS_MESSAGE_TYPE_ERROR);
	bench_close(&b);
}

static void options_of_another_kind_are_passed_over(void **state)
{
	DBusMessageIter i, dict, row;
	int32_t key = 1, value = 2;
	struct bench b;
	DBusMessage *m;

	(void) state;
	bench_open(&b);
	m = to_label(&b, DISPLAYS, VALUE, "ReadValue");
	dbus_message_iter_init_append(m, &i);
	assert_true(dbus_message_iter_open_container(&i, DBUS_TYPE_ARRAY, "{ii}", &dict));
	assert_true(dbus_message_iter_open_container(&dict, DBUS_TYPE_DICT_ENTRY, NULL, &row));
	assert_true(dbus_message_iter_append_basic(&row, DBUS_TYPE_INT32, &key));
	assert_true(dbus_message_iter_append_basic(&row, DBUS_TYPE_INT32, &value));
	assert_true(dbus_message_iter_close_container(&dict, &row));
	assert_true(dbus_message_iter_close_container(&i, &dict));
	assert_int_equal(dbus_message_get_type(call(&b, m)), DBUS_MESSAGE_TYPE_METHOD_RETURN);
	bench_close(&b);
}

static void answer_goes_before_what_the_label_tells(void **state)
{
	struct bench b;

	(void) state;
	bench_open(&b);
	b.tell = true;
	(void) write_control(&b, "ping");
	for (int i = 0; i < ROUNDS && b.told == 0; i++)
		step(&b);
	assert_int_equal(b.told, 1);
	assert_false(b.told_early);
	bench_close(&b);
}

static void pairing_is_the_label_s_at_its_own_adapter_alone(void **state)
{
	struct bench b;

	(void) state;
	bench_open(&b);
	assert_int_equal(
		dbus_message_get_type(confirm_for(&b, "/org/bluez/hci1/dev_C0_D0_DA_00_00_01")),
		DBUS_MESSAGE_TYPE_METHOD_RETURN);
	assert_true(dbus_message_is_error(confirm_for(&b, "/org/bluez/hci0/dev_C0_D0_DA_00_00_01"),
					  "org.bluez.Error.Rejected"));
	assert_true(dbus_message_is_error(confirm_for(&b, "/org/bluez/hci10/dev_C0_D0_DA_00_00_01"),
					  "org.bluez.Error.Rejected"));
	bench_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(label_that_wants_to_be_found_is_advertised_until_it_is_not),
		cmocka_unit_test(adapter_that_was_off_gets_its_advertisement_anew),
		cmocka_unit_test(wish_that_comes_before_the_answer_to_the_last_one_is_kept),
		cmocka_unit_test(advertisement_that_bluetoothd_drops_is_registered_again),
		cmocka_unit_test(
			access_point_that_is_forgotten_goes_before_anybody_finds_the_label),
		cmocka_unit_test(bluetoothd_that_restarts_is_told_everything_again),
		cmocka_unit_test(services_are_told_with_what_the_label_has_and_no_more),
		cmocka_unit_test(values_are_read_from_where_bluetoothd_asks),
		cmocka_unit_test(writes_reach_the_label_and_its_refusals_come_back),
		cmocka_unit_test(write_without_bytes_of_its_kind_is_refused),
		cmocka_unit_test(options_of_another_kind_are_passed_over),
		cmocka_unit_test(answer_goes_before_what_the_label_tells),
		cmocka_unit_test(pairing_is_the_label_s_at_its_own_adapter_alone),
	};

	return cmocka_run_group_tests(tests, bus_daemon_start, bus_daemon_stop);
}
