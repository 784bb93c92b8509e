/* SPDX-License-Identifier: Apache-2.0 */
/* The simulated reader, answering scripted messages in virtual time. */
#include "tests/unit/test_common.h"

#include "common/err.h"
#include "rfid/llrp_codec.h"
#include "sim/air.h"
#include "sim/player.h"
#include "sim/reader.h"
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SELECT_ALL 0xffc0

struct fixture {
	struct loop *loop;
	struct sim_reader *reader;
	int fd;
	int64_t now_us;
	uint8_t in[1 << 20];
	size_t in_len;
	uint32_t id;
	uint16_t antennas[SIM_READER_MAX_ANTENNAS];
	size_t n_antennas;
	unsigned int inventories;
	struct epc epcs[4];
};

static void note_inventory(void *user, const uint16_t *antennas, size_t n)
{
	struct fixture *f = user;

	f->inventories++;
	f->n_antennas = n;
	memcpy(f->antennas, antennas, n * sizeof *antennas);
}

static void client_open(struct fixture *f)
{
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	f->fd = fds[1];
	f->in_len = 0;
	(void) !sim_reader_attach(f->reader, fds[0]);
}

static void begin_with(struct fixture *f, const struct sim_reader_config *cfg)
{
	memset(f, 0, sizeof *f);
	f->now_us = US_PER_SEC;
	assert_int_equal(loop_new_virtual(f->now_us, 2000 * US_PER_SEC, &f->loop), 0);
	assert_int_equal(sim_reader_new(f->loop, cfg, &f->reader), 0);
	sim_reader_set_source(f->reader,
			      &(struct sim_reader_source){.inventory = note_inventory, .user = f});
	for (unsigned int i = 0; i < 4; i++) {
		uint8_t bytes[12] = {0x30, (uint8_t) i};

		assert_int_equal(epc_set(&f->epcs[i], bytes, i == 3 ? 80 : 96), 0);
	}
	client_open(f);
}

static void end(struct fixture *f)
{
	sim_reader_free(f->reader);
	close(f->fd);
	loop_free(f->loop);
}

static void pass(struct fixture *f, int64_t us)
{
	f->now_us += us;
	loop_run_until(f->loop, f->now_us);
}

/** The next message the reader sent, or NULL; checked by the codec. */
static struct llrp_msg *take(struct fixture *f)
{
	ssize_t n = recv(f->fd, f->in + f->in_len, sizeof f->in - f->in_len, MSG_DONTWAIT);
	struct llrp_header h;
	struct llrp_diag diag;
	struct llrp_msg *m;

	if (n > 0)
		f->in_len += (size_t) n;
	if (llrp_header_decode(f->in, f->in_len, &h) < 0 || h.length > f->in_len)
		return NULL;
	assert_int_equal(llrp_msg_decode(f->in, h.length, &m, &diag), 0);
	assert_int_equal(llrp_msg_validate(m, &diag), 0);
	f->in_len -= h.length;
	memmove(f->in, f->in + h.length, f->in_len);
	return m;
}

static void send_bytes(struct fixture *f, const void *data, size_t len)
{
	assert_int_equal(write(f->fd, data, len), len);
	pass(f, 0);
}

/** Sends a message, frees it, and yields the answer, which must have `type` and the same id. */
static struct llrp_msg *ask(struct fixture *f, struct llrp_msg *m, uint16_t type)
{
	uint32_t id = llrp_msg_id(m);
	struct buf b = BUF_INIT;
	struct llrp_msg *answer;

	assert_int_equal(llrp_msg_encode(m, &b), 0);
	llrp_msg_free(m);
	send_bytes(f, b.data, b.len);
	buf_done(&b);
	answer = take(f);
	assert_non_null(answer);
	assert_int_equal(llrp_msg_type(answer), type);
	assert_int_equal(llrp_msg_id(answer), id);
	return answer;
}

static struct llrp_msg *message(struct fixture *f, uint16_t type)
{
	struct llrp_msg *m;

	assert_int_equal(llrp_msg_new(type, ++f->id, &m), 0);
	return m;
}

/** Sends a message whose response is type + 10, and yields its status. */
static uint16_t status_of(struct fixture *f, struct llrp_msg *m)
{
	struct llrp_msg *answer = ask(f, m, (uint16_t) (llrp_msg_type(m) + 10));
	uint16_t status = llrp_msg_status(answer, NULL, 0);

	llrp_msg_free(answer);
	return status;
}

static uint16_t rospec_op(struct fixture *f, uint16_t type, uint32_t rospec)
{
	struct llrp_msg *m = message(f, type);

	llrp_set(llrp_root(m), "ROSpecID", rospec);
	return status_of(f, m);
}

struct rospec_wish {
	uint32_t id;
	uint8_t start, state;
	uint16_t antennas[2];
	size_t n_antennas;
	uint32_t rospec_ms, aispec_ms;
	uint8_t trigger;
	uint16_t n;
	uint16_t select; /**< bits of TagReportContentSelector, from the top */
};

static void put_selector(struct llrp_elem *report, uint16_t select)
{
	static const char *const names[] = {
		"EnableROSpecID",
		"EnableSpecIndex",
		"EnableInventoryParameterSpecID",
		"EnableAntennaID",
		"EnableChannelIndex",
		"EnablePeakRSSI",
		"EnableFirstSeenTimestamp",
		"EnableLastSeenTimestamp",
		"EnableTagSeenCount",
		"EnableAccessSpecID",
	};
	struct llrp_elem *e = llrp_add(report, LLRP_P_TAG_REPORT_CONTENT_SELECTOR);

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		llrp_set(e, names[i], select >> (15 - i) & 1);
}

static struct llrp_msg *add_rospec(struct fixture *f, const struct rospec_wish *w)
{
	struct llrp_msg *m = message(f, LLRP_ADD_ROSPEC);
	struct llrp_elem *spec = llrp_add(llrp_root(m), LLRP_P_ROSPEC), *e, *ai;

