/* SPDX-License-Identifier: Apache-2.0 */
#include "common/err.h"
#include "common/fault.h"
#include "controller/db/db.h"
#include "controller/fleet/fleet.h"
#include "controller/tags/tags.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define PREFIX_USUAL 7
#define FILTER_POS   1 /* a trade item at the point of sale */
#define SERIAL_MAX   ((INT64_C(1) << 38) - 1)

/* --- serials -----------------------------------------------------------------------------------
 */

static int last_serial(struct sql *s, uint64_t gtin, int64_t *ret_serial, unsigned int *ret_digits)
{
	struct sql_stmt *q = sql_prepare(s, "SELECT serial, prefix_digits FROM tag_serials"
					    " WHERE gtin = ? ORDER BY serial DESC LIMIT 1");
	int r;

	*ret_serial = 0;
	*ret_digits = PREFIX_USUAL;
	sql_bind_i64(q, 1, (int64_t) gtin);
	r = sql_step(q);
	if (r > 0) {
		*ret_serial = sql_col_i64(q, 0);
		*ret_digits = (unsigned int) sql_col_i64(q, 1);
		sql_reset(q);
	}
	return MIN(r, 0);
}

/* A number that was named by a person may be far ahead of the counting: then the lowest free one
 * after the first gap would do, but the highest plus one never needs a search. */
static int give_out(struct sql *s, const struct sgtin *id, bool again, int64_t operation_id,
		    int64_t now_us)
{
	struct sql_stmt *q = sql_prepare(
		s, "INSERT OR IGNORE INTO tag_serials(gtin, serial, prefix_digits, operation_id,"
		   " at) VALUES(?, ?, ?, ?, ?)");
	int r;

	sql_bind_i64(q, 1, (int64_t) id->gtin);
	sql_bind_i64(q, 2, (int64_t) id->serial);
	sql_bind_i64(q, 3, id->prefix_digits);
	sql_bind_i64(q, 4, operation_id);
	sql_bind_i64(q, 5, now_us);
	r = sql_run(q);
	if (r == 0 && sql_changes(s) == 0 && !again)
		return -ERR_CONFLICT;
	return r;
}

/* The EPC that is to be written: as given, or of a serial that nothing had before. */
static int new_epc(struct sql *s, struct tag_ask *ask, struct sgtin *ret)
{
	unsigned int digits;
	int64_t last;
	int r;

	*ret = (struct sgtin){0};
	if (!ask->gtin) {
		if (sgtin96_decode(&ask->op.epc, ret) < 0)
			ret->gtin = 0; /* of no scheme with serials that we give out */
		return 0;
	}
	r = last_serial(s, ask->gtin, &last, &digits);
	if (r < 0)
		return r;
	if (!ask->serial && last >= SERIAL_MAX)
		return -ERR_RANGE;
	*ret = (struct sgtin){.gtin = ask->gtin,
			      .serial = ask->serial ? ask->serial : (uint64_t) last + 1,
			      .filter = FILTER_POS,
			      .prefix_digits = ask->prefix_digits ? ask->prefix_digits : digits};
	return sgtin96_encode(ret, &ask->op.epc);
}

/* --- asking ------------------------------------------------------------------------------------
 */

static int check(struct sql *s, const struct tag_ask *ask)
{
	struct sql_stmt *q =
		sql_prepare(s, "SELECT 1 FROM readers r JOIN agents a ON a.id = r.agent_id"
			       " WHERE r.agent_id = ? AND r.name = ? AND a.revoked IS NULL");
	int64_t open = 0;
	int r;

	sql_bind_i64(q, 1, ask->agent_id);
	sql_bind_text(q, 2, ask->op.reader);
	r = sql_step(q);
	if (r <= 0)
		return r < 0 ? r : -ENOENT;
	sql_reset(q);
	q = sql_prepare(s, "SELECT count(*) FROM tag_operations"
			   " WHERE state IN ('pending', 'running')");
	if (sql_step(q) > 0)
		open = sql_col_i64(q, 0);
	sql_reset(q);
	if (open >= TAGS_OPEN_MAX)
		return -EAGAIN;
	q = sql_prepare(s, "SELECT count(*) FROM tag_operations WHERE agent_id = ?"
			   " AND state IN ('pending', 'running')");
	sql_bind_i64(q, 1, ask->agent_id);
	if (sql_step(q) > 0)
		open = sql_col_i64(q, 0);
	sql_reset(q);
	return open >= PROTO_MAX_OPERATIONS ? -EAGAIN : 0;
}

