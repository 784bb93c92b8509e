/* SPDX-License-Identifier: Apache-2.0 */
/** @file A fleet without sockets: join codes, enrolments and reports by injected requests. */
#pragma once

#include "tests/unit/test_controller.h"
#include "tests/unit/test_csr.h"

#include "common/err.h"
#include "controller/fleet/ca.h"
#include "controller/fleet/fleet_internal.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define P256 GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1)

static inline int setup(void **state)
{
	static struct test_controller t;

	test_controller_init(&t);
	test_controller_start_db(&t);
	test_controller_start_http(&t);
	test_controller_start_fleet(&t);
	*state = &t;
	return 0;
}

static inline int teardown(void **state)
{
	test_controller_done(*state);
	return 0;
}

static inline void expect(struct test_reply r, unsigned int status, const char *text)
{
	if (r.status != status)
		fail_msg("status %u: %s", r.status, r.body ? r.body : "");
	if (text)
		assert_non_null(strstr(r.body, text));
	test_reply_done(&r);
}

static inline void make_code(struct test_controller *t, int uses, int ttl_s, char code[128])
{
	struct test_reply r;
	json_t *body;
	char request[80];

	snprintf(request, sizeof(request), "{\"uses\":%d,\"ttl_s\":%d}", uses, ttl_s);
	r = test_json(t, "POST", "/api/v1/agents/join-codes", request, &test_admin);
	assert_int_equal(r.status, 201);
	body = json_loads(r.body, 0, NULL);
	snprintf(code, 128, "%s", json_string_value(json_object_get(body, "code")));
	json_decref(body);
	test_reply_done(&r);
}

static inline struct test_reply post_cbor(struct test_controller *t, const char *uri,
					  const struct buf *body, const struct http_who *who)
{
	const struct http_injection in = {.listener = HTTP_AGENTS,
					  .method = "POST",
					  .uri = uri,
					  .body = body->data,
					  .body_len = body->len,
					  .who = who};

	return test_request(t, &in);
}

static inline struct test_reply enroll_at(struct test_controller *t, const char *uri,
					  const char *code, const char *name,
					  const struct test_csr *csr, const struct http_who *who)
{
	static struct proto_enroll_request m;
	_cleanup_buf_ struct buf body = BUF_INIT;

	memset(&m, 0, sizeof(m));
	m.caps = PROTO_CAP_RFID;
	snprintf(m.code, sizeof(m.code), "%s", code);
	snprintf(m.name, sizeof(m.name), "%s", name);
	snprintf(m.version, sizeof(m.version), "0.1.0");
	memcpy(m.csr, csr->der, csr->len);
	m.csr_len = csr->len;
	assert_int_equal(proto_enroll_request_encode(&m, &body), 0);
	return post_cbor(t, uri, &body, who);
}

static inline struct proto_enroll_response enrolled(struct test_reply r)
{
	static struct proto_enroll_response m;

	if (r.status != 200)
		fail_msg("status %u: %s", r.status, r.body ? r.body : "");
	assert_int_equal(proto_enroll_response_decode(r.body, r.len, &m, NULL), 0);
	test_reply_done(&r);
	return m;
}

static inline struct proto_enroll_response enroll(struct test_controller *t, const char *code,
						  const char *name, const struct test_csr *csr)
{
	return enrolled(enroll_at(t, "/agent/v1/enroll", code, name, csr, NULL));
}

static inline int64_t code_uses(struct test_controller *t)
{
	struct test_reply r = test_json(t, "GET", "/api/v1/agents/join-codes", NULL, &test_admin);
	json_t *body = json_loads(r.body, 0, NULL);
	int64_t used = json_integer_value(
		json_object_get(json_array_get(json_object_get(body, "items"), 0), "used"));

	json_decref(body);
	test_reply_done(&r);
	return used;
}
