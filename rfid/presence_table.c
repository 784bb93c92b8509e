/* SPDX-License-Identifier: Apache-2.0 */
#include "rfid/presence_impl.h"

#include "common/err.h"
#include <errno.h>
#include <string.h>
#include <sys/random.h>

#define FIRST_BUCKETS 64u
#define SLOT_DUE      UINT32_MAX /* in the list of due pairs */
#define SLOT_NONE     (UINT32_MAX - 1)

/* --- keyed hash: SipHash-1-3 (Aumasson and Bernstein) ----------------------------------------- */

static inline uint64_t rotate(uint64_t v, int by)
{
	return v << by | v >> (64 - by);
}

static inline void sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[1] = rotate(v[1], 13) ^ v[0];
	v[0] = rotate(v[0], 32);
	v[2] += v[3];
	v[3] = rotate(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = rotate(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = rotate(v[1], 17) ^ v[2];
	v[2] = rotate(v[2], 32);
}

static uint32_t hash(const uint64_t key[2], const uint8_t *data, size_t len, uint16_t bits)
{
	uint64_t v[4] = {
		key[0] ^ UINT64_C(0x736f6d6570736575),
		key[1] ^ UINT64_C(0x646f72616e646f6d),
		key[0] ^ UINT64_C(0x6c7967656e657261),
		key[1] ^ UINT64_C(0x7465646279746573),
	};
	uint64_t word = (uint64_t) bits << 48;

	for (size_t at = 0; at + 8 <= len; at += 8) {
		uint64_t m;

		memcpy(&m, data + at, 8);
		v[3] ^= m;
		sip_round(v);
		v[0] ^= m;
	}
	for (size_t i = 0; i < len % 8; i++)
		word ^= (uint64_t) data[len - len % 8 + i] << (8 * i);
	v[3] ^= word;
	sip_round(v);
	v[0] ^= word;
	v[2] ^= 0xff;
	for (int i = 0; i < 3; i++)
		sip_round(v);
	return (uint32_t) (v[0] ^ v[1] ^ v[2] ^ v[3]);
}

/* --- pools ------------------------------------------------------------------------------------ */

int presence_tables_init(struct presence *p)
{
	size_t chunks = (p->cfg.max_pairs + PRESENCE_CHUNK - 1) / PRESENCE_CHUNK;

	if (p->cfg.max_pairs >= SLOT_NONE)
		return -ERR_RANGE;
	p->free_tags = p->free_pairs = p->due = PRESENCE_NONE;
	memset(p->wheel, 0xff, sizeof(p->wheel));
	p->tag_chunks = calloc(chunks, sizeof(p->tag_chunks[0]));
	p->pair_chunks = calloc(chunks, sizeof(p->pair_chunks[0]));
	p->buckets = malloc(FIRST_BUCKETS * sizeof(p->buckets[0]));
	if (!p->tag_chunks || !p->pair_chunks || !p->buckets)
		return -ENOMEM;
	memset(p->buckets, 0xff, FIRST_BUCKETS * sizeof(p->buckets[0]));
	p->bucket_mask = FIRST_BUCKETS - 1;
	/* Cannot fail for so few bytes once the machine is up; before that, an address will do. */
	if (getrandom(p->key, sizeof(p->key), GRND_NONBLOCK) != (ssize_t) sizeof(p->key)) {
		p->key[0] = (uint64_t) (uintptr_t) p;
		p->key[1] = (uint64_t) (uintptr_t) p->buckets;
	}
	return 0;
}

static uint8_t *long_epc(const struct presence_tag *t)
{
	uint8_t *bytes;

	memcpy(&bytes, t->epc, sizeof(bytes));
	return bytes;
}

void presence_tables_done(struct presence *p)
{
	for (uint32_t i = 0; p->tag_chunks && i < p->tag_used; i++)
		if (presence_tag(p, i)->bits > 96)
			free(long_epc(presence_tag(p, i)));
	for (uint32_t i = 0; p->tag_chunks && i < p->tag_used; i += PRESENCE_CHUNK)
		free(p->tag_chunks[i / PRESENCE_CHUNK]);
	for (uint32_t i = 0; p->pair_chunks && i < p->pair_used; i += PRESENCE_CHUNK)
		free(p->pair_chunks[i / PRESENCE_CHUNK]);
	free(p->tag_chunks);
	free(p->pair_chunks);
	free(p->buckets);
}

uint32_t presence_epc_hash(const struct presence *p, const struct epc *epc)
{
	return hash(p->key, epc->data, epc_bytes(epc), epc->bits) | 1;
}

void presence_tag_epc(const struct presence_tag *t, struct epc *ret)
{
	size_t n = (size_t) (t->bits + 7) / 8;

	memset(ret, 0, sizeof(*ret));
	ret->bits = t->bits;
	memcpy(ret->data, t->bits > 96 ? long_epc(t) : t->epc, n);
}

static bool tag_is(const struct presence_tag *t, const struct epc *epc)
{
	return t->bits == epc->bits &&
	       memcmp(t->bits > 96 ? long_epc(t) : t->epc, epc->data, epc_bytes(epc)) == 0;
}

static uint32_t *bucket_of(const struct presence *p, const struct epc *epc)
{
	return &p->buckets[hash(p->key, epc->data, epc_bytes(epc), epc->bits) & p->bucket_mask];
}

static uint32_t tag_find(const struct presence *p, const struct epc *epc)
{
	uint32_t at = *bucket_of(p, epc);

	while (at != PRESENCE_NONE && !tag_is(presence_tag(p, at), epc))
		at = presence_tag(p, at)->next;
	return at;
}

/** Doubles the buckets once there are as many tags; without memory the chains just grow. */
static void grow_buckets(struct presence *p)
{
	uint32_t n = 2 * (p->bucket_mask + 1);
	uint32_t *old = p->buckets, old_n = p->bucket_mask + 1;
	uint32_t *grown;

	if (p->n_tags < old_n)
		return;
	grown = malloc((size_t) n * sizeof(grown[0]));
	if (!grown)
		return;
	memset(grown, 0xff, (size_t) n * sizeof(grown[0]));
	p->buckets = grown;
	p->bucket_mask = n - 1;
	for (uint32_t i = 0; i < old_n; i++) {
		for (uint32_t at = old[i], next; at != PRESENCE_NONE; at = next) {
			struct presence_tag *t = presence_tag(p, at);
			struct epc epc;
			uint32_t *bucket;

			next = t->next;
			presence_tag_epc(t, &epc);
			bucket = bucket_of(p, &epc);
			t->next = *bucket;
			*bucket = at;
		}
	}
	free(old);
}

static int tag_new(struct presence *p, const struct epc *epc, uint32_t *ret)
{
	uint8_t *bytes = NULL;
	struct presence_tag *t;
	uint32_t at = p->free_tags, *bucket;

	if (epc->bits > 96) {
		bytes = malloc(epc_bytes(epc));
		if (!bytes)
			return -ENOMEM;
		memcpy(bytes, epc->data, epc_bytes(epc));
	}
	if (at == PRESENCE_NONE) {
		struct presence_tag **chunk = &p->tag_chunks[p->tag_used / PRESENCE_CHUNK];

		if (!*chunk)
			*chunk = calloc(PRESENCE_CHUNK, sizeof(**chunk));
		if (!*chunk) {
			free(bytes);
			return -ENOMEM;
		}
		at = p->tag_used++;
	} else {
		p->free_tags = presence_tag(p, at)->next;
	}
	grow_buckets(p);
	t = presence_tag(p, at);
	t->pairs = PRESENCE_NONE;
	t->bits = epc->bits;
	if (bytes)
		memcpy(t->epc, &bytes, sizeof(bytes));
	else
		memcpy(t->epc, epc->data, sizeof(t->epc));
	bucket = bucket_of(p, epc);
	t->next = *bucket;
	*bucket = at;
	p->n_tags++;
	*ret = at;
	return 0;
}

static void tag_free(struct presence *p, uint32_t at)
{
	struct presence_tag *t = presence_tag(p, at);
	struct epc epc;
	uint32_t *link;

	presence_tag_epc(t, &epc);
	link = bucket_of(p, &epc);
	while (*link != at)
		link = &presence_tag(p, *link)->next;
	*link = t->next;
	if (t->bits > 96)
		free(long_epc(t));
	t->bits = 0;
	t->next = p->free_tags;
	p->free_tags = at;
	p->n_tags--;
}

uint32_t presence_pair_find(const struct presence *p, uint16_t source, const struct epc *epc)
{
	uint32_t tag = tag_find(p, epc), at;

	if (tag == PRESENCE_NONE)
		return PRESENCE_NONE;
	at = presence_tag(p, tag)->pairs;
	while (at != PRESENCE_NONE && presence_pair(p, at)->source != source)
		at = presence_pair(p, at)->next;
	return at;
}

int presence_pair_new(struct presence *p, uint16_t source, const struct epc *epc, uint32_t *ret)
{
	struct presence_pair **chunk;
	struct presence_pair *pair;
	uint32_t tag = tag_find(p, epc), at = p->free_pairs;
	int r;

	if (p->n_pairs >= p->cfg.max_pairs)
		return -ENOSPC;
	if (at == PRESENCE_NONE) {
		chunk = &p->pair_chunks[p->pair_used / PRESENCE_CHUNK];
		if (!*chunk)
			*chunk = calloc(PRESENCE_CHUNK, sizeof(**chunk));
		if (!*chunk)
			return -ENOMEM;
	}
	if (tag == PRESENCE_NONE) {
		r = tag_new(p, epc, &tag);
		if (r < 0)
			return r;
	}
	if (at == PRESENCE_NONE)
		at = p->pair_used++;
	else
		p->free_pairs = presence_pair(p, at)->next;
	pair = presence_pair(p, at);
	*pair = (struct presence_pair){
		.tag = tag,
		.source = source,
		.next = presence_tag(p, tag)->pairs,
		.slot = SLOT_NONE,
	};
	presence_tag(p, tag)->pairs = at;
	p->n_pairs++;
	*ret = at;
	return 0;
}

/* --- the wheel -------------------------------------------------------------------------------- */

static uint32_t *list_of(struct presence *p, uint32_t slot)
{
	return slot == SLOT_DUE ? &p->due : &p->wheel[slot % PRESENCE_SLOTS];
}

static void list_remove(struct presence *p, uint32_t at)
{
	struct presence_pair *pair = presence_pair(p, at);

	if (pair->slot == SLOT_NONE)
		return;
	if (pair->wheel_next != PRESENCE_NONE)
		presence_pair(p, pair->wheel_next)->wheel_prev = pair->wheel_prev;
	if (pair->wheel_prev != PRESENCE_NONE)
		presence_pair(p, pair->wheel_prev)->wheel_next = pair->wheel_next;
	else
		*list_of(p, pair->slot) = pair->wheel_next;
	pair->slot = SLOT_NONE;
}

static void list_add(struct presence *p, uint32_t at, uint32_t slot)
{
	struct presence_pair *pair = presence_pair(p, at);
	uint32_t *head = list_of(p, slot);

	pair->slot = slot;
	pair->wheel_prev = PRESENCE_NONE;
	pair->wheel_next = *head;
	if (*head != PRESENCE_NONE)
		presence_pair(p, *head)->wheel_prev = at;
	*head = at;
}

void presence_pair_free(struct presence *p, uint32_t at)
{
	struct presence_pair *pair = presence_pair(p, at);
	struct presence_tag *t = presence_tag(p, pair->tag);
	uint32_t *link = &t->pairs;

	list_remove(p, at);
	while (*link != at)
		link = &presence_pair(p, *link)->next;
	*link = pair->next;
	if (t->pairs == PRESENCE_NONE)
		tag_free(p, pair->tag);
	pair->next = p->free_pairs;
	p->free_pairs = at;
	p->n_pairs--;
}

static uint32_t slot_at(const struct presence *p, int64_t at_us)
{
	int64_t slot = (at_us - p->wheel_base_us) >> PRESENCE_SLOT_SHIFT;

	return slot < 0 ? 0 : (uint32_t) MIN(slot, (int64_t) SLOT_NONE - PRESENCE_SLOTS);
}

/** Counts slots from now on. No pair may be in the wheel. */
static void wheel_restart(struct presence *p, int64_t now_us)
{
	p->wheel_base_us = now_us;
	p->wheel_pos = 0;
}

void presence_wheel_start(struct presence *p, int64_t now_us)
{
	if (!p->wheel_started)
		wheel_restart(p, now_us);
	p->wheel_started = true;
}

uint32_t presence_wheel_slot(const struct presence *p, int64_t at_us)
{
	/* At the latest just before the wheel comes around; it will then be filed again. */
	uint32_t slot = slot_at(p, at_us);

	return MIN(MAX(slot, p->wheel_pos + 1), p->wheel_pos + PRESENCE_SLOTS - 1);
}

void presence_wheel_put(struct presence *p, uint32_t at, int64_t due_us)
{
	list_add(p, at, presence_wheel_slot(p, due_us));
}

void presence_wheel_move(struct presence *p, uint32_t at, int64_t due_us)
{
	if (presence_pair(p, at)->slot == SLOT_DUE)
		return; /* will be looked at before this tick ends */
	list_remove(p, at);
	presence_wheel_put(p, at, due_us);
}

void presence_wheel_turn(struct presence *p, int64_t now_us)
{
	uint32_t now, n;

	presence_wheel_start(p, now_us);
	now = slot_at(p, now_us);
	if (now <= p->wheel_pos)
		return;
	n = MIN(now - p->wheel_pos, PRESENCE_SLOTS);
	for (uint32_t i = 1; i <= n; i++) {
		uint32_t *head = &p->wheel[(p->wheel_pos + i) % PRESENCE_SLOTS];

		while (*head != PRESENCE_NONE) {
			uint32_t at = *head;

			list_remove(p, at);
			list_add(p, at, SLOT_DUE);
		}
	}
	/* After a leap the wheel is empty, and the clock may be decades ahead. */
	if (n == PRESENCE_SLOTS)
		wheel_restart(p, now_us);
	else
		p->wheel_pos = now;
}

uint32_t presence_wheel_take(struct presence *p)
{
	uint32_t at = p->due;

	if (at != PRESENCE_NONE)
		list_remove(p, at);
	return at;
}

void presence_shift(struct presence *p, int64_t by_us)
{
	int64_t limit_us = p->now_us + by_us + US_PER_SEC;
	uint32_t all = PRESENCE_NONE;

	for (uint32_t b = 0; b <= p->bucket_mask; b++) {
		for (uint32_t t = p->buckets[b]; t != PRESENCE_NONE; t = presence_tag(p, t)->next) {
			uint32_t at = presence_tag(p, t)->pairs;

			for (; at != PRESENCE_NONE; at = presence_pair(p, at)->next) {
				struct presence_pair *pair = presence_pair(p, at);

				/* Those read since the clock was set are right already. */
				if (pair->last_us > limit_us) {
					pair->last_us += by_us;
					pair->emitted_ms += (uint32_t) (by_us / US_PER_MS);
				}
				list_remove(p, at);
				pair->wheel_next = all;
				all = at;
			}
		}
	}
	for (size_t i = 0; i < p->n_sources; i++)
		if (p->sources[i].resumed_us != INT64_MIN)
			p->sources[i].resumed_us += by_us;
	if (p->resumed_us != INT64_MIN)
		p->resumed_us += by_us;
	p->now_us += by_us;
	wheel_restart(p, p->now_us);
	/* All due at once: each is looked at and filed where it now belongs. */
	while (all != PRESENCE_NONE) {
		uint32_t at = all;

		all = presence_pair(p, at)->wheel_next;
		list_add(p, at, SLOT_DUE);
	}
}
