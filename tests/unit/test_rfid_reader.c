/* SPDX-License-Identifier: Apache-2.0 */
/** @file The reader on the loop, against a listener of our own on the loopback interface. */
#include "common/err.h"
#include "rfid/llrp_codec.h"
#include "rfid/rfid.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define PATIENCE 400 /* turns of the loop, each at most 20 ms */

struct rig {
	struct loop *loop;
	struct rfid_reader *reader;
	int listener, peer;
	uint16_t port;
	unsigned int entered[RFID_READER_STATE_COUNT];
	int err;
	char text[256];
	size_t n_reads;
	struct rfid_read read;
	unsigned int stopped;
	bool free_on_waiting, free_on_reads;
	struct buf rx;
	uint32_t id; /**< of the last message the reader sent */
};

static void on_state(void *user, enum rfid_reader_state state, int err, const char *text)
{
	struct rig *rig = user;

	rig->entered[state]++;
	if (state != RFID_READER_WAITING)
		return;
	rig->err = err;
	snprintf(rig->text, sizeof(rig->text), "%s", text ? text : "");
	if (rig->free_on_waiting) {
		rfid_reader_free(rig->reader);
		rig->reader = NULL;
	}
}

static void on_reads(void *user, const struct rfid_read *reads, size_t n)
{
	struct rig *rig = user;

	rig->n_reads += n;
	rig->read = reads[0];
	if (rig->free_on_reads) {
		rfid_reader_free(rig->reader);
		rig->reader = NULL;
	}
}

static void on_stopped(void *user)
{
	((struct rig *) user)->stopped++;
}

static void rig_listen(struct rig *rig)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(a);

	memset(rig, 0, sizeof(*rig));
	rig->peer = -1;
	rig->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(rig->listener >= 0);
	assert_int_equal(bind(rig->listener, (struct sockaddr *) &a, len), 0);
	assert_int_equal(listen(rig->listener, 4), 0);
	assert_int_equal(getsockname(rig->listener, (struct sockaddr *) &a, &len), 0);
	rig->port = ntohs(a.sin_port);
	assert_int_equal(loop_new(&rig->loop), 0);
}

static void rig_start(struct rig *rig, const char *host)
{
	const struct rfid_reader_callbacks cb = {.state = on_state, .reads = on_reads};
	const struct rfid_reader_config cfg = {
		.name = "test", .host = host, .port = rig->port, .keepalive_ms = 300};

	assert_int_equal(rfid_reader_new(rig->loop, &cfg, &cb, rig, &rig->reader), 0);
	assert_int_equal(rfid_reader_state(rig->reader), RFID_READER_IDLE);
}

static void rig_done(struct rig *rig)
{
	rfid_reader_free(rig->reader);
	loop_run_once(rig->loop, 0);
	loop_free(rig->loop);
	if (rig->peer >= 0)
		close(rig->peer);
	close(rig->listener);
	buf_done(&rig->rx);
}

static bool turn_until(struct rig *rig, const unsigned int *count, unsigned int want)
{
	for (int i = 0; i < PATIENCE && *count < want; i++)
		loop_run_once(rig->loop, 20);
	return *count >= want;
}

static void accept_peer(struct rig *rig)
{
	struct pollfd p = {.fd = rig->listener, .events = POLLIN};

	if (rig->peer >= 0)
		close(rig->peer);
	for (int i = 0; i < PATIENCE && poll(&p, 1, 0) == 0; i++)
		loop_run_once(rig->loop, 20);
	rig->peer = accept(rig->listener, NULL, NULL);
	assert_true(rig->peer >= 0);
	buf_clear(&rig->rx);
}

static void say(struct rig *rig, struct llrp_msg *m)
{
	_cleanup_buf_ struct buf out = BUF_INIT;

	assert_int_equal(llrp_msg_encode(m, &out), 0);
	llrp_msg_free(m);
	assert_int_equal(send(rig->peer, out.data, out.len, MSG_NOSIGNAL), (ssize_t) out.len);
}

