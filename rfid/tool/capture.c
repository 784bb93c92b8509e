/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * LLRP out of pcap and pcapng files: packets, TCP segments, streams, messages. Segments are taken
 * in the order captured; what was sent twice counts once; after a gap the stream goes on with the
 * next segment that begins a message.
 */
#include "rfid/tool/tool.h"

#include "common/err.h"
#include "common/wire.h"
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define PCAP_US     0xa1b2c3d4u
#define PCAP_NS     0xa1b23c4du
#define PCAPNG      0x0a0d0d0au
#define NG_ORDER    0x1a2b3c4du
#define MAX_STREAMS 1024u
#define MAX_LINKS   64u /* interfaces of a pcapng section */
#define FLOW_TEXT   120

enum { /* of the registry of link types */
	LINK_NULL = 0,
	LINK_ETHERNET = 1,
	LINK_RAW_OLD = 12,
	LINK_RAW = 101,
	LINK_LOOP = 108,
	LINK_COOKED = 113,
	LINK_IPV4 = 228,
	LINK_IPV6 = 229,
	LINK_COOKED2 = 276,
};

struct flow_key {
	uint8_t addresses[2][16];
	uint16_t ports[2];
	uint16_t family;
};

/** One direction of a connection. */
struct stream {
	struct stream *next;
	struct flow_key key;
	char text[FLOW_TEXT];
	struct buf data; /**< what is not yet a whole message */
	size_t at;       /**< octets of the stream before `data` */
	uint32_t seq;    /**< expected next */
	bool started;
};

struct link {
	uint32_t type;
	uint8_t resolution; /**< of time stamps, as pcapng writes it */
};

struct capture {
	const char *name;
	uint16_t port;
	tool_frame_fn fn;
	void *user;
	struct stream *streams;
	size_t n_streams;
	size_t frames;
	int64_t time_us;
	struct link links[MAX_LINKS];
	size_t n_links;
};

static uint32_t get32(const uint8_t *p, bool little)
{
	return little ? (uint32_t) p[3] << 24 | (uint32_t) p[2] << 16 | (uint32_t) p[1] << 8 | p[0]
		      : (uint32_t) p[0] << 24 | (uint32_t) p[1] << 16 | (uint32_t) p[2] << 8 | p[3];
}

static uint16_t get16(const uint8_t *p, bool little)
{
	return (uint16_t) (little ? p[1] << 8 | p[0] : p[0] << 8 | p[1]);
}

bool tool_is_capture(const uint8_t *data, size_t len)
{
	if (len < 24)
		return false;
	for (int little = 0; little < 2; little++) {
		uint32_t magic = get32(data, little);

		if (magic == PCAP_US || magic == PCAP_NS)
			return true;
	}
	return get32(data, false) == PCAPNG;
}

/* --- streams ---------------------------------------------------------------------------------- */

static struct stream *find_stream(struct capture *c, const struct flow_key *key)
{
	char from[INET6_ADDRSTRLEN] = "?", to[INET6_ADDRSTRLEN] = "?";
	struct stream *s;

	for (s = c->streams; s; s = s->next)
		if (memcmp(&s->key, key, sizeof(*key)) == 0)
			return s;
	if (c->n_streams >= MAX_STREAMS)
		return NULL;
	s = calloc(1, sizeof(*s));
	if (!s)
		return NULL;
	s->key = *key;
	buf_init(&s->data, 2 * LLRP_MAX_FRAME_BYTES);
	inet_ntop(key->family, key->addresses[0], from, sizeof(from));
	inet_ntop(key->family, key->addresses[1], to, sizeof(to));
	snprintf(s->text, sizeof(s->text), "%s:%u > %s:%u", from, key->ports[0], to, key->ports[1]);
	s->next = c->streams;
	c->streams = s;
	c->n_streams++;
	return s;
}

static bool begins_message(const uint8_t *data, size_t len)
{
	struct llrp_header h;

	return llrp_header_decode(data, len, &h) == 0 && llrp_message_type(h.type) &&
	       (data[0] & 0xe0) == 0;
}

/** Hands out the whole messages in the stream's buffer. */
static int drain(struct capture *c, struct stream *s)
{
	size_t used = 0;
	int r = 0;

	while (r == 0) {
		struct tool_frame f = {.time_us = c->time_us, .flow = s->text};
		struct llrp_header h;

		r = llrp_header_decode(s->data.data + used, s->data.len - used, &h);
		if (r == -EAGAIN || (r == 0 && h.length > s->data.len - used)) {
			r = 0;
			break;
		}
		if (r < 0) {
			tool_error("%s: %s: at %zu there is no header of a message; looking for "
				   "the next segment that has one",
				   c->name, s->text, s->at + used);
			used = s->data.len;
			s->started = false;
			r = 0;
			break;
		}
		f.data = s->data.data + used;
		f.len = h.length;
		f.at = s->at + used;
		f.number = ++c->frames;
		r = c->fn(c->user, &f);
		used += h.length;
	}
	s->at += used;
	buf_consume(&s->data, used);
	return r;
}

