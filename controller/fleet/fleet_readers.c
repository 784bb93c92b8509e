/* SPDX-License-Identifier: Apache-2.0 */
/* Which readers an agent should run: rows here, their revision at the agent. */
#include "common/err.h"
#include "common/gen2_profile.h"
#include "common/hex.h"
#include "controller/db/db.h"
#include "controller/fleet/fleet_internal.h"
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define ANTENNAS_TEXT_MAX 256
#define SELECT_READERS                                                                             \
	"SELECT name, host, port, antennas, session, power_cdbm, profile, llrp_version,"           \
	" reader_calls, tls, tls_pin FROM readers WHERE agent_id = ? ORDER BY name"

static void row_to_reader(struct sql_stmt *q, struct proto_desired_reader *r)
{
	const char *text = sql_col_text(q, 3);

	memset(r, 0, sizeof(*r));
	snprintf(r->name, sizeof(r->name), "%s", sql_col_text(q, 0));
	snprintf(r->host, sizeof(r->host), "%s", sql_col_text(q, 1));
	r->port = (uint16_t) sql_col_i64(q, 2);
	r->session = (uint8_t) sql_col_i64(q, 4);
	r->power_cdbm = (int16_t) sql_col_i64(q, 5);
	snprintf(r->profile, sizeof(r->profile), "%s", sql_col_text(q, 6));
	r->llrp_version = (uint8_t) sql_col_i64(q, 7);
	r->reader_calls = sql_col_i64(q, 8) != 0;
	r->tls = sql_col_i64(q, 9) != 0;
	snprintf(r->tls_pin, sizeof(r->tls_pin), "%s", sql_col_text(q, 10));
	while (text && *text && r->n_antennas < PROTO_MAX_ANTENNAS) {
		r->antennas[r->n_antennas++] = (uint16_t) strtoul(text, NULL, 10);
		text += strcspn(text, ",");
		text += *text == ',';
	}
}

/* --- for the long poll --------------------------------------------------------------------- */

static int readers_rev(struct app *app, int64_t agent_id, uint64_t *ret)
{
	struct sql_stmt *q =
		sql_prepare(db_reader(app->db), "SELECT readers_rev FROM agents WHERE id = ?");
	int r;

	sql_bind_i64(q, 1, agent_id);
	r = sql_step(q);
	if (r <= 0)
		return r < 0 ? r : -ENOENT;
	*ret = (uint64_t) sql_col_i64(q, 0);
	sql_reset(q);
	return 0;
}

int fleet_desired_readers(struct app *app, int64_t agent_id, uint64_t after_rev,
			  struct proto_desired *out)
{
	struct proto_desired_reader *list;
	struct sql_stmt *q;
	uint64_t rev = 0;
	size_t n = 0;
	int r = readers_rev(app, agent_id, &rev);

	if (r < 0)
		return r;
	if (after_rev > 0 && rev <= after_rev)
		return 0;
	list = calloc(PROTO_MAX_READERS, sizeof(*list));
	if (!list)
		return -ENOMEM;
	q = sql_prepare(db_reader(app->db), SELECT_READERS);
	sql_bind_i64(q, 1, agent_id);
	while ((r = sql_step(q)) > 0 && n < PROTO_MAX_READERS)
		row_to_reader(q, &list[n++]);
	if (r < 0) {
		free(list);
		return r;
	}
	sql_reset(q);
	free(out->readers);
	out->readers = list;
	out->n_readers = n;
	out->has_readers = true;
	out->rev = MAX(out->rev, rev);
	return 1;
}

/* --- as JSON ------------------------------------------------------------------------------- */

static const struct proto_health_reader *health_of(const struct agent *a, const char *name)
{
	for (size_t i = 0; a->health && i < a->health->n_readers; i++)
		if (!strcmp(a->health->readers[i].name, name))
			return &a->health->readers[i];
	return NULL;
}

