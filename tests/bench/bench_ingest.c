/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a million sightings cost gondolad, from TLS record to durable acknowledgement, beside the
 * same rows upserted into SQLite. A real gondolad process is fed over mutual TLS by closed-loop
 * clients in this one, each an agent with a certificate of the store's authority; its CPU time is
 * what the kernel accounts to it. The SQLite figure is the CPU time of this process's thread that
 * does the upserts.
 */
#include "common/clock.h"
#include "common/err.h"
#include "common/proto.h"
#include "common/sql.h"
#include "controller/ca.h"
#include "controller/db_schema.h"
#include <arpa/inet.h>
#include <errno.h>
#include <gnutls/x509.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CLIENTS     16
#define BATCH       1000
#define ITEMS       100000
#define PER_CLIENT  (ITEMS / CLIENTS)
#define BATCHES     150 /* of each client in a measured phase */
#define SQLITE_ROWS 200000

struct client {
	int number;
	gnutls_certificate_credentials_t cred;
	gnutls_session_t tls;
	int fd;
	uint64_t seq;
	unsigned int seed;
	int per_mille; /* transitions */
	uint8_t present[PER_CLIENT];
	struct proto_sighting sightings[BATCH];
	double worst_ms;
};

static char dir[64] = "/tmp/gondola-bench-XXXXXX";
static uint16_t port;
static struct client clients[CLIENTS];

static void check(int r, const char *what)
{
	if (r >= 0)
		return;
	fprintf(stderr, "bench_ingest: %s: %s (%d)\n", what, err_str(r), r);
	exit(1);
}

static void check_tls(int r, const char *what)
{
	if (r >= 0)
		return;
	fprintf(stderr, "bench_ingest: %s: %s\n", what, gnutls_strerror(r));
	exit(1);
}

static double cpu_seconds(clockid_t which)
{
	struct timespec t;

	clock_gettime(which, &t);
	return (double) t.tv_sec + (double) t.tv_nsec / 1e9;
}

/* --- a store with enrolled agents --------------------------------------------------------------
 */

static void put_agent(struct sql *s, int number, const struct ca_cert *cert,
		      const uint8_t *key_hash)
{
	struct sql_stmt *q = sql_prepare(
		s, "INSERT INTO agents(id, name, key_hash, created) VALUES(?, ?, ?, 0)");
	char name[16];

	snprintf(name, sizeof(name), "bench-%d", number);
	sql_bind_i64(q, 1, number);
	sql_bind_text(q, 2, name);
	sql_bind_blob(q, 3, key_hash, 32);
	check(sql_run(q), "agents");
	q = sql_prepare(s, "INSERT INTO agent_certs(fingerprint, agent_id, cert, not_after)"
			   " VALUES(?, ?, ?, ?)");
	sql_bind_blob(q, 1, cert->fingerprint, sizeof(cert->fingerprint));
	sql_bind_i64(q, 2, number);
	sql_bind_blob(q, 3, cert->der, cert->len);
	sql_bind_i64(q, 4, cert->not_after_us);
	check(sql_run(q), "agent_certs");
}

static void enrol(struct client *c, const struct ca *ca, struct sql *s)
{
	uint8_t csr_der[4096], key_hash[32];
	size_t len = sizeof(csr_der);
	gnutls_x509_privkey_t key;
	gnutls_x509_crt_t crt;
	gnutls_x509_crq_t csr;
	struct ca_cert cert;
	gnutls_datum_t der;

	gnutls_x509_privkey_init(&key);
	check_tls(gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA,
					       GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0),
		  "key");
	gnutls_x509_crq_init(&csr);
	check_tls(gnutls_x509_crq_set_key(csr, key), "request");
	gnutls_x509_crq_set_version(csr, 1);
	check_tls(gnutls_x509_crq_sign2(csr, key, GNUTLS_DIG_SHA256, 0), "request");
	check_tls(gnutls_x509_crq_export(csr, GNUTLS_X509_FMT_DER, csr_der, &len), "request");
	gnutls_x509_crq_deinit(csr);
	check(ca_csr_check(csr_der, len, key_hash), "request");
	check(ca_sign_agent(ca, csr_der, len, c->number, clock_real_us(clock_system()), &cert),
	      "certificate");
	put_agent(s, c->number, &cert, key_hash);
	gnutls_x509_crt_init(&crt);
	der = (gnutls_datum_t){.data = cert.der, .size = (unsigned int) cert.len};
	check_tls(gnutls_x509_crt_import(crt, &der, GNUTLS_X509_FMT_DER), "certificate");
	gnutls_certificate_allocate_credentials(&c->cred);
	check_tls(gnutls_certificate_set_x509_key(c->cred, &crt, 1, key), "credentials");
	gnutls_x509_crt_deinit(crt);
	gnutls_x509_privkey_deinit(key);
}

