/* SPDX-License-Identifier: Apache-2.0 */
#include "esl-radio/bluez/objects.h"

#include "common/err.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#define ROOT        "/org/bluez/"
#define PROPERTIES  "org.freedesktop.DBus.Properties"
#define MANAGER     "org.freedesktop.DBus.ObjectManager"
#define ADAPTER     "org.bluez.Adapter1"
#define DEVICE      "org.bluez.Device1"
#define CHR         "org.bluez.GattCharacteristic1"
#define BASE_UUID   "-0000-1000-8000-00805f9b34fb"
#define ESL_UUID    "00001857" BASE_UUID
#define DEVICES_MAX 65536u
#define VALUE_MAX   512

struct entry {
	UT_hash_handle hh;
	struct bluez_device d;
};

struct bluez_objects {
	struct bluez_objects_callbacks cb;
	void *user;
	char path[32];
	bool known, powered, discovering;
	bool random; /**< kind of its address */
	uint8_t addr[ESL_ADDR_BYTES];
	struct entry *devices;
};

static const uint16_t uuids[BLUEZ_CHR_COUNT] = {
	[BLUEZ_ADDRESS] = 0x2bf6,     [BLUEZ_TRAIN_KEY] = 0x2bf7,   [BLUEZ_RESPONSE_KEY] = 0x2bf8,
	[BLUEZ_TIME] = 0x2bf9,        [BLUEZ_DISPLAYS] = 0x2bfa,    [BLUEZ_IMAGES] = 0x2bfb,
	[BLUEZ_SENSORS] = 0x2bfc,     [BLUEZ_LEDS] = 0x2bfd,        [BLUEZ_CONTROL] = 0x2bfe,
	[BLUEZ_OACP] = 0x2ac5,        [BLUEZ_OLCP] = 0x2ac6,        [BLUEZ_MODEL] = 0x2a24,
	[BLUEZ_PNP] = 0x2a50,         [BLUEZ_OBJECT_TYPE] = 0x2abf, [BLUEZ_OBJECT_SIZE] = 0x2ac0,
	[BLUEZ_OTS_FEATURE] = 0x2abd,
};

/* --- paths ------------------------------------------------------------------------------------ */

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/** "AA:BB:...", with any separator. Returns the bytes of text, 0 if it is none. */
static size_t parse_addr(const char *text, uint8_t addr[ESL_ADDR_BYTES])
{
	for (size_t i = 0; i < ESL_ADDR_BYTES; i++) {
		int high = hex_digit(text[3 * i]);
		int low = high < 0 ? -1 : hex_digit(text[3 * i + 1]);

		if (low < 0 || (i + 1 < ESL_ADDR_BYTES && !text[3 * i + 2]))
			return 0;
		addr[i] = (uint8_t) (high << 4 | low);
	}
	return 3 * ESL_ADDR_BYTES - 1;
}

/** Where an object of this adapter is. */
struct place {
	bool device; /**< below a device, or one */
	uint8_t addr[ESL_ADDR_BYTES];
	uint16_t service, chr;
	bool deeper; /**< a descriptor, or what we do not know */
};

static bool parse_number(const char **at, const char *name, uint16_t *ret)
{
	size_t n = strlen(name);
	unsigned int v = 0;

	if (strncmp(*at, name, n) != 0)
		return false;
	for (size_t i = 0; i < 4; i++) {
		int digit = hex_digit((*at)[n + i]);

		if (digit < 0)
			return false;
		v = v << 4 | (unsigned int) digit;
	}
	*at += n + 4;
	*ret = (uint16_t) v;
	return true;
}

static bool parse_path(const struct bluez_objects *o, const char *path, struct place *ret)
{
	size_t n = strlen(o->path), took;

	*ret = (struct place){.device = false};
	if (strncmp(path, o->path, n) != 0)
		return false;
	path += n;
	if (!*path)
		return true;
	if (strncmp(path, "/dev_", 5) != 0)
		return false;
	path += 5;
	took = parse_addr(path, ret->addr);
	if (!took)
		return false;
	ret->device = true;
	path += took;
	if (*path && parse_number(&path, "/service", &ret->service) && *path)
		(void) parse_number(&path, "/char", &ret->chr);
	ret->deeper = *path != '\0';
	return true;
}

void bluez_device_path(const struct bluez_objects *o, const uint8_t *a, char path[BLUEZ_PATH_MAX])
{
	(void) snprintf(path, BLUEZ_PATH_MAX, "%s/dev_%02X_%02X_%02X_%02X_%02X_%02X", o->path, a[0],
			a[1], a[2], a[3], a[4], a[5]);
}

