/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * A strict reader of comma separated values (RFC 4180) that walks over bytes in place: one record
 * at a time, memory only for the present record. A UTF-8 byte order mark is skipped; the delimiter
 * (comma, semicolon or tab) is the most frequent one of the first line outside quotes; lines end
 * with LF or CR LF. What spreadsheets get wrong is reported with line and column instead of being
 * guessed: quotes in the middle of a field, text after a closing quote, NUL bytes, lone carriage
 * returns.
 */
#pragma once

#include "common/buf.h"

#define CSV_MAX_COLUMNS 64
#define CSV_MAX_FIELD   4096

/** Why a record was refused. The words are the API's: csv_fault_code(). */
enum csv_fault {
	CSV_OK = 0,
	CSV_BAD_QUOTE,     /**< a quote where none may be, or one that never closes */
	CSV_BAD_CHARACTER, /**< NUL byte */
	CSV_BAD_LINE_END,  /**< a carriage return without a line feed */
	CSV_TOO_LONG,      /**< field longer than CSV_MAX_FIELD */
	CSV_TOO_MANY_COLUMNS,
	CSV_FAULT_COUNT
};
const char *csv_fault_code(enum csv_fault fault);

struct csv_field {
	const char *text; /**< not NUL-terminated; valid until the next csv_next() */
	size_t len;
};

struct csv {
	const uint8_t *data;
	size_t len;
	size_t pos;
	char delimiter;
	uint64_t next_line; /**< where the next record starts, from 1 */
	/* the present record */
	uint64_t line;
	size_t n;
	struct csv_field fields[CSV_MAX_COLUMNS];
	struct buf unquoted; /**< fields that had doubled quotes */
	enum csv_fault fault;
	uint64_t fault_line;
	unsigned int fault_column; /**< field number, from 1 */
};

void csv_init(struct csv *c, const void *data, size_t len);
void csv_done(struct csv *c);
/**
 * Reads the next record, skipping empty lines. 1 = a record is there, or, if `fault` is set, a bad
 * one was passed over (go on reading); 0 = the end; -ENOMEM.
 */
int csv_next(struct csv *c) _must_check_;
