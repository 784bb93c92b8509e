/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A label on a link that says whatever the input says. Input is a row of pieces `[what][length]
 * [bytes]`: what & 7 = attribute packet, security packet, signal, frame of the picture channel,
 * encryption on or refused, a job, time, the end of the link. The central behind the peer is a twin
 * that remembers what it is asked; every job must have exactly one answer, and none after the end.
 */
#include "common/err.h"
#include "esl-radio/le/att_wire.h"
#include "esl-radio/le/esl_peer.h"
#include "esl-radio/le/l2cap_wire.h"
#include "esl-radio/le/smp_wire.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct le_link {
	struct le_link_callbacks cb;
	void *user;
	bool up, closing, encrypting;
};

struct rig {
	struct loop *loop;
	struct esl_peer *peer;
	int64_t now_us;
	unsigned int asked, answered;
	uint8_t dice;
	bool over;
};

static struct le_link twin;
static hci_done_fn synced;
static void *synced_user;

/* --- twin of le_central ----------------------------------------------------------------------- */

int le_central_connect(struct le_central *c, const struct le_connect *how,
		       const struct le_link_callbacks *cb, void *user, struct le_link **ret)
{
	(void) c;
	(void) how;
	twin = (struct le_link){.cb = *cb, .user = user};
	*ret = &twin;
	return 0;
}

void le_link_close(struct le_link *l)
{
	l->closing = true;
}

int le_link_encrypt(struct le_link *l, const uint8_t ltk[HCI_KEY_BYTES])
{
	(void) ltk;
	if (l->closing)
		return -ERR_STATE;
	l->encrypting = true;
	return 0;
}

int le_link_send(struct le_link *l, uint16_t cid, const void *data, size_t len)
{
	(void) cid;
	(void) data;
	if (len > LE_FRAME_MAX)
		abort();
	return l->up && !l->closing ? 0 : -ERR_STATE;
}

int le_link_transfer_sync(struct le_link *l, uint8_t adv_handle, hci_done_fn done, void *user)
{
	(void) adv_handle;
	if (!l->up || l->closing)
		return -ERR_STATE;
	synced = done;
	synced_user = user;
	return 0;
}

const uint8_t *le_central_address(const struct le_central *c)
{
	static const uint8_t address[HCI_ADDR_BYTES] = {1, 2, 3, 4, 5, 6};

	(void) c;
	return address;
}

/* --- the owner -------------------------------------------------------------------------------- */

static int on_bonded(void *user, const uint8_t *addr, const struct esl_bond *bond)
{
	(void) addr;
	(void) bond;
	return ((struct rig *) user)->dice & 1 ? -EIO : 0;
}

static void on_word(void *user, const uint8_t *addr)
{
	(void) user;
	(void) addr;
}

static void on_over(void *user, const uint8_t *addr)
{
	struct rig *r = user;

	(void) addr;
	if (r->over)
		abort();
	r->over = true;
	esl_peer_free(r->peer);
	r->peer = NULL;
}

static int on_random(void *user, void *to, size_t n)
{
	(void) user;
	memset(to, 7, n);
	return 0;
}

static void on_learned(void *user, const uint8_t *addr, const struct esl_kind *kind)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct esl_kind again;

	(void) user;
	(void) addr;
	esl_kind_put(&b, kind);
	if (!buf_ok(&b) || b.len > ESL_KIND_MAX || esl_kind_get(b.data, b.len, &again) < 0)
		abort();
}

static const struct esl_peer_callbacks peer_cb = {on_bonded, on_word, on_word, on_over,
						  on_random, on_word, NULL,    on_learned};

/** From an earlier link, under a hash of sixteen fives. */
static const struct esl_kind remembered = {
	.known = true,
	.has_facts = true,
	.hash = {5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5},
	.value = {3, 5, 7, 9, 11, 13, 15, 17, 19, 22, 24, 26, 28, 31, 34},
	.turn_on = {[8] = 20, [12] = 29, [13] = 32, [14] = 35},
	.facts = {.n_displays = 1, .displays = {{64, 32, 1}}, .n_sensors = 1},
};

