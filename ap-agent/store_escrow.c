/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Of which blobs the controller does not have the present form. The note is made in the transaction
 * that changes the blob, and goes when the controller has said that the same form is durable there,
 * so that whoever dies between any two steps tells it once more.
 */
#include "ap-agent/store_impl.h"
#include "common/err.h"
#include "common/fault.h"
#include "common/hex.h"
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define BOND     "bond:"
#define BOND_LEN (sizeof(BOND) - 1)
#define HEX_LEN  (2 * LABEL_ADDR_BYTES)

static bool all_of_case(const char *hex, int (*wrong)(int))
{
	for (; *hex; hex++)
		if (wrong((unsigned char) *hex))
			return false;
	return true;
}

bool store_escrow_name(const char *key, uint8_t ret_addr[LABEL_ADDR_BYTES], uint8_t *ret_kind)
{
	bool bond = strncmp(key, BOND, BOND_LEN) == 0;
	const char *hex = bond ? key + BOND_LEN : key;

	if (strlen(hex) != HEX_LEN || !all_of_case(hex, bond ? isupper : islower) ||
	    hex_decode(hex, ret_addr, LABEL_ADDR_BYTES) < 0)
		return false;
	*ret_kind = bond ? ESCROW_BOND : ESCROW_LABEL;
	return true;
}

void store_escrow_key(const uint8_t addr[LABEL_ADDR_BYTES], uint8_t kind,
		      char ret_key[STORE_NAME_MAX])
{
	char hex[HEX_LEN + 1];

	(void) hex_encode(addr, LABEL_ADDR_BYTES, hex);
	for (char *p = hex; kind != ESCROW_BOND && *p; p++)
		*p = (char) toupper((unsigned char) *p);
	snprintf(ret_key, STORE_NAME_MAX, "%s%s", kind == ESCROW_BOND ? BOND : "", hex);
}

uint32_t store_escrow_owed(const struct store *s)
{
	return s->owed;
}

int store_escrow_bonds_owed(struct store *s, uint32_t *ret)
{
	struct sql_stmt *q;
	int r;

	if (s->owed == 0) {
		*ret = 0;
		return 0;
	}
	/* ';' comes after ':'. A bond that was forgotten leaves nobody to pair. */
	q = sql_prepare(s->sql, "SELECT count(*) FROM owed JOIN blob USING(key)"
				" WHERE owed.key >= 'bond:' AND owed.key < 'bond;'");
	r = sql_step(q);
	if (r > 0)
		*ret = (uint32_t) sql_col_i64(q, 0);
	sql_reset(q);
	return r < 0 ? r : 0;
}

int store_escrow_recount(struct store *s)
{
	struct sql_stmt *q = sql_prepare(s->sql, "SELECT count(*) FROM owed");
	int r = sql_step(q);

	if (r > 0)
		s->owed = (uint32_t) sql_col_i64(q, 0);
	sql_reset(q);
	return r < 0 ? r : 0;
}

int store_escrow_owe(struct store *s, const char *key)
{
	uint8_t addr[LABEL_ADDR_BYTES], kind;
	struct sql_stmt *q;
	int r;

	if (!store_escrow_name(key, addr, &kind))
		return 0;
	q = sql_prepare(s->sql, "UPDATE owed SET rev = rev + 1 WHERE key = ?1");
	sql_bind_text(q, 1, key);
	r = sql_run(q);
	if (r < 0 || sql_changes(s->sql) > 0)
		return r;
	q = sql_prepare(s->sql, "INSERT INTO owed VALUES(?1, 1)");
	sql_bind_text(q, 1, key);
	r = sql_run(q);
	if (r >= 0)
		s->owed++;
	return r;
}

