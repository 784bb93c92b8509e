/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/reader_impl.h"

#include <errno.h>
#include <string.h>

#define FRAME_SOFT_MAX 60000

/* --- one tag report on the wire (LLRP 1.0.1, 16.2.7.3.1) ----------------------------------------
 */

static void put_tv(struct buf *out, uint8_t type, uint64_t value, unsigned int bytes)
{
	buf_put_u8(out, 0x80 | type);
	while (bytes--)
		buf_put_u8(out, (uint8_t) (value >> (8 * bytes)));
}

static void put_impinj(struct buf *out, uint16_t subtype, uint16_t value)
{
	buf_put_u16be(out, LLRP_P_CUSTOM);
	buf_put_u16be(out, 14);
	buf_put_u32be(out, LLRP_VENDOR_IMPINJ);
	buf_put_u32be(out, subtype);
	buf_put_u16be(out, value);
}

static void put_epc(struct buf *out, const struct epc *epc)
{
	if (epc->bits == 96) {
		buf_put_u8(out, 0x80 | LLRP_P_EPC_96);
	} else {
		buf_put_u16be(out, LLRP_P_EPC_DATA);
		buf_put_u16be(out, (uint16_t) (6 + epc_bytes(epc)));
		buf_put_u16be(out, epc->bits);
	}
	buf_put(out, epc->data, epc_bytes(epc));
}

/** CRC-16 of Gen2 (ISO 18000-63, Annex F) over PC and EPC. */
static uint16_t gen2_crc(uint16_t pc, const struct epc *epc)
{
	uint16_t crc = 0xffff;

	for (size_t i = 0; i < 2 + epc_bytes(epc); i++) {
		uint8_t byte = i == 0   ? (uint8_t) (pc >> 8)
			       : i == 1 ? (uint8_t) pc
					: epc->data[i - 2];

		crc ^= (uint16_t) (byte << 8);
		for (int bit = 0; bit < 8; bit++)
			crc = (uint16_t) (crc & 0x8000 ? crc << 1 ^ 0x1021 : crc << 1);
	}
	return (uint16_t) ~crc;
}

/** Which of the enabled fields are left out, since the last report said the same. */
static uint32_t fields_unchanged(const struct sim_reader *r, const struct pending_tag *t)
{
	const struct pending_tag *last = &r->last.tag;
	uint32_t same = 0;

	if (!r->cfg.carry_forward || !r->last.set)
		return 0;
	if (t->rospec_id == last->rospec_id)
		same |= FIELD_ROSPEC_ID;
	if (t->spec_index == last->spec_index)
		same |= FIELD_SPEC_INDEX;
	if (t->inventory_spec == last->inventory_spec)
		same |= FIELD_INVENTORY_SPEC_ID;
	if (t->antenna == last->antenna)
		same |= FIELD_ANTENNA;
	if (t->channel == last->channel)
		same |= FIELD_CHANNEL;
	if (t->peak_rssi == last->peak_rssi)
		same |= FIELD_RSSI;
	if (t->count == last->count)
		same |= FIELD_SEEN_COUNT;
	return same | FIELD_ACCESSSPEC_ID;
}

