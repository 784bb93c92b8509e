/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The journal environment: blobs of records, numbered from 1 without gaps, each one group commit. A
 * committer thread does nothing but commit, so that the loop never waits for the disk.
 *
 * At most one blob is on its way. While it is, the loop goes on collecting records; on `done` it
 * hands over the next blob, and everybody who waited shares that commit. A blob that could not be
 * stored stays with the journal: it must be tried again (inv_journal_retry) before any other,
 * because what follows relies on it.
 *
 * A blob is "GJNL", version (u16le), 0 (u16le), payload length, CRC-32C of the number and the
 * payload (both u32le), payload; its key is its number, u64be. A journal has an identity, made with
 * it, that its snapshots repeat.
 */
#pragma once

#include "common/buf.h"
#include "common/loop.h"

#define INV_IDENTITY_BYTES 16

struct inv_journal;

/** On the loop thread, once for each submit and retry; 0 or why it could not be stored. */
typedef void (*inv_journal_done_fn)(void *user, uint64_t seq, int err);

/** Opens or creates. max_bytes 0 = the seam's default. */
int inv_journal_open(const char *dir, uint64_t max_bytes, struct inv_journal **ret) _must_check_;
const uint8_t *inv_journal_identity(const struct inv_journal *j);
/** True if inv_journal_open() found nothing and made it. */
bool inv_journal_is_new(const struct inv_journal *j);

typedef int (*inv_journal_replay_fn)(void *user, const void *records, size_t len);
/** Before start: hands over every blob after `cover`, oldest first. -ERR_CORRUPT for a damaged or
 * missing one, with *ret_bad_seq saying which. *ret_last is the highest number in use. */
int inv_journal_replay(struct inv_journal *j, uint64_t cover, inv_journal_replay_fn fn, void *user,
		       uint64_t *ret_last, uint64_t *ret_bad_seq) _must_check_;

int inv_journal_start(struct inv_journal *j, struct loop *loop, inv_journal_done_fn done,
		      void *user) _must_check_;
/** Nothing is on its way and nothing waits for a retry. */
bool inv_journal_idle(const struct inv_journal *j);
/** Takes the content of `records` (left empty) as blob `seq`. Only when idle. */
void inv_journal_submit(struct inv_journal *j, uint64_t seq, struct buf *records);
/** Tries the blob that failed once more; nothing happens if a try is under way. */
void inv_journal_retry(struct inv_journal *j);
/** Blobs up to `seq` are in a snapshot: drop them, a few with each commit. */
void inv_journal_trim(struct inv_journal *j, uint64_t seq);
/** Writes a copy of the environment's file to `fd`. Any thread. */
int inv_journal_copy(struct inv_journal *j, int fd) _must_check_;
uint64_t inv_journal_bytes(struct inv_journal *j);
/** Stores what is on its way, then closes. NULL-safe; no `done` after this. */
void inv_journal_close(struct inv_journal *j);
