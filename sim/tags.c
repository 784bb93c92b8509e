/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/tags.h"

#include "common/util.h"
#include "sim/rng.h"
#include <string.h>

enum read_result {
	READ_REFUSED = 1,
	READ_OVERRUN = 4,
	READ_LOCKED = 5
};
enum write_result {
	WRITE_OVERRUN = 1,
	WRITE_LOCKED = 2
};
enum lock_result {
	LOCK_REFUSED = 2
};
enum lock_field {
	FIELD_KILL,
	FIELD_ACCESS,
	FIELD_EPC,
	FIELD_TID,
	FIELD_USER
};

#define TID_CLASS_AND_MAKER 0xe280 /* ISO/IEC 15963 E2, and a maker's number */
#define TID_MODEL           0x1160
#define ACCESS_PASSWORD_AT  2
#define MIN_CAPACITY        64

struct sim_tags {
	struct sim_tag **slots; /**< open-addressed hash over the EPC they were born with */
	size_t n, capacity;
};

/* --- finding ---------------------------------------------------------------------------------- */

static size_t hash(const struct epc *epc)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < epc_bytes(epc); i++)
		h = (h ^ epc->data[i]) * 16777619u;
	return h ^ h >> 15;
}

static struct sim_tag **slot(const struct sim_tags *t, const struct epc *born)
{
	size_t at = hash(born) & (t->capacity - 1);

	while (t->slots[at] && !epc_equal(&t->slots[at]->born, born))
		at = (at + 1) & (t->capacity - 1);
	return &t->slots[at];
}

struct sim_tags *sim_tags_new(void)
{
	return calloc(1, sizeof(struct sim_tags));
}

void sim_tags_free(struct sim_tags *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->capacity; i++)
		free(t->slots[i]);
	free(t->slots);
	free(t);
}

static bool grow(struct sim_tags *t)
{
	struct sim_tags bigger = {.capacity = MAX(t->capacity * 2, (size_t) MIN_CAPACITY),
				  .n = t->n};

	bigger.slots = calloc(bigger.capacity, sizeof *bigger.slots);
	if (!bigger.slots)
		return false;
	for (size_t i = 0; i < t->capacity; i++) {
		if (t->slots[i])
			*slot(&bigger, &t->slots[i]->born) = t->slots[i];
	}
	free(t->slots);
	*t = bigger;
	return true;
}

static void be_born(struct sim_tag *tag, const struct epc *born)
{
	size_t words = (born->bits + 15u) / 16;

	*tag = (struct sim_tag){.born = *born};
	tag->epc[1] = (uint16_t) (words << 11);
	for (size_t i = 0; i < epc_bytes(born); i++)
		tag->epc[2 + i / 2] |= (uint16_t) (born->data[i] << (i % 2 ? 0 : 8));
	tag->tid[0] = TID_CLASS_AND_MAKER;
	tag->tid[1] = TID_MODEL;
	for (size_t i = 2; i < SIM_TAG_TID_WORDS; i++)
		tag->tid[i] = (uint16_t) (sim_hash_unit(hash(born), i, 0) * 65536);
	tag->locks[FIELD_TID] = SIM_TAG_LOCKED_EVER;
}

struct sim_tag *sim_tags_get(struct sim_tags *t, const struct epc *born)
{
	struct sim_tag **at;

	if (t->n * 2 >= t->capacity && !grow(t))
		return NULL;
	at = slot(t, born);
	if (*at)
		return *at;
	*at = calloc(1, sizeof **at);
	if (!*at)
		return NULL;
	be_born(*at, born);
	t->n++;
	return *at;
}

const struct epc *sim_tags_on_air(const struct sim_tags *t, const struct epc *born, struct epc *ret)
{
	const struct sim_tag *tag = t && t->n ? *slot(t, born) : NULL;
	uint8_t bytes[EPC_MAX_BYTES];
	size_t words, bits;

	if (!tag)
		return born;
	words = MIN((size_t) (tag->epc[1] >> 11), (size_t) SIM_TAG_EPC_WORDS - 2);
	/* The length in the PC counts words; an EPC that was born with less keeps its length. */
	bits = words == (born->bits + 15u) / 16 ? born->bits : words * 16;
	for (size_t i = 0; i < words; i++) {
		bytes[2 * i] = (uint8_t) (tag->epc[2 + i] >> 8);
		bytes[2 * i + 1] = (uint8_t) tag->epc[2 + i];
	}
	return epc_set(ret, bytes, bits) == 0 ? ret : born;
}

