/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Readings of a label's sensors. POST /api/v1/labels/{id}/readings asks for some or all of them: a
 * wish with an end, which becomes part of the label's desired state as a flash does; its access
 * point asks the label when no price and no light needs the room, and says what it said. Each
 * reading counts in the battery's budget (common/sensor.h). GET of the same lists what was read.
 */
#include "common/err.h"
#include "common/fault.h"
#include "controller/http/list.h"
#include "controller/shop/desired.h"
#include "controller/shop/label.h"
#include "controller/shop/label_api.h"
#include "controller/shop/label_budget.h"
#include "controller/shop/label_notify.h"
#include "controller/shop/label_sensors.h"
#include "controller/shop/shop_internal.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* A label that listens answers within seconds; one that is silent must be asked again anyway. */
#define WAIT_US (INT64_C(60) * US_PER_SEC)

struct reading_op {
	struct shop_op op;
	struct idempotency again;
	struct shop_refusal why;
	uint64_t addr;
	uint8_t asked; /* a bit each; 0 = all */
	/* found out */
	int64_t agent_id;
	int64_t until_us;
	int64_t retry_s;
	char *answer; /* owned */
};

static void op_free(struct reading_op *o)
{
	free(o->answer);
	free(o);
}

/* --- the write ---------------------------------------------------------------------------------
 */

/* The sensors it has told of; those of `open` are waited for already. */
static int known_sensors(struct sql *s, uint64_t addr, int64_t now_us, uint8_t *ret_known,
			 uint8_t *ret_open)
{
	struct sql_stmt *q =
		sql_prepare(s, "SELECT n, asked_state = ? AND asked_until > ? FROM label_sensors"
			       " WHERE addr = ? AND n < ?");
	int r;

	*ret_known = *ret_open = 0;
	sql_bind_i64(q, 1, SENSOR_ASKED);
	sql_bind_i64(q, 2, now_us);
	sql_bind_i64(q, 3, (int64_t) addr);
	sql_bind_i64(q, 4, SENSORS_MAX);
	while ((r = sql_step(q)) > 0) {
		uint8_t bit = (uint8_t) (1u << sql_col_i64(q, 0));

		*ret_known |= bit;
		*ret_open |= sql_col_i64(q, 1) ? bit : 0;
	}
	return r;
}

static int check_budget(struct sql *s, struct reading_op *o, int64_t n, int64_t now_us)
{
	struct label_budget b;
	int r = label_budget_load(s, LABEL_COST_READING, o->addr, now_us, n, &b);

	if (r < 0 || !b.free_us)
		return r;
	o->retry_s = (b.free_us - now_us) / US_PER_SEC + 1;
	return shop_refuse(&o->why, 429, "battery-budget",
			   "A label is asked for %lld values an hour and %lld a day at most, for "
			   "its battery's sake.",
			   (long long) b.per_hour, (long long) b.per_day);
}

static int store_wish(struct sql *s, const struct reading_op *o, uint8_t sensors)
{
	struct sql_stmt *q = sql_prepare(s, "UPDATE labels SET sensors_until = ?, sensors_wanted = "
					    "?, wanted_rev = ? WHERE addr = ?");
	uint64_t rev;
	int r = db_next_rev(s, &rev);

	if (r < 0)
		return r;
	sql_bind_i64(q, 1, o->until_us);
	sql_bind_i64(q, 2, sensors);
	sql_bind_i64(q, 3, (int64_t) rev);
	sql_bind_i64(q, 4, (int64_t) o->addr);
	return sql_run(q);
}

static int store_asked(struct sql *s, const struct reading_op *o, int64_t n, int64_t now_us)
{
	struct sql_stmt *q = sql_prepare(
		s, "UPDATE label_sensors SET asked_at = ?1, asked_until = ?2, asked_state = ?5,"
		   " asked_text = '' WHERE addr = ?3 AND n = ?4");

	sql_bind_i64(q, 1, now_us);
	sql_bind_i64(q, 2, o->until_us);
	sql_bind_i64(q, 3, (int64_t) o->addr);
	sql_bind_i64(q, 4, n);
	sql_bind_i64(q, 5, SENSOR_ASKED);
	return sql_run(q);
}

static int store_read(struct sql *s, const struct reading_op *o, int64_t n, int64_t now_us)
{
	struct sql_stmt *q = sql_prepare(s, "INSERT INTO label_reads(at, who, addr, n, until)"
					    " VALUES(?, ?, ?, ?, ?)");

	sql_bind_i64(q, 1, now_us);
	sql_bind_text(q, 2, o->op.who);
	sql_bind_i64(q, 3, (int64_t) o->addr);
	sql_bind_i64(q, 4, n);
	sql_bind_i64(q, 5, o->until_us);
	return sql_run(q);
}

