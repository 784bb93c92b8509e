/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/shop/label_escrow.h"
#include "common/err.h"
#include "common/file.h"
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define PLAIN_BYTES (LABEL_ADDR_BYTES + 2 * PROTO_KEY_BYTES)

_Static_assert(ESCROW_SEALED_BYTES ==
		       crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES + PLAIN_BYTES,
	       "sealed form");

struct label_escrow {
	uint8_t key[crypto_secretbox_KEYBYTES];
};

static int load_or_make(struct label_escrow *e, const char *path)
{
	_cleanup_free_ char *text = NULL;
	size_t len;
	int r = file_read(path, sizeof e->key, &text, &len);

	if (r == 0 && len == sizeof e->key) {
		memcpy(e->key, text, len);
		sodium_memzero(text, len);
		return 0;
	}
	if (r != -ENOENT)
		return r == 0 || r == -ERR_TOO_LARGE ? -ERR_CORRUPT : r;
	randombytes_buf(e->key, sizeof e->key);
	return file_write_durable(path, e->key, sizeof e->key, 0600);
}

int label_escrow_open(const char *state_dir, struct label_escrow **ret)
{
	_cleanup_free_ char *path = NULL;
	struct label_escrow *e = calloc(1, sizeof *e);
	int r;

	if (!e || asprintf(&path, "%s/escrow.key", state_dir) < 0) {
		free(e);
		return -ENOMEM;
	}
	r = sodium_init() < 0 ? -ERR_CRYPTO : load_or_make(e, path);
	if (r < 0) {
		label_escrow_free(e);
		return r;
	}
	*ret = e;
	return 0;
}

void label_escrow_free(struct label_escrow *e)
{
	if (e)
		sodium_memzero(e->key, sizeof e->key);
	free(e);
}

void label_escrow_seal(const struct label_escrow *e, const uint8_t addr[LABEL_ADDR_BYTES],
		       const uint8_t response[PROTO_KEY_BYTES],
		       const uint8_t train[PROTO_KEY_BYTES],
		       uint8_t ret_sealed[ESCROW_SEALED_BYTES])
{
	uint8_t plain[PLAIN_BYTES];

	memcpy(plain, addr, LABEL_ADDR_BYTES);
	memcpy(plain + LABEL_ADDR_BYTES, response, PROTO_KEY_BYTES);
	memcpy(plain + LABEL_ADDR_BYTES + PROTO_KEY_BYTES, train, PROTO_KEY_BYTES);
	randombytes_buf(ret_sealed, crypto_secretbox_NONCEBYTES);
	crypto_secretbox_easy(ret_sealed + crypto_secretbox_NONCEBYTES, plain, sizeof plain,
			      ret_sealed, e->key);
	sodium_memzero(plain, sizeof plain);
}

int label_escrow_unseal(const struct label_escrow *e, const uint8_t addr[LABEL_ADDR_BYTES],
			const uint8_t *sealed, size_t len, uint8_t ret_response[PROTO_KEY_BYTES],
			uint8_t ret_train[PROTO_KEY_BYTES])
{
	uint8_t plain[PLAIN_BYTES];
	int r = -ERR_CRYPTO;

	if (len == ESCROW_SEALED_BYTES &&
	    crypto_secretbox_open_easy(plain, sealed + crypto_secretbox_NONCEBYTES,
				       len - crypto_secretbox_NONCEBYTES, sealed, e->key) == 0 &&
	    memcmp(plain, addr, LABEL_ADDR_BYTES) == 0) {
		memcpy(ret_response, plain + LABEL_ADDR_BYTES, PROTO_KEY_BYTES);
		memcpy(ret_train, plain + LABEL_ADDR_BYTES + PROTO_KEY_BYTES, PROTO_KEY_BYTES);
		r = 0;
	}
	sodium_memzero(plain, sizeof plain);
	return r;
}

/* What is sealed begins with whose and what it is, so that rows cannot change places. */
#define ENTRY_HEAD (LABEL_ADDR_BYTES + 1)

int label_escrow_seal_entry(const struct label_escrow *e, const struct proto_escrow_entry *entry,
			    struct buf *out)
{
	uint8_t plain[ENTRY_HEAD + PROTO_ESCROW_DATA_MAX];
	uint8_t *to = buf_extend(out, crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES +
					      ENTRY_HEAD + entry->len);

	if (!to)
		return out->err;
	memcpy(plain, entry->addr, LABEL_ADDR_BYTES);
	plain[LABEL_ADDR_BYTES] = entry->kind;
	memcpy(plain + ENTRY_HEAD, entry->data, entry->len);
	randombytes_buf(to, crypto_secretbox_NONCEBYTES);
	crypto_secretbox_easy(to + crypto_secretbox_NONCEBYTES, plain, ENTRY_HEAD + entry->len, to,
			      e->key);
	sodium_memzero(plain, sizeof plain);
	return 0;
}

int label_escrow_open_entry(const struct label_escrow *e, const uint8_t *sealed, size_t len,
			    struct proto_escrow_entry *entry)
{
	uint8_t plain[ENTRY_HEAD + PROTO_ESCROW_DATA_MAX];
	size_t extra = crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES;
	int r = -ERR_CRYPTO;

	if (len >= extra + ENTRY_HEAD && len - extra <= sizeof plain &&
	    crypto_secretbox_open_easy(plain, sealed + crypto_secretbox_NONCEBYTES,
				       len - crypto_secretbox_NONCEBYTES, sealed, e->key) == 0 &&
	    memcmp(plain, entry->addr, LABEL_ADDR_BYTES) == 0 &&
	    plain[LABEL_ADDR_BYTES] == entry->kind) {
		entry->len = len - extra - ENTRY_HEAD;
		memcpy(entry->data, plain + ENTRY_HEAD, entry->len);
		r = 0;
	}
	sodium_memzero(plain, sizeof plain);
	return r;
}
