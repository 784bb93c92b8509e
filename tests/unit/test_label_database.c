/* SPDX-License-Identifier: Apache-2.0 */
/* The hash by which a client sees that a label's attributes are still the same. */
#include "tests/unit/test_common.h"

#include "sim/label_database.h"
#include <string.h>

struct sample {
	uint16_t handle, type;
	const char *value;
	size_t len;
};

/* The database of the specification's sample data (Core Specification, Vol 3 Part G Appendix B). */
static const struct sample samples[] = {
	{0x0001, 0x2800, "\x00\x18", 2},
	{0x0002, 0x2803, "\x0a\x03\x00\x00\x2a", 5},
	{0x0003, 0x2a00, "a name", 6},
	{0x0004, 0x2803, "\x02\x05\x00\x01\x2a", 5},
	{0x0005, 0x2a01, "\x00\x00", 2},
	{0x0006, 0x2800, "\x01\x18", 2},
	{0x0007, 0x2803, "\x20\x08\x00\x05\x2a", 5},
	{0x0008, 0x2a05, "", 0},
	{0x0009, 0x2902, "\x02\x00", 2},
	{0x000a, 0x2803, "\x0a\x0b\x00\x29\x2b", 5},
	{0x000b, 0x2b29, "\x01", 1},
	{0x000c, 0x2803, "\x02\x0d\x00\x2a\x2b", 5},
	{0x000d, 0x2b2a, "", 0},
	{0x000e, 0x2800, "\x08\x18", 2},
	{0x000f, 0x2802, "\x14\x00\x16\x00\x0f\x18", 6},
	{0x0010, 0x2803, "\xa2\x11\x00\x18\x2a", 5},
	{0x0011, 0x2a18, "\x01\x02", 2},
	{0x0012, 0x2902, "\x00\x00", 2},
	{0x0013, 0x2900, "\x00\x00", 2},
	{0x0014, 0x2801, "\x0f\x18", 2},
	{0x0015, 0x2803, "\x02\x16\x00\x19\x2a", 5},
	{0x0016, 0x2a19, "\x64", 1},
};

static void hash_of(const struct sample *s, size_t n, uint8_t ret[DATABASE_HASH_BYTES])
{
	_cleanup_buf_ struct buf message = BUF_INIT;

	for (size_t i = 0; i < n; i++)
		database_add(&message, s[i].handle, s[i].type, s[i].value, s[i].len);
	assert_true(buf_ok(&message));
	database_hash(&message, ret);
}

static void hash_is_that_of_the_specification(void **state)
{
	static const uint8_t expected[DATABASE_HASH_BYTES] = {0xf1, 0xca, 0x2d, 0x48, 0xec, 0xf5,
							      0x8b, 0xac, 0x8a, 0x88, 0x30, 0xbb,
							      0xb9, 0xfb, 0xa9, 0x90};
	uint8_t hash[DATABASE_HASH_BYTES];

	(void) state;
	hash_of(samples, ARRAY_SIZE(samples), hash);
	assert_memory_equal(hash, expected, sizeof(hash));
}

static void values_do_not_count_but_handles_do(void **state)
{
	struct sample other[ARRAY_SIZE(samples)];
	uint8_t hash[DATABASE_HASH_BYTES], changed[DATABASE_HASH_BYTES];

	(void) state;
	hash_of(samples, ARRAY_SIZE(samples), hash);
	memcpy(other, samples, sizeof(other));
	other[2].value = "another";  /* the device's name */
	other[8].value = "\x00\x00"; /* what one client has switched on */
	hash_of(other, ARRAY_SIZE(other), changed);
	assert_memory_equal(hash, changed, sizeof(hash));
	other[21].handle++;
	hash_of(other, ARRAY_SIZE(other), changed);
	assert_memory_equal(hash, changed, sizeof(hash)); /* its declaration says where it is */
	other[20].value = "\x02\x17\x00\x19\x2a";
	hash_of(other, ARRAY_SIZE(other), changed);
	assert_memory_not_equal(hash, changed, sizeof(hash));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hash_is_that_of_the_specification),
		cmocka_unit_test(values_do_not_count_but_handles_do),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
