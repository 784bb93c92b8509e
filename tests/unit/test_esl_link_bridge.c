/* SPDX-License-Identifier: Apache-2.0 */
/* The bridge driver against a bridge that the test plays, on a real socket in virtual time. */
#include "common/err.h"
#include "esl-radio/esl_link.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

static const uint8_t label[ESL_ADDR_BYTES] = {0xc0, 0xff, 0xee, 0, 0, 1};

struct bench {
	struct loop *loop;
	struct esl_link *link;
	int listener, fd;
	char dir[32], path[64], address[80];
	unsigned int ups, downs, adverts, losts, dones;
	int err;
	bool bonded;
	struct esl_link_result res;
	uint8_t rx[BRIDGE_MESSAGE_MAX];
};

static void on_up(void *user)
{
	((struct bench *) user)->ups++;
}

static void on_down(void *user, int err, const char *text)
{
	(void) err;
	assert_non_null(text);
	((struct bench *) user)->downs++;
}

static void on_advert(void *user, const uint8_t *addr, int8_t rssi, bool bonded, uint16_t mv)
{
	struct bench *b = user;

	assert_memory_equal(addr, label, sizeof(label));
	assert_int_equal(rssi, -70);
	assert_int_equal(mv, 2900);
	b->bonded = bonded;
	b->adverts++;
}

static void on_lost(void *user, const uint8_t *addr)
{
	assert_memory_equal(addr, label, sizeof(label));
	((struct bench *) user)->losts++;
}

static const struct esl_link_callbacks callbacks = {on_up, on_down, on_advert, on_lost, NULL, NULL};

static void on_done(void *user, int err, const struct esl_link_result *res)
{
	struct bench *b = user;

	b->dones++;
	b->err = err;
	assert_true((err == 0) == (res != NULL));
	if (res)
		b->res = *res;
}

static void run(struct bench *b, int64_t us)
{
	loop_run_until(b->loop, clock_mono_us(loop_clock(b->loop)) + us);
}

static void bench_open(struct bench *b)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};

	memset(b, 0, sizeof(*b));
	snprintf(b->dir, sizeof(b->dir), "/tmp/br-XXXXXX");
	assert_non_null(mkdtemp(b->dir));
	snprintf(b->path, sizeof(b->path), "%s/link", b->dir);
	snprintf(b->address, sizeof(b->address), "bridge:%s", b->path);
	snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", b->path);
	b->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(b->listener, (struct sockaddr *) &sa, sizeof(sa)), 0);
	assert_int_equal(listen(b->listener, 4), 0);
	assert_int_equal(loop_new_virtual(US_PER_SEC, 0, &b->loop), 0);
	assert_int_equal(esl_link_bridge_new(b->loop, b->address, &b->link), 0);
	assert_int_equal(b->link->ops->start(b->link, &callbacks, b), 0);
	run(b, US_PER_MS);
	b->fd = accept(b->listener, NULL, NULL);
	assert_true(b->fd >= 0);
	assert_int_equal(b->ups, 1);
}

static void bench_close(struct bench *b)
{
	b->link->ops->free(b->link);
	loop_free(b->loop);
	close(b->listener);
	close(b->fd);
	unlink(b->path);
	rmdir(b->dir);
}

static struct bridge_msg next_request(struct bench *b, uint8_t op)
{
	struct bridge_msg m;
	ssize_t n;

	run(b, US_PER_MS);
	n = recv(b->fd, b->rx, sizeof(b->rx), MSG_DONTWAIT);
	assert_true(n > 0);
	assert_int_equal(bridge_decode(b->rx, (size_t) n, &m), 0);
	assert_int_equal(m.op, op);
	return m;
}

static void say(struct bench *b, const struct bridge_msg *m)
{
	_cleanup_buf_ struct buf out = BUF_INIT;

	assert_int_equal(bridge_encode(m, &out), 0);
	assert_int_equal(send(b->fd, out.data, out.len, 0), out.len);
	run(b, US_PER_MS);
}

