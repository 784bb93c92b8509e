/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/kernel_bluez_impl.h"

#include "common/err.h"
#include "common/log.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define SERVICE          "org.bluez"
#define ADAPTER          "org.bluez.Adapter1"
#define AGENTS           "org.bluez.AgentManager1"
#define AGENT            "org.bluez.Agent1"
#define GATT             "org.bluez.GattManager1"
#define ADVERTISING      "org.bluez.LEAdvertisingManager1"
#define ASK_US           (INT64_C(20) * US_PER_SEC)
#define SETTLE_US        US_PER_SEC
#define CAPABILITIES     "NoInputNoOutput"
#define ADAPTER_PATH_MAX 64

/* --- words of the bus ------------------------------------------------------------------------- */

static bool open_row(DBusMessageIter *dict, const char *key, const char *signature,
		     DBusMessageIter *row, DBusMessageIter *v)
{
	return dbus_message_iter_open_container(dict, DBUS_TYPE_DICT_ENTRY, NULL, row) &&
	       dbus_message_iter_append_basic(row, DBUS_TYPE_STRING, &key) &&
	       dbus_message_iter_open_container(row, DBUS_TYPE_VARIANT, signature, v);
}

static bool close_row(DBusMessageIter *dict, DBusMessageIter *row, DBusMessageIter *v)
{
	return dbus_message_iter_close_container(row, v) &&
	       dbus_message_iter_close_container(dict, row);
}

bool kernel_put_row(DBusMessageIter *dict, const char *key, int type, const void *value)
{
	const char signature[] = {(char) type, '\0'};
	DBusMessageIter row, v;

	return open_row(dict, key, signature, &row, &v) &&
	       dbus_message_iter_append_basic(&v, type, value) && close_row(dict, &row, &v);
}

bool kernel_put_strings(DBusMessageIter *dict, const char *key, const char *const *list, size_t n)
{
	DBusMessageIter row, v, items;
	bool ok = open_row(dict, key, "as", &row, &v) &&
		  dbus_message_iter_open_container(&v, DBUS_TYPE_ARRAY, "s", &items);

	for (size_t i = 0; ok && i < n; i++)
		ok = dbus_message_iter_append_basic(&items, DBUS_TYPE_STRING, &list[i]);
	return ok && dbus_message_iter_close_container(&v, &items) && close_row(dict, &row, &v);
}

bool kernel_put_bytes(DBusMessageIter *dict, const char *key, const uint8_t *data, size_t len)
{
	DBusMessageIter row, v, items;

	return open_row(dict, key, "ay", &row, &v) &&
	       dbus_message_iter_open_container(&v, DBUS_TYPE_ARRAY, "y", &items) &&
	       dbus_message_iter_append_fixed_array(&items, DBUS_TYPE_BYTE, &data, (int) len) &&
	       dbus_message_iter_close_container(&v, &items) && close_row(dict, &row, &v);
}

/* --- asking bluetoothd ------------------------------------------------------------------------ */

static void settle(struct kernel_bluez *b)
{
	loop_timer_start(b->settle, 0);
}

static DBusMessage *with_path(struct kernel_bluez *b, const char *object, const char *interface,
			      const char *member, const char *path)
{
	DBusMessage *m = bus_message(b->bus, object, interface, member);

	if (m && !dbus_message_append_args(m, DBUS_TYPE_OBJECT_PATH, &path, DBUS_TYPE_INVALID)) {
		dbus_message_unref(m);
		m = NULL;
	}
	return m;
}

/** The same with a{sv} behind it, empty. */
static DBusMessage *with_options(struct kernel_bluez *b, const char *interface, const char *member,
				 const char *path)
{
	DBusMessage *m = with_path(b, b->adapter, interface, member, path);
	DBusMessageIter i, dict;

	if (!m)
		return NULL;
	dbus_message_iter_init_append(m, &i);
	if (dbus_message_iter_open_container(&i, DBUS_TYPE_ARRAY, "{sv}", &dict) &&
	    dbus_message_iter_close_container(&i, &dict))
		return m;
	dbus_message_unref(m);
	return NULL;
}

static DBusMessage *agent_message(struct kernel_bluez *b)
{
	const char *capabilities = CAPABILITIES;
	DBusMessage *m = with_path(b, "/org/bluez", AGENTS, "RegisterAgent", KERNEL_AGENT);

	if (m && !dbus_message_append_args(m, DBUS_TYPE_STRING, &capabilities, DBUS_TYPE_INVALID)) {
		dbus_message_unref(m);
		m = NULL;
	}
	return m;
}

static DBusMessage *power_message(struct kernel_bluez *b, bool on)
{
	const char *interface = ADAPTER, *property = "Powered";
	dbus_bool_t value = on;
	DBusMessage *m = bus_message(b->bus, b->adapter, DBUS_INTERFACE_PROPERTIES, "Set");
	DBusMessageIter i, v;

	if (!m)
		return NULL;
	dbus_message_iter_init_append(m, &i);
	if (dbus_message_iter_append_basic(&i, DBUS_TYPE_STRING, &interface) &&
	    dbus_message_iter_append_basic(&i, DBUS_TYPE_STRING, &property) &&
	    dbus_message_iter_open_container(&i, DBUS_TYPE_VARIANT, "b", &v) &&
	    dbus_message_iter_append_basic(&v, DBUS_TYPE_BOOLEAN, &value) &&
	    dbus_message_iter_close_container(&i, &v))
		return m;
	dbus_message_unref(m);
	return NULL;
}

