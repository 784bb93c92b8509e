/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/shop/label.h"
#include "common/clock.h"
#include "common/err.h"
#include "common/gtin.h"
#include "common/hex.h"
#include "controller/db/db.h"
#include "controller/shop/display_ledger.h"
#include "controller/shop/label_state.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

const char *label_id_format(uint64_t addr, char buf[LABEL_ID_MAX])
{
	snprintf(buf, LABEL_ID_MAX, "%012llX", (unsigned long long) (addr & 0xffffffffffffu));
	return buf;
}

int label_id_parse(const char *text, uint64_t *ret_addr)
{
	uint8_t bytes[LABEL_ADDR_BYTES];

	if (strlen(text) != 2 * LABEL_ADDR_BYTES || hex_decode(text, bytes, sizeof bytes) < 0)
		return -ERR_SYNTAX;
	*ret_addr = label_addr_number(bytes);
	return 0;
}

uint64_t label_addr_number(const uint8_t addr[LABEL_ADDR_BYTES])
{
	uint64_t v = 0;

	for (size_t i = 0; i < LABEL_ADDR_BYTES; i++)
		v = v << 8 | addr[i];
	return v;
}

void label_addr_bytes(uint64_t addr, uint8_t ret[LABEL_ADDR_BYTES])
{
	for (size_t i = LABEL_ADDR_BYTES; i-- > 0; addr >>= 8)
		ret[i] = (uint8_t) addr;
}

static void copy_hash(struct sql_stmt *q, int i, uint8_t to[IMAGE_HASH_BYTES])
{
	size_t len;
	const void *p = sql_col_blob(q, i, &len);

	memset(to, 0, IMAGE_HASH_BYTES);
	if (p && len == IMAGE_HASH_BYTES)
		memcpy(to, p, len);
}

static void copy_fact(struct sql_stmt *q, int i, struct label_fact *f)
{
	copy_hash(q, i, f->image);
	f->at_us = sql_col_is_null(q, i) ? 0 : sql_col_i64(q, i + 1);
}

static void copy_text(struct sql_stmt *q, int i, char *to, size_t cap)
{
	const char *text = sql_col_text(q, i);

	snprintf(to, cap, "%s", text ? text : "");
}

static void read_light(struct sql_stmt *q, struct label *l)
{
	size_t len;
	const void *leds = sql_col_blob(q, 30, &len);

	l->leds_known = !sql_col_is_null(q, 30);
	l->n_leds = (uint8_t) MIN(len, sizeof l->leds);
	if (leds)
		memcpy(l->leds, leds, l->n_leds);
	l->flash = (struct label_flash){.until_us = sql_col_i64(q, 31),
					.colour = (uint8_t) sql_col_i64(q, 32),
					.state = (uint8_t) sql_col_i64(q, 33)};
	copy_text(q, 34, l->flash.text, sizeof l->flash.text);
}

static void read_label(struct sql_stmt *q, struct label *l)
{
	*l = (struct label){.addr = (uint64_t) sql_col_i64(q, 0),
			    .agent_id = sql_col_i64(q, 1),
			    .heard_by = sql_col_i64(q, 2),
			    .width = (uint16_t) sql_col_i64(q, 3),
			    .height = (uint16_t) sql_col_i64(q, 4),
			    .display_type = (uint8_t) sql_col_i64(q, 5),
			    .product_id = sql_col_i64(q, 6),
			    .gtin = (uint64_t) sql_col_i64(q, 7),
			    .battery_mv = sql_col_i64(q, 9),
			    .temperature_cc =
				    sql_col_is_null(q, 10) ? INT16_MIN : sql_col_i64(q, 10),
			    .rssi_dbm = sql_col_i64(q, 11),
			    .last_seen_us = sql_col_i64(q, 12),
			    .stale = sql_col_i64(q, 13),
			    .done = sql_col_i64(q, 14),
			    .wanted_rev = (uint64_t) sql_col_i64(q, 15),
			    .grade = (int) sql_col_i64(q, 22),
			    .error = (int) sql_col_i64(q, 23),
			    .lost = !sql_col_is_null(q, 25)};
	copy_text(q, 8, l->product, sizeof l->product);
	copy_fact(q, 16, &l->staged);
	copy_fact(q, 18, &l->sent);
	copy_fact(q, 20, &l->shown);
	copy_text(q, 24, l->error_text, sizeof l->error_text);
	copy_text(q, 26, l->lost_text, sizeof l->lost_text);
	copy_text(q, 27, l->agent, sizeof l->agent);
	l->retired_us = sql_col_i64(q, 28);
	l->replaced_by = (uint64_t) sql_col_i64(q, 29);
	read_light(q, l);
}

