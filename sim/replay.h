/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Reads a recorded trace: CSV with a header row and the columns timestamp (seconds since 1970, with
 * or without a fraction), reader, antenna, rssi, epc (hex, also printed as b'...'), phase_angle,
 * channel_index, doppler_frequency, in any order. timestamp and epc must be there; other columns
 * may be missing or empty, unknown ones are ignored. A row that cannot be read is reported by its
 * line and left out; the rest is sorted by time (equal times keep their order).
 */
#pragma once

#include "common/epc.h"
#include "common/util.h"

#define REPLAY_MAX_ROWS (8u << 20)

struct replay_row {
	int64_t at_us; /**< UTC */
	struct epc epc;
	uint16_t antenna; /**< 1 if the column is missing */
	int8_t rssi_dbm;
	uint16_t phase;
	uint16_t channel;
	int16_t doppler;
};

struct replay {
	struct replay_row *rows;
	size_t n, cap;
	size_t bad;           /**< rows left out */
	uint16_t max_antenna; /**< highest seen, at least 1 */
};

/** Called for each row left out. */
typedef void (*replay_bad_fn)(void *user, size_t line, const char *why);

/** -ERR_SYNTAX: no usable header row; -ERR_TOO_LARGE past REPLAY_MAX_ROWS. `bad` may be NULL. */
int replay_parse(const char *text, size_t len, replay_bad_fn bad, void *user,
		 struct replay *ret) _must_check_;
/** The same from a file. */
int replay_load(const char *file, replay_bad_fn bad, void *user, struct replay *ret) _must_check_;
void replay_done(struct replay *r);
