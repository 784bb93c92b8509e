/* SPDX-License-Identifier: Apache-2.0 */
/* Configuration: values arrive, and a mistake is told with file, line and key. */
#include "tests/unit/test_common.h"

#include "common/conf.h"
#include "common/err.h"
#include <string.h>
#include <unistd.h>

static const struct conf_row schema[] = {
	{NULL, "state_dir", CONF_STR, NULL, 0, 64, "where state is kept"},
	{NULL, "verbose", CONF_BOOL, "false", 0, 0, "say more"},
	{"public", "port", CONF_INT, "8443", 0, 65535, "port for browsers"},
	{"reader*", "host", CONF_STR, NULL, 0, 0, "address"},
	{"reader*", "loss", CONF_FLOAT, "0.5", 0, 0, "share lost"},
	{NULL, NULL, CONF_STR, NULL, 0, 0, NULL},
};

static char path[64];

static int load(const char *text, char diag[256], struct conf **ret)
{
	snprintf(path, sizeof(path), "/tmp/gondola-conf-XXXXXX");
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t) strlen(text));
	close(fd);
	int r = conf_load(path, schema, diag, 256, ret);

	unlink(path);
	return r;
}

static void values_and_defaults_arrive(void **state)
{
	(void) state;
	struct conf *c;
	char diag[256];

	assert_int_equal(load("state_dir = \"/x\"\nreader \"a\" { host = h1 }\n"
			      "reader \"b\" { host = h2 loss = 0.25 }\npublic { port = 0 }\n",
			      diag, &c),
			 0);
	assert_string_equal(conf_str(c, NULL, NULL, "state_dir"), "/x");
	assert_false(conf_bool(c, NULL, NULL, "verbose"));
	assert_int_equal(conf_int(c, "public", NULL, "port"), 0);
	assert_int_equal(conf_count(c, "reader"), 2);
	assert_string_equal(conf_title(c, "reader", 1), "b");
	assert_string_equal(conf_str(c, "reader", "b", "host"), "h2");
	assert_true(conf_float(c, "reader", "a", "loss") == 0.5);
	conf_free(c);
}

static void mistakes_are_told_with_line_and_key(void **state)
{
	(void) state;
	static const struct {
		const char *text, *place, *word;
	} cases[] = {
		{"state_dir = /x\npublic {\n port = 70000\n}\n", ":3:", "port"},
		{"state_dir = /x\nspeling = 1\n", ":2:", "speling"},
		{"state_dir = /x\npublic {\n port = many\n}\n", ":3:", "port"},
		{"verbose = true\n", ":", "state_dir"},
		{"state_dir = /x\nreader \"a\" {\n}\n", ":", "host"},
		{"state_dir = \"/x\n", ":", ""},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct conf *c = NULL;
		char diag[256];

		assert_int_equal(load(cases[i].text, diag, &c), -ERR_CONFIG);
		assert_null(c);
		if (!strstr(diag, path) || !strstr(diag, cases[i].place) ||
		    !strstr(diag, cases[i].word))
			fail_msg("case %zu: %s", i, diag);
	}
}

static void missing_file_is_told_by_name(void **state)
{
	(void) state;
	struct conf *c;
	char diag[256];

	assert_true(conf_load("/nonexistent/gondola.conf", schema, diag, sizeof(diag), &c) < 0);
	assert_non_null(strstr(diag, "/nonexistent/gondola.conf"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_and_defaults_arrive),
		cmocka_unit_test(mistakes_are_told_with_line_and_key),
		cmocka_unit_test(missing_file_is_told_by_name),
	};

	return cmocka_run_group_tests_name("conf", tests, NULL, NULL);
}