static void reply_brings_its_result(void **state)
{
	static struct bench b;
	struct bridge_msg m, r;

	(void) state;
	bench_open(&b);
	assert_int_equal(b.link->ops->read_info(b.link, label, on_done, &b), 0);
	m = next_request(&b, BRIDGE_READ_INFO);
	assert_memory_equal(m.addr, label, sizeof(label));
	r = (struct bridge_msg){.op = BRIDGE_REPLY + BRIDGE_READ_INFO,
				.id = m.id,
				.n_displays = 1,
				.displays = {{296, 128, 1}},
				.max_image_index = 3,
				.battery_mv = 2950};
	say(&b, &r);
	assert_int_equal(b.dones, 1);
	assert_int_equal(b.err, 0);
	assert_int_equal(b.res.displays[0].width, 296);
	assert_int_equal(b.res.max_image_index, 3);
	say(&b, &r); /* once only */
	assert_int_equal(b.dones, 1);
	bench_close(&b);
}

static void every_request_has_its_arguments(void **state)
{
	static struct bench b;
	struct esl_link_config c = {
		.esl_address = 0x0305, .response_key = {1}, .train_key = {2}, .abs_ms = 77};
	struct bridge_msg m;

	(void) state;
	bench_open(&b);
	assert_int_equal(b.link->ops->scan(b.link, true), 0);
	assert_true(next_request(&b, BRIDGE_SCAN).on);
	assert_int_equal(b.link->ops->connect(b.link, label, 3, 5, on_done, &b), 0);
	m = next_request(&b, BRIDGE_CONNECT);
	assert_int_equal(m.subevent, 3);
	assert_int_equal(m.esl_id, 5);
	assert_int_equal(b.link->ops->configure(b.link, label, &c, on_done, &b), 0);
	m = next_request(&b, BRIDGE_CONFIGURE);
	assert_int_equal(m.esl_address, 0x0305);
	assert_int_equal(m.response_key[0], 1);
	assert_int_equal(m.train_key[0], 2);
	assert_int_equal(m.abs_ms, 77);
	assert_int_equal(b.link->ops->write_image(b.link, label, 1, "picture", 7, on_done, &b), 0);
	m = next_request(&b, BRIDGE_WRITE_IMAGE);
	assert_int_equal(m.image_index, 1);
	assert_memory_equal(m.data, "picture", 7);
	assert_int_equal(
		b.link->ops->ecp(b.link, label, (const uint8_t *) "\x00\x05", 2, on_done, &b), 0);
	m = next_request(&b, BRIDGE_ECP);
	assert_int_equal(m.tlv_len, 2);
	assert_int_equal(b.link->ops->set_time(b.link, label, 99, on_done, &b), 0);
	assert_int_equal(next_request(&b, BRIDGE_SET_TIME).abs_ms, 99);
	assert_int_equal(b.link->ops->update_complete(b.link, label, on_done, &b), 0);
	(void) next_request(&b, BRIDGE_UPDATE_COMPLETE);
	assert_int_equal(b.link->ops->disconnect(b.link, label, on_done, &b), 0);
	(void) next_request(&b, BRIDGE_DISCONNECT);
	bench_close(&b);
}

static void large_picture_fits_one_message(void **state)
{
	static struct bench b;
	static uint8_t picture[60000];
	struct bridge_msg m;

	(void) state;
	bench_open(&b);
	assert_int_equal(
		b.link->ops->write_image(b.link, label, 0, picture, sizeof(picture), on_done, &b),
		0);
	m = next_request(&b, BRIDGE_WRITE_IMAGE);
	assert_int_equal(m.data_len, sizeof(picture));
	bench_close(&b);
}

static void failure_is_passed_on(void **state)
{
	static struct bench b;
	struct bridge_msg m;

	(void) state;
	bench_open(&b);
	assert_int_equal(b.link->ops->connect(b.link, label, 3, 5, on_done, &b), 0);
	m = next_request(&b, BRIDGE_CONNECT);
	say(&b, &(struct bridge_msg){
			.op = BRIDGE_REPLY + BRIDGE_CONNECT, .id = m.id, .status = ETIMEDOUT});
	assert_int_equal(b.err, -ETIMEDOUT);
	bench_close(&b);
}

