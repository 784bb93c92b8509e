/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/app_config.h"
#include "common/err.h"
#include "common/log.h"
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#define ZONE_DIR        "/usr/share/zoneinfo/"
#define KEEP_LEAST_DAYS 90

const struct conf_row app_config_schema[] = {
	{NULL, "state_dir", CONF_STR, "/var/lib/gondola", 0, 1024,
	 "Directory of the database, the certificate authority and the item journal."},
	{NULL, "store_name", CONF_STR, "Store", 0, 100, "What people call this store."},
	{NULL, "store_zone", CONF_STR, "UTC", 0, 64, "IANA time zone of the store."},
	{NULL, "currency", CONF_STR, "EUR", 0, 3, "ISO 4217 code of the store's prices."},
	{NULL, "web_root", CONF_STR, "", 0, 1024,
	 "Directory of the web page's files; empty serves no page."},
	{NULL, "log_level", CONF_STR, "info", 0, 16, "error, warning, notice, info or debug."},
	{"public", "address", CONF_STR, "127.0.0.1", 0, 64,
	 "Address for browsers and other machines."},
	{"public", "port", CONF_INT, "8443", 0, 65535, "Its port; 0 takes any free one."},
	{"public", "names", CONF_STR, "", 0, 1024,
	 "Comma-separated further names or addresses in the server's certificate."},
	{"agents", "address", CONF_STR, "127.0.0.1", 0, 64, "Address for agents."},
	{"agents", "port", CONF_INT, "8444", 0, 65535, "Its port; 0 takes any free one."},
	{"agents", "names", CONF_STR, "", 0, 1024,
	 "Comma-separated further names or addresses in the server's certificate."},
	{"labels", "adopt", CONF_STR, "manual", 0, 16,
	 "auto takes in every label that an agent hears; manual waits for a person."},
	{"labels", "read_sensors_h", CONF_INT, "24", 0, 720,
	 "Hours after which every label's sensors are read again; 0 reads them only when somebody "
	 "asks."},
	{"inventory", "checkpoint_s", CONF_INT, "60", 1, 3600,
	 "Seconds between checkpoints of the item state."},
	{"inventory", "max_items", CONF_INT, "1000000", 1000, 50000000,
	 "Tagged items the store is planned for."},
	{"books", "grace_s", CONF_INT, "1800", 0, 86400,
	 "Seconds after which an item that is gone and not sold counts as missing."},
	{"keep", "ledger_days", CONF_INT, "3653", 0, 36525,
	 "Days that is kept what labels showed; 0 = for ever. What proves the picture of now "
	 "stays."},
	{"keep", "audit_days", CONF_INT, "3653", 0, 36525,
	 "Days that is kept who did what; 0 = for ever."},
	{"keep", "books_days", CONF_INT, "3653", 0, 36525,
	 "Days that older figures of the book stock are kept; 0 = for ever."},
	{"keep", "links_days", CONF_INT, "3653", 0, 36525,
	 "Days that is kept which label showed which product; 0 = for ever. The present link of a "
	 "label stays."},
	{"keep", "sales_days", CONF_INT, "3653", 0, 36525,
	 "Days that sales are kept, and at least until there is a newer figure of the book stock; "
	 "0 = for ever."},
	{"keep", "deliveries_days", CONF_INT, "3653", 0, 36525,
	 "Days that deliveries are kept after they were closed, and at least until there is a "
	 "newer "
	 "figure of the book stock; 0 = for ever."},
	{"keep", "pictures_days", CONF_INT, "400", 0, 36525,
	 "Days that a picture is kept after a label last showed it; 0 = for ever."},
	{"keep", "export_dir", CONF_STR, "", 0, 1024,
	 "Directory for what is no longer kept, a file for each table and year; empty = none."},
	{NULL, NULL, CONF_STR, NULL, 0, 0, NULL},
};

static bool is_currency(const char *text)
{
	return strlen(text) == 3 && strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == 3;
}

static bool is_zone(const char *text)
{
	char path[sizeof(ZONE_DIR) + 64] = ZONE_DIR;

	if (!*text || *text == '/' || strstr(text, "..") || strlen(text) > 63)
		return false;
	if (access(ZONE_DIR, R_OK) < 0)
		return true; /* no zone table on this machine to check against */
	strncat(path, text, sizeof(path) - strlen(path) - 1);
	return access(path, R_OK) == 0;
}

static bool is_address(const char *text)
{
	struct in6_addr addr;

	return inet_pton(AF_INET, text, &addr) == 1 || inet_pton(AF_INET6, text, &addr) == 1;
}

