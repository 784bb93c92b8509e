/* SPDX-License-Identifier: Apache-2.0 */
#include "rfid/llrp_impl.h"

#include "common/err.h"
#include <assert.h>
#include <errno.h>
#include <string.h>

#define CHUNK_BYTES 4096u

/* --- memory ----------------------------------------------------------------------------------- */

static struct llrp_chunk *chunk_new(size_t size)
{
	struct llrp_chunk *c = malloc(sizeof(*c) + size);

	if (c)
		*c = (struct llrp_chunk){.size = size};
	return c;
}

void *llrp_msg_alloc(struct llrp_msg *m, size_t n)
{
	struct llrp_chunk *c = m->chunks;
	void *p;

	n = (n + 7) & ~(size_t) 7;
	if (c->size - c->used < n) {
		c = chunk_new(MAX(n, MIN(2 * c->size, (size_t) CHUNK_BYTES * 64)));
		if (!c) {
			m->err = m->err ? m->err : -ENOMEM;
			return NULL;
		}
		c->next = m->chunks;
		m->chunks = c;
	}
	p = c->data + c->used;
	c->used += n;
	return memset(p, 0, n);
}

struct llrp_msg *llrp_msg_alloc_new(uint8_t version, uint32_t id, size_t room)
{
	struct llrp_msg *m = malloc(sizeof(*m));

	if (!m)
		return NULL;
	*m = (struct llrp_msg){.id = id, .version = version};
	m->chunks = chunk_new(MAX(room, (size_t) CHUNK_BYTES / 4));
	if (!m->chunks) {
		free(m);
		return NULL;
	}
	return m;
}

void llrp_msg_free(struct llrp_msg *m)
{
	if (!m)
		return;
	while (m->chunks) {
		struct llrp_chunk *c = m->chunks;

		m->chunks = c->next;
		free(c);
	}
	free(m);
}

struct llrp_elem *llrp_elem_new(struct llrp_msg *m, const struct llrp_type *type, uint16_t num)
{
	size_t n = type ? type->n_fields : 0;
	struct llrp_elem *e = llrp_msg_alloc(m, sizeof(*e) + n * sizeof(e->values[0]));

	if (!e)
		return NULL;
	e->type = type;
	e->num = num;
	e->msg = m;
	return e;
}

void llrp_elem_append(struct llrp_elem *parent, struct llrp_elem *child)
{
	child->parent = parent;
	if (parent->last)
		parent->last->next = child;
	else
		parent->first = child;
	parent->last = child;
}

int llrp_msg_new(uint16_t type, uint32_t id, struct llrp_msg **ret)
{
	const struct llrp_type *t = llrp_message_type(type);
	struct llrp_msg *m;

	assert(t);
	m = llrp_msg_alloc_new(LLRP_VERSION_1, id, 0);
	if (!m)
		return -ENOMEM;
	m->root = llrp_elem_new(m, t, type);
	if (!m->root) {
		llrp_msg_free(m);
		return -ENOMEM;
	}
	*ret = m;
	return 0;
}

uint16_t llrp_msg_type(const struct llrp_msg *m)
{
	return m->root->num;
}

uint32_t llrp_msg_id(const struct llrp_msg *m)
{
	return m->id;
}

uint8_t llrp_msg_version(const struct llrp_msg *m)
{
	return m->version;
}

void llrp_msg_set_version(struct llrp_msg *m, uint8_t version)
{
	m->version = version & 7;
}

struct llrp_elem *llrp_root(struct llrp_msg *m)
{
	return m->root;
}

/* --- looking ---------------------------------------------------------------------------------- */

/** Vendor and subtype of a custom parameter, known to the table or generic. */
static bool custom_ids(const struct llrp_elem *e, uint32_t *vendor, uint32_t *subtype)
{
	if (e->num != LLRP_P_CUSTOM || !e->type || e->type->message)
		return false;
	*vendor = e->type->vendor ? e->type->vendor : (uint32_t) e->values[0].num;
	*subtype = e->type->vendor ? e->type->subtype : (uint32_t) e->values[1].num;
	return true;
}

struct llrp_elem *llrp_find(const struct llrp_elem *e, uint16_t type)
{
	struct llrp_elem *c = e ? e->first : NULL;

