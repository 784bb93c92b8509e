/* SPDX-License-Identifier: Apache-2.0 */
/* Access points, join codes, people, and the store at a glance. */
#include "controller/ctl/ctl.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define EVENT_MAX 65536

static const struct ctl_column agent_columns[] = {
	{"AGENT", "name", false},
	{"STATE", "state", false},
	{"RADIO", "radio.state", false},
	{"LABELS", "labels_synced", true},
	{"TAGS", "tags_in_view", true},
	{"OWES", "journal_depth", true},
	{"CLOCK ms", "clock_offset_ms", true},
	{"CERTIFICATE UNTIL", "cert_expires", false},
	{"NEXT STEP", "next_step", false},
};

int ctl_agents_list(struct ctl *c, int argc, char **argv)
{
	json_t *items;

	(void) argv;
	if (argc > 0)
		return ctl_usage_error("agents list takes no further words");
	int code = ctl_list(c, "/api/v1/agents", &items);

	if (code != CTL_OK)
		return code;
	if (c->json)
		ctl_print_json(items);
	else
		ctl_print_table(items, agent_columns, ARRAY_SIZE(agent_columns));
	json_decref(items);
	return CTL_OK;
}

static void print_agent(const json_t *a)
{
	static const struct ctl_column readers[] = {
		{"READER", "name", false},     {"HOST", "host", false},
		{"STATE", "state", false},     {"MODEL", "model", false},
		{"READS", "reads", true},      {"RECONNECTS", "reconnects", true},
		{"GAPS", "ledger.gaps", true}, {"ERROR", "error", false},
	};
	static const struct ctl_column interfaces[] = {
		{"INTERFACE", "name", false},   {"UP", "up", false},
		{"ADDRESS", "address", false},  {"Mbit/s", "speed_mbps", true},
		{"DUPLEX", "duplex", false},    {"NETWORK", "ssid", false},
		{"MHz", "frequency_mhz", true}, {"WIDTH", "width_mhz", true},
		{"dBm", "signal_dbm", true},    {"NOISE", "noise_dbm", true},
		{"CHANGES", "changes", true},
	};
	static const char *const rows[][2] = {
		{"state", "state"},
		{"last seen", "last_seen"},
		{"version", "version"},
		{"clock offset ms", "clock_offset_ms"},
		{"certificate", "cert_expires"},
		{"journal", "journal_depth"},
		{"memory KiB", "rss_kib"},
		{"radio", "radio.state"},
		{"radio error", "radio.error"},
		{"last error", "last_error"},
		{"next step", "next_step"},
	};
	char text[256];

	printf("Access point %s\n", ctl_text_at(a, "name", text, sizeof(text)));
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		printf("  %-16s %s\n", rows[i][0], ctl_text_at(a, rows[i][1], text, sizeof(text)));
	putchar('\n');
	ctl_print_table(json_object_get(a, "readers"), readers, ARRAY_SIZE(readers));
	putchar('\n');
	ctl_print_table(json_object_get(a, "interfaces"), interfaces, ARRAY_SIZE(interfaces));
}

static int agent_path(struct ctl *c, const char *name, char path[96])
{
	json_int_t id;
	int code = ctl_find_id(c, "/api/v1/agents", "name", name, "agent", &id);

	if (code == CTL_OK)
		snprintf(path, 96, "/api/v1/agents/%lld", (long long) id);
	return code;
}

int ctl_agents_show(struct ctl *c, int argc, char **argv)
{
	char path[96];
	json_t *a;

	if (argc != 1)
		return ctl_usage_error("agents show needs one agent");
	int code = agent_path(c, argv[0], path);

	if (code == CTL_OK)
		code = ctl_call(c, "GET", path, NULL, &a);
	if (code != CTL_OK || !a)
		return code;
	print_agent(a);
	json_decref(a);
	return CTL_OK;
}

