/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/inventory/inv_record.h"
#include "common/err.h"
#include "common/wire.h"
#include <string.h>

/* Evidence is by far the most frequent record: one extension of the buffer, plain stores. */
#define EVIDENCE_BYTES 32

static uint8_t *store(uint8_t *p, uint64_t v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t) (v >> 8 * i);
	return p + n;
}

void inv_record_evidence(struct buf *out, uint32_t item, const struct inv_evidence *e)
{
	uint8_t *p = buf_extend(out, EVIDENCE_BYTES);

	if (!p)
		return;
	p = store(p, INV_RECORD_EVIDENCE, 1);
	p = store(p, item, 4);
	p = store(p, e->antenna, 2);
	p = store(p, e->present, 1);
	p = store(p, (uint16_t) e->rssi_cdbm, 2);
	p = store(p, (uint16_t) e->peak_cdbm, 2);
	p = store(p, e->rate_mhz, 2);
	p = store(p, e->reads, 4);
	p = store(p, e->span_ms, 4);
	p = store(p, (uint64_t) e->last_us, 8);
	(void) store(p, 0, 2);
}

void inv_record_place(struct buf *out, uint32_t item, const struct inv_item *it)
{
	buf_put_u8(out, INV_RECORD_PLACE);
	buf_put_u32le(out, item);
	buf_put_u32le(out, it->place);
	buf_put_u8(out, it->state);
	buf_put_u8(out, it->cause);
	buf_put_u16le(out, it->confidence);
	buf_put_u64le(out, (uint64_t) it->since_us);
}

void inv_record_item(struct buf *out, uint32_t id, const struct epc *epc)
{
	buf_put_u8(out, INV_RECORD_ITEM);
	buf_put_u32le(out, id);
	buf_put_u16le(out, epc->bits);
	buf_put(out, epc->data, epc_bytes(epc));
}

void inv_record_antenna(struct buf *out, uint32_t id, const struct inv_antenna *a)
{
	size_t n = strnlen(a->reader, sizeof(a->reader) - 1);

	buf_put_u8(out, INV_RECORD_ANTENNA);
	buf_put_u32le(out, id);
	buf_put_u64le(out, a->agent);
	buf_put_u16le(out, a->number);
	buf_put_u8(out, (uint8_t) n);
	buf_put(out, a->reader, n);
}

void inv_record_stream(struct buf *out, const struct inv_stream *s)
{
	buf_put_u8(out, INV_RECORD_STREAM);
	buf_put_u64le(out, s->agent);
	buf_put(out, s->journal_id, sizeof(s->journal_id));
	buf_put_u64le(out, s->applied);
	buf_put_u64le(out, (uint64_t) s->last_us);
}

static int replay_item(struct inv_state *st, struct wire *w)
{
	uint8_t bytes[EPC_MAX_BYTES] = {0};
	uint32_t id = wire_get_u32le(w);
	uint16_t bits = wire_get_u16le(w);
	struct epc epc;

	if (bits > EPC_MAX_BITS)
		return -ERR_CORRUPT;
	wire_copy(w, bytes, (size_t) (bits + 7) / 8);
	if (!wire_ok(w) || epc_set(&epc, bytes, bits) < 0)
		return -ERR_CORRUPT;
	return inv_state_restore_item(st, id, &epc);
}

static int replay_antenna(struct inv_state *st, struct wire *w)
{
	struct inv_antenna a = {0};
	uint32_t id = wire_get_u32le(w);
	size_t n;

	a.agent = wire_get_u64le(w);
	a.number = wire_get_u16le(w);
	n = wire_get_u8(w);
	if (n >= sizeof(a.reader))
		return -ERR_CORRUPT;
	wire_copy(w, a.reader, n);
	return wire_ok(w) ? inv_state_restore_antenna(st, id, &a) : -ERR_CORRUPT;
}

static int replay_evidence(struct inv_state *st, struct wire *w)
{
	struct inv_evidence e = {0};
	uint32_t item = wire_get_u32le(w);

	e.antenna = wire_get_u16le(w);
	e.present = wire_get_u8(w) != 0;
	e.rssi_cdbm = (int16_t) wire_get_u16le(w);
	e.peak_cdbm = (int16_t) wire_get_u16le(w);
	e.rate_mhz = wire_get_u16le(w);
	e.reads = wire_get_u32le(w);
	e.span_ms = wire_get_u32le(w);
	e.last_us = (int64_t) wire_get_u64le(w);
	wire_skip(w, 2);
	return wire_ok(w) ? inv_state_restore_evidence(st, item, &e) : -ERR_CORRUPT;
}

static int replay_place(struct inv_state *st, struct wire *w)
{
	uint32_t item = wire_get_u32le(w);
	uint32_t place = wire_get_u32le(w);
	uint8_t state = wire_get_u8(w);
	uint8_t cause = wire_get_u8(w);
	uint16_t conf = wire_get_u16le(w);
	int64_t since_us = (int64_t) wire_get_u64le(w);

	if (!wire_ok(w))
		return -ERR_CORRUPT;
	return inv_state_restore_place(st, item, place, state, cause, conf, since_us);
}

static int replay_stream(struct inv_state *st, struct wire *w)
{
	struct inv_stream s = {0};

	s.agent = wire_get_u64le(w);
	wire_copy(w, s.journal_id, sizeof(s.journal_id));
	s.applied = wire_get_u64le(w);
	s.last_us = (int64_t) wire_get_u64le(w);
	return wire_ok(w) ? inv_state_restore_stream(st, &s) : -ERR_CORRUPT;
}

int inv_state_replay(struct inv_state *st, const void *data, size_t len)
{
	static int (*const replay[INV_RECORD_COUNT])(struct inv_state *, struct wire *) = {
		[INV_RECORD_ITEM] = replay_item,         [INV_RECORD_ANTENNA] = replay_antenna,
		[INV_RECORD_EVIDENCE] = replay_evidence, [INV_RECORD_PLACE] = replay_place,
		[INV_RECORD_STREAM] = replay_stream,
	};
	struct wire w;
	int r = 0;

	wire_init(&w, data, len);
	while (!r && wire_left(&w)) {
		uint8_t kind = wire_get_u8(&w);

		r = kind < INV_RECORD_COUNT && replay[kind] ? replay[kind](st, &w) : -ERR_CORRUPT;
	}
	return r;
}