/** `results` of operations on the tag, of that AccessSpec; NULL = there were none. */
static void put_tag(struct sim_reader *r, const struct pending_tag *t, uint32_t fields,
		    uint32_t accessspec, const struct buf *results, struct buf *out)
{
	uint16_t pc = (uint16_t) ((t->epc.bits + 15) / 16 << 11);
	uint32_t f = fields & ~fields_unchanged(r, t);
	size_t at = out->len;

	buf_put_u16be(out, LLRP_P_TAG_REPORT_DATA);
	buf_put_u16be(out, 0);
	put_epc(out, &t->epc);
	if (f & FIELD_ROSPEC_ID)
		put_tv(out, LLRP_P_ROSPEC_ID, t->rospec_id, 4);
	if (f & FIELD_SPEC_INDEX)
		put_tv(out, LLRP_P_SPEC_INDEX, t->spec_index, 2);
	if (f & FIELD_INVENTORY_SPEC_ID)
		put_tv(out, LLRP_P_INVENTORY_PARAMETER_SPEC_ID, t->inventory_spec, 2);
	if (f & FIELD_ANTENNA)
		put_tv(out, LLRP_P_ANTENNA_ID, t->antenna, 2);
	if (f & FIELD_RSSI)
		put_tv(out, LLRP_P_PEAK_RSSI, (uint8_t) t->peak_rssi, 1);
	if (f & FIELD_CHANNEL)
		put_tv(out, LLRP_P_CHANNEL_INDEX, t->channel, 2);
	if (f & FIELD_FIRST_SEEN)
		put_tv(out, LLRP_P_FIRST_SEEN_UTC, (uint64_t) t->first_us, 8);
	if (f & FIELD_LAST_SEEN)
		put_tv(out, LLRP_P_LAST_SEEN_UTC, (uint64_t) t->last_us, 8);
	if (f & FIELD_SEEN_COUNT)
		put_tv(out, LLRP_P_TAG_SEEN_COUNT, t->count, 2);
	if (f & FIELD_PC)
		put_tv(out, LLRP_P_C1G2_PC, pc, 2);
	if (f & FIELD_CRC)
		put_tv(out, LLRP_P_C1G2_CRC, gen2_crc(pc, &t->epc), 2);
	if (results || f & FIELD_ACCESSSPEC_ID)
		put_tv(out, LLRP_P_ACCESSSPEC_ID, accessspec, 4);
	if (results)
		buf_put(out, results->data, results->len);
	if (f & FIELD_IMPINJ_PHASE)
		put_impinj(out, LLRP_IMPINJ_RF_PHASE_ANGLE, t->phase);
	if (f & FIELD_IMPINJ_RSSI)
		put_impinj(out, LLRP_IMPINJ_PEAK_RSSI, (uint16_t) t->peak_cdbm);
	if (f & FIELD_IMPINJ_DOPPLER)
		put_impinj(out, LLRP_IMPINJ_RF_DOPPLER, (uint16_t) t->doppler);
	if (buf_ok(out))
		buf_patch_u16be(out, at + 2, (uint16_t) (out->len - at));
	r->last.set = true;
	r->last.tag = *t;
}

/* --- where frames go -------------------------------------------------------------------------- */

static void overflow(struct sim_reader *r)
{
	struct llrp_msg *m;
	struct llrp_elem *e;

	if (r->overflowed)
		return;
	r->overflowed = true;
	if (!r->client || r->holding || !r->set.notify[EVENT_BUFFER_WARNING])
		return;
	e = reader_event(r, &m);
	if (m)
		(void) llrp_add(e, LLRP_P_REPORT_BUFFER_OVERFLOW_ERROR_EVENT);
	reader_event_send(r, m);
}

size_t report_room(const struct sim_reader *r)
{
	return r->cfg.held_bytes ? r->cfg.held_bytes : READER_HELD_MAX;
}

/** Told once for each time the room fills up, as soon as somebody listens. */
static void level_warning(struct sim_reader *r)
{
	unsigned int percent = (unsigned int) (r->held.len * 100 / report_room(r));
	struct llrp_msg *m;
	struct llrp_elem *e;

	if (r->warned || percent < READER_HELD_WARN)
		return;
	r->warned = true;
	r->stats.warnings++;
	if (!r->client || r->holding || !r->set.notify[EVENT_BUFFER_WARNING])
		return;
	e = reader_event(r, &m);
	if (m)
		llrp_set(llrp_add(e, LLRP_P_REPORT_BUFFER_LEVEL_WARNING_EVENT),
			 "ReportBufferPercentageFull", MIN(percent, 100u));
	reader_event_send(r, m);
}

static void frame_out(struct sim_reader *r, const struct buf *frame, size_t tags)
{
	bool keep = r->holding || (!r->client && r->set.hold_on_reconnect);

	if (!buf_ok(frame) || (!keep && !r->client)) {
		r->stats.dropped += tags;
	} else if (keep && r->held.len + frame->len > report_room(r)) {
		r->stats.dropped += tags;
		overflow(r);
	} else if (keep) {
		buf_put(&r->held, frame->data, frame->len);
		r->stats.reported += tags;
		r->stats.held += tags;
		level_warning(r);
	} else {
		r->stats.reported += tags;
		reader_send_bytes(r, frame->data, frame->len);
	}
}

