/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test_agent_certs.h"
#include "tests/unit/test_common.h"
#include <arpa/inet.h>
#include <string.h>

static gnutls_x509_privkey_t make_key(void)
{
	gnutls_x509_privkey_t key;

	assert_int_equal(gnutls_x509_privkey_init(&key), 0);
	assert_int_equal(
		gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA,
					     GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0),
		0);
	return key;
}

static gnutls_x509_crt_t begin(time_t from, time_t to)
{
	static unsigned char serial = 1;
	gnutls_x509_crt_t crt;

	assert_int_equal(gnutls_x509_crt_init(&crt), 0);
	assert_int_equal(gnutls_x509_crt_set_version(crt, 3), 0);
	serial++;
	assert_int_equal(gnutls_x509_crt_set_serial(crt, &serial, 1), 0);
	assert_int_equal(gnutls_x509_crt_set_activation_time(crt, from), 0);
	assert_int_equal(gnutls_x509_crt_set_expiration_time(crt, to), 0);
	return crt;
}

static gnutls_datum_t finish(gnutls_x509_crt_t crt, gnutls_x509_crt_t issuer,
			     gnutls_x509_privkey_t key)
{
	gnutls_datum_t der;

	assert_int_equal(gnutls_x509_crt_sign2(crt, issuer, key, GNUTLS_DIG_SHA256, 0), 0);
	assert_int_equal(gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_DER, &der), 0);
	return der;
}

void test_ca_init(struct test_ca *ca, time_t from, time_t to)
{
	ca->key = make_key();
	ca->crt = begin(from, to);
	gnutls_x509_crt_set_dn_by_oid(ca->crt, GNUTLS_OID_X520_COMMON_NAME, 0, "test CA", 7);
	gnutls_x509_crt_set_key(ca->crt, ca->key);
	gnutls_x509_crt_set_ca_status(ca->crt, 1);
	gnutls_x509_crt_set_key_usage(ca->crt, GNUTLS_KEY_KEY_CERT_SIGN);
	ca->der = finish(ca->crt, ca->crt, ca->key);
}

void test_ca_done(struct test_ca *ca)
{
	gnutls_free(ca->der.data);
	gnutls_x509_crt_deinit(ca->crt);
	gnutls_x509_privkey_deinit(ca->key);
}

gnutls_datum_t test_ca_server(const struct test_ca *ca, const char *host, time_t from, time_t to,
			      gnutls_x509_privkey_t *ret_key)
{
	gnutls_x509_privkey_t key = make_key();
	gnutls_x509_crt_t crt = begin(from, to);
	struct in_addr ip;

	gnutls_x509_crt_set_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, "server", 6);
	gnutls_x509_crt_set_key(crt, key);
	gnutls_x509_crt_set_key_usage(crt, GNUTLS_KEY_DIGITAL_SIGNATURE);
	gnutls_x509_crt_set_key_purpose_oid(crt, GNUTLS_KP_TLS_WWW_SERVER, 0);
	if (inet_pton(AF_INET, host, &ip) == 1)
		gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_IPADDRESS, &ip, sizeof(ip),
						     GNUTLS_FSAN_SET);
	else
		gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_DNSNAME, host,
						     (unsigned int) strlen(host), GNUTLS_FSAN_SET);

	gnutls_datum_t der = finish(crt, ca->crt, ca->key);

	gnutls_x509_crt_deinit(crt);
	if (ret_key)
		*ret_key = key;
	else
		gnutls_x509_privkey_deinit(key);
	return der;
}

gnutls_datum_t test_ca_sign(const struct test_ca *ca, const void *csr, size_t csr_len, time_t from,
			    time_t to)
{
	const gnutls_datum_t in = {(unsigned char *) csr, (unsigned int) csr_len};
	gnutls_x509_crt_t crt = begin(from, to);
	gnutls_x509_crq_t crq;

	assert_int_equal(gnutls_x509_crq_init(&crq), 0);
	assert_int_equal(gnutls_x509_crq_import(crq, &in, GNUTLS_X509_FMT_DER), 0);
	assert_int_equal(gnutls_x509_crq_verify(crq, 0), 0);
	assert_int_equal(gnutls_x509_crt_set_crq(crt, crq), 0);
	gnutls_x509_crt_set_key_purpose_oid(crt, GNUTLS_KP_TLS_WWW_CLIENT, 0);

	gnutls_datum_t der = finish(crt, ca->crt, ca->key);

	gnutls_x509_crq_deinit(crq);
	gnutls_x509_crt_deinit(crt);
	return der;
}
