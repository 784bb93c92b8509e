/* SPDX-License-Identifier: Apache-2.0 */
/* Walks, the models learnt from them, doors and who passed them. */
#include "controller/ctl/ctl.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* --- walks -------------------------------------------------------------------------------------
 */

static bool number_of(const char *text, json_int_t *ret)
{
	return ctl_number(text, ret) && *ret > 0;
}

static void print_walk(const json_t *walk)
{
	static const struct ctl_column columns[] = {
		{"AGENT", "agent", false},    {"READER", "reader", false},
		{"ANTENNA", "antenna", true}, {"HEARS", "place.name", false},
		{"READS", "reads", true},     {"RSSI dBm", "rssi_dbm", true},
	};
	char text[240];

	printf("Walk %s", ctl_text_at(walk, "id", text, sizeof(text)));
	printf(" through %s", ctl_text_at(walk, "place.name", text, sizeof(text)));
	printf(" with %s\n", ctl_text_at(walk, "epc", text, sizeof(text)));
	printf("  %s\n", ctl_text_at(walk, "words", text, sizeof(text)));
	printf("  %s s,", ctl_text_at(walk, "seconds", text, sizeof(text)));
	printf(" %s reads,", ctl_text_at(walk, "reads", text, sizeof(text)));
	printf(" %s sightings\n\n", ctl_text_at(walk, "told", text, sizeof(text)));
	ctl_print_table(json_object_get(walk, "antennas"), columns, ARRAY_SIZE(columns));
}

static int show(int code, json_t *walk)
{
	if (code == CTL_OK && walk)
		print_walk(walk);
	json_decref(walk);
	return code;
}

int ctl_walk_start(struct ctl *c, int argc, char **argv)
{
	const char *place = NULL, *tag = NULL, *seconds = NULL;
	json_int_t id, s = 0;
	json_t *body, *walk = NULL;
	int code;

	(void) ctl_take_value(&argc, argv, "--place", &place);
	(void) ctl_take_value(&argc, argv, "--tag", &tag);
	(void) ctl_take_value(&argc, argv, "--seconds", &seconds);
	if (argc > 0 || !place || !tag || (seconds && !number_of(seconds, &s)))
		return ctl_usage_error("walk start needs --place PLACE and --tag EPC");
	code = ctl_find_id(c, "/api/v1/places", "name", place, "place", &id);
	if (code != CTL_OK)
		return code;
	body = json_pack("{s:I,s:s}", "place_id", id, "epc", tag);
	if (seconds)
		json_object_set_new(body, "seconds", json_integer(s));
	return show(ctl_call(c, "POST", "/api/v1/walks", body, &walk), walk);
}

/* The walk that is meant: by its number, or the only one that goes on. */
static int which_walk(struct ctl *c, int argc, char **argv, json_int_t *ret)
{
	json_t *items;
	const json_t *w;
	size_t i, open = 0;
	int code;

	if (argc > 1 || (argc == 1 && !number_of(argv[0], ret)))
		return ctl_usage_error("a walk is named by its number");
	if (argc == 1)
		return CTL_OK;
	code = ctl_list(c, "/api/v1/walks", &items);
	if (code != CTL_OK)
		return code;
	json_array_foreach(items, i, w)
	{
		if (!json_is_true(json_object_get(w, "open")))
			continue;
		*ret = json_integer_value(json_object_get(w, "id"));
		open++;
	}
	json_decref(items);
	if (open == 1)
		return CTL_OK;
	fprintf(stderr, open ? "gondolactl: several walks go on: say which\n"
			     : "gondolactl: no walk goes on\n");
	return CTL_REFUSED;
}

static int walk_call(struct ctl *c, const char *method, json_int_t id, const char *what,
		     json_t *body, json_t **ret)
{
	char path[64];

	snprintf(path, sizeof(path), "/api/v1/walks/%lld%s", (long long) id, what);
	return ctl_call(c, method, path, body, ret);
}

int ctl_walk_stop(struct ctl *c, int argc, char **argv)
{
	json_int_t id;
	json_t *walk = NULL;
	int code = which_walk(c, argc, argv, &id);

	if (code != CTL_OK)
		return code;
	return show(walk_call(c, "POST", id, "/stop", json_object(), &walk), walk);
}

int ctl_walk_show(struct ctl *c, int argc, char **argv)
{
	json_int_t id;
	json_t *walk = NULL;
	int code = which_walk(c, argc, argv, &id);

	return code == CTL_OK ? show(walk_call(c, "GET", id, "", NULL, &walk), walk) : code;
}

