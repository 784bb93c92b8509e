/* SPDX-License-Identifier: Apache-2.0 */
/* Labels by REST, their reports, their keys. */
#include "controller/shop/label_escrow.h"
#include "controller/shop/label_state.h"
#include "tests/unit/test_label_env.h"
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define ADDR  UINT64_C(0xC0FFEE000001)
#define LABEL "/api/v1/labels/C0FFEE000001"

static void linking_another_product_needs_a_word(void **state)
{
	struct env *e = *state;
	struct env_reports ap = {.agent_id = 1};

	env_new_label(e, &ap, ADDR);
	env_new_product(e, "4006381333931", "Pencil", "1");
	env_new_product(e, "5901234123457", "Eraser", "2");
	assert_int_equal(env_call(e, "PUT", LABEL "/link", "{\"product_id\":1}"), 200);
	assert_string_equal(env_text(e, "product.name"), "Pencil");
	assert_int_equal(env_call(e, "PUT", LABEL "/link", "{\"product_id\":1}"), 200);
	assert_int_equal(env_call(e, "PUT", LABEL "/link", "{\"gtin\":\"5901234123457\"}"), 409);
	assert_string_equal(env_text(e, "code"), "already-linked");
	assert_int_equal(
		env_call(e, "PUT", LABEL "/link", "{\"gtin\":\"5901234123457\",\"relink\":true}"),
		200);
	assert_int_equal(env_call(e, "PUT", LABEL "/link", "{\"product_id\":77}"), 404);
	assert_int_equal(env_call(e, "PUT", LABEL "/link", "{}"), 422);
	assert_int_equal(
		env_call(e, "PUT", "/api/v1/labels/C0FFEE000002/link", "{\"product_id\":1}"), 404);
	assert_int_equal(env_call(e, "GET", "/api/v1/labels/xyz", NULL), 404);
	assert_int_equal(env_number(e, "SELECT count(*) FROM audit WHERE action = 'label.link'"),
			 2);
}

static void labels_are_listed_by_words_and_state(void **state)
{
	struct env *e = *state;
	struct env_reports ap = {.agent_id = 1};

	for (uint64_t i = 0; i < 3; i++)
		env_new_label(e, &ap, ADDR + i);
	env_new_product(e, "4006381333931", "Crayon rouge", "1");
	assert_int_equal(env_call(e, "PUT", LABEL "/link", "{\"product_id\":1}"), 200);
	assert_int_equal(env_call(e, "GET", "/api/v1/labels?q=ROUGE", NULL), 200);
	assert_string_equal(env_text(e, "items.0.id"), "C0FFEE000001");
	assert_string_equal(env_text(e, "items.1.id"), "");
	assert_int_equal(env_call(e, "GET", "/api/v1/labels?state=unlinked&limit=1", NULL), 200);
	assert_string_equal(env_text(e, "items.0.id"), "C0FFEE000002");
	assert_int_equal(env_call(e, "GET", "/api/v1/labels?q=ap-one%20c0ffee", NULL), 200);
	assert_string_equal(env_text(e, "items.2.id"), "C0FFEE000003");
	assert_int_equal(env_call(e, "GET", "/api/v1/labels?state=happy", NULL), 400);
}

static void an_empty_battery_is_one_incident_until_there_is_a_new_one(void **state)
{
	static const uint16_t mv[] = {2450, 2390, 2380, 2500, 2399, 2990};
	static const int64_t open[] = {0, 1, 1, 1, 1, 0};
	struct env *e = *state;
	struct env_reports ap = {.agent_id = 1};
	struct proto_label_report r = env_report(ADDR, LABEL_STATUS, ENV_START_US);

	env_new_label(e, &ap, ADDR);
	for (size_t i = 0; i < ARRAY_SIZE(mv); i++) {
		r.battery_mv = mv[i];
		assert_int_equal(env_send(e, &ap, &r, 1), 200);
		assert_int_equal(env_number(e, "SELECT count(*) FROM incidents WHERE closed IS NULL"
					       " AND subject = 'label:C0FFEE000001'"),
				 open[i]);
	}
	assert_int_equal(env_number(e, "SELECT count(*) FROM incidents"), 1);
}

