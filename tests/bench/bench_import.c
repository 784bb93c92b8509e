/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Importing a catalogue of 20,000 products through the real route, with prices changing meanwhile:
 * how long it takes, and how long another change waits for its commit. Then search over 100,000
 * products. Uses ../shared/data where it is, or else 20,000 made-up products of the same size.
 */
#include "common/gtin.h"
#include "controller/app_config.h"
#include "controller/db/db.h"
#include "controller/http/http.h"
#include "controller/shop/shop.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *const as_csv[] = {"Content-Type", "text/csv", NULL};
static const char *const as_json[] = {"Content-Type", "application/json", NULL};

struct bench {
	struct loop *loop;
	struct app app;
	struct app_config config;
	unsigned int pending;
	unsigned int failed;
	bool importing;
	int64_t longest_us;
	char dir[40];
};

struct call {
	struct bench *b;
	int64_t start_us;
	bool price;
};

static void answered(void *user, unsigned int status, const char *body, size_t len)
{
	struct call *c = user;
	int64_t took = clock_mono_us(c->b->app.clock) - c->start_us;

	c->b->pending--;
	if (status >= 300) {
		c->b->failed++;
		printf("# status %u: %.*s\n", status, (int) (len < 200 ? len : 200), body);
	}
	if (!c->price)
		c->b->importing = false;
	if (c->price && took > c->b->longest_us)
		c->b->longest_us = took;
	free(c);
}

static void call(struct bench *b, const char *method, const char *uri, const char *const *headers,
		 const void *body, size_t len, bool price)
{
	struct call *c = calloc(1, sizeof *c);
	struct http_who who = {.user_id = 1, .user = "bench", .perms = PERM_ALL | PERM_SIGNED_IN};
	struct http_injection in = {.listener = HTTP_PUBLIC,
				    .method = method,
				    .uri = uri,
				    .headers = headers,
				    .body = body,
				    .body_len = len,
				    .who = &who,
				    .done = answered,
				    .user = c};

	*c = (struct call){.b = b, .start_us = clock_mono_us(b->app.clock), .price = price};
	b->pending++;
	if (http_inject(b->app.http, &in) < 0)
		b->failed++;
}

static void wait_for(struct bench *b, unsigned int pending)
{
	while (b->pending > pending)
		loop_run_once(b->loop, 10);
}

/* Rows of the catalogue with the GTIN moved by `shift` and a price. */
static void make_file(struct buf *out, const char *source, int shift, bool priced)
{
	const char *p = source ? strchr(source, '\n') + 1 : NULL;

	buf_put_str(out, priced ? "gtin,price,name\n" : "gtin,name\n");
	for (int i = 0; i < 20000; i++) {
		uint64_t body = UINT64_C(200000000000) + (uint64_t) shift * 100000 + (uint64_t) i;
		char gtin[GTIN_STR_MAX];

		gtin_format(body * 10 + gtin_check_digit(body), gtin);
		if (priced)
			buf_printf(out, "%s,%d.%02d,", gtin, i % 90 + 1, i % 100);
		else
			buf_printf(out, "%s,", gtin);
		if (p && *p) {
			const char *name = strchr(p, ',') + 1, *end = strchr(name, '\n');

			buf_put(out, name, (size_t) (end - name) + 1);
			p = end + 1;
		} else {
			buf_printf(out, "Chocolat noir dégustation no. %d\n", i);
		}
	}
}

static char *load_catalogue(void)
{
	const char *dir = getenv("GONDOLA_DATA");
	char path[512], *text = NULL;
	FILE *f;

	snprintf(path, sizeof path, "%s/catalogue/products-20k.csv", dir ? dir : "");
	f = fopen(path, "rb");
	printf("# names from %s\n", f ? path : "a made-up list");
	if (!f)
		return NULL;
	text = calloc(1, 2 << 20);
	if (text && fread(text, 1, (2 << 20) - 1, f) == 0)
		*text = 0;
	fclose(f);
	return text;
}