	while (c && c->num != type)
		c = c->next;
	return c;
}

struct llrp_elem *llrp_find_custom(const struct llrp_elem *e, uint32_t vendor, uint32_t subtype)
{
	uint32_t v, s;

	for (struct llrp_elem *c = e ? e->first : NULL; c; c = c->next)
		if (custom_ids(c, &v, &s) && v == vendor && s == subtype)
			return c;
	return NULL;
}

struct llrp_elem *llrp_find_next(const struct llrp_elem *e)
{
	uint32_t v = 0, s = 0, cv, cs;
	bool custom = e && custom_ids(e, &v, &s);

	for (struct llrp_elem *c = e ? e->next : NULL; c; c = c->next) {
		if (c->num != e->num)
			continue;
		if (!custom || (custom_ids(c, &cv, &cs) && cv == v && cs == s))
			return c;
	}
	return NULL;
}

size_t llrp_count(const struct llrp_elem *e, uint16_t type)
{
	size_t n = 0;

	for (const struct llrp_elem *c = e ? e->first : NULL; c; c = c->next)
		n += c->num == type;
	return n;
}

/** NULL if there is no element, or it is an unknown one. */
static const struct llrp_value *value_of(const struct llrp_elem *e, const char *field)
{
	int i;

	if (!e || !e->type)
		return NULL;
	i = llrp_field_index(e->type, field);
	assert(i >= 0);
	return &e->values[i];
}

uint64_t llrp_get(const struct llrp_elem *e, const char *field)
{
	const struct llrp_value *v = value_of(e, field);

	return v ? v->num : 0;
}

int64_t llrp_get_signed(const struct llrp_elem *e, const char *field)
{
	return (int64_t) llrp_get(e, field);
}

const uint8_t *llrp_get_bytes(const struct llrp_elem *e, const char *field, size_t *ret_len)
{
	const struct llrp_value *v = value_of(e, field);

	*ret_len = v ? v->len : 0;
	return v && v->len ? v->data : NULL;
}

uint32_t llrp_get_at(const struct llrp_elem *e, const char *field, size_t i)
{
	const struct llrp_value *v = value_of(e, field);
	const uint8_t *p;

	if (!v || i >= v->len)
		return 0;
	switch (e->type->fields[v - e->values].kind) {
	case LLRP_U16V:
		p = v->data + 2 * i;
		return (uint32_t) (p[0] << 8 | p[1]);
	case LLRP_U32V:
		p = v->data + 4 * i;
		return (uint32_t) p[0] << 24 | (uint32_t) p[1] << 16 | (uint32_t) p[2] << 8 | p[3];
	default:
		return v->data[i];
	}
}

uint16_t llrp_msg_status(struct llrp_msg *m, char *text, size_t text_size)
{
	const struct llrp_elem *status = llrp_find(m->root, LLRP_P_LLRP_STATUS);
	size_t len, n = 0;
	const uint8_t *p;

	if (text_size)
		text[0] = '\0';
	if (!status || !status->type)
		return UINT16_MAX;
	p = llrp_get_bytes(status, "ErrorDescription", &len);
	for (size_t i = 0; i < len && n + 1 < text_size; i++)
		text[n++] = p[i] >= 0x20 && p[i] < 0x7f ? (char) p[i] : '?';
	if (text_size)
		text[n] = '\0';
	return (uint16_t) llrp_get(status, "StatusCode");
}

/* --- building --------------------------------------------------------------------------------- */

static struct llrp_elem *add(struct llrp_elem *parent, const struct llrp_type *t)
{
	struct llrp_elem *e;

	if (!parent || parent->msg->err)
		return NULL;
	e = llrp_elem_new(parent->msg, t, t->num);
	if (e)
		llrp_elem_append(parent, e);
	return e;
}

struct llrp_elem *llrp_add(struct llrp_elem *parent, uint16_t type)
{
	const struct llrp_type *t = llrp_parameter_type(type);

	assert(t);
	return add(parent, t);
}

struct llrp_elem *llrp_add_custom(struct llrp_elem *parent, uint32_t vendor, uint32_t subtype)
{
	const struct llrp_type *t = llrp_custom_type(vendor, subtype);

