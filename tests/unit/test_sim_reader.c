/* SPDX-License-Identifier: Apache-2.0 */
/* The simulated reader: connections, configuration, versions, requests that are wrong. */
#include "tests/unit/sim_reader_fixture.h"

#include <sys/socket.h>
#include <unistd.h>

static void the_connection_event_comes_first_and_one_client_is_all(void **state)
{
	static struct fixture f;
	struct llrp_msg *m;
	int first;

	(void) state;
	fixture_begin_with(&f, &(struct sim_reader_config){.name = "r", .n_antennas = 4});
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
	fixture_end(&f);
}

static void capabilities_name_antennas_powers_modes_and_hops(void **state)
{
	struct fixture *f = *state;
	struct llrp_msg *m;
	const struct llrp_elem *e;
	size_t n;

	m = ask(f, message(f, LLRP_GET_READER_CAPABILITIES), LLRP_GET_READER_CAPABILITIES_RESPONSE);
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
	m = message(f, LLRP_GET_READER_CAPABILITIES);
	llrp_set(llrp_root(m), "RequestedData", 1);
	m = ask(f, m, LLRP_GET_READER_CAPABILITIES_RESPONSE);
	assert_null(llrp_find(llrp_root(m), LLRP_P_LLRP_CAPABILITIES));
	llrp_msg_free(m);
	m = message(f, LLRP_GET_READER_CAPABILITIES);
	llrp_set(llrp_root(m), "RequestedData", 9);
	assert_int_equal(status_of(f, m), LLRP_M_FIELD_ERROR);
}

static void a_european_reader_has_four_fixed_channels(void **state)
{
	static struct fixture f;
	const struct llrp_elem *regulatory, *e;
	struct llrp_msg *m;
	size_t n;

	(void) state;
	fixture_begin_with(
		&f, &(struct sim_reader_config){.name = "r", .n_antennas = 2, .region = RF_ETSI});
	skip_hello(&f);
	m = ask(&f, message(&f, LLRP_GET_READER_CAPABILITIES),
		LLRP_GET_READER_CAPABILITIES_RESPONSE);
	regulatory = llrp_find(llrp_root(m), LLRP_P_REGULATORY_CAPABILITIES);
	assert_int_equal(llrp_get(regulatory, "CommunicationsStandard"), 2);
	e = llrp_find(llrp_find(regulatory, LLRP_P_UHF_BAND_CAPABILITIES),
		      LLRP_P_FREQUENCY_INFORMATION);
	assert_int_equal(llrp_get(e, "Hopping"), 0);
	assert_null(llrp_find(e, LLRP_P_FREQUENCY_HOP_TABLE));
	e = llrp_find(e, LLRP_P_FIXED_FREQUENCY_TABLE);
	(void) llrp_get_bytes(e, "Frequency", &n);
	assert_int_equal(n, 4);
	assert_int_equal(llrp_get_at(e, "Frequency", 0), 865700);
	assert_int_equal(llrp_get_at(e, "Frequency", 3), 867500);
	llrp_msg_free(m);
	fixture_end(&f);
}

/** Asks for settings of all antennas: mode, sensitivity, session; yields the status. */
static uint16_t set_air(struct fixture *f, uint16_t mode, uint16_t sensitivity, uint8_t session)
{
	struct llrp_msg *m = message(f, LLRP_SET_READER_CONFIG);
	struct llrp_elem *e = llrp_add(llrp_root(m), LLRP_P_ANTENNA_CONFIGURATION), *command;

	llrp_set(llrp_add(e, LLRP_P_RF_RECEIVER), "ReceiverSensitivity", sensitivity);
	command = llrp_add(e, LLRP_P_C1G2_INVENTORY_COMMAND);
	llrp_set(llrp_add(command, LLRP_P_C1G2_RF_CONTROL), "ModeIndex", mode);
	e = llrp_add(command, LLRP_P_C1G2_SINGULATION_CONTROL);
	llrp_set(e, "Session", session);
	llrp_set(e, "TagPopulation", 77);
	llrp_set(e, "TagTransitTime", 500);
	return status_of(f, m);
}

