/* SPDX-License-Identifier: Apache-2.0 */
#include "ap-agent/trust.h"
#include "common/err.h"
#include "common/image.h"
#include "common/log.h"
#include <errno.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <string.h>

#define MAX_CHAIN  8
#define HASH_BYTES 32
#define MEMO_US    (60 * US_PER_SEC)

struct trust {
	const struct timebase *tb;
	uint8_t fingerprint[JOINCODE_FINGERPRINT_BYTES];
	bool ready;
	gnutls_x509_crt_t ca; /**< pinned, or NULL at first contact */
	bool told;            /**< the log knows of a time that was let pass */
	/* The leaf that passed last: its key was proven in the handshake, so that a chain with the
	 * same leaf need not be verified again for each request on a kept connection. */
	uint8_t memo[HASH_BYTES];
	int64_t memo_us;
	bool memo_set;
};

int trust_new(const struct timebase *tb, struct trust **ret)
{
	struct trust *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	t->tb = tb;
	*ret = t;
	return 0;
}

void trust_free(struct trust *t)
{
	if (!t)
		return;
	if (t->ca)
		gnutls_x509_crt_deinit(t->ca);
	free(t);
}

static int import(const gnutls_datum_t *der, gnutls_x509_crt_t *ret)
{
	gnutls_x509_crt_t crt;

	if (gnutls_x509_crt_init(&crt) < 0)
		return -ENOMEM;
	if (gnutls_x509_crt_import(crt, der, GNUTLS_X509_FMT_DER) < 0) {
		gnutls_x509_crt_deinit(crt);
		return -ERR_TLS;
	}
	*ret = crt;
	return 0;
}

static void forget(struct trust *t)
{
	if (t->ca)
		gnutls_x509_crt_deinit(t->ca);
	t->ca = NULL;
	t->memo_set = false;
}

int trust_pin_ca(struct trust *t, const void *der, size_t len)
{
	const gnutls_datum_t d = {(unsigned char *) der, (unsigned int) len};
	uint8_t hash[HASH_BYTES];
	gnutls_x509_crt_t ca;
	int r = import(&d, &ca);

	if (r < 0)
		return r;
	forget(t);
	t->ca = ca;
	image_hash(der, len, hash);
	memcpy(t->fingerprint, hash, sizeof(t->fingerprint));
	t->ready = true;
	return 0;
}

void trust_expect(struct trust *t, const uint8_t fingerprint[JOINCODE_FINGERPRINT_BYTES])
{
	forget(t);
	memcpy(t->fingerprint, fingerprint, sizeof(t->fingerprint));
	t->ready = true;
}

bool trust_is_ca(const struct trust *t, const void *der, size_t len)
{
	uint8_t hash[HASH_BYTES];

	image_hash(der, len, hash);
	return t->ready && memcmp(hash, t->fingerprint, sizeof(t->fingerprint)) == 0;
}

bool trust_ready(const struct trust *t)
{
	return t->ready;
}

static int refuse(int err, char *why, size_t why_len, const char *text)
{
	snprintf(why, why_len, "%s", text);
	return err;
}

/* Chain, purpose and name, without looking at any clock. */
static int check_signed(gnutls_x509_crt_t ca, gnutls_x509_crt_t *chain, unsigned int n,
			const char *host, char *why, size_t why_len)
{
	gnutls_typed_vdata_st purpose = {.type = GNUTLS_DT_KEY_PURPOSE_OID,
					 .data = (void *) GNUTLS_KP_TLS_WWW_SERVER};
	gnutls_x509_trust_list_t list;
	unsigned int status = 0;

	if (gnutls_x509_trust_list_init(&list, 0) < 0)
		return -ENOMEM;

	int r = gnutls_x509_trust_list_add_cas(list, &ca, 1, 0) == 1 ? 0 : -ERR_TLS;

	if (r == 0 && (gnutls_x509_trust_list_verify_crt2(list, chain, n, &purpose, 1,
							  GNUTLS_VERIFY_DISABLE_TIME_CHECKS,
							  &status, NULL) < 0 ||
		       status != 0))
		r = refuse(-ERR_TLS, why, why_len,
			   "the server's certificate is not signed by the store's CA");
	gnutls_x509_trust_list_deinit(list, 0);
	if (r == 0 && !gnutls_x509_crt_check_hostname(chain[0], host))
		r = refuse(-ERR_TLS, why, why_len,
			   "the server's certificate is for another host name");
	return r;
}

