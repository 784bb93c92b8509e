/* SPDX-License-Identifier: Apache-2.0 */
#include "esl-radio/le/le_crypto.h"

#include "common/err.h"
#include <gmp.h>
#include <nettle/cmac.h>
#include <nettle/ecc-curve.h>
#include <nettle/ecc.h>
#include <string.h>

void le_cmac(const uint8_t key[LE_KEY_BYTES], const void *data, size_t len,
	     uint8_t ret[LE_KEY_BYTES])
{
	struct cmac_aes128_ctx ctx;

	cmac_aes128_set_key(&ctx, key);
	cmac_aes128_update(&ctx, len, data);
	cmac_aes128_digest(&ctx, LE_KEY_BYTES, ret);
	explicit_bzero(&ctx, sizeof(ctx));
}

/* Messages are put together piece by piece. */
static uint8_t *put(uint8_t *p, const void *data, size_t n)
{
	memcpy(p, data, n);
	return p + n;
}

void le_f4(const uint8_t u[LE_COORD_BYTES], const uint8_t v[LE_COORD_BYTES],
	   const uint8_t x[LE_KEY_BYTES], uint8_t z, uint8_t ret[LE_KEY_BYTES])
{
	uint8_t m[2 * LE_COORD_BYTES + 1];

	(void) put(put(put(m, u, LE_COORD_BYTES), v, LE_COORD_BYTES), &z, 1);
	le_cmac(x, m, sizeof(m), ret);
}

void le_f5(const uint8_t dhkey[LE_COORD_BYTES], const uint8_t n1[LE_KEY_BYTES],
	   const uint8_t n2[LE_KEY_BYTES], const uint8_t a1[LE_ADDR_BYTES],
	   const uint8_t a2[LE_ADDR_BYTES], uint8_t ret_mac_key[LE_KEY_BYTES],
	   uint8_t ret_ltk[LE_KEY_BYTES])
{
	static const uint8_t salt[LE_KEY_BYTES] = {0x6c, 0x88, 0x83, 0x91, 0xaa, 0xf5, 0xa5, 0x38,
						   0x60, 0x37, 0x0b, 0xdb, 0x5a, 0x60, 0x83, 0xbe};
	static const uint8_t length[2] = {1, 0}; /* 256 bits */
	uint8_t m[1 + 4 + 2 * LE_KEY_BYTES + 2 * LE_ADDR_BYTES + sizeof(length)];
	uint8_t t[LE_KEY_BYTES], *p = m + 1;

	le_cmac(salt, dhkey, LE_COORD_BYTES, t);
	p = put(p, "btle", 4);
	p = put(put(p, n1, LE_KEY_BYTES), n2, LE_KEY_BYTES);
	p = put(put(p, a1, LE_ADDR_BYTES), a2, LE_ADDR_BYTES);
	(void) put(p, length, sizeof(length));
	m[0] = 0;
	le_cmac(t, m, sizeof(m), ret_mac_key);
	m[0] = 1;
	le_cmac(t, m, sizeof(m), ret_ltk);
	explicit_bzero(t, sizeof(t));
}

void le_f6(const uint8_t mac_key[LE_KEY_BYTES], const uint8_t n1[LE_KEY_BYTES],
	   const uint8_t n2[LE_KEY_BYTES], const uint8_t r[LE_KEY_BYTES], const uint8_t io_cap[3],
	   const uint8_t a1[LE_ADDR_BYTES], const uint8_t a2[LE_ADDR_BYTES],
	   uint8_t ret[LE_KEY_BYTES])
{
	uint8_t m[3 * LE_KEY_BYTES + 3 + 2 * LE_ADDR_BYTES], *p = m;

	p = put(put(put(p, n1, LE_KEY_BYTES), n2, LE_KEY_BYTES), r, LE_KEY_BYTES);
	p = put(p, io_cap, 3);
	(void) put(put(p, a1, LE_ADDR_BYTES), a2, LE_ADDR_BYTES);
	le_cmac(mac_key, m, sizeof(m), ret);
}

