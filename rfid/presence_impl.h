/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Inside the presence filter: presence.c decides what is told, presence_stay.c when a tag has left,
 * presence_table.c remembers (tags, pairs and the
 * wheel of deadlines). Records are named by index, pools grow by chunks and never shrink; a freed
 * record waits in a list for the next one.
 */
#pragma once

#include "rfid/rfid.h"

#define PRESENCE_NONE        UINT32_MAX
#define PRESENCE_MAX_SOURCES 4096u
#define PRESENCE_CHUNK       1024u
#define PRESENCE_LEFT        64u /**< departures remembered for each source, by hash */
/* The wheel: slots of 2^17 us (131 ms), thirty-three seconds around. */
#define PRESENCE_SLOT_SHIFT  17
#define PRESENCE_SLOTS       256u

struct presence_tag {
	uint32_t next;  /**< in the bucket, or in the free list */
	uint32_t pairs; /**< first of its pairs */
	uint16_t bits;
	uint16_t contested; /**< when one source last overtook another; wheel slots, modulo 2^16 */
	uint8_t epc[12];    /**< or, past 96 bits, a pointer to the bytes */
};

struct presence_pair {
	uint32_t tag;
	uint32_t next; /**< of the same tag, or in the free list */
	uint32_t wheel_next, wheel_prev;
	uint32_t slot;       /**< where the wheel has it */
	uint32_t emitted_ms; /**< when something was last told; modulo 2^32 */
	int64_t last_us;
	uint32_t span_us; /**< from the first read since the last sighting to last_us */
	uint32_t count;   /**< reads since the last sighting */
	float gap_us;     /**< running mean of the gaps between reads */
	float gap_var;
	float dense;       /**< reads, each fading with time; as of last_us */
	int16_t told_heat; /**< reads and signal, when something was last told; 1/256 octaves */
	uint16_t source;
	int16_t smooth_cdbm;
	int16_t told_cdbm; /**< smooth_cdbm when something was last told */
	int16_t peak_cdbm;
	uint8_t n_gaps;  /**< saturating */
	uint8_t longest; /**< gap of late, in wheel slots, rounded up */
};

_Static_assert(sizeof(struct presence_tag) <= 24, "a tag costs 24 bytes");
_Static_assert(sizeof(struct presence_pair) <= 64, "a pair costs 64 bytes");

/** A tag that was called gone: should it answer again soon, it was not. */
struct presence_left {
	uint32_t tag; /**< a hash of its EPC; 0 = none */
	int64_t last_us;
	int64_t timeout_us;
};

struct presence_source {
	uint32_t id; /**< the caller's */
	bool suspended;
	int64_t resumed_us; /**< timeouts do not count from before this */
	/* How tags come and go here, fading: what the timeouts of all of them rest on. */
	uint32_t n_pairs; /**< present here now */
	float stays_us;   /**< how long tags were present, all together */
	float departs;    /**< how often one left */
	float longest;    /**< gap that a tag nothing is known of may have, in wheel slots */
	float gap_us;     /**< usual gap of a tag nothing is known of */
	struct presence_left left[PRESENCE_LEFT];
};

struct presence_order {
	uint32_t id;
	uint16_t index;
};

struct presence {
	struct presence_config cfg;
	presence_fn fn;
	void *user;
	float chances_us; /**< ten seconds over the miss probability */
	int64_t now_us;   /**< of the last tick */
	int64_t resumed_us;
	bool ticked;
	uint64_t dropped;
	/* sources, and their ids in order */
	struct presence_source *sources;
	struct presence_order *source_order;
	size_t n_sources, cap_sources;
	/* pools */
	struct presence_tag **tag_chunks;
	struct presence_pair **pair_chunks;
	uint32_t tag_used, pair_used; /**< records ever handed out */
	uint32_t free_tags, free_pairs;
	size_t n_tags, n_pairs;
	/* tags by EPC */
	uint32_t *buckets;
	uint32_t bucket_mask;
	uint64_t key[2];
	/* the wheel */
	bool wheel_started;
	int64_t wheel_base_us; /**< where slot 0 begins */
	uint32_t wheel_pos;    /**< slot up to which deadlines have been handed out */
	uint32_t due;          /**< pairs taken from past slots, not yet looked at */
	uint32_t wheel[PRESENCE_SLOTS];
};

/* So many gaps make a first read more than a stray. */
#define PRESENCE_CONFIRMING 3

/* presence_stay.c */
void presence_source_init(struct presence_source *src);
/** How long a pair may be silent. */
int64_t presence_gone_after_us(const struct presence *p, const struct presence_pair *pair);
void presence_learn_gap(struct presence_source *src, struct presence_pair *pair, float gap_us);
/** The gap of a tag that was called gone too early, in wheel slots; 0 = it had left, or is new. */
uint8_t presence_returned(struct presence *p, uint16_t source, const struct rfid_read *r);
/** The pair is being called gone. */
void presence_depart(struct presence *p, const struct presence_pair *pair, const struct epc *epc);
/** Tags have been present for so long more. */
void presence_pass_time(struct presence *p, int64_t us);

/* presence_table.c */
int presence_tables_init(struct presence *p);
void presence_tables_done(struct presence *p);

static inline struct presence_tag *presence_tag(const struct presence *p, uint32_t at)
{
	return &p->tag_chunks[at / PRESENCE_CHUNK][at % PRESENCE_CHUNK];
}

static inline struct presence_pair *presence_pair(const struct presence *p, uint32_t at)
{
	return &p->pair_chunks[at / PRESENCE_CHUNK][at % PRESENCE_CHUNK];
}

void presence_tag_epc(const struct presence_tag *t, struct epc *ret);
/** A keyed hash of an EPC, never 0. */
uint32_t presence_epc_hash(const struct presence *p, const struct epc *epc);
/** PRESENCE_NONE if the tag is not present there. */
uint32_t presence_pair_find(const struct presence *p, uint16_t source, const struct epc *epc);
/** Makes the pair, and the tag if it is new. -ENOSPC at max_pairs, or -ENOMEM. Not in the wheel
 * yet. */
int presence_pair_new(struct presence *p, uint16_t source, const struct epc *epc,
		      uint32_t *ret) _must_check_;
/** Also takes it out of the wheel, and frees the tag with its last pair. */
void presence_pair_free(struct presence *p, uint32_t at);

/** Slot for an instant, within what the wheel can hold. */
uint32_t presence_wheel_slot(const struct presence *p, int64_t at_us);
void presence_wheel_start(struct presence *p, int64_t now_us);
/** Files a pair that is in no slot. */
void presence_wheel_put(struct presence *p, uint32_t at, int64_t due_us);
void presence_wheel_move(struct presence *p, uint32_t at, int64_t due_us);
/** Collects the slots that have passed by now_us. */
void presence_wheel_turn(struct presence *p, int64_t now_us);
/** One collected pair, now in no slot; PRESENCE_NONE when there is none left. */
uint32_t presence_wheel_take(struct presence *p);
/** The clock was set back (by_us < 0): moves every instant of before, and files all pairs anew. */
void presence_shift(struct presence *p, int64_t by_us);
