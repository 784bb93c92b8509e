/* SPDX-License-Identifier: Apache-2.0 */
/* A file of a catalogue or of book stock may be anything: it is read to its end, in bounds, and
 * every row or error is sane. */
#include "controller/books/book_rows.h"
#include "controller/shop/csv.h"
#include "controller/shop/import_rows.h"
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void records(const uint8_t *data, size_t size)
{
	struct csv c;
	uint64_t line = 0;

	csv_init(&c, data, size);
	while (csv_next(&c) > 0) {
		if (c.line <= line && line > 0)
			abort(); /* lines only go forward */
		line = c.line;
		for (size_t i = 0; i < c.n && !c.fault; i++)
			if (c.fields[i].len > CSV_MAX_FIELD ||
			    (c.fields[i].len > 0 && memchr(c.fields[i].text, 0, c.fields[i].len)))
				abort();
	}
	if (c.pos != c.len)
		abort();
	csv_done(&c);
}

static void book_stock(const uint8_t *data, size_t size)
{
	struct book_rows rows;

	if (book_rows_parse(data, size, INT64_C(1795000000000000), &rows) < 0)
		return;
	if (rows.sheet.error_count < rows.sheet.n_errors)
		abort();
	for (size_t i = 0; i < rows.n && rows.sheet.error_count == 0; i++)
		if (!rows.v[i].gtin || !rows.v[i].place_name || rows.v[i].as_of_us < 0 ||
		    rows.v[i].quantity > 1000000 || rows.v[i].quantity < -1000000)
			abort();
	book_rows_done(&rows);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct import_set set;
	struct currency eur;

	records(data, size);
	book_stock(data, size);
	if (!currency_find("EUR", &eur) || import_parse(data, size, &eur, &set) < 0)
		return 0;
	for (size_t i = 0; i < set.n && set.sheet.error_count == 0; i++)
		if (!set.rows[i].gtin || !set.rows[i].name[0] || set.rows[i].price_minor < 0)
			abort();
	import_set_done(&set);
	return 0;
}
