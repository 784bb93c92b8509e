/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/keeping/backup_seal.h"
#include "common/buf.h"
#include "common/err.h"
#include "common/file.h"
#include "common/wire.h"
#include <errno.h>
#include <sodium.h>
#include <string.h>
#include <unistd.h>

#define PASSES      3u
#define MEMORY_KIB  (64u * 1024)
#define PIECE_BYTES (64u * 1024)
#define SEALED      (PIECE_BYTES + crypto_secretstream_xchacha20poly1305_ABYTES)
#define CHECKED     72 /* bytes of the head that the keyed hash covers */
#define CHECK_BYTES (SEAL_HEAD_BYTES - CHECKED)

/* What a head from outside may ask of this machine. */
#define MAX_PASSES     16u
#define MAX_MEMORY_KIB (1024u * 1024)

static const uint8_t magic[16] = "gondola-backup\n";

struct keys {
	uint8_t stream[crypto_secretstream_xchacha20poly1305_KEYBYTES];
	uint8_t check[crypto_generichash_KEYBYTES];
};

struct seal {
	int fd;
	crypto_secretstream_xchacha20poly1305_state state;
	size_t n;
	uint8_t piece[PIECE_BYTES];
	uint8_t sealed[SEALED];
};

struct unseal {
	int fd;
	crypto_secretstream_xchacha20poly1305_state state;
	bool last; /* the piece at hand is the last one */
	size_t at, n;
	uint8_t piece[PIECE_BYTES];
	uint8_t sealed[SEALED];
};

static int derive(struct keys *k, const char *passphrase, const uint8_t *salt, uint32_t passes,
		  uint32_t memory_kib)
{
	if (sodium_init() < 0)
		return -ERR_CRYPTO;
	return crypto_pwhash((unsigned char *) k, sizeof(*k), passphrase, strlen(passphrase), salt,
			     passes, (size_t) memory_kib * 1024, crypto_pwhash_ALG_ARGON2ID13) < 0
		       ? -ENOMEM
		       : 0;
}

static void head_check(const struct keys *k, const uint8_t *head, uint8_t ret[CHECK_BYTES])
{
	crypto_generichash(ret, CHECK_BYTES, head, CHECKED, k->check, sizeof(k->check));
}

/* --- writing ------------------------------------------------------------------------------- */

static int write_head(struct seal *s, const char *passphrase)
{
	uint8_t salt[crypto_pwhash_SALTBYTES], check[CHECK_BYTES];
	uint8_t stream[crypto_secretstream_xchacha20poly1305_HEADERBYTES];
	_cleanup_buf_ struct buf head = BUF_INIT;
	struct keys k;
	int r;

	randombytes_buf(salt, sizeof(salt));
	r = derive(&k, passphrase, salt, PASSES, MEMORY_KIB);
	if (r < 0)
		return r;
	crypto_secretstream_xchacha20poly1305_init_push(&s->state, stream, k.stream);
	buf_put(&head, magic, sizeof(magic));
	buf_put_u32be(&head, SEAL_VERSION);
	buf_put_u32be(&head, PASSES);
	buf_put_u32be(&head, MEMORY_KIB);
	buf_put_u32be(&head, PIECE_BYTES);
	buf_put(&head, salt, sizeof(salt));
	buf_put(&head, stream, sizeof(stream));
	if (buf_ok(&head)) {
		head_check(&k, head.data, check);
		buf_put(&head, check, sizeof(check));
	}
	sodium_memzero(&k, sizeof(k));
	return buf_ok(&head) ? file_write_all(s->fd, head.data, head.len) : head.err;
}

int seal_begin(int fd, const char *passphrase, struct seal **ret)
{
	_cleanup_(seal_freep) struct seal *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return -ENOMEM;
	s->fd = fd;
	if (sodium_init() < 0)
		return -ERR_CRYPTO;
	r = write_head(s, passphrase);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(s);
	return 0;
}

static int flush(struct seal *s, uint8_t tag)
{
	unsigned long long len = 0;

	if (crypto_secretstream_xchacha20poly1305_push(&s->state, s->sealed, &len, s->piece, s->n,
						       NULL, 0, tag) < 0)
		return -ERR_CRYPTO;
	s->n = 0;
	return file_write_all(s->fd, s->sealed, (size_t) len);
}

int seal_write(struct seal *s, const void *data, size_t len)
{
	const uint8_t *from = data;

	while (len > 0) {
		size_t n = MIN(len, PIECE_BYTES - s->n);

		/* A full piece waits until it is known not to be the last. */
		if (n == 0) {
			int r = flush(s, crypto_secretstream_xchacha20poly1305_TAG_MESSAGE);

			if (r < 0)
				return r;
			continue;
		}
		memcpy(s->piece + s->n, from, n);
		s->n += n;
		from += n;
		len -= n;
	}
	return 0;
}

int seal_end(struct seal *s)
{
	return flush(s, crypto_secretstream_xchacha20poly1305_TAG_FINAL);
}

