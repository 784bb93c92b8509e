/* SPDX-License-Identifier: Apache-2.0 */
/* Book stock, and what differs from it. */
#include "controller/ctl/ctl.h"
#include <stdio.h>
#include <string.h>

static long long number_at(const json_t *o, const char *key)
{
	return (long long) json_integer_value(json_object_get(o, key));
}

/* Takes --place PLACE out of the arguments: its id, 0 if there is none. */
static int take_place(struct ctl *c, int *argc, char **argv, json_int_t *ret_id)
{
	const char *place;

	*ret_id = 0;
	if (!ctl_take_value(argc, argv, "--place", &place))
		return CTL_OK;
	return ctl_find_id(c, "/api/v1/places", "name", place, "place", ret_id);
}

static int quantity_of(const char *text, json_int_t *ret)
{
	return ctl_number(text, ret) ? CTL_OK : ctl_usage_error("`%s` is not a quantity", text);
}

/* --- the books ---------------------------------------------------------------------------------
 */

int ctl_books_import(struct ctl *c, int argc, char **argv)
{
	bool dry = ctl_take_flag(&argc, argv, "--dry-run");
	json_t *r;

	if (argc != 1)
		return ctl_usage_error("books import needs one file");
	int code = ctl_import(c, "/api/v1/books/stock/import", argv[0], dry, &r);

	if (code == CTL_OK && r)
		printf("%lld rows: %lld figures changed, %lld unchanged, %lld older than what is "
		       "known%s.\n",
		       number_at(r, "rows"), number_at(r, "changed"), number_at(r, "unchanged"),
		       number_at(r, "older"), dry ? " (a dry run: nothing was changed)" : "");
	json_decref(r);
	return code;
}

int ctl_books_list(struct ctl *c, int argc, char **argv)
{
	static const struct ctl_column columns[] = {
		{"GTIN", "gtin", false},   {"BOOK", "quantity", true},  {"PLACE", "place", false},
		{"AS OF", "as_of", false}, {"FROM", "source", false},   {"BY", "by", false},
		{"NAME", "name", false},   {"REASON", "reason", false},
	};
	_cleanup_buf_ struct buf path = BUF_INIT;
	json_int_t id;
	int code = CTL_OK;

	if (argc > 1)
		return ctl_usage_error("books list takes one GTIN at most");
	buf_put_str(&path, "/api/v1/books/stock");
	if (argc == 1) {
		code = ctl_product_id(c, argv[0], &id);
		buf_printf(&path, "?history=1&product_id=%lld", (long long) id);
	}
	buf_put_u8(&path, 0);
	return code == CTL_OK
		       ? ctl_show_list(c, (const char *) path.data, columns, ARRAY_SIZE(columns))
		       : code;
}

/* What `books set` and `settle` have in common. */
static int figure(struct ctl *c, int argc, char **argv, bool settle)
{
	const char *reason = NULL;
	json_int_t id, quantity, place;
	char path[80];
	json_t *body, *r;

	ctl_take_value(&argc, argv, "--reason", &reason);
	int code = take_place(c, &argc, argv, &place);

	if (code == CTL_OK && (argc != 2 || (settle && !reason)))
		return ctl_usage_error("a GTIN and a quantity%s are needed",
				       settle ? " and --reason" : "");
	if (code == CTL_OK)
		code = quantity_of(argv[1], &quantity);
	if (code == CTL_OK)
		code = ctl_product_id(c, argv[0], &id);
	if (code != CTL_OK)
		return code;
	body = json_pack("{s:I,s:o}", "quantity", quantity, "place_id",
			 place ? json_integer(place) : json_null());
	if (reason)
		json_object_set_new(body, "reason", json_string(reason));
	snprintf(path, sizeof(path),
		 settle ? "/api/v1/differences/%lld/settle" : "/api/v1/books/stock/%lld",
		 (long long) id);
	code = ctl_call(c, settle ? "POST" : "PUT", path, body, &r);
	if (code == CTL_OK && r) {
		char name[160];

		printf("%s: %lld in the book\n", ctl_text_at(r, "name", name, sizeof(name)),
		       number_at(r, "quantity"));
	}
	json_decref(r);
	return code;
}

