/* SPDX-License-Identifier: Apache-2.0 */
/* Reading, writing and locking tags at a reader. */
#include "controller/ctl/ctl.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define OPERATIONS "/api/v1/tag-operations"
#define PASSWORD   "GONDOLA_TAG_PASSWORD"
#define LOOKS      400 /* two minutes */
#define LOOK_NS    300000000L

static bool is_over(const char *state)
{
	return !strcmp(state, "done") || !strcmp(state, "failed");
}

static void print_one(const json_t *r)
{
	char text[300], data[200];

	printf("operation %s: %s", ctl_text_at(r, "id", text, sizeof(text)),
	       ctl_text_at(r, "state", data, sizeof(data)));
	printf(" - %s\n", ctl_text_at(r, "reason", text, sizeof(text)));
	if (json_is_string(json_object_get(r, "tag")))
		printf("  tag      %s\n", ctl_text_at(r, "tag", text, sizeof(text)));
	if (json_is_string(json_object_get(r, "data")))
		printf("  data     %s\n", ctl_text_at(r, "data", data, sizeof(data)));
	if (json_is_string(json_object_get(r, "new_epc")))
		printf("  new EPC  %s\n", ctl_text_at(r, "new_epc", text, sizeof(text)));
	if (json_is_string(json_object_get(r, "new_uri")))
		printf("  that is  %s\n", ctl_text_at(r, "new_uri", text, sizeof(text)));
}

/* Until it has ended; one whose outcome is unknown may still be found out. */
static int wait_for(struct ctl *c, json_int_t id)
{
	bool as_json = c->json;
	char path[64];

	snprintf(path, sizeof(path), OPERATIONS "/%lld", (long long) id);
	for (int look = 1;; look++) {
		const char *state;
		json_t *r;
		int code;

		c->json = false;
		code = ctl_call(c, "GET", path, NULL, &r);
		c->json = as_json;
		if (code != CTL_OK || !r)
			return code;
		state = json_string_value(json_object_get(r, "state"));
		if (!state || is_over(state) || look == LOOKS) {
			code = state && !strcmp(state, "done") ? CTL_OK : CTL_REFUSED;
			if (as_json)
				ctl_print_json(r);
			else
				print_one(r);
			json_decref(r);
			return code;
		}
		json_decref(r);
		nanosleep(&(struct timespec){.tv_nsec = LOOK_NS}, NULL);
	}
}

static int ask(struct ctl *c, json_t *body)
{
	const char *password = getenv(PASSWORD);
	bool as_json = c->json;
	json_int_t id;
	json_t *r;
	int code;

	if (password && *password)
		json_object_set_new(body, "password", json_string(password));
	c->json = false;
	code = ctl_call(c, "POST", OPERATIONS, body, &r);
	c->json = as_json;
	if (code != CTL_OK || !r)
		return code;
	id = json_integer_value(json_object_get(r, "id"));
	json_decref(r);
	return wait_for(c, id);
}

/* Takes an option as text or number into the body. */
static int take(int *argc, char **argv, const char *option, const char *field, bool number,
		json_t *body)
{
	const char *text;
	char *end;

	if (!ctl_take_value(argc, argv, option, &text))
		return CTL_OK;
	if (!number) {
		json_object_set_new(body, field, json_string(text));
		return CTL_OK;
	}
	long long n = strtoll(text, &end, 10);

	if (!*text || *end)
		return ctl_usage_error("%s takes a number", option);
	json_object_set_new(body, field, json_integer(n));
	return CTL_OK;
}

/* AGENT READER, and which tag at which antenna. */
static int begin(struct ctl *c, int *argc, char **argv, const char *kind, json_t **ret)
{
	json_t *body = json_pack("{s:s}", "kind", kind);
	json_int_t agent_id;
	int code = take(argc, argv, "--antenna", "antenna", true, body);

	if (code == CTL_OK)
		code = take(argc, argv, "--epc", "epc", false, body);
	if (code == CTL_OK && *argc < 2)
		code = ctl_usage_error("tags %s needs an agent and a reader", kind);
	if (code == CTL_OK)
		code = ctl_find_id(c, "/api/v1/agents", "name", argv[0], "agent", &agent_id);
	if (code != CTL_OK) {
		json_decref(body);
		return code;
	}
	json_object_set_new(body, "agent_id", json_integer(agent_id));
	json_object_set_new(body, "reader", json_string(argv[1]));
	*ret = body;
	return CTL_OK;
}

int ctl_tags_read(struct ctl *c, int argc, char **argv)
{
	json_t *extra = json_object(), *body = NULL;
	int code = take(&argc, argv, "--bank", "bank", false, extra);

	if (code == CTL_OK)
		code = take(&argc, argv, "--words", "words", true, extra);
	if (code == CTL_OK)
		code = take(&argc, argv, "--pointer", "pointer", true, extra);
	if (code == CTL_OK)
		code = begin(c, &argc, argv, "read", &body);
	if (code == CTL_OK)
		json_object_update(body, extra);
	json_decref(extra);
	return code == CTL_OK ? ask(c, body) : code;
}

int ctl_tags_write(struct ctl *c, int argc, char **argv)
{
	json_t *extra = json_object(), *body = NULL;
	bool again = ctl_take_flag(&argc, argv, "--again");
	int code = take(&argc, argv, "--gtin", "gtin", false, extra);

	if (code == CTL_OK)
		code = take(&argc, argv, "--serial", "serial", true, extra);
	if (code == CTL_OK)
		code = take(&argc, argv, "--prefix-digits", "prefix_digits", true, extra);
	if (code == CTL_OK)
		code = take(&argc, argv, "--new-epc", "new_epc", false, extra);
	if (code == CTL_OK)
		code = begin(c, &argc, argv, "write-epc", &body);
	if (code == CTL_OK)
		json_object_update(body, extra);
	if (code == CTL_OK && again)
		json_object_set_new(body, "again", json_true());
	json_decref(extra);
	return code == CTL_OK ? ask(c, body) : code;
}

int ctl_tags_lock(struct ctl *c, int argc, char **argv)
{
	json_t *body;
	int code = begin(c, &argc, argv, "lock", &body);

	if (code != CTL_OK)
		return code;
	if (argc != 5) {
		json_decref(body);
		return ctl_usage_error("tags lock takes AGENT READER EPC FIELD HOW");
	}
	json_object_set_new(body, "epc", json_string(argv[2]));
	json_object_set_new(body, "field", json_string(argv[3]));
	json_object_set_new(body, "how", json_string(argv[4]));
	return ask(c, body);
}

int ctl_tags_list(struct ctl *c, int argc, char **argv)
{
	static const struct ctl_column columns[] = {
		{"ID", "id", true},        {"AT", "created", false},    {"BY", "by", false},
		{"AGENT", "agent", false}, {"READER", "reader", false}, {"KIND", "kind", false},
		{"STATE", "state", false}, {"TAG", "tag", false},       {"NEW", "new_epc", false},
		{"DATA", "data", false},   {"WHY", "reason", false},
	};

	if (argc > 0)
		return ctl_usage_error("`%s` is not expected here", argv[0]);
	return ctl_show_list(c, OPERATIONS, columns, ARRAY_SIZE(columns));
}
