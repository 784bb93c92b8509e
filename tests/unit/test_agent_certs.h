/* SPDX-License-Identifier: Apache-2.0 */
/** @file A certificate authority for the agent's tests. */
#pragma once

#include "common/buf.h"
#include <gnutls/x509.h>

struct test_ca {
	gnutls_x509_privkey_t key;
	gnutls_x509_crt_t crt;
	gnutls_datum_t der;
};

void test_ca_init(struct test_ca *ca, time_t from, time_t to);
void test_ca_done(struct test_ca *ca);
/** A server certificate for `host` (name or address). */
gnutls_datum_t test_ca_server(const struct test_ca *ca, const char *host, time_t from, time_t to,
			      gnutls_x509_privkey_t *ret_key);
/** A certificate for what a request asks. */
gnutls_datum_t test_ca_sign(const struct test_ca *ca, const void *csr, size_t csr_len, time_t from,
			    time_t to);
