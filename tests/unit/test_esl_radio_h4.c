/* SPDX-License-Identifier: Apache-2.0 */
/* The H4 driver against a controller that the test plays, on a real socket in virtual time. */
#include "common/err.h"
#include "esl-radio/esl_radio.h"
#include "esl-radio/hci_channels.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

struct bench {
	struct loop *loop;
	struct esl_radio *radio;
	int listener, fd;
	char dir[32], path[64], address[80];
	struct buf in;
	unsigned int ups, downs, requests, responses;
	uint8_t start, count, subevent, slot;
	int err;
	char text[ESL_TEXT_MAX];
};

static void on_up(void *user)
{
	((struct bench *) user)->ups++;
}

static void on_down(void *user, int err, const char *text)
{
	struct bench *b = user;

	b->downs++;
	b->err = err;
	snprintf(b->text, sizeof(b->text), "%s", text);
}

static void on_request(void *user, uint8_t start, uint8_t count)
{
	struct bench *b = user;

	b->requests++;
	b->start = start;
	b->count = count;
}

static void on_response(void *user, uint8_t subevent, uint8_t slot, int8_t rssi,
			const uint8_t *data, size_t len)
{
	struct bench *b = user;

	assert_int_equal(rssi, -61);
	assert_int_equal(len, 3);
	assert_int_equal(data[2], 3);
	b->responses++;
	b->subevent = subevent;
	b->slot = slot;
}

static const struct esl_radio_callbacks callbacks = {on_up, on_down, on_request, on_response};

static void listen_again(struct bench *b)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};

	snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", b->path);
	b->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	assert_true(b->listener >= 0);
	assert_int_equal(bind(b->listener, (struct sockaddr *) &sa, sizeof(sa)), 0);
	assert_int_equal(listen(b->listener, 4), 0);
}

static void run(struct bench *b, int64_t us)
{
	loop_run_until(b->loop, clock_mono_us(loop_clock(b->loop)) + us);
}

static void bench_open(struct bench *b)
{
	struct esl_train train = {1248, 26, 48, 34, 6, 23};

	memset(b, 0, sizeof(*b));
	b->fd = -1;
	snprintf(b->dir, sizeof(b->dir), "/tmp/h4-XXXXXX");
	assert_non_null(mkdtemp(b->dir));
	snprintf(b->path, sizeof(b->path), "%s/hci", b->dir);
	snprintf(b->address, sizeof(b->address), "unix:%s", b->path);
	listen_again(b);
	assert_int_equal(loop_new_virtual(US_PER_SEC, 0, &b->loop), 0);
	assert_int_equal(esl_radio_h4_new(b->loop, b->address, &b->radio), 0);
	assert_int_equal(b->radio->ops->start(b->radio, &train, &callbacks, b), 0);
	run(b, US_PER_MS);
}

static void bench_close(struct bench *b)
{
	b->radio->ops->free(b->radio);
	loop_free(b->loop);
	close(b->listener);
	if (b->fd >= 0)
		close(b->fd);
	buf_done(&b->in);
	unlink(b->path);
	rmdir(b->dir);
}

static void take_host(struct bench *b)
{
	if (b->fd >= 0)
		close(b->fd);
	buf_clear(&b->in);
	b->fd = -1;
	for (int i = 0; i < 400 && b->fd < 0; i++) {
		b->fd = accept(b->listener, NULL, NULL);
		if (b->fd < 0)
			run(b, 100 * US_PER_MS);
	}
	assert_true(b->fd >= 0);
}

/** Next command from the host; opcode 0 if there is none. Parameters are valid until the next call.
 */
static struct h4_packet next_command(struct bench *b)
{
	static uint8_t taken[HCI_COMMAND_MAX];
	struct h4_packet p = {0};
	uint8_t chunk[4096];
	ssize_t got = recv(b->fd, chunk, sizeof(chunk), MSG_DONTWAIT);
	int n;

	if (got > 0)
		buf_put(&b->in, chunk, (size_t) got);
	n = h4_next(b->in.data, b->in.len, &p);
	assert_true(n >= 0);
	if (n > 0) {
		memcpy(taken, b->in.data, (size_t) n);
		buf_consume(&b->in, (size_t) n);
		assert_int_equal(h4_next(taken, (size_t) n, &p), n);
		assert_int_equal(p.type, H4_COMMAND);
	}
	return p;
}

