/* SPDX-License-Identifier: Apache-2.0 */
#include "esl-radio/oepl/tagdb.h"

#include "common/err.h"
#include "common/hex.h"
#include "common/image.h"
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#define BATTERY_MAINS 1337 /* what a label without a battery says */

/* --- values ----------------------------------------------------------------------------------- */

static int load(const void *json, size_t len, json_t **ret)
{
	if (len > OEPL_JSON_MAX)
		return -ERR_TOO_LARGE;
	/* The library bounds the depth. Bytes that are no UTF-8 are what a broken alias looks like:
	 * the document is refused, the next page is not. */
	*ret = json_loadb(json, len, 0, NULL);
	return *ret ? 0 : -ERR_BADMSG;
}

/** An integer, however it is spelled: 5, 5.0, "5", true. `none` if it is none, or out of range. */
static int64_t number(const json_t *o, const char *key, int64_t min, int64_t max, int64_t none)
{
	const json_t *v = json_object_get(o, key);
	int64_t n = none;

	if (json_is_integer(v)) {
		n = json_integer_value(v);
	} else if (json_is_real(v)) {
		double d = json_real_value(v);

		n = d >= -9e15 && d <= 9e15 ? (int64_t) d : none;
	} else if (json_is_boolean(v)) {
		n = json_is_true(v);
	} else if (json_is_string(v)) {
		const char *text = json_string_value(v);
		char *end;

		errno = 0;
		n = strtoll(text, &end, 10);
		if (end == text || *end || errno)
			n = none;
	}
	return n < min || n > max ? none : n;
}

/** "27" is hexadecimal 0x27: a firmware version. 0 if there is none. */
static uint16_t version(const json_t *o, const char *key)
{
	const char *text = json_string_value(json_object_get(o, key));
	char *end;
	unsigned long n;

	if (!text)
		return 0;
	n = strtoul(text, &end, 16);
	return end == text || *end || n > UINT16_MAX ? 0 : (uint16_t) n;
}

/** MACs come as 16 digits, older ones as 12. */
static bool mac_of(const json_t *o, uint8_t mac[OEPL_MAC_BYTES])
{
	const char *text = json_string_value(json_object_get(o, "mac"));
	size_t len = text ? strlen(text) : 0;

	memset(mac, 0, OEPL_MAC_BYTES);
	if (len == 12)
		return hex_decode(text, mac + 2, 6) >= 0;
	return len == 16 && hex_decode(text, mac, OEPL_MAC_BYTES) >= 0;
}

static void take_text(const json_t *o, const char *key, char to[OEPL_TEXT_MAX])
{
	const char *text = json_string_value(json_object_get(o, key));
	size_t n = 0;

	for (; text && *text && n + 1 < OEPL_TEXT_MAX; text++)
		if (*text >= ' ' && *text <= '~')
			to[n++] = *text;
	to[n] = '\0';
}

/* --- records ---------------------------------------------------------------------------------- */