static void unanswered_request_times_out_once(void **state)
{
	static struct bench b;
	struct bridge_msg m;

	(void) state;
	bench_open(&b);
	assert_int_equal(b.link->ops->set_time(b.link, label, 1, on_done, &b), 0);
	m = next_request(&b, BRIDGE_SET_TIME);
	run(&b, 6 * US_PER_SEC);
	assert_int_equal(b.dones, 1);
	assert_int_equal(b.err, -ETIMEDOUT);
	say(&b, &(struct bridge_msg){.op = BRIDGE_REPLY + BRIDGE_SET_TIME, .id = m.id});
	assert_int_equal(b.dones, 1);
	bench_close(&b);
}

static void broken_connection_fails_its_request(void **state)
{
	static struct bench b;
	struct bridge_msg lost = {.op = BRIDGE_EVT_LOST, .reason = 8};

	(void) state;
	bench_open(&b);
	memcpy(lost.addr, label, sizeof(label));
	say(&b, &lost);
	assert_int_equal(b.losts, 1);
	assert_int_equal(
		b.link->ops->ecp(b.link, label, (const uint8_t *) "\x00\x05", 2, on_done, &b), 0);
	(void) next_request(&b, BRIDGE_ECP);
	say(&b, &lost);
	assert_int_equal(b.losts, 1);
	assert_int_equal(b.dones, 1);
	assert_int_equal(b.err, -ERR_CLOSED);
	bench_close(&b);
}

static void advertisements_are_passed_on(void **state)
{
	static struct bench b;
	struct bridge_msg m = {.op = BRIDGE_EVT_ADVERT,
			       .rssi_dbm = -70,
			       .flags = BRIDGE_ADVERT_BONDED,
			       .battery_mv = 2900};

	(void) state;
	bench_open(&b);
	memcpy(m.addr, label, sizeof(label));
	say(&b, &m);
	assert_int_equal(b.adverts, 1);
	assert_true(b.bonded);
	bench_close(&b);
}

static void bridge_that_goes_away_fails_all_and_is_reopened(void **state)
{
	static struct bench b;

	(void) state;
	bench_open(&b);
	for (int i = 0; i < 3; i++)
		assert_int_equal(b.link->ops->set_time(b.link, label, 1, on_done, &b), 0);
	run(&b, US_PER_MS);
	close(b.fd);
	run(&b, US_PER_MS);
	assert_int_equal(b.dones, 3);
	assert_int_equal(b.downs, 1);
	assert_int_equal(b.link->ops->set_time(b.link, label, 1, on_done, &b), -ERR_CLOSED);
	run(&b, US_PER_SEC);
	b.fd = accept(b.listener, NULL, NULL);
	assert_true(b.fd >= 0);
	assert_int_equal(b.ups, 2);
	bench_close(&b);
}

static void garbage_closes_the_socket(void **state)
{
	static struct bench b;
	static const uint8_t newer[] = {0x82, 0x18, 0xfa, 0x01};

	(void) state;
	bench_open(&b);
	assert_int_equal(send(b.fd, newer, sizeof(newer), 0), sizeof(newer));
	run(&b, US_PER_MS);
	assert_int_equal(b.downs, 0); /* a message of a newer bridge is none */
	assert_int_equal(send(b.fd, "hello", 5, 0), 5);
	run(&b, US_PER_MS);
	assert_int_equal(b.downs, 1);
	bench_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reply_brings_its_result),
		cmocka_unit_test(every_request_has_its_arguments),
		cmocka_unit_test(large_picture_fits_one_message),
		cmocka_unit_test(failure_is_passed_on),
		cmocka_unit_test(unanswered_request_times_out_once),
		cmocka_unit_test(broken_connection_fails_its_request),
		cmocka_unit_test(advertisements_are_passed_on),
		cmocka_unit_test(bridge_that_goes_away_fails_all_and_is_reopened),
		cmocka_unit_test(garbage_closes_the_socket),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
