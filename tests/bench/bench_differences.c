/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A store of 20,000 products and 50,000 items, 2,000 of them gone, 30,000 sale lines: how long a
 * file of 20,000 book figures takes, and the first page of the differences when everything has to
 * be reconciled anew for it and when it is still fresh, and one product.
 */
#include "common/epc.h"
#include "common/gtin.h"
#include "common/proto.h"
#include "controller/app_config.h"
#include "controller/books/books.h"
#include "controller/db/db.h"
#include "controller/http/http.h"
#include "controller/inventory/inventory.h"
#include "controller/shop/shop.h"
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define PRODUCTS 20000
#define ITEMS    50000
#define GONE     2000
#define SALES    10000
#define BATCH    1000
#define ROUNDS   15

static const char *const as_csv[] = {"Content-Type", "text/csv", NULL};
static const char *const as_json[] = {"Content-Type", "application/json", NULL};
static const char *const as_cbor[] = {"Content-Type", PROTO_CONTENT_TYPE, NULL};

static struct store {
	char dir[64];
	struct app_config config;
	struct app app;
	unsigned int status;
	bool answered;
} st;

static void answered(void *user _unused_, unsigned int status, const char *body, size_t len)
{
	st.status = status;
	st.answered = true;
	if (status >= 300)
		printf("# status %u: %.*s\n", status, (int) MIN(len, (size_t) 200), body);
}

/* Sends and waits; yields milliseconds. */
static double call(const char *method, const char *uri, const char *const *headers,
		   const void *body, size_t len)
{
	bool agent = headers == as_cbor;
	struct http_who who = {.user_id = agent ? 0 : 1,
			       .user = agent ? "" : "bench",
			       .perms = agent ? PERM_AGENT : PERM_ALL | PERM_SIGNED_IN,
			       .agent_id = agent};
	struct http_injection in = {.listener = agent ? HTTP_AGENTS : HTTP_PUBLIC,
				    .method = method,
				    .uri = uri,
				    .headers = headers,
				    .body = body,
				    .body_len = len,
				    .who = &who,
				    .done = answered};
	int64_t start = clock_mono_us(st.app.clock);

	st.answered = false;
	if (http_inject(st.app.http, &in) < 0)
		exit(1);
	while (!st.answered)
		loop_run_once(st.app.loop, 10);
	if (st.status >= 300)
		exit(1);
	return (double) (clock_mono_us(st.app.clock) - start) / 1e3;
}

static uint64_t gtin_at(int i)
{
	uint64_t body = UINT64_C(400000000000) + (uint64_t) i;

	return body * 10 + gtin_check_digit(body);
}

static void import_file(const char *uri, const char *head, const char *tail, const char *bench)
{
	struct buf b = BUF_INIT;
	char gtin[GTIN_STR_MAX];
	double ms;

	buf_put_str(&b, head);
	for (int i = 0; i < PRODUCTS; i++)
		buf_printf(&b, "%s,%s%d\n", gtin_format(gtin_at(i), gtin), tail,
			   *tail                  ? i
			   : i < ITEMS % PRODUCTS ? 3
						  : 2);
	ms = call("POST", uri, as_csv, b.data, b.len);
	if (bench)
		printf("bench %s %.0f ms\n", bench, ms);
	buf_done(&b);
}

static void see(uint64_t *seq, int from, int n, enum sighting_kind kind)
{
	static struct proto_sighting s[BATCH];
	struct proto_source source = {"r", 1};
	struct proto_sightings m = {.journal_id = {1},
				    .first_seq = *seq,
				    .n_sources = 1,
				    .sources = &source,
				    .n = (size_t) n,
				    .sightings = s};
	int64_t now_us = clock_real_us(st.app.clock);
	struct buf b = BUF_INIT;

	for (int i = 0; i < n; i++) {
		struct sgtin id = {.gtin = gtin_at((from + i) % PRODUCTS),
				   .serial = (uint64_t) ((from + i) / PRODUCTS + 1),
				   .prefix_digits = 7};

		s[i] = (struct proto_sighting){.kind = (uint8_t) kind,
					       .first_us = now_us,
					       .last_us = now_us,
					       .count = 3,
					       .rssi_cdbm = -5500,
					       .peak_cdbm = -5400};
		if (sgtin96_encode(&id, &s[i].epc) < 0)
			exit(1);
	}
	*seq += (uint64_t) n;
	if (proto_sightings_encode(&m, &b) < 0)
		exit(1);
	call("POST", "/agent/v1/sightings", as_cbor, b.data, b.len);
	buf_done(&b);
}

static void sell(void)
{
	for (int k = 0; k < SALES; k += BATCH) {
		struct buf b = BUF_INIT;
		char at[CLOCK_RFC3339_MAX], gtin[GTIN_STR_MAX];

		clock_rfc3339(clock_real_us(st.app.clock), at);
		buf_put_str(&b, "{\"sales\":[");
		for (int i = k; i < k + BATCH; i++) {
			buf_printf(&b, "%s{\"id\":\"%d\",\"at\":\"%s\",\"lines\":[",
				   i == k ? "" : ",", i, at);
			for (int l = 0; l < 3; l++)
				buf_printf(&b, "%s{\"gtin\":\"%s\",\"quantity\":%d}", l ? "," : "",
					   gtin_format(gtin_at((i * 7 + l * 13) % PRODUCTS), gtin),
					   l == 2 ? -1 : 1);
			buf_put_str(&b, "]}");
		}
		buf_put_str(&b, "]}");
		call("POST", "/api/v1/sales", as_json, b.data, b.len);
		buf_done(&b);
	}
}

