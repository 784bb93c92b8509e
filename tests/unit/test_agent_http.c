/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTPS client against a small server of our own (GnuTLS, a process for each connection):
 * trust, client certificate, kept connections, bounds, and servers that misbehave. */
#include "ap-agent/http_client.h"
#include "ap-agent/identity.h"
#include "common/err.h"
#include "tests/unit/test_agent_certs.h"
#include "tests/unit/test_common.h"
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define DAY 86400

/* --- the server ------------------------------------------------------------------------------- */

static void say(gnutls_session_t tls, const char *text, size_t len)
{
	while (len > 0) {
		ssize_t n = gnutls_record_send(tls, text, len);

		if (n <= 0)
			_exit(0);
		text += n;
		len -= (size_t) n;
	}
}

static void answer(gnutls_session_t tls, const char *path, size_t body_len, unsigned int served)
{
	static char big[40000];
	char text[512], body[128];
	unsigned int n = 0;

	if (strncmp(path, "/silent", 7) == 0)
		pause();
	if (strncmp(path, "/garbage", 8) == 0) {
		say(tls, "\x16\x03\x00 what is this\r\n\r\n", 20);
		_exit(0);
	}
	if (strncmp(path, "/half", 5) == 0) {
		say(tls, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", 45);
		_exit(0);
	}
	if (strncmp(path, "/big", 4) == 0) {
		snprintf(text, sizeof(text), "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n",
			 sizeof(big));
		say(tls, text, strlen(text));
		say(tls, big, sizeof(big));
		return;
	}
	(void) gnutls_certificate_get_peers(tls, &n);
	snprintf(body, sizeof(body), "pid=%d served=%u certs=%u body=%zu", (int) getpid(), served,
		 n, body_len);
	snprintf(text, sizeof(text),
		 "HTTP/1.1 %s\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\n\r\n%s",
		 strncmp(path, "/missing", 8) == 0 ? "404 Not Found" : "200 OK", strlen(body),
		 body);
	say(tls, text, strlen(text));
}

static void serve(int fd, gnutls_certificate_credentials_t creds)
{
	gnutls_session_t tls;
	char in[70000];
	size_t have = 0;

	gnutls_init(&tls, GNUTLS_SERVER);
	gnutls_set_default_priority(tls);
	gnutls_credentials_set(tls, GNUTLS_CRD_CERTIFICATE, creds);
	gnutls_certificate_server_set_request(tls, GNUTLS_CERT_REQUEST);
	gnutls_transport_set_int(tls, fd);
	if (gnutls_handshake(tls) < 0)
		_exit(0);
	for (unsigned int served = 1;; served++) {
		const char *end;
		size_t body_len = 0;

		have = 0;
		while (!(end = memmem(in, have, "\r\n\r\n", 4))) {
			ssize_t n = gnutls_record_recv(tls, in + have, sizeof(in) - have);

			if (n <= 0)
				_exit(0);
			have += (size_t) n;
		}
		in[MIN(have, sizeof(in) - 1)] = '\0';

		const char *length = strcasestr(in, "content-length:");

		if (length && length < end)
			body_len = strtoul(length + 15, NULL, 10);
		while (have < (size_t) (end + 4 - in) + body_len) {
			ssize_t n = gnutls_record_recv(tls, in + have, sizeof(in) - have);

			if (n <= 0)
				_exit(0);
			have += (size_t) n;
		}
		answer(tls, strchr(in, ' ') + 1, body_len, served);
	}
}

/* --- fixture ---------------------------------------------------------------------------------- */

struct fixture {
	char dir[64];
	struct test_ca ca;
	gnutls_certificate_credentials_t creds;
	pid_t server;
	char url[64];
	struct loop *loop;
	struct timebase tb;
	struct trust *trust;
	struct identity *identity;
	struct http_client *http;
	/* the last reply */
	unsigned int replies, status;
	int err;
	char body[256];
	size_t len;
	int64_t sent_us, recv_us;
};

static void start_server(struct fixture *f, int64_t cert_from, int64_t cert_to)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	gnutls_x509_privkey_t key;
	gnutls_x509_crt_t chain[2];
	gnutls_datum_t der = test_ca_server(&f->ca, "127.0.0.1", cert_from, cert_to, &key);

	gnutls_x509_crt_init(&chain[0]);
	gnutls_x509_crt_import(chain[0], &der, GNUTLS_X509_FMT_DER);
	chain[1] = f->ca.crt;
	gnutls_certificate_allocate_credentials(&f->creds);
	assert_int_equal(gnutls_certificate_set_x509_key(f->creds, chain, 2, key), 0);
	gnutls_x509_crt_deinit(chain[0]);
	gnutls_x509_privkey_deinit(key);
	gnutls_free(der.data);
	assert_int_equal(bind(fd, (struct sockaddr *) &at, sizeof(at)), 0);
	assert_int_equal(listen(fd, 16), 0);
	getsockname(fd, (struct sockaddr *) &at, &len);
	snprintf(f->url, sizeof(f->url), "https://127.0.0.1:%u", ntohs(at.sin_port));

	f->server = fork();
	if (f->server == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		signal(SIGCHLD, SIG_IGN);
		for (;;) {
			int conn = accept(fd, NULL, NULL);

			if (conn >= 0 && fork() == 0) {
				prctl(PR_SET_PDEATHSIG, SIGKILL);
				serve(conn, f->creds);
			}
			close(conn);
		}
	}
	close(fd);
}