int label_load(struct sql *s, uint64_t addr, struct label *ret)
{
	struct sql_stmt *q = sql_prepare(
		s, "SELECT l.addr, l.agent_id, l.heard_by, l.width, l.height, l.display_type,"
		   " l.product_id, p.gtin, p.name, l.battery_mv, l.temperature_cc, l.rssi_dbm,"
		   " l.last_seen, l.stale, l.done, l.wanted_rev, l.staged_image, l.staged_at,"
		   " l.sent_image, l.sent_at, l.shown_image, l.shown_since, l.shown_grade, l.error,"
		   " l.error_text, l.lost_at, l.lost_text, a.name, l.retired_at, l.replaced_by,"
		   " l.leds, l.flash_until, l.flash_colour, l.flash_state, l.flash_text"
		   " FROM labels l"
		   " LEFT JOIN products p ON p.id = l.product_id"
		   " LEFT JOIN agents a ON a.id = l.agent_id WHERE l.addr = ?");
	int r;

	sql_bind_i64(q, 1, (int64_t) addr);
	r = sql_step(q);
	if (r <= 0)
		return r < 0 ? r : -ENOENT;
	read_label(q, ret);
	sql_reset(q);
	r = label_load_wanted(s, addr, ret->wanted);
	if (r < 0)
		return r;
	ret->n_wanted = (size_t) r;
	return 0;
}

int label_load_wanted(struct sql *s, uint64_t addr, struct label_wish ret[PROTO_MAX_TIMELINE])
{
	struct sql_stmt *q =
		sql_prepare(s, "SELECT from_at, image, price_minor, currency, staged_at FROM wanted"
			       " WHERE addr = ? ORDER BY from_at LIMIT ?");
	size_t n = 0;
	int r = 0;

	sql_bind_i64(q, 1, (int64_t) addr);
	sql_bind_i64(q, 2, PROTO_MAX_TIMELINE);
	while (n < PROTO_MAX_TIMELINE && (r = sql_step(q)) > 0) {
		struct label_wish *w = &ret[n++];

		*w = (struct label_wish){.from_us = sql_col_i64(q, 0),
					 .has_price = !sql_col_is_null(q, 2),
					 .price_minor = sql_col_i64(q, 2),
					 .staged_us = sql_col_i64(q, 4)};
		copy_hash(q, 1, w->image);
		copy_text(q, 3, w->currency, sizeof w->currency);
	}
	if (n < PROTO_MAX_TIMELINE && r < 0)
		return r;
	sql_reset(q);
	return (int) n;
}

const struct label_wish *label_wish_at(const struct label *l, int64_t now_us)
{
	const struct label_wish *in_force = NULL;

	for (size_t i = 0; i < l->n_wanted; i++)
		if (l->wanted[i].from_us <= now_us)
			in_force = &l->wanted[i];
	return in_force;
}

/* --- the API's object --------------------------------------------------------------------------
 */

static json_t *hash_json(const uint8_t hash[IMAGE_HASH_BYTES])
{
	char hex[IMAGE_HASH_HEX_MAX];

	return json_string(hex_encode(hash, IMAGE_HASH_BYTES, hex));
}

static json_t *time_json(int64_t us)
{
	char text[CLOCK_RFC3339_MAX];

	return json_string(clock_rfc3339(us, text));
}

/* What is held has no date yet. */
static json_t *wanted_json(const struct label_wish *w)
{
	bool held = w && w->from_us == PROTO_HOLD_US;

	if (!w)
		return json_null();
	return json_pack("{s:o,s:o,s:o,s:o,s:b}", "image", hash_json(w->image), "from",
			 held ? json_null() : time_json(w->from_us), "price_minor",
			 w->has_price ? json_integer(w->price_minor) : json_null(), "currency",
			 w->has_price ? json_string(w->currency) : json_null(), "held", held);
}

static json_t *ahead_json(const struct label *l, const struct label_wish *in_force)
{
	json_t *a = json_array();

	for (size_t i = 0; i < l->n_wanted; i++)
		if (!in_force || &l->wanted[i] > in_force)
			json_array_append_new(a, wanted_json(&l->wanted[i]));
	return a;
}

static json_t *sent_json(const struct label_fact *f)
{
	if (!f->at_us)
		return json_null();
	return json_pack("{s:o,s:o}", "image", hash_json(f->image), "at", time_json(f->at_us));
}

static json_t *shown_json(const struct label *l)
{
	const char *grade = ledger_grade_text(l->grade);

	if (!l->shown.at_us || !grade)
		return json_null();
	return json_pack("{s:o,s:o,s:s}", "image", hash_json(l->shown.image), "since",
			 time_json(l->shown.at_us), "grade", grade);
}

static json_t *product_json_of(const struct label *l)
{
	char gtin[GTIN_STR_MAX];

	if (!l->product_id)
		return json_null();
	return json_pack("{s:I,s:o,s:s}", "id", (json_int_t) l->product_id, "gtin",
			 l->gtin ? json_string(gtin_format(l->gtin, gtin)) : json_null(), "name",
			 l->product);
}

static json_t *retired_json(const struct label *l)
{
	char id[LABEL_ID_MAX];

	if (!l->retired_us)
		return json_null();
	return json_pack("{s:o,s:s}", "at", time_json(l->retired_us), "replaced_by",
			 label_id_format(l->replaced_by, id));
}