	llrp_set(spec, "ROSpecID", w->id);
	llrp_set(spec, "CurrentState", w->state);
	e = llrp_add(spec, LLRP_P_RO_BOUNDARY_SPEC);
	llrp_set(llrp_add(e, LLRP_P_ROSPEC_START_TRIGGER), "ROSpecStartTriggerType", w->start);
	e = llrp_add(e, LLRP_P_ROSPEC_STOP_TRIGGER);
	llrp_set(e, "ROSpecStopTriggerType", w->rospec_ms > 0);
	llrp_set(e, "DurationTriggerValue", w->rospec_ms);
	ai = llrp_add(spec, LLRP_P_AISPEC);
	llrp_set_u16v(ai, "AntennaIDs", w->antennas, w->n_antennas);
	e = llrp_add(ai, LLRP_P_AISPEC_STOP_TRIGGER);
	llrp_set(e, "AISpecStopTriggerType", w->aispec_ms > 0);
	llrp_set(e, "DurationTrigger", w->aispec_ms);
	e = llrp_add(ai, LLRP_P_INVENTORY_PARAMETER_SPEC);
	llrp_set(e, "InventoryParameterSpecID", 1);
	llrp_set(e, "ProtocolID", 1);
	e = llrp_add(spec, LLRP_P_RO_REPORT_SPEC);
	llrp_set(e, "ROReportTrigger", w->trigger);
	llrp_set(e, "N", w->n);
	put_selector(e, w->select);
	return m;
}

static const struct rospec_wish plain_wish = {
	.id = 1, .start = 1, .n_antennas = 1, .trigger = 1, .n = 1, .select = SELECT_ALL};

static void skip_hello(struct fixture *f)
{
	llrp_msg_free(take(f));
}

static void begin(struct fixture *f)
{
	begin_with(f, &(struct sim_reader_config){.name = "r", .n_antennas = 4});
	skip_hello(f);
}

static void inventory(struct fixture *f, const struct rospec_wish *wish)
{
	assert_int_equal(status_of(f, add_rospec(f, wish)), LLRP_M_SUCCESS);
	assert_int_equal(rospec_op(f, LLRP_ENABLE_ROSPEC, wish->id), LLRP_M_SUCCESS);
}

static void feed(struct fixture *f, unsigned int epc, uint16_t antenna, int8_t rssi, int64_t at_us)
{
	struct sim_tag_read t = {.epc = &f->epcs[epc],
				 .antenna = antenna,
				 .rssi_dbm = rssi,
				 .channel = 7,
				 .at_us = at_us};

	sim_reader_feed(f->reader, &t, 1);
}

/** The next message, which must be a report with n tag reports. */
static struct llrp_msg *take_report(struct fixture *f, size_t n)
{
	struct llrp_msg *m = take(f);

	assert_non_null(m);
	assert_int_equal(llrp_msg_type(m), LLRP_RO_ACCESS_REPORT);
	assert_int_equal(llrp_count(llrp_root(m), LLRP_P_TAG_REPORT_DATA), n);
	return m;
}

static void assert_silent(struct fixture *f)
{
	assert_null(take(f));
}

static uint64_t attempt_status(struct llrp_msg *m)
{
	const struct llrp_elem *e =
		llrp_find(llrp_find(llrp_root(m), LLRP_P_READER_EVENT_NOTIFICATION_DATA),
			  LLRP_P_CONNECTION_ATTEMPT_EVENT);

	assert_non_null(e);
	return llrp_get(e, "Status");
}

/* --- the tests -------------------------------------------------------------------------------- */

static void the_connection_event_comes_first_and_one_client_is_all(void **state)
{
	static struct fixture f;
	struct llrp_msg *m;
	int first;

	(void) state;
	begin_with(&f, &(struct sim_reader_config){.name = "r", .n_antennas = 4});
	m = take(&f);
	assert_int_equal(llrp_msg_type(m), LLRP_READER_EVENT_NOTIFICATION);
	assert_int_equal(attempt_status(m), 0);
	llrp_msg_free(m);
	first = f.fd;
	client_open(&f);
	m = take(&f);
	assert_int_equal(attempt_status(m), 2);
	llrp_msg_free(m);
	assert_int_equal(recv(f.fd, f.in, 1, MSG_DONTWAIT), 0);
	close(f.fd);
	f.fd = first;
	f.in_len = 0;
	m = take(&f);
	assert_int_equal(attempt_status(m), 4);
	llrp_msg_free(m);
	end(&f);
}

static void capabilities_name_antennas_powers_modes_and_hops(void **state)
{
	static struct fixture f;
	struct llrp_msg *m;
	const struct llrp_elem *e;
	size_t n;

	(void) state;
	begin(&f);
	m = ask(&f, message(&f, LLRP_GET_READER_CAPABILITIES),
		LLRP_GET_READER_CAPABILITIES_RESPONSE);
	e = llrp_find(llrp_root(m), LLRP_P_GENERAL_DEVICE_CAPABILITIES);
	assert_int_equal(llrp_get(e, "MaxNumberOfAntennaSupported"), 4);
	assert_int_equal(llrp_count(e, LLRP_P_PER_ANTENNA_AIR_PROTOCOL), 4);
	e = llrp_find(llrp_find(llrp_root(m), LLRP_P_REGULATORY_CAPABILITIES),
		      LLRP_P_UHF_BAND_CAPABILITIES);
	assert_int_equal(llrp_count(e, LLRP_P_TRANSMIT_POWER_LEVEL_TABLE_ENTRY), 81);
	assert_true(llrp_count(llrp_find(e, LLRP_P_C1G2_UHF_RF_MODE_TABLE),
			       LLRP_P_C1G2_UHF_RF_MODE_TABLE_ENTRY) >= 4);
	e = llrp_find(llrp_find(e, LLRP_P_FREQUENCY_INFORMATION), LLRP_P_FREQUENCY_HOP_TABLE);
	(void) llrp_get_bytes(e, "Frequency", &n);
	assert_int_equal(n, 50);
	llrp_msg_free(m);
	m = message(&f, LLRP_GET_READER_CAPABILITIES);
	llrp_set(llrp_root(m), "RequestedData", 1);
	m = ask(&f, m, LLRP_GET_READER_CAPABILITIES_RESPONSE);
	assert_null(llrp_find(llrp_root(m), LLRP_P_LLRP_CAPABILITIES));
	llrp_msg_free(m);
	m = message(&f, LLRP_GET_READER_CAPABILITIES);
	llrp_set(llrp_root(m), "RequestedData", 9);
	assert_int_equal(status_of(&f, m), LLRP_M_FIELD_ERROR);
	end(&f);
}

