/* SPDX-License-Identifier: Apache-2.0 */
/* Products, prices and labels. */
#include "common/err.h"
#include "common/gtin.h"
#include "controller/ctl/ctl.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Refuses a mistyped GTIN before anything is sent. */
static int check_gtin(const char *text, char gtin[GTIN_STR_MAX])
{
	uint64_t v;
	int r = gtin_parse(text, strlen(text), &v);

	if (r < 0)
		return ctl_usage_error("`%s` is not a GTIN: %s", text, err_str(r));
	gtin_format(v, gtin);
	return CTL_OK;
}

static const char *path_with(struct buf *b, const char *before, const char *value,
			     const char *after)
{
	buf_put_str(b, before);
	ctl_escape(b, value);
	buf_put_str(b, after);
	buf_put_u8(b, 0);
	return buf_ok(b) ? (const char *) b->data : "/";
}

int ctl_products_list(struct ctl *c, int argc, char **argv)
{
	static const struct ctl_column columns[] = {
		{"GTIN", "gtin", false},
		{"NAME", "name", false},
		{"PRICE", "price_minor", true},
		{"LABELS", "labels", true},
	};
	_cleanup_buf_ struct buf path = BUF_INIT;

	if (argc > 1)
		return ctl_usage_error("give the search as one word, in quotes");
	return ctl_show_list(c, path_with(&path, "/api/v1/products?q=", argc ? argv[0] : "", ""),
			     columns, ARRAY_SIZE(columns));
}

/* The product of a GTIN, owned by the caller. */
static int get_product(struct ctl *c, const char *text, json_t **ret)
{
	_cleanup_buf_ struct buf path = BUF_INIT;
	char gtin[GTIN_STR_MAX];
	int code = check_gtin(text, gtin);

	*ret = NULL;

	if (code != CTL_OK)
		return code;
	return ctl_call(c, "GET", path_with(&path, "/api/v1/products/by-gtin/", gtin, ""), NULL,
			ret);
}

int ctl_product_id(struct ctl *c, const char *gtin, json_int_t *ret)
{
	bool json = c->json;
	json_t *p;

	c->json = false;
	int code = get_product(c, gtin, &p);

	c->json = json;
	if (code == CTL_OK)
		*ret = json_integer_value(json_object_get(p, "id"));
	json_decref(p);
	return code;
}

int ctl_products_show(struct ctl *c, int argc, char **argv)
{
	json_t *p;
	char text[160];

	if (argc != 1)
		return ctl_usage_error("products show needs one GTIN");
	int code = get_product(c, argv[0], &p);

	if (code != CTL_OK || !p)
		return code;
	printf("%s\n", ctl_text_at(p, "name", text, sizeof(text)));
	printf("  GTIN     %s\n", ctl_text_at(p, "gtin", text, sizeof(text)));
	printf("  price    %s\n", ctl_text_at(p, "price_minor", text, sizeof(text)));
	printf("  content  %s", ctl_text_at(p, "content", text, sizeof(text)));
	printf(" %s\n", ctl_text_at(p, "unit", text, sizeof(text)));
	printf("  labels   %s\n", ctl_text_at(p, "labels", text, sizeof(text)));
	json_decref(p);
	return CTL_OK;
}

static void print_import(const json_t *r, bool dry)
{
	printf("%lld rows: %lld new products, %lld changed, %lld unchanged, %lld prices "
	       "changed%s.\n",
	       (long long) json_integer_value(json_object_get(r, "rows")),
	       (long long) json_integer_value(json_object_get(r, "created")),
	       (long long) json_integer_value(json_object_get(r, "updated")),
	       (long long) json_integer_value(json_object_get(r, "unchanged")),
	       (long long) json_integer_value(json_object_get(r, "prices_changed")),
	       dry ? " (a dry run: nothing was changed)" : "");
}

int ctl_products_import(struct ctl *c, int argc, char **argv)
{
	bool dry = ctl_take_flag(&argc, argv, "--dry-run");
	json_t *r;

	if (argc != 1)
		return ctl_usage_error("products import needs one file");
	int code = ctl_import(c, "/api/v1/products/import", argv[0], dry, &r);

	if (code == CTL_OK && r)
		print_import(r, dry);
	json_decref(r);
	return code;
}

int ctl_price_set(struct ctl *c, int argc, char **argv)
{
	char gtin[GTIN_STR_MAX], text[64];
	json_t *r;

	if (argc != 2)
		return ctl_usage_error("price set needs a GTIN and a price");
	int code = check_gtin(argv[0], gtin);

	if (code != CTL_OK)
		return code;
	code = ctl_call(c, "POST", "/api/v1/price-changes",
			json_pack("{s:s,s:s}", "gtin", gtin, "price", argv[1]), &r);
	if (code == CTL_OK && r) {
		printf("Price of %s is %s", gtin,
		       ctl_text_at(r, "price_minor", text, sizeof(text)));
		printf(" from %s.\n", ctl_text_at(r, "from", text, sizeof(text)));
	}
	json_decref(r);
	return code;
}

int ctl_labels_list(struct ctl *c, int argc, char **argv)
{
	static const struct ctl_column columns[] = {
		{"LABEL", "id", false},
		{"PRODUCT", "product.name", false},
		{"WANTED", "wanted.price_minor", true},
		{"STATE", "state", false},
		{"SENT", "sent.at", false},
		{"SHOWN SINCE", "shown.since", false},
		{"EVIDENCE", "shown.grade", false},
		{"AGENT", "agent", false},
		{"REASON", "reason", false},
	};
	_cleanup_buf_ struct buf path = BUF_INIT;

	if (argc > 1)
		return ctl_usage_error("give the search as one word, in quotes");
	return ctl_show_list(c, path_with(&path, "/api/v1/labels?q=", argc ? argv[0] : "", ""),
			     columns, ARRAY_SIZE(columns));
}