/** What was asked for is so: it was done, or had been so before. */
static bool succeeded(const char *what, int err, const char *name)
{
	if (err == 0 || strcmp(name, "org.bluez.Error.AlreadyExists") == 0 ||
	    strcmp(name, "org.bluez.Error.DoesNotExist") == 0)
		return true;
	log_write(LOG_INFO, "label", err, "what=%s name=\"%s\" msg=\"bluetoothd refuses\"", what,
		  name);
	return false;
}

/** `flag` becomes `to` if it worked; the next thing follows at once, or later. */
static void answered(struct kernel_bluez *b, bool ok, bool *flag, bool to)
{
	if (ok)
		*flag = to;
	loop_timer_start(b->settle, ok ? 0 : SETTLE_US);
}

static void on_power(void *user, int err, const char *name, DBusMessage *m)
{
	struct kernel_bluez *b = user;

	(void) m;
	/* The adapter goes before bluetoothd says so: the next wish may be there already. */
	answered(b, succeeded("Powered", err, name), &b->want_power, b->asked_power != b->power);
}

static void on_agent(void *user, int err, const char *name, DBusMessage *m)
{
	struct kernel_bluez *b = user;

	(void) m;
	answered(b, succeeded("RegisterAgent", err, name), &b->agent, true);
}

static void on_default_agent(void *user, int err, const char *name, DBusMessage *m)
{
	struct kernel_bluez *b = user;

	(void) m;
	answered(b, succeeded("RequestDefaultAgent", err, name), &b->default_agent, true);
}

static void on_services(void *user, int err, const char *name, DBusMessage *m)
{
	struct kernel_bluez *b = user;

	(void) m;
	answered(b, succeeded("RegisterApplication", err, name), &b->services, true);
}

static void on_forgotten(void *user, int err, const char *name, DBusMessage *m)
{
	struct kernel_bluez *b = user;

	(void) m;
	if (succeeded("RemoveDevice", err, name) || err == -ERR_PEER)
		b->stranger[0] = '\0';
	settle(b);
}

static void on_advertised(void *user, int err, const char *name, DBusMessage *m)
{
	struct kernel_bluez *b = user;

	(void) m;
	answered(b, succeeded("RegisterAdvertisement", err, name), &b->advertised, true);
}

static void on_withdrawn(void *user, int err, const char *name, DBusMessage *m)
{
	struct kernel_bluez *b = user;

	(void) m;
	b->stale = false;
	answered(b, succeeded("UnregisterAdvertisement", err, name), &b->advertised, false);
}

/** The one next thing. */
static void on_settle(void *user)
{
	struct kernel_bluez *b = user;
	DBusMessage *m = NULL;
	bus_reply_fn fn = NULL;

	if (!bus_is_there(b->bus) || b->call)
		return;
	if (b->want_power) {
		b->asked_power = b->power;
		m = power_message(b, b->power);
		fn = on_power;
	} else if (!b->agent) {
		m = agent_message(b);
		fn = on_agent;
	} else if (!b->default_agent) {
		m = with_path(b, "/org/bluez", AGENTS, "RequestDefaultAgent", KERNEL_AGENT);
		fn = on_default_agent;
	} else if (!b->up) {
		return;
	} else if (!b->services) {
		m = with_options(b, GATT, "RegisterApplication", KERNEL_ROOT);
		fn = on_services;
	} else if (b->stranger[0]) {
		m = with_path(b, b->adapter, ADAPTER, "RemoveDevice", b->stranger);
		fn = on_forgotten;
	} else if (b->want_advert && !b->advertised) {
		m = with_options(b, ADVERTISING, "RegisterAdvertisement", KERNEL_ADVERT);
		fn = on_advertised;
	} else if ((!b->want_advert || b->stale) && b->advertised) {
		m = with_path(b, b->adapter, ADVERTISING, "UnregisterAdvertisement", KERNEL_ADVERT);
		fn = on_withdrawn;
	}
	if (fn && bus_send(b->bus, m, ASK_US, fn, b, &b->call) < 0)
		loop_timer_start(b->settle, SETTLE_US);
}

/* --- being asked ------------------------------------------------------------------------------ */