int bluez_chr_path(const struct bluez_objects *o, const struct bluez_device *d, enum bluez_chr chr,
		   char path[BLUEZ_PATH_MAX])
{
	size_t n;

	if (!d->chrs[chr].chr)
		return -ENOENT;
	bluez_device_path(o, d->addr, path);
	n = strlen(path);
	(void) snprintf(path + n, BLUEZ_PATH_MAX - n, "/service%04x/char%04x", d->chrs[chr].service,
			d->chrs[chr].chr);
	return 0;
}

/* --- devices ---------------------------------------------------------------------------------- */

static struct entry *find(struct bluez_objects *o, const uint8_t *addr)
{
	struct entry *e;

	HASH_FIND(hh, o->devices, addr, ESL_ADDR_BYTES, e);
	return e;
}

struct bluez_device *bluez_device_find(struct bluez_objects *o, const uint8_t *addr)
{
	struct entry *e = find(o, addr);

	return e ? &e->d : NULL;
}

void bluez_devices_each(struct bluez_objects *o, void (*fn)(void *user, struct bluez_device *d),
			void *user)
{
	struct entry *e, *next;

	HASH_ITER (hh, o->devices, e, next)
		fn(user, &e->d);
}

static struct entry *need(struct bluez_objects *o, const uint8_t *addr)
{
	struct entry *e = find(o, addr);

	if (e || HASH_COUNT(o->devices) >= DEVICES_MAX)
		return e;
	e = calloc(1, sizeof(*e));
	if (!e)
		return NULL;
	memcpy(e->d.addr, addr, ESL_ADDR_BYTES);
	HASH_ADD(hh, o->devices, d.addr, ESL_ADDR_BYTES, e);
	if (!e->hh.tbl) {
		free(e);
		return NULL;
	}
	return e;
}

static void drop(struct bluez_objects *o, struct entry *e)
{
	HASH_DEL(o->devices, e);
	e->d.connected = e->d.resolved = e->d.paired = false;
	o->cb.device(o->user, &e->d, true);
	free(e);
}

/* --- properties ------------------------------------------------------------------------------- */

static bool get_bool(DBusMessageIter *v)
{
	dbus_bool_t b = FALSE;

	if (dbus_message_iter_get_arg_type(v) == DBUS_TYPE_BOOLEAN)
		dbus_message_iter_get_basic(v, &b);
	return b;
}

static const char *get_text(DBusMessageIter *v)
{
	const char *s = "";

	if (dbus_message_iter_get_arg_type(v) == DBUS_TYPE_STRING)
		dbus_message_iter_get_basic(v, &s);
	return s;
}

static bool is_random(DBusMessageIter *v)
{
	return strcmp(get_text(v), "random") == 0;
}

static bool names_label(DBusMessageIter *v)
{
	DBusMessageIter one;

	if (dbus_message_iter_get_arg_type(v) != DBUS_TYPE_ARRAY)
		return false;
	for (dbus_message_iter_recurse(v, &one);
	     dbus_message_iter_get_arg_type(&one) == DBUS_TYPE_STRING; dbus_message_iter_next(&one))
		if (strcasecmp(get_text(&one), ESL_UUID) == 0)
			return true;
	return false;
}

/** Called with each property, its value unwrapped. */
typedef void (*property_fn)(void *to, const char *name, DBusMessageIter *v);

static void each_property(DBusMessageIter *dict, property_fn fn, void *to)
{
	DBusMessageIter row, cell, v;

	if (dbus_message_iter_get_arg_type(dict) != DBUS_TYPE_ARRAY)
		return;
	for (dbus_message_iter_recurse(dict, &row);
	     dbus_message_iter_get_arg_type(&row) == DBUS_TYPE_DICT_ENTRY;
	     dbus_message_iter_next(&row)) {
		const char *name;

		dbus_message_iter_recurse(&row, &cell);
		if (dbus_message_iter_get_arg_type(&cell) != DBUS_TYPE_STRING)
			continue;
		name = get_text(&cell);
		dbus_message_iter_next(&cell);
		if (dbus_message_iter_get_arg_type(&cell) != DBUS_TYPE_VARIANT)
			continue;
		dbus_message_iter_recurse(&cell, &v);
		fn(to, name, &v);
	}
}

static void adapter_property(void *to, const char *name, DBusMessageIter *v)
{
	struct bluez_objects *o = to;

	if (!strcmp(name, "Powered"))
		o->powered = get_bool(v);
	else if (!strcmp(name, "Discovering"))
		o->discovering = get_bool(v);
	else if (!strcmp(name, "Address"))
		(void) parse_addr(get_text(v), o->addr);
	else if (!strcmp(name, "AddressType"))
		o->random = is_random(v);
}

/** What a change of a device amounts to. */
struct change {
	struct bluez_device *d;
	bool state, heard;
};