static int insert(struct sql *s, struct tag_ask *ask, int64_t token, const char *by, int64_t now_us)
{
	struct sql_stmt *q = sql_prepare(
		s, "INSERT INTO tag_operations(agent_id, reader, antenna, kind, epc, bank,"
		   " pointer, words, new_epc, field, how, token, created, created_by, until, rev)"
		   " VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
	const struct proto_operation *op = &ask->op;
	char tag[EPC_HEX_MAX] = "", epc[EPC_HEX_MAX] = "";
	uint64_t rev;
	int r = db_next_rev(s, &rev);

	if (r < 0)
		return r;
	if (op->tag.bits)
		(void) epc_to_hex(&op->tag, tag);
	if (op->epc.bits)
		(void) epc_to_hex(&op->epc, epc);
	sql_bind_i64(q, 1, ask->agent_id);
	sql_bind_text(q, 2, op->reader);
	sql_bind_i64(q, 3, op->antenna);
	sql_bind_text(q, 4, tag_kind_name(op->kind));
	sql_bind_text(q, 5, tag);
	sql_bind_i64(q, 6, op->bank);
	sql_bind_i64(q, 7, op->pointer);
	sql_bind_i64(q, 8, op->n_words);
	sql_bind_text(q, 9, epc);
	sql_bind_i64(q, 10, op->field);
	sql_bind_i64(q, 11, op->how);
	sql_bind_i64(q, 12, token);
	sql_bind_i64(q, 13, now_us);
	sql_bind_text(q, 14, by);
	sql_bind_i64(q, 15, now_us + ask->timeout_us);
	sql_bind_i64(q, 16, (int64_t) rev);
	r = sql_run(q);
	ask->op.id = (uint64_t) sql_last_rowid(s);
	return r;
}

int tag_rows_insert(struct sql *s, struct tag_ask *ask, int64_t token, const char *by,
		    int64_t now_us)
{
	char object[64], detail[2 * EPC_HEX_MAX + 64], tag[EPC_HEX_MAX] = "one in view",
						       epc[EPC_HEX_MAX] = "";
	struct sgtin id = {0};
	int r = check(s, ask);

	if (r == 0 && ask->op.kind == OPERATION_WRITE_EPC)
		r = new_epc(s, ask, &id);
	if (r == 0)
		r = insert(s, ask, token, by, now_us);
	if (r == 0 && id.gtin)
		r = give_out(s, &id, ask->again, (int64_t) ask->op.id, now_us);
	FAULT_POINT("ctl.tags.asked");
	if (r < 0)
		return r;
	if (ask->op.tag.bits)
		(void) epc_to_hex(&ask->op.tag, tag);
	if (ask->op.epc.bits)
		(void) epc_to_hex(&ask->op.epc, epc);
	snprintf(object, sizeof(object), "tag-operation:%lld", (long long) ask->op.id);
	snprintf(detail, sizeof(detail), "%s %s%s%s", tag_kind_name(ask->op.kind), tag,
		 epc[0] ? " -> " : "", epc);
	return db_audit(s, by, "tags.ask", object, detail);
}

/* --- results -----------------------------------------------------------------------------------
 */

static int load_state(struct sql *s, int64_t agent_id, uint64_t id, char state[16], bool *ret_told)
{
	struct sql_stmt *q = sql_prepare(s, "SELECT state, told FROM tag_operations"
					    " WHERE id = ? AND agent_id = ?");
	int r;

	sql_bind_i64(q, 1, (int64_t) id);
	sql_bind_i64(q, 2, agent_id);
	r = sql_step(q);
	if (r <= 0)
		return r;
	snprintf(state, 16, "%s", sql_col_text(q, 0));
	*ret_told = sql_col_i64(q, 1) != 0;
	sql_reset(q);
	return 1;
}

static void words_hex(const struct proto_operation_result *r, char *buf, size_t cap)
{
	size_t len = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < r->n_words && len + 5 <= cap; i++)
		len += (size_t) snprintf(buf + len, cap - len, "%04x", r->words[i]);
}

