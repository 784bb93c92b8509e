/* SPDX-License-Identifier: Apache-2.0 */
/*
 * btsnoop files (RFC 1761's snoop with Bluetooth link types): a header of 16 bytes, then records of
 * 24 bytes and a packet each, all big-endian. What the flags mean depends on the link type.
 */
#include "esl-radio/tool/tool.h"

#include "common/err.h"
#include "esl-radio/hci_wire.h"
#include <errno.h>
#include <inttypes.h>
#include <string.h>

enum {
	LINK_HCI = 1001,     /* no type byte: the flags tell commands and events from data */
	LINK_H4 = 1002,      /* the H4 type byte comes first */
	LINK_MONITOR = 2001, /* of Linux: the flags are adapter and kind */
};

enum { /* kinds of the monitor */
	MONITOR_COMMAND = 2,
	MONITOR_EVENT = 3,
	MONITOR_ACL_OUT = 4,
	MONITOR_ACL_IN = 5,
};

#define MAX_PACKET   65535u
#define FLAG_TO_HOST 1u
#define FLAG_CONTROL 2u
/** From the year 0, where the format counts from, to 1970. */
#define EPOCH_US     INT64_C(62168256000000000)

/** Fills in type, direction and data; false for what is no HCI packet. */
static bool classify(uint32_t link, uint32_t flags, struct tool_record *r)
{
	if (link == LINK_MONITOR) {
		uint32_t kind = flags & 0xffff;

		r->adapter = (uint16_t) (flags >> 16);
		r->to_host = kind == MONITOR_EVENT || kind == MONITOR_ACL_IN;
		r->type = kind == MONITOR_COMMAND ? H4_COMMAND
			  : kind == MONITOR_EVENT ? H4_EVENT
						  : H4_ACL;
		return kind >= MONITOR_COMMAND && kind <= MONITOR_ACL_IN;
	}
	r->to_host = flags & FLAG_TO_HOST;
	if (link == LINK_HCI) {
		r->type = !(flags & FLAG_CONTROL) ? H4_ACL : r->to_host ? H4_EVENT : H4_COMMAND;
		return true;
	}
	if (r->len == 0)
		return false;
	r->type = r->data[0];
	r->data++;
	r->len--;
	return r->type == H4_COMMAND || r->type == H4_EVENT || r->type == H4_ACL;
}

int tool_each_record(const char *name, const uint8_t *data, size_t len, tool_record_fn fn,
		     void *user)
{
	static const uint8_t magic[8] = "btsnoop";
	struct tool_record r = {.number = 0};
	uint32_t version, link;
	struct wire w;
	int err = 0;

	wire_init(&w, data, len);
	if (len < 16 || memcmp(data, magic, sizeof(magic)) != 0) {
		tool_error("%s: not a btsnoop capture", name);
		return -ERR_BADMSG;
	}
	wire_skip(&w, sizeof(magic));
	version = wire_get_u32be(&w);
	link = wire_get_u32be(&w);
	if (version != 1 || (link != LINK_HCI && link != LINK_H4 && link != LINK_MONITOR)) {
		tool_error("%s: btsnoop version %" PRIu32 ", link type %" PRIu32
			   ": wanted version 1 of type 1001 (HCI), 1002 (H4) or 2001 (monitor)",
			   name, version, link);
		return -ERR_VERSION;
	}
	while (err == 0 && wire_left(&w)) {
		uint32_t kept, flags;
		size_t at = w.pos;

		r.number++;
		wire_skip(&w, 4); /* original length */
		kept = wire_get_u32be(&w);
		flags = wire_get_u32be(&w);
		wire_skip(&w, 4); /* drops so far */
		r.time_us = (int64_t) (wire_get_u64be(&w) - (uint64_t) EPOCH_US);
		r.len = kept;
		r.data = kept <= MAX_PACKET ? wire_get_bytes(&w, kept) : NULL;
		if (!wire_ok(&w) || kept > MAX_PACKET) {
			tool_error("%s: record %zu at offset %zu: %s", name, r.number, at,
				   kept > MAX_PACKET ? "longer than any packet"
						     : "the file ends inside it");
			return -ERR_TRUNCATED;
		}
		if (classify(link, flags, &r))
			err = fn(user, &r);
	}
	return err;
}