static int add_segment(struct capture *c, struct stream *s, uint32_t seq, bool syn,
		       const uint8_t *data, size_t len)
{
	int32_t ahead;

	if (syn) {
		buf_clear(&s->data);
		s->seq = seq + 1;
		s->at = 0;
		s->started = true;
		return 0;
	}
	if (len == 0)
		return 0;
	if (!s->started) {
		if (!begins_message(data, len))
			return 0;
		s->started = true;
		s->seq = seq;
	}
	ahead = (int32_t) (seq - s->seq);
	if (ahead > 0) {
		tool_error("%s: %s: %" PRId32 " octets are missing after %zu", c->name, s->text,
			   ahead, s->at + s->data.len);
		s->at += s->data.len + (size_t) ahead;
		buf_clear(&s->data);
		s->seq = seq;
		if (!begins_message(data, len)) {
			s->started = false;
			return 0;
		}
	} else if (ahead < 0) {
		/* Sent again; it may bring something new at its end. */
		size_t known = (size_t) - (int64_t) ahead;

		if (known >= len)
			return 0;
		data += known;
		len -= known;
	}
	buf_put(&s->data, data, len);
	s->seq += (uint32_t) len;
	return buf_ok(&s->data) ? drain(c, s) : s->data.err;
}

/* --- packets ---------------------------------------------------------------------------------- */

static int add_tcp(struct capture *c, struct flow_key *key, const uint8_t *p, size_t len)
{
	struct stream *s;
	size_t head;

	if (len < 20)
		return 0;
	head = (size_t) (p[12] >> 4) * 4;
	key->ports[0] = get16(p, false);
	key->ports[1] = get16(p + 2, false);
	if (head < 20 || head > len || (key->ports[0] != c->port && key->ports[1] != c->port))
		return 0;
	s = find_stream(c, key);
	if (!s) {
		tool_error("%s: more than %u streams", c->name, MAX_STREAMS);
		return -ERR_TOO_LARGE;
	}
	return add_segment(c, s, get32(p + 4, false), p[13] & 2, p + head, len - head);
}

static int add_ipv4(struct capture *c, const uint8_t *p, size_t len)
{
	struct flow_key key = {.family = AF_INET};
	size_t head, total;

	if (len < 20)
		return 0;
	head = (size_t) (p[0] & 15) * 4;
	total = get16(p + 2, false);
	if (total == 0) /* cut into segments by the network card, after the capture */
		total = len;
	/* Not TCP, or a fragment. */
	if (head < 20 || total < head || total > len || p[9] != 6 ||
	    (get16(p + 6, false) & 0x3fff) != 0)
		return 0;
	memcpy(key.addresses[0], p + 12, 4);
	memcpy(key.addresses[1], p + 16, 4);
	return add_tcp(c, &key, p + head, total - head);
}

static int add_ipv6(struct capture *c, const uint8_t *p, size_t len)
{
	struct flow_key key = {.family = AF_INET6};
	uint8_t next;
	size_t at = 40, total;

	if (len < 40)
		return 0;
	next = p[6];
	total = 40 + (size_t) get16(p + 4, false);
	if (total == 40 || total > len)
		total = len;
	memcpy(key.addresses[0], p + 8, 16);
	memcpy(key.addresses[1], p + 24, 16);
	/* Hop-by-hop, routing and destination options come before. */
	while ((next == 0 || next == 43 || next == 60) && total - at >= 8) {
		size_t n = ((size_t) p[at + 1] + 1) * 8;

		next = p[at];
		if (n > total - at)
			return 0;
		at += n;
	}
	return next == 6 ? add_tcp(c, &key, p + at, total - at) : 0;
}

static int add_ip(struct capture *c, const uint8_t *p, size_t len)
{
	if (len == 0)
		return 0;
	return p[0] >> 4 == 4 ? add_ipv4(c, p, len) : p[0] >> 4 == 6 ? add_ipv6(c, p, len) : 0;
}

static int add_ethernet(struct capture *c, const uint8_t *p, size_t len)
{
	size_t at = 12;

	/* Tags of virtual networks stand before the type. */
	while (at + 2 <= len && (get16(p + at, false) == 0x8100 || get16(p + at, false) == 0x88a8))
		at += 4;
	return at + 2 < len ? add_ip(c, p + at + 2, len - at - 2) : 0;
}

static int add_packet(struct capture *c, uint32_t link, const uint8_t *p, size_t len)
{
	size_t skip;

	switch (link) {
	case LINK_ETHERNET:
		return add_ethernet(c, p, len);
	case LINK_COOKED:
		skip = 16;
		break;
	case LINK_COOKED2:
		skip = 20;
		break;
	case LINK_NULL:
	case LINK_LOOP:
		skip = 4;
		break;
	case LINK_RAW_OLD:
	case LINK_RAW:
	case LINK_IPV4:
	case LINK_IPV6:
		skip = 0;
		break;
	default:
		tool_error("%s: link type %u is not one I can read", c->name, link);
		return -ERR_VERSION;
	}
	return len > skip ? add_ip(c, p + skip, len - skip) : 0;
}

