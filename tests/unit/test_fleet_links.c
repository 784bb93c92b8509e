/* SPDX-License-Identifier: Apache-2.0 */
/* What is made of an agent's links and label radio: for the API, and as findings. */
#include "controller/fleet/fleet_internal.h"
#include "tests/unit/test_common.h"
#include <string.h>

static struct proto_health health;
static struct agent agent = {.id = 3, .name = "ap1", .health = &health};

static int reset(void **state)
{
	(void) state;
	health = (struct proto_health){.radio_state = "running",
				       .n_interfaces = 2,
				       .interfaces = {{.name = "eth0",
						       .up = true,
						       .was_up = true,
						       .carrier = true,
						       .speed_mbps = 1000,
						       .duplex = PROTO_DUPLEX_FULL,
						       .busy_percent = PROTO_BUSY_UNKNOWN},
						      {.name = "wlan0",
						       .up = true,
						       .was_up = true,
						       .wireless = true,
						       .role = PROTO_WIFI_AP,
						       .ssid = "Shop",
						       .frequency_mhz = 2437,
						       .centre_mhz = 2447,
						       .width_mhz = 40,
						       .noise_dbm = -92,
						       .busy_percent = 31}},
				       .radio = {.driver = "h4",
						 .interval = 1248,
						 .subevents = 26,
						 .subevent_interval = 48,
						 .response_delay = 34,
						 .response_spacing = 6,
						 .response_slots = 23,
						 .capacity = 6630,
						 .labels = 40,
						 .synced = 40,
						 .channels_known = true,
						 .channels = 0x7,
						 .wanted = 0x7,
						 .n_groups = 2,
						 .groups = {21, 19},
						 .n_signal = PROTO_MAX_SIGNAL,
						 .signal = {[0] = 1, [11] = 2}}};
	return 0;
}

/** The only finding there is. */
static struct fleet_finding only(void)
{
	struct fleet_finding list[FLEET_FINDINGS_MAX];

	assert_int_equal(fleet_find_troubles(&agent, list), 1);
	json_decref(list[0].detail);
	return list[0];
}

static void what_is_well_is_no_finding(void **state)
{
	struct fleet_finding list[FLEET_FINDINGS_MAX];
	char step[FLEET_STEP_MAX];

	(void) state;
	assert_int_equal(fleet_find_troubles(&agent, list), 0);
	fleet_advise_radio(&health, step, sizeof(step));
	assert_string_equal(step, "");
}

static void a_link_that_was_up_and_is_down_is_told(void **state)
{
	struct fleet_finding f;

	(void) state;
	health.interfaces[0].up = false;
	f = only();
	assert_string_equal(f.kind, "link-down");
	assert_string_equal(f.title, "Network link eth0 of ap1 is down.");
	assert_non_null(strstr(f.step, "cable"));
	health.interfaces[0].was_up = false; /* a socket that nobody uses */
	what_is_well_is_no_finding(state);
}

static void a_link_that_comes_and_goes_is_told_as_that_alone(void **state)
{
	struct fleet_finding f;

	(void) state;
	health.interfaces[1].changes = 6;
	health.interfaces[1].up = false;
	f = only();
	assert_string_equal(f.kind, "link-flapping");
	assert_non_null(strstr(f.step, "signal"));
}

static void half_duplex_is_worth_a_notice(void **state)
{
	(void) state;
	health.interfaces[0].duplex = PROTO_DUPLEX_HALF;
	assert_int_equal(only().severity, INCIDENT_NOTICE);
}

static void a_full_train_is_told_before_it_is_full(void **state)
{
	(void) state;
	health.radio.labels = 6298;
	what_is_well_is_no_finding(state);
	health.radio.labels = 6299;
	assert_string_equal(only().kind, "radio-full");
}

static void a_controller_without_channel_map_matters_beside_wifi_only(void **state)
{
	char step[FLEET_STEP_MAX];

	(void) state;
	health.radio.refused = 1;
	assert_string_equal(only().kind, "radio-channels");
	fleet_advise_radio(&health, step, sizeof(step));
	assert_non_null(strstr(step, "0x01"));
	health.radio.wanted = PROTO_CHANNELS_ALL;
	what_is_well_is_no_finding(state);
}

static void advice_about_the_radio_names_what_matters_most(void **state)
{
	char step[FLEET_STEP_MAX];

	(void) state;
	health.radio.commands = 1000;
	health.radio.retries = 400;
	fleet_advise_radio(&health, step, sizeof(step));
	assert_non_null(strstr(step, "400 of 1000"));
	health.radio.signal[2] = 20;
	fleet_advise_radio(&health, step, sizeof(step));
	assert_non_null(strstr(step, "-85 dBm"));
	health.radio.lost = 5;
	fleet_advise_radio(&health, step, sizeof(step));
	assert_non_null(strstr(step, "5 of 40 labels are silent"));
}