static void frame_begin(struct sim_reader *r, struct buf *frame)
{
	buf_clear(frame);
	buf_put_u16be(frame, (uint16_t) (r->version << 10 | LLRP_RO_ACCESS_REPORT));
	buf_put_u32be(frame, 0);
	buf_put_u32be(frame, r->next_id++);
}

static void frame_end(struct sim_reader *r, struct buf *frame, size_t tags)
{
	if (buf_ok(frame))
		buf_patch_u32be(frame, 2, (uint32_t) frame->len);
	frame_out(r, frame, tags);
}

void report_flush(struct sim_reader *r, bool even_if_empty)
{
	_cleanup_buf_ struct buf frame = BUF_INIT;
	size_t n = r->n_pending, tags = 0;

	if (n == 0 && !even_if_empty)
		return;
	r->n_pending = 0;
	if (r->pending_index)
		memset(r->pending_index, 0, r->index_size * sizeof *r->pending_index);
	frame_begin(r, &frame);
	for (size_t i = 0; i < n; i++) {
		put_tag(r, &r->pending[i], r->active_report.fields, 0, NULL, &frame);
		tags++;
		if (frame.len > FRAME_SOFT_MAX && i + 1 < n) {
			frame_end(r, &frame, tags);
			frame_begin(r, &frame);
			tags = 0;
		}
	}
	frame_end(r, &frame, tags);
}

/** Frames held from another connection go out as this one's. */
static void set_version(struct buf *frames, uint8_t version)
{
	struct llrp_header h;

	for (size_t at = 0;
	     at < frames->len && llrp_header_decode(frames->data + at, frames->len - at, &h) == 0;
	     at += h.length)
		frames->data[at] = (uint8_t) ((frames->data[at] & ~0x1c) | version << 2);
}

void report_release(struct sim_reader *r)
{
	r->holding = false;
	set_version(&r->held, r->version);
	if (r->held.len > 0)
		reader_send_bytes(r, r->held.data, r->held.len);
	if (r->warned) {
		r->warned = false;
		level_warning(r); /* nobody could be told before */
		r->stats.warnings--;
		r->warned = false;
	}
	buf_clear(&r->held);
	if (r->overflowed) {
		r->overflowed = false;
		overflow(r);
		r->overflowed = false;
	}
}

void report_reset(struct sim_reader *r)
{
	r->n_pending = 0;
	if (r->pending_index)
		memset(r->pending_index, 0, r->index_size * sizeof *r->pending_index);
	buf_clear(&r->held);
	r->last.set = false;
	r->overflowed = r->warned = r->holding = false;
}

void report_forget(struct sim_reader *r)
{
	r->last.set = false;
}

void report_begin(struct sim_reader *r)
{
	free(r->pending);
	free(r->pending_index);
	r->pending = NULL;
	r->pending_index = NULL;
	r->n_pending = r->cap_pending = r->index_size = 0;
}

void sim_reader_flush(struct sim_reader *r)
{
	report_flush(r, false);
}

/* --- accumulation (LLRP 1.0.1, 14.2.3.1) -------------------------------------------------------
 */

static size_t tag_hash(const struct epc *epc, uint16_t antenna)
{
	uint32_t h = 2166136261u ^ antenna;

	for (size_t i = 0; i < epc_bytes(epc); i++)
		h = (h ^ epc->data[i]) * 16777619u;
	return h ^ h >> 15;
}

static int pending_grow(struct sim_reader *r)
{
	size_t cap = r->cap_pending ? r->cap_pending * 2 : 64;
	struct pending_tag *pending = realloc(r->pending, cap * sizeof *pending);
	uint32_t *index;

	if (!pending)
		return -ENOMEM;
	r->pending = pending;
	index = calloc(cap * 2, sizeof *index);
	if (!index)
		return -ENOMEM;
	free(r->pending_index);
	r->pending_index = index;
	r->index_size = cap * 2;
	r->cap_pending = cap;
	for (size_t i = 0; i < r->n_pending; i++) {
		size_t at = tag_hash(&pending[i].epc, pending[i].antenna) & (cap * 2 - 1);

		while (index[at])
			at = (at + 1) & (cap * 2 - 1);
		index[at] = (uint32_t) i + 1;
	}
	return 0;
}

/** May both be one report: the same EPC and, where they are reported, the same antenna and specs?
 */