/* --- files ------------------------------------------------------------------------------------ */

static int cut_short(const struct capture *c, size_t at)
{
	tool_error("%s: the capture is cut short at offset %zu", c->name, at);
	return -ERR_TRUNCATED;
}

static int read_pcap(struct capture *c, const uint8_t *data, size_t len)
{
	uint32_t magic = get32(data, false);
	bool little = magic != PCAP_US && magic != PCAP_NS;
	bool nano = get32(data, little) == PCAP_NS;
	uint32_t link = get32(data + 20, little) & 0xffff;
	int r = 0;

	for (size_t at = 24; r == 0 && at < len;) {
		size_t n;

		if (len - at < 16)
			return cut_short(c, at);
		n = get32(data + at + 8, little);
		if (n > len - at - 16)
			return cut_short(c, at);
		c->time_us = (int64_t) get32(data + at, little) * 1000000 +
			     get32(data + at + 4, little) / (nano ? 1000 : 1);
		r = add_packet(c, link, data + at + 16, n);
		at += 16 + n;
	}
	return r;
}

/** Interface description: link type, and the option that says what time stamps count. */
static void add_link(struct capture *c, const uint8_t *p, size_t len, bool little)
{
	struct link *l;

	if (c->n_links >= MAX_LINKS || len < 8)
		return;
	l = &c->links[c->n_links++];
	*l = (struct link){.type = get16(p, little), .resolution = 6};
	for (size_t at = 8; at + 4 <= len;) {
		uint16_t code = get16(p + at, little), n = get16(p + at + 2, little);

		if (code == 0 || n > len - at - 4)
			return;
		if (code == 9 && n >= 1)
			l->resolution = p[at + 4];
		at += 4 + ((size_t) n + 3) / 4 * 4;
	}
}

static int64_t ng_time_us(uint64_t ticks, uint8_t resolution)
{
	uint64_t scale = 1;

	if (resolution & 0x80) {
		unsigned int bits = resolution & 0x7f;

		if (bits > 40)
			return 0;
		return (int64_t) ((ticks >> bits) * 1000000 +
				  ((ticks & ((UINT64_C(1) << bits) - 1)) * 1000000 >> bits));
	}
	for (unsigned int i = resolution; i < 6; i++)
		scale *= 10;
	for (unsigned int i = 6; i < MIN(resolution, 18); i++)
		ticks /= 10;
	return (int64_t) (ticks * scale);
}

static int add_ng_packet(struct capture *c, const uint8_t *p, size_t len, bool little)
{
	uint32_t id, n;

	if (len < 20)
		return 0;
	id = get32(p, little);
	n = get32(p + 12, little);
	if (id >= c->n_links || n > len - 20)
		return 0;
	c->time_us = ng_time_us((uint64_t) get32(p + 4, little) << 32 | get32(p + 8, little),
				c->links[id].resolution);
	return add_packet(c, c->links[id].type, p + 20, n);
}

static int read_pcapng(struct capture *c, const uint8_t *data, size_t len)
{
	bool little = false;
	int r = 0;

	for (size_t at = 0; r == 0 && at < len;) {
		uint32_t type, n;

		if (len - at < 12)
			return cut_short(c, at);
		if (get32(data + at, false) == PCAPNG) { /* a section has its own byte order */
			little = get32(data + at + 8, true) == NG_ORDER;
			c->n_links = 0;
		}
		type = get32(data + at, little);
		n = get32(data + at + 4, little);
		if (n < 12 || n > len - at)
			return cut_short(c, at);
		if (type == 1)
			add_link(c, data + at + 8, n - 12, little);
		else if (type == 6)
			r = add_ng_packet(c, data + at + 8, n - 12, little);
		else if (type == 3 && c->n_links > 0 && n >= 16)
			r = add_packet(c, c->links[0].type, data + at + 12,
				       MIN((size_t) get32(data + at + 8, little), n - 16));
		at += n;
	}
	return r;
}

int tool_each_captured(const char *name, const uint8_t *data, size_t len, uint16_t port,
		       tool_frame_fn fn, void *user)
{
	struct capture *c = calloc(1, sizeof(*c));
	int r;

	if (!c)
		return -ENOMEM;
	*c = (struct capture){.name = name, .port = port, .fn = fn, .user = user};
	r = get32(data, false) == PCAPNG ? read_pcapng(c, data, len) : read_pcap(c, data, len);
	if (r == 0 && c->n_streams == 0)
		tool_error("%s: no TCP connection of port %u in it", name, port);
	for (struct stream *s = c->streams, *next; s; s = next) {
		next = s->next;
		if (r == 0 && s->data.len)
			tool_error("%s: %s: ends inside a message at %zu", name, s->text, s->at);
		buf_done(&s->data);
		free(s);
	}
	free(c);
	return r;
}