/** What became of the reader's reports, and the last stretch of which some may be missing. */
static json_t *ledger_json(const struct proto_health_reader *h)
{
	char from[CLOCK_RFC3339_MAX], to[CLOCK_RFC3339_MAX];
	json_t *gap = json_null();

	if (h->gap_cause[0])
		gap = json_pack("{s:s,s:s,s:o}", "from", clock_rfc3339(h->gap_from_us, from), "to",
				clock_rfc3339(h->gap_to_us, to), "cause",
				fleet_json_text(h->gap_cause));
	return json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:o}", "reports",
			 (json_int_t) h->reports, "handed_on", (json_int_t) h->handed_on,
			 "unclaimed", (json_int_t) h->unclaimed, "strange", (json_int_t) h->strange,
			 "held", (json_int_t) h->held, "resumed", (json_int_t) h->resumed,
			 "sightings", (json_int_t) h->sightings, "buffer_warnings",
			 (json_int_t) h->buffer_warnings, "buffer_overflows",
			 (json_int_t) h->buffer_overflows, "gaps", (json_int_t) h->gaps, "gaps_ms",
			 (json_int_t) (h->gaps_us / US_PER_MS), "last_gap", gap);
}

/** What is wrong with the radio: the evidence, and what to do about it. */
static json_t *troubles_json(const struct proto_health_reader *h)
{
	json_t *list = json_array();
	char since[CLOCK_RFC3339_MAX];

	for (size_t i = 0; i < h->n_troubles; i++) {
		const struct proto_trouble *t = &h->troubles[i];

		json_array_append_new(
			list,
			json_pack("{s:o,s:o,s:o,s:o,s:s}", "code", fleet_json_text(t->code),
				  "antenna", t->antenna ? json_integer(t->antenna) : json_null(),
				  "since",
				  t->since_us ? json_string(clock_rfc3339(t->since_us, since))
					      : json_null(),
				  "evidence", fleet_json_text(t->text), "next_step",
				  fleet_trouble_step(t->code)));
	}
	return list;
}

static const char *llrp_version(uint8_t version)
{
	return version == 1 ? "1.0.1" : version == 2 ? "1.1" : "";
}

static json_t *reader_json(const struct agent *a, const struct proto_desired_reader *r)
{
	static const struct proto_health_reader unknown = {.state = "unknown"};
	const struct proto_health_reader *h = health_of(a, r->name);
	json_t *antennas = json_array();

	if (!h)
		h = &unknown;
	for (size_t i = 0; i < r->n_antennas; i++)
		json_array_append_new(antennas, json_integer(r->antennas[i]));
	return json_pack(
		"{s:o,s:o,s:i,s:o,s:i,s:i,s:o,s:s,s:b,s:b,s:o,s:o,s:o,s:o,s:o,s:I,s:I,s:s,s:o,s:o}",
		"name", fleet_json_text(r->name), "host", fleet_json_text(r->host), "port",
		(int) r->port, "antennas", antennas, "session", (int) r->session, "power_cdbm",
		(int) r->power_cdbm, "profile", fleet_json_text(r->profile), "llrp",
		llrp_version(MAX(r->llrp_version, 1)), "reader_calls", r->reader_calls, "tls",
		r->tls, "pin", fleet_json_text(r->tls_pin), "peer_pin",
		fleet_json_text(h->tls_peer), "state", fleet_json_text(h->state), "model",
		fleet_json_text(h->model), "error", fleet_json_text(h->error), "reads",
		(json_int_t) h->reads, "reconnects", (json_int_t) h->reconnects, "llrp_version",
		llrp_version(h->llrp_version), "ledger", ledger_json(h), "troubles",
		troubles_json(h));
}

json_t *fleet_readers_json(const struct fleet *f, const struct agent *a)
{
	json_t *list = json_array();
	struct proto_desired_reader r;
	struct sql_stmt *q = sql_prepare(db_reader(f->app->db), SELECT_READERS);

	sql_bind_i64(q, 1, a->id);
	while (sql_step(q) > 0) {
		row_to_reader(q, &r);
		json_array_append_new(list, reader_json(a, &r));
	}
	return list;
}