static bool in_time(gnutls_x509_crt_t crt, int64_t utc_us, int64_t slack_us)
{
	int64_t from = (int64_t) gnutls_x509_crt_get_activation_time(crt) * US_PER_SEC;
	int64_t to = (int64_t) gnutls_x509_crt_get_expiration_time(crt) * US_PER_SEC;

	return utc_us + slack_us >= from && utc_us - slack_us <= to;
}

static bool all_in_time(gnutls_x509_crt_t ca, gnutls_x509_crt_t *chain, unsigned int n,
			int64_t utc_us, int64_t slack_us)
{
	bool good = in_time(ca, utc_us, slack_us);

	for (unsigned int i = 0; good && i < n; i++)
		good = in_time(chain[i], utc_us, slack_us);
	return good;
}

/* The measured time is the controller's. If that was years off for a moment, the certificate is out
 * of time for ever by the measurement that only a connection could correct: then this machine's own
 * clock may speak for it. */
static int check_times(struct trust *t, gnutls_x509_crt_t ca, gnutls_x509_crt_t *chain,
		       unsigned int n, char *why, size_t why_len)
{
	int64_t slack = t->tb->known ? timebase_uncertainty(t->tb) : 0;

	if (all_in_time(ca, chain, n, timebase_now(t->tb), slack) ||
	    (t->tb->known && all_in_time(ca, chain, n, clock_real_us(t->tb->clock), 0)))
		return 0;
	if (t->tb->known)
		return refuse(-ERR_EXPIRED, why, why_len,
			      "the server's certificate is outside its time");
	if (!t->told)
		log_warn("tls", "msg=\"by this machine's own clock the server's certificate is"
				" outside its time; the clock is not vouched for yet and the CA is"
				" the pinned one, so the server may tell the time\"");
	t->told = true;
	return 0;
}

static int check_imported(struct trust *t, const gnutls_datum_t *der, gnutls_x509_crt_t *chain,
			  unsigned int n, const char *host, char *why, size_t why_len)
{
	gnutls_x509_crt_t ca = t->ca;

	for (unsigned int i = 0; !ca && i < n; i++)
		if (trust_is_ca(t, der[i].data, der[i].size))
			ca = chain[i];
	if (!ca)
		return refuse(-ERR_TLS, why, why_len,
			      "the server does not present the CA that the join code names");

	int r = check_signed(ca, chain, n, host, why, why_len);

	return r < 0 ? r : check_times(t, ca, chain, n, why, why_len);
}

static bool remembered(const struct trust *t, const uint8_t hash[HASH_BYTES])
{
	return t->memo_set && memcmp(t->memo, hash, HASH_BYTES) == 0 &&
	       clock_mono_us(t->tb->clock) - t->memo_us < MEMO_US;
}

int trust_check(struct trust *t, const gnutls_datum_t *chain, unsigned int n, const char *host,
		char *why, size_t why_len)
{
	gnutls_x509_crt_t crt[MAX_CHAIN];
	uint8_t hash[HASH_BYTES];
	unsigned int have = 0;
	int r = 0;

	if (!t->ready || !chain || n == 0 || n > MAX_CHAIN)
		return refuse(-ERR_TLS, why, why_len, "the server presents no usable certificate");
	image_hash(chain[0].data, chain[0].size, hash);
	if (remembered(t, hash))
		return 0;
	while (r == 0 && have < n) {
		r = import(&chain[have], &crt[have]);
		if (r == 0)
			have++;
	}
	if (r == 0)
		r = check_imported(t, chain, crt, n, host, why, why_len);
	else
		(void) refuse(r, why, why_len, "the server's certificate does not parse");
	while (have > 0)
		gnutls_x509_crt_deinit(crt[--have]);
	if (r == 0) {
		memcpy(t->memo, hash, sizeof(hash));
		t->memo_us = clock_mono_us(t->tb->clock);
		t->memo_set = t->ca && t->tb->known;
	}
	return r;
}
