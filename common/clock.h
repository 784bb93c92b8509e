/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Time is injected. Nobody calls clock_gettime() or time() outside clock.c; everything that needs
 * the time gets a struct clock, so that a whole store can run in virtual time. All instants are
 * microseconds: `real` since the Unix epoch (UTC), `mono` since an arbitrary start.
 */
#pragma once

#include <stdbool.h>
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

/**
 * The machine's clock. Static storage, never freed. In builds with --enable-fault-points the
 * environment variable GONDOLA_CLOCK may name a conductor's file (common/clock_conducted.h), which
 * then tells the time instead; a file that cannot be read ends the process.
 */
const struct clock *clock_system(void);
/** Whether clock_system() is a conductor's: the time of sleeping is then another than the
 * machine's.
 */
bool clock_is_conducted(void);
/** How long to sleep, in the machine's time, until delay_us of clock_system() may have passed. With
 * a conductor that may be too short: who wakes looks at the clock again. */
int64_t clock_sleep_us(int64_t delay_us);

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
