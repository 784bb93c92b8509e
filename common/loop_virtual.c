/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The loop's virtual twin: time stands still while code runs and jumps to the next timer when
 * nothing is ready. Work items run inline, on the next turn. Descriptors are real and polled
 * without waiting, so that two daemons in one process can talk over a socket pair in virtual time.
 */
#include "common/loop.h"
#include "common/loop_impl.h"
#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <utlist.h>

struct loop_virtual {
	struct loop base;
	struct clock_fake clock;
	struct loop_timer **timers; /* armed ones, a heap; the earliest first */
	size_t n_timers, n_armed, cap;
	struct loop_io *ios;
	struct loop_async *asyncs;
	struct pending_work *works;
	uint64_t next_order;
	bool stopped;
};

struct loop_timer {
	struct loop_obj obj;
	loop_fn fn;
	void *user;
	int64_t due_us;
	uint64_t order; /* of being armed */
	size_t place;
	bool armed;
};

struct loop_io {
	struct loop_obj obj;
	int fd;
	unsigned int events;
	loop_io_fn fn;
	void *user;
	uint64_t order;
	struct loop_io *prev, *next;
};

struct loop_async {
	struct loop_obj obj;
	loop_fn fn;
	void *user;
	atomic_bool sent;
	struct loop_async *prev, *next;
};

struct loop_signal {
	struct loop_obj obj;
};

struct pending_work {
	loop_fn work, done;
	void *user;
	struct pending_work *prev, *next;
};

static struct loop_virtual *virtual_of(const void *obj)
{
	return (struct loop_virtual *) ((const struct loop_obj *) obj)->loop;
}

/* --- timers ----------------------------------------------------------------------------------- */

/* Of two that are due at one instant, the one armed last goes first. */
static bool earlier(const struct loop_timer *a, const struct loop_timer *b)
{
	return a->due_us != b->due_us ? a->due_us < b->due_us : a->order > b->order;
}

static void heap_put(struct loop_virtual *v, size_t i, struct loop_timer *t)
{
	v->timers[i] = t;
	t->place = i;
}

static void heap_up(struct loop_virtual *v, struct loop_timer *t)
{
	size_t i = t->place;

	for (; i > 0 && earlier(t, v->timers[(i - 1) / 2]); i = (i - 1) / 2)
		heap_put(v, i, v->timers[(i - 1) / 2]);
	heap_put(v, i, t);
}

static void heap_down(struct loop_virtual *v, struct loop_timer *t)
{
	size_t i = t->place;

	for (size_t child; (child = 2 * i + 1) < v->n_armed; i = child) {
		if (child + 1 < v->n_armed && earlier(v->timers[child + 1], v->timers[child]))
			child++;
		if (!earlier(v->timers[child], t))
			break;
		heap_put(v, i, v->timers[child]);
	}
	heap_put(v, i, t);
}

/* Room in the heap is made here, so that arming cannot fail. */
static int timer_make(struct loop *l, loop_fn fn, void *user, struct loop_timer **ret)
{
	struct loop_virtual *v = (struct loop_virtual *) l;
	struct loop_timer *t = calloc(1, sizeof(*t));

	if (t && v->n_timers == v->cap) {
		size_t cap = v->cap ? 2 * v->cap : 64;
		struct loop_timer **timers = reallocarray(v->timers, cap, sizeof(*timers));

		if (timers) {
			v->timers = timers;
			v->cap = cap;
		}
	}
	if (!t || v->n_timers == v->cap) {
		free(t);
		return -ENOMEM;
	}
	v->n_timers++;
	*t = (struct loop_timer){.obj.loop = l, .fn = fn, .user = user};
	*ret = t;
	return 0;
}

static void timer_disarm(struct loop_timer *t)
{
	struct loop_virtual *v = virtual_of(t);
	struct loop_timer *last;

	if (!t->armed)
		return;
	t->armed = false;
	last = v->timers[--v->n_armed];
	if (last == t)
		return;
	heap_put(v, t->place, last);
	heap_up(v, last);
	heap_down(v, last);
}

