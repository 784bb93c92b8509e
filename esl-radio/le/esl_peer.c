/* SPDX-License-Identifier: Apache-2.0 */
#include "esl-radio/le/esl_peer_impl.h"

#include "common/err.h"
#include <errno.h>
#include <string.h>

#define SECURE_US (INT64_C(10) * US_PER_SEC) /* from the link to services found */

/* --- jobs ------------------------------------------------------------------------------------- */

int peer_begin(struct esl_peer *p, int64_t patience_us, esl_link_done_fn done, void *user)
{
	if (!p->ready || !p->link || p->told_to_go)
		return -ERR_STATE;
	if (p->done)
		return -EBUSY;
	p->done = done;
	p->done_user = user;
	p->res = (struct esl_link_result){.temperature_cc = INT16_MIN};
	loop_timer_start(p->deadline, patience_us);
	return 0;
}

void peer_finish(struct esl_peer *p, int err)
{
	esl_link_done_fn done = p->done;
	struct esl_link_result res = p->res;

	if (!done)
		return;
	p->done = NULL;
	p->choosing = p->trusting = false;
	loop_timer_stop(p->deadline);
	buf_clear(&p->picture);
	done(p->done_user, err, err < 0 ? NULL : &res);
}

void peer_fail(struct esl_peer *p, int err)
{
	if (p->link)
		le_link_close(p->link);
	p->told_to_go = true;
	peer_finish(p, err);
}

/* A label that was told to go and has not gone is sent away. */
static void on_deadline(void *user)
{
	struct esl_peer *p = user;

	if (p->trusting) {
		peer_transfer_silent(p);
		return;
	}
	if (!p->told_to_go || p->sent_away || !p->link) {
		if (p->recalled && p->link)
			peer_forget_kind(p); /* it may be that which it does not understand */
		peer_fail(p, -ETIMEDOUT);
		return;
	}
	p->sent_away = true;
	loop_timer_start(p->deadline, SECURE_US);
	le_link_close(p->link);
}

/* --- attributes ------------------------------------------------------------------------------- */

static void on_answer(void *user, int err, const struct att_pdu *answer)
{
	struct esl_peer *p = user;
	att_done_fn done = p->asked_by;

	p->asked_by = NULL;
	if (err == -ERR_PEER)
		peer_doubt(p, answer);
	done(p, err, answer);
}

void peer_ask(struct esl_peer *p, const struct att_pdu *pdu, att_done_fn done)
{
	int r;

	/* Procedures are chains, so that there is one request at a time, but for the first. */
	if (p->asked_by) {
		r = att_client_request(&p->att, pdu, done, p);
	} else {
		r = att_client_request(&p->att, pdu, on_answer, p);
		p->asked_by = r < 0 ? NULL : done;
	}
	if (r < 0)
		peer_fail(p, r);
}

static void write_piece(struct esl_peer *p);

static void on_cancelled(void *user, int err, const struct att_pdu *answer)
{
	struct esl_peer *p = user;

	p->written(p, err < 0 ? err : -ERR_PEER, answer);
}

/* The label says back what it has queued: what is not ours, or not all of it, is taken back, and
 * none of it is written (Vol 3 Part G 4.9.5). */
static void on_piece(void *user, int err, const struct att_pdu *answer)
{
	struct esl_peer *p = user;
	size_t from = p->value_at - p->piece_len;
	bool same = err == 0 && answer->handle == p->value_handle && answer->offset == from &&
		    answer->len == p->piece_len &&
		    memcmp(answer->value, p->value.data + from, answer->len) == 0;

	if (same)
		write_piece(p);
	else if (err == 0 || err == -ERR_PEER)
		peer_ask(p, &(struct att_pdu){.op = ATT_EXECUTE_REQ, .flags = 0}, on_cancelled);
	else
		p->written(p, err, answer);
}

/* Prepares the next piece of p->value, or has all of them written. */
static void write_piece(struct esl_peer *p)
{
	struct att_pdu pdu = {
		.op = ATT_PREPARE_REQ, .handle = p->value_handle, .offset = (uint16_t) p->value_at};

	if (p->value_at == p->value.len) {
		peer_ask(p, &(struct att_pdu){.op = ATT_EXECUTE_REQ, .flags = 1}, p->written);
		return;
	}
	pdu.value = p->value.data + p->value_at;
	pdu.len = MIN(p->value.len - p->value_at, (size_t) p->att.mtu - 5);
	p->value_at += pdu.len;
	p->piece_len = pdu.len;
	peer_ask(p, &pdu, on_piece);
}

