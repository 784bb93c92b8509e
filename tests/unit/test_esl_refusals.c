/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every error a label may answer with, to every kind of command: what the engine does next, that it
 * names what it gives up, and that all is well again once the label takes commands.
 */
#include "esl-radio/flash.h"
#include "esl-radio/sensor.h"
#include "tests/unit/esl_fake.h"

#include "common/err.h"
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define HOUR    (INT64_C(3600) * US_PER_SEC)
#define MINUTE  (INT64_C(60) * US_PER_SEC)
#define BEATS_H 2307 /* train events in an hour */

static struct fake f;
static int64_t end_us; /* UTC: of the flash, of the reading, or the instant of the change */

/* What follows, by code from 01 on; the last letter is that of all other codes.
 * A again at once, L later, B in ten minutes, S the picture is sent, I information is read first,
 * T what it holds is taken back first, C its clock is set first, H by hand at its instant, D done,
 * G given up. */
static const struct row {
	const char *name;
	uint8_t op;
	const char *codes;
} rows[] = {
	{"show now", ESL_OP_DISPLAY_IMAGE, "LLLISILBLALLL"},
	{"show at an instant", ESL_OP_DISPLAY_TIMED, "LHLISILBLATCL"},
	{"take back", ESL_OP_DISPLAY_TIMED, "LDLLLDLBLALLL"},
	{"light", ESL_OP_LED_CONTROL, "LGLGGGGGLALGG"},
	{"sensor", ESL_OP_READ_SENSOR, "LGLGGGGGLALGG"},
	{"sign of life", ESL_OP_PING, "GGGGGGGGGAGGG"},
	{"leave", ESL_OP_UNASSOCIATE, "GGGGGGGGAAGGG"},
};

static const uint8_t codes[] = {0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09,
				0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x00, 0x7f, 0xf0, 0xff};

enum what {
	SHOW,
	TIMED,
	TAKE_BACK,
	LED,
	SENSOR,
	UPKEEP,
	LEAVE
};

static char letter_of(enum what what, uint8_t code)
{
	const char *s = rows[what].codes;

	return code >= 1 && code < strlen(s) ? s[code - 1] : s[strlen(s) - 1];
}

/* --- a label that does as it is told -----------------------------------------------------------
 */

static unsigned int connects, infos, writes, clocks, commands[256];

static void take_command(const struct esl_cmd *c)
{
	struct esl_rsp r = {.tag = (uint8_t) esl_op_answer(c->op), .index = c->index};

	if (r.tag == ESL_RSP_DISPLAY_STATE)
		r.image = c->image;
	if (r.tag == ESL_RSP_BASIC_STATE)
		r.basic = ESL_STATE_SYNCHRONIZED |
			  (esl_label_find(f.engine, fake_addr)->pending.state == ESL_PENDING_ACKED
				   ? ESL_STATE_PENDING_DISPLAY
				   : 0);
	if (r.tag == ESL_RSP_SENSOR_VALUE)
		r.raw_len = 2;
	fake_answer(&f, &r);
}

static void serve_link(void)
{
	struct esl_link_result done = {0};
	struct esl_rsp r = {.tag = ESL_RSP_DISPLAY_STATE};

	while (f.link->op) {
		uint8_t op = f.link->op;

		connects += op == FAKE_CONNECT;
		infos += op == FAKE_READ_INFO;
		writes += op == FAKE_WRITE_IMAGE;
		clocks += op == FAKE_SET_TIME;
		if (op == FAKE_ECP)
			done.tlv_len = (uint8_t) esl_rsp_encode(&r, done.tlv, sizeof(done.tlv));
		fake_done(&f, op, 0, op == FAKE_READ_INFO ? &f.info : &done);
	}
}

static void forget_counts(void)
{
	connects = infos = writes = clocks = 0;
	memset(commands, 0, sizeof(commands));
	f.n_reports = 0;
}

/* One train event; `code` >= 0: refuses commands of that kind. Yields what it was told. */
static const struct esl_cmd *beat(enum what what, int code)
{
	static struct esl_cmd c;
	const struct esl_cmd *told;

	serve_link();
	told = fake_request(&f);
	if (!told)
		return NULL;
	c = *told;
	commands[c.op]++;
	if (code >= 0 && c.op == rows[what].op &&
	    (what == TAKE_BACK ? c.abs_ms == 0 : what != TIMED || c.abs_ms != 0))
		fake_error(&f, (uint8_t) code);
	else
		take_command(&c);
	return &c;
}