static void repeated_batches_count_once(void **state)
{
	struct env *e = *state;
	struct env_reports ap = {.agent_id = 1}, other = {.agent_id = 2};
	struct proto_label_report r[2] = {env_report(ADDR, LABEL_SEEN, ENV_START_US),
					  env_report(ADDR, LABEL_LOST, ENV_START_US)};
	struct proto_ack ack;

	assert_int_equal(env_send(e, &ap, r, 2), 200);
	ap.next_seq = 0;
	assert_int_equal(env_send(e, &ap, r, 2), 200);
	assert_int_equal(proto_ack_decode(e->body, e->len, &ack, NULL), 0);
	assert_int_equal(ack.acked, 2);
	assert_int_equal(env_number(e, "SELECT count(*) FROM display_ledger WHERE kind = 'lost'"),
			 1);
	ap.next_seq = 1; /* half of it is new */
	assert_int_equal(env_send(e, &ap, r, 2), 200);
	assert_int_equal(proto_ack_decode(e->body, e->len, &ack, NULL), 0);
	assert_int_equal(ack.acked, 3);
	assert_int_equal(env_number(e, "SELECT count(*) FROM display_ledger WHERE kind = 'lost'"),
			 2);
	/* the same numbers of another agent are another stream */
	assert_int_equal(env_send(e, &other, r, 1), 200);
	assert_int_equal(env_number(e, "SELECT count(*) FROM label_streams"), 2);
	env_agent(e, 1, "POST", "/agent/v1/labels", "rubbish", 7);
	assert_int_equal(e->status, 400);
}

static void lost_label_may_move_to_another_agent(void **state)
{
	struct env *e = *state;
	struct env_reports one = {.agent_id = 1}, two = {.agent_id = 2};
	struct proto_label_report r = env_report(ADDR, LABEL_SEEN, ENV_START_US);
	struct proto_desired d;
	uint64_t rev;

	env_new_label(e, &one, ADDR);
	env_desired(e, 1, 0, &d);
	rev = d.rev;
	proto_desired_done(&d);
	assert_int_equal(env_send(e, &two, &r, 1), 200);
	assert_int_equal(env_call(e, "GET", LABEL, NULL), 200);
	assert_string_equal(env_text(e, "agent"), "ap-one");
	r.kind = LABEL_LOST;
	assert_int_equal(env_send(e, &one, &r, 1), 200);
	r.kind = LABEL_SEEN;
	assert_int_equal(env_send(e, &two, &r, 1), 200);
	assert_int_equal(env_call(e, "GET", LABEL, NULL), 200);
	assert_string_equal(env_text(e, "agent"), "ap-two");
	env_desired(e, 1, rev, &d);
	assert_int_equal(d.n_labels, 1);
	assert_true(d.labels[0].forget);
	proto_desired_done(&d);
	env_desired(e, 2, 0, &d);
	assert_int_equal(d.n_labels, 1);
	proto_desired_done(&d);
}

static void manual_adoption_waits_for_the_link(void **state)
{
	struct env *e = *state;
	struct env_reports ap = {.agent_id = 1};
	struct proto_desired d;

	e->config.labels_adopt_auto = false;
	env_new_label(e, &ap, ADDR);
	env_desired(e, 1, 0, &d);
	assert_int_equal(d.n_labels, 0);
	proto_desired_done(&d);
	env_new_product(e, "4006381333931", "Pencil", "1");
	assert_int_equal(env_call(e, "PUT", LABEL "/link", "{\"product_id\":1}"), 200);
	assert_string_equal(env_text(e, "agent"), "ap-one");
	env_desired(e, 1, 0, &d);
	assert_int_equal(d.n_labels, 1);
	proto_desired_done(&d);
}

static void a_picture_of_the_past_is_still_there(void **state)
{
	struct env *e = *state;
	struct env_reports ap = {.agent_id = 1};
	char first[65], uri[128];

	env_new_label(e, &ap, ADDR);
	env_new_product(e, "4006381333931", "Pencil", "1");
	assert_int_equal(env_call(e, "PUT", LABEL "/link", "{\"product_id\":1}"), 200);
	assert_int_equal(env_call(e, "GET", LABEL, NULL), 200);
	snprintf(first, sizeof first, "%s", env_text(e, "wanted.image"));
	assert_int_equal(strlen(first), 64);
	assert_int_equal(env_call(e, "POST", "/api/v1/price-changes",
				  "{\"product_id\":1,\"price_minor\":777}"),
			 201);
	assert_int_equal(env_call(e, "GET", LABEL, NULL), 200);
	assert_string_not_equal(env_text(e, "wanted.image"), first);
	snprintf(uri, sizeof uri, LABEL "/image.png?image=%s", first);
	assert_int_equal(env_call(e, "GET", uri, NULL), 200);
	assert_memory_equal(e->body, "\x89PNG", 4);
}

