/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What labels measure: the last value of each sensor with when it was read, what became of the last
 * reading that somebody asked for, and the values before. Of these, all of the last two days are
 * kept and one a day before that, for a season.
 */
#include "controller/shop/label_sensors.h"

#include "common/clock.h"
#include "common/hex.h"
#include "controller/db/db_schema.h"
#include <stdio.h>
#include <string.h>

#define DAY_US       (INT64_C(86400) * US_PER_SEC)
#define ALL_FOR_US   (2 * DAY_US)
#define DAYS_FOR_US  (90 * DAY_US)
#define READINGS_MAX 500 /* of a sensor, whatever is said */

const char sensors_schema_v4[] = "CREATE TABLE label_sensors("
				 " addr INTEGER NOT NULL REFERENCES labels(addr),"
				 " n INTEGER NOT NULL," /* as the label counts them */
				 " store_id INTEGER NOT NULL DEFAULT 1,"
				 " vendor INTEGER NOT NULL," /* id is a maker's own */
				 " id INTEGER NOT NULL,"
				 " data BLOB NOT NULL," /* as the label said it */
				 " at INTEGER NOT NULL,"
				 " PRIMARY KEY(addr, n)) WITHOUT ROWID;";

const char sensors_schema_v5[] =
	/* The last reading that was asked for, and what became of it (enum sensor_asked). */
	"ALTER TABLE label_sensors ADD COLUMN asked_at INTEGER;"
	"ALTER TABLE label_sensors ADD COLUMN asked_until INTEGER;"
	"ALTER TABLE label_sensors ADD COLUMN asked_state INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE label_sensors ADD COLUMN asked_text TEXT NOT NULL DEFAULT '';"
	/* The wish as its access point is told it: a bit for each sensor. */
	"ALTER TABLE labels ADD COLUMN sensors_until INTEGER;"
	"ALTER TABLE labels ADD COLUMN sensors_wanted INTEGER NOT NULL DEFAULT 0;"

	"CREATE TABLE label_readings("
	" addr INTEGER NOT NULL REFERENCES labels(addr),"
	" n INTEGER NOT NULL,"
	" at INTEGER NOT NULL,"
	" store_id INTEGER NOT NULL DEFAULT 1,"
	" vendor INTEGER NOT NULL," /* what the sensor was then */
	" id INTEGER NOT NULL,"
	" data BLOB NOT NULL,"
	" PRIMARY KEY(addr, n, at)) WITHOUT ROWID;"
	"INSERT INTO label_readings(addr, n, at, vendor, id, data)"
	" SELECT addr, n, at, vendor, id, data FROM label_sensors WHERE length(data) > 0;"

	/* Readings asked for: what the battery's budget is counted from. */
	"CREATE TABLE label_reads("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" store_id INTEGER NOT NULL DEFAULT 1,"
	" at INTEGER NOT NULL,"
	" who TEXT NOT NULL,"
	" addr INTEGER NOT NULL,"
	" n INTEGER NOT NULL,"
	" until INTEGER NOT NULL);"
	"CREATE INDEX label_reads_by_label ON label_reads(addr, at);"
	"CREATE TRIGGER label_reads_no_update BEFORE UPDATE ON label_reads"
	" BEGIN SELECT RAISE(ABORT, 'label_reads is append-only'); END;"
	/* Both accounts go when they are as old as the trail of who did what. */
	"DROP TRIGGER label_flashes_no_delete;" DB_DROP_WHEN_OLD("label_reads", "label_reads",
								 "old.at")
		DB_DROP_WHEN_OLD("label_flashes", "label_flashes", "old.at");

/* --- what comes in -----------------------------------------------------------------------------
 */

static int thin(struct sql *s, uint64_t addr, int64_t n, int64_t at_us)
{
	struct sql_stmt *q = sql_prepare(
		s, "DELETE FROM label_readings WHERE addr = ?1 AND n = ?2 AND (at < ?3 OR at < "
		   "(SELECT at FROM label_readings WHERE addr = ?1 AND n = ?2"
		   " ORDER BY at DESC LIMIT 1 OFFSET ?5) OR (at < ?4 AND EXISTS(SELECT 1"
		   " FROM label_readings later WHERE later.addr = ?1 AND later.n = ?2"
		   " AND later.at > label_readings.at"
		   " AND later.at < (label_readings.at / ?6 + 1) * ?6)))");

	sql_bind_i64(q, 1, (int64_t) addr);
	sql_bind_i64(q, 2, n);
	sql_bind_i64(q, 3, at_us - DAYS_FOR_US);
	sql_bind_i64(q, 4, at_us - ALL_FOR_US);
	sql_bind_i64(q, 5, READINGS_MAX - 1);
	sql_bind_i64(q, 6, DAY_US);
	return sql_run(q);
}

