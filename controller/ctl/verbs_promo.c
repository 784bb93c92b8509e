/* SPDX-License-Identifier: Apache-2.0 */
/* Promotions, and prices that can answer: history and undo. */
#include "controller/ctl/ctl.h"
#include <stdio.h>
#include <string.h>

#define BAR 40

static const char *promotion_path(char *buf, size_t cap, const char *id, const char *rest)
{
	char *end;
	long long v = strtoll(id, &end, 10);

	if (v <= 0 || *end)
		return NULL;
	snprintf(buf, cap, "/api/v1/promotions/%lld%s", v, rest);
	return buf;
}

/* --- what is printed ---------------------------------------------------------------------------
 */

static void add_text(json_t *o, const char *key, const char *text)
{
	json_object_set_new(o, key, json_string(text));
}

/* "-25 %" or "1.50 EUR", "brand Acme" or "3 products": what the objects say in several fields. */
static void add_words(json_t *p)
{
	char text[400];
	json_t *select = json_object_get(p, "select"), *v;

	if (json_is_string(json_object_get(p, "percent")))
		snprintf(text, sizeof text, "-%s %%",
			 json_string_value(json_object_get(p, "percent")));
	else
		ctl_money(json_object_get(p, "price_minor"), json_object_get(p, "currency"), text,
			  sizeof text);
	add_text(p, "terms", text);
	if ((v = json_object_get(select, "brand")))
		snprintf(text, sizeof text, "brand %s", json_string_value(v));
	else if ((v = json_object_get(select, "category")))
		snprintf(text, sizeof text, "category %s", json_string_value(v));
	else
		snprintf(text, sizeof text, "%zu products",
			 json_array_size(json_object_get(select, "product_ids")));
	add_text(p, "what", text);
}

static void print_times(const json_t *occurrences)
{
	char start[64], end[64], note[200];
	const json_t *o, *n;
	size_t i, k;

	json_array_foreach(occurrences, i, o)
	{
		printf("  %-12s %s until %s\n", i == 0 ? "times" : "",
		       ctl_text_at(o, "start_wall", start, sizeof start),
		       ctl_text_at(o, "end_wall", end, sizeof end));
		json_array_foreach(json_object_get(o, "notes"), k, n)
		{
			snprintf(note, sizeof note, "%s", json_string_value(n));
			printf("  %-12s note: %s\n", "", note);
		}
	}
}

static void print_warnings(const json_t *warnings)
{
	const json_t *w;
	char text[340];
	size_t i;

	json_array_foreach(warnings, i, w)
	{
		/* the notes stand beside their times */
		if (strcmp(ctl_text_at(w, "code", text, sizeof text), "clock-change") != 0)
			printf("  %-12s %s\n", i == 0 ? "mind" : "",
			       ctl_text_at(w, "detail", text, sizeof text));
	}
}

static void print_rows(const json_t *o, const char *const rows[][2], size_t n)
{
	char text[400];

	for (size_t i = 0; i < n; i++)
		printf("  %-12s %s\n", rows[i][0], ctl_text_at(o, rows[i][1], text, sizeof text));
}

static long long count_of(const json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}

static void print_bar(char c, long long n, long long total)
{
	for (long long i = total ? (n * BAR + total / 2) / total : 0; i > 0; i--)
		putchar(c);
}

static void print_progress(const json_t *g)
{
	long long total = count_of(g, "total");
	char edge[16], due[40];

	printf("  %-12s %s at %s  [", "labels", ctl_text_at(g, "edge", edge, sizeof edge),
	       ctl_text_at(g, "due", due, sizeof due));
	print_bar('#', count_of(g, "shown"), total);
	print_bar('=', count_of(g, "flipped"), total);
	print_bar('-', count_of(g, "staged"), total);
	print_bar('!', count_of(g, "failed"), total);
	print_bar('.', count_of(g, "waiting"), total);
	printf("]\n  %-12s %lld in all: %lld shown, %lld flipped, %lld staged, %lld waiting, %lld"
	       " failed\n",
	       "", total, count_of(g, "shown"), count_of(g, "flipped"), count_of(g, "staged"),
	       count_of(g, "waiting"), count_of(g, "failed"));
}

/* --- promotions --------------------------------------------------------------------------------
 */