static void configuration_is_kept_and_wrong_values_change_nothing(void **state)
{
	static struct fixture f;
	struct llrp_msg *m;
	struct llrp_elem *e;

	(void) state;
	begin(&f);
	m = message(&f, LLRP_SET_READER_CONFIG);
	e = llrp_add(llrp_root(m), LLRP_P_KEEPALIVE_SPEC);
	llrp_set(e, "KeepaliveTriggerType", 1);
	llrp_set(e, "PeriodicTriggerValue", 5000);
	e = llrp_add(llrp_root(m), LLRP_P_ANTENNA_CONFIGURATION);
	llrp_set(e, "AntennaID", 2);
	e = llrp_add(e, LLRP_P_RF_TRANSMITTER);
	llrp_set(e, "HopTableID", 1);
	llrp_set(e, "TransmitPower", 40);
	assert_int_equal(status_of(&f, m), LLRP_M_SUCCESS);
	m = message(&f, LLRP_SET_READER_CONFIG);
	e = llrp_add(llrp_root(m), LLRP_P_ANTENNA_CONFIGURATION);
	e = llrp_add(e, LLRP_P_RF_TRANSMITTER);
	llrp_set(e, "TransmitPower", 82);
	assert_int_equal(status_of(&f, m), LLRP_M_PARAMETER_ERROR);
	m = ask(&f, message(&f, LLRP_GET_READER_CONFIG), LLRP_GET_READER_CONFIG_RESPONSE);
	e = llrp_find(llrp_root(m), LLRP_P_KEEPALIVE_SPEC);
	assert_int_equal(llrp_get(e, "PeriodicTriggerValue"), 5000);
	e = llrp_find(llrp_root(m), LLRP_P_ANTENNA_CONFIGURATION);
	e = llrp_find_next(e);
	assert_int_equal(llrp_get(e, "AntennaID"), 2);
	assert_int_equal(llrp_get(llrp_find(e, LLRP_P_RF_TRANSMITTER), "TransmitPower"), 40);
	llrp_msg_free(m);
	end(&f);
}

static void keepalives_come_by_the_clock_and_silence_ends_the_connection(void **state)
{
	static struct fixture f;
	struct llrp_msg *m = NULL;
	struct llrp_elem *e;
	static const uint8_t ack[10] = {0x04, LLRP_KEEPALIVE_ACK, 0, 0, 0, 10};

	(void) state;
	begin(&f);
	m = message(&f, LLRP_SET_READER_CONFIG);
	e = llrp_add(llrp_root(m), LLRP_P_KEEPALIVE_SPEC);
	llrp_set(e, "KeepaliveTriggerType", 1);
	llrp_set(e, "PeriodicTriggerValue", 1000);
	assert_int_equal(status_of(&f, m), LLRP_M_SUCCESS);
	for (int i = 0; i < 20; i++) {
		pass(&f, US_PER_SEC);
		m = take(&f);
		assert_int_equal(llrp_msg_type(m), LLRP_KEEPALIVE);
		llrp_msg_free(m);
		send_bytes(&f, ack, sizeof ack);
	}
	pass(&f, 7 * US_PER_SEC);
	for (int i = 0; i < 5; i++) {
		m = take(&f);
		assert_int_equal(llrp_msg_type(m), LLRP_KEEPALIVE);
		llrp_msg_free(m);
	}
	assert_silent(&f);
	assert_int_equal(recv(f.fd, f.in, 1, MSG_DONTWAIT), 0);
	end(&f);
}

static void an_immediate_rospec_runs_when_enabled(void **state)
{
	static struct fixture f;
	struct llrp_msg *m;
	const struct llrp_elem *e;

	(void) state;
	begin(&f);
	inventory(&f, &plain_wish);
	assert_int_equal(f.n_antennas, 4); /* antenna 0 means all */
	feed(&f, 1, 3, -51, 123456789);
	m = take_report(&f, 1);
	e = llrp_find(llrp_root(m), LLRP_P_TAG_REPORT_DATA);
	assert_int_equal(llrp_get(llrp_find(e, LLRP_P_ANTENNA_ID), "AntennaID"), 3);
	assert_int_equal(llrp_get_signed(llrp_find(e, LLRP_P_PEAK_RSSI), "PeakRSSI"), -51);
	assert_true(llrp_get(llrp_find(e, LLRP_P_FIRST_SEEN_UTC), "Microseconds") == 123456789);
	assert_int_equal(llrp_get(llrp_find(e, LLRP_P_TAG_SEEN_COUNT), "TagCount"), 1);
	assert_int_equal(llrp_get(llrp_find(e, LLRP_P_ROSPEC_ID), "ROSpecID"), 1);
	assert_non_null(llrp_find(e, LLRP_P_EPC_96));
	llrp_msg_free(m);
	assert_int_equal(rospec_op(&f, LLRP_STOP_ROSPEC, 1), LLRP_M_SUCCESS);
	assert_int_equal(f.n_antennas, 0);
	feed(&f, 1, 3, -51, 123456790);
	assert_silent(&f);
	end(&f);
}

