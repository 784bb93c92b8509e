/* SPDX-License-Identifier: Apache-2.0 */
#include "esl-radio/le/smp_central.h"

#include "common/err.h"
#include <errno.h>
#include <nettle/memops.h>
#include <string.h>

/* What we are: bonding with LE Secure Connections, no input, no output, no keys to hand over but
 * the one both compute. */
#define OUR_AUTH (SMP_AUTH_BOND | SMP_AUTH_SECURE)

static const uint8_t zero[LE_KEY_BYTES];

void smp_central_forget(struct smp_central *s)
{
	explicit_bzero(s->secret, sizeof(s->secret));
	explicit_bzero(s->dhkey, sizeof(s->dhkey));
	explicit_bzero(s->mac_key, sizeof(s->mac_key));
	explicit_bzero(s->ltk, sizeof(s->ltk));
	s->step = SMP_IDLE;
}

static void send_packet(struct smp_central *s, const struct smp_pdu *p)
{
	uint8_t out[SMP_MAX];
	int n = smp_encode(p, out);

	if (n > 0)
		s->io->send(s->user, out, (size_t) n);
}

static void finish(struct smp_central *s, int err, const char *why)
{
	uint8_t ltk[LE_KEY_BYTES];

	memcpy(ltk, s->ltk, sizeof(ltk));
	smp_central_forget(s);
	s->io->done(s->user, err, ltk, why);
	explicit_bzero(ltk, sizeof(ltk));
}

/** Tells the peer, then the owner. */
static void fail(struct smp_central *s, uint8_t reason, int err, const char *why)
{
	send_packet(s, &(struct smp_pdu){.op = SMP_FAILED, .reason = reason});
	finish(s, err, why);
}

static void send_value(struct smp_central *s, uint8_t op, const uint8_t value[LE_KEY_BYTES])
{
	struct smp_pdu p = {.op = op};

	smp_reverse(p.value, value, LE_KEY_BYTES);
	send_packet(s, &p);
}

void smp_central_start(struct smp_central *s, const struct smp_central_io *io, void *user,
		       const uint8_t own[LE_ADDR_BYTES], const uint8_t peer[LE_ADDR_BYTES])
{
	smp_central_forget(s);
	s->io = io;
	s->user = user;
	memcpy(s->own, own, LE_ADDR_BYTES);
	memcpy(s->peer, peer, LE_ADDR_BYTES);
	s->own_io_cap[0] = OUR_AUTH;
	s->own_io_cap[1] = 0;
	s->own_io_cap[2] = SMP_IO_NONE;
	s->step = SMP_FEATURES;
	send_packet(s, &(struct smp_pdu){.op = SMP_PAIRING_REQ,
					 .io = SMP_IO_NONE,
					 .auth = OUR_AUTH,
					 .key_size = SMP_KEY_SIZE});
}

/** A key pair of this pairing alone. */
static int make_key(struct smp_central *s)
{
	/* One in 2^32 random numbers is no key of the curve. */
	for (int tries = 0; tries < 8; tries++) {
		int r = s->io->random(s->user, s->secret, sizeof(s->secret));

		if (r < 0)
			return r;
		if (le_public_key(s->secret, &s->own_key) == 0)
			return 0;
	}
	return -ERR_CRYPTO;
}

static void on_features(struct smp_central *s, const struct smp_pdu *p)
{
	struct smp_pdu key = {.op = SMP_PUBLIC_KEY};

	if (!(p->auth & SMP_AUTH_SECURE)) {
		fail(s, SMP_FAIL_AUTHENTICATION, -ENOTSUP,
		     "the label cannot do LE Secure Connections");
		return;
	}
	if (p->key_size != SMP_KEY_SIZE || p->oob > 1 || p->io > 4) {
		fail(s, p->key_size != SMP_KEY_SIZE ? SMP_FAIL_KEY_SIZE : SMP_FAIL_PARAMETERS,
		     -ERR_BADMSG, "the label's pairing features make no sense");
		return;
	}
	s->peer_io_cap[0] = p->auth;
	s->peer_io_cap[1] = p->oob;
	s->peer_io_cap[2] = p->io;
	if (make_key(s) < 0) {
		fail(s, SMP_FAIL_UNSPECIFIED, -ERR_CRYPTO, "no random numbers");
		return;
	}
	smp_reverse(key.value, s->own_key.x, LE_COORD_BYTES);
	smp_reverse(key.value + LE_COORD_BYTES, s->own_key.y, LE_COORD_BYTES);
	s->step = SMP_KEY;
	send_packet(s, &key);
}

