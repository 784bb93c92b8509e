/* SPDX-License-Identifier: Apache-2.0 */
#include "esl-radio/le/le_bonds.h"

#include "common/err.h"
#include <errno.h>
#include <string.h>

#define BONDS_MAX    32768u
/* 1 did not say who we were, which was our public address; 2 remembered nothing of the label */
#define BOND_VERSION 3

/** Where that address is, or would be. */
static size_t place_of(const struct le_bonds *t, const uint8_t *addr)
{
	size_t low = 0, high = t->n;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (memcmp(t->row[mid].addr, addr, ESL_ADDR_BYTES) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

struct le_bond *le_bonds_find(const struct le_bonds *t, const uint8_t *addr)
{
	size_t i = place_of(t, addr);

	return i < t->n && memcmp(t->row[i].addr, addr, ESL_ADDR_BYTES) == 0 ? &t->row[i] : NULL;
}

/** Room for one more. Nothing of a key is left behind where they lay. */
static int more(struct le_bonds *t)
{
	size_t cap = t->cap + MAX(t->cap / 16, (size_t) 16);
	struct le_bond *row;

	if (t->n < t->cap)
		return 0;
	if (t->n >= BONDS_MAX)
		return -ENOSPC;
	row = calloc(cap, sizeof(*row));
	if (!row)
		return -ENOMEM;
	if (t->row) {
		memcpy(row, t->row, t->n * sizeof(*row));
		explicit_bzero(t->row, t->n * sizeof(*row));
	}
	free(t->row);
	t->row = row;
	t->cap = cap;
	return 0;
}

int le_bonds_keep(struct le_bonds *t, const uint8_t *addr, const struct esl_bond *is)
{
	struct le_bond *b = le_bonds_find(t, addr);

	if (!b) {
		int r = more(t);
		size_t i = place_of(t, addr);

		if (r < 0)
			return r;
		b = &t->row[i];
		memmove(b + 1, b, (t->n - i) * sizeof(*b));
		memcpy(b->addr, addr, ESL_ADDR_BYTES);
		b->kind = ESL_NO_KIND;
		t->n++;
	}
	b->is = *is;
	return 0;
}

void le_bonds_drop(struct le_bonds *t, struct le_bond *b)
{
	size_t behind = (size_t) (t->row + t->n - (b + 1));

	esl_kinds_leave(&t->kinds, b->kind);
	memmove(b, b + 1, behind * sizeof(*b));
	explicit_bzero(&t->row[--t->n], sizeof(*b));
}

bool le_bonds_remember(struct le_bonds *t, struct le_bond *b, const struct esl_kind *kind)
{
	_cleanup_buf_ struct buf data = BUF_INIT;
	uint16_t was = b->kind;

	if (kind->known)
		esl_kind_put(&data, kind);
	b->kind = data.len > 0 && buf_ok(&data) ? esl_kinds_take(&t->kinds, data.data, data.len)
						: ESL_NO_KIND;
	esl_kinds_leave(&t->kinds, was);
	return b->kind != was;
}

bool le_bonds_recall(const struct le_bonds *t, const struct le_bond *b, struct esl_kind *ret)
{
	const struct esl_kind_row *row = esl_kinds_at(&t->kinds, b->kind);

	return row && esl_kind_get(row->data, row->len, ret) == 0;
}

void le_bonds_done(struct le_bonds *t)
{
	if (t->row)
		explicit_bzero(t->row, t->n * sizeof(*t->row));
	free(t->row);
	t->row = NULL;
	t->n = t->cap = 0;
	esl_kinds_done(&t->kinds);
}

/* --- as they are stored ----------------------------------------------------------------------- */

void le_bonds_put(const struct le_bonds *t, const struct le_bond *b, struct buf *out)
{
	const struct esl_kind_row *kind = esl_kinds_at(&t->kinds, b->kind);

	buf_put_u8(out, BOND_VERSION);
	buf_put_u8(out, b->is.addr_type);
	buf_put_u8(out, b->is.own_type);
	buf_put(out, b->is.ltk, LE_KEY_BYTES);
	buf_put(out, b->is.own, ESL_ADDR_BYTES);
	if (kind)
		buf_put(out, kind->data, kind->len);
}

static int read_bond(struct wire *w, struct esl_bond *ret)
{
	uint8_t version = wire_get_u8(w);

	if (version < 1 || version > BOND_VERSION)
		return -ERR_VERSION;
	*ret = (struct esl_bond){.known = true};
	ret->addr_type = wire_get_u8(w);
	if (version >= 2)
		ret->own_type = wire_get_u8(w);
	wire_copy(w, ret->ltk, LE_KEY_BYTES);
	if (version >= 2)
		wire_copy(w, ret->own, ESL_ADDR_BYTES);
	if (version < 3 && wire_left(w) > 0)
		return -ERR_BADMSG;
	return !wire_ok(w) || ret->addr_type > 1 || ret->own_type > 1 ? -ERR_BADMSG : 0;
}

int le_bonds_get(struct le_bonds *t, const uint8_t *addr, struct wire *w)
{
	const uint8_t *rest;
	struct esl_bond is;
	struct esl_kind kind;
	size_t len;
	int r = read_bond(w, &is);

	if (r == 0)
		r = le_bonds_keep(t, addr, &is);
	explicit_bzero(&is, sizeof(is));
	if (r < 0)
		return r;
	/* What is remembered and cannot be read costs the label's next visit some questions. */
	len = wire_left(w);
	rest = wire_get_bytes(w, len);
	if (len == 0 || esl_kind_get(rest, len, &kind) < 0)
		kind.known = false;
	(void) le_bonds_remember(t, le_bonds_find(t, addr), &kind);
	return 0;
}