int ctl_walk_list(struct ctl *c, int argc, char **argv)
{
	static const struct ctl_column columns[] = {
		{"WALK", "id", true},         {"PLACE", "place.name", false},
		{"TAG", "epc", false},        {"STARTED", "started", false},
		{"SECONDS", "seconds", true}, {"READS", "reads", true},
		{"TOLD", "told", true},       {"", "words", false},
	};

	(void) argv;
	if (argc > 0)
		return ctl_usage_error("walk list takes no further words");
	return ctl_show_list(c, "/api/v1/walks", columns, ARRAY_SIZE(columns));
}

int ctl_walk_delete(struct ctl *c, int argc, char **argv)
{
	json_int_t id;
	json_t *none = NULL;
	int code;

	if (argc != 1 || !number_of(argv[0], &id))
		return ctl_usage_error("walk delete needs a walk's number");
	code = walk_call(c, "DELETE", id, "", NULL, &none);
	if (code == CTL_OK && !c->json)
		printf("Walk %lld is deleted.\n", (long long) id);
	json_decref(none);
	return code;
}

int ctl_walk_export(struct ctl *c, int argc, char **argv)
{
	struct ctl_reply r = {0};
	struct ctl_request rq = {.method = "GET"};
	json_int_t id;
	char path[64];
	FILE *f;
	int code;

	if (argc != 2 || !number_of(argv[0], &id))
		return ctl_usage_error("walk export needs a walk's number and a file");
	code = ctl_ensure_session(c);
	if (code != CTL_OK)
		return code;
	snprintf(path, sizeof(path), "/api/v1/walks/%lld/reads.csv", (long long) id);
	rq.path = path;
	if (ctl_send(c, &rq, &r) < 0)
		return CTL_UNREACHABLE;
	if (r.status != 200) {
		ctl_print_problem(&r);
		ctl_reply_done(&r);
		return CTL_REFUSED;
	}
	f = strcmp(argv[1], "-") ? fopen(argv[1], "w") : stdout;
	if (!f || fwrite(r.raw.data, 1, r.raw.len, f) != r.raw.len ||
	    (f != stdout && fclose(f) != 0)) {
		fprintf(stderr, "%s: %s\n", argv[1], strerror(errno));
		code = CTL_REFUSED;
	}
	ctl_reply_done(&r);
	return code;
}

/* --- models ------------------------------------------------------------------------------------
 */

static void print_model(const json_t *m)
{
	static const struct ctl_column columns[] = {
		{"PLACE", "place.name", false},
		{"RIGHT", "accuracy", true},
		{"", "verdict", false},
		{"TAKEN FOR", "taken_for.place.name", false},
		{"SHARE", "taken_for.share", true},
	};
	char text[400];
	const json_t *v;
	size_t i;

	printf("Model %s", ctl_text_at(m, "id", text, sizeof(text)));
	printf(" of %.10s%s\n", ctl_text_at(m, "made", text, sizeof(text)),
	       json_is_true(json_object_get(m, "active")) ? ", in use" : "");
	printf("  %s\n", ctl_text_at(m, "outlook.words", text, sizeof(text)));
	json_array_foreach(json_object_get(m, "notes"), i, v)
		printf("  %s\n", json_string_value(v));
	puts("");
	ctl_print_table(json_object_get(json_object_get(m, "outlook"), "places"), columns,
			ARRAY_SIZE(columns));
}

static int model_list(struct ctl *c)
{
	static const struct ctl_column columns[] = {
		{"MODEL", "id", true},
		{"MADE", "made", false},
		{"BY", "by", false},
		{"IN USE", "active", false},
		{"RIGHT", "outlook.accuracy", true},
		{"MOVES", "outlook.moves", true},
		{"OF", "outlook.real_moves", true},
	};

	return ctl_show_list(c, "/api/v1/place-models", columns, ARRAY_SIZE(columns));
}

static int model_reply(struct ctl *c, const char *method, const char *path, json_t *body)
{
	json_t *m = NULL;
	int code = ctl_call(c, method, path, body, &m);

	if (code == CTL_OK && m && json_object_get(m, "outlook"))
		print_model(m);
	else if (code == CTL_OK && m)
		puts("No model is in use: the general rules place items.");
	json_decref(m);
	return code;
}

static int model_fit(struct ctl *c, int argc, char **argv)
{
	json_t *body = json_object(), *walks = json_array();
	json_int_t id;

	for (int i = 0; i < argc; i++) {
		if (!number_of(argv[i], &id)) {
			json_decref(body);
			json_decref(walks);
			return ctl_usage_error("`%s` is not a walk's number", argv[i]);
		}
		json_array_append_new(walks, json_integer(id));
	}
	if (argc)
		json_object_set(body, "walks", walks);
	json_decref(walks);
	return model_reply(c, "POST", "/api/v1/place-models", body);
}

