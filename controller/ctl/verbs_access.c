/* SPDX-License-Identifier: Apache-2.0 */
/* Who may come in: tokens of machines, sessions of people. */
#include "controller/ctl/ctl.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define DEFAULT_TTL "90d"

int ctl_tokens_list(struct ctl *c, int argc, char **argv)
{
	static const struct ctl_column columns[] = {{"TOKEN", "name", false},
						    {"MADE BY", "user", false},
						    {"EXPIRES", "expires", false},
						    {"LAST USED", "last_used", false}};

	(void) argv;
	if (argc > 0)
		return ctl_usage_error("tokens list takes no further words");
	return ctl_show_list(c, "/api/v1/tokens", columns, ARRAY_SIZE(columns));
}

/* "90d", "12h", "30m", "600s" or seconds. */
static int parse_ttl(const char *text, json_int_t *ret)
{
	static const struct {
		char unit;
		long long seconds;
	} units[] = {{'d', 86400}, {'h', 3600}, {'m', 60}, {'s', 1}, {'\0', 1}};
	char *end;
	long long n;

	errno = 0;
	n = strtoll(text, &end, 10);
	if (errno || end == text || n <= 0 || n > 1000000000)
		return -EINVAL;
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		if (*end == units[i].unit && (!*end || !end[1])) {
			*ret = n * units[i].seconds;
			return 0;
		}
	}
	return -EINVAL;
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

int ctl_tokens_add(struct ctl *c, int argc, char **argv)
{
	const char *ttl = DEFAULT_TTL;
	json_int_t ttl_s = 0;
	json_t *r;

	if (argc == 4 && strcmp(argv[2], "--ttl") == 0) {
		ttl = argv[3];
		argc = 2;
	}
	if (argc != 2 || parse_ttl(ttl, &ttl_s) < 0)
		return ctl_usage_error("tokens add needs a name, permissions such as view,prices, "
				       "and perhaps --ttl 90d");
	int code = ctl_call(c, "POST", "/api/v1/tokens",
			    json_pack("{s:s,s:o,s:I}", "name", argv[0], "permissions",
				      split(argv[1]), "ttl_s", ttl_s),
			    &r);

	if (code == CTL_OK && r)
		printf("%s\n", json_string_value(json_object_get(r, "token")));
	json_decref(r);
	return code;
}

int ctl_tokens_revoke(struct ctl *c, int argc, char **argv)
{
	char path[64];
	json_int_t id;
	json_t *r;

	if (argc != 1)
		return ctl_usage_error("tokens revoke needs a name");
	int code = ctl_find_id(c, "/api/v1/tokens", "name", argv[0], "token", &id);

	if (code != CTL_OK)
		return code;
	snprintf(path, sizeof(path), "/api/v1/tokens/%lld", (long long) id);
	code = ctl_call(c, "DELETE", path, NULL, &r);
	json_decref(r);
	return code;
}

int ctl_sessions_list(struct ctl *c, int argc, char **argv)
{
	static const struct ctl_column columns[] = {{"SESSION", "id", false},
						    {"USER", "user", false},
						    {"SIGNED IN", "created", false},
						    {"LAST SEEN", "seen", false}};

	(void) argv;
	if (argc > 0)
		return ctl_usage_error("sessions list takes no further words");
	return ctl_show_list(c, "/api/v1/sessions", columns, ARRAY_SIZE(columns));
}

int ctl_sessions_end(struct ctl *c, int argc, char **argv)
{
	_cleanup_buf_ struct buf path = BUF_INIT;
	json_t *r;

	if (argc != 1)
		return ctl_usage_error("sessions end needs the ID of a session");
	buf_put_str(&path, "/api/v1/sessions/");
	ctl_escape(&path, argv[0]);
	buf_put_u8(&path, 0);
	int code = ctl_call(c, "DELETE", (const char *) path.data, NULL, &r);

	json_decref(r);
	return code;
}
