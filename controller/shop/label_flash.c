/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finding a label by its light. POST /api/v1/labels/{id}/flash is a wish with an end: it becomes
 * part of the label's desired state, its access point makes the label blink until then and says
 * whether it did, and after that instant nobody tries any more. Each flash costs battery, so that
 * a label has a budget of them (common/led.h), counted from rows that nothing deletes.
 */
#include "controller/shop/label_flash.h"
#include "common/err.h"
#include "common/fault.h"
#include "controller/shop/desired.h"
#include "controller/shop/display_ledger.h"
#include "controller/shop/label_api.h"
#include "controller/shop/label_budget.h"
#include "controller/shop/label_notify.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define SPEAK_OF_US   (INT64_C(600) * US_PER_SEC)
#define SECONDS_ASKED 30

/* --- words -------------------------------------------------------------------------------------
 */

/* In the order of preference: green is seen best and says nothing bad. */
static const struct {
	uint8_t colour;
	const char *text;
} names[] = {{LED_GREEN, "green"}, {LED_RED, "red"}, {LED_BLUE, "blue"}, {LED_WHITE, "white"}};

const char *label_colour_text(uint8_t colour)
{
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (names[i].colour == colour)
			return names[i].text;
	return "";
}

uint8_t label_colour_parse(const char *text)
{
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(names[i].text, text) == 0)
			return names[i].colour;
	return LED_NONE;
}

bool label_can_flash(const struct label *l, uint8_t colour)
{
	for (size_t i = 0; i < l->n_leds; i++)
		if (led_shows(l->leds[i], colour))
			return true;
	return false;
}

json_t *label_leds_json(const struct label *l)
{
	json_t *list = l->leds_known ? json_array() : json_null();

	for (size_t i = 0; i < ARRAY_SIZE(names) && l->leds_known; i++)
		if (label_can_flash(l, names[i].colour))
			json_array_append_new(list, json_string(names[i].text));
	return list;
}

json_t *label_flash_json(const struct label *l, int64_t now_us)
{
	const struct label_flash *f = &l->flash;
	char until[CLOCK_RFC3339_MAX];
	const char *state;

	if (!f->until_us || now_us - f->until_us > SPEAK_OF_US)
		return json_null();
	state = f->state == FLASH_FAILED     ? "failed"
		: f->state == FLASH_OFF      ? "off"
		: f->until_us <= now_us      ? "over"
		: f->state == FLASH_STOPPING ? "stopping"
		: f->state == FLASH_ON       ? "on"
					     : "asked";
	return json_pack("{s:s,s:s,s:s,s:o}", "colour", label_colour_text(f->colour), "until",
			 clock_rfc3339(f->until_us, until), "state", state, "reason",
			 f->text[0] ? json_string(f->text) : json_null());
}

/* --- asking ------------------------------------------------------------------------------------
 */

struct flash_op {
	struct shop_op op;
	struct idempotency again;
	struct flash_wish wish;
	char *answer; /* owned */
};

static void flash_free(struct flash_op *f)
{
	free(f->answer);
	free(f);
}

static int choose_colour(struct flash_wish *f, const struct label *l)
{
	char can[64] = "";

	if (!f->colour)
		f->colour = names[0].colour;
	if (!l->leds_known || label_can_flash(l, f->colour))
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (!label_can_flash(l, names[i].colour))
			continue;
		snprintf(can + strlen(can), sizeof can - strlen(can), "%s%s", can[0] ? ", " : "",
			 names[i].text);
	}
	if (!can[0])
		return shop_refuse(&f->why, 409, "no-led", "This label has no LED.");
	return shop_refuse(&f->why, 409, "no-led", "This label's LED cannot be %s; it can be %s.",
			   label_colour_text(f->colour), can);
}

