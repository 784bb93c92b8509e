/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/world.h"

#include "common/err.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

int sim_world_new(const struct clock *clock, uint64_t seed, struct sim_world **ret)
{
	struct sim_world *w = calloc(1, sizeof *w);
	int r;

	if (!w)
		return -ENOMEM;
	w->clock = clock;
	sim_rng_init(&w->rng, seed, "world");
	r = sim_world_add_place(w, "nowhere", "other");
	if (r < 0) {
		sim_world_free(w);
		return r;
	}
	*ret = w;
	return 0;
}

void sim_world_free(struct sim_world *w)
{
	if (!w)
		return;
	if (w->mover)
		loop_timer_free(w->mover);
	for (uint32_t i = 0; i < w->n_places; i++)
		free(w->places[i].items);
	free(w->items);
	free(w->index);
	free(w->reads);
	free(w->moves);
	free(w->passages);
	free(w);
}

int sim_world_add_place(struct sim_world *w, const char *name, const char *kind)
{
	struct sim_place *p;

	if (sim_world_find_place(w, name) >= 0)
		return -EEXIST;
	if (w->n_places >= SIM_MAX_PLACES)
		return -ENOSPC;
	p = &w->places[w->n_places];
	(void) snprintf(p->name, sizeof p->name, "%s", name);
	(void) snprintf(p->kind, sizeof p->kind, "%s", kind);
	return (int) w->n_places++;
}

int sim_world_find_place(const struct sim_world *w, const char *name)
{
	for (uint32_t i = 0; i < w->n_places; i++) {
		if (!strcmp(w->places[i].name, name))
			return (int) i;
	}
	return -ENOENT;
}

int sim_world_add_antenna(struct sim_world *w, const char *reader, uint16_t number)
{
	struct sim_antenna *a;

	if (w->n_antennas >= SIM_MAX_ANTENNAS || w->sealed)
		return -ENOSPC;
	a = &w->antennas[w->n_antennas];
	(void) snprintf(a->reader, sizeof a->reader, "%s", reader);
	a->number = number;
	return (int) w->n_antennas++;
}

int sim_world_find_antenna(const struct sim_world *w, const char *reader, uint16_t number)
{
	for (uint32_t i = 0; i < w->n_antennas; i++) {
		if (w->antennas[i].number == number && !strcmp(w->antennas[i].reader, reader))
			return (int) i;
	}
	return -ENOENT;
}

int sim_world_cover(struct sim_world *w, uint32_t antenna, uint32_t place)
{
	struct sim_antenna *a = &w->antennas[antenna];

	if (a->n_places == ARRAY_SIZE(a->places))
		return -ENOSPC;
	a->places[a->n_places++] = place;
	return 0;
}

bool sim_world_covers(const struct sim_world *w, uint32_t antenna, uint32_t place)
{
	const struct sim_antenna *a = &w->antennas[antenna];

	for (uint32_t i = 0; i < a->n_places; i++) {
		if (a->places[i] == place)
			return true;
	}
	return false;
}

/* --- items ------------------------------------------------------------------------------------ */

static uint32_t epc_hash(const struct epc *e)
{
	uint32_t h = 2166136261u ^ e->bits;

	for (size_t i = 0; i < epc_bytes(e); i++)
		h = (h ^ e->data[i]) * 16777619u;
	return h ^ (h >> 15);
}

static void index_insert(struct sim_world *w, uint32_t item)
{
	uint32_t i = epc_hash(&w->items[item].epc) & (w->index_size - 1);

	while (w->index[i])
		i = (i + 1) & (w->index_size - 1);
	w->index[i] = item + 1;
}

static int items_grow(struct sim_world *w)
{
	uint32_t cap = w->cap_items ? w->cap_items * 2 : 256;
	struct sim_item *items = realloc(w->items, cap * sizeof *items);
	uint32_t *index;

	if (!items)
		return -ENOMEM;
	w->items = items;
	index = calloc((size_t) cap * 2, sizeof *index);
	if (!index)
		return -ENOMEM;
	free(w->index);
	w->index = index;
	w->index_size = cap * 2;
	w->cap_items = cap;
	for (uint32_t i = 0; i < w->n_items; i++)
		index_insert(w, i);
	return 0;
}