/* --- changing ------------------------------------------------------------------------------ */

struct reader_op {
	struct http_request *rq;
	struct app *app;
	int64_t agent_id;
	bool remove;
	char by[AUTH_WHO_MAX];
	char antennas[ANTENNAS_TEXT_MAX];
	/* Which of the newer keys were given: those that were not stay as they are. */
	bool has_profile, has_llrp, has_calls, has_tls, has_pin;
	struct proto_desired_reader reader;
};

static void bind_newer(struct sql_stmt *q, const struct reader_op *op)
{
	sql_bind_null(q, 8);
	sql_bind_null(q, 9);
	sql_bind_null(q, 10);
	sql_bind_null(q, 11);
	sql_bind_null(q, 12);
	if (op->has_profile)
		sql_bind_text(q, 8, op->reader.profile);
	if (op->has_llrp)
		sql_bind_i64(q, 9, op->reader.llrp_version);
	if (op->has_calls)
		sql_bind_i64(q, 10, op->reader.reader_calls);
	if (op->has_tls)
		sql_bind_i64(q, 11, op->reader.tls);
	if (op->has_pin)
		sql_bind_text(q, 12, op->reader.tls_pin);
}

static int upsert(struct sql *s, const struct reader_op *op)
{
	struct sql_stmt *q = sql_prepare(
		s, "INSERT INTO readers(agent_id, name, host, port, antennas, session, power_cdbm,"
		   " profile, llrp_version, reader_calls, tls, tls_pin) VALUES(?1, ?2, ?3, ?4, ?5,"
		   " ?6, ?7, coalesce(?8, ''), coalesce(?9, 1), coalesce(?10, 0), coalesce(?11, 0),"
		   " coalesce(?12, '')) ON CONFLICT(agent_id, name) DO UPDATE SET"
		   " host = excluded.host, port = excluded.port, antennas = excluded.antennas,"
		   " session = excluded.session, power_cdbm = excluded.power_cdbm,"
		   " profile = coalesce(?8, profile), llrp_version = coalesce(?9, llrp_version),"
		   " reader_calls = coalesce(?10, reader_calls), tls = coalesce(?11, tls),"
		   " tls_pin = coalesce(?12, tls_pin)");
	int r;

	sql_bind_i64(q, 1, op->agent_id);
	sql_bind_text(q, 2, op->reader.name);
	sql_bind_text(q, 3, op->reader.host);
	sql_bind_i64(q, 4, op->reader.port);
	sql_bind_text(q, 5, op->antennas);
	sql_bind_i64(q, 6, op->reader.session);
	sql_bind_i64(q, 7, op->reader.power_cdbm);
	bind_newer(q, op);
	r = sql_run(q);
	if (r < 0)
		return r;
	q = sql_prepare(s, "SELECT count(*) FROM readers WHERE agent_id = ?");
	sql_bind_i64(q, 1, op->agent_id);
	r = sql_step(q);
	if (r <= 0)
		return r < 0 ? r : -ERR_CORRUPT;
	r = sql_col_i64(q, 0) > PROTO_MAX_READERS ? -ERR_TOO_LARGE : 0;
	sql_reset(q);
	return r;
}

static int remove_row(struct sql *s, const struct reader_op *op)
{
	struct sql_stmt *q = sql_prepare(s, "DELETE FROM readers WHERE agent_id = ? AND name = ?");
	int r;

	sql_bind_i64(q, 1, op->agent_id);
	sql_bind_text(q, 2, op->reader.name);
	r = sql_run(q);
	if (r < 0)
		return r;
	return sql_changes(s) > 0 ? 0 : -ENOENT;
}

