/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test_csr.h"
#include "tests/unit/test_common.h"
#include <string.h>

void test_csr_make(struct test_csr *c, gnutls_pk_algorithm_t algo, unsigned int bits,
		   const char *cn)
{
	gnutls_x509_crq_t crq;

	memset(c, 0, sizeof(*c));
	assert_int_equal(gnutls_x509_privkey_init(&c->key), 0);
	assert_int_equal(gnutls_x509_privkey_generate(c->key, algo, bits, 0), 0);
	assert_int_equal(gnutls_x509_crq_init(&crq), 0);
	assert_int_equal(gnutls_x509_crq_set_version(crq, 1), 0);
	assert_int_equal(gnutls_x509_crq_set_dn_by_oid(crq, GNUTLS_OID_X520_COMMON_NAME, 0, cn,
						       (unsigned int) strlen(cn)),
			 0);
	assert_int_equal(gnutls_x509_crq_set_key(crq, c->key), 0);
	assert_int_equal(gnutls_x509_crq_sign2(crq, c->key, GNUTLS_DIG_SHA256, 0), 0);
	c->len = sizeof(c->der);
	assert_int_equal(gnutls_x509_crq_export(crq, GNUTLS_X509_FMT_DER, c->der, &c->len), 0);
	gnutls_x509_crq_deinit(crq);
}

void test_csr_done(struct test_csr *c)
{
	gnutls_x509_privkey_deinit(c->key);
	memset(c, 0, sizeof(*c));
}
