/* SPDX-License-Identifier: Apache-2.0 */
#include "common/bus.h"

#include "common/err.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SYSTEM_BUS      "unix:path=/run/dbus/system_bus_socket"
#define BACKOFF_FIRST   (US_PER_SEC / 2)
#define BACKOFF_LONGEST (INT64_C(30) * US_PER_SEC)
#define GREETING_US     (INT64_C(10) * US_PER_SEC)
#define WATCHES_MAX     4
#define RULE_MAX        200
#define FLUSH_MS        10 /* at the end: one look, */
#define FLUSH_LOOKS     200

struct bus_call {
	struct bus *bus;
	struct bus_call *next, **self; /**< the caller's pointer to it */
	DBusPendingCall *pending;
	bus_reply_fn fn;
	void *user;
};

struct bus {
	struct loop *loop;
	char *address;
	const char *service;
	struct bus_callbacks cb;
	void *user;
	DBusConnection *conn;
	DBusWatch *watches[WATCHES_MAX];
	struct loop_io *io;
	struct loop_timer *retry, *dispatch;
	struct bus_call *calls;
	struct bus_call *greeting; /**< or the question who owns the name */
	bool greeted, there, told_gone;
	int64_t backoff_us;
};

static void open_bus(void *user);

/* --- libdbus on the loop ---------------------------------------------------------------------- */

static void on_io(void *user, unsigned int events)
{
	struct bus *b = user;
	unsigned int flags = (events & LOOP_READ ? DBUS_WATCH_READABLE : 0u) |
			     (events & LOOP_WRITE ? DBUS_WATCH_WRITABLE : 0u);

	for (size_t i = 0; i < WATCHES_MAX; i++) {
		DBusWatch *w = b->watches[i];

		if (w && dbus_watch_get_enabled(w) && (dbus_watch_get_flags(w) & flags))
			(void) dbus_watch_handle(w, dbus_watch_get_flags(w) & flags);
	}
	loop_timer_start(b->dispatch, 0);
}

/* Reading and writing have a watch each; the loop has one for the descriptor. */
static void set_events(struct bus *b)
{
	unsigned int events = 0;

	for (size_t i = 0; i < WATCHES_MAX; i++)
		if (b->watches[i] && dbus_watch_get_enabled(b->watches[i])) {
			unsigned int flags = dbus_watch_get_flags(b->watches[i]);

			events |= (flags & DBUS_WATCH_READABLE ? LOOP_READ : 0u) |
				  (flags & DBUS_WATCH_WRITABLE ? LOOP_WRITE : 0u);
		}
	if (b->io)
		loop_io_set(b->io, events);
}

static dbus_bool_t add_watch(DBusWatch *w, void *user)
{
	struct bus *b = user;

	for (size_t i = 0; i < WATCHES_MAX; i++) {
		if (b->watches[i])
			continue;
		if (!b->io &&
		    loop_io_new(b->loop, dbus_watch_get_unix_fd(w), 0, on_io, b, &b->io) < 0)
			return FALSE;
		b->watches[i] = w;
		set_events(b);
		return TRUE;
	}
	return FALSE;
}

static void remove_watch(DBusWatch *w, void *user)
{
	struct bus *b = user;
	bool any = false;

	for (size_t i = 0; i < WATCHES_MAX; i++) {
		if (b->watches[i] == w)
			b->watches[i] = NULL;
		any |= b->watches[i] != NULL;
	}
	if (!any) { /* the descriptor is about to be closed */
		loop_io_free(b->io);
		b->io = NULL;
	}
	set_events(b);
}

static void watch_toggled(DBusWatch *w, void *user)
{
	(void) w;
	set_events(user);
}

/** A timer of libdbus; it goes on until it is removed or disabled. */
struct bus_timeout {
	struct loop_timer *timer;
	DBusTimeout *t;
};

static void run_timeout(struct bus_timeout *bt)
{
	if (dbus_timeout_get_enabled(bt->t))
		loop_timer_start(bt->timer, dbus_timeout_get_interval(bt->t) * US_PER_MS);
	else
		loop_timer_stop(bt->timer);
}

static void on_timeout(void *user)
{
	struct bus_timeout *bt = user;

	run_timeout(bt);
	(void) dbus_timeout_handle(bt->t); /* may remove it */
}

static void free_timeout(void *memory)
{
	struct bus_timeout *bt = memory;

	loop_timer_free(bt->timer);
	free(bt);
}