static void say(struct bench *b, const struct buf *out)
{
	assert_int_equal(send(b->fd, out->data, out->len, MSG_NOSIGNAL), out->len);
	run(b, US_PER_MS);
}

static void complete(struct bench *b, uint16_t opcode, uint8_t status, uint8_t credits)
{
	static uint8_t features[8] = {0, 0x30, 0, 0, 0, 0x08, 0, 0};
	struct hci_command_complete c = {.credits = credits, .opcode = opcode, .status = status};
	_cleanup_buf_ struct buf out = BUF_INIT;

	if (opcode == HCI_LE_READ_LOCAL_FEATURES) {
		c.more = features;
		c.more_len = sizeof(features);
	}
	hci_put_command_complete(&out, &c);
	say(b, &out);
}

/** Answers the whole script; yields the number of commands it had. */
static unsigned int serve(struct bench *b)
{
	unsigned int n = 0;
	struct h4_packet p;

	take_host(b);
	while ((p = next_command(b)).opcode) {
		n++;
		complete(b, p.opcode, HCI_OK, 1);
	}
	return n;
}

static uint64_t mask_of(const struct h4_packet *p)
{
	struct wire w;

	wire_init(&w, p->params, p->len);
	return wire_get_u64le(&w);
}

static void controller_is_set_up_from_reset(void **state)
{
	static const uint16_t script[] = {
		HCI_RESET,
		HCI_READ_LOCAL_VERSION,
		HCI_LE_READ_LOCAL_FEATURES,
		HCI_SET_EVENT_MASK,
		HCI_LE_SET_EVENT_MASK,
		HCI_LE_SET_EXT_ADV_PARAMS,
		HCI_LE_SET_PA_PARAMS_V2,
		HCI_LE_SET_PA_ENABLE,
		HCI_LE_SET_EXT_ADV_ENABLE,
	};
	struct bench b;

	(void) state;
	bench_open(&b);
	take_host(&b);
	for (size_t i = 0; i < ARRAY_SIZE(script); i++) {
		struct h4_packet p = next_command(&b);
		struct hci_pa_params pa;
		struct wire w;

		assert_int_equal(p.opcode, script[i]);
		wire_init(&w, p.params, p.len);
		if (p.opcode == HCI_LE_SET_EVENT_MASK) {
			assert_true(mask_of(&p) >> 38 & 1);
			assert_true(mask_of(&p) >> 39 & 1);
			assert_false(mask_of(&p) >> 40 & 1);
		} else if (p.opcode == HCI_LE_SET_PA_PARAMS_V2) {
			hci_get_pa_params(&w, &pa);
			assert_int_equal(pa.handle, 0xe0);
			assert_int_equal(pa.interval_min, 1248);
			assert_int_equal(pa.response_slots, 23);
		} else if (p.opcode == HCI_LE_SET_EXT_ADV_PARAMS) {
			struct hci_ext_adv_params adv;

			hci_get_ext_adv_params(&w, &adv);
			assert_int_equal(adv.properties, 0);
		}
		assert_int_equal(b.ups, 0);
		assert_int_equal(next_command(&b).opcode, 0); /* one at a time */
		complete(&b, p.opcode, HCI_OK, 1);
	}
	assert_int_equal(b.ups, 1);
	bench_close(&b);
}

static void controller_without_responses_is_told_so(void **state)
{
	static const uint8_t features[8] = {0, 0x30, 0, 0, 0, 0x10, 0, 0}; /* bit 44 alone */
	struct hci_command_complete c = {1, HCI_LE_READ_LOCAL_FEATURES, 0, features, 8};
	_cleanup_buf_ struct buf out = BUF_INIT;
	struct bench b;

	(void) state;
	bench_open(&b);
	take_host(&b);
	for (int i = 0; i < 2; i++)
		complete(&b, next_command(&b).opcode, HCI_OK, 1);
	assert_int_equal(next_command(&b).opcode, HCI_LE_READ_LOCAL_FEATURES);
	hci_put_command_complete(&out, &c);
	say(&b, &out);
	for (int i = 0; i < 2; i++) /* the masks */
		complete(&b, next_command(&b).opcode, HCI_OK, 1);
	assert_int_equal(b.downs, 1);
	assert_int_equal(b.err, -ENOTSUP);
	assert_non_null(strstr(b.text, "responses"));
	bench_close(&b);
}

