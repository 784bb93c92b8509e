/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The connected driver on our own small central: labels are called over the same controller that
 * sends the train. Bonds are kept by the owner of the engine, as blobs named "bond:ADDRESS".
 *
 * A label looks its bond up by our address, so that a bond says who we were when it was made. New
 * ones are made under a random static address that belongs to this access point's state and not to
 * its radio ("bond:self"): whoever is given a bond can be who the label knows. Older ones were made
 * under the controller's own address, and are good with that controller alone.
 */
#include "esl-radio/esl_link.h"
#include "esl-radio/esl_radio.h"
#include "esl-radio/le/esl_peer.h"
#include "esl-radio/le/le_bonds.h"

#include "common/err.h"
#include "common/hex.h"
#include "common/wire.h"
#include <errno.h>
#include <string.h>

#define ADVERT_US    (INT64_C(10) * US_PER_SEC) /* a label advertises about once a second */
#define CALL_US      (INT64_C(4) * US_PER_SEC)  /* its subevent comes within an interval */
#define SELF_NAME    ESL_LINK_KEEPS "self"
#define SELF_VERSION 1
#define NAME_BYTES   (sizeof(ESL_LINK_KEEPS) + 2 * ESL_ADDR_BYTES)
#define PUBLIC_ADDR  0
#define RANDOM_ADDR  1
#define PUBLICS_MAX  2048 /* labels without a bond that advertise a public address */

struct link_le {
	struct esl_link base;
	struct loop *loop;
	struct le_central *central;
	struct esl_link_callbacks cb;
	void *user;
	struct le_bonds bonds;
	uint8_t self[ESL_ADDR_BYTES]; /**< who we are to labels that do not know us yet */
	bool has_self, self_kept;
	struct esl_peer *peers[LE_PLACES];
	struct ots_partials partials;
	uint8_t (*publics)[ESL_ADDR_BYTES]; /**< PUBLICS_MAX, by address; NULL = none was heard */
	size_t n_publics;
};

/* --- bonds ------------------------------------------------------------------------------------ */

static const char *bond_name(const uint8_t *addr, char name[NAME_BYTES])
{
	memcpy(name, ESL_LINK_KEEPS, sizeof(ESL_LINK_KEEPS));
	(void) hex_encode(addr, ESL_ADDR_BYTES, name + strlen(ESL_LINK_KEEPS));
	return name;
}

/** Who we are from now on to labels that do not know us. */
static int make_self(struct link_le *k)
{
	int r = k->has_self ? 0 : k->cb.random(k->user, k->self, sizeof(k->self));

	if (r < 0)
		return r;
	k->self[0] |= 0xc0; /* a static one */
	k->has_self = true;
	return 0;
}

static int keep_self(struct link_le *k)
{
	uint8_t blob[1 + ESL_ADDR_BYTES] = {SELF_VERSION};
	int r;

	memcpy(blob + 1, k->self, sizeof(k->self));
	r = k->self_kept ? 0 : k->cb.save(k->user, SELF_NAME, blob, sizeof(blob));
	k->self_kept = r == 0;
	return r;
}

static int save_bond(struct link_le *k, const struct le_bond *b)
{
	_cleanup_buf_ struct buf blob = BUF_INIT;
	char name[NAME_BYTES];
	int r;

	le_bonds_put(&k->bonds, b, &blob);
	r = blob.err;
	if (r == 0)
		r = k->cb.save(k->user, bond_name(b->addr, name), blob.data, blob.len);
	if (blob.data)
		explicit_bzero(blob.data, blob.len);
	return r;
}

static int on_bonded(void *user, const uint8_t addr[ESL_ADDR_BYTES], const struct esl_bond *bond)
{
	struct link_le *k = user;
	int r = k->has_self ? keep_self(k) : 0;
	struct le_bond *b;

	if (r == 0)
		r = le_bonds_keep(&k->bonds, addr, bond);
	if (r < 0)
		return r;
	b = le_bonds_find(&k->bonds, addr);
	(void) le_bonds_remember(&k->bonds, b, &(struct esl_kind){.known = false});
	return save_bond(k, b);
}

/* What could not be kept is found out again after a restart. */
static void on_learned(void *user, const uint8_t addr[ESL_ADDR_BYTES], const struct esl_kind *kind)
{
	struct link_le *k = user;
	struct le_bond *b = le_bonds_find(&k->bonds, addr);

	if (b && le_bonds_remember(&k->bonds, b, kind))
		ignore_result(save_bond(k, b));
}

