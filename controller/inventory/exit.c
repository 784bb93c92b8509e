/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/inventory/exit.h"
#include "common/err.h"
#include "common/fault.h"
#include "common/gtin.h"
#include "common/hex.h"
#include "common/log.h"
#include "controller/db/db.h"
#include "controller/http/events.h"
#include "controller/incidents/incidents.h"
#include "controller/inventory/inv_impl.h"
#include "controller/inventory/walk.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOOK_US      US_PER_SEC
#define RELOOK_US    (5 * US_PER_SEC) /* at incidents that may be explained yet */
#define AT_ONCE      64
#define INSIDE_US    (3 * US_PER_SEC) /* heard this long after, it did not leave */
#define CHART_MAX    60               /* points of the evidence */
#define LEFT_AT_ONCE 256
#define SCAN_AT_ONCE 50000

/* An item that was heard last at an exit without a door. */
struct left {
	struct epc epc;
	uint32_t place;
	int64_t at_us;
};

struct exits {
	struct inventory *inv;
	struct loop_timer *timer;
	bool busy; /* a write is under way */
	int64_t relook_us, relook_after;
	struct left *left;
	uint32_t n_left, cap_left;
	uint32_t scan_at; /* items looked at since the start */
	bool scanned;
	size_t n_doored; /* places with a door */
	uint32_t doored[DOORS_MAX];
};

/* One passage to decide on, with what the inventory knows. */
struct verdict {
	int64_t id;
	bool inside; /* heard in the store again */
	int64_t heard_us;
	char place[PLACE_NAME_MAX + 1];
};

struct exit_op {
	struct exits *exits;
	size_t n, n_left;
	struct verdict v[AT_ONCE];
	struct left left[LEFT_AT_ONCE];
	bool told;
};

/* --- an incident's evidence --------------------------------------------------------------------
 */

struct open_row {
	int64_t id, door, place, began_us, at_us, due_us, agent;
	struct epc epc;
	uint64_t gtin;
	bool unsold;
	char direction[16];
	double confidence;
	int64_t reads;
	char door_name[80], place_name[PLACE_NAME_MAX + 1], product[200];
	int64_t product_id, grace_us;
};

/* [milliseconds, source, dBm] of every few reads. */
static json_t *chart_json(struct sql *s, int64_t id)
{
	struct sql_stmt *q = sql_prepare(s, "SELECT body FROM passages WHERE id = ?");
	json_t *list = json_array();
	struct proto_reads_entry e;
	const void *body;
	size_t len;

	sql_bind_i64(q, 1, id);
	if (sql_step(q) <= 0)
		return list;
	body = sql_col_blob(q, 0, &len);
	if (body && proto_reads_entry_decode(body, len, &e) == 0) {
		for (size_t i = 0; i < e.n; i += e.n / CHART_MAX + 1)
			json_array_append_new(
				list,
				json_pack("[I,i,f]",
					  (json_int_t) ((e.reads[i].at_us - e.reads[0].at_us) /
							US_PER_MS),
					  (int) e.reads[i].source, e.reads[i].rssi_cdbm / 100.0));
		proto_reads_entry_done(&e);
	}
	sql_reset(q);
	return list;
}

static char *detail_text(struct sql *s, const struct open_row *p)
{
	char hex[EPC_HEX_MAX], gtin[GTIN_STR_MAX], at[CLOCK_RFC3339_MAX];
	json_t *d = json_pack("{s:s,s:s,s:s?,s:o,s:s,s:s?,s:s,s:s,s:f,s:I,s:I,s:o}", "epc",
			      epc_to_hex(&p->epc, hex), "gtin",
			      p->gtin ? gtin_format(p->gtin, gtin) : "", "product",
			      p->product[0] ? p->product : NULL, "product_id",
			      p->product_id ? json_integer(p->product_id) : json_null(), "place",
			      p->place_name, "door", p->door_name[0] ? p->door_name : NULL, "at",
			      clock_rfc3339(p->at_us, at), "direction", p->direction, "confidence",
			      p->confidence, "reads", (json_int_t) p->reads, "passage_id",
			      (json_int_t) p->id, "chart", chart_json(s, p->id));
	char *text = d ? json_dumps(d, JSON_COMPACT | JSON_REAL_PRECISION(4)) : NULL;

	json_decref(d);
	return text;
}

