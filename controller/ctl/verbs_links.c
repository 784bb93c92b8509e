/* SPDX-License-Identifier: Apache-2.0 */
/* Links of labels, labels to be found or replaced, and access points' places to be taken. */
#include "controller/ctl/ctl.h"
#include <stdio.h>
#include <string.h>

static const char *label_path(struct buf *b, const char *label, const char *tail)
{
	buf_put_str(b, "/api/v1/labels/");
	ctl_escape(b, label);
	buf_put_str(b, tail);
	buf_put_u8(b, 0);
	return buf_ok(b) ? (const char *) b->data : "";
}

static long long number_at(const json_t *o, const char *key)
{
	return (long long) json_integer_value(json_object_get(o, key));
}

int ctl_labels_import_links(struct ctl *c, int argc, char **argv)
{
	bool dry = ctl_take_flag(&argc, argv, "--dry-run");
	bool relink = ctl_take_flag(&argc, argv, "--relink");
	char path[80];
	json_t *r;

	if (argc != 1)
		return ctl_usage_error("labels import-links needs one file");
	snprintf(path, sizeof(path), "/api/v1/labels/links/import?dry_run=%d&relink=%d", dry,
		 relink);
	int code = ctl_upload(c, path, "text/csv", argv[0], &r);

	if (code == CTL_OK && r)
		printf("%lld rows: %lld labels linked, %lld moved from another product, "
		       "%lld unchanged%s.\n",
		       number_at(r, "rows"), number_at(r, "linked"), number_at(r, "relinked"),
		       number_at(r, "unchanged"), dry ? " (a dry run: nothing was changed)" : "");
	json_decref(r);
	return code;
}

int ctl_labels_links(struct ctl *c, int argc, char **argv)
{
	static const struct ctl_column columns[] = {
		{"LINK", "id", true},     {"AT", "at", false},
		{"BY", "by", false},      {"LABEL", "label", false},
		{"WHY", "cause", false},  {"FROM", "from.name", false},
		{"TO", "to.name", false}, {"TAKEN BACK", "undone", false},
	};
	_cleanup_buf_ struct buf path = BUF_INIT;

	if (argc > 1)
		return ctl_usage_error("labels links takes at most one label");
	buf_put_str(&path, "/api/v1/labels/links?label=");
	if (argc == 1)
		ctl_escape(&path, argv[0]);
	buf_put_u8(&path, 0);
	return ctl_show_list(c, (const char *) path.data, columns, ARRAY_SIZE(columns));
}

int ctl_labels_undo(struct ctl *c, int argc, char **argv)
{
	bool batch = ctl_take_flag(&argc, argv, "--batch");
	json_int_t id;
	char path[80];
	json_t *r;

	if (argc != 1)
		return ctl_usage_error("labels undo needs the number of one link");
	if (!ctl_number(argv[0], &id) || id < 1)
		return ctl_usage_error("`%s` is not the number of a link; see labels links",
				       argv[0]);
	snprintf(path, sizeof(path), "/api/v1/labels/links/%lld/undo", (long long) id);
	int code = ctl_call(c, "POST", path, json_pack("{s:b}", "batch", batch), &r);

	if (code == CTL_OK && r)
		printf("Link %lld is taken back: %lld label%s changed.\n", (long long) id,
		       number_at(r, "labels"), number_at(r, "labels") == 1 ? "" : "s");
	json_decref(r);
	return code;
}

int ctl_labels_flash(struct ctl *c, int argc, char **argv)
{
	const char *seconds = NULL, *colour = NULL;
	_cleanup_buf_ struct buf path = BUF_INIT;
	char text[40], name[16];
	json_int_t n = 30;
	json_t *body, *r;

	(void) ctl_take_value(&argc, argv, "--seconds", &seconds);
	(void) ctl_take_value(&argc, argv, "--colour", &colour);
	if (argc != 1)
		return ctl_usage_error("labels flash needs one label");
	if (seconds && !ctl_number(seconds, &n))
		return ctl_usage_error("`%s` is not a number of seconds", seconds);
	body = json_pack("{s:I}", "seconds", n);
	if (colour)
		json_object_set_new(body, "colour", json_string(colour));
	int code = ctl_call(c, "POST", label_path(&path, argv[0], "/flash"), body, &r);

	if (code == CTL_OK && r)
		printf("Label %s is to blink %s until %s.\n", argv[0],
		       ctl_text_at(r, "colour", name, sizeof(name)),
		       ctl_text_at(r, "until", text, sizeof(text)));
	json_decref(r);
	return code;
}