void peer_write(struct esl_peer *p, enum chr chr, const void *data, size_t len, att_done_fn done)
{
	struct att_pdu pdu = {
		.op = ATT_WRITE_REQ, .handle = p->chr[chr].value, .value = data, .len = len};

	if (len + 3 <= p->att.mtu) {
		peer_ask(p, &pdu, done);
		return;
	}
	p->value_handle = p->chr[chr].value;
	p->value_at = 0;
	p->written = done;
	buf_clear(&p->value);
	buf_put(&p->value, data, len);
	if (buf_ok(&p->value))
		write_piece(p);
	else
		peer_fail(p, p->value.err);
}

static void on_read(void *user, int err, const struct att_pdu *answer)
{
	struct esl_peer *p = user;
	struct att_pdu more = {.op = ATT_READ_BLOB_REQ, .handle = p->value_handle};

	/* A value that ends where a packet ends is known to by the refusal to read on. */
	if (err == -ERR_PEER && p->value.len > 0)
		answer = NULL;
	else if (err < 0) {
		p->value_read(p, err);
		return;
	}
	if (answer)
		buf_put(&p->value, answer->value, answer->len);
	if (!buf_ok(&p->value)) {
		peer_fail(p, p->value.err);
	} else if (answer && answer->len == p->att.mtu - 1u && p->value.len < ATT_VALUE_MAX) {
		more.offset = (uint16_t) p->value.len;
		peer_ask(p, &more, on_read);
	} else {
		p->value_read(p, 0);
	}
}

void peer_read(struct esl_peer *p, enum chr chr, void (*read)(struct esl_peer *p, int err))
{
	buf_clear(&p->value);
	p->value_read = read;
	p->value_handle = p->chr[chr].value;
	if (p->value_handle)
		peer_ask(p, &(struct att_pdu){.op = ATT_READ_REQ, .handle = p->value_handle},
			 on_read);
	else
		read(p, -ENOENT);
}

static void att_send(void *user, const uint8_t *packet, size_t len)
{
	struct esl_peer *p = user;

	if (p->link && le_link_send(p->link, ATT_CID, packet, len) < 0)
		le_link_close(p->link);
}

static void att_value(void *user, uint16_t handle, const uint8_t *data, size_t len)
{
	struct esl_peer *p = user;

	if (handle == p->chr[CHR_CONTROL].value)
		peer_control_value(p, data, len);
	else if (handle == p->chr[CHR_OACP].value)
		peer_transfer_value(p, CHR_OACP, data, len);
	else if (handle == p->chr[CHR_OLCP].value)
		peer_transfer_value(p, CHR_OLCP, data, len);
	else if (p->ready && handle && handle == p->chr[CHR_CHANGED].value) {
		peer_forget_kind(p);
		peer_fail(p, -ERR_PEER); /* nothing of it is where it was */
	}
}

/* Every job has a shorter patience than an attribute request. */
static void att_waiting(void *user, bool on)
{
	(void) user;
	(void) on;
}

static const struct att_client_io att_io = {att_send, att_value, att_waiting};

/* --- securing --------------------------------------------------------------------------------- */

static void smp_send(void *user, const uint8_t *packet, size_t len)
{
	struct esl_peer *p = user;

	if (p->link && le_link_send(p->link, SMP_CID, packet, len) < 0)
		le_link_close(p->link);
}

static int smp_random(void *user, void *to, size_t n)
{
	struct esl_peer *p = user;

	return p->cb.random(p->user, to, n);
}

static void encrypt(struct esl_peer *p)
{
	int r = le_link_encrypt(p->link, p->bond.ltk);

	if (r < 0)
		peer_fail(p, r);
}

