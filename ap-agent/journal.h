/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * What the agent owes the controller: three streams of numbered entries on flash. The promises:
 *
 *  - An entry is committed before it is sent, and deleted only after the controller acknowledged
 * its number; after a power cut it is either sent again or was acknowledged.
 *  - Numbers start at 1, have no gaps, and are never used twice, also when the journal was emptied:
 *    the next number is a row of its own, committed with the entries.
 *  - The journal's id is made with the file. (id, stream, number) names an entry for ever, so that
 * the controller counts a replay once.
 *
 * Entries wait in memory for up to 200 ms and are committed together. When the flash is full they
 * go on waiting, up to a bound; then the oldest are given up and counted. Numbers are given at the
 * commit, so that what was given up leaves no gap. The queue empties itself when there is room
 * again.
 */
#pragma once

#include "ap-agent/store.h"
#include "ap-agent/timebase.h"
#include "common/loop.h"

enum journal_stream {
	JOURNAL_SIGHTINGS = 1,
	JOURNAL_LABELS = 2,
	JOURNAL_READS = 3,
	JOURNAL_STREAM_COUNT
};

#define JOURNAL_FLUSH_US    (200 * US_PER_MS)
#define JOURNAL_BATCH       500
#define JOURNAL_MAX_BODY    PROTO_MAX_READ_ENTRY
/** Entries held in memory while nothing can be committed. */
#define JOURNAL_MAX_WAITING 8192
/** Entries kept that the controller refused for good. */
#define JOURNAL_MAX_REFUSED 256

struct journal;

/** Called after entries of these streams (bit 1 << stream) became durable. */
typedef void (*journal_fn)(void *user, unsigned int streams);

/** Borrows all; they must outlive it. */
int journal_new(struct loop *loop, struct store *store, const struct timebase *tb, journal_fn fn,
		void *user, struct journal **ret) _must_check_;
/** Commits what waits, if it can. */
void journal_free(struct journal *j);
DEFINE_CLEANUP(struct journal *, journal_free)

/**
 * Takes an entry whose instants are on the monotonic scale, or are UTC (`utc`). Returns -ENOSPC
 * when an older entry had to be given up for it, -ERR_TOO_LARGE or -ENOMEM when it was not taken.
 */
int journal_add(struct journal *j, enum journal_stream stream, bool utc, const void *body,
		size_t len);
/** The same of one with keys in it: it waits sealed, in memory and on flash. */
int journal_add_sealed(struct journal *j, enum journal_stream stream, bool utc, const void *body,
		       size_t len);
/** Commits what waits. */
int journal_flush(struct journal *j);
/** Commits what waits at the end of this turn of the loop rather than in 200 ms. */
void journal_hurry(struct journal *j);

/** One committed entry; add delta_us to its instants to have UTC. False ends the reading, and the
 * entry does not belong to the batch. */
typedef bool (*journal_row_fn)(void *user, uint64_t seq, int64_t delta_us, const void *body,
			       size_t len);
/** Offers up to `max` entries that are not acknowledged yet, oldest first, without gaps. */
int journal_read(struct journal *j, enum journal_stream stream, size_t max, journal_row_fn fn,
		 void *user) _must_check_;
/** The controller has everything up to seq. -ERR_RANGE for a number never given. */
int journal_ack(struct journal *j, enum journal_stream stream, uint64_t seq) _must_check_;
/** The controller will never take entry seq, the oldest one: moves it out of the way, where it is
 * kept with the reason. -ENOSPC when JOURNAL_MAX_REFUSED are kept already: a controller that
 * refuses everything must not empty the journal. -ERR_RANGE when it is not the oldest. */
int journal_set_aside(struct journal *j, enum journal_stream stream, uint64_t seq,
		      const char *why) _must_check_;
/** Reads counters and id anew, after store_start_over(). */
int journal_reload(struct journal *j) _must_check_;

const uint8_t *journal_id(const struct journal *j);
uint64_t journal_depth(const struct journal *j, enum journal_stream stream);
uint64_t journal_dropped(const struct journal *j);
/** Entries that are set aside. */
uint64_t journal_refused(const struct journal *j);
/** 0, or why the last commit failed. */
int journal_error(const struct journal *j);
