/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/fleet/ca.h"
#include "common/err.h"
#include "common/file.h"
#include "common/log.h"
#include "controller/fleet/ca_internal.h"
#include <errno.h>
#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#define CA_DAYS      7300
#define PEM_MAX      65536
#define MIN_RSA_BITS 2048

int ca_map(int gnutls_err, const char *what)
{
	if (gnutls_err >= 0)
		return 0;
	if (gnutls_err == GNUTLS_E_MEMORY_ERROR)
		return -ENOMEM;
	log_write(LOG_ERR, "ca", -ERR_TLS, "error=\"%s\" msg=\"%s\"", gnutls_strerror(gnutls_err),
		  what);
	return -ERR_TLS;
}

/* --- building certificates ----------------------------------------------------------------- */

static int random_serial(uint8_t serial[16])
{
	int r = gnutls_rnd(GNUTLS_RND_NONCE, serial, 16);

	serial[0] &= 0x7f; /* a positive number */
	serial[0] |= 0x40; /* of 16 bytes, without leading zeros */
	return r;
}

int ca_begin_cert(gnutls_x509_crt_t crt, int64_t now_us, int days)
{
	uint8_t serial[16];
	time_t now = (time_t) (now_us / US_PER_SEC);
	int r = random_serial(serial);

	if (r >= 0)
		r = gnutls_x509_crt_set_version(crt, 3);
	if (r >= 0)
		r = gnutls_x509_crt_set_serial(crt, serial, sizeof(serial));
	/* A day back, for clocks that are a little off. */
	if (r >= 0)
		r = gnutls_x509_crt_set_activation_time(crt, now - 86400);
	if (r >= 0)
		r = gnutls_x509_crt_set_expiration_time(crt, now + (time_t) days * 86400);
	return r;
}

static int set_key_ids(gnutls_x509_crt_t crt, gnutls_x509_crt_t issuer)
{
	uint8_t id[64];
	size_t len = sizeof(id);
	int r = gnutls_x509_crt_get_key_id(crt, GNUTLS_KEYID_USE_SHA256, id, &len);

	if (r >= 0)
		r = gnutls_x509_crt_set_subject_key_id(crt, id, MIN(len, 20u));
	len = sizeof(id);
	if (r >= 0)
		r = gnutls_x509_crt_get_key_id(issuer, GNUTLS_KEYID_USE_SHA256, id, &len);
	if (r >= 0)
		r = gnutls_x509_crt_set_authority_key_id(crt, id, MIN(len, 20u));
	return r;
}

int ca_finish_cert(gnutls_x509_crt_t crt, gnutls_x509_crt_t issuer, gnutls_x509_privkey_t key)
{
	int r = set_key_ids(crt, issuer);

	return r < 0 ? r : gnutls_x509_crt_sign2(crt, issuer, key, GNUTLS_DIG_SHA256, 0);
}

int ca_make_key(gnutls_x509_privkey_t key)
{
	return gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA,
					    GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0);
}

static int make_ca_cert(struct ca *ca, const char *store_name, int64_t now_us)
{
	char cn[128];
	int r = ca_begin_cert(ca->crt, now_us, CA_DAYS);

	snprintf(cn, sizeof(cn), "Gondola CA of %.40s", store_name);
	if (r >= 0)
		r = gnutls_x509_crt_set_dn_by_oid(ca->crt, GNUTLS_OID_X520_COMMON_NAME, 0, cn,
						  (unsigned int) strlen(cn));
	if (r >= 0)
		r = gnutls_x509_crt_set_key(ca->crt, ca->key);
	if (r >= 0)
		r = gnutls_x509_crt_set_basic_constraints(ca->crt, 1, 0);
	if (r >= 0)
		r = gnutls_x509_crt_set_key_usage(ca->crt,
						  GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_CRL_SIGN);
	return r < 0 ? r : ca_finish_cert(ca->crt, ca->crt, ca->key);
}

/* --- files --------------------------------------------------------------------------------- */

int ca_path(const struct ca *ca, const char *name, char path[PATH_MAX])
{
	return snprintf(path, PATH_MAX, "%s/%s", ca->dir, name) >= PATH_MAX ? -ENAMETOOLONG : 0;
}

