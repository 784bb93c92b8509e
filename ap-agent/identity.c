/* SPDX-License-Identifier: Apache-2.0 */
#include "ap-agent/identity.h"
#include "common/err.h"
#include "common/file.h"
#include "common/hex.h"
#include "common/image.h"
#include "common/log.h"
#include <errno.h>
#include <fcntl.h>
#include <gnutls/abstract.h>
#include <gnutls/x509.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_FILE (64 * 1024)

struct identity {
	char dir[PATH_MAX];
	char key_path[PATH_MAX];
	char cert_path[PATH_MAX];
	char ca_path[PATH_MAX];
	gnutls_x509_privkey_t key;
	gnutls_x509_crt_t cert; /**< NULL while not enrolled */
	gnutls_datum_t ca;      /**< DER; data NULL while not enrolled */
	char hash[IMAGE_HASH_HEX_MAX];
};

static int read_file(const char *path, struct buf *out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	buf_init(out, MAX_FILE);
	for (;;) {
		uint8_t part[2048];
		ssize_t n = read(fd, part, sizeof(part));

		if (n < 0) {
			int err = errno;

			close(fd);
			return -err;
		}
		if (n == 0)
			break;
		buf_put(out, part, (size_t) n);
	}
	close(fd);
	return out->err;
}

static int make_key(struct identity *id)
{
	gnutls_datum_t pem = {NULL, 0};

	if (gnutls_x509_privkey_generate(id->key, GNUTLS_PK_ECDSA,
					 GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0) < 0 ||
	    gnutls_x509_privkey_export2(id->key, GNUTLS_X509_FMT_PEM, &pem) < 0)
		return -ERR_CRYPTO;

	int r = file_write_durable(id->key_path, pem.data, pem.size, 0600);

	gnutls_memset(pem.data, 0, pem.size);
	gnutls_free(pem.data);
	return r;
}

static int load_key(struct identity *id)
{
	_cleanup_buf_ struct buf pem = BUF_INIT;
	int r = read_file(id->key_path, &pem);

	if (r == -ENOENT)
		return make_key(id);
	if (r < 0)
		return r;

	const gnutls_datum_t d = {pem.data, (unsigned int) pem.len};

	r = gnutls_x509_privkey_import(id->key, &d, GNUTLS_X509_FMT_PEM) < 0 ? -ERR_CORRUPT : 0;
	gnutls_memset(pem.data, 0, pem.len);
	return r;
}

static int import_file(const char *path, gnutls_x509_crt_t *ret)
{
	_cleanup_buf_ struct buf pem = BUF_INIT;
	gnutls_x509_crt_t crt;
	int r = read_file(path, &pem);

	if (r < 0)
		return r;
	if (gnutls_x509_crt_init(&crt) < 0)
		return -ENOMEM;

	const gnutls_datum_t d = {pem.data, (unsigned int) pem.len};

	if (gnutls_x509_crt_import(crt, &d, GNUTLS_X509_FMT_PEM) < 0) {
		gnutls_x509_crt_deinit(crt);
		return -ERR_CORRUPT;
	}
	*ret = crt;
	return 0;
}

/* Is `cert` for our key, and did `ca` sign it? */
static bool fits(const struct identity *id, gnutls_x509_crt_t cert, gnutls_x509_crt_t ca)
{
	uint8_t own[64], its[64];
	size_t own_len = sizeof(own), its_len = sizeof(its);
	unsigned int status = 0;

	return gnutls_x509_privkey_get_key_id(id->key, GNUTLS_KEYID_USE_SHA256, own, &own_len) >=
		       0 &&
	       gnutls_x509_crt_get_key_id(cert, GNUTLS_KEYID_USE_SHA256, its, &its_len) >= 0 &&
	       own_len == its_len && memcmp(own, its, own_len) == 0 &&
	       gnutls_x509_crt_verify(cert, &ca, 1, GNUTLS_VERIFY_DISABLE_TIME_CHECKS, &status) >=
		       0 &&
	       status == 0;
}

/* Takes both over. */
static int adopt(struct identity *id, gnutls_x509_crt_t cert, gnutls_x509_crt_t ca)
{
	gnutls_datum_t der = {NULL, 0}, own = {NULL, 0};
	uint8_t hash[IMAGE_HASH_BYTES];

	if (gnutls_x509_crt_export2(ca, GNUTLS_X509_FMT_DER, &der) < 0 ||
	    gnutls_x509_crt_export2(cert, GNUTLS_X509_FMT_DER, &own) < 0) {
		gnutls_free(der.data);
		return -ENOMEM;
	}
	image_hash(own.data, own.size, hash);
	hex_encode(hash, sizeof(hash), id->hash);
	gnutls_free(own.data);
	gnutls_free(id->ca.data);
	id->ca = der;
	if (id->cert)
		gnutls_x509_crt_deinit(id->cert);
	id->cert = cert;
	gnutls_x509_crt_deinit(ca);
	return 0;
}

static int adopt_if_fits(struct identity *id, gnutls_x509_crt_t cert, gnutls_x509_crt_t ca)
{
	int r = fits(id, cert, ca) ? adopt(id, cert, ca) : -ERR_CRYPTO;

	if (r < 0) {
		gnutls_x509_crt_deinit(cert);
		gnutls_x509_crt_deinit(ca);
	}
	return r;
}

/* Certificate and CA are two files: after a crash between the two they may not fit, and then we are
 * simply not enrolled yet. */
