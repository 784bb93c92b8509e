/* SPDX-License-Identifier: Apache-2.0 */
/* Vectors: Core Specification Supplement v11, Part A 2.3.1 and 2.3.2, and a capture of the Profile
 * Tuning Suite under the same key; the others are ours, to notice a change. */
#include "common/err.h"
#include "common/hex.h"
#include "esl-radio/ead.h"
#include "esl-radio/esl_wire.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct ead_key sample_key(void)
{
	struct ead_key k;

	assert_int_equal(hex_decode("57a9da12d12e6e131e20612ad10a6a19", k.key, 16), 0);
	assert_int_equal(hex_decode("9e7a00efb17ae746", k.iv, 8), 0);
	return k;
}

static void check_vector(const char *plain_hex, const char *rand_hex, const char *ad_hex)
{
	struct ead_key k = sample_key();
	uint8_t plain[64], rand[EAD_RAND_BYTES], ad[80], out[80];
	size_t plain_len = strlen(plain_hex) / 2, ad_len = strlen(ad_hex) / 2;

	assert_int_equal(hex_decode(plain_hex, plain, plain_len), 0);
	assert_int_equal(hex_decode(rand_hex, rand, sizeof(rand)), 0);
	assert_int_equal(hex_decode(ad_hex, ad, ad_len), 0);
	assert_int_equal(ead_seal(&k, rand, plain, plain_len, out, sizeof(out)), ad_len);
	assert_memory_equal(out, ad, ad_len);
	assert_int_equal(ead_open(&k, ad, ad_len, out, sizeof(out)), plain_len);
	assert_memory_equal(out, plain, plain_len);
}

static void published_samples_are_reproduced(void **state)
{
	const char *plain = "0f0953686f7274204d696e692d42757303190a8c";

	(void) state;
	check_vector(plain, "18e157cade",
		     "1e3118e157cade74e4dcafdc51c7282810c2217f0e4cef4343181fba0069cc");
	check_vector(plain, "8d1c976e7a",
		     "1e318d1c976e7a35444076125788c238a58e8bd9cff0defe251a8e7275454c");
}

static void captured_packet_is_read(void **state)
{
	struct ead_key k = sample_key();
	uint8_t ad[21], out[32];
	const uint8_t *payload;
	struct esl_cmd c;
	struct wire w;
	size_t len;
	int n;

	(void) state;
	assert_int_equal(hex_decode("1431396a41fe204b31a50bf2ff506afbe3599ccdb9", ad, 21), 0);
	n = ead_open(&k, ad, sizeof(ad), out, sizeof(out));
	assert_int_equal(n, 10);
	assert_int_equal(esl_ad_find(out, (size_t) n, &payload, &len), 0);
	assert_int_equal(payload[0], 3);
	wire_init(&w, payload + 1, len - 1);
	esl_cmd_decode(&w, &c);
	assert_int_equal(c.op, ESL_OP_SERVICE_RESET);
	assert_int_equal(c.esl_id, 0xf1);
	esl_cmd_decode(&w, &c);
	assert_int_equal(c.op, ESL_OP_FACTORY_RESET);
	esl_cmd_decode(&w, &c);
	assert_int_equal(c.op, ESL_OP_REFRESH_DISPLAY);
	assert_int_equal(c.esl_id, 3);
	assert_int_equal(wire_finish(&w), 0);
}

static void our_packets_do_not_change(void **state)
{
	(void) state;
	check_vector("0434000001", "18e157cade", "0f3118e157cade7fd98fc7b2323b2ae2");
	check_vector("0a340260050003a0860100", "18e157cade",
		     "153118e157cade71d98da7b623b0a8e378acb79464d9");
	check_vector("0434100200", "18e157cade", "0f3118e157cade7fd99fc5b3dab88733");
}

static void one_wrong_bit_does_not_authenticate(void **state)
{
	struct ead_key k = sample_key();
	uint8_t ad[16], bad[16], out[8], zero[5] = {0};

	(void) state;
	assert_int_equal(hex_decode("0f3118e157cade7fd98fc7b2323b2ae2", ad, 16), 0);
	for (size_t bit = 16; bit < sizeof(ad) * 8; bit++) {
		memcpy(bad, ad, sizeof(ad));
		bad[bit / 8] ^= (uint8_t) (1u << bit % 8);
		assert_int_equal(ead_open(&k, bad, sizeof(bad), out, sizeof(out)), -ERR_CRYPTO);
		assert_memory_equal(out, zero, 5);
	}
	k.iv[7] ^= 1;
	assert_int_equal(ead_open(&k, ad, sizeof(ad), out, sizeof(out)), -ERR_CRYPTO);
}

static void malformed_structures_are_refused(void **state)
{
	struct ead_key k = sample_key();
	uint8_t ad[16], out[8], rand[5] = {0};
	uint8_t big[300] = {0};

	(void) state;
	assert_int_equal(hex_decode("0f3118e157cade7fd98fc7b2323b2ae2", ad, 16), 0);
	for (size_t n = 0; n < sizeof(ad); n++)
		assert_int_equal(ead_open(&k, ad, n, out, sizeof(out)), -ERR_BADMSG);
	assert_int_equal(ead_open(&k, ad, sizeof(ad), out, 4), -ENOBUFS);
	ad[1] = 0x34;
	assert_int_equal(ead_open(&k, ad, sizeof(ad), out, sizeof(out)), -ERR_BADMSG);
	ad[1] = 0x31;
	ad[0] = 9;
	assert_int_equal(ead_open(&k, ad, sizeof(ad), out, sizeof(out)), -ERR_BADMSG);
	assert_int_equal(ead_seal(&k, rand, big, EAD_PLAIN_MAX + 1, big, sizeof(big)),
			 -ERR_TOO_LARGE);
	assert_int_equal(ead_seal(&k, rand, big, 5, out, sizeof(out)), -ENOBUFS);
}

static void key_is_reversed_on_the_wire_and_the_iv_is_not(void **state)
{
	struct ead_key k = sample_key(), back;
	uint8_t wire[EAD_WIRE_KEY_BYTES];

	(void) state;
	ead_key_to_wire(&k, wire);
	assert_int_equal(wire[0], 0x19);
	assert_int_equal(wire[15], 0x57);
	assert_int_equal(wire[16], 0x9e);
	assert_int_equal(wire[23], 0x46);
	ead_key_from_wire(wire, &back);
	assert_memory_equal(&back, &k, sizeof(k));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(published_samples_are_reproduced),
		cmocka_unit_test(captured_packet_is_read),
		cmocka_unit_test(our_packets_do_not_change),
		cmocka_unit_test(one_wrong_bit_does_not_authenticate),
		cmocka_unit_test(malformed_structures_are_refused),
		cmocka_unit_test(key_is_reversed_on_the_wire_and_the_iv_is_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