static void picture_of_a_label_is_a_png(void **state)
{
	struct env *e = *state;
	struct env_reports ap = {.agent_id = 1};

	env_new_label(e, &ap, ADDR);
	assert_int_equal(env_call(e, "GET", LABEL "/image.png?scale=2", NULL), 200);
	assert_memory_equal(e->body, "\x89PNG", 4);
	assert_int_equal(env_call(e, "GET", LABEL "/image.png?what=shown", NULL), 404);
	assert_int_equal(env_call(e, "GET", LABEL "/image.png?what=secret", NULL), 400);
	assert_int_equal(env_call(e, "GET", LABEL "/image.png?scale=5", NULL), 400);
	assert_int_equal(env_call(e, "GET", LABEL "/image.png?image=abc", NULL), 400);
	assert_int_equal(
		env_call(e, "GET",
			 LABEL "/image.png?image="
			       "0000000000000000000000000000000000000000000000000000000000000000",
			 NULL),
		404);
	env_new_product(e, "4006381333931", "Pencil", "1");
	assert_int_equal(
		env_call(e, "POST", "/api/v1/templates/preview",
			 "{\"product_id\":1,\"price_minor\":5,\"width\":400,\"height\":300,"
			 "\"display_type\":6}"),
		200);
	assert_memory_equal(e->body, "\x89PNG", 4);
	assert_int_equal(env_call(e, "POST", "/api/v1/templates/preview",
				  "{\"product_id\":1,\"width\":99999}"),
			 422);
	env_agent(e, 1, "GET", "/agent/v1/images/abc", NULL, 0);
	assert_int_equal(e->status, 404);
	env_agent(e, 1, "GET",
		  "/agent/v1/images/"
		  "0000000000000000000000000000000000000000000000000000000000000000",
		  NULL, 0);
	assert_int_equal(e->status, 404);
}

static void history_tells_newest_first(void **state)
{
	struct env *e = *state;
	struct env_reports ap = {.agent_id = 1};

	env_new_label(e, &ap, ADDR);
	assert_int_equal(env_call(e, "GET", LABEL "/history?limit=2", NULL), 200);
	assert_string_equal(env_text(e, "items.0.kind"), "wanted");
	assert_string_equal(env_text(e, "items.1.kind"), "associated");
	assert_true(strlen(env_text(e, "next")) > 0);
}

