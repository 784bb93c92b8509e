/* SPDX-License-Identifier: Apache-2.0 */
/* The simulated reader: ROSpecs, and the reports of what they read. */
#include "tests/unit/sim_reader_fixture.h"

#include <unistd.h>

static void an_immediate_rospec_runs_when_enabled(void **state)
{
	struct fixture *f = *state;
	struct llrp_msg *m;
	const struct llrp_elem *e;

	inventory(f, &plain_wish);
	assert_int_equal(f->n_antennas, 4); /* antenna 0 means all */
	feed(f, 1, 3, -51, 123456789);
	m = take_report(f, 1);
	e = llrp_find(llrp_root(m), LLRP_P_TAG_REPORT_DATA);
	assert_int_equal(llrp_get(llrp_find(e, LLRP_P_ANTENNA_ID), "AntennaID"), 3);
	assert_int_equal(llrp_get_signed(llrp_find(e, LLRP_P_PEAK_RSSI), "PeakRSSI"), -51);
	assert_true(llrp_get(llrp_find(e, LLRP_P_FIRST_SEEN_UTC), "Microseconds") == 123456789);
	assert_int_equal(llrp_get(llrp_find(e, LLRP_P_TAG_SEEN_COUNT), "TagCount"), 1);
	assert_int_equal(llrp_get(llrp_find(e, LLRP_P_ROSPEC_ID), "ROSpecID"), 1);
	assert_non_null(llrp_find(e, LLRP_P_EPC_96));
	llrp_msg_free(m);
	assert_int_equal(rospec_op(f, LLRP_STOP_ROSPEC, 1), LLRP_M_SUCCESS);
	assert_int_equal(f->n_antennas, 0);
	feed(f, 1, 3, -51, 123456790);
	assert_silent(f);
}

static void an_epc_of_another_length_travels_as_epc_data(void **state)
{
	struct fixture *f = *state;
	struct llrp_msg *m;
	const struct llrp_elem *e;
	size_t bits;

	inventory(f, &plain_wish);
	feed(f, 3, 1, -60, 5);
	m = take_report(f, 1);
	e = llrp_find(llrp_find(llrp_root(m), LLRP_P_TAG_REPORT_DATA), LLRP_P_EPC_DATA);
	(void) llrp_get_bytes(e, "EPC", &bits);
	assert_int_equal(bits, 80);
	llrp_msg_free(m);
}

static void rospec_states_are_enforced(void **state)
{
	struct fixture *f = *state;
	struct rospec_wish w = plain_wish;

	w.start = 0;
	assert_int_equal(rospec_op(f, LLRP_ENABLE_ROSPEC, 7), LLRP_M_FIELD_ERROR);
	assert_int_equal(status_of(f, add_rospec(f, &w)), LLRP_M_SUCCESS);
	assert_int_equal(status_of(f, add_rospec(f, &w)), LLRP_M_PARAMETER_ERROR);
	assert_int_equal(rospec_op(f, LLRP_START_ROSPEC, 1), LLRP_M_FIELD_ERROR);
	assert_int_equal(rospec_op(f, LLRP_START_ROSPEC, 0), LLRP_M_FIELD_ERROR);
	assert_int_equal(rospec_op(f, LLRP_ENABLE_ROSPEC, 0), LLRP_M_SUCCESS);
	assert_int_equal(f->inventories, 0);
	assert_int_equal(rospec_op(f, LLRP_START_ROSPEC, 1), LLRP_M_SUCCESS);
	assert_int_equal(f->n_antennas, 4);
	w.id = 2;
	assert_int_equal(status_of(f, add_rospec(f, &w)), LLRP_M_SUCCESS);
	assert_int_equal(rospec_op(f, LLRP_ENABLE_ROSPEC, 2), LLRP_M_SUCCESS);
	assert_int_equal(rospec_op(f, LLRP_START_ROSPEC, 2), LLRP_R_DEVICE_ERROR);
	assert_int_equal(rospec_op(f, LLRP_DISABLE_ROSPEC, 1), LLRP_M_SUCCESS);
	assert_int_equal(f->n_antennas, 0);
	assert_int_equal(rospec_op(f, LLRP_DELETE_ROSPEC, 0), LLRP_M_SUCCESS);
	assert_int_equal(rospec_op(f, LLRP_DELETE_ROSPEC, 1), LLRP_M_FIELD_ERROR);
}