int ctl_promotions_list(struct ctl *c, int argc, char **argv)
{
	static const struct ctl_column columns[] = {
		{"ID", "id", true},
		{"NAME", "name", false},
		{"STATE", "state", false},
		{"PRICE", "terms", true},
		{"FOR", "what", false},
		{"LABELS", "labels", true},
		{"NEXT", "next.start_wall", false},
		{"UNTIL", "next.end_wall", false},
		{"REPEATS", "recurrence", false},
	};
	_cleanup_buf_ struct buf path = BUF_INIT;
	const char *state = NULL;
	json_t *items, *p;
	size_t i;

	(void) ctl_take_value(&argc, argv, "--state", &state);
	if (argc > 0)
		return ctl_usage_error("promotions list takes no further words");
	buf_put_str(&path, "/api/v1/promotions");
	if (state) {
		buf_put_str(&path, "?state=");
		ctl_escape(&path, state);
	}
	buf_put_u8(&path, 0);
	int code = ctl_list(c, buf_ok(&path) ? (const char *) path.data : "/", &items);

	if (code != CTL_OK)
		return code;
	json_array_foreach(items, i, p)
	{
		if (!c->json)
			add_words(p);
	}
	if (c->json)
		ctl_print_json(items);
	else
		ctl_print_table(items, columns, ARRAY_SIZE(columns));
	json_decref(items);
	return CTL_OK;
}

static void print_promotion(json_t *p)
{
	static const char *const rows[][2] = {
		{"state", "state"},
		{"price", "terms"},
		{"for", "what"},
		{"products", "products"},
		{"repeats", "recurrence"},
		{"zone", "zone"},
		{"by", "by"},
	};
	char text[200];

	add_words(p);
	printf("Promotion %s: ", ctl_text_at(p, "id", text, sizeof text));
	printf("%s\n", ctl_text_at(p, "name", text, sizeof text));
	print_rows(p, rows, ARRAY_SIZE(rows));
	print_times(json_object_get(p, "occurrences"));
	print_warnings(json_object_get(p, "warnings"));
	if (json_is_object(json_object_get(p, "cancelled")))
		printf("  %-12s %s\n", "cancelled",
		       ctl_text_at(p, "cancelled.reason", text, sizeof text));
}

int ctl_promotions_show(struct ctl *c, int argc, char **argv)
{
	char path[96];
	json_t *p, *g;

	if (argc != 1 || !promotion_path(path, sizeof path, argv[0], ""))
		return ctl_usage_error("promotions show needs the number of a promotion");
	int code = ctl_call(c, "GET", path, NULL, &p);

	if (code != CTL_OK || !p)
		return code;
	print_promotion(p);
	json_decref(p);
	code = ctl_call(c, "GET", promotion_path(path, sizeof path, argv[0], "/progress"), NULL,
			&g);
	if (code == CTL_OK && g)
		print_progress(g);
	json_decref(g);
	return code;
}

static json_t *split(const char *text)
{
	json_t *list = json_array();

	while (*text) {
		size_t len = strcspn(text, ",");

		if (len > 0)
			json_array_append_new(list, json_stringn(text, len));
		text += len + (text[len] == ',');
	}
	return list;
}

/* The options of add and preview as a body; NULL after saying what is missing. */
static json_t *read_promotion(int argc, char **argv)
{
	const char *percent = NULL, *price = NULL, *brand = NULL, *category = NULL, *gtins = NULL,
		   *from = NULL, *to = NULL, *repeat = NULL;
	bool draft = ctl_take_flag(&argc, argv, "--draft");
	json_t *select;

	(void) ctl_take_value(&argc, argv, "--percent", &percent);
	(void) ctl_take_value(&argc, argv, "--price", &price);
	(void) ctl_take_value(&argc, argv, "--brand", &brand);
	(void) ctl_take_value(&argc, argv, "--category", &category);
	(void) ctl_take_value(&argc, argv, "--gtins", &gtins);
	(void) ctl_take_value(&argc, argv, "--from", &from);
	(void) ctl_take_value(&argc, argv, "--to", &to);
	(void) ctl_take_value(&argc, argv, "--repeat", &repeat);
	if (argc != 1 || !percent == !price || !brand + !category + !gtins != 2 || !from || !to) {
		ctl_usage_error("give a reduction, the products, --from, --to and a name");
		return NULL;
	}
	select = brand      ? json_pack("{s:s}", "brand", brand)
		 : category ? json_pack("{s:s}", "category", category)
			    : json_pack("{s:o}", "gtins", split(gtins));
	return json_pack("{s:s,s:s,s:s,s:o,s:s,s:s,s:s?,s:s}", "name", argv[0], "kind",
			 percent ? "percent" : "fixed", percent ? "percent" : "price",
			 percent ? percent : price, "select", select, "start", from, "end", to,
			 "recurrence", repeat, "state", draft ? "draft" : "scheduled");
}

