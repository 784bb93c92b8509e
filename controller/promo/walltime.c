/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/promo/walltime.h"
#include "common/clock.h"
#include "common/err.h"
#include <errno.h>
#include <libical/ical.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define DAY_S    86400
/* Clocks are moved by less than this, and not twice within it. */
#define AROUND_S (36 * 3600)
/* The seconds between which a zone's offset is known. */
#define MIN_S    INT64_C(946684800)                   /* 2000-01-01 UTC */
#define MAX_S    (INT64_C(2145916800) + 2 * AROUND_S) /* 2038-01-01 UTC and a little */

/* libical keeps its zones in globals that grow as they are asked. */
static pthread_mutex_t ical_lock = PTHREAD_MUTEX_INITIALIZER;

/* --- the calendar, without zones --------------------------------------------------------------
 */

static bool is_leap(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int days_in(int year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	return days[month - 1] + (month == 2 && is_leap(year));
}

/* Days since 1970-01-01; years count from March, so that the leap day is the last. */
static int64_t day_number(int year, int month, int day)
{
	int64_t y = month > 2 ? year : year - 1, m = month > 2 ? month - 3 : month + 9;

	return 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719468;
}

int64_t walltime_to_count(const struct walltime *w)
{
	return day_number(w->year, w->month, w->day) * DAY_S + w->hour * 3600 + w->minute * 60 +
	       w->second;
}

void walltime_from_count(int64_t seconds, struct walltime *ret)
{
	int64_t day = seconds / DAY_S, rest = seconds % DAY_S;
	int year = (int) (1970 + day / 366), month = 1;

	if (rest < 0) {
		rest += DAY_S;
		day--;
	}
	while (day_number(year + 1, 1, 1) <= day)
		year++;
	while (day_number(year, month, 1) + days_in(year, month) <= day)
		month++;
	*ret = (struct walltime){.year = year,
				 .month = month,
				 .day = (int) (day - day_number(year, month, 1)) + 1,
				 .hour = (int) (rest / 3600),
				 .minute = (int) (rest / 60 % 60),
				 .second = (int) (rest % 60)};
}

/* `n` digits. */
static bool number(const char **p, const char *end, int n, int *ret)
{
	*ret = 0;
	if (end - *p < n)
		return false;
	for (; n > 0; n--, (*p)++) {
		if (**p < '0' || **p > '9')
			return false;
		*ret = *ret * 10 + (**p - '0');
	}
	return true;
}

static bool mark(const char **p, const char *end, char c)
{
	if (*p == end || **p != c)
		return false;
	(*p)++;
	return true;
}

static int check(const struct walltime *w)
{
	if (w->month < 1 || w->month > 12 || w->day < 1 || w->hour > 23 || w->minute > 59 ||
	    w->second > 59 || w->year < WALLTIME_MIN_YEAR || w->year > WALLTIME_MAX_YEAR ||
	    w->day > days_in(w->year, w->month))
		return -ERR_RANGE;
	return 0;
}

int walltime_parse(const char *text, size_t len, struct walltime *ret)
{
	const char *p = text, *end = text + len;
	struct walltime w = {0};
	int r;

	if (!number(&p, end, 4, &w.year) || !mark(&p, end, '-') || !number(&p, end, 2, &w.month) ||
	    !mark(&p, end, '-') || !number(&p, end, 2, &w.day) || !mark(&p, end, 'T') ||
	    !number(&p, end, 2, &w.hour) || !mark(&p, end, ':') || !number(&p, end, 2, &w.minute))
		return -ERR_SYNTAX;
	if (p < end && (!mark(&p, end, ':') || !number(&p, end, 2, &w.second)))
		return -ERR_SYNTAX;
	if (p != end)
		return -ERR_SYNTAX;
	r = check(&w);
	if (r == 0)
		*ret = w;
	return r;
}

const char *walltime_format(const struct walltime *w, char buf[WALLTIME_TEXT_MAX])
{
	int n = snprintf(buf, WALLTIME_TEXT_MAX, "%04d-%02d-%02dT%02d:%02d", w->year % 10000,
			 w->month % 100, w->day % 100, w->hour % 100, w->minute % 100);

	if (w->second && n > 0)
		snprintf(buf + n, WALLTIME_TEXT_MAX - (size_t) n, ":%02d", w->second % 100);
	return buf;
}

/* --- zones ------------------------------------------------------------------------------------
 */

/* The lock is held. libical would look up anything, also a path. */
static icaltimezone *find_zone(const char *zone)
{
	size_t len = strlen(zone);

	if (len == 0 || len > 63 || zone[0] == '/' || zone[0] == '.')
		return NULL;
	for (const char *p = zone; *p; p++)
		if (!((*p >= 'A' && *p <= 'Z') || (*p >= 'a' && *p <= 'z') ||
		      (*p >= '0' && *p <= '9') || strchr("_+-/", *p)))
			return NULL;
	return icaltimezone_get_builtin_timezone(zone);
}

bool walltime_zone_known(const char *zone)
{
	bool known;

	pthread_mutex_lock(&ical_lock);
	known = find_zone(zone) != NULL;
	pthread_mutex_unlock(&ical_lock);
	return known;
}

/* Seconds east of UTC at an instant. The lock is held. */
static int64_t offset_at(icaltimezone *z, int64_t utc_s)
{
	struct walltime w;
	struct icaltimetype t = icaltime_null_time();

	walltime_from_count(utc_s, &w);
	t.year = w.year;
	t.month = w.month;
	t.day = w.day;
	t.hour = w.hour;
	t.minute = w.minute;
	t.second = w.second;
	t.zone = icaltimezone_get_utc_timezone();
	return icaltimezone_get_utc_offset_of_utc_time(z, &t, NULL);
}

/* The first second of the offset that holds at `high`, in (low, high]. */
static int64_t find_change(icaltimezone *z, int64_t low, int64_t high)
{
	int64_t after = offset_at(z, high);

	while (high - low > 1) {
		int64_t middle = low + (high - low) / 2;

		if (offset_at(z, middle) == after)
			high = middle;
		else
			low = middle;
	}
	return high;
}

static int64_t resolve(icaltimezone *z, int64_t count, enum walltime_edge edge,
		       enum walltime_kind *ret_kind)
{
	int64_t before = offset_at(z, count - AROUND_S), after = offset_at(z, count + AROUND_S);
	int64_t first = count - before, second = count - after;
	bool has_first = offset_at(z, first) == before, has_second = offset_at(z, second) == after;

	*ret_kind = WALLTIME_PLAIN;
	if (has_first && has_second && first != second) {
		*ret_kind = WALLTIME_REPEATED;
		return edge == WALLTIME_START ? MIN(first, second) : MAX(first, second);
	}
	if (has_first || has_second)
		return has_first ? first : second;
	*ret_kind = WALLTIME_SKIPPED;
	return find_change(z, count - AROUND_S, count + AROUND_S);
}

int walltime_resolve(const struct walltime *w, const char *zone, enum walltime_edge edge,
		     int64_t *ret_us, enum walltime_kind *ret_kind)
{
	enum walltime_kind kind;
	icaltimezone *z;
	int64_t at = 0;
	int r = check(w);

	if (r < 0)
		return r;
	pthread_mutex_lock(&ical_lock);
	z = find_zone(zone);
	if (z)
		at = resolve(z, walltime_to_count(w), edge, &kind);
	pthread_mutex_unlock(&ical_lock);
	if (!z)
		return -ENOENT;
	*ret_us = at * US_PER_SEC;
	if (ret_kind)
		*ret_kind = kind;
	return 0;
}

int walltime_at(int64_t at_us, const char *zone, struct walltime *ret)
{
	int64_t s = at_us / US_PER_SEC - (at_us % US_PER_SEC < 0), offset = 0;
	icaltimezone *z;

	if (s < MIN_S || s > MAX_S)
		return -ERR_RANGE;
	pthread_mutex_lock(&ical_lock);
	z = find_zone(zone);
	if (z)
		offset = offset_at(z, s);
	pthread_mutex_unlock(&ical_lock);
	if (!z)
		return -ENOENT;
	walltime_from_count(s + offset, ret);
	return 0;
}

const char *walltime_note(const struct walltime *w, const char *zone, enum walltime_edge edge,
			  char buf[WALLTIME_NOTE_MAX])
{
	const char *verb = edge == WALLTIME_START ? "starts" : "ends";
	enum walltime_kind kind;
	struct walltime real;
	int64_t at;

	buf[0] = 0;
	if (walltime_resolve(w, zone, edge, &at, &kind) < 0 || kind == WALLTIME_PLAIN)
		return buf;
	if (kind == WALLTIME_REPEATED)
		snprintf(buf, WALLTIME_NOTE_MAX,
			 "%02d:%02d comes twice on %04d-%02d-%02d; it %s at the %s one", w->hour,
			 w->minute, w->year, w->month, w->day, verb,
			 edge == WALLTIME_START ? "first" : "second");
	else if (walltime_at(at, zone, &real) == 0)
		snprintf(buf, WALLTIME_NOTE_MAX,
			 "%02d:%02d does not exist on %04d-%02d-%02d; it %s at %02d:%02d", w->hour,
			 w->minute, w->year, w->month, w->day, verb, real.hour, real.minute);
	return buf;
}

/* --- recurrence -------------------------------------------------------------------------------
 */

struct walltime_rule {
	icalrecur_iterator *it;
};

static const char *const keys[] = {
	"FREQ", "INTERVAL", "COUNT", "UNTIL", "BYDAY", "BYMONTHDAY", "BYMONTH", "BYSETPOS", "WKST",
};

enum {
	KEY_FREQ,
	KEY_INTERVAL,
	KEY_COUNT,
	KEY_UNTIL,
	KEY_COUNT_OF = ARRAY_SIZE(keys)
};

/* "20261231", "20261231T120000" or the latter with a Z, to a wall time. */
static int parse_until(const char *text, size_t len, const char *zone, struct walltime *ret)
{
	const char *p = text, *end = text + len;
	struct walltime w = {.hour = 23, .minute = 59, .second = 59};
	int r;

	if (!number(&p, end, 4, &w.year) || !number(&p, end, 2, &w.month) ||
	    !number(&p, end, 2, &w.day))
		return -ERR_SYNTAX;
	if (p < end && (!mark(&p, end, 'T') || !number(&p, end, 2, &w.hour) ||
			!number(&p, end, 2, &w.minute) || !number(&p, end, 2, &w.second)))
		return -ERR_SYNTAX;
	r = check(&w);
	if (r < 0)
		return r;
	*ret = w;
	if (p == end)
		return 0;
	if (!mark(&p, end, 'Z') || p != end || len != 16)
		return -ERR_SYNTAX;
	return walltime_at(walltime_to_count(&w) * US_PER_SEC, zone, ret);
}

static int parse_positive(const char *text, size_t len, int max)
{
	int v = 0;

	if (len == 0 || len > 4)
		return -ERR_RANGE;
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return -ERR_SYNTAX;
		v = v * 10 + (text[i] - '0');
	}
	return v < 1 || v > max ? -ERR_RANGE : v;
}