static void timer_arm(struct loop_timer *t, int64_t delay_us)
{
	struct loop_virtual *v = virtual_of(t);
	int64_t ms = delay_us <= 0 ? 0 : (delay_us + US_PER_MS - 1) / US_PER_MS;

	timer_disarm(t);
	t->due_us = v->clock.now_mono_us + ms * US_PER_MS;
	t->order = ++v->next_order;
	t->armed = true;
	heap_put(v, v->n_armed++, t);
	heap_up(v, t);
}

static bool timer_is_active(const struct loop_timer *t)
{
	return t->armed;
}

static void timer_release(struct loop_timer *t)
{
	timer_disarm(t);
	virtual_of(t)->n_timers--;
	free(t);
}

static int io_make(struct loop *l, int fd, unsigned int events, loop_io_fn fn, void *user,
		   struct loop_io **ret)
{
	struct loop_virtual *v = (struct loop_virtual *) l;
	struct loop_io *io = calloc(1, sizeof(*io));

	if (!io)
		return -ENOMEM;
	*io = (struct loop_io){.obj.loop = l,
			       .fd = fd,
			       .events = events,
			       .fn = fn,
			       .user = user,
			       .order = ++v->next_order};
	DL_APPEND(v->ios, io);
	*ret = io;
	return 0;
}

static void io_arm(struct loop_io *io, unsigned int events)
{
	io->events = events;
}

static void io_release(struct loop_io *io)
{
	struct loop_virtual *v = virtual_of(io);

	DL_DELETE(v->ios, io);
	free(io);
}

static int async_make(struct loop *l, loop_fn fn, void *user, struct loop_async **ret)
{
	struct loop_virtual *v = (struct loop_virtual *) l;
	struct loop_async *a = calloc(1, sizeof(*a));

	if (!a)
		return -ENOMEM;
	a->obj.loop = l;
	a->fn = fn;
	a->user = user;
	DL_APPEND(v->asyncs, a);
	*ret = a;
	return 0;
}

static void async_wake(struct loop_async *a)
{
	atomic_store(&a->sent, true);
}

static void async_release(struct loop_async *a)
{
	struct loop_virtual *v = virtual_of(a);

	DL_DELETE(v->asyncs, a);
	free(a);
}

static int signal_make(struct loop *l, int signo, loop_signal_fn fn, void *user,
		       struct loop_signal **ret)
{
	struct loop_signal *s = calloc(1, sizeof(*s));

	(void) signo;
	(void) fn;
	(void) user;
	if (!s)
		return -ENOMEM;
	s->obj.loop = l;
	*ret = s;
	return 0;
}

static void signal_release(struct loop_signal *s)
{
	free(s);
}

static int work_queue(struct loop *l, loop_fn work, loop_fn done, void *user)
{
	struct loop_virtual *v = (struct loop_virtual *) l;
	struct pending_work *w = calloc(1, sizeof(*w));

	if (!w)
		return -ENOMEM;
	*w = (struct pending_work){.work = work, .done = done, .user = user};
	DL_APPEND(v->works, w);
	return 0;
}

static bool run_works(struct loop_virtual *v)
{
	bool any = false;

	while (v->works && !v->stopped) {
		struct pending_work *w = v->works;

		DL_DELETE(v->works, w);
		w->work(w->user);
		if (w->done)
			w->done(w->user);
		free(w);
		any = true;
	}
	return any;
}

/* A callback may free any watch, so each round starts again from the list. */
static bool run_asyncs(struct loop_virtual *v)
{
	bool any = false, again = true;

	while (again && !v->stopped) {
		struct loop_async *a;

		again = false;
		DL_FOREACH (v->asyncs, a) {
			if (atomic_exchange(&a->sent, false)) {
				a->fn(a->user);
				any = again = true;
				break;
			}
		}
	}
	return any;
}

