/* SPDX-License-Identifier: Apache-2.0 */
/** @file Inside of the readers: readers.c has their life, readers_health.c how they are. */
#pragma once

#include "ap-agent/heard.h"
#include "ap-agent/radio_watch.h"
#include "ap-agent/readers.h"
#include "ap-agent/seen.h"
#include "common/log.h"
#include "rfid/rfid.h"

/** Names ever heard in this life: a reader that left keeps its row, so that its tags can go. */
#define READERS_MAX 64

struct entry {
	struct readers *owner;
	struct proto_desired_reader wish;
	bool wanted;
	bool restart; /**< the wish changed while the reader was running */
	bool stopping;
	struct rfid_reader *reader;
	uint32_t heard; /**< bit n: antenna n + 1 has a source in the filter */
	enum rfid_reader_state state;
	char error[PROTO_TEXT_MAX];
	struct radio_watch watch;
	bool restored;          /**< what an earlier life saw is in the filter */
	uint64_t sightings;     /**< its reads led to */
	int64_t heard_until_us; /**< UTC, before the present rfid_reader was made */
};

struct readers {
	struct loop *loop;
	const struct clock *clock;
	struct journal *journal;
	const struct timebase *tb;
	struct presence *presence;
	struct follow *follow;  /**< NULL = nobody wants to see reads */
	const char *cert, *key; /**< PEM files for readers that call; NULL = none */
	struct store *store;    /**< NULL = nothing is remembered */
	struct heard heard;
	struct seen *seen; /**< NULL = nothing is remembered */
	int64_t marked_us; /**< when all was saved last */
	bool save_soon;    /**< there is something that a kill should not undo */
	struct loop_timer *save;
	struct loop_timer *tick;
	struct loop_timer *reap; /**< frees stopped readers outside of their own callbacks */
	loop_fn changed;
	void *user;
	readers_fn listener; /**< NULL = nobody */
	void *listener_user;
	loop_fn done; /**< set while stopping for good */
	void *done_user;
	struct log_limit drop_limit;
	uint64_t dropped;
	size_t n;
	struct entry *entries[READERS_MAX];
};
