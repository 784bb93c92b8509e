/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/sim_reader_fixture.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void note_inventory(void *user, const uint16_t *antennas, size_t n)
{
	struct fixture *f = user;

	f->inventories++;
	f->n_antennas = n;
	memcpy(f->antennas, antennas, n * sizeof *antennas);
}

void client_open(struct fixture *f)
{
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	f->fd = fds[1];
	f->in_len = 0;
	(void) !sim_reader_attach(f->reader, fds[0]);
}

void fixture_begin_with(struct fixture *f, const struct sim_reader_config *cfg)
{
	memset(f, 0, sizeof *f);
	f->now_us = US_PER_SEC;
	assert_int_equal(loop_new_virtual(f->now_us, 2000 * US_PER_SEC, &f->loop), 0);
	assert_int_equal(sim_reader_new(f->loop, cfg, &f->reader), 0);
	sim_reader_set_source(f->reader,
			      &(struct sim_reader_source){.inventory = note_inventory, .user = f});
	for (unsigned int i = 0; i < 4; i++) {
		uint8_t bytes[12] = {0x30, (uint8_t) i};

		assert_int_equal(epc_set(&f->epcs[i], bytes, i == 3 ? 80 : 96), 0);
	}
	client_open(f);
}

void fixture_end(struct fixture *f)
{
	sim_reader_free(f->reader);
	close(f->fd);
	loop_free(f->loop);
}

int fixture_setup(void **state)
{
	static struct fixture f;

	fixture_begin(&f);
	*state = &f;
	return 0;
}

int fixture_teardown(void **state)
{
	fixture_end(*state);
	return 0;
}

void pass(struct fixture *f, int64_t us)
{
	f->now_us += us;
	loop_run_until(f->loop, f->now_us);
}

struct llrp_msg *take(struct fixture *f)
{
	ssize_t n = recv(f->fd, f->in + f->in_len, sizeof f->in - f->in_len, MSG_DONTWAIT);
	struct llrp_header h;
	struct llrp_diag diag;
	struct llrp_msg *m;

	if (n > 0)
		f->in_len += (size_t) n;
	if (llrp_header_decode(f->in, f->in_len, &h) < 0 || h.length > f->in_len)
		return NULL;
	assert_int_equal(llrp_msg_decode(f->in, h.length, &m, &diag), 0);
	assert_int_equal(llrp_msg_validate(m, &diag), 0);
	f->in_len -= h.length;
	memmove(f->in, f->in + h.length, f->in_len);
	return m;
}

void send_bytes(struct fixture *f, const void *data, size_t len)
{
	assert_int_equal(write(f->fd, data, len), len);
	pass(f, 0);
}

struct llrp_msg *ask(struct fixture *f, struct llrp_msg *m, uint16_t type)
{
	uint32_t id = llrp_msg_id(m);
	struct buf b = BUF_INIT;
	struct llrp_msg *answer;

	assert_int_equal(llrp_msg_encode(m, &b), 0);
	llrp_msg_free(m);
	send_bytes(f, b.data, b.len);
	buf_done(&b);
	answer = take(f);
	assert_non_null(answer);
	assert_int_equal(llrp_msg_type(answer), type);
	assert_int_equal(llrp_msg_id(answer), id);
	return answer;
}

struct llrp_msg *message(struct fixture *f, uint16_t type)
{
	struct llrp_msg *m;

	assert_int_equal(llrp_msg_new(type, ++f->id, &m), 0);
	return m;
}

uint16_t status_of(struct fixture *f, struct llrp_msg *m)
{
	struct llrp_msg *answer = ask(f, m, (uint16_t) (llrp_msg_type(m) + 10));
	uint16_t status = llrp_msg_status(answer, NULL, 0);

	llrp_msg_free(answer);
	return status;
}

uint16_t rospec_op(struct fixture *f, uint16_t type, uint32_t rospec)
{
	struct llrp_msg *m = message(f, type);

	llrp_set(llrp_root(m), "ROSpecID", rospec);
	return status_of(f, m);
}

static void put_selector(struct llrp_elem *report, uint16_t select)
{
	static const char *const names[] = {
		"EnableROSpecID",
		"EnableSpecIndex",
		"EnableInventoryParameterSpecID",
		"EnableAntennaID",
		"EnableChannelIndex",
		"EnablePeakRSSI",
		"EnableFirstSeenTimestamp",
		"EnableLastSeenTimestamp",
		"EnableTagSeenCount",
		"EnableAccessSpecID",
	};
	struct llrp_elem *e = llrp_add(report, LLRP_P_TAG_REPORT_CONTENT_SELECTOR);

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		llrp_set(e, names[i], select >> (15 - i) & 1);
}