static void play(enum what what, int code, int64_t us)
{
	for (int64_t stop = esl_now(f.engine) + us; esl_now(f.engine) < stop;)
		(void) beat(what, code);
}

/* --- arrangements ----------------------------------------------------------------------------- */

static void arrange(enum what what)
{
	struct esl_want w = {0};
	struct esl_label *l;

	fake_open(&f);
	f.n_leds = 1;
	f.led = 0x3f;
	fake_join(&f);
	memcpy(w.addr, fake_addr, sizeof(w.addr));
	end_us = fake_utc(&f) + 50 * US_PER_SEC;
	l = esl_label_find(f.engine, fake_addr);
	switch (what) {
	case SHOW:
		fake_want(&f, 1);
		serve_link();
		break;
	case TIMED:
	case TAKE_BACK:
		end_us = fake_utc(&f) + 2 * HOUR;
		fake_want_two(&f, 1, 2, end_us);
		serve_link();
		assert_int_equal(beat(what, -1)->op, ESL_OP_DISPLAY_IMAGE);
		if (what == TIMED)
			break;
		assert_int_equal(beat(what, -1)->op, ESL_OP_DISPLAY_TIMED);
		fake_want_two(&f, 1, 2, end_us + HOUR); /* later than it was told */
		break;
	case LED:
		esl_flash_want(f.engine, l, end_us, LED_RED);
		break;
	case SENSOR:
		esl_sensors_want(f.engine, l, 1, end_us);
		break;
	case UPKEEP:
		fake_run(&f, 21 * MINUTE);
		break;
	case LEAVE:
		esl_engine_forget(f.engine, fake_addr);
		break;
	}
	forget_counts();
}

/* True if what the command was for came about. */
static bool reached(enum what what)
{
	const struct esl_label *l = esl_label_find(f.engine, fake_addr);

	switch (what) {
	case SHOW:
		return l->shown_slot >= 0 && l->grade != ESL_GRADE_NONE;
	case TIMED:
	case TAKE_BACK:
		return l->pending.state == ESL_PENDING_ACKED || l->no_timed;
	case LED:
		return l->flash->state == ESL_FLASH_ON;
	case SENSOR:
		return !l->sensors_asked;
	case UPKEEP:
		return l->ping_at_us > esl_now(f.engine);
	case LEAVE:
		return !l;
	}
	return false;
}

/* A sentence for a person, whoever asked. */
static const char *named(enum what what)
{
	for (size_t i = 0; i < MIN(f.n_reports, FAKE_REPORTS); i++) {
		const struct esl_report *r = &f.reports[i];

		if (r->text[0] && (what == LED      ? r->led == ESL_LED_FAILED
				   : what == SENSOR ? r->has_sensor
						    : r->kind == ESL_ERROR))
			return r->text;
	}
	return NULL;
}

/* Events until it is told the same again; -1 = not within an hour. */
static int silence(enum what what, const struct esl_cmd *first)
{
	struct esl_cmd before = *first;

	for (int i = 0; i < BEATS_H; i++) {
		const struct esl_cmd *c = beat(what, -1);

		if (c && c->op == before.op && !c->abs_ms == !before.abs_ms)
			return i;
	}
	return -1;
}

/* --- the tests -------------------------------------------------------------------------------- */

/* Events until it is said again, by what follows. */
static bool in_time(enum what what, char letter, int beats)
{
	if (what == UPKEEP) /* it was heard, so that it has time until its next turn */
		return beats > 760 && beats < 775;
	switch (letter) {
	case 'L':
		return beats >= 1 && beats <= 9;
	case 'B':
		return beats >= 380 && beats <= 390;
	case 'D':
	case 'G':
	case 'H':
		return beats < 0;
	default:
		return beats >= 0 && beats <= 3;
	}
}

