/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long an agent waits for the durable acknowledgement of its sightings, over mutual TLS, in a
 * quiet gondolad and while somebody imports a catalogue of 20,000 products again and again. Both
 * are real clients of one real daemon. The slowest acknowledgement bounds the longest stall of the
 * daemon's loop from above.
 */
#include "common/clock.h"
#include "common/gtin.h"
#include "tests/bench/agents.h"
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define ITEMS    5000
#define A_BATCH  100
#define FLIPS    20 /* of them transitions, which must be stored */
#define PACE_US  20000
#define SAMPLES  500
#define PRODUCTS 20000
#define IMPORTS  40

static struct client agent, person;
static bool present[ITEMS];
static double waits_ms[8192];
static struct buf files[2] = {BUF_INIT, BUF_INIT};
static _Atomic bool importing = true;

/* --- the import --------------------------------------------------------------------------------
 */

/* Two files of the same products at different prices, so that every import has work to do. */
static void make_files(void)
{
	const char *data = getenv("GONDOLA_DATA");
	char path[512], line[1024];
	FILE *f;

	snprintf(path, sizeof(path), "%s/catalogue/products-20k.csv", data ? data : "");
	f = fopen(path, "r");
	printf("# %d products from %s\n", PRODUCTS, f ? path : "a made-up list");
	for (int k = 0; k < 2; k++)
		buf_put_str(&files[k], "gtin,price,name\n");
	if (f && !fgets(line, sizeof(line), f))
		check(-EIO, path);
	for (int i = 0; i < PRODUCTS; i++) {
		uint64_t body = UINT64_C(200000000000) + (uint64_t) i;
		char gtin[GTIN_STR_MAX], *name;

		gtin_format(body * 10 + gtin_check_digit(body), gtin);
		snprintf(line, sizeof(line), "%s,Chocolat noir dégustation no. %d\n", gtin, i);
		if (f && !fgets(line, sizeof(line), f))
			break;
		name = strchr(line, ',');
		if (!name)
			continue;
		*name++ = '\0';
		for (int k = 0; k < 2; k++)
			buf_printf(&files[k], "%s,%d.%02d,%s", line, i % 90 + 1 + k, i % 100, name);
	}
	if (f)
		fclose(f);
	check(files[0].err ? files[0].err : files[1].err, "files");
}

/* Sends a request and returns the status; the reply's head is left in `head`. */
static int ask(struct client *c, const struct buf *request, char *head, size_t max)
{
	size_t n = 0, want = 0;
	char *end = NULL, *len;

	send_all(c, request->data, request->len);
	while (!end || n < want) {
		ssize_t r = gnutls_record_recv(c->tls, head + n, max - 1 - n);

		if (r < 0 && !gnutls_error_is_fatal((int) r))
			continue;
		if (r <= 0)
			check(-EIO, "reply");
		n += (size_t) r;
		head[n] = '\0';
		if (end || !(end = strstr(head, "\r\n\r\n")))
			continue;
		len = strcasestr(head, "content-length:");
		want = (size_t) (end - head) + 4 + (len ? strtoul(len + 15, NULL, 10) : 0);
	}
	return atoi(head + 9);
}

static void sign_in(char *ret_cookie, size_t max)
{
	_cleanup_buf_ struct buf rq = BUF_INIT;
	char head[8192], body[160], *cookie;

	snprintf(body, sizeof(body), "{\"user\":\"admin\",\"password\":\"%s\"}",
		 bench_ports.password);
	buf_printf(&rq,
		   "POST /api/v1/session HTTP/1.1\r\nHost: 127.0.0.1\r\n"
		   "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
		   strlen(body), body);
	if (ask(&person, &rq, head, sizeof(head)) != 200)
		check(-EACCES, head);
	cookie = strcasestr(head, "set-cookie: ");
	if (!cookie)
		check(-EACCES, "cookie");
	snprintf(ret_cookie, max, "%.*s", (int) strcspn(cookie + 12, ";\r"), cookie + 12);
}