/** What we know by name with its unit, anything else as bytes. */
static void print_sensors(const json_t *list)
{
	const json_t *v;
	size_t i;

	json_array_foreach(list, i, v)
	{
		const char *name = json_string_value(json_object_get(v, "name"));
		const char *unit = json_string_value(json_object_get(v, "unit"));
		char id[16], bytes[40], at[40];

		ctl_text_at(v, "at", at, sizeof(at));
		if (name)
			printf("  %s %.4g %s at %s\n", name,
			       json_number_value(json_object_get(v, "value")), unit ? unit : "",
			       at);
		else
			printf("  sensor %s: bytes %s at %s\n",
			       ctl_text_at(v, "id", id, sizeof(id)),
			       ctl_text_at(v, "bytes", bytes, sizeof(bytes)), at);
	}
}

static void print_label(const json_t *l)
{
	static const char *const rows[][2] = {
		{"product", "product.name"},
		{"wanted", "wanted.price_minor"},
		{"sent", "sent.at"},
		{"shown since", "shown.since"},
		{"evidence", "shown.grade"},
		{"state", "state"},
		{"reason", "reason"},
		{"agent", "agent"},
		{"battery mV", "battery_mv"},
		{"last heard", "last_seen"},
		{"light", "flash.state"},
		{"why not", "flash.reason"},
		{"replaced by", "retired.replaced_by"},
	};
	char text[160];

	printf("Label %s\n", ctl_text_at(l, "id", text, sizeof(text)));
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		printf("  %-12s %s\n", rows[i][0], ctl_text_at(l, rows[i][1], text, sizeof(text)));
	print_sensors(json_object_get(l, "sensors"));
}

int ctl_labels_show(struct ctl *c, int argc, char **argv)
{
	static const struct ctl_column columns[] = {
		{"AT", "at", false},
		{"WHAT", "kind", false},
		{"PRICE", "price_minor", true},
		{"EVIDENCE", "grade", false},
		{"NOTE", "text", false},
	};
	_cleanup_buf_ struct buf path = BUF_INIT, history = BUF_INIT;
	json_t *l, *items;

	if (argc != 1)
		return ctl_usage_error("labels show needs one label");
	int code = ctl_call(c, "GET", path_with(&path, "/api/v1/labels/", argv[0], ""), NULL, &l);

	if (code != CTL_OK || !l)
		return code;
	print_label(l);
	json_decref(l);
	code = ctl_list(c, path_with(&history, "/api/v1/labels/", argv[0], "/history"), &items);
	if (code != CTL_OK)
		return code;
	putchar('\n');
	ctl_print_table(items, columns, ARRAY_SIZE(columns));
	json_decref(items);
	return CTL_OK;
}

int ctl_labels_link(struct ctl *c, int argc, char **argv)
{
	bool relink = ctl_take_flag(&argc, argv, "--relink");
	_cleanup_buf_ struct buf path = BUF_INIT;
	char gtin[GTIN_STR_MAX];
	json_t *r;

	if (argc != 2)
		return ctl_usage_error("labels link needs a label and a GTIN");
	int code = check_gtin(argv[1], gtin);

	if (code != CTL_OK)
		return code;
	code = ctl_call(c, "PUT", path_with(&path, "/api/v1/labels/", argv[0], "/link"),
			json_pack("{s:s,s:b}", "gtin", gtin, "relink", relink), &r);
	if (code == CTL_OK && !c->json)
		printf("Label %s now belongs to %s.\n", argv[0], gtin);
	json_decref(r);
	return code;
}

int ctl_labels_unlink(struct ctl *c, int argc, char **argv)
{
	_cleanup_buf_ struct buf path = BUF_INIT;
	json_t *r;

	if (argc != 1)
		return ctl_usage_error("labels unlink needs one label");
	int code = ctl_call(c, "DELETE", path_with(&path, "/api/v1/labels/", argv[0], "/link"),
			    NULL, &r);

	if (code == CTL_OK)
		printf("Label %s belongs to no product now.\n", argv[0]);
	json_decref(r);
	return code;
}

int ctl_labels_image(struct ctl *c, int argc, char **argv)
{
	_cleanup_buf_ struct buf path = BUF_INIT, tail = BUF_INIT;
	const char *what = "wanted";
	struct ctl_reply reply;

	(void) ctl_take_value(&argc, argv, "--what", &what);
	if (argc != 2)
		return ctl_usage_error("labels image needs a label and a file");
	int code = ctl_ensure_session(c);

	if (code != CTL_OK)
		return code;
	struct ctl_request rq = {
		.method = "GET",
		.path = path_with(&path, "/api/v1/labels/", argv[0],
				  path_with(&tail, "/image.png?what=", what, "")),
	};

	if (ctl_send(c, &rq, &reply) < 0) {
		code = CTL_UNREACHABLE;
	} else if (reply.status >= 400) {
		ctl_print_problem(&reply);
		code = CTL_REFUSED;
	} else {
		FILE *f = fopen(argv[1], "we");
		bool ok = f && fwrite(reply.raw.data, 1, reply.raw.len, f) == reply.raw.len;

		if (f && fclose(f) != 0)
			ok = false;
		if (!ok) {
			fprintf(stderr, "gondolactl: cannot write %s: %s\n", argv[1],
				err_str(-errno));
			code = CTL_REFUSED;
		}
	}
	ctl_reply_done(&reply);
	return code;
}