static void refused_command_is_named(void **state)
{
	struct bench b;

	(void) state;
	bench_open(&b);
	take_host(&b);
	assert_int_equal(next_command(&b).opcode, HCI_RESET);
	complete(&b, HCI_RESET, HCI_ERR_UNSPECIFIED, 1);
	assert_string_equal(b.text, "The radio's controller refused Reset: Unspecified Error.");
	bench_close(&b);
}

static void commands_wait_for_credits(void **state)
{
	uint8_t data[61] = {0};
	struct hci_subevent_data sets[7];
	struct bench b;

	(void) state;
	bench_open(&b);
	assert_int_equal(serve(&b), 9);
	for (uint8_t i = 0; i < ARRAY_SIZE(sets); i++)
		sets[i] = (struct hci_subevent_data){i, 0, 1, sizeof(data), data};
	assert_int_equal(b.radio->ops->set_data(b.radio, sets, ARRAY_SIZE(sets)), 0);
	/* Three full packets to a command of 255 bytes, one command to a credit. */
	for (int i = 0; i < 3; i++) {
		struct h4_packet p = next_command(&b);
		struct wire w;
		uint8_t handle;

		assert_int_equal(p.opcode, HCI_LE_SET_PA_SUBEVENT_DATA);
		wire_init(&w, p.params, p.len);
		assert_int_equal(hci_get_subevent_data(&w, &handle), i < 2 ? 3 : 1);
		assert_int_equal(next_command(&b).opcode, 0);
		if (i == 0) {
			complete(&b, p.opcode, HCI_OK, 0); /* no room yet ... */
			assert_int_equal(next_command(&b).opcode, 0);
			complete(&b, 0, HCI_OK, 1); /* ... and now there is */
		} else {
			complete(&b, p.opcode, HCI_ERR_TOO_LATE, 1); /* nobody's fault */
		}
	}
	assert_int_equal(b.downs, 0);
	bench_close(&b);
}

static void requests_and_responses_are_passed_on(void **state)
{
	static const uint8_t answer[3] = {1, 2, 3};
	struct hci_response r[2] = {{127, -61, 0xff, 4, HCI_RESPONSE_COMPLETE, 3, answer},
				    {127, 127, 0xff, 5, HCI_RESPONSE_FAILED, 0, NULL}};
	struct hci_data_request d = {0xe0, 24, 4}, other = {0x01, 1, 1};
	_cleanup_buf_ struct buf out = BUF_INIT;
	struct bench b;

	(void) state;
	bench_open(&b);
	(void) serve(&b);
	hci_put_data_request(&out, &other); /* another host's advertising set */
	hci_put_data_request(&out, &d);
	assert_int_equal(hci_put_response_report(&out, 0xe0, 9, 0, r, 2), 0);
	for (size_t i = 0; i < out.len; i++) { /* byte by byte, as a UART brings it */
		assert_int_equal(send(b.fd, out.data + i, 1, 0), 1);
		run(&b, 0);
	}
	assert_int_equal(b.requests, 1);
	assert_int_equal(b.start, 24);
	assert_int_equal(b.count, 4);
	assert_int_equal(b.responses, 1);
	assert_int_equal(b.subevent, 9);
	assert_int_equal(b.slot, 4);
	bench_close(&b);
}

static void garbage_costs_one_connection(void **state)
{
	struct bench b;

	(void) state;
	bench_open(&b);
	(void) serve(&b);
	run(&b, 9 * US_PER_SEC);
	assert_int_equal(send(b.fd, "HTTP/1.1 200 OK\r\n", 17, 0), 17);
	run(&b, US_PER_MS);
	assert_int_equal(b.downs, 1);
	assert_int_equal(b.err, -ERR_BADMSG);
	run(&b, 600 * US_PER_MS);
	assert_int_equal(serve(&b), 9);
	assert_int_equal(b.ups, 2);
	bench_close(&b);
}

static void silent_controller_is_given_up(void **state)
{
	struct bench b;

	(void) state;
	bench_open(&b);
	take_host(&b);
	run(&b, 2100 * US_PER_MS);
	assert_int_equal(b.downs, 1);
	assert_int_equal(b.err, -ETIMEDOUT);
	bench_close(&b);
}

