/* SPDX-License-Identifier: Apache-2.0 */
/* What labels measure: the last values, values asked for now, and those before. */
#include "controller/ctl/ctl.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LOOK_NS (250 * 1000 * 1000)
#define LOOKS   (70 * 4) /* a label has a minute to answer */

static const char *label_path(struct buf *b, const char *label, const char *tail)
{
	buf_put_str(b, "/api/v1/labels/");
	ctl_escape(b, label);
	buf_put_str(b, tail);
	buf_put_u8(b, 0);
	return buf_ok(b) ? (const char *) b->data : "";
}

/* "4.25 °C"; the bytes of what nobody knows. */
static json_t *value_text(const json_t *reading)
{
	const json_t *value = json_object_get(reading, "value");
	const char *unit = json_string_value(json_object_get(reading, "unit"));
	const char *bytes = json_string_value(json_object_get(reading, "bytes"));
	char text[64];

	if (json_is_number(value))
		snprintf(text, sizeof(text), "%.6g%s%s", json_number_value(value),
			 unit && *unit ? " " : "", unit ? unit : "");
	else
		snprintf(text, sizeof(text), "%s", bytes && *bytes ? bytes : "-");
	return json_string(text);
}

static void add_words(json_t *list)
{
	size_t i;
	json_t *o;

	json_array_foreach(list, i, o)
	{
		const json_t *name = json_object_get(o, "name");

		json_object_set_new(o, "words", value_text(o));
		if (!json_is_string(name))
			json_object_set(o, "name", json_object_get(o, "id"));
	}
}

static void print_budget(const json_t *label)
{
	char used[24], most[24], at[40];

	printf("Readings asked for: %s of %s this hour",
	       ctl_text_at(label, "budget.readings.hour", used, sizeof(used)),
	       ctl_text_at(label, "budget.readings.per_hour", most, sizeof(most)));
	printf(", %s of %s today", ctl_text_at(label, "budget.readings.day", used, sizeof(used)),
	       ctl_text_at(label, "budget.readings.per_day", most, sizeof(most)));
	if (strcmp(ctl_text_at(label, "budget.readings.free_at", at, sizeof(at)), "-"))
		printf("; more from %s", at);
	printf(".\n");
}

static void print_label(json_t *label)
{
	static const struct ctl_column columns[] = {
		{"SENSOR", "sensor", true},      {"MEASURES", "name", false},
		{"VALUE", "words", true},        {"READ", "at", false},
		{"ASKED", "asked.state", false}, {"WHY", "asked.reason", false}};
	json_t *sensors = json_object_get(label, "sensors");

	add_words(sensors);
	if (json_array_size(sensors) == 0)
		printf("The label has not told of a sensor.\n");
	else
		ctl_print_table(sensors, columns, ARRAY_SIZE(columns));
	print_budget(label);
}

int ctl_labels_sensors(struct ctl *c, int argc, char **argv)
{
	_cleanup_buf_ struct buf path = BUF_INIT;
	json_t *r;

	if (argc != 1)
		return ctl_usage_error("labels sensors needs one label");
	int code = ctl_call(c, "GET", label_path(&path, argv[0], ""), NULL, &r);

	if (code == CTL_OK && r)
		print_label(r);
	json_decref(r);
	return code;
}

/* How many of its sensors were asked for and say nothing yet; *ret_failed those that will not. */
static int awaited(const json_t *label, int *ret_failed)
{
	const json_t *sensors = json_object_get(label, "sensors"), *o;
	int n = 0;
	size_t i;

	*ret_failed = 0;
	json_array_foreach(sensors, i, o)
	{
		const json_t *asked = json_object_get(o, "asked");
		const char *state = json_string_value(json_object_get(asked, "state"));

		n += state && strcmp(state, "asked") == 0;
		*ret_failed += state && strcmp(state, "failed") == 0;
	}
	return n;
}

static int wait_for(struct ctl *c, const char *label)
{
	_cleanup_buf_ struct buf path = BUF_INIT;
	const char *get = label_path(&path, label, "");
	bool as_json = c->json;

	for (int look = 1;; look++) {
		json_t *r;
		int code, failed;

		c->json = false;
		code = ctl_call(c, "GET", get, NULL, &r);
		c->json = as_json;
		if (code != CTL_OK || !r)
			return code;
		if (awaited(r, &failed) == 0 || look == LOOKS) {
			if (as_json)
				ctl_print_json(json_object_get(r, "sensors"));
			else
				print_label(r);
			json_decref(r);
			return failed ? CTL_REFUSED : CTL_OK;
		}
		json_decref(r);
		nanosleep(&(struct timespec){.tv_nsec = LOOK_NS}, NULL);
	}
}

int ctl_labels_read(struct ctl *c, int argc, char **argv)
{
	bool no_wait = ctl_take_flag(&argc, argv, "--no-wait");
	_cleanup_buf_ struct buf path = BUF_INIT;
	json_t *body = json_object(), *list, *r;
	bool as_json = c->json;
	char text[40];

	if (argc < 1) {
		json_decref(body);
		return ctl_usage_error("labels read needs a label");
	}
	list = argc > 1 ? json_array() : NULL;
	for (int i = 1; i < argc; i++) {
		json_int_t n;

		if (!ctl_number(argv[i], &n)) {
			json_decref(list);
			json_decref(body);
			return ctl_usage_error("`%s` is not the number of a sensor", argv[i]);
		}
		json_array_append_new(list, json_integer(n));
	}
	if (list)
		json_object_set_new(body, "sensors", list);
	c->json = as_json && no_wait;
	int code = ctl_call(c, "POST", label_path(&path, argv[0], "/readings"), body, &r);

	c->json = as_json;
	if (code == CTL_OK && r && no_wait)
		printf("Label %s is asked until %s.\n", argv[0],
		       ctl_text_at(r, "until", text, sizeof(text)));
	json_decref(r);
	return code != CTL_OK || no_wait ? code : wait_for(c, argv[0]);
}

int ctl_labels_readings(struct ctl *c, int argc, char **argv)
{
	static const struct ctl_column columns[] = {
		{"READ", "at", false}, {"MEASURES", "name", false}, {"VALUE", "words", true}};
	_cleanup_buf_ struct buf path = BUF_INIT;
	const char *limit = "100";
	json_int_t sensor, most;
	char tail[80];
	json_t *r;

	(void) ctl_take_value(&argc, argv, "--limit", &limit);
	if (argc != 2)
		return ctl_usage_error("labels readings needs a label and the number of a sensor");
	if (!ctl_number(argv[1], &sensor))
		return ctl_usage_error("`%s` is not the number of a sensor", argv[1]);
	if (!ctl_number(limit, &most))
		return ctl_usage_error("`%s` is not a number of readings", limit);
	snprintf(tail, sizeof(tail), "/readings?sensor=%lld&limit=%lld", (long long) sensor,
		 (long long) most);
	int code = ctl_call(c, "GET", label_path(&path, argv[0], tail), NULL, &r);

	if (code == CTL_OK && r) {
		add_words(json_object_get(r, "items"));
		ctl_print_table(json_object_get(r, "items"), columns, ARRAY_SIZE(columns));
	}
	json_decref(r);
	return code;
}
