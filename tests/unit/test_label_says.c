/* SPDX-License-Identifier: Apache-2.0 */
#include "esl-radio/label_says.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void displays_are_told_apart_and_half_a_one_is_none(void **state)
{
	const uint8_t two[] = {0x28, 0x01, 0x80, 0x00, 1, 0xc8, 0x00, 0xc8, 0x00, 2, 0x28, 0x01};
	struct esl_link_result r = {.n_displays = 0};

	(void) state;
	label_says_displays(&r, two, sizeof(two));
	assert_int_equal(r.n_displays, 2);
	assert_int_equal(r.displays[0].width, 296);
	assert_int_equal(r.displays[0].height, 128);
	assert_int_equal(r.displays[1].width, 200);
	assert_int_equal(r.displays[1].type, 2);
}

static void more_than_there_is_room_for_is_left_out(void **state)
{
	static const uint8_t many[512] = {1};
	struct esl_link_result r = {.n_displays = 0};

	(void) state;
	label_says_displays(&r, many, sizeof(many));
	label_says_leds(&r, many, sizeof(many));
	label_says_sensors(&r, many, sizeof(many));
	assert_int_equal(r.n_displays, ESL_DISPLAYS_MAX);
	assert_int_equal(r.n_leds, ESL_LEDS_MAX);
	assert_int_equal(r.n_sensors, SENSORS_MAX);
}

static void nothing_is_no_fault(void **state)
{
	struct esl_link_result r = {.max_image_index = 3, .temperature_cc = INT16_MIN};

	(void) state;
	label_says_displays(&r, NULL, 0);
	label_says_images(&r, NULL, 0);
	label_says_leds(&r, NULL, 0);
	label_says_sensors(&r, NULL, 0);
	label_says_reading(&r, 0);
	label_says_model(&r.identity, NULL, 0);
	label_says_pnp(&r.identity, NULL, 0);
	label_says_type(&r.identity, NULL, 0);
	assert_int_equal(r.n_displays + r.n_leds + r.n_sensors, 0);
	assert_int_equal(r.max_image_index, 3);
	assert_int_equal(r.sensors[0].len, 0);
	assert_string_equal(r.identity.model, "");
	assert_false(r.identity.has_pnp || r.identity.has_type);
}

/** Temperature, voltage, and one of a maker's own. */
static void set_sensors(struct esl_link_result *r)
{
	const uint8_t three[] = {0, 0x54, 0x00, 0, 0x59, 0x00, 1, 0xff, 0x02, 0x34, 0x12};

	*r = (struct esl_link_result){.temperature_cc = INT16_MIN};
	label_says_sensors(r, three, sizeof(three));
	assert_int_equal(r->n_sensors, 3);
	assert_true(r->sensors[2].id.vendor);
	assert_int_equal(r->sensors[2].id.number, 0x02ff1234);
}

static void answer(struct esl_link_result *r, unsigned int n, const char *tlv, size_t len)
{
	memcpy(r->tlv, tlv, len);
	r->tlv_len = (uint8_t) len;
	label_says_reading(r, n);
	assert_int_equal(r->tlv_len, 0);
}

static void readings_are_kept_and_some_understood(void **state)
{
	struct esl_link_result r;

	(void) state;
	set_sensors(&r);
	answer(&r, 0, "\x2e\x00\x66\x08", 4);
	answer(&r, 1, "\x2e\x01\xc0\x00", 4);
	answer(&r, 2, "\x1e\x02\x07", 3);
	assert_int_equal(r.temperature_cc, 2150);
	assert_int_equal(r.battery_mv, 3000);
	assert_int_equal(r.sensors[2].len, 1);
	assert_int_equal(r.sensors[2].data[0], 7);
}

static void voltage_that_is_not_known_is_no_full_battery(void **state)
{
	struct esl_link_result r;

	(void) state;
	set_sensors(&r);
	answer(&r, 1, "\x2e\x01\xff\xff", 4);
	assert_int_equal(r.battery_mv, 0);
}

static void error_is_no_reading(void **state)
{
	struct esl_link_result r;

	(void) state;
	set_sensors(&r);
	answer(&r, 1, "\x00\x0a", 2);
	answer(&r, 0, "\x2e\x00\x66", 3);
	assert_int_equal(r.sensors[0].len, 0);
	assert_int_equal(r.sensors[1].len, 0);
	assert_int_equal(r.battery_mv, 0);
}

static void identity_is_model_maker_and_type_of_picture(void **state)
{
	const uint8_t pnp[] = {1, 0xff, 0x02, 0x34, 0x12, 0, 1};
	const uint8_t type[] = {0x34, 0x12};
	struct pixel_identity id = {.has_pnp = false};
	char name[PIXEL_NAME_MAX + 1];

	(void) state;
	memset(name, 'x', sizeof(name));
	label_says_model(&id, (const uint8_t *) "Panel\0of old", 12);
	assert_string_equal(id.model, "Panel");
	label_says_model(&id, (const uint8_t *) name, sizeof(name));
	assert_int_equal(strlen(id.model), PIXEL_NAME_MAX - 1);
	label_says_pnp(&id, pnp, sizeof(pnp));
	assert_true(id.has_pnp);
	assert_int_equal(id.vendor, 0x02ff);
	assert_int_equal(id.product, 0x1234);
	label_says_type(&id, type, sizeof(type));
	assert_true(id.has_type);
	assert_memory_equal(id.type, "\0\0\x12\x34\0\0\x10\0", 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(displays_are_told_apart_and_half_a_one_is_none),
		cmocka_unit_test(more_than_there_is_room_for_is_left_out),
		cmocka_unit_test(nothing_is_no_fault),
		cmocka_unit_test(readings_are_kept_and_some_understood),
		cmocka_unit_test(voltage_that_is_not_known_is_no_full_battery),
		cmocka_unit_test(error_is_no_reading),
		cmocka_unit_test(identity_is_model_maker_and_type_of_picture),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
