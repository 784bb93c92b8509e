/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/oepl_impl.h"

#include "common/err.h"
#include "common/hex.h"
#include <stdio.h>
#include <string.h>

#define PAGE_BYTES 5000 /* a page ends when it is longer */
#define UPLOAD_MAX (1u << 20)

/* --- JSON ------------------------------------------------------------------------------------- */

static void mac_text(const uint8_t mac[SIM_OEPL_MAC_BYTES], char text[17])
{
	for (size_t i = 0; i < SIM_OEPL_MAC_BYTES; i++)
		(void) snprintf(text + 2 * i, 3, "%02X", mac[i]);
}

json_t *oepl_rec_json(const struct oepl_rec *r)
{
	char mac[17], hash[33];

	mac_text(r->mac, mac);
	hex_encode(r->md5, sizeof r->md5, hash);
	memset(hash + 16, '0', 16);
	hash[32] = '\0';
	return json_pack("{s:s,s:s,s:I,s:I,s:I,s:i,s:s,s:i,s:i,s:i,s:i,s:i,s:i,s:i,s:i,s:s,s:b,s:s,"
			 "s:i,s:i,s:i,s:i,s:I,s:i,s:i}",
			 "mac", mac, "hash", hash, "lastseen", (json_int_t) r->lastseen_s,
			 "nextupdate", (json_int_t) 3216153600LL, "nextcheckin",
			 (json_int_t) r->nextcheckin_s, "pending", (int) r->pending, "alias",
			 r->alias, "contentMode", (int) r->content_mode, "LQI", r->lqi, "RSSI",
			 r->rssi, "temperature", r->temperature, "batteryMv", (int) r->battery_mv,
			 "hwType", (int) r->hw_type, "wakeupReason", (int) r->wakeup,
			 "capabilities", 0, "modecfgjson", "{\"timetolive\":\"0\"}", "isexternal",
			 r->external != 0, "apip", r->external ? "192.0.2.9" : "0.0.0.0", "rotate",
			 (int) r->rotate, "lut", 0, "invert", (int) r->invert, "updatecount",
			 (int) r->updatecount, "updatelast", (json_int_t) r->updatelast_s, "ch", 11,
			 "ver", (int) r->version);
}

static void put_json(struct sim_oepl_reply *ret, json_t *o)
{
	char *text = json_dumps(o, JSON_COMPACT);

	json_decref(o);
	ret->type = "application/json";
	buf_put_str(&ret->body, text ? text : "{}");
	free(text);
}

static void put_text(struct sim_oepl_reply *ret, unsigned int status, const char *text)
{
	ret->status = status;
	buf_put_str(&ret->body, text);
}

/* --- parameters ------------------------------------------------------------------------------- */

static const struct sim_oepl_param *param(const struct sim_oepl_request *req, const char *name)
{
	for (size_t i = 0; i < req->n; i++)
		if (strcmp(req->params[i].name, name) == 0)
			return &req->params[i];
	return NULL;
}

/** As text, cut off where it must be. */
static bool text_of(const struct sim_oepl_request *req, const char *name, char *to, size_t cap)
{
	const struct sim_oepl_param *p = param(req, name);

	if (!p)
		return false;
	(void) snprintf(to, cap, "%.*s", (int) MIN(p->len, cap - 1), (const char *) p->value);
	return true;
}

static long number_of(const struct sim_oepl_request *req, const char *name, long none)
{
	char text[24];

	return text_of(req, name, text, sizeof text) ? strtol(text, NULL, 10) : none;
}

static bool mac_param(const struct sim_oepl_request *req, uint8_t mac[SIM_OEPL_MAC_BYTES])
{
	char text[20];

	memset(mac, 0, SIM_OEPL_MAC_BYTES);
	if (!text_of(req, "mac", text, sizeof text))
		return false;
	if (strlen(text) == 12)
		return hex_decode(text, mac + 2, 6) >= 0;
	return strlen(text) == 16 && hex_decode(text, mac, SIM_OEPL_MAC_BYTES) >= 0;
}

static struct oepl_rec *rec_param(struct sim_oepl *ap, const struct sim_oepl_request *req)
{
	uint8_t mac[SIM_OEPL_MAC_BYTES];

	return mac_param(req, mac) ? oepl_rec_find(ap, mac) : NULL;
}

/* --- the database ----------------------------------------------------------------------------- */

