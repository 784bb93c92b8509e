/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tag bits and URIs. What decodes obeys its scheme, and encodes to the same bits again; its URIs
 * are read back to the same identity. The input is tried as bits and as the text of a URI.
 */
#include "common/epc_scheme.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int condition)
{
	if (!condition)
		abort();
}

static bool bit(const struct epc *e, unsigned int i)
{
	return e->data[i / 8] >> (7 - i % 8) & 1;
}

static void check_same(const struct epc_id *a, const struct epc_id *b)
{
	must(strcmp(a->key, b->key) == 0 && strcmp(a->serial, b->serial) == 0);
}

static void check_uris(const struct epc_id *id)
{
	char uri[EPC_URI_SIZE];
	struct epc_id again;

	if (epc_id_uri(id, uri, sizeof(uri)) == 0) {
		must(epc_id_parse(uri, &again) == 0);
		must(again.prefix_digits == id->prefix_digits);
		check_same(id, &again);
	}
	if (epc_tag_uri(id, uri, sizeof(uri)) == 0) {
		must(epc_id_parse(uri, &again) == 0);
		must(again.scheme == id->scheme && again.filter == id->filter);
		check_same(id, &again);
	}
	if (epc_digital_link(id, uri, sizeof(uri)) == 0) {
		must(epc_id_parse(uri, &again) == 0);
		must(again.date_ai == id->date_ai && strcmp(again.date, id->date) == 0);
		check_same(id, &again);
	}
}

static void check_bits(const uint8_t *data, size_t size)
{
	struct epc e, again;
	struct epc_id id;

	if (epc_set(&e, data, MIN(size * 8, EPC_MAX_BITS)) < 0)
		return;
	(void) epc_class_str(epc_classify(&e, NULL));
	int n = epc_decode(&e, &id);

	if (n < 0)
		return;
	must(n <= e.bits && epc_id_check(&id) == 0);
	must(epc_encode(&id, &again) == n);
	for (unsigned int i = 0; i < (unsigned int) n; i++)
		must(bit(&e, i) == bit(&again, i));
	check_uris(&id);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[300];
	size_t n = MIN(size, sizeof(text) - 1);
	struct epc_id id;
	struct epc e;

	check_bits(data, size);
	if (n)
		memcpy(text, data, n);
	text[n] = 0;
	if (epc_id_parse(text, &id) == 0) {
		must(epc_id_check(&id) == 0);
		if (epc_encode(&id, &e) > 0)
			check_bits(e.data, epc_bytes(&e));
		check_uris(&id);
	}
	return 0;
}
