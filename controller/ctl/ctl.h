/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * gondolactl: a person's command line over the public API, and nothing but the public API; only the
 * verbs that work on recordings (verbs_model.c) need no controller.
 *
 *   main.c      options, the verb table, help
 *   client.c    HTTPS with the store's own authority pinned (the only file that opens libcurl)
 *   login.c     password and the stored session
 *   print.c     tables, problems in words
 *   verbs_*.c   one function a verb
 *
 * Exit status: 0 done, 1 refused or failed, 2 wrong usage, 3 the controller cannot be reached.
 */
#pragma once

#include "common/buf.h"
#include <jansson.h>
#include <stdbool.h>

enum ctl_exit {
	CTL_OK = 0,
	CTL_REFUSED = 1,
	CTL_USAGE = 2,
	CTL_UNREACHABLE = 3
};

struct ctl {
	const char *url;
	const char *ca;            /**< file with the store's authority; NULL = the system's */
	const char *user;          /**< NULL = the stored session */
	const char *password_file; /**< NULL = environment, then prompt */
	const char *token;         /**< of a machine, instead of a session; NULL = none */
	bool json;                 /**< print what the API answered */
	char cookie[256];          /**< "name=value" of the session, empty if none */
};

/** One answer of the API. */
struct ctl_reply {
	long status;
	json_t *body;     /**< owned; NULL unless JSON */
	struct buf raw;   /**< the body as it came */
	char cookie[256]; /**< a session cookie that came with it */
};

void ctl_reply_done(struct ctl_reply *r);

/* --- client.c --- */
struct ctl_request {
	const char *method;
	const char *path;         /**< below the URL, already escaped */
	const char *content_type; /**< NULL = JSON */
	const char *if_match;     /**< the etag that is to be replaced; NULL = none is named */
	const void *body;         /**< NULL = none */
	size_t body_len;
	/** Gets the body in pieces as it arrives instead of collecting it; may be NULL. Returns
	 * false to end the request. */
	bool (*piece)(void *user, const char *data, size_t len);
	void *user;
};
/** Sends a request. A negative code means that no answer came; it has been explained on stderr. */
int ctl_send(const struct ctl *c, const struct ctl_request *rq, struct ctl_reply *ret);
/** Appends text with everything percent-escaped that a path segment or query value must not hold.
 */
void ctl_escape(struct buf *out, const char *text);

/* --- login.c --- */
/** Makes sure there is a session: the stored one, or a new one from --user and a password. */
int ctl_ensure_session(struct ctl *c);
int ctl_login(struct ctl *c, int argc, char **argv);
int ctl_logout(struct ctl *c, int argc, char **argv);

/* --- print.c --- */
/** Says on stderr what the controller refused and why, import errors line by line. */
void ctl_print_problem(const struct ctl_reply *r);
void ctl_print_json(const json_t *j);
/** A column: heading and JSON path ("product.name"); shown right-aligned if numeric. */
struct ctl_column {
	const char *heading;
	const char *path;
	bool right;
};
/** Prints an array of objects as a table; `n` columns. */
void ctl_print_table(const json_t *items, const struct ctl_column *columns, size_t n);
/** Text of a value at a dotted path: "-" for null or absent. Returns buf. */
const char *ctl_text_at(const json_t *object, const char *path, char *buf, size_t cap);
/** "12.34 EUR" from minor units; "-" if there is no price. Returns buf. */
const char *ctl_money(const json_t *minor, const json_t *currency, char *buf, size_t cap);

/* --- helpers for verbs --- */
/** One call with a session; prints problem or JSON as asked. On CTL_OK *ret_body is owned by the
 * caller (NULL if --json printed it already, or if there is none). */
int ctl_call(struct ctl *c, const char *method, const char *path, json_t *take_body,
	     json_t **ret_body);
/** Reads a file, "-" being standard input; says on stderr what went wrong. */
int ctl_read_file(const char *name, struct buf *ret);
/** POSTs a file as it is, with a session; otherwise as ctl_call(). */
int ctl_upload(struct ctl *c, const char *path, const char *content_type, const char *file,
	       json_t **ret_body);
/** Posts a CSV file to an import; as ctl_call() otherwise. */
int ctl_import(struct ctl *c, const char *path, const char *file, bool dry, json_t **ret_body);
/** Collects all pages of a list into one array. */
int ctl_list(struct ctl *c, const char *path, json_t **ret_items);
/** Prints all pages of a list, as a table or as asked. */
int ctl_show_list(struct ctl *c, const char *path, const struct ctl_column *columns, size_t n);
/** The id of the object in a list whose `key` is `value`; explains itself when there is none. */
int ctl_find_id(struct ctl *c, const char *path, const char *key, const char *value,
		const char *what, json_int_t *ret_id);