int ctl_books_set(struct ctl *c, int argc, char **argv)
{
	return figure(c, argc, argv, false);
}

int ctl_settle(struct ctl *c, int argc, char **argv)
{
	return figure(c, argc, argv, true);
}

/* --- differences -------------------------------------------------------------------------------
 */

static void print_ledger(const json_t *ledger)
{
	static const struct ctl_column columns[] = {
		{"AT", "at", false},          {"KIND", "kind", false}, {"N", "quantity", true},
		{"RUNNING", "running", true}, {"REF", "ref", false},   {"BY", "by", false},
		{"REASON", "reason", false},
	};

	printf("\nWhat is expected, newest first:\n");
	ctl_print_table(ledger, columns, ARRAY_SIZE(columns));
}

static void print_items(const json_t *items)
{
	static const struct ctl_column columns[] = {
		{"EPC", "epc", false},        {"STATE", "state", false},
		{"PLACE", "place", false},    {"LAST SEEN", "last_seen", false},
		{"SOLD", "sold.sale", false}, {"WHY", "reason.text", false},
	};

	printf("\nIts items:\n");
	ctl_print_table(items, columns, ARRAY_SIZE(columns));
}

static int show(struct ctl *c, const char *gtin)
{
	static const char *const figures[] = {"book",     "delivered", "returned",  "sold",
					      "expected", "seen",      "difference"};
	char path[64], text[200];
	json_int_t id;
	json_t *r;
	int code = ctl_product_id(c, gtin, &id);

	if (code != CTL_OK)
		return code;
	snprintf(path, sizeof(path), "/api/v1/differences/%lld", (long long) id);
	code = ctl_call(c, "GET", path, NULL, &r);
	if (code != CTL_OK || !r)
		return code;
	printf("%s\n  %s: ", ctl_text_at(r, "name", text, sizeof(text)),
	       json_string_value(json_object_get(json_object_get(r, "reason"), "code")));
	printf("%s\n", ctl_text_at(r, "reason.text", text, sizeof(text)));
	for (size_t i = 0; i < ARRAY_SIZE(figures); i++)
		printf("  %-10s %6s\n", figures[i], ctl_text_at(r, figures[i], text, sizeof(text)));
	if (json_array_size(json_object_get(r, "ledger")))
		print_ledger(json_object_get(r, "ledger"));
	if (json_array_size(json_object_get(r, "items")))
		print_items(json_object_get(r, "items"));
	json_decref(r);
	return CTL_OK;
}

int ctl_differences(struct ctl *c, int argc, char **argv)
{
	static const struct ctl_column columns[] = {
		{"GTIN", "gtin", false},        {"BOOK", "book", true},
		{"EXPECTED", "expected", true}, {"SEEN", "seen", true},
		{"DIFF", "difference", true},   {"REASON", "reason.code", false},
		{"NAME", "name", false},        {"PLACE", "place", false},
		{"WHY", "reason.text", false},
	};
	_cleanup_buf_ struct buf path = BUF_INIT;
	const char *reason;
	json_int_t place;

	buf_put_str(&path, "/api/v1/differences?");
	if (ctl_take_value(&argc, argv, "--reason", &reason)) {
		buf_put_str(&path, "reason=");
		ctl_escape(&path, reason);
	}
	int code = take_place(c, &argc, argv, &place);

	if (place)
		buf_printf(&path, "&place_id=%lld", (long long) place);
	buf_put_u8(&path, 0);
	if (code == CTL_OK && argc == 1)
		return show(c, argv[0]);
	if (code == CTL_OK && argc > 1)
		return ctl_usage_error("differences takes one GTIN at most");
	return code == CTL_OK
		       ? ctl_show_list(c, (const char *) path.data, columns, ARRAY_SIZE(columns))
		       : code;
}

int ctl_differences_strangers(struct ctl *c, int argc, char **argv)
{
	static const struct ctl_column columns[] = {
		{"GTIN", "gtin", false},
		{"TAGS", "count", true},
		{"LAST SEEN", "last_seen", false},
		{"WHY", "reason.text", false},
	};

	if (argc > 0)
		return ctl_usage_error("`%s` is not expected here", argv[0]);
	return ctl_show_list(c, "/api/v1/differences/strangers", columns, ARRAY_SIZE(columns));
}