static void check_reaction(enum what what, uint8_t code, char letter)
{
	struct esl_cmd first;
	int beats;

	arrange(what);
	first = *beat(what, code);
	assert_int_equal(first.op, rows[what].op);
	if (letter == 'T')
		assert_true(beat(what, -1)->abs_ms == 0);
	beats = silence(what, &first);
	if (!in_time(what, letter, beats))
		fail_msg("%s, code %02x: said again after %d events", rows[what].name, code, beats);
	if (letter == 'S' || letter == 'I')
		assert_int_equal(writes, 1);
	if (letter == 'I')
		assert_int_equal(infos, 1);
	if (letter == 'C')
		assert_int_equal(clocks, 1);
	if (letter == 'H') {
		play(what, -1, end_us - fake_utc(&f) + 5 * US_PER_SEC);
		assert_int_equal(commands[ESL_OP_DISPLAY_IMAGE], 1);
		assert_int_equal(commands[ESL_OP_DISPLAY_TIMED], 1);
	}
	fake_close(&f);
}

static void each_code_has_its_reaction(void **state)
{
	(void) state;
	for (enum what what = SHOW; what <= LEAVE; what++)
		for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
			check_reaction(what, codes[i], letter_of(what, codes[i]));
}

static void what_is_refused_once_is_done_or_named(void **state)
{
	(void) state;
	for (enum what what = SHOW; what <= LEAVE; what++)
		for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
			char letter = letter_of(what, codes[i]);

			arrange(what);
			(void) beat(what, codes[i]);
			play(what, -1, 12 * MINUTE);
			if (what == LED && letter == 'G')
				assert_non_null(named(what));
			else
				assert_true(reached(what));
			if (letter != 'A' && letter != 'D' && what != LEAVE && what != LED &&
			    what != SENSOR)
				assert_non_null(named(what));
			fake_close(&f);
		}
}

static void what_is_refused_for_ever_is_named_and_does_not_fill_the_train(void **state)
{
	/* An hour: holds grow to ten minutes, and what is asked for by somebody has an end. */
	static const unsigned int most[] = {80, 80, 80, 34, 12, 80, 21};

	(void) state;
	for (enum what what = SHOW; what <= LEAVE; what++)
		for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
			unsigned int told;

			arrange(what);
			play(what, codes[i], HOUR);
			told = commands[rows[what].op];
			if (told < 1 || told > most[what])
				fail_msg("%s, code %02x: told %u times", rows[what].name, codes[i],
					 told);
			if (what == LEAVE)
				assert_null(esl_label_find(f.engine, fake_addr));
			else if (letter_of(what, codes[i]) != 'D' &&
				 (what != UPKEEP || codes[i] != ESL_ERR_RETRY))
				assert_non_null(named(what));
			fake_close(&f);
		}
}

static void two_refusals_by_turns_do_not_fill_the_train_either(void **state)
{
	static const uint8_t two[] = {0x01, 0x04, 0x05, 0x08, 0x0a, 0x0b, 0x0c};

	(void) state;
	for (size_t i = 0; i < ARRAY_SIZE(two); i++)
		for (size_t j = 0; j < i; j++) {
			unsigned int refused = 0;

			arrange(TIMED);
			while (commands[ESL_OP_DISPLAY_TIMED] == 0)
				(void) beat(TIMED, two[i]);
			for (int64_t stop = esl_now(f.engine) + HOUR; esl_now(f.engine) < stop;) {
				const struct esl_cmd *c =
					beat(TIMED, refused % 2 ? two[i] : two[j]);

				refused += c && c->op == ESL_OP_DISPLAY_TIMED && c->abs_ms;
			}
			if (refused < 1 || refused > 80)
				fail_msg("%02x and %02x: told %u times", two[i], two[j], refused);
			fake_close(&f);
		}
}

static void price_does_not_wait_for_what_is_refused_beside_it(void **state)
{
	(void) state;
	for (enum what what = LED; what <= UPKEEP; what++)
		for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
			arrange(what);
			for (int n = 0; n < 20; n++)
				(void) beat(what, codes[i]);
			forget_counts();
			fake_want(&f, 1);
			serve_link();
			for (int n = 0; n < 2; n++)
				(void) beat(what, codes[i]);
			assert_int_equal(commands[ESL_OP_DISPLAY_IMAGE], 1);
			fake_close(&f);
		}
}