static const char *colours(uint8_t type)
{
	return type == DISPLAY_RED_BLACK_WHITE      ? "bwr"
	       : type == DISPLAY_YELLOW_BLACK_WHITE ? "bwy"
						    : "bw";
}

static json_t *number_or_null(int64_t v, int64_t unknown)
{
	return v == unknown ? json_null() : json_integer(v);
}

json_t *label_json(const struct label *l, struct label_agent_view agent, int64_t now_us)
{
	const struct label_wish *wish = label_wish_at(l, now_us);
	struct label_facts f = {.linked = l->product_id != 0,
				.adopted = l->agent_id != 0,
				.agent_online = agent.online,
				.agent_has_wish = agent.seen_rev >= l->wanted_rev,
				.has_size = l->width > 0,
				.drawing = l->stale != l->done,
				.lost = l->lost,
				.retired = l->retired_us != 0,
				.error = l->error,
				.agent = l->agent,
				.text = l->lost ? l->lost_text : l->error_text,
				.wanted = wish ? wish->image : NULL,
				.staged = l->staged.at_us ? l->staged.image : NULL,
				.sent = l->sent.at_us ? l->sent.image : NULL,
				.shown = l->shown.at_us ? l->shown.image : NULL,
				.grade = l->grade};
	char id[LABEL_ID_MAX], reason[LABEL_REASON_MAX];
	enum label_state state = label_state_of(&f, reason);
	json_t *o = json_pack("{s:s,s:i,s:i,s:i,s:s,s:o,s:o,s:o,s:s,s:o}", "id",
			      label_id_format(l->addr, id), "width", l->width, "height", l->height,
			      "display_type", l->display_type, "colours", colours(l->display_type),
			      "agent_id", number_or_null(l->agent_id, 0), "agent",
			      l->agent[0] ? json_string(l->agent) : json_null(), "product",
			      product_json_of(l), "state", label_state_text(state), "reason",
			      reason[0] ? json_string(reason) : json_null());

	json_object_set_new(o, "wanted", wanted_json(wish));
	json_object_set_new(o, "ahead", ahead_json(l, wish));
	json_object_set_new(o, "sent", sent_json(&l->sent));
	json_object_set_new(o, "shown", shown_json(l));
	json_object_set_new(o, "battery_mv", number_or_null(l->battery_mv, 0));
	json_object_set_new(o, "temperature_c",
			    l->temperature_cc == INT16_MIN
				    ? json_null()
				    : json_real((double) l->temperature_cc / 100));
	json_object_set_new(o, "rssi_dbm", number_or_null(l->rssi_dbm, 0));
	json_object_set_new(o, "last_seen", time_json(l->last_seen_us));
	json_object_set_new(o, "leds", label_leds_json(l));
	json_object_set_new(o, "flash", label_flash_json(l, now_us));
	json_object_set_new(o, "retired", retired_json(l));
	return o;
}

/* --- whose label it is -------------------------------------------------------------------------
 */

static int tell_to_forget(struct sql *s, uint64_t addr, int64_t agent_id)
{
	struct sql_stmt *q =
		sql_prepare(s, "INSERT INTO labels_forgotten(agent_id, addr, rev)"
			       " VALUES(?1, ?2, ?3) ON CONFLICT DO UPDATE SET rev = ?3");
	uint64_t rev;
	int r = db_next_rev(s, &rev);

	if (r < 0)
		return r;
	sql_bind_i64(q, 1, agent_id);
	sql_bind_i64(q, 2, (int64_t) addr);
	sql_bind_i64(q, 3, (int64_t) rev);
	return sql_run(q);
}

int label_assign(struct sql *s, uint64_t addr, int64_t from_agent, int64_t to_agent)
{
	struct sql_stmt *q;
	uint64_t rev;
	int r = 0;

	if (from_agent && from_agent != to_agent)
		r = tell_to_forget(s, addr, from_agent);
	if (r == 0)
		r = db_next_rev(s, &rev);
	if (r < 0)
		return r;
	q = sql_prepare(s, "DELETE FROM labels_forgotten WHERE agent_id = ? AND addr = ?");
	sql_bind_i64(q, 1, to_agent);
	sql_bind_i64(q, 2, (int64_t) addr);
	r = sql_run(q);
	if (r < 0)
		return r;
	/* its next owner knows nothing of what its slots hold */
	q = sql_prepare(s, "UPDATE wanted SET staged_at = NULL WHERE addr = ?");
	sql_bind_i64(q, 1, (int64_t) addr);
	r = sql_run(q);
	if (r < 0)
		return r;
	q = sql_prepare(s, "UPDATE labels SET agent_id = ?, wanted_rev = ?, stale = stale + 1,"
			   " lost_at = NULL, lost_text = '' WHERE addr = ?");
	if (to_agent)
		sql_bind_i64(q, 1, to_agent);
	sql_bind_i64(q, 2, (int64_t) rev);
	sql_bind_i64(q, 3, (int64_t) addr);
	return sql_run(q);
}