static dbus_bool_t add_timeout(DBusTimeout *t, void *user)
{
	struct bus *b = user;
	struct bus_timeout *bt = calloc(1, sizeof(*bt));

	if (!bt)
		return FALSE;
	bt->t = t;
	if (loop_timer_new(b->loop, on_timeout, bt, &bt->timer) < 0) {
		free(bt);
		return FALSE;
	}
	dbus_timeout_set_data(t, bt, free_timeout);
	run_timeout(bt);
	return TRUE;
}

static void remove_timeout(DBusTimeout *t, void *user)
{
	(void) user;
	dbus_timeout_set_data(t, NULL, NULL);
}

static void timeout_toggled(DBusTimeout *t, void *user)
{
	struct bus_timeout *bt = dbus_timeout_get_data(t);

	(void) user;
	if (bt)
		run_timeout(bt);
}

static void on_dispatch(void *user)
{
	struct bus *b = user;
	DBusConnection *conn = b->conn;

	if (!conn)
		return;
	/* What is dispatched may close the connection. */
	dbus_connection_ref(conn);
	(void) dbus_connection_dispatch(conn);
	if (b->conn == conn &&
	    dbus_connection_get_dispatch_status(conn) == DBUS_DISPATCH_DATA_REMAINS)
		loop_timer_start(b->dispatch, 0);
	dbus_connection_unref(conn);
}

static void dispatch_status(DBusConnection *conn, DBusDispatchStatus status, void *user)
{
	struct bus *b = user;

	(void) conn;
	if (status == DBUS_DISPATCH_DATA_REMAINS)
		loop_timer_start(b->dispatch, 0);
}

/* --- calls ------------------------------------------------------------------------------------ */

static void call_free(struct bus_call *c)
{
	for (struct bus_call **p = &c->bus->calls; *p; p = &(*p)->next)
		if (*p == c) {
			*p = c->next;
			break;
		}
	if (c->self && *c->self == c)
		*c->self = NULL;
	if (c->pending) {
		dbus_pending_call_cancel(c->pending);
		dbus_pending_call_unref(c->pending);
	}
	free(c);
}

static void call_end(struct bus_call *c, int err, const char *name, DBusMessage *m)
{
	bus_reply_fn fn = c->fn;
	void *user = c->user;

	call_free(c);
	fn(user, err, name, m);
}

static void on_reply(DBusPendingCall *pending, void *user)
{
	struct bus_call *c = user;
	DBusMessage *m = dbus_pending_call_steal_reply(pending);
	const char *name = m ? dbus_message_get_error_name(m) : NULL;
	int err = 0;

	if (!m)
		err = -ERR_CLOSED;
	else if (dbus_message_get_type(m) == DBUS_MESSAGE_TYPE_ERROR)
		err = name && !strcmp(name, DBUS_ERROR_NO_REPLY)       ? -ETIMEDOUT
		      : name && !strcmp(name, DBUS_ERROR_DISCONNECTED) ? -ERR_CLOSED
								       : -ERR_PEER;
	call_end(c, err, name ? name : "", m);
	if (m)
		dbus_message_unref(m);
}

static int send_call(struct bus *b, DBusMessage *m, int64_t timeout_us, bus_reply_fn fn, void *user,
		     struct bus_call **call)
{
	struct bus_call *c = m && b->conn ? calloc(1, sizeof(*c)) : NULL;

	if (c)
		*c = (struct bus_call){
			.bus = b, .fn = fn, .user = user, .self = call, .next = b->calls};
	if (!c ||
	    !dbus_connection_send_with_reply(b->conn, m, &c->pending,
					     (int) (timeout_us / US_PER_MS)) ||
	    !c->pending || !dbus_pending_call_set_notify(c->pending, on_reply, c, NULL)) {
		int e = !m ? -ENOMEM : !b->conn || (c && !c->pending) ? -ERR_STATE : -ENOMEM;

		if (c && c->pending) {
			dbus_pending_call_cancel(c->pending);
			dbus_pending_call_unref(c->pending);
		}
		if (m)
			dbus_message_unref(m);
		free(c);
		return e;
	}
	b->calls = c;
	*call = c;
	dbus_message_unref(m);
	return 0;
}

int bus_send(struct bus *b, DBusMessage *m, int64_t timeout_us, bus_reply_fn fn, void *user,
	     struct bus_call **call)
{
	if (b->there)
		return send_call(b, m, timeout_us, fn, user, call);
	if (m)
		dbus_message_unref(m);
	return -ERR_STATE;
}