static void price_that_becomes_due_is_tried_whatever_was_refused_before(void **state)
{
	static const uint8_t later[] = {ESL_ERR_UNSPECIFIED, ESL_ERR_BATTERY, ESL_ERR_RESOURCES};

	(void) state;
	for (size_t i = 0; i < ARRAY_SIZE(later); i++) {
		arrange(TIMED);
		fake_want_two(&f, 1, 2, fake_utc(&f) + 20 * MINUTE);
		end_us = fake_utc(&f) + 20 * MINUTE;
		play(TIMED, later[i], 20 * MINUTE - 10 * US_PER_SEC);
		assert_int_equal(commands[ESL_OP_DISPLAY_IMAGE], 0);
		play(TIMED, later[i], 14 * US_PER_SEC);
		assert_int_equal(commands[ESL_OP_DISPLAY_IMAGE], 1);
		fake_close(&f);
	}
}

static void change_that_is_not_taken_back_over_a_connection_ends_the_visit(void **state)
{
	(void) state;
	for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
		struct esl_link_result res = {0};
		struct esl_rsp r = {.tag = ESL_RSP_ERROR, .error = codes[i]};
		char letter = letter_of(TAKE_BACK, codes[i]);
		unsigned int asked = 0;

		arrange(TAKE_BACK);
		/* Both slots are taken: the third picture needs the one that is pending. */
		fake_want(&f, 3);
		fake_done(&f, FAKE_CONNECT, 0, NULL);
		res.tlv_len = (uint8_t) esl_rsp_encode(&r, res.tlv, sizeof(res.tlv));
		while (f.link->op == FAKE_ECP && asked < 10) {
			asked++;
			fake_done(&f, FAKE_ECP, 0, &res);
		}
		assert_int_equal(asked, letter == 'A' ? 4 : 1);
		assert_int_equal(f.link->op, letter == 'D' ? FAKE_WRITE_IMAGE : FAKE_DISCONNECT);
		serve_link();
		play(TAKE_BACK, -1, 5 * US_PER_SEC); /* the next visit brings it */
		assert_int_equal(writes, 1);
		assert_int_equal(commands[ESL_OP_DISPLAY_IMAGE], 1);
		fake_close(&f);
	}
}

static void timed_command_of_another_for_the_light_is_taken_back(void **state)
{
	static const uint8_t answers[] = {0, ESL_ERR_INVALID_PARAMETER, ESL_ERR_INVALID_OPCODE,
					  ESL_ERR_RETRY};

	(void) state;
	for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
		const struct esl_cmd *c;

		arrange(UPKEEP);
		assert_int_equal(fake_request(&f)->op, ESL_OP_PING);
		fake_basic_state(&f, ESL_STATE_SYNCHRONIZED | ESL_STATE_PENDING_LED);
		c = fake_request(&f);
		assert_int_equal(c->op, ESL_OP_LED_TIMED);
		assert_int_equal(c->abs_ms, 0);
		if (answers[i])
			fake_error(&f, answers[i]);
		else
			fake_answer(&f, &(struct esl_rsp){.tag = ESL_RSP_LED_STATE});
		c = fake_request(&f);
		if (answers[i] == ESL_ERR_RETRY)
			assert_int_equal(c->op, ESL_OP_LED_TIMED);
		else
			assert_null(c);
		for (int n = 0; c; n++) { /* but not for ever */
			assert_true(n < 12);
			fake_error(&f, answers[i]);
			c = fake_request(&f);
		}
		fake_close(&f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_code_has_its_reaction),
		cmocka_unit_test(what_is_refused_once_is_done_or_named),
		cmocka_unit_test(what_is_refused_for_ever_is_named_and_does_not_fill_the_train),
		cmocka_unit_test(two_refusals_by_turns_do_not_fill_the_train_either),
		cmocka_unit_test(price_does_not_wait_for_what_is_refused_beside_it),
		cmocka_unit_test(price_that_becomes_due_is_tried_whatever_was_refused_before),
		cmocka_unit_test(change_that_is_not_taken_back_over_a_connection_ends_the_visit),
		cmocka_unit_test(timed_command_of_another_for_the_light_is_taken_back),
	};

	return cmocka_run_group_tests_name("esl_refusals", tests, NULL, NULL);
}