static int open_incident(struct sql *s, const struct open_row *p, int64_t now_us)
{
	_cleanup_free_ char *detail = detail_text(s, p);
	char subject[EPC_HEX_MAX + 8] = "item:", title[INCIDENT_TITLE_MAX];
	struct incident_new n = {
		.kind = EXIT_INCIDENT,
		.subject = subject,
		.agent_id = p->agent,
		.severity = p->confidence >= 0.75 ? INCIDENT_GRAVE : INCIDENT_WARNING,
		.title = title,
		.next_step =
			"Look at the door and ask at the till. If it was sold, tell the sale: this "
			"closes by itself. If it was not, it is a loss: settle the difference.",
		.detail = detail,
	};
	int64_t id;
	int r;

	epc_to_hex(&p->epc, subject + strlen(subject));
	snprintf(title, sizeof(title), "%.120s left by %.80s and was not sold.",
		 p->product[0] ? p->product : "An item",
		 p->door_name[0] ? p->door_name : p->place_name);
	r = incident_open(s, &n, now_us, &id);
	return r < 0 ? r : 0;
}

/* --- deciding, on the writer thread ------------------------------------------------------------
 */

static int read_open(struct sql *s, int64_t id, struct open_row *p)
{
	struct sql_stmt *q = sql_prepare(
		s,
		"SELECT p.door_id, p.place_id, p.began, p.at, p.due, p.agent_id, p.epc, p.epc_bits,"
		" p.gtin, p.state, p.direction, p.confidence, p.reads, d.name, pl.name,"
		" d.grace_s FROM passages p LEFT JOIN doors d ON d.id = p.door_id"
		" LEFT JOIN places pl ON pl.id = p.place_id"
		" WHERE p.id = ? AND p.state IN ('waiting', 'unsold')");
	size_t len;
	const void *epc;
	int r;

	sql_bind_i64(q, 1, id);
	r = sql_step(q);
	if (r <= 0)
		return r;
	*p = (struct open_row){
		.id = id,
		.door = sql_col_i64(q, 0),
		.place = sql_col_i64(q, 1),
		.began_us = sql_col_i64(q, 2),
		.at_us = sql_col_i64(q, 3),
		.due_us = sql_col_i64(q, 4),
		.agent = sql_col_i64(q, 5),
		.gtin = (uint64_t) sql_col_i64(q, 8),
		.unsold = strcmp(sql_col_text(q, 9), "unsold") == 0,
		.confidence = sql_col_f64(q, 11),
		.reads = sql_col_i64(q, 12),
		.grace_us =
			(sql_col_is_null(q, 15) ? EXIT_GRACE_S : sql_col_i64(q, 15)) * US_PER_SEC,
	};
	epc = sql_col_blob(q, 6, &len);
	r = len <= EPC_MAX_BYTES ? epc_set(&p->epc, epc, (size_t) sql_col_i64(q, 7)) : -ERR_CORRUPT;
	snprintf(p->direction, sizeof(p->direction), "%s", sql_col_text(q, 10));
	snprintf(p->door_name, sizeof(p->door_name), "%s",
		 sql_col_is_null(q, 13) ? "" : sql_col_text(q, 13));
	snprintf(p->place_name, sizeof(p->place_name), "%s",
		 sql_col_is_null(q, 14) ? "an exit" : sql_col_text(q, 14));
	sql_reset(q);
	return r < 0 ? r : 1;
}