static void the_api_tells_train_channels_and_signal(void **state)
{
	json_t *r = fleet_label_radio_json(&health), *train = json_object_get(r, "train"), *bin;

	(void) state;
	assert_true(json_real_value(json_object_get(train, "interval_ms")) == 1560.0);
	assert_true(json_real_value(json_object_get(train, "response_spacing_ms")) == 0.75);
	assert_int_equal(json_array_size(json_object_get(json_object_get(r, "channels"), "used")),
			 3);
	assert_int_equal(json_array_size(json_object_get(r, "groups")), 2);
	bin = json_array_get(json_object_get(r, "signal"), 0);
	assert_true(json_is_null(json_object_get(bin, "from_dbm")));
	assert_int_equal(json_integer_value(json_object_get(bin, "to_dbm")), -95);
	bin = json_array_get(json_object_get(r, "signal"), 11);
	assert_int_equal(json_integer_value(json_object_get(bin, "from_dbm")), -45);
	assert_true(json_is_null(json_object_get(bin, "to_dbm")));
	json_decref(r);
	health.radio.driver[0] = '\0'; /* an older agent */
	r = fleet_label_radio_json(&health);
	assert_int_equal(json_object_size(r), 2);
	json_decref(r);
}

static void the_api_tells_whom_a_dead_machine_would_leave_to_pair(void **state)
{
	json_t *r;

	(void) state;
	health.radio.unescrowed = 5;
	health.radio.unescrowed_bonds = 3;
	r = fleet_label_radio_json(&health);
	assert_int_equal(
		json_integer_value(json_object_get(json_object_get(r, "keys"), "unescrowed_bonds")),
		3);
	assert_int_equal(
		json_integer_value(json_object_get(json_object_get(r, "keys"), "unescrowed")), 5);
	json_decref(r);
	health.radio.unescrowed = 0;
	health.radio.unescrowed_bonds = -1; /* an agent that does not say is not one of none */
	r = fleet_label_radio_json(&health);
	assert_true(json_is_null(json_object_get(json_object_get(r, "keys"), "unescrowed_bonds")));
	assert_true(json_is_null(json_object_get(json_object_get(r, "keys"), "unescrowed")));
	json_decref(r);
}

static void access_points_of_another_make_are_told_and_advised_about(void **state)
{
	struct proto_health_radio *radio = &health.radio;
	char step[FLEET_STEP_MAX];
	json_t *r, *s;

	(void) state;
	radio->n_stations = 2;
	radio->stations[0] = (struct proto_station){.address = "http://192.0.2.7",
						    .state = "online",
						    .up = true,
						    .channel = 11,
						    .heap_bytes = 100000,
						    .storage_bytes = -1,
						    .wifi_dbm = -50};
	radio->stations[1] = (struct proto_station){.address = "http://192.0.2.8", .tags = -1};
	r = fleet_label_radio_json(&health);
	s = json_array_get(json_object_get(r, "stations"), 0);
	assert_string_equal(json_string_value(json_object_get(s, "address")), "http://192.0.2.7");
	assert_int_equal(json_integer_value(json_object_get(s, "channel")), 11);
	assert_int_equal(json_integer_value(json_object_get(s, "wifi_dbm")), -50);
	assert_true(json_is_null(json_object_get(s, "storage_bytes")));
	assert_true(json_is_null(json_object_get(s, "name")));
	json_decref(r);
	snprintf(health.radio_state, sizeof(health.radio_state), "down");
	fleet_advise_radio(&health, step, sizeof(step));
	assert_non_null(strstr(step, "192.0.2.8"));
	assert_null(strstr(step, "Bluetooth"));
	radio->stations[1] = radio->stations[0];
	radio->stations[1].low_batteries = 3;
	fleet_advise_radio(&health, step, sizeof(step));
	assert_non_null(strstr(step, "3 labels"));
}

static void the_api_tells_unknown_things_as_null(void **state)
{
	json_t *list = fleet_interfaces_json(&health), *eth = json_array_get(list, 0),
	       *wlan = json_array_get(list, 1);

	(void) state;
	assert_true(json_is_null(json_object_get(eth, "busy_percent")));
	assert_true(json_is_null(json_object_get(eth, "ssid")));
	assert_true(json_is_null(json_object_get(eth, "role")));
	assert_int_equal(json_integer_value(json_object_get(eth, "speed_mbps")), 1000);
	assert_int_equal(json_integer_value(json_object_get(wlan, "busy_percent")), 31);
	assert_string_equal(json_string_value(json_object_get(wlan, "role")), "access-point");
	assert_int_equal(json_integer_value(json_object_get(wlan, "noise_dbm")), -92);
	json_decref(list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(what_is_well_is_no_finding, reset),
		cmocka_unit_test_setup(a_link_that_was_up_and_is_down_is_told, reset),
		cmocka_unit_test_setup(a_link_that_comes_and_goes_is_told_as_that_alone, reset),
		cmocka_unit_test_setup(half_duplex_is_worth_a_notice, reset),
		cmocka_unit_test_setup(a_full_train_is_told_before_it_is_full, reset),
		cmocka_unit_test_setup(a_controller_without_channel_map_matters_beside_wifi_only,
				       reset),
		cmocka_unit_test_setup(advice_about_the_radio_names_what_matters_most, reset),
		cmocka_unit_test_setup(the_api_tells_train_channels_and_signal, reset),
		cmocka_unit_test_setup(the_api_tells_whom_a_dead_machine_would_leave_to_pair,
				       reset),
		cmocka_unit_test_setup(access_points_of_another_make_are_told_and_advised_about,
				       reset),
		cmocka_unit_test_setup(the_api_tells_unknown_things_as_null, reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
