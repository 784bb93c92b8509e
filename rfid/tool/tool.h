/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * gondola-llrp: looks at LLRP frames in files, captures and live sessions. Frames come out of a
 * source (frames.c, capture.c) one by one; print.c writes them for people.
 */
#pragma once

#include "common/buf.h"
#include "rfid/llrp_codec.h"
#include "rfid/rfid.h"
#include <stdbool.h>
#include <stdio.h>

enum tool_exit {
	TOOL_OK = 0,
	TOOL_FAILED = 1,
	TOOL_USAGE = 2
};

/** One whole message as it was found. */
struct tool_frame {
	const uint8_t *data;
	size_t len;
	size_t number;    /**< from 1 */
	size_t at;        /**< octets before it: in the file, or in its TCP stream */
	int64_t time_us;  /**< of a capture, else INT64_MIN */
	const char *flow; /**< "from > to" of a capture, else NULL */
};

/** Negative ends the walk and is its result. */
typedef int (*tool_frame_fn)(void *user, const struct tool_frame *f);

/** The whole of a file, "-" for standard input. Says on stderr what failed. */
int tool_read_file(const char *path, struct buf *ret);
/** Frames one after another. Says on stderr which one cannot be taken apart. */
int tool_each_frame(const char *name, const uint8_t *data, size_t len, tool_frame_fn fn,
		    void *user);
/** Is this a capture (pcap or pcapng)? */
bool tool_is_capture(const uint8_t *data, size_t len);
/** LLRP messages of a capture's TCP streams on `port`. Gaps are told on stderr and stepped over. */
int tool_each_captured(const char *name, const uint8_t *data, size_t len, uint16_t port,
		       tool_frame_fn fn, void *user);

/** A message in words, indented. */
void tool_print_frame(FILE *out, const struct tool_frame *f, const struct llrp_msg *m);
/** Why a frame could not be decoded, on stderr. */
void tool_print_fault(const char *name, const struct tool_frame *f, int err,
		      const struct llrp_diag *diag);

int tool_session(int argc, char **argv);
int tool_tag(int argc, char **argv);

/** Takes one of the options about a tag: e(pc), w + 256 (password), R(ead), W(rite), N(ew EPC),
 * (loc)K. TOOL_OK, or TOOL_USAGE after having said why. */
int tool_tag_option(struct rfid_access *a, int opt, const char *text);
/** What became of it. 0, or negative when something was not done. */
int tool_tag_print(const struct rfid_access *a, const struct rfid_access_result *result);

/** "gondola-llrp: ..." and a newline on stderr. */
void tool_error(const char *fmt, ...) _printf_(1, 2);
/** The same and a hint; yields TOOL_USAGE. */
int tool_usage_error(const char *fmt, ...) _printf_(1, 2);
