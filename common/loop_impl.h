/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Inside the loop seam: the operations that libuv (loop.c) and the virtual twin (loop_virtual.c)
 * each provide. Objects begin with their struct loop pointer, so that loop.c can dispatch.
 */
#pragma once

#include "common/loop.h"

struct loop_ops {
	void (*free)(struct loop *l);
	void (*run)(struct loop *l);
	void (*run_once)(struct loop *l, int64_t max_wait_ms);
	void (*stop)(struct loop *l);
	int (*timer_new)(struct loop *l, loop_fn fn, void *user, struct loop_timer **ret);
	void (*timer_start)(struct loop_timer *t, int64_t delay_us);
	void (*timer_stop)(struct loop_timer *t);
	bool (*timer_active)(const struct loop_timer *t);
	void (*timer_free)(struct loop_timer *t);
	int (*io_new)(struct loop *l, int fd, unsigned int events, loop_io_fn fn, void *user,
		      struct loop_io **ret);
	void (*io_set)(struct loop_io *io, unsigned int events);
	void (*io_free)(struct loop_io *io);
	int (*async_new)(struct loop *l, loop_fn fn, void *user, struct loop_async **ret);
	void (*async_send)(struct loop_async *a);
	void (*async_free)(struct loop_async *a);
	int (*signal_new)(struct loop *l, int signo, loop_signal_fn fn, void *user,
			  struct loop_signal **ret);
	void (*signal_free)(struct loop_signal *s);
	int (*work)(struct loop *l, loop_fn work, loop_fn done, void *user);
};

struct loop {
	const struct loop_ops *ops;
	const struct clock *clock;
};

/** First member of every loop object. */
struct loop_obj {
	struct loop *loop;
};
