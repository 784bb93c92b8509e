/* SPDX-License-Identifier: Apache-2.0 */
/* Sales and deliveries. */
#include "common/clock.h"
#include "controller/ctl/ctl.h"
#include "controller/shop/csv.h"
#include <stdio.h>
#include <string.h>

#define SALES_A_CALL 500

/* --- words and files ---------------------------------------------------------------------------
 */

/* GTIN[*N] or epc:HEX[*N] as a line of a sale. */
static json_t *line_of(const char *word)
{
	const char *times = strchr(word, '*');
	int n = times ? (int) (times - word) : (int) strlen(word);
	bool epc = strncmp(word, "epc:", 4) == 0;
	char *end = NULL;
	long long quantity = times ? strtoll(times + 1, &end, 10) : 1;

	if (times && (!times[1] || *end))
		return NULL;
	return json_pack("{s:s#,s:I}", epc ? "epc" : "gtin", epc ? word + 4 : word,
			 (size_t) (epc ? n - 4 : n), "quantity", (json_int_t) quantity);
}

/* A row as an object of texts by the header's names, lower case; empty fields are left out. */
static json_t *row_json(const struct csv *c, char names[][32], size_t columns)
{
	json_t *row = json_object();

	for (size_t i = 0; i < c->n && i < columns; i++)
		if (c->fields[i].len)
			json_object_set_new(row, names[i],
					    json_stringn(c->fields[i].text, c->fields[i].len));
	return row;
}

static void read_names(const struct csv *c, char names[][32], size_t *ret_n)
{
	for (size_t i = 0; i < c->n; i++) {
		snprintf(names[i], 32, "%.*s", (int) c->fields[i].len, c->fields[i].text);
		for (char *p = names[i]; *p; p++)
			*p = (char) (*p >= 'A' && *p <= 'Z' ? *p + 32 : *p);
	}
	*ret_n = c->n;
}

/* Calls `fn` for each row of a file with a header. */
static int each_row(const char *file, int (*fn)(void *user, const json_t *row, uint64_t line),
		    void *user)
{
	_cleanup_buf_ struct buf text = BUF_INIT;
	char names[CSV_MAX_COLUMNS][32];
	size_t columns = 0;
	struct csv csv;
	int code = ctl_read_file(file, &text), r;

	if (code != CTL_OK)
		return code;
	csv_init(&csv, text.data, text.len);
	while (code == CTL_OK && (r = csv_next(&csv)) > 0) {
		if (csv.fault) {
			fprintf(stderr, "gondolactl: %s line %llu cannot be read (%s)\n", file,
				(unsigned long long) csv.fault_line, csv_fault_code(csv.fault));
			code = CTL_REFUSED;
		} else if (!columns) {
			read_names(&csv, names, &columns);
		} else {
			json_t *row = row_json(&csv, names, columns);

			code = fn(user, row, csv.line);
			json_decref(row);
		}
	}
	csv_done(&csv);
	return code;
}

/* The quantity of a row, 1 if it says none. */
static json_t *quantity_of(const json_t *row)
{
	const char *text = json_string_value(json_object_get(row, "quantity"));
	char *end;
	long long n = text ? strtoll(text, &end, 10) : 1;

	return text && *end ? json_string(text) : json_integer(n);
}

/* --- sales -------------------------------------------------------------------------------------
 */

static int send_sales(struct ctl *c, json_t *take_sales, long long *accepted, long long *duplicates)
{
	json_t *r;
	int code =
		ctl_call(c, "POST", "/api/v1/sales", json_pack("{s:o}", "sales", take_sales), &r);

	*accepted += json_integer_value(json_object_get(r, "accepted"));
	*duplicates += json_integer_value(json_object_get(r, "duplicates"));
	json_decref(r);
	return code;
}

static int say_sales(const struct ctl *c, int code, long long accepted, long long duplicates)
{
	if (code == CTL_OK && !c->json)
		printf("%lld taken, %lld known already\n", accepted, duplicates);
	return code;
}

int ctl_sales_add(struct ctl *c, int argc, char **argv)
{
	const char *till = NULL, *at = NULL;
	long long accepted = 0, duplicates = 0;
	char now[CLOCK_RFC3339_MAX];
	json_t *lines = json_array();

	ctl_take_value(&argc, argv, "--till", &till);
	ctl_take_value(&argc, argv, "--at", &at);
	for (int i = 1; i < argc; i++) {
		json_t *line = line_of(argv[i]);

		if (!line) {
			json_decref(lines);
			return ctl_usage_error("`%s` is not GTIN*N", argv[i]);
		}
		json_array_append_new(lines, line);
	}
	if (argc < 2) {
		json_decref(lines);
		return ctl_usage_error("sales add needs the till's number and what was sold");
	}
	if (!at)
		at = clock_rfc3339(clock_real_us(clock_system()), now);
	int code = send_sales(c,
			      json_pack("[{s:s,s:s?,s:s,s:o}]", "id", argv[0], "till", till, "at",
					at, "lines", lines),
			      &accepted, &duplicates);

	return say_sales(c, code, accepted, duplicates);
}

