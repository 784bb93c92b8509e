/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * From journal entries to the body of one upload. Here instants become UTC, and reader names become
 * indices into the message's list of sources.
 */
#pragma once

#include "ap-agent/journal.h"

#define UPLOAD_MAX_SIGHTINGS 512
#define UPLOAD_MAX_REPORTS   64
#define UPLOAD_MAX_READS     32 /* entries, and PROTO_MAX_READS reads */

/**
 * Encodes up to `max` entries of a stream. Yields how many and the number of the first; 0 entries
 * and an empty body when nothing is owed. An entry that does not decode ends the batch; when it is
 * the first, the answer is -ERR_CORRUPT with its number in *ret_first.
 */
int upload_build(struct journal *j, enum journal_stream stream, uint64_t caps, size_t max,
		 struct buf *out, uint64_t *ret_first, size_t *ret_n) _must_check_;