static int write_reader(struct sql *s, void *arg)
{
	const struct reader_op *op = arg;
	struct sql_stmt *q;
	char object[PROTO_NAME_MAX + 32];
	uint64_t rev;
	int r = op->remove ? remove_row(s, op) : upsert(s, op);

	if (r == 0)
		r = db_next_rev(s, &rev);
	if (r < 0)
		return r;
	q = sql_prepare(s, "UPDATE agents SET readers_rev = ? WHERE id = ?");
	sql_bind_i64(q, 1, (int64_t) rev);
	sql_bind_i64(q, 2, op->agent_id);
	r = sql_run(q);
	if (r < 0)
		return r;
	snprintf(object, sizeof(object), "%lld/%s", (long long) op->agent_id, op->reader.name);
	return db_audit(s, op->by, op->remove ? "reader.remove" : "reader.set", object,
			op->remove ? NULL : op->reader.host);
}

/** The reader as it is in the database now. */
static json_t *stored_json(struct app *app, const struct agent *a, const char *name)
{
	struct sql_stmt *q = sql_prepare(db_reader(app->db), SELECT_READERS);
	struct proto_desired_reader r;
	json_t *found = NULL;

	sql_bind_i64(q, 1, a->id);
	while (!found && sql_step(q) > 0) {
		row_to_reader(q, &r);
		if (strcmp(r.name, name) == 0)
			found = reader_json(a, &r);
	}
	sql_reset(q);
	return found ? found : json_object();
}

static void reader_written(void *arg, int err)
{
	struct reader_op *op = arg;
	struct agent *a = fleet_find(op->app->fleet, op->agent_id);

	if (err == -ERR_TOO_LARGE) {
		http_problem(op->rq, 422, "too-many-readers", "An agent runs at most %d readers.",
			     PROTO_MAX_READERS);
	} else if (err < 0) {
		http_reply_err(op->rq, err, "Reader");
	} else {
		app_desired_changed(op->app, op->agent_id);
		if (a)
			fleet_publish(op->app->fleet, a);
		if (op->remove || !a)
			http_reply_empty(op->rq, 204);
		else
			http_reply_json(op->rq, 200, stored_json(op->app, a, op->reader.name));
	}
	free(op);
}

static bool text_fits(const char *text, size_t cap, const char *extra)
{
	size_t len = text ? strlen(text) : 0;

	if (len == 0 || len >= cap)
		return false;
	for (; *text; text++)
		if (!isalnum((unsigned char) *text) && !strchr(extra, *text))
			return false;
	return true;
}

static bool take_antennas(struct reader_op *op, const json_t *list)
{
	struct proto_desired_reader *r = &op->reader;
	size_t i, len = 0;
	json_t *item;

	if (!list)
		return true;
	if (!json_is_array(list) || json_array_size(list) > PROTO_MAX_ANTENNAS)
		return false;
	json_array_foreach(list, i, item)
	{
		json_int_t v = json_integer_value(item);

		if (!json_is_integer(item) || v < 1 || v > UINT16_MAX)
			return false;
		r->antennas[r->n_antennas++] = (uint16_t) v;
		len += (size_t) snprintf(op->antennas + len, sizeof(op->antennas) - len, "%s%d",
					 len ? "," : "", (int) v);
	}
	return true;
}

static bool take_pin(struct reader_op *op, const char *pin)
{
	uint8_t hash[32];

	op->has_pin = true;
	if (*pin && hex_decode(pin, hash, sizeof(hash)) < 0)
		return false;
	if (*pin)
		hex_encode(hash, sizeof(hash), op->reader.tls_pin);
	return true;
}

