/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/inventory/inv_state.h"
#include "common/err.h"
#include "controller/inventory/inv_impl.h"
#include "controller/inventory/inv_record.h"
#include <errno.h>
#include <string.h>
#include <sys/random.h>

#define DEFAULT_MAX_ITEMS 2000000u
/* Agents renew what they hear at least once a minute. Evidence that three renewals of an antenna
 * have passed by is over, although nobody said so: its agent was restarted and the item left
 * meanwhile. */
#define UNRENEWED_US      (200 * US_PER_SEC)
#define SWEEP_TICKS       300   /* the slow sweep sees every item once in so many ticks */
#define REMAP_SLICE       50000 /* items judged in one tick after antennas changed place */
#define AHEAD             32    /* sightings whose memory is fetched ahead */

int inv_state_new(const struct belief_config *belief, uint32_t max_items, struct inv_state **ret)
{
	struct inv_state *st = calloc(1, sizeof(*st));

	if (!st)
		return -ENOMEM;
	st->belief = *belief;
	st->max_items = max_items ? MIN(max_items, INV_NONE / 4) : DEFAULT_MAX_ITEMS;
	st->free_evidence = INV_NONE;
	if (getrandom(&st->key, sizeof(st->key), 0) != (ssize_t) sizeof(st->key) ||
	    inv_index_init(&st->item_index, 1024) < 0 ||
	    inv_index_init(&st->antenna_index, 64) < 0 ||
	    inv_index_init(&st->product_index, 256) < 0) {
		inv_state_free(st);
		return -ENOMEM;
	}
	st->key.k[1] |= 1;
	*ret = st;
	return 0;
}

void inv_state_free(struct inv_state *st)
{
	if (!st)
		return;
	free(st->items.v);
	free(st->evidence.v);
	free(st->long_epcs.v);
	free(st->antennas.v);
	free(st->products.v);
	free(st->cells.v);
	free(st->streams.v);
	free(st->due.v);
	inv_index_done(&st->item_index);
	inv_index_done(&st->antenna_index);
	inv_index_done(&st->product_index);
	buf_done(&st->out);
	free(st);
}

/* --- judgement ---------------------------------------------------------------------------------
 */

void inv_due_push(struct inv_state *st, uint32_t item, int64_t at_us)
{
	struct inv_due *heap;
	uint32_t i = st->due.n;

	/* Without memory the slow sweep is late instead. */
	if (!INV_GROW(st->due))
		return;
	heap = st->due.v;
	st->due.n++;
	for (; i && heap[(i - 1) / 2].at_us > at_us; i = (i - 1) / 2)
		heap[i] = heap[(i - 1) / 2];
	heap[i] = (struct inv_due){.at_us = at_us, .item = item};
}

static struct inv_due due_pop(struct inv_state *st)
{
	struct inv_due *heap = st->due.v, top = heap[0], last = heap[--st->due.n];
	uint32_t i = 0;

	for (;;) {
		uint32_t child = 2 * i + 1;

		if (child >= st->due.n)
			break;
		if (child + 1 < st->due.n && heap[child + 1].at_us < heap[child].at_us)
			child++;
		if (heap[child].at_us >= last.at_us)
			break;
		heap[i] = heap[child];
		i = child;
	}
	heap[i] = last;
	return top;
}

size_t inv_item_evidence(const struct inv_state *st, uint32_t item,
			 struct belief_evidence ret[INV_MAX_EVIDENCE],
			 uint32_t ret_ids[INV_MAX_EVIDENCE])
{
	size_t n = 0;

	for (uint32_t at = st->items.v[item].evidence; at != INV_NONE && n < INV_MAX_EVIDENCE;) {
		const struct inv_evidence *e = &st->evidence.v[at];

		ret_ids[n] = at;
		ret[n++] = (struct belief_evidence){
			.place = st->antennas.v[e->antenna].place,
			.present = e->present,
			.rssi_cdbm = e->rssi_cdbm,
			.rate_mhz = e->rate_mhz,
			.first_us = e->last_us - (int64_t) e->span_ms * US_PER_MS,
			.last_us = e->last_us,
		};
		at = e->next;
	}
	return n;
}

