/* SPDX-License-Identifier: Apache-2.0 */
#include "ap-agent/heard.h"
#include "common/cbor.h"
#include "common/err.h"
#include <stdio.h>
#include <string.h>

#define KEY       "heard"
#define MAX_BYTES (HEARD_MAX * (PROTO_NAME_MAX + 16))

void heard_put(struct heard *h, const char *name, int64_t until_us)
{
	if (h->n == HEARD_MAX || until_us == 0)
		return;
	snprintf(h->marks[h->n].name, sizeof(h->marks[h->n].name), "%s", name);
	h->marks[h->n++].until_us = until_us;
}

void heard_load(struct heard *h, struct store *store)
{
	uint8_t blob[MAX_BYTES];
	char name[PROTO_NAME_MAX];
	struct cbor_reader c;
	size_t len, n;

	*h = (struct heard){0};
	if (store_meta_get(store, KEY, blob, sizeof(blob), &len) < 0)
		return;
	cbor_reader_init(&c, blob, len);
	n = cbor_get_array(&c, HEARD_MAX);
	for (size_t i = 0; i < n && cbor_get_array(&c, 2) == 2; i++) {
		int64_t until_us;

		cbor_get_text(&c, name, sizeof(name));
		until_us = cbor_get_i64(&c);
		if (!cbor_reader_ok(&c))
			return;
		heard_put(h, name, until_us);
	}
}

int heard_save(struct heard *h, struct store *store)
{
	_cleanup_buf_ struct buf blob = BUF_INIT;
	int64_t newest = 0;
	int r;

	for (size_t i = 0; i < h->n; i++)
		newest = MAX(newest, h->marks[i].until_us);
	if (newest <= h->saved_us)
		return 0;
	cbor_put_array(&blob, h->n);
	for (size_t i = 0; i < h->n; i++) {
		cbor_put_array(&blob, 2);
		cbor_put_text(&blob, h->marks[i].name);
		cbor_put_int(&blob, h->marks[i].until_us);
	}
	r = blob.err ? blob.err : store_meta_set(store, KEY, blob.data, blob.len);
	if (r >= 0)
		h->saved_us = newest;
	return r < 0 ? r : 0;
}

int64_t heard_get(const struct heard *h, const char *name, int64_t now_us)
{
	for (size_t i = 0; i < h->n; i++)
		if (strcmp(h->marks[i].name, name) == 0)
			return h->marks[i].until_us <= now_us &&
					       h->marks[i].until_us > now_us - HEARD_MAX_AGE_US
				       ? h->marks[i].until_us
				       : 0;
	return 0;
}