static void set_flag(struct change *c, bool *flag, bool to)
{
	c->state |= *flag != to;
	*flag = to;
}

static void device_property(void *to, const char *name, DBusMessageIter *v)
{
	struct change *c = to;
	struct bluez_device *d = c->d;

	if (!strcmp(name, "Connected")) {
		set_flag(c, &d->connected, get_bool(v));
	} else if (!strcmp(name, "Paired")) {
		set_flag(c, &d->paired, get_bool(v));
	} else if (!strcmp(name, "ServicesResolved")) {
		set_flag(c, &d->resolved, get_bool(v));
		/* bluetoothd does not always tell a connection that came while others were made. */
		if (d->resolved)
			set_flag(c, &d->connected, true);
	} else if (!strcmp(name, "AddressType")) {
		d->random = is_random(v);
	} else if (!strcmp(name, "UUIDs")) {
		d->label |= names_label(v);
	} else if (!strcmp(name, "RSSI") && dbus_message_iter_get_arg_type(v) == DBUS_TYPE_INT16) {
		dbus_message_iter_get_basic(v, &d->rssi);
		c->heard = true;
	}
}

/** A characteristic's properties: what it is, and what it says. */
struct chr_seen {
	uint16_t uuid;
	bool has_value;
	const uint8_t *value; /**< borrowed */
	int len;
};

static void chr_property(void *to, const char *name, DBusMessageIter *v)
{
	struct chr_seen *c = to;
	DBusMessageIter bytes;

	if (!strcmp(name, "UUID")) {
		const char *text = get_text(v);
		unsigned int uuid = 0;

		if (strlen(text) == 36 && !strncmp(text, "0000", 4) &&
		    !strcasecmp(text + 8, BASE_UUID) && sscanf(text + 4, "%4x", &uuid) == 1)
			c->uuid = (uint16_t) uuid;
	} else if (!strcmp(name, "Value") && dbus_message_iter_get_arg_type(v) == DBUS_TYPE_ARRAY &&
		   dbus_message_iter_get_element_type(v) == DBUS_TYPE_BYTE) {
		dbus_message_iter_recurse(v, &bytes);
		c->value = NULL;
		dbus_message_iter_get_fixed_array(&bytes, &c->value, &c->len);
		c->has_value = c->len >= 0 && c->len <= VALUE_MAX;
	}
}

/* --- objects ---------------------------------------------------------------------------------- */

static void take_chr(struct bluez_objects *o, const struct place *at, DBusMessageIter *dict,
		     bool fresh)
{
	struct entry *e = fresh ? need(o, at->addr) : find(o, at->addr);
	struct chr_seen c = {0};

	if (!e || !at->chr || at->deeper)
		return;
	each_property(dict, chr_property, &c);
	for (unsigned int i = 0; i < BLUEZ_CHR_COUNT; i++) {
		if (fresh && c.uuid && uuids[i] == c.uuid) {
			e->d.chrs[i].service = at->service;
			e->d.chrs[i].chr = at->chr;
		} else if (!fresh && c.has_value && e->d.chrs[i].chr == at->chr) {
			o->cb.value(o->user, &e->d, (enum bluez_chr) i, c.value, (size_t) c.len);
			return;
		}
	}
}

static void take_device(struct bluez_objects *o, const struct place *at, DBusMessageIter *dict)
{
	struct entry *e = need(o, at->addr);
	struct change c = {.d = e ? &e->d : NULL};

	if (!e)
		return;
	each_property(dict, device_property, &c);
	if (c.state)
		o->cb.device(o->user, &e->d, false);
	e = find(o, at->addr); /* whoever was told may have let it go */
	if (c.heard && e && e->d.label)
		o->cb.heard(o->user, &e->d);
}

/** One interface of one object, new (fresh) or changed. */
static void take_interface(struct bluez_objects *o, const char *path, const char *interface,
			   DBusMessageIter *dict, bool fresh)
{
	struct place at;

	if (!parse_path(o, path, &at))
		return;
	if (!at.device && !strcmp(interface, ADAPTER)) {
		bool powered = o->powered, discovering = o->discovering, known = o->known;

		o->known |= fresh;
		each_property(dict, adapter_property, o);
		if (known != o->known || powered != o->powered || discovering != o->discovering)
			o->cb.adapter(o->user);
	} else if (at.device && !at.service && !strcmp(interface, DEVICE)) {
		take_device(o, &at, dict);
	} else if (at.device && !strcmp(interface, CHR)) {
		take_chr(o, &at, dict, fresh);
	}
}