	assert(t);
	return add(parent, t);
}

static void fail(struct llrp_elem *e, int err)
{
	if (!e->msg->err)
		e->msg->err = err;
}

static unsigned int number_bits(const struct llrp_field *f)
{
	switch ((enum llrp_field_kind) f->kind) {
	case LLRP_BITS:
		return f->bits;
	case LLRP_U8:
	case LLRP_S8:
		return 8;
	case LLRP_U16:
	case LLRP_S16:
		return 16;
	case LLRP_U32:
		return 32;
	case LLRP_U64:
		return 64;
	default:
		return 0;
	}
}

void llrp_set(struct llrp_elem *e, const char *field, uint64_t value)
{
	const struct llrp_field *f;
	unsigned int bits;
	bool is_signed;
	int i;

	if (!e)
		return;
	i = llrp_field_index(e->type, field);
	assert(i >= 0);
	f = &e->type->fields[i];
	bits = number_bits(f);
	assert(bits);
	is_signed = f->kind == LLRP_S8 || f->kind == LLRP_S16;
	if (is_signed) {
		int64_t limit = INT64_C(1) << (bits - 1);

		if ((int64_t) value < -limit || (int64_t) value >= limit) {
			fail(e, -ERR_RANGE);
			return;
		}
	} else if (bits < 64 && value >> bits) {
		fail(e, -ERR_RANGE);
		return;
	}
	e->values[i].num = value;
}

void llrp_set_signed(struct llrp_elem *e, const char *field, int64_t value)
{
	llrp_set(e, field, (uint64_t) value);
}

/** Octets that `len` units of the kind take. */
static size_t unit_bytes(enum llrp_field_kind kind, size_t len)
{
	switch (kind) {
	case LLRP_BITARRAY:
		return (len + 7) / 8;
	case LLRP_U16V:
		return 2 * len;
	case LLRP_U32V:
		return 4 * len;
	default:
		return len;
	}
}

/** Room for a variable value; NULL after a failure. */
static uint8_t *set_room(struct llrp_elem *e, const char *field, size_t len)
{
	enum llrp_field_kind kind;
	uint8_t *to;
	int i;

	if (!e)
		return NULL;
	i = llrp_field_index(e->type, field);
	assert(i >= 0);
	kind = e->type->fields[i].kind;
	assert(kind >= LLRP_U96);
	if (len > UINT16_MAX || (kind == LLRP_U96 && len != 12)) {
		fail(e, -ERR_RANGE);
		return NULL;
	}
	to = llrp_msg_alloc(e->msg, unit_bytes(kind, len));
	if (!to)
		return NULL;
	e->values[i].data = to;
	e->values[i].len = (uint32_t) len;
	return to;
}

void llrp_set_bytes(struct llrp_elem *e, const char *field, const void *data, size_t len)
{
	uint8_t *to = set_room(e, field, len);

	if (to && len)
		memcpy(to, data,
		       unit_bytes(e->type->fields[llrp_field_index(e->type, field)].kind, len));
}

void llrp_set_text(struct llrp_elem *e, const char *field, const char *text)
{
	llrp_set_bytes(e, field, text, strlen(text));
}

void llrp_set_u16v(struct llrp_elem *e, const char *field, const uint16_t *v, size_t n)
{
	uint8_t *to = set_room(e, field, n);

	for (size_t i = 0; to && i < n; i++) {
		to[2 * i] = (uint8_t) (v[i] >> 8);
		to[2 * i + 1] = (uint8_t) v[i];
	}
}

void llrp_set_u32v(struct llrp_elem *e, const char *field, const uint32_t *v, size_t n)
{
	uint8_t *to = set_room(e, field, n);

	for (size_t i = 0; to && i < n; i++)
		for (size_t j = 0; j < 4; j++)
			to[4 * i + j] = (uint8_t) (v[i] >> (24 - 8 * j));
}

struct llrp_elem *llrp_add_status(struct llrp_elem *parent, uint16_t code, const char *text)
{
	struct llrp_elem *e = llrp_add(parent, LLRP_P_LLRP_STATUS);

	llrp_set(e, "StatusCode", code);
	llrp_set_text(e, "ErrorDescription", text ? text : "");
	return e;
}
