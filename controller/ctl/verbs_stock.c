/* SPDX-License-Identifier: Apache-2.0 */
/* Stock, items, places and antennas. */
#include "controller/ctl/ctl.h"
#include <stdio.h>
#include <string.h>

/* --product GTIN and --place PLACE as a query; `b` holds the path on success. */
static int filter(struct ctl *c, const char *list, int argc, char **argv, struct buf *b)
{
	const char *gtin, *place;
	json_int_t id;
	int code;

	buf_printf(b, "%s?", list);
	if (ctl_take_value(&argc, argv, "--product", &gtin)) {
		code = ctl_product_id(c, gtin, &id);
		if (code != CTL_OK)
			return code;
		buf_printf(b, "product_id=%lld&", (long long) id);
	}
	if (ctl_take_value(&argc, argv, "--place", &place)) {
		code = ctl_find_id(c, "/api/v1/places", "name", place, "place", &id);
		if (code != CTL_OK)
			return code;
		buf_printf(b, "place_id=%lld&", (long long) id);
	}
	if (argc > 0)
		return ctl_usage_error("`%s` is not expected here", argv[0]);
	buf_put_u8(b, 0);
	return CTL_OK;
}

static void print_stock_row(const json_t *row)
{
	char name[160], gtin[32], count[32];
	const json_t *p;
	size_t i;

	printf("%-14s  %6s  %s\n", ctl_text_at(row, "gtin", gtin, sizeof(gtin)),
	       ctl_text_at(row, "total", count, sizeof(count)),
	       ctl_text_at(row, "name", name, sizeof(name)));
	json_array_foreach(json_object_get(row, "places"), i, p)
	{
		printf("%-14s  %6s    %s\n", "", ctl_text_at(p, "count", count, sizeof(count)),
		       json_is_string(json_object_get(p, "place"))
			       ? ctl_text_at(p, "place", name, sizeof(name))
			       : "no place known");
	}
}

int ctl_stock(struct ctl *c, int argc, char **argv)
{
	_cleanup_buf_ struct buf path = BUF_INIT;
	json_t *items;
	const json_t *row;
	size_t i;
	int code = filter(c, "/api/v1/stock", argc, argv, &path);

	if (code == CTL_OK)
		code = ctl_list(c, (const char *) path.data, &items);
	if (code != CTL_OK)
		return code;
	if (c->json) {
		ctl_print_json(items);
	} else {
		printf("%-14s  %6s  %s\n", "GTIN", "ITEMS", "PRODUCT, PLACE");
		json_array_foreach(items, i, row) print_stock_row(row);
	}
	json_decref(items);
	return CTL_OK;
}

int ctl_items_list(struct ctl *c, int argc, char **argv)
{
	static const struct ctl_column columns[] = {
		{"EPC", "epc", false},
		{"GTIN", "gtin", false},
		{"PLACE", "place.name", false},
		{"STATE", "state", false},
		{"CONFIDENCE", "confidence", true},
		{"LAST SEEN", "last_seen", false},
	};
	_cleanup_buf_ struct buf path = BUF_INIT;
	int code = filter(c, "/api/v1/items", argc, argv, &path);

	return code == CTL_OK
		       ? ctl_show_list(c, (const char *) path.data, columns, ARRAY_SIZE(columns))
		       : code;
}

int ctl_items(struct ctl *c, int argc, char **argv)
{
	static const struct ctl_column columns[] = {
		{"READER", "reader", false},    {"ANTENNA", "antenna", true},
		{"HEARS", "place.name", false}, {"KIND", "kind", false},
		{"RSSI dBm", "rssi_dbm", true}, {"PEAK", "peak_dbm", true},
		{"READS", "reads", true},       {"LAST", "last", false},
		{"WEIGHT", "weight", true},
	};
	_cleanup_buf_ struct buf path = BUF_INIT;
	char text[160];
	json_t *item;

	if (argc != 1)
		return ctl_usage_error(
			"items needs one EPC (24 hexadecimal digits), or `items list`");
	buf_put_str(&path, "/api/v1/items/");
	ctl_escape(&path, argv[0]);
	buf_put_u8(&path, 0);
	int code = ctl_call(c, "GET", (const char *) path.data, NULL, &item);

	if (code != CTL_OK || !item)
		return code;
	printf("Item %s\n", ctl_text_at(item, "epc", text, sizeof(text)));
	printf("  is      %s\n", ctl_text_at(item, "uri", text, sizeof(text)));
	printf("  product %s\n", ctl_text_at(item, "product.name", text, sizeof(text)));
	printf("  place   %s", ctl_text_at(item, "place.name", text, sizeof(text)));
	printf(" (%s,", ctl_text_at(item, "state", text, sizeof(text)));
	printf(" confidence %s)\n", ctl_text_at(item, "confidence", text, sizeof(text)));
	printf("  since   %s\n", ctl_text_at(item, "since", text, sizeof(text)));
	printf("  last    %s\n\n", ctl_text_at(item, "last_seen", text, sizeof(text)));
	puts("Known from these reads:");
	ctl_print_table(json_object_get(item, "evidence"), columns, ARRAY_SIZE(columns));
	json_decref(item);
	return CTL_OK;
}