static void wrong_rospecs_are_refused(void **state)
{
	struct fixture *f = *state;
	struct rospec_wish w = plain_wish;

	w.id = 0;
	assert_int_equal(status_of(f, add_rospec(f, &w)), LLRP_M_PARAMETER_ERROR);
	w = plain_wish;
	w.antennas[0] = 5;
	assert_int_equal(status_of(f, add_rospec(f, &w)), LLRP_M_PARAMETER_ERROR);
	w = plain_wish;
	w.state = 1;
	assert_int_equal(status_of(f, add_rospec(f, &w)), LLRP_M_PARAMETER_ERROR);
	w = plain_wish;
	w.start = 9;
	assert_int_equal(status_of(f, add_rospec(f, &w)), LLRP_M_PARAMETER_ERROR);
	w = plain_wish;
	w.trigger = 3;
	assert_int_equal(status_of(f, add_rospec(f, &w)), LLRP_M_PARAMETER_ERROR);
	for (w = plain_wish; w.id <= 8; w.id++)
		assert_int_equal(status_of(f, add_rospec(f, &w)), LLRP_M_SUCCESS);
	assert_int_equal(status_of(f, add_rospec(f, &w)), LLRP_M_OVERFLOW_PARAMETER);
}

static void get_rospecs_shows_them_with_their_state(void **state)
{
	struct fixture *f = *state;
	struct llrp_msg *m;
	const struct llrp_elem *e;

	inventory(f, &plain_wish);
	m = ask(f, message(f, LLRP_GET_ROSPECS), LLRP_GET_ROSPECS_RESPONSE);
	e = llrp_find(llrp_root(m), LLRP_P_ROSPEC);
	assert_int_equal(llrp_get(e, "ROSpecID"), 1);
	assert_int_equal(llrp_get(e, "CurrentState"), 2);
	assert_non_null(llrp_find(e, LLRP_P_RO_REPORT_SPEC));
	llrp_msg_free(m);
}

static void reads_accumulate_until_n_tags(void **state)
{
	struct fixture *f = *state;
	struct rospec_wish w = plain_wish;
	struct llrp_msg *m;
	const struct llrp_elem *e;

	w.n = 3;
	inventory(f, &w);
	feed(f, 0, 1, -60, 100);
	feed(f, 0, 1, -50, 200);
	feed(f, 0, 1, -70, 300);
	feed(f, 0, 2, -55, 400); /* another antenna is another report */
	assert_silent(f);
	feed(f, 1, 1, -65, 500);
	m = take_report(f, 3);
	e = llrp_find(llrp_root(m), LLRP_P_TAG_REPORT_DATA);
	assert_int_equal(llrp_get(llrp_find(e, LLRP_P_TAG_SEEN_COUNT), "TagCount"), 3);
	assert_int_equal(llrp_get_signed(llrp_find(e, LLRP_P_PEAK_RSSI), "PeakRSSI"), -50);
	assert_int_equal(llrp_get(llrp_find(e, LLRP_P_FIRST_SEEN_UTC), "Microseconds"), 100);
	assert_int_equal(llrp_get(llrp_find(e, LLRP_P_LAST_SEEN_UTC), "Microseconds"), 300);
	llrp_msg_free(m);
}

static void without_antenna_ids_antennas_are_merged(void **state)
{
	struct fixture *f = *state;
	struct rospec_wish w = plain_wish;
	struct llrp_msg *m;
	const struct llrp_elem *e;

	w.n = 2;
	w.select = SELECT_ALL & ~(uint16_t) (1 << 12);
	inventory(f, &w);
	feed(f, 0, 1, -60, 100);
	feed(f, 0, 2, -50, 200);
	feed(f, 1, 2, -50, 200);
	m = take_report(f, 2);
	e = llrp_find(llrp_root(m), LLRP_P_TAG_REPORT_DATA);
	assert_null(llrp_find(e, LLRP_P_ANTENNA_ID));
	assert_int_equal(llrp_get(llrp_find(e, LLRP_P_TAG_SEEN_COUNT), "TagCount"), 2);
	llrp_msg_free(m);
}

