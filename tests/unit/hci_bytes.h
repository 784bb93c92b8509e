/* SPDX-License-Identifier: Apache-2.0 */
/** @file Packets of a controller, looked at by tests. */
#pragma once

#include "common/hex.h"
#include "esl-radio/hci_wire.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static inline void assert_bytes(const struct buf *b, const char *hex)
{
	char text[2 * HCI_EVENT_MAX + 1];

	assert_true(buf_ok(b));
	assert_string_equal(hex_encode(b->data, b->len, text), hex);
}

/** A cursor over what follows the header of a packet just made. */
static inline struct wire params_of(const struct buf *b)
{
	struct h4_packet p;
	struct wire w;

	assert_int_equal(h4_next(b->data, b->len, &p), b->len);
	wire_init(&w, p.params, p.len);
	if (p.type == H4_EVENT && p.event == HCI_EVT_LE_META)
		wire_skip(&w, 1);
	return w;
}
