/* SPDX-License-Identifier: Apache-2.0 */
/** @file What a till feeds, as JSON, becomes checked sales, or errors by pointer. No database. */
#pragma once

#include "controller/books/books_internal.h"

#define SALES_MAX_A_CALL 1000
#define SALE_MAX_LINES   500
#define SALE_MAX_PIECES  100000

struct sale_line {
	uint64_t gtin;  /**< 0 = the EPC names none */
	struct epc epc; /**< bits 0 = none */
	int64_t quantity;
};

struct sale {
	char number[BOOKS_TEXT_MAX + 1];
	char till[BOOKS_TEXT_MAX + 1];
	int64_t at_us;
	struct sale_line *lines;
	size_t n_lines;
	uint8_t digest[32]; /**< of all but number and till */
};

struct sale_batch {
	struct sale *v;
	size_t n;
};

/** Reads {sales:[...]}. -ENOMEM, or 0 with what is wrong in `errors`. */
int sales_read(const json_t *body, int64_t now_us, struct sale_batch *ret,
	       struct books_errors *errors) _must_check_;
void sale_batch_done(struct sale_batch *b);

/** A GTIN as text, or an EPC as hex, for sales and deliveries. False with the error noted. */
bool books_gtin_read(const json_t *v, const char *pointer, struct books_errors *errors,
		     uint64_t *ret);
bool books_epc_read(const json_t *v, const char *pointer, struct books_errors *errors,
		    struct epc *ret);