static int name_product(struct sql *s, struct open_row *p)
{
	char text[GTIN_STR_MAX];
	struct sql_stmt *q;
	int r;

	if (!p->gtin)
		return 0;
	q = sql_prepare(s, "SELECT p.id, p.name FROM product_aliases a JOIN products p"
			   " ON p.id = a.product_id WHERE a.store_id = 1 AND a.kind = 'gtin'"
			   " AND a.value = ?");
	sql_bind_text(q, 1, gtin_format(p->gtin, text));
	r = sql_step(q);
	if (r > 0) {
		p->product_id = sql_col_i64(q, 0);
		snprintf(p->product, sizeof(p->product), "%s", sql_col_text(q, 1));
	}
	sql_reset(q);
	return r < 0 ? r : 0;
}

static int set_state(struct sql *s, const struct open_row *p, const char *state, int64_t sale,
		     const char *note)
{
	struct sql_stmt *q = sql_prepare(s, "UPDATE passages SET state = ?, due = NULL,"
					    " sale_line = ?, note = ? WHERE id = ?");

	sql_bind_text(q, 1, state);
	if (sale)
		sql_bind_i64(q, 2, sale);
	sql_bind_text(q, 3, note);
	sql_bind_i64(q, 4, p->id);
	return sql_run(q);
}

/* All is well; what was told of it closes. */
static int explain(struct sql *s, const struct open_row *p, const char *state, int64_t sale,
		   const char *note, int64_t now_us)
{
	char subject[EPC_HEX_MAX + 8] = "item:";
	int r = set_state(s, p, state, sale, note);

	if (r || !p->unsold)
		return r;
	epc_to_hex(&p->epc, subject + strlen(subject));
	r = incident_close(s, EXIT_INCIDENT, subject, now_us, note);
	return r < 0 ? r : 0;
}

static int decide(struct sql *s, const struct verdict *v, int64_t now_us, bool *told)
{
	struct exit_sale sale;
	struct open_row p;
	char note[200], at[CLOCK_RFC3339_MAX];
	int r = read_open(s, v->id, &p);

	if (r <= 0)
		return r;
	r = exit_find_sale(s, &p.epc, p.gtin, p.at_us, p.grace_us, &sale);
	if (r > 0) {
		snprintf(note, sizeof(note), "Sold: till %s, number %s, %s.", sale.till,
			 sale.number, clock_rfc3339(sale.at_us, at));
		*told = true;
		return explain(s, &p, "sold", sale.line, note, now_us);
	}
	if (r < 0)
		return r;
	if (v->inside) {
		snprintf(note, sizeof(note), "Still in the store: heard at %s later.", v->place);
		*told = true;
		return explain(s, &p, "stayed", 0, note, now_us);
	}
	if (p.unsold || p.due_us > now_us)
		return 0;
	*told = true;
	r = name_product(s, &p);
	if (r < 0)
		return r;
	/* What the store does not sell is nobody's loss here: a visitor's own coat. */
	if (!p.product_id)
		return set_state(s, &p, "stranger", 0, "Not a product of this store.");
	r = open_incident(s, &p, now_us);
	return r ? r : set_state(s, &p, "unsold", 0, "Not sold within the grace.");
}

static int write_exits(struct sql *s, void *arg)
{
	struct exit_op *op = arg;
	int64_t now_us;
	int r = db_now_us(s, &now_us);

	for (size_t i = 0; i < op->n_left && !r; i++) {
		const struct left *l = &op->left[i];
		const struct passage_row p = {
			.place = l->place,
			.epc = &l->epc,
			.began_us = l->at_us,
			.at_us = l->at_us,
			.due_us = l->at_us + EXIT_GRACE_S * US_PER_SEC,
			.direction = "out",
			.confidence = 0.5,
			.note = "heard last at an exit without a door",
		};

		r = passage_insert(s, &p);
		op->told = true;
	}
	for (size_t i = 0; i < op->n && !r; i++)
		r = decide(s, &op->v[i], now_us, &op->told);
	FAULT_POINT("ctl.exit.before_commit");
	return r;
}

