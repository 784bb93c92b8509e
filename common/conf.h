/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Configuration from a schema table, parsed by libconfuse. One row says everything about a key; the
 * parser, --check-config, the defaults and the man page's table all come from it.
 *
 * A file is made of `key = value` lines and sections `name { ... }` or `name "title" { ... }`.
 */
#pragma once

#include "common/util.h"
#include <stdbool.h>
#include <stdio.h>

enum conf_type {
	CONF_STR,
	CONF_INT,
	CONF_BOOL,
	CONF_FLOAT
};

struct conf_row {
	const char *section; /**< NULL = top level; "reader*" = titled section, may repeat */
	const char *key;
	enum conf_type type;
	const char *def; /**< default as text; NULL = must be given */
	int64_t min;     /**< CONF_INT: inclusive range; CONF_STR: max is the longest length */
	int64_t max;     /**< min == max == 0: no range */
	const char *doc;
};

struct conf;

/**
 * Reads and validates a file against the schema (ends with a row whose key is NULL). `schema` must
 * outlive the result. On failure returns -ERR_CONFIG or -errno and writes one line into `diag`:
 * "FILE:LINE: KEY: what is wrong".
 */
int conf_load(const char *file, const struct conf_row *schema, char *diag, size_t diag_len,
	      struct conf **ret) _must_check_;
void conf_free(struct conf *c);
DEFINE_CLEANUP(struct conf *, conf_free)

/** Values; `section` NULL = top level, `title` NULL = untitled section. The key must be in the
 * schema (asserted). Strings are borrowed from the conf. */
const char *conf_str(const struct conf *c, const char *section, const char *title, const char *key);
int64_t conf_int(const struct conf *c, const char *section, const char *title, const char *key);
bool conf_bool(const struct conf *c, const char *section, const char *title, const char *key);
double conf_float(const struct conf *c, const char *section, const char *title, const char *key);
/** Number of titled sections of that name, and the i-th title (file order). */
size_t conf_count(const struct conf *c, const char *section);
const char *conf_title(const struct conf *c, const char *section, size_t i);

/** Prints the schema as a table for --help-config and the man page. */
void conf_print_schema(const struct conf_row *schema, FILE *out);