static int place_put(struct sim_world *w, uint32_t place, uint32_t item)
{
	struct sim_place *p = &w->places[place];

	if (p->n_items == p->cap_items) {
		uint32_t cap = p->cap_items ? p->cap_items * 2 : 64;
		uint32_t *items = realloc(p->items, cap * sizeof *items);

		if (!items)
			return -ENOMEM;
		p->items = items;
		p->cap_items = cap;
	}
	w->items[item].place = place;
	w->items[item].slot = p->n_items;
	p->items[p->n_items++] = item;
	return 0;
}

static void place_take(struct sim_world *w, uint32_t item)
{
	struct sim_place *p = &w->places[w->items[item].place];
	uint32_t last = p->items[--p->n_items];

	p->items[w->items[item].slot] = last;
	w->items[last].slot = w->items[item].slot;
}

/* Rows for more items than there are, so that each arrival need not make one. */
static int reads_grow(struct sim_world *w, uint32_t rows)
{
	size_t row = MAX(w->n_antennas, 1u);
	uint32_t *reads = reallocarray(w->reads, rows * row, sizeof *reads);

	if (!reads)
		return -ENOMEM;
	memset(reads + w->cap_reads * row, 0, (rows - w->cap_reads) * row * sizeof *reads);
	w->reads = reads;
	w->cap_reads = rows;
	return 0;
}

void sim_world_watch(struct sim_world *w, void (*changed)(void *user, uint32_t item), void *user)
{
	w->changed = changed;
	w->changed_user = user;
}

int sim_world_add_item(struct sim_world *w, const struct epc *epc, uint32_t place)
{
	uint32_t item = w->n_items;
	int r;

	if (w->n_items >= SIM_MAX_ITEMS)
		return -ENOSPC;
	if (w->n_items == w->cap_items) {
		r = items_grow(w);
		if (r < 0)
			return r;
	}
	if (sim_world_find_item(w, epc) >= 0)
		return -EEXIST;
	if (w->sealed && item >= w->cap_reads) {
		r = reads_grow(w, w->cap_items);
		if (r < 0)
			return r;
	}
	w->items[item] = (struct sim_item){.epc = *epc, .since_us = clock_real_us(w->clock)};
	r = place_put(w, place, item);
	if (r < 0)
		return r;
	w->n_items++;
	index_insert(w, item);
	if (w->changed)
		w->changed(w->changed_user, item);
	return (int) item;
}

int sim_world_find_item(const struct sim_world *w, const struct epc *epc)
{
	uint32_t i;

	if (!w->index_size)
		return -ENOENT;
	i = epc_hash(epc) & (w->index_size - 1);
	for (; w->index[i]; i = (i + 1) & (w->index_size - 1)) {
		if (epc_equal(&w->items[w->index[i] - 1].epc, epc))
			return (int) w->index[i] - 1;
	}
	return -ENOENT;
}

int sim_world_seal(struct sim_world *w)
{
	w->moves = calloc(SIM_MAX_MOVES_LOG, sizeof *w->moves);
	w->passages = calloc(SIM_MAX_PASSAGES, sizeof *w->passages);
	w->sealed = true;
	return w->moves && w->passages ? reads_grow(w, MAX(w->cap_items, 1u)) : -ENOMEM;
}

int64_t sim_world_move(struct sim_world *w, uint32_t item, uint32_t place)
{
	int64_t now_us = clock_real_us(w->clock);
	uint32_t from = w->items[item].place;

	if (from == place)
		return now_us;
	place_take(w, item);
	if (place_put(w, place, item) < 0) {
		/* The old place has room for what just left it. */
		(void) !place_put(w, from, item);
		return now_us;
	}
	w->items[item].since_us = now_us;
	w->items[item].first_read_us = 0;
	w->items[item].left = 0;
	if (w->moves)
		w->moves[w->n_moves++ % SIM_MAX_MOVES_LOG] =
			(struct sim_move){now_us, item, from, place};
	if (w->changed)
		w->changed(w->changed_user, item);
	return now_us;
}

