/* SPDX-License-Identifier: Apache-2.0 */
#include "common/wire.h"
#include "common/err.h"
#include <string.h>

void wire_init(struct wire *w, const void *data, size_t len)
{
	*w = (struct wire){.base = data, .len = len};
}

void wire_fail(struct wire *w, int err)
{
	if (w->err)
		return;
	w->err = err;
	w->at = w->pos;
}

int wire_finish(struct wire *w)
{
	if (!w->err && w->pos != w->len)
		wire_fail(w, -ERR_TRAILING);
	return w->err;
}

const uint8_t *wire_get_bytes(struct wire *w, size_t n)
{
	if (w->err)
		return NULL;
	if (n > w->len - w->pos) {
		wire_fail(w, -ERR_TRUNCATED);
		return NULL;
	}
	w->pos += n;
	return w->base + w->pos - n;
}

static uint64_t get_be(struct wire *w, size_t n)
{
	const uint8_t *p = wire_get_bytes(w, n);
	uint64_t v = 0;

	for (size_t i = 0; p && i < n; i++)
		v = v << 8 | p[i];
	return v;
}

static uint64_t get_le(struct wire *w, size_t n)
{
	const uint8_t *p = wire_get_bytes(w, n);
	uint64_t v = 0;

	for (size_t i = n; p && i > 0; i--)
		v = v << 8 | p[i - 1];
	return v;
}

uint8_t wire_get_u8(struct wire *w)
{
	return (uint8_t) get_be(w, 1);
}

uint16_t wire_get_u16be(struct wire *w)
{
	return (uint16_t) get_be(w, 2);
}

uint32_t wire_get_u32be(struct wire *w)
{
	return (uint32_t) get_be(w, 4);
}

uint64_t wire_get_u64be(struct wire *w)
{
	return get_be(w, 8);
}

uint16_t wire_get_u16le(struct wire *w)
{
	return (uint16_t) get_le(w, 2);
}

uint32_t wire_get_u32le(struct wire *w)
{
	return (uint32_t) get_le(w, 4);
}

uint64_t wire_get_u64le(struct wire *w)
{
	return get_le(w, 8);
}

void wire_copy(struct wire *w, void *to, size_t n)
{
	const uint8_t *p = wire_get_bytes(w, n);

	if (p && n)
		memcpy(to, p, n);
	else
		memset(to, 0, n);
}

void wire_skip(struct wire *w, size_t n)
{
	(void) wire_get_bytes(w, n);
}

struct wire wire_sub(struct wire *w, size_t n)
{
	const uint8_t *p = wire_get_bytes(w, n);
	struct wire sub;

	wire_init(&sub, p, p ? n : 0);
	sub.err = w->err;
	return sub;
}
