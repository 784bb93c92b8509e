/* SPDX-License-Identifier: Apache-2.0 */
#include "common/proto_escrow.h"
#include "common/proto_impl.h"
#include <string.h>

enum {
	ESCROW_MACHINE = 2,
	ESCROW_LIST,
	ESCROW_MORE,
	ESCROW_KEYS
};

enum {
	ENTRY_ADDR,
	ENTRY_KIND,
	ENTRY_DATA,
	ENTRY_FIELDS
};

static void put_entry(struct buf *out, const struct proto_escrow_entry *e)
{
	cbor_put_map(out, ENTRY_FIELDS);
	pp_put_b(out, ENTRY_ADDR, e->addr, sizeof(e->addr));
	pp_put_u(out, ENTRY_KIND, e->kind);
	pp_put_b(out, ENTRY_DATA, e->data, e->len);
}

static void get_entry(struct cbor_reader *r, struct proto_escrow_entry *e)
{
	struct pp_pairs p = pp_open_pairs(r);
	unsigned int key;

	while (pp_next_pair(&p, &key, ENTRY_FIELDS)) {
		switch (key) {
		case ENTRY_ADDR:
			cbor_get_bytes_exact(r, e->addr, sizeof(e->addr));
			break;
		case ENTRY_KIND:
			e->kind = (uint8_t) cbor_get_uint(r, ESCROW_KIND_COUNT - 1);
			break;
		case ENTRY_DATA:
			e->len = pp_get_b(r, e->data, sizeof(e->data));
			break;
		}
	}
	pp_require(&p, KEY_BIT(ENTRY_ADDR) | KEY_BIT(ENTRY_KIND) | KEY_BIT(ENTRY_DATA));
	if (cbor_reader_ok(r) && e->kind == 0)
		cbor_reader_fail(r, -ERR_RANGE);
}

int proto_escrow_encode(const struct proto_escrow *m, struct buf *out)
{
	pp_begin(out, 3, m->caps);
	pp_put_b(out, ESCROW_MACHINE, m->machine, sizeof(m->machine));
	pp_put_array(out, ESCROW_LIST, m->n);
	for (size_t i = 0; i < m->n; i++)
		put_entry(out, &m->list[i]);
	pp_put_flag(out, ESCROW_MORE, m->more);
	return out->err;
}

int proto_escrow_decode(const void *data, size_t len, struct proto_escrow *ret, size_t *ret_at)
{
	struct cbor_reader r;
	unsigned int key;

	memset(ret, 0, sizeof(*ret));

	struct pp_pairs p = pp_open_message(&r, data, len, &ret->caps);

	while (pp_next_pair(&p, &key, ESCROW_KEYS)) {
		switch (key) {
		case ESCROW_MACHINE:
			cbor_get_bytes_exact(&r, ret->machine, sizeof(ret->machine));
			break;
		case ESCROW_LIST:
			ret->n = cbor_get_array(&r, PROTO_MAX_ESCROW);
			for (size_t i = 0; i < ret->n && cbor_reader_ok(&r); i++)
				get_entry(&r, &ret->list[i]);
			break;
		case ESCROW_MORE:
			ret->more = cbor_get_boolean(&r);
			break;
		}
	}
	pp_require(&p, KEY_BIT(ESCROW_MACHINE) | KEY_BIT(ESCROW_LIST));
	return pp_finish(&r, ret_at);
}

void proto_escrow_free(struct proto_escrow *m)
{
	if (m)
		explicit_bzero(m, sizeof(*m));
	free(m);
}