static void the_end_of_the_aispec_reports_and_ends_the_rospec(void **state)
{
	struct fixture *f = *state;
	struct rospec_wish w = plain_wish;

	w.n = 0;
	w.aispec_ms = 500;
	inventory(f, &w);
	feed(f, 0, 1, -60, 100);
	pass(f, 499 * US_PER_MS);
	assert_silent(f);
	pass(f, 2 * US_PER_MS);
	llrp_msg_free(take_report(f, 1));
	assert_int_equal(f->n_antennas, 0);
	assert_int_equal(rospec_op(f, LLRP_START_ROSPEC, 1), LLRP_M_SUCCESS);
	assert_int_equal(f->n_antennas, 4);
}

/** A merged report as the standard has it (LLRP 1.0.1, 14.2.3.1), worked out by hand. */
struct expected {
	unsigned int epc, antenna, spec, count;
	int peak;
	uint64_t first_us, last_us;
	bool found;
};

struct merging {
	struct expected reports[64];
	size_t n;
	bool antennas, specs;
};

static void expect(struct merging *m, unsigned int epc, unsigned int antenna, unsigned int spec,
		   int rssi, uint64_t at_us)
{
	size_t i = 0;

	antenna = m->antennas ? antenna : 0;
	spec = m->specs ? spec : 0;
	while (i < m->n && (m->reports[i].epc != epc || m->reports[i].antenna != antenna ||
			    m->reports[i].spec != spec))
		i++;
	if (i == m->n)
		m->reports[m->n++] =
			(struct expected){epc, antenna, spec, 0, -128, at_us, at_us, false};
	m->reports[i].count++;
	m->reports[i].peak = MAX(m->reports[i].peak, rssi);
	m->reports[i].first_us = MIN(m->reports[i].first_us, at_us);
	m->reports[i].last_us = MAX(m->reports[i].last_us, at_us);
}

static void check_report(struct merging *m, const struct llrp_elem *e)
{
	size_t bits;
	unsigned int epc = llrp_get_bytes(llrp_find(e, LLRP_P_EPC_96), "EPC", &bits)[1];
	uint64_t antenna = llrp_get(llrp_find(e, LLRP_P_ANTENNA_ID), "AntennaID");
	uint64_t spec = llrp_get(llrp_find(e, LLRP_P_SPEC_INDEX), "SpecIndex");
	struct expected *x = m->reports;

	while (x < m->reports + m->n && (x->epc != epc || x->antenna != antenna || x->spec != spec))
		x++;
	assert_true(x < m->reports + m->n && !x->found);
	x->found = true;
	assert_int_equal(llrp_get(llrp_find(e, LLRP_P_TAG_SEEN_COUNT), "TagCount"), x->count);
	assert_int_equal(llrp_get_signed(llrp_find(e, LLRP_P_PEAK_RSSI), "PeakRSSI"), x->peak);
	assert_true(llrp_get(llrp_find(e, LLRP_P_FIRST_SEEN_UTC), "Microseconds") == x->first_us);
	assert_true(llrp_get(llrp_find(e, LLRP_P_LAST_SEEN_UTC), "Microseconds") == x->last_us);
	if (m->specs)
		assert_int_equal(llrp_get(llrp_find(e, LLRP_P_INVENTORY_PARAMETER_SPEC_ID),
					  "InventoryParameterSpecID"),
				 spec + 6);
}

/** Two AISpecs one after the other, reported when both are over. */
static struct llrp_msg *two_aispecs(struct fixture *f, const struct merging *m)
{
	struct rospec_wish w = plain_wish;
	struct llrp_elem *spec, *ai, *e;
	struct llrp_msg *msg;

	w.n = 0;
	w.trigger = 2;
	w.aispec_ms = 500;
	w.select =
		(uint16_t) (SELECT_ALL & ~(m->antennas ? 0 : 1 << 12) & ~(m->specs ? 0 : 3 << 13));
	msg = add_rospec(f, &w);
	spec = llrp_find(llrp_root(msg), LLRP_P_ROSPEC);
	e = llrp_find(llrp_find(spec, LLRP_P_AISPEC), LLRP_P_INVENTORY_PARAMETER_SPEC);
	llrp_set(e, "InventoryParameterSpecID", 7);
	ai = llrp_add(spec, LLRP_P_AISPEC);
	llrp_set_u16v(ai, "AntennaIDs", w.antennas, 1);
	e = llrp_add(ai, LLRP_P_AISPEC_STOP_TRIGGER);
	llrp_set(e, "AISpecStopTriggerType", 1);
	llrp_set(e, "DurationTrigger", 500);
	e = llrp_add(ai, LLRP_P_INVENTORY_PARAMETER_SPEC);
	llrp_set(e, "InventoryParameterSpecID", 8);
	llrp_set(e, "ProtocolID", 1);
	return msg;
}