static int check_budget(struct sql *s, struct flash_wish *f, int64_t now_us)
{
	struct label_budget b;
	int r = label_budget_load(s, LABEL_COST_FLASH, f->addr, now_us, 1, &b);

	if (r < 0 || !b.free_us)
		return r;
	f->retry_s = (b.free_us - now_us) / US_PER_SEC + 1;
	return shop_refuse(&f->why, 429, "battery-budget",
			   "A label blinks %d times an hour and %d times a day at most, for its "
			   "battery's sake.",
			   LED_FLASHES_PER_HOUR, LED_FLASHES_PER_DAY);
}

static int store_wish(struct sql *s, const struct flash_wish *f)
{
	struct sql_stmt *q =
		sql_prepare(s, "UPDATE labels SET flash_until = ?, flash_colour = ?,"
			       " flash_state = 0, flash_text = '', wanted_rev = ? WHERE addr = ?");
	uint64_t rev;
	int r = db_next_rev(s, &rev);

	if (r < 0)
		return r;
	sql_bind_i64(q, 1, f->until_us);
	sql_bind_i64(q, 2, f->colour);
	sql_bind_i64(q, 3, (int64_t) rev);
	sql_bind_i64(q, 4, (int64_t) f->addr);
	return sql_run(q);
}

static int store_row(struct sql *s, const struct flash_wish *f, int64_t now_us)
{
	struct sql_stmt *q =
		sql_prepare(s, "INSERT INTO label_flashes(at, who, addr, colour, until)"
			       " VALUES(?, ?, ?, ?, ?)");
	char text[48];
	struct ledger_entry e = {
		.addr = f->addr, .at_us = now_us, .kind = "flash-asked", .text = text};
	int r;

	snprintf(text, sizeof text, "%s, %lld s", label_colour_text(f->colour),
		 (long long) f->seconds);
	sql_bind_i64(q, 1, now_us);
	sql_bind_text(q, 2, f->who);
	sql_bind_i64(q, 3, (int64_t) f->addr);
	sql_bind_i64(q, 4, f->colour);
	sql_bind_i64(q, 5, f->until_us);
	r = sql_run(q);
	return r < 0 ? r : ledger_append(s, &e);
}

int label_flash_ask(struct sql *s, struct flash_wish *f, int64_t now_us)
{
	struct label l;
	int r = label_load(s, f->addr, &l);

	if (r == -ENOENT)
		return shop_refuse(&f->why, 404, "no-such-label", "No label has this id.");
	if (r == 0 && !l.agent_id)
		return shop_refuse(&f->why, 409, "no-access-point",
				   "No access point takes care of this label.");
	if (r == 0)
		r = choose_colour(f, &l);
	if (r == 0)
		r = check_budget(s, f, now_us);
	if (r < 0)
		return r;
	f->agent_id = l.agent_id;
	f->until_us = now_us + f->seconds * US_PER_SEC;
	r = store_wish(s, f);
	return r < 0 ? r : store_row(s, f, now_us);
}

/* Its end and colour stay: the access point is told that nothing may blink until then. */
static int store_stop(struct sql *s, const struct flash_wish *f)
{
	struct sql_stmt *q = sql_prepare(s, "UPDATE labels SET flash_state = ?, flash_text = '',"
					    " wanted_rev = ? WHERE addr = ?");
	uint64_t rev;
	int r = db_next_rev(s, &rev);

	if (r < 0)
		return r;
	sql_bind_i64(q, 1, FLASH_STOPPING);
	sql_bind_i64(q, 2, (int64_t) rev);
	sql_bind_i64(q, 3, (int64_t) f->addr);
	return sql_run(q);
}

int label_flash_stop(struct sql *s, struct flash_wish *f, int64_t now_us, bool *ret_stopped)
{
	struct ledger_entry e = {.addr = f->addr, .at_us = now_us, .kind = "flash-stopped"};
	struct label l;
	int r = label_load(s, f->addr, &l);

	*ret_stopped = false;
	if (r == -ENOENT)
		return shop_refuse(&f->why, 404, "no-such-label", "No label has this id.");
	if (r < 0 || l.flash.until_us <= now_us || l.flash.state == FLASH_FAILED ||
	    l.flash.state == FLASH_OFF)
		return r;
	if (l.flash.state != FLASH_ASKED)
		f->until_us = l.flash.until_us; /* out at the latest then, should it not hear */
	if (l.flash.state == FLASH_STOPPING)
		return 0;
	f->agent_id = l.agent_id;
	*ret_stopped = true;
	r = store_stop(s, f);
	return r < 0 ? r : ledger_append(s, &e);
}