uint32_t le_g2(const uint8_t u[LE_COORD_BYTES], const uint8_t v[LE_COORD_BYTES],
	       const uint8_t x[LE_KEY_BYTES], const uint8_t y[LE_KEY_BYTES])
{
	uint8_t m[2 * LE_COORD_BYTES + LE_KEY_BYTES], tag[LE_KEY_BYTES];

	(void) put(put(put(m, u, LE_COORD_BYTES), v, LE_COORD_BYTES), y, LE_KEY_BYTES);
	le_cmac(x, m, sizeof(m), tag);
	return (uint32_t) tag[12] << 24 | (uint32_t) tag[13] << 16 | (uint32_t) tag[14] << 8 |
	       tag[15];
}

/* --- P-256 ------------------------------------------------------------------------------------ */

static void number_in(mpz_t z, const uint8_t bytes[LE_COORD_BYTES])
{
	mpz_init2(z, 8 * LE_COORD_BYTES);
	mpz_import(z, LE_COORD_BYTES, 1, 1, 1, 0, bytes);
}

static void number_out(const mpz_t z, uint8_t bytes[LE_COORD_BYTES])
{
	size_t n = (mpz_sizeinbase(z, 2) + 7) / 8;

	memset(bytes, 0, LE_COORD_BYTES);
	if (n <= LE_COORD_BYTES && mpz_sgn(z) != 0)
		mpz_export(bytes + LE_COORD_BYTES - n, NULL, 1, 1, 1, 0, z);
}

/* A secret number for nettle; the caller clears it. */
static int scalar_in(struct ecc_scalar *s, const uint8_t secret[LE_COORD_BYTES])
{
	mpz_t z;
	int ok;

	ecc_scalar_init(s, nettle_get_secp_256r1());
	number_in(z, secret);
	ok = ecc_scalar_set(s, z);
	mpz_clear(z);
	if (ok)
		return 0;
	ecc_scalar_clear(s);
	return -ERR_RANGE;
}

static void point_out(const struct ecc_point *p, struct le_public_key *ret)
{
	mpz_t x, y;

	mpz_inits(x, y, NULL);
	ecc_point_get(p, x, y);
	number_out(x, ret->x);
	number_out(y, ret->y);
	mpz_clears(x, y, NULL);
}

int le_public_key(const uint8_t secret[LE_COORD_BYTES], struct le_public_key *ret)
{
	struct ecc_scalar s;
	struct ecc_point p;
	int r = scalar_in(&s, secret);

	if (r < 0)
		return r;
	ecc_point_init(&p, nettle_get_secp_256r1());
	ecc_point_mul_g(&p, &s);
	point_out(&p, ret);
	ecc_point_clear(&p);
	ecc_scalar_clear(&s);
	return 0;
}

int le_dhkey(const uint8_t secret[LE_COORD_BYTES], const struct le_public_key *peer,
	     uint8_t ret[LE_COORD_BYTES])
{
	struct le_public_key shared;
	struct ecc_scalar s;
	struct ecc_point p;
	mpz_t x, y;
	int r = scalar_in(&s, secret), ok;

	if (r < 0)
		return r;
	number_in(x, peer->x);
	number_in(y, peer->y);
	ecc_point_init(&p, nettle_get_secp_256r1());
	ok = ecc_point_set(&p, x, y);
	if (ok) {
		ecc_point_mul(&p, &s, &p);
		point_out(&p, &shared);
		memcpy(ret, shared.x, LE_COORD_BYTES);
		explicit_bzero(&shared, sizeof(shared));
	}
	ecc_point_clear(&p);
	ecc_scalar_clear(&s);
	mpz_clears(x, y, NULL);
	return ok ? 0 : -ERR_CRYPTO;
}
