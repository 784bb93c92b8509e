/* SPDX-License-Identifier: Apache-2.0 */
/* What a person should look at. */
#include "controller/ctl/ctl.h"
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INCIDENTS "/api/v1/incidents"

int ctl_incidents_list(struct ctl *c, int argc, char **argv)
{
	static const struct ctl_column columns[] = {
		{"ID", "id", true},        {"SEVERITY", "severity", false},
		{"STATE", "state", false}, {"SINCE", "opened", false},
		{"TIMES", "times", true},  {"KIND", "kind", false},
		{"AGENT", "agent", false}, {"LOOKED AT BY", "acknowledged.by", false},
		{"WHAT", "title", false},
	};
	_cleanup_buf_ struct buf path = BUF_INIT;
	bool all = ctl_take_flag(&argc, argv, "--all");
	bool closed = ctl_take_flag(&argc, argv, "--closed");
	const char *kind = NULL;

	buf_printf(&path, "%s?state=%s", INCIDENTS, closed ? "closed" : all ? "" : "open");
	if (ctl_take_value(&argc, argv, "--kind", &kind)) {
		buf_put_str(&path, "&kind=");
		ctl_escape(&path, kind);
	}
	buf_put_u8(&path, 0);
	if (argc > 0)
		return ctl_usage_error("`%s` is not expected here", argv[0]);
	return ctl_show_list(c, (const char *) path.data, columns, ARRAY_SIZE(columns));
}

static int path_of(const char *id, const char *verb, char *buf, size_t cap)
{
	size_t n = strlen(id);

	if (n == 0 || n > 18 || strspn(id, "0123456789") != n)
		return ctl_usage_error("`%s` is no number of an incident", id);
	snprintf(buf, cap, "%s/%s%s", INCIDENTS, id, verb);
	return CTL_OK;
}

static void print_evidence(const json_t *detail)
{
	const char *key;
	const json_t *value;

	json_object_foreach((json_t *) detail, key, value)
	{
		char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);

		printf("  %-16s %s\n", key, text ? text : "");
		free(text);
	}
}

int ctl_incidents_show(struct ctl *c, int argc, char **argv)
{
	static const char *const facts[][2] = {
		{"kind", "kind"},
		{"about", "subject"},
		{"state", "state"},
		{"severity", "severity"},
		{"since", "opened"},
		{"closed", "closed"},
		{"why closed", "why_closed"},
		{"came back", "times"},
		{"next step", "next_step"},
		{"looked at by", "acknowledged.by"},
		{"note", "acknowledged.note"},
	};
	static const struct ctl_column columns[] = {
		{"AT", "at", false},
		{"WHAT", "what", false},
		{"BY", "by", false},
		{"TEXT", "text", false},
	};
	char path[64], text[600];
	json_t *r;
	int code;

	if (argc != 1)
		return ctl_usage_error("incidents show takes the number of an incident");
	code = path_of(argv[0], "", path, sizeof(path));
	if (code == CTL_OK)
		code = ctl_call(c, "GET", path, NULL, &r);
	if (code != CTL_OK || !r)
		return code;
	printf("%s\n", ctl_text_at(r, "title", text, sizeof(text)));
	for (size_t i = 0; i < ARRAY_SIZE(facts); i++)
		printf("  %-16s %s\n", facts[i][0],
		       ctl_text_at(r, facts[i][1], text, sizeof(text)));
	printf("Evidence:\n");
	print_evidence(json_object_get(r, "detail"));
	printf("What became of it, newest first:\n");
	ctl_print_table(json_object_get(r, "changes"), columns, ARRAY_SIZE(columns));
	json_decref(r);
	return CTL_OK;
}

int ctl_incidents_acknowledge(struct ctl *c, int argc, char **argv)
{
	char path[64];
	json_t *r;
	int code;

	if (argc < 1 || argc > 2)
		return ctl_usage_error("incidents acknowledge takes a number and perhaps a note");
	code = path_of(argv[0], "/acknowledge", path, sizeof(path));
	if (code == CTL_OK)
		code = ctl_call(c, "POST", path,
				argc == 2 ? json_pack("{s:s}", "note", argv[1]) : json_object(),
				&r);
	if (code != CTL_OK || !r)
		return code;
	printf("incident %s is looked at\n", argv[0]);
	json_decref(r);
	return CTL_OK;
}