/* Promotions and rollouts are judged by what was shown in the weeks before. */
static const char *keep_fault(const struct app_config *c, const char **ret_key)
{
	const struct {
		const char *key;
		int64_t days;
	} keep[] = {{"keep.ledger_days", c->keep_ledger_days},
		    {"keep.audit_days", c->keep_audit_days},
		    {"keep.books_days", c->keep_books_days},
		    {"keep.links_days", c->keep_links_days},
		    {"keep.sales_days", c->keep_sales_days},
		    {"keep.deliveries_days", c->keep_deliveries_days},
		    {"keep.pictures_days", c->keep_pictures_days}};

	for (size_t i = 0; i < ARRAY_SIZE(keep); i++) {
		*ret_key = keep[i].key;
		if (keep[i].days > 0 && keep[i].days < KEEP_LEAST_DAYS)
			return "must be 0 (for ever), or 90 or more";
	}
	*ret_key = "keep.export_dir";
	if (*c->keep_export_dir &&
	    (*c->keep_export_dir != '/' || access(c->keep_export_dir, W_OK | X_OK) < 0))
		return "must be the absolute path of a directory that gondolad may write to";
	return NULL;
}

/* What a type and a range cannot say. Yields the key and the complaint, or NULL. */
static const char *first_fault(const struct app_config *c, const char **ret_key)
{
	const char *adopt = conf_str(c->conf, "labels", NULL, "adopt");
	enum log_level level;

	*ret_key = "state_dir";
	if (!*c->state_dir)
		return "must not be empty";
	*ret_key = "store_name";
	if (!*c->store_name)
		return "must not be empty";
	*ret_key = "store_zone";
	if (!is_zone(c->store_zone))
		return "is not a known IANA time zone, for example \"Europe/Berlin\"";
	*ret_key = "currency";
	if (!is_currency(c->currency))
		return "must be three capital letters (ISO 4217), for example \"EUR\"";
	*ret_key = "log_level";
	if (log_level_parse(c->log_level, &level) < 0)
		return "must be error, warning, notice, info or debug";
	*ret_key = "public.address";
	if (!is_address(c->public_listen.address))
		return "must be a numeric IPv4 or IPv6 address";
	*ret_key = "agents.address";
	if (!is_address(c->agents_listen.address))
		return "must be a numeric IPv4 or IPv6 address";
	*ret_key = "labels.adopt";
	if (strcmp(adopt, "auto") && strcmp(adopt, "manual"))
		return "must be auto or manual";
	return keep_fault(c, ret_key);
}

static void read_listen(const struct conf *conf, const char *section, struct app_listen *to)
{
	to->address = conf_str(conf, section, NULL, "address");
	to->port = (uint16_t) conf_int(conf, section, NULL, "port");
	to->names = conf_str(conf, section, NULL, "names");
}

int app_config_load(const char *file, char *diag, size_t diag_len, struct app_config **ret)
{
	_cleanup_(app_config_freep) struct app_config *c = calloc(1, sizeof(*c));
	const char *key, *fault;
	int r;

	if (!c)
		return -ENOMEM;
	r = conf_load(file, app_config_schema, diag, diag_len, &c->conf);
	if (r < 0)
		return r;
	c->state_dir = conf_str(c->conf, NULL, NULL, "state_dir");
	c->store_name = conf_str(c->conf, NULL, NULL, "store_name");
	c->store_zone = conf_str(c->conf, NULL, NULL, "store_zone");
	c->currency = conf_str(c->conf, NULL, NULL, "currency");
	c->web_root = conf_str(c->conf, NULL, NULL, "web_root");
	c->log_level = conf_str(c->conf, NULL, NULL, "log_level");
	read_listen(c->conf, "public", &c->public_listen);
	read_listen(c->conf, "agents", &c->agents_listen);
	c->labels_adopt_auto = !strcmp(conf_str(c->conf, "labels", NULL, "adopt"), "auto");
	c->labels_read_sensors_h = conf_int(c->conf, "labels", NULL, "read_sensors_h");
	c->inventory_checkpoint_s = conf_int(c->conf, "inventory", NULL, "checkpoint_s");
	c->inventory_max_items = conf_int(c->conf, "inventory", NULL, "max_items");
	c->books_grace_s = conf_int(c->conf, "books", NULL, "grace_s");
	c->keep_ledger_days = conf_int(c->conf, "keep", NULL, "ledger_days");
	c->keep_audit_days = conf_int(c->conf, "keep", NULL, "audit_days");
	c->keep_books_days = conf_int(c->conf, "keep", NULL, "books_days");
	c->keep_links_days = conf_int(c->conf, "keep", NULL, "links_days");
	c->keep_sales_days = conf_int(c->conf, "keep", NULL, "sales_days");
	c->keep_deliveries_days = conf_int(c->conf, "keep", NULL, "deliveries_days");
	c->keep_pictures_days = conf_int(c->conf, "keep", NULL, "pictures_days");
	c->keep_export_dir = conf_str(c->conf, "keep", NULL, "export_dir");
	fault = first_fault(c, &key);
	if (fault) {
		snprintf(diag, diag_len, "%s: %s: %s", file, key, fault);
		return -ERR_CONFIG;
	}
	*ret = TAKE_PTR(c);
	return 0;
}

void app_config_free(struct app_config *c)
{
	if (!c)
		return;
	if (c->conf)
		conf_free(c->conf);
	free(c);
}