static void *import_again_and_again(void *arg)
{
	double *took_s = arg;
	char cookie[256], head[8192];

	gnutls_certificate_allocate_credentials(&person.cred);
	connect_client(&person, bench_ports.public);
	sign_in(cookie, sizeof(cookie));
	for (int i = 0; i < IMPORTS; i++) {
		_cleanup_buf_ struct buf rq = BUF_INIT;
		double began = cpu_seconds(CLOCK_MONOTONIC);

		buf_printf(&rq,
			   "POST /api/v1/products/import HTTP/1.1\r\nHost: 127.0.0.1\r\n"
			   "Cookie: %s\r\nContent-Type: text/csv\r\nContent-Length: %zu\r\n\r\n",
			   cookie, files[i % 2].len);
		buf_put(&rq, files[i % 2].data, files[i % 2].len);
		if (ask(&person, &rq, head, sizeof(head)) != 200)
			check(-EIO, head);
		took_s[i] = cpu_seconds(CLOCK_MONOTONIC) - began;
	}
	importing = false;
	return NULL;
}

/* --- the agent ---------------------------------------------------------------------------------
 */

static void appear_all(void)
{
	for (int item = 0; item < ITEMS; item += BATCH) {
		for (int i = 0; i < BATCH; i++) {
			sight(&agent, (size_t) i, item + i, SIGHTING_APPEAR,
			      clock_real_us(clock_system()));
			present[item + i] = true;
		}
		(void) post(&agent, BATCH);
	}
}

static double post_some(void)
{
	int64_t now_us = clock_real_us(clock_system());

	for (size_t i = 0; i < A_BATCH; i++) {
		int item = (int) (rand_r(&agent.seed) % ITEMS);

		if (i < FLIPS)
			present[item] = !present[item];
		sight(&agent, i, item,
		      i >= FLIPS      ? SIGHTING_REFRESH
		      : present[item] ? SIGHTING_APPEAR
				      : SIGHTING_GONE,
		      now_us);
	}
	return post(&agent, A_BATCH);
}

static int by_size(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

struct figures {
	double p50, p99, slowest;
};

/* Batches at an even pace; until the import is over, or a fixed number of them. */
static struct figures sample(const char *when, bool while_importing)
{
	struct figures f;
	size_t n = 0;

	while (n < ARRAY_SIZE(waits_ms) && (while_importing ? importing : n < SAMPLES)) {
		waits_ms[n++] = post_some();
		(void) usleep(PACE_US);
	}
	qsort(waits_ms, n, sizeof(*waits_ms), by_size);
	f = (struct figures){waits_ms[n / 2], waits_ms[n * 99 / 100], waits_ms[n - 1]};
	printf("# %s: %zu batches\n", when, n);
	printf("bench ack_%s_p50 %.2f ms\n", when, f.p50);
	printf("bench ack_%s_p99 %.2f ms\n", when, f.p99);
	printf("bench ack_%s_slowest %.2f ms\n", when, f.slowest);
	return f;
}

int main(void)
{
	struct figures quiet, busy;
	double took_s[IMPORTS];
	pthread_t importer;
	pid_t pid;

	(void) signal(SIGPIPE, SIG_IGN);
	make_files();
	make_store(&agent, 1);
	pid = start_daemon();
	printf("# one agent, a batch of %d sightings (%d transitions) every %d ms, mutual TLS on "
	       "loopback; clients and daemon share the cores\n",
	       A_BATCH, FLIPS, PACE_US / 1000);
	connect_client(&agent, bench_ports.agents);
	appear_all();
	quiet = sample("quiet", false);
	check(-pthread_create(&importer, NULL, import_again_and_again, took_s), "thread");
	busy = sample("importing", true);
	pthread_join(importer, NULL);
	printf("bench import_20k_first %.2f s\n", took_s[0]);
	qsort(took_s, IMPORTS, sizeof(*took_s), by_size);
	printf("bench import_20k_slowest %.2f s\n", took_s[IMPORTS - 1]);
	printf("bench ack_importing_vs_quiet_p50 %.2f ratio\n", busy.p50 / quiet.p50);
	printf("bench ack_importing_vs_quiet_p99 %.2f ratio\n", busy.p99 / quiet.p99);
	kill(pid, SIGTERM);
	waitpid(pid, NULL, 0);
	clean_up();
	return 0;
}
