/* SPDX-License-Identifier: Apache-2.0 */
/* Bonds and what is remembered with them: the table, and the form in which they are stored. */
#include "tests/unit/test_common.h"

#include "common/err.h"
#include "esl-radio/le/le_bonds.h"
#include <string.h>

static const struct esl_bond bond = {
	.known = true, .addr_type = 1, .ltk = {1, 2, 3}, .own_type = 1, .own = {0xc0, 9, 8, 7}};

static struct esl_kind kind_of(unsigned int n)
{
	struct esl_kind k = {
		.known = true,
		.has_facts = true,
		.hash = {(uint8_t) n, (uint8_t) (n >> 8)},
		.value = {3, 5, 7},
		.turn_on = {[8] = 30},
		.facts = {.n_displays = 1,
			  .displays = {{296, 128, 6}},
			  .max_image_index = 2,
			  .n_leds = 1,
			  .leds = {0x3f},
			  .n_sensors = 2,
			  .sensors = {{.number = 0x54}, {.vendor = true, .number = 0x12345678}},
			  .identity = {.model = "A model", .has_pnp = true, .product = 7}},
	};

	return k;
}

static void addr_of(unsigned int n, uint8_t addr[ESL_ADDR_BYTES])
{
	memset(addr, 0, ESL_ADDR_BYTES);
	addr[2] = (uint8_t) (n * 37);
	addr[4] = (uint8_t) (n >> 8);
	addr[5] = (uint8_t) n;
}

static void kinds_are_equal(const struct esl_kind *a, const struct esl_kind *b)
{
	_cleanup_buf_ struct buf x = BUF_INIT, y = BUF_INIT;

	esl_kind_put(&x, a);
	esl_kind_put(&y, b);
	assert_int_equal(x.len, y.len);
	assert_memory_equal(x.data, y.data, x.len);
}

static void what_is_stored_comes_back(void **state)
{
	struct le_bonds t = {.n = 0}, u = {.n = 0};
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct esl_kind k = kind_of(1), again;
	uint8_t addr[ESL_ADDR_BYTES];
	struct wire w;

	(void) state;
	addr_of(1, addr);
	assert_int_equal(le_bonds_keep(&t, addr, &bond), 0);
	assert_false(le_bonds_recall(&t, le_bonds_find(&t, addr), &again));
	assert_true(le_bonds_remember(&t, le_bonds_find(&t, addr), &k));
	assert_false(le_bonds_remember(&t, le_bonds_find(&t, addr), &k));
	le_bonds_put(&t, le_bonds_find(&t, addr), &b);
	wire_init(&w, b.data, b.len);
	assert_int_equal(le_bonds_get(&u, addr, &w), 0);
	assert_memory_equal(le_bonds_find(&u, addr)->is.ltk, bond.ltk, LE_KEY_BYTES);
	assert_true(le_bonds_recall(&u, le_bonds_find(&u, addr), &again));
	kinds_are_equal(&k, &again);
	assert_int_equal(again.facts.sensors[1].number, 0x12345678);
	assert_string_equal(again.facts.identity.model, "A model");
	le_bonds_done(&t);
	le_bonds_done(&u);
}

static void bond_survives_what_cannot_be_read_of_its_kind(void **state)
{
	struct le_bonds t = {.n = 0};
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct esl_kind k = kind_of(1), again;
	uint8_t addr[ESL_ADDR_BYTES];
	size_t own = 3 + LE_KEY_BYTES + ESL_ADDR_BYTES;

	(void) state;
	addr_of(1, addr);
	assert_int_equal(le_bonds_keep(&t, addr, &bond), 0);
	(void) le_bonds_remember(&t, le_bonds_find(&t, addr), &k);
	le_bonds_put(&t, le_bonds_find(&t, addr), &b);
	for (size_t len = 0; len < b.len; len++) {
		struct le_bonds u = {.n = 0};
		struct wire w;

		wire_init(&w, b.data, len);
		assert_int_equal(le_bonds_get(&u, addr, &w), len == 0    ? -ERR_VERSION
							     : len < own ? -ERR_BADMSG
									 : 0);
		if (len >= own)
			assert_false(le_bonds_recall(&u, le_bonds_find(&u, addr), &again));
		le_bonds_done(&u);
	}
	le_bonds_done(&t);
}

static void labels_of_a_model_share_one_record(void **state)
{
	struct le_bonds t = {.n = 0};
	struct esl_kind k = kind_of(1), other = kind_of(2), again;
	uint8_t addr[ESL_ADDR_BYTES];
	unsigned int used = 0;

	(void) state;
	for (unsigned int i = 0; i < 1000; i++) {
		addr_of(i, addr);
		assert_int_equal(le_bonds_keep(&t, addr, &bond), 0);
		assert_true(le_bonds_remember(&t, le_bonds_find(&t, addr), i % 3 ? &k : &other));
	}
	for (size_t i = 0; i < ESL_KINDS_MAX; i++)
		used += t.kinds.row[i].used > 0;
	assert_int_equal(used, 2);
	for (unsigned int i = 0; i < 1000; i++) {
		addr_of(i, addr);
		assert_true(le_bonds_recall(&t, le_bonds_find(&t, addr), &again));
		kinds_are_equal(&again, i % 3 ? &k : &other);
		le_bonds_drop(&t, le_bonds_find(&t, addr));
		assert_null(le_bonds_find(&t, addr));
	}
	for (size_t i = 0; i < ESL_KINDS_MAX; i++)
		assert_null(t.kinds.row[i].data);
	le_bonds_done(&t);
}

static void more_kinds_than_there_is_room_for_are_not_remembered(void **state)
{
	struct le_bonds t = {.n = 0};
	uint8_t addr[ESL_ADDR_BYTES];

	(void) state;
	for (unsigned int i = 0; i <= ESL_KINDS_MAX; i++) {
		struct esl_kind k = kind_of(i);

		addr_of(i, addr);
		assert_int_equal(le_bonds_keep(&t, addr, &bond), 0);
		assert_int_equal(le_bonds_remember(&t, le_bonds_find(&t, addr), &k),
				 i < ESL_KINDS_MAX);
	}
	addr_of(3, addr);
	le_bonds_drop(&t, le_bonds_find(&t, addr));
	addr_of(ESL_KINDS_MAX, addr);
	assert_true(
		le_bonds_remember(&t, le_bonds_find(&t, addr), &(struct esl_kind){.known = true}));
	le_bonds_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_stored_comes_back),
		cmocka_unit_test(bond_survives_what_cannot_be_read_of_its_kind),
		cmocka_unit_test(labels_of_a_model_share_one_record),
		cmocka_unit_test(more_kinds_than_there_is_room_for_are_not_remembered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
