/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration file: what is good, and that what is wrong is named by file, line and key. */
#include "ap-agent/settings.h"
#include "common/err.h"
#include "tests/unit/test_common.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The train is the label room's to judge; this twin refuses one number. */
int esl_hci_check(const char *address)
{
	if (strncmp(address, "bluez:hci", 9) == 0)
		return strcmp(address + 9, "9") == 0 ? -ENOTSUP : 0;
	return strncmp(address, "unix:", 5) == 0 && address[5] ? 0 : -ERR_SYNTAX;
}

int esl_panels_check(const char *file, char why[2 * ESL_TEXT_MAX])
{
	(void) file;
	(void) why;
	return 0;
}

int esl_oepl_check(const char *url)
{
	return strncmp(url, "http://", 7) == 0 && url[7] ? 0 : -ERR_SYNTAX;
}

int esl_train_check(const struct esl_train *t, char why[ESL_TEXT_MAX])
{
	if (t->interval != 7)
		return 0;
	snprintf(why, ESL_TEXT_MAX, "too short for its subevents");
	return -ERR_RANGE;
}

static char path[] = "/tmp/agent-conf-XXXXXX";

static int make_file(void **state)
{
	int fd = mkstemp(path);

	(void) state;
	if (fd >= 0)
		close(fd);
	return fd < 0;
}

static int drop_file(void **state)
{
	(void) state;
	return unlink(path);
}

static int load(const char *text, struct settings *s, char diag[SETTINGS_DIAG_MAX])
{
	FILE *f = fopen(path, "w");

	fputs(text, f);
	fclose(f);
	diag[0] = '\0';
	return settings_load(path, s, diag);
}

static void a_small_file_gets_defaults(void **state)
{
	struct settings s;
	char diag[SETTINGS_DIAG_MAX];

	(void) state;
	assert_int_equal(load("controller = \"https://127.0.0.1:8444\"\n", &s, diag), 0);
	assert_string_equal(s.state_dir, "/var/lib/gondola-agent");
	assert_string_not_equal(s.name, ""); /* the host's */
	assert_int_equal(s.log_level, LOG_INFO);
	assert_false(s.radio);
	settings_done(&s);
}

static void a_radio_is_read(void **state)
{
	struct settings s;
	char diag[SETTINGS_DIAG_MAX];

	(void) state;
	assert_int_equal(load("controller = \"https://[::1]:8444\"\nname = \"ap-7\"\n"
			      "radio {\n hci = \"unix:/run/h4\"\n"
			      " interval = 1248\n}\n",
			      &s, diag),
			 0);
	assert_true(s.radio);
	assert_string_equal(s.engine.hci, "unix:/run/h4");
	assert_int_equal(s.engine.train.interval, 1248);
	assert_string_equal(s.name, "ap-7");
	settings_done(&s);
}

static void an_adapter_of_the_system_is_a_radio(void **state)
{
	static const char *const same[] = {
		"radio { driver = \"bluez\"\n adapter = \"hci1\" }\n",
		"radio { hci = \"bluez:hci1\" }\n",
		"radio { driver = \"bluez\"\n hci = \"bluez:hci1\" }\n",
	};
	struct settings s;
	char diag[SETTINGS_DIAG_MAX], text[200];

	(void) state;
	for (size_t i = 0; i < ARRAY_SIZE(same); i++) {
		snprintf(text, sizeof(text), "controller = \"https://a\"\n%s", same[i]);
		assert_int_equal(load(text, &s, diag), 0);
		assert_true(s.radio);
		assert_string_equal(s.engine.hci, "bluez:hci1");
		settings_done(&s);
	}
	assert_int_equal(
		load("controller = \"https://a\"\nradio { driver = \"bluez\" }\n", &s, diag), 0);
	assert_string_equal(s.engine.hci, "bluez:hci0");
	settings_done(&s);
}