static void exits_written(void *arg, int err)
{
	struct exit_op *op = arg;
	struct exits *x = op->exits;

	x->busy = false;
	if (err)
		log_write(LOG_WARN, "exit", err, "msg=\"passages wait to be decided\"");
	if (!err && op->n_left) {
		x->n_left -= (uint32_t) op->n_left;
		memmove(x->left, x->left + op->n_left, x->n_left * sizeof(*x->left));
	}
	if (!err && op->told) {
		FAULT_POINT("ctl.exit.after_commit");
		incidents_look(x->inv->app->incidents);
		events_publish(x->inv->app->events, "passage", json_object());
	}
	free(op);
}

/* --- looking, on the loop thread ---------------------------------------------------------------
 */

/* Has the item been heard inside since? */
static void look_inside(struct inventory *inv, const struct epc *epc, int64_t at_us,
			struct verdict *v)
{
	struct inventory_item it;
	const struct inv_place *p;

	if (inventory_find(inv, epc, &it) < 0 || !it.present)
		return;
	p = inventory_place(inv, it.place);
	if (!p || strcmp(p->kind, "exit") == 0 || it.last_seen_us < at_us + INSIDE_US)
		return;
	v->inside = true;
	v->heard_us = it.last_seen_us;
	snprintf(v->place, sizeof(v->place), "%s", p->name);
}

static void take_rows(struct exits *x, struct exit_op *op, struct sql_stmt *q)
{
	while (op->n < AT_ONCE && sql_step(q) > 0) {
		struct verdict *v = &op->v[op->n];
		struct epc epc;
		size_t len;
		const void *data = sql_col_blob(q, 1, &len);

		*v = (struct verdict){.id = sql_col_i64(q, 0)};
		if (len > EPC_MAX_BYTES || epc_set(&epc, data, (size_t) sql_col_i64(q, 2)) < 0)
			continue;
		look_inside(x->inv, &epc, sql_col_i64(q, 3), v);
		op->n++;
	}
	sql_reset(q);
}

/* Those that are due, and now and then some that may be explained yet, in turn. */
static void find_open(struct exits *x, struct exit_op *op, int64_t now_us)
{
	struct sql *s = db_reader(x->inv->app->db);
	int64_t mono_us = clock_mono_us(x->inv->app->clock);
	struct sql_stmt *q = sql_prepare(
		s, "SELECT id, epc, epc_bits, at FROM passages"
		   " WHERE state IN ('waiting', 'unsold') AND due <= ? ORDER BY due LIMIT ?");

	sql_bind_i64(q, 1, now_us);
	sql_bind_i64(q, 2, AT_ONCE);
	take_rows(x, op, q);
	if (mono_us < x->relook_us || op->n)
		return;
	q = sql_prepare(s, "SELECT id, epc, epc_bits, at FROM passages"
			   " WHERE state IN ('waiting', 'unsold') AND id > ? ORDER BY id LIMIT ?");
	sql_bind_i64(q, 1, x->relook_after);
	sql_bind_i64(q, 2, AT_ONCE);
	take_rows(x, op, q);
	x->relook_after = op->n ? op->v[op->n - 1].id : 0;
	x->relook_us = mono_us + (op->n == AT_ONCE ? 0 : RELOOK_US);
	if (op->n && op->n < AT_ONCE)
		x->relook_after = 0;
}

/* --- exits without a door ----------------------------------------------------------------------
 */

static bool has_door(const struct exits *x, uint32_t place)
{
	for (size_t i = 0; i < x->n_doored; i++)
		if (x->doored[i] == place)
			return true;
	return false;
}

static bool is_open_exit(const struct exits *x, uint32_t place)
{
	const struct inv_place *p = inventory_place(x->inv, place);

	return p && strcmp(p->kind, "exit") == 0 && !has_door(x, place);
}