static struct belief belief_of(const struct inv_item *it)
{
	return (struct belief){
		.place = it->place,
		.state = it->state,
		.cause = it->cause,
		.confidence = it->confidence,
		.since_us = it->since_us,
		.due_us = it->due_us,
	};
}

struct belief inv_item_belief(const struct inv_state *st, uint32_t item, int64_t now_us)
{
	struct belief_evidence ev[INV_MAX_EVIDENCE];
	uint32_t ids[INV_MAX_EVIDENCE];
	size_t n = inv_item_evidence(st, item, ev, ids);
	struct belief kept = belief_of(&st->items.v[item]), b = kept;

	if (!inv_item_by_model(st, item) && !belief_judge(&st->belief, &b, ev, n, now_us))
		kept.confidence = b.confidence;
	return kept;
}

static int judge(struct inv_state *st, uint32_t item, int64_t now_us)
{
	struct inv_item *it = &st->items.v[item];
	struct belief_evidence ev[INV_MAX_EVIDENCE];
	uint32_t ids[INV_MAX_EVIDENCE];
	size_t n = inv_item_evidence(st, item, ev, ids);
	struct belief b = belief_of(it);
	bool changed = inv_judge(st, item, &b, ev, ids, n, now_us);

	it->confidence = b.confidence;
	if (b.due_us != it->due_us) {
		it->due_us = b.due_us;
		if (b.due_us != BELIEF_NEVER)
			inv_due_push(st, item, b.due_us);
	}
	if (!changed)
		return 0;
	it->since_us = b.since_us;
	it->cause = b.cause;
	st->transitions++;
	if (inv_set_place(st, item, b.place, b.state) < 0)
		return -ENOMEM;
	inv_record_place(&st->out, item, &st->items.v[item]);
	return 0;
}

/* --- sightings ---------------------------------------------------------------------------------
 */

static uint32_t span_ms(int64_t first_us, int64_t last_us)
{
	int64_t span;

	if (__builtin_sub_overflow(last_us, MIN(first_us, last_us), &span) ||
	    span / US_PER_MS > UINT32_MAX)
		return UINT32_MAX;
	return (uint32_t) (span / US_PER_MS);
}

/* Takes a sighting into the evidence; true if the antenna began or ceased to hear the item. */
static bool take(struct inv_evidence *e, const struct inv_sighting *s, int64_t now_us, bool fresh)
{
	bool present = s->kind != SIGHTING_GONE;
	bool flipped = fresh || present != (bool) e->present;
	bool begins = flipped && present;
	int64_t first_us = e->last_us - (int64_t) e->span_ms * US_PER_MS;

	/* The agent steadies it; what it does not know is kept. */
	if (begins || s->rssi_cdbm != BELIEF_RSSI_UNKNOWN)
		e->rssi_cdbm = s->rssi_cdbm;
	if (s->peak_cdbm != BELIEF_RSSI_UNKNOWN && (begins || s->peak_cdbm > e->peak_cdbm))
		e->peak_cdbm = s->peak_cdbm;
	if (s->rate_mhz || begins)
		e->rate_mhz = s->rate_mhz;
	e->present = present;
	e->reads = e->reads > UINT32_MAX - s->count ? UINT32_MAX : e->reads + s->count;
	e->last_us = MAX(MIN(s->last_us, now_us), 0);
	/* A sighting may tell of its own reads only; the presence began with the first of them all.
	 */
	e->span_ms =
		span_ms(begins || fresh ? s->first_us : MIN(first_us, s->first_us), e->last_us);
	return flipped;
}

/* An item that one antenna hears where it is believed to be: nothing to judge. */
static bool settled(const struct inv_state *st, const struct inv_item *it,
		    const struct inv_evidence *e)
{
	return it->evidence != INV_NONE && e->next == INV_NONE && !st->model &&
	       &st->evidence.v[it->evidence] == e && e->present && it->state == BELIEF_PRESENT &&
	       it->place == st->antennas.v[e->antenna].place;
}