static int load_cert(struct identity *id)
{
	gnutls_x509_crt_t cert, ca;
	int r = import_file(id->cert_path, &cert);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	r = import_file(id->ca_path, &ca);
	if (r < 0) {
		gnutls_x509_crt_deinit(cert);
		return r == -ENOENT ? 0 : r;
	}
	r = adopt_if_fits(id, cert, ca);
	return r == -ERR_CRYPTO ? 0 : r;
}

int identity_open(const char *dir, struct identity **ret)
{
	struct identity *id = calloc(1, sizeof(*id));

	if (!id)
		return -ENOMEM;
	if ((size_t) snprintf(id->dir, sizeof(id->dir), "%s", dir) + 16 > sizeof(id->dir) ||
	    snprintf(id->key_path, sizeof(id->key_path), "%.4000s/key.pem", dir) < 0 ||
	    snprintf(id->cert_path, sizeof(id->cert_path), "%.4000s/cert.pem", dir) < 0 ||
	    snprintf(id->ca_path, sizeof(id->ca_path), "%.4000s/ca.pem", dir) < 0) {
		free(id);
		return -ENAMETOOLONG;
	}

	int r = gnutls_x509_privkey_init(&id->key) < 0 ? -ENOMEM : load_key(id);

	if (r >= 0) {
		r = load_cert(id);
		if (r == -ERR_CORRUPT) {
			log_write(
				LOG_ERR, "identity", r,
				"msg=\"the stored certificate is damaged; a join code is needed\"");
			r = 0;
		}
	}
	if (r < 0) {
		identity_free(id);
		return r;
	}
	*ret = id;
	return 0;
}

void identity_free(struct identity *id)
{
	if (!id)
		return;
	if (id->cert)
		gnutls_x509_crt_deinit(id->cert);
	if (id->key)
		gnutls_x509_privkey_deinit(id->key);
	gnutls_free(id->ca.data);
	free(id);
}

bool identity_enrolled(const struct identity *id)
{
	return id->cert != NULL;
}

int identity_csr(const struct identity *id, const char *name, struct buf *out)
{
	gnutls_datum_t der = {NULL, 0};
	gnutls_x509_crq_t crq;

	if (gnutls_x509_crq_init(&crq) < 0)
		return -ENOMEM;

	int r = -ERR_CRYPTO;

	if (gnutls_x509_crq_set_version(crq, 1) >= 0 &&
	    gnutls_x509_crq_set_dn_by_oid(crq, GNUTLS_OID_X520_COMMON_NAME, 0, name,
					  (unsigned int) strlen(name)) >= 0 &&
	    gnutls_x509_crq_set_key(crq, id->key) >= 0 &&
	    gnutls_x509_crq_sign2(crq, id->key, GNUTLS_DIG_SHA256, 0) >= 0 &&
	    gnutls_x509_crq_export2(crq, GNUTLS_X509_FMT_DER, &der) >= 0) {
		buf_put(out, der.data, der.size);
		r = out->err;
	}
	gnutls_free(der.data);
	gnutls_x509_crq_deinit(crq);
	return r;
}

static int import_der(const void *der, size_t len, gnutls_x509_crt_t *ret)
{
	const gnutls_datum_t d = {(unsigned char *) der, (unsigned int) len};
	gnutls_x509_crt_t crt;

	if (gnutls_x509_crt_init(&crt) < 0)
		return -ENOMEM;
	if (gnutls_x509_crt_import(crt, &d, GNUTLS_X509_FMT_DER) < 0) {
		gnutls_x509_crt_deinit(crt);
		return -ERR_CRYPTO;
	}
	*ret = crt;
	return 0;
}

static int write_cert(const char *path, gnutls_x509_crt_t crt)
{
	gnutls_datum_t pem = {NULL, 0};

	if (gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_PEM, &pem) < 0)
		return -ENOMEM;

	int r = file_write_durable(path, pem.data, pem.size, 0600);

	gnutls_free(pem.data);
	return r;
}

int identity_accept(struct identity *id, const void *cert, size_t cert_len, const void *ca,
		    size_t ca_len)
{
	gnutls_x509_crt_t own, issuer;
	int r = import_der(cert, cert_len, &own);

	if (r < 0)
		return r;
	r = import_der(ca, ca_len, &issuer);
	if (r < 0) {
		gnutls_x509_crt_deinit(own);
		return r;
	}
	if (!fits(id, own, issuer))
		r = -ERR_CRYPTO;
	/* The certificate last: its presence says that we are enrolled. */
	if (r >= 0)
		r = write_cert(id->ca_path, issuer);
	if (r >= 0)
		r = write_cert(id->cert_path, own);
	if (r < 0) {
		gnutls_x509_crt_deinit(own);
		gnutls_x509_crt_deinit(issuer);
		return r;
	}
	return adopt_if_fits(id, own, issuer);
}

const char *identity_key_path(const struct identity *id)
{
	return id->key_path;
}

const char *identity_cert_path(const struct identity *id)
{
	return id->cert_path;
}

const void *identity_ca(const struct identity *id, size_t *ret_len)
{
	*ret_len = id->ca.size;
	return id->ca.data;
}

void identity_times(const struct identity *id, int64_t *ret_not_before_us,
		    int64_t *ret_not_after_us)
{
	*ret_not_before_us = 0;
	*ret_not_after_us = 0;
	if (!id->cert)
		return;
	*ret_not_before_us = (int64_t) gnutls_x509_crt_get_activation_time(id->cert) * US_PER_SEC;
	*ret_not_after_us = (int64_t) gnutls_x509_crt_get_expiration_time(id->cert) * US_PER_SEC;
}

const char *identity_cert_hash(const struct identity *id)
{
	return id->hash;
}
