/* SPDX-License-Identifier: Apache-2.0 */
#include "common/tls.h"

#include "common/err.h"
#include "common/hex.h"
#include <errno.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* 2020 to 2050: an access point may not know the time when it makes one. */
#define VALID_FROM_S 1577836800L
#define VALID_TO_S   2524608000L
#define TEXT_MAX     160

struct tls_identity {
	gnutls_certificate_credentials_t cred;
	char pin[TLS_PIN_MAX];
};

struct tls_stream {
	gnutls_session_t session;
	gnutls_certificate_credentials_t own; /**< of a client without identity */
	bool done;
	char pin[TLS_PIN_MAX], peer[TLS_PIN_MAX];
	char text[TEXT_MAX];
};

/* --- identities ------------------------------------------------------------------------------- */

static void pin_of(const gnutls_datum_t *der, char buf[TLS_PIN_MAX])
{
	uint8_t hash[32];

	buf[0] = '\0';
	if (gnutls_hash_fast(GNUTLS_DIG_SHA256, der->data, der->size, hash) >= 0)
		hex_encode(hash, sizeof(hash), buf);
}

/** Takes its pin from the first certificate of the credentials. */
static int identity_finish(struct tls_identity *id, struct tls_identity **ret)
{
	gnutls_datum_t der;

	if (gnutls_certificate_get_crt_raw(id->cred, 0, 0, &der) < 0)
		return -ERR_BADMSG;
	pin_of(&der, id->pin);
	*ret = id;
	return 0;
}

int tls_identity_load(const char *cert_path, const char *key_path, struct tls_identity **ret)
{
	_cleanup_(tls_identity_freep) struct tls_identity *id = calloc(1, sizeof(*id));
	int r;

	if (!id || gnutls_certificate_allocate_credentials(&id->cred) < 0)
		return -ENOMEM;
	if (gnutls_certificate_set_x509_key_file(id->cred, cert_path, key_path,
						 GNUTLS_X509_FMT_PEM) < 0)
		return -ERR_BADMSG;
	r = identity_finish(id, ret);
	if (r == 0)
		id = NULL;
	return r;
}

static bool sign_self(gnutls_x509_crt_t crt, gnutls_x509_privkey_t key, const char *name)
{
	uint8_t serial[16];

	if (gnutls_rnd(GNUTLS_RND_NONCE, serial, sizeof(serial)) < 0)
		return false;
	serial[0] = (uint8_t) ((serial[0] & 0x3f) | 0x40); /* positive, and never shorter */
	return gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA,
					    GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1),
					    0) >= 0 &&
	       gnutls_x509_crt_set_version(crt, 3) >= 0 &&
	       gnutls_x509_crt_set_serial(crt, serial, sizeof(serial)) >= 0 &&
	       gnutls_x509_crt_set_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, name,
					     (unsigned int) strlen(name)) >= 0 &&
	       gnutls_x509_crt_set_activation_time(crt, VALID_FROM_S) >= 0 &&
	       gnutls_x509_crt_set_expiration_time(crt, VALID_TO_S) >= 0 &&
	       gnutls_x509_crt_set_key(crt, key) >= 0 &&
	       gnutls_x509_crt_sign2(crt, crt, key, GNUTLS_DIG_SHA256, 0) >= 0;
}

int tls_identity_make(const char *name, struct tls_identity **ret)
{
	_cleanup_(tls_identity_freep) struct tls_identity *id = calloc(1, sizeof(*id));
	gnutls_x509_privkey_t key = NULL;
	gnutls_x509_crt_t crt = NULL;
	int r = -ENOMEM;

	if (id && gnutls_certificate_allocate_credentials(&id->cred) >= 0 &&
	    gnutls_x509_privkey_init(&key) >= 0 && gnutls_x509_crt_init(&crt) >= 0)
		r = sign_self(crt, key, name) &&
				    gnutls_certificate_set_x509_key(id->cred, &crt, 1, key) >= 0
			    ? identity_finish(id, ret)
			    : -EIO;
	if (r == 0)
		id = NULL;
	gnutls_x509_crt_deinit(crt);
	gnutls_x509_privkey_deinit(key);
	return r;
}

void tls_identity_free(struct tls_identity *id)
{
	if (id && id->cred)
		gnutls_certificate_free_credentials(id->cred);
	free(id);
}

const char *tls_identity_pin(const struct tls_identity *id, char buf[TLS_PIN_MAX])
{
	memcpy(buf, id->pin, TLS_PIN_MAX);
	return buf;
}

/* --- streams ---------------------------------------------------------------------------------- */