int ctl_promotions_add(struct ctl *c, int argc, char **argv)
{
	json_t *body = read_promotion(argc, argv), *p;

	if (!body)
		return CTL_USAGE;
	int code = ctl_call(c, "POST", "/api/v1/promotions", body, &p);

	if (code == CTL_OK && p)
		print_promotion(p);
	json_decref(p);
	return code;
}

static void print_preview(json_t *v)
{
	static const struct ctl_column sample[] = {
		{"GTIN", "gtin", false},       {"NAME", "name", false},
		{"REGULAR", "regular", true},  {"PROMOTION", "promo", true},
		{"30-DAY LOW", "prior", true}, {"LABELS", "labels", true},
	};
	static const struct ctl_column conflicts[] = {{"GTIN", "gtin", false},
						      {"ALSO IN", "name", false},
						      {"WHAT SHOWS", "detail", false}};
	static const char *const money[][2] = {
		{"regular_minor", "regular"}, {"promo_minor", "promo"}, {"prior_minor", "prior"}};
	json_t *row;
	char text[64];
	size_t i;

	printf("%lld products on %lld labels; nothing has been changed.\n", count_of(v, "products"),
	       count_of(v, "labels"));
	print_times(json_object_get(v, "occurrences"));
	print_warnings(json_object_get(v, "warnings"));
	json_array_foreach(json_object_get(v, "sample"), i, row)
	{
		for (size_t k = 0; k < ARRAY_SIZE(money); k++)
			add_text(row, money[k][1],
				 ctl_money(json_object_get(row, money[k][0]), NULL, text,
					   sizeof text));
	}
	if (json_array_size(json_object_get(v, "sample")) > 0) {
		putchar('\n');
		ctl_print_table(json_object_get(v, "sample"), sample, ARRAY_SIZE(sample));
	}
	if (json_array_size(json_object_get(v, "conflicts")) > 0) {
		putchar('\n');
		ctl_print_table(json_object_get(v, "conflicts"), conflicts, ARRAY_SIZE(conflicts));
	}
}

int ctl_promotions_preview(struct ctl *c, int argc, char **argv)
{
	json_t *body = read_promotion(argc, argv), *v;

	if (!body)
		return CTL_USAGE;
	int code = ctl_call(c, "POST", "/api/v1/promotions/preview", body, &v);

	if (code == CTL_OK && v)
		print_preview(v);
	json_decref(v);
	return code;
}

int ctl_promotions_cancel(struct ctl *c, int argc, char **argv)
{
	char path[96];
	json_t *p;

	if (argc < 1 || argc > 2 || !promotion_path(path, sizeof path, argv[0], "/cancel"))
		return ctl_usage_error("promotions cancel needs the number of a promotion, and"
				       " perhaps a reason in quotes");
	int code = ctl_call(c, "POST", path,
			    argc == 2 ? json_pack("{s:s}", "reason", argv[1]) : json_object(), &p);

	if (code == CTL_OK && p)
		printf("Promotion %s is cancelled.\n", argv[0]);
	json_decref(p);
	return code;
}

int ctl_promotions_change(struct ctl *c, int argc, char **argv)
{
	const char *name = NULL, *to = NULL;
	bool schedule = ctl_take_flag(&argc, argv, "--schedule");
	char path[96];
	json_t *p;

	(void) ctl_take_value(&argc, argv, "--name", &name);
	(void) ctl_take_value(&argc, argv, "--to", &to);
	if (argc != 1 || !promotion_path(path, sizeof path, argv[0], "") ||
	    (!name && !to && !schedule))
		return ctl_usage_error("promotions change needs the number of a promotion, and"
				       " what to change");
	int code = ctl_call(c, "PATCH", path,
			    json_pack("{s:s*,s:s*,s:s*}", "name", name, "end", to, "state",
				      schedule ? "scheduled" : NULL),
			    &p);

	if (code == CTL_OK && p)
		print_promotion(p);
	json_decref(p);
	return code;
}