static void note_left(struct exits *x, uint32_t item, uint32_t place, int64_t at_us)
{
	struct left *l;

	if (!inv_grow((void **) &x->left, &x->cap_left, x->n_left, sizeof(*x->left)))
		return;
	l = &x->left[x->n_left++];
	*l = (struct left){.place = place, .at_us = at_us};
	inv_item_epc(x->inv->state, item, &l->epc);
}

void exits_note(struct inventory *inv, const struct inv_change *c)
{
	struct exits *x = inv->exits;

	if (x && c->to_state == BELIEF_GONE && c->from_state == BELIEF_PRESENT &&
	    is_open_exit(x, c->to))
		note_left(x, c->item, c->to, c->at_us);
}

/* After a start: what left shortly before, perhaps while nobody could write it down. */
static void scan_some(struct exits *x, int64_t now_us)
{
	const struct inv_state *st = x->inv->state;
	uint32_t end =
		st->items.n - x->scan_at > SCAN_AT_ONCE ? x->scan_at + SCAN_AT_ONCE : st->items.n;

	for (; x->scan_at < end; x->scan_at++) {
		const struct inv_item *it = &st->items.v[x->scan_at];

		if (it->state == BELIEF_GONE && it->since_us > now_us - EXIT_LOOK_BACK_US &&
		    is_open_exit(x, it->place))
			note_left(x, x->scan_at, it->place, it->since_us);
	}
	x->scanned = x->scan_at >= st->items.n;
}

/* --- life --------------------------------------------------------------------------------------
 */

static void look(struct exits *x)
{
	int64_t now_us = clock_real_us(x->inv->app->clock);
	struct exit_op *op;

	if (x->busy)
		return;
	if (!x->scanned)
		scan_some(x, now_us);
	op = calloc(1, sizeof(*op));
	if (!op)
		return;
	op->exits = x;
	op->n_left = MIN(x->n_left, LEFT_AT_ONCE);
	if (op->n_left)
		memcpy(op->left, x->left, op->n_left * sizeof(*x->left));
	find_open(x, op, now_us);
	x->busy = (op->n || op->n_left) &&
		  db_write(x->inv->app->db, write_exits, exits_written, op) == 0;
	if (!x->busy)
		free(op);
}

static void on_timer(void *user)
{
	struct exits *x = user;

	look(x);
	loop_timer_start(x->timer, LOOK_US);
}

void exits_look(struct inventory *inv)
{
	if (inv->exits)
		look(inv->exits);
}

void exits_sold(struct inventory *inv)
{
	if (!inv->exits)
		return;
	inv->exits->relook_us = 0;
	inv->exits->relook_after = 0;
	look(inv->exits);
}

void exits_reload(struct inventory *inv)
{
	struct exits *x = inv->exits;
	struct sql_stmt *q;

	if (!x)
		return;
	x->n_doored = 0;
	q = sql_prepare(db_reader(inv->app->db), "SELECT DISTINCT place_id FROM doors LIMIT ?");
	sql_bind_i64(q, 1, DOORS_MAX);
	while (x->n_doored < DOORS_MAX && sql_step(q) > 0)
		x->doored[x->n_doored++] = (uint32_t) sql_col_i64(q, 0);
	sql_reset(q);
}

int exits_new(struct inventory *inv, struct exits **ret)
{
	struct exits *x = calloc(1, sizeof(*x));
	int r;

	if (!x)
		return -ENOMEM;
	x->inv = inv;
	r = loop_timer_new(inv->app->loop, on_timer, x, &x->timer);
	if (r < 0) {
		free(x);
		return r;
	}
	*ret = x;
	exits_reload(inv);
	loop_timer_start(x->timer, LOOK_US);
	return 0;
}

void exits_free(struct exits *x)
{
	if (!x)
		return;
	loop_timer_stop(x->timer);
	while (x->busy)
		loop_run_once(x->inv->app->loop, 10);
	loop_timer_free(x->timer);
	free(x->left);
	free(x);
}