static int check_freq(const char *text, size_t len)
{
	static const char *const good[] = {"DAILY", "WEEKLY", "MONTHLY", "YEARLY"};
	static const char *const often[] = {"SECONDLY", "MINUTELY", "HOURLY"};

	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		if (strlen(good[i]) == len && memcmp(text, good[i], len) == 0)
			return 0;
	for (size_t i = 0; i < ARRAY_SIZE(often); i++)
		if (strlen(often[i]) == len && memcmp(text, often[i], len) == 0)
			return -ERR_TOO_LARGE;
	return -ERR_SYNTAX;
}

/* Numbers with signs and names of days: libical reads them, but only these bytes. */
static int check_list(const char *text, size_t len)
{
	if (len == 0)
		return -ERR_SYNTAX;
	for (size_t i = 0; i < len; i++)
		if (!strchr("0123456789+-,MOTUWEHFRSA", text[i]))
			return -ERR_SYNTAX;
	return 0;
}

/* What has been read of a rule; UNTIL apart, because libical is to get it as a wall time. */
struct parsed {
	char text[WALLTIME_RULE_MAX]; /* without UNTIL */
	unsigned int has;             /* bit by key */
	struct walltime until;
};

static int parse_part(const char *part, size_t len, const char *zone, struct parsed *p)
{
	const char *value = memchr(part, '=', len);
	size_t key_len, value_len, used = strlen(p->text);
	int r = 0;
	unsigned int k;

	if (!value)
		return -ERR_SYNTAX;
	key_len = (size_t) (value++ - part);
	value_len = len - key_len - 1;
	for (k = 0; k < KEY_COUNT_OF; k++)
		if (strlen(keys[k]) == key_len && memcmp(part, keys[k], key_len) == 0)
			break;
	if (k == KEY_COUNT_OF || (p->has & 1u << k))
		return -ERR_SYNTAX;
	p->has |= 1u << k;
	if (k == KEY_UNTIL)
		return parse_until(value, value_len, zone, &p->until);
	if (k == KEY_FREQ)
		r = check_freq(value, value_len);
	else if (k == KEY_INTERVAL || k == KEY_COUNT)
		r = parse_positive(value, value_len, k == KEY_COUNT ? 5000 : 1000);
	else
		r = check_list(value, value_len);
	if (r < 0)
		return r;
	if (used + len + 2 > sizeof p->text)
		return -ERR_RANGE;
	snprintf(p->text + used, sizeof p->text - used, "%s%.*s", used ? ";" : "", (int) len, part);
	return 0;
}