void sim_world_note_read(struct sim_world *w, uint32_t item, uint32_t antenna, int64_t at_us)
{
	struct sim_item *it = &w->items[item];

	w->reads[(size_t) item * w->n_antennas + antenna]++;
	/* The reads of one turn are told in any order. */
	if ((!it->first_read_us || at_us < it->first_read_us) &&
	    sim_world_covers(w, antenna, it->place))
		it->first_read_us = at_us;
}

uint32_t sim_world_reads(const struct sim_world *w, uint32_t item, uint32_t antenna)
{
	return w->reads ? w->reads[(size_t) item * w->n_antennas + antenna] : 0;
}

const struct sim_move *sim_world_move_at(const struct sim_world *w, uint64_t i)
{
	uint64_t first = w->n_moves > SIM_MAX_MOVES_LOG ? w->n_moves - SIM_MAX_MOVES_LOG : 0;

	return first + i < w->n_moves ? &w->moves[(first + i) % SIM_MAX_MOVES_LOG] : NULL;
}

/* --- the door --------------------------------------------------------------------------------- */

const char *sim_passage_name(enum sim_passage_kind k)
{
	static const char *const names[] = {
		[SIM_SOLD] = "sold", [SIM_STOLEN] = "stolen", [SIM_ARRIVED] = "arrived"};

	return k < ARRAY_SIZE(names) && names[k] ? names[k] : "";
}

void sim_world_note_passage(struct sim_world *w, uint32_t item, uint32_t place,
			    enum sim_passage_kind kind)
{
	if (w->passages)
		w->passages[w->n_passages++ % SIM_MAX_PASSAGES] =
			(struct sim_passage){.at_us = clock_real_us(w->clock),
					     .item = item,
					     .place = place,
					     .kind = (uint8_t) kind};
}

int64_t sim_world_leave(struct sim_world *w, uint32_t item, enum sim_passage_kind how)
{
	uint32_t from = w->items[item].place;
	int64_t at_us;

	if (w->items[item].left)
		return 0;
	at_us = sim_world_move(w, item, SIM_NOWHERE);
	w->items[item].left = (uint8_t) how;
	sim_world_note_passage(w, item, from, how);
	return at_us;
}

int sim_world_return(struct sim_world *w, uint32_t item, uint32_t place)
{
	if (!w->items[item].left)
		return -EEXIST;
	(void) sim_world_move(w, item, place);
	sim_world_note_passage(w, item, place, SIM_ARRIVED);
	return 0;
}

const struct sim_passage *sim_world_passage_at(const struct sim_world *w, uint64_t i)
{
	uint64_t first = w->n_passages > SIM_MAX_PASSAGES ? w->n_passages - SIM_MAX_PASSAGES : 0;

	return first + i < w->n_passages ? &w->passages[(first + i) % SIM_MAX_PASSAGES] : NULL;
}

/* --- the seeded script ------------------------------------------------------------------------ */

static void mover_arm(struct sim_world *w)
{
	loop_timer_start(w->mover,
			 (int64_t) (sim_rng_exponential(&w->rng, w->move_every_s) * US_PER_SEC));
}

static void mover_fire(void *user)
{
	struct sim_world *w = user;
	uint32_t item = sim_rng_below(&w->rng, w->n_items);
	uint32_t to = 1 + sim_rng_below(&w->rng, w->n_places - 2);

	/* Any place but "nowhere" and the present one; what is outside may come back, unless it was
	 * sold or stolen. */
	if (to >= w->items[item].place && w->items[item].place != SIM_NOWHERE)
		to++;
	if (!w->items[item].left)
		(void) sim_world_move(w, item, to);
	mover_arm(w);
}

int sim_world_start_mover(struct sim_world *w, struct loop *loop, double every_s)
{
	int r;

	if (every_s <= 0 || w->n_items == 0 || w->n_places < 3)
		return 0;
	r = loop_timer_new(loop, mover_fire, w, &w->mover);
	if (r < 0)
		return r;
	w->move_every_s = every_s;
	mover_arm(w);
	return 0;
}