/** What the blob holds now; nothing where it is gone, or cannot be opened. */
static int read_blob(struct store *s, const char *key, struct proto_escrow_entry *e)
{
	struct sql_stmt *q = sql_prepare(s->sql, "SELECT data FROM blob WHERE key = ?1");
	_cleanup_buf_ struct buf plain = BUF_INIT;
	int r;

	sql_bind_text(q, 1, key);
	r = sql_step(q);
	if (r > 0) {
		size_t len;
		const void *data = sql_col_blob(q, 0, &len);

		r = seal_get(s->seal, key, data, len, &plain);
		if (r == 0 && plain.len > sizeof(e->data))
			r = -ERR_TOO_LARGE;
		e->len = r == 0 ? plain.len : 0;
		if (e->len)
			memcpy(e->data, plain.data, e->len);
		if (plain.data)
			explicit_bzero(plain.data, plain.len);
	}
	sql_reset(q);
	return r;
}

/** What cannot be read here must not take the place of what the controller has. */
static int let_go(struct store *s, const char *key)
{
	struct sql_stmt *q = sql_prepare(s->sql, "DELETE FROM owed WHERE key = ?1");
	int r;

	sql_bind_text(q, 1, key);
	r = sql_run(q);
	return r < 0 ? r : store_escrow_recount(s);
}

int store_escrow_read(struct store *s, struct proto_escrow *ret, uint64_t revs[PROTO_MAX_ESCROW])
{
	char keys[PROTO_MAX_ESCROW][STORE_NAME_MAX];
	struct sql_stmt *q = sql_prepare(s->sql, "SELECT key, rev FROM owed"
						 " ORDER BY key < 'bond:', key LIMIT ?1");
	size_t n = 0, len;
	int r;

	sql_bind_i64(q, 1, PROTO_MAX_ESCROW);
	while ((r = sql_step(q)) > 0) {
		snprintf(keys[n], STORE_NAME_MAX, "%s", sql_col_text(q, 0));
		revs[n++] = (uint64_t) sql_col_i64(q, 1);
	}
	sql_reset(q);
	memset(ret, 0, sizeof(*ret));
	if (r >= 0)
		r = store_meta_get(s, "journal_id", ret->machine, sizeof(ret->machine), &len);
	for (size_t i = 0; r >= 0 && i < n; i++) {
		struct proto_escrow_entry *e = &ret->list[ret->n];

		if (!store_escrow_name(keys[i], e->addr, &e->kind))
			continue;
		r = read_blob(s, keys[i], e);
		if (r == -ERR_CRYPTO || r == -ERR_TOO_LARGE || r == -ERR_VERSION)
			r = let_go(s, keys[i]);
		else
			revs[ret->n++] = revs[i];
	}
	return r < 0 ? r : 0;
}

int store_escrow_told(struct store *s, const struct proto_escrow *m,
		      const uint64_t revs[PROTO_MAX_ESCROW])
{
	char key[STORE_NAME_MAX];
	uint32_t gone = 0;
	int r = sql_begin(s->sql);

	if (r < 0)
		return r;
	for (size_t i = 0; r >= 0 && i < m->n; i++) {
		struct sql_stmt *q =
			sql_prepare(s->sql, "DELETE FROM owed WHERE key = ?1 AND rev = ?2");

		store_escrow_key(m->list[i].addr, m->list[i].kind, key);
		sql_bind_text(q, 1, key);
		sql_bind_i64(q, 2, (int64_t) revs[i]);
		r = sql_run(q);
		gone += r >= 0 && sql_changes(s->sql) > 0;
	}
	FAULT_POINT("agent.escrow.before_mark");
	if (r >= 0)
		r = sql_commit(s->sql);
	if (r < 0) {
		sql_rollback(s->sql);
		return r;
	}
	FAULT_POINT("agent.escrow.after_mark");
	s->owed -= MIN(gone, s->owed);
	return 0;
}

int store_escrow_again(struct store *s)
{
	int r = sql_exec(s->sql, "INSERT INTO owed SELECT key, 1 FROM blob WHERE " STORE_ESCROWED
				 " ON CONFLICT(key) DO UPDATE SET rev = rev + 1");

	return r < 0 ? r : store_escrow_recount(s);
}
