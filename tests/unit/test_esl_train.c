/* SPDX-License-Identifier: Apache-2.0 */
/* The engine's train: how full its packets are, what never repeats in them, what is kept of it and
 * which parameters it can have. */
#include "common/err.h"
#include "esl-radio/packer.h"
#include "esl-radio/wake.h"
#include "tests/unit/esl_fake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct fake f;

static void commands_of_many_labels_share_a_packet(void **state)
{
	struct esl_packet p;
	uint8_t air[ESL_AD_MAX + EAD_OVERHEAD];
	struct esl_cmd ping = {.op = ESL_OP_PING, .esl_id = 3};

	(void) state;
	fake_open(&f);
	fake_join(&f);
	/* Labels with the same group as the first, as if they had joined. */
	for (uint8_t i = 2; i < 40; i++) {
		uint8_t addr[ESL_ADDR_BYTES] = {0xc0, 0xff, 0xee, 0, 0, i};
		struct esl_label *l;

		assert_int_equal(esl_label_add(f.engine, addr, &l), 0);
		assert_int_equal(esl_label_place(f.engine, l, f.group, i), 0);
		l->configured = true;
		l->phase = ESL_PHASE_SYNCED;
		l->visit_after_us = ESL_NEVER;
		esl_reconsider(f.engine, l);
	}
	assert_non_null(fake_request(&f));
	assert_int_equal(f.radio->sets[0].n, 23);
	assert_non_null(
		fake_request(&f)); /* the other ones have their turn, then the silent ones */
	assert_int_equal(f.radio->sets[0].n, 23);
	assert_int_equal(f.radio->sets[0].cmd[0].esl_id, 25);
	esl_packet_init(&p, f.group);
	while (esl_packet_add(&p, &ping) >= 0)
		;
	assert_int_equal(esl_packet_seal(f.engine, &p, air, sizeof(air)), p.len + 2 + EAD_OVERHEAD);
	fake_close(&f);
}

static void randomizers_never_repeat_over_a_restart(void **state)
{
	uint8_t first[EAD_RAND_BYTES], again[EAD_RAND_BYTES];

	(void) state;
	fake_open(&f);
	assert_int_equal(esl_next_randomizer(f.engine, first), 0);
	f.engine->rand_next = f.engine->rand_end; /* where a restart begins */
	assert_int_equal(esl_next_randomizer(f.engine, again), 0);
	assert_true(memcmp(first, again, sizeof(first)) != 0);
	f.engine->rand_next = f.engine->rand_end = (UINT64_C(1) << 39) - 1;
	assert_int_equal(esl_next_randomizer(f.engine, again), -ERR_STATE);
	fake_close(&f);
}

static void broken_blobs_are_refused(void **state)
{
	struct esl_engine_config cfg = {.seed = 1, .hci = "unix:/nowhere"};
	struct esl_engine_callbacks cb = {0};
	_cleanup_(loop_freep) struct loop *loop = NULL;
	struct esl_engine *e;
	uint8_t junk[200];

	(void) state;
	memset(junk, 0xff, sizeof(junk));
	assert_int_equal(loop_new_virtual(0, 0, &loop), 0);
	assert_int_equal(esl_engine_new(loop, &cfg, &cb, NULL, &e), 0);
	assert_int_equal(esl_engine_restore(e, "train", junk, sizeof(junk)), -ERR_VERSION);
	assert_int_equal(esl_engine_restore(e, "C0FFEE000001", junk, sizeof(junk)), -ERR_VERSION);
	junk[0] = 1;
	assert_int_equal(esl_engine_restore(e, "train", junk, sizeof(junk)), -ERR_CORRUPT);
	for (size_t n = 0; n < sizeof(junk); n++)
		assert_true(esl_engine_restore(e, "C0FFEE000001", junk, n) < 0);
	assert_int_equal(esl_engine_restore(e, "nonsense", junk, 10), -ERR_SYNTAX);
	esl_engine_free(e);
}

static void trains_that_cannot_be_are_refused(void **state)
{
	static const struct esl_train bad[] = {
		{.interval = 5},
		{.interval = 100},
		{.subevents = 129, .interval = 65535},
		{.subevent_interval = 5},
		{.response_delay = 48},
		{.response_slots = 24},
		{.response_spacing = 1},
	};
	struct esl_train good = {0};
	char why[ESL_TEXT_MAX];

	(void) state;
	assert_int_equal(esl_train_check(&good, why), 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(esl_train_check(&bad[i], why), -ERR_RANGE);
		assert_true(why[0] != '\0');
	}
	good = (struct esl_train){1408, 128, 11, 8, 3, 8}; /* another maker's default */
	assert_int_equal(esl_train_check(&good, why), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(commands_of_many_labels_share_a_packet),
		cmocka_unit_test(randomizers_never_repeat_over_a_restart),
		cmocka_unit_test(broken_blobs_are_refused),
		cmocka_unit_test(trains_that_cannot_be_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
