/* SPDX-License-Identifier: Apache-2.0 */
/* The attribute client and the credit-based channel against a label that the test plays. */
#include "common/err.h"
#include "esl-radio/le/att_client.h"
#include "esl-radio/le/l2cap_channel.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* --- attribute client ------------------------------------------------------------------------- */

struct att_rig {
	struct att_client c;
	struct att_pdu out[40];
	uint8_t bytes[40][64];
	unsigned int n_out, values, answers;
	uint16_t handle;
	int err[40];
	struct att_pdu answer;
	bool waiting, chain;
};

static void att_send(void *user, const uint8_t *packet, size_t len)
{
	struct att_rig *r = user;

	assert_true(r->n_out < 40 && len <= 64);
	memcpy(r->bytes[r->n_out], packet, len);
	assert_int_equal(att_decode(r->bytes[r->n_out], len, &r->out[r->n_out]), 0);
	r->n_out++;
}

static void att_value(void *user, uint16_t handle, const uint8_t *data, size_t len)
{
	struct att_rig *r = user;

	assert_int_equal(len, 2);
	assert_int_equal(data[0], 7);
	r->handle = handle;
	r->values++;
}

static void att_waiting(void *user, bool on)
{
	((struct att_rig *) user)->waiting = on;
}

static const struct att_client_io att_io = {att_send, att_value, att_waiting};

static void on_answer(void *user, int err, const struct att_pdu *answer)
{
	struct att_rig *r = user;

	r->err[r->answers++] = err;
	if (answer)
		r->answer = *answer;
	if (r->chain) {
		r->chain = false;
		ignore_result(att_client_request(
			&r->c, &(struct att_pdu){.op = ATT_READ_REQ, .handle = 99}, on_answer, r));
	}
}

static void att_start(struct att_rig *r)
{
	memset(r, 0, sizeof(*r));
	att_client_init(&r->c, &att_io, r);
}

static int ask(struct att_rig *r, uint16_t handle)
{
	return att_client_request(&r->c, &(struct att_pdu){.op = ATT_READ_REQ, .handle = handle},
				  on_answer, r);
}

static int answer(struct att_rig *r, const char *bytes, size_t len)
{
	return att_client_receive(&r->c, (const uint8_t *) bytes, len);
}

static void requests_go_out_one_at_a_time(void **state)
{
	struct att_rig r;

	(void) state;
	att_start(&r);
	assert_int_equal(ask(&r, 3), 0);
	assert_int_equal(ask(&r, 4), 0);
	assert_int_equal(r.n_out, 1);
	assert_true(r.waiting);
	assert_int_equal(answer(&r, "\x0b\x55", 2), 0);
	assert_int_equal(r.answers, 1);
	assert_int_equal(r.answer.value[0], 0x55);
	assert_int_equal(r.n_out, 2);
	assert_int_equal(r.out[1].handle, 4);
	assert_int_equal(answer(&r, "\x01\x0a\x04\x00\x0a", 5), 0);
	assert_int_equal(r.err[1], -ERR_PEER);
	assert_int_equal(r.answer.error, ATT_ERR_NOT_FOUND);
	assert_false(r.waiting);
	att_client_done(&r.c);
}

static void answer_nobody_waits_for_is_noticed(void **state)
{
	struct att_rig r;

	(void) state;
	att_start(&r);
	assert_int_equal(answer(&r, "\x0b\x55", 2), -ERR_BADMSG);
	assert_int_equal(ask(&r, 3), 0);
	assert_int_equal(answer(&r, "\x13", 1), -ERR_BADMSG);
	assert_int_equal(answer(&r, "\x01\x12\x03\x00\x0a", 5),
			 -ERR_BADMSG);                                /* of another request */
	assert_int_equal(answer(&r, "\x0a\x03\x00", 3), -ERR_BADMSG); /* a request */
	assert_int_equal(r.answers, 0);
	assert_int_equal(answer(&r, "\x0b", 1), 0);
	assert_int_equal(r.answers, 1);
	assert_int_equal(r.answer.len, 0);
}

