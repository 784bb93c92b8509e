/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Whom the agent believes: one store CA, known by the fingerprint of the join code until enrolment
 * and pinned afterwards. The machine's own list of public CAs plays no part.
 *
 * We verify the presented chain ourselves, between the handshake and the first byte of the request,
 * because the usual check asks this machine's clock, and an access point whose battery is flat
 * would lock itself out for good. The rules: signature chain, CA, purpose and host name always
 * count; the validity times are held against the controller's time as measured; while no time is
 * vouched for, a certificate that looks too old or too new only by the own clock is let through,
 * and the log says so. The first answer brings the time, and from then on it counts, unless this
 * machine's own clock finds the certificate good: the measured time may itself have been wrong.
 */
#pragma once

#include "ap-agent/joincode.h"
#include "ap-agent/timebase.h"
#include "common/buf.h"
#include <gnutls/gnutls.h>

struct trust;

int trust_new(const struct timebase *tb, struct trust **ret) _must_check_;
void trust_free(struct trust *t);
DEFINE_CLEANUP(struct trust *, trust_free)

/** Believe only this CA (DER). */
int trust_pin_ca(struct trust *t, const void *der, size_t len) _must_check_;
/** First contact: believe the CA with this fingerprint, if the server presents it. */
void trust_expect(struct trust *t, const uint8_t fingerprint[JOINCODE_FINGERPRINT_BYTES]);
/** True when the SHA-256 of the certificate begins with the expected or pinned fingerprint. */
bool trust_is_ca(const struct trust *t, const void *der, size_t len);
bool trust_ready(const struct trust *t);

/**
 * Judges a chain, leaf first, as the peer `host` presented it. -ERR_TLS (not this CA, broken chain,
 * wrong name or purpose) or -ERR_EXPIRED (outside its time by the controller's time); `why` then
 * has a sentence.
 */
int trust_check(struct trust *t, const gnutls_datum_t *chain, unsigned int n, const char *host,
		char *why, size_t why_len) _must_check_;