static int ask(struct sql *s, struct reading_op *o, int64_t now_us)
{
	uint8_t known = 0, open = 0, fresh;
	struct label l;
	int r = label_load(s, o->addr, &l);

	if (r == -ENOENT)
		return shop_refuse(&o->why, 404, "no-such-label", "No label has this id.");
	if (r == 0 && !l.agent_id)
		return shop_refuse(&o->why, 409, "no-access-point",
				   "No access point takes care of this label.");
	if (r == 0)
		r = known_sensors(s, o->addr, now_us, &known, &open);
	if (r < 0)
		return r;
	o->agent_id = l.agent_id;
	o->until_us = now_us + WAIT_US;
	if (!o->asked)
		o->asked = known;
	if (!known || (o->asked & ~known))
		return shop_refuse(&o->why, 409, "no-sensor",
				   known ? "This label has no such sensor."
					 : "This label has not told of a sensor.");
	fresh = o->asked & (uint8_t) ~open; /* what is asked for twice is read once */
	if (fresh)
		r = check_budget(s, o, __builtin_popcount(fresh), now_us);
	for (int64_t n = 0; n < SENSORS_MAX && r >= 0; n++) {
		if (!((o->asked | open) & 1u << n))
			continue;
		r = store_asked(s, o, n, now_us);
		if (r >= 0 && fresh & 1u << n)
			r = store_read(s, o, n, now_us);
	}
	return r < 0 ? r : store_wish(s, o, o->asked | open);
}

static json_t *numbers(uint8_t sensors)
{
	json_t *list = json_array();

	for (int n = 0; n < SENSORS_MAX; n++)
		if (sensors & 1u << n)
			json_array_append_new(list, json_integer(n));
	return list;
}

/** "sensors 0, 2" */
static void name_sensors(uint8_t asked, char *to, size_t cap)
{
	size_t n = (size_t) snprintf(to, cap, "sensors");

	for (unsigned int i = 0; i < 8 && n < cap; i++)
		if (asked & 1u << i)
			n += (size_t) snprintf(to + n, cap - n, "%s %u", n > 7 ? "," : "", i);
}

static int reading_write(struct sql *s, void *arg)
{
	struct reading_op *o = arg;
	char until[CLOCK_RFC3339_MAX], id[LABEL_ID_MAX], object[32], text[40];
	json_t *body;
	int64_t now;
	int r = db_now_us(s, &now);

	if (r == 0)
		r = ask(s, o, now);
	if (r < 0)
		return r;
	snprintf(object, sizeof object, "label:%s", label_id_format(o->addr, id));
	name_sensors(o->asked, text, sizeof text);
	r = db_audit(s, o->op.who, "label.read", object, text);
	if (r < 0)
		return r;
	FAULT_POINT("ctl.links.before_reading");
	body = json_pack("{s:s,s:o}", "until", clock_rfc3339(o->until_us, until), "sensors",
			 numbers(o->asked));
	o->answer = body ? json_dumps(body, JSON_COMPACT) : NULL;
	json_decref(body);
	return o->answer ? idempotency_store(s, &o->again, 202, o->answer) : -ENOMEM;
}

static void reading_done(void *arg, int err)
{
	struct reading_op *o = arg;
	struct shop *s = o->op.shop;
	struct buf body = BUF_INIT;
	char seconds[24];

	if (err < 0) {
		if (o->retry_s) {
			snprintf(seconds, sizeof seconds, "%lld", (long long) o->retry_s);
			http_set_header(o->op.rq, "Retry-After", seconds);
		}
		shop_reply_failed(&o->op, &o->why, &o->again, err, "Reading");
		op_free(o);
		return;
	}
	FAULT_POINT("ctl.links.after_reading");
	buf_put_str(&body, o->answer);
	http_reply_buf(o->op.rq, 202, "application/json", &body);
	label_notify(s, o->addr);
	desired_wake(s->desired, o->agent_id);
	op_free(o);
}

/* --- the requests ------------------------------------------------------------------------------
 */

static bool read_body(struct http_request *rq, struct reading_op *o)
{
	json_t *body = http_json(rq), *list = json_object_get(body, "sensors"), *v;
	bool ok = body && (!list || (json_is_array(list) && json_array_size(list) > 0));
	size_t i;

	json_array_foreach(list, i, v)
	{
		int64_t n = json_is_integer(v) ? json_integer_value(v) : -1;

		ok = ok && n >= 0 && n < SENSORS_MAX;
		if (ok)
			o->asked |= (uint8_t) (1u << n);
	}
	if (body && !ok)
		http_problem(rq, 422, "bad-sensors",
			     "sensors is a list of numbers from 0 to %d; without it all are read.",
			     SENSORS_MAX - 1);
	json_decref(body);
	return ok;
}

void label_api_read(struct http_request *rq, struct app *app)
{
	struct reading_op *o = calloc(1, sizeof *o);
	int r;

	if (!o) {
		http_reply_err(rq, -ENOMEM, "Reading");
		return;
	}
	if (label_id_parse(http_arg(rq, 0), &o->addr) < 0) {
		http_problem(rq, 404, "no-such-label", "No label has this id.");
		op_free(o);
		return;
	}
	if (!read_body(rq, o) || !idempotency_begin(rq, app, &o->again)) {
		op_free(o);
		return;
	}
	shop_op_init(&o->op, rq, app);
	r = db_write(app->db, reading_write, reading_done, o);
	if (r < 0) {
		http_reply_err(rq, r, "Reading");
		op_free(o);
	}
}

void label_api_readings(struct http_request *rq, struct app *app)
{
	struct list_page page;
	int64_t n, next = 0;
	struct label l;
	json_t *items;
	int r;

	if (!list_page_read(rq, &page) ||
	    !http_query_int(rq, "sensor", 0, 0, SENSORS_MAX - 1, &n) ||
	    !label_api_load(rq, app, &l))
		return;
	items = json_array();
	r = label_readings_list(db_reader(app->db), l.addr, n, page.after, page.limit, items,
				&next);
	if (r < 0) {
		json_decref(items);
		http_reply_err(rq, r, "Readings");
		return;
	}
	list_reply(rq, items, next);
}
