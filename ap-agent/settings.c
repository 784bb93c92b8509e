/* SPDX-License-Identifier: Apache-2.0 */
#include "ap-agent/settings.h"
#include "common/err.h"
#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

static const struct conf_row schema[] = {
	{NULL, "state_dir", CONF_STR, "/var/lib/gondola-agent", 1, 400,
	 "Directory of the agent's key, certificate and journal."},
	{NULL, "controller", CONF_STR, NULL, 1, 300,
	 "Where gondolad listens for agents: https://host:8444"},
	{NULL, "name", CONF_STR, "", 0, 63,
	 "What this access point would like to be called; empty = its host name."},
	{NULL, "join_code_file", CONF_STR, "", 0, 400,
	 "File with a join code, read while the agent is not enrolled; may vanish later."},
	{NULL, "log_level", CONF_STR, "info", 1, 16, "error, warning, notice, info or debug."},
	{NULL, "state_mib", CONF_INT, "64", 4, 65536,
	 "Bound of the state file; when it is full, sightings wait in memory."},
	{NULL, "image_cache_kib", CONF_INT, "16384", 64, 1048576,
	 "Bound of the kept label pictures, part of state_mib."},
	{"radio", "driver", CONF_STR, "", 0, 16,
	 "Label radio: h4 (a controller of its own, at hci), bluez (an adapter of the system, "
	 "beside bluetoothd), oepl (OpenEPaperLink access points); empty = as the other keys "
	 "say."},
	{"radio", "adapter", CONF_STR, "", 0, 16, "Adapter for bluez: hci0, hci1, ..."},
	{"radio", "hci", CONF_STR, "", 0, 200,
	 "H4 stream of the radio's controller at unix:PATH, tcp:ADDRESS:PORT or "
	 "uart:DEVICE:BAUD; or bluez:ADAPTER; empty, and no driver = no label radio."},
	{"radio", "oepl", CONF_STR, "", 0, 2000,
	 "OpenEPaperLink access points for oepl, http://HOST[:PORT], up to eight with commas "
	 "between them. The keys below mean nothing to them."},
	{"radio", "max_links", CONF_INT, "0", 0, 8, "Connections at once; 0 = 4."},
	{"radio", "panels", CONF_STR, "", 0, 400,
	 "Descriptions of label models, see panels.conf(5); empty = those built in."},
	{"radio", "key_days", CONF_INT, "90", 0, 3650,
	 "Keys of labels are replaced at that age, label by label; 0 = only when told."},
	{"radio", "interval", CONF_INT, "0", 0, 65535,
	 "Train: periodic interval in 1.25 ms; 0 = the default train, here and below."},
	{"radio", "subevents", CONF_INT, "0", 0, 128, "Train: subevents in an interval."},
	{"radio", "subevent_interval", CONF_INT, "0", 0, 255, "Train: in 1.25 ms."},
	{"radio", "response_delay", CONF_INT, "0", 0, 254, "Train: in 1.25 ms."},
	{"radio", "response_spacing", CONF_INT, "0", 0, 255, "Train: in 0.125 ms."},
	{"radio", "response_slots", CONF_INT, "0", 0, 255, "Train: slots in a subevent."},
	{0},
};

/* The line of a key, for a complaint that only we can make. 0 when it is not in the file. */
static unsigned int line_of(const char *file, const char *key)
{
	FILE *f = fopen(file, "re");
	char line[1024];
	unsigned int n = 0, found = 0;

	if (!f)
		return 0;
	while (!found && fgets(line, sizeof(line), f)) {
		const char *at = line;

		n++;
		while (isspace((unsigned char) *at))
			at++;
		if (strncmp(at, key, strlen(key)) != 0)
			continue;
		at += strlen(key);
		while (isspace((unsigned char) *at))
			at++;
		if (*at == '=')
			found = n;
	}
	fclose(f);
	return found;
}

