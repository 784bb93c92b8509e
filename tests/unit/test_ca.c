/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test_controller.h"
#include "tests/unit/test_csr.h"

#include "common/err.h"
#include "common/file.h"
#include "controller/fleet/ca.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NOW  (INT64_C(1795000000) * US_PER_SEC)
#define DAY  (86400 * US_PER_SEC)
#define P256 GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1)

struct fixture {
	struct test_controller t;
	char dir[96];
	struct ca *ca;
};

static int setup(void **state)
{
	static struct fixture f;

	test_controller_init(&f.t);
	snprintf(f.dir, sizeof(f.dir), "%s/ca", f.t.dir);
	assert_int_equal(ca_open(f.dir, "Shop", NOW, &f.ca), 0);
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	ca_free(f->ca);
	test_controller_done(&f->t);
	return 0;
}

static void path_of(const struct fixture *f, const char *name, char path[160])
{
	snprintf(path, 160, "%s/%s", f->dir, name);
}

static void reopen(struct fixture *f, int expect)
{
	ca_free(f->ca);
	f->ca = NULL;
	assert_int_equal(ca_open(f->dir, "Shop", NOW, &f->ca), expect);
}

/* --- the authority's own files ------------------------------------------------------------- */

static void the_key_is_private_and_survives_reopening(void **state)
{
	struct fixture *f = *state;
	uint8_t before[CA_FINGERPRINT_BYTES];
	struct stat st;
	char path[160];

	memcpy(before, ca_fingerprint(f->ca), sizeof(before));
	path_of(f, "ca.key", path);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	reopen(f, 0);
	assert_memory_equal(before, ca_fingerprint(f->ca), sizeof(before));
}

static void a_crash_between_key_and_certificate_is_finished_later(void **state)
{
	struct fixture *f = *state;
	struct ca_cert cert;
	struct test_csr csr;
	char path[160];

	path_of(f, "ca.pem", path);
	assert_int_equal(unlink(path), 0);
	reopen(f, 0);
	test_csr_make(&csr, GNUTLS_PK_ECDSA, P256, "x");
	assert_int_equal(ca_sign_agent(f->ca, csr.der, csr.len, 1, NOW, &cert), 0);
	test_csr_done(&csr);
}

static void a_lost_or_foreign_key_is_not_replaced(void **state)
{
	struct fixture *f = *state;
	gnutls_x509_privkey_t other;
	uint8_t pem[1024];
	size_t len = sizeof(pem);
	char path[160];

	path_of(f, "ca.key", path);
	assert_int_equal(gnutls_x509_privkey_init(&other), 0);
	assert_int_equal(gnutls_x509_privkey_generate(other, GNUTLS_PK_ECDSA, P256, 0), 0);
	assert_int_equal(gnutls_x509_privkey_export(other, GNUTLS_X509_FMT_PEM, pem, &len), 0);
	gnutls_x509_privkey_deinit(other);
	assert_int_equal(file_write_durable(path, pem, len, 0600), 0);
	reopen(f, -ERR_CORRUPT);
	assert_int_equal(file_write_durable(path, "garbage", 7, 0600), 0);
	reopen(f, -ERR_CORRUPT);
	assert_int_equal(unlink(path), 0);
	reopen(f, -ERR_CORRUPT);
	assert_int_equal(access(path, F_OK), -1);
}

/* --- the listeners' pair ------------------------------------------------------------------- */

static gnutls_x509_crt_t first_of_chain(const char *chain, gnutls_x509_crt_t *ret_ca)
{
	gnutls_datum_t pem = {(unsigned char *) (uintptr_t) chain, (unsigned int) strlen(chain)};
	gnutls_x509_crt_t list[4];
	unsigned int n = 4;

	assert_int_equal(gnutls_x509_crt_list_import(list, &n, &pem, GNUTLS_X509_FMT_PEM, 0), 2);
	*ret_ca = list[1];
	return list[0];
}