static int audit_one(struct sql *s, const struct flash_op *f)
{
	char id[LABEL_ID_MAX], object[32], text[48];

	snprintf(text, sizeof text, "%s, %lld s", label_colour_text(f->wish.colour),
		 (long long) f->wish.seconds);
	snprintf(object, sizeof object, "label:%s", label_id_format(f->wish.addr, id));
	return db_audit(s, f->op.who, "label.flash", object, text);
}

static int flash_write(struct sql *s, void *arg)
{
	struct flash_op *f = arg;
	char until[CLOCK_RFC3339_MAX];
	json_t *body;
	int64_t now;
	int r = db_now_us(s, &now);

	f->wish.who = f->op.who;
	if (r == 0)
		r = label_flash_ask(s, &f->wish, now);
	if (r == 0)
		r = audit_one(s, f);
	if (r < 0)
		return r;
	FAULT_POINT("ctl.links.before_flash");
	body = json_pack("{s:s,s:s,s:I}", "until", clock_rfc3339(f->wish.until_us, until), "colour",
			 label_colour_text(f->wish.colour), "seconds",
			 (json_int_t) f->wish.seconds);
	f->answer = body ? json_dumps(body, JSON_COMPACT) : NULL;
	json_decref(body);
	return f->answer ? idempotency_store(s, &f->again, 202, f->answer) : -ENOMEM;
}

static void flash_done(void *arg, int err)
{
	struct flash_op *f = arg;
	struct shop *s = f->op.shop;
	struct buf body = BUF_INIT;
	char seconds[24];

	if (err < 0) {
		if (f->wish.retry_s) {
			snprintf(seconds, sizeof seconds, "%lld", (long long) f->wish.retry_s);
			http_set_header(f->op.rq, "Retry-After", seconds);
		}
		shop_reply_failed(&f->op, &f->wish.why, &f->again, err, "Flash");
		flash_free(f);
		return;
	}
	FAULT_POINT("ctl.links.after_flash");
	buf_put_str(&body, f->answer);
	http_reply_buf(f->op.rq, 202, "application/json", &body);
	label_notify(s, f->wish.addr);
	desired_wake(s->desired, f->wish.agent_id);
	flash_free(f);
}

bool label_flash_read(struct http_request *rq, const json_t *body, int64_t *ret_seconds,
		      uint8_t *ret_colour)
{
	const json_t *seconds = json_object_get(body, "seconds"),
		     *colour = json_object_get(body, "colour");

	*ret_seconds = seconds ? json_integer_value(seconds) : SECONDS_ASKED;
	*ret_colour = LED_NONE;
	if ((seconds && !json_is_integer(seconds)) || *ret_seconds < 1 ||
	    *ret_seconds > LED_FLASH_MAX_S) {
		http_problem(rq, 422, "bad-seconds", "seconds is 1 to %d.", LED_FLASH_MAX_S);
		return false;
	}
	if (!colour)
		return true;
	if (json_is_string(colour))
		*ret_colour = label_colour_parse(json_string_value(colour));
	if (*ret_colour == LED_NONE)
		http_problem(rq, 422, "bad-colour", "colour is red, green, blue or white.");
	return *ret_colour != LED_NONE;
}

static bool read_body(struct http_request *rq, struct flash_op *f)
{
	json_t *body = http_json(rq);
	bool ok = body && label_flash_read(rq, body, &f->wish.seconds, &f->wish.colour);

	json_decref(body);
	return ok;
}