static void greet(struct rig *rig)
{
	struct llrp_msg *m = NULL;
	struct llrp_elem *data;

	assert_int_equal(llrp_msg_new(LLRP_READER_EVENT_NOTIFICATION, 0, &m), 0);
	data = llrp_add(llrp_root(m), LLRP_P_READER_EVENT_NOTIFICATION_DATA);
	llrp_set(llrp_add(data, LLRP_P_UTC_TIMESTAMP), "Microseconds",
		 (uint64_t) clock_real_us(loop_clock(rig->loop)));
	llrp_add(data, LLRP_P_CONNECTION_ATTEMPT_EVENT);
	say(rig, m);
}

/** Type of the next message from the reader's client. */
static uint16_t hear(struct rig *rig)
{
	struct llrp_header h;
	uint8_t data[512];
	int r = -EAGAIN;

	for (int i = 0; i < PATIENCE; i++) {
		ssize_t n = recv(rig->peer, data, sizeof(data), MSG_DONTWAIT);

		if (n > 0)
			buf_put(&rig->rx, data, (size_t) n);
		r = llrp_header_decode(rig->rx.data, rig->rx.len, &h);
		if (r == 0 && rig->rx.len >= h.length)
			break;
		r = -EAGAIN;
		loop_run_once(rig->loop, 20);
	}
	assert_int_equal(r, 0);
	buf_consume(&rig->rx, h.length);
	rig->id = h.id;
	return h.type;
}

static void answer(struct rig *rig, uint16_t type)
{
	struct llrp_msg *m = NULL;

	assert_int_equal(llrp_msg_new(type, rig->id, &m), 0);
	llrp_add_status(llrp_root(m), 0, NULL);
	if (type == LLRP_GET_READER_CAPABILITIES_RESPONSE)
		llrp_add(llrp_root(m), LLRP_P_GENERAL_DEVICE_CAPABILITIES);
	say(rig, m);
}

/** Grants requests until the inventory runs. */
static void serve_until_running(struct rig *rig)
{
	unsigned int want = rig->entered[RFID_READER_RUNNING] + 1;

	greet(rig);
	for (;;) {
		uint16_t type = hear(rig);

		answer(rig, type == LLRP_CLOSE_CONNECTION ? LLRP_CLOSE_CONNECTION_RESPONSE
							  : (uint16_t) (type + 10));
		if (type == LLRP_START_ROSPEC)
			break;
	}
	assert_true(turn_until(rig, &rig->entered[RFID_READER_RUNNING], want));
}

static void report(struct rig *rig)
{
	static const uint8_t epc[12] = {0x30};
	struct llrp_msg *m = NULL;
	struct llrp_elem *tag;

	assert_int_equal(llrp_msg_new(LLRP_RO_ACCESS_REPORT, 0, &m), 0);
	tag = llrp_add(llrp_root(m), LLRP_P_TAG_REPORT_DATA);
	llrp_set_bytes(llrp_add(tag, LLRP_P_EPC_96), "EPC", epc, 12);
	llrp_set(llrp_add(tag, LLRP_P_ANTENNA_ID), "AntennaID", 2);
	say(rig, m);
}

/* --- tests ------------------------------------------------------------------------------------ */

