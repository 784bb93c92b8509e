/* SPDX-License-Identifier: Apache-2.0 */
/* What labels measure: the last value of each sensor, and when it was read. */
#include "controller/shop/label_sensors.h"

#include "common/clock.h"
#include "common/hex.h"
#include "controller/db/db_schema.h"
#include <stdio.h>
#include <string.h>

const char sensors_schema_v4[] = "CREATE TABLE label_sensors("
				 " addr INTEGER NOT NULL REFERENCES labels(addr),"
				 " n INTEGER NOT NULL," /* as the label counts them */
				 " store_id INTEGER NOT NULL DEFAULT 1,"
				 " vendor INTEGER NOT NULL," /* id is a maker's own */
				 " id INTEGER NOT NULL,"
				 " data BLOB NOT NULL," /* as the label said it */
				 " at INTEGER NOT NULL,"
				 " PRIMARY KEY(addr, n)) WITHOUT ROWID;";

int label_sensors_keep(struct sql *s, uint64_t addr, const struct proto_label_report *rep,
		       int64_t at_us)
{
	struct sql_stmt *q;
	int r = 0;

	for (int64_t i = 0; r >= 0 && i < rep->n_sensors; i++) {
		const struct sensor_reading *v = &rep->sensors[i];

		q = sql_prepare(s, "INSERT INTO label_sensors(addr, n, vendor, id, data, at)"
				   " VALUES(?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT(addr, n) DO UPDATE"
				   " SET vendor = ?3, id = ?4, data = ?5, at = ?6 WHERE at <= ?6");
		sql_bind_i64(q, 1, (int64_t) addr);
		sql_bind_i64(q, 2, i);
		sql_bind_i64(q, 3, v->id.vendor);
		sql_bind_i64(q, 4, v->id.number);
		sql_bind_blob(q, 5, v->data, v->len);
		sql_bind_i64(q, 6, at_us);
		r = sql_run(q);
	}
	return r < 0 ? r : 0;
}

static json_t *reading_json(const struct sensor_reading *v, int64_t at_us)
{
	char at[CLOCK_RFC3339_MAX], raw[2 * SENSOR_DATA_MAX + 1], id[16];
	struct sensor_value value;
	bool known = sensor_decode(v, &value);

	snprintf(id, sizeof(id), v->id.vendor ? "%08x" : "%04x", (unsigned int) v->id.number);
	return json_pack("{s:s,s:b,s:o,s:o,s:o,s:s,s:s}", "id", id, "vendor", v->id.vendor, "name",
			 known ? json_string(value.name) : json_null(), "value",
			 known ? json_real(value.number) : json_null(), "unit",
			 known ? json_string(value.unit) : json_null(), "bytes",
			 hex_encode(v->data, v->len, raw), "at", clock_rfc3339(at_us, at));
}

json_t *label_sensors_json(struct sql *s, uint64_t addr)
{
	struct sql_stmt *q = sql_prepare(
		s, "SELECT vendor, id, data, at FROM label_sensors WHERE addr = ? ORDER BY n");
	json_t *list = json_array();

	sql_bind_i64(q, 1, (int64_t) addr);
	while (sql_step(q) > 0) {
		struct sensor_reading v = {.id.vendor = sql_col_i64(q, 0) != 0,
					   .id.number = (uint32_t) sql_col_i64(q, 1)};
		size_t len;
		const void *data = sql_col_blob(q, 2, &len);

		v.len = (uint8_t) MIN(len, sizeof(v.data));
		if (v.len)
			memcpy(v.data, data, v.len);
		json_array_append_new(list, reading_json(&v, sql_col_i64(q, 3)));
	}
	sql_reset(q);
	return list;
}
