/* SPDX-License-Identifier: Apache-2.0 */
/* The central's side of pairing against a label that the test plays, step by step. */
#include "common/err.h"
#include "esl-radio/le/smp_central.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

struct rig {
	struct smp_central smp;
	struct smp_pdu out[8]; /* what the central sent */
	unsigned int n_out, done;
	int err;
	uint8_t ltk[16];
	char why[100];
	uint8_t next; /* source of "random" bytes */
	int random_err, keep_err;
	unsigned int kept, n_out_then; /* keys to keep; packets sent before */
	uint8_t kept_ltk[16];
	/* the label */
	uint8_t secret[32], dhkey[32], nonce[16], mac_key[16], label_ltk[16];
	struct le_public_key key, central_key;
};

static const uint8_t central_addr[7] = {0, 0xc0, 0xd0, 0xda, 0xa0, 1, 1};
static const uint8_t label_addr[7] = {1, 0xc0, 0xff, 0xee, 0, 0, 1};

static void on_send(void *user, const uint8_t *packet, size_t len)
{
	struct rig *r = user;

	assert_true(r->n_out < 8);
	assert_int_equal(smp_decode(packet, len, &r->out[r->n_out++]), 0);
}

static int on_random(void *user, void *to, size_t n)
{
	struct rig *r = user;

	memset(to, ++r->next, n);
	return r->random_err;
}

static void on_done(void *user, int err, const uint8_t ltk[16], const char *why)
{
	struct rig *r = user;

	r->done++;
	r->err = err;
	memcpy(r->ltk, ltk, 16);
	strncpy(r->why, why, sizeof(r->why) - 1);
}

static int on_key(void *user, const uint8_t ltk[16])
{
	struct rig *r = user;

	r->kept++;
	r->n_out_then = r->n_out;
	memcpy(r->kept_ltk, ltk, 16);
	return r->keep_err;
}

static const struct smp_central_io io = {on_send, on_random, on_done, on_key};

static void rig_start(struct rig *r)
{
	memset(r, 0, sizeof(*r));
	memset(r->secret, 0x5a, sizeof(r->secret));
	memset(r->nonce, 0xa5, sizeof(r->nonce));
	assert_int_equal(le_public_key(r->secret, &r->key), 0);
	smp_central_start(&r->smp, &io, r, central_addr, label_addr);
}

static void say(struct rig *r, const struct smp_pdu *p)
{
	uint8_t packet[SMP_MAX];
	int n = smp_encode(p, packet);

	assert_true(n > 0);
	smp_central_receive(&r->smp, packet, (size_t) n);
}

static void say_value(struct rig *r, uint8_t op, const uint8_t value[16])
{
	struct smp_pdu p = {.op = op};

	smp_reverse(p.value, value, 16);
	say(r, &p);
}

static void say_features(struct rig *r, uint8_t auth)
{
	say(r, &(struct smp_pdu){
		       .op = SMP_PAIRING_RSP, .io = SMP_IO_NONE, .auth = auth, .key_size = 16});
}

static void say_key(struct rig *r, const struct le_public_key *k)
{
	struct smp_pdu p = {.op = SMP_PUBLIC_KEY};

	smp_reverse(p.value, k->x, 32);
	smp_reverse(p.value + 32, k->y, 32);
	say(r, &p);
}

static void read_central_key(struct rig *r)
{
	const struct smp_pdu *p = &r->out[r->n_out - 1];

	assert_int_equal(p->op, SMP_PUBLIC_KEY);
	smp_reverse(r->central_key.x, p->value, 32);
	smp_reverse(r->central_key.y, p->value + 32, 32);
	assert_int_equal(le_dhkey(r->secret, &r->central_key, r->dhkey), 0);
}

/* Features, keys, and the label's commitment to its nonce. */
static void up_to_commitment(struct rig *r)
{
	uint8_t commit[16];

	say_features(r, SMP_AUTH_BOND | SMP_AUTH_SECURE);
	read_central_key(r);
	say_key(r, &r->key);
	le_f4(r->key.x, r->central_key.x, r->nonce, 0, commit);
	say_value(r, SMP_CONFIRM, commit);
}

/* The label's check value over what it saw. */
static void make_check(struct rig *r, uint8_t check[16])
{
	static const uint8_t zero[16],
		label_io[3] = {SMP_AUTH_BOND | SMP_AUTH_SECURE, 0, SMP_IO_NONE};
	const struct smp_pdu *random = &r->out[2];
	uint8_t central_nonce[16];

	assert_int_equal(random->op, SMP_RANDOM);
	smp_reverse(central_nonce, random->value, 16);
	le_f5(r->dhkey, central_nonce, r->nonce, central_addr, label_addr, r->mac_key,
	      r->label_ltk);
	le_f6(r->mac_key, r->nonce, central_nonce, zero, label_io, label_addr, central_addr, check);
}

