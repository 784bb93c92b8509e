/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/shop/shop.h"
#include "common/err.h"
#include "common/log.h"
#include "controller/shop/csv_sheet.h"
#include "controller/shop/desired.h"
#include "controller/shop/label_escrow.h"
#include "controller/shop/picture_keep.h"
#include "controller/shop/product.h"
#include "controller/shop/shop_internal.h"
#include "controller/shop/wanted.h"
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

const struct http_route shop_routes[] = {
	{HTTP_PUBLIC, HTTP_GET, "/api/v1/products", PERM_VIEW, 0, product_api_list},
	{HTTP_PUBLIC, HTTP_POST, "/api/v1/products", PERM_PRODUCTS, 0, product_api_create},
	{HTTP_PUBLIC, HTTP_POST, "/api/v1/products/import", PERM_PRODUCTS, CSV_SHEET_MAX_BODY,
	 product_api_import},
	{HTTP_PUBLIC, HTTP_GET, "/api/v1/products/by-gtin/{}", PERM_VIEW, 0, product_api_by_gtin},
	{HTTP_PUBLIC, HTTP_GET, "/api/v1/products/{}", PERM_VIEW, 0, product_api_get},
	{HTTP_PUBLIC, HTTP_PATCH, "/api/v1/products/{}", PERM_PRODUCTS, 0, product_api_patch},
	{HTTP_PUBLIC, HTTP_GET, "/api/v1/price-changes", PERM_VIEW, 0, price_api_list},
	{HTTP_PUBLIC, HTTP_POST, "/api/v1/price-changes", PERM_PRICES, 0, price_api_create},
	{HTTP_PUBLIC, HTTP_POST, "/api/v1/price-changes/{}/undo", PERM_PRICES, 0, price_api_undo},
	{HTTP_PUBLIC, HTTP_GET, "/api/v1/labels", PERM_VIEW, 0, label_api_list},
	{HTTP_PUBLIC, HTTP_GET, "/api/v1/labels/links", PERM_VIEW, 0, label_api_links},
	{HTTP_PUBLIC, HTTP_POST, "/api/v1/labels/links/import", PERM_LABELS, CSV_SHEET_MAX_BODY,
	 label_api_links_import},
	{HTTP_PUBLIC, HTTP_POST, "/api/v1/labels/links/{}/undo", PERM_LABELS, 0,
	 label_api_links_undo},
	{HTTP_PUBLIC, HTTP_POST, "/api/v1/labels/pick", PERM_LABELS, 8192, label_api_pick},
	{HTTP_PUBLIC, HTTP_POST, "/api/v1/labels/pick/stop", PERM_LABELS, 8192,
	 label_api_pick_stop},
	{HTTP_PUBLIC, HTTP_GET, "/api/v1/labels/{}", PERM_VIEW, 0, label_api_get},
	{HTTP_PUBLIC, HTTP_POST, "/api/v1/labels/{}/flash", PERM_LABELS, 4096, label_api_flash},
	{HTTP_PUBLIC, HTTP_POST, "/api/v1/labels/{}/readings", PERM_LABELS, 4096, label_api_read},
	{HTTP_PUBLIC, HTTP_GET, "/api/v1/labels/{}/readings", PERM_VIEW, 0, label_api_readings},
	{HTTP_PUBLIC, HTTP_POST, "/api/v1/labels/{}/replace", PERM_LABELS, 0, label_api_replace},
	{HTTP_PUBLIC, HTTP_PUT, "/api/v1/labels/{}/link", PERM_LABELS, 0, label_api_link},
	{HTTP_PUBLIC, HTTP_DELETE, "/api/v1/labels/{}/link", PERM_LABELS, 0, label_api_unlink},
	{HTTP_PUBLIC, HTTP_GET, "/api/v1/labels/{}/image.png", PERM_VIEW, 0, label_api_image},
	{HTTP_PUBLIC, HTTP_GET, "/api/v1/labels/{}/history", PERM_VIEW, 0, label_api_history},
	{HTTP_PUBLIC, HTTP_POST, "/api/v1/templates/preview", PERM_VIEW, 0, label_api_preview},
	{HTTP_AGENTS, HTTP_GET, "/agent/v1/desired", PERM_AGENT, 0, desired_get},
	{HTTP_AGENTS, HTTP_GET, "/agent/v1/images/{}", PERM_AGENT, 0, desired_image_get},
	{HTTP_AGENTS, HTTP_POST, "/agent/v1/labels", PERM_AGENT, PROTO_MAX_BODY, label_report_post},
	{HTTP_AGENTS, HTTP_GET, "/agent/v1/escrow", PERM_AGENT, 0, label_bonds_get},
	{HTTP_AGENTS, HTTP_POST, "/agent/v1/escrow", PERM_AGENT, 512 * 1024, label_bonds_post},
	{.path = NULL},
};

