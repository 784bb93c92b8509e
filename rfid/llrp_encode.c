/* SPDX-License-Identifier: Apache-2.0 */
#include "rfid/llrp_impl.h"

#include "common/err.h"
#include <errno.h>

static void put_array(struct buf *b, const struct llrp_value *v, unsigned int unit_bits)
{
	buf_put_u16be(b, (uint16_t) v->len);
	if (v->len)
		buf_put(b, v->data, ((size_t) v->len * unit_bits + 7) / 8);
}

static void put_field(struct buf *b, const struct llrp_field *f, const struct llrp_value *v)
{
	static const uint8_t zeros[12];

	switch ((enum llrp_field_kind) f->kind) {
	case LLRP_BITS:
		break; /* done by the caller */
	case LLRP_U8:
	case LLRP_S8:
		buf_put_u8(b, (uint8_t) v->num);
		break;
	case LLRP_U16:
	case LLRP_S16:
		buf_put_u16be(b, (uint16_t) v->num);
		break;
	case LLRP_U32:
		buf_put_u32be(b, (uint32_t) v->num);
		break;
	case LLRP_U64:
		buf_put_u64be(b, v->num);
		break;
	case LLRP_U96:
		buf_put(b, v->data ? v->data : zeros, 12);
		break;
	case LLRP_BITARRAY:
		put_array(b, v, 1);
		break;
	case LLRP_U8V:
	case LLRP_UTF8:
		put_array(b, v, 8);
		break;
	case LLRP_U16V:
		put_array(b, v, 16);
		break;
	case LLRP_U32V:
		put_array(b, v, 32);
		break;
	case LLRP_REST:
		if (v->len)
			buf_put(b, v->data, v->len);
		break;
	}
}

static void put_fields(struct buf *b, const struct llrp_elem *e)
{
	unsigned int octet = 0, left = 8;

	for (size_t i = 0; i < e->type->n_fields; i++) {
		const struct llrp_field *f = &e->type->fields[i];

		if (f->kind != LLRP_BITS) {
			put_field(b, f, &e->values[i]);
			continue;
		}
		left -= f->bits;
		octet |= (unsigned int) e->values[i].num << left;
		if (left == 0) {
			buf_put_u8(b, (uint8_t) octet);
			octet = 0;
			left = 8;
		}
	}
}

static int put_parameter(struct buf *b, const struct llrp_elem *e);

/** Sub-parameters in the table's order; those it does not place come last, as received. */
static int put_children(struct buf *b, const struct llrp_elem *e)
{
	int n_slots = e->type ? e->type->n_slots : 0;
	int r = 0;

	if (!e->first)
		return 0;
	for (int slot = 0; slot <= n_slots; slot++) {
		int want = slot < n_slots ? slot : -1;

		for (const struct llrp_elem *c = e->first; c && r == 0; c = c->next)
			if (llrp_slot_index(e->type, c->num) == want)
				r = put_parameter(b, c);
	}
	return r;
}

static int put_parameter(struct buf *b, const struct llrp_elem *e)
{
	size_t start = b->len, len;
	int r;

	if (e->num < LLRP_P_TV_LIMIT && e->type) {
		buf_put_u8(b, (uint8_t) (0x80 | e->num));
		put_fields(b, e);
		return b->err;
	}
	buf_put_u16be(b, e->num);
	buf_put_u16be(b, 0);
	if (!e->type) {
		if (e->raw_len)
			buf_put(b, e->raw, e->raw_len);
		r = 0;
	} else {
		if (e->type->vendor) {
			buf_put_u32be(b, e->type->vendor);
			buf_put_u32be(b, e->type->subtype);
		}
		put_fields(b, e);
		r = put_children(b, e);
	}
	if (r < 0 || !buf_ok(b))
		return r < 0 ? r : b->err;
	len = b->len - start;
	if (len > UINT16_MAX)
		return -ERR_TOO_LARGE;
	buf_patch_u16be(b, start + 2, (uint16_t) len);
	return 0;
}

int llrp_msg_encode(const struct llrp_msg *m, struct buf *out)
{
	size_t start = out->len, len;
	int r;

	if (m->err)
		return m->err;
	buf_put_u16be(out, (uint16_t) (m->version << 10 | m->root->num));
	buf_put_u32be(out, 0);
	buf_put_u32be(out, m->id);
	put_fields(out, m->root);
	r = put_children(out, m->root);
	if (r < 0 || !buf_ok(out))
		return r < 0 ? r : out->err;
	len = out->len - start;
	if (len > LLRP_MAX_FRAME_BYTES)
		return -ERR_TOO_LARGE;
	buf_patch_u32be(out, start + 2, (uint32_t) len);
	return 0;
}

/* --- validation ------------------------------------------------------------------------------- */

static int complain(struct llrp_diag *diag, const struct llrp_elem *in, enum llrp_status code,
		    uint16_t param)
{
	/* The codes for nested parameters stand a hundred above those for the message. */
	if (diag)
		*diag = (struct llrp_diag){
			.status = (uint16_t) (code + (in->type->message ? 0 : 100)),
			.parameter = param,
			.in = in->num,
		};
	return -ERR_BADMSG;
}

static int validate(const struct llrp_elem *e, struct llrp_diag *diag)
{
	const struct llrp_type *t = e->type;

	for (const struct llrp_elem *c = e->first; c; c = c->next) {
		int slot = llrp_slot_index(t, c->num);

		if (slot < 0 && c->num != LLRP_P_CUSTOM)
			return complain(diag, e,
					c->type ? LLRP_M_UNEXPECTED_PARAMETER
						: LLRP_M_UNKNOWN_PARAMETER,
					c->num);
		for (const struct llrp_elem *o = c->next; o && slot >= 0 && !t->slots[slot].many;
		     o = o->next)
			if (llrp_slot_index(t, o->num) == slot)
				return complain(diag, e, LLRP_M_DUPLICATE_PARAMETER, o->num);
		if (c->type && validate(c, diag) < 0)
			return -ERR_BADMSG;
	}
	for (int slot = 0; slot < t->n_slots; slot++) {
		const struct llrp_elem *c = e->first;

		if (!t->slots[slot].required)
			continue;
		while (c && llrp_slot_index(t, c->num) != slot)
			c = c->next;
		if (!c)
			return complain(diag, e, LLRP_M_MISSING_PARAMETER, t->slots[slot].types[0]);
	}
	return 0;
}

int llrp_msg_validate(const struct llrp_msg *m, struct llrp_diag *diag)
{
	if (diag)
		*diag = (struct llrp_diag){0};
	return validate(m->root, diag);
}
