/* SPDX-License-Identifier: Apache-2.0 */
#include "common/proto_impl.h"
#include <string.h>

/* --- enrolment -------------------------------------------------------------------------------- */

enum {
	ENROLL_CODE = 2,
	ENROLL_NAME,
	ENROLL_VERSION,
	ENROLL_CSR,
	ENROLL_KEYS
};

int proto_enroll_request_encode(const struct proto_enroll_request *m, struct buf *out)
{
	pp_begin(out, 4, m->caps);
	pp_put_t(out, ENROLL_CODE, m->code);
	pp_put_t(out, ENROLL_NAME, m->name);
	pp_put_t(out, ENROLL_VERSION, m->version);
	pp_put_b(out, ENROLL_CSR, m->csr, m->csr_len);
	return out->err;
}

int proto_enroll_request_decode(const void *data, size_t len, struct proto_enroll_request *ret,
				size_t *ret_at)
{
	struct cbor_reader r;
	unsigned int key;

	memset(ret, 0, sizeof(*ret));

	struct pp_pairs p = pp_open_message(&r, data, len, &ret->caps);

	while (pp_next_pair(&p, &key, ENROLL_KEYS)) {
		switch (key) {
		case ENROLL_CODE:
			cbor_get_text(&r, ret->code, sizeof(ret->code));
			break;
		case ENROLL_NAME:
			cbor_get_text(&r, ret->name, sizeof(ret->name));
			break;
		case ENROLL_VERSION:
			cbor_get_text(&r, ret->version, sizeof(ret->version));
			break;
		case ENROLL_CSR:
			ret->csr_len = pp_get_b(&r, ret->csr, sizeof(ret->csr));
			break;
		}
	}
	pp_require(&p, KEY_BIT(ENROLL_CSR));
	return pp_finish(&r, ret_at);
}

enum {
	ENROLLED_AGENT = 2,
	ENROLLED_NAME,
	ENROLLED_CERT,
	ENROLLED_CA,
	ENROLLED_TIME,
	ENROLLED_KEYS
};

int proto_enroll_response_encode(const struct proto_enroll_response *m, struct buf *out)
{
	pp_begin(out, 5, m->caps);
	pp_put_u(out, ENROLLED_AGENT, m->agent_id);
	pp_put_t(out, ENROLLED_NAME, m->name);
	pp_put_b(out, ENROLLED_CERT, m->cert, m->cert_len);
	pp_put_b(out, ENROLLED_CA, m->ca, m->ca_len);
	pp_put_i(out, ENROLLED_TIME, m->server_time_us);
	return out->err;
}

int proto_enroll_response_decode(const void *data, size_t len, struct proto_enroll_response *ret,
				 size_t *ret_at)
{
	struct cbor_reader r;
	unsigned int key;

	memset(ret, 0, sizeof(*ret));

	struct pp_pairs p = pp_open_message(&r, data, len, &ret->caps);

	while (pp_next_pair(&p, &key, ENROLLED_KEYS)) {
		switch (key) {
		case ENROLLED_AGENT:
			ret->agent_id = cbor_get_uint(&r, INT64_MAX);
			break;
		case ENROLLED_NAME:
			cbor_get_text(&r, ret->name, sizeof(ret->name));
			break;
		case ENROLLED_CERT:
			ret->cert_len = pp_get_b(&r, ret->cert, sizeof(ret->cert));
			break;
		case ENROLLED_CA:
			ret->ca_len = pp_get_b(&r, ret->ca, sizeof(ret->ca));
			break;
		case ENROLLED_TIME:
			ret->server_time_us = cbor_get_i64(&r);
			break;
		}
	}
	pp_require(&p, KEY_BIT(ENROLLED_AGENT) | KEY_BIT(ENROLLED_CERT) | KEY_BIT(ENROLLED_CA));
	return pp_finish(&r, ret_at);
}

enum {
	ACK_SEQ = 2,
	ACK_TIME,
	ACK_KEYS
};

int proto_ack_encode(const struct proto_ack *m, struct buf *out)
{
	pp_begin(out, 2, m->caps);
	pp_put_u(out, ACK_SEQ, m->acked);
	pp_put_i(out, ACK_TIME, m->server_time_us);
	return out->err;
}

int proto_ack_decode(const void *data, size_t len, struct proto_ack *ret, size_t *ret_at)
{
	struct cbor_reader r;
	unsigned int key;

	*ret = (struct proto_ack){0};

	struct pp_pairs p = pp_open_message(&r, data, len, &ret->caps);

	while (pp_next_pair(&p, &key, ACK_KEYS)) {
		switch (key) {
		case ACK_SEQ:
			ret->acked = cbor_get_uint(&r, INT64_MAX);
			break;
		case ACK_TIME:
			ret->server_time_us = cbor_get_i64(&r);
			break;
		}
	}
	pp_require(&p, KEY_BIT(ACK_SEQ));
	return pp_finish(&r, ret_at);
}