static void get_db(struct sim_oepl *ap, const struct sim_oepl_request *req,
		   struct sim_oepl_reply *ret)
{
	json_t *tags = json_array(), *o = json_pack("{s:o}", "tags", tags);
	long pos = number_of(req, "pos", 0);
	size_t bytes = 0;

	if (param(req, "mac")) {
		struct oepl_rec *rec = rec_param(ap, req);

		if (rec)
			json_array_append_new(tags, oepl_rec_json(rec));
		put_json(ret, o);
		return;
	}
	if (pos > UINT8_MAX)
		ap->stats.wraps++;
	for (unsigned int i = (uint8_t) pos; i < ap->n_recs; i++) {
		json_t *one = oepl_rec_json(ap->recs[i]);
		char *text = json_dumps(one, JSON_COMPACT);

		bytes += text ? strlen(text) : 0;
		free(text);
		json_array_append_new(tags, one);
		if (bytes > PAGE_BYTES) {
			json_object_set_new(o, "continu", json_integer(i + 1));
			break;
		}
	}
	put_json(ret, o);
}

/** An array of arrays of one, as it is written to its file. */
static void get_dump(struct sim_oepl *ap, const struct sim_oepl_request *req,
		     struct sim_oepl_reply *ret)
{
	json_t *all = json_array();

	(void) req;
	for (unsigned int i = 0; i < ap->n_recs; i++)
		json_array_append_new(all, json_pack("[o]", oepl_rec_json(ap->recs[i])));
	put_json(ret, all);
}

/* --- writing ---------------------------------------------------------------------------------- */

static void imgupload(struct sim_oepl *ap, const struct sim_oepl_request *req,
		      struct sim_oepl_reply *ret)
{
	const struct sim_oepl_param *file = NULL;
	bool mac_first = false;
	struct oepl_rec *rec;

	for (size_t i = 0; i < req->n && !file; i++) {
		mac_first |= strcmp(req->params[i].name, "mac") == 0;
		if (req->params[i].file)
			file = &req->params[i];
	}
	ap->stats.uploads++;
	if (oepl_now_us(ap) < ap->busy_us) {
		ap->stats.refused++;
		put_text(ret, 409, "Come back later");
		return;
	}
	if (!file || !mac_first || file->len > UPLOAD_MAX) {
		put_text(ret, 400, "parameters incomplete");
		return;
	}
	rec = rec_param(ap, req);
	if (!rec) {
		put_text(ret, 400, "mac not found");
		return;
	}
	free(rec->upload);
	rec->upload = malloc(file->len ? file->len : 1);
	if (!rec->upload) {
		put_text(ret, 500, "");
		return;
	}
	memcpy(rec->upload, file->value, file->len);
	rec->upload_len = file->len;
	if (rec->tag >= 0)
		ap->tags[rec->tag].uploads++;
	rec->dither = (uint8_t) number_of(req, "dither", 1);
	rec->rotate = (uint8_t) (number_of(req, "rotate", rec->rotate) & 3);
	rec->invert = (uint8_t) number_of(req, "invert", rec->invert);
	rec->content_mode = (unsigned int) number_of(req, "contentmode", 24) & 0xff;
	(void) text_of(req, "alias", rec->alias, sizeof rec->alias);
	oepl_say_rec(ap, rec);
	put_text(ret, 200, "Ok, saved");
}

static void save_cfg(struct sim_oepl *ap, const struct sim_oepl_request *req,
		     struct sim_oepl_reply *ret)
{
	struct oepl_rec *rec = rec_param(ap, req);

	if (rec)
		(void) text_of(req, "alias", rec->alias, sizeof rec->alias);
	put_text(ret, 200, "Ok, saved"); /* whoever it was for */
}

static void queue_command(struct sim_oepl *ap, struct oepl_rec *rec, const uint8_t payload[12])
{
	struct oepl_item item = {.kind = OEPL_DATA_CMD, .data = malloc(12), .len = 12};

	if (!item.data)
		return;
	memcpy(item.data, payload, 12);
	memcpy(item.ver, payload, sizeof item.ver);
	(void) oepl_queue_put(ap, rec, &item);
	oepl_say_rec(ap, rec);
}

static void tag_cmd(struct sim_oepl *ap, const struct sim_oepl_request *req,
		    struct sim_oepl_reply *ret)
{
	static const uint8_t rainbow[12] = {0x81, 0x3c, 0x13, 10, 0xe4, 0x53,
					    10,   3,    0xa3, 10, 2,    0};
	struct oepl_rec *rec = rec_param(ap, req);
	char cmd[24];