static void le_doubt(struct esl_link *base, const uint8_t *addr)
{
	on_learned(base, addr, &(struct esl_kind){.known = false});
}

static void on_unbonded(void *user, const uint8_t addr[ESL_ADDR_BYTES])
{
	struct link_le *k = user;
	struct le_bond *b = le_bonds_find(&k->bonds, addr);
	char name[NAME_BYTES];

	if (!b)
		return;
	le_bonds_drop(&k->bonds, b);
	ignore_result(k->cb.save(k->user, bond_name(addr, name), NULL, 0));
}

static int restore_self(struct link_le *k, struct wire *w)
{
	if (wire_get_u8(w) != SELF_VERSION)
		return -ERR_VERSION;
	wire_copy(w, k->self, ESL_ADDR_BYTES);
	k->has_self = k->self_kept = wire_finish(w) == 0;
	return k->has_self ? 0 : -ERR_BADMSG;
}

static int le_restore(struct esl_link *base, const char *key, const void *data, size_t len)
{
	struct link_le *k = (struct link_le *) base;
	const char *hex = key + strlen(ESL_LINK_KEEPS);
	uint8_t addr[ESL_ADDR_BYTES];
	struct wire w;

	wire_init(&w, data, len);
	if (strcmp(key, SELF_NAME) == 0)
		return restore_self(k, &w);
	if (strlen(hex) != 2 * ESL_ADDR_BYTES || hex_decode(hex, addr, sizeof(addr)) < 0)
		return -ERR_BADMSG;
	return le_bonds_get(&k->bonds, addr, &w);
}

/* A bond is one with a name. Under the public address of another radio we are nobody. */
static int le_adopt(struct esl_link *base, const char *key, const void *data, size_t len)
{
	struct link_le *k = (struct link_le *) base;
	const uint8_t *blob = data;
	int r;

	if (strcmp(key, SELF_NAME) == 0 || len < 3 || blob[0] < 2 || blob[2] == 0)
		return -ENOTSUP;
	r = le_restore(base, key, data, len);
	return r < 0 ? r : k->cb.save(k->user, key, data, len);
}

/* --- addresses -------------------------------------------------------------------------------- */

/* A bond says of which type its label's address is; of others it is known from their
 * advertisements. Random ones are the rule, so that public ones are remembered. */