/* `likely` is the item whose hash was found first, fetched already. */
static int apply_one(struct inv_state *st, const struct inv_epc_view *v, uint32_t likely,
		     const struct inv_sighting *s, uint32_t antenna, int64_t now_us)
{
	bool known = likely != INV_NONE && inv_is_usual(&st->items.v[likely], v);
	uint32_t item = known ? likely : inv_find_view(st, v), at;
	uint64_t before = st->transitions;
	bool fresh = false, flipped;
	int r = 0;

	if (antenna == INV_NONE || (item == INV_NONE && st->items.n >= st->max_items)) {
		st->refused++;
		return 0;
	}
	if (item == INV_NONE) {
		struct epc epc;

		item = inv_add_item(st, v);
		if (item == INV_NONE)
			return -ENOMEM;
		inv_item_epc(st, item, &epc);
		inv_record_item(&st->out, item, &epc);
	}
	at = inv_find_evidence(st, item, antenna);
	if (at == INV_NONE) {
		fresh = true;
		at = inv_add_evidence(st, item, antenna);
		if (at == INV_NONE)
			return -ENOMEM;
	}
	flipped = take(&st->evidence.v[at], s, now_us, fresh);
	st->antennas.v[antenna].sightings++;
	if (st->evidence.v[at].last_us > st->antennas.v[antenna].last_heard_us)
		st->antennas.v[antenna].last_heard_us = st->evidence.v[at].last_us;
	if (flipped)
		st->transitions++;
	else if (settled(st, &st->items.v[item], &st->evidence.v[at]))
		return 0;
	r = judge(st, item, now_us);
	/* The evidence that moved an item is kept with the move. */
	if (st->transitions != before)
		inv_record_evidence(&st->out, item, &st->evidence.v[at]);
	return r;
}

/* Three rounds over a few sightings, each touching what the round before has fetched: index slots,
 * items, evidence. Without this a sighting waits for memory four times over. */
static int apply_some(struct inv_state *st, const struct inv_sighting *s, size_t n,
		      const uint32_t *antennas, int64_t now_us, size_t *ret_done)
{
	struct inv_epc_view v[AHEAD];
	uint32_t likely[AHEAD];
	int r = 0;

	for (size_t i = 0; i < n; i++) {
		v[i] = inv_view(st, s[i].epc, s[i].bits);
		inv_index_prefetch(&st->item_index, v[i].hash);
	}
	for (size_t i = 0; i < n; i++) {
		size_t pos = v[i].hash;

		likely[i] = inv_index_next(&st->item_index, v[i].hash, &pos);
		if (likely[i] != INV_NONE)
			__builtin_prefetch(&st->items.v[likely[i]], 1);
	}
	for (size_t i = 0; i < n; i++) {
		if (likely[i] != INV_NONE && st->items.v[likely[i]].evidence != INV_NONE)
			__builtin_prefetch(&st->evidence.v[st->items.v[likely[i]].evidence], 1);
	}
	for (size_t i = 0; i < n && !r; i++) {
		r = apply_one(st, &v[i], likely[i], &s[i], antennas[s[i].source], now_us);
		*ret_done += !r;
	}
	return r;
}

static uint32_t ask_place(const struct inv_state *st, const struct inv_antenna *a)
{
	return st->place_of ? st->place_of(st->place_user, a) : BELIEF_NO_PLACE;
}

static uint32_t source_antenna(struct inv_state *st, uint64_t agent, const struct proto_source *s)
{
	struct inv_antenna a = {.agent = agent, .number = s->antenna};
	uint32_t id = inv_state_find_antenna(st, agent, s->reader, s->antenna);

	if (id != INV_NONE)
		return id;
	memcpy(a.reader, s->reader, sizeof(a.reader));
	a.place = ask_place(st, &a);
	a.model = (int16_t) inv_model_antenna(st, &a);
	id = st->antennas.n;
	if (inv_state_restore_antenna(st, id, &a) < 0)
		return INV_NONE;
	inv_record_antenna(&st->out, id, &a);
	return id;
}