static int session_new(struct tls_stream *t, int fd, enum tls_role role,
		       const struct tls_identity *id)
{
	gnutls_certificate_credentials_t cred = id ? id->cred : NULL;

	if (!cred && gnutls_certificate_allocate_credentials(&t->own) < 0)
		return -ENOMEM;
	if (gnutls_init(&t->session, (role == TLS_SERVER ? GNUTLS_SERVER : GNUTLS_CLIENT) |
					     GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL) < 0)
		return -ENOMEM;
	/* Readers in the field stop at TLS 1.2, and some at old ciphers; nothing below that. */
	if (gnutls_set_default_priority(t->session) < 0 ||
	    gnutls_credentials_set(t->session, GNUTLS_CRD_CERTIFICATE, cred ? cred : t->own) < 0)
		return -ENOMEM;
	if (role == TLS_SERVER)
		gnutls_certificate_server_set_request(t->session, GNUTLS_CERT_REQUEST);
	gnutls_transport_set_int(t->session, fd);
	gnutls_handshake_set_timeout(t->session, 0); /* the owner has a clock */
	return 0;
}

int tls_stream_new(int fd, enum tls_role role, const struct tls_identity *id, const char *pin,
		   struct tls_stream **ret)
{
	_cleanup_(tls_stream_freep) struct tls_stream *t = NULL;
	uint8_t hash[32];
	int r;

	if (role == TLS_SERVER && !id)
		return -EINVAL;
	if (pin && *pin && hex_decode(pin, hash, sizeof(hash)) < 0)
		return -ERR_SYNTAX;
	t = calloc(1, sizeof(*t));
	if (!t)
		return -ENOMEM;
	if (pin && *pin)
		hex_encode(hash, sizeof(hash), t->pin);
	r = session_new(t, fd, role, id);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(t);
	return 0;
}

void tls_stream_free(struct tls_stream *t)
{
	if (!t)
		return;
	if (t->session)
		gnutls_deinit(t->session);
	if (t->own)
		gnutls_certificate_free_credentials(t->own);
	free(t);
}

/** A code of the library as one of ours, and in words. */
static int mapped(struct tls_stream *t, long code)
{
	if (code == GNUTLS_E_AGAIN || code == GNUTLS_E_INTERRUPTED)
		return -EAGAIN;
	if (code == GNUTLS_E_FATAL_ALERT_RECEIVED || code == GNUTLS_E_WARNING_ALERT_RECEIVED) {
		const char *alert = gnutls_alert_get_name(gnutls_alert_get(t->session));

		snprintf(t->text, sizeof(t->text), "the other side says: %s",
			 alert ? alert : "no reason");
		return code == GNUTLS_E_WARNING_ALERT_RECEIVED ? -EAGAIN : -ERR_TLS;
	}
	snprintf(t->text, sizeof(t->text), "%s", gnutls_strerror((int) code));
	return code == GNUTLS_E_PREMATURE_TERMINATION ? -ERR_CLOSED : -ERR_TLS;
}

static int check_peer(struct tls_stream *t)
{
	unsigned int n = 0;
	const gnutls_datum_t *chain = gnutls_certificate_get_peers(t->session, &n);

	if (chain && n > 0)
		pin_of(&chain[0], t->peer);
	if (t->pin[0] == '\0' || strcasecmp(t->pin, t->peer) == 0)
		return 0;
	snprintf(t->text, sizeof(t->text), "its certificate is another one: %s",
		 t->peer[0] ? t->peer : "none");
	return -ERR_AUTH;
}

int tls_stream_handshake(struct tls_stream *t)
{
	int r;

	if (t->done)
		return 0;
	r = gnutls_handshake(t->session);
	if (r < 0)
		return gnutls_error_is_fatal(r) ? mapped(t, r) : -EAGAIN;
	r = check_peer(t);
	t->done = r == 0;
	return r;
}

bool tls_stream_wants_write(const struct tls_stream *t)
{
	return gnutls_record_get_direction(t->session) == 1;
}

long tls_stream_recv(struct tls_stream *t, void *data, size_t size)
{
	long n = gnutls_record_recv(t->session, data, size);

	/* A socket that just ends is an end, as without TLS: LLRP frames know their own length. */
	if (n == GNUTLS_E_PREMATURE_TERMINATION)
		return 0;
	return n >= 0 ? n : mapped(t, n);
}

long tls_stream_send(struct tls_stream *t, const void *data, size_t len)
{
	long n = gnutls_record_send(t->session, data, len);

	return n >= 0 ? n : mapped(t, n);
}

bool tls_stream_pending(const struct tls_stream *t)
{
	return gnutls_record_check_pending(t->session) > 0;
}

void tls_stream_bye(struct tls_stream *t)
{
	if (t->done)
		(void) gnutls_bye(t->session, GNUTLS_SHUT_WR);
}

const char *tls_stream_peer(const struct tls_stream *t)
{
	return t->peer;
}

const char *tls_stream_text(const struct tls_stream *t)
{
	return t->text;
}