int ctl_promotions_labels(struct ctl *c, int argc, char **argv)
{
	static const struct ctl_column columns[] = {
		{"LABEL", "label", false},
		{"PRODUCT", "product.name", false},
		{"STATE", "state", false},
		{"STAGED", "staged_at", false},
		{"SHOWN SINCE", "flipped_at", false},
		{"EVIDENCE", "grade", false},
		{"AGENT", "agent", false},
		{"REASON", "reason", false},
	};
	_cleanup_buf_ struct buf path = BUF_INIT;
	const char *state = NULL;
	char base[96];

	(void) ctl_take_value(&argc, argv, "--state", &state);
	if (argc != 1 || !promotion_path(base, sizeof base, argv[0], "/labels"))
		return ctl_usage_error("promotions labels needs the number of a promotion");
	buf_put_str(&path, base);
	if (state) {
		buf_put_str(&path, "?state=");
		ctl_escape(&path, state);
	}
	buf_put_u8(&path, 0);
	return ctl_show_list(c, buf_ok(&path) ? (const char *) path.data : "/", columns,
			     ARRAY_SIZE(columns));
}

/* --- prices ------------------------------------------------------------------------------------
 */

int ctl_price_history(struct ctl *c, int argc, char **argv)
{
	static const struct ctl_column columns[] = {
		{"FROM", "from", false},
		{"TO", "to", false},
		{"PRICE", "price_minor", true},
		{"KIND", "kind", false},
		{"PROMOTION", "promotion", false},
		{"CHANGE", "price_change_id", true},
		{"BY", "by", false},
		{"REASON", "reason", false},
	};
	char path[96];
	json_int_t id;
	json_t *items;

	if (argc != 1)
		return ctl_usage_error("price history needs one GTIN");
	int code = ctl_product_id(c, argv[0], &id);

	if (code != CTL_OK)
		return code;
	snprintf(path, sizeof path, "/api/v1/products/%lld/history", (long long) id);
	code = ctl_list(c, path, &items);
	if (code != CTL_OK)
		return code;
	if (c->json)
		ctl_print_json(items);
	else
		ctl_print_table(items, columns, ARRAY_SIZE(columns));
	json_decref(items);
	return CTL_OK;
}

/* The latest change of a product. */
static int latest_change(struct ctl *c, json_int_t product, json_int_t *ret)
{
	bool json = c->json;
	char path[96];
	json_t *page;

	snprintf(path, sizeof path, "/api/v1/price-changes?product_id=%lld&limit=1",
		 (long long) product);
	c->json = false;
	int code = ctl_call(c, "GET", path, NULL, &page);

	c->json = json;
	if (code != CTL_OK)
		return code;
	*ret = json_integer_value(
		json_object_get(json_array_get(json_object_get(page, "items"), 0), "id"));
	json_decref(page);
	if (*ret)
		return CTL_OK;
	fputs("gondolactl: this product has no price yet\n", stderr);
	return CTL_REFUSED;
}

int ctl_price_undo(struct ctl *c, int argc, char **argv)
{
	json_int_t product, change;
	char path[96], text[64];
	json_t *r;

	if (argc < 1 || argc > 2)
		return ctl_usage_error("price undo needs a GTIN, and perhaps a reason in quotes");
	int code = ctl_product_id(c, argv[0], &product);

	if (code == CTL_OK)
		code = latest_change(c, product, &change);
	if (code != CTL_OK)
		return code;
	snprintf(path, sizeof path, "/api/v1/price-changes/%lld/undo", (long long) change);
	code = ctl_call(c, "POST", path,
			argc == 2 ? json_pack("{s:s}", "reason", argv[1]) : json_object(), &r);
	if (code == CTL_OK && r) {
		printf("Price of %s is %s again", argv[0],
		       ctl_text_at(r, "price_minor", text, sizeof text));
		printf(" from %s.\n", ctl_text_at(r, "from", text, sizeof text));
	}
	json_decref(r);
	return code;
}