static size_t public_place(const struct link_le *k, const uint8_t *addr)
{
	size_t low = 0, high = k->n_publics;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (memcmp(k->publics[mid], addr, ESL_ADDR_BYTES) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static bool is_public(const struct link_le *k, const uint8_t *addr)
{
	size_t i = public_place(k, addr);

	return i < k->n_publics && memcmp(k->publics[i], addr, ESL_ADDR_BYTES) == 0;
}

/** One too many takes the place of a neighbour, which is heard again. */
static void remember_public(struct link_le *k, const uint8_t *addr)
{
	size_t i = public_place(k, addr);

	if (!k->publics)
		k->publics = calloc(PUBLICS_MAX, sizeof(*k->publics));
	if (!k->publics || is_public(k, addr))
		return;
	if (k->n_publics == PUBLICS_MAX) {
		i = MIN(i, PUBLICS_MAX - 1u);
	} else {
		memmove(k->publics + i + 1, k->publics + i,
			(k->n_publics - i) * sizeof(*k->publics));
		k->n_publics++;
	}
	memcpy(k->publics[i], addr, ESL_ADDR_BYTES);
}

/* --- peers ------------------------------------------------------------------------------------ */

static struct esl_peer **find_peer(struct link_le *k, const uint8_t *addr)
{
	for (size_t i = 0; i < LE_PLACES; i++)
		if (k->peers[i] && !memcmp(esl_peer_addr(k->peers[i]), addr, ESL_ADDR_BYTES))
			return &k->peers[i];
	return NULL;
}

static void on_lost(void *user, const uint8_t addr[ESL_ADDR_BYTES])
{
	struct link_le *k = user;

	k->cb.lost(k->user, addr);
}

static void on_over(void *user, const uint8_t addr[ESL_ADDR_BYTES])
{
	struct esl_peer **p = find_peer(user, addr);
	struct esl_peer *gone = p ? *p : NULL;

	if (p)
		*p = NULL;
	esl_peer_free(gone);
}

static int on_random(void *user, void *to, size_t n)
{
	struct link_le *k = user;

	return k->cb.random(k->user, to, n);
}

static void on_reached(void *user, const uint8_t addr[ESL_ADDR_BYTES])
{
	struct link_le *k = user;

	if (k->cb.reached)
		k->cb.reached(k->user, addr);
}

static void on_broken_off(void *user, const uint8_t addr[ESL_ADDR_BYTES],
			  const struct ots_partial *partial)
{
	ots_partials_put(&((struct link_le *) user)->partials, addr, partial);
}

static const struct esl_peer_callbacks peer_callbacks = {.bonded = on_bonded,
							 .unbonded = on_unbonded,
							 .lost = on_lost,
							 .over = on_over,
							 .random = on_random,
							 .reached = on_reached,
							 .broken_off = on_broken_off,
							 .learned = on_learned};

/* --- the controller --------------------------------------------------------------------------- */

static void central_up(void *user)
{
	struct link_le *k = user;

	k->cb.up(k->user);
}

static void central_down(void *user, int err, const char *text)
{
	struct link_le *k = user;

	k->cb.down(k->user, err, text);
}

/* Does an advertisement name the ESL service? Labels list it among their 16-bit services. */
static bool names_service(const uint8_t *data, size_t len)
{
	while (len > 1 && data[0] > 0 && data[0] < len) {
		size_t n = data[0];

		for (size_t i = 2; (data[1] == 0x02 || data[1] == 0x03) && i + 1 <= n; i += 2)
			if ((data[i] | data[i + 1] << 8) == ESL_SERVICE_UUID)
				return true;
		data += n + 1;
		len -= n + 1;
	}
	return false;
}

static void central_advert(void *user, const struct hci_adv_report *r)
{
	struct link_le *k = user;
	uint8_t addr[ESL_ADDR_BYTES];
	bool bonded;

	if (!(r->type & HCI_ADV_CONNECTABLE) || !names_service(r->data, r->len))
		return;
	for (size_t i = 0; i < ESL_ADDR_BYTES; i++)
		addr[i] = r->addr[ESL_ADDR_BYTES - 1 - i];
	bonded = le_bonds_find(&k->bonds, addr) != NULL;
	if (!bonded && r->addr_type == PUBLIC_ADDR)
		remember_public(k, addr);
	k->cb.advert(k->user, addr, r->rssi, bonded, 0);
}

static const struct le_central_callbacks central_callbacks = {central_up, central_down,
							      central_advert};

/* --- the seam --------------------------------------------------------------------------------- */

static int le_start(struct esl_link *base, const struct esl_link_callbacks *cb, void *user)
{
	struct link_le *k = (struct link_le *) base;

	k->cb = *cb;
	k->user = user;
	return 0; /* the train has started the host; its word comes through central_up() */
}

static int le_scan(struct esl_link *base, bool on)
{
	le_central_scan(((struct link_le *) base)->central, on);
	return 0;
}

static unsigned int le_calls(struct esl_link *base, unsigned int links, unsigned int kept)
{
	return le_central_calls(((struct link_le *) base)->central, links, kept);
}

static int le_connect(struct esl_link *base, const uint8_t *addr, uint8_t subevent, uint8_t esl_id,
		      esl_link_done_fn done, void *user)
{
	struct link_le *k = (struct link_le *) base;
	const struct le_bond *b = le_bonds_find(&k->bonds, addr);
	struct esl_kind kind;
	struct esl_bond bond =
		b ? b->is
		  : (struct esl_bond){.addr_type = is_public(k, addr) ? PUBLIC_ADDR : RANDOM_ADDR,
				      .own_type = RANDOM_ADDR};
	struct le_connect how = {.peer_type = bond.addr_type,
				 .adv_handle = HCI_TRAIN_HANDLE,
				 .subevent =
					 subevent == ESL_ADVERTISING ? LE_NO_SUBEVENT : subevent,
				 .timeout_us = subevent == ESL_ADVERTISING ? ADVERT_US : CALL_US};
	size_t i = 0;
	int r;

	while (i < LE_PLACES && k->peers[i])
		i++;
	if (i == LE_PLACES)
		return -EBUSY;
	if (!b) {
		r = make_self(k);
		if (r < 0)
			return r;
		memcpy(bond.own, k->self, ESL_ADDR_BYTES);
	}
	memcpy(how.peer, addr, ESL_ADDR_BYTES);
	how.own_type = bond.own_type;
	memcpy(how.own, bond.own, ESL_ADDR_BYTES);
	r = esl_peer_new(k->loop, k->central, &how, &bond, &peer_callbacks, k, done, user,
			 &k->peers[i]);
	explicit_bzero(&bond, sizeof(bond));
	if (r == 0)
		esl_peer_set_id(k->peers[i], esl_id);
	if (r == 0 && b && le_bonds_recall(&k->bonds, b, &kind))
		esl_peer_set_kind(k->peers[i], &kind);
	return r;
}

static int le_read_info(struct esl_link *base, const uint8_t *addr, esl_link_done_fn done,
			void *user)
{
	struct esl_peer **p = find_peer((struct link_le *) base, addr);

	return p ? esl_peer_read_info(*p, done, user) : -ERR_STATE;
}

static int le_configure(struct esl_link *base, const uint8_t *addr, const struct esl_link_config *c,
			esl_link_done_fn done, void *user)
{
	struct esl_peer **p = find_peer((struct link_le *) base, addr);

	return p ? esl_peer_configure(*p, c, HCI_TRAIN_HANDLE, done, user) : -ERR_STATE;
}

static int le_write_image(struct esl_link *base, const uint8_t *addr, uint8_t index,
			  const void *data, size_t len, esl_link_done_fn done, void *user)
{
	struct link_le *k = (struct link_le *) base;
	struct esl_peer **p = find_peer(k, addr);
	struct ots_partial kept;

	if (!p)
		return -ERR_STATE;
	kept = ots_partials_take(&k->partials, addr, index, data, len);
	return esl_peer_write_image(*p, index, data, len, kept.len ? &kept : NULL, done, user);
}

static int le_ecp(struct esl_link *base, const uint8_t *addr, const uint8_t *tlv, size_t len,
		  esl_link_done_fn done, void *user)
{
	struct esl_peer **p = find_peer((struct link_le *) base, addr);

	return p ? esl_peer_control(*p, tlv, len, done, user) : -ERR_STATE;
}

static int le_set_time(struct esl_link *base, const uint8_t *addr, uint32_t abs_ms,
		       esl_link_done_fn done, void *user)
{
	struct esl_peer **p = find_peer((struct link_le *) base, addr);

	return p ? esl_peer_set_time(*p, abs_ms, done, user) : -ERR_STATE;
}

static int le_update_complete(struct esl_link *base, const uint8_t *addr, esl_link_done_fn done,
			      void *user)
{
	struct esl_peer **p = find_peer((struct link_le *) base, addr);

	return p ? esl_peer_update_complete(*p, HCI_TRAIN_HANDLE, done, user) : -ERR_STATE;
}

static int le_disconnect(struct esl_link *base, const uint8_t *addr, esl_link_done_fn done,
			 void *user)
{
	struct esl_peer **p = find_peer((struct link_le *) base, addr);

	return p ? esl_peer_close(*p, done, user) : -ERR_STATE;
}

static void le_free(struct esl_link *base)
{
	struct link_le *k = (struct link_le *) base;

	le_central_free(k->central);
	for (size_t i = 0; i < LE_PLACES; i++)
		esl_peer_free(k->peers[i]);
	le_bonds_done(&k->bonds);
	free(k->publics);
	free(k);
}

static const struct esl_link_ops le_ops = {
	.start = le_start,
	.restore = le_restore,
	.adopt = le_adopt,
	.scan = le_scan,
	.calls = le_calls,
	.connect = le_connect,
	.read_info = le_read_info,
	.configure = le_configure,
	.write_image = le_write_image,
	.ecp = le_ecp,
	.set_time = le_set_time,
	.update_complete = le_update_complete,
	.disconnect = le_disconnect,
	.doubt = le_doubt,
	.free = le_free,
};

int esl_link_le_over(struct loop *loop, struct hci_host *host, struct esl_link **ret)
{
	struct link_le *k = calloc(1, sizeof(*k));
	int r;

	if (!k)
		return -ENOMEM;
	k->base.ops = &le_ops;
	k->loop = loop;
	r = le_central_new(loop, host, &central_callbacks, k, &k->central);
	if (r < 0) {
		free(k);
		return r;
	}
	*ret = &k->base;
	return 0;
}
