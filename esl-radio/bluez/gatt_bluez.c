/* SPDX-License-Identifier: Apache-2.0 */
/* One read or write of a characteristic by bluetoothd. */
#include "esl-radio/bluez/link_impl.h"

#include "common/err.h"
#include <errno.h>
#include <string.h>

#define WORK_US          (INT64_C(10) * US_PER_SEC)
#define EMPTY_DICTIONARY "{sv}"

static void answer(struct visit *v, int err, const uint8_t *data, size_t len)
{
	void (*got)(struct visit * v, int err, const uint8_t *data, size_t len) = v->got;

	v->got = NULL;
	if (got)
		got(v, err, data, len);
}

static int map_error(int err, const char *name)
{
	if (err != -ERR_PEER)
		return err;
	if (!strcmp(name, "org.bluez.Error.NotConnected") ||
	    !strcmp(name, DBUS_ERROR_UNKNOWN_OBJECT))
		return -ERR_CLOSED;
	return !strcmp(name, "org.bluez.Error.NotPermitted") ? -ENOENT : -ERR_PEER;
}

static void on_answer(void *user, int err, const char *name, DBusMessage *m)
{
	struct visit *v = user;
	const uint8_t *data = NULL;
	int len = 0;
	DBusMessageIter i, bytes;

	if (err == 0 && dbus_message_iter_init(m, &i) &&
	    dbus_message_iter_get_arg_type(&i) == DBUS_TYPE_ARRAY &&
	    dbus_message_iter_get_element_type(&i) == DBUS_TYPE_BYTE) {
		dbus_message_iter_recurse(&i, &bytes);
		dbus_message_iter_get_fixed_array(&bytes, &data, &len);
	}
	answer(v, map_error(err, name), data, len > 0 ? (size_t) len : 0);
}

static DBusMessage *chr_message(struct visit *v, enum bluez_chr chr, const char *member)
{
	struct bluez_device *d = bluez_device_find(v->k->objects, v->addr);
	char path[BLUEZ_PATH_MAX];

	if (!d || bluez_chr_path(v->k->objects, d, chr, path) < 0)
		return NULL;
	return bus_message(v->k->bus, path, BLUEZ_GATT1, member);
}

/** a{sv}: no options, or "type" = "request". */
static bool put_options(DBusMessageIter *i, const char *type)
{
	static const char key[] = "type";
	const char *k = key;
	DBusMessageIter dict, row, cell;
	bool ok = dbus_message_iter_open_container(i, DBUS_TYPE_ARRAY, EMPTY_DICTIONARY, &dict);

	if (ok && type)
		ok = dbus_message_iter_open_container(&dict, DBUS_TYPE_DICT_ENTRY, NULL, &row) &&
		     dbus_message_iter_append_basic(&row, DBUS_TYPE_STRING, &k) &&
		     dbus_message_iter_open_container(&row, DBUS_TYPE_VARIANT, "s", &cell) &&
		     dbus_message_iter_append_basic(&cell, DBUS_TYPE_STRING, &type) &&
		     dbus_message_iter_close_container(&row, &cell) &&
		     dbus_message_iter_close_container(&dict, &row);
	return ok && dbus_message_iter_close_container(i, &dict);
}

static bool put_bytes(DBusMessageIter *i, const uint8_t *data, size_t len)
{
	DBusMessageIter bytes;

	return dbus_message_iter_open_container(i, DBUS_TYPE_ARRAY, "y", &bytes) &&
	       dbus_message_iter_append_fixed_array(&bytes, DBUS_TYPE_BYTE, &data, (int) len) &&
	       dbus_message_iter_close_container(i, &bytes);
}

/** What could not even begin fails from the loop, as everything else does. */
void bluez_fail_late(struct visit *v, int err)
{
	v->late_err = err;
	loop_timer_start(v->retry, 0);
}

void bluez_work_late(struct visit *v)
{
	int err = v->late_err;

	v->late_err = 0;
	if (err < 0 && v->got)
		answer(v, err, NULL, 0);
	else if (err < 0)
		bluez_visit_finish(v, err);
}

static int send_work(struct visit *v, DBusMessage *m, bool ok)
{
	bus_call_drop(&v->call); /* a label's word may have overtaken the answer to a write */
	if (m && !ok) {
		dbus_message_unref(m);
		m = NULL;
	}
	return bus_send(v->k->bus, m, WORK_US, on_answer, v, &v->call);
}

bool bluez_has(const struct visit *v, enum bluez_chr chr)
{
	const struct bluez_device *d = bluez_device_find(v->k->objects, v->addr);

	return d && d->chrs[chr].chr;
}

void bluez_read(struct visit *v, enum bluez_chr chr,
		void (*got)(struct visit *v, int err, const uint8_t *data, size_t len))
{
	DBusMessage *m = chr_message(v, chr, "ReadValue");
	DBusMessageIter i;
	int r;

	v->got = got;
	if (!m && !bluez_has(v, chr)) {
		bluez_fail_late(v, -ENOENT);
		return;
	}
	if (m)
		dbus_message_iter_init_append(m, &i);
	r = send_work(v, m, m && put_options(&i, NULL));
	if (r < 0)
		bluez_fail_late(v, r);
}

void bluez_write(struct visit *v, enum bluez_chr chr, const uint8_t *data, size_t len,
		 void (*got)(struct visit *v, int err, const uint8_t *, size_t))
{
	DBusMessage *m = chr_message(v, chr, "WriteValue");
	DBusMessageIter i;
	int r;

	v->got = got;
	if (m)
		dbus_message_iter_init_append(m, &i);
	r = send_work(v, m, m && put_bytes(&i, data, len) && put_options(&i, "request"));
	if (r < 0)
		bluez_fail_late(v, r == -ENOMEM && !bluez_has(v, chr) ? -ENOENT : r);
}

int bluez_notify(struct visit *v, enum bluez_chr chr, bus_reply_fn fn)
{
	return bus_send(v->k->bus, chr_message(v, chr, "StartNotify"), WORK_US, fn, v, &v->call);
}

void bluez_work_drop(struct visit *v)
{
	bus_call_drop(&v->call);
	v->late_err = 0;
	v->got = NULL;
	v->synced = NULL;
	v->answered = NULL;
	v->choosing = false;
	v->tlv_len = 0;
	bluez_image_drop(v);
	explicit_bzero(&v->config, sizeof(v->config));
}