static unsigned int ready_events(const struct loop_io *io)
{
	struct pollfd p = {.fd = io->fd};
	unsigned int ev = 0;

	if (io->events & LOOP_READ)
		p.events |= POLLIN;
	if (io->events & LOOP_WRITE)
		p.events |= POLLOUT;
	if (!io->events || poll(&p, 1, 0) <= 0)
		return 0;
	if (p.revents & (POLLIN | POLLHUP | POLLERR))
		ev |= LOOP_READ;
	if (p.revents & (POLLOUT | POLLERR))
		ev |= LOOP_WRITE;
	return ev & (io->events | LOOP_READ);
}

static bool run_ios(struct loop_virtual *v)
{
	bool any = false, again = true;
	uint64_t last = 0;

	/* Each watch at most once a round, oldest first, surviving any change made meanwhile. */
	while (again && !v->stopped) {
		struct loop_io *io;

		again = false;
		DL_FOREACH (v->ios, io) {
			unsigned int ev = io->order > last ? ready_events(io) : 0;

			if (ev) {
				last = io->order;
				io->fn(io->user, ev);
				any = again = true;
				break;
			}
		}
	}
	return any;
}

/* Rounds in one instant: two parties that answer each other for ever would hang time. */
#define MAX_ROUNDS_PER_INSTANT 100000

static void run_ready(struct loop_virtual *v)
{
	for (int i = 0; i < MAX_ROUNDS_PER_INSTANT && !v->stopped; i++) {
		bool any = run_works(v);

		any |= run_asyncs(v);
		any |= run_ios(v);
		if (!any)
			return;
	}
}

static void set_now(struct loop_virtual *v, int64_t mono_us)
{
	if (mono_us > v->clock.now_mono_us)
		clock_fake_advance(&v->clock, mono_us - v->clock.now_mono_us);
}

void loop_run_until(struct loop *l, int64_t mono_us)
{
	struct loop_virtual *v = (struct loop_virtual *) l;

	v->stopped = false;
	run_ready(v);
	while (!v->stopped && v->n_armed && v->timers[0]->due_us <= mono_us) {
		struct loop_timer *t = v->timers[0];

		set_now(v, t->due_us);
		timer_disarm(t);
		t->fn(t->user);
		run_ready(v);
	}
	if (!v->stopped)
		set_now(v, mono_us);
}

static void virtual_run(struct loop *l)
{
	struct loop_virtual *v = (struct loop_virtual *) l;

	v->stopped = false;
	while (!v->stopped && v->n_armed)
		loop_run_until(l, v->timers[0]->due_us);
}

static void virtual_run_once(struct loop *l, int64_t max_wait_ms)
{
	struct loop_virtual *v = (struct loop_virtual *) l;

	loop_run_until(l, v->clock.now_mono_us + MAX(max_wait_ms, 0) * US_PER_MS);
}

static void virtual_stop(struct loop *l)
{
	((struct loop_virtual *) l)->stopped = true;
}

static void virtual_free(struct loop *l)
{
	struct loop_virtual *v = (struct loop_virtual *) l;
	struct pending_work *w, *tmp;

	DL_FOREACH_SAFE (v->works, w, tmp)
		free(w);
	free(v->timers);
	free(v);
}

static const struct loop_ops virtual_ops = {
	.free = virtual_free,
	.run = virtual_run,
	.run_once = virtual_run_once,
	.stop = virtual_stop,
	.timer_new = timer_make,
	.timer_start = timer_arm,
	.timer_stop = timer_disarm,
	.timer_active = timer_is_active,
	.timer_free = timer_release,
	.io_new = io_make,
	.io_set = io_arm,
	.io_free = io_release,
	.async_new = async_make,
	.async_send = async_wake,
	.async_free = async_release,
	.signal_new = signal_make,
	.signal_free = signal_release,
	.work = work_queue,
};

int loop_new_virtual(int64_t mono_us, int64_t real_us, struct loop **ret)
{
	struct loop_virtual *v = calloc(1, sizeof(*v));

	if (!v)
		return -ENOMEM;
	clock_fake_init(&v->clock, mono_us, real_us);
	v->base = (struct loop){.ops = &virtual_ops, .clock = &v->clock.clock};
	*ret = &v->base;
	return 0;
}