static int setup_with(void **state, int64_t cert_from, int64_t cert_to)
{
	struct fixture *f = calloc(1, sizeof(*f));
	int64_t now;

	signal(SIGPIPE, SIG_IGN);
	strcpy(f->dir, "/tmp/agent-http-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	assert_int_equal(loop_new(&f->loop), 0);
	timebase_init(&f->tb, loop_clock(f->loop), 1);
	now = clock_real_us(loop_clock(f->loop)) / US_PER_SEC;
	test_ca_init(&f->ca, now - 1000 * DAY, now + 2000 * DAY);
	start_server(f, now + cert_from, now + cert_to);
	assert_int_equal(identity_open(f->dir, &f->identity), 0);
	assert_int_equal(trust_new(&f->tb, &f->trust), 0);
	assert_int_equal(trust_pin_ca(f->trust, f->ca.der.data, f->ca.der.size), 0);

	const struct http_client_config cfg = {.base_url = f->url,
					       .cert_path = identity_cert_path(f->identity),
					       .key_path = identity_key_path(f->identity),
					       .trust = f->trust};

	assert_int_equal(http_client_new(f->loop, &cfg, &f->http), 0);
	*state = f;
	return 0;
}

static int setup(void **state)
{
	return setup_with(state, -DAY, DAY);
}

static int setup_expired(void **state)
{
	return setup_with(state, -800 * DAY, -400 * DAY);
}

static int teardown(void **state)
{
	static const char *const files[] = {"key.pem", "cert.pem", "ca.pem"};
	struct fixture *f = *state;
	char path[128];

	http_client_free(f->http);
	/* what was released closes its descriptors in the next turn */
	loop_run_once(f->loop, 0);
	loop_free(f->loop);
	trust_free(f->trust);
	identity_free(f->identity);
	kill(f->server, SIGKILL);
	waitpid(f->server, NULL, 0);
	gnutls_certificate_free_credentials(f->creds);
	test_ca_done(&f->ca);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		snprintf(path, sizeof(path), "%s/%s", f->dir, files[i]);
		unlink(path);
	}
	rmdir(f->dir);
	free(f);
	return 0;
}

static void on_reply(void *user, const struct http_reply *reply)
{
	struct fixture *f = user;

	f->replies++;
	f->err = reply->err;
	f->status = reply->status;
	f->len = reply->len;
	f->sent_us = reply->sent_mono_us;
	f->recv_us = reply->recv_mono_us;
	snprintf(f->body, sizeof(f->body), "%.*s", (int) MIN(reply->len, sizeof(f->body) - 1),
		 reply->body ? (const char *) reply->body : "");
}

static void request(struct fixture *f, const char *path, const void *body, size_t len,
		    int64_t timeout_us)
{
	const struct http_request req = {.method = body ? "POST" : "GET",
					 .path = path,
					 .body = body,
					 .body_len = len,
					 .max_reply = 1000,
					 .timeout_us = timeout_us};
	struct http_call *call;
	int64_t start = clock_mono_us(loop_clock(f->loop));

	f->replies = 0;
	assert_int_equal(http_client_start(f->http, &req, on_reply, f, &call), 0);
	assert_int_equal(f->replies, 0);
	while (f->replies == 0 && clock_mono_us(loop_clock(f->loop)) - start < 20 * US_PER_SEC)
		loop_run_once(f->loop, 100);
	assert_int_equal(f->replies, 1);
}

static void get(struct fixture *f, const char *path)
{
	request(f, path, NULL, 0, 10 * US_PER_SEC);
}

/* --- tests ------------------------------------------------------------------------------------ */

static void requests_share_a_connection_and_are_timed(void **state)
{
	struct fixture *f = *state;

	get(f, "/a");
	assert_int_equal(f->err, 0);
	assert_int_equal(f->status, 200);
	assert_non_null(strstr(f->body, "served=1 certs=0"));
	get(f, "/b");
	assert_non_null(strstr(f->body, "served=2"));
	assert_true(f->recv_us >= f->sent_us && f->sent_us > 0);
	get(f, "/missing");
	assert_int_equal(f->err, 0);
	assert_int_equal(f->status, 404);
}

static void a_body_is_posted_whole(void **state)
{
	static char body[60000];
	struct fixture *f = *state;

	request(f, "/post", body, sizeof(body), 10 * US_PER_SEC);
	assert_int_equal(f->status, 200);
	assert_non_null(strstr(f->body, "body=60000"));
	request(f, "/post", "", 0, 10 * US_PER_SEC);
	assert_non_null(strstr(f->body, "body=0"));
}