static void settings_of_the_air_protocol_are_kept_and_checked(void **state)
{
	struct fixture *f = *state;
	const struct llrp_elem *e;
	struct sim_reader_air air;
	struct llrp_msg *m;

	assert_int_equal(set_air(f, 3, 4, 2), LLRP_M_SUCCESS);
	assert_int_equal(set_air(f, 4, 1, 0), LLRP_M_PARAMETER_ERROR);
	assert_int_equal(set_air(f, 0, 12, 0), LLRP_M_PARAMETER_ERROR);
	m = ask(f, message(f, LLRP_GET_READER_CONFIG), LLRP_GET_READER_CONFIG_RESPONSE);
	e = llrp_find(llrp_root(m), LLRP_P_ANTENNA_CONFIGURATION);
	assert_int_equal(llrp_get(llrp_find(e, LLRP_P_RF_RECEIVER), "ReceiverSensitivity"), 4);
	e = llrp_find(e, LLRP_P_C1G2_INVENTORY_COMMAND);
	assert_int_equal(llrp_get(llrp_find(e, LLRP_P_C1G2_RF_CONTROL), "ModeIndex"), 3);
	e = llrp_find(e, LLRP_P_C1G2_SINGULATION_CONTROL);
	assert_int_equal(llrp_get(e, "Session"), 2);
	assert_int_equal(llrp_get(e, "TagPopulation"), 77);
	assert_int_equal(llrp_get(e, "TagTransitTime"), 500);
	llrp_msg_free(m);
	/* A ROSpec that says nothing of it runs with what is configured. */
	inventory(f, &plain_wish);
	sim_reader_get_air(f->reader, 2, &air);
	assert_int_equal(air.mode, 3);
	assert_int_equal(air.session, 2);
	assert_int_equal(air.population, 77);
	assert_int_equal(air.transit_ms, 500);
	assert_true(air.deaf_db == 16 && air.power_dbm == 30 && air.dual_target);
}

static void the_search_mode_of_the_maker_chooses_the_target(void **state)
{
	static struct fixture f;
	struct sim_reader_air air;

	(void) state;
	fixture_begin_with(
		&f, &(struct sim_reader_config){.name = "r", .n_antennas = 2, .impinj = true});
	skip_hello(&f);
	for (uint16_t mode = 0; mode <= 3; mode++) {
		struct llrp_msg *m = message(&f, LLRP_SET_READER_CONFIG);
		struct llrp_elem *e = llrp_add(llrp_root(m), LLRP_P_ANTENNA_CONFIGURATION);

		e = llrp_add(e, LLRP_P_C1G2_INVENTORY_COMMAND);
		e = llrp_add_custom(e, LLRP_VENDOR_IMPINJ, LLRP_IMPINJ_INVENTORY_SEARCH_MODE);
		llrp_set(e, "InventorySearchMode", mode);
		assert_int_equal(status_of(&f, m), LLRP_M_SUCCESS);
		assert_int_equal(rospec_op(&f, LLRP_DELETE_ROSPEC, 0), LLRP_M_SUCCESS);
		inventory(&f, &plain_wish);
		sim_reader_get_air(f.reader, 1, &air);
		assert_int_equal(air.dual_target, mode == 0 || mode == 2);
	}
	fixture_end(&f);
}

static void configuration_is_kept_and_wrong_values_change_nothing(void **state)
{
	struct fixture *f = *state;
	struct llrp_msg *m;
	struct llrp_elem *e;

	m = message(f, LLRP_SET_READER_CONFIG);
	e = llrp_add(llrp_root(m), LLRP_P_KEEPALIVE_SPEC);
	llrp_set(e, "KeepaliveTriggerType", 1);
	llrp_set(e, "PeriodicTriggerValue", 5000);
	e = llrp_add(llrp_root(m), LLRP_P_ANTENNA_CONFIGURATION);
	llrp_set(e, "AntennaID", 2);
	e = llrp_add(e, LLRP_P_RF_TRANSMITTER);
	llrp_set(e, "HopTableID", 1);
	llrp_set(e, "TransmitPower", 40);
	assert_int_equal(status_of(f, m), LLRP_M_SUCCESS);
	m = message(f, LLRP_SET_READER_CONFIG);
	e = llrp_add(llrp_root(m), LLRP_P_ANTENNA_CONFIGURATION);
	e = llrp_add(e, LLRP_P_RF_TRANSMITTER);
	llrp_set(e, "TransmitPower", 82);
	assert_int_equal(status_of(f, m), LLRP_M_PARAMETER_ERROR);
	m = ask(f, message(f, LLRP_GET_READER_CONFIG), LLRP_GET_READER_CONFIG_RESPONSE);
	e = llrp_find(llrp_root(m), LLRP_P_KEEPALIVE_SPEC);
	assert_int_equal(llrp_get(e, "PeriodicTriggerValue"), 5000);
	e = llrp_find(llrp_root(m), LLRP_P_ANTENNA_CONFIGURATION);
	e = llrp_find_next(e);
	assert_int_equal(llrp_get(e, "AntennaID"), 2);
	assert_int_equal(llrp_get(llrp_find(e, LLRP_P_RF_TRANSMITTER), "TransmitPower"), 40);
	llrp_msg_free(m);
}

