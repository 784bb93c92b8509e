/* SPDX-License-Identifier: Apache-2.0 */
#include "common/loop.h"
#include "common/loop_impl.h"
#include <errno.h>
#include <uv.h>

struct loop_uv {
	struct loop base;
	uv_loop_t uv;
	uv_timer_t wait; /* bounds loop_run_once() */
};

struct loop_timer {
	struct loop_obj obj;
	uv_timer_t uv;
	int64_t due_us; /**< on the loop's monotonic clock */
	loop_fn fn;
	void *user;
};

struct loop_io {
	struct loop_obj obj;
	uv_poll_t uv;
	loop_io_fn fn;
	void *user;
};

struct loop_async {
	struct loop_obj obj;
	uv_async_t uv;
	loop_fn fn;
	void *user;
};

struct loop_signal {
	struct loop_obj obj;
	uv_signal_t uv;
	loop_signal_fn fn;
	void *user;
};

struct work_item {
	uv_work_t uv;
	loop_fn work, done;
	void *user;
};

static struct loop_uv *uv_of(struct loop *l)
{
	return (struct loop_uv *) l;
}

/* libuv releases a handle on the next turn: the memory goes then, the callback is cut off at once.
 */
static void free_after_close(uv_handle_t *h)
{
	free(h->data);
}

static void no_op_close(uv_handle_t *h)
{
	(void) h;
}

static void uv_free(struct loop *l)
{
	struct loop_uv *u = uv_of(l);

	uv_close((uv_handle_t *) &u->wait, no_op_close);
	uv_run(&u->uv, UV_RUN_DEFAULT);
	uv_loop_close(&u->uv);
	free(u);
}

static void uv_run_default(struct loop *l)
{
	uv_run(&uv_of(l)->uv, UV_RUN_DEFAULT);
}

/** May run before the loop polls, if the host was slow meanwhile: it must not poll for ever then.
 */
static void wait_over(uv_timer_t *t)
{
	uv_stop(t->loop);
}

static void uv_run_bounded(struct loop *l, int64_t max_wait_ms)
{
	struct loop_uv *u = uv_of(l);

	if (max_wait_ms <= 0) {
		uv_run(&u->uv, UV_RUN_NOWAIT);
		return;
	}
	uv_update_time(&u->uv);
	uv_timer_start(&u->wait, wait_over, (uint64_t) max_wait_ms, 0);
	uv_run(&u->uv, UV_RUN_ONCE);
	uv_timer_stop(&u->wait);
}

static void uv_stop_loop(struct loop *l)
{
	uv_stop(&uv_of(l)->uv);
}

static void uv_timer_sleep(struct loop_timer *t, int64_t delay_us);

static void on_timer(uv_timer_t *h)
{
	struct loop_timer *t = h->data;

	/* A conductor may have slowed time down since the timer was armed. */
	if (clock_is_conducted()) {
		int64_t left_us = t->due_us - clock_mono_us(t->obj.loop->clock);

		if (left_us > 0) {
			uv_timer_sleep(t, left_us);
			return;
		}
	}
	t->fn(t->user);
}

static void uv_timer_sleep(struct loop_timer *t, int64_t delay_us)
{
	int64_t sleep_us = clock_sleep_us(delay_us);
	uint64_t ms = sleep_us <= 0 ? 0 : (uint64_t) ((sleep_us + US_PER_MS - 1) / US_PER_MS);

	/* libuv caches the time of the turn; a delay counts from now. */
	uv_update_time(&uv_of(t->obj.loop)->uv);
	(void) uv_timer_start(&t->uv, on_timer, ms, 0);
}

static int uv_timer_make(struct loop *l, loop_fn fn, void *user, struct loop_timer **ret)
{
	struct loop_timer *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	t->obj.loop = l;
	t->fn = fn;
	t->user = user;
	t->uv.data = t;
	(void) uv_timer_init(&uv_of(l)->uv, &t->uv);
	*ret = t;
	return 0;
}

static void uv_timer_arm(struct loop_timer *t, int64_t delay_us)
{
	if (clock_is_conducted())
		t->due_us = clock_mono_us(t->obj.loop->clock) + MAX(delay_us, INT64_C(0));
	uv_timer_sleep(t, delay_us);
}