static void the_client_certificate_is_shown_on_a_new_connection(void **state)
{
	struct fixture *f = *state;
	_cleanup_buf_ struct buf csr = BUF_INIT;
	time_t now = clock_real_us(loop_clock(f->loop)) / US_PER_SEC;

	get(f, "/a");
	assert_int_equal(identity_csr(f->identity, "ap", &csr), 0);

	gnutls_datum_t cert = test_ca_sign(&f->ca, csr.data, csr.len, now - DAY, now + DAY);

	assert_int_equal(
		identity_accept(f->identity, cert.data, cert.size, f->ca.der.data, f->ca.der.size),
		0);
	gnutls_free(cert.data);
	http_client_identify(f->http, true);
	get(f, "/a");
	assert_non_null(strstr(f->body, "served=1 certs=1"));
	get(f, "/a");
	assert_non_null(strstr(f->body, "served=2 certs=1"));
	/* renewed: the old connection is not used again */
	http_client_identify(f->http, true);
	get(f, "/a");
	assert_non_null(strstr(f->body, "served=1 certs=1"));
}

static void nothing_is_sent_to_a_server_of_another_ca(void **state)
{
	struct fixture *f = *state;
	struct test_ca other;
	time_t now = clock_real_us(loop_clock(f->loop)) / US_PER_SEC;

	test_ca_init(&other, now - DAY, now + DAY);
	assert_int_equal(trust_pin_ca(f->trust, other.der.data, other.der.size), 0);
	get(f, "/a");
	assert_int_equal(f->err, -ERR_TLS);
	test_ca_done(&other);
}

static void an_expired_server_is_heard_until_the_time_is_known(void **state)
{
	struct fixture *f = *state;

	get(f, "/a");
	assert_int_equal(f->status, 200);
	/* its own clock says the same: the certificate was good 500 days ago */
	assert_true(timebase_sample(&f->tb, 0, 0,
				    clock_real_us(loop_clock(f->loop)) - 500 * DAY * US_PER_SEC));
	get(f, "/a");
	assert_int_equal(f->status, 200);
}

static void a_server_that_time_says_is_expired_is_refused(void **state)
{
	struct fixture *f = *state;
	int64_t mono = clock_mono_us(loop_clock(f->loop));

	assert_true(timebase_sample(&f->tb, mono, mono, clock_real_us(loop_clock(f->loop))));
	get(f, "/a");
	assert_int_equal(f->err, -ERR_EXPIRED);
}

static void answers_are_bounded_in_size_and_time(void **state)
{
	struct fixture *f = *state;

	get(f, "/big");
	assert_int_equal(f->err, -ERR_TOO_LARGE);
	request(f, "/silent", NULL, 0, 300 * US_PER_MS);
	assert_int_equal(f->err, -ETIMEDOUT);
	get(f, "/a");
	assert_int_equal(f->status, 200);
}

static void garbage_and_half_answers_are_errors(void **state)
{
	struct fixture *f = *state;

	get(f, "/garbage");
	assert_true(f->err < 0);
	get(f, "/half");
	assert_true(f->err < 0);
	get(f, "/a");
	assert_int_equal(f->status, 200);
}

static void a_closed_port_is_refused_at_once(void **state)
{
	struct fixture *f = *state;
	struct http_client *other;
	const struct http_client_config cfg = {.base_url = "https://127.0.0.1:1",
					       .cert_path = "c",
					       .key_path = "k",
					       .trust = f->trust};
	struct http_client *mine = f->http;

	assert_int_equal(http_client_new(f->loop, &cfg, &other), 0);
	f->http = other;
	get(f, "/a");
	assert_int_equal(f->err, -ECONNREFUSED);
	f->http = mine;
	http_client_free(other);
}

static void never(void *user, const struct http_reply *reply)
{
	(void) user;
	(void) reply;
	fail();
}

static void a_cancelled_request_is_silent(void **state)
{
	struct fixture *f = *state;
	const struct http_request req = {
		.method = "GET", .path = "/silent", .max_reply = 10, .timeout_us = 10 * US_PER_SEC};
	struct http_call *call;

	assert_int_equal(http_client_start(f->http, &req, never, f, &call), 0);
	loop_run_once(f->loop, 100);
	http_call_cancel(call);
	get(f, "/a");
	assert_int_equal(f->status, 200);
	/* and one that is still open when the client goes */
	assert_int_equal(http_client_start(f->http, &req, never, f, &call), 0);
	loop_run_once(f->loop, 100);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(requests_share_a_connection_and_are_timed),
		T(a_body_is_posted_whole),
		T(the_client_certificate_is_shown_on_a_new_connection),
		T(nothing_is_sent_to_a_server_of_another_ca),
		cmocka_unit_test_setup_teardown(an_expired_server_is_heard_until_the_time_is_known,
						setup_expired, teardown),
		cmocka_unit_test_setup_teardown(a_server_that_time_says_is_expired_is_refused,
						setup_expired, teardown),
		T(answers_are_bounded_in_size_and_time),
		T(garbage_and_half_answers_are_errors),
		T(a_closed_port_is_refused_at_once),
		T(a_cancelled_request_is_silent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