static int parse_rule(const char *text, size_t len, const char *zone, struct parsed *p)
{
	if (len == 0 || len >= WALLTIME_RULE_MAX)
		return -ERR_SYNTAX;
	for (const char *end = text + len; text < end;) {
		const char *stop = memchr(text, ';', (size_t) (end - text));
		size_t n = (size_t) ((stop ? stop : end) - text);
		int r = parse_part(text, n, zone, p);

		if (r < 0)
			return r;
		text += n + (stop != NULL);
		if (stop && text == end)
			return -ERR_SYNTAX;
	}
	if (!(p->has & 1u << KEY_FREQ) ||
	    ((p->has & 1u << KEY_COUNT) && (p->has & 1u << KEY_UNTIL)))
		return -ERR_SYNTAX;
	return 0;
}

static struct icaltimetype floating(const struct walltime *w)
{
	struct icaltimetype t = icaltime_null_time();

	t.year = w->year;
	t.month = w->month;
	t.day = w->day;
	t.hour = w->hour;
	t.minute = w->minute;
	t.second = w->second;
	return t;
}

/* The lock is held. */
static icalrecur_iterator *iterate(struct parsed *p, const struct walltime *start)
{
	struct icalrecurrencetype rule = icalrecurrencetype_from_string(p->text);

	if (rule.freq == ICAL_NO_RECURRENCE)
		return NULL;
	/* an end for every rule, so that one that never fits does not look for ever */
	if (!(p->has & 1u << KEY_UNTIL))
		p->until = (struct walltime){WALLTIME_MAX_YEAR, 12, 31, 23, 59, 59};
	rule.until = floating(&p->until);
	return icalrecur_iterator_new(rule, floating(start));
}