void bus_call_drop(struct bus_call **call)
{
	if (*call)
		call_free(*call);
}

void bus_tell(struct bus *b, DBusMessage *m)
{
	if (!m)
		return;
	dbus_message_set_no_reply(m, TRUE);
	if (b->conn)
		(void) dbus_connection_send(b->conn, m, NULL);
	dbus_message_unref(m);
}

DBusMessage *bus_message(struct bus *b, const char *path, const char *interface, const char *member)
{
	DBusMessage *m = dbus_message_new_method_call(b->service, path, interface, member);

	if (m) /* a service that somebody stopped stays so */
		dbus_message_set_auto_start(m, FALSE);
	return m;
}

/* --- the service ------------------------------------------------------------------------------ */

static void service_gone(struct bus *b, int err, const char *text)
{
	bool tell = b->there || !b->told_gone;

	b->there = false;
	b->told_gone = true;
	/* Each call's answer may begin or drop others: always from the front. */
	while (b->calls && b->greeted)
		call_end(b->calls, -ERR_CLOSED, "", NULL);
	if (tell)
		b->cb.gone(b->user, err, text);
}

static void service_there(struct bus *b)
{
	if (b->there)
		return;
	b->there = true;
	b->told_gone = false;
	b->cb.there(b->user);
}

static void no_service(struct bus *b)
{
	service_gone(b, -ERR_CLOSED, b->cb.missing);
}

static void owner_changed(struct bus *b, DBusMessage *m)
{
	const char *name, *was, *is;

	if (!dbus_message_get_args(m, NULL, DBUS_TYPE_STRING, &name, DBUS_TYPE_STRING, &was,
				   DBUS_TYPE_STRING, &is, DBUS_TYPE_INVALID) ||
	    strcmp(name, b->service) != 0)
		return;
	if (*was)
		no_service(b);
	if (*is)
		service_there(b);
}

/* --- the connection --------------------------------------------------------------------------- */

static void close_bus(struct bus *b)
{
	DBusConnection *conn = b->conn;

	b->conn = NULL;
	b->greeted = false;
	bus_call_drop(&b->greeting);
	loop_timer_stop(b->dispatch);
	if (!conn)
		return;
	while (b->calls)
		call_free(b->calls);
	dbus_connection_set_dispatch_status_function(conn, NULL, NULL, NULL);
	dbus_connection_close(conn);
	(void) dbus_connection_set_watch_functions(conn, NULL, NULL, NULL, NULL, NULL);
	(void) dbus_connection_set_timeout_functions(conn, NULL, NULL, NULL, NULL, NULL);
	dbus_connection_unref(conn);
}

static void bus_failed(struct bus *b, int err)
{
	service_gone(b, err, "The system's message bus cannot be reached; is dbus-daemon running?");
	close_bus(b);
	loop_timer_start(b->retry, b->backoff_us);
	b->backoff_us = MIN(b->backoff_us * 2, BACKOFF_LONGEST);
}

static DBusHandlerResult on_message(DBusConnection *conn, DBusMessage *m, void *user)
{
	struct bus *b = user;
	DBusMessage *answer;

	if (conn != b->conn)
		return DBUS_HANDLER_RESULT_NOT_YET_HANDLED;
	if (dbus_message_is_signal(m, DBUS_INTERFACE_LOCAL, "Disconnected")) {
		bus_failed(b, -ERR_CLOSED);
		return DBUS_HANDLER_RESULT_HANDLED;
	}
	if (dbus_message_is_signal(m, DBUS_INTERFACE_DBUS, "NameOwnerChanged")) {
		owner_changed(b, m);
		return DBUS_HANDLER_RESULT_HANDLED;
	}
	if (dbus_message_get_type(m) == DBUS_MESSAGE_TYPE_SIGNAL && b->there) {
		b->cb.signal(b->user, m);
		return DBUS_HANDLER_RESULT_HANDLED;
	}
	if (dbus_message_get_type(m) != DBUS_MESSAGE_TYPE_METHOD_CALL)
		return DBUS_HANDLER_RESULT_NOT_YET_HANDLED;
	answer = b->cb.called(b->user, m);
	if (!answer)
		return DBUS_HANDLER_RESULT_NOT_YET_HANDLED;
	(void) dbus_connection_send(conn, answer, NULL);
	dbus_message_unref(answer);
	return DBUS_HANDLER_RESULT_HANDLED;
}