void seal_free(struct seal *s)
{
	if (s)
		sodium_memzero(s, sizeof(*s));
	free(s);
}

/* --- reading ------------------------------------------------------------------------------- */

/* As much as there is, up to `len`. */
static ssize_t read_up_to(int fd, uint8_t *data, size_t len)
{
	size_t have = 0;

	while (have < len) {
		ssize_t n = read(fd, data + have, len - have);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		have += (size_t) n;
	}
	return (ssize_t) have;
}

static int read_head(struct unseal *u, const char *passphrase)
{
	uint8_t head[SEAL_HEAD_BYTES], check[CHECK_BYTES];
	ssize_t n = read_up_to(u->fd, head, sizeof(head));
	uint32_t version, passes, memory, piece;
	const uint8_t *salt, *stream;
	struct wire w;
	struct keys k;
	int r;

	if (n < 0)
		return (int) n;
	if ((size_t) n < sizeof(magic) || memcmp(head, magic, sizeof(magic)) != 0)
		return -ERR_BADMSG;
	if ((size_t) n < sizeof(head))
		return -ERR_TRUNCATED;
	wire_init(&w, head + sizeof(magic), sizeof(head) - sizeof(magic));
	version = wire_get_u32be(&w);
	passes = wire_get_u32be(&w);
	memory = wire_get_u32be(&w);
	piece = wire_get_u32be(&w);
	salt = wire_get_bytes(&w, crypto_pwhash_SALTBYTES);
	stream = wire_get_bytes(&w, crypto_secretstream_xchacha20poly1305_HEADERBYTES);
	if (version != SEAL_VERSION)
		return -ERR_VERSION;
	if (!wire_ok(&w) || passes < 1 || passes > MAX_PASSES || memory < 8 ||
	    memory > MAX_MEMORY_KIB || piece != PIECE_BYTES)
		return -ERR_BADMSG;
	r = derive(&k, passphrase, salt, passes, memory);
	if (r < 0)
		return r;
	head_check(&k, head, check);
	if (sodium_memcmp(check, head + CHECKED, CHECK_BYTES) != 0)
		r = -ERR_AUTH;
	else if (crypto_secretstream_xchacha20poly1305_init_pull(&u->state, stream, k.stream) < 0)
		r = -ERR_CRYPTO;
	sodium_memzero(&k, sizeof(k));
	return r;
}

int unseal_begin(int fd, const char *passphrase, struct unseal **ret)
{
	_cleanup_(unseal_freep) struct unseal *u = calloc(1, sizeof(*u));
	int r;

	if (!u)
		return -ENOMEM;
	u->fd = fd;
	r = read_head(u, passphrase);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(u);
	return 0;
}

static int next_piece(struct unseal *u)
{
	unsigned long long len = 0;
	unsigned char tag = 0;
	ssize_t n;

	if (u->last)
		return -ERR_TRUNCATED;
	n = read_up_to(u->fd, u->sealed, sizeof(u->sealed));
	if (n < 0)
		return (int) n;
	if ((size_t) n < crypto_secretstream_xchacha20poly1305_ABYTES)
		return -ERR_TRUNCATED;
	/* A piece that does not authenticate because it was cut looks like a damaged one: a short
	 * one can only have been cut, or be the last. */
	if (crypto_secretstream_xchacha20poly1305_pull(&u->state, u->piece, &len, &tag, u->sealed,
						       (size_t) n, NULL, 0) < 0)
		return (size_t) n < sizeof(u->sealed) ? -ERR_TRUNCATED : -ERR_CRYPTO;
	u->last = tag == crypto_secretstream_xchacha20poly1305_TAG_FINAL;
	u->at = 0;
	u->n = (size_t) len;
	if (!u->last && u->n < PIECE_BYTES)
		return -ERR_TRUNCATED;
	return 0;
}

int unseal_read(struct unseal *u, void *data, size_t len)
{
	uint8_t *to = data;

	while (len > 0) {
		size_t n = MIN(len, u->n - u->at);

		if (n == 0) {
			int r = next_piece(u);

			if (r < 0)
				return r;
			continue;
		}
		memcpy(to, u->piece + u->at, n);
		u->at += n;
		to += n;
		len -= n;
	}
	return 0;
}

int unseal_end(struct unseal *u)
{
	uint8_t more;
	ssize_t n;

	/* The last byte may have ended a piece, and the last piece be empty. */
	while (u->at == u->n && !u->last) {
		int r = next_piece(u);

		if (r < 0)
			return r;
	}
	if (u->at < u->n)
		return -ERR_TRAILING;
	n = read_up_to(u->fd, &more, 1);
	if (n < 0)
		return (int) n;
	return n ? -ERR_TRAILING : 0;
}

void unseal_free(struct unseal *u)
{
	if (u)
		sodium_memzero(u, sizeof(*u));
	free(u);
}