/* One value of a sensor that is known. */
static int record(struct sql *s, uint64_t addr, int64_t n, const void *data, size_t len,
		  int64_t at_us)
{
	struct sql_stmt *q = sql_prepare(s, "UPDATE label_sensors SET data = ?3, at = ?4"
					    " WHERE addr = ?1 AND n = ?2 AND at <= ?4");
	int r;

	sql_bind_i64(q, 1, (int64_t) addr);
	sql_bind_i64(q, 2, n);
	sql_bind_blob(q, 3, data, len);
	sql_bind_i64(q, 4, at_us);
	r = sql_run(q);
	if (r < 0)
		return r;
	q = sql_prepare(s, "INSERT INTO label_readings(addr, n, at, vendor, id, data)"
			   " SELECT addr, n, ?4, vendor, id, ?3 FROM label_sensors"
			   " WHERE addr = ?1 AND n = ?2 ON CONFLICT DO NOTHING");
	sql_bind_i64(q, 1, (int64_t) addr);
	sql_bind_i64(q, 2, n);
	sql_bind_blob(q, 3, data, len);
	sql_bind_i64(q, 4, at_us);
	r = sql_run(q);
	return r < 0 ? r : thin(s, addr, n, at_us);
}

/* Which sensor it is; a value stays until there is another, unless the sensor is another. */
static int identify(struct sql *s, uint64_t addr, int64_t n, const struct sensor_id *id,
		    int64_t at_us)
{
	struct sql_stmt *q = sql_prepare(
		s, "INSERT INTO label_sensors(addr, n, vendor, id, data, at)"
		   " VALUES(?1, ?2, ?3, ?4, zeroblob(0), ?5) ON CONFLICT(addr, n) DO UPDATE"
		   " SET vendor = ?3, id = ?4, data = zeroblob(0), at = ?5"
		   " WHERE at <= ?5 AND (vendor <> ?3 OR id <> ?4)");

	sql_bind_i64(q, 1, (int64_t) addr);
	sql_bind_i64(q, 2, n);
	sql_bind_i64(q, 3, id->vendor);
	sql_bind_i64(q, 4, id->number);
	sql_bind_i64(q, 5, at_us);
	return sql_run(q);
}

/* What became of the wish that asked for it. */
static int resolve(struct sql *s, uint64_t addr, const struct proto_label_report *rep,
		   const char *text)
{
	struct sql_stmt *q = sql_prepare(
		s, "UPDATE label_sensors SET asked_state = ?4, asked_text = ?5"
		   " WHERE addr = ?1 AND n = ?2 AND asked_until = ?3 AND asked_state = ?6");

	sql_bind_i64(q, 1, (int64_t) addr);
	sql_bind_i64(q, 2, rep->reading);
	sql_bind_i64(q, 3, rep->reading_until_us);
	sql_bind_i64(q, 4, rep->reading_len ? SENSOR_READ : SENSOR_FAILED);
	sql_bind_text(q, 5, rep->reading_len ? "" : text);
	sql_bind_i64(q, 6, SENSOR_ASKED);
	return sql_run(q);
}

int label_sensors_keep(struct sql *s, uint64_t addr, const struct proto_label_report *rep,
		       int64_t at_us, const char *text, int *taken)
{
	int r = 0;

	for (int64_t i = 0; r >= 0 && i < rep->n_sensors; i++) {
		const struct sensor_reading *v = &rep->sensors[i];

		r = identify(s, addr, i, &v->id, at_us);
		if (r >= 0 && v->len) {
			r = record(s, addr, i, v->data, v->len, at_us);
			(*taken)++;
		}
	}
	if (r >= 0 && rep->has_reading && rep->reading_len) {
		r = record(s, addr, rep->reading, rep->reading_data, rep->reading_len, at_us);
		(*taken)++;
	}
	if (r >= 0 && rep->has_reading && rep->reading_until_us)
		r = resolve(s, addr, rep, text);
	return MIN(r, 0);
}

