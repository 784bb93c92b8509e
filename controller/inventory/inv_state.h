/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The state engine: every item the store has ever heard, what each antenna last said of it, where
 * it is believed to be, and the stock counted from that. Memory only; loop thread only; no clock.
 *
 *     sightings --> inv_state_apply() --> evidence --> belief_judge() --> place, counters
 *                          |                                    |
 *                          +--- records of what changed --------+--> st->out --> journal
 * (inv_engine)
 *
 * Durability is not done here: every *transition* (item first heard, antenna began or ceased to
 * hear an item, item moved) appends a record with absolute values to `out`. Applying records twice,
 * or onto a snapshot that holds some of them already, gives the same state. What changes without a
 * transition (last seen, read counts, RSSI drift) is as durable as the last snapshot.
 *
 * Streams: entries of a stream (agent, journal id) at or below `applied` are dropped, so that a
 * replay is counted once. `applied` is recorded together with the transitions, so a crash can only
 * fall back to a mark whose transitions are all there; refreshes above it may be applied again,
 * onto a state that has lost them. A stream's batches must arrive one after the other; a gap is
 * accepted, because the mark may have fallen back below what was acknowledged.
 *
 * Ids of items, antennas and products are dense and never reused, so that the event log can name
 * them.
 */
#pragma once

#include "common/buf.h"
#include "common/epc.h"
#include "common/proto.h"
#include "controller/inventory/belief.h"
#include "controller/inventory/inv_index.h"
#include "controller/inventory/place_live.h"

#define INV_MAX_EVIDENCE 8 /**< antennas remembered per item */
#define INV_MAX_ANTENNAS 16384
#define INV_MAX_STREAMS  4096
#define INV_SHORT_EPC    12 /**< longer ones live in a side array */

struct inv_item {
	uint16_t bits;
	uint8_t epc[INV_SHORT_EPC]; /**< or, past 96 bits, an index into long_epcs (native u32) */
	uint8_t state;              /**< enum belief_state */
	uint8_t cause;              /**< enum belief_cause */
	uint32_t place;
	uint32_t evidence;  /**< first of its chain, INV_NONE */
	uint32_t product;   /**< index into products */
	uint32_t next_same; /**< next older item of the product, INV_NONE */
	int64_t since_us;
	int64_t due_us; /**< the instant it waits for in the due heap; BELIEF_NEVER */
	uint16_t confidence;
	struct place_live_memory memory; /**< of the fitted model, if that decides; not stored */
};

_Static_assert(sizeof(struct inv_item) == 64, "an item is one cache line");

/** What one antenna last said of one item. */
struct inv_evidence {
	uint32_t next;
	uint16_t antenna;
	uint8_t present;
	uint8_t spare;
	int16_t rssi_cdbm, peak_cdbm;
	uint16_t rate_mhz;
	uint16_t spare2;
	uint32_t reads;
	uint32_t span_ms; /**< last - first of the present presence */
	int64_t last_us;
};

_Static_assert(sizeof(struct inv_evidence) == 32, "two pieces of evidence a cache line");

struct inv_antenna {
	uint64_t agent;
	char reader[PROTO_NAME_MAX];
	uint16_t number;
	uint32_t place; /**< as `place_of` said last; in no record and no snapshot */
	int16_t model;  /**< index in the fitted model, PLACE_LIVE_NONE; likewise */
	int64_t last_heard_us;
	uint64_t sightings;
};

/** A product as tags name it: by GTIN. gtin 0 = tags that are no SGTIN-96. */
struct inv_product {
	uint64_t gtin;
	uint32_t items;      /**< items ever heard */
	uint32_t present;    /**< of those, in stock now */
	uint32_t first_item; /**< newest, INV_NONE */
	uint32_t first_cell; /**< chain of per-place counts, INV_NONE */
};

struct inv_cell {
	uint32_t place;
	uint32_t count;
	uint32_t next;
};

struct inv_stream {
	uint64_t agent;
	uint8_t journal_id[PROTO_JOURNAL_ID_BYTES];
	uint64_t applied; /**< highest sequence in memory */
	int64_t last_us;
	bool dirty; /**< applied moved since it was last recorded */
};

struct inv_due {
	int64_t at_us;
	uint32_t item;
};

/** A place or state change, as the listener and the event log get it. */
struct inv_change {
	uint32_t item;
	uint32_t from, to;
	uint8_t from_state, to_state;
	uint8_t cause;
	uint16_t confidence;
	int64_t at_us;
};
typedef void (*inv_change_fn)(void *user, const struct inv_change *c);
/** The place an antenna was given, BELIEF_NO_PLACE if none: the place room's knowledge. */
typedef uint32_t (*inv_place_fn)(void *user, const struct inv_antenna *a);

/** An array that grows by doubling. */
#define INV_ARRAY(type)                                                                            \
	struct {                                                                                   \
		type *v;                                                                           \
		uint32_t n, cap;                                                                   \
	}

