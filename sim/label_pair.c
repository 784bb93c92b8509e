/* SPDX-License-Identifier: Apache-2.0 */
/* The peripheral's side of LE Secure Connections, Just Works (Vol 3 Part H 2.3.5.6.2). */
#include "common/err.h"
#include "sim/label_host_impl.h"

#include <string.h>

enum {
	STEP_REQUEST,
	STEP_KEY,
	STEP_NONCE,
	STEP_CHECK,
};

static const uint8_t own_io_cap[3] = {SMP_AUTH_BOND | SMP_AUTH_SECURE, 0, SMP_IO_NONE};
static const uint8_t zero[LE_KEY_BYTES];

static void say(struct label_host *h, const struct smp_pdu *p)
{
	uint8_t out[SMP_MAX];
	int n = smp_encode(p, out);

	if (n > 0)
		host_send(h, SMP_CID, out, (size_t) n);
}

static void say_value(struct label_host *h, uint8_t op, const uint8_t value[LE_KEY_BYTES])
{
	struct smp_pdu p = {.op = op};

	smp_reverse(p.value, value, LE_KEY_BYTES);
	say(h, &p);
}

static void refuse(struct label_host *h, uint8_t reason)
{
	say(h, &(struct smp_pdu){.op = SMP_FAILED, .reason = reason});
	memset(&h->pair, 0, sizeof(h->pair));
}

static void fill_random(struct label_host *h, uint8_t *to, size_t n)
{
	for (size_t i = 0; i < n; i++)
		to[i] = (uint8_t) sim_rng_below(&h->rng, 256);
}

/** A label bonds with one access point. */
static bool belongs_to_another(const struct label_host *h)
{
	const struct label_bond *b = h->service.bond;

	return b->has_key && memcmp(b->central, h->central, LE_ADDR_BYTES) != 0;
}

static void on_request(struct label_host *h, const struct smp_pdu *p)
{
	if (belongs_to_another(h) || sim_label_is_taken(h->service.label)) {
		refuse(h, SMP_FAIL_NOT_SUPPORTED);
		return;
	}
	if (!(p->auth & SMP_AUTH_SECURE)) {
		refuse(h, SMP_FAIL_AUTHENTICATION);
		return;
	}
	h->pair = (struct host_pair){.running = true, .step = STEP_KEY};
	h->pair.peer_io_cap[0] = p->auth;
	h->pair.peer_io_cap[1] = p->oob;
	h->pair.peer_io_cap[2] = p->io;
	say(h, &(struct smp_pdu){.op = SMP_PAIRING_RSP,
				 .io = SMP_IO_NONE,
				 .auth = own_io_cap[0],
				 .key_size = SMP_KEY_SIZE});
}

static void on_key(struct label_host *h, const struct smp_pdu *p)
{
	struct host_pair *s = &h->pair;
	struct smp_pdu key = {.op = SMP_PUBLIC_KEY};
	uint8_t commit[LE_KEY_BYTES];

	smp_reverse(s->peer_key.x, p->value, LE_COORD_BYTES);
	smp_reverse(s->peer_key.y, p->value + LE_COORD_BYTES, LE_COORD_BYTES);
	do
		fill_random(h, s->secret, sizeof(s->secret));
	while (le_public_key(s->secret, &s->own_key) < 0);
	if (le_dhkey(s->secret, &s->peer_key, s->dhkey) < 0) {
		refuse(h, SMP_FAIL_DHKEY);
		return;
	}
	smp_reverse(key.value, s->own_key.x, LE_COORD_BYTES);
	smp_reverse(key.value + LE_COORD_BYTES, s->own_key.y, LE_COORD_BYTES);
	say(h, &key);
	fill_random(h, s->own_nonce, sizeof(s->own_nonce));
	le_f4(s->own_key.x, s->peer_key.x, s->own_nonce, 0, commit);
	s->step = STEP_NONCE;
	say_value(h, SMP_CONFIRM, commit);
}

static void on_nonce(struct label_host *h, const struct smp_pdu *p)
{
	struct host_pair *s = &h->pair;

	smp_reverse(s->peer_nonce, p->value, LE_KEY_BYTES);
	le_f5(s->dhkey, s->peer_nonce, s->own_nonce, h->central, h->own, s->mac_key, s->ltk);
	s->step = STEP_CHECK;
	say_value(h, SMP_RANDOM, s->own_nonce);
}

static void on_check(struct label_host *h, const struct smp_pdu *p)
{
	struct host_pair *s = &h->pair;
	uint8_t expected[LE_KEY_BYTES], got[LE_KEY_BYTES], own[LE_KEY_BYTES];

	smp_reverse(got, p->value, LE_KEY_BYTES);
	le_f6(s->mac_key, s->peer_nonce, s->own_nonce, zero, s->peer_io_cap, h->central, h->own,
	      expected);
	if (memcmp(got, expected, LE_KEY_BYTES) != 0) {
		refuse(h, SMP_FAIL_DHKEY);
		return;
	}
	le_f6(s->mac_key, s->own_nonce, s->peer_nonce, zero, own_io_cap, h->own, h->central, own);
	h->service.bond->has_key = true;
	host_bonded(h);
	memcpy(h->service.bond->ltk, s->ltk, LE_KEY_BYTES);
	memcpy(h->service.bond->central, h->central, LE_ADDR_BYTES);
	h->service.bond->pairings++;
	say_value(h, SMP_DHKEY_CHECK, own);
	memset(s, 0, sizeof(*s));
}

void host_pair_packet(struct label_host *h, const uint8_t *data, size_t len)
{
	static const struct {
		uint8_t op, step;
		void (*fn)(struct label_host *h, const struct smp_pdu *p);
	} moves[] = {
		{SMP_PUBLIC_KEY, STEP_KEY, on_key},
		{SMP_RANDOM, STEP_NONCE, on_nonce},
		{SMP_DHKEY_CHECK, STEP_CHECK, on_check},
	};
	struct smp_pdu p;
	int r = smp_decode(data, len, &p);

	if (r == 0 && p.op == SMP_FAILED) {
		memset(&h->pair, 0, sizeof(h->pair));
		return;
	}
	if (r == 0 && p.op == SMP_PAIRING_REQ) {
		on_request(h, &p);
		return;
	}
	for (size_t i = 0; r == 0 && h->pair.running && i < ARRAY_SIZE(moves); i++)
		if (moves[i].op == p.op && moves[i].step == h->pair.step) {
			moves[i].fn(h, &p);
			return;
		}
	refuse(h, SMP_FAIL_PARAMETERS);
}