static void an_epc_of_another_length_travels_as_epc_data(void **state)
{
	static struct fixture f;
	struct llrp_msg *m;
	const struct llrp_elem *e;
	size_t bits;

	(void) state;
	begin(&f);
	inventory(&f, &plain_wish);
	feed(&f, 3, 1, -60, 5);
	m = take_report(&f, 1);
	e = llrp_find(llrp_find(llrp_root(m), LLRP_P_TAG_REPORT_DATA), LLRP_P_EPC_DATA);
	(void) llrp_get_bytes(e, "EPC", &bits);
	assert_int_equal(bits, 80);
	llrp_msg_free(m);
	end(&f);
}

static void rospec_states_are_enforced(void **state)
{
	static struct fixture f;
	struct rospec_wish w = plain_wish;

	(void) state;
	begin(&f);
	w.start = 0;
	assert_int_equal(rospec_op(&f, LLRP_ENABLE_ROSPEC, 7), LLRP_M_FIELD_ERROR);
	assert_int_equal(status_of(&f, add_rospec(&f, &w)), LLRP_M_SUCCESS);
	assert_int_equal(status_of(&f, add_rospec(&f, &w)), LLRP_M_PARAMETER_ERROR);
	assert_int_equal(rospec_op(&f, LLRP_START_ROSPEC, 1), LLRP_M_FIELD_ERROR);
	assert_int_equal(rospec_op(&f, LLRP_START_ROSPEC, 0), LLRP_M_FIELD_ERROR);
	assert_int_equal(rospec_op(&f, LLRP_ENABLE_ROSPEC, 0), LLRP_M_SUCCESS);
	assert_int_equal(f.inventories, 0);
	assert_int_equal(rospec_op(&f, LLRP_START_ROSPEC, 1), LLRP_M_SUCCESS);
	assert_int_equal(f.n_antennas, 4);
	w.id = 2;
	assert_int_equal(status_of(&f, add_rospec(&f, &w)), LLRP_M_SUCCESS);
	assert_int_equal(rospec_op(&f, LLRP_ENABLE_ROSPEC, 2), LLRP_M_SUCCESS);
	assert_int_equal(rospec_op(&f, LLRP_START_ROSPEC, 2), LLRP_R_DEVICE_ERROR);
	assert_int_equal(rospec_op(&f, LLRP_DISABLE_ROSPEC, 1), LLRP_M_SUCCESS);
	assert_int_equal(f.n_antennas, 0);
	assert_int_equal(rospec_op(&f, LLRP_DELETE_ROSPEC, 0), LLRP_M_SUCCESS);
	assert_int_equal(rospec_op(&f, LLRP_DELETE_ROSPEC, 1), LLRP_M_FIELD_ERROR);
	end(&f);
}

static void wrong_rospecs_are_refused(void **state)
{
	static struct fixture f;
	struct rospec_wish w = plain_wish;

	(void) state;
	begin(&f);
	w.id = 0;
	assert_int_equal(status_of(&f, add_rospec(&f, &w)), LLRP_M_PARAMETER_ERROR);
	w = plain_wish;
	w.antennas[0] = 5;
	assert_int_equal(status_of(&f, add_rospec(&f, &w)), LLRP_M_PARAMETER_ERROR);
	w = plain_wish;
	w.state = 1;
	assert_int_equal(status_of(&f, add_rospec(&f, &w)), LLRP_M_PARAMETER_ERROR);
	w = plain_wish;
	w.start = 9;
	assert_int_equal(status_of(&f, add_rospec(&f, &w)), LLRP_M_PARAMETER_ERROR);
	w = plain_wish;
	w.trigger = 3;
	assert_int_equal(status_of(&f, add_rospec(&f, &w)), LLRP_M_PARAMETER_ERROR);
	for (w = plain_wish; w.id <= 8; w.id++)
		assert_int_equal(status_of(&f, add_rospec(&f, &w)), LLRP_M_SUCCESS);
	assert_int_equal(status_of(&f, add_rospec(&f, &w)), LLRP_M_OVERFLOW_PARAMETER);
	end(&f);
}

static void get_rospecs_shows_them_with_their_state(void **state)
{
	static struct fixture f;
	struct llrp_msg *m;
	const struct llrp_elem *e;

	(void) state;
	begin(&f);
	inventory(&f, &plain_wish);
	m = ask(&f, message(&f, LLRP_GET_ROSPECS), LLRP_GET_ROSPECS_RESPONSE);
	e = llrp_find(llrp_root(m), LLRP_P_ROSPEC);
	assert_int_equal(llrp_get(e, "ROSpecID"), 1);
	assert_int_equal(llrp_get(e, "CurrentState"), 2);
	assert_non_null(llrp_find(e, LLRP_P_RO_REPORT_SPEC));
	llrp_msg_free(m);
	end(&f);
}

static void reads_accumulate_until_n_tags(void **state)
{
	static struct fixture f;
	struct rospec_wish w = plain_wish;
	struct llrp_msg *m;
	const struct llrp_elem *e;

	(void) state;
	begin(&f);
	w.n = 3;
	inventory(&f, &w);
	feed(&f, 0, 1, -60, 100);
	feed(&f, 0, 1, -50, 200);
	feed(&f, 0, 1, -70, 300);
	feed(&f, 0, 2, -55, 400); /* another antenna is another report */
	assert_silent(&f);
	feed(&f, 1, 1, -65, 500);
	m = take_report(&f, 3);
	e = llrp_find(llrp_root(m), LLRP_P_TAG_REPORT_DATA);
	assert_int_equal(llrp_get(llrp_find(e, LLRP_P_TAG_SEEN_COUNT), "TagCount"), 3);
	assert_int_equal(llrp_get_signed(llrp_find(e, LLRP_P_PEAK_RSSI), "PeakRSSI"), -50);
	assert_int_equal(llrp_get(llrp_find(e, LLRP_P_FIRST_SEEN_UTC), "Microseconds"), 100);
	assert_int_equal(llrp_get(llrp_find(e, LLRP_P_LAST_SEEN_UTC), "Microseconds"), 300);
	llrp_msg_free(m);
	end(&f);
}

