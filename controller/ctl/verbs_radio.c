/* SPDX-License-Identifier: Apache-2.0 */
/* The label radio of an access point, and the Wi-Fi beside it. */
#include "controller/ctl/ctl.h"
#include <stdio.h>
#include <string.h>

#define CHANNELS 37

static json_int_t whole(const json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}

static double number(const json_t *o, const char *key)
{
	return json_number_value(json_object_get(o, key));
}

/** "###...####": a sign for each data channel, # = used. */
static void print_map(const char *name, const json_t *list)
{
	char map[CHANNELS + 1];
	const json_t *v;
	size_t i;

	memset(map, '.', CHANNELS);
	map[CHANNELS] = '\0';
	json_array_foreach(list, i, v)
	{
		json_int_t n = json_integer_value(v);

		if (n >= 0 && n < CHANNELS)
			map[n] = '#';
	}
	printf("  %-16s %s (%zu)\n", name, map, json_array_size(list));
}

static void print_train(const json_t *t, const json_t *radio)
{
	if (!json_is_object(t))
		return;
	printf("  %-16s every %g ms, %lld groups of up to 255 labels, a packet each %g ms apart\n",
	       "train", number(t, "interval_ms"), (long long) whole(t, "subevents"),
	       number(t, "subevent_ms"));
	printf("  %-16s %lld answers a packet, %g ms apart, from %g ms on\n", "answers",
	       (long long) whole(t, "response_slots"), number(t, "response_spacing_ms"),
	       number(t, "response_delay_ms"));
	printf("  %-16s %lld of %lld, %lld in step, %lld waiting, %lld silent\n", "labels",
	       (long long) whole(radio, "labels"), (long long) whole(t, "capacity"),
	       (long long) whole(radio, "synced"), (long long) whole(radio, "waiting"),
	       (long long) whole(radio, "lost"));
}

static void print_radio(const json_t *a)
{
	static const char *const rows[][2] = {
		{"state", "radio.state"},
		{"error", "radio.error"},
		{"driver", "radio.driver"},
		{"controller", "radio.controller"},
		{"started", "radio.armed_at"},
		{"keys since", "radio.keys.since"},
		{"with old keys", "radio.keys.old"},
		{"not in escrow", "radio.keys.unescrowed"},
		{"to pair anew", "radio.keys.unescrowed_bonds"},
		{"packets", "radio.packets"},
		{"commands", "radio.commands"},
		{"acknowledged", "radio.acks"},
		{"repeated", "radio.retries"},
		{"pictures", "radio.uploads"},
		{"not decrypted", "radio.decrypt_failures"},
		{"next step", "radio.next_step"},
	};
	static const struct ctl_column signal[] = {{"FROM dBm", "from_dbm", true},
						   {"TO dBm", "to_dbm", true},
						   {"LABELS", "labels", true}};
	const json_t *radio = json_object_get(a, "radio");
	const json_t *channels = json_object_get(radio, "channels");
	char text[256];

	printf("Label radio of %s\n", ctl_text_at(a, "name", text, sizeof(text)));
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		printf("  %-16s %s\n", rows[i][0], ctl_text_at(a, rows[i][1], text, sizeof(text)));
	print_train(json_object_get(radio, "train"), radio);
	if (json_is_object(channels)) {
		print_map("channels wanted", json_object_get(channels, "wanted"));
		if (json_is_true(json_object_get(channels, "known")))
			print_map("channels used", json_object_get(channels, "used"));
	}
	putchar('\n');
	ctl_print_table(json_object_get(radio, "signal"), signal, ARRAY_SIZE(signal));
}

int ctl_radio(struct ctl *c, int argc, char **argv)
{
	char path[96];
	json_int_t id;
	json_t *a;
	int code;

	if (argc != 1)
		return ctl_usage_error("agents radio needs one agent");
	code = ctl_find_id(c, "/api/v1/agents", "name", argv[0], "agent", &id);
	if (code != CTL_OK)
		return code;
	snprintf(path, sizeof(path), "/api/v1/agents/%lld", (long long) id);
	code = ctl_call(c, "GET", path, NULL, &a);
	if (code != CTL_OK || !a)
		return code;
	print_radio(a);
	json_decref(a);
	return CTL_OK;
}

static int rotate_one(struct ctl *c, const json_t *agent)
{
	char path[96], since[40], name[80];
	const json_t *keys = json_object_get(json_object_get(agent, "radio"), "keys");
	json_t *r = NULL;

	snprintf(path, sizeof(path), "/api/v1/agents/%lld/rotate-keys",
		 (long long) whole(agent, "id"));
	int code = ctl_call(c, "POST", path, NULL, &r);

	if (code == CTL_OK && r)
		printf("%s: asked. Present keys since %s, %lld labels with older ones.\n",
		       ctl_text_at(agent, "name", name, sizeof(name)),
		       ctl_text_at(agent, "radio.keys.since", since, sizeof(since)),
		       (long long) whole(keys, "old"));
	json_decref(r);
	return code;
}

int ctl_labels_rotate_keys(struct ctl *c, int argc, char **argv)
{
	json_t *r = NULL;
	const json_t *a;
	size_t i, asked = 0;

	if (argc > 1)
		return ctl_usage_error(
			"labels rotate-keys takes one access point, or none for all");
	int code = ctl_call(c, "GET", "/api/v1/agents?limit=1000", NULL, &r);

	json_array_foreach(json_object_get(r, "items"), i, a)
	{
		const char *name = json_string_value(json_object_get(a, "name"));
		const char *state = json_string_value(json_object_get(a, "state"));

		if (code != CTL_OK || !name || !state || strcmp(state, "revoked") == 0 ||
		    (argc == 1 && strcmp(name, argv[0]) != 0))
			continue;
		code = rotate_one(c, a);
		asked++;
	}
	json_decref(r);
	if (code == CTL_OK && argc == 1 && asked == 0)
		return ctl_usage_error("there is no access point `%s`", argv[0]);
	return code;
}
