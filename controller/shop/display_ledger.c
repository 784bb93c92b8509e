/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/shop/display_ledger.h"
#include "common/clock.h"
#include "common/hex.h"
#include "common/proto.h"
#include "controller/db/db.h"

const char *ledger_grade_text(int grade)
{
	static const char *const texts[EVIDENCE_GRADE_COUNT] = {NULL, "acknowledged", "confirmed",
								"read-back"};

	return grade >= 0 && grade < EVIDENCE_GRADE_COUNT ? texts[grade] : NULL;
}

int ledger_append(struct sql *s, const struct ledger_entry *e)
{
	struct sql_stmt *q = sql_prepare(
		s, "INSERT INTO display_ledger(addr, at, received, agent_id, kind, image,"
		   " grade, price_minor, currency, text) VALUES(?,?,?,?,?,?,?,?,?,?)");
	int64_t now;
	int r = db_now_us(s, &now);

	if (r < 0)
		return r;
	sql_bind_i64(q, 1, (int64_t) e->addr);
	sql_bind_i64(q, 2, e->at_us);
	sql_bind_i64(q, 3, now);
	if (e->agent_id)
		sql_bind_i64(q, 4, e->agent_id);
	sql_bind_text(q, 5, e->kind);
	if (e->image)
		sql_bind_blob(q, 6, e->image, IMAGE_HASH_BYTES);
	sql_bind_i64(q, 7, e->grade);
	if (e->has_price) {
		sql_bind_i64(q, 8, e->price_minor);
		sql_bind_text(q, 9, e->currency);
	}
	sql_bind_text(q, 10, e->text ? e->text : "");
	return sql_run(q);
}

int ledger_names(struct sql *s, uint64_t addr, const uint8_t image[IMAGE_HASH_BYTES])
{
	struct sql_stmt *q =
		sql_prepare(s, "SELECT 1 FROM display_ledger WHERE addr = ? AND image = ? LIMIT 1");
	int r;

	sql_bind_i64(q, 1, (int64_t) addr);
	sql_bind_blob(q, 2, image, IMAGE_HASH_BYTES);
	r = sql_step(q);
	if (r > 0)
		sql_reset(q);
	return r;
}

static json_t *entry_json(struct sql_stmt *q)
{
	char at[CLOCK_RFC3339_MAX], hex[IMAGE_HASH_HEX_MAX];
	const char *grade = ledger_grade_text((int) sql_col_i64(q, 4)), *text = sql_col_text(q, 7);
	const void *image;
	size_t len;
	json_t *o;

	image = sql_col_blob(q, 3, &len);
	o = json_pack("{s:s,s:s,s:o,s:o,s:o}", "at", clock_rfc3339(sql_col_i64(q, 1), at), "kind",
		      sql_col_text(q, 2), "image",
		      image && len == IMAGE_HASH_BYTES ? json_string(hex_encode(image, len, hex))
						       : json_null(),
		      "grade", grade ? json_string(grade) : json_null(), "text",
		      text && *text ? json_string(text) : json_null());
	if (!sql_col_is_null(q, 5)) {
		json_object_set_new(o, "price_minor", json_integer(sql_col_i64(q, 5)));
		json_object_set_new(o, "currency", json_string(sql_col_text(q, 6)));
	}
	return o;
}

int ledger_list(struct sql *s, uint64_t addr, int64_t before, int64_t limit, json_t *items,
		int64_t *ret_next)
{
	struct sql_stmt *q = sql_prepare(
		s,
		"SELECT id, at, kind, image, grade, price_minor, currency, text FROM display_ledger"
		" WHERE addr = ? AND id < ? ORDER BY id DESC LIMIT ?");
	int64_t n = 0, last = 0;
	int r;

	sql_bind_i64(q, 1, (int64_t) addr);
	sql_bind_i64(q, 2, before ? before : INT64_MAX);
	sql_bind_i64(q, 3, limit + 1);
	while ((r = sql_step(q)) > 0 && n < limit) {
		last = sql_col_i64(q, 0);
		json_array_append_new(items, entry_json(q));
		n++;
	}
	if (r < 0)
		return r;
	sql_reset(q);
	*ret_next = r > 0 ? last : 0;
	return 0;
}
