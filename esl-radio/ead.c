/* SPDX-License-Identifier: Apache-2.0 */
#include "esl-radio/ead.h"

#include "common/err.h"
#include <errno.h>
#include <nettle/ccm.h>
#include <string.h>

#define NONCE_BYTES (EAD_RAND_BYTES + EAD_IV_BYTES)

static const uint8_t aad[1] = {0xea};

static void reverse_key(const uint8_t *from, uint8_t *to)
{
	for (size_t i = 0; i < EAD_KEY_BYTES; i++)
		to[i] = from[EAD_KEY_BYTES - 1 - i];
}

void ead_key_from_wire(const uint8_t wire[EAD_WIRE_KEY_BYTES], struct ead_key *ret)
{
	reverse_key(wire, ret->key);
	memcpy(ret->iv, wire + EAD_KEY_BYTES, EAD_IV_BYTES);
}

void ead_key_to_wire(const struct ead_key *k, uint8_t ret_wire[EAD_WIRE_KEY_BYTES])
{
	reverse_key(k->key, ret_wire);
	memcpy(ret_wire + EAD_KEY_BYTES, k->iv, EAD_IV_BYTES);
}

static void make_nonce(const struct ead_key *k, const uint8_t *rand, uint8_t nonce[NONCE_BYTES])
{
	memcpy(nonce, rand, EAD_RAND_BYTES);
	memcpy(nonce + EAD_RAND_BYTES, k->iv, EAD_IV_BYTES);
}

int ead_seal(const struct ead_key *k, const uint8_t rand[EAD_RAND_BYTES], const uint8_t *plain,
	     size_t len, uint8_t *out, size_t cap)
{
	struct ccm_aes128_ctx ctx;
	uint8_t nonce[NONCE_BYTES];

	if (len > EAD_PLAIN_MAX)
		return -ERR_TOO_LARGE;
	if (len + EAD_OVERHEAD > cap)
		return -ENOBUFS;
	make_nonce(k, rand, nonce);
	ccm_aes128_set_key(&ctx, k->key);
	ccm_aes128_encrypt_message(&ctx, sizeof(nonce), nonce, sizeof(aad), aad, EAD_MIC_BYTES,
				   len + EAD_MIC_BYTES, out + 2 + EAD_RAND_BYTES, plain);
	out[0] = (uint8_t) (len + EAD_OVERHEAD - 1);
	out[1] = EAD_AD_TYPE;
	memcpy(out + 2, rand, EAD_RAND_BYTES);
	return (int) (len + EAD_OVERHEAD);
}

int ead_open(const struct ead_key *k, const uint8_t *ad, size_t len, uint8_t *out, size_t cap)
{
	struct ccm_aes128_ctx ctx;
	uint8_t nonce[NONCE_BYTES];
	size_t plain;

	if (len < EAD_OVERHEAD || ad[0] + 1u < EAD_OVERHEAD || ad[0] + 1u > len ||
	    ad[1] != EAD_AD_TYPE)
		return -ERR_BADMSG;
	plain = ad[0] + 1u - EAD_OVERHEAD;
	if (plain > cap)
		return -ENOBUFS;
	make_nonce(k, ad + 2, nonce);
	ccm_aes128_set_key(&ctx, k->key);
	if (!ccm_aes128_decrypt_message(&ctx, sizeof(nonce), nonce, sizeof(aad), aad, EAD_MIC_BYTES,
					plain, out, ad + 2 + EAD_RAND_BYTES)) {
		memset(out, 0, plain);
		return -ERR_CRYPTO;
	}
	return (int) plain;
}