static void smp_done(void *user, int err, const uint8_t ltk[LE_KEY_BYTES], const char *why)
{
	struct esl_peer *p = user;

	(void) why;
	(void) ltk;
	if (err < 0) {
		if (p->bond_kept)
			p->cb.unbonded(p->user, p->how.peer);
		peer_fail(p, err);
		return;
	}
	p->bond.known = true;
	encrypt(p);
}

/* Kept before the label can believe that we have it: it pairs with nobody else from then on. */
static int smp_key(void *user, const uint8_t ltk[LE_KEY_BYTES])
{
	struct esl_peer *p = user;
	struct esl_bond bond = {.known = true, .addr_type = p->how.peer_type};
	int r;

	bond.own_type = p->how.own_type;
	memcpy(bond.own, p->how.own, sizeof(bond.own));
	memcpy(bond.ltk, ltk, LE_KEY_BYTES);
	r = p->cb.bonded(p->user, p->how.peer, &bond);
	p->bond_kept = r == 0;
	if (r == 0) {
		p->bond = bond;
		p->bond.known = false; /* until the label has proved that it has it, too */
	}
	explicit_bzero(&bond, sizeof(bond));
	return r;
}

static const struct smp_central_io smp_io = {smp_send, smp_random, smp_done, smp_key};

static void pair(struct esl_peer *p)
{
	uint8_t own[LE_ADDR_BYTES] = {p->how.own_type}, peer[LE_ADDR_BYTES];

	memcpy(own + 1, p->how.own_type ? p->how.own : le_central_address(p->central),
	       HCI_ADDR_BYTES);
	peer[0] = p->how.peer_type;
	memcpy(peer + 1, p->how.peer, HCI_ADDR_BYTES);
	smp_central_start(&p->smp, &smp_io, p, own, peer);
}

static void on_encrypted(void *user, int err)
{
	struct esl_peer *p = user;
	bool forgotten = err == -ERR_CRYPTO && p->bond.known && !p->secured;

	if (err == 0 && !p->secured) {
		p->secured = true;
		peer_recall(p);
	} else if (forgotten) { /* it went through a reset: the old key is worth nothing */
		explicit_bzero(&p->bond, sizeof(p->bond));
		p->kind = (struct esl_kind){.known = false};
		p->cb.unbonded(p->user, p->how.peer);
		p->res.rebonded = true;
		pair(p);
	} else if (err < 0) {
		peer_fail(p, err);
	}
}

static void on_mtu(void *user, int err, const struct att_pdu *answer)
{
	struct esl_peer *p = user;

	if (err == 0)
		att_client_set_mtu(&p->att, answer->mtu);
	else if (err != -ERR_PEER) {
		peer_fail(p, err);
		return;
	}
	if (!p->bond.known && !p->res.rebonded)
		pair(p);
}

/* --- the link --------------------------------------------------------------------------------- */

static void on_connected(void *user, int err)
{
	struct esl_peer *p = user;

	if (err < 0) {
		p->link = NULL;
		peer_finish(p, err);
		p->cb.over(p->user, p->how.peer);
		return;
	}
	loop_timer_start(p->deadline, SECURE_US);
	if (p->cb.reached)
		p->cb.reached(p->user, p->how.peer);
	peer_ask(p, &(struct att_pdu){.op = ATT_MTU_REQ, .mtu = ATT_MTU_MAX}, on_mtu);
	if (p->bond.known && p->link) /* they do not wait for each other */
		encrypt(p);
}

uint8_t peer_signal_id(struct esl_peer *p)
{
	p->signal_id = (uint8_t) (p->signal_id % 255 + 1);
	return p->signal_id;
}

void peer_signal(struct esl_peer *p, const struct l2cap_signal *s)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct l2cap_signal with_id = *s;

	if (!with_id.id)
		with_id.id = peer_signal_id(p);
	if (l2cap_put_signal(&b, &with_id) < 0 || !p->link ||
	    le_link_send(p->link, L2CAP_SIGNAL_CID, b.data + L2CAP_HEADER, b.len - L2CAP_HEADER) <
		    0)
		peer_fail(p, -ENOMEM);
}