int ctl_agents_revoke(struct ctl *c, int argc, char **argv)
{
	char path[96];
	json_t *r;

	if (argc != 1)
		return ctl_usage_error("agents revoke needs one agent");
	int code = agent_path(c, argv[0], path);

	if (code == CTL_OK)
		code = ctl_call(c, "DELETE", path, NULL, &r);
	if (code != CTL_OK)
		return code;
	printf("The certificate of %s is taken back.\n", argv[0]);
	json_decref(r);
	return CTL_OK;
}

/* "1,2,4" as a JSON array; NULL if it is not a list of numbers. */
static json_t *parse_antennas(const char *text)
{
	json_t *list = json_array();

	while (list && *text) {
		char *end;
		long n = strtol(text, &end, 10);

		if (end == text || n < 1 || n > 65535 || (*end && *end != ',')) {
			json_decref(list);
			return NULL;
		}
		json_array_append_new(list, json_integer(n));
		text = *end ? end + 1 : end;
	}
	return list;
}

/* What the options say beyond address and antennas; those not given stay as they are. */
struct reader_options {
	const char *profile, *llrp, *pin, *tls, *calls;
};

static bool is_switch(const char *text)
{
	return !text || strcmp(text, "on") == 0 || strcmp(text, "off") == 0;
}

static int take_reader_options(int *argc, char **argv, struct reader_options *o)
{
	(void) ctl_take_value(argc, argv, "--profile", &o->profile);
	(void) ctl_take_value(argc, argv, "--llrp", &o->llrp);
	(void) ctl_take_value(argc, argv, "--pin", &o->pin);
	(void) ctl_take_value(argc, argv, "--tls", &o->tls);
	(void) ctl_take_value(argc, argv, "--reader-calls", &o->calls);
	if (!is_switch(o->tls) || !is_switch(o->calls))
		return ctl_usage_error("--tls and --reader-calls are on or off");
	return CTL_OK;
}

static json_t *reader_body(const char *host, long port, json_t *antennas,
			   const struct reader_options *o)
{
	json_t *body = json_pack("{s:s,s:i,s:o,s:s*,s:s*,s:s*}", "host", host, "port", (int) port,
				 "antennas", antennas, "profile", o->profile, "llrp", o->llrp,
				 "pin", o->pin);

	if (o->tls)
		json_object_set_new(body, "tls", json_boolean(strcmp(o->tls, "on") == 0));
	if (o->calls)
		json_object_set_new(body, "reader_calls",
				    json_boolean(strcmp(o->calls, "on") == 0));
	return body;
}

int ctl_readers_set(struct ctl *c, int argc, char **argv)
{
	_cleanup_buf_ struct buf path = BUF_INIT;
	struct reader_options options = {0};
	const char *antennas = "";
	char agent[96], host[256];
	json_t *r;

	(void) ctl_take_value(&argc, argv, "--antennas", &antennas);
	if (take_reader_options(&argc, argv, &options) != CTL_OK)
		return CTL_USAGE;
	if (argc != 3)
		return ctl_usage_error("readers set needs agent, name and HOST:PORT");
	const char *colon = strrchr(argv[2], ':');
	bool tls = options.tls && strcmp(options.tls, "on") == 0;
	long port = colon ? strtol(colon + 1, NULL, 10) : tls ? 5085 : 5084;

	if (port < 1 || port > 65535)
		return ctl_usage_error("`%s` is not HOST:PORT", argv[2]);
	snprintf(host, sizeof(host), "%.*s",
		 (int) (colon ? colon - argv[2] : (long) strlen(argv[2])), argv[2]);
	json_t *list = parse_antennas(antennas);

	if (!list)
		return ctl_usage_error("`%s` is not a list of antennas such as 1,2", antennas);
	int code = agent_path(c, argv[0], agent);

	if (code != CTL_OK) {
		json_decref(list);
		return code;
	}
	buf_printf(&path, "%s/readers/", agent);
	ctl_escape(&path, argv[1]);
	buf_put_u8(&path, 0);
	code = ctl_call(c, "PUT", (const char *) path.data, reader_body(host, port, list, &options),
			&r);
	if (code == CTL_OK && !c->json)
		printf("%s drives reader %s at %s:%ld.\n", argv[0], argv[1], host, port);
	json_decref(r);
	return code;
}

