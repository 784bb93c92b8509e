/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who connects to whom, and with TLS or without: the product's readers against simulated ones, over
 * real TCP and in virtual time.
 */
#include "tests/unit/test_common.h"

#include "rfid/rfid.h"
#include "sim/reader.h"
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define STEP_US (5 * US_PER_MS)

struct end {
	struct rfid_reader *reader;
	uint64_t reads;
	int err;
	char text[256], incidents[512];
};

struct world {
	struct loop *loop;
	struct sim_reader *sim;
	bool inventory;
	int64_t now_us;
	struct end a, b;
};

static void on_inventory(void *user, const uint16_t *antennas, size_t n)
{
	(void) antennas;
	((struct world *) user)->inventory = n > 0;
}

static void on_state(void *user, enum rfid_reader_state state, int err, const char *text)
{
	struct end *e = user;

	if (state != RFID_READER_WAITING)
		return;
	e->err = err;
	snprintf(e->text, sizeof(e->text), "%s", text ? text : "");
}

static void on_reads(void *user, const struct rfid_read *reads, size_t n)
{
	(void) reads;
	((struct end *) user)->reads += n;
}

static void on_incident(void *user, const char *text)
{
	struct end *e = user;
	size_t n = strlen(e->incidents);

	snprintf(e->incidents + n, sizeof(e->incidents) - n, "%s\n", text);
}

static void begin(struct world *w, const struct sim_reader_config *cfg)
{
	struct sim_reader_source source = {.inventory = on_inventory, .user = w};

	memset(w, 0, sizeof(*w));
	w->now_us = US_PER_SEC;
	assert_int_equal(loop_new_virtual(w->now_us, INT64_C(1800000000) * US_PER_SEC, &w->loop),
			 0);
	assert_int_equal(sim_reader_new(w->loop, cfg, &w->sim), 0);
	sim_reader_set_source(w->sim, &source);
}

static void done(struct world *w)
{
	rfid_reader_free(w->a.reader);
	rfid_reader_free(w->b.reader);
	sim_reader_free(w->sim);
	loop_free(w->loop);
}

static void start(struct world *w, struct end *e, const struct rfid_reader_config *cfg)
{
	static const struct rfid_reader_callbacks cb = {
		.state = on_state, .reads = on_reads, .incident = on_incident};

	assert_int_equal(rfid_reader_new(w->loop, cfg, &cb, e, &e->reader), 0);
}

static void pass(struct world *w, int64_t us)
{
	for (int64_t end_us = w->now_us + us; w->now_us < end_us;) {
		w->now_us += STEP_US;
		loop_run_until(w->loop, w->now_us);
	}
}

static bool runs(const struct end *e)
{
	return rfid_reader_state(e->reader) == RFID_READER_RUNNING;
}

/** Reads of five hundred tags, in bursts that fill more than one TLS record. */
static void feed(struct world *w)
{
	for (unsigned int i = 0; i < 500; i++) {
		const uint8_t bytes[12] = {0x30, (uint8_t) (i >> 8), (uint8_t) i};
		struct epc epc;
		struct sim_tag_read read = {.epc = &epc,
					    .antenna = 1,
					    .rssi_dbm = -50,
					    .at_us = clock_real_us(loop_clock(w->loop))};

		assert_int_equal(epc_set(&epc, bytes, 96), 0);
		sim_reader_feed(w->sim, &read, 1);
	}
	pass(w, 50 * US_PER_MS);
}

static const struct sim_reader_config plain = {.name = "r", .n_antennas = 1};
static const struct sim_reader_config secure = {.name = "r", .n_antennas = 1, .tls = true};

