/* SPDX-License-Identifier: Apache-2.0 */
#include "rfid/llrp_impl.h"

#include "common/err.h"
#include "common/wire.h"
#include <errno.h>
#include <string.h>

/* An element costs about a hundred bytes and at least two on the wire; this bounds what a frame can
 * make us allocate to some six megabytes. */
#define MAX_ELEMENTS 65536u

struct decoder {
	struct llrp_msg *msg;
	const uint8_t *base;
	struct llrp_diag diag;
	unsigned int elements;
};

int llrp_header_decode(const uint8_t *data, size_t len, struct llrp_header *ret)
{
	struct wire w;
	struct llrp_header h;
	uint16_t word;

	if (len < LLRP_HEADER_BYTES)
		return -EAGAIN;
	wire_init(&w, data, len);
	word = wire_get_u16be(&w);
	h.version = (word >> 10) & 7;
	h.type = word & 0x3ff;
	h.length = wire_get_u32be(&w);
	h.id = wire_get_u32be(&w);
	if (h.version == 0 || h.length < LLRP_HEADER_BYTES)
		return -ERR_BADMSG;
	if (h.length > LLRP_MAX_FRAME_BYTES)
		return -ERR_TOO_LARGE;
	*ret = h;
	return 0;
}

/** Records the first failure and yields it. */
static int fail(struct decoder *d, const struct wire *w, int err, uint16_t status, uint16_t param,
		uint16_t in)
{
	if (!d->diag.status)
		d->diag = (struct llrp_diag){
			.at = (size_t) (w->base - d->base) + (w->err ? w->at : w->pos),
			.status = status,
			.parameter = param,
			.in = in,
		};
	return err;
}

static void get_array(struct wire *w, struct llrp_value *v, unsigned int unit_bits)
{
	v->len = wire_get_u16be(w);
	v->data = wire_get_bytes(w, ((size_t) v->len * unit_bits + 7) / 8);
}

static void get_field(struct wire *w, const struct llrp_field *f, struct llrp_value *v)
{
	switch ((enum llrp_field_kind) f->kind) {
	case LLRP_BITS:
		break; /* done by the caller */
	case LLRP_U8:
		v->num = wire_get_u8(w);
		break;
	case LLRP_U16:
		v->num = wire_get_u16be(w);
		break;
	case LLRP_U32:
		v->num = wire_get_u32be(w);
		break;
	case LLRP_U64:
		v->num = wire_get_u64be(w);
		break;
	case LLRP_S8:
		v->num = (uint64_t) (int8_t) wire_get_u8(w);
		break;
	case LLRP_S16:
		v->num = (uint64_t) (int16_t) wire_get_u16be(w);
		break;
	case LLRP_U96:
		v->len = 12;
		v->data = wire_get_bytes(w, 12);
		break;
	case LLRP_BITARRAY:
		get_array(w, v, 1);
		break;
	case LLRP_U8V:
	case LLRP_UTF8:
		get_array(w, v, 8);
		break;
	case LLRP_U16V:
		get_array(w, v, 16);
		break;
	case LLRP_U32V:
		get_array(w, v, 32);
		break;
	case LLRP_REST:
		v->len = (uint32_t) wire_left(w);
		v->data = wire_get_bytes(w, v->len);
		break;
	}
}

static void get_fields(struct wire *w, struct llrp_elem *e)
{
	const struct llrp_type *t = e->type;
	unsigned int octet = 0, left = 0;

	for (size_t i = 0; i < t->n_fields; i++) {
		const struct llrp_field *f = &t->fields[i];

		if (f->kind == LLRP_BITS) {
			if (left == 0) {
				octet = wire_get_u8(w);
				left = 8;
			}
			left -= f->bits;
			if (f->name)
				e->values[i].num = (octet >> left) & ((1u << f->bits) - 1);
		} else {
			get_field(w, f, &e->values[i]);
		}
	}
}

static int get_children(struct decoder *d, struct wire *w, struct llrp_elem *parent,
			unsigned int depth);

/** Content of a known element: fields, then sub-parameters up to the end. */
static int get_content(struct decoder *d, struct wire *w, struct llrp_elem *e, unsigned int depth)
{
	get_fields(w, e);
	if (!wire_ok(w))
		return fail(d, w, -ERR_BADMSG, LLRP_P_STATUS_FIELD_ERROR, e->num,
			    e->parent ? e->parent->num : 0);
	return get_children(d, w, e, depth);
}

/**
 * A custom parameter. If the table knows its content and the bytes agree, it becomes fields;
 * otherwise vendor, subtype and bytes are kept as they came, since vendors extend their own.
 */
static struct llrp_elem *get_custom(struct decoder *d, const struct wire *body, unsigned int depth)
{
	struct wire w = *body;
	uint32_t vendor = wire_get_u32be(&w);
	uint32_t subtype = wire_get_u32be(&w);
	const struct llrp_type *t = llrp_custom_type(vendor, subtype);
	struct llrp_diag before = d->diag;
	struct llrp_elem *e;

