/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/inventory/inv_image.h"
#include "common/err.h"
#include "common/wire.h"
#include "controller/inventory/inv_crc.h"
#include <errno.h>
#include <string.h>

#define MAGIC      "GSNP"
#define HEAD_BYTES 20

enum section_kind {
	SECTION_HEAD = 1,
	SECTION_ANTENNAS,
	SECTION_STREAMS,
	SECTION_ITEMS
};

/* --- taking ------------------------------------------------------------------------------------
 */

static bool copy(void **v, uint32_t *cap, uint32_t *n, const void *from, uint32_t from_n,
		 size_t size)
{
	if (*cap < from_n) {
		void *grown = realloc(*v, (size_t) from_n * size);

		if (!grown)
			return false;
		*v = grown;
		*cap = from_n;
	}
	if (from_n)
		memcpy(*v, from, (size_t) from_n * size);
	*n = from_n;
	return true;
}

#define COPY(a) copy((void **) &im->a.v, &im->a.cap, &im->a.n, st->a.v, st->a.n, sizeof(*st->a.v))

int inv_image_take(struct inv_image *im, const struct inv_state *st, uint64_t cover, int64_t now_us)
{
	if (!COPY(items) || !COPY(evidence) || !COPY(long_epcs) || !COPY(antennas) ||
	    !COPY(streams))
		return -ENOMEM;
	im->cover = cover;
	im->taken_us = now_us;
	return 0;
}

void inv_image_done(struct inv_image *im)
{
	free(im->items.v);
	free(im->evidence.v);
	free(im->long_epcs.v);
	free(im->antennas.v);
	free(im->streams.v);
	*im = (struct inv_image){0};
}

/* --- encoding ----------------------------------------------------------------------------------
 */

static size_t chunks(uint32_t items)
{
	return ((size_t) items + INV_IMAGE_CHUNK - 1) / INV_IMAGE_CHUNK;
}

size_t inv_image_sections(const struct inv_image *im)
{
	return 3 + chunks(im->items.n);
}

static void encode_head(const struct inv_image *im, struct buf *out)
{
	buf_put_u64le(out, im->cover);
	buf_put_u64le(out, (uint64_t) im->taken_us);
	buf_put_u32le(out, im->antennas.n);
	buf_put_u32le(out, im->streams.n);
	buf_put_u32le(out, im->items.n);
}

static void encode_antennas(const struct inv_image *im, struct buf *out)
{
	for (uint32_t i = 0; i < im->antennas.n; i++) {
		const struct inv_antenna *a = &im->antennas.v[i];
		size_t n = strlen(a->reader);

		buf_put_u64le(out, a->agent);
		buf_put_u16le(out, a->number);
		buf_put_u64le(out, (uint64_t) a->last_heard_us);
		buf_put_u64le(out, a->sightings);
		buf_put_u8(out, (uint8_t) n);
		buf_put(out, a->reader, n);
	}
}

static void encode_streams(const struct inv_image *im, struct buf *out)
{
	for (uint32_t i = 0; i < im->streams.n; i++) {
		const struct inv_stream *s = &im->streams.v[i];

		buf_put_u64le(out, s->agent);
		buf_put(out, s->journal_id, sizeof(s->journal_id));
		buf_put_u64le(out, s->applied);
		buf_put_u64le(out, (uint64_t) s->last_us);
	}
}

static void encode_evidence(const struct inv_evidence *e, struct buf *out)
{
	buf_put_u16le(out, e->antenna);
	buf_put_u8(out, e->present);
	buf_put_u16le(out, (uint16_t) e->rssi_cdbm);
	buf_put_u16le(out, (uint16_t) e->peak_cdbm);
	buf_put_u16le(out, e->rate_mhz);
	buf_put_u32le(out, e->reads);
	buf_put_u32le(out, e->span_ms);
	buf_put_u64le(out, (uint64_t) e->last_us);
}