static void a_reader_on_tls_is_inventoried_and_named_by_its_pin(void **state)
{
	struct rfid_reader_stats stats;
	struct rfid_reader_config cfg;
	struct world w;

	(void) state;
	begin(&w, &secure);
	assert_int_equal(sim_reader_listen(w.sim, 0), 0);
	assert_int_equal(strlen(sim_reader_pin(w.sim)), 64);
	cfg = (struct rfid_reader_config){.host = "127.0.0.1",
					  .port = sim_reader_port(w.sim),
					  .tls = true,
					  .tls_pin = sim_reader_pin(w.sim)};
	start(&w, &w.a, &cfg);
	pass(&w, US_PER_SEC);
	assert_true(runs(&w.a));
	feed(&w);
	assert_int_equal(w.a.reads, 500);
	rfid_reader_get_stats(w.a.reader, &stats);
	assert_string_equal(stats.tls_peer, sim_reader_pin(w.sim));
	/* Without a pin anybody will do, and is named. */
	rfid_reader_free(w.a.reader);
	cfg.tls_pin = NULL;
	start(&w, &w.a, &cfg);
	pass(&w, US_PER_SEC);
	assert_true(runs(&w.a));
	rfid_reader_get_stats(w.a.reader, &stats);
	assert_string_equal(stats.tls_peer, sim_reader_pin(w.sim));
	done(&w);
}

static void another_certificate_than_the_pinned_one_is_not_talked_to(void **state)
{
	struct sim_reader_stats sim;
	struct rfid_reader_config cfg;
	struct world w;

	(void) state;
	begin(&w, &secure);
	assert_int_equal(sim_reader_listen(w.sim, 0), 0);
	cfg = (struct rfid_reader_config){
		.host = "127.0.0.1",
		.port = sim_reader_port(w.sim),
		.tls = true,
		.tls_pin = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"};
	start(&w, &w.a, &cfg);
	pass(&w, US_PER_SEC);
	assert_false(runs(&w.a));
	assert_non_null(strstr(w.a.text, "another one"));
	assert_non_null(strstr(w.a.text, sim_reader_pin(w.sim)));
	sim_reader_get_stats(w.sim, &sim);
	assert_false(w.inventory);
	assert_int_equal(sim.errors_sent, 0);
	done(&w);
}

static void plain_and_tls_do_not_mix_and_say_so(void **state)
{
	(void) state;
	for (int tls = 0; tls < 2; tls++) {
		struct rfid_reader_config cfg;
		struct world w;

		begin(&w, tls ? &plain : &secure);
		assert_int_equal(sim_reader_listen(w.sim, 0), 0);
		cfg = (struct rfid_reader_config){
			.host = "127.0.0.1", .port = sim_reader_port(w.sim), .tls = tls};
		start(&w, &w.a, &cfg);
		pass(&w, 25 * US_PER_SEC);
		assert_false(runs(&w.a));
		assert_int_not_equal(w.a.err, 0);
		assert_true(w.a.text[0] != '\0');
		done(&w);
	}
}

static void a_reader_that_calls_is_inventoried(void **state)
{
	(void) state;
	for (int tls = 0; tls < 2; tls++) {
		const struct rfid_reader_config cfg = {
			.host = "127.0.0.1", .reader_calls = true, .tls = tls};
		struct world w;

		begin(&w, tls ? &secure : &plain);
		start(&w, &w.a, &cfg);
		pass(&w, 100 * US_PER_MS);
		assert_int_equal(rfid_reader_state(w.a.reader), RFID_READER_CONNECTING);
		assert_true(rfid_reader_port(w.a.reader) > 0);
		/* However long it takes. */
		pass(&w, 60 * US_PER_SEC);
		assert_int_equal(sim_reader_call(w.sim, rfid_reader_port(w.a.reader)), 0);
		pass(&w, US_PER_SEC);
		assert_true(runs(&w.a));
		feed(&w);
		assert_int_equal(w.a.reads, 500);
		done(&w);
	}
}

static void a_reader_that_calls_comes_back(void **state)
{
	const struct rfid_reader_config cfg = {.host = "127.0.0.1", .reader_calls = true};
	struct rfid_reader_stats stats;
	struct world w;

	(void) state;
	begin(&w, &plain);
	start(&w, &w.a, &cfg);
	pass(&w, 100 * US_PER_MS);
	assert_int_equal(sim_reader_call(w.sim, rfid_reader_port(w.a.reader)), 0);
	pass(&w, US_PER_SEC);
	assert_true(runs(&w.a));
	assert_int_equal(sim_reader_set_unplugged(w.sim, true), 0);
	pass(&w, 5 * US_PER_SEC);
	assert_false(runs(&w.a));
	assert_int_equal(sim_reader_set_unplugged(w.sim, false), 0);
	pass(&w, 5 * US_PER_SEC);
	assert_true(runs(&w.a));
	rfid_reader_get_stats(w.a.reader, &stats);
	assert_int_equal(stats.reconnects, 1);
	done(&w);
}

static int call_from(const char *address, uint16_t port)
{
	struct sockaddr_in from = {.sin_family = AF_INET}, to = {.sin_family = AF_INET};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(inet_pton(AF_INET, address, &from.sin_addr), 1);
	to.sin_port = htons(port);
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (struct sockaddr *) &from, sizeof(from)), 0);
	assert_int_equal(connect(fd, (struct sockaddr *) &to, sizeof(to)), 0);
	return fd;
}

