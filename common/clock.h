/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Time is injected. Nobody calls clock_gettime() or time() outside clock.c; everything that needs
 * the time gets a struct clock, so that a whole store can run in virtual time. All instants are
 * microseconds: `real` since the Unix epoch (UTC), `mono` since an arbitrary start.
 */
#pragma once

#include <stdint.h>

struct clock {
	int64_t (*mono_us)(const struct clock *c);
	int64_t (*real_us)(const struct clock *c);
};

static inline int64_t clock_mono_us(const struct clock *c)
{
	return c->mono_us(c);
}

static inline int64_t clock_real_us(const struct clock *c)
{
	return c->real_us(c);
}

/** The machine's clock. Static storage, never freed. */
const struct clock *clock_system(void);

/** A clock that moves only when told to. Embed it and pass `&fake.clock`. */
struct clock_fake {
	struct clock clock;
	int64_t now_mono_us;
	int64_t now_real_us;
};

void clock_fake_init(struct clock_fake *f, int64_t mono_us, int64_t real_us);
void clock_fake_advance(struct clock_fake *f, int64_t by_us);

/** Length of "2026-11-22T13:10:12.123Z" plus NUL, with room for six decimals. */
#define CLOCK_RFC3339_MAX 32
/** Formats a UTC instant as RFC 3339 with milliseconds. Returns buf. */
const char *clock_rfc3339(int64_t real_us, char buf[CLOCK_RFC3339_MAX]);
/** Parses RFC 3339 ("Z" or numeric offset, optional fraction). Returns -ERR_SYNTAX on anything
 * else. */
int clock_parse_rfc3339(const char *text, int64_t *ret_real_us);