static void print_picked(const json_t *r, bool stop)
{
	static const struct ctl_column picked[] = {{"LABEL", "label", false},
						   {"GTIN", "gtin", false},
						   {"BLINKS UNTIL", "until", false},
						   {"REFUSED", "refused.code", false},
						   {"WHY", "refused.detail", false}};
	const json_t *items = json_object_get(r, "items"), *item;
	size_t i, lit = 0;

	json_array_foreach(items, i, item) lit += json_is_string(json_object_get(item, "until"));
	if (stop)
		printf("Called off; %zu of %zu labels blink already and are turned off.\n", lit,
		       json_array_size(items));
	else
		printf("%zu of %zu labels are to blink.\n", lit, json_array_size(items));
	ctl_print_table(items, picked, ARRAY_SIZE(picked));
}

int ctl_labels_pick(struct ctl *c, int argc, char **argv)
{
	bool gtins = ctl_take_flag(&argc, argv, "--gtins");
	bool stop = ctl_take_flag(&argc, argv, "--stop");
	const char *seconds = "30", *colour = NULL;
	json_t *body, *list, *r;
	json_int_t n;

	(void) ctl_take_value(&argc, argv, "--seconds", &seconds);
	(void) ctl_take_value(&argc, argv, "--colour", &colour);
	if (argc < 1)
		return ctl_usage_error("labels pick needs labels, or GTINs with --gtins");
	if (!ctl_number(seconds, &n))
		return ctl_usage_error("`%s` is not a number of seconds", seconds);
	list = json_array();
	for (int i = 0; i < argc; i++)
		json_array_append_new(list, json_string(argv[i]));
	body = json_pack("{s:o}", gtins ? "gtins" : "labels", list);
	if (!stop)
		json_object_set_new(body, "seconds", json_integer(n));
	if (!stop && colour)
		json_object_set_new(body, "colour", json_string(colour));
	int code = ctl_call(c, "POST", stop ? "/api/v1/labels/pick/stop" : "/api/v1/labels/pick",
			    body, &r);

	if (code == CTL_OK && r)
		print_picked(r, stop);
	json_decref(r);
	return code;
}

int ctl_labels_replace(struct ctl *c, int argc, char **argv)
{
	bool force = ctl_take_flag(&argc, argv, "--force");
	_cleanup_buf_ struct buf path = BUF_INIT;
	char product[160];
	json_t *r;

	if (argc != 2)
		return ctl_usage_error("labels replace needs the old label and the new one");
	int code = ctl_call(c, "POST", label_path(&path, argv[0], "/replace"),
			    json_pack("{s:s,s:b}", "by", argv[1], "force", force), &r);

	if (code == CTL_OK && r)
		printf("Label %s takes the place of %s: %s.\n", argv[1], argv[0],
		       ctl_text_at(r, "product.name", product, sizeof(product)));
	json_decref(r);
	return code;
}

int ctl_agents_replace(struct ctl *c, int argc, char **argv)
{
	const char *ttl_text = "1h";
	char text[160];
	json_int_t id;
	json_t *r = NULL;

	(void) ctl_take_value(&argc, argv, "--ttl", &ttl_text);
	long ttl = ctl_parse_ttl(ttl_text);

	if (argc != 1)
		return ctl_usage_error("agents replace needs one agent");
	if (ttl < 1)
		return ctl_usage_error("ttl must be positive, such as 30m, 1h or 7d");
	int code = ctl_find_id(c, "/api/v1/agents", "name", argv[0], "agent", &id);

	if (code == CTL_OK)
		code = ctl_call(c, "POST", "/api/v1/agents/join-codes",
				json_pack("{s:I,s:i,s:I}", "replaces", id, "uses", 1, "ttl_s",
					  (json_int_t) ttl),
				&r);
	if (code != CTL_OK || !r)
		return code;
	printf("%s\n", ctl_text_at(r, "code", text, sizeof(text)));
	fprintf(stderr,
		"Whoever joins with it until %s becomes %s, and what %s is now is shut out.\n"
		"It is shown only now. On the new machine: gondola-agent --config FILE --join "
		"CODE\n",
		ctl_text_at(r, "expires", text, sizeof(text)), argv[0], argv[0]);
	json_decref(r);
	return CTL_OK;
}

