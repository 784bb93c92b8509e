/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The books: what the store's other systems say there should be, held against what readers hear.
 *
 *     book_rows.c stock_api.c    book stock, by CSV or one by one      append-only figures with the
 *     sale_text.c sales_api.c    what the tills sold and took back     instant they hold for
 *     delivery*.c                what suppliers announce and bring
 *             |
 *             v
 *     scan.c  load.c             items as the inventory has them now; the figures that count
 *             |                  (pool, with a database reader)
 *             v
 *     reconcile.c rec_match.c    the rules, pure: expected, seen, difference, reason
 *             |
 *             v
 *     view.c                     all products at once, kept for a moment and made anew when the
 *             |                  books or the goods have changed
 *             v
 *     differences_api.c detail.c GET /differences: rows with a reason in words, and the events
 *     reason_text.c              behind each number
 *
 * Nothing here decides what is true: a difference is settled by a person, as a new book figure.
 */
#pragma once

#include "controller/app.h"
#include "controller/http/http.h"

struct books;

/** Needs app->shop and app->inventory. */
int books_new(struct app *app, struct books **ret) _must_check_;
/** Finishes what is under way. After the HTTP server has stopped, before shop and inventory go.
 * NULL-safe. */
void books_free(struct books *b);
extern const struct http_route books_routes[];
