/* SPDX-License-Identifier: Apache-2.0 */
#include "ap-agent/seal.h"

#include "common/err.h"
#include "common/file.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <nettle/siv-cmac.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#define KEY_BYTES    64 /* two AES keys of 256 bits */
#define NONCE_BYTES  16
#define CHECK_BYTES  16
#define HEAD_BYTES   2
#define SEAL_VERSION 1

_Static_assert(SEAL_OVERHEAD == HEAD_BYTES + NONCE_BYTES + CHECK_BYTES, "sealed form");

struct seal {
	bool ready;
	char path[PATH_MAX];
	struct siv_cmac_aes256_ctx siv;
};

static int read_key(struct seal *s)
{
	uint8_t key[KEY_BYTES + 1];
	int fd = open(s->path, O_RDONLY | O_CLOEXEC);
	ssize_t n;
	int r;

	if (fd < 0)
		return -errno;
	n = read(fd, key, sizeof(key));
	r = n < 0 ? -errno : n != KEY_BYTES ? -ERR_CORRUPT : 0;
	close(fd);
	if (r == 0) {
		siv_cmac_aes256_set_key(&s->siv, key);
		s->ready = true;
	}
	explicit_bzero(key, sizeof(key));
	return r;
}

/** The key is on flash before anything is sealed with it. */
static int make_key(struct seal *s)
{
	uint8_t key[KEY_BYTES];
	int r;

	if (getrandom(key, sizeof(key), 0) != (ssize_t) sizeof(key))
		return -EIO;
	r = file_write_durable(s->path, key, sizeof(key), 0600);
	if (r == 0) {
		siv_cmac_aes256_set_key(&s->siv, key);
		s->ready = true;
	}
	explicit_bzero(key, sizeof(key));
	return r;
}

int seal_open(const char *path, struct seal **ret)
{
	struct seal *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return -ENOMEM;
	if (snprintf(s->path, sizeof(s->path), "%s.key", path) >= (int) sizeof(s->path)) {
		free(s);
		return -ENAMETOOLONG;
	}
	r = read_key(s);
	if (r < 0 && r != -ENOENT) {
		seal_close(s);
		return r;
	}
	*ret = s;
	return 0;
}

void seal_close(struct seal *s)
{
	if (s)
		explicit_bzero(s, sizeof(*s));
	free(s);
}

int seal_put(struct seal *s, const char *name, const void *data, size_t len, struct buf *out)
{
	uint8_t nonce[NONCE_BYTES], *to;
	int r = s->ready ? 0 : make_key(s);

	if (r < 0)
		return r;
	if (getrandom(nonce, sizeof(nonce), 0) != (ssize_t) sizeof(nonce))
		return -EIO;
	buf_put_u8(out, SEAL_MARK);
	buf_put_u8(out, SEAL_VERSION);
	buf_put(out, nonce, sizeof(nonce));
	to = buf_extend(out, CHECK_BYTES + len);
	if (!to)
		return out->err;
	siv_cmac_aes256_encrypt_message(&s->siv, sizeof(nonce), nonce, strlen(name),
					(const uint8_t *) name, CHECK_BYTES + len, to, data);
	return 0;
}

int seal_get(struct seal *s, const char *name, const void *data, size_t len, struct buf *out)
{
	const uint8_t *from = data;
	size_t n = len - SEAL_OVERHEAD;
	uint8_t *to;

	if (!seal_is_sealed(data, len) || !s->ready)
		return -ERR_CRYPTO;
	if (from[1] != SEAL_VERSION)
		return -ERR_VERSION;
	to = buf_extend(out, MAX(n, (size_t) 1)); /* of nothing there is still a check */
	if (!to)
		return out->err;
	if (!siv_cmac_aes256_decrypt_message(&s->siv, NONCE_BYTES, from + HEAD_BYTES, strlen(name),
					     (const uint8_t *) name, n, to,
					     from + HEAD_BYTES + NONCE_BYTES))
		return -ERR_CRYPTO;
	out->len -= MAX(n, (size_t) 1) - n;
	return 0;
}