	if (t && wire_ok(&w)) {
		e = llrp_elem_new(d->msg, t, LLRP_P_CUSTOM);
		if (!e)
			return NULL;
		if (get_content(d, &w, e, depth) == 0)
			return e;
		d->diag = before;
		w = *body;
	}
	return llrp_elem_new(d->msg, llrp_parameter_type(LLRP_P_CUSTOM), LLRP_P_CUSTOM);
}

static int get_tlv(struct decoder *d, struct wire *w, struct llrp_elem *parent, unsigned int depth)
{
	uint16_t num = wire_get_u16be(w) & 0x3ff;
	uint16_t len = wire_get_u16be(w);
	const struct llrp_type *t;
	struct llrp_elem *e;
	struct wire body;
	int r = 0;

	if (!wire_ok(w) || len < 4 || (size_t) len - 4 > wire_left(w))
		return fail(d, w, -ERR_BADMSG, LLRP_M_PARAMETER_ERROR, num, parent->num);
	/* These numbers are for TV parameters; as a TLV they would pass for one when looked up. */
	if (num < LLRP_P_TV_LIMIT)
		return fail(d, w, -ERR_BADMSG, LLRP_M_UNKNOWN_PARAMETER, num, parent->num);
	body = wire_sub(w, (size_t) len - 4);
	t = llrp_parameter_type(num);
	if (num == LLRP_P_CUSTOM)
		e = get_custom(d, &body, depth);
	else
		e = llrp_elem_new(d->msg, t, num);
	if (!e)
		return -ENOMEM;
	e->parent = parent;
	if (!t) {
		e->raw_len = (uint16_t) (len - 4);
		e->raw = wire_get_bytes(&body, e->raw_len);
	} else if (num != LLRP_P_CUSTOM || e->type == t) {
		r = get_content(d, &body, e, depth);
	}
	if (r == 0)
		llrp_elem_append(parent, e);
	return r;
}

static int get_tv(struct decoder *d, struct wire *w, struct llrp_elem *parent)
{
	uint16_t num = wire_get_u8(w) & 0x7f;
	const struct llrp_type *t = llrp_parameter_type(num);
	struct llrp_elem *e;

	/* Without a length an unknown one hides where the next begins. */
	if (!t)
		return fail(d, w, -ERR_BADMSG, LLRP_M_UNKNOWN_PARAMETER, num, parent->num);
	e = llrp_elem_new(d->msg, t, num);
	if (!e)
		return -ENOMEM;
	get_fields(w, e);
	if (!wire_ok(w))
		return fail(d, w, -ERR_BADMSG, LLRP_P_STATUS_FIELD_ERROR, num, parent->num);
	llrp_elem_append(parent, e);
	return 0;
}

static int get_children(struct decoder *d, struct wire *w, struct llrp_elem *parent,
			unsigned int depth)
{
	int r = 0;

	while (r == 0 && wire_left(w) > 0) {
		if (depth >= LLRP_MAX_DEPTH || ++d->elements > MAX_ELEMENTS)
			return fail(d, w, -ERR_TOO_LARGE, LLRP_M_OVERFLOW_PARAMETER, 0,
				    parent->num);
		r = w->base[w->pos] & 0x80 ? get_tv(d, w, parent)
					   : get_tlv(d, w, parent, depth + 1);
	}
	return r;
}

static int decode_body(struct decoder *d, const uint8_t *frame, const struct llrp_header *h)
{
	const struct llrp_type *t = llrp_message_type(h->type);
	struct wire w;
	uint8_t *copy;

	copy = llrp_msg_alloc(d->msg, h->length);
	if (!copy)
		return -ENOMEM;
	memcpy(copy, frame, h->length);
	d->base = copy;
	wire_init(&w, copy, h->length);
	wire_skip(&w, LLRP_HEADER_BYTES);
	if (!t)
		return fail(d, &w, -ERR_VERSION, LLRP_M_UNSUPPORTED_MESSAGE, 0, h->type);
	d->msg->root = llrp_elem_new(d->msg, t, h->type);
	if (!d->msg->root)
		return -ENOMEM;
	return get_content(d, &w, d->msg->root, 0);
}

int llrp_msg_decode(const uint8_t *frame, size_t len, struct llrp_msg **ret, struct llrp_diag *diag)
{
	_cleanup_(llrp_msg_freep) struct llrp_msg *m = NULL;
	struct decoder d = {.base = frame};
	struct llrp_header h;
	int r;

	if (diag)
		*diag = (struct llrp_diag){0};
	r = llrp_header_decode(frame, len, &h);
	if (r == -EAGAIN || (r == 0 && h.length != len))
		return -ERR_BADMSG;
	if (r < 0)
		return r;
	/* Small messages fit their bytes and their elements into one chunk. */
	m = llrp_msg_alloc_new(h.version, h.id, 4 * (size_t) h.length);
	if (!m)
		return -ENOMEM;
	d.msg = m;
	r = decode_body(&d, frame, &h);
	if (r < 0) {
		if (diag)
			*diag = d.diag;
		return r;
	}
	*ret = TAKE_PTR(m);
	return 0;
}