long ctl_parse_ttl(const char *text)
{
	char *end;
	long n = strtol(text, &end, 10);
	long unit = *end == 0 || strcmp(end, "s") == 0 ? 1
		    : strcmp(end, "m") == 0            ? 60
		    : strcmp(end, "h") == 0            ? 3600
		    : strcmp(end, "d") == 0            ? 86400
						       : -1;

	return end == text || unit < 0 || n < 1 || n > 366 * 86400 / unit ? -1 : n * unit;
}

int ctl_join_code(struct ctl *c, int argc, char **argv)
{
	long uses = 1, ttl = 3600;
	char text[160];
	json_t *r;

	for (int i = 0; i < argc; i += 2) {
		if (i + 1 < argc && strcmp(argv[i], "--uses") == 0)
			uses = strtol(argv[i + 1], NULL, 10);
		else if (i + 1 < argc && strcmp(argv[i], "--ttl") == 0)
			ttl = ctl_parse_ttl(argv[i + 1]);
		else
			return ctl_usage_error("join-code takes --uses N and --ttl TIME");
	}
	if (uses < 1 || ttl < 1)
		return ctl_usage_error("uses and ttl must be positive, ttl such as 30m, 1h or 7d");
	int code = ctl_call(
		c, "POST", "/api/v1/agents/join-codes",
		json_pack("{s:I,s:I}", "uses", (json_int_t) uses, "ttl_s", (json_int_t) ttl), &r);

	if (code != CTL_OK || !r)
		return code;
	printf("%s\n", ctl_text_at(r, "code", text, sizeof(text)));
	fprintf(stderr, "Good for %ld agent%s until %s. It is shown only now.\n", uses,
		uses == 1 ? "" : "s", ctl_text_at(r, "expires", text, sizeof(text)));
	json_decref(r);
	return CTL_OK;
}

int ctl_users_list(struct ctl *c, int argc, char **argv)
{
	static const struct ctl_column columns[] = {{"USER", "name", false},
						    {"ROLE", "role", false},
						    {"LAST SIGN-IN", "last_login", false}};

	(void) argv;
	if (argc > 0)
		return ctl_usage_error("users list takes no further words");
	return ctl_show_list(c, "/api/v1/users", columns, ARRAY_SIZE(columns));
}

int ctl_users_add(struct ctl *c, int argc, char **argv)
{
	const char *role = NULL;
	char password[1024];
	json_t *r;

	if (!ctl_take_value(&argc, argv, "--role", &role) || argc != 1)
		return ctl_usage_error("users add needs a name and --role ROLE");
	if (ctl_ensure_session(c) != CTL_OK)
		return CTL_REFUSED;
	if (ctl_read_password(NULL, "GONDOLA_NEW_PASSWORD", "Password for the new user: ", password,
			      sizeof(password)) < 0)
		return CTL_USAGE;
	json_t *body =
		json_pack("{s:s,s:s,s:s}", "name", argv[0], "role", role, "password", password);

	explicit_bzero(password, sizeof(password));
	int code = ctl_call(c, "POST", "/api/v1/users", body, &r);

	if (code == CTL_OK && !c->json)
		printf("User %s may sign in as %s.\n", argv[0], role);
	json_decref(r);
	return code;
}

int ctl_users_set_role(struct ctl *c, int argc, char **argv)
{
	char path[64];
	json_int_t id;
	json_t *r;

	if (argc != 2)
		return ctl_usage_error("users set-role needs a name and a role");
	int code = ctl_find_id(c, "/api/v1/users", "name", argv[0], "user", &id);

	if (code != CTL_OK)
		return code;
	snprintf(path, sizeof(path), "/api/v1/users/%lld", (long long) id);
	code = ctl_call(c, "PATCH", path, json_pack("{s:s}", "role", argv[1]), &r);
	if (code == CTL_OK && !c->json)
		printf("%s is %s now.\n", argv[0], argv[1]);
	json_decref(r);
	return code;
}

