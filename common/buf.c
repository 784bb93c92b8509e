/* SPDX-License-Identifier: Apache-2.0 */
#include "common/buf.h"
#include "common/err.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define FIRST_CAP 64

void buf_init(struct buf *b, size_t max)
{
	*b = (struct buf){.max = max};
}

void buf_done(struct buf *b)
{
	free(b->data);
	*b = (struct buf){.max = b->max};
}

void buf_clear(struct buf *b)
{
	b->len = 0;
	b->err = 0;
}

static bool grow(struct buf *b, size_t need)
{
	size_t cap = b->cap ? b->cap : FIRST_CAP;

	while (cap < need)
		cap *= 2;
	uint8_t *data = realloc(b->data, cap);

	if (!data) {
		b->err = -ENOMEM;
		return false;
	}
	b->data = data;
	b->cap = cap;
	return true;
}

uint8_t *buf_extend(struct buf *b, size_t n)
{
	if (b->err)
		return NULL;
	if (n > SIZE_MAX / 4 - b->len || (b->max && b->len + n > b->max)) {
		b->err = -ERR_TOO_LARGE;
		return NULL;
	}
	if ((b->len + n > b->cap || !b->data) && !grow(b, b->len + n))
		return NULL;
	b->len += n;
	return b->data + b->len - n;
}

void buf_put(struct buf *b, const void *data, size_t n)
{
	uint8_t *to = n ? buf_extend(b, n) : NULL;

	if (to)
		memcpy(to, data, n);
}

void buf_put_str(struct buf *b, const char *text)
{
	buf_put(b, text, strlen(text));
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	char *text = NULL;

	if (b->err)
		return;
	va_start(ap, fmt);
	int n = vasprintf(&text, fmt, ap);

	va_end(ap);
	if (n < 0) {
		b->err = -ENOMEM;
		return;
	}
	buf_put(b, text, (size_t) n);
	free(text);
}

void buf_consume(struct buf *b, size_t n)
{
	if (n == 0)
		return;
	memmove(b->data, b->data + n, b->len - n);
	b->len -= n;
}

char *buf_steal_str(struct buf *b)
{
	uint8_t *end = buf_extend(b, 1);

	if (!end)
		return NULL;
	*end = 0;
	char *text = (char *) b->data;

	*b = (struct buf){.max = b->max};
	return text;
}

static void put_be(struct buf *b, uint64_t v, size_t n)
{
	uint8_t *to = buf_extend(b, n);

	for (size_t i = 0; to && i < n; i++)
		to[i] = (uint8_t) (v >> (8 * (n - 1 - i)));
}

static void put_le(struct buf *b, uint64_t v, size_t n)
{
	uint8_t *to = buf_extend(b, n);

	for (size_t i = 0; to && i < n; i++)
		to[i] = (uint8_t) (v >> (8 * i));
}

void buf_put_u8(struct buf *b, uint8_t v)
{
	put_be(b, v, 1);
}

void buf_put_u16be(struct buf *b, uint16_t v)
{
	put_be(b, v, 2);
}

void buf_put_u32be(struct buf *b, uint32_t v)
{
	put_be(b, v, 4);
}

void buf_put_u64be(struct buf *b, uint64_t v)
{
	put_be(b, v, 8);
}

void buf_put_u16le(struct buf *b, uint16_t v)
{
	put_le(b, v, 2);
}

void buf_put_u32le(struct buf *b, uint32_t v)
{
	put_le(b, v, 4);
}

void buf_put_u64le(struct buf *b, uint64_t v)
{
	put_le(b, v, 8);
}

void buf_patch_u16be(struct buf *b, size_t at, uint16_t v)
{
	if (b->err || at + 2 > b->len)
		return;
	b->data[at] = (uint8_t) (v >> 8);
	b->data[at + 1] = (uint8_t) v;
}

void buf_patch_u32be(struct buf *b, size_t at, uint32_t v)
{
	if (b->err || at + 4 > b->len)
		return;
	buf_patch_u16be(b, at, (uint16_t) (v >> 16));
	buf_patch_u16be(b, at + 2, (uint16_t) v);
}
