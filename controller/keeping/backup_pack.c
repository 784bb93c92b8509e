/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/keeping/backup_pack.h"
#include "common/err.h"
#include "common/fault.h"
#include "common/file.h"
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define COPY_BYTES (64u * 1024)
#define HASH_HEX   (2 * crypto_hash_sha256_BYTES + 1)

const char *const backup_names[BACKUP_PARTS] = {
	[BACKUP_DB] = "gondola.db",
	[BACKUP_IMAGES] = "images/data.mdb",
	[BACKUP_JOURNAL] = "journal/data.mdb",
	[BACKUP_SNAPSHOT] = "snapshot/data.mdb",
	[BACKUP_CA_CERT] = "ca/ca.pem",
	[BACKUP_CA_KEY] = "ca/ca.key",
	[BACKUP_ESCROW] = "escrow.key",
};

static void put_be(uint8_t *to, uint64_t v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		to[i] = (uint8_t) (v >> (8 * (n - 1 - i)));
}

static uint64_t get_be(const uint8_t *from, size_t n)
{
	uint64_t v = 0;

	for (size_t i = 0; i < n; i++)
		v = v << 8 | from[i];
	return v;
}

static void hash_hex(crypto_hash_sha256_state *st, char ret[HASH_HEX])
{
	uint8_t hash[crypto_hash_sha256_BYTES];

	crypto_hash_sha256_final(st, hash);
	sodium_bin2hex(ret, HASH_HEX, hash, sizeof(hash));
}

/* --- packing ------------------------------------------------------------------------------- */

int backup_pack_begin(int fd, const char *passphrase, struct backup_pack *ret)
{
	struct backup_pack p = {.files = json_array()};
	int r = p.files ? seal_begin(fd, passphrase, &p.seal) : -ENOMEM;

	if (r < 0)
		backup_pack_done(&p);
	else
		*ret = p;
	return r;
}

static int pack_bytes(struct backup_pack *p, int fd, uint64_t size, crypto_hash_sha256_state *st)
{
	_cleanup_free_ uint8_t *block = malloc(COPY_BYTES);
	int r = 0;

	if (!block)
		return -ENOMEM;
	while (size > 0 && r == 0) {
		ssize_t n = read(fd, block, MIN(size, COPY_BYTES));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		crypto_hash_sha256_update(st, block, (unsigned long long) n);
		r = seal_write(p->seal, block, (size_t) n);
		size -= (uint64_t) n;
	}
	sodium_memzero(block, COPY_BYTES);
	return r;
}

static int pack_open_file(struct backup_pack *p, const char *name, int fd)
{
	uint8_t head[2 + BACKUP_NAME_MAX + 8];
	size_t len = strlen(name);
	crypto_hash_sha256_state st;
	char hex[HASH_HEX];
	struct stat s;
	int r;

	if (fstat(fd, &s) < 0)
		return -errno;
	head[0] = 'F';
	head[1] = (uint8_t) len;
	memcpy(head + 2, name, len);
	put_be(head + 2 + len, (uint64_t) s.st_size, 8);
	crypto_hash_sha256_init(&st);
	r = seal_write(p->seal, head, 2 + len + 8);
	if (r == 0)
		r = pack_bytes(p, fd, (uint64_t) s.st_size, &st);
	if (r < 0)
		return r;
	hash_hex(&st, hex);
	p->bytes += (uint64_t) s.st_size;
	return json_array_append_new(p->files, json_pack("{s:s,s:I,s:s}", "name", name, "bytes",
							 (json_int_t) s.st_size, "sha256", hex)) < 0
		       ? -ENOMEM
		       : 0;
}

int backup_pack_file(struct backup_pack *p, enum backup_part part, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), r;

	if (fd < 0)
		return -errno;
	r = pack_open_file(p, backup_names[part], fd);
	close(fd);
	return r;
}

int backup_pack_end(struct backup_pack *p, json_t *about)
{
	_cleanup_free_ char *text = NULL;
	uint8_t head[5] = {'M'};
	int r;

	if (about && json_object_set(about, "files", p->files) == 0)
		text = json_dumps(about, JSON_COMPACT);
	json_decref(about);
	if (!text)
		return -ENOMEM;
	put_be(head + 1, strlen(text), 4);
	r = seal_write(p->seal, head, sizeof(head));
	if (r == 0)
		r = seal_write(p->seal, text, strlen(text));
	return r < 0 ? r : seal_end(p->seal);
}

void backup_pack_done(struct backup_pack *p)
{
	seal_free(p->seal);
	json_decref(p->files);
	*p = (struct backup_pack){.seal = NULL};
}

/* --- unpacking ----------------------------------------------------------------------------- */

struct unpacking {
	struct unseal *in;
	const char *dir;
	bool have[BACKUP_PARTS];
	uint64_t size[BACKUP_PARTS];
	char hash[BACKUP_PARTS][HASH_HEX];
};