static void keepalives_come_by_the_clock_and_silence_ends_the_connection(void **state)
{
	struct fixture *f = *state;
	struct llrp_msg *m = NULL;
	struct llrp_elem *e;
	static const uint8_t ack[10] = {0x04, LLRP_KEEPALIVE_ACK, 0, 0, 0, 10};

	m = message(f, LLRP_SET_READER_CONFIG);
	e = llrp_add(llrp_root(m), LLRP_P_KEEPALIVE_SPEC);
	llrp_set(e, "KeepaliveTriggerType", 1);
	llrp_set(e, "PeriodicTriggerValue", 1000);
	assert_int_equal(status_of(f, m), LLRP_M_SUCCESS);
	for (int i = 0; i < 20; i++) {
		pass(f, US_PER_SEC);
		m = take(f);
		assert_int_equal(llrp_msg_type(m), LLRP_KEEPALIVE);
		llrp_msg_free(m);
		send_bytes(f, ack, sizeof ack);
	}
	pass(f, 7 * US_PER_SEC);
	for (int i = 0; i < 5; i++) {
		m = take(f);
		assert_int_equal(llrp_msg_type(m), LLRP_KEEPALIVE);
		llrp_msg_free(m);
	}
	assert_silent(f);
	assert_int_equal(recv(f->fd, f->in, 1, MSG_DONTWAIT), 0);
}

static void other_versions_and_unknown_types_get_an_error_message(void **state)
{
	struct fixture *f = *state;
	static const uint8_t version_2[10] = {0x08, 46, 0, 0, 0, 10, 0, 0, 0, 9};
	static const uint8_t unknown[10] = {0x05, 0xf4, 0, 0, 0, 10, 0, 0, 0, 8};
	static const uint8_t response[10] = {0x04, 62, 0, 0, 0, 10, 0, 0, 0, 7};
	static const uint8_t error[18] = {0x04, 100, 0, 0, 0, 18, 0, 0, 0, 6, 1, 31, 0, 8};
	struct llrp_msg *m;

	send_bytes(f, version_2, sizeof version_2);
	m = take(f);
	assert_int_equal(llrp_msg_type(m), LLRP_ERROR_MESSAGE);
	assert_int_equal(llrp_msg_version(m), 2);
	assert_int_equal(llrp_msg_id(m), 9);
	assert_int_equal(llrp_msg_status(m, NULL, 0), LLRP_M_UNSUPPORTED_VERSION);
	llrp_msg_free(m);
	send_bytes(f, unknown, sizeof unknown);
	m = take(f);
	assert_int_equal(llrp_msg_type(m), LLRP_ERROR_MESSAGE);
	assert_int_equal(llrp_msg_status(m, NULL, 0), LLRP_M_UNSUPPORTED_MESSAGE);
	llrp_msg_free(m);
	send_bytes(f, response, sizeof response);
	m = take(f);
	assert_int_equal(llrp_msg_status(m, NULL, 0), LLRP_M_UNSUPPORTED_MESSAGE);
	llrp_msg_free(m);
	send_bytes(f, error, sizeof error);
	assert_silent(f);
}

static void a_malformed_request_is_refused_whole(void **state)
{
	struct fixture *f = *state;
	/* ADD_ROSPEC without its ROSpec; ENABLE_ROSPEC cut short. */
	static const uint8_t empty[10] = {0x04, 20, 0, 0, 0, 10, 0, 0, 0, 1};
	static const uint8_t cut[12] = {0x04, 24, 0, 0, 0, 12, 0, 0, 0, 2, 0, 0};
	struct llrp_msg *m;

	send_bytes(f, empty, sizeof empty);
	m = take(f);
	assert_int_equal(llrp_msg_type(m), LLRP_ADD_ROSPEC_RESPONSE);
	assert_int_not_equal(llrp_msg_status(m, NULL, 0), 0);
	llrp_msg_free(m);
	send_bytes(f, cut, sizeof cut);
	m = take(f);
	assert_int_equal(llrp_msg_type(m), LLRP_ENABLE_ROSPEC_RESPONSE);
	assert_int_not_equal(llrp_msg_status(m, NULL, 0), 0);
	llrp_msg_free(m);
	assert_int_equal(status_of(f, add_rospec(f, &plain_wish)), LLRP_M_SUCCESS);
}

