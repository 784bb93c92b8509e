/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * gondolad's configuration: the schema table of gondolad.conf and the checked values.
 */
#pragma once

#include "common/conf.h"

struct app_listen {
	const char *address; /**< numeric IPv4 or IPv6 address */
	uint16_t port;       /**< 0 = any free one */
	const char *names;   /**< comma list of further names of the server certificate */
};

/** Strings are borrowed from `conf`. */
struct app_config {
	struct conf *conf;
	const char *state_dir;
	const char *store_name;
	const char *store_zone; /**< IANA name */
	const char *currency;   /**< ISO 4217, three capitals */
	const char *web_root;   /**< "" = serve no page */
	const char *log_level;
	struct app_listen public_listen;
	struct app_listen agents_listen;
	bool labels_adopt_auto;
	int64_t labels_read_sensors_h; /**< 0 = only when somebody asks */
	int64_t inventory_checkpoint_s;
	int64_t inventory_max_items;
	int64_t books_grace_s;
	/** Days that evidence is kept, 0 = for ever; and where it is written before it goes, "" =
	 * nowhere. */
	int64_t keep_ledger_days, keep_audit_days, keep_links_days, keep_pictures_days;
	int64_t keep_books_days, keep_sales_days, keep_deliveries_days;
	const char *keep_export_dir;
};

extern const struct conf_row app_config_schema[];

/** Loads and checks. On failure `diag` has one line that names file, line and key. */
int app_config_load(const char *file, char *diag, size_t diag_len,
		    struct app_config **ret) _must_check_;
void app_config_free(struct app_config *c);
DEFINE_CLEANUP(struct app_config *, app_config_free)