static void make_store(void)
{
	char path[128];
	struct sql *s;
	struct ca *ca;

	snprintf(path, sizeof(path), "%s/ca", dir);
	check(ca_open(path, "bench", clock_real_us(clock_system()), &ca), "authority");
	snprintf(path, sizeof(path), "%s/gondola.db", dir);
	check(sql_open(path, 0, &s), "database");
	check(db_schema_migrate(s, &db_schema_current), "schema");
	check(sql_begin(s), "begin");
	for (int i = 0; i < CLIENTS; i++) {
		clients[i].number = i + 1;
		clients[i].seed = (unsigned int) i * 7919 + 1;
		clients[i].seq = 1;
		enrol(&clients[i], ca, s);
	}
	check(sql_commit(s), "commit");
	sql_close(s);
	ca_free(ca);
}

static pid_t start_daemon(void)
{
	const char *build = getenv("top_builddir");
	char program[512], conf[128], line[512];
	unsigned int agents_port = 0;
	int pipes[2];
	FILE *f;
	pid_t pid;

	snprintf(program, sizeof(program), "%s/bin/gondolad", build ? build : ".");
	snprintf(conf, sizeof(conf), "%s/gondolad.conf", dir);
	f = fopen(conf, "w");
	if (!f || pipe(pipes) < 0)
		check(-errno, "configuration");
	fprintf(f,
		"state_dir = \"%s\"\nstore_name = \"bench\"\nstore_zone = \"UTC\"\n"
		"currency = \"EUR\"\nlog_level = \"error\"\n"
		"public { address = \"127.0.0.1\" port = 0 }\n"
		"agents { address = \"127.0.0.1\" port = 0 }\n",
		dir);
	fclose(f);
	pid = fork();
	if (!pid) {
		dup2(pipes[1], STDOUT_FILENO);
		close(pipes[0]);
		execl(program, program, "--config", conf, (char *) NULL);
		_exit(127);
	}
	close(pipes[1]);
	f = fdopen(pipes[0], "r");
	while (f && !agents_port && fgets(line, sizeof(line), f)) {
		const char *at = strstr(line, "agents=https://127.0.0.1:");

		if (at)
			agents_port = (unsigned int) strtoul(at + 25, NULL, 10);
	}
	if (!agents_port)
		check(-ESRCH, program);
	port = (uint16_t) agents_port;
	return pid;
}

/* --- clients -----------------------------------------------------------------------------------
 */

static void connect_client(struct client *c)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_port = htons(port),
				 .sin_addr = {htonl(INADDR_LOOPBACK)}};
	int r;

	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0 || connect(c->fd, (struct sockaddr *) &to, sizeof(to)) < 0)
		check(-errno, "connect");
	gnutls_init(&c->tls, GNUTLS_CLIENT);
	gnutls_set_default_priority(c->tls);
	gnutls_credentials_set(c->tls, GNUTLS_CRD_CERTIFICATE, c->cred);
	gnutls_transport_set_int(c->tls, c->fd);
	do
		r = gnutls_handshake(c->tls);
	while (r < 0 && !gnutls_error_is_fatal(r));
	check_tls(r, "handshake");
}

static void send_all(struct client *c, const uint8_t *p, size_t n)
{
	while (n) {
		ssize_t w = gnutls_record_send(c->tls, p, n);

		if (w < 0 && !gnutls_error_is_fatal((int) w))
			continue;
		check_tls((int) w, "send");
		p += w;
		n -= (size_t) w;
	}
}

/* Reads one reply; the body is short and must acknowledge everything sent so far. */
static void read_reply(struct client *c)
{
	char text[4096];
	size_t n = 0, body = 0, want = 0;
	struct proto_ack ack;

	while (!body || n < body + want) {
		ssize_t r = gnutls_record_recv(c->tls, text + n, sizeof(text) - 1 - n);
		char *end, *len;

		if (r < 0 && !gnutls_error_is_fatal((int) r))
			continue;
		if (r <= 0)
			check(-ERR_CLOSED, "reply");
		n += (size_t) r;
		text[n] = 0;
		end = strstr(text, "\r\n\r\n");
		if (body || !end)
			continue;
		len = strcasestr(text, "content-length:");
		body = (size_t) (end - text) + 4;
		want = len ? strtoul(len + 15, NULL, 10) : 0;
	}
	if (strncmp(text, "HTTP/1.1 200", 12) != 0) {
		fprintf(stderr, "bench_ingest: %s\n", text);
		exit(1);
	}
	check(proto_ack_decode(text + body, want, &ack, NULL), "acknowledgement");
	if (ack.acked != c->seq - 1)
		check(-ERR_STATE, "acknowledged less than was sent");
}