/* --- operations ------------------------------------------------------------------------------- */

static const uint16_t *bank_words(const struct sim_tag *tag, uint8_t bank, uint16_t *ret_n)
{
	switch (bank) {
	case SIM_BANK_RESERVED:
		*ret_n = SIM_TAG_RESERVED_WORDS;
		return tag->reserved;
	case SIM_BANK_EPC:
		*ret_n = SIM_TAG_EPC_WORDS;
		return tag->epc;
	case SIM_BANK_TID:
		*ret_n = SIM_TAG_TID_WORDS;
		return tag->tid;
	default:
		*ret_n = SIM_TAG_USER_WORDS;
		return tag->user;
	}
}

/** Which lock guards that word. */
static enum lock_field field_of(uint8_t bank, uint16_t pointer)
{
	switch (bank) {
	case SIM_BANK_RESERVED:
		return pointer < ACCESS_PASSWORD_AT ? FIELD_KILL : FIELD_ACCESS;
	case SIM_BANK_EPC:
		return FIELD_EPC;
	case SIM_BANK_TID:
		return FIELD_TID;
	default:
		return FIELD_USER;
	}
}

/** Is the tag in the secured state: does the reader know its access password? */
static bool secured(const struct sim_tag *tag, uint32_t password)
{
	uint32_t access = (uint32_t) tag->reserved[ACCESS_PASSWORD_AT] << 16 |
			  tag->reserved[ACCESS_PASSWORD_AT + 1];

	return access == password;
}

static bool guarded(const struct sim_tag *tag, uint32_t password, enum lock_field field)
{
	uint8_t lock = tag->locks[field];

	return lock == SIM_TAG_LOCKED_EVER || (lock == SIM_TAG_LOCKED && !secured(tag, password));
}

uint8_t sim_tag_read(const struct sim_tag *tag, uint32_t password, uint8_t bank, uint16_t pointer,
		     uint16_t n_words, uint16_t *ret, uint16_t *ret_n)
{
	uint16_t size;
	const uint16_t *words = bank_words(tag, bank, &size);

	*ret_n = 0;
	if (pointer >= size || n_words > size - pointer)
		return READ_OVERRUN;
	/* Passwords are the one thing that a lock hides from reading as well. */
	if (bank == SIM_BANK_RESERVED &&
	    (guarded(tag, password, FIELD_KILL) || guarded(tag, password, FIELD_ACCESS)))
		return READ_LOCKED;
	*ret_n = n_words ? n_words : (uint16_t) (size - pointer);
	memcpy(ret, words + pointer, *ret_n * sizeof *ret);
	return 0;
}

uint8_t sim_tag_write(struct sim_tag *tag, uint32_t password, uint8_t bank, uint16_t pointer,
		      const uint16_t *words, uint16_t n, uint16_t *ret_written)
{
	uint16_t size;
	uint16_t *to = (uint16_t *) bank_words(tag, bank, &size);

	*ret_written = 0;
	if (pointer >= size || n > size - pointer)
		return WRITE_OVERRUN;
	for (uint16_t i = 0; i < n; i++) {
		if (guarded(tag, password, field_of(bank, (uint16_t) (pointer + i))))
			return WRITE_LOCKED;
		to[pointer + i] = words[i];
		++*ret_written;
	}
	return 0;
}

uint8_t sim_tag_lock(struct sim_tag *tag, uint32_t password, uint8_t field, uint8_t privilege)
{
	static const uint8_t locks[] = {SIM_TAG_LOCKED, SIM_TAG_LOCKED_EVER, SIM_TAG_UNLOCKED_EVER,
					SIM_TAG_UNLOCKED};
	uint8_t *lock;

	if (field >= SIM_TAG_LOCKS || privilege >= ARRAY_SIZE(locks) || !secured(tag, password))
		return LOCK_REFUSED;
	lock = &tag->locks[field];
	if ((*lock == SIM_TAG_LOCKED_EVER || *lock == SIM_TAG_UNLOCKED_EVER) &&
	    *lock != locks[privilege])
		return LOCK_REFUSED;
	*lock = locks[privilege];
	return 0;
}