static void uv_timer_disarm(struct loop_timer *t)
{
	(void) uv_timer_stop(&t->uv);
}

static bool uv_timer_is_active(const struct loop_timer *t)
{
	return uv_is_active((const uv_handle_t *) &t->uv);
}

static void uv_timer_release(struct loop_timer *t)
{
	uv_close((uv_handle_t *) &t->uv, free_after_close);
}

static void on_poll(uv_poll_t *h, int status, int events)
{
	struct loop_io *io = h->data;
	unsigned int ev = 0;

	if (status < 0) /* the owner learns what is wrong from its next read */
		ev = LOOP_READ | LOOP_WRITE;
	if (events & (UV_READABLE | UV_DISCONNECT))
		ev |= LOOP_READ;
	if (events & UV_WRITABLE)
		ev |= LOOP_WRITE;
	io->fn(io->user, ev);
}

static void uv_io_arm(struct loop_io *io, unsigned int events)
{
	int ev = 0;

	if (events & LOOP_READ)
		ev |= UV_READABLE;
	if (events & LOOP_WRITE)
		ev |= UV_WRITABLE;
	if (ev)
		(void) uv_poll_start(&io->uv, ev, on_poll);
	else
		(void) uv_poll_stop(&io->uv);
}

static int uv_io_make(struct loop *l, int fd, unsigned int events, loop_io_fn fn, void *user,
		      struct loop_io **ret)
{
	struct loop_io *io = calloc(1, sizeof(*io));

	if (!io)
		return -ENOMEM;
	io->obj.loop = l;
	io->fn = fn;
	io->user = user;
	io->uv.data = io;
	int r = uv_poll_init(&uv_of(l)->uv, &io->uv, fd);

	if (r < 0) {
		free(io);
		return r; /* libuv's codes are negated errno on Linux */
	}
	uv_io_arm(io, events);
	*ret = io;
	return 0;
}

static void uv_io_release(struct loop_io *io)
{
	(void) uv_poll_stop(&io->uv);
	uv_close((uv_handle_t *) &io->uv, free_after_close);
}

static void on_async(uv_async_t *h)
{
	struct loop_async *a = h->data;

	a->fn(a->user);
}

static int uv_async_make(struct loop *l, loop_fn fn, void *user, struct loop_async **ret)
{
	struct loop_async *a = calloc(1, sizeof(*a));

	if (!a)
		return -ENOMEM;
	a->obj.loop = l;
	a->fn = fn;
	a->user = user;
	a->uv.data = a;
	int r = uv_async_init(&uv_of(l)->uv, &a->uv, on_async);

	if (r < 0) {
		free(a);
		return r;
	}
	*ret = a;
	return 0;
}

static void uv_async_wake(struct loop_async *a)
{
	(void) uv_async_send(&a->uv);
}

static void uv_async_release(struct loop_async *a)
{
	uv_close((uv_handle_t *) &a->uv, free_after_close);
}

static void on_signal(uv_signal_t *h, int signo)
{
	struct loop_signal *s = h->data;

	s->fn(s->user, signo);
}

static int uv_signal_make(struct loop *l, int signo, loop_signal_fn fn, void *user,
			  struct loop_signal **ret)
{
	struct loop_signal *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->obj.loop = l;
	s->fn = fn;
	s->user = user;
	s->uv.data = s;
	(void) uv_signal_init(&uv_of(l)->uv, &s->uv);
	int r = uv_signal_start(&s->uv, on_signal, signo);

	if (r < 0) {
		uv_close((uv_handle_t *) &s->uv, free_after_close);
		return r;
	}
	*ret = s;
	return 0;
}

static void uv_signal_release(struct loop_signal *s)
{
	uv_close((uv_handle_t *) &s->uv, free_after_close);
}

static void run_work(uv_work_t *w)
{
	struct work_item *item = w->data;

	item->work(item->user);
}

static void work_done(uv_work_t *w, int status)
{
	struct work_item *item = w->data;

	(void) status;
	if (item->done)
		item->done(item->user);
	free(item);
}