static void the_server_chain_verifies_and_names_every_address(void **state)
{
	static const char *const good[] = {"localhost", "shop.example", "127.0.0.1"};
	struct fixture *f = *state;
	gnutls_x509_crt_t server, ca;
	unsigned int status;
	char *chain = NULL, *key = NULL;
	bool made = false;

	assert_int_equal(ca_server_pair(f->ca, "shop.example, 192.0.2.7,,shop.example", NOW, &chain,
					&key, &made),
			 0);
	assert_true(made);
	server = first_of_chain(chain, &ca);
	assert_int_equal(
		gnutls_x509_crt_verify(server, &ca, 1, GNUTLS_VERIFY_DISABLE_TIME_CHECKS, &status),
		0);
	assert_int_equal(status, 0);
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		assert_true(gnutls_x509_crt_check_hostname(server, good[i]));
	assert_true(gnutls_x509_crt_check_ip(server, (const uint8_t *) "\xc0\x00\x02\x07", 4, 0));
	assert_false(gnutls_x509_crt_check_hostname(server, "other.example"));
	gnutls_x509_crt_deinit(server);
	gnutls_x509_crt_deinit(ca);
	free(chain);
	free(key);
}

static void pair(struct fixture *f, const char *names, int64_t now, bool expect_made)
{
	char *chain = NULL, *key = NULL;
	bool made = false;

	assert_int_equal(ca_server_pair(f->ca, names, now, &chain, &key, &made), 0);
	assert_int_equal(made, expect_made);
	free(chain);
	free(key);
}

static void a_good_pair_is_kept_and_an_old_or_wrong_one_replaced(void **state)
{
	struct fixture *f = *state;
	char path[160];

	pair(f, "a.example", NOW, true);
	pair(f, "a.example", NOW + 100 * DAY, false);
	pair(f, "a.example,b.example", NOW, true);
	pair(f, "a.example,b.example", NOW + 340 * DAY, true);
	path_of(f, "server.key", path);
	assert_int_equal(unlink(path), 0);
	pair(f, "a.example,b.example", NOW + 340 * DAY, true);
	path_of(f, "server.pem", path);
	assert_int_equal(file_write_durable(path, "-----BEGIN", 10, 0644), 0);
	pair(f, "a.example,b.example", NOW + 340 * DAY, true);
}

static void odd_names_are_a_configuration_error(void **state)
{
	struct fixture *f = *state;
	char *chain = NULL, *key = NULL;
	bool made;

	assert_int_equal(ca_server_pair(f->ca, "a b", NOW, &chain, &key, &made), -ERR_CONFIG);
	assert_int_equal(ca_server_pair(f->ca, "x\ny", NOW, &chain, &key, &made), -ERR_CONFIG);
}

/* --- agents -------------------------------------------------------------------------------- */

static void an_agents_certificate_verifies_until_it_expires(void **state)
{
	struct fixture *f = *state;
	uint8_t fingerprint[CA_FINGERPRINT_BYTES];
	gnutls_x509_crt_t crt;
	gnutls_datum_t der;
	struct test_csr csr;
	struct ca_cert cert;
	int64_t not_after;
	char cn[64];
	size_t len = sizeof(cn);

	test_csr_make(&csr, GNUTLS_PK_ECDSA, P256, "agent-1");
	assert_int_equal(ca_sign_agent(f->ca, csr.der, csr.len, 42, NOW, &cert), 0);
	assert_int_equal(ca_verify_client(f->ca, cert.der, cert.len, NOW, fingerprint, &not_after),
			 0);
	assert_memory_equal(fingerprint, cert.fingerprint, sizeof(fingerprint));
	assert_int_equal(not_after, cert.not_after_us);
	assert_int_equal(not_after, NOW + CA_AGENT_DAYS * DAY);
	assert_int_equal(ca_verify_client(f->ca, cert.der, cert.len,
					  NOW + (CA_AGENT_DAYS + 1) * DAY, fingerprint, &not_after),
			 -ERR_EXPIRED);
	/* The name is ours, not the request's. */
	der.data = cert.der;
	der.size = (unsigned int) cert.len;
	assert_int_equal(gnutls_x509_crt_init(&crt), 0);
	assert_int_equal(gnutls_x509_crt_import(crt, &der, GNUTLS_X509_FMT_DER), 0);
	assert_int_equal(
		gnutls_x509_crt_get_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, 0, cn, &len), 0);
	assert_string_equal(cn, "agent-42");
	gnutls_x509_crt_deinit(crt);
	test_csr_done(&csr);
}