static bool record_of(const json_t *o, struct oepl_record *r)
{
	const char *hash = json_string_value(json_object_get(o, "hash"));
	char half[2 * OEPL_HASH_BYTES + 1];
	int64_t battery;

	*r = (struct oepl_record){0};
	if (!json_is_object(o) || !mac_of(o, r->mac))
		return false;
	if (hash && strlen(hash) >= sizeof(half) - 1) {
		memcpy(half, hash, sizeof(half) - 1);
		half[sizeof(half) - 1] = '\0';
		if (hex_decode(half, r->hash, OEPL_HASH_BYTES) < 0)
			memset(r->hash, 0, sizeof(r->hash));
	}
	r->lastseen_s = number(o, "lastseen", 0, UINT32_MAX, 0);
	r->nextcheckin_s = number(o, "nextcheckin", 0, UINT32_MAX, 0);
	r->updatelast_s = number(o, "updatelast", 0, UINT32_MAX, 0);
	r->pending = (uint32_t) number(o, "pending", 0, UINT32_MAX, 0);
	r->updatecount = (uint32_t) number(o, "updatecount", 0, UINT32_MAX, 0);
	r->hw_type = (uint8_t) number(o, "hwType", 0, UINT8_MAX, 0);
	r->wakeup = (uint8_t) number(o, "wakeupReason", 0, UINT8_MAX, 0);
	r->rssi_dbm = (int8_t) number(o, "RSSI", INT8_MIN, INT8_MAX, 0);
	r->lqi = (uint8_t) number(o, "LQI", 0, UINT8_MAX, 0);
	r->temperature_c = (int16_t) number(o, "temperature", -60, 100, INT16_MIN);
	battery = number(o, "batteryMv", 0, UINT16_MAX, 0);
	r->battery_mv = battery == BATTERY_MAINS ? 0 : (uint16_t) battery;
	r->content_mode = (uint16_t) number(o, "contentMode", 0, UINT16_MAX, 0);
	r->version = (uint16_t) number(o, "ver", 0, UINT16_MAX, 0);
	r->rotate = (uint8_t) number(o, "rotate", 0, 3, 0);
	r->invert = (uint8_t) number(o, "invert", 0, UINT8_MAX, 0);
	r->external = number(o, "isexternal", 0, 1, 0) != 0;
	return true;
}

static void take_record(const json_t *o, oepl_record_fn fn, void *user, struct oepl_page *page)
{
	struct oepl_record r;

	if (page->n >= OEPL_TAGS_MAX || !record_of(o, &r)) {
		page->bad++;
		return;
	}
	page->n++;
	fn(user, &r);
}

static void take_tags(const json_t *tags, oepl_record_fn fn, void *user, struct oepl_page *page)
{
	for (size_t i = 0; i < json_array_size(tags); i++)
		take_record(json_array_get(tags, i), fn, user, page);
}

int oepl_page_parse(const void *json, size_t len, oepl_record_fn fn, void *user,
		    struct oepl_page *ret)
{
	struct oepl_page page = {.next = -1};
	json_t *o;
	int r = load(json, len, &o);

	if (r < 0)
		return r;
	if (json_is_array(json_object_get(o, "tags"))) {
		take_tags(json_object_get(o, "tags"), fn, user, &page);
		page.next = (int32_t) number(o, "continu", 1, INT32_MAX, -1);
	} else {
		r = -ERR_BADMSG;
	}
	json_decref(o);
	if (r == 0)
		*ret = page;
	return r;
}

int oepl_dump_parse(const void *json, size_t len, oepl_record_fn fn, void *user,
		    struct oepl_page *ret)
{
	struct oepl_page page = {.next = -1};
	json_t *all;
	int r = load(json, len, &all);

	if (r < 0)
		return r;
	if (!json_is_array(all))
		r = -ERR_BADMSG;
	for (size_t i = 0; r == 0 && i < json_array_size(all); i++) {
		const json_t *one = json_array_get(all, i);

		if (json_is_array(one))
			take_tags(one, fn, user, &page);
		else
			take_record(one, fn, user, &page);
	}
	json_decref(all);
	if (r == 0)
		*ret = page;
	return r;
}

/* --- types ------------------------------------------------------------------------------------ */

static void take_colours(const json_t *table, struct oepl_type *t)
{
	const char *name;
	json_t *rgb;

	json_object_foreach((json_t *) table, name, rgb)
	{
		if (t->n_colours == OEPL_COLOURS_MAX)
			return;
		for (size_t i = 0; i < 3; i++) {
			json_int_t v = json_integer_value(json_array_get(rgb, i));

			t->colours[t->n_colours][i] = (uint8_t) (v < 0 ? 0 : v > 255 ? 255 : v);
		}
		t->n_colours++;
	}
}

static bool has_option(const json_t *o, const char *name)
{
	const json_t *options = json_object_get(o, "options");

	for (size_t i = 0; i < json_array_size(options); i++) {
		const char *text = json_string_value(json_array_get(options, i));

		if (text && strcmp(text, name) == 0)
			return true;
	}
	return false;
}