static int wrong(const char *file, const char *key, const char *what, char diag[SETTINGS_DIAG_MAX])
{
	snprintf(diag, SETTINGS_DIAG_MAX, "%s:%u: %s: %s", file, line_of(file, key), key, what);
	return -ERR_CONFIG;
}

/* "https://" host [":" port] and nothing after it. */
static bool good_url(const char *url)
{
	size_t host;

	if (strncmp(url, "https://", 8) != 0)
		return false;
	url += 8;
	if (*url == '[') {
		host = strcspn(url, "]");
		if (url[host] != ']' || host < 3)
			return false;
		url += host + 1;
	} else {
		host = strspn(url,
			      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-");
		if (host == 0)
			return false;
		url += host;
	}
	if (*url == '\0')
		return true;
	if (*url++ != ':')
		return false;

	char *end;
	unsigned long port = strtoul(url, &end, 10);

	return isdigit((unsigned char) *url) && *end == '\0' && port >= 1 && port <= 65535;
}

static void read_radio(struct settings *s)
{
	const struct conf *c = s->conf;
	struct esl_train *t = &s->engine.train;

	s->engine.hci = conf_str(c, "radio", NULL, "hci");
	s->engine.panels = conf_str(c, "radio", NULL, "panels");
	s->engine.key_days = (unsigned int) conf_int(c, "radio", NULL, "key_days");
	s->engine.max_links = (unsigned int) conf_int(c, "radio", NULL, "max_links");
	t->interval = (uint16_t) conf_int(c, "radio", NULL, "interval");
	t->subevents = (uint8_t) conf_int(c, "radio", NULL, "subevents");
	t->subevent_interval = (uint8_t) conf_int(c, "radio", NULL, "subevent_interval");
	t->response_delay = (uint8_t) conf_int(c, "radio", NULL, "response_delay");
	t->response_spacing = (uint8_t) conf_int(c, "radio", NULL, "response_spacing");
	t->response_slots = (uint8_t) conf_int(c, "radio", NULL, "response_slots");
	s->engine.oepl = conf_str(c, "radio", NULL, "oepl");
	s->radio = s->engine.hci[0] || s->engine.oepl[0];
}

/** An OpenEPaperLink access point is all of the radio. */
static int read_oepl(const struct settings *s, const char *file, char diag[SETTINGS_DIAG_MAX])
{
	const char *driver = conf_str(s->conf, "radio", NULL, "driver");

	if (!s->engine.oepl[0])
		return wrong(file, "oepl", "must say where the access point of driver oepl is",
			     diag);
	if (driver[0] && strcmp(driver, "oepl") != 0)
		return wrong(file, "driver", "must be oepl, or left out, with the key oepl", diag);
	if (s->engine.hci[0] || conf_str(s->conf, "radio", NULL, "adapter")[0])
		return wrong(file, "oepl", "there is one label radio: hci, adapter or oepl", diag);
	return 0;
}

/** The key `driver` and the address must be of one mind; without an address `driver` makes one. */
static int read_driver(struct settings *s, const char *file, char diag[SETTINGS_DIAG_MAX])
{
	const char *driver = conf_str(s->conf, "radio", NULL, "driver");
	const char *adapter = conf_str(s->conf, "radio", NULL, "adapter");
	bool bluez = strncmp(s->engine.hci, "bluez:", 6) == 0;

	if (s->engine.oepl[0] || strcmp(driver, "oepl") == 0)
		return read_oepl(s, file, diag);
	if (strcmp(driver, "bluez") == 0 && !bluez) {
		if (s->engine.hci[0])
			return wrong(file, "hci", "bluez takes the key adapter instead", diag);
		snprintf(s->radio_address, sizeof(s->radio_address), "bluez:%s",
			 adapter[0] ? adapter : "hci0");
		s->radio = true;
	} else if (adapter[0]) {
		return wrong(file, "adapter", "goes with driver = \"bluez\" and without hci", diag);
	} else if (strcmp(driver, "h4") == 0 && (bluez || !s->radio)) {
		return wrong(file, "hci", "must say where the controller of driver h4 is", diag);
	} else if (driver[0] && strcmp(driver, "h4") != 0 && !bluez) {
		return wrong(file, "driver", "must be h4, bluez or oepl", diag);
	}
	return 0;
}

static const char *radio_address(const struct settings *s)
{
	return s->radio_address[0] ? s->radio_address : s->engine.hci;
}

static int check_radio(const struct settings *s, const char *file, char diag[SETTINGS_DIAG_MAX])
{
	char why[ESL_TEXT_MAX] = "";
	char panels[2 * ESL_TEXT_MAX] = "";
	int r;

	if (!s->radio)
		return 0;
	if (s->engine.oepl[0])
		return esl_oepl_check(s->engine.oepl) < 0
			       ? wrong(file, "oepl",
				       "must be http://HOST or http://HOST:PORT, or several of "
				       "them with commas",
				       diag)
			       : 0;
	if (esl_panels_check(s->engine.panels, panels) < 0) {
		snprintf(diag, SETTINGS_DIAG_MAX, "%.*s", SETTINGS_DIAG_MAX - 1, panels);
		return -ERR_CONFIG;
	}
	r = esl_hci_check(radio_address(s));
	if (r == -ENOTSUP)
		return wrong(file, "driver", "this program was built without bluez (libdbus)",
			     diag);
	if (r < 0)
		return wrong(file, s->radio_address[0] ? "adapter" : "hci",
			     s->radio_address[0]
				     ? "must be hci0, hci1, ..."
				     : "must be unix:PATH, tcp:ADDRESS:PORT, uart:DEVICE:BAUD or "
				       "bluez:ADAPTER",
			     diag);
	if (esl_train_check(&s->engine.train, why) < 0)
		return wrong(file, "interval", why, diag);
	return 0;
}

static int check(struct settings *s, const char *file, char diag[SETTINGS_DIAG_MAX])
{
	int r;

	if (!good_url(s->controller))
		return wrong(file, "controller", "must be https://host:port", diag);
	if (log_level_parse(conf_str(s->conf, NULL, NULL, "log_level"), &s->log_level) < 0)
		return wrong(file, "log_level", "must be error, warning, notice, info or debug",
			     diag);
	if ((uint64_t) s->image_kib * 2 > (uint64_t) s->state_mib * 1024)
		return wrong(file, "image_cache_kib", "must be at most half of state_mib", diag);
	r = read_driver(s, file, diag);
	return r < 0 ? r : check_radio(s, file, diag);
}

int settings_load(const char *file, struct settings *ret, char diag[SETTINGS_DIAG_MAX])
{
	struct settings s = {0};
	int r = conf_load(file, schema, diag, SETTINGS_DIAG_MAX, &s.conf);

	if (r < 0)
		return r;
	s.state_dir = conf_str(s.conf, NULL, NULL, "state_dir");
	s.controller = conf_str(s.conf, NULL, NULL, "controller");
	s.name = conf_str(s.conf, NULL, NULL, "name");
	s.join_code_file = conf_str(s.conf, NULL, NULL, "join_code_file");
	s.state_mib = (uint32_t) conf_int(s.conf, NULL, NULL, "state_mib");
	s.image_kib = (uint32_t) conf_int(s.conf, NULL, NULL, "image_cache_kib");
	read_radio(&s);
	r = check(&s, file, diag);
	if (r < 0) {
		conf_free(s.conf);
		return r;
	}
	if (gethostname(s.host_name, sizeof(s.host_name) - 1) < 0 || !s.host_name[0])
		snprintf(s.host_name, sizeof(s.host_name), "agent");
	*ret = s;
	ret->engine.hci = radio_address(ret);
	if (!ret->name[0])
		ret->name = ret->host_name;
	return 0;
}

void settings_done(struct settings *s)
{
	conf_free(s->conf);
	*s = (struct settings){0};
}

void settings_print(FILE *out)
{
	conf_print_schema(schema, out);
}