	if (!param(req, "mac") || !text_of(req, "cmd", cmd, sizeof cmd)) {
		put_text(ret, 500, "param error");
		return;
	}
	if (!rec) {
		put_text(ret, 400, "Error: mac not found");
		return;
	}
	if (strcmp(cmd, "clear") == 0) {
		oepl_queue_clear(rec);
		rec->pending = 0;
		oepl_say_rec(ap, rec);
	} else if (strcmp(cmd, "del") == 0) {
		oepl_rec_delete(ap, rec);
	} else if (strcmp(cmd, "ledflash") == 0) {
		queue_command(ap, rec, rainbow);
	}
	put_text(ret, 200, "Ok, done");
}

static void led_flash(struct sim_oepl *ap, const struct sim_oepl_request *req,
		      struct sim_oepl_reply *ret)
{
	struct oepl_rec *rec = rec_param(ap, req);
	uint8_t payload[12] = {0};
	char pattern[32];

	if (!rec) {
		put_text(ret, 400, "parameters are missing");
		return;
	}
	if (text_of(req, "pattern", pattern, sizeof pattern) &&
	    (strlen(pattern) != 24 || hex_decode(pattern, payload, sizeof payload) < 0)) {
		put_text(ret, 400, "Error: expects 12 hex bytes in pattern");
		return;
	}
	queue_command(ap, rec, payload);
	put_text(ret, 200, "ok, request transmitted");
}

static void jsonupload(struct sim_oepl *ap, const struct sim_oepl_request *req,
		       struct sim_oepl_reply *ret)
{
	if (oepl_now_us(ap) < ap->busy_us)
		put_text(ret, 409, "come back later");
	else if (!param(req, "json") || !param(req, "mac"))
		put_text(ret, 400, "Missing parameters");
	else if (!rec_param(ap, req))
		put_text(ret, 400, "mac not found in tagDB");
	else
		put_text(ret, 200, "Ok, saved");
}

/* --- reading ---------------------------------------------------------------------------------- */

static void put_bytes(struct sim_oepl_reply *ret, const void *data, size_t len)
{
	ret->type = "application/octet-stream";
	buf_put(&ret->body, data, len);
}

static void getdata(struct sim_oepl *ap, const struct sim_oepl_request *req,
		    struct sim_oepl_reply *ret)
{
	struct oepl_rec *rec = rec_param(ap, req);
	char text[24];
	uint8_t want[8], none[8] = {0};

	if (!rec || !text_of(req, "md5", text, sizeof text) || strlen(text) != 16 ||
	    hex_decode(text, want, sizeof want) < 0) {
		put_text(ret, 400, "No data available");
		return;
	}
	for (unsigned int i = 0; i < rec->n_queue; i++) {
		const struct oepl_item *item = &rec->queue[i];
		bool same = true;

		/* The number is written from its other end. */
		for (size_t k = 0; k < sizeof want; k++)
			same = same && want[k] == item->ver[sizeof want - 1 - k];
		if (same || memcmp(want, none, sizeof none) == 0) {
			put_bytes(ret, item->data, item->len);
			return;
		}
	}
	put_text(ret, 404, "File not found");
}

static void get_current(struct sim_oepl *ap, const struct sim_oepl_request *req,
			struct sim_oepl_reply *ret)
{
	const char *name = req->path + strlen("/current/");
	uint8_t mac[SIM_OEPL_MAC_BYTES];
	char text[17];
	struct oepl_rec *rec = NULL;

	if (strcmp(name, "tagDB.json") == 0) {
		get_dump(ap, req, ret);
		return;
	}
	if (strlen(name) == 20 && strcmp(name + 16, ".raw") == 0) {
		(void) snprintf(text, sizeof text, "%.16s", name);
		if (hex_decode(text, mac, sizeof mac) >= 0)
			rec = oepl_rec_find(ap, mac);
	}
	if (rec && rec->kept)
		put_bytes(ret, rec->kept, rec->kept_len);
	else
		put_text(ret, 404, "");
}

static json_t *colours_json(const struct sim_oepl_type *t)
{
	json_t *colours = json_object();

	for (int i = 0; i < t->colours; i++) {
		int rgb[3];
		const char *name = oepl_colour(t, i, rgb);

		json_object_set_new(colours, name, json_pack("[i,i,i]", rgb[0], rgb[1], rgb[2]));
	}
	return colours;
}