static bool mergeable(const struct pending_tag *a, const struct pending_tag *b)
{
	return a->antenna == b->antenna && a->spec_index == b->spec_index &&
	       a->inventory_spec == b->inventory_spec && a->rospec_id == b->rospec_id &&
	       epc_equal(&a->epc, &b->epc);
}

/** An equal report to merge into; else NULL, and where the new one is to be found. */
static struct pending_tag *pending_find(struct sim_reader *r, const struct pending_tag *new,
					size_t *ret_at)
{
	size_t at = tag_hash(&new->epc, new->antenna) & (r->index_size - 1);

	for (; r->pending_index[at]; at = (at + 1) & (r->index_size - 1)) {
		struct pending_tag *t = &r->pending[r->pending_index[at] - 1];

		if (mergeable(t, new))
			return t;
	}
	*ret_at = at;
	return NULL;
}

static int16_t rssi_cdbm(const struct sim_tag_read *read)
{
	return read->rssi_cdbm ? read->rssi_cdbm : (int16_t) (read->rssi_dbm * 100);
}

static void pending_merge(struct pending_tag *t, const struct sim_tag_read *read)
{
	t->count = (uint16_t) (t->count == UINT16_MAX ? UINT16_MAX : t->count + 1);
	t->peak_rssi = MAX(t->peak_rssi, read->rssi_dbm);
	t->peak_cdbm = MAX(t->peak_cdbm, rssi_cdbm(read));
	t->first_us = MIN(t->first_us, read->at_us);
	t->last_us = MAX(t->last_us, read->at_us);
	t->channel = read->channel;
	t->phase = read->phase;
	t->doppler = read->doppler;
}

static struct pending_tag tag_of(const struct sim_reader *r, const struct rospec *spec,
				 const struct sim_tag_read *read)
{
	uint32_t fields = r->active_report.fields;

	return (struct pending_tag){
		.epc = *read->epc,
		.antenna = fields & FIELD_ANTENNA ? read->antenna : 0,
		.channel = read->channel,
		.phase = read->phase,
		.doppler = read->doppler,
		.count = 1,
		.peak_rssi = read->rssi_dbm,
		.peak_cdbm = rssi_cdbm(read),
		.spec_index = fields & FIELD_SPEC_INDEX ? spec->spec_index : 0,
		.inventory_spec = fields & FIELD_INVENTORY_SPEC_ID ? spec->inventory_spec : 0,
		.rospec_id = spec->id,
		.first_us = read->at_us,
		.last_us = read->at_us,
	};
}

static void pending_add(struct sim_reader *r, const struct rospec *spec,
			const struct sim_tag_read *read)
{
	struct pending_tag new = tag_of(r, spec, read), *t;
	size_t at;

	if ((r->n_pending == r->cap_pending && pending_grow(r) < 0) ||
	    r->n_pending >= READER_PENDING_MAX) {
		r->stats.dropped++;
		overflow(r);
		return;
	}
	t = pending_find(r, &new, &at);
	if (t) {
		pending_merge(t, read);
		return;
	}
	t = &r->pending[r->n_pending++];
	*t = new;
	r->pending_index[at] = (uint32_t) r->n_pending;
}

void report_access(struct sim_reader *r, const struct sim_tag_read *read, uint32_t accessspec,
		   const struct buf *results)
{
	_cleanup_buf_ struct buf frame = BUF_INIT;
	struct pending_tag t = tag_of(r, rospec_active(r), read);

	frame_begin(r, &frame);
	put_tag(r, &t, r->active_report.fields, accessspec, results, &frame);
	frame_end(r, &frame, 1);
}

void sim_reader_feed(struct sim_reader *r, const struct sim_tag_read *reads, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct rospec *spec = rospec_active(r);
		struct sim_tag_read read = reads[i];
		size_t before = r->n_pending;
		struct epc on_air;

		if (!spec || !spec->aispec)
			return;
		if (reader_is_deaf(r, &read))
			continue;
		r->stats.reads++;
		if (accessspec_run(r, &read))
			continue;
		read.epc = sim_tags_on_air(r->tags, read.epc, &on_air);
		pending_add(r, spec, &read);
		if (r->active_report.trigger != 0 && r->active_report.n > 0 &&
		    r->n_pending >= r->active_report.n)
			report_flush(r, false);
		if (r->n_pending != before)
			rospec_observed(r);
	}
}
