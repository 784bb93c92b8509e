/* SPDX-License-Identifier: Apache-2.0 */
/* The journal and its store: numbering, acknowledgement, sudden ends, full flash, pictures, wishes.
 */
#include "ap-agent/journal.h"
#include "ap-agent/sighting.h"
#include "ap-agent/upload.h"
#include "common/err.h"
#include "tests/unit/test_common.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct fixture {
	char dir[64];
	char path[96];
	struct loop *loop;
	struct timebase tb;
	struct store *store;
	struct journal *journal;
	unsigned int committed;
};

static void on_commit(void *user, unsigned int streams)
{
	struct fixture *f = user;

	f->committed |= streams;
}

static void open_files(struct fixture *f)
{
	const struct store_config cfg = {.max_mib = 0};

	assert_int_equal(store_open(f->path, &cfg, &f->store), 0);
	assert_int_equal(journal_new(f->loop, f->store, &f->tb, on_commit, f, &f->journal), 0);
}

static void close_files(struct fixture *f)
{
	journal_free(f->journal);
	store_close(f->store);
	f->journal = NULL;
	f->store = NULL;
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	strcpy(f->dir, "/tmp/agent-journal-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->path, sizeof(f->path), "%s/agent.db", f->dir);
	assert_int_equal(loop_new_virtual(1000000, 1700000000000000, &f->loop), 0);
	timebase_init(&f->tb, loop_clock(f->loop), 77);
	open_files(f);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	char path[128];

	close_files(f);
	loop_free(f->loop);
	snprintf(path, sizeof(path), "%s-wal", f->path);
	unlink(path);
	unlink(f->path);
	snprintf(path, sizeof(path), "%s.key", f->path);
	unlink(path);
	rmdir(f->dir);
	free(f);
	return 0;
}

static void add(struct fixture *f, enum journal_stream stream, const char *text)
{
	(void) journal_add(f->journal, stream, true, text, strlen(text));
}

struct seen {
	size_t n;
	uint64_t first, last;
	int64_t delta;
	char text[32];
};

static bool see(void *user, uint64_t seq, int64_t delta_us, const void *body, size_t len)
{
	struct seen *s = user;

	if (s->n++ == 0) {
		s->first = seq;
		s->delta = delta_us;
		snprintf(s->text, sizeof(s->text), "%.*s", (int) len, (const char *) body);
	}
	s->last = seq;
	return true;
}

static struct seen look(struct fixture *f, enum journal_stream stream)
{
	struct seen s = {0};

	assert_int_equal(journal_read(f->journal, stream, 10000, see, &s), 0);
	return s;
}

static void entries_are_durable_after_200_ms_and_numbered_from_1(void **state)
{
	struct fixture *f = *state;

	add(f, JOURNAL_SIGHTINGS, "a");
	add(f, JOURNAL_LABELS, "b");
	add(f, JOURNAL_SIGHTINGS, "c");
	assert_int_equal(look(f, JOURNAL_SIGHTINGS).n, 0);
	loop_run_until(f->loop, 1000000 + JOURNAL_FLUSH_US + 1000);
	assert_int_equal(f->committed, 1u << JOURNAL_SIGHTINGS | 1u << JOURNAL_LABELS);

	struct seen s = look(f, JOURNAL_SIGHTINGS);

	assert_int_equal(s.n, 2);
	assert_int_equal(s.first, 1);
	assert_string_equal(s.text, "a");
	assert_int_equal(look(f, JOURNAL_LABELS).first, 1);
	assert_int_equal(journal_depth(f->journal, JOURNAL_SIGHTINGS), 2);
}

static void a_full_batch_does_not_wait(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < JOURNAL_BATCH; i++)
		add(f, JOURNAL_SIGHTINGS, "x");
	assert_int_equal(look(f, JOURNAL_SIGHTINGS).n, JOURNAL_BATCH);
}

static void acknowledged_entries_go_and_numbers_are_never_used_again(void **state)
{
	struct fixture *f = *state;
	uint8_t id[PROTO_JOURNAL_ID_BYTES];

	memcpy(id, journal_id(f->journal), sizeof(id));
	for (int i = 0; i < 3; i++)
		add(f, JOURNAL_SIGHTINGS, "x");
	assert_int_equal(journal_flush(f->journal), 0);
	assert_int_equal(journal_ack(f->journal, JOURNAL_SIGHTINGS, 2), 0);
	assert_int_equal(look(f, JOURNAL_SIGHTINGS).first, 3);
	assert_int_equal(journal_ack(f->journal, JOURNAL_SIGHTINGS, 3), 0);
	assert_int_equal(journal_depth(f->journal, JOURNAL_SIGHTINGS), 0);
	close_files(f);
	open_files(f);
	assert_memory_equal(id, journal_id(f->journal), sizeof(id));
	add(f, JOURNAL_SIGHTINGS, "y");
	assert_int_equal(journal_flush(f->journal), 0);
	assert_int_equal(look(f, JOURNAL_SIGHTINGS).first, 4);
}

