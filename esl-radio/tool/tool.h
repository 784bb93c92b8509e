/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * gondola-esl: looks at what access points and shelf labels say, and builds such payloads. Bytes
 * come from the command line or, record by record, from a capture (btsnoop.c); keys.c opens what is
 * encrypted; pawr.c follows the train through a capture; words.c turns commands and responses into
 * words and words into commands.
 */
#pragma once

#include "common/buf.h"
#include "common/wire.h"
#include "esl-radio/ead.h"
#include "esl-radio/esl_wire.h"
#include <stdio.h>

enum tool_exit {
	TOOL_OK = 0,
	TOOL_FAILED = 1,
	TOOL_USAGE = 2
};

/** "gondola-esl: ..." and a newline on stderr. */
void tool_error(const char *fmt, ...) _printf_(1, 2);

/* --- words.c ---------------------------------------------------------------------------------- */

#define TOOL_WORDS_MAX 200

/** "Display Timed Image, label 5: display 0, image 3, at 100000 ms". Returns buf. */
const char *tool_command_words(const struct esl_cmd *c, char buf[TOOL_WORDS_MAX]);
/** "Basic State: synchronized, display pending". Returns buf. */
const char *tool_response_words(const struct esl_rsp *r, char buf[TOOL_WORDS_MAX]);
/**
 * Reads a command as the command line has it: a name and its numbers, for example "timed 5 0 3
 * 100000". -ERR_SYNTAX with a sentence in `why`.
 */
int tool_command_parse(const char *text, struct esl_cmd *ret,
		       char why[TOOL_WORDS_MAX]) _must_check_;
/** The commands tool_command_parse() knows, one line each. */
void tool_command_help(FILE *out);

/* --- keys.c ----------------------------------------------------------------------------------- */

#define TOOL_KEYS_MAX 4096

struct tool_label_key {
	uint8_t group, esl_id;
	struct ead_key key;
};

/** Key material as an access point wrote it into labels. */
struct tool_keys {
	bool has_train;
	struct ead_key train;
	struct tool_label_key *labels; /**< owned */
	size_t n_labels;
};

/**
 * Reads a key file: lines `train HEX` and `label GROUP ID HEX`, HEX being the 24 bytes of the key
 * material characteristic in the order in which they are written. Says on stderr what is wrong and
 * in which line, never what a key was.
 */
int tool_keys_read(const char *path, struct tool_keys *ret) _must_check_;
void tool_keys_done(struct tool_keys *k);
const struct ead_key *tool_keys_of(const struct tool_keys *k, uint8_t group, uint8_t esl_id);
/** 48 hexadecimal digits. -ERR_SYNTAX. */
int tool_key_parse(const char *hex, struct ead_key *ret) _must_check_;

/* --- payload.c -------------------------------------------------------------------------------- */

/** Advertising data as it went on air, opened. */
struct tool_payload {
	bool encrypted;
	uint8_t plain[256]; /**< the ESL payload: group and commands, or responses */
	size_t len;
};

/** Opens advertising data with `key`, which may be NULL for what is not encrypted. -ENOENT: no ESL
 * structure in it; -EACCES: encrypted, and no key was given; -ERR_CRYPTO: not with this key. */
int tool_payload_open(const struct ead_key *key, const uint8_t *ad, size_t len,
		      struct tool_payload *ret) _must_check_;
/** Prints the commands of a packet below each other; 0, or -ERR_BADMSG after saying where it ends
 * to make sense. Fills `ids` (of ESL_COMMANDS_MAX) with the label each index addresses. */
int tool_print_packet(FILE *out, const char *indent, const struct tool_payload *p, uint8_t *ids,
		      size_t *ret_n);
/** Prints the responses of one slot. */
int tool_print_responses(FILE *out, const char *indent, const struct tool_payload *p);

/* --- btsnoop.c -------------------------------------------------------------------------------- */

/** One HCI packet of a capture. */
struct tool_record {
	size_t number; /**< from 1 */
	int64_t time_us;
	bool to_host;
	uint8_t type;        /**< enum h4_type */
	const uint8_t *data; /**< after the H4 type; borrowed */
	size_t len;
	uint16_t adapter;
};

/** Negative ends the walk and is its result. */
typedef int (*tool_record_fn)(void *user, const struct tool_record *r);

/** The HCI packets of a btsnoop capture (HCI, H4 and Linux monitor formats). Says on stderr what is
 * wrong with the file. */
int tool_each_record(const char *name, const uint8_t *data, size_t len, tool_record_fn fn,
		     void *user);

/* --- pawr.c ----------------------------------------------------------------------------------- */

/** What a capture holds, told at its end. */
struct tool_totals {
	size_t records, packets, responses, opened, closed, malformed;
};

struct tool_train {
	FILE *out;
	const struct tool_keys *keys;
	int64_t start_us;
	struct tool_totals totals;
	/** Which label each slot of a subevent's latest packet belongs to. */
	struct {
		uint8_t ids[ESL_COMMANDS_MAX];
		size_t n;
	} asked[128];
};

/** A tool_record_fn over a struct tool_train. */
int tool_decode_record(void *user, const struct tool_record *r);