int oepl_type_parse(const void *json, size_t len, struct oepl_type *ret)
{
	static const uint8_t plain[2][3] = {{255, 255, 255}, {0, 0, 0}};
	struct oepl_type t = {0};
	json_t *o;
	int r = load(json, len, &o);

	if (r < 0)
		return r;
	t.width = (uint16_t) number(o, "width", 1, IMAGE_MAX_SIDE, 0);
	t.height = (uint16_t) number(o, "height", 1, IMAGE_MAX_SIDE, 0);
	t.rotatebuffer = (uint8_t) number(o, "rotatebuffer", 0, 3, 0);
	t.bpp = (uint8_t) number(o, "bpp", 1, 8, 0);
	t.zlib = version(o, "zlib_compression");
	t.g5 = version(o, "g5_compression");
	t.led = has_option(o, "led");
	take_colours(json_object_get(o, "colortable"), &t);
	json_decref(o);
	if (t.n_colours < 2) {
		memcpy(t.colours, plain, sizeof(plain));
		t.n_colours = 2;
	}
	if (!t.width || !t.height || !t.bpp)
		return -ERR_RANGE;
	*ret = t;
	return 0;
}

/* --- the access point itself ------------------------------------------------------------------ */

int oepl_config_parse(const void *json, size_t len, struct oepl_config *ret)
{
	json_t *o;
	int r = load(json, len, &o);

	if (r < 0)
		return r;
	if (!json_is_object(o)) {
		json_decref(o);
		return -ERR_BADMSG;
	}
	ret->apstate = (int) number(o, "apstate", 0, 255, -1);
	ret->stopsleep = number(o, "stopsleep", 0, 255, 1) != 0;
	ret->maxsleep_min = (unsigned int) number(o, "maxsleep", 0, 255, 10);
	ret->preview = number(o, "preview", 0, 255, 1) != 0;
	ret->stamps = number(o, "showtimestamp", 0, 255, 0) != 0;
	ret->channel = (int) number(o, "channel", 0, 255, -1);
	take_text(o, "alias", ret->alias);
	json_decref(o);
	return 0;
}

int oepl_info_parse(const void *json, size_t len, char ret[OEPL_TEXT_MAX])
{
	char env[OEPL_TEXT_MAX], version[OEPL_TEXT_MAX];
	json_t *o;
	int r = load(json, len, &o);

	if (r < 0)
		return r;
	take_text(o, "buildversion", version);
	take_text(o, "env", env);
	json_decref(o);
	(void) snprintf(ret, OEPL_TEXT_MAX, "%.50s%s%.50s", version,
			version[0] && env[0] ? " " : "", env);
	return 0;
}

int oepl_message_parse(const void *json, size_t len, oepl_record_fn fn, void *user,
		       struct oepl_message *ret)
{
	struct oepl_message m = {0};
	struct oepl_page page = {0};
	const json_t *sys;
	json_t *o;
	int r = load(json, len, &o);

	if (r < 0)
		return r;
	take_tags(json_object_get(o, "tags"), fn, user, &page);
	take_text(o, "errMsg", m.error);
	sys = json_object_get(o, "sys");
	m.records = page.n;
	m.sys = json_is_object(sys);
	if (m.sys) {
		m.currtime_s = number(sys, "currtime", 0, UINT32_MAX, -1);
		m.uptime_s = number(sys, "uptime", 0, INT64_MAX, -1);
		m.heap = number(sys, "heap", 0, INT64_MAX, -1);
		m.storage_free = number(sys, "littlefsfree", 0, INT64_MAX, -1);
		m.apstate = (int) number(sys, "apstate", 0, 255, -1);
		m.wifi_dbm = (int) number(sys, "rssi", -127, 0, 0);
	}
	json_decref(o);
	*ret = m;
	return 0;
}

const char *oepl_apstate_text(int apstate)
{
	static const char *const texts[] = {
		"its radio is offline",          "online",
		"its radio is being flashed",    "its radio waits for a reset",
		"its radio wants power-cycling", "its radio has failed",
		"its radio is starting",         "it has no radio",
	};

	return apstate >= 0 && apstate < (int) ARRAY_SIZE(texts) ? texts[apstate]
								 : "its radio's state is unknown";
}