/** The id of the product with that GTIN; explains itself when there is none. */
int ctl_product_id(struct ctl *c, const char *gtin, json_int_t *ret);
/** A whole number and nothing after it; false if it is none. */
bool ctl_number(const char *text, json_int_t *ret);
/** "90", "30m", "1h", "7d" in seconds; -1 if it is none of these. */
long ctl_parse_ttl(const char *text);
/** Says what is wrong and how the verb is used. */
int ctl_usage_error(const char *fmt, ...) _printf_(1, 2);
/** Takes a flag out of the arguments, wherever it stands. */
bool ctl_take_flag(int *argc, char **argv, const char *flag);
/** Takes an option and its value out of the arguments. */
bool ctl_take_value(int *argc, char **argv, const char *option, const char **ret);

typedef int (*ctl_verb_fn)(struct ctl *c, int argc, char **argv);

struct ctl_verb {
	const char *words; /**< "products import" */
	const char *args;
	const char *help;
	ctl_verb_fn run;
};
extern const struct ctl_verb ctl_verbs[];

/* --- verbs_*.c: argv holds what follows the verb's words --- */
int ctl_status(struct ctl *c, int argc, char **argv);
int ctl_events(struct ctl *c, int argc, char **argv);
int ctl_products_list(struct ctl *c, int argc, char **argv);
int ctl_products_show(struct ctl *c, int argc, char **argv);
int ctl_products_import(struct ctl *c, int argc, char **argv);
int ctl_price_set(struct ctl *c, int argc, char **argv);
int ctl_price_history(struct ctl *c, int argc, char **argv);
int ctl_price_undo(struct ctl *c, int argc, char **argv);
int ctl_promotions_list(struct ctl *c, int argc, char **argv);
int ctl_promotions_show(struct ctl *c, int argc, char **argv);
int ctl_promotions_add(struct ctl *c, int argc, char **argv);
int ctl_promotions_preview(struct ctl *c, int argc, char **argv);
int ctl_promotions_change(struct ctl *c, int argc, char **argv);
int ctl_promotions_cancel(struct ctl *c, int argc, char **argv);
int ctl_promotions_labels(struct ctl *c, int argc, char **argv);
int ctl_labels_list(struct ctl *c, int argc, char **argv);
int ctl_labels_show(struct ctl *c, int argc, char **argv);
int ctl_labels_link(struct ctl *c, int argc, char **argv);
int ctl_labels_unlink(struct ctl *c, int argc, char **argv);
int ctl_labels_import_links(struct ctl *c, int argc, char **argv);
int ctl_labels_links(struct ctl *c, int argc, char **argv);
int ctl_labels_undo(struct ctl *c, int argc, char **argv);
int ctl_labels_flash(struct ctl *c, int argc, char **argv);
int ctl_labels_pick(struct ctl *c, int argc, char **argv);
int ctl_labels_sensors(struct ctl *c, int argc, char **argv);
int ctl_labels_read(struct ctl *c, int argc, char **argv);
int ctl_labels_readings(struct ctl *c, int argc, char **argv);
int ctl_labels_rotate_keys(struct ctl *c, int argc, char **argv);
int ctl_labels_replace(struct ctl *c, int argc, char **argv);
int ctl_labels_image(struct ctl *c, int argc, char **argv);
int ctl_rollouts_list(struct ctl *c, int argc, char **argv);
int ctl_rollouts_show(struct ctl *c, int argc, char **argv);
int ctl_rollouts_start(struct ctl *c, int argc, char **argv);
int ctl_rollouts_preview(struct ctl *c, int argc, char **argv);
int ctl_rollouts_pause(struct ctl *c, int argc, char **argv);
int ctl_rollouts_resume(struct ctl *c, int argc, char **argv);
int ctl_rollouts_cancel(struct ctl *c, int argc, char **argv);
int ctl_rollouts_rollback(struct ctl *c, int argc, char **argv);
int ctl_rollouts_labels(struct ctl *c, int argc, char **argv);
int ctl_stock(struct ctl *c, int argc, char **argv);
int ctl_items(struct ctl *c, int argc, char **argv);
int ctl_items_list(struct ctl *c, int argc, char **argv);
int ctl_books_import(struct ctl *c, int argc, char **argv);
int ctl_books_list(struct ctl *c, int argc, char **argv);
int ctl_books_set(struct ctl *c, int argc, char **argv);
int ctl_sales_add(struct ctl *c, int argc, char **argv);
int ctl_sales_import(struct ctl *c, int argc, char **argv);
int ctl_sales_list(struct ctl *c, int argc, char **argv);
int ctl_deliveries_add(struct ctl *c, int argc, char **argv);
int ctl_deliveries_list(struct ctl *c, int argc, char **argv);
int ctl_deliveries_show(struct ctl *c, int argc, char **argv);
int ctl_deliveries_receive(struct ctl *c, int argc, char **argv);
int ctl_differences(struct ctl *c, int argc, char **argv);
int ctl_differences_strangers(struct ctl *c, int argc, char **argv);
int ctl_settle(struct ctl *c, int argc, char **argv);
int ctl_places_list(struct ctl *c, int argc, char **argv);
int ctl_places_set(struct ctl *c, int argc, char **argv);
int ctl_places_remove(struct ctl *c, int argc, char **argv);
int ctl_plan_show(struct ctl *c, int argc, char **argv);
int ctl_plan_set(struct ctl *c, int argc, char **argv);
int ctl_places_fit(struct ctl *c, int argc, char **argv);
int ctl_places_score(struct ctl *c, int argc, char **argv);
int ctl_doors_score(struct ctl *c, int argc, char **argv);
int ctl_places_model(struct ctl *c, int argc, char **argv);
int ctl_walk_start(struct ctl *c, int argc, char **argv);
int ctl_walk_stop(struct ctl *c, int argc, char **argv);
int ctl_walk_show(struct ctl *c, int argc, char **argv);
int ctl_walk_list(struct ctl *c, int argc, char **argv);
int ctl_walk_delete(struct ctl *c, int argc, char **argv);
int ctl_walk_export(struct ctl *c, int argc, char **argv);
int ctl_doors_list(struct ctl *c, int argc, char **argv);
int ctl_doors_set(struct ctl *c, int argc, char **argv);
int ctl_doors_remove(struct ctl *c, int argc, char **argv);
int ctl_passages(struct ctl *c, int argc, char **argv);
int ctl_antennas_list(struct ctl *c, int argc, char **argv);
int ctl_antennas_set(struct ctl *c, int argc, char **argv);
int ctl_readers_set(struct ctl *c, int argc, char **argv);
int ctl_readers_remove(struct ctl *c, int argc, char **argv);
int ctl_join_code(struct ctl *c, int argc, char **argv);
int ctl_agents_list(struct ctl *c, int argc, char **argv);
int ctl_agents_show(struct ctl *c, int argc, char **argv);
int ctl_radio(struct ctl *c, int argc, char **argv);
int ctl_agents_replace(struct ctl *c, int argc, char **argv);
int ctl_agents_revoke(struct ctl *c, int argc, char **argv);
int ctl_tokens_list(struct ctl *c, int argc, char **argv);
int ctl_tokens_add(struct ctl *c, int argc, char **argv);
int ctl_tokens_revoke(struct ctl *c, int argc, char **argv);
int ctl_sessions_list(struct ctl *c, int argc, char **argv);
int ctl_sessions_end(struct ctl *c, int argc, char **argv);
int ctl_diagnostics(struct ctl *c, int argc, char **argv);
int ctl_backup(struct ctl *c, int argc, char **argv);
int ctl_incidents_list(struct ctl *c, int argc, char **argv);
int ctl_incidents_show(struct ctl *c, int argc, char **argv);
int ctl_incidents_acknowledge(struct ctl *c, int argc, char **argv);
int ctl_tags_read(struct ctl *c, int argc, char **argv);
int ctl_tags_write(struct ctl *c, int argc, char **argv);
int ctl_tags_lock(struct ctl *c, int argc, char **argv);
int ctl_tags_list(struct ctl *c, int argc, char **argv);
int ctl_users_list(struct ctl *c, int argc, char **argv);
int ctl_users_add(struct ctl *c, int argc, char **argv);
int ctl_users_set_role(struct ctl *c, int argc, char **argv);

/** A password for a new user: the file given, the environment GONDOLA_NEW_PASSWORD, or the prompt.
 */
int ctl_read_password(const char *file, const char *env, const char *prompt, char *buf, size_t cap);