/* `told` ends it: what an agent has said to be done or failed stays so; unknown may become either.
 */
int tag_rows_result(struct sql *s, int64_t agent_id, const struct proto_operation_result *r,
		    int64_t now_us)
{
	bool over = r->state != OPERATION_RUNNING, told;
	char tag[EPC_HEX_MAX] = "", data[4 * PROTO_MAX_OPERATION_WORDS + 1], was[16], object[48];
	char who[64], detail[TAGS_TEXT_MAX + 16];
	struct sql_stmt *q;
	int e = load_state(s, agent_id, r->id, was, &told);

	if (e <= 0 || told || (!over && strcmp(was, "pending") != 0))
		return MIN(e, 0);
	if (r->tag.bits)
		(void) epc_to_hex(&r->tag, tag);
	words_hex(r, data, sizeof(data));
	q = sql_prepare(s, "UPDATE tag_operations SET state = ?1, told = ?2, reason = ?3,"
			   " tag = ?4, answered_at = ?5, data = ?6,"
			   " finished = CASE WHEN ?7 THEN ?8 END WHERE id = ?9");
	sql_bind_text(q, 1, tag_state_name(r->state));
	sql_bind_i64(q, 2, r->state == OPERATION_DONE || r->state == OPERATION_FAILED);
	sql_bind_text(q, 3, r->text);
	sql_bind_text(q, 4, tag);
	sql_bind_i64(q, 5, r->antenna);
	sql_bind_text(q, 6, data);
	sql_bind_i64(q, 7, over);
	sql_bind_i64(q, 8, now_us);
	sql_bind_i64(q, 9, (int64_t) r->id);
	e = sql_run(q);
	FAULT_POINT("ctl.tags.result");
	if (e < 0 || !over)
		return e < 0 ? e : 1;
	snprintf(object, sizeof(object), "tag-operation:%lld", (long long) r->id);
	snprintf(who, sizeof(who), "agent:%lld", (long long) agent_id);
	snprintf(detail, sizeof(detail), "%s: %s", tag_state_name(r->state), r->text);
	e = db_audit(s, who, "tags.result", object, detail);
	return e < 0 ? e : 1;
}

static int end_late(struct sql *s, struct sql_stmt *q, int64_t now_us, int64_t before_us)
{
	int r;

	sql_bind_i64(q, 1, now_us);
	sql_bind_i64(q, 2, before_us);
	r = sql_run(q);
	return r < 0 ? r : sql_changes(s);
}

int tag_rows_expire(struct sql *s, int64_t now_us)
{
	int pending =
		end_late(s,
			 sql_prepare(s, "UPDATE tag_operations SET state = 'failed', finished = ?1,"
					" reason = 'The access point did not carry it out in time.'"
					" WHERE state = 'pending' AND until < ?2"),
			 now_us, now_us - TAGS_LATE_US);
	int running =
		pending < 0
			? pending
			: end_late(s,
				   sql_prepare(s,
					       "UPDATE tag_operations SET state = 'unknown',"
					       " finished = ?1, reason = 'The access point began, "
					       "and has not said how it ended.'"
					       " WHERE state = 'running' AND until < ?2"),
				   now_us, now_us - TAGS_UNKNOWN_US);

	return running < 0 ? running : pending + running;
}

