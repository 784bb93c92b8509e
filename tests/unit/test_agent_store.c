/* SPDX-License-Identifier: Apache-2.0 */
/* What the agent's state file holds beside the journal: wishes, keys (sealed), pictures. */
#include "common/err.h"
#include "tests/unit/agent_journal_rig.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* --- wishes ----------------------------------------------------------------------------------- */

static unsigned int labels_seen, readers_seen, forgotten;

static void count_label(void *user, const struct proto_desired_label *l)
{
	(void) user;
	labels_seen++;
	assert_int_equal(l->n, 1);
}

static void count_reader(void *user, const struct proto_desired_reader *r, size_t n)
{
	(void) user;
	readers_seen += (unsigned int) n;
	assert_string_equal(r[0].name, "dock");
}

static void count_forgotten(void *user, const uint8_t *addr)
{
	(void) user;
	assert_int_equal(addr[5], 2);
	forgotten++;
}

static void wishes_are_remembered_and_a_full_answer_forgets_the_others(void **state)
{
	struct fixture *f = *state;
	struct proto_desired_label labels[2] = {{.addr = {0, 0, 0, 0, 0, 1}, .n = 1},
						{.addr = {0, 0, 0, 0, 0, 2}, .n = 1}};
	struct proto_desired_reader reader = {.name = "dock", .host = "10.0.0.1", .port = 5084};
	struct proto_desired d = {.epoch = 9,
				  .rev = 12,
				  .has_readers = true,
				  .n_readers = 1,
				  .readers = &reader,
				  .n_labels = 2,
				  .labels = labels};
	uint64_t epoch, rev;

	labels_seen = readers_seen = forgotten = 0;
	assert_int_equal(store_desired_rev(f->store, &epoch, &rev), 0);
	assert_int_equal(epoch, 0);
	assert_int_equal(store_desired_put(f->store, &d, count_forgotten, NULL), 0);
	close_files(f);
	open_files(f);
	assert_int_equal(store_desired_rev(f->store, &epoch, &rev), 0);
	assert_int_equal(epoch, 9);
	assert_int_equal(rev, 12);
	assert_int_equal(store_desired_labels(f->store, count_label, NULL), 0);
	assert_int_equal(store_desired_readers(f->store, count_reader, NULL), 0);
	assert_int_equal(labels_seen, 2);
	assert_int_equal(readers_seen, 1);

	d.full = true;
	d.n_labels = 1;
	assert_int_equal(store_desired_put(f->store, &d, count_forgotten, NULL), 0);
	assert_int_equal(forgotten, 1);
	labels_seen = 0;
	assert_int_equal(store_desired_labels(f->store, count_label, NULL), 0);
	assert_int_equal(labels_seen, 1);
}

/* --- blobs and pictures ----------------------------------------------------------------------- */

static int check_blob(void *user, const char *key, const void *data, size_t len)
{
	assert_string_equal(key, "train");
	assert_int_equal(len, 3);
	assert_memory_equal(data, "two", 3);
	++*(int *) user;
	return 0;
}

static void the_last_blob_of_a_key_is_kept_and_an_empty_one_forgets(void **state)
{
	struct fixture *f = *state;
	int n = 0;

	assert_int_equal(store_blob_set(f->store, "train", "one", 3), 0);
	assert_int_equal(store_blob_set(f->store, "train", "two", 3), 0);
	assert_int_equal(store_blob_set(f->store, "other", "x", 1), 0);
	assert_int_equal(store_blob_set(f->store, "other", NULL, 0), 0);
	close_files(f);
	open_files(f);
	assert_int_equal(store_blob_each(f->store, check_blob, &n), 0);
	assert_int_equal(n, 1);
}

/** Everything in the state file and its log, as it lies on flash. */
static bool on_flash(const struct fixture *f, const char *what)
{
	static const char *const ends[] = {"", "-wal"};
	bool found = false;

	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		char path[256], *text = NULL;
		FILE *in;
		size_t n = 0, len = strlen(what);

		snprintf(path, sizeof(path), "%s%s", f->path, ends[i]);
		in = fopen(path, "re");
		if (!in)
			continue;
		text = malloc(1 << 20);
		assert_non_null(text);
		n = fread(text, 1, 1 << 20, in);
		fclose(in);
		found |= memmem(text, n, what, len) != NULL;
		free(text);
	}
	return found;
}

static int look_at_secret(void *user, const char *key, const void *data, size_t len)
{
	assert_string_equal(key, "bond:C0FFEE");
	*(bool *) user = len == 22 && memcmp(data, "a secret of the labels", 22) == 0;
	return 0;
}

static void keys_lie_sealed_on_flash(void **state)
{
	struct fixture *f = *state;
	bool right = false;

	assert_int_equal(store_blob_set(f->store, "bond:C0FFEE", "a secret of the labels", 22), 0);
	assert_false(on_flash(f, "a secret of"));
	close_files(f);
	assert_false(on_flash(f, "a secret of"));
	open_files(f);
	assert_int_equal(store_blob_each(f->store, look_at_secret, &right), 0);
	assert_true(right);
}