static void what_is_wrong_is_named_by_file_line_and_key(void **state)
{
	static const struct {
		const char *text;
		int line;
		const char *key;
	} bad[] = {
		{"\ncontroller = \"http://127.0.0.1\"\n", 2, "controller"},
		{"controller = \"https://\"\n", 1, "controller"},
		{"controller = \"https://a:99999\"\n", 1, "controller"},
		{"controller = \"https://a:8444/path\"\n", 1, "controller"},
		{"controller = \"https://a b\"\n", 1, "controller"},
		{"controller = \"https://a\"\nlog_level = \"loud\"\n", 2, "log_level"},
		{"controller = \"https://a\"\nstate_mib = 1\n", 2, "state_mib"},
		{"controller = \"https://a\"\nimage_cache_kib = 60000\n", 2, "image_cache_kib"},
		{"controller = \"https://a\"\n\nnonsense = 1\n", 3, "nonsense"},
		{"controller = \"https://a\"\nradio {\n hci = \"tty\"\n}\n", 3, "hci"},
		{"controller = \"https://a\"\nradio {\n max_links = 9\n}\n", 3, "max_links"},
		{"controller = \"https://a\"\nradio {\n hci = \"bluez:usb0\"\n}\n", 3, "hci"},
		{"controller = \"https://a\"\nradio {\n driver = \"bluez\"\n"
		 " adapter = \"usb0\"\n}\n",
		 4, "adapter"},
		{"controller = \"https://a\"\nradio {\n adapter = \"hci0\"\n}\n", 3, "adapter"},
		{"controller = \"https://a\"\nradio {\n driver = \"bluez\"\n"
		 " adapter = \"hci9\"\n}\n",
		 3, "driver"},
		{"controller = \"https://a\"\nradio {\n driver = \"tape\"\n}\n", 3, "driver"},
		{"controller = \"https://a\"\nradio {\n hci = \"unix:/a\"\n link = \"\"\n}\n", 4,
		 "link"},
		{"controller = \"https://a\"\nradio {\n hci = \"unix:/a\"\n"
		 " interval = 7\n}\n",
		 4, "interval"},
	};

	(void) state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct settings s;
		char diag[SETTINGS_DIAG_MAX], place[64];

		assert_int_equal(load(bad[i].text, &s, diag), -ERR_CONFIG);
		snprintf(place, sizeof(place), "%s:%d: ", path, bad[i].line);
		if (strncmp(diag, place, strlen(place)) != 0 || !strstr(diag, bad[i].key))
			fail_msg("case %zu: %s", i, diag);
	}
}

static void a_missing_key_and_a_missing_file_are_errors(void **state)
{
	struct settings s;
	char diag[SETTINGS_DIAG_MAX];

	(void) state;
	assert_int_equal(load("name = \"x\"\n", &s, diag), -ERR_CONFIG);
	assert_non_null(strstr(diag, "controller"));
	assert_true(settings_load("/nonexistent/agent.conf", &s, diag) < 0);
}

static void an_openepaperlink_access_point_is_a_radio(void **state)
{
	struct settings s;
	char diag[SETTINGS_DIAG_MAX];

	(void) state;
	assert_int_equal(load("controller = \"https://127.0.0.1:8444\"\n"
			      "radio { oepl = \"http://192.0.2.7\" }\n",
			      &s, diag),
			 0);
	assert_true(s.radio);
	assert_string_equal(s.engine.oepl, "http://192.0.2.7");
	settings_done(&s);
	assert_int_equal(load("controller = \"https://127.0.0.1:8444\"\n"
			      "radio {\n oepl = \"ftp://192.0.2.7\"\n}\n",
			      &s, diag),
			 -ERR_CONFIG);
	assert_non_null(strstr(diag, ":3: oepl: "));
	assert_int_equal(load("controller = \"https://127.0.0.1:8444\"\n"
			      "radio { hci = \"unix:/run/x\" oepl = \"http://192.0.2.7\" }\n",
			      &s, diag),
			 -ERR_CONFIG);
	assert_non_null(strstr(diag, "one label radio"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_small_file_gets_defaults),
		cmocka_unit_test(a_radio_is_read),
		cmocka_unit_test(an_adapter_of_the_system_is_a_radio),
		cmocka_unit_test(what_is_wrong_is_named_by_file_line_and_key),
		cmocka_unit_test(a_missing_key_and_a_missing_file_are_errors),
		cmocka_unit_test(an_openepaperlink_access_point_is_a_radio),
	};

	return cmocka_run_group_tests(tests, make_file, drop_file);
}
