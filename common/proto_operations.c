/* SPDX-License-Identifier: Apache-2.0 */
#include "common/proto_operations.h"
#include "common/proto_impl.h"
#include <string.h>

enum {
	OP_ID,
	OP_KIND,
	OP_READER,
	OP_ANTENNA,
	OP_TAG_BITS,
	OP_TAG,
	OP_BANK,
	OP_POINTER,
	OP_WORDS,
	OP_EPC_BITS,
	OP_EPC,
	OP_FIELD,
	OP_HOW,
	OP_PASSWORD,
	OP_UNTIL,
	OP_FIELDS
};

enum {
	RESULT_ID,
	RESULT_STATE,
	RESULT_AT,
	RESULT_TAG_BITS,
	RESULT_TAG,
	RESULT_ANTENNA,
	RESULT_WORDS,
	RESULT_TEXT,
	RESULT_FIELDS
};

enum {
	RESULTS_LIST = 2,
	RESULTS_KEYS
};

static void put_epc(struct buf *out, unsigned int key, const struct epc *e)
{
	pp_put_u(out, key, e->bits);
	pp_put_b(out, key + 1, e->data, epc_bytes(e));
}

/** The bits come before the octets: ours are encoded in the order of their keys. */
static void get_epc_octets(struct cbor_reader *r, struct epc *e)
{
	struct epc got = {.bits = e->bits};

	cbor_get_bytes_exact(r, got.data, epc_bytes(&got));
	if (cbor_reader_ok(r) && epc_set(e, got.data, got.bits) < 0)
		cbor_reader_fail(r, -ERR_RANGE);
}

/* --- an operation ------------------------------------------------------------------------------
 */

void pp_put_operation(struct buf *out, const struct proto_operation *m, bool secret)
{
	cbor_put_map(out, OP_FIELDS);
	pp_put_u(out, OP_ID, m->id);
	pp_put_u(out, OP_KIND, m->kind);
	pp_put_t(out, OP_READER, m->reader);
	pp_put_u(out, OP_ANTENNA, m->antenna);
	put_epc(out, OP_TAG_BITS, &m->tag);
	pp_put_u(out, OP_BANK, m->bank);
	pp_put_u(out, OP_POINTER, m->pointer);
	pp_put_u(out, OP_WORDS, m->n_words);
	put_epc(out, OP_EPC_BITS, &m->epc);
	pp_put_u(out, OP_FIELD, m->field);
	pp_put_u(out, OP_HOW, m->how);
	pp_put_u(out, OP_PASSWORD, secret ? m->password : 0);
	pp_put_i(out, OP_UNTIL, m->until_us);
}

static void get_operation_numbers(struct cbor_reader *r, unsigned int key,
				  struct proto_operation *m)
{
	switch (key) {
	case OP_ID:
		m->id = cbor_get_uint(r, INT64_MAX);
		break;
	case OP_KIND:
		m->kind = (uint8_t) cbor_get_uint(r, UINT8_MAX);
		break;
	case OP_ANTENNA:
		m->antenna = (uint16_t) cbor_get_uint(r, UINT16_MAX);
		break;
	case OP_BANK:
		m->bank = (uint8_t) cbor_get_uint(r, 3);
		break;
	case OP_POINTER:
		m->pointer = (uint16_t) cbor_get_uint(r, UINT16_MAX);
		break;
	case OP_WORDS:
		m->n_words = (uint16_t) cbor_get_uint(r, PROTO_MAX_OPERATION_WORDS);
		break;
	case OP_FIELD:
		m->field = (uint8_t) cbor_get_uint(r, 4);
		break;
	case OP_HOW:
		m->how = (uint8_t) cbor_get_uint(r, 3);
		break;
	case OP_PASSWORD:
		m->password = (uint32_t) cbor_get_uint(r, UINT32_MAX);
		break;
	case OP_UNTIL:
		m->until_us = cbor_get_i64(r);
		break;
	}
}

void pp_get_operation(struct cbor_reader *r, struct proto_operation *m)
{
	struct pp_pairs p = pp_open_pairs(r);
	unsigned int key;

	memset(m, 0, sizeof(*m));
	while (pp_next_pair(&p, &key, OP_FIELDS)) {
		switch (key) {
		case OP_READER:
			cbor_get_text(r, m->reader, sizeof(m->reader));
			break;
		case OP_TAG_BITS:
			m->tag.bits = (uint16_t) cbor_get_uint(r, EPC_MAX_BITS);
			break;
		case OP_TAG:
			get_epc_octets(r, &m->tag);
			break;
		case OP_EPC_BITS:
			m->epc.bits = (uint16_t) cbor_get_uint(r, EPC_MAX_BITS);
			break;
		case OP_EPC:
			get_epc_octets(r, &m->epc);
			break;
		default:
			get_operation_numbers(r, key, m);
			break;
		}
	}
	pp_require(&p, KEY_BIT(OP_ID) | KEY_BIT(OP_KIND) | KEY_BIT(OP_READER) | KEY_BIT(OP_TAG) |
			       KEY_BIT(OP_EPC));
}

