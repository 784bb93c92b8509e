/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/shop/label_budget.h"

#include "common/clock.h"
#include "common/led.h"
#include "common/sensor.h"

#define HOUR_US (INT64_C(3600) * US_PER_SEC)
#define DAY_US  (24 * HOUR_US)

/* What is from the future was written by a wrong clock, and does not count. */
static const struct {
	const char *name, *count, *nth;
	int64_t per_hour, per_day;
} costs[LABEL_COST_COUNT] = {
	[LABEL_COST_FLASH] = {"flashes",
			      "SELECT count(*), sum(at > ?2) FROM label_flashes"
			      " WHERE addr = ?1 AND at > ?3 AND at <= ?4",
			      "SELECT at FROM label_flashes WHERE addr = ?1 AND at > ?2 AND at <= "
			      "?3 ORDER BY at DESC LIMIT 1 OFFSET ?4",
			      LED_FLASHES_PER_HOUR, LED_FLASHES_PER_DAY},
	[LABEL_COST_READING] = {"readings",
				"SELECT count(*), sum(at > ?2) FROM label_reads"
				" WHERE addr = ?1 AND at > ?3 AND at <= ?4",
				"SELECT at FROM label_reads WHERE addr = ?1 AND at > ?2 AND at <= "
				"?3 ORDER BY at DESC LIMIT 1 OFFSET ?4",
				SENSOR_READS_PER_HOUR, SENSOR_READS_PER_DAY},
};

/* The instant from which `n` more stay within `max` of them in `span_us`; 0 = now. */
static int free_from(struct sql *s, const char *text, uint64_t addr, int64_t now_us,
		     int64_t span_us, int64_t max, int64_t n, int64_t *ret_us)
{
	struct sql_stmt *q = sql_prepare(s, text);
	int r;

	sql_bind_i64(q, 1, (int64_t) addr);
	sql_bind_i64(q, 2, now_us - span_us);
	sql_bind_i64(q, 3, now_us);
	sql_bind_i64(q, 4, MAX(max - n, 0));
	r = sql_step(q);
	*ret_us = r > 0 ? sql_col_i64(q, 0) + span_us : 0;
	sql_reset(q);
	return MIN(r, 0);
}

int label_budget_load(struct sql *s, enum label_cost cost, uint64_t addr, int64_t now_us, int64_t n,
		      struct label_budget *ret)
{
	struct sql_stmt *q = sql_prepare(s, costs[cost].count);
	int64_t hour_us = 0, day_us = 0;
	int r;

	sql_bind_i64(q, 1, (int64_t) addr);
	sql_bind_i64(q, 2, now_us - HOUR_US);
	sql_bind_i64(q, 3, now_us - DAY_US);
	sql_bind_i64(q, 4, now_us);
	r = sql_step(q);
	*ret = (struct label_budget){.per_hour = costs[cost].per_hour,
				     .per_day = costs[cost].per_day};
	if (r > 0) {
		ret->day = sql_col_i64(q, 0);
		ret->hour = sql_col_i64(q, 1); /* NULL of no rows is 0 */
	}
	sql_reset(q);
	if (r >= 0)
		r = free_from(s, costs[cost].nth, addr, now_us, HOUR_US, ret->per_hour, n,
			      &hour_us);
	if (r >= 0)
		r = free_from(s, costs[cost].nth, addr, now_us, DAY_US, ret->per_day, n, &day_us);
	ret->free_us = MAX(hour_us, day_us);
	return MIN(r, 0);
}

json_t *label_budget_json(struct sql *s, uint64_t addr, int64_t now_us)
{
	json_t *o = json_object();

	for (int c = 0; c < LABEL_COST_COUNT; c++) {
		char at[CLOCK_RFC3339_MAX];
		struct label_budget b;

		if (label_budget_load(s, (enum label_cost) c, addr, now_us, 1, &b) < 0)
			continue;
		json_object_set_new(o, costs[c].name,
				    json_pack("{s:I,s:I,s:I,s:I,s:o}", "hour", (json_int_t) b.hour,
					      "per_hour", (json_int_t) b.per_hour, "day",
					      (json_int_t) b.day, "per_day", (json_int_t) b.per_day,
					      "free_at",
					      b.free_us ? json_string(clock_rfc3339(b.free_us, at))
							: json_null()));
	}
	return o;
}