struct inv_state {
	struct belief_config belief;
	struct inv_key key;
	uint32_t max_items;
	INV_ARRAY(struct inv_item) items;
	INV_ARRAY(struct inv_evidence) evidence;
	INV_ARRAY(struct epc) long_epcs;
	INV_ARRAY(struct inv_antenna) antennas;
	INV_ARRAY(struct inv_product) products;
	INV_ARRAY(struct inv_cell) cells;
	INV_ARRAY(struct inv_stream) streams;
	INV_ARRAY(struct inv_due) due; /**< binary heap */
	struct inv_index item_index, antenna_index, product_index;
	uint32_t free_evidence; /**< chain of unused ones */
	uint32_t sweep_at;      /**< next item of the slow sweep */
	uint32_t remap_left;    /**< items still to be judged after antennas changed place */
	uint32_t present;       /**< items in stock */
	uint32_t unplaced;      /**< of those, heard only where no place is named */
	uint64_t applied;       /**< sightings applied since start */
	uint64_t transitions;
	uint64_t
		refused; /**< sightings dropped because max_items or an antenna limit was reached */
	struct buf out;  /**< records not handed to the journal yet */
	inv_change_fn changed;
	void *user;
	/** Places items where its antennas hear them; NULL = belief.h alone. Borrowed. */
	const struct place_live *model;
	bool model_lacks[PLACE_LIVE_MAX_PLACES]; /**< places of it that are no more */
	inv_place_fn place_of; /**< asked for each antenna heard first; NULL = no places */
	void *place_user;
};

/** max_items 0 = two million. */
int inv_state_new(const struct belief_config *belief, uint32_t max_items,
		  struct inv_state **ret) _must_check_;
void inv_state_free(struct inv_state *st);
DEFINE_CLEANUP(struct inv_state *, inv_state_free)

/** One sighting with its EPC borrowed. */
struct inv_sighting {
	const uint8_t *epc; /**< bits past the end are zero */
	uint16_t bits;
	uint8_t kind;    /**< enum sighting_kind */
	uint16_t source; /**< index into the batch's sources */
	uint16_t rate_mhz;
	int16_t rssi_cdbm, peak_cdbm;
	uint32_t count;
	int64_t first_us, last_us;
};

struct inv_batch {
	uint64_t agent;
	uint8_t journal_id[PROTO_JOURNAL_ID_BYTES];
	uint64_t first_seq;
	size_t n_sources;
	const struct proto_source *sources;
	size_t n;
	const struct inv_sighting *sightings;
};

/** Applies what is new of a batch; *ret_applied is the stream's mark afterwards. Instants after
 * now_us are taken as now_us. */
int inv_state_apply(struct inv_state *st, const struct inv_batch *b, int64_t now_us,
		    uint64_t *ret_applied) _must_check_;
/** Judges what is due and a slice of the slow sweep (evidence nobody renewed); call ten times a
 * second. */
void inv_state_tick(struct inv_state *st, int64_t now_us);
/** Appends the marks of streams that moved; call before handing `out` to the journal. */
void inv_state_record_streams(struct inv_state *st);

/** INV_NONE if never heard. */
uint32_t inv_state_find(const struct inv_state *st, const struct epc *epc);
void inv_item_epc(const struct inv_state *st, uint32_t item, struct epc *ret);
/** Evidence of an item as belief sees it, and the ids beside it. Returns how many. */
size_t inv_item_evidence(const struct inv_state *st, uint32_t item,
			 struct belief_evidence ret[INV_MAX_EVIDENCE],
			 uint32_t ret_ids[INV_MAX_EVIDENCE]);
/** The belief at this instant, with its confidence, without changing anything. */
struct belief inv_item_belief(const struct inv_state *st, uint32_t item, int64_t now_us);
int64_t inv_item_last_seen(const struct inv_state *st, uint32_t item);
uint32_t inv_state_find_product(const struct inv_state *st, uint64_t gtin);
/** INV_NONE if it was never heard. */
uint32_t inv_state_find_antenna(const struct inv_state *st, uint64_t agent, const char *reader,
				uint16_t number);
/** Asks `place_of` again for every antenna; items of those that changed are judged by the next
 * ticks. */
void inv_state_remap(struct inv_state *st);
/** Takes a fitted model (NULL = none) and judges all items by it, a slice with every tick; `lacks`
 * names those of its places that do not exist any more. It must live until the next call. */
void inv_state_set_model(struct inv_state *st, const struct place_live *model, const bool *lacks);
/** Whether the fitted model decided where the item is. */
bool inv_item_by_model(const struct inv_state *st, uint32_t item);
/** Items of a product in stock at a place. */
uint32_t inv_state_count(const struct inv_state *st, uint32_t product, uint32_t place);

/* --- for replay and snapshot -------------------------------------------------------------------
 */

/** Applies the records of one journal blob. -ERR_CORRUPT names damage; the state is then unusable.
 */
int inv_state_replay(struct inv_state *st, const void *data, size_t len) _must_check_;
/** Adds the item with this id, which must be the next one or exist with the same EPC. */
int inv_state_restore_item(struct inv_state *st, uint32_t id, const struct epc *epc) _must_check_;
int inv_state_restore_antenna(struct inv_state *st, uint32_t id,
			      const struct inv_antenna *a) _must_check_;
int inv_state_restore_evidence(struct inv_state *st, uint32_t item,
			       const struct inv_evidence *e) _must_check_;
int inv_state_restore_stream(struct inv_state *st, const struct inv_stream *s) _must_check_;
/** Sets place and state, keeps the counters right and tells the listener if something changed. */
int inv_state_restore_place(struct inv_state *st, uint32_t item, uint32_t place, uint8_t state,
			    uint8_t cause, uint16_t confidence, int64_t since_us) _must_check_;
/** After all has been restored: lets items that nobody hears wait for their grace again. */
void inv_state_restored(struct inv_state *st);