static void another_authoritys_certificate_is_unknown(void **state)
{
	struct fixture *f = *state;
	struct ca *other = NULL;
	uint8_t fingerprint[CA_FINGERPRINT_BYTES];
	struct test_csr csr;
	struct ca_cert cert;
	int64_t not_after;
	char dir[128];

	snprintf(dir, sizeof(dir), "%s/other-ca", f->t.dir);
	assert_int_equal(ca_open(dir, "Shop", NOW, &other), 0);
	test_csr_make(&csr, GNUTLS_PK_ECDSA, P256, "x");
	assert_int_equal(ca_sign_agent(other, csr.der, csr.len, 1, NOW, &cert), 0);
	assert_int_equal(ca_verify_client(f->ca, cert.der, cert.len, NOW, fingerprint, &not_after),
			 -ERR_AUTH);
	cert.der[cert.len / 2] ^= 1;
	assert_int_equal(ca_verify_client(other, cert.der, cert.len, NOW, fingerprint, &not_after),
			 -ERR_AUTH);
	ca_free(other);
	test_csr_done(&csr);
}

static void neither_the_ca_nor_the_server_is_an_agent(void **state)
{
	struct fixture *f = *state;
	uint8_t fingerprint[CA_FINGERPRINT_BYTES], der[4096];
	char *chain = NULL, *key = NULL;
	gnutls_x509_crt_t server, ca;
	const uint8_t *own;
	size_t len = sizeof(der);
	int64_t not_after;
	bool made;

	assert_int_equal(ca_server_pair(f->ca, "", NOW, &chain, &key, &made), 0);
	server = first_of_chain(chain, &ca);
	assert_int_equal(gnutls_x509_crt_export(server, GNUTLS_X509_FMT_DER, der, &len), 0);
	assert_int_equal(ca_verify_client(f->ca, der, len, NOW, fingerprint, &not_after),
			 -ERR_AUTH);
	own = ca_cert_der(f->ca, &len);
	assert_int_equal(ca_verify_client(f->ca, own, len, NOW, fingerprint, &not_after),
			 -ERR_AUTH);
	gnutls_x509_crt_deinit(server);
	gnutls_x509_crt_deinit(ca);
	free(chain);
	free(key);
}

static void weak_or_forged_requests_are_refused(void **state)
{
	uint8_t a[32], b[32];
	struct test_csr csr;

	(void) state;
	test_csr_make(&csr, GNUTLS_PK_RSA, 1024, "x");
	assert_int_equal(ca_csr_check(csr.der, csr.len, a), -ERR_CRYPTO);
	test_csr_done(&csr);
	test_csr_make(&csr, GNUTLS_PK_ECDSA, P256, "x");
	assert_int_equal(ca_csr_check(csr.der, csr.len, a), 0);
	assert_int_equal(ca_csr_check(csr.der, csr.len, b), 0);
	assert_memory_equal(a, b, sizeof(a));
	csr.der[csr.len - 3] ^= 1; /* inside the signature */
	assert_true(ca_csr_check(csr.der, csr.len, a) < 0);
	assert_true(ca_csr_check(csr.der, csr.len / 2, a) < 0);
	assert_true(ca_csr_check("", 0, a) < 0);
	test_csr_done(&csr);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_key_is_private_and_survives_reopening, setup,
						teardown),
		cmocka_unit_test_setup_teardown(
			a_crash_between_key_and_certificate_is_finished_later, setup, teardown),
		cmocka_unit_test_setup_teardown(a_lost_or_foreign_key_is_not_replaced, setup,
						teardown),
		cmocka_unit_test_setup_teardown(the_server_chain_verifies_and_names_every_address,
						setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_good_pair_is_kept_and_an_old_or_wrong_one_replaced, setup, teardown),
		cmocka_unit_test_setup_teardown(odd_names_are_a_configuration_error, setup,
						teardown),
		cmocka_unit_test_setup_teardown(an_agents_certificate_verifies_until_it_expires,
						setup, teardown),
		cmocka_unit_test_setup_teardown(another_authoritys_certificate_is_unknown, setup,
						teardown),
		cmocka_unit_test_setup_teardown(neither_the_ca_nor_the_server_is_an_agent, setup,
						teardown),
		cmocka_unit_test_setup_teardown(weak_or_forged_requests_are_refused, setup,
						teardown),
	};

	return cmocka_run_group_tests_name("ca", tests, NULL, NULL);
}