/* The newest model before the one in use. */
static int previous_model(struct ctl *c, json_int_t *ret)
{
	json_t *items;
	const json_t *m;
	bool past = false;
	size_t i;
	int code = ctl_list(c, "/api/v1/place-models", &items);

	*ret = 0;
	if (code != CTL_OK)
		return code;
	json_array_foreach(items, i, m)
	{
		if (past && !*ret)
			*ret = json_integer_value(json_object_get(m, "id"));
		past = past || json_is_true(json_object_get(m, "active"));
	}
	json_decref(items);
	if (*ret)
		return CTL_OK;
	fprintf(stderr, "gondolactl: there is no model before the one in use\n");
	return CTL_REFUSED;
}

static int model_activate(struct ctl *c, const char *which)
{
	json_int_t id = 0;
	int code = CTL_OK;

	if (strcmp(which, "previous") == 0)
		code = previous_model(c, &id);
	else if (strcmp(which, "none") != 0 && !number_of(which, &id))
		return ctl_usage_error("say a model's number, previous, or none");
	if (code != CTL_OK)
		return code;
	return model_reply(c, "PUT", "/api/v1/place-models/active",
			   json_pack("{s:o}", "model_id", id ? json_integer(id) : json_null()));
}

int ctl_places_model(struct ctl *c, int argc, char **argv)
{
	const char *what = argc > 0 ? argv[0] : "list";
	char path[64];
	json_int_t id;

	if (strcmp(what, "list") == 0 && argc < 2)
		return model_list(c);
	if (strcmp(what, "fit") == 0)
		return model_fit(c, argc - 1, argv + 1);
	if (strcmp(what, "activate") == 0 && argc == 2)
		return model_activate(c, argv[1]);
	if (argc != 2 || !number_of(argv[1], &id) ||
	    (strcmp(what, "show") != 0 && strcmp(what, "delete") != 0))
		return ctl_usage_error("places model goes on with list, fit, show, activate or "
				       "delete");
	snprintf(path, sizeof(path), "/api/v1/place-models/%lld", (long long) id);
	return model_reply(c, strcmp(what, "show") ? "DELETE" : "GET", path, NULL);
}

/* --- doors -------------------------------------------------------------------------------------
 */

static int door_list(struct ctl *c, json_t **ret)
{
	return ctl_list(c, "/api/v1/doors", ret);
}

static void print_side(const json_t *list)
{
	const json_t *a;
	size_t i;

	json_array_foreach(list, i, a)
		printf("%s%s:%lld", i ? "," : "", json_string_value(json_object_get(a, "reader")),
		       (long long) json_integer_value(json_object_get(a, "antenna")));
}

int ctl_doors_list(struct ctl *c, int argc, char **argv)
{
	char text[160];
	json_t *items;
	const json_t *d;
	size_t i;
	int code;

	(void) argv;
	if (argc > 0)
		return ctl_usage_error("doors list takes no further words");
	code = door_list(c, &items);
	if (code != CTL_OK)
		return code;
	if (c->json)
		ctl_print_json(items);
	json_array_foreach(items, i, d)
	{
		if (c->json)
			break;
		printf("%s at %s", json_string_value(json_object_get(d, "name")),
		       ctl_text_at(d, "place.name", text, sizeof(text)));
		printf(" (%s): inner ", ctl_text_at(d, "agent", text, sizeof(text)));
		print_side(json_object_get(d, "inner"));
		printf(", outer ");
		print_side(json_object_get(d, "outer"));
		printf(", grace %lld s\n",
		       (long long) json_integer_value(json_object_get(d, "grace_s")));
	}
	json_decref(items);
	return CTL_OK;
}

/* "gate:1,2+dock:3" as a list of antennas; NULL if it is none. */
static json_t *read_side(const char *text)
{
	json_t *list = json_array();

	while (text && *text) {
		const char *colon = strchr(text, ':');
		char *end;

		if (!colon || colon == text)
			break;
		for (const char *n = colon + 1;; n = end + 1) {
			long v = strtol(n, &end, 10);

			if (end == n || v < 1)
				goto bad;
			json_array_append_new(list,
					      json_pack("{s:o,s:I}", "reader",
							json_stringn(text, (size_t) (colon - text)),
							"antenna", (json_int_t) v));
			if (*end != ',')
				break;
		}
		if (!*end)
			return list;
		if (*end != '+')
			break;
		text = end + 1;
	}
bad:
	json_decref(list);
	return NULL;
}