static void train_that_stops_asking_is_started_again(void **state)
{
	struct hci_data_request d = {0xe0, 0, 4};
	_cleanup_buf_ struct buf out = BUF_INIT;
	struct bench b;

	(void) state;
	bench_open(&b);
	(void) serve(&b);
	hci_put_data_request(&out, &d);
	for (int i = 0; i < 20; i++) {
		run(&b, US_PER_SEC);
		say(&b, &out);
	}
	assert_int_equal(b.downs, 0);
	run(&b, 11 * US_PER_SEC);
	assert_int_equal(b.downs, 1);
	assert_int_equal(b.err, -ETIMEDOUT);
	bench_close(&b);
}

static void missing_controller_is_tried_ever_more_rarely(void **state)
{
	struct bench b;

	(void) state;
	bench_open(&b);
	(void) serve(&b);
	close(b.listener);
	unlink(b.path);
	close(b.fd);
	b.fd = -1;
	run(&b, 100 * US_PER_MS);
	assert_int_equal(b.downs, 1);
	run(&b, 300 * US_PER_SEC);
	assert_in_range(b.downs, 10, 18); /* 0.5 1 2 4 8 16 30 30 ... */
	listen_again(&b);
	assert_int_equal(serve(&b), 9);
	assert_int_equal(b.ups, 2);
	bench_close(&b);
}

static void wrong_addresses_are_refused(void **state)
{
	struct esl_radio *r;
	struct loop *loop;
	char longer[200];

	(void) state;
	assert_int_equal(loop_new_virtual(0, 0, &loop), 0);
	memset(longer, 'x', sizeof(longer));
	memcpy(longer, "unix:", 5);
	longer[sizeof(longer) - 1] = '\0';
	assert_int_equal(esl_radio_h4_new(loop, "tty:/dev/ttyS0", &r), -ERR_SYNTAX);
	assert_int_equal(esl_radio_h4_new(loop, "unix:", &r), -ERR_SYNTAX);
	assert_int_equal(esl_radio_h4_new(loop, longer, &r), -ERR_SYNTAX);
	assert_int_equal(esl_radio_h4_new(loop, "tcp:127.0.0.1", &r), -ERR_SYNTAX);
	assert_int_equal(esl_radio_h4_new(loop, "tcp:127.0.0.1:0", &r), -ERR_SYNTAX);
	assert_int_equal(esl_radio_h4_new(loop, "tcp:127.0.0.1:65536", &r), -ERR_SYNTAX);
	assert_int_equal(esl_radio_h4_new(loop, "tcp:somewhere:9", &r), -ERR_SYNTAX);
	assert_int_equal(esl_radio_h4_new(loop, "uart:/dev/ttyS0", &r), -ERR_SYNTAX);
	assert_int_equal(esl_radio_h4_new(loop, "uart:/dev/ttyS0:1234", &r), -ERR_SYNTAX);
	loop_free(loop);
}

/* Starts a radio there and returns what it says first, read from `fd` or from who connects to it.
 */
static void assert_reset_arrives(const char *address, int fd, bool listens)
{
	static const uint8_t reset[] = {0x01, 0x03, 0x0c, 0x00};
	struct esl_train train = {1248, 26, 48, 34, 6, 23};
	struct bench b = {.fd = -1};
	uint8_t got[sizeof(reset)];
	int peer = -1;
	ssize_t n = -1;

	assert_int_equal(loop_new_virtual(US_PER_SEC, 0, &b.loop), 0);
	assert_int_equal(esl_radio_h4_new(b.loop, address, &b.radio), 0);
	assert_int_equal(b.radio->ops->start(b.radio, &train, &callbacks, &b), 0);
	for (int i = 0; i < 1000 && n < 0; i++) {
		/* The kernel carries it in its own time. */
		struct pollfd p = {.fd = peer < 0 ? fd : peer, .events = POLLIN};

		run(&b, US_PER_MS);
		(void) poll(&p, 1, 5);
		if (listens && peer < 0)
			peer = accept(fd, NULL, NULL);
		if (!listens)
			n = read(fd, got, sizeof(got));
		else if (peer >= 0)
			n = recv(peer, got, sizeof(got), MSG_DONTWAIT);
	}
	assert_int_equal(n, sizeof(reset));
	assert_memory_equal(got, reset, sizeof(reset));
	assert_int_equal(b.downs, 0);
	b.radio->ops->free(b.radio);
	loop_free(b.loop);
	if (peer >= 0)
		close(peer);
	close(fd);
}

