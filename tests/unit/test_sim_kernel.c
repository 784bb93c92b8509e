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

/** Of the test that runs; closed when that ends, however it does. */
static struct bench bench;

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

static int bench_close(void **state)
{
	(void) state;
	kernel_bluez_free(bench.label);
	loop_free(bench.loop);
	if (bench.answer)
		dbus_message_unref(bench.answer);
	if (bench.bluez) {
		dbus_connection_close(bench.bluez);
		dbus_connection_unref(bench.bluez);
	}
	bench = (struct bench){.told = 0};
	return 0;
}

/* --- what it must do -------------------------------------------------------------------------- */

static void label_that_wants_to_be_found_is_advertised_until_it_is_not(void **state)
{
	(void) state;
	bench_open(&bench);
	kernel_bluez_advertise(bench.label, true);
	assert_asks(&bench, "RegisterAdvertisement ");
	kernel_bluez_advertise(bench.label, true);
	assert_asks(&bench, "");
	kernel_bluez_advertise(bench.label, false);
	assert_asks(&bench, "UnregisterAdvertisement ");
}

static void adapter_that_was_off_gets_its_advertisement_anew(void **state)
{
	(void) state;
	bench_open(&bench);
	kernel_bluez_advertise(bench.label, true);
	assert_asks(&bench, "RegisterAdvertisement ");
	kernel_bluez_adapter(bench.label, false);
	assert_asks(&bench, "");
	bench.refuse = "RegisterApplication"; /* bluetoothd has kept that one */
	kernel_bluez_adapter(bench.label, true);
	assert_asks(&bench, "RegisterApplication UnregisterAdvertisement RegisterAdvertisement ");
}

static void wish_that_comes_before_the_answer_to_the_last_one_is_kept(void **state)
{
	(void) state;
	bench_open(&bench);
	kernel_bluez_power(bench.label, false);
	/* asked, but bluetoothd has not read it */
	for (int i = 0; i < ROUNDS && dbus_connection_get_dispatch_status(bench.bluez) !=
					      DBUS_DISPATCH_DATA_REMAINS;
	     i++) {
		loop_run_once(bench.loop, 5);
		dbus_connection_read_write(bench.bluez, 0);
	}
	kernel_bluez_power(bench.label, true);
	assert_asks(&bench, "Set Set ");
}

static void advertisement_that_bluetoothd_drops_is_registered_again(void **state)
{
	(void) state;
	bench_open(&bench);
	kernel_bluez_advertise(bench.label, true);
	assert_asks(&bench, "RegisterAdvertisement ");
	(void) call(&bench, to_label(&bench, ADVERT, "org.bluez.LEAdvertisement1", "Release"));
	assert_asks(&bench, "RegisterAdvertisement ");
}

static void access_point_that_is_forgotten_goes_before_anybody_finds_the_label(void **state)
{
	static const uint8_t addr[6] = {0, 1, 0xa0, 0xda, 0xd0, 0xc0};

	(void) state;
	bench_open(&bench);
	kernel_bluez_advertise(bench.label, true);
	kernel_bluez_forget(bench.label, addr);
	assert_asks(&bench, "RemoveDevice RegisterAdvertisement ");
	assert_string_equal(bench.removed, "/org/bluez/hci1/dev_C0_D0_DA_A0_01_00");
}

