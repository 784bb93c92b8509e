/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test_common.h"

#include "common/err.h"
#include "controller/keeping/backup_pack.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char passphrase[] = "three ducks in a canoe";

static int temp_file(void)
{
	char path[] = "gondola-unit-XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(unlink(path), 0);
	return fd;
}

/* Seals bytes of a pattern; the file stands at its start afterwards. */
static int sealed(size_t len)
{
	struct seal *s = NULL;
	int fd = temp_file();

	assert_int_equal(seal_begin(fd, passphrase, &s), 0);
	for (size_t i = 0; i < len; i++) {
		uint8_t byte = (uint8_t) (i * 7 + (i >> 8));

		assert_int_equal(seal_write(s, &byte, 1), 0);
	}
	assert_int_equal(seal_end(s), 0);
	seal_free(s);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

static int reads_back(int fd, size_t len)
{
	struct unseal *u = NULL;
	int r = unseal_begin(fd, passphrase, &u);

	for (size_t i = 0; i < len && r == 0; i++) {
		uint8_t byte = 0;

		r = unseal_read(u, &byte, 1);
		if (r == 0)
			assert_int_equal(byte, (uint8_t) (i * 7 + (i >> 8)));
	}
	if (r == 0)
		r = unseal_end(u);
	unseal_free(u);
	return r;
}

static void every_length_around_a_piece_reads_back(void **state)
{
	static const size_t lengths[] = {0, 1, 65535, 65536, 65537, 131072};

	(void) state;
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		int fd = sealed(lengths[i]);

		assert_int_equal(reads_back(fd, lengths[i]), 0);
		close(fd);
	}
}

static void a_file_cut_between_pieces_is_truncated(void **state)
{
	int fd = sealed(140000);

	(void) state;
	assert_int_equal(ftruncate(fd, SEAL_HEAD_BYTES + 65536 + 17), 0);
	assert_int_equal(reads_back(fd, 140000), -ERR_TRUNCATED);
	close(fd);
}

static void pieces_in_another_order_do_not_authenticate(void **state)
{
	static uint8_t a[65536 + 17], b[65536 + 17];
	int fd = sealed(140000);

	(void) state;
	assert_int_equal(pread(fd, a, sizeof(a), SEAL_HEAD_BYTES), sizeof(a));
	assert_int_equal(pread(fd, b, sizeof(b), SEAL_HEAD_BYTES + sizeof(a)), sizeof(b));
	assert_int_equal(pwrite(fd, b, sizeof(b), SEAL_HEAD_BYTES), sizeof(b));
	assert_int_equal(pwrite(fd, a, sizeof(a), SEAL_HEAD_BYTES + sizeof(a)), sizeof(a));
	assert_int_equal(reads_back(fd, 140000), -ERR_CRYPTO);
	close(fd);
}

static void bytes_after_the_end_are_trailing(void **state)
{
	struct unseal *u = NULL;
	uint8_t byte;
	int fd = sealed(2);

	(void) state;
	assert_int_equal(unseal_begin(fd, passphrase, &u), 0);
	assert_int_equal(unseal_read(u, &byte, 1), 0);
	assert_int_equal(unseal_end(u), -ERR_TRAILING);
	unseal_free(u);
	close(fd);
}

/* A head from a stranger must not make us spend memory or hours. */
static void a_head_that_asks_for_too_much_is_refused_unpaid(void **state)
{
	static const struct {
		off_t at;
		uint8_t value[4];
	} heads[] = {
		{20, {0, 0, 0, 0}}, {20, {0x7f, 0, 0, 0}}, {24, {0xff, 0xff, 0xff, 0xff}},
		{24, {0, 0, 0, 1}}, {28, {0xff, 0, 0, 0}},
	};
	struct unseal *u = NULL;

	(void) state;
	for (size_t i = 0; i < ARRAY_SIZE(heads); i++) {
		int fd = sealed(1);

		assert_int_equal(pwrite(fd, heads[i].value, 4, heads[i].at), 4);
		assert_int_equal(unseal_begin(fd, passphrase, &u), -ERR_BADMSG);
		assert_null(u);
		close(fd);
	}
}

/* Packs `about` and the given parts, each with the same small content. */
static int packed(const enum backup_part *parts, size_t n, json_t *about)
{
	struct backup_pack p;
	int fd = temp_file(), r;

	assert_int_equal(backup_pack_begin(fd, passphrase, &p), 0);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(backup_pack_file(&p, parts[i], "/proc/self/exe"), 0);
	r = backup_pack_end(&p, about);
	assert_int_equal(r, 0);
	backup_pack_done(&p);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

static int unpacks(int fd)
{
	char dir[] = "gondola-unit-XXXXXX";
	json_t *manifest = NULL;
	int r;

	assert_non_null(mkdtemp(dir));
	r = backup_unpack(fd, passphrase, dir, &manifest);
	json_decref(manifest);
	close(fd);
	for (int i = 0; i < BACKUP_PARTS; i++) {
		char path[96];

		snprintf(path, sizeof(path), "%s/%s", dir, backup_names[i]);
		(void) unlink(path);
		*strrchr(path, '/') = '\0';
		if (strcmp(path, dir) != 0)
			(void) rmdir(path);
	}
	(void) rmdir(dir);
	return r;
}

static const enum backup_part all[] = {BACKUP_DB,       BACKUP_IMAGES,  BACKUP_JOURNAL,
				       BACKUP_SNAPSHOT, BACKUP_CA_CERT, BACKUP_CA_KEY,
				       BACKUP_ESCROW};

static void all_parts_once_unpack(void **state)
{
	(void) state;
	assert_int_equal(unpacks(packed(all, ARRAY_SIZE(all), json_pack("{s:i}", "format", 1))), 0);
}

static void a_missing_or_repeated_part_is_corrupt(void **state)
{
	static const enum backup_part twice[] = {BACKUP_DB, BACKUP_DB};

	(void) state;
	assert_int_equal(unpacks(packed(all, ARRAY_SIZE(all) - 1, json_pack("{s:i}", "format", 1))),
			 -ERR_CORRUPT);
	assert_int_equal(unpacks(packed(twice, 2, json_pack("{s:i}", "format", 1))), -ERR_CORRUPT);
}

static void a_newer_format_is_told_apart(void **state)
{
	(void) state;
	assert_int_equal(unpacks(packed(all, ARRAY_SIZE(all),
					json_pack("{s:i}", "format", BACKUP_FORMAT + 1))),
			 -ERR_VERSION);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_length_around_a_piece_reads_back),
		cmocka_unit_test(a_file_cut_between_pieces_is_truncated),
		cmocka_unit_test(pieces_in_another_order_do_not_authenticate),
		cmocka_unit_test(bytes_after_the_end_are_trailing),
		cmocka_unit_test(a_head_that_asks_for_too_much_is_refused_unpaid),
		cmocka_unit_test(all_parts_once_unpack),
		cmocka_unit_test(a_missing_or_repeated_part_is_corrupt),
		cmocka_unit_test(a_newer_format_is_told_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