int inv_state_apply(struct inv_state *st, const struct inv_batch *b, int64_t now_us,
		    uint64_t *ret_applied)
{
	struct inv_stream *stream = inv_get_stream(st, b->agent, b->journal_id);
	uint32_t antennas[PROTO_MAX_SOURCES];
	size_t at = 0;
	int r = 0;

	if (!stream)
		return -ENOMEM;
	stream->last_us = now_us;
	if (b->n_sources > PROTO_MAX_SOURCES || !b->first_seq)
		return -ERR_RANGE;
	if (stream->applied >= b->first_seq)
		at = (size_t) MIN((uint64_t) b->n, stream->applied - b->first_seq + 1);
	for (size_t i = 0; i < b->n_sources && at < b->n; i++)
		antennas[i] = source_antenna(st, b->agent, &b->sources[i]);
	while (at < b->n && !r) {
		size_t done = 0;

		r = apply_some(st, &b->sightings[at], MIN(b->n - at, AHEAD), antennas, now_us,
			       &done);
		at += done;
		st->applied += done;
		if (done) {
			stream->applied = b->first_seq + at - 1;
			stream->dirty = true;
		}
	}
	if (!r)
		r = st->out.err;
	if (!r)
		*ret_applied = stream->applied;
	return r;
}

void inv_state_record_streams(struct inv_state *st)
{
	for (uint32_t i = 0; i < st->streams.n; i++) {
		struct inv_stream *s = &st->streams.v[i];

		if (!s->dirty)
			continue;
		inv_record_stream(&st->out, s);
		s->dirty = false;
	}
}

/* --- time passes -------------------------------------------------------------------------------
 */

static void sweep_item(struct inv_state *st, uint32_t item, bool remap, int64_t now_us)
{
	bool news = remap && st->items.v[item].evidence != INV_NONE;

	for (uint32_t at = st->items.v[item].evidence; at != INV_NONE;
	     at = st->evidence.v[at].next) {
		struct inv_evidence *e = &st->evidence.v[at];

		if (!e->present ||
		    st->antennas.v[e->antenna].last_heard_us - e->last_us < UNRENEWED_US)
			continue;
		e->present = 0;
		st->transitions++;
		inv_record_evidence(&st->out, item, e);
		news = true;
	}
	/* An item whose agent went away fades; another place may outweigh it without any news. */
	if (news || (st->items.v[item].evidence != INV_NONE &&
		     st->evidence.v[st->items.v[item].evidence].next != INV_NONE))
		(void) judge(st, item, now_us);
}

void inv_state_tick(struct inv_state *st, int64_t now_us)
{
	uint32_t slice = st->items.n / SWEEP_TICKS + 1;

	while (st->due.n && st->due.v[0].at_us <= now_us) {
		struct inv_due d = due_pop(st);
		struct inv_item *it = &st->items.v[d.item];

		if (it->due_us != d.at_us)
			continue;
		it->due_us = BELIEF_NEVER;
		(void) judge(st, d.item, now_us);
	}
	if (st->remap_left)
		slice = MIN(st->remap_left, REMAP_SLICE);
	for (; slice && st->items.n; slice--) {
		bool remap = st->remap_left > 0;

		if (st->sweep_at >= st->items.n)
			st->sweep_at = 0;
		st->remap_left -= remap;
		sweep_item(st, st->sweep_at++, remap, now_us);
	}
}

void inv_state_remap(struct inv_state *st)
{
	for (uint32_t i = 0; i < st->antennas.n; i++) {
		struct inv_antenna *a = &st->antennas.v[i];
		uint32_t place = ask_place(st, a);

		if (a->place == place)
			continue;
		a->place = place;
		st->remap_left = st->items.n;
	}
}

void inv_state_set_model(struct inv_state *st, const struct place_live *model, const bool *lacks)
{
	st->model = model;
	for (unsigned int p = 0; p < PLACE_LIVE_MAX_PLACES; p++)
		st->model_lacks[p] = model && lacks && lacks[p];
	for (uint32_t i = 0; i < st->antennas.n; i++)
		st->antennas.v[i].model = (int16_t) inv_model_antenna(st, &st->antennas.v[i]);
	/* What is remembered are odds of another model's places. */
	for (uint32_t i = 0; i < st->items.n; i++)
		st->items.v[i].memory = (struct place_live_memory){0};
	st->remap_left = st->items.n;
}

int64_t inv_item_last_seen(const struct inv_state *st, uint32_t item)
{
	int64_t last_us = 0;

	for (uint32_t at = st->items.v[item].evidence; at != INV_NONE; at = st->evidence.v[at].next)
		last_us = MAX(last_us, st->evidence.v[at].last_us);
	return last_us;
}