static void without_antenna_ids_antennas_are_merged(void **state)
{
	static struct fixture f;
	struct rospec_wish w = plain_wish;
	struct llrp_msg *m;
	const struct llrp_elem *e;

	(void) state;
	begin(&f);
	w.n = 2;
	w.select = SELECT_ALL & ~(uint16_t) (1 << 12);
	inventory(&f, &w);
	feed(&f, 0, 1, -60, 100);
	feed(&f, 0, 2, -50, 200);
	feed(&f, 1, 2, -50, 200);
	m = take_report(&f, 2);
	e = llrp_find(llrp_root(m), LLRP_P_TAG_REPORT_DATA);
	assert_null(llrp_find(e, LLRP_P_ANTENNA_ID));
	assert_int_equal(llrp_get(llrp_find(e, LLRP_P_TAG_SEEN_COUNT), "TagCount"), 2);
	llrp_msg_free(m);
	end(&f);
}

static void the_end_of_the_aispec_reports_and_ends_the_rospec(void **state)
{
	static struct fixture f;
	struct rospec_wish w = plain_wish;

	(void) state;
	begin(&f);
	w.n = 0;
	w.aispec_ms = 500;
	inventory(&f, &w);
	feed(&f, 0, 1, -60, 100);
	pass(&f, 499 * US_PER_MS);
	assert_silent(&f);
	pass(&f, 2 * US_PER_MS);
	llrp_msg_free(take_report(&f, 1));
	assert_int_equal(f.n_antennas, 0);
	assert_int_equal(rospec_op(&f, LLRP_START_ROSPEC, 1), LLRP_M_SUCCESS);
	assert_int_equal(f.n_antennas, 4);
	end(&f);
}

static void trigger_none_reports_only_when_asked(void **state)
{
	static struct fixture f;
	struct rospec_wish w = plain_wish;
	struct llrp_msg *m;
	struct buf b = BUF_INIT;

	(void) state;
	begin(&f);
	w.trigger = 0;
	inventory(&f, &w);
	for (unsigned int i = 0; i < 10; i++)
		feed(&f, i % 2, 1, -60, i);
	assert_silent(&f);
	m = message(&f, LLRP_GET_REPORT);
	assert_int_equal(llrp_msg_encode(m, &b), 0);
	llrp_msg_free(m);
	send_bytes(&f, b.data, b.len);
	llrp_msg_free(take_report(&f, 2));
	send_bytes(&f, b.data, b.len);
	llrp_msg_free(take_report(&f, 0));
	buf_done(&b);
	end(&f);
}

static void carry_forward_leaves_out_what_did_not_change(void **state)
{
	static struct fixture f;
	struct llrp_msg *m;
	const struct llrp_elem *e;

	(void) state;
	begin_with(&f, &(struct sim_reader_config){
			       .name = "r", .n_antennas = 4, .carry_forward = true});
	skip_hello(&f);
	inventory(&f, &plain_wish);
	feed(&f, 0, 2, -60, 100);
	m = take_report(&f, 1);
	e = llrp_find(llrp_root(m), LLRP_P_TAG_REPORT_DATA);
	assert_non_null(llrp_find(e, LLRP_P_ANTENNA_ID));
	llrp_msg_free(m);
	feed(&f, 1, 2, -61, 200);
	m = take_report(&f, 1);
	e = llrp_find(llrp_root(m), LLRP_P_TAG_REPORT_DATA);
	assert_null(llrp_find(e, LLRP_P_ANTENNA_ID));
	assert_null(llrp_find(e, LLRP_P_ROSPEC_ID));
	assert_non_null(llrp_find(e, LLRP_P_PEAK_RSSI));
	assert_non_null(llrp_find(e, LLRP_P_FIRST_SEEN_UTC));
	llrp_msg_free(m);
	end(&f);
}

static void held_reports_wait_for_the_client_that_comes_back(void **state)
{
	static struct fixture f;
	static const uint8_t enable[10] = {0x04, LLRP_ENABLE_EVENTS_AND_REPORTS, 0, 0, 0, 10};
	struct llrp_msg *m;

	(void) state;
	begin(&f);
	inventory(&f, &plain_wish);
	m = message(&f, LLRP_SET_READER_CONFIG);
	llrp_set(llrp_add(llrp_root(m), LLRP_P_EVENTS_AND_REPORTS),
		 "HoldEventsAndReportsUponReconnect", 1);
	assert_int_equal(status_of(&f, m), LLRP_M_SUCCESS);
	close(f.fd);
	pass(&f, US_PER_MS);
	feed(&f, 0, 1, -60, 100);
	client_open(&f);
	m = take(&f);
	assert_int_equal(attempt_status(m), 0);
	llrp_msg_free(m);
	feed(&f, 1, 1, -60, 200);
	assert_silent(&f);
	send_bytes(&f, enable, sizeof enable);
	llrp_msg_free(take_report(&f, 1));
	llrp_msg_free(take_report(&f, 1));
	feed(&f, 2, 1, -60, 300);
	llrp_msg_free(take_report(&f, 1));
	end(&f);
}