/* --- what is told ------------------------------------------------------------------------------
 */

static void read_value(struct sql_stmt *q, int column, struct sensor_reading *v)
{
	const void *data;
	size_t len;

	*v = (struct sensor_reading){.id.vendor = sql_col_i64(q, column) != 0,
				     .id.number = (uint32_t) sql_col_i64(q, column + 1)};
	data = sql_col_blob(q, column + 2, &len);
	v->len = (uint8_t) MIN(len, sizeof(v->data));
	if (v->len)
		memcpy(v->data, data, v->len);
}

static json_t *reading_json(int64_t n, const struct sensor_reading *v, int64_t at_us)
{
	char at[CLOCK_RFC3339_MAX], raw[2 * SENSOR_DATA_MAX + 1], id[16];
	const char *name, *unit;
	struct sensor_value value;
	bool known = sensor_decode(v, &value);

	snprintf(id, sizeof(id), v->id.vendor ? "%08x" : "%04x", (unsigned int) v->id.number);
	name = sensor_name(&v->id, &unit);
	return json_pack("{s:I,s:s,s:b,s:s?,s:o,s:s?,s:s,s:s}", "sensor", (json_int_t) n, "id", id,
			 "vendor", v->id.vendor, "name", name, "value",
			 known ? json_real(value.number) : json_null(), "unit", unit, "bytes",
			 hex_encode(v->data, v->len, raw), "at", clock_rfc3339(at_us, at));
}

/* {at, until, state, reason}; null when nobody asked. */
static json_t *asked_json(struct sql_stmt *q, int column, int64_t now_us)
{
	char at[CLOCK_RFC3339_MAX], until[CLOCK_RFC3339_MAX];
	int64_t until_us = sql_col_i64(q, column + 1), state = sql_col_i64(q, column + 2);
	const char *text = sql_col_text(q, column + 3);

	if (!until_us)
		return json_null();
	if (state == SENSOR_ASKED && until_us <= now_us) {
		state = SENSOR_FAILED;
		text = "No answer came.";
	}
	return json_pack("{s:s,s:s,s:s,s:o}", "at", clock_rfc3339(sql_col_i64(q, column), at),
			 "until", clock_rfc3339(until_us, until), "state",
			 state == SENSOR_READ     ? "read"
			 : state == SENSOR_FAILED ? "failed"
						  : "asked",
			 "reason", text && *text ? json_string(text) : json_null());
}

json_t *label_sensors_json(struct sql *s, uint64_t addr, int64_t now_us)
{
	struct sql_stmt *q = sql_prepare(
		s, "SELECT n, at, vendor, id, data, asked_at, asked_until, asked_state, asked_text"
		   " FROM label_sensors WHERE addr = ? ORDER BY n");
	json_t *list = json_array(), *o;

	sql_bind_i64(q, 1, (int64_t) addr);
	while (sql_step(q) > 0) {
		struct sensor_reading v;

		read_value(q, 2, &v);
		o = reading_json(sql_col_i64(q, 0), &v, sql_col_i64(q, 1));
		json_object_set_new(o, "asked", asked_json(q, 5, now_us));
		json_array_append_new(list, o);
	}
	sql_reset(q);
	return list;
}

int label_readings_list(struct sql *s, uint64_t addr, int64_t n, int64_t before_us, int64_t limit,
			json_t *items, int64_t *ret_next)
{
	struct sql_stmt *q = sql_prepare(
		s, "SELECT at, vendor, id, data FROM label_readings WHERE addr = ? AND n = ?"
		   " AND at < ? ORDER BY at DESC LIMIT ?");
	int64_t k = 0, last = 0;
	int r;

	sql_bind_i64(q, 1, (int64_t) addr);
	sql_bind_i64(q, 2, n);
	sql_bind_i64(q, 3, before_us ? before_us : INT64_MAX);
	sql_bind_i64(q, 4, limit + 1);
	while ((r = sql_step(q)) > 0 && k++ < limit) {
		struct sensor_reading v;

		read_value(q, 1, &v);
		last = sql_col_i64(q, 0);
		json_array_append_new(items, reading_json(n, &v, last));
	}
	sql_reset(q);
	*ret_next = r > 0 ? last : 0;
	return MIN(r, 0);
}