struct llrp_msg *add_rospec(struct fixture *f, const struct rospec_wish *w)
{
	struct llrp_msg *m = message(f, LLRP_ADD_ROSPEC);
	struct llrp_elem *spec = llrp_add(llrp_root(m), LLRP_P_ROSPEC), *e, *ai;

	llrp_set(spec, "ROSpecID", w->id);
	llrp_set(spec, "CurrentState", w->state);
	e = llrp_add(spec, LLRP_P_RO_BOUNDARY_SPEC);
	llrp_set(llrp_add(e, LLRP_P_ROSPEC_START_TRIGGER), "ROSpecStartTriggerType", w->start);
	e = llrp_add(e, LLRP_P_ROSPEC_STOP_TRIGGER);
	llrp_set(e, "ROSpecStopTriggerType", w->rospec_ms > 0);
	llrp_set(e, "DurationTriggerValue", w->rospec_ms);
	ai = llrp_add(spec, LLRP_P_AISPEC);
	llrp_set_u16v(ai, "AntennaIDs", w->antennas, w->n_antennas);
	e = llrp_add(ai, LLRP_P_AISPEC_STOP_TRIGGER);
	llrp_set(e, "AISpecStopTriggerType", w->aispec_ms > 0);
	llrp_set(e, "DurationTrigger", w->aispec_ms);
	e = llrp_add(ai, LLRP_P_INVENTORY_PARAMETER_SPEC);
	llrp_set(e, "InventoryParameterSpecID", 1);
	llrp_set(e, "ProtocolID", 1);
	e = llrp_add(spec, LLRP_P_RO_REPORT_SPEC);
	llrp_set(e, "ROReportTrigger", w->trigger);
	llrp_set(e, "N", w->n);
	put_selector(e, w->select);
	return m;
}

const struct rospec_wish plain_wish = {
	.id = 1, .start = 1, .n_antennas = 1, .trigger = 1, .n = 1, .select = SELECT_ALL};

void skip_hello(struct fixture *f)
{
	llrp_msg_free(take(f));
}

void fixture_begin(struct fixture *f)
{
	fixture_begin_with(f, &(struct sim_reader_config){.name = "r", .n_antennas = 4});
	skip_hello(f);
}

void inventory(struct fixture *f, const struct rospec_wish *wish)
{
	assert_int_equal(status_of(f, add_rospec(f, wish)), LLRP_M_SUCCESS);
	assert_int_equal(rospec_op(f, LLRP_ENABLE_ROSPEC, wish->id), LLRP_M_SUCCESS);
}

void feed(struct fixture *f, unsigned int epc, uint16_t antenna, int8_t rssi, int64_t at_us)
{
	struct sim_tag_read t = {.epc = &f->epcs[epc],
				 .antenna = antenna,
				 .rssi_dbm = rssi,
				 .channel = 7,
				 .at_us = at_us};

	sim_reader_feed(f->reader, &t, 1);
}

struct llrp_msg *take_report(struct fixture *f, size_t n)
{
	struct llrp_msg *m = take(f);

	assert_non_null(m);
	assert_int_equal(llrp_msg_type(m), LLRP_RO_ACCESS_REPORT);
	assert_int_equal(llrp_count(llrp_root(m), LLRP_P_TAG_REPORT_DATA), n);
	return m;
}

void assert_silent(struct fixture *f)
{
	assert_null(take(f));
}

uint64_t attempt_status(struct llrp_msg *m)
{
	const struct llrp_elem *e =
		llrp_find(llrp_find(llrp_root(m), LLRP_P_READER_EVENT_NOTIFICATION_DATA),
			  LLRP_P_CONNECTION_ATTEMPT_EVENT);

	assert_non_null(e);
	return llrp_get(e, "Status");
}

size_t drain(struct fixture *f, size_t per_antenna[5])
{
	struct llrp_msg *m;
	size_t n = 0;

	while ((m = take(f))) {
		const struct llrp_elem *e = llrp_find(llrp_root(m), LLRP_P_TAG_REPORT_DATA);

		for (; e; e = llrp_find_next(e), n++)
			per_antenna[llrp_get(llrp_find(e, LLRP_P_ANTENNA_ID), "AntennaID")]++;
		llrp_msg_free(m);
	}
	return n;
}
