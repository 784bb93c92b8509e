/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The loop seam: the only door to libuv. One loop thread per process; nothing blocks on it. The
 * same code runs on the virtual twin, where time jumps from timer to timer and work items run
 * inline.
 *
 * Ownership: every *_new() object belongs to the caller and is released by its *_free(), which may
 * be called from inside its own callback. No callback comes after *_free(). Not thread-safe, except
 * loop_async_send().
 */
#pragma once

#include "common/clock.h"
#include "common/util.h"
#include <stdbool.h>

struct loop;
struct loop_timer;
struct loop_io;
struct loop_async;
struct loop_signal;

#define LOOP_READ  1u
#define LOOP_WRITE 2u

/** A loop on libuv and the machine's clock. */
int loop_new(struct loop **ret) _must_check_;
/** The virtual twin. Its clock starts at the given instants and moves only in loop_run_until(). */
int loop_new_virtual(int64_t mono_us, int64_t real_us, struct loop **ret) _must_check_;
/** Releases the loop. All its objects must have been freed. NULL-safe. */
void loop_free(struct loop *l);
DEFINE_CLEANUP(struct loop *, loop_free)

/** Runs until loop_stop(). */
void loop_run(struct loop *l);
/** Handles what is ready now, waiting at most max_wait_ms (0 = do not wait). For tests and tools.
 */
void loop_run_once(struct loop *l, int64_t max_wait_ms);
/** Virtual twin only: fires every timer due up to mono_us, in order, polling descriptors between.
 */
void loop_run_until(struct loop *l, int64_t mono_us);
void loop_stop(struct loop *l);
const struct clock *loop_clock(const struct loop *l);

typedef void (*loop_fn)(void *user);
typedef void (*loop_io_fn)(void *user, unsigned int events);
typedef void (*loop_signal_fn)(void *user, int signo);

/** A stopped timer. */
int loop_timer_new(struct loop *l, loop_fn fn, void *user, struct loop_timer **ret) _must_check_;
/** Arms it once, `delay_us` from now (rounded up to a millisecond); re-arms if running. */
void loop_timer_start(struct loop_timer *t, int64_t delay_us);
void loop_timer_stop(struct loop_timer *t);
bool loop_timer_active(const struct loop_timer *t);
void loop_timer_free(struct loop_timer *t);

/** Watches a descriptor, which stays the caller's and must outlive the watch. events may be 0. */
int loop_io_new(struct loop *l, int fd, unsigned int events, loop_io_fn fn, void *user,
		struct loop_io **ret) _must_check_;
void loop_io_set(struct loop_io *io, unsigned int events);
/** Stops watching; the descriptor may be closed right after. */
void loop_io_free(struct loop_io *io);

/** Wakes the loop from any thread; several sends may collapse into one call. */
int loop_async_new(struct loop *l, loop_fn fn, void *user, struct loop_async **ret) _must_check_;
void loop_async_send(struct loop_async *a);
void loop_async_free(struct loop_async *a);

int loop_signal_new(struct loop *l, int signo, loop_signal_fn fn, void *user,
		    struct loop_signal **ret) _must_check_;
void loop_signal_free(struct loop_signal *s);

/** Runs `work` on the pool, then `done` on the loop thread (always, also when work could not run).
 */
int loop_work(struct loop *l, loop_fn work, loop_fn done, void *user) _must_check_;