static void controller_is_reached_by_tcp(void **state)
{
	struct sockaddr_in sa = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(sa);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	char address[64];

	(void) state;
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *) &sa, sizeof(sa)), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *) &sa, &len), 0);
	snprintf(address, sizeof(address), "tcp:127.0.0.1:%u", ntohs(sa.sin_port));
	assert_reset_arrives(address, fd, true);
}

static void controller_is_reached_by_a_serial_line(void **state)
{
	int fd = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK);
	char address[96];

	(void) state;
	if (fd < 0)
		skip();
	assert_int_equal(grantpt(fd), 0);
	assert_int_equal(unlockpt(fd), 0);
	snprintf(address, sizeof(address), "uart:%s:1000000", ptsname(fd));
	assert_reset_arrives(address, fd, false);
}

/* A second host on the bench's socket, with the channels beside the train as an engine has them. */
static void a_controller_without_channel_maps_sends_its_train_all_the_same(void **state)
{
	struct esl_train train = {1248, 26, 48, 34, 6, 23};
	struct hci_channels_state now;
	struct hci_channels *channels;
	struct hci_host *host;
	struct h4_packet p;
	struct bench b;

	(void) state;
	bench_open(&b);
	b.radio->ops->free(b.radio);
	assert_int_equal(hci_host_new(b.loop, b.address, &host), 0);
	assert_int_equal(hci_channels_new(b.loop, host, &channels), 0);
	assert_int_equal(esl_radio_h4_over(b.loop, host, &b.radio), 0);
	hci_host_unref(host);
	hci_channels_set(channels, HCI_DATA_CHANNELS_ALL - 1);
	assert_int_equal(b.radio->ops->start(b.radio, &train, &callbacks, &b), 0);
	run(&b, US_PER_MS);
	close(accept(b.listener, NULL, NULL)); /* the first host's */
	take_host(&b);
	for (int i = 0; i < 5; i++)
		complete(&b, next_command(&b).opcode, HCI_OK, 1);
	p = next_command(&b);
	assert_int_equal(p.opcode, HCI_LE_SET_HOST_CHANNEL_CLASSIFICATION);
	assert_int_equal(p.len, 5);
	assert_int_equal(p.params[0], 0xfe);
	assert_int_equal(p.params[4], 0x1f);
	complete(&b, p.opcode, HCI_ERR_UNKNOWN_COMMAND, 1);
	while ((p = next_command(&b)).opcode) {
		assert_int_not_equal(p.opcode, HCI_LE_SET_HOST_CHANNEL_CLASSIFICATION);
		complete(&b, p.opcode, HCI_OK, 1);
	}
	assert_int_equal(b.ups, 1);
	hci_channels_get(channels, &now);
	assert_false(now.known);
	assert_int_equal(now.refused, HCI_ERR_UNKNOWN_COMMAND);
	hci_channels_set(channels, HCI_DATA_CHANNELS_ALL - 2); /* not asked again */
	run(&b, 3 * US_PER_SEC);
	assert_int_equal(next_command(&b).opcode, 0);
	hci_channels_free(channels);
	bench_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(controller_is_set_up_from_reset),
		cmocka_unit_test(controller_without_responses_is_told_so),
		cmocka_unit_test(refused_command_is_named),
		cmocka_unit_test(a_controller_without_channel_maps_sends_its_train_all_the_same),
		cmocka_unit_test(commands_wait_for_credits),
		cmocka_unit_test(requests_and_responses_are_passed_on),
		cmocka_unit_test(garbage_costs_one_connection),
		cmocka_unit_test(silent_controller_is_given_up),
		cmocka_unit_test(train_that_stops_asking_is_started_again),
		cmocka_unit_test(missing_controller_is_tried_ever_more_rarely),
		cmocka_unit_test(wrong_addresses_are_refused),
		cmocka_unit_test(controller_is_reached_by_tcp),
		cmocka_unit_test(controller_is_reached_by_a_serial_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