int ctl_readers_remove(struct ctl *c, int argc, char **argv)
{
	_cleanup_buf_ struct buf path = BUF_INIT;
	json_int_t id;
	json_t *r;

	if (argc != 2)
		return ctl_usage_error("readers remove needs an agent and a reader");
	int code = ctl_find_id(c, "/api/v1/agents", "name", argv[0], "agent", &id);

	if (code != CTL_OK)
		return code;
	buf_printf(&path, "/api/v1/agents/%lld/readers/", (long long) id);
	ctl_escape(&path, argv[1]);
	buf_put_u8(&path, 0);
	code = ctl_call(c, "DELETE", (const char *) path.data, NULL, &r);
	if (code == CTL_OK)
		printf("%s drives reader %s no more.\n", argv[0], argv[1]);
	json_decref(r);
	return code;
}

int ctl_places_remove(struct ctl *c, int argc, char **argv)
{
	char path[64];
	json_int_t id;
	json_t *r;

	if (argc != 1)
		return ctl_usage_error("places remove needs one place");
	int code = ctl_find_id(c, "/api/v1/places", "name", argv[0], "place", &id);

	if (code != CTL_OK)
		return code;
	snprintf(path, sizeof(path), "/api/v1/places/%lld", (long long) id);
	code = ctl_call(c, "DELETE", path, NULL, &r);
	if (code == CTL_OK)
		printf("Place %s is removed; its antennas hear no place now.\n", argv[0]);
	json_decref(r);
	return code;
}

/* --- the floor plan ----------------------------------------------------------------------------
 */

int ctl_plan_show(struct ctl *c, int argc, char **argv)
{
	static const struct ctl_column places[] = {
		{"PLACE", "place", false}, {"KIND", "kind", false}, {"X m", "x", true},
		{"Y m", "y", true},        {"W m", "w", true},      {"H m", "h", true},
	};
	static const struct ctl_column antennas[] = {
		{"AGENT", "agent", false},    {"READER", "reader", false},
		{"ANTENNA", "antenna", true}, {"X m", "x", true},
		{"Y m", "y", true},
	};
	char w[32], h[32];
	json_t *r;

	(void) argv;
	if (argc > 0)
		return ctl_usage_error("plan show takes no further words");
	int code = ctl_call(c, "GET", "/api/v1/plan", NULL, &r);

	if (code != CTL_OK || !r)
		return code;
	printf("The floor is %s m wide and %s m deep.\n\n", ctl_text_at(r, "width_m", w, sizeof(w)),
	       ctl_text_at(r, "height_m", h, sizeof(h)));
	ctl_print_table(json_object_get(r, "places"), places, ARRAY_SIZE(places));
	putchar('\n');
	ctl_print_table(json_object_get(r, "antennas"), antennas, ARRAY_SIZE(antennas));
	json_decref(r);
	return CTL_OK;
}

/* The file's own etag, of the plan it was made from; a file without one replaces the present plan.
 */
int ctl_plan_set(struct ctl *c, int argc, char **argv)
{
	_cleanup_buf_ struct buf text = BUF_INIT;
	struct ctl_reply reply;
	json_error_t e;
	json_t *plan;
	const char *etag;

	if (argc != 1)
		return ctl_usage_error("plan set needs one file");
	int code = ctl_read_file(argv[0], &text);

	if (code != CTL_OK)
		return code;
	plan = json_loadb(text.data ? (const char *) text.data : "", text.len, 0, &e);
	if (!plan) {
		fprintf(stderr, "gondolactl: %s:%d:%d: %s\n", argv[0], e.line, e.column, e.text);
		return CTL_REFUSED;
	}
	etag = json_string_value(json_object_get(plan, "etag"));
	struct ctl_request rq = {.method = "PUT",
				 .path = "/api/v1/plan",
				 .if_match = etag ? etag : "*",
				 .body = text.data,
				 .body_len = text.len};

	code = ctl_ensure_session(c);
	if (code != CTL_OK) {
		json_decref(plan);
		return code;
	}
	if (ctl_send(c, &rq, &reply) < 0) {
		code = CTL_UNREACHABLE;
	} else if (reply.status >= 400) {
		ctl_print_problem(&reply);
		code = CTL_REFUSED;
	} else if (c->json) {
		ctl_print_json(reply.body);
	} else {
		printf("The plan has %zu places and %zu antennas.\n",
		       json_array_size(json_object_get(reply.body, "places")),
		       json_array_size(json_object_get(reply.body, "antennas")));
	}
	ctl_reply_done(&reply);
	json_decref(plan);
	return code;
}