int ca_load_key(const struct ca *ca, const char *name, gnutls_x509_privkey_t key)
{
	_cleanup_free_ char *text = NULL;
	char path[PATH_MAX];
	size_t len = 0;
	int r = ca_path(ca, name, path);

	if (r == 0)
		r = file_read(path, PEM_MAX, &text, &len);
	if (r < 0)
		return r;
	gnutls_datum_t pem = {(unsigned char *) text, (unsigned int) len};

	r = gnutls_x509_privkey_import(key, &pem, GNUTLS_X509_FMT_PEM) < 0 ? -ERR_CORRUPT : 0;
	gnutls_memset(text, 0, len);
	return r;
}

int ca_store_key(const struct ca *ca, const char *name, gnutls_x509_privkey_t key)
{
	gnutls_datum_t pem = {NULL, 0};
	char path[PATH_MAX];
	int r = ca_path(ca, name, path);

	if (r < 0)
		return r;
	r = ca_map(gnutls_x509_privkey_export2(key, GNUTLS_X509_FMT_PEM, &pem), "export key");
	if (r == 0) {
		r = file_write_durable(path, pem.data, pem.size, 0600);
		gnutls_memset(pem.data, 0, pem.size);
	}
	gnutls_free(pem.data);
	return r;
}

int ca_load_cert(const struct ca *ca, const char *name, gnutls_x509_crt_t crt)
{
	_cleanup_free_ char *text = NULL;
	char path[PATH_MAX];
	size_t len = 0;
	int r = ca_path(ca, name, path);

	if (r == 0)
		r = file_read(path, PEM_MAX, &text, &len);
	if (r < 0)
		return r;
	gnutls_datum_t pem = {(unsigned char *) text, (unsigned int) len};

	return gnutls_x509_crt_import(crt, &pem, GNUTLS_X509_FMT_PEM) < 0 ? -ERR_CORRUPT : 0;
}

bool ca_cert_has_key(gnutls_x509_crt_t crt, gnutls_x509_privkey_t key)
{
	uint8_t a[64], b[64];
	size_t a_len = sizeof(a), b_len = sizeof(b);

	return gnutls_x509_crt_get_key_id(crt, GNUTLS_KEYID_USE_SHA256, a, &a_len) >= 0 &&
	       gnutls_x509_privkey_get_key_id(key, GNUTLS_KEYID_USE_SHA256, b, &b_len) >= 0 &&
	       a_len == b_len && !memcmp(a, b, a_len);
}

/* The key is written first: with it alone, after a crash between the two, the certificate is made.
 */
static int load_or_make(struct ca *ca, const char *store_name, int64_t now_us)
{
	char path[PATH_MAX];
	int r_key = ca_load_key(ca, "ca.key", ca->key);
	int r_crt = ca_load_cert(ca, "ca.pem", ca->crt);
	gnutls_datum_t pem = {NULL, 0};
	int r;

	if (r_key == 0 && r_crt == 0)
		return ca_cert_has_key(ca->crt, ca->key) ? 0 : -ERR_CORRUPT;
	if ((r_key < 0 && r_key != -ENOENT) || (r_crt < 0 && r_crt != -ENOENT))
		return r_key < 0 && r_key != -ENOENT ? r_key : r_crt;
	if (r_crt == 0)
		return -ERR_CORRUPT;
	if (r_key < 0) {
		r = ca_map(ca_make_key(ca->key), "make key");
		if (r == 0)
			r = ca_store_key(ca, "ca.key", ca->key);
		if (r < 0)
			return r;
	}
	r = ca_map(make_ca_cert(ca, store_name, now_us), "make CA certificate");
	if (r == 0)
		r = ca_path(ca, "ca.pem", path);
	if (r == 0)
		r = ca_map(gnutls_x509_crt_export2(ca->crt, GNUTLS_X509_FMT_PEM, &pem), "export");
	if (r == 0)
		r = file_write_durable(path, pem.data, pem.size, 0644);
	gnutls_free(pem.data);
	if (r < 0)
		return r;
	/* A certificate that was only signed in memory lacks its raw names, and nothing verifies
	 * against it: from here on it is what was read back, as after every later start. */
	gnutls_x509_crt_deinit(ca->crt);
	ca->crt = NULL;
	if (gnutls_x509_crt_init(&ca->crt) < 0)
		return -ENOMEM;
	log_notice("ca", "msg=\"made the store's certificate authority\"");
	return ca_load_cert(ca, "ca.pem", ca->crt);
}