/* The label may ask for other connection parameters; ours are chosen for the whole train. */
static void on_signal(struct esl_peer *p, const uint8_t *data, size_t len)
{
	struct l2cap_signal s;
	int r = l2cap_get_signal(data, len, &s);

	if (r == 0 && l2cap_channel_signal(&p->channel, &s))
		return;
	if (r == 0 && s.code == L2CAP_PARAMS_REQ)
		peer_signal(p, &(struct l2cap_signal){
				       .code = L2CAP_PARAMS_RSP, .id = s.id, .result = 1});
	else if (s.id && s.code != L2CAP_REJECT && !(s.code & 1))
		peer_signal(p, &(struct l2cap_signal){.code = L2CAP_REJECT, .id = s.id});
}

static void on_frame(void *user, uint16_t cid, const uint8_t *data, size_t len)
{
	struct esl_peer *p = user;

	if (cid == ATT_CID) {
		if (att_client_receive(&p->att, data, len) < 0)
			peer_fail(p, -ERR_BADMSG);
	} else if (cid == SMP_CID) {
		smp_central_receive(&p->smp, data, len);
	} else if (cid == L2CAP_SIGNAL_CID) {
		on_signal(p, data, len);
	} else if (cid == p->channel.own_cid) {
		l2cap_channel_frame(&p->channel, data, len);
	}
}

static void on_closed(void *user, uint8_t reason)
{
	struct esl_peer *p = user;
	bool asked = p->done != NULL;

	(void) reason;
	p->link = NULL;
	p->ready = false;
	peer_picture_lost(p);
	smp_central_forget(&p->smp);
	l2cap_channel_drop(&p->channel);
	att_client_done(&p->att);
	if (p->done)
		peer_finish(p, p->told_to_go ? 0 : -ERR_CLOSED);
	else if (!asked && !p->told_to_go)
		p->cb.lost(p->user, p->how.peer);
	p->cb.over(p->user, p->how.peer);
}

/* --- life ------------------------------------------------------------------------------------- */

int esl_peer_new(struct loop *loop, struct le_central *central, const struct le_connect *how,
		 const struct esl_bond *bond, const struct esl_peer_callbacks *cb, void *user,
		 esl_link_done_fn done, void *done_user, struct esl_peer **ret)
{
	static const struct le_link_callbacks link_cb = {on_connected, on_encrypted, on_frame,
							 on_closed};
	struct esl_peer *p = calloc(1, sizeof(*p));
	int e;

	if (!p)
		return -ENOMEM;
	p->loop = loop;
	p->central = central;
	p->how = *how;
	p->bond = *bond;
	p->cb = *cb;
	p->user = user;
	p->done = done;
	p->done_user = done_user;
	p->res.temperature_cc = INT16_MIN;
	att_client_init(&p->att, &att_io, p);
	e = loop_timer_new(loop, on_deadline, p, &p->deadline);
	if (e == 0)
		e = le_central_connect(central, how, &link_cb, p, &p->link);
	if (e < 0) {
		esl_peer_free(p);
		return e;
	}
	*ret = p;
	return 0;
}

void esl_peer_free(struct esl_peer *p)
{
	if (!p)
		return;
	smp_central_forget(&p->smp);
	l2cap_channel_drop(&p->channel);
	p->done = NULL;
	p->told_to_go = true;
	p->link = NULL;
	if (p->deadline) /* a constructor that failed had not come so far */
		att_client_done(&p->att);
	loop_timer_free(p->deadline); /* last: what waits for an answer may start it once more */
	buf_done(&p->value);
	buf_done(&p->picture);
	explicit_bzero(p, sizeof(*p));
	free(p);
}

const uint8_t *esl_peer_addr(const struct esl_peer *p)
{
	return p->how.peer;
}

void esl_peer_set_kind(struct esl_peer *p, const struct esl_kind *kind)
{
	p->kind = *kind;
}

void esl_peer_set_id(struct esl_peer *p, uint8_t esl_id)
{
	p->esl_id = esl_id;
}

int esl_peer_close(struct esl_peer *p, esl_link_done_fn done, void *user)
{
	if (!p->link)
		return -ERR_STATE;
	if (p->done)
		peer_finish(p, -ERR_CLOSED);
	p->done = done;
	p->done_user = user;
	p->told_to_go = p->sent_away = true;
	loop_timer_start(p->deadline, SECURE_US);
	le_link_close(p->link);
	return 0;
}