static void answer_that_makes_no_sense_ends_its_request(void **state)
{
	struct att_rig r;

	(void) state;
	att_start(&r);
	assert_int_equal(
		att_client_request(
			&r.c,
			&(struct att_pdu){.op = ATT_FIND_INFO_REQ, .handle = 1, .end = 0xffff},
			on_answer, &r),
		0);
	assert_int_equal(answer(&r, "\x05\x03\x01\x00", 4), 0);
	assert_int_equal(r.err[0], -ERR_BADMSG);
}

static void values_come_unasked_and_indications_are_confirmed(void **state)
{
	struct att_rig r;

	(void) state;
	att_start(&r);
	assert_int_equal(answer(&r, "\x1b\x0e\x00\x07\x08", 5), 0);
	assert_int_equal(r.values, 1);
	assert_int_equal(r.handle, 14);
	assert_int_equal(r.n_out, 0);
	assert_int_equal(answer(&r, "\x1d\x0f\x00\x07\x08", 5), 0);
	assert_int_equal(r.values, 2);
	assert_int_equal(r.n_out, 1);
	assert_int_equal(r.out[0].op, ATT_CONFIRM);
}

static void all_requests_end_with_the_link(void **state)
{
	struct att_rig r;

	(void) state;
	att_start(&r);
	assert_int_equal(ask(&r, 3), 0);
	assert_int_equal(ask(&r, 4), 0);
	r.chain = true; /* one more is asked while they end */
	att_client_done(&r.c);
	assert_int_equal(r.answers, 3);
	assert_int_equal(r.err[2], -ERR_CLOSED);
}

static void queue_and_mtu_are_bounded(void **state)
{
	uint8_t value[600] = {0};
	struct att_pdu write = {.op = ATT_WRITE_REQ, .handle = 1, .value = value, .len = 21};
	struct att_rig r;

	(void) state;
	att_start(&r);
	assert_int_equal(att_client_request(&r.c, &write, on_answer, &r), -ERR_TOO_LARGE);
	att_client_set_mtu(&r.c, 60);
	assert_int_equal(att_client_request(&r.c, &write, on_answer, &r), 0);
	for (int i = 1; i < ATT_QUEUE_MAX; i++)
		assert_int_equal(ask(&r, 1), 0);
	assert_int_equal(ask(&r, 1), -ENOBUFS);
	att_client_set_mtu(&r.c, 5);
	assert_int_equal(r.c.mtu, ATT_MTU_LEAST);
	att_client_set_mtu(&r.c, 65535);
	assert_int_equal(r.c.mtu, ATT_MTU_MAX);
	att_client_done(&r.c);
}

/* --- credit-based channel --------------------------------------------------------------------- */

struct ch_rig {
	struct l2cap_channel c;
	struct l2cap_signal sig;
	unsigned int signals, frames, opened, sent, received, closed;
	int err;
	uint16_t result, cid;
	uint8_t bytes[4096];
	size_t n_bytes, last_frame;
};

static void ch_frame(void *user, uint16_t cid, const uint8_t *data, size_t len)
{
	struct ch_rig *r = user;

	r->cid = cid;
	r->frames++;
	r->last_frame = len;
	assert_true(r->n_bytes + len <= sizeof(r->bytes));
	memcpy(r->bytes + r->n_bytes, data, len);
	r->n_bytes += len;
}

static void ch_signal(void *user, const struct l2cap_signal *s)
{
	struct ch_rig *r = user;

	r->sig = *s;
	r->signals++;
}

static void ch_opened(void *user, int err, uint16_t result)
{
	struct ch_rig *r = user;

	r->opened++;
	r->err = err;
	r->result = result;
}

static void ch_sent(void *user)
{
	((struct ch_rig *) user)->sent++;
}

