/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * What every imported file shares: a header that names its columns in any order, rows that are
 * checked one by one, and a list of all that is wrong by line and column, so that a person mends
 * the file in one go. The rows themselves, and what they mean, belong to who reads: import_rows.h
 * for products, books_rows.h for book stock.
 */
#pragma once

#include "controller/shop/csv.h"

#define CSV_SHEET_COLUMNS    16
#define CSV_SHEET_MAX_ERRORS 1000
#define CSV_SHEET_MAX_BODY   (64u << 20)

struct csv_error {
	uint64_t line;
	unsigned int column; /**< field number from 1; 0 = the whole line */
	const char *code;
	char detail[120];
};

struct csv_block;

/** What is left when the file has been read. */
struct csv_sheet {
	bool has[CSV_SHEET_COLUMNS]; /**< columns of the file */
	size_t rows;
	struct csv_error *errors; /**< the first CSV_SHEET_MAX_ERRORS */
	size_t n_errors;
	uint64_t error_count;
	struct csv_block *blocks; /**< storage of the texts */
};

/** A word that may stand in the header, and the column it means; several may mean the same. */
struct csv_name {
	const char *name;
	unsigned int column;
	bool needed; /**< set with the column's first name: a file without it is refused */
};

struct csv_layout {
	const struct csv_name *names;
	size_t n_names;
	size_t max_rows;
};

/** While it is read. */
struct csv_reader {
	struct csv csv;
	struct csv_sheet *sheet;
	const struct csv_layout *layout;
	size_t width;                    /**< fields of the header */
	int field_of[CSV_SHEET_COLUMNS]; /**< -1 = not there */
	struct {
		uint64_t key, line;
	} * seen; /**< open addressing; key 0 = free */
	size_t seen_mask, seen_n;
	bool oom;
};

/** Calls `row` for each row that has as many fields as the header. 0 when the file was read to its
 * end, with or without errors in it; -ENOMEM. */
int csv_sheet_read(const void *data, size_t len, const struct csv_layout *layout,
		   void (*row)(struct csv_reader *r, void *user), void *user,
		   struct csv_sheet *ret) _must_check_;
void csv_sheet_done(struct csv_sheet *s);
/** Room for n bytes that live as long as the sheet; NULL when out of memory. */
char *csv_sheet_alloc(struct csv_sheet *s, size_t n);

/** Notes an error that was found after reading; column 0 = the whole line. */
void csv_sheet_wrong(struct csv_sheet *s, uint64_t line, unsigned int column, const char *code,
		     const char *fmt, ...) _printf_(5, 6);

/* --- for `row` --- */

/** Notes an error of the present row; column 0 = the whole line. */
void csv_wrong(struct csv_reader *r, unsigned int column, const char *code, const char *fmt, ...)
	_printf_(4, 5);
/** The field of a column without spaces around it, and its number for csv_wrong(). False if the
 * file has no such column or the field is not UTF-8 (which is noted). */
bool csv_take(struct csv_reader *r, unsigned int column, struct csv_field *ret,
	      unsigned int *ret_at);
/** A copy, with a NUL, that lives as long as the sheet. */
const char *csv_keep(struct csv_reader *r, const char *text, size_t len);
/** A GTIN that is one, or 0 with the error noted. */
uint64_t csv_take_gtin(struct csv_reader *r, unsigned int column, struct csv_field *ret,
		       unsigned int *ret_at);
/** The line where this key (not 0) was seen first, 0 if it is new; remembers it then. */
uint64_t csv_seen_before(struct csv_reader *r, uint64_t key);

/* --- for the request (csv_sheet_http.c) --- */

struct http_request;

/** Is a CSV file sent, and is ?dry_run asked for? Replies and returns false if not. */
bool csv_request_read(struct http_request *rq, bool *ret_dry_run);
/** 422 with the errors and their full count. */
void csv_sheet_reply_errors(struct http_request *rq, const struct csv_sheet *s, bool dry_run);