struct sales_file {
	struct ctl *c;
	json_t *sales;
	long long accepted, duplicates;
};

static const char *text_of(const json_t *o, const char *key)
{
	const char *text = json_string_value(json_object_get(o, key));

	return text ? text : "";
}

static int flush_sales(struct sales_file *f)
{
	json_t *sales = f->sales;

	f->sales = json_array();
	if (json_array_size(sales) == 0) {
		json_decref(sales);
		return CTL_OK;
	}
	return send_sales(f->c, sales, &f->accepted, &f->duplicates);
}

/* Lines of one sale stand together in the file. */
static int sales_row(void *user, const json_t *row, uint64_t line _unused_)
{
	struct sales_file *f = user;
	size_t n = json_array_size(f->sales);
	json_t *last = n ? json_array_get(f->sales, n - 1) : NULL, *l = json_object();
	int code = CTL_OK;

	if (!last || strcmp(text_of(last, "id"), text_of(row, "id")) != 0 ||
	    strcmp(text_of(last, "till"), text_of(row, "till")) != 0) {
		if (n >= SALES_A_CALL)
			code = flush_sales(f);
		last = json_pack("{s:s,s:s,s:s,s:[]}", "id", text_of(row, "id"), "till",
				 text_of(row, "till"), "at", text_of(row, "at"), "lines");
		json_array_append_new(f->sales, last);
	}
	for (int i = 0; i < 2; i++) {
		const char *key = i ? "epc" : "gtin";

		if (json_object_get(row, key))
			json_object_set(l, key, json_object_get(row, key));
	}
	json_object_set_new(l, "quantity", quantity_of(row));
	json_array_append_new(json_object_get(last, "lines"), l);
	return code;
}

int ctl_sales_import(struct ctl *c, int argc, char **argv)
{
	struct sales_file f = {.c = c};

	if (argc != 1)
		return ctl_usage_error("sales import needs one file");
	f.sales = json_array();
	int code = each_row(argv[0], sales_row, &f);

	if (code == CTL_OK)
		code = flush_sales(&f);
	json_decref(f.sales);
	return say_sales(c, code, f.accepted, f.duplicates);
}

int ctl_sales_list(struct ctl *c, int argc, char **argv)
{
	_cleanup_buf_ struct buf path = BUF_INIT;
	const json_t *sale, *line;
	json_t *sales;
	json_int_t id;
	size_t i, k;
	int code = CTL_OK;

	if (argc > 1)
		return ctl_usage_error("sales list takes one GTIN at most");
	buf_put_str(&path, "/api/v1/sales");
	if (argc == 1) {
		code = ctl_product_id(c, argv[0], &id);
		buf_printf(&path, "?product_id=%lld", (long long) id);
	}
	buf_put_u8(&path, 0);
	if (code == CTL_OK)
		code = ctl_list(c, (const char *) path.data, &sales);
	if (code != CTL_OK)
		return code;
	if (c->json)
		ctl_print_json(sales);
	json_array_foreach(sales, i, sale)
	{
		char a[200], b[200];

		if (c->json)
			break;
		printf("%s  till %s  sale %s\n", text_of(sale, "at"),
		       ctl_text_at(sale, "till", a, sizeof(a)),
		       ctl_text_at(sale, "id", b, sizeof(b)));
		json_array_foreach(json_object_get(sale, "lines"), k, line)
			printf("  %4lld  %-14s  %s\n",
			       (long long) json_integer_value(json_object_get(line, "quantity")),
			       ctl_text_at(line, "gtin", a, sizeof(a)),
			       ctl_text_at(line, "name", b, sizeof(b)));
	}
	json_decref(sales);
	return CTL_OK;
}

/* --- deliveries --------------------------------------------------------------------------------
 */

/* Rows of one GTIN follow each other, one for each EPC if there are any. */
static int delivery_row(void *user, const json_t *row, uint64_t line _unused_)
{
	json_t *lines = user, *last, *epc = json_object_get(row, "epc");
	size_t n = json_array_size(lines);

	last = n ? json_array_get(lines, n - 1) : NULL;
	if (!last || !epc || strcmp(text_of(last, "gtin"), text_of(row, "gtin")) != 0 ||
	    !json_object_get(last, "epcs")) {
		last = json_pack("{s:s,s:o}", "gtin", text_of(row, "gtin"), "quantity",
				 quantity_of(row));
		if (epc)
			json_object_set_new(last, "epcs", json_pack("[O]", epc));
		json_array_append_new(lines, last);
		return CTL_OK;
	}
	json_array_append(json_object_get(last, "epcs"), epc);
	json_object_set_new(
		last, "quantity",
		json_integer(json_integer_value(json_object_get(last, "quantity")) + 1));
	return CTL_OK;
}