/** Whoever knocks at this adapter may pair; nobody else's pairings are ours. */
static DBusMessage *agent_called(struct kernel_bluez *b, DBusMessage *m)
{
	const char *member = dbus_message_get_member(m), *path = NULL;
	DBusMessageIter i;

	if (strcmp(member, "Release") == 0)
		b->agent = b->default_agent = false;
	if (strcmp(member, "Release") == 0 || strcmp(member, "Cancel") == 0)
		return dbus_message_new_method_return(m);
	if (dbus_message_iter_init(m, &i) &&
	    dbus_message_iter_get_arg_type(&i) == DBUS_TYPE_OBJECT_PATH)
		dbus_message_iter_get_basic(&i, &path);
	if (path && strncmp(path, b->adapter, strlen(b->adapter)) == 0 &&
	    path[strlen(b->adapter)] == '/' &&
	    (strcmp(member, "RequestConfirmation") == 0 ||
	     strcmp(member, "RequestAuthorization") == 0 ||
	     strcmp(member, "AuthorizeService") == 0))
		return dbus_message_new_method_return(m);
	return dbus_message_new_error(m, "org.bluez.Error.Rejected",
				      "A label pairs without codes, and at its own adapter.");
}

static DBusMessage *bus_called(void *user, DBusMessage *m)
{
	struct kernel_bluez *b = user;

	if (!dbus_message_get_member(m))
		return NULL;
	if (dbus_message_has_path(m, KERNEL_AGENT) && dbus_message_has_interface(m, AGENT))
		return agent_called(b, m);
	if (dbus_message_has_path(m, KERNEL_ADVERT) && dbus_message_has_member(m, "Release")) {
		b->advertised = b->stale = false;
		loop_timer_start(b->settle, SETTLE_US);
		return dbus_message_new_method_return(m);
	}
	return kernel_gatt_called(b, m);
}

static void bus_there(void *user)
{
	settle(user);
}

static void bus_gone(void *user, int err, const char *text)
{
	struct kernel_bluez *b = user;

	(void) err;
	b->agent = b->default_agent = b->services = b->advertised = false;
	log_info("label", "msg=\"%s\"", text);
}

static void bus_signal(void *user, DBusMessage *m)
{
	(void) user;
	(void) m;
}

/* --- what the label wants --------------------------------------------------------------------- */

void kernel_bluez_power(struct kernel_bluez *b, bool on)
{
	b->want_power = true;
	b->power = on;
	settle(b);
}

void kernel_bluez_adapter(struct kernel_bluez *b, bool up)
{
	b->up = up;
	if (up) {
		settle(b);
	} else {
		b->services = false;
		b->stale = b->advertised;
	}
}

void kernel_bluez_advertise(struct kernel_bluez *b, bool on)
{
	b->want_advert = on;
	settle(b);
}

void kernel_bluez_forget(struct kernel_bluez *b, const uint8_t addr[6])
{
	(void) snprintf(b->stranger, sizeof(b->stranger), "%.*s/dev_%02X_%02X_%02X_%02X_%02X_%02X",
			ADAPTER_PATH_MAX, b->adapter, addr[5], addr[4], addr[3], addr[2], addr[1],
			addr[0]);
	settle(b);
}

static void on_tell(void *user)
{
	struct kernel_bluez *b = user;

	for (size_t i = 0; i < b->n_told; i++)
		bus_tell(b->bus,
			 kernel_gatt_signal(b->told[i].value, b->told[i].data, b->told[i].len));
	b->n_told = 0;
}

void kernel_bluez_tell(struct kernel_bluez *b, enum label_value value, const uint8_t *data,
		       size_t len)
{
	struct kernel_told *t = &b->told[b->n_told];

	if (b->n_told == TOLD_MAX || len > sizeof(t->data)) {
		log_info("label", "value=%d len=%zu msg=\"a value could not be told\"", value, len);
		return;
	}
	t->value = value;
	t->len = len;
	memcpy(t->data, data, len);
	b->n_told++;
	loop_timer_start(b->tell, 0);
}

/* --- life ------------------------------------------------------------------------------------- */

int kernel_bluez_new(struct loop *loop, const char *adapter,
		     const struct kernel_bluez_callbacks *cb, void *user, struct kernel_bluez **ret)
{
	static const struct bus_callbacks bus_cb = {.missing = "bluetoothd is not running",
						    .there = bus_there,
						    .gone = bus_gone,
						    .signal = bus_signal,
						    .called = bus_called};
	struct kernel_bluez *b = calloc(1, sizeof(*b));
	int e;

	if (!b)
		return -ENOMEM;
	b->loop = loop;
	b->cb = *cb;
	b->user = user;
	(void) snprintf(b->adapter, sizeof(b->adapter), "/org/bluez/%s", adapter);
	e = loop_timer_new(loop, on_settle, b, &b->settle);
	if (e == 0)
		e = loop_timer_new(loop, on_tell, b, &b->tell);
	if (e == 0)
		e = bus_new(loop, NULL, SERVICE, &bus_cb, b, &b->bus);
	if (e < 0) {
		kernel_bluez_free(b);
		return e;
	}
	bus_start(b->bus);
	*ret = b;
	return 0;
}

void kernel_bluez_free(struct kernel_bluez *b)
{
	if (!b)
		return;
	bus_call_drop(&b->call);
	bus_free(b->bus);
	loop_timer_free(b->settle);
	loop_timer_free(b->tell);
	free(b);
}