int proto_operation_encode(const struct proto_operation *m, struct buf *out)
{
	pp_put_operation(out, m, false);
	return out->err;
}

int proto_operation_decode(const void *data, size_t len, struct proto_operation *ret)
{
	struct cbor_reader r;

	cbor_reader_init(&r, data, len);
	pp_get_operation(&r, ret);
	return pp_finish(&r, NULL);
}

/* --- a result ----------------------------------------------------------------------------------
 */

static void put_result(struct buf *out, const struct proto_operation_result *m)
{
	cbor_put_map(out, RESULT_FIELDS);
	pp_put_u(out, RESULT_ID, m->id);
	pp_put_u(out, RESULT_STATE, m->state);
	pp_put_i(out, RESULT_AT, m->at_us);
	put_epc(out, RESULT_TAG_BITS, &m->tag);
	pp_put_u(out, RESULT_ANTENNA, m->antenna);
	pp_put_array(out, RESULT_WORDS, m->n_words);
	for (size_t i = 0; i < m->n_words; i++)
		cbor_put_uint(out, m->words[i]);
	pp_put_t(out, RESULT_TEXT, m->text);
}

static void get_result(struct cbor_reader *r, struct proto_operation_result *m)
{
	struct pp_pairs p = pp_open_pairs(r);
	unsigned int key;

	memset(m, 0, sizeof(*m));
	while (pp_next_pair(&p, &key, RESULT_FIELDS)) {
		switch (key) {
		case RESULT_ID:
			m->id = cbor_get_uint(r, INT64_MAX);
			break;
		case RESULT_STATE:
			m->state = (uint8_t) cbor_get_uint(r, OPERATION_STATE_COUNT - 1);
			break;
		case RESULT_AT:
			m->at_us = cbor_get_i64(r);
			break;
		case RESULT_TAG_BITS:
			m->tag.bits = (uint16_t) cbor_get_uint(r, EPC_MAX_BITS);
			break;
		case RESULT_TAG:
			get_epc_octets(r, &m->tag);
			break;
		case RESULT_ANTENNA:
			m->antenna = (uint16_t) cbor_get_uint(r, UINT16_MAX);
			break;
		case RESULT_WORDS:
			m->n_words = cbor_get_array(r, PROTO_MAX_OPERATION_WORDS);
			for (size_t i = 0; i < m->n_words && cbor_reader_ok(r); i++)
				m->words[i] = (uint16_t) cbor_get_uint(r, UINT16_MAX);
			break;
		case RESULT_TEXT:
			cbor_get_text(r, m->text, sizeof(m->text));
			break;
		}
	}
	pp_require(&p, KEY_BIT(RESULT_ID) | KEY_BIT(RESULT_STATE) | KEY_BIT(RESULT_TAG));
	if (cbor_reader_ok(r) && m->state == 0)
		cbor_reader_fail(r, -ERR_RANGE);
}

int proto_operation_result_encode(const struct proto_operation_result *m, struct buf *out)
{
	put_result(out, m);
	return out->err;
}

int proto_operation_result_decode(const void *data, size_t len, struct proto_operation_result *ret)
{
	struct cbor_reader r;

	cbor_reader_init(&r, data, len);
	get_result(&r, ret);
	return pp_finish(&r, NULL);
}

int proto_operation_results_encode(const struct proto_operation_results *m, struct buf *out)
{
	pp_begin(out, 1, m->caps);
	pp_put_array(out, RESULTS_LIST, m->n);
	for (size_t i = 0; i < m->n; i++)
		put_result(out, &m->list[i]);
	return out->err;
}

int proto_operation_results_decode(const void *data, size_t len,
				   struct proto_operation_results *ret, size_t *ret_at)
{
	struct cbor_reader r;
	unsigned int key;

	memset(ret, 0, sizeof(*ret));

	struct pp_pairs p = pp_open_message(&r, data, len, &ret->caps);

	while (pp_next_pair(&p, &key, RESULTS_KEYS)) {
		switch (key) {
		case RESULTS_LIST:
			ret->n = cbor_get_array(&r, PROTO_MAX_OPERATIONS);
			for (size_t i = 0; i < ret->n && cbor_reader_ok(&r); i++)
				get_result(&r, &ret->list[i]);
			break;
		}
	}
	pp_require(&p, KEY_BIT(RESULTS_LIST));
	return pp_finish(&r, ret_at);
}
