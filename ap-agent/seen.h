/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Which tags the controller was told to be where, kept in the agent's store: an agent that was
 * killed must be able to say GONE of a tag that left while nobody looked. Changes are collected in
 * memory and written together, so that flash is written in proportion to change.
 */
#pragma once

#include "ap-agent/store.h"
#include "common/epc.h"

struct seen;

/** Makes its table in the store. */
int seen_new(struct store *store, struct seen **ret) _must_check_;
void seen_free(struct seen *s);
DEFINE_CLEANUP(struct seen *, seen_free)
/** A tag was told to be there, or gone. Out of memory is not told: the row is then out of date. */
void seen_note(struct seen *s, const char *reader, uint16_t antenna, const struct epc *epc,
	       bool present);
/** Writes what was noted. */
int seen_flush(struct seen *s) _must_check_;
typedef void (*seen_fn)(void *user, uint16_t antenna, const struct epc *epc);
/** Everything the store has of a reader. */
int seen_each(struct seen *s, const char *reader, seen_fn fn, void *user) _must_check_;
/** The agent joined another store. */
int seen_forget(struct seen *s) _must_check_;
