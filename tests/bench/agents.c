/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/agents.h"
#include "common/clock.h"
#include "common/err.h"
#include "common/sql.h"
#include "controller/db/db_schema.h"
#include "controller/fleet/ca.h"
#include <arpa/inet.h>
#include <errno.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

char bench_dir[64] = "/tmp/gondola-bench-XXXXXX";
struct bench_ports bench_ports;

void check(int r, const char *what)
{
	if (r >= 0)
		return;
	fprintf(stderr, "bench: %s: %s (%d)\n", what, err_str(r), r);
	exit(1);
}

void check_tls(int r, const char *what)
{
	if (r >= 0)
		return;
	fprintf(stderr, "bench: %s: %s\n", what, gnutls_strerror(r));
	exit(1);
}

double cpu_seconds(clockid_t which)
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
	q = sql_prepare(s, "INSERT INTO agent_certs(fingerprint, agent_id, cert, not_after,"
			   " key_hash) VALUES(?, ?, ?, ?, ?)");
	sql_bind_blob(q, 1, cert->fingerprint, sizeof(cert->fingerprint));
	sql_bind_i64(q, 2, number);
	sql_bind_blob(q, 3, cert->der, cert->len);
	sql_bind_i64(q, 4, cert->not_after_us);
	sql_bind_blob(q, 5, key_hash, 32);
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

void make_store(struct client *clients, int n)
{
	char path[128];
	struct sql *s;
	struct ca *ca;

	if (!mkdtemp(bench_dir))
		check(-errno, bench_dir);
	snprintf(path, sizeof(path), "%s/ca", bench_dir);
	check(ca_open(path, "bench", clock_real_us(clock_system()), &ca), "authority");
	snprintf(path, sizeof(path), "%s/gondola.db", bench_dir);
	check(sql_open(path, 0, &s), "database");
	check(db_schema_migrate(s, &db_schema_current), "schema");
	check(sql_begin(s), "begin");
	for (int i = 0; i < n; i++) {
		clients[i].number = i + 1;
		clients[i].seed = (unsigned int) i * 7919 + 1;
		clients[i].seq = 1;
		enrol(&clients[i], ca, s);
	}
	check(sql_commit(s), "commit");
	sql_close(s);
	ca_free(ca);
}

pid_t start_daemon(void)
{
	const char *build = getenv("top_builddir");
	char program[512], conf[128], line[512];
	int pipes[2];
	FILE *f;
	pid_t pid;

	snprintf(program, sizeof(program), "%s/bin/gondolad", build ? build : ".");
	snprintf(conf, sizeof(conf), "%s/gondolad.conf", bench_dir);
	f = fopen(conf, "w");
	if (!f || pipe(pipes) < 0)
		check(-errno, "configuration");
	fprintf(f,
		"state_dir = \"%s\"\nstore_name = \"bench\"\nstore_zone = \"UTC\"\n"
		"currency = \"EUR\"\nlog_level = \"error\"\n"
		"public { address = \"127.0.0.1\" port = 0 }\n"
		"agents { address = \"127.0.0.1\" port = 0 }\n",
		bench_dir);
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
	while (f && !bench_ports.agents && fgets(line, sizeof(line), f)) {
		const char *public_at = strstr(line, "public=https://127.0.0.1:");
		const char *agents_at = strstr(line, "agents=https://127.0.0.1:");

		(void) sscanf(line, "first password for admin: %63s", bench_ports.password);
		if (!public_at || !agents_at)
			continue;
		bench_ports.public = (uint16_t) strtoul(public_at + 25, NULL, 10);
		bench_ports.agents = (uint16_t) strtoul(agents_at + 25, NULL, 10);
	}
	if (!bench_ports.agents)
		check(-ESRCH, program);
	return pid;
}

/* --- clients -----------------------------------------------------------------------------------
 */

void connect_client(struct client *c, uint16_t port)
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

void send_all(struct client *c, const uint8_t *p, size_t n)
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
		fprintf(stderr, "bench: %s\n", text);
		exit(1);
	}
	check(proto_ack_decode(text + body, want, &ack, NULL), "acknowledgement");
	if (ack.acked != c->seq - 1)
		check(-ERR_STATE, "acknowledged less than was sent");
}

double post(struct client *c, size_t n)
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
	return ms;
}

void sight(struct client *c, size_t i, int item, enum sighting_kind kind, int64_t now_us)
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

void clean_up(void)
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
		snprintf(path, sizeof(path), "%s/%s", bench_dir, files[i]);
		(void) remove(path);
	}
	(void) rmdir(bench_dir);
}