static int uv_work(struct loop *l, loop_fn work, loop_fn done, void *user)
{
	struct work_item *item = calloc(1, sizeof(*item));

	if (!item)
		return -ENOMEM;
	*item = (struct work_item){.work = work, .done = done, .user = user};
	item->uv.data = item;
	int r = uv_queue_work(&uv_of(l)->uv, &item->uv, run_work, work_done);

	if (r < 0)
		free(item);
	return r;
}

static const struct loop_ops uv_ops = {
	.free = uv_free,
	.run = uv_run_default,
	.run_once = uv_run_bounded,
	.stop = uv_stop_loop,
	.timer_new = uv_timer_make,
	.timer_start = uv_timer_arm,
	.timer_stop = uv_timer_disarm,
	.timer_active = uv_timer_is_active,
	.timer_free = uv_timer_release,
	.io_new = uv_io_make,
	.io_set = uv_io_arm,
	.io_free = uv_io_release,
	.async_new = uv_async_make,
	.async_send = uv_async_wake,
	.async_free = uv_async_release,
	.signal_new = uv_signal_make,
	.signal_free = uv_signal_release,
	.work = uv_work,
};

int loop_new(struct loop **ret)
{
	struct loop_uv *u = calloc(1, sizeof(*u));

	if (!u)
		return -ENOMEM;
	u->base = (struct loop){.ops = &uv_ops, .clock = clock_system()};
	int r = uv_loop_init(&u->uv);

	if (r < 0) {
		free(u);
		return r;
	}
	(void) uv_timer_init(&u->uv, &u->wait);
	*ret = &u->base;
	return 0;
}

void loop_free(struct loop *l)
{
	if (l)
		l->ops->free(l);
}

void loop_run(struct loop *l)
{
	l->ops->run(l);
}

void loop_run_once(struct loop *l, int64_t max_wait_ms)
{
	l->ops->run_once(l, max_wait_ms);
}

void loop_stop(struct loop *l)
{
	l->ops->stop(l);
}

const struct clock *loop_clock(const struct loop *l)
{
	return l->clock;
}

/* Every object begins with its loop, which knows the operations. */
static const struct loop_ops *ops_of(const void *obj)
{
	return ((const struct loop_obj *) obj)->loop->ops;
}

int loop_timer_new(struct loop *l, loop_fn fn, void *user, struct loop_timer **ret)
{
	return l->ops->timer_new(l, fn, user, ret);
}

void loop_timer_start(struct loop_timer *t, int64_t delay_us)
{
	ops_of(t)->timer_start(t, delay_us);
}

void loop_timer_stop(struct loop_timer *t)
{
	ops_of(t)->timer_stop(t);
}

bool loop_timer_active(const struct loop_timer *t)
{
	return ops_of(t)->timer_active(t);
}

void loop_timer_free(struct loop_timer *t)
{
	if (t)
		ops_of(t)->timer_free(t);
}

int loop_io_new(struct loop *l, int fd, unsigned int events, loop_io_fn fn, void *user,
		struct loop_io **ret)
{
	return l->ops->io_new(l, fd, events, fn, user, ret);
}

void loop_io_set(struct loop_io *io, unsigned int events)
{
	ops_of(io)->io_set(io, events);
}

void loop_io_free(struct loop_io *io)
{
	if (io)
		ops_of(io)->io_free(io);
}

int loop_async_new(struct loop *l, loop_fn fn, void *user, struct loop_async **ret)
{
	return l->ops->async_new(l, fn, user, ret);
}

void loop_async_send(struct loop_async *a)
{
	ops_of(a)->async_send(a);
}

void loop_async_free(struct loop_async *a)
{
	if (a)
		ops_of(a)->async_free(a);
}

int loop_signal_new(struct loop *l, int signo, loop_signal_fn fn, void *user,
		    struct loop_signal **ret)
{
	return l->ops->signal_new(l, signo, fn, user, ret);
}

void loop_signal_free(struct loop_signal *s)
{
	if (s)
		ops_of(s)->signal_free(s);
}

int loop_work(struct loop *l, loop_fn work, loop_fn done, void *user)
{
	return l->ops->work(l, work, done, user);
}