/** oa{sa{sv}}: an object and its interfaces. */
static void take_object(struct bluez_objects *o, DBusMessageIter *i)
{
	DBusMessageIter row, cell;
	const char *path, *interface;

	if (dbus_message_iter_get_arg_type(i) != DBUS_TYPE_OBJECT_PATH)
		return;
	dbus_message_iter_get_basic(i, &path);
	dbus_message_iter_next(i);
	if (dbus_message_iter_get_arg_type(i) != DBUS_TYPE_ARRAY)
		return;
	for (dbus_message_iter_recurse(i, &row);
	     dbus_message_iter_get_arg_type(&row) == DBUS_TYPE_DICT_ENTRY;
	     dbus_message_iter_next(&row)) {
		dbus_message_iter_recurse(&row, &cell);
		interface = get_text(&cell);
		dbus_message_iter_next(&cell);
		take_interface(o, path, interface, &cell, true);
	}
}

void bluez_objects_all(struct bluez_objects *o, DBusMessage *m)
{
	DBusMessageIter i, row, cell;

	if (!dbus_message_iter_init(m, &i) || dbus_message_iter_get_arg_type(&i) != DBUS_TYPE_ARRAY)
		return;
	for (dbus_message_iter_recurse(&i, &row);
	     dbus_message_iter_get_arg_type(&row) == DBUS_TYPE_DICT_ENTRY;
	     dbus_message_iter_next(&row)) {
		dbus_message_iter_recurse(&row, &cell);
		take_object(o, &cell);
	}
}

static void object_removed(struct bluez_objects *o, DBusMessage *m)
{
	const char *path;
	char **interfaces;
	int n;
	struct place at;
	struct entry *e;

	if (!dbus_message_get_args(m, NULL, DBUS_TYPE_OBJECT_PATH, &path, DBUS_TYPE_ARRAY,
				   DBUS_TYPE_STRING, &interfaces, &n, DBUS_TYPE_INVALID))
		return;
	for (int i = 0; i < n && parse_path(o, path, &at); i++) {
		e = at.device ? find(o, at.addr) : NULL;
		if (!at.device && !strcmp(interfaces[i], ADAPTER)) {
			o->known = o->powered = o->discovering = false;
			o->cb.adapter(o->user);
		} else if (e && !at.service && !strcmp(interfaces[i], DEVICE)) {
			drop(o, e);
		} else if (e && at.chr && !strcmp(interfaces[i], CHR)) {
			for (size_t k = 0; k < BLUEZ_CHR_COUNT; k++)
				if (e->d.chrs[k].chr == at.chr)
					e->d.chrs[k].chr = 0;
		}
	}
	dbus_free_string_array(interfaces);
}

void bluez_objects_signal(struct bluez_objects *o, DBusMessage *m)
{
	DBusMessageIter i;
	const char *interface;

	if (dbus_message_is_signal(m, MANAGER, "InterfacesRemoved")) {
		object_removed(o, m);
	} else if (dbus_message_is_signal(m, MANAGER, "InterfacesAdded")) {
		if (dbus_message_iter_init(m, &i))
			take_object(o, &i);
	} else if (dbus_message_is_signal(m, PROPERTIES, "PropertiesChanged") &&
		   dbus_message_get_path(m) && dbus_message_iter_init(m, &i)) {
		interface = get_text(&i);
		dbus_message_iter_next(&i);
		take_interface(o, dbus_message_get_path(m), interface, &i, false);
	}
}

/* --- life ------------------------------------------------------------------------------------- */

int bluez_objects_new(const char *adapter, const struct bluez_objects_callbacks *cb, void *user,
		      struct bluez_objects **ret)
{
	struct bluez_objects *o = calloc(1, sizeof(*o));

	if (!o)
		return -ENOMEM;
	o->cb = *cb;
	o->user = user;
	(void) snprintf(o->path, sizeof(o->path), ROOT "%s", adapter);
	*ret = o;
	return 0;
}

void bluez_objects_clear(struct bluez_objects *o)
{
	struct entry *e, *next;

	HASH_ITER (hh, o->devices, e, next) {
		HASH_DEL(o->devices, e);
		free(e);
	}
	o->known = o->powered = o->discovering = false;
}

void bluez_objects_free(struct bluez_objects *o)
{
	if (!o)
		return;
	bluez_objects_clear(o);
	free(o);
}

bool bluez_adapter_known(const struct bluez_objects *o)
{
	return o->known;
}

bool bluez_adapter_powered(const struct bluez_objects *o)
{
	return o->powered;
}

bool bluez_adapter_discovering(const struct bluez_objects *o)
{
	return o->discovering;
}

const uint8_t *bluez_adapter_addr(const struct bluez_objects *o)
{
	return o->addr;
}

bool bluez_adapter_random(const struct bluez_objects *o)
{
	return o->random;
}

const char *bluez_adapter_path(const struct bluez_objects *o)
{
	return o->path;
}
