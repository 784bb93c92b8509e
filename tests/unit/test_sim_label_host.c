/* SPDX-License-Identifier: Apache-2.0 */
/* The channel for pictures of a label's own host, and an access point that does not keep to what
 * was agreed on it. */
#include "tests/unit/test_common.h"

#include "common/buf.h"
#include "esl-radio/le/att_wire.h"
#include "esl-radio/le/l2cap_wire.h"
#include "sim/label_host.h"
#include <string.h>

#define OWN_CID      0x41
#define LABEL_CID    0x50
#define SPSM         0x25
#define UNIT_MOST    1494
#define PIECE_MOST   247
#define PIECES_FIRST 6 /* credits it gives at first */

struct bench {
	struct sim_label *label;
	struct label_bond bond;
	struct label_host *host;
	struct l2cap_signal last; /* it has sent */
	unsigned int ended, credits;
};

static void on_frame(void *user, uint16_t cid, const uint8_t *data, size_t len)
{
	struct bench *b = user;

	assert_int_equal(cid, L2CAP_SIGNAL_CID);
	assert_int_equal(l2cap_get_signal(data, len, &b->last), 0);
	b->ended += b->last.code == L2CAP_DISCONNECT_REQ;
	b->credits += b->last.code == L2CAP_CREDITS ? b->last.credits : 0;
}

static void on_end(void *user)
{
	(void) user;
}

static bool in_range(void *user)
{
	(void) user;
	return true;
}

static const struct label_host_io io = {on_frame, on_end, in_range};

static void signal_it(struct bench *b, const struct l2cap_signal *s)
{
	_cleanup_buf_ struct buf f = BUF_INIT;

	assert_int_equal(l2cap_put_signal(&f, s), 0);
	label_host_frame(b->host, L2CAP_SIGNAL_CID, f.data + L2CAP_HEADER, f.len - L2CAP_HEADER, 0);
}

/** A link that is encrypted, with a channel. */
static void bench_open(struct bench *b)
{
	static const struct sim_label_model model = {
		.width = 8, .height = 8, .type = DISPLAY_BLACK_WHITE, .slots = 1};
	static const uint8_t addr[SIM_LABEL_ADDR_BYTES] = {0xc0, 0xff, 0xee, 0, 0, 1};
	static const uint8_t central[7] = {0, 0xc0, 0xd0, 0xda, 0xa0, 0x01, 0};

	*b = (struct bench){0};
	assert_int_equal(sim_label_new(addr, &model, 1, NULL, NULL, &b->label), 0);
	assert_int_equal(label_host_new(b->label, &b->bond, central, 1, &io, b, &b->host), 0);
	label_host_encrypted(b->host, 0);
	signal_it(b, &(struct l2cap_signal){.code = L2CAP_CREDIT_CONNECT_REQ,
					    .id = 1,
					    .spsm = SPSM,
					    .scid = OWN_CID,
					    .mtu = 100,
					    .mps = 100,
					    .credits = 1});
	assert_int_equal(b->last.code, L2CAP_CREDIT_CONNECT_RSP);
	assert_int_equal(b->last.result, L2CAP_OK);
	assert_int_equal(b->last.dcid, LABEL_CID);
	assert_int_equal(b->last.mtu, UNIT_MOST);
	assert_int_equal(b->last.mps, PIECE_MOST);
	assert_int_equal(b->last.credits, PIECES_FIRST);
}

static void bench_close(struct bench *b)
{
	label_host_free(b->host);
	label_bond_drop_kept(&b->bond);
	sim_label_free(b->label);
}

/** A piece of so many bytes, the length of its unit among them if it is the first. */
static void piece(struct bench *b, size_t len, uint16_t unit)
{
	uint8_t data[PIECE_MOST + 1] = {(uint8_t) unit, (uint8_t) (unit >> 8)};

	label_host_frame(b->host, LABEL_CID, data, len, 0);
}

static void longest_unit_in_longest_pieces_is_taken(void **state)
{
	size_t left = UNIT_MOST + 2;
	struct bench b;

	(void) state;
	bench_open(&b);
	for (uint16_t unit = UNIT_MOST; left > 0; unit = 0) {
		size_t n = left < PIECE_MOST ? left : PIECE_MOST;

		piece(&b, n, unit);
		left -= n;
	}
	assert_int_equal(b.ended, 0);
	assert_true(b.credits >= 3); /* seven pieces, of which it had given six */
	piece(&b, 12, 10);
	assert_int_equal(b.ended, 0);
	bench_close(&b);
}

static void unit_longer_than_agreed_ends_the_channel(void **state)
{
	struct bench b;

	(void) state;
	bench_open(&b);
	piece(&b, 100, UNIT_MOST + 1);
	assert_int_equal(b.ended, 1);
	assert_int_equal(b.last.dcid, OWN_CID);
	/* Its answer is no request; and nothing is there any more. */
	signal_it(&b, &(struct l2cap_signal){.code = L2CAP_DISCONNECT_RSP,
					     .id = b.last.id,
					     .scid = b.last.scid,
					     .dcid = OWN_CID});
	assert_int_equal(b.last.code, L2CAP_DISCONNECT_REQ);
	piece(&b, 100, UNIT_MOST + 1);
	assert_int_equal(b.ended, 1);
	bench_close(&b);
}

static void piece_longer_than_agreed_ends_the_channel(void **state)
{
	struct bench b;

	(void) state;
	bench_open(&b);
	piece(&b, PIECE_MOST + 1, 1000);
	assert_int_equal(b.ended, 1);
	bench_close(&b);
}

static void more_than_the_unit_ends_the_channel(void **state)
{
	struct bench b;

	(void) state;
	bench_open(&b);
	piece(&b, 12, 20);
	piece(&b, 11, 0);
	assert_int_equal(b.ended, 1);
	bench_close(&b);
}

static void piece_without_a_length_ends_the_channel(void **state)
{
	struct bench b;

	(void) state;
	bench_open(&b);
	piece(&b, 1, 1);
	assert_int_equal(b.ended, 1);
	bench_close(&b);
}

/* --- what the services take ---------------------------------------------------------------------
 */

static void no_tell(void *user, enum label_value value, const uint8_t *data, size_t len)
{
	(void) user;
	(void) value;
	(void) data;
	(void) len;
	fail();
}

static void address_of_every_label_is_refused_where_it_is_written(void **state)
{
	static const struct label_service_io none = {no_tell, on_end, in_range};
	struct label_service s;
	struct bench b;

	(void) state;
	bench_open(&b);
	label_service_init(&s, b.label, &b.bond, &none, NULL);
	assert_int_equal(label_service_write(&s, VALUE_ADDRESS, (const uint8_t *) "\xff\x02", 2),
			 ATT_ERR_WRITE_REJECTED);
	assert_int_equal(label_service_write(&s, VALUE_ADDRESS, (const uint8_t *) "\xfe\x82", 2),
			 0);
	label_service_done(&s);
	bench_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(longest_unit_in_longest_pieces_is_taken),
		cmocka_unit_test(unit_longer_than_agreed_ends_the_channel),
		cmocka_unit_test(piece_longer_than_agreed_ends_the_channel),
		cmocka_unit_test(more_than_the_unit_ends_the_channel),
		cmocka_unit_test(piece_without_a_length_ends_the_channel),
		cmocka_unit_test(address_of_every_label_is_refused_where_it_is_written),
	};

	return cmocka_run_group_tests_name("sim_label_host", tests, NULL, NULL);
}