static void get_type(struct sim_oepl *ap, const struct sim_oepl_request *req,
		     struct sim_oepl_reply *ret)
{
	const struct sim_oepl_type *t =
		sim_oepl_type((unsigned int) strtoul(req->path + strlen("/tagtypes/"), NULL, 16));
	char version[8];
	json_t *o, *colours;

	(void) ap;
	if (!t) {
		put_text(ret, 404, "");
		return;
	}
	colours = colours_json(t);
	o = json_pack("{s:i,s:s,s:i,s:i,s:i,s:i,s:o,s:i,s:[s],s:[i,i]}", "version", 3, "name",
		      t->name, "width", (int) t->width, "height", (int) t->height, "rotatebuffer",
		      (int) t->rotatebuffer, "bpp", (int) t->bpp, "colortable", colours, "shortlut",
		      0, "options", t->led ? "led" : "button", "contentids", 22, 23);
	if (t->zlib) {
		(void) snprintf(version, sizeof version, "%X", t->zlib);
		json_object_set_new(o, "zlib_compression", json_string(version));
	}
	if (t->g5) {
		(void) snprintf(version, sizeof version, "%X", t->g5);
		json_object_set_new(o, "g5_compression", json_string(version));
	}
	put_json(ret, o);
}

static void get_ap_config(struct sim_oepl *ap, const struct sim_oepl_request *req,
			  struct sim_oepl_reply *ret)
{
	(void) req;
	put_json(ret,
		 json_pack("{s:s,s:s,s:s,s:s,s:i,s:s,s:i,s:i,s:i,s:i,s:i,s:i,s:s}", "C6", "0", "H2",
			   "0", "hasBLE", "0", "apstate", "1", "channel", 11, "alias", ap->name,
			   "led", 100, "maxsleep", 10, "stopsleep", (int) ap->cfg.stopsleep,
			   "preview", 1, "showtimestamp", (int) ap->stamps, "lock", 0, "timezone",
			   "CET-1CEST,M3.5.0,M10.5.0/3"));
}

static void get_sysinfo(struct sim_oepl *ap, const struct sim_oepl_request *req,
			struct sim_oepl_reply *ret)
{
	(void) req;
	put_json(ret, json_pack("{s:s,s:s,s:s,s:I}", "alias", ap->name, "env", "simulated",
				"buildversion", "2.80", "uptime",
				(json_int_t) ((oepl_now_us(ap) - ap->up_since_us) / US_PER_SEC)));
}

static void reboot(struct sim_oepl *ap, const struct sim_oepl_request *req,
		   struct sim_oepl_reply *ret)
{
	(void) req;
	put_text(ret, 200, "OK Reboot");
	oepl_say_text(ap, "errMsg", "REBOOTING");
	sim_oepl_restart(ap, 3 * US_PER_SEC);
}

/* --- which is which --------------------------------------------------------------------------- */

static const struct {
	const char *path;
	bool post, prefix;
	void (*fn)(struct sim_oepl *ap, const struct sim_oepl_request *req,
		   struct sim_oepl_reply *ret);
} routes[] = {
	{"/get_db", false, false, get_db},
	{"/backup_db", false, false, get_dump},
	{"/current/", false, true, get_current},
	{"/tagtypes/", false, true, get_type},
	{"/imgupload", true, false, imgupload},
	{"/jsonupload", true, false, jsonupload},
	{"/save_cfg", true, false, save_cfg},
	{"/tag_cmd", true, false, tag_cmd},
	{"/led_flash", false, false, led_flash},
	{"/getdata", false, false, getdata},
	{"/get_ap_config", false, false, get_ap_config},
	{"/sysinfo", false, false, get_sysinfo},
	{"/reboot", true, false, reboot},
};

void sim_oepl_answer(struct sim_oepl *ap, const struct sim_oepl_request *req,
		     struct sim_oepl_reply *ret)
{
	*ret = (struct sim_oepl_reply){.status = 200, .type = "text/plain"};
	if (!sim_oepl_is_up(ap)) {
		ret->status = 0;
		return;
	}
	ap->stats.requests++;
	if (oepl_now_us(ap) < ap->fail_us) {
		put_text(ret, 500, "");
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(routes); i++) {
		if (routes[i].post == req->post &&
		    (routes[i].prefix
			     ? strncmp(req->path, routes[i].path, strlen(routes[i].path)) == 0
			     : strcmp(req->path, routes[i].path) == 0)) {
			routes[i].fn(ap, req, ret);
			return;
		}
	}
	put_text(ret, 404, "");
}