/* --- as JSON -----------------------------------------------------------------------------------
 */

static json_t *text_or_null(const char *text)
{
	json_t *j = text && *text ? json_string(text) : json_null();

	return j ? j : json_null();
}

static json_t *name_at(const char *const *names, size_t n, int64_t i)
{
	return i >= 0 && (size_t) i < n ? json_string(names[i]) : json_null();
}

static json_t *time_json(struct sql_stmt *q, int column)
{
	char when[CLOCK_RFC3339_MAX];

	return sql_col_is_null(q, column)
		       ? json_null()
		       : json_string(clock_rfc3339(sql_col_i64(q, column), when));
}

static json_t *uri_json(const char *hex)
{
	char uri[SGTIN_URI_MAX];
	struct sgtin id;
	struct epc epc;

	if (!hex || !*hex || epc_from_hex(hex, &epc) < 0 || sgtin96_decode(&epc, &id) < 0)
		return json_null();
	return json_string(sgtin_uri(&id, uri));
}

static void add_kind(struct sql_stmt *q, json_t *body)
{
	const char *kind = sql_col_text(q, 4);
	const char *const *names;
	size_t n;

	if (!strcmp(kind, "read")) {
		names = tag_bank_names(&n);
		json_object_set_new(body, "bank", name_at(names, n, sql_col_i64(q, 6)));
		json_object_set_new(body, "pointer", json_integer(sql_col_i64(q, 7)));
		json_object_set_new(body, "words", json_integer(sql_col_i64(q, 8)));
		json_object_set_new(body, "data", text_or_null(sql_col_text(q, 15)));
	} else if (!strcmp(kind, "write-epc")) {
		json_object_set_new(body, "new_epc", text_or_null(sql_col_text(q, 9)));
		json_object_set_new(body, "new_uri", uri_json(sql_col_text(q, 9)));
	} else {
		names = tag_field_names(&n);
		json_object_set_new(body, "field", name_at(names, n, sql_col_i64(q, 10)));
		names = tag_how_names(&n);
		json_object_set_new(body, "how", name_at(names, n, sql_col_i64(q, 11)));
	}
}

json_t *tag_row_json(struct app *app, int64_t id)
{
	struct sql_stmt *q = sql_prepare(
		db_reader(app->db),
		"SELECT id, agent_id, reader, antenna, kind, epc, bank, pointer, words, new_epc,"
		" field, how, state, reason, tag, data, answered_at, created, created_by, finished,"
		" token FROM tag_operations WHERE id = ?");
	json_t *body;

	sql_bind_i64(q, 1, id);
	if (sql_step(q) <= 0)
		return NULL;
	body = json_pack("{s:I,s:I,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:b}", "id",
			 (json_int_t) id, "agent_id", (json_int_t) sql_col_i64(q, 1), "agent",
			 text_or_null(fleet_agent_name(app->fleet, sql_col_i64(q, 1))), "reader",
			 text_or_null(sql_col_text(q, 2)), "antenna",
			 sql_col_i64(q, 3) ? json_integer(sql_col_i64(q, 3)) : json_null(), "kind",
			 text_or_null(sql_col_text(q, 4)), "epc", text_or_null(sql_col_text(q, 5)),
			 "state", text_or_null(sql_col_text(q, 12)), "reason",
			 text_or_null(sql_col_text(q, 13)), "tag",
			 text_or_null(sql_col_text(q, 14)), "answered_at",
			 sql_col_i64(q, 16) ? json_integer(sql_col_i64(q, 16)) : json_null(),
			 "created", time_json(q, 17), "by", text_or_null(sql_col_text(q, 18)),
			 "finished", time_json(q, 19), "with_password", sql_col_i64(q, 20) != 0);
	if (body)
		add_kind(q, body);
	sql_reset(q);
	return body;
}