int ca_open(const char *dir, const char *store_name, int64_t now_us, struct ca **ret)
{
	_cleanup_(ca_freep) struct ca *ca = calloc(1, sizeof(*ca));
	int r;

	if (!ca)
		return -ENOMEM;
	ca->dir = strdup(dir);
	if (!ca->dir || gnutls_x509_crt_init(&ca->crt) < 0 ||
	    gnutls_x509_privkey_init(&ca->key) < 0)
		return -ENOMEM;
	r = file_make_dir(dir);
	if (r == 0)
		r = load_or_make(ca, store_name, now_us);
	if (r < 0)
		log_write(LOG_ERR, "ca", r,
			  "msg=\"%s/ca.key and ca.pem are not a readable pair; restore both from a"
			  " backup: every agent trusts this authority only\"",
			  dir);
	if (r == 0)
		r = ca_map(gnutls_x509_crt_export2(ca->crt, GNUTLS_X509_FMT_DER, &ca->der),
			   "export");
	if (r == 0)
		r = ca_map(gnutls_x509_crt_export2(ca->crt, GNUTLS_X509_FMT_PEM, &ca->pem),
			   "export");
	if (r == 0)
		r = ca_map(gnutls_hash_fast(GNUTLS_DIG_SHA256, ca->der.data, ca->der.size,
					    ca->fingerprint),
			   "hash");
	if (r < 0)
		return r;
	*ret = TAKE_PTR(ca);
	return 0;
}

void ca_free(struct ca *ca)
{
	if (!ca)
		return;
	gnutls_free(ca->der.data);
	gnutls_free(ca->pem.data);
	if (ca->crt)
		gnutls_x509_crt_deinit(ca->crt);
	if (ca->key)
		gnutls_x509_privkey_deinit(ca->key);
	free(ca->dir);
	free(ca);
}

const char *ca_cert_pem(const struct ca *ca)
{
	return (const char *) ca->pem.data;
}

const uint8_t *ca_cert_der(const struct ca *ca, size_t *ret_len)
{
	*ret_len = ca->der.size;
	return ca->der.data;
}

const uint8_t *ca_fingerprint(const struct ca *ca)
{
	return ca->fingerprint;
}

/* --- agents -------------------------------------------------------------------------------- */

static bool key_is_strong(gnutls_x509_crq_t crq)
{
	unsigned int bits = 0;

	switch (gnutls_x509_crq_get_pk_algorithm(crq, &bits)) {
	case GNUTLS_PK_ECDSA:
		return bits >= 256;
	case GNUTLS_PK_EDDSA_ED25519:
		return true;
	case GNUTLS_PK_RSA:
		return bits >= MIN_RSA_BITS && bits <= 4096;
	default:
		return false;
	}
}

static int import_csr(const void *csr, size_t len, gnutls_x509_crq_t *ret)
{
	gnutls_datum_t der = {(unsigned char *) (uintptr_t) csr, (unsigned int) len};
	gnutls_x509_crq_t crq;

	if (len > CA_DER_MAX)
		return -ERR_TOO_LARGE;
	if (gnutls_x509_crq_init(&crq) < 0)
		return -ENOMEM;
	if (gnutls_x509_crq_import(crq, &der, GNUTLS_X509_FMT_DER) < 0) {
		gnutls_x509_crq_deinit(crq);
		return -ERR_BADMSG;
	}
	*ret = crq;
	return 0;
}

int ca_csr_check(const void *csr, size_t len, uint8_t ret_key_hash[32])
{
	gnutls_x509_crq_t crq;
	size_t id_len = 32;
	uint8_t id[32];
	int r = import_csr(csr, len, &crq);

	if (r < 0)
		return r;
	if (gnutls_x509_crq_verify(crq, 0) < 0 || !key_is_strong(crq) ||
	    gnutls_x509_crq_get_key_id(crq, GNUTLS_KEYID_USE_SHA256, id, &id_len) < 0)
		r = -ERR_CRYPTO;
	else
		memcpy(ret_key_hash, id, sizeof(id));
	gnutls_x509_crq_deinit(crq);
	return r;
}

/* The key alone: what else the request asks for is not ours to grant. */
static int take_public_key(gnutls_x509_crt_t crt, gnutls_x509_crq_t crq)
{
	gnutls_pubkey_t key;
	int r = gnutls_pubkey_init(&key);

	if (r < 0)
		return r;
	r = gnutls_pubkey_import_x509_crq(key, crq, 0);
	if (r >= 0)
		r = gnutls_x509_crt_set_pubkey(crt, key);
	gnutls_pubkey_deinit(key);
	return r;
}