static void both_ends_have_the_same_key_in_the_end(void **state)
{
	uint8_t check[16], central_check[16], central_nonce[16];
	static const uint8_t zero[16],
		central_io[3] = {SMP_AUTH_BOND | SMP_AUTH_SECURE, 0, SMP_IO_NONE};
	struct rig r;

	(void) state;
	rig_start(&r);
	assert_int_equal(r.out[0].op, SMP_PAIRING_REQ);
	assert_int_equal(r.out[0].auth, SMP_AUTH_BOND | SMP_AUTH_SECURE);
	assert_int_equal(r.out[0].key_size, 16);
	up_to_commitment(&r);
	say_value(&r, SMP_RANDOM, r.nonce);
	make_check(&r, check);
	/* the central proves first that it knows the key */
	assert_int_equal(r.n_out, 4);
	assert_int_equal(r.out[3].op, SMP_DHKEY_CHECK);
	smp_reverse(central_nonce, r.out[2].value, 16);
	le_f6(r.mac_key, central_nonce, r.nonce, zero, central_io, central_addr, label_addr,
	      central_check);
	smp_reverse(check, r.out[3].value, 16);
	assert_memory_equal(check, central_check, 16);
	assert_int_equal(r.done, 0);
	make_check(&r, check);
	say_value(&r, SMP_DHKEY_CHECK, check);
	assert_int_equal(r.done, 1);
	assert_int_equal(r.err, 0);
	assert_memory_equal(r.ltk, r.label_ltk, 16);
	assert_false(smp_central_busy(&r.smp));
}

static void assert_failed(struct rig *r, int err, uint8_t reason)
{
	assert_int_equal(r->done, 1);
	assert_int_equal(r->err, err);
	assert_int_equal(r->out[r->n_out - 1].op, SMP_FAILED);
	assert_int_equal(r->out[r->n_out - 1].reason, reason);
	assert_false(smp_central_busy(&r->smp));
}

static void label_without_secure_connections_is_refused(void **state)
{
	struct rig r;

	(void) state;
	rig_start(&r);
	say_features(&r, SMP_AUTH_BOND);
	assert_failed(&r, -ENOTSUP, SMP_FAIL_AUTHENTICATION);
}

static void short_key_is_refused(void **state)
{
	struct rig r;

	(void) state;
	rig_start(&r);
	say(&r, &(struct smp_pdu){.op = SMP_PAIRING_RSP, .auth = SMP_AUTH_SECURE, .key_size = 7});
	assert_failed(&r, -ERR_BADMSG, SMP_FAIL_KEY_SIZE);
}

static void public_key_off_the_curve_is_refused(void **state)
{
	struct rig r;

	(void) state;
	rig_start(&r);
	say_features(&r, SMP_AUTH_SECURE);
	r.key.y[0] ^= 1;
	say_key(&r, &r.key);
	assert_failed(&r, -ERR_CRYPTO, SMP_FAIL_DHKEY);
}

static void own_public_key_sent_back_is_refused(void **state)
{
	struct rig r;

	(void) state;
	rig_start(&r);
	say_features(&r, SMP_AUTH_SECURE);
	read_central_key(&r);
	say_key(&r, &r.central_key);
	assert_failed(&r, -ERR_CRYPTO, SMP_FAIL_DHKEY);
}

static void nonce_that_was_not_committed_to_is_refused(void **state)
{
	struct rig r;

	(void) state;
	rig_start(&r);
	up_to_commitment(&r);
	r.nonce[3] ^= 1;
	say_value(&r, SMP_RANDOM, r.nonce);
	assert_failed(&r, -ERR_CRYPTO, SMP_FAIL_CONFIRM);
}

static void wrong_proof_is_refused(void **state)
{
	uint8_t check[16];
	struct rig r;

	(void) state;
	rig_start(&r);
	up_to_commitment(&r);
	say_value(&r, SMP_RANDOM, r.nonce);
	make_check(&r, check);
	check[0] ^= 1;
	say_value(&r, SMP_DHKEY_CHECK, check);
	assert_failed(&r, -ERR_CRYPTO, SMP_FAIL_DHKEY);
}

static void refusal_of_the_label_is_told_in_words(void **state)
{
	struct rig r;

	(void) state;
	rig_start(&r);
	say(&r, &(struct smp_pdu){.op = SMP_FAILED, .reason = SMP_FAIL_NOT_SUPPORTED});
	assert_int_equal(r.done, 1);
	assert_int_equal(r.err, -ERR_PEER);
	assert_string_equal(r.why, "pairing is not supported");
	assert_int_equal(r.n_out, 1); /* nothing is said after a refusal */
}