static void ch_received(void *user, const uint8_t *data, size_t len)
{
	struct ch_rig *r = user;

	r->received++;
	memcpy(r->bytes, data, len);
	r->n_bytes = len;
}

static void ch_closed(void *user, int err)
{
	struct ch_rig *r = user;

	r->closed++;
	r->err = err;
}

static const struct l2cap_channel_io ch_io = {ch_frame, ch_signal,   ch_opened,
					      ch_sent,  ch_received, ch_closed};

static void ch_open(struct ch_rig *r, uint16_t mps, uint16_t credits)
{
	memset(r, 0, sizeof(*r));
	l2cap_channel_open(&r->c, &ch_io, r, 0x25, 0x40, 5);
	assert_int_equal(r->sig.code, L2CAP_CREDIT_CONNECT_REQ);
	assert_int_equal(r->sig.spsm, 0x25);
	assert_true(
		l2cap_channel_signal(&r->c, &(struct l2cap_signal){.code = L2CAP_CREDIT_CONNECT_RSP,
								   .id = 5,
								   .dcid = 0x77,
								   .mtu = 1494,
								   .mps = mps,
								   .credits = credits}));
	assert_int_equal(r->opened, 1);
	assert_int_equal(r->err, 0);
}

static bool credits(struct ch_rig *r, uint16_t n)
{
	return l2cap_channel_signal(
		&r->c, &(struct l2cap_signal){.code = L2CAP_CREDITS, .scid = 0x77, .credits = n});
}

static void unit_is_cut_into_frames_as_credits_come(void **state)
{
	uint8_t unit[100];
	struct ch_rig r;

	(void) state;
	for (size_t i = 0; i < sizeof(unit); i++)
		unit[i] = (uint8_t) i;
	ch_open(&r, 40, 1);
	assert_int_equal(l2cap_channel_send(&r.c, unit, sizeof(unit)), 0);
	assert_int_equal(r.frames, 1);
	assert_int_equal(r.last_frame, 40);
	assert_int_equal(r.cid, 0x77);
	assert_int_equal(l2cap_channel_send(&r.c, unit, 1), -EBUSY);
	assert_true(credits(&r, 1));
	assert_int_equal(r.sent, 0);
	assert_true(credits(&r, 5));
	assert_int_equal(r.frames, 3);
	assert_int_equal(r.sent, 1);
	assert_int_equal(r.n_bytes, 102);
	assert_int_equal(r.bytes[0] | r.bytes[1] << 8, 100);
	assert_memory_equal(r.bytes + 2, unit, 100);
	assert_int_equal(r.c.credits, 4); /* what is left serves the next unit */
	l2cap_channel_drop(&r.c);
}

static void refusal_carries_the_reason(void **state)
{
	struct ch_rig r;

	(void) state;
	memset(&r, 0, sizeof(r));
	l2cap_channel_open(&r.c, &ch_io, &r, 0x25, 0x40, 5);
	assert_false(l2cap_channel_signal(
		&r.c, &(struct l2cap_signal){.code = L2CAP_CREDIT_CONNECT_RSP, .id = 6}));
	assert_true(
		l2cap_channel_signal(&r.c, &(struct l2cap_signal){.code = L2CAP_CREDIT_CONNECT_RSP,
								  .id = 5,
								  .result = L2CAP_ENCRYPTION}));
	assert_int_equal(r.err, -ERR_PEER);
	assert_int_equal(r.result, L2CAP_ENCRYPTION);
	assert_int_equal(l2cap_channel_send(&r.c, "x", 1), -ERR_STATE);
}

static void impossible_parameters_are_refused(void **state)
{
	struct ch_rig r;

	(void) state;
	memset(&r, 0, sizeof(r));
	l2cap_channel_open(&r.c, &ch_io, &r, 0x25, 0x40, 5);
	assert_true(
		l2cap_channel_signal(&r.c, &(struct l2cap_signal){.code = L2CAP_CREDIT_CONNECT_RSP,
								  .id = 5,
								  .dcid = 0x40,
								  .mtu = 100,
								  .mps = 22,
								  .credits = 1}));
	assert_int_equal(r.err, -ERR_BADMSG);
}