static void plain_blobs_of_an_older_agent_are_sealed_at_the_first_start(void **state)
{
	struct fixture *f = *state;
	bool right = false;

	assert_int_equal(sql_exec(store_sql(f->store), "INSERT INTO blob VALUES('bond:C0FFEE',"
						       " CAST('a secret of the labels' AS BLOB))"),
			 0);
	close_files(f);
	assert_true(on_flash(f, "a secret of"));
	open_files(f);
	assert_false(on_flash(f, "a secret of"));
	assert_int_equal(store_blob_each(f->store, look_at_secret, &right), 0);
	assert_true(right);
}

static int look_at_nothing(void *user, const char *key, const void *data, size_t len)
{
	(void) key;
	(void) data;
	*(bool *) user = len == 0;
	return 0;
}

static void a_blob_under_another_name_or_key_does_not_open(void **state)
{
	struct fixture *f = *state;
	char key[160];
	bool nothing = false;

	assert_int_equal(store_blob_set(f->store, "bond:C0FFEE", "a secret of the labels", 22), 0);
	assert_int_equal(sql_exec(store_sql(f->store), "UPDATE blob SET key = 'bond:OTHER'"), 0);
	assert_int_equal(store_blob_each(f->store, look_at_nothing, &nothing), 0);
	assert_true(nothing);
	assert_int_equal(sql_exec(store_sql(f->store), "UPDATE blob SET key = 'bond:C0FFEE'"), 0);
	close_files(f);
	snprintf(key, sizeof(key), "%s.key", f->path);
	unlink(key);
	open_files(f);
	nothing = false;
	assert_int_equal(store_blob_each(f->store, look_at_nothing, &nothing), 0);
	assert_true(nothing);
}

static bool read_secret(void *user, uint64_t seq, int64_t delta_us, const void *body, size_t len)
{
	(void) seq;
	(void) delta_us;
	*(bool *) user = len == 22 && memcmp(body, "a secret of the labels", 22) == 0;
	return true;
}

static void a_report_with_keys_waits_sealed(void **state)
{
	struct fixture *f = *state;
	bool right = false;

	assert_int_equal(
		journal_add_sealed(f->journal, JOURNAL_LABELS, true, "a secret of the labels", 22),
		0);
	assert_int_equal(journal_flush(f->journal), 0);
	assert_false(on_flash(f, "a secret of"));
	assert_int_equal(journal_read(f->journal, JOURNAL_LABELS, 10, read_secret, &right), 0);
	assert_true(right);
}

static void no_commit(void *user, unsigned int streams)
{
	(void) user;
	(void) streams;
}

static void pictures_stay_within_the_bound_and_the_oldest_go_first(void **state)
{
	struct fixture *f = *state;
	const struct store_config cfg = {.image_kib = 64};
	uint8_t hashes[20][IMAGE_HASH_BYTES];
	uint8_t data[8 * 1024] = {0};
	_cleanup_buf_ struct buf out = BUF_INIT;

	close_files(f);
	assert_int_equal(store_open(f->path, &cfg, &f->store), 0);
	assert_int_equal(journal_new(f->loop, f->store, &f->tb, no_commit, NULL, &f->journal), 0);
	for (uint8_t i = 0; i < 20; i++) {
		data[0] = i;
		image_hash(data, sizeof(data), hashes[i]);
		assert_int_equal(store_image_put(f->store, hashes[i], data, sizeof(data)), 0);
		assert_true(store_image_bytes(f->store) <= 64 * 1024);
	}
	assert_int_equal(store_image_get(f->store, hashes[0], &out), -ENOENT);
	assert_int_equal(store_image_get(f->store, hashes[19], &out), 0);
	assert_int_equal(out.len, sizeof(data));
	assert_int_equal(out.data[0], 19);
}

static void a_picture_that_rotted_on_flash_is_dropped(void **state)
{
	struct fixture *f = *state;
	_cleanup_buf_ struct buf out = BUF_INIT;
	uint8_t hash[IMAGE_HASH_BYTES];

	image_hash("good", 4, hash);
	assert_int_equal(store_image_put(f->store, hash, "good", 4), 0);
	assert_int_equal(sql_exec(store_sql(f->store), "UPDATE image SET data = x'00'"), 0);
	assert_int_equal(store_image_get(f->store, hash, &out), -ERR_CORRUPT);
	assert_int_equal(store_image_get(f->store, hash, &out), -ENOENT);
	assert_int_equal(out.len, 0);
}

static void a_damaged_file_is_told_from_a_good_one(void **state)
{
	struct fixture *f = *state;
	const struct store_config cfg = {0};
	struct store *s = NULL;
	char path[128];

	snprintf(path, sizeof(path), "%s/bad.db", f->dir);

	int fd = open(path, O_WRONLY | O_CREAT, 0600);

	for (int i = 0; i < 2000; i++)
		assert_int_equal(write(fd, "garbage!", 8), 8);
	close(fd);
	assert_int_equal(store_open(path, &cfg, &s), -ERR_CORRUPT);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(wishes_are_remembered_and_a_full_answer_forgets_the_others),
		T(the_last_blob_of_a_key_is_kept_and_an_empty_one_forgets),
		T(keys_lie_sealed_on_flash),
		T(plain_blobs_of_an_older_agent_are_sealed_at_the_first_start),
		T(a_blob_under_another_name_or_key_does_not_open),
		T(a_report_with_keys_waits_sealed),
		T(pictures_stay_within_the_bound_and_the_oldest_go_first),
		T(a_picture_that_rotted_on_flash_is_dropped),
		T(a_damaged_file_is_told_from_a_good_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
