/* SPDX-License-Identifier: Apache-2.0 */
/* The message bus on the loop, against a bus of a few words that answers as the test wants. */
#include "tests/unit/test_common.h"

#include "common/bus.h"
#include "common/err.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define SERVICE "org.example.Service"
#define PATIENT 2000 /* turns of at most 5 ms each */

struct fixture {
	char dir[64], path[96];
	struct loop *loop;
	struct bus *bus;
	/* the bus */
	int listener, peer;
	struct loop_io *accepts, *reads;
	char in[4096];
	size_t len;
	bool begun; /**< past the greeting of lines */
	bool silent;
	uint32_t serial;
	unsigned int asked;
	/* what we are told */
	unsigned int there, gone;
	int gone_err;
};

static void on_there(void *user)
{
	((struct fixture *) user)->there++;
}

static void on_gone(void *user, int err, const char *text)
{
	struct fixture *f = user;

	assert_non_null(text);
	f->gone++;
	f->gone_err = err;
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

static void say(struct fixture *f, const void *data, size_t len)
{
	assert_int_equal(send(f->peer, data, len, MSG_NOSIGNAL), (ssize_t) len);
}

static void answer(struct fixture *f, DBusMessage *call, const char *text)
{
	DBusMessage *m = dbus_message_new_method_return(call);
	char *wire;
	int len;

	assert_true(dbus_message_set_sender(m, DBUS_SERVICE_DBUS));
	assert_true(dbus_message_append_args(m, DBUS_TYPE_STRING, &text, DBUS_TYPE_INVALID));
	dbus_message_set_serial(m, ++f->serial);
	assert_true(dbus_message_marshal(m, &wire, &len));
	say(f, wire, (size_t) len);
	dbus_free(wire);
	dbus_message_unref(m);
}

static void take(struct fixture *f, size_t n)
{
	memmove(f->in, f->in + n, f->len - n);
	f->len -= n;
}

static bool one_line(struct fixture *f)
{
	char *end = memmem(f->in, f->len, "\r\n", 2);

	if (!end)
		return false;
	if (memmem(f->in, f->len, "AUTH", 4) && memmem(f->in, f->len, "EXTERNAL", 8))
		say(f, "OK 0123456789abcdef0123456789abcdef\r\n", 37);
	else if (memcmp(f->in, "BEGIN", 5) == 0)
		f->begun = true;
	else
		say(f, "ERROR\r\n", 7);
	take(f, (size_t) (end - f->in) + 2);
	return true;
}

static bool one_message(struct fixture *f)
{
	int n = f->len ? dbus_message_demarshal_bytes_needed(f->in, (int) f->len) : 0;
	DBusMessage *m;

	if (n <= 0 || (size_t) n > f->len)
		return false;
	m = dbus_message_demarshal(f->in, n, NULL);
	assert_non_null(m);
	take(f, (size_t) n);
	if (dbus_message_is_method_call(m, DBUS_INTERFACE_DBUS, "Hello"))
		answer(f, m, ":1.1");
	if (dbus_message_is_method_call(m, DBUS_INTERFACE_DBUS, "GetNameOwner")) {
		f->asked++;
		if (!f->silent)
			answer(f, m, ":1.2");
	}
	dbus_message_unref(m);
	return true;
}

static void hang_up(struct fixture *f)
{
	loop_io_free(f->reads);
	f->reads = NULL;
	if (f->peer >= 0)
		close(f->peer);
	f->peer = -1;
}

static void on_read(void *user, unsigned int events)
{
	struct fixture *f = user;
	ssize_t n = recv(f->peer, f->in + f->len, sizeof(f->in) - f->len, MSG_DONTWAIT);

	(void) events;
	if (n <= 0) {
		if (n == 0 || errno != EAGAIN)
			hang_up(f);
		return;
	}
	f->len += (size_t) n;
	while (f->begun ? one_message(f) : one_line(f))
		;
}

static void on_accept(void *user, unsigned int events)
{
	struct fixture *f = user;

	(void) events;
	hang_up(f);
	f->peer = accept(f->listener, NULL, NULL);
	assert_true(f->peer >= 0);
	f->len = 0;
	f->begun = false;
	assert_int_equal(loop_io_new(f->loop, f->peer, LOOP_READ, on_read, f, &f->reads), 0);
}

static int setup(void **state)
{
	static const struct bus_callbacks cb = {.missing = "It is not there.",
						.there = on_there,
						.gone = on_gone,
						.signal = on_signal,
						.called = on_called};
	struct fixture *f = calloc(1, sizeof(*f));
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	char address[128];

	strcpy(f->dir, "/tmp/bus-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->path, sizeof(f->path), "%s/bus", f->dir);
	memcpy(at.sun_path, f->path, strlen(f->path) + 1);
	f->peer = -1;
	f->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(f->listener, (struct sockaddr *) &at, sizeof(at)), 0);
	assert_int_equal(listen(f->listener, 4), 0);
	assert_int_equal(loop_new_virtual(1000000, 1700000000000000, &f->loop), 0);
	assert_int_equal(loop_io_new(f->loop, f->listener, LOOP_READ, on_accept, f, &f->accepts),
			 0);
	snprintf(address, sizeof(address), "unix:path=%s", f->path);
	assert_int_equal(bus_new(f->loop, address, SERVICE, &cb, f, &f->bus), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	bus_free(f->bus);
	hang_up(f);
	loop_io_free(f->accepts);
	close(f->listener);
	loop_free(f->loop);
	unlink(f->path);
	rmdir(f->dir);
	free(f);
	return 0;
}

/** Turns until a counter is there; time does not pass. */
static void await_count(struct fixture *f, const unsigned int *count, unsigned int n)
{
	for (int i = 0; i < PATIENT && *count < n; i++)
		loop_run_once(f->loop, 5);
	assert_int_equal(*count, n);
}

static void pass(struct fixture *f, int64_t us)
{
	loop_run_until(f->loop, clock_mono_us(loop_clock(f->loop)) + us);
}

static void a_service_that_is_there_is_told(void **state)
{
	struct fixture *f = *state;

	bus_start(f->bus);
	pass(f, 0);
	await_count(f, &f->there, 1);
	assert_true(bus_is_there(f->bus));
	hang_up(f);
	await_count(f, &f->gone, 1);
	assert_false(bus_is_there(f->bus));
	pass(f, US_PER_SEC);
	await_count(f, &f->there, 2);
}

static void a_bus_that_does_not_say_who_is_there_is_asked_again(void **state)
{
	struct fixture *f = *state;

	f->silent = true;
	bus_start(f->bus);
	pass(f, 0);
	await_count(f, &f->asked, 1);
	assert_int_equal(f->gone, 0);
	pass(f, 11 * US_PER_SEC);
	await_count(f, &f->gone, 1);
	assert_int_equal(f->gone_err, -ETIMEDOUT);
	f->silent = false;
	pass(f, US_PER_SEC);
	await_count(f, &f->there, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_service_that_is_there_is_told, setup, teardown),
		cmocka_unit_test_setup_teardown(a_bus_that_does_not_say_who_is_there_is_asked_again,
						setup, teardown),
	};

	return cmocka_run_group_tests_name("bus", tests, NULL, NULL);
}