void label_api_flash(struct http_request *rq, struct app *app)
{
	struct flash_op *f = calloc(1, sizeof *f);
	int r;

	if (!f) {
		http_reply_err(rq, -ENOMEM, "Flash");
		return;
	}
	if (label_id_parse(http_arg(rq, 0), &f->wish.addr) < 0) {
		http_problem(rq, 404, "no-such-label", "No label has this id.");
		flash_free(f);
		return;
	}
	if (!read_body(rq, f) || !idempotency_begin(rq, app, &f->again)) {
		flash_free(f);
		return;
	}
	shop_op_init(&f->op, rq, app);
	r = db_write(app->db, flash_write, flash_done, f);
	if (r < 0) {
		http_reply_err(rq, r, "Flash");
		flash_free(f);
	}
}

/* --- what the access point says ----------------------------------------------------------------
 */

static int keep_leds(struct sql *s, const struct label *l, const struct proto_label_report *rep)
{
	struct sql_stmt *q = sql_prepare(s, "UPDATE labels SET leds = ? WHERE addr = ?");

	if (l->leds_known && l->n_leds == rep->n_leds &&
	    memcmp(l->leds, rep->leds, rep->n_leds) == 0)
		return 0;
	sql_bind_blob(q, 1, rep->leds, rep->n_leds);
	sql_bind_i64(q, 2, (int64_t) l->addr);
	return sql_run(q);
}

/* Called off, and over: it is dark, or goes out by itself and `text` says why. */
static int turned_off(struct sql *s, const struct label *l, const struct proto_label_report *rep,
		      struct ledger_entry *e, const char *text)
{
	struct sql_stmt *q = sql_prepare(s, "UPDATE labels SET flash_state = ?, flash_text = ?"
					    " WHERE addr = ? AND flash_until = ?"
					    " AND flash_state <> ?");
	int r;

	sql_bind_i64(q, 1, *text ? FLASH_STOPPING : FLASH_OFF);
	sql_bind_text(q, 2, text);
	sql_bind_i64(q, 3, (int64_t) l->addr);
	sql_bind_i64(q, 4, rep->led_off_us);
	sql_bind_i64(q, 5, FLASH_FAILED);
	r = sql_run(q);
	e->kind = "flash-off";
	e->text = text;
	return r < 0 ? r : ledger_append(s, e);
}

int label_flash_reported(struct sql *s, const struct label *l, const struct proto_label_report *rep,
			 int64_t agent_id, int64_t at_us, const char *text)
{
	bool on = rep->led == LED_REPORT_ON;
	char until[CLOCK_RFC3339_MAX], blinks[64];
	struct ledger_entry e = {.addr = l->addr,
				 .at_us = at_us,
				 .agent_id = agent_id,
				 .kind = on ? "flash" : "flash-failed",
				 .text = on ? blinks : text};
	struct sql_stmt *q;
	int r = rep->has_leds ? keep_leds(s, l, rep) : 0;

	if (r >= 0 && rep->led_off_us)
		return turned_off(s, l, rep, &e, text);
	if (r < 0 || rep->led == LED_REPORT_NONE)
		return r;
	snprintf(blinks, sizeof blinks, "%s until %s", label_colour_text(rep->led_colour),
		 clock_rfc3339(rep->led_until_us, until));
	/* One that was called off meanwhile stays so. */
	q = sql_prepare(s, "UPDATE labels SET flash_state = ?, flash_text = ?"
			   " WHERE addr = ? AND flash_until = ? AND flash_state IN (?, ?)");
	sql_bind_i64(q, 1, on ? FLASH_ON : FLASH_FAILED);
	sql_bind_text(q, 2, on ? "" : text);
	sql_bind_i64(q, 3, (int64_t) l->addr);
	sql_bind_i64(q, 4, rep->led_until_us);
	sql_bind_i64(q, 5, FLASH_ASKED);
	sql_bind_i64(q, 6, FLASH_ON);
	r = sql_run(q);
	return r < 0 ? r : ledger_append(s, &e);
}
