/* SPDX-License-Identifier: Apache-2.0 */
#include "common/clock.h"
#include "common/clock_conducted.h"
#include "common/err.h"
#include "common/util.h"
#include <ctype.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int64_t read_clock(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (int64_t) ts.tv_sec * US_PER_SEC + ts.tv_nsec / 1000;
}

static int64_t system_mono(const struct clock *c)
{
	(void) c;
	return read_clock(CLOCK_MONOTONIC);
}

static int64_t system_real(const struct clock *c)
{
	(void) c;
	return read_clock(CLOCK_REALTIME);
}

#ifdef ENABLE_FAULT_POINTS

static struct conducted *conductor;
static pthread_once_t conductor_sought = PTHREAD_ONCE_INIT;

static void seek_conductor(void)
{
	const char *path = getenv("GONDOLA_CLOCK");
	int r = path && *path ? conducted_open(path, &conductor) : 0;

	if (r == 0)
		return;
	/* A test that set it must not go on in another time. */
	(void) fprintf(stderr, "GONDOLA_CLOCK=%s: %s\n", path, err_str(r));
	abort();
}

bool clock_is_conducted(void)
{
	(void) pthread_once(&conductor_sought, seek_conductor);
	return conductor != NULL;
}

static struct conducted_time told(void)
{
	struct conducted_time t;

	conducted_read(conductor, read_clock(CLOCK_MONOTONIC), &t);
	return t;
}

static int64_t told_mono(const struct clock *c)
{
	(void) c;
	return told().mono_us;
}

static int64_t told_real(const struct clock *c)
{
	(void) c;
	return told().real_us;
}

int64_t clock_sleep_us(int64_t delay_us)
{
	return clock_is_conducted() ? conducted_wait_us(told().rate_milli, delay_us) : delay_us;
}

const struct clock *clock_system(void)
{
	static const struct clock machine = {system_mono, system_real};
	static const struct clock conducted = {told_mono, told_real};

	return clock_is_conducted() ? &conducted : &machine;
}

#else

bool clock_is_conducted(void)
{
	return false;
}

int64_t clock_sleep_us(int64_t delay_us)
{
	return delay_us;
}

const struct clock *clock_system(void)
{
	static const struct clock machine = {system_mono, system_real};

	return &machine;
}

#endif

static int64_t fake_mono(const struct clock *c)
{
	return ((const struct clock_fake *) c)->now_mono_us;
}

static int64_t fake_real(const struct clock *c)
{
	return ((const struct clock_fake *) c)->now_real_us;
}

void clock_fake_init(struct clock_fake *f, int64_t mono_us, int64_t real_us)
{
	f->clock = (struct clock){fake_mono, fake_real};
	f->now_mono_us = mono_us;
	f->now_real_us = real_us;
}

void clock_fake_advance(struct clock_fake *f, int64_t by_us)
{
	f->now_mono_us += by_us;
	f->now_real_us += by_us;
}

const char *clock_rfc3339(int64_t real_us, char buf[CLOCK_RFC3339_MAX])
{
	int64_t ms = real_us / 1000;
	int64_t rest = ms % 1000;
	struct tm tm;

	if (rest < 0)
		rest += 1000;
	time_t secs = (time_t) ((ms - rest) / 1000);

	if (!gmtime_r(&secs, &tm) || tm.tm_year > 9999 - 1900 || tm.tm_year < -1900) {
		snprintf(buf, CLOCK_RFC3339_MAX, "0000-00-00T00:00:00.000Z");
		return buf;
	}
	size_t n = strftime(buf, CLOCK_RFC3339_MAX, "%Y-%m-%dT%H:%M:%S", &tm);

	snprintf(buf + n, CLOCK_RFC3339_MAX - n, ".%03dZ", (int) rest);
	return buf;
}

/* Reads exactly n digits at *p and moves past them. */
static bool take_digits(const char **p, int n, int *ret)
{
	int v = 0;

	for (int i = 0; i < n; i++, (*p)++) {
		if (!isdigit((unsigned char) **p))
			return false;
		v = v * 10 + (**p - '0');
	}
	*ret = v;
	return true;
}

static bool take_char(const char **p, char c)
{
	return **p == c && (*p)++;
}

static int64_t take_fraction_us(const char **p)
{
	int64_t us = 0, unit = 100000;

	for (; isdigit((unsigned char) **p); (*p)++) {
		us += (**p - '0') * unit;
		unit /= 10;
	}
	return us;
}

/* "Z", "+hh:mm" or "-hh:mm". */
static bool take_offset(const char **p, int64_t *ret_secs)
{
	int h, m, sign = **p == '-' ? -1 : 1;

	if (take_char(p, 'Z') || take_char(p, 'z')) {
		*ret_secs = 0;
		return true;
	}
	if (**p != '+' && **p != '-')
		return false;
	(*p)++;
	if (!take_digits(p, 2, &h) || !take_char(p, ':') || !take_digits(p, 2, &m) || h > 23 ||
	    m > 59)
		return false;
	*ret_secs = sign * (h * 3600 + m * 60);
	return true;
}

int clock_parse_rfc3339(const char *text, int64_t *ret_real_us)
{
	const char *p = text;
	struct tm tm = {0}, check;
	int64_t us = 0, offset;

	if (!take_digits(&p, 4, &tm.tm_year) || !take_char(&p, '-') ||
	    !take_digits(&p, 2, &tm.tm_mon) || !take_char(&p, '-') ||
	    !take_digits(&p, 2, &tm.tm_mday) || !(take_char(&p, 'T') || take_char(&p, 't')) ||
	    !take_digits(&p, 2, &tm.tm_hour) || !take_char(&p, ':') ||
	    !take_digits(&p, 2, &tm.tm_min) || !take_char(&p, ':') ||
	    !take_digits(&p, 2, &tm.tm_sec))
		return -ERR_SYNTAX;
	if (take_char(&p, '.')) {
		if (!isdigit((unsigned char) *p))
			return -ERR_SYNTAX;
		us = take_fraction_us(&p);
	}
	if (!take_offset(&p, &offset) || *p)
		return -ERR_SYNTAX;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	if (tm.tm_hour > 23 || tm.tm_min > 59 || tm.tm_sec > 60)
		return -ERR_SYNTAX;
	check = tm;
	/* timegm() normalises 31 April to 1 May: such a date is refused, not moved. */
	time_t secs = timegm(&check);

	if (check.tm_mday != tm.tm_mday || check.tm_mon != tm.tm_mon)
		return -ERR_SYNTAX;
	*ret_real_us = ((int64_t) secs - offset) * US_PER_SEC + us;
	return 0;
}