static void too_many_credits_close_the_channel(void **state)
{
	struct ch_rig r;

	(void) state;
	ch_open(&r, 40, 65535);
	assert_true(credits(&r, 1));
	assert_int_equal(r.closed, 1);
	assert_int_equal(r.err, -ERR_BADMSG);
}

static void either_end_may_close(void **state)
{
	struct ch_rig r;

	(void) state;
	ch_open(&r, 40, 1);
	l2cap_channel_close(&r.c, 9);
	assert_int_equal(r.sig.code, L2CAP_DISCONNECT_REQ);
	assert_int_equal(r.sig.dcid, 0x77);
	assert_true(l2cap_channel_signal(
		&r.c, &(struct l2cap_signal){
			      .code = L2CAP_DISCONNECT_RSP, .id = 9, .dcid = 0x77, .scid = 0x40}));
	assert_int_equal(r.closed, 1);
	assert_int_equal(r.err, 0);
	ch_open(&r, 40, 1);
	assert_true(l2cap_channel_signal(
		&r.c, &(struct l2cap_signal){
			      .code = L2CAP_DISCONNECT_REQ, .id = 3, .dcid = 0x40, .scid = 0x77}));
	assert_int_equal(r.sig.code, L2CAP_DISCONNECT_RSP);
	assert_int_equal(r.sig.id, 3);
	assert_int_equal(r.err, -ERR_CLOSED);
	assert_int_equal(r.closed, 1);
}

static void unit_of_the_peer_is_put_together(void **state)
{
	struct ch_rig r;

	(void) state;
	ch_open(&r, 40, 1);
	l2cap_channel_frame(&r.c,
			    (const uint8_t *) "\x04\x00"
					      "ab",
			    4);
	assert_int_equal(r.received, 0);
	l2cap_channel_frame(&r.c, (const uint8_t *) "cd", 2);
	assert_int_equal(r.received, 1);
	assert_memory_equal(r.bytes, "abcd", 4);
	assert_int_equal(r.sig.code, L2CAP_CREDITS);
	assert_int_equal(r.sig.credits, 2);
	l2cap_channel_frame(&r.c,
			    (const uint8_t *) "\x01\x00"
					      "xy",
			    4); /* more than announced */
	assert_int_equal(r.closed, 1);
	assert_int_equal(r.err, -ERR_BADMSG);
}

static void unit_longer_than_ours_is_refused(void **state)
{
	struct ch_rig r;

	(void) state;
	ch_open(&r, 40, 1);
	l2cap_channel_frame(&r.c,
			    (const uint8_t *) "\x01\x08"
					      "ab",
			    4); /* 2049 */
	assert_int_equal(r.err, -ERR_BADMSG);
	ch_open(&r, 40, 1);
	l2cap_channel_frame(&r.c, (const uint8_t *) "\x01", 1);
	assert_int_equal(r.err, -ERR_BADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_go_out_one_at_a_time),
		cmocka_unit_test(answer_nobody_waits_for_is_noticed),
		cmocka_unit_test(answer_that_makes_no_sense_ends_its_request),
		cmocka_unit_test(values_come_unasked_and_indications_are_confirmed),
		cmocka_unit_test(all_requests_end_with_the_link),
		cmocka_unit_test(queue_and_mtu_are_bounded),
		cmocka_unit_test(unit_is_cut_into_frames_as_credits_come),
		cmocka_unit_test(refusal_carries_the_reason),
		cmocka_unit_test(impossible_parameters_are_refused),
		cmocka_unit_test(too_many_credits_close_the_channel),
		cmocka_unit_test(either_end_may_close),
		cmocka_unit_test(unit_of_the_peer_is_put_together),
		cmocka_unit_test(unit_longer_than_ours_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