/* How the reader is talked to. Why the fields will not do, or NULL. */
static const char *take_talk(struct reader_op *op, json_t *body)
{
	const char *profile = NULL, *llrp = NULL, *pin = NULL;
	int calls = -1, tls = -1;

	if (json_unpack(body, "{s?s,s?s,s?b,s?b,s?s}", "profile", &profile, "llrp", &llrp,
			"reader_calls", &calls, "tls", &tls, "pin", &pin) < 0)
		return "profile, llrp and pin are text, reader_calls and tls are true or false.";
	if (profile && !gen2_profile_find(profile))
		return "profile is empty, fast-moving, dense-shelf or door.";
	if (llrp && strcmp(llrp, "1.0.1") != 0 && strcmp(llrp, "1.1") != 0)
		return "llrp is 1.0.1 or 1.1.";
	if (pin && !take_pin(op, pin))
		return "pin is empty, or the SHA-256 of the reader's certificate in hexadecimal.";
	op->has_profile = profile;
	op->has_llrp = llrp;
	op->has_calls = calls >= 0;
	op->has_tls = tls >= 0;
	snprintf(op->reader.profile, sizeof(op->reader.profile), "%s", profile ? profile : "");
	op->reader.llrp_version = llrp && strcmp(llrp, "1.1") == 0 ? 2 : 1;
	op->reader.reader_calls = calls > 0;
	op->reader.tls = tls > 0;
	return NULL;
}

/* Why the fields will not do, or NULL. */
static const char *take_reader(struct reader_op *op, json_t *body)
{
	struct proto_desired_reader *r = &op->reader;
	const char *host = NULL;
	json_int_t port = FLEET_READER_PORT, session = 1, power = 0;
	json_t *antennas = NULL;

	if (json_unpack(body, "{s:s,s?I,s?o,s?I,s?I}", "host", &host, "port", &port, "antennas",
			&antennas, "session", &session, "power_cdbm", &power) < 0)
		return "host is needed; port, session and power_cdbm are numbers.";
	if (!text_fits(host, sizeof(r->host), ".-:_"))
		return "host is a name or an address.";
	if (port < 1 || port > UINT16_MAX)
		return "port is 1 to 65535.";
	if (session < 0 || session > 3)
		return "session is 0 to 3.";
	if (power < 0 || power > 4000)
		return "power_cdbm is 0 (the highest) to 4000.";
	if (!take_antennas(op, antennas))
		return "antennas is a list of at most 32 numbers from 1.";
	snprintf(r->host, sizeof(r->host), "%s", host);
	r->port = (uint16_t) port;
	r->session = (uint8_t) session;
	r->power_cdbm = (int16_t) power;
	return take_talk(op, body);
}

static struct reader_op *op_new(struct http_request *rq, struct app *app)
{
	struct agent *a = fleet_from_path(rq, app->fleet);
	struct reader_op *op;

	if (!a)
		return NULL;
	if (!text_fits(http_arg(rq, 1), PROTO_NAME_MAX, ".-_ ")) {
		http_problem(rq, 422, "bad-name",
			     "A reader's name has up to 63 letters, digits, dots, dashes.");
		return NULL;
	}
	op = calloc(1, sizeof(*op));
	if (!op) {
		http_reply_err(rq, -ENOMEM, "Reader");
		return NULL;
	}
	op->rq = rq;
	op->app = app;
	op->agent_id = a->id;
	snprintf(op->reader.name, sizeof(op->reader.name), "%s", http_arg(rq, 1));
	auth_who_text(http_who(rq), op->by);
	return op;
}

static void queue_write(struct reader_op *op)
{
	int r = db_write(op->app->db, write_reader, reader_written, op);

	if (r < 0) {
		http_reply_err(op->rq, r, "Reader");
		free(op);
	}
}

void fleet_put_reader(struct http_request *rq, struct app *app)
{
	struct reader_op *op = op_new(rq, app);
	const char *fault;
	json_t *body;

	if (!op)
		return;
	body = http_json(rq);
	if (!body) {
		free(op);
		return;
	}
	fault = take_reader(op, body);
	json_decref(body);
	if (fault) {
		free(op);
		http_problem(rq, 422, "bad-reader", "%s", fault);
		return;
	}
	queue_write(op);
}

void fleet_delete_reader(struct http_request *rq, struct app *app)
{
	struct reader_op *op = op_new(rq, app);

	if (!op)
		return;
	op->remove = true;
	queue_write(op);
}