static void post(struct client *c, size_t n)
{
	struct proto_source source = {"bench", 1};
	struct proto_sightings m = {.caps = PROTO_CAP_RFID,
				    .journal_id = {1},
				    .first_seq = c->seq,
				    .n_sources = 1,
				    .sources = &source,
				    .n = n,
				    .sightings = c->sightings};
	_cleanup_buf_ struct buf body = BUF_INIT, head = BUF_INIT;
	double began = cpu_seconds(CLOCK_MONOTONIC), ms;

	check(proto_sightings_encode(&m, &body), "encode");
	buf_printf(&head,
		   "POST /agent/v1/sightings HTTP/1.1\r\nHost: 127.0.0.1\r\n"
		   "Content-Type: " PROTO_CONTENT_TYPE "\r\nContent-Length: %zu\r\n\r\n",
		   body.len);
	buf_put(&head, body.data, body.len);
	check(head.err, "request");
	c->seq += n;
	send_all(c, head.data, head.len);
	read_reply(c);
	ms = (cpu_seconds(CLOCK_MONOTONIC) - began) * 1e3;
	c->worst_ms = MAX(c->worst_ms, ms);
}

static void sight(struct client *c, size_t i, int item, enum sighting_kind kind, int64_t now_us)
{
	struct sgtin s = {.gtin = 4006381333931,
			  .serial = (uint64_t) c->number << 24 | (uint64_t) item,
			  .prefix_digits = 7};

	c->sightings[i] = (struct proto_sighting){
		.kind = (uint8_t) kind,
		.first_us = now_us - 1000000,
		.last_us = now_us,
		.count = 5,
		.rssi_cdbm = (int16_t) (-5500 - (int) (rand_r(&c->seed) % 300)),
		.peak_cdbm = -5400,
		.rate_mhz = 5000,
	};
	check(sgtin96_encode(&s, &c->sightings[i].epc), "EPC");
}

static void *all_appear(void *arg)
{
	struct client *c = arg;

	connect_client(c);
	for (int item = 0; item < PER_CLIENT;) {
		int64_t now_us = clock_real_us(clock_system());
		size_t n = 0;

		for (; n < BATCH && item < PER_CLIENT; n++, item++) {
			sight(c, n, item, SIGHTING_APPEAR, now_us);
			c->present[item] = 1;
		}
		post(c, n);
	}
	return NULL;
}

static void *work(void *arg)
{
	struct client *c = arg;

	for (int b = 0; b < BATCHES; b++) {
		int64_t now_us = clock_real_us(clock_system());

		for (size_t i = 0; i < BATCH; i++) {
			int item = (int) (rand_r(&c->seed) % PER_CLIENT);
			bool flip = !c->present[item] ||
				    (int) (rand_r(&c->seed) % 1000) < c->per_mille / 2;

			if (flip)
				c->present[item] = !c->present[item];
			sight(c, i, item,
			      !flip              ? SIGHTING_REFRESH
			      : c->present[item] ? SIGHTING_APPEAR
						 : SIGHTING_GONE,
			      now_us);
		}
		post(c, BATCH);
	}
	return NULL;
}

static void run_all(void *(*fn)(void *) )
{
	pthread_t threads[CLIENTS];

	for (int i = 0; i < CLIENTS; i++)
		check(-pthread_create(&threads[i], NULL, fn, &clients[i]), "thread");
	for (int i = 0; i < CLIENTS; i++)
		pthread_join(threads[i], NULL);
}

static double phase(clockid_t daemon_cpu, int per_mille)
{
	double cpu, wall = cpu_seconds(CLOCK_MONOTONIC), worst = 0;
	double millions = (double) CLIENTS * BATCHES * BATCH / 1e6;

	for (int i = 0; i < CLIENTS; i++) {
		clients[i].per_mille = per_mille;
		clients[i].worst_ms = 0;
	}
	cpu = cpu_seconds(daemon_cpu);
	run_all(work);
	cpu = cpu_seconds(daemon_cpu) - cpu;
	wall = cpu_seconds(CLOCK_MONOTONIC) - wall;
	for (int i = 0; i < CLIENTS; i++)
		worst = MAX(worst, clients[i].worst_ms);
	printf("bench ingest_mtls_durable_%dpct %.3f CPU-s/M\n", per_mille / 10, cpu / millions);
	printf("bench ingest_mtls_durable_%dpct_rate %.2f M/s\n", per_mille / 10, millions / wall);
	printf("bench ingest_mtls_durable_%dpct_slowest_ack %.1f ms\n", per_mille / 10, worst);
	return cpu / millions;
}