static void packet_out_of_turn_ends_the_pairing(void **state)
{
	uint8_t value[16] = {0};
	struct rig r;

	(void) state;
	rig_start(&r);
	say_value(&r, SMP_RANDOM, value);
	assert_failed(&r, -ERR_BADMSG, SMP_FAIL_PARAMETERS);
	say_value(&r, SMP_RANDOM, value); /* after the end it is nobody's */
	assert_int_equal(r.done, 1);
}

static void unknown_and_broken_packets_end_the_pairing(void **state)
{
	static const uint8_t unknown[] = {0x0f, 1}, broken[] = {SMP_PAIRING_RSP, 3};
	struct rig r;

	(void) state;
	rig_start(&r);
	smp_central_receive(&r.smp, unknown, sizeof(unknown));
	assert_failed(&r, -ERR_BADMSG, SMP_FAIL_COMMAND);
	rig_start(&r);
	smp_central_receive(&r.smp, broken, sizeof(broken));
	assert_failed(&r, -ERR_BADMSG, SMP_FAIL_PARAMETERS);
}

static void request_for_security_is_not_an_answer(void **state)
{
	struct rig r;

	(void) state;
	rig_start(&r);
	say(&r, &(struct smp_pdu){.op = SMP_SECURITY_REQ, .auth = SMP_AUTH_SECURE});
	assert_int_equal(r.done, 0);
	assert_true(smp_central_busy(&r.smp));
}

static void without_random_numbers_nothing_is_paired(void **state)
{
	struct rig r;

	(void) state;
	rig_start(&r);
	r.random_err = -EIO;
	say_features(&r, SMP_AUTH_SECURE);
	assert_failed(&r, -ERR_CRYPTO, SMP_FAIL_UNSPECIFIED);
}

static void key_is_kept_before_the_label_can_have_it(void **state)
{
	uint8_t check[16];
	struct rig r;

	(void) state;
	rig_start(&r);
	up_to_commitment(&r);
	assert_int_equal(r.kept, 0);
	say_value(&r, SMP_RANDOM, r.nonce);
	assert_int_equal(r.kept, 1);
	assert_int_equal(r.n_out_then, 3); /* without our proof no label takes a key */
	assert_int_equal(r.out[3].op, SMP_DHKEY_CHECK);
	make_check(&r, check);
	say_value(&r, SMP_DHKEY_CHECK, check);
	assert_int_equal(r.kept, 1);
	assert_memory_equal(r.kept_ltk, r.label_ltk, 16);
}

static void key_that_cannot_be_kept_is_not_agreed_on(void **state)
{
	struct rig r;

	(void) state;
	rig_start(&r);
	r.keep_err = -EIO;
	up_to_commitment(&r);
	say_value(&r, SMP_RANDOM, r.nonce);
	assert_int_equal(r.out[r.n_out - 1].op, SMP_FAILED);
	assert_int_equal(r.done, 1);
	assert_int_equal(r.err, -EIO);
}

static void forgotten_pairing_leaves_no_secret(void **state)
{
	static const uint8_t zero[32];
	struct rig r;

	(void) state;
	rig_start(&r);
	up_to_commitment(&r);
	smp_central_forget(&r.smp);
	assert_memory_equal(r.smp.secret, zero, 32);
	assert_memory_equal(r.smp.dhkey, zero, 32);
	assert_int_equal(r.done, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_ends_have_the_same_key_in_the_end),
		cmocka_unit_test(label_without_secure_connections_is_refused),
		cmocka_unit_test(short_key_is_refused),
		cmocka_unit_test(public_key_off_the_curve_is_refused),
		cmocka_unit_test(own_public_key_sent_back_is_refused),
		cmocka_unit_test(nonce_that_was_not_committed_to_is_refused),
		cmocka_unit_test(wrong_proof_is_refused),
		cmocka_unit_test(refusal_of_the_label_is_told_in_words),
		cmocka_unit_test(packet_out_of_turn_ends_the_pairing),
		cmocka_unit_test(unknown_and_broken_packets_end_the_pairing),
		cmocka_unit_test(request_for_security_is_not_an_answer),
		cmocka_unit_test(without_random_numbers_nothing_is_paired),
		cmocka_unit_test(key_is_kept_before_the_label_can_have_it),
		cmocka_unit_test(key_that_cannot_be_kept_is_not_agreed_on),
		cmocka_unit_test(forgotten_pairing_leaves_no_secret),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
