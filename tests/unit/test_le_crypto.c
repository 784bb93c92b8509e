/* SPDX-License-Identifier: Apache-2.0 */
/* Sample data: Core Specification 5.4, Vol 3 Part H Appendix D (f4, f5, f6, g2), Vol 2 Part G 7.1.2
 * (P-256), and RFC 4493 (CMAC). */
#include "common/err.h"
#include "common/hex.h"
#include "esl-radio/le/le_crypto.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define U "20b003d2f297be2c5e2c83a7e9f9a5b9eff49111acf4fddbcc0301480e359de6"
#define V "55188b3d32f6bb9a900afcfbeed4e72a59cb9ac2f19d7cfb6b4fdd49f47fc5fd"
#define X "d5cb8454d177733effffb2ec712baeab"
#define Y "a6e8e7cc25a75f6e216583f7ff3dc4cf"
#define A1                                                                                         \
	"00561237"                                                                                 \
	"37bfce"
#define A2                                                                                         \
	"00a71370"                                                                                 \
	"2dcfc1"
#define DHKEY   "ec0234a357c8ad05341010a60a397d9b99796b13b4f866f1868d34f373bfa698"
#define MAC_KEY "2965f176a1084a02fd3f6a20ce636e20"

static const uint8_t *bytes(const char *hex, uint8_t *to)
{
	assert_int_equal(hex_decode(hex, to, strlen(hex) / 2), 0);
	return to;
}

static void assert_hex(const uint8_t *got, const char *hex)
{
	uint8_t wanted[64];

	bytes(hex, wanted);
	assert_memory_equal(got, wanted, strlen(hex) / 2);
}

static void cmac_is_that_of_the_rfc(void **state)
{
	uint8_t key[16], data[64], tag[16];

	(void) state;
	bytes("2b7e151628aed2a6abf7158809cf4f3c", key);
	le_cmac(key, data, 0, tag);
	assert_hex(tag, "bb1d6929e95937287fa37d129b756746");
	bytes("6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411",
	      data);
	le_cmac(key, data, 40, tag);
	assert_hex(tag, "dfa66747de9ae63030ca32611497c827");
}

static void commitment_is_that_of_the_sample(void **state)
{
	uint8_t u[32], v[32], x[16], tag[16];

	(void) state;
	le_f4(bytes(U, u), bytes(V, v), bytes(X, x), 0, tag);
	assert_hex(tag, "f2c916f107a9bd1cf1eda1bea974872d");
}

static void keys_are_those_of_the_sample(void **state)
{
	uint8_t w[32], n1[16], n2[16], a1[7], a2[7], mac[16], ltk[16];

	(void) state;
	le_f5(bytes(DHKEY, w), bytes(X, n1), bytes(Y, n2), bytes(A1, a1), bytes(A2, a2), mac, ltk);
	assert_hex(mac, MAC_KEY);
	assert_hex(ltk, "6986791169d7cd23980522b594750a38");
}

static void check_value_is_that_of_the_sample(void **state)
{
	uint8_t w[16], n1[16], n2[16], r[16], io[3], a1[7], a2[7], tag[16];

	(void) state;
	le_f6(bytes(MAC_KEY, w), bytes(X, n1), bytes(Y, n2),
	      bytes("12a3343bb453bb5408da42d20c2d0fc8", r), bytes("010102", io), bytes(A1, a1),
	      bytes(A2, a2), tag);
	assert_hex(tag, "e3c473989cd0e8c5d26c0b09da958f61");
}

static void number_to_compare_is_that_of_the_sample(void **state)
{
	uint8_t u[32], v[32], x[16], y[16];

	(void) state;
	assert_int_equal(le_g2(bytes(U, u), bytes(V, v), bytes(X, x), bytes(Y, y)), 0x2f9ed5ba);
}

#define SECRET_A "3f49f6d4a3c55f3874c9b3e3d2103f504aff607beb40b7995899b8a6cd3c1abd"
#define SECRET_B "55188b3d32f6bb9a900afcfbeed4e72a59cb9ac2f19d7cfb6b4fdd49f47fc5fd"

static void public_key_is_that_of_the_sample(void **state)
{
	struct le_public_key k;
	uint8_t a[32];

	(void) state;
	assert_int_equal(le_public_key(bytes(SECRET_A, a), &k), 0);
	assert_hex(k.x, U);
	assert_hex(k.y, "dc809c49652aeb6d63329abf5a52155c766345c28fed3024741c8ed01589d28b");
}

static void both_sides_get_the_same_secret(void **state)
{
	struct le_public_key ka, kb;
	uint8_t a[32], b[32], sa[32], sb[32];

	(void) state;
	assert_int_equal(le_public_key(bytes(SECRET_A, a), &ka), 0);
	assert_int_equal(le_public_key(bytes(SECRET_B, b), &kb), 0);
	assert_int_equal(le_dhkey(a, &kb, sa), 0);
	assert_int_equal(le_dhkey(b, &ka, sb), 0);
	assert_memory_equal(sa, sb, sizeof(sa));
	assert_hex(sa, DHKEY);
}

static void point_off_the_curve_is_refused(void **state)
{
	struct le_public_key k;
	uint8_t a[32], out[32];

	(void) state;
	assert_int_equal(le_public_key(bytes(SECRET_A, a), &k), 0);
	k.y[31] ^= 1;
	assert_int_equal(le_dhkey(a, &k, out), -ERR_CRYPTO);
	memset(&k, 0, sizeof(k));
	assert_int_equal(le_dhkey(a, &k, out), -ERR_CRYPTO);
	memset(&k, 0xff, sizeof(k));
	assert_int_equal(le_dhkey(a, &k, out), -ERR_CRYPTO);
}

static void secret_out_of_range_is_refused(void **state)
{
	struct le_public_key k;
	uint8_t a[32];

	(void) state;
	memset(a, 0, sizeof(a));
	assert_int_equal(le_public_key(a, &k), -ERR_RANGE);
	memset(a, 0xff, sizeof(a));
	assert_int_equal(le_public_key(a, &k), -ERR_RANGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cmac_is_that_of_the_rfc),
		cmocka_unit_test(commitment_is_that_of_the_sample),
		cmocka_unit_test(keys_are_those_of_the_sample),
		cmocka_unit_test(check_value_is_that_of_the_sample),
		cmocka_unit_test(number_to_compare_is_that_of_the_sample),
		cmocka_unit_test(public_key_is_that_of_the_sample),
		cmocka_unit_test(both_sides_get_the_same_secret),
		cmocka_unit_test(point_off_the_curve_is_refused),
		cmocka_unit_test(secret_out_of_range_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