static DBusMessage *to_bus(const char *member, const char *text)
{
	DBusMessage *m = dbus_message_new_method_call(DBUS_SERVICE_DBUS, DBUS_PATH_DBUS,
						      DBUS_INTERFACE_DBUS, member);

	if (m && text && !dbus_message_append_args(m, DBUS_TYPE_STRING, &text, DBUS_TYPE_INVALID)) {
		dbus_message_unref(m);
		m = NULL;
	}
	return m;
}

static void on_owner(void *user, int err, const char *name, DBusMessage *m)
{
	struct bus *b = user;

	(void) name;
	(void) m;
	if (err == 0)
		service_there(b);
	else if (err == -ERR_PEER)
		no_service(b);
	else if (err == -ETIMEDOUT) /* nobody will say it later: ask another time */
		bus_failed(b, err);
}

static void on_greeted(void *user, int err, const char *name, DBusMessage *m)
{
	struct bus *b = user;
	char rule[RULE_MAX];

	(void) name;
	(void) m;
	if (err < 0) {
		bus_failed(b, err);
		return;
	}
	b->greeted = true;
	b->backoff_us = BACKOFF_FIRST;
	(void) snprintf(rule, sizeof(rule),
			"type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged',"
			"arg0='%s'",
			b->service);
	bus_tell(b, to_bus("AddMatch", rule));
	(void) snprintf(rule, sizeof(rule), "type='signal',sender='%s'", b->service);
	bus_tell(b, to_bus("AddMatch", rule));
	err = send_call(b, to_bus("GetNameOwner", b->service), GREETING_US, on_owner, b,
			&b->greeting);
	if (err < 0)
		bus_failed(b, err);
}

static void open_bus(void *user)
{
	struct bus *b = user;
	int e = -ENOMEM;

	b->conn = dbus_connection_open_private(b->address, NULL);
	if (!b->conn) {
		bus_failed(b, -ERR_CLOSED);
		return;
	}
	dbus_connection_set_exit_on_disconnect(b->conn, FALSE);
	if (dbus_connection_set_watch_functions(b->conn, add_watch, remove_watch, watch_toggled, b,
						NULL) &&
	    dbus_connection_set_timeout_functions(b->conn, add_timeout, remove_timeout,
						  timeout_toggled, b, NULL) &&
	    dbus_connection_add_filter(b->conn, on_message, b, NULL)) {
		dbus_connection_set_dispatch_status_function(b->conn, dispatch_status, b, NULL);
		e = send_call(b, to_bus("Hello", NULL), GREETING_US, on_greeted, b, &b->greeting);
	}
	if (e < 0)
		bus_failed(b, e);
}

/* --- life ------------------------------------------------------------------------------------- */

int bus_new(struct loop *loop, const char *address, const char *service,
	    const struct bus_callbacks *cb, void *user, struct bus **ret)
{
	const char *given = getenv("DBUS_SYSTEM_BUS_ADDRESS");
	struct bus *b = calloc(1, sizeof(*b));
	int e;

	if (!b)
		return -ENOMEM;
	b->loop = loop;
	b->service = service;
	b->cb = *cb;
	b->user = user;
	b->backoff_us = BACKOFF_FIRST;
	b->address = strdup(address ? address : given ? given : SYSTEM_BUS);
	e = b->address ? loop_timer_new(loop, open_bus, b, &b->retry) : -ENOMEM;
	if (e == 0)
		e = loop_timer_new(loop, on_dispatch, b, &b->dispatch);
	if (e < 0) {
		bus_free(b);
		return e;
	}
	*ret = b;
	return 0;
}

void bus_start(struct bus *b)
{
	if (!b->conn && !loop_timer_active(b->retry))
		loop_timer_start(b->retry, 0);
}

/** What was told last goes out: there is no loop any more that could see to it. */
static void flush(struct bus *b)
{
	for (int i = 0; i < FLUSH_LOOKS && dbus_connection_get_is_connected(b->conn) &&
			dbus_connection_has_messages_to_send(b->conn);
	     i++)
		(void) dbus_connection_read_write(b->conn, FLUSH_MS);
}

void bus_free(struct bus *b)
{
	if (!b)
		return;
	if (b->conn && b->greeted)
		flush(b);
	if (b->dispatch)
		close_bus(b);
	loop_timer_free(b->retry);
	loop_timer_free(b->dispatch);
	free(b->address);
	free(b);
}

bool bus_is_there(const struct bus *b)
{
	return b->there;
}
