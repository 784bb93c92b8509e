/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The store's ground truth: places, the antennas that cover them, the goods and where each item is.
 * A seeded script moves items about. Readers look at this world (sim/air.h), the truth port shows
 * it to tests (sim/truth.h); no product process ever does.
 *
 * Place 0 is "nowhere": outside the store, covered by no antenna. Instants are UTC microseconds.
 */
#pragma once

#include "common/epc.h"
#include "common/loop.h"
#include "sim/rng.h"

#define SIM_NAME_MAX      64
#define SIM_NOWHERE       0u
#define SIM_MAX_PLACES    256
#define SIM_MAX_ITEMS     200000
#define SIM_MAX_ANTENNAS  256
#define SIM_MAX_MOVES_LOG 100000
#define SIM_MAX_PASSAGES  100000

struct sim_place {
	char name[SIM_NAME_MAX];
	char kind[SIM_NAME_MAX];
	uint32_t *items; /**< the items here, in no order */
	uint32_t n_items, cap_items;
};

struct sim_item {
	struct epc epc;
	uint32_t place;
	uint32_t slot; /**< where it stands in the place's list */
	int64_t since_us;
	int64_t first_read_us; /**< first read by an antenna that covers its place since it came; 0
				  = none */
	uint8_t left;          /**< enum sim_passage_kind: how it left the store; 0 = it has not */
};

struct sim_antenna {
	char reader[SIM_NAME_MAX];
	uint16_t number; /**< 1-based, as LLRP counts */
	uint32_t places[8];
	uint32_t n_places;
};

struct sim_move {
	int64_t at_us;
	uint32_t item, from, to;
};

/** How goods pass the store's door. */
enum sim_passage_kind {
	SIM_SOLD = 1,
	SIM_STOLEN,
	SIM_ARRIVED
};
const char *sim_passage_name(enum sim_passage_kind k);

struct sim_passage {
	int64_t at_us;
	uint32_t item, place; /**< where it left from or came to */
	uint8_t kind;
};

struct sim_world {
	const struct clock *clock;
	struct sim_rng rng;
	struct sim_place places[SIM_MAX_PLACES];
	uint32_t n_places;
	struct sim_antenna antennas[SIM_MAX_ANTENNAS];
	uint32_t n_antennas;
	struct sim_item *items;
	uint32_t n_items, cap_items;
	uint32_t *index; /**< open-addressed hash of EPCs: item + 1, 0 = empty */
	uint32_t index_size;
	unsigned int prefix_digits; /**< of the goods' company prefix */
	bool sealed;
	uint32_t *reads; /**< cap_reads rows of n_antennas counts; made by sim_world_seal() */
	uint32_t cap_reads;
	struct sim_move *moves; /**< ring of the last SIM_MAX_MOVES_LOG moves */
	uint64_t n_moves;
	struct sim_passage *passages; /**< ring of the last SIM_MAX_PASSAGES */
	uint64_t n_passages;
	struct loop_timer *mover;
	double move_every_s;
	void (*changed)(void *user, uint32_t item); /**< it came, or was moved */
	void *changed_user;
};

/** Starts with "nowhere" only. */
int sim_world_new(const struct clock *clock, uint64_t seed, struct sim_world **ret) _must_check_;
void sim_world_free(struct sim_world *w);

/** Yields the place's index; -EEXIST for a name used before, -ENOSPC past SIM_MAX_PLACES. */
int sim_world_add_place(struct sim_world *w, const char *name, const char *kind) _must_check_;
/** Index of a place, or -ENOENT. */
int sim_world_find_place(const struct sim_world *w, const char *name);
/** Declares an antenna; yields its index. */
int sim_world_add_antenna(struct sim_world *w, const char *reader, uint16_t number) _must_check_;
int sim_world_find_antenna(const struct sim_world *w, const char *reader, uint16_t number);
/** Lets an antenna cover a place (at most eight). */
int sim_world_cover(struct sim_world *w, uint32_t antenna, uint32_t place) _must_check_;
bool sim_world_covers(const struct sim_world *w, uint32_t antenna, uint32_t place);
/** Puts an item into a place, also later on; -EEXIST if that EPC is in the world. Yields its index.
 */
int sim_world_add_item(struct sim_world *w, const struct epc *epc, uint32_t place) _must_check_;
/** One observer, told of each item that came or was moved; NULL = nobody. */
void sim_world_watch(struct sim_world *w, void (*changed)(void *user, uint32_t item), void *user);
/** No more antennas after this: makes the read counters. */
int sim_world_seal(struct sim_world *w) _must_check_;

/** Index of an item, or -ENOENT. */
int sim_world_find_item(const struct sim_world *w, const struct epc *epc);
/** Carries an item to a place, logs it and yields the instant. Same place: nothing happens. */
int64_t sim_world_move(struct sim_world *w, uint32_t item, uint32_t place);
/** Takes an item out of the store for good; 0 if it has left already, else the instant. */
int64_t sim_world_leave(struct sim_world *w, uint32_t item, enum sim_passage_kind how);
/** Brings back one that left. -EEXIST if it has not. */
int sim_world_return(struct sim_world *w, uint32_t item, uint32_t place) _must_check_;
void sim_world_note_passage(struct sim_world *w, uint32_t item, uint32_t place,
			    enum sim_passage_kind kind);
/** The i-th passage still in the log, oldest first; NULL past the end. */
const struct sim_passage *sim_world_passage_at(const struct sim_world *w, uint64_t i);
/** Counts a read that the air let through. */
void sim_world_note_read(struct sim_world *w, uint32_t item, uint32_t antenna, int64_t at_us);
uint32_t sim_world_reads(const struct sim_world *w, uint32_t item, uint32_t antenna);
/** The i-th move still in the log, oldest first; NULL past the end. */
const struct sim_move *sim_world_move_at(const struct sim_world *w, uint64_t i);

/** Starts the seeded script: a random item to a random other place, on average every so often. */
int sim_world_start_mover(struct sim_world *w, struct loop *loop, double every_s) _must_check_;
