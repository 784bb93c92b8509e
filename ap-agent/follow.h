/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Raw reads of the few tags that the controller asks for, into the journal:
 *
 *   - of a tag that somebody carries about to calibrate the store (a walk): every read, in entries
 *     of FOLLOW_CHUNK reads or FOLLOW_FLUSH_US;
 *   - of tags that pass a door: an entry for each passage. A passage is what the door's antennas
 *     read of one tag until they have not for FOLLOW_SILENCE_US; of a longer one the last
 *     PROTO_MAX_ENTRY_READS count. It is told if both sides of the door read the tag at least
 *     FOLLOW_SIDE_READS times, so that goods beside a door cost nothing until they move away.
 *
 * Bounds: at most FOLLOW_TAGS passages are open at once and FOLLOW_READS reads are held for them
 * (1.7 MB); a passage that needs more room first lets go of its own oldest reads. At most
 * FOLLOW_OWED entries wait for the controller, in the journal on flash (6 MB). What finds no room
 * is counted, told with every entry, and named in the log. When a reader stops, its open passages
 * are dropped: silence then means nothing.
 */
#pragma once

#include "ap-agent/journal.h"
#include "rfid/rfid.h"

#define FOLLOW_CHUNK      100
#define FOLLOW_FLUSH_US   (500 * US_PER_MS)
#define FOLLOW_SILENCE_US (2 * US_PER_SEC)
#define FOLLOW_SIDE_READS 3
#define FOLLOW_TAGS       1024
#define FOLLOW_READS      65536
#define FOLLOW_OWED       512

struct follow;

int follow_new(struct loop *loop, struct journal *journal, const struct timebase *tb,
	       struct follow **ret) _must_check_;
/** Hands what it holds of walks to the journal; open passages are lost. */
void follow_free(struct follow *f);
DEFINE_CLEANUP(struct follow *, follow_free)
/** The complete wish. What goes on goes on undisturbed. */
void follow_want(struct follow *f, const struct proto_watch *w);
/** A read, with its times on the monotonic scale. */
void follow_read(struct follow *f, const char *reader, const struct rfid_read *read);
/** The reader hears nothing from now on. */
void follow_blind(struct follow *f, const char *reader);
/** Reads that found no room. */
uint64_t follow_dropped(const struct follow *f);
/** Passages open now, and the reads held for them. */
size_t follow_open(const struct follow *f, size_t *ret_reads);