static void encode_item(const struct inv_image *im, const struct inv_item *it, struct buf *out)
{
	size_t bytes = (size_t) (it->bits + 7) / 8;
	const uint8_t *epc = it->epc;
	uint8_t n = 0;
	uint32_t at;

	if (bytes > INV_SHORT_EPC) {
		memcpy(&at, it->epc, sizeof(at));
		epc = im->long_epcs.v[at].data;
	}
	buf_put_u16le(out, it->bits);
	buf_put(out, epc, bytes);
	buf_put_u8(out, it->state);
	buf_put_u8(out, it->cause);
	buf_put_u16le(out, it->confidence);
	buf_put_u32le(out, it->place);
	buf_put_u64le(out, (uint64_t) it->since_us);
	for (at = it->evidence; at != INV_NONE; at = im->evidence.v[at].next)
		n++;
	buf_put_u8(out, n);
	for (at = it->evidence; at != INV_NONE; at = im->evidence.v[at].next)
		encode_evidence(&im->evidence.v[at], out);
}

static uint32_t section_crc(uint32_t section, uint16_t kind, uint32_t count, const void *data,
			    size_t len)
{
	uint8_t head[10];

	for (int i = 0; i < 4; i++) {
		head[i] = (uint8_t) (section >> 8 * i);
		head[4 + i] = (uint8_t) (count >> 8 * i);
	}
	head[8] = (uint8_t) kind;
	head[9] = (uint8_t) (kind >> 8);
	return inv_crc32c(inv_crc32c(0, head, sizeof(head)), data, len);
}

int inv_image_encode(const struct inv_image *im, size_t section, struct buf *out)
{
	uint32_t first = section < 3 ? 0 : (uint32_t) (section - 3) * INV_IMAGE_CHUNK;
	uint32_t n_items = MIN(im->items.n - first, INV_IMAGE_CHUNK);
	size_t head_at = out->len, body_at;
	uint16_t kind = section < 3 ? (uint16_t) (SECTION_HEAD + section) : SECTION_ITEMS;
	uint32_t count = 1;

	(void) buf_extend(out, HEAD_BYTES);
	body_at = out->len;
	switch (kind) {
	case SECTION_HEAD:
		encode_head(im, out);
		break;
	case SECTION_ANTENNAS:
		count = im->antennas.n;
		encode_antennas(im, out);
		break;
	case SECTION_STREAMS:
		count = im->streams.n;
		encode_streams(im, out);
		break;
	default:
		count = n_items;
		for (uint32_t i = 0; i < n_items; i++)
			encode_item(im, &im->items.v[first + i], out);
	}
	if (!buf_ok(out))
		return out->err;
	uint8_t *h = out->data + head_at;
	uint32_t words[3] = {count, (uint32_t) (out->len - body_at),
			     section_crc((uint32_t) section, kind, count, out->data + body_at,
					 out->len - body_at)};

	memcpy(h, MAGIC, 4);
	h[4] = INV_IMAGE_VERSION;
	h[5] = 0;
	h[6] = (uint8_t) kind;
	h[7] = (uint8_t) (kind >> 8);
	for (int w = 0; w < 3; w++) {
		for (int i = 0; i < 4; i++)
			h[8 + 4 * w + i] = (uint8_t) (words[w] >> 8 * i);
	}
	return 0;
}

/* --- loading -----------------------------------------------------------------------------------
 */

static int load_head(struct inv_image_loader *l, struct wire *w)
{
	l->cover = wire_get_u64le(w);
	l->taken_us = (int64_t) wire_get_u64le(w);
	l->antennas = wire_get_u32le(w);
	l->streams = wire_get_u32le(w);
	l->items = wire_get_u32le(w);
	l->sections = 3 + chunks(l->items);
	return 0;
}

static int load_antenna(struct inv_image_loader *l, struct wire *w)
{
	struct inv_antenna a = {0};
	size_t n;

	a.agent = wire_get_u64le(w);
	a.number = wire_get_u16le(w);
	a.last_heard_us = (int64_t) wire_get_u64le(w);
	a.sightings = wire_get_u64le(w);
	n = wire_get_u8(w);
	if (n >= sizeof(a.reader))
		return -ERR_CORRUPT;
	wire_copy(w, a.reader, n);
	return wire_ok(w) ? inv_state_restore_antenna(l->st, l->st->antennas.n, &a) : -ERR_CORRUPT;
}