static int find_door(struct ctl *c, const char *name, json_int_t *ret)
{
	json_t *items;
	const json_t *d;
	size_t i;
	int code = door_list(c, &items);

	*ret = 0;
	if (code != CTL_OK)
		return code;
	json_array_foreach(items, i, d)
	{
		if (strcmp(json_string_value(json_object_get(d, "name")), name) == 0)
			*ret = json_integer_value(json_object_get(d, "id"));
	}
	json_decref(items);
	return CTL_OK;
}

struct door_words {
	const char *place, *agent, *inner, *outer, *grace;
};

static int door_body(struct ctl *c, const struct door_words *w, const char *name, json_t *body)
{
	json_int_t id;
	int code;

	json_object_set_new(body, "name", json_string(name));
	if (w->place) {
		code = ctl_find_id(c, "/api/v1/places", "name", w->place, "place", &id);
		if (code != CTL_OK)
			return code;
		json_object_set_new(body, "place_id", json_integer(id));
	}
	if (w->grace) {
		long s = ctl_parse_ttl(w->grace);

		if (s < 0)
			return ctl_usage_error("`%s` is not a time such as 120 or 5m", w->grace);
		json_object_set_new(body, "grace_s", json_integer(s));
	}
	if (!w->inner && !w->outer && !w->agent)
		return CTL_OK;
	json_t *inner = read_side(w->inner), *outer = read_side(w->outer);

	if (inner)
		json_object_set_new(body, "inner", inner);
	if (outer)
		json_object_set_new(body, "outer", outer);
	if (!inner || !outer || !w->agent)
		return ctl_usage_error("antennas are given as --agent AGENT --inner READER:1,2 "
				       "--outer READER:3,4");
	code = ctl_find_id(c, "/api/v1/agents", "name", w->agent, "access point", &id);
	if (code == CTL_OK)
		json_object_set_new(body, "agent_id", json_integer(id));
	return code;
}

int ctl_doors_set(struct ctl *c, int argc, char **argv)
{
	struct door_words w = {0};
	json_t *body, *r = NULL;
	json_int_t id;
	char path[64];
	int code;

	(void) ctl_take_value(&argc, argv, "--place", &w.place);
	(void) ctl_take_value(&argc, argv, "--agent", &w.agent);
	(void) ctl_take_value(&argc, argv, "--inner", &w.inner);
	(void) ctl_take_value(&argc, argv, "--outer", &w.outer);
	(void) ctl_take_value(&argc, argv, "--grace", &w.grace);
	if (argc != 1)
		return ctl_usage_error("doors set needs the name of a door");
	code = find_door(c, argv[0], &id);
	if (code != CTL_OK)
		return code;
	body = json_object();
	code = door_body(c, &w, argv[0], body);
	if (code != CTL_OK) {
		json_decref(body);
		return code;
	}
	snprintf(path, sizeof(path), "/api/v1/doors/%lld", (long long) id);
	code = ctl_call(c, id ? "PATCH" : "POST", id ? path : "/api/v1/doors", body, &r);
	if (code == CTL_OK && !c->json)
		printf("Door %s is %s.\n", argv[0], id ? "changed" : "made");
	json_decref(r);
	return code;
}

int ctl_doors_remove(struct ctl *c, int argc, char **argv)
{
	json_t *r = NULL;
	json_int_t id;
	char path[64];
	int code;

	if (argc != 1)
		return ctl_usage_error("doors remove needs the name of a door");
	code = ctl_find_id(c, "/api/v1/doors", "name", argv[0], "door", &id);
	if (code != CTL_OK)
		return code;
	snprintf(path, sizeof(path), "/api/v1/doors/%lld", (long long) id);
	code = ctl_call(c, "DELETE", path, NULL, &r);
	if (code == CTL_OK && !c->json)
		printf("Door %s is removed.\n", argv[0]);
	json_decref(r);
	return code;
}

int ctl_passages(struct ctl *c, int argc, char **argv)
{
	static const struct ctl_column columns[] = {
		{"AT", "at", false},         {"DOOR", "door.name", false},
		{"ITEM", "epc", false},      {"PRODUCT", "product.name", false},
		{"WAY", "direction", false}, {"CONFIDENCE", "confidence", true},
		{"STATE", "state", false},   {"", "note", false},
	};
	_cleanup_buf_ struct buf path = BUF_INIT;
	const char *state = NULL;

	(void) ctl_take_value(&argc, argv, "--state", &state);
	if (argc > 0)
		return ctl_usage_error("`%s` is not expected here", argv[0]);
	buf_put_str(&path, "/api/v1/passages");
	if (state) {
		buf_put_str(&path, "?state=");
		ctl_escape(&path, state);
	}
	buf_put_u8(&path, 0);
	return ctl_show_list(c, (const char *) path.data, columns, ARRAY_SIZE(columns));
}