static int fill_agent_cert(const struct ca *ca, gnutls_x509_crt_t crt, gnutls_x509_crq_t crq,
			   int64_t agent_id, int64_t now_us)
{
	char cn[32];
	int r = ca_begin_cert(crt, now_us, CA_AGENT_DAYS);

	snprintf(cn, sizeof(cn), "agent-%lld", (long long) agent_id);
	if (r >= 0)
		r = gnutls_x509_crt_set_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, cn,
						  (unsigned int) strlen(cn));
	if (r >= 0)
		r = take_public_key(crt, crq);
	if (r >= 0)
		r = gnutls_x509_crt_set_basic_constraints(crt, 0, -1);
	if (r >= 0)
		r = gnutls_x509_crt_set_key_usage(crt, GNUTLS_KEY_DIGITAL_SIGNATURE);
	if (r >= 0)
		r = gnutls_x509_crt_set_key_purpose_oid(crt, GNUTLS_KP_TLS_WWW_CLIENT, 0);
	return r < 0 ? r : ca_finish_cert(crt, ca->crt, ca->key);
}

static int export_cert(gnutls_x509_crt_t crt, struct ca_cert *ret)
{
	gnutls_datum_t der = {NULL, 0};
	int r = ca_map(gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_DER, &der), "export");

	if (r < 0)
		return r;
	if (der.size > sizeof(ret->der)) {
		r = -ERR_TOO_LARGE;
	} else {
		memcpy(ret->der, der.data, der.size);
		ret->len = der.size;
		ret->not_after_us = (int64_t) gnutls_x509_crt_get_expiration_time(crt) * US_PER_SEC;
		r = ca_map(
			gnutls_hash_fast(GNUTLS_DIG_SHA256, der.data, der.size, ret->fingerprint),
			"hash");
	}
	gnutls_free(der.data);
	return r;
}

int ca_sign_agent(const struct ca *ca, const void *csr, size_t len, int64_t agent_id,
		  int64_t now_us, struct ca_cert *ret)
{
	gnutls_x509_crt_t crt;
	gnutls_x509_crq_t crq;
	int r = import_csr(csr, len, &crq);

	if (r < 0)
		return r;
	if (gnutls_x509_crt_init(&crt) < 0) {
		gnutls_x509_crq_deinit(crq);
		return -ENOMEM;
	}
	r = ca_map(fill_agent_cert(ca, crt, crq, agent_id, now_us), "sign agent");
	if (r == 0)
		r = export_cert(crt, ret);
	gnutls_x509_crt_deinit(crt);
	gnutls_x509_crq_deinit(crq);
	return r;
}

/* The times are ours to check (injected clock); the library checks the signature and the issuer. */
static int check_client(const struct ca *ca, gnutls_x509_crt_t crt, int64_t now_us)
{
	gnutls_x509_crt_t authority = ca->crt;
	unsigned int status = 0;
	char oid[64];
	size_t oid_len = sizeof(oid);
	time_t now = (time_t) (now_us / US_PER_SEC);

	if (gnutls_x509_crt_verify(crt, &authority, 1, GNUTLS_VERIFY_DISABLE_TIME_CHECKS, &status) <
		    0 ||
	    status != 0)
		return -ERR_AUTH;
	if (gnutls_x509_crt_get_ca_status(crt, NULL) > 0 ||
	    gnutls_x509_crt_get_key_purpose_oid(crt, 0, oid, &oid_len, NULL) < 0 ||
	    strcmp(oid, GNUTLS_KP_TLS_WWW_CLIENT))
		return -ERR_AUTH;
	return now > gnutls_x509_crt_get_expiration_time(crt) ? -ERR_EXPIRED : 0;
}

int ca_verify_client(const struct ca *ca, const void *der, size_t len, int64_t now_us,
		     uint8_t ret_fingerprint[CA_FINGERPRINT_BYTES], int64_t *ret_not_after_us)
{
	gnutls_datum_t data = {(unsigned char *) (uintptr_t) der, (unsigned int) len};
	gnutls_x509_crt_t crt;
	int r;

	if (gnutls_x509_crt_init(&crt) < 0)
		return -ENOMEM;
	if (len > CA_DER_MAX || gnutls_x509_crt_import(crt, &data, GNUTLS_X509_FMT_DER) < 0)
		r = -ERR_AUTH;
	else
		r = check_client(ca, crt, now_us);
	if (r == 0 && gnutls_hash_fast(GNUTLS_DIG_SHA256, der, len, ret_fingerprint) < 0)
		r = -ERR_TLS;
	if (r == 0)
		*ret_not_after_us = (int64_t) gnutls_x509_crt_get_expiration_time(crt) * US_PER_SEC;
	gnutls_x509_crt_deinit(crt);
	return r;
}