static void only_what_is_equal_in_all_that_is_reported_is_merged(void **state)
{
	static struct fixture f;
	uint32_t chance = 1;

	(void) state;
	for (unsigned int kind = 0; kind < 4; kind++) {
		struct merging m = {.antennas = kind & 1, .specs = kind & 2};
		const struct llrp_elem *e;
		struct llrp_msg *report;

		fixture_begin(&f);
		assert_int_equal(status_of(&f, two_aispecs(&f, &m)), LLRP_M_SUCCESS);
		assert_int_equal(rospec_op(&f, LLRP_ENABLE_ROSPEC, 1), LLRP_M_SUCCESS);
		for (unsigned int i = 0; i < 200; i++) {
			unsigned int epc, antenna;
			int rssi;

			if (i == 100)
				pass(&f, 501 * US_PER_MS);
			chance = chance * 1664525u + 1013904223u;
			epc = (chance >> 8) % 3;
			antenna = 1 + (chance >> 16) % 3;
			rssi = -40 - (int) ((chance >> 24) % 40);
			feed(&f, epc, (uint16_t) antenna, (int8_t) rssi, 5000 + i * 7);
			expect(&m, epc, antenna, 1 + (i >= 100), rssi, 5000 + i * 7);
		}
		pass(&f, 501 * US_PER_MS);
		report = take_report(&f, m.n);
		e = llrp_find(llrp_root(report), LLRP_P_TAG_REPORT_DATA);
		for (; e; e = llrp_find_next(e))
			check_report(&m, e);
		llrp_msg_free(report);
		fixture_end(&f);
	}
}

static void the_count_of_a_merged_report_stops_at_its_highest(void **state)
{
	struct fixture *f = *state;
	struct rospec_wish w = plain_wish;
	struct llrp_msg *m;
	const struct llrp_elem *e;

	w.n = 2;
	inventory(f, &w);
	for (int64_t i = 0; i < 70000; i++)
		feed(f, 0, 1, -60, i);
	feed(f, 1, 1, -60, 70000);
	m = take_report(f, 2);
	e = llrp_find(llrp_root(m), LLRP_P_TAG_REPORT_DATA);
	assert_int_equal(llrp_get(llrp_find(e, LLRP_P_TAG_SEEN_COUNT), "TagCount"), 65535);
	llrp_msg_free(m);
}

static void a_rospec_without_a_start_trigger_waits_for_start(void **state)
{
	static struct fixture f;
	struct rospec_wish w = plain_wish;

	(void) state;
	fixture_begin(&f);
	w.start = 0;
	inventory(&f, &w);
	feed(&f, 0, 1, -60, 100);
	assert_silent(&f);
	assert_int_equal(rospec_op(&f, LLRP_START_ROSPEC, 1), LLRP_M_SUCCESS);
	feed(&f, 0, 1, -60, 200);
	llrp_msg_free(take_report(&f, 1));
	/* Started already, and told so again: as it is for one that starts by itself. */
	assert_int_equal(rospec_op(&f, LLRP_START_ROSPEC, 1), LLRP_M_SUCCESS);
	feed(&f, 0, 1, -60, 300);
	llrp_msg_free(take_report(&f, 1));
	fixture_end(&f);
	fixture_begin(&f);
	inventory(&f, &plain_wish);
	feed(&f, 0, 1, -60, 100);
	llrp_msg_free(take_report(&f, 1));
	assert_int_equal(rospec_op(&f, LLRP_START_ROSPEC, 1), LLRP_M_SUCCESS);
	assert_int_equal(f.inventories, 1); /* the one that runs goes on */
	feed(&f, 0, 1, -60, 200);
	llrp_msg_free(take_report(&f, 1));
	fixture_end(&f);
}