static void print_delivery(const json_t *d)
{
	static const struct ctl_column columns[] = {
		{"GTIN", "gtin", false},     {"ANNOUNCED", "quantity", true},
		{"SEEN", "seen", true},      {"RECEIVED", "received", true},
		{"EPCS", "epc_count", true}, {"NAME", "name", false},
	};
	char text[200];

	printf("%s: ", ctl_text_at(d, "reference", text, sizeof(text)));
	printf("%s, from ", ctl_text_at(d, "state", text, sizeof(text)));
	printf("%s\n", ctl_text_at(d, "supplier", text, sizeof(text)));
	ctl_print_table(json_object_get(d, "lines"), columns, ARRAY_SIZE(columns));
}

int ctl_deliveries_add(struct ctl *c, int argc, char **argv)
{
	const char *supplier = NULL, *expected = NULL, *place = NULL;
	json_int_t place_id = 0;
	json_t *lines, *r;
	int code = CTL_OK;

	ctl_take_value(&argc, argv, "--supplier", &supplier);
	ctl_take_value(&argc, argv, "--expected", &expected);
	if (ctl_take_value(&argc, argv, "--place", &place))
		code = ctl_find_id(c, "/api/v1/places", "name", place, "place", &place_id);
	if (code != CTL_OK)
		return code;
	if (argc != 2)
		return ctl_usage_error("deliveries add needs a reference and a file");
	lines = json_array();
	code = each_row(argv[1], delivery_row, lines);
	if (code != CTL_OK) {
		json_decref(lines);
		return code;
	}
	code = ctl_call(c, "POST", "/api/v1/deliveries",
			json_pack("{s:s,s:s?,s:s?,s:o,s:o}", "reference", argv[0], "supplier",
				  supplier, "expected_at", expected, "place_id",
				  place_id ? json_integer(place_id) : json_null(), "lines", lines),
			&r);
	if (code == CTL_OK && r)
		print_delivery(r);
	json_decref(r);
	return code;
}

int ctl_deliveries_list(struct ctl *c, int argc, char **argv)
{
	static const struct ctl_column columns[] = {
		{"REFERENCE", "reference", false}, {"STATE", "state", false},
		{"ANNOUNCED", "announced", true},  {"SEEN", "seen", true},
		{"RECEIVED", "received", true},    {"EXPECTED AT", "expected_at", false},
		{"SUPPLIER", "supplier", false},
	};

	if (argc > 0)
		return ctl_usage_error("`%s` is not expected here", argv[0]);
	return ctl_show_list(c, "/api/v1/deliveries", columns, ARRAY_SIZE(columns));
}

static int find_delivery(struct ctl *c, const char *reference, json_int_t *ret_id)
{
	return ctl_find_id(c, "/api/v1/deliveries", "reference", reference, "delivery", ret_id);
}

int ctl_deliveries_show(struct ctl *c, int argc, char **argv)
{
	char path[64];
	json_int_t id;
	json_t *r;

	if (argc != 1)
		return ctl_usage_error("deliveries show needs a reference");
	int code = find_delivery(c, argv[0], &id);

	if (code != CTL_OK)
		return code;
	snprintf(path, sizeof(path), "/api/v1/deliveries/%lld", (long long) id);
	code = ctl_call(c, "GET", path, NULL, &r);
	if (code == CTL_OK && r)
		print_delivery(r);
	json_decref(r);
	return code;
}

int ctl_deliveries_receive(struct ctl *c, int argc, char **argv)
{
	json_t *body = json_object(), *lines = json_array(), *r = NULL;
	json_int_t id;
	char path[64];
	int code = argc >= 1 ? find_delivery(c, argv[0], &id)
			     : ctl_usage_error("deliveries receive needs a reference");

	for (int i = 1; i < argc && code == CTL_OK; i++) {
		json_t *line = line_of(argv[i]);

		if (line)
			json_array_append_new(lines, line);
		else
			code = ctl_usage_error("`%s` is not GTIN*N", argv[i]);
	}
	if (argc > 1)
		json_object_set(body, "lines", lines);
	json_decref(lines);
	if (code != CTL_OK) {
		json_decref(body);
		return code;
	}
	snprintf(path, sizeof(path), "/api/v1/deliveries/%lld/receive", (long long) id);
	code = ctl_call(c, "POST", path, body, &r);
	if (code == CTL_OK && r)
		print_delivery(r);
	json_decref(r);
	return code;
}