static void on_done(void *user, int err, const struct esl_link_result *res)
{
	struct rig *r = user;

	if ((err == 0) != (res != NULL) || r->answered >= r->asked)
		abort();
	r->answered++;
}

static int start_job(struct rig *r, uint8_t which)
{
	static const uint8_t tlv[] = {ESL_OP_PING, 1}, picture[600] = {1};
	struct esl_link_config config = {.esl_address = 0x0101};

	switch (which % 7) {
	case 0:
		return esl_peer_read_info(r->peer, on_done, r);
	case 1:
		return esl_peer_configure(r->peer, &config, 0, on_done, r);
	case 2:
		return esl_peer_write_image(
			r->peer, 1, picture, sizeof(picture),
			&(struct ots_partial){
				.index = 1, .unit = 64, .len = sizeof(picture), .sent = 300},
			on_done, r);
	case 3:
		return esl_peer_control(r->peer, tlv, sizeof(tlv), on_done, r);
	case 4:
		return esl_peer_set_time(r->peer, 1000, on_done, r);
	case 5:
		return esl_peer_update_complete(r->peer, 0, on_done, r);
	default:
		return esl_peer_close(r->peer, on_done, r);
	}
}

static void end_link(struct rig *r, uint8_t reason)
{
	if (!r->peer)
		return;
	if (twin.up)
		twin.cb.closed(twin.user, reason);
	else
		twin.cb.connected(twin.user, -ETIMEDOUT);
	twin.up = false;
}

static void play(struct rig *r, uint8_t what, const uint8_t *bytes, size_t len)
{
	static const uint16_t channels[] = {ATT_CID, SMP_CID, L2CAP_SIGNAL_CID, L2CAP_DYNAMIC_CID};
	uint8_t first = len ? bytes[0] : 0;

	r->dice = what >> 3;
	switch (what & 7) {
	case 4:
		if (twin.encrypting && !twin.closing) {
			twin.encrypting = false;
			twin.cb.encrypted(twin.user, first & 1 ? -ERR_CRYPTO : 0);
		}
		break;
	case 5:
		r->asked++;
		if (start_job(r, first) < 0)
			r->asked--;
		break;
	case 6:
		r->now_us += (int64_t) first * 100 * US_PER_MS;
		loop_run_until(r->loop, r->now_us);
		break;
	case 7:
		if (synced && first & 1) {
			hci_done_fn done = synced;

			synced = NULL;
			done(synced_user, first >> 1, NULL, 0);
		} else if (first & 2) {
			end_link(r, 8);
		}
		break;
	default:
		if (twin.up && !twin.closing)
			twin.cb.frame(twin.user, channels[what & 3], bytes, len);
	}
	if (twin.closing)
		end_link(r, HCI_ERR_LOCAL_ENDED);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct le_connect how = {.peer = {0xc0, 0xff, 0xee, 0, 0, 1}, .peer_type = 1};
	struct esl_bond bond = {.known = size > 0 && data[0] & 1};
	struct rig r = {.asked = 1};

	synced = NULL;
	if (size == 0 || loop_new_virtual(0, US_PER_SEC, &r.loop) < 0)
		return 0;
	if (esl_peer_new(r.loop, NULL, &how, &bond, &peer_cb, &r, on_done, &r, &r.peer) < 0)
		abort();
	if (data[0] & 2)
		esl_peer_set_kind(r.peer, &remembered);
	twin.up = true;
	twin.cb.connected(twin.user, 0);
	for (size_t at = 1; at + 2 <= size && r.peer;) {
		size_t len = MIN((size_t) data[at + 1], size - at - 2);

		play(&r, data[at], data + at + 2, len);
		at += 2 + len;
	}
	end_link(&r, 8);
	if (!r.over || r.asked != r.answered)
		abort();
	loop_free(r.loop);
	return 0;
}
