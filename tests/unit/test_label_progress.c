/* SPDX-License-Identifier: Apache-2.0 */
/* How far a label is with a change, state by state. */
#include "common/hex.h"
#include "controller/shop/label_progress.h"
#include "tests/unit/promo_shop.h"

struct fixture {
	struct env *e;
	struct label l;
	struct label_agent_view agent;
	uint8_t picture[IMAGE_HASH_BYTES];
	struct label_goal goal;
	int64_t now_us;
};

static struct fixture fixture(struct env *e)
{
	struct fixture f = {.e = e,
			    .agent = {.online = true, .seen_rev = 10},
			    .now_us = clock_real_us(e->app.clock)};

	memset(f.picture, 0x5a, sizeof f.picture);
	f.l = (struct label){.addr = ADDR,
			     .agent_id = 1,
			     .agent = "ap-one",
			     .width = 296,
			     .height = 128,
			     .product_id = 1,
			     .wanted_rev = 5};
	f.goal.due_us = f.now_us + HOUR;
	return f;
}

static const char *look(struct fixture *f, struct label_progress *ret)
{
	assert_int_equal(label_progress_of(db_reader(f->e->app.db), &f->l, f->agent, &f->goal,
					   f->now_us, ret),
			 0);
	return label_progress_text(ret->state);
}

/* The ledger says that a picture came onto the label. */
static void stage(struct fixture *f, uint8_t byte, const char *kind)
{
	char sql[300], hex[IMAGE_HASH_HEX_MAX];
	uint8_t image[IMAGE_HASH_BYTES];

	memset(image, byte, sizeof image);
	hex_encode(image, sizeof image, hex);
	snprintf(sql, sizeof sql,
		 "INSERT INTO display_ledger(addr, at, received, kind, image)"
		 " VALUES(%llu, 77, 77, '%s', x'%s')",
		 (unsigned long long) ADDR, kind, hex);
	assert_int_equal(env_sql(f->e, sql), 0);
}

static void what_is_not_drawn_says_what_it_waits_for(void **state)
{
	struct fixture f = fixture(*state);
	struct label_progress p;

	assert_string_equal(look(&f, &p), "waiting");
	assert_non_null(strstr(p.reason, "last days"));
	f.l.stale = 1;
	assert_string_equal(look(&f, &p), "drawing");
	f.l.width = 0;
	assert_string_equal(look(&f, &p), "waiting");
	assert_non_null(strstr(p.reason, "size"));
}

static void what_is_drawn_waits_for_its_access_point(void **state)
{
	struct fixture f = fixture(*state);
	struct label_progress p;

	f.goal.image = f.picture;
	assert_string_equal(look(&f, &p), "staging");
	assert_string_equal(p.reason, "Access point ap-one is sending the picture.");
	f.agent.seen_rev = 4;
	assert_string_equal(look(&f, &p), "waiting");
	f.agent.online = false;
	assert_string_equal(look(&f, &p), "waiting");
	assert_string_equal(p.reason, "Access point ap-one is offline.");
	f.l.agent_id = 0;
	assert_string_equal(look(&f, &p), "waiting");
	assert_non_null(strstr(p.reason, "No access point"));
}

static void staged_is_staged_until_overwritten_or_configured_anew(void **state)
{
	struct env *e = *state;
	struct fixture f = fixture(e);
	struct label_progress p;

	assert_int_equal(env_sql(e, "INSERT INTO labels(addr, slots, last_seen, created)"
				    " VALUES(212205442170881, 2, 1, 1)"),
			 0);
	f.goal.image = f.picture;
	stage(&f, 0x5a, "staged");
	assert_string_equal(look(&f, &p), "staged");
	assert_int_equal(p.staged_us, 77);
	stage(&f, 0x01, "staged"); /* the other slot */
	stage(&f, 0x01, "staged");
	assert_string_equal(look(&f, &p), "staged");
	stage(&f, 0x02, "staged"); /* of two slots, both are others now */
	assert_string_equal(look(&f, &p), "staging");
	stage(&f, 0x5a, "staged");
	assert_string_equal(look(&f, &p), "staged");
	stage(&f, 0x00, "associated");
	assert_string_equal(look(&f, &p), "staging");
}

static void shown_needs_the_instant_and_the_evidence(void **state)
{
	struct fixture f = fixture(*state);
	struct label_progress p;

	f.goal.image = f.picture;
	memcpy(f.l.shown.image, f.picture, sizeof f.picture);
	f.l.shown.at_us = f.now_us - HOUR;
	f.l.grade = EVIDENCE_ACKNOWLEDGED;
	assert_string_equal(look(&f, &p),
			    "staged"); /* it shows it already; the time has not come */
	f.goal.due_us = f.now_us;
	assert_string_equal(look(&f, &p), "flipped");
	assert_int_equal(p.shown_us, 0);
	f.l.grade = EVIDENCE_CONFIRMED;
	assert_string_equal(look(&f, &p), "shown");
	assert_int_equal(p.shown_us, f.l.shown.at_us);
	f.l.grade = EVIDENCE_NONE;
	assert_string_equal(look(&f, &p), "staging");
	f.l.grade = EVIDENCE_READ_BACK;
	f.l.stale = 1; /* what it is to show is being decided anew */
	assert_string_equal(look(&f, &p), "drawing");
}

static void failure_has_the_labels_own_words(void **state)
{
	struct fixture f = fixture(*state);
	struct label_progress p;

	f.goal.image = f.picture;
	f.l.error = ERR_PEER;
	snprintf(f.l.error_text, sizeof f.l.error_text, "The label refused the picture.");
	assert_string_equal(look(&f, &p), "failed");
	assert_string_equal(p.reason, "The label refused the picture.");
	f.l.lost = true;
	assert_string_equal(look(&f, &p), "failed");
	assert_string_equal(p.reason, "The label has not answered for long.");
	/* what it is known to show counts, lost or not */
	memcpy(f.l.shown.image, f.picture, sizeof f.picture);
	f.l.shown.at_us = f.now_us;
	f.l.grade = EVIDENCE_CONFIRMED;
	f.goal.due_us = f.now_us;
	assert_string_equal(look(&f, &p), "shown");
}

static void words_of_states_are_read_back(void **state)
{
	enum label_progress_state s;

	(void) state;
	for (int i = 0; i < LABEL_PROGRESS_STATE_COUNT; i++) {
		const char *text = label_progress_text((enum label_progress_state) i);

		assert_int_equal(label_progress_parse(text, &s), 0);
		assert_int_equal(s, i);
	}
	assert_true(label_progress_parse("done", &s) < 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, env_setup, env_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(what_is_not_drawn_says_what_it_waits_for),
		T(what_is_drawn_waits_for_its_access_point),
		T(staged_is_staged_until_overwritten_or_configured_anew),
		T(shown_needs_the_instant_and_the_evidence),
		T(failure_has_the_labels_own_words),
		T(words_of_states_are_read_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
