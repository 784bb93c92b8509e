/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * A reader gone mad. The input is a script: an octet of what to do, one of how much, then bytes.
 *   0  these bytes, as they are           1  a granting response to the last request
 *   2  time passes                        3  a sound frame of some type around these bytes
 *   4  a refusing response                5  a new connection
 *   6  stop                             7  an operation on a tag
 */
#include "rfid/llrp_codec.h"
#include "rfid/llrp_session.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct world {
	struct clock_fake clock;
	struct llrp_header request; /**< last one the session sent */
	uint64_t reads;
};

static void on_send(void *user, const uint8_t *data, size_t len)
{
	struct world *w = user;

	/* What we send is always one whole frame. */
	if (llrp_header_decode(data, len, &w->request) != 0 || w->request.length != len)
		abort();
}

static void on_reads(void *user, const struct rfid_read *reads, size_t n)
{
	struct world *w = user;

	for (size_t i = 0; i < n; i++) {
		if (reads[i].epc.bits == 0 || reads[i].epc.bits > EPC_MAX_BITS ||
		    reads[i].count == 0 || reads[i].first_us > reads[i].last_us ||
		    reads[i].last_us > w->clock.now_real_us)
			abort();
		w->reads++;
	}
}

static void on_incident(void *user, const char *text)
{
	(void) user;
	for (; *text; text++)
		if (*text < 0x20 || *text >= 0x7f)
			abort();
}

static void on_access(void *user, const struct rfid_access_result *result)
{
	(void) user;
	for (size_t i = 0; i < result->n; i++)
		if (!result->ops[i].words_of || (result->err < 0 && !result->text))
			abort();
}

static int feed_frame(struct world *w, struct llrp_session *s, uint16_t type, const uint8_t *body,
		      size_t n)
{
	uint8_t frame[10 + 255] = {(uint8_t) (4 | (type >> 8 & 3)), (uint8_t) type};

	frame[4] = (uint8_t) ((n + 10) >> 8);
	frame[5] = (uint8_t) (n + 10);
	for (int i = 0; i < 4; i++)
		frame[6 + i] = (uint8_t) (w->request.id >> (24 - 8 * i));
	memcpy(frame + 10, body, n);
	return llrp_session_feed(s, frame, n + 10);
}

static int respond(struct world *w, struct llrp_session *s, uint16_t status)
{
	_cleanup_(llrp_msg_freep) struct llrp_msg *m = NULL;
	_cleanup_buf_ struct buf out = BUF_INIT;
	uint16_t type = w->request.type;
	struct llrp_elem *e;

	if (type == 0)
		type = LLRP_READER_EVENT_NOTIFICATION;
	else if (type == LLRP_CLOSE_CONNECTION)
		type = LLRP_CLOSE_CONNECTION_RESPONSE;
	else
		type = (uint16_t) (type + 10);
	if (!llrp_message_type(type) || llrp_msg_new(type, w->request.id, &m) < 0)
		return 0;
	if (type == LLRP_READER_EVENT_NOTIFICATION) {
		e = llrp_add(llrp_root(m), LLRP_P_READER_EVENT_NOTIFICATION_DATA);
		llrp_set(llrp_add(e, LLRP_P_CONNECTION_ATTEMPT_EVENT), "Status", status);
	} else {
		llrp_add_status(llrp_root(m), status, "");
	}
	if (type == LLRP_GET_READER_CAPABILITIES_RESPONSE)
		llrp_add(llrp_root(m), LLRP_P_GENERAL_DEVICE_CAPABILITIES);
	if (llrp_msg_encode(m, &out) < 0)
		return 0;
	return llrp_session_feed(s, out.data, out.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct llrp_session_callbacks cb = {
		.send = on_send, .reads = on_reads, .incident = on_incident};
	const struct rfid_access access = {.n_ops = 1,
					   .ops = {{.kind = RFID_OP_READ, .bank = RFID_BANK_TID}}};
	const struct rfid_reader_config cfg = {.n_antennas = 1, .antennas = {1}};
	struct llrp_session *s = NULL;
	struct world w = {0};

	clock_fake_init(&w.clock, 1, INT64_C(1790000000000000));
	if (llrp_session_new(&cfg, &w.clock.clock, &cb, &w, &s) < 0)
		return 0;
	llrp_session_connected(s);
	while (size >= 2) {
		uint8_t op = data[0] % 8;
		size_t n = MIN((size_t) data[1], size - 2);

		data += 2;
		size -= 2;
		if (op == 0)
			(void) !llrp_session_feed(s, data, n);
		else if (op == 1)
			(void) !respond(&w, s, 0);
		else if (op == 4)
			(void) !respond(&w, s, 100);
		else if (op == 3 && n > 0)
			(void) !feed_frame(&w, s, data[0], data + 1, n - 1);
		if (op == 0 || op == 3) {
			data += n;
			size -= n;
		}
		if (op == 2) {
			clock_fake_advance(&w.clock, (int64_t) n * 100 * US_PER_MS);
			(void) !llrp_session_tick(s);
		} else if (op == 5) {
			w.request = (struct llrp_header){0};
			llrp_session_connected(s);
		} else if (op == 6) {
			(void) !llrp_session_stop(s);
		} else if (op == 7) {
			(void) !llrp_session_access(s, &access, on_access, &w);
		}
	}
	llrp_session_free(s);
	return 0;
}
