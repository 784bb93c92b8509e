/* SPDX-License-Identifier: Apache-2.0 */
/* The loop seam: the same behaviour on libuv and on its virtual twin, and time that does not pass.
 */
#include "tests/unit/test_common.h"

#include "common/loop.h"
#include <unistd.h>

struct probe {
	struct loop *loop;
	struct loop_timer *timer, *other;
	struct loop_io *io;
	struct loop_async *async;
	int order[8];
	int n;
	int fds[2];
	int64_t at;
};

static void note_first(void *user)
{
	struct probe *p = user;

	p->order[p->n++] = 1;
}

static void note_second(void *user)
{
	struct probe *p = user;

	p->order[p->n++] = 2;
	p->at = clock_mono_us(loop_clock(p->loop));
	loop_stop(p->loop);
}

static void free_myself(void *user)
{
	struct probe *p = user;

	p->n++;
	loop_timer_free(p->timer);
	p->timer = NULL;
	loop_stop(p->loop);
}

static void virtual_time_jumps_from_timer_to_timer(void **state)
{
	(void) state;
	struct probe p = {0};

	assert_int_equal(loop_new_virtual(0, 1000, &p.loop), 0);
	assert_int_equal(loop_timer_new(p.loop, note_second, &p, &p.timer), 0);
	assert_int_equal(loop_timer_new(p.loop, note_first, &p, &p.other), 0);
	loop_timer_start(p.timer, 3600 * US_PER_SEC);
	loop_timer_start(p.other, 10);
	loop_run_until(p.loop, 7200 * US_PER_SEC);
	assert_int_equal(p.n, 2);
	assert_int_equal(p.order[0], 1);
	assert_true(p.at == 3600 * US_PER_SEC);
	assert_true(clock_real_us(loop_clock(p.loop)) == 3600 * US_PER_SEC + 1000);
	loop_timer_free(p.timer);
	loop_timer_free(p.other);
	loop_free(p.loop);
}

static void run_freeing(struct loop *loop)
{
	struct probe p = {.loop = loop};

	assert_int_equal(loop_timer_new(loop, free_myself, &p, &p.timer), 0);
	loop_timer_start(p.timer, 0);
	loop_run(loop);
	assert_int_equal(p.n, 1);
	assert_null(p.timer);
	loop_free(loop);
}

static void timer_may_free_itself_in_its_callback(void **state)
{
	(void) state;
	struct loop *loop;

	assert_int_equal(loop_new(&loop), 0);
	run_freeing(loop);
	assert_int_equal(loop_new_virtual(0, 0, &loop), 0);
	run_freeing(loop);
}

static void take_byte(void *user, unsigned int events)
{
	struct probe *p = user;
	char c;

	assert_true(events & LOOP_READ);
	assert_int_equal(read(p->fds[0], &c, 1), 1);
	p->n++;
	loop_io_free(p->io);
	p->io = NULL;
	loop_stop(p->loop);
}

static void run_reading(struct loop *loop)
{
	struct probe p = {.loop = loop};

	assert_int_equal(pipe(p.fds), 0);
	assert_int_equal(loop_io_new(loop, p.fds[0], LOOP_READ, take_byte, &p, &p.io), 0);
	assert_int_equal(write(p.fds[1], "x", 1), 1);
	loop_run_once(loop, 100);
	assert_int_equal(p.n, 1);
	loop_run_once(loop, 0);
	close(p.fds[0]);
	close(p.fds[1]);
	loop_free(loop);
}

static void descriptor_watch_may_free_itself_in_its_callback(void **state)
{
	(void) state;
	struct loop *loop;

	assert_int_equal(loop_new(&loop), 0);
	run_reading(loop);
	assert_int_equal(loop_new_virtual(0, 0, &loop), 0);
	run_reading(loop);
}

static void work_then_done(void **state)
{
	(void) state;
	struct probe p = {0};

	assert_int_equal(loop_new(&p.loop), 0);
	assert_int_equal(loop_work(p.loop, note_first, note_second, &p), 0);
	loop_run(p.loop);
	assert_int_equal(p.n, 2);
	assert_int_equal(p.order[0], 1);
	loop_free(p.loop);
}

static void async_wakes_the_loop(void **state)
{
	(void) state;
	struct probe p = {0};

	assert_int_equal(loop_new(&p.loop), 0);
	assert_int_equal(loop_async_new(p.loop, note_second, &p, &p.async), 0);
	loop_async_send(p.async);
	loop_run(p.loop);
	assert_int_equal(p.n, 1);
	loop_async_free(p.async);
	loop_free(p.loop);
}

/** What libuv takes for now is older than the wait: its end is there before anything is polled. */
static void bounded_wait_ends_although_the_host_was_slow(void **state)
{
	(void) state;
	struct probe p = {0};
	int64_t slow_until_us;

	assert_int_equal(loop_new(&p.loop), 0);
	assert_int_equal(pipe(p.fds), 0);
	assert_int_equal(loop_io_new(p.loop, p.fds[0], LOOP_READ, take_byte, &p, &p.io), 0);
	loop_run_once(p.loop, 0);
	slow_until_us = clock_mono_us(loop_clock(p.loop)) + 5 * US_PER_MS;
	while (clock_mono_us(loop_clock(p.loop)) < slow_until_us)
		;
	alarm(20); /* a wait without an end ends the test */
	loop_run_once(p.loop, 1);
	alarm(0);
	assert_int_equal(p.n, 0);
	loop_io_free(p.io);
	close(p.fds[0]);
	close(p.fds[1]);
	loop_free(p.loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(virtual_time_jumps_from_timer_to_timer),
		cmocka_unit_test(timer_may_free_itself_in_its_callback),
		cmocka_unit_test(descriptor_watch_may_free_itself_in_its_callback),
		cmocka_unit_test(work_then_done),
		cmocka_unit_test(async_wakes_the_loop),
		cmocka_unit_test(bounded_wait_ends_although_the_host_was_slow),
	};

	return cmocka_run_group_tests_name("loop", tests, NULL, NULL);
}