static void reader_by_name_is_inventoried_and_stopped_cleanly(void **state)
{
	struct rfid_reader_stats stats;
	struct rig rig;

	(void) state;
	rig_listen(&rig);
	rig_start(&rig, "localhost");
	accept_peer(&rig);
	serve_until_running(&rig);
	report(&rig);
	for (int i = 0; i < PATIENCE && rig.n_reads == 0; i++)
		loop_run_once(rig.loop, 20);
	assert_int_equal(rig.n_reads, 1);
	assert_int_equal(rig.read.antenna, 2);
	rfid_reader_stop(rig.reader, on_stopped, &rig);
	assert_int_equal(rig.stopped, 0);
	assert_int_equal(hear(&rig), LLRP_STOP_ROSPEC);
	answer(&rig, LLRP_STOP_ROSPEC_RESPONSE);
	assert_int_equal(hear(&rig), LLRP_DELETE_ROSPEC);
	answer(&rig, LLRP_DELETE_ROSPEC_RESPONSE);
	assert_int_equal(hear(&rig), LLRP_CLOSE_CONNECTION);
	answer(&rig, LLRP_CLOSE_CONNECTION_RESPONSE);
	assert_true(turn_until(&rig, &rig.stopped, 1));
	assert_int_equal(rfid_reader_state(rig.reader), RFID_READER_IDLE);
	rfid_reader_get_stats(rig.reader, &stats);
	assert_int_equal(stats.reads, 1);
	assert_int_equal(stats.reconnects, 0);
	rig_done(&rig);
}

static void unplugged_reader_is_found_again(void **state)
{
	struct rfid_reader_stats stats;
	struct rig rig;

	(void) state;
	rig_listen(&rig);
	rig_start(&rig, "127.0.0.1");
	accept_peer(&rig);
	serve_until_running(&rig);
	/* Half a message, then nothing more. */
	assert_int_equal(send(rig.peer, "\x04\x3d\0\0\0\x40", 6, MSG_NOSIGNAL), 6);
	close(rig.peer);
	rig.peer = -1;
	assert_true(turn_until(&rig, &rig.entered[RFID_READER_WAITING], 1));
	assert_int_equal(rig.err, -ERR_CLOSED);
	accept_peer(&rig);
	serve_until_running(&rig);
	rfid_reader_get_stats(rig.reader, &stats);
	assert_int_equal(stats.reconnects, 1);
	rig_done(&rig);
}

static void half_open_connection_is_noticed(void **state)
{
	struct rig rig;

	(void) state;
	rig_listen(&rig);
	rig_start(&rig, "127.0.0.1");
	accept_peer(&rig);
	serve_until_running(&rig);
	/* The peer stays connected, but no keepalive comes any more. */
	assert_true(turn_until(&rig, &rig.entered[RFID_READER_WAITING], 1));
	assert_int_equal(rig.err, -ETIMEDOUT);
	rig_done(&rig);
}

static void garbage_costs_one_connection(void **state)
{
	struct rfid_reader_stats stats;
	struct rig rig;

	(void) state;
	rig_listen(&rig);
	rig_start(&rig, "127.0.0.1");
	accept_peer(&rig);
	assert_int_equal(send(rig.peer, "SSH-2.0-OpenSSH\r\n", 17, MSG_NOSIGNAL), 17);
	assert_true(turn_until(&rig, &rig.entered[RFID_READER_WAITING], 1));
	rfid_reader_get_stats(rig.reader, &stats);
	assert_int_equal(stats.bad_frames, 1);
	accept_peer(&rig);
	serve_until_running(&rig);
	rig_done(&rig);
}

static void refused_and_unknown_hosts_are_waited_for(void **state)
{
	struct rig rig;

	(void) state;
	rig_listen(&rig);
	close(rig.listener);
	rig.listener = socket(AF_INET, SOCK_STREAM, 0); /* so that rig_done() has one */
	rig_start(&rig, "127.0.0.1");
	assert_true(turn_until(&rig, &rig.entered[RFID_READER_WAITING], 2));
	assert_int_equal(rig.err, -ECONNREFUSED);
	assert_non_null(strstr(rig.text, "127.0.0.1"));
	rfid_reader_free(rig.reader);
	memset(rig.entered, 0, sizeof(rig.entered));
	rig_start(&rig, "no-such-reader.invalid");
	assert_true(turn_until(&rig, &rig.entered[RFID_READER_WAITING], 1));
	assert_int_equal(rig.err, -EHOSTUNREACH);
	assert_non_null(strstr(rig.text, "no-such-reader.invalid"));
	rig_done(&rig);
}

