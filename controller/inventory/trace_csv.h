/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Recorded walks: one carried tag, as a reader heard it, read from CSV with a header row. The
 * columns, in any order: timestamp (seconds, with or without a fraction), reader, antenna, rssi
 * (dBm), epc (also printed as b'...'), phase_angle (4096 per turn), channel_index,
 * doppler_frequency. Only timestamp must be there; a value that is missing is told apart from a
 * measured one, unknown columns are ignored.
 *
 * The most frequent EPC is the tag that was carried; reads of others are counted and left out.
 * Readers report in bursts, so the reads are sorted by time (equal times keep their order). Where
 * a whole file has times in full seconds, the reads of one second are spread over it evenly: what
 * follows weighs evidence by the time that passed.
 */
#pragma once

#include "common/util.h"

#define TRACE_MAX_ROWS    (4u << 20)
#define TRACE_MAX_BYTES   ((size_t) 512 << 20)
#define TRACE_MAX_READERS 16
#define TRACE_NAME_CAP    64
#define TRACE_NO_RSSI     (-1000.0f)
#define TRACE_NO_DOPPLER  (-1e9f)

struct trace_read {
	int64_t at_us;
	float rssi_dbm;   /**< TRACE_NO_RSSI if the row has none */
	float doppler;    /**< as reported (sixteenths of a hertz); TRACE_NO_DOPPLER */
	uint16_t antenna; /**< 1 if there is no such column */
	int16_t channel;  /**< -1 if unknown */
	int16_t phase;    /**< 0..4095, -1 if unknown */
	uint8_t reader;   /**< index into trace.readers */
};

struct trace {
	struct trace_read *reads;
	size_t n;
	size_t foreign; /**< reads of other tags, left out */
	size_t bad;     /**< rows left out because they could not be read */
	unsigned int n_readers;
	char readers[TRACE_MAX_READERS][TRACE_NAME_CAP]; /**< "" where the file does not say */
};

/** Called for each row left out, and for what is wrong with the file as a whole. */
typedef void (*trace_bad_fn)(void *user, uint64_t line, const char *why);

/** -ERR_SYNTAX: no usable header; -ENODATA: not one read; -ERR_TOO_LARGE past the caps; -ENOMEM.
 * `bad` may be NULL. */
int trace_parse(const void *data, size_t len, trace_bad_fn bad, void *user,
		struct trace *ret) _must_check_;
/** The same from a file. */
int trace_load(const char *file, trace_bad_fn bad, void *user, struct trace *ret) _must_check_;
void trace_done(struct trace *t);