static void import(struct bench *b, const char *name, const struct buf *file, bool with_prices)
{
	int64_t start = clock_mono_us(b->app.clock), took = 0;
	int n = 0;

	b->longest_us = 0;
	b->importing = true;
	call(b, "POST", "/api/v1/products/import", as_csv, file->data, file->len, false);
	while (b->pending > 0) {
		if (with_prices && b->importing && b->pending == 1) {
			char body[64];

			snprintf(body, sizeof body, "{\"product_id\":1,\"price_minor\":%d}",
				 100 + n++);
			call(b, "POST", "/api/v1/price-changes", as_json, body, strlen(body), true);
		}
		loop_run_once(b->loop, 1);
		if (!b->importing && took == 0)
			took = clock_mono_us(b->app.clock) - start;
	}
	printf("bench %s %.3f s\n", name, (double) took / 1e6);
	printf("bench %s_rows %.0f rows/s\n", name, 20000 / ((double) took / 1e6));
	if (with_prices)
		printf("bench %s_price_wait_max %.1f ms\n# %d price changes meanwhile\n", name,
		       (double) b->longest_us / 1e3, n);
}

static void search(struct bench *b, const char *name, const char *query)
{
	int64_t start = clock_mono_us(b->app.clock);
	char uri[120];

	snprintf(uri, sizeof uri, "/api/v1/products?q=%s", query);
	for (int i = 0; i < 20; i++) {
		call(b, "GET", uri, as_json, NULL, 0, false);
		wait_for(b, 0);
	}
	printf("bench %s %.2f ms\n", name,
	       (double) (clock_mono_us(b->app.clock) - start) / 20 / 1e3);
}

static int start(struct bench *b)
{
	strcpy(b->dir, "/tmp/gondola-bench-XXXXXX");
	if (!mkdtemp(b->dir) || loop_new(&b->loop) < 0)
		return -1;
	b->config = (struct app_config){.state_dir = b->dir, .currency = "EUR"};
	b->app = (struct app){.loop = b->loop, .clock = loop_clock(b->loop), .config = &b->config};
	if (db_open(b->loop, b->dir, &b->app.db) < 0 ||
	    http_server_new(&b->app, &b->app.http) < 0 || shop_new(&b->app, &b->app.shop) < 0)
		return -1;
	http_add_routes(b->app.http, shop_routes);
	return 0;
}

static void stop(struct bench *b)
{
	static const char *const files[] = {"gondola.db", "gondola.db-wal",  "gondola.db-shm",
					    "escrow.key", "images/data.mdb", "images/lock.mdb"};
	char path[80];

	http_server_stop(b->app.http);
	shop_free(b->app.shop);
	http_server_free(b->app.http);
	db_close(b->app.db);
	loop_free(b->loop);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		snprintf(path, sizeof path, "%s/%s", b->dir, files[i]);
		unlink(path);
	}
	snprintf(path, sizeof path, "%s/images", b->dir);
	rmdir(path);
	rmdir(b->dir);
}

int main(void)
{
	_cleanup_free_ char *source = load_catalogue();
	struct bench b = {.pending = 0};
	struct buf file[5] = {BUF_INIT};

	if (start(&b) < 0)
		return 1;
	for (int i = 0; i < 5; i++)
		make_file(&file[i], source, i, i == 1);
	import(&b, "import_20k_new", &file[0], false);
	import(&b, "import_20k_priced_busy", &file[1], true);
	import(&b, "import_20k_unchanged", &file[0], false);
	import(&b, "import_20k_into_40k", &file[2], false);
	import(&b, "import_20k_into_60k", &file[3], false);
	import(&b, "import_20k_into_80k", &file[4], false);
	printf("# search among 100,000 products, whole request\n");
	search(&b, "search_common_word", "chocolat");
	search(&b, "search_two_words", "chocolat%20noir");
	search(&b, "search_no_hit", "zzzzzz");
	search(&b, "search_gtin_prefix", "2000004");
	for (int i = 0; i < 5; i++)
		buf_done(&file[i]);
	stop(&b);
	return b.failed > 0;
}