static void a_length_that_cannot_be_ends_the_connection(void **state)
{
	struct fixture *f = *state;
	static const uint8_t garbage[16] = {0x04, 1, 0xff, 0xff, 0xff, 0xff};

	send_bytes(f, garbage, sizeof garbage);
	assert_int_equal(recv(f->fd, f->in, 1, MSG_DONTWAIT), 0);
	close(f->fd);
	client_open(f);
	skip_hello(f);
	assert_int_equal(status_of(f, add_rospec(f, &plain_wish)), LLRP_M_SUCCESS);
}

static void close_is_answered_and_the_rospec_goes_on(void **state)
{
	struct fixture *f = *state;
	struct sim_reader_stats st;

	inventory(f, &plain_wish);
	llrp_msg_free(ask(f, message(f, LLRP_CLOSE_CONNECTION), LLRP_CLOSE_CONNECTION_RESPONSE));
	assert_int_equal(recv(f->fd, f->in, 1, MSG_DONTWAIT), 0);
	sim_reader_get_stats(f->reader, &st);
	assert_false(st.connected);
	assert_true(st.inventory);
}

static void accessspecs_are_kept_and_shown(void **state)
{
	struct fixture *f = *state;
	struct llrp_msg *m = NULL;
	struct llrp_elem *spec, *e;

	m = message(f, LLRP_ADD_ACCESSSPEC);
	spec = llrp_add(llrp_root(m), LLRP_P_ACCESSSPEC);
	llrp_set(spec, "AccessSpecID", 3);
	llrp_set(spec, "ProtocolID", 1);
	(void) llrp_add(spec, LLRP_P_ACCESSSPEC_STOP_TRIGGER);
	e = llrp_add(spec, LLRP_P_ACCESS_COMMAND);
	(void) llrp_add(llrp_add(e, LLRP_P_C1G2_TAG_SPEC), LLRP_P_C1G2_TARGET_TAG);
	llrp_set(llrp_add(e, LLRP_P_C1G2_READ), "OpSpecID", 1);
	assert_int_equal(status_of(f, m), LLRP_M_SUCCESS);
	m = message(f, LLRP_ENABLE_ACCESSSPEC);
	llrp_set(llrp_root(m), "AccessSpecID", 3);
	assert_int_equal(status_of(f, m), LLRP_M_SUCCESS);
	m = ask(f, message(f, LLRP_GET_ACCESSSPECS), LLRP_GET_ACCESSSPECS_RESPONSE);
	assert_int_equal(llrp_get(llrp_find(llrp_root(m), LLRP_P_ACCESSSPEC), "CurrentState"), 1);
	llrp_msg_free(m);
	m = message(f, LLRP_DELETE_ACCESSSPEC);
	llrp_set(llrp_root(m), "AccessSpecID", 4);
	assert_int_equal(status_of(f, m), LLRP_M_FIELD_ERROR);
	m = message(f, LLRP_DELETE_ACCESSSPEC);
	assert_int_equal(status_of(f, m), LLRP_M_SUCCESS);
}

static void a_frozen_reader_is_mute_and_thawing_cuts_the_connection(void **state)
{
	struct fixture *f = *state;
	static const uint8_t get[11] = {0x04, 1, 0, 0, 0, 11, 0, 0, 0, 1, 0};

	inventory(f, &plain_wish);
	sim_reader_set_frozen(f->reader, true);
	send_bytes(f, get, sizeof get);
	feed(f, 0, 1, -60, 100);
	pass(f, 60 * US_PER_SEC);
	assert_silent(f);
	assert_int_equal(recv(f->fd, f->in, 1, MSG_DONTWAIT), -1);
	sim_reader_set_frozen(f->reader, false);
	assert_int_equal(recv(f->fd, f->in, 1, MSG_DONTWAIT), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_connection_event_comes_first_and_one_client_is_all),
		WITH_FIXTURE(capabilities_name_antennas_powers_modes_and_hops),
		cmocka_unit_test(a_european_reader_has_four_fixed_channels),
		WITH_FIXTURE(settings_of_the_air_protocol_are_kept_and_checked),
		cmocka_unit_test(the_search_mode_of_the_maker_chooses_the_target),
		WITH_FIXTURE(configuration_is_kept_and_wrong_values_change_nothing),
		WITH_FIXTURE(keepalives_come_by_the_clock_and_silence_ends_the_connection),
		WITH_FIXTURE(other_versions_and_unknown_types_get_an_error_message),
		WITH_FIXTURE(a_malformed_request_is_refused_whole),
		WITH_FIXTURE(a_length_that_cannot_be_ends_the_connection),
		WITH_FIXTURE(close_is_answered_and_the_rospec_goes_on),
		WITH_FIXTURE(accessspecs_are_kept_and_shown),
		WITH_FIXTURE(a_frozen_reader_is_mute_and_thawing_cuts_the_connection),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