/* --- the same rows into SQLite -----------------------------------------------------------------
 */

static void upsert(struct sql *s, const struct proto_sighting *m)
{
	struct sql_stmt *q = sql_prepare(
		s, "INSERT INTO seen(epc, kind, last, count, rssi, rate) VALUES(?, ?, ?, ?, ?, ?)"
		   " ON CONFLICT(epc) DO UPDATE SET kind = excluded.kind, last = excluded.last,"
		   " count = count + excluded.count, rssi = excluded.rssi, rate = excluded.rate");

	sql_bind_blob(q, 1, m->epc.data, epc_bytes(&m->epc));
	sql_bind_i64(q, 2, m->kind);
	sql_bind_i64(q, 3, m->last_us);
	sql_bind_i64(q, 4, m->count);
	sql_bind_i64(q, 5, m->rssi_cdbm);
	sql_bind_i64(q, 6, m->rate_mhz);
	check(sql_run(q), "upsert");
}

static void sqlite_rows(struct sql *s, int rows, bool all)
{
	for (int done = 0; done < rows;) {
		check(sql_begin(s), "begin");
		for (int i = 0; i < BATCH && done < rows; i++, done++) {
			struct client *c =
				&clients[all ? done / PER_CLIENT
					     : (int) (rand_r(&clients[0].seed) % CLIENTS)];

			sight(c, 0, all ? done % PER_CLIENT : (int) (rand_r(&c->seed) % PER_CLIENT),
			      SIGHTING_REFRESH, clock_real_us(clock_system()));
			upsert(s, c->sightings);
		}
		check(sql_commit(s), "commit");
	}
}

static double sqlite_phase(void)
{
	char path[128];
	struct sql *s;
	double cpu;

	snprintf(path, sizeof(path), "%s/rows.db", dir);
	check(sql_open(path, 0, &s), "rows.db");
	check(sql_exec(s, "CREATE TABLE seen(epc BLOB PRIMARY KEY, kind INT, last INT, count INT,"
			  " rssi INT, rate INT) WITHOUT ROWID"),
	      "table");
	sqlite_rows(s, PER_CLIENT * CLIENTS, true);
	cpu = cpu_seconds(CLOCK_THREAD_CPUTIME_ID);
	sqlite_rows(s, SQLITE_ROWS, false);
	cpu = (cpu_seconds(CLOCK_THREAD_CPUTIME_ID) - cpu) * 1e6 / SQLITE_ROWS;
	sql_close(s);
	printf("bench ingest_sqlite_upsert %.3f CPU-s/M\n", cpu);
	return cpu;
}

static void clean_up(void)
{
	static const char *const files[] = {"journal/data.mdb",
					    "journal/lock.mdb",
					    "snapshot/data.mdb",
					    "snapshot/lock.mdb",
					    "images/data.mdb",
					    "images/lock.mdb",
					    "ca/ca.pem",
					    "ca/ca.key",
					    "ca/server.pem",
					    "ca/server.key",
					    "gondola.db",
					    "gondola.db-wal",
					    "gondola.db-shm",
					    "rows.db",
					    "rows.db-wal",
					    "rows.db-shm",
					    "gondolad.conf",
					    "escrow.key",
					    "lock",
					    "journal",
					    "snapshot",
					    "images",
					    "ca",
					    "."};
	char path[128];

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, files[i]);
		(void) remove(path);
	}
	(void) rmdir(dir);
}

int main(void)
{
	double one, ten, sqlite;
	clockid_t daemon_cpu;
	pid_t pid;

	(void) signal(SIGPIPE, SIG_IGN);
	if (!mkdtemp(dir))
		check(-errno, dir);
	make_store();
	pid = start_daemon();
	check(-clock_getcpuclockid(pid, &daemon_cpu), "CPU clock");
	printf("# %d agents, closed loop, %d sightings a batch, %d items, mutual TLS on loopback, "
	       "the clients share the cores\n",
	       CLIENTS, BATCH, ITEMS);
	run_all(all_appear);
	one = phase(daemon_cpu, 10);
	ten = phase(daemon_cpu, 100);
	kill(pid, SIGTERM);
	waitpid(pid, NULL, 0);
	printf("# SQLite: WAL, synchronous=FULL, prepared upsert of the same rows, %d a commit\n",
	       BATCH);
	sqlite = sqlite_phase();
	printf("bench ingest_1pct_vs_sqlite %.4f ratio\n", one / sqlite);
	printf("bench ingest_10pct_vs_sqlite %.4f ratio\n", ten / sqlite);
	clean_up();
	return 0;
}