static void on_key(struct smp_central *s, const struct smp_pdu *p)
{
	smp_reverse(s->peer_key.x, p->value, LE_COORD_BYTES);
	smp_reverse(s->peer_key.y, p->value + LE_COORD_BYTES, LE_COORD_BYTES);
	/* Our own key sent back would make us prove everything to ourselves. */
	if (memcmp(s->peer_key.x, s->own_key.x, LE_COORD_BYTES) == 0 ||
	    le_dhkey(s->secret, &s->peer_key, s->dhkey) < 0)
		fail(s, SMP_FAIL_DHKEY, -ERR_CRYPTO, "the label's public key is not valid");
	else
		s->step = SMP_COMMIT;
}

static void on_commit(struct smp_central *s, const struct smp_pdu *p)
{
	smp_reverse(s->commit, p->value, LE_KEY_BYTES);
	if (s->io->random(s->user, s->own_nonce, LE_KEY_BYTES) < 0) {
		fail(s, SMP_FAIL_UNSPECIFIED, -ERR_CRYPTO, "no random numbers");
		return;
	}
	s->step = SMP_NONCE;
	send_value(s, SMP_RANDOM, s->own_nonce);
}

static void on_nonce(struct smp_central *s, const struct smp_pdu *p)
{
	uint8_t expected[LE_KEY_BYTES], check[LE_KEY_BYTES];

	smp_reverse(s->peer_nonce, p->value, LE_KEY_BYTES);
	le_f4(s->peer_key.x, s->own_key.x, s->peer_nonce, 0, expected);
	if (!memeql_sec(expected, s->commit, LE_KEY_BYTES)) {
		fail(s, SMP_FAIL_CONFIRM, -ERR_CRYPTO, "the label's confirm value does not match");
		return;
	}
	le_f5(s->dhkey, s->own_nonce, s->peer_nonce, s->own, s->peer, s->mac_key, s->ltk);
	le_f6(s->mac_key, s->own_nonce, s->peer_nonce, zero, s->own_io_cap, s->own, s->peer, check);
	if (s->io->key && s->io->key(s->user, s->ltk) < 0) {
		fail(s, SMP_FAIL_UNSPECIFIED, -EIO, "the key could not be kept");
		return;
	}
	s->step = SMP_CHECK;
	send_value(s, SMP_DHKEY_CHECK, check);
}

static void on_check(struct smp_central *s, const struct smp_pdu *p)
{
	uint8_t expected[LE_KEY_BYTES], got[LE_KEY_BYTES];

	smp_reverse(got, p->value, LE_KEY_BYTES);
	le_f6(s->mac_key, s->peer_nonce, s->own_nonce, zero, s->peer_io_cap, s->peer, s->own,
	      expected);
	if (!memeql_sec(expected, got, LE_KEY_BYTES))
		fail(s, SMP_FAIL_DHKEY, -ERR_CRYPTO, "the label does not know the key");
	else
		finish(s, 0, "");
}

void smp_central_receive(struct smp_central *s, const uint8_t *data, size_t len)
{
	static const struct {
		enum smp_step step;
		uint8_t op;
		void (*fn)(struct smp_central *s, const struct smp_pdu *p);
	} moves[] = {
		{SMP_FEATURES, SMP_PAIRING_RSP, on_features}, {SMP_KEY, SMP_PUBLIC_KEY, on_key},
		{SMP_COMMIT, SMP_CONFIRM, on_commit},         {SMP_NONCE, SMP_RANDOM, on_nonce},
		{SMP_CHECK, SMP_DHKEY_CHECK, on_check},
	};
	struct smp_pdu p;
	int r = smp_decode(data, len, &p);

	if (s->step == SMP_IDLE) /* a label that asks for security gets it without asking */
		return;
	if (r == 0 && p.op == SMP_FAILED) {
		finish(s, -ERR_PEER, smp_failure_name(p.reason));
		return;
	}
	if (r == 0 && p.op == SMP_SECURITY_REQ)
		return;
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(moves); i++)
		if (moves[i].step == s->step && moves[i].op == p.op) {
			moves[i].fn(s, &p);
			return;
		}
	fail(s, r == -ENOTSUP ? SMP_FAIL_COMMAND : SMP_FAIL_PARAMETERS, -ERR_BADMSG,
	     "the label does not follow the pairing protocol");
}