static void bluetoothd_that_restarts_is_told_everything_again(void **state)
{
	(void) state;
	bench_open(&bench);
	kernel_bluez_advertise(bench.label, true);
	assert_asks(&bench, "RegisterAdvertisement ");
	own_name(&bench, false);
	assert_asks(&bench, "");
	own_name(&bench, true);
	assert_asks(&bench, "RegisterAgent RequestDefaultAgent RegisterApplication "
			    "RegisterAdvertisement ");
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

	(void) state;
	bench_open(&bench);
	tree = call(&bench, to_label(&bench, SERVICES, "org.freedesktop.DBus.ObjectManager",
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
}

static void values_are_read_from_where_bluetoothd_asks(void **state)
{
	const uint8_t *data;
	int n;

	(void) state;
	bench_open(&bench);
	assert_true(dbus_message_get_args(read_at(&bench, 2), NULL, DBUS_TYPE_ARRAY, DBUS_TYPE_BYTE,
					  &data, &n, DBUS_TYPE_INVALID));
	assert_int_equal(n, 3);
	assert_memory_equal(data, "nel", 3);
	assert_true(dbus_message_get_args(read_at(&bench, 5), NULL, DBUS_TYPE_ARRAY, DBUS_TYPE_BYTE,
					  &data, &n, DBUS_TYPE_INVALID));
	assert_int_equal(n, 0);
	assert_true(dbus_message_is_error(read_at(&bench, 6), "org.bluez.Error.InvalidOffset"));
}

static void writes_reach_the_label_and_its_refusals_come_back(void **state)
{
	(void) state;
	bench_open(&bench);
	assert_int_equal(dbus_message_get_type(write_control(&bench, "abc")),
			 DBUS_MESSAGE_TYPE_METHOD_RETURN);
	assert_int_equal(bench.written_len, 3);
	assert_memory_equal(bench.written, "abc", 3);
	bench.error = ATT_ERR_INVALID_LENGTH;
	assert_true(dbus_message_is_error(write_control(&bench, ""),
					  "org.bluez.Error.InvalidValueLength"));
	assert_int_equal(bench.written_len, 0);
	bench.error = ATT_ERR_WRITE_REJECTED;
	assert_true(dbus_message_is_error(write_control(&bench, "x"), "org.bluez.Error.Failed"));
}

static void write_without_bytes_of_its_kind_is_refused(void **state)
{
	const char *text = "not bytes";
	DBusMessage *m;

	(void) state;
	bench_open(&bench);
	m = to_label(&bench, CONTROL, VALUE, "WriteValue");
	assert_true(dbus_message_append_args(m, DBUS_TYPE_STRING, &text, DBUS_TYPE_INVALID));
	assert_true(dbus_message_is_error(call(&bench, m), "org.bluez.Error.Failed"));
	assert_true(
		dbus_message_is_error(call(&bench, to_label(&bench, CONTROL, VALUE, "WriteValue")),
				      "org.bluez.Error.Failed"));
	assert_int_equal(dbus_message_get_type(call(&bench, to_label(&bench, SERVICES "/nothing",
								     VALUE, "ReadValue"))),
			 DBUS_MESSAGE_TYPE_ERROR);
}

static void options_of_another_kind_are_passed_over(void **state)
{
	DBusMessageIter i, dict, row;
	int32_t key = 1, value = 2;
	DBusMessage *m;

	(void) state;
	bench_open(&bench);
	m = to_label(&bench, DISPLAYS, VALUE, "ReadValue");
	dbus_message_iter_init_append(m, &i);
	assert_true(dbus_message_iter_open_container(&i, DBUS_TYPE_ARRAY, "{ii}", &dict));
	assert_true(dbus_message_iter_open_container(&dict, DBUS_TYPE_DICT_ENTRY, NULL, &row));
	assert_true(dbus_message_iter_append_basic(&row, DBUS_TYPE_INT32, &key));
	assert_true(dbus_message_iter_append_basic(&row, DBUS_TYPE_INT32, &value));
	assert_true(dbus_message_iter_close_container(&dict, &row));
	assert_true(dbus_message_iter_close_container(&i, &dict));
	assert_int_equal(dbus_message_get_type(call(&bench, m)), DBUS_MESSAGE_TYPE_METHOD_RETURN);
}

static void answer_goes_before_what_the_label_tells(void **state)
{
	(void) state;
	bench_open(&bench);
	bench.tell = true;
	(void) write_control(&bench, "ping");
	for (int i = 0; i < ROUNDS && bench.told == 0; i++)
		step(&bench);
	assert_int_equal(bench.told, 1);
	assert_false(bench.told_early);
}

static void pairing_is_the_label_s_at_its_own_adapter_alone(void **state)
{
	(void) state;
	bench_open(&bench);
	assert_int_equal(
		dbus_message_get_type(confirm_for(&bench, "/org/bluez/hci1/dev_C0_D0_DA_00_00_01")),
		DBUS_MESSAGE_TYPE_METHOD_RETURN);
	assert_true(
		dbus_message_is_error(confirm_for(&bench, "/org/bluez/hci0/dev_C0_D0_DA_00_00_01"),
				      "org.bluez.Error.Rejected"));
	assert_true(
		dbus_message_is_error(confirm_for(&bench, "/org/bluez/hci10/dev_C0_D0_DA_00_00_01"),
				      "org.bluez.Error.Rejected"));
}

int main(void)
{
#define BENCH(test) cmocka_unit_test_teardown(test, bench_close)
	const struct CMUnitTest tests[] = {
		BENCH(label_that_wants_to_be_found_is_advertised_until_it_is_not),
		BENCH(adapter_that_was_off_gets_its_advertisement_anew),
		BENCH(wish_that_comes_before_the_answer_to_the_last_one_is_kept),
		BENCH(advertisement_that_bluetoothd_drops_is_registered_again),
		BENCH(access_point_that_is_forgotten_goes_before_anybody_finds_the_label),
		BENCH(bluetoothd_that_restarts_is_told_everything_again),
		BENCH(services_are_told_with_what_the_label_has_and_no_more),
		BENCH(values_are_read_from_where_bluetoothd_asks),
		BENCH(writes_reach_the_label_and_its_refusals_come_back),
		BENCH(write_without_bytes_of_its_kind_is_refused),
		BENCH(options_of_another_kind_are_passed_over),
		BENCH(answer_goes_before_what_the_label_tells),
		BENCH(pairing_is_the_label_s_at_its_own_adapter_alone),
	};

	return cmocka_run_group_tests(tests, bus_daemon_start, bus_daemon_stop);
}