int ctl_places_list(struct ctl *c, int argc, char **argv)
{
	static const struct ctl_column columns[] = {{"PLACE", "name", false},
						    {"KIND", "kind", false}};

	(void) argv;
	if (argc > 0)
		return ctl_usage_error("places list takes no further words");
	return ctl_show_list(c, "/api/v1/places", columns, ARRAY_SIZE(columns));
}

/* The place of that name, or 0. */
static int lookup_place(struct ctl *c, const char *name, json_int_t *ret_id)
{
	json_t *items;
	const json_t *p;
	size_t i;
	int code = ctl_list(c, "/api/v1/places", &items);

	*ret_id = 0;
	if (code != CTL_OK)
		return code;
	json_array_foreach(items, i, p)
	{
		const char *have = json_string_value(json_object_get(p, "name"));

		if (have && strcmp(have, name) == 0)
			*ret_id = json_integer_value(json_object_get(p, "id"));
	}
	json_decref(items);
	return CTL_OK;
}

int ctl_places_set(struct ctl *c, int argc, char **argv)
{
	const char *kind = NULL;
	char path[64];
	json_int_t id;
	json_t *r;

	(void) ctl_take_value(&argc, argv, "--kind", &kind);
	if (argc != 1)
		return ctl_usage_error("places set needs a name, and perhaps --kind KIND");
	int code = lookup_place(c, argv[0], &id);

	if (code != CTL_OK)
		return code;
	if (id) {
		snprintf(path, sizeof(path), "/api/v1/places/%lld", (long long) id);
		code = ctl_call(c, "PATCH", path,
				kind ? json_pack("{s:s}", "kind", kind)
				     : json_pack("{s:s}", "name", argv[0]),
				&r);
	} else {
		code = ctl_call(
			c, "POST", "/api/v1/places",
			json_pack("{s:s,s:s}", "name", argv[0], "kind", kind ? kind : "other"), &r);
	}
	if (code == CTL_OK && !c->json)
		printf("Place %s is %s.\n", argv[0], id ? "changed" : "made");
	json_decref(r);
	return code;
}

int ctl_antennas_list(struct ctl *c, int argc, char **argv)
{
	static const struct ctl_column columns[] = {
		{"AGENT", "agent", false},           {"READER", "reader", false},
		{"ANTENNA", "antenna", true},        {"HEARS", "place", false},
		{"LAST HEARD", "last_heard", false},
	};

	(void) argv;
	if (argc > 0)
		return ctl_usage_error("antennas list takes no further words");
	return ctl_show_list(c, "/api/v1/antennas", columns, ARRAY_SIZE(columns));
}

int ctl_antennas_set(struct ctl *c, int argc, char **argv)
{
	_cleanup_buf_ struct buf path = BUF_INIT;
	json_int_t agent, place;
	json_t *r;

	if (argc != 4)
		return ctl_usage_error("antennas set needs agent, reader, number and place");
	int code = ctl_find_id(c, "/api/v1/agents", "name", argv[0], "agent", &agent);

	if (code == CTL_OK)
		code = ctl_find_id(c, "/api/v1/places", "name", argv[3], "place", &place);
	if (code != CTL_OK)
		return code;
	buf_printf(&path, "/api/v1/antennas/%lld/", (long long) agent);
	ctl_escape(&path, argv[1]);
	buf_put_str(&path, "/");
	ctl_escape(&path, argv[2]);
	buf_put_u8(&path, 0);
	code = ctl_call(c, "PUT", (const char *) path.data, json_pack("{s:I}", "place_id", place),
			&r);
	if (code == CTL_OK && !c->json)
		printf("Antenna %s of %s at %s hears %s.\n", argv[2], argv[1], argv[0], argv[3]);
	json_decref(r);
	return code;
}