static void keys_are_kept_sealed(void **state)
{
	struct env *e = *state;
	struct env_reports ap = {.agent_id = 1};
	uint8_t addr[LABEL_ADDR_BYTES], sealed[ESCROW_SEALED_BYTES], key[PROTO_KEY_BYTES];
	uint8_t response[PROTO_KEY_BYTES], train[PROTO_KEY_BYTES], clear[PROTO_KEY_BYTES];
	struct label_escrow *escrow;
	struct sql_stmt *q;
	struct sql *s;
	struct stat st;
	char path[96];
	const void *blob;
	size_t len;

	env_new_label(e, &ap, ADDR);
	snprintf(path, sizeof path, "%s/escrow.key", e->dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(db_open_reader(e->app.db, &s), 0);
	q = sql_prepare(s, "SELECT sealed FROM label_keys");
	assert_int_equal(sql_step(q), 1);
	blob = sql_col_blob(q, 0, &len);
	assert_int_equal(len, sizeof sealed);
	memcpy(sealed, blob, len);
	sql_reset(q);
	sql_close(s);
	memset(clear, 0xa5, sizeof clear);
	assert_null(memmem(sealed, sizeof sealed, clear, 8));
	label_addr_bytes(ADDR, addr);
	assert_int_equal(label_escrow_open(e->dir, &escrow), 0);
	assert_int_equal(label_escrow_unseal(escrow, addr, sealed, len, response, train), 0);
	assert_memory_equal(response, clear, sizeof clear);
	memset(key, 0x5a, sizeof key);
	assert_memory_equal(train, key, sizeof key);
	addr[0] ^= 1;
	assert_true(label_escrow_unseal(escrow, addr, sealed, len, response, train) < 0);
	addr[0] ^= 1;
	sealed[30] ^= 1;
	assert_true(label_escrow_unseal(escrow, addr, sealed, len, response, train) < 0);
	label_escrow_free(escrow);
}

static void revoked_agent_lets_its_labels_go(void **state)
{
	struct env *e = *state;
	struct env_reports one = {.agent_id = 1}, two = {.agent_id = 2};
	struct proto_label_report r = env_report(ADDR, LABEL_SEEN, ENV_START_US);

	env_new_label(e, &one, ADDR);
	assert_int_equal(env_sql(e, "UPDATE labels SET agent_id = NULL"), 0);
	assert_int_equal(env_send(e, &two, &r, 1), 200);
	assert_int_equal(env_call(e, "GET", LABEL, NULL), 200);
	assert_string_equal(env_text(e, "agent"), "ap-two");
}

/* A report came while the controller's clock was a year ahead. Its time must not outweigh all that
 * labels say in the year to come. */
static void what_was_reported_under_a_wrong_clock_does_not_last(void **state)
{
	static const char wrong[] =
		"UPDATE labels SET sent_at = sent_at + 31536000000000,"
		" shown_at = shown_at + 31536000000000, last_seen = last_seen + 31536000000000";
	struct env *e = *state;
	struct env_reports ap = {.agent_id = 1};
	struct proto_label_report r[2];
	char shown[80];

	env_new_label(e, &ap, ADDR);
	for (size_t i = 0; i < 2; i++) {
		r[i] = env_report(ADDR, i ? LABEL_SHOWN : LABEL_SENT, ENV_START_US);
		r[i].grade = EVIDENCE_CONFIRMED;
		memset(r[i].image, 0xaa, sizeof(r[i].image));
	}
	assert_int_equal(env_send(e, &ap, r, 2), 200);
	assert_int_equal(env_sql(e, wrong), 0);
	for (size_t i = 0; i < 2; i++) {
		r[i].at_us++;
		memset(r[i].image, 0xbb, sizeof(r[i].image));
	}
	assert_int_equal(env_send(e, &ap, r, 2), 200);
	assert_int_equal(env_call(e, "GET", LABEL, NULL), 200);
	memset(shown, 'b', 64);
	shown[64] = '\0';
	assert_string_equal(env_text(e, "shown.image"), shown);
	assert_string_equal(env_text(e, "sent.image"), shown);
	assert_int_equal(
		env_number(e, "SELECT count(*) FROM labels WHERE last_seen > 1800000000000000"), 0);
}

static void nothing_is_shown_without_evidence(void **state)
{
	uint8_t a[IMAGE_HASH_BYTES] = {1}, b[IMAGE_HASH_BYTES] = {2};
	char reason[LABEL_REASON_MAX];
	struct label_facts f = {.linked = true,
				.adopted = true,
				.agent_online = true,
				.has_size = true,
				.agent = "ap",
				.text = "",
				.wanted = a,
				.sent = a};

	(void) state;
	assert_int_equal(label_state_of(&f, reason), LABEL_STATE_SENDING);
	assert_true(reason[0]);
	f.shown = b;
	f.grade = 2;
	assert_int_equal(label_state_of(&f, reason), LABEL_STATE_SENDING);
	f.shown = a;
	assert_int_equal(label_state_of(&f, reason), LABEL_STATE_SHOWN);
	f.drawing = true;
	assert_int_equal(label_state_of(&f, reason), LABEL_STATE_PENDING);
	f.drawing = false;
	f.grade = 0;
	assert_int_equal(label_state_of(&f, reason), LABEL_STATE_SENDING);
	f.sent = NULL;
	f.agent_online = false;
	assert_int_equal(label_state_of(&f, reason), LABEL_STATE_PENDING);
	assert_string_equal(reason, "Access point ap is offline.");
}

#define t(f) cmocka_unit_test_setup_teardown(f, env_setup, env_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		t(linking_another_product_needs_a_word),
		t(labels_are_listed_by_words_and_state),
		t(an_empty_battery_is_one_incident_until_there_is_a_new_one),
		t(repeated_batches_count_once),
		t(lost_label_may_move_to_another_agent),
		t(manual_adoption_waits_for_the_link),
		t(picture_of_a_label_is_a_png),
		t(a_picture_of_the_past_is_still_there),
		t(history_tells_newest_first),
		t(keys_are_kept_sealed),
		t(revoked_agent_lets_its_labels_go),
		t(what_was_reported_under_a_wrong_clock_does_not_last),
		cmocka_unit_test(nothing_is_shown_without_evidence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
