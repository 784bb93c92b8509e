/* SPDX-License-Identifier: Apache-2.0 */
/** @file Certificate requests as an agent would make them, for tests of the controller. */
#pragma once

#include "common/util.h"
#include <gnutls/x509.h>

struct test_csr {
	gnutls_x509_privkey_t key;
	uint8_t der[4096];
	size_t len;
};

/** A fresh key and a request for it; `cn` is a name that the authority must not believe. */
void test_csr_make(struct test_csr *c, gnutls_pk_algorithm_t algo, unsigned int bits,
		   const char *cn);
void test_csr_done(struct test_csr *c);