static int load_stream(struct inv_image_loader *l, struct wire *w)
{
	struct inv_stream s = {0};

	s.agent = wire_get_u64le(w);
	wire_copy(w, s.journal_id, sizeof(s.journal_id));
	s.applied = wire_get_u64le(w);
	s.last_us = (int64_t) wire_get_u64le(w);
	return wire_ok(w) ? inv_state_restore_stream(l->st, &s) : -ERR_CORRUPT;
}

static int load_evidence(struct inv_image_loader *l, uint32_t item, struct wire *w)
{
	struct inv_evidence e = {0};

	e.antenna = wire_get_u16le(w);
	e.present = wire_get_u8(w) != 0;
	e.rssi_cdbm = (int16_t) wire_get_u16le(w);
	e.peak_cdbm = (int16_t) wire_get_u16le(w);
	e.rate_mhz = wire_get_u16le(w);
	e.reads = wire_get_u32le(w);
	e.span_ms = wire_get_u32le(w);
	e.last_us = (int64_t) wire_get_u64le(w);
	return wire_ok(w) ? inv_state_restore_evidence(l->st, item, &e) : -ERR_CORRUPT;
}

static int load_item(struct inv_image_loader *l, struct wire *w)
{
	uint8_t bytes[EPC_MAX_BYTES] = {0};
	uint16_t bits = wire_get_u16le(w), conf;
	uint8_t state, cause, n;
	uint32_t id = l->st->items.n, place;
	int64_t since_us;
	struct epc epc;
	int r;

	if (bits > EPC_MAX_BITS)
		return -ERR_CORRUPT;
	wire_copy(w, bytes, (size_t) (bits + 7) / 8);
	state = wire_get_u8(w);
	cause = wire_get_u8(w);
	conf = wire_get_u16le(w);
	place = wire_get_u32le(w);
	since_us = (int64_t) wire_get_u64le(w);
	n = wire_get_u8(w);
	if (!wire_ok(w) || epc_set(&epc, bytes, bits) < 0 || n > INV_MAX_EVIDENCE)
		return -ERR_CORRUPT;
	r = inv_state_restore_item(l->st, id, &epc);
	for (; n && !r; n--)
		r = load_evidence(l, id, w);
	return r ? r : inv_state_restore_place(l->st, id, place, state, cause, conf, since_us);
}

static int load_one(struct inv_image_loader *l, uint16_t kind, struct wire *w)
{
	switch (kind) {
	case SECTION_HEAD:
		return load_head(l, w);
	case SECTION_ANTENNAS:
		return load_antenna(l, w);
	case SECTION_STREAMS:
		return load_stream(l, w);
	default:
		return load_item(l, w);
	}
}

int inv_image_load(struct inv_image_loader *l, const void *data, size_t len)
{
	uint16_t want = l->section < 3 ? (uint16_t) (SECTION_HEAD + l->section) : SECTION_ITEMS;
	uint16_t version, kind;
	uint32_t count, body, crc;
	const uint8_t *magic;
	struct wire w;
	int r = 0;

	wire_init(&w, data, len);
	magic = wire_get_bytes(&w, 4);
	version = wire_get_u16le(&w);
	kind = wire_get_u16le(&w);
	count = wire_get_u32le(&w);
	body = wire_get_u32le(&w);
	crc = wire_get_u32le(&w);
	if (!wire_ok(&w) || memcmp(magic, MAGIC, 4) != 0)
		return -ERR_CORRUPT;
	if (version != INV_IMAGE_VERSION)
		return -ERR_VERSION;
	if (kind != want || wire_left(&w) != body ||
	    section_crc((uint32_t) l->section, kind, count, w.base + w.pos, body) != crc)
		return -ERR_CORRUPT;
	for (uint32_t i = 0; i < count && !r; i++)
		r = load_one(l, kind, &w);
	if (!r && wire_finish(&w))
		r = -ERR_CORRUPT;
	l->section++;
	return r;
}

int inv_image_loaded(const struct inv_image_loader *l)
{
	return l->section && l->section == l->sections && l->st->items.n == l->items &&
			       l->st->antennas.n == l->antennas && l->st->streams.n == l->streams
		       ? 0
		       : -ERR_CORRUPT;
}
