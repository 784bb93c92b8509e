/* SPDX-License-Identifier: Apache-2.0 */
/** @file What ca.c (the authority and agents) and ca_server.c (the listeners' pair) share. */
#pragma once

#include "controller/fleet/ca.h"
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <limits.h>

struct ca {
	char *dir;
	gnutls_x509_crt_t crt;
	gnutls_x509_privkey_t key;
	gnutls_datum_t der, pem;
	uint8_t fingerprint[CA_FINGERPRINT_BYTES];
};

/** Logs and maps a GnuTLS code. */
int ca_map(int gnutls_err, const char *what);
int ca_path(const struct ca *ca, const char *name, char path[PATH_MAX]);
int ca_make_key(gnutls_x509_privkey_t key);
int ca_load_key(const struct ca *ca, const char *name, gnutls_x509_privkey_t key);
int ca_store_key(const struct ca *ca, const char *name, gnutls_x509_privkey_t key);
int ca_load_cert(const struct ca *ca, const char *name, gnutls_x509_crt_t crt);
bool ca_cert_has_key(gnutls_x509_crt_t crt, gnutls_x509_privkey_t key);
/** Version, serial and validity; then the key identifiers and the signature. */
int ca_begin_cert(gnutls_x509_crt_t crt, int64_t now_us, int days);
int ca_finish_cert(gnutls_x509_crt_t crt, gnutls_x509_crt_t issuer, gnutls_x509_privkey_t key);
