/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/agent_journal_rig.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void on_commit(void *user, unsigned int streams)
{
	struct fixture *f = user;

	f->committed |= streams;
}

void open_files(struct fixture *f)
{
	const struct store_config cfg = {.max_mib = 0};

	assert_int_equal(store_open(f->path, &cfg, &f->store), 0);
	assert_int_equal(journal_new(f->loop, f->store, &f->tb, on_commit, f, &f->journal), 0);
}

void close_files(struct fixture *f)
{
	journal_free(f->journal);
	store_close(f->store);
	f->journal = NULL;
	f->store = NULL;
}

int setup(void **state)
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

int teardown(void **state)
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

void add(struct fixture *f, enum journal_stream stream, const char *text)
{
	(void) journal_add(f->journal, stream, true, text, strlen(text));
}

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

struct seen look(struct fixture *f, enum journal_stream stream)
{
	struct seen s = {0};

	assert_int_equal(journal_read(f->journal, stream, 10000, see, &s), 0);
	return s;
}