static void trigger_none_reports_only_when_asked(void **state)
{
	struct fixture *f = *state;
	struct rospec_wish w = plain_wish;
	struct llrp_msg *m;
	struct buf b = BUF_INIT;

	w.trigger = 0;
	inventory(f, &w);
	for (unsigned int i = 0; i < 10; i++)
		feed(f, i % 2, 1, -60, i);
	assert_silent(f);
	m = message(f, LLRP_GET_REPORT);
	assert_int_equal(llrp_msg_encode(m, &b), 0);
	llrp_msg_free(m);
	send_bytes(f, b.data, b.len);
	llrp_msg_free(take_report(f, 2));
	send_bytes(f, b.data, b.len);
	llrp_msg_free(take_report(f, 0));
	buf_done(&b);
}

static void carry_forward_leaves_out_what_did_not_change(void **state)
{
	static struct fixture f;
	struct llrp_msg *m;
	const struct llrp_elem *e;

	(void) state;
	fixture_begin_with(&f, &(struct sim_reader_config){
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
	fixture_end(&f);
}

static void held_reports_wait_for_the_client_that_comes_back(void **state)
{
	struct fixture *f = *state;
	static const uint8_t enable[10] = {0x04, LLRP_ENABLE_EVENTS_AND_REPORTS, 0, 0, 0, 10};
	struct llrp_msg *m;

	inventory(f, &plain_wish);
	m = message(f, LLRP_SET_READER_CONFIG);
	llrp_set(llrp_add(llrp_root(m), LLRP_P_EVENTS_AND_REPORTS),
		 "HoldEventsAndReportsUponReconnect", 1);
	assert_int_equal(status_of(f, m), LLRP_M_SUCCESS);
	close(f->fd);
	pass(f, US_PER_MS);
	feed(f, 0, 1, -60, 100);
	client_open(f);
	m = take(f);
	assert_int_equal(attempt_status(m), 0);
	llrp_msg_free(m);
	feed(f, 1, 1, -60, 200);
	assert_silent(f);
	send_bytes(f, enable, sizeof enable);
	llrp_msg_free(take_report(f, 1));
	llrp_msg_free(take_report(f, 1));
	feed(f, 2, 1, -60, 300);
	llrp_msg_free(take_report(f, 1));
}

static void rospec_events_come_after_the_answer_when_enabled(void **state)
{
	struct fixture *f = *state;
	struct llrp_msg *m;
	struct llrp_elem *e;

	m = message(f, LLRP_SET_READER_CONFIG);
	e = llrp_add(llrp_add(llrp_root(m), LLRP_P_READER_EVENT_NOTIFICATION_SPEC),
		     LLRP_P_EVENT_NOTIFICATION_STATE);
	llrp_set(e, "EventType", 2);
	llrp_set(e, "NotificationState", 1);
	assert_int_equal(status_of(f, m), LLRP_M_SUCCESS);
	inventory(f, &plain_wish);
	m = take(f);
	assert_int_equal(llrp_msg_type(m), LLRP_READER_EVENT_NOTIFICATION);
	e = llrp_find(llrp_root(m), LLRP_P_READER_EVENT_NOTIFICATION_DATA);
	e = llrp_find(e, LLRP_P_ROSPEC_EVENT);
	assert_int_equal(llrp_get(e, "EventType"), 0);
	assert_int_equal(llrp_get(e, "ROSpecID"), 1);
	llrp_msg_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_FIXTURE(an_immediate_rospec_runs_when_enabled),
		WITH_FIXTURE(an_epc_of_another_length_travels_as_epc_data),
		WITH_FIXTURE(rospec_states_are_enforced),
		WITH_FIXTURE(wrong_rospecs_are_refused),
		WITH_FIXTURE(get_rospecs_shows_them_with_their_state),
		WITH_FIXTURE(reads_accumulate_until_n_tags),
		WITH_FIXTURE(without_antenna_ids_antennas_are_merged),
		WITH_FIXTURE(the_end_of_the_aispec_reports_and_ends_the_rospec),
		cmocka_unit_test(only_what_is_equal_in_all_that_is_reported_is_merged),
		WITH_FIXTURE(the_count_of_a_merged_report_stops_at_its_highest),
		cmocka_unit_test(a_rospec_without_a_start_trigger_waits_for_start),
		WITH_FIXTURE(trigger_none_reports_only_when_asked),
		cmocka_unit_test(carry_forward_leaves_out_what_did_not_change),
		WITH_FIXTURE(held_reports_wait_for_the_client_that_comes_back),
		WITH_FIXTURE(rospec_events_come_after_the_answer_when_enabled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