static void other_versions_and_unknown_types_get_an_error_message(void **state)
{
	static struct fixture f;
	static const uint8_t version_2[10] = {0x08, 46, 0, 0, 0, 10, 0, 0, 0, 9};
	static const uint8_t unknown[10] = {0x05, 0xf4, 0, 0, 0, 10, 0, 0, 0, 8};
	static const uint8_t response[10] = {0x04, 62, 0, 0, 0, 10, 0, 0, 0, 7};
	static const uint8_t error[18] = {0x04, 100, 0, 0, 0, 18, 0, 0, 0, 6, 1, 31, 0, 8};
	struct llrp_msg *m;

	(void) state;
	begin(&f);
	send_bytes(&f, version_2, sizeof version_2);
	m = take(&f);
	assert_int_equal(llrp_msg_type(m), LLRP_ERROR_MESSAGE);
	assert_int_equal(llrp_msg_version(m), 2);
	assert_int_equal(llrp_msg_id(m), 9);
	assert_int_equal(llrp_msg_status(m, NULL, 0), LLRP_M_UNSUPPORTED_VERSION);
	llrp_msg_free(m);
	send_bytes(&f, unknown, sizeof unknown);
	m = take(&f);
	assert_int_equal(llrp_msg_type(m), LLRP_ERROR_MESSAGE);
	assert_int_equal(llrp_msg_status(m, NULL, 0), LLRP_M_UNSUPPORTED_MESSAGE);
	llrp_msg_free(m);
	send_bytes(&f, response, sizeof response);
	m = take(&f);
	assert_int_equal(llrp_msg_status(m, NULL, 0), LLRP_M_UNSUPPORTED_MESSAGE);
	llrp_msg_free(m);
	send_bytes(&f, error, sizeof error);
	assert_silent(&f);
	end(&f);
}

static void a_malformed_request_is_refused_whole(void **state)
{
	static struct fixture f;
	/* ADD_ROSPEC without its ROSpec; ENABLE_ROSPEC cut short. */
	static const uint8_t empty[10] = {0x04, 20, 0, 0, 0, 10, 0, 0, 0, 1};
	static const uint8_t cut[12] = {0x04, 24, 0, 0, 0, 12, 0, 0, 0, 2, 0, 0};
	struct llrp_msg *m;

	(void) state;
	begin(&f);
	send_bytes(&f, empty, sizeof empty);
	m = take(&f);
	assert_int_equal(llrp_msg_type(m), LLRP_ADD_ROSPEC_RESPONSE);
	assert_int_not_equal(llrp_msg_status(m, NULL, 0), 0);
	llrp_msg_free(m);
	send_bytes(&f, cut, sizeof cut);
	m = take(&f);
	assert_int_equal(llrp_msg_type(m), LLRP_ENABLE_ROSPEC_RESPONSE);
	assert_int_not_equal(llrp_msg_status(m, NULL, 0), 0);
	llrp_msg_free(m);
	assert_int_equal(status_of(&f, add_rospec(&f, &plain_wish)), LLRP_M_SUCCESS);
	end(&f);
}

static void a_length_that_cannot_be_ends_the_connection(void **state)
{
	static struct fixture f;
	static const uint8_t garbage[16] = {0x04, 1, 0xff, 0xff, 0xff, 0xff};

	(void) state;
	begin(&f);
	send_bytes(&f, garbage, sizeof garbage);
	assert_int_equal(recv(f.fd, f.in, 1, MSG_DONTWAIT), 0);
	close(f.fd);
	client_open(&f);
	skip_hello(&f);
	assert_int_equal(status_of(&f, add_rospec(&f, &plain_wish)), LLRP_M_SUCCESS);
	end(&f);
}

static void close_is_answered_and_the_rospec_goes_on(void **state)
{
	static struct fixture f;
	struct sim_reader_stats st;

	(void) state;
	begin(&f);
	inventory(&f, &plain_wish);
	llrp_msg_free(ask(&f, message(&f, LLRP_CLOSE_CONNECTION), LLRP_CLOSE_CONNECTION_RESPONSE));
	assert_int_equal(recv(f.fd, f.in, 1, MSG_DONTWAIT), 0);
	sim_reader_get_stats(f.reader, &st);
	assert_false(st.connected);
	assert_true(st.inventory);
	end(&f);
}

static void accessspecs_are_kept_and_shown(void **state)
{
	static struct fixture f;
	struct llrp_msg *m = NULL;
	struct llrp_elem *spec, *e;

	(void) state;
	begin(&f);
	m = message(&f, LLRP_ADD_ACCESSSPEC);
	spec = llrp_add(llrp_root(m), LLRP_P_ACCESSSPEC);
	llrp_set(spec, "AccessSpecID", 3);
	llrp_set(spec, "ProtocolID", 1);
	(void) llrp_add(spec, LLRP_P_ACCESSSPEC_STOP_TRIGGER);
	e = llrp_add(spec, LLRP_P_ACCESS_COMMAND);
	(void) llrp_add(llrp_add(e, LLRP_P_C1G2_TAG_SPEC), LLRP_P_C1G2_TARGET_TAG);
	llrp_set(llrp_add(e, LLRP_P_C1G2_READ), "OpSpecID", 1);
	assert_int_equal(status_of(&f, m), LLRP_M_SUCCESS);
	m = message(&f, LLRP_ENABLE_ACCESSSPEC);
	llrp_set(llrp_root(m), "AccessSpecID", 3);
	assert_int_equal(status_of(&f, m), LLRP_M_SUCCESS);
	m = ask(&f, message(&f, LLRP_GET_ACCESSSPECS), LLRP_GET_ACCESSSPECS_RESPONSE);
	assert_int_equal(llrp_get(llrp_find(llrp_root(m), LLRP_P_ACCESSSPEC), "CurrentState"), 1);
	llrp_msg_free(m);
	m = message(&f, LLRP_DELETE_ACCESSSPEC);
	llrp_set(llrp_root(m), "AccessSpecID", 4);
	assert_int_equal(status_of(&f, m), LLRP_M_FIELD_ERROR);
	m = message(&f, LLRP_DELETE_ACCESSSPEC);
	assert_int_equal(status_of(&f, m), LLRP_M_SUCCESS);
	end(&f);
}

