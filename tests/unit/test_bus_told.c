/* SPDX-License-Identifier: Apache-2.0 */
/* What is told to a service over a real bus, on which the test plays the service. */
#include "common/bus.h"
#include "tests/unit/bus_daemon.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define ROUNDS  2000
#define SERVICE "org.gondola.Test"
#define BURST   64
#define LONG    16384 /* bytes; a burst of these is more than a socket holds */

struct bench {
	struct loop *loop;
	struct bus *bus;
	DBusConnection *service;
	unsigned int theres, heard;
};

static void on_there(void *user)
{
	((struct bench *) user)->theres++;
}

static void on_gone(void *user, int err, const char *text)
{
	(void) user;
	(void) err;
	(void) text;
}

static void on_signal(void *user, DBusMessage *m)
{
	(void) user;
	(void) m;
}

static DBusMessage *on_called(void *user, DBusMessage *m)
{
	(void) user;
	(void) m;
	return NULL;
}

static DBusHandlerResult play_service(DBusConnection *c, DBusMessage *m, void *user)
{
	(void) c;
	if (!dbus_message_is_method_call(m, SERVICE, "Hear"))
		return DBUS_HANDLER_RESULT_NOT_YET_HANDLED;
	((struct bench *) user)->heard++;
	return DBUS_HANDLER_RESULT_HANDLED;
}

static void bench_open(struct bench *b)
{
	static const struct bus_callbacks cb = {"It is not there.", on_there, on_gone, on_signal,
						on_called};
	const char *address = getenv("DBUS_SYSTEM_BUS_ADDRESS");

	if (!address)
		skip();
	*b = (struct bench){.theres = 0};
	b->service = dbus_connection_open_private(address, NULL);
	assert_non_null(b->service);
	assert_true(dbus_bus_register(b->service, NULL));
	assert_true(dbus_connection_add_filter(b->service, play_service, b, NULL));
	assert_int_equal(dbus_bus_request_name(b->service, SERVICE, 0, NULL),
			 DBUS_REQUEST_NAME_REPLY_PRIMARY_OWNER);
	assert_int_equal(loop_new(&b->loop), 0);
	assert_int_equal(bus_new(b->loop, address, SERVICE, &cb, b, &b->bus), 0);
	bus_start(b->bus);
	for (int i = 0; i < ROUNDS && !b->theres; i++)
		loop_run_once(b->loop, 5);
	assert_int_equal(b->theres, 1);
}

static void bench_close(struct bench *b)
{
	bus_free(b->bus);
	dbus_connection_close(b->service);
	dbus_connection_unref(b->service);
	loop_free(b->loop);
}

static void tell(struct bench *b, size_t len)
{
	static char text[LONG + 1];
	const char *at = text;
	DBusMessage *m = bus_message(b->bus, "/", SERVICE, "Hear");

	memset(text, 'x', len);
	text[len] = '\0';
	assert_non_null(m);
	assert_true(dbus_message_append_args(m, DBUS_TYPE_STRING, &at, DBUS_TYPE_INVALID));
	bus_tell(b->bus, m);
}

/** Lets the daemon go on as soon as a byte comes. */
static pid_t wake_daemon(int from)
{
	pid_t child = fork();
	char c;

	if (child == 0) {
		if (read(from, &c, 1) == 1)
			kill(bus_daemon_pid(), SIGCONT);
		_exit(0);
	}
	return child;
}

static void what_was_told_last_goes_out_before_the_end(void **state)
{
	struct bench b;
	int ends[2];
	pid_t child;

	(void) state;
	bench_open(&b);
	assert_int_equal(pipe(ends), 0);
	kill(bus_daemon_pid(), SIGSTOP);
	child = wake_daemon(ends[0]);
	for (int i = 0; i < BURST; i++)
		tell(&b, LONG);
	assert_int_equal(write(ends[1], "g", 1), 1);
	bus_free(b.bus);
	b.bus = NULL;
	waitpid(child, NULL, 0);
	for (int i = 0; i < ROUNDS && b.heard < BURST; i++) {
		dbus_connection_read_write(b.service, 5);
		while (dbus_connection_dispatch(b.service) == DBUS_DISPATCH_DATA_REMAINS)
			;
	}
	assert_int_equal(b.heard, BURST);
	close(ends[0]);
	close(ends[1]);
	bench_close(&b);
}

static void a_service_that_was_stopped_is_not_started_by_a_call(void **state)
{
	struct bench b;
	DBusMessage *m;

	(void) state;
	bench_open(&b);
	m = bus_message(b.bus, "/", SERVICE, "Hear");
	assert_non_null(m);
	assert_false(dbus_message_get_auto_start(m));
	dbus_message_unref(m);
	bench_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_told_last_goes_out_before_the_end),
		cmocka_unit_test(a_service_that_was_stopped_is_not_started_by_a_call),
	};

	return cmocka_run_group_tests(tests, bus_daemon_start, bus_daemon_stop);
}