static size_t count_state(const json_t *items, const char *state)
{
	const json_t *item;
	size_t i, n = 0;

	json_array_foreach(items, i, item)
	{
		const char *s = json_string_value(json_object_get(item, "state"));

		n += s && strcmp(s, state) == 0;
	}
	return n;
}

int ctl_status(struct ctl *c, int argc, char **argv)
{
	static const char *const states[] = {"shown", "sending", "pending",
					     "error", "lost",    "unlinked"};
	json_t *agents = NULL, *labels = NULL, *stock = NULL;
	json_int_t items = 0;
	const json_t *row;
	size_t i;

	(void) argv;
	if (argc > 0)
		return ctl_usage_error("status takes no further words");
	int code = ctl_list(c, "/api/v1/agents", &agents);

	if (code == CTL_OK)
		code = ctl_list(c, "/api/v1/labels", &labels);
	if (code == CTL_OK)
		code = ctl_list(c, "/api/v1/stock", &stock);
	if (code != CTL_OK)
		goto out;
	json_array_foreach(stock, i, row) items +=
		json_integer_value(json_object_get(row, "total"));
	if (c->json) {
		json_t *all = json_pack("{s:O,s:I,s:I,s:I}", "agents", agents, "labels",
					(json_int_t) json_array_size(labels), "labels_shown",
					(json_int_t) count_state(labels, "shown"), "items", items);

		ctl_print_json(all);
		json_decref(all);
		goto out;
	}
	printf("Labels: %zu", json_array_size(labels));
	for (i = 0; i < ARRAY_SIZE(states); i++)
		if (count_state(labels, states[i]))
			printf(", %zu %s", count_state(labels, states[i]), states[i]);
	printf("\nItems:  %" PRId64 " seen, of %zu products\n\n", (int64_t) items,
	       json_array_size(stock));
	ctl_print_table(agents, agent_columns, ARRAY_SIZE(agent_columns));
out:
	json_decref(agents);
	json_decref(labels);
	json_decref(stock);
	return code;
}

/* The stream as it comes, one line at a time: "event: NAME" and then "data: JSON". */
struct event_printer {
	struct buf line;
	char name[32];
	bool json;
};

static void print_event_line(struct event_printer *p, const char *line)
{
	if (strncmp(line, "event: ", 7) == 0)
		snprintf(p->name, sizeof(p->name), "%.*s", (int) sizeof(p->name) - 1, line + 7);
	else if (strncmp(line, "data: ", 6) == 0)
		printf(p->json ? "{\"event\":\"%s\",\"data\":%s}\n" : "%-8s %s\n", p->name,
		       line + 6);
}

static bool print_piece(void *user, const char *data, size_t len)
{
	struct event_printer *p = user;

	for (size_t i = 0; i < len; i++) {
		buf_put_u8(&p->line, data[i] == '\n' ? 0 : (uint8_t) data[i]);
		if (data[i] == '\n') {
			if (buf_ok(&p->line))
				print_event_line(p, (const char *) p->line.data);
			buf_done(&p->line);
			buf_init(&p->line, EVENT_MAX);
		}
	}
	return fflush(stdout) == 0;
}

int ctl_events(struct ctl *c, int argc, char **argv)
{
	struct event_printer printer = {.line = BUF_INIT, .json = c->json};
	struct ctl_request rq = {
		.method = "GET", .path = "/api/v1/events", .piece = print_piece, .user = &printer};
	struct ctl_reply reply;

	(void) argv;
	if (argc > 0)
		return ctl_usage_error("events takes no further words");
	int code = ctl_ensure_session(c);

	if (code != CTL_OK)
		return code;
	int r = ctl_send(c, &rq, &reply);
	long status = reply.status;

	buf_done(&printer.line);
	ctl_reply_done(&reply);
	return r < 0 ? CTL_UNREACHABLE : status >= 400 ? CTL_REFUSED : CTL_OK;
}