static void rospec_events_come_after_the_answer_when_enabled(void **state)
{
	static struct fixture f;
	struct llrp_msg *m;
	struct llrp_elem *e;

	(void) state;
	begin(&f);
	m = message(&f, LLRP_SET_READER_CONFIG);
	e = llrp_add(llrp_add(llrp_root(m), LLRP_P_READER_EVENT_NOTIFICATION_SPEC),
		     LLRP_P_EVENT_NOTIFICATION_STATE);
	llrp_set(e, "EventType", 2);
	llrp_set(e, "NotificationState", 1);
	assert_int_equal(status_of(&f, m), LLRP_M_SUCCESS);
	inventory(&f, &plain_wish);
	m = take(&f);
	assert_int_equal(llrp_msg_type(m), LLRP_READER_EVENT_NOTIFICATION);
	e = llrp_find(llrp_root(m), LLRP_P_READER_EVENT_NOTIFICATION_DATA);
	e = llrp_find(e, LLRP_P_ROSPEC_EVENT);
	assert_int_equal(llrp_get(e, "EventType"), 0);
	assert_int_equal(llrp_get(e, "ROSpecID"), 1);
	llrp_msg_free(m);
	end(&f);
}

/* --- sources ---------------------------------------------------------------------------------- */

/** Counts tag reports per antenna and their TagSeenCount until nothing more is there. */
static size_t drain(struct fixture *f, size_t per_antenna[5])
{
	struct llrp_msg *m;
	size_t n = 0;

	while ((m = take(f))) {
		const struct llrp_elem *e = llrp_find(llrp_root(m), LLRP_P_TAG_REPORT_DATA);

		for (; e; e = llrp_find_next(e), n++)
			per_antenna[llrp_get(llrp_find(e, LLRP_P_ANTENNA_ID), "AntennaID")]++;
		llrp_msg_free(m);
	}
	return n;
}

static void the_air_reads_each_item_at_its_rate(void **state)
{
	static struct fixture f;
	struct sim_air_config cfg = {.reads_per_s = 5, .cross = 0.1, .seed = 3};
	size_t per_antenna[5] = {0};
	struct sim_world *w;
	struct sim_air *air;
	int place;

	(void) state;
	begin(&f);
	assert_int_equal(sim_world_new(loop_clock(f.loop), 3, &w), 0);
	for (uint16_t i = 1; i <= 2; i++)
		assert_int_equal(sim_world_add_antenna(w, "r", i), i - 1);
	place = sim_world_add_place(w, "floor", "sales-floor");
	assert_int_equal(place, 1);
	assert_int_equal(sim_world_cover(w, 0, 1), 0);
	assert_int_equal(sim_world_add_place(w, "back", "back-room"), 2);
	assert_int_equal(sim_world_cover(w, 1, 2), 0);
	assert_int_equal(sim_world_add_item(w, &f.epcs[0], 1), 0);
	assert_int_equal(sim_world_add_item(w, &f.epcs[1], 1), 1);
	assert_int_equal(sim_world_seal(w), 0);
	assert_int_equal(sim_air_new(f.loop, w, f.reader, &cfg, &air), 0);
	inventory(&f, &plain_wish);
	for (int i = 0; i < 100; i++) {
		pass(&f, US_PER_SEC);
		(void) drain(&f, per_antenna);
	}
	/* Two items, 5 a second, 100 s; a tenth of that strays to the neighbour. */
	assert_in_range(per_antenna[1], 880, 1120);
	assert_in_range(per_antenna[2], 65, 140);
	assert_int_equal(per_antenna[3] + per_antenna[4], 0);
	assert_int_equal(sim_world_reads(w, 0, 0) + sim_world_reads(w, 1, 0), per_antenna[1]);
	assert_true(w->items[0].first_read_us > 0);
	(void) sim_world_move(w, 0, 2);
	assert_true(w->items[0].first_read_us == 0);
	memset(per_antenna, 0, sizeof per_antenna);
	for (int i = 0; i < 20; i++) {
		pass(&f, US_PER_SEC);
		(void) drain(&f, per_antenna);
	}
	assert_in_range(per_antenna[2], 70, 145);
	(void) sim_world_move(w, 0, SIM_NOWHERE);
	(void) sim_world_move(w, 1, SIM_NOWHERE);
	pass(&f, US_PER_SEC);
	(void) drain(&f, per_antenna);
	pass(&f, 10 * US_PER_SEC);
	assert_int_equal(drain(&f, per_antenna), 0);
	sim_air_free(air);
	sim_world_free(w);
	end(&f);
}

static void low_power_reads_less_and_an_unknown_index_is_refused(void **state)
{
	static struct fixture f;
	struct sim_air_config cfg = {.reads_per_s = 50, .seed = 3};
	size_t high[5] = {0}, low[5] = {0};
	struct sim_world *w;
	struct sim_air *air;
	struct llrp_msg *m;
	struct llrp_elem *e;

	(void) state;
	begin(&f);
	assert_int_equal(sim_world_new(loop_clock(f.loop), 3, &w), 0);
	assert_int_equal(sim_world_add_antenna(w, "r", 1), 0);
	assert_int_equal(sim_world_add_place(w, "floor", "sales-floor"), 1);
	assert_int_equal(sim_world_cover(w, 0, 1), 0);
	for (unsigned int i = 0; i < 4; i++)
		assert_int_equal(sim_world_add_item(w, &f.epcs[i], 1), i);
	assert_int_equal(sim_world_seal(w), 0);
	assert_int_equal(sim_air_new(f.loop, w, f.reader, &cfg, &air), 0);
	inventory(&f, &plain_wish);
	for (int i = 0; i < 10; i++) {
		pass(&f, US_PER_SEC);
		(void) drain(&f, high);
	}
	assert_int_equal(rospec_op(&f, LLRP_DELETE_ROSPEC, 0), LLRP_M_SUCCESS);
	for (uint16_t power = 82; power >= 1; power -= 81) {
		m = add_rospec(&f, &plain_wish);
		e = llrp_find(llrp_find(llrp_root(m), LLRP_P_ROSPEC), LLRP_P_AISPEC);
		e = llrp_find(e, LLRP_P_INVENTORY_PARAMETER_SPEC);
		e = llrp_add(llrp_add(e, LLRP_P_ANTENNA_CONFIGURATION), LLRP_P_RF_TRANSMITTER);
		llrp_set(e, "HopTableID", 1);
		llrp_set(e, "TransmitPower", power);
		assert_int_equal(status_of(&f, m),
				 power > 81 ? LLRP_M_PARAMETER_ERROR : LLRP_M_SUCCESS);
		if (power == 1)
			break;
	}
	assert_int_equal(rospec_op(&f, LLRP_ENABLE_ROSPEC, 1), LLRP_M_SUCCESS);
	assert_true(sim_reader_power_db(f.reader, 1) == -20.0);
	for (int i = 0; i < 10; i++) {
		pass(&f, US_PER_SEC);
		(void) drain(&f, low);
	}
	assert_true(high[1] > 1500);
	assert_true(low[1] < high[1] / 10);
	sim_air_free(air);
	sim_world_free(w);
	end(&f);
}

