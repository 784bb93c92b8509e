/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The store's certificate authority: one P-256 key in STATE/ca/, made at the first start. It signs
 * the server certificate of both listeners and one client certificate per agent, nothing else.
 *
 * Threads: after ca_open() the object is only read; ca_sign_agent() may run on the writer thread.
 */
#pragma once

#include "common/util.h"
#include <stdbool.h>

struct ca;

#define CA_FINGERPRINT_BYTES 32
#define CA_DER_MAX           8192
#define CA_AGENT_DAYS        90

/** Loads or makes DIR/ca.key and DIR/ca.pem. -ERR_CORRUPT if only the certificate is there, or if
 * the two do not belong together: making a new authority would lock every agent out without a word.
 */
int ca_open(const char *dir, const char *store_name, int64_t now_us, struct ca **ret) _must_check_;
void ca_free(struct ca *ca);
DEFINE_CLEANUP(struct ca *, ca_free)

const char *ca_cert_pem(const struct ca *ca);
const uint8_t *ca_cert_der(const struct ca *ca, size_t *ret_len);
/** SHA-256 of the certificate's DER. */
const uint8_t *ca_fingerprint(const struct ca *ca);

/**
 * The server's chain (own certificate, then the CA's) and key as PEM, owned by the caller. Takes
 * DIR/server.pem if it is good for all names and for two more months, else makes a new pair.
 * `names` is a comma list besides localhost, the loopback addresses and the host's own name.
 */
int ca_server_pair(struct ca *ca, const char *names, int64_t now_us, char **ret_chain,
		   char **ret_key, bool *ret_made) _must_check_;

struct ca_cert {
	uint8_t der[CA_DER_MAX];
	size_t len;
	uint8_t fingerprint[CA_FINGERPRINT_BYTES];
	int64_t not_after_us;
};

/** Checks a PKCS#10 request (its own signature, a strong key) and yields SHA-256 of its public key.
 */
int ca_csr_check(const void *csr, size_t len, uint8_t ret_key_hash[32]) _must_check_;
/** Signs a checked request for client authentication as CN "agent-ID"; names in it are ignored. */
int ca_sign_agent(const struct ca *ca, const void *csr, size_t len, int64_t agent_id,
		  int64_t now_us, struct ca_cert *ret) _must_check_;
/** Is this a client certificate of ours, now? -ERR_AUTH, -ERR_EXPIRED. */
int ca_verify_client(const struct ca *ca, const void *der, size_t len, int64_t now_us,
		     uint8_t ret_fingerprint[CA_FINGERPRINT_BYTES],
		     int64_t *ret_not_after_us) _must_check_;