/* Of all threads, in milliseconds: what other work on the machine does not change. */
static double cpu_ms(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (double) (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e3 +
	       (double) (u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e3;
}

static int by_size(const void *a, const void *b)
{
	return (*(const double *) a > *(const double *) b) -
	       (*(const double *) a < *(const double *) b);
}

static void measure(void)
{
	static const char figure[] = "{\"quantity\":2}";
	double anew[ROUNDS], fresh[ROUNDS], one[ROUNDS], cpu = 0, before;

	for (int i = 0; i < ROUNDS; i++) {
		call("PUT", "/api/v1/books/stock/7", as_json, figure, sizeof figure - 1);
		before = cpu_ms();
		anew[i] = call("GET", "/api/v1/differences", as_json, NULL, 0);
		cpu += cpu_ms() - before;
		fresh[i] = call("GET", "/api/v1/differences?reason=matching", as_json, NULL, 0);
		one[i] = call("GET", "/api/v1/differences/7", as_json, NULL, 0);
	}
	qsort(anew, ROUNDS, sizeof *anew, by_size);
	qsort(fresh, ROUNDS, sizeof *fresh, by_size);
	qsort(one, ROUNDS, sizeof *one, by_size);
	printf("# %d products, %d items, %d of them gone, %d sale lines; median of %d, worst\n",
	       PRODUCTS, ITEMS, GONE, SALES * 3, ROUNDS);
	printf("bench differences_first_page_anew %.1f ms\n", anew[ROUNDS / 2]);
	printf("bench differences_first_page_anew_max %.1f ms\n", anew[ROUNDS - 1]);
	printf("bench differences_first_page_anew_cpu %.1f ms\n", cpu / ROUNDS);
	printf("bench differences_page_fresh %.2f ms\n", fresh[ROUNDS / 2]);
	printf("bench differences_one_product %.1f ms\n", one[ROUNDS / 2]);
}

static int start(void)
{
	strcpy(st.dir, "/tmp/gondola-bench-XXXXXX");
	if (!mkdtemp(st.dir) || loop_new(&st.app.loop) < 0)
		return -1;
	st.config = (struct app_config){.state_dir = st.dir,
					.currency = "EUR",
					.inventory_checkpoint_s = 3600,
					.inventory_max_items = 100000};
	st.app.clock = loop_clock(st.app.loop);
	st.app.config = &st.config;
	if (db_open(st.app.loop, st.dir, &st.app.db) < 0 ||
	    http_server_new(&st.app, &st.app.http) < 0 || shop_new(&st.app, &st.app.shop) < 0 ||
	    inventory_new(&st.app, &st.app.inventory) < 0 || books_new(&st.app, &st.app.books) < 0)
		return -1;
	http_add_routes(st.app.http, shop_routes);
	http_add_routes(st.app.http, inventory_routes);
	http_add_routes(st.app.http, books_routes);
	return 0;
}

static void stop(void)
{
	static const char *const names[] = {"gondola.db",
					    "gondola.db-wal",
					    "gondola.db-shm",
					    "escrow.key",
					    "images/data.mdb",
					    "images/lock.mdb",
					    "journal/data.mdb",
					    "journal/lock.mdb",
					    "snapshot/data.mdb",
					    "snapshot/lock.mdb",
					    "images",
					    "journal",
					    "snapshot",
					    ""};
	char path[100];

	http_server_stop(st.app.http);
	books_free(st.app.books);
	inventory_free(st.app.inventory);
	shop_free(st.app.shop);
	http_server_free(st.app.http);
	db_close(st.app.db);
	loop_free(st.app.loop);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(path, sizeof path, "%s/%s", st.dir, names[i]);
		if (remove(path) < 0 && i >= 10)
			perror(path);
	}
}

int main(void)
{
	uint64_t seq = 1;

	if (start() < 0)
		return 1;
	import_file("/api/v1/products/import", "gtin,name\n", "Article ", NULL);
	for (int i = 0; i < ITEMS; i += BATCH)
		see(&seq, i, BATCH, SIGHTING_APPEAR);
	import_file("/api/v1/books/stock/import", "gtin,quantity\n", "", "book_import_20k");
	for (int i = 0; i < GONE; i += BATCH)
		see(&seq, i, BATCH, SIGHTING_GONE);
	/* The belief gives up on them after its own grace. */
	for (int64_t end = clock_mono_us(st.app.clock) + 32 * US_PER_SEC;
	     clock_mono_us(st.app.clock) < end;)
		loop_run_once(st.app.loop, 100);
	sell();
	measure();
	stop();
	return 0;
}