static void on_desired_changed(void *user, int64_t agent_id)
{
	struct shop *s = user;

	desired_wake(s->desired, agent_id);
}

/* A new key would be made without a word, and the label keys sealed with the old one be lost. */
static void tell_if_escrow_is_lost(const struct app *app)
{
	_cleanup_free_ char *path = NULL;
	struct sql_stmt *q;

	if (asprintf(&path, "%s/escrow.key", app->config->state_dir) < 0 || access(path, F_OK) == 0)
		return;
	q = sql_prepare(db_reader(app->db), "SELECT (SELECT count(*) FROM label_keys)"
					    " + (SELECT count(*) FROM label_bonds)");
	if (sql_step(q) > 0 && sql_col_i64(q, 0) > 0)
		log_error("shop",
			  "keys=%lld msg=\"%s is missing: the label keys sealed with it cannot be"
			  " read. Stop, restore it from a backup, start again.\"",
			  (long long) sql_col_i64(q, 0), path);
	sql_reset(q);
}

int shop_new(struct app *app, struct shop **ret)
{
	struct shop *s = calloc(1, sizeof *s);
	int r;

	if (!s)
		return -ENOMEM;
	s->app = app;
	if (!currency_find(app->config->currency, &s->currency)) {
		free(s);
		return -ERR_CONFIG;
	}
	tell_if_escrow_is_lost(app);
	r = image_store_open(app->config->state_dir, &s->images);
	if (r < 0)
		log_write(LOG_ERR, "shop", r, "msg=\"%s/images cannot be opened\"",
			  app->config->state_dir);
	if (r == 0)
		r = label_escrow_open(app->config->state_dir, &s->escrow);
	if (r == 0)
		r = shop_work_new(app->loop, app->db, &s->work);
	if (r == 0)
		r = desired_new(s, &s->desired);
	if (r == 0)
		r = wanted_new(s, &s->wanted);
	if (r == 0)
		r = picture_keep_new(s, &s->keep);
	if (r < 0) {
		shop_free(s);
		return r;
	}
	app_on_desired_changed(app, on_desired_changed, s);
	*ret = s;
	return 0;
}

struct shop_work *shop_pool(struct shop *s)
{
	return s->work;
}

/* Jobs end in writes, and an import's write may ask for another job: both must have come to rest.
 */
static void come_to_rest(struct shop *s)
{
	picture_keep_stop(s->keep);
	wanted_stop(s->wanted);
	for (int i = 0; i < 8; i++) {
		shop_work_drain(s->work);
		db_drain(s->app->db);
	}
}

void shop_free(struct shop *s)
{
	if (!s)
		return;
	if (s->work)
		come_to_rest(s);
	app_on_desired_changed(s->app, NULL, NULL);
	desired_free(s->desired);
	shop_work_free(s->work);
	wanted_free(s->wanted);
	picture_keep_free(s->keep);
	label_escrow_free(s->escrow);
	image_store_close(s->images);
	free(s);
}

void shop_stats(const struct shop *s, struct shop_stats *ret)
{
	*ret = s->stats;
	ret->polls = desired_waiting(s->desired);
}

int shop_product_by_gtin(struct sql *s, uint64_t gtin, int64_t *ret_id, char *name, size_t name_len)
{
	struct sql_stmt *q;
	int r = product_find_gtin(s, gtin, ret_id);

	if (r < 0)
		return r;
	q = sql_prepare(s, "SELECT name FROM products WHERE id = ?");
	sql_bind_i64(q, 1, *ret_id);
	r = sql_step(q);
	if (r <= 0)
		return r < 0 ? r : -ENOENT;
	snprintf(name, name_len, "%s", sql_col_text(q, 0));
	sql_reset(q);
	return 0;
}

int shop_agent_revoked(struct sql *s, int64_t agent_id)
{
	struct sql_stmt *q = sql_prepare(s, "UPDATE labels SET agent_id = NULL WHERE agent_id = ?");

	sql_bind_i64(q, 1, agent_id);
	return sql_run(q);
}

void shop_agent_shut_out(struct shop *s, int64_t agent_id)
{
	if (s)
		desired_shut_out(s->desired, agent_id);
}

void shop_look_for_marks(struct shop *s)
{
	if (s)
		wanted_kick(s->wanted);
}

size_t shop_agents_online(const struct shop *s, int64_t *ret_ids, size_t max)
{
	return desired_online(s->desired, ret_ids, max);
}

int shop_copy_images(struct shop *s, int fd)
{
	return image_store_copy(s->images, fd);
}