static void an_ack_of_what_was_never_given_is_refused(void **state)
{
	struct fixture *f = *state;

	add(f, JOURNAL_SIGHTINGS, "x");
	assert_int_equal(journal_flush(f->journal), 0);
	assert_int_equal(journal_ack(f->journal, JOURNAL_SIGHTINGS, 2), -ERR_RANGE);
	assert_int_equal(journal_ack(f->journal, JOURNAL_SIGHTINGS, UINT64_MAX), -ERR_RANGE);
	assert_int_equal(journal_depth(f->journal, JOURNAL_SIGHTINGS), 1);
	/* an old one changes nothing */
	assert_int_equal(journal_ack(f->journal, JOURNAL_SIGHTINGS, 0), 0);
	assert_int_equal(look(f, JOURNAL_SIGHTINGS).n, 1);
}

/* The child writes, acknowledges, leaves something uncommitted, and is killed without closing. */
static void a_kill_loses_only_what_was_not_committed(void **state)
{
	struct fixture *f = *state;
	int status;

	close_files(f);

	pid_t child = fork();

	if (child == 0) {
		open_files(f);
		for (int i = 0; i < 5; i++)
			add(f, JOURNAL_SIGHTINGS, "x");
		if (journal_flush(f->journal) < 0 ||
		    journal_ack(f->journal, JOURNAL_SIGHTINGS, 2) < 0)
			_exit(1);
		add(f, JOURNAL_SIGHTINGS, "lost");
		kill(getpid(), SIGKILL);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	open_files(f);

	struct seen s = look(f, JOURNAL_SIGHTINGS);

	assert_int_equal(s.first, 3);
	assert_int_equal(s.last, 5);
	add(f, JOURNAL_SIGHTINGS, "next");
	assert_int_equal(journal_flush(f->journal), 0);
	assert_int_equal(look(f, JOURNAL_SIGHTINGS).last, 6);
}

static void limit_pages(struct fixture *f, int pages)
{
	char text[64];

	snprintf(text, sizeof(text), "PRAGMA max_page_count=%d", pages);
	assert_int_equal(sql_exec(store_sql(f->store), text), 0);
}

static void full_flash_holds_entries_drops_the_oldest_and_recovers_without_a_gap(void **state)
{
	struct fixture *f = *state;
	char body[JOURNAL_MAX_BODY] = {0};
	int64_t now = 1000000;
	size_t total = 0;

	memset(body, 'z', sizeof(body));
	limit_pages(f, 1); /* SQLite rounds it up to the present size */
	while (journal_error(f->journal) == 0 && total < 1000) {
		snprintf(body, sizeof(body), "%06zu", total++);
		(void) journal_add(f->journal, JOURNAL_SIGHTINGS, true, body, sizeof(body));
		(void) journal_flush(f->journal);
	}
	assert_int_equal(journal_error(f->journal), -ENOSPC);

	uint64_t kept = journal_depth(f->journal, JOURNAL_SIGHTINGS);

	for (size_t i = 0; i < JOURNAL_MAX_WAITING + 10; i++) {
		snprintf(body, sizeof(body), "%06zu", total++);
		(void) journal_add(f->journal, JOURNAL_SIGHTINGS, true, body, 16);
	}
	assert_int_equal(journal_depth(f->journal, JOURNAL_SIGHTINGS), kept);
	assert_true(journal_dropped(f->journal) >= 10);

	limit_pages(f, 100000);
	loop_run_until(f->loop, now + 5000000);
	assert_int_equal(journal_error(f->journal), 0);
	assert_int_equal(journal_depth(f->journal, JOURNAL_SIGHTINGS),
			 total - journal_dropped(f->journal));

	struct seen s = look(f, JOURNAL_SIGHTINGS);

	assert_int_equal(s.last - s.first + 1, s.n);
	assert_int_equal(s.last, total - journal_dropped(f->journal));
}

static void instants_wait_for_the_clock_and_are_converted_when_read(void **state)
{
	struct fixture *f = *state;
	int64_t skew = 1700000000000000 - 1000000;

	(void) journal_add(f->journal, JOURNAL_SIGHTINGS, false, "x", 1);
	assert_int_equal(journal_flush(f->journal), 0);
	/* nothing better than the own clock */
	assert_int_equal(look(f, JOURNAL_SIGHTINGS).delta, skew);
	assert_true(timebase_sample(&f->tb, 1000000, 1000200, 1800000000000000));
	assert_int_equal(look(f, JOURNAL_SIGHTINGS).delta, 1800000000000000 - 1000100);
	/* another boot: its monotonic clock means nothing here */
	f->tb.boot = 78;
	assert_int_equal(look(f, JOURNAL_SIGHTINGS).delta, skew);
}

static void a_sighting_row_survives_its_own_form(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct sighting_row in = {.reader = "dock-1", .antenna = 3, .s = {.kind = SIGHTING_GONE}};
	struct sighting_row out;

	(void) state;
	assert_int_equal(epc_from_hex("303435fc8803d056d15b963f", &in.s.epc), 0);
	in.s.first_us = -5;
	in.s.last_us = 123456789;
	in.s.count = 4000000000u;
	in.s.rssi_cdbm = INT16_MIN;
	in.s.peak_cdbm = -4550;
	in.s.rate_mhz = 65535;
	assert_int_equal(sighting_encode(&in, &b), 0);
	assert_int_equal(sighting_decode(b.data, b.len, &out), 0);
	assert_memory_equal(&in, &out, sizeof(in));
	for (size_t cut = 0; cut < b.len; cut++)
		assert_true(sighting_decode(b.data, cut, &out) < 0);
}

static void an_upload_names_each_antenna_once_and_numbers_from_the_first(void **state)
{
	struct fixture *f = *state;
	_cleanup_buf_ struct buf body = BUF_INIT;
	struct proto_sightings m;
	uint64_t first;
	size_t n;

	for (uint16_t i = 0; i < 6; i++) {
		_cleanup_buf_ struct buf b = BUF_INIT;
		struct sighting_row row = {
			.reader = "dock",
			.antenna = (uint16_t) (1 + i % 2),
			.s = {.kind = SIGHTING_APPEAR, .first_us = i, .last_us = i}};

		assert_int_equal(epc_from_hex("3034", &row.s.epc), 0);
		assert_int_equal(sighting_encode(&row, &b), 0);
		(void) journal_add(f->journal, JOURNAL_SIGHTINGS, false, b.data, b.len);
	}
	assert_int_equal(journal_flush(f->journal), 0);
	assert_int_equal(journal_ack(f->journal, JOURNAL_SIGHTINGS, 1), 0);
	assert_true(timebase_sample(&f->tb, 1000000, 1000000, 1800000000000000));
	assert_int_equal(upload_build(f->journal, JOURNAL_SIGHTINGS, 3, 4, &body, &first, &n), 0);
	assert_int_equal(first, 2);
	assert_int_equal(n, 4);
	assert_int_equal(proto_sightings_decode(body.data, body.len, &m, NULL), 0);
	assert_int_equal(m.first_seq, 2);
	assert_int_equal(m.n, 4);
	assert_int_equal(m.n_sources, 2);
	assert_int_equal(m.sightings[0].first_us, 1 + 1800000000000000 - 1000000);
	assert_memory_equal(m.journal_id, journal_id(f->journal), sizeof(m.journal_id));
	proto_sightings_done(&m);
}

static void a_damaged_entry_is_named_when_it_is_the_first(void **state)
{
	struct fixture *f = *state;
	_cleanup_buf_ struct buf body = BUF_INIT;
	uint64_t first;
	size_t n;

	add(f, JOURNAL_SIGHTINGS, "not a sighting");
	assert_int_equal(journal_flush(f->journal), 0);
	assert_int_equal(upload_build(f->journal, JOURNAL_SIGHTINGS, 3, 4, &body, &first, &n),
			 -ERR_CORRUPT);
	assert_int_equal(first, 1);
}

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

static void starting_over_gives_a_new_journal_id_and_numbers_from_1(void **state)
{
	struct fixture *f = *state;
	uint8_t id[PROTO_JOURNAL_ID_BYTES];

	memcpy(id, journal_id(f->journal), sizeof(id));
	add(f, JOURNAL_SIGHTINGS, "x");
	assert_int_equal(journal_flush(f->journal), 0);
	assert_int_equal(store_start_over(f->store), 0);
	assert_int_equal(journal_reload(f->journal), 0);
	assert_memory_not_equal(id, journal_id(f->journal), sizeof(id));
	add(f, JOURNAL_SIGHTINGS, "y");
	assert_int_equal(journal_flush(f->journal), 0);
	assert_int_equal(look(f, JOURNAL_SIGHTINGS).first, 1);
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

static void pictures_stay_within_the_bound_and_the_oldest_go_first(void **state)
{
	struct fixture *f = *state;
	const struct store_config cfg = {.image_kib = 64};
	uint8_t hashes[20][IMAGE_HASH_BYTES];
	uint8_t data[8 * 1024] = {0};
	_cleanup_buf_ struct buf out = BUF_INIT;

	close_files(f);
	assert_int_equal(store_open(f->path, &cfg, &f->store), 0);
	assert_int_equal(journal_new(f->loop, f->store, &f->tb, on_commit, f, &f->journal), 0);
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

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(entries_are_durable_after_200_ms_and_numbered_from_1),
		T(a_full_batch_does_not_wait),
		T(acknowledged_entries_go_and_numbers_are_never_used_again),
		T(an_ack_of_what_was_never_given_is_refused),
		T(a_kill_loses_only_what_was_not_committed),
		T(full_flash_holds_entries_drops_the_oldest_and_recovers_without_a_gap),
		T(instants_wait_for_the_clock_and_are_converted_when_read),
		T(a_sighting_row_survives_its_own_form),
		T(an_upload_names_each_antenna_once_and_numbers_from_the_first),
		T(a_damaged_entry_is_named_when_it_is_the_first),
		T(wishes_are_remembered_and_a_full_answer_forgets_the_others),
		T(starting_over_gives_a_new_journal_id_and_numbers_from_1),
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