int walltime_rule_new(const char *text, size_t len, const char *zone, const struct walltime *start,
		      struct walltime_rule **ret)
{
	_cleanup_(walltime_rule_freep) struct walltime_rule *r = NULL;
	struct parsed p = {.has = 0};
	struct walltime first;
	int err = check(start);

	if (err < 0)
		return err;
	if (!walltime_zone_known(zone))
		return -ENOENT;
	err = parse_rule(text, len, zone, &p);
	if (err < 0)
		return err;
	r = calloc(1, sizeof *r);
	if (!r)
		return -ENOMEM;
	pthread_mutex_lock(&ical_lock);
	r->it = iterate(&p, start);
	pthread_mutex_unlock(&ical_lock);
	if (!r->it)
		return -ERR_SYNTAX;
	if (!walltime_rule_next(r, &first) || walltime_to_count(&first) != walltime_to_count(start))
		return -ERR_CONFLICT;
	pthread_mutex_lock(&ical_lock);
	icalrecur_iterator_free(r->it);
	r->it = iterate(&p, start);
	pthread_mutex_unlock(&ical_lock);
	if (!r->it)
		return -ENOMEM;
	*ret = TAKE_PTR(r);
	return 0;
}

void walltime_rule_free(struct walltime_rule *r)
{
	if (!r)
		return;
	pthread_mutex_lock(&ical_lock);
	if (r->it)
		icalrecur_iterator_free(r->it);
	pthread_mutex_unlock(&ical_lock);
	free(r);
}

bool walltime_rule_next(struct walltime_rule *r, struct walltime *ret)
{
	struct icaltimetype t;
	struct walltime w;

	pthread_mutex_lock(&ical_lock);
	t = icalrecur_iterator_next(r->it);
	pthread_mutex_unlock(&ical_lock);
	if (icaltime_is_null_time(t))
		return false;
	w = (struct walltime){t.year, t.month, t.day, t.hour, t.minute, t.second};
	if (check(&w) < 0)
		return false;
	*ret = w;
	return true;
}
