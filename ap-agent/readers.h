/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * From the wished readers to sightings in the journal: one rfid_reader per wish, one presence
 * filter for all of them. The filter runs on the monotonic clock, so that a step of the real one
 * makes no tag vanish; reads are shifted to it as they arrive.
 *
 * A reader that is not running cannot see: its antennas are suspended in the filter, so that a lost
 * connection does not look like an emptied shelf. A reader that is no longer wished is heard no
 * more, and its tags go in their time.
 */
#pragma once

#include "ap-agent/journal.h"
#include "common/proto.h"
#include "rfid/rfid.h"

struct readers;

/** `changed` is called when a reader starts or stops running; may be NULL. */
int readers_new(struct loop *loop, struct journal *journal, const struct timebase *tb,
		loop_fn changed, void *user, struct readers **ret) _must_check_;
void readers_free(struct readers *r);
DEFINE_CLEANUP(struct readers *, readers_free)

struct follow;
/** Who is shown every read (follow.h); borrowed. */
void readers_show(struct readers *r, struct follow *follow);
/** Sightings in finer steps, or in the usual ones. */
void readers_fine(struct readers *r, bool fine);
/** The complete list of wished readers; those that did not change go on undisturbed. */
void readers_want(struct readers *r, const struct proto_desired_reader *list, size_t n);
/** The agent joined another store: nobody there was told of any tag. */
void readers_forget(struct readers *r);
/** The agent's certificate and key (PEM files, borrowed), for readers that call over TLS. */
void readers_identify(struct readers *r, const char *cert, const char *key);
/** From now on keeps in the store up to when each reader was heard and which tags are in its view,
 * and looks there for what an earlier life heard and saw; so that what was lost in between shows,
 * and tags that left in between are told gone. Before readers_want(). */
void readers_remember(struct readers *r, struct store *store);
/** Takes leave of all politely (at most about 2 s), then calls done once. Readers that can hold
 * reports go on with their inventory until this agent, or the next one, is back. */
void readers_stop(struct readers *r, loop_fn done, void *user);

typedef void (*readers_fn)(void *user, const char *reader, const struct rfid_read *reads, size_t n);
/** Tells every batch of reads to one listener; NULL = to nobody any more. */
void readers_listen(struct readers *r, readers_fn fn, void *user);
/** Is that reader's inventory running? */
bool readers_running(const struct readers *r, const char *name);
/** As rfid_reader_access() of that reader; -ENOENT if there is none. */
int readers_access(struct readers *r, const char *name, const struct rfid_access *access,
		   rfid_access_fn fn, void *user) _must_check_;

/** Fills at most `max` rows, one for each wished reader; returns how many. */
size_t readers_health(const struct readers *r, struct proto_health_reader *rows, size_t max);
uint64_t readers_tags_in_view(const struct readers *r);
