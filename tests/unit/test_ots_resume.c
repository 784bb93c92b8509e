/* SPDX-License-Identifier: Apache-2.0 */
#include "esl-radio/le/ots_resume.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define LEN  1000
#define UNIT 64

static const uint8_t label[6] = {0xc0, 0xff, 0xee, 0, 0, 1};

static const uint8_t *picture(void)
{
	static uint8_t bytes[LEN];

	for (size_t i = 0; i < LEN; i++)
		bytes[i] = (uint8_t) (i * 7);
	return bytes;
}

/** An attempt to go on with it. */
static struct ots_resume resume_of(uint32_t sent)
{
	return (struct ots_resume){.kept = {.index = 2, .unit = UNIT, .len = LEN, .sent = sent}};
}

static size_t first(struct ots_resume *r, uint32_t size)
{
	const uint8_t bytes[8] = {(uint8_t) size, (uint8_t) (size >> 8)};

	return ots_resume_first(r, bytes, sizeof(bytes));
}

static void picture_that_broke_off_is_gone_on_with_once(void **state)
{
	struct ots_partials p = {.next = 0};
	struct ots_partial is = {.index = 2,
				 .unit = UNIT,
				 .crc = ots_checksum(picture(), LEN),
				 .len = LEN,
				 .sent = 500};

	(void) state;
	ots_partials_put(&p, label, &is);
	assert_int_equal(ots_partials_take(&p, label, 2, picture(), LEN).sent, 500);
	assert_int_equal(ots_partials_take(&p, label, 2, picture(), LEN).len, 0);
}

static void another_picture_place_or_label_is_begun_anew(void **state)
{
	struct ots_partials p = {.next = 0};
	struct ots_partial is = {.index = 2,
				 .unit = UNIT,
				 .crc = ots_checksum(picture(), LEN),
				 .len = LEN,
				 .sent = 500};
	const uint8_t other[6] = {0xc0, 0xff, 0xee, 0, 0, 2};
	uint8_t changed[LEN];

	(void) state;
	memcpy(changed, picture(), LEN);
	changed[LEN - 1] ^= 1;
	ots_partials_put(&p, label, &is);
	assert_int_equal(ots_partials_take(&p, other, 2, picture(), LEN).len, 0);
	assert_int_equal(ots_partials_take(&p, label, 3, picture(), LEN).len, 0);
	ots_partials_put(&p, label, &is);
	assert_int_equal(ots_partials_take(&p, label, 2, changed, LEN).len, 0);
	ots_partials_put(&p, label, &is);
	assert_int_equal(ots_partials_take(&p, label, 2, picture(), LEN - 1).len, 0);
}

static void the_oldest_makes_room(void **state)
{
	struct ots_partials p = {.next = 0};
	struct ots_partial is = {
		.unit = UNIT, .crc = ots_checksum(picture(), LEN), .len = LEN, .sent = 1};
	uint8_t addr[6] = {0};

	(void) state;
	for (uint8_t i = 0; i <= OTS_PARTIALS; i++) {
		addr[5] = i;
		ots_partials_put(&p, addr, &is);
	}
	addr[5] = 0;
	assert_int_equal(ots_partials_take(&p, addr, 0, picture(), LEN).len, 0);
	addr[5] = 1;
	assert_int_equal(ots_partials_take(&p, addr, 0, picture(), LEN).len, LEN);
	addr[5] = OTS_PARTIALS;
	assert_int_equal(ots_partials_take(&p, addr, 0, picture(), LEN).len, LEN);
}

static void proof_takes_a_checksum_and_a_write_from_the_middle(void **state)
{
	(void) state;
	assert_true(ots_resume_offered((const uint8_t *) "\x24\x01\0\0\0\0\0\0", 8));
	assert_false(ots_resume_offered((const uint8_t *) "\x20\x01\0\0\0\0\0\0", 8));
	assert_false(ots_resume_offered((const uint8_t *) "\x24\0\0\0\0\0\0\0", 8));
	assert_false(ots_resume_offered((const uint8_t *) "\x24\x01\0", 3));
}

static void whole_units_are_guessed_from_what_it_has_downwards(void **state)
{
	struct ots_resume r = resume_of(500);

	(void) state;
	assert_int_equal(first(&r, 300), 4 * UNIT);
	assert_int_equal(ots_resume_fewer(&r), 3 * UNIT);
	assert_int_equal(ots_resume_fewer(&r), 2 * UNIT);
	assert_int_equal(ots_resume_fewer(&r), UNIT);
	assert_int_equal(ots_resume_fewer(&r), 0);
	assert_int_equal(r.kept.len, 0);
	r = resume_of(500);
	assert_int_equal(first(&r, LEN), 7 * UNIT); /* no more than was sent */
	r = resume_of(LEN);
	for (size_t n = first(&r, LEN), i = 0; n > 0; n = ots_resume_fewer(&r), i++)
		assert_true(i < 6); /* not for ever */
}

static void something_is_left_to_be_written(void **state)
{
	struct ots_resume r = resume_of(10 * UNIT);

	(void) state;
	r.kept.len = 10 * UNIT;
	assert_int_equal(first(&r, 10 * UNIT), 9 * UNIT);
	r = resume_of(UNIT);
	r.kept.len = UNIT;
	assert_int_equal(first(&r, UNIT), 0);
}

static void what_says_nothing_is_begun_anew(void **state)
{
	struct ots_resume r = resume_of(500);

	(void) state;
	assert_int_equal(ots_resume_first(&r, (const uint8_t *) "\x01\x01", 2), 0);
	assert_int_equal(ots_resume_fewer(&r), 0);
	r = resume_of(500);
	r.kept.unit = 0;
	assert_int_equal(first(&r, 500), 0);
	r = resume_of(500);
	assert_int_equal(first(&r, 0), 0);
}

static void proof_is_the_checksum_of_what_was_asked_for(void **state)
{
	struct ots_resume r = resume_of(500);
	struct ots_control c = {.op = OACP_RESPONSE, .request = OACP_CHECKSUM};

	(void) state;
	c.checksum = ots_checksum(picture(), first(&r, 500));
	c.result = OTS_SUCCESS;
	assert_true(ots_resume_proven(&r, &c, picture(), LEN));
	assert_false(ots_resume_proven(&r, &c, picture(), r.asked - 1));
	c.checksum ^= 1;
	assert_false(ots_resume_proven(&r, &c, picture(), LEN));
	c.checksum ^= 1;
	c.result = OTS_INVALID_PARAMETER;
	assert_false(ots_resume_proven(&r, &c, picture(), LEN));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(picture_that_broke_off_is_gone_on_with_once),
		cmocka_unit_test(another_picture_place_or_label_is_begun_anew),
		cmocka_unit_test(the_oldest_makes_room),
		cmocka_unit_test(proof_takes_a_checksum_and_a_write_from_the_middle),
		cmocka_unit_test(whole_units_are_guessed_from_what_it_has_downwards),
		cmocka_unit_test(something_is_left_to_be_written),
		cmocka_unit_test(what_says_nothing_is_begun_anew),
		cmocka_unit_test(proof_is_the_checksum_of_what_was_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
