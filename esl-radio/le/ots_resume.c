/* SPDX-License-Identifier: Apache-2.0 */
#include "esl-radio/le/ots_resume.h"

#include <string.h>

#define GUESSES 6 /* units that may be on their way when a link breaks, and one */

/* --- which ones ------------------------------------------------------------------------------- */

static struct ots_partial *find(struct ots_partials *p, const uint8_t addr[6])
{
	for (size_t i = 0; i < OTS_PARTIALS; i++)
		if (p->rows[i].is.len && !memcmp(p->rows[i].addr, addr, sizeof(p->rows[i].addr)))
			return &p->rows[i].is;
	return NULL;
}

void ots_partials_put(struct ots_partials *p, const uint8_t addr[6], const struct ots_partial *is)
{
	struct ots_partial *row = find(p, addr);

	if (!row) {
		size_t i = p->next++ % OTS_PARTIALS;

		memcpy(p->rows[i].addr, addr, sizeof(p->rows[i].addr));
		row = &p->rows[i].is;
	}
	*row = *is;
}

struct ots_partial ots_partials_take(struct ots_partials *p, const uint8_t addr[6], uint8_t index,
				     const void *data, size_t len)
{
	struct ots_partial *row = find(p, addr);
	struct ots_partial is = row ? *row : (struct ots_partial){.len = 0};

	if (row)
		row->len = 0;
	if (is.index != index || is.len != len || !is.unit || is.crc != ots_checksum(data, len))
		is.len = 0;
	return is;
}

/* --- how much of it --------------------------------------------------------------------------- */

bool ots_resume_offered(const uint8_t *feature, size_t len)
{
	struct wire w;
	uint32_t features;

	wire_init(&w, feature, len);
	features = wire_get_u32le(&w);
	return wire_ok(&w) && (features & OACP_FEATURE_CHECKSUM) && (features & OACP_FEATURE_PATCH);
}

/** Tries whole units, from what was sent downwards: the last ones may not have arrived. */
static size_t guess(struct ots_resume *r, size_t at_most)
{
	size_t n = at_most - at_most % r->kept.unit;

	if (n > 0 && r->guesses++ == GUESSES)
		n = 0;
	if (n == 0)
		r->kept.len = 0;
	r->asked = n;
	return n;
}

size_t ots_resume_first(struct ots_resume *r, const uint8_t *size, size_t len)
{
	struct wire w;
	uint32_t has;

	wire_init(&w, size, len);
	has = wire_get_u32le(&w);
	if (!wire_ok(&w) || !r->kept.unit || !r->kept.len)
		has = r->kept.len = 0;
	if (!has)
		return 0;
	/* Of a picture that is there in full the last unit goes once more: writing nothing is no
	 * write. */
	return guess(r, MIN(MIN(has, r->kept.sent), r->kept.len - 1));
}

size_t ots_resume_fewer(struct ots_resume *r)
{
	return r->kept.len && r->asked ? guess(r, r->asked - 1) : 0;
}

bool ots_resume_proven(const struct ots_resume *r, const struct ots_control *c, const uint8_t *data,
		       size_t len)
{
	return c->result == OTS_SUCCESS && r->asked > 0 && r->asked <= len &&
	       c->checksum == ots_checksum(data, r->asked);
}