static void retries_slow_down_to_two_a_minute(void **state)
{
	struct rig rig;
	unsigned int early;

	(void) state;
	rig_listen(&rig);
	close(rig.listener);
	rig.listener = socket(AF_INET, SOCK_STREAM, 0);
	loop_free(rig.loop);
	assert_int_equal(loop_new_virtual(0, INT64_C(1790000000) * US_PER_SEC, &rig.loop), 0);
	rig_start(&rig, "127.0.0.1");
	/* 0.5, 1, 2, 4, 8, 16 s, less up to a quarter */
	loop_run_until(rig.loop, 35 * US_PER_SEC);
	early = rig.entered[RFID_READER_WAITING];
	assert_in_range(early, 6, 8);
	loop_run_until(rig.loop, 3635 * US_PER_SEC);
	assert_in_range(rig.entered[RFID_READER_WAITING] - early, 115, 165);
	rig_done(&rig);
}

static void reader_may_be_freed_in_its_callbacks_and_lookups(void **state)
{
	struct rig rig;

	(void) state;
	rig_listen(&rig);
	rig.free_on_waiting = true;
	rig_start(&rig, "127.0.0.1");
	accept_peer(&rig);
	assert_int_equal(send(rig.peer, "garbage garbage", 15, MSG_NOSIGNAL), 15);
	assert_true(turn_until(&rig, &rig.entered[RFID_READER_WAITING], 1));
	assert_null(rig.reader);

	rig.free_on_waiting = false;
	rig.free_on_reads = true;
	rig_start(&rig, "127.0.0.1");
	accept_peer(&rig);
	serve_until_running(&rig);
	report(&rig);
	for (int i = 0; i < PATIENCE && rig.reader; i++)
		loop_run_once(rig.loop, 20);
	assert_null(rig.reader);

	rig_start(&rig, "localhost");
	loop_run_once(rig.loop, 20);
	rfid_reader_free(rig.reader); /* perhaps in the middle of the look-up */
	rig.reader = NULL;
	for (int i = 0; i < 5; i++)
		loop_run_once(rig.loop, 20);
	rig_done(&rig);
}

static void stop_is_done_once_whatever_the_state(void **state)
{
	struct rig rig;

	(void) state;
	rig_listen(&rig);
	rig_start(&rig, "127.0.0.1");
	rfid_reader_stop(rig.reader, on_stopped, &rig);
	assert_int_equal(rig.stopped, 0);
	assert_true(turn_until(&rig, &rig.stopped, 1));
	for (int i = 0; i < 3; i++)
		loop_run_once(rig.loop, 5);
	assert_int_equal(rig.stopped, 1);
	assert_int_equal(rig.entered[RFID_READER_CONNECTING], 0);
	rfid_reader_free(rig.reader);

	/* With a reader that does not answer to the goodbye. */
	rig.stopped = 0;
	rig_start(&rig, "127.0.0.1");
	accept_peer(&rig);
	serve_until_running(&rig);
	rfid_reader_stop(rig.reader, on_stopped, &rig);
	assert_true(turn_until(&rig, &rig.stopped, 1));
	rig_done(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reader_by_name_is_inventoried_and_stopped_cleanly),
		cmocka_unit_test(unplugged_reader_is_found_again),
		cmocka_unit_test(half_open_connection_is_noticed),
		cmocka_unit_test(garbage_costs_one_connection),
		cmocka_unit_test(refused_and_unknown_hosts_are_waited_for),
		cmocka_unit_test(retries_slow_down_to_two_a_minute),
		cmocka_unit_test(reader_may_be_freed_in_its_callbacks_and_lookups),
		cmocka_unit_test(stop_is_done_once_whatever_the_state),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
