/* SPDX-License-Identifier: Apache-2.0 */
/** @file Frames in hexadecimal and in data files, for tests of the LLRP codec. */
#pragma once

#include "common/err.h"
#include "common/hex.h"
#include "rfid/llrp_codec.h"
#include "rfid/llrp_report.h"

#include <errno.h>
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* --- helpers ---------------------------------------------------------------------------------- */

static inline struct llrp_msg *decode_hex(const char *hex, struct llrp_diag *diag, int *ret_r)
{
	uint8_t frame[512];
	struct llrp_msg *m = NULL;
	size_t n = strlen(hex) / 2;

	assert_true(n <= sizeof(frame));
	assert_int_equal(hex_decode(hex, frame, n), 0);
	*ret_r = llrp_msg_decode(frame, n, &m, diag);
	return m;
}

static inline void encode_is(const struct llrp_msg *m, const char *hex)
{
	_cleanup_buf_ struct buf out = BUF_INIT;
	char text[1024];

	assert_int_equal(llrp_msg_encode(m, &out), 0);
	assert_true(2 * out.len < sizeof(text));
	assert_string_equal(hex_encode(out.data, out.len, text), hex);
}

/** Bytes of a data file; skips the test (or fails it) when the file is not there. */
static inline uint8_t *data_file(const char *name, size_t *ret_len)
{
	const char *dir = getenv("GONDOLA_DATA"), *must = getenv("REQUIRE_DATA");
	char path[512];
	uint8_t *data;
	long len;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir ? dir : ".", name);
	f = fopen(path, "rb");
	if (!f) {
		if (must && strcmp(must, "1") == 0)
			fail_msg("%s is missing", path);
		skip();
	}
	assert_int_equal(fseek(f, 0, SEEK_END), 0);
	len = ftell(f);
	assert_true(len > 0);
	rewind(f);
	data = malloc((size_t) len);
	assert_non_null(data);
	assert_int_equal(fread(data, 1, (size_t) len, f), (size_t) len);
	fclose(f);
	*ret_len = (size_t) len;
	return data;
}