static void callers_not_expected_are_turned_away(void **state)
{
	const struct rfid_reader_config cfg = {.host = "127.0.0.1", .reader_calls = true};
	struct world w;
	char byte;
	int fd;

	(void) state;
	begin(&w, &plain);
	start(&w, &w.a, &cfg);
	pass(&w, 100 * US_PER_MS);
	fd = call_from("127.0.0.2", rfid_reader_port(w.a.reader));
	pass(&w, 100 * US_PER_MS);
	assert_int_equal(recv(fd, &byte, 1, MSG_DONTWAIT), 0);
	close(fd);
	assert_non_null(strstr(w.a.incidents, "127.0.0.2"));
	/* One connection for each reader: the one that stands goes on. */
	assert_int_equal(sim_reader_call(w.sim, rfid_reader_port(w.a.reader)), 0);
	pass(&w, US_PER_SEC);
	assert_true(runs(&w.a));
	fd = call_from("127.0.0.1", rfid_reader_port(w.a.reader));
	pass(&w, 100 * US_PER_MS);
	assert_int_equal(recv(fd, &byte, 1, MSG_DONTWAIT), 0);
	close(fd);
	assert_non_null(strstr(w.a.incidents, "connected already"));
	assert_true(runs(&w.a));
	done(&w);
}

static void a_second_client_learns_who_made_the_first_connection(void **state)
{
	static const char *const words[] = {"another client", "reader initiated"};

	(void) state;
	for (int calls = 0; calls < 2; calls++) {
		struct rfid_reader_config cfg = {.host = "127.0.0.1"};
		struct world w;

		begin(&w, &plain);
		assert_int_equal(sim_reader_listen(w.sim, 0), 0);
		cfg.reader_calls = calls;
		cfg.port = calls ? 0 : sim_reader_port(w.sim);
		start(&w, &w.a, &cfg);
		pass(&w, 100 * US_PER_MS);
		if (calls)
			assert_int_equal(sim_reader_call(w.sim, rfid_reader_port(w.a.reader)), 0);
		pass(&w, US_PER_SEC);
		assert_true(runs(&w.a));
		cfg.reader_calls = false;
		cfg.port = sim_reader_port(w.sim);
		start(&w, &w.b, &cfg);
		pass(&w, US_PER_SEC);
		assert_non_null(strstr(w.b.text, words[calls]));
		assert_non_null(strstr(w.a.incidents, "tried to connect"));
		assert_true(runs(&w.a));
		done(&w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_reader_on_tls_is_inventoried_and_named_by_its_pin),
		cmocka_unit_test(another_certificate_than_the_pinned_one_is_not_talked_to),
		cmocka_unit_test(plain_and_tls_do_not_mix_and_say_so),
		cmocka_unit_test(a_reader_that_calls_is_inventoried),
		cmocka_unit_test(a_reader_that_calls_comes_back),
		cmocka_unit_test(callers_not_expected_are_turned_away),
		cmocka_unit_test(a_second_client_learns_who_made_the_first_connection),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