static void a_frozen_reader_is_mute_and_thawing_cuts_the_connection(void **state)
{
	static struct fixture f;
	static const uint8_t get[11] = {0x04, 1, 0, 0, 0, 11, 0, 0, 0, 1, 0};

	(void) state;
	begin(&f);
	inventory(&f, &plain_wish);
	sim_reader_set_frozen(f.reader, true);
	send_bytes(&f, get, sizeof get);
	feed(&f, 0, 1, -60, 100);
	pass(&f, 60 * US_PER_SEC);
	assert_silent(&f);
	assert_int_equal(recv(f.fd, f.in, 1, MSG_DONTWAIT), -1);
	sim_reader_set_frozen(f.reader, false);
	assert_int_equal(recv(f.fd, f.in, 1, MSG_DONTWAIT), 0);
	end(&f);
}

static void note_done(void *user)
{
	(*(int *) user)++;
}

static void a_trace_is_played_at_its_pace_from_the_first_inventory_on(void **state)
{
	static struct fixture f;
	static const char csv[] = "timestamp,epc,antenna\n100,30aa,1\n101.5,30aa,2\n104,30aa,1\n";
	size_t per_antenna[5] = {0};
	struct sim_player *player;
	struct replay trace;
	struct llrp_msg *m;
	const struct llrp_elem *e;
	int done = 0;

	(void) state;
	begin(&f);
	assert_int_equal(replay_parse(csv, sizeof csv - 1, NULL, NULL, &trace), 0);
	assert_int_equal(sim_player_new(f.loop, f.reader, &trace,
					&(struct sim_player_config){.speed = 2}, note_done, &done,
					&player),
			 0);
	pass(&f, 60 * US_PER_SEC);
	assert_silent(&f);
	inventory(&f, &plain_wish);
	pass(&f, US_PER_MS);
	m = take_report(&f, 1);
	e = llrp_find(llrp_root(m), LLRP_P_TAG_REPORT_DATA);
	/* Moved to now: the clock read 2000 s at the start. */
	assert_in_range(llrp_get(llrp_find(e, LLRP_P_FIRST_SEEN_UTC), "Microseconds"),
			2060 * US_PER_SEC, 2060 * US_PER_SEC + 5000);
	llrp_msg_free(m);
	pass(&f, 740 * US_PER_MS);
	assert_silent(&f);
	pass(&f, 15 * US_PER_MS);
	assert_int_equal(drain(&f, per_antenna), 1);
	assert_int_equal(done, 0);
	pass(&f, 1300 * US_PER_MS);
	assert_int_equal(drain(&f, per_antenna), 1);
	pass(&f, 100 * US_PER_MS);
	assert_int_equal(done, 1);
	assert_int_equal(sim_player_played(player), 3);
	sim_player_free(player);
	replay_done(&trace);
	end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_connection_event_comes_first_and_one_client_is_all),
		cmocka_unit_test(capabilities_name_antennas_powers_modes_and_hops),
		cmocka_unit_test(configuration_is_kept_and_wrong_values_change_nothing),
		cmocka_unit_test(keepalives_come_by_the_clock_and_silence_ends_the_connection),
		cmocka_unit_test(an_immediate_rospec_runs_when_enabled),
		cmocka_unit_test(an_epc_of_another_length_travels_as_epc_data),
		cmocka_unit_test(rospec_states_are_enforced),
		cmocka_unit_test(wrong_rospecs_are_refused),
		cmocka_unit_test(get_rospecs_shows_them_with_their_state),
		cmocka_unit_test(reads_accumulate_until_n_tags),
		cmocka_unit_test(without_antenna_ids_antennas_are_merged),
		cmocka_unit_test(the_end_of_the_aispec_reports_and_ends_the_rospec),
		cmocka_unit_test(trigger_none_reports_only_when_asked),
		cmocka_unit_test(carry_forward_leaves_out_what_did_not_change),
		cmocka_unit_test(held_reports_wait_for_the_client_that_comes_back),
		cmocka_unit_test(other_versions_and_unknown_types_get_an_error_message),
		cmocka_unit_test(a_malformed_request_is_refused_whole),
		cmocka_unit_test(a_length_that_cannot_be_ends_the_connection),
		cmocka_unit_test(close_is_answered_and_the_rospec_goes_on),
		cmocka_unit_test(accessspecs_are_kept_and_shown),
		cmocka_unit_test(rospec_events_come_after_the_answer_when_enabled),
		cmocka_unit_test(the_air_reads_each_item_at_its_rate),
		cmocka_unit_test(low_power_reads_less_and_an_unknown_index_is_refused),
		cmocka_unit_test(a_frozen_reader_is_mute_and_thawing_cuts_the_connection),
		cmocka_unit_test(a_trace_is_played_at_its_pace_from_the_first_inventory_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