static int unpack_bytes(struct unpacking *u, int fd, uint64_t size, char ret_hash[HASH_HEX])
{
	_cleanup_free_ uint8_t *block = malloc(COPY_BYTES);
	crypto_hash_sha256_state st;
	int r = block ? 0 : -ENOMEM;

	crypto_hash_sha256_init(&st);
	while (size > 0 && r == 0) {
		size_t n = (size_t) MIN(size, COPY_BYTES);

		r = unseal_read(u->in, block, n);
		if (r < 0)
			break;
		crypto_hash_sha256_update(&st, block, n);
		r = file_write_all(fd, block, n);
		size -= n;
		FAULT_POINT("ctl.restore.unpacking");
	}
	if (block)
		sodium_memzero(block, COPY_BYTES);
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	if (r == 0)
		hash_hex(&st, ret_hash);
	return r;
}

static int find_part(const char *name)
{
	for (int i = 0; i < BACKUP_PARTS; i++)
		if (strcmp(name, backup_names[i]) == 0)
			return i;
	return -ERR_CORRUPT;
}

/* The name is one of ours, so that nothing can be written elsewhere. */
static int create_part(const char *dir, const char *name)
{
	_cleanup_free_ char *path = NULL;
	const char *slash = strchr(name, '/');
	int fd;

	if (slash) {
		_cleanup_free_ char *sub = NULL;

		if (asprintf(&sub, "%s/%.*s", dir, (int) (slash - name), name) < 0)
			return -ENOMEM;
		if (mkdir(sub, 0700) < 0 && errno != EEXIST)
			return -errno;
	}
	if (asprintf(&path, "%s/%s", dir, name) < 0)
		return -ENOMEM;
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	return fd < 0 ? -errno : fd;
}

static int unpack_file(struct unpacking *u)
{
	char name[BACKUP_NAME_MAX + 1];
	uint8_t len, size[8];
	int r = unseal_read(u->in, &len, 1), part, fd;

	if (r == 0 && len > BACKUP_NAME_MAX)
		r = -ERR_CORRUPT;
	if (r == 0)
		r = unseal_read(u->in, name, len);
	if (r == 0)
		r = unseal_read(u->in, size, sizeof(size));
	if (r < 0)
		return r;
	name[len] = '\0';
	part = find_part(name);
	if (part < 0 || u->have[part])
		return -ERR_CORRUPT;
	u->size[part] = get_be(size, sizeof(size));
	fd = create_part(u->dir, name);
	if (fd < 0)
		return fd;
	r = unpack_bytes(u, fd, u->size[part], u->hash[part]);
	if (close(fd) < 0 && r == 0)
		r = -errno;
	u->have[part] = r == 0;
	return r;
}

static int unpack_manifest(struct unpacking *u, json_t **ret)
{
	_cleanup_free_ char *text = NULL;
	uint8_t size[4];
	size_t len;
	int r = unseal_read(u->in, size, sizeof(size));

	if (r < 0)
		return r;
	len = (size_t) get_be(size, sizeof(size));
	if (len > BACKUP_MANIFEST_MAX)
		return -ERR_CORRUPT;
	text = malloc(len + 1);
	if (!text)
		return -ENOMEM;
	r = unseal_read(u->in, text, len);
	if (r == 0)
		r = unseal_end(u->in);
	if (r < 0)
		return r;
	*ret = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
	return *ret ? 0 : -ERR_CORRUPT;
}

static int check_manifest(const struct unpacking *u, json_t *m)
{
	const json_t *files = json_object_get(m, "files"), *f;
	size_t i;

	if (json_integer_value(json_object_get(m, "format")) > BACKUP_FORMAT)
		return -ERR_VERSION;
	if (json_array_size(files) != BACKUP_PARTS)
		return -ERR_CORRUPT;
	json_array_foreach(files, i, f)
	{
		const char *name = json_string_value(json_object_get(f, "name"));
		const char *hash = json_string_value(json_object_get(f, "sha256"));
		int part = name ? find_part(name) : -ERR_CORRUPT;

		if (part < 0 || !u->have[part] || !hash || strcmp(hash, u->hash[part]) != 0 ||
		    (uint64_t) json_integer_value(json_object_get(f, "bytes")) != u->size[part])
			return -ERR_CORRUPT;
	}
	for (i = 0; i < BACKUP_PARTS; i++)
		if (!u->have[i])
			return -ERR_CORRUPT;
	return 0;
}

int backup_unpack(int fd, const char *passphrase, const char *dir, json_t **ret_manifest)
{
	_cleanup_(unseal_freep) struct unseal *in = NULL;
	struct unpacking u = {.dir = dir};
	json_t *manifest = NULL;
	uint8_t kind = 0;
	int r = unseal_begin(fd, passphrase, &in);

	u.in = in;
	while (r == 0 && !manifest) {
		r = unseal_read(in, &kind, 1);
		if (r < 0)
			break;
		if (kind == 'F')
			r = unpack_file(&u);
		else
			r = kind == 'M' ? unpack_manifest(&u, &manifest) : -ERR_CORRUPT;
	}
	if (r == 0)
		r = check_manifest(&u, manifest);
	if (r < 0) {
		json_decref(manifest);
		return r;
	}
	*ret_manifest = manifest;
	return 0;
}
