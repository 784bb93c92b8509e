/* SPDX-License-Identifier: Apache-2.0 */
#include "ap-agent/http_client.h"
#include "common/curl_loop.h"
#include "common/err.h"
#include "common/log.h"
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#define CONNECT_TIMEOUT_MS 15000L
#define MAX_CONNECTIONS    4L
#define RECEIVE_BUFFER     8192L
#define WHY_MAX            192

struct http_client {
	struct loop *loop;
	const struct clock *clock;
	struct http_client_config cfg;
	char host[256];
	struct curl_loop *curl;
	struct http_call *calls;
	struct curl_slist *post_headers;
	bool identified;
	bool other; /**< spell the file names the other way, see http_client_identify() */
	char cert[2][PATH_MAX + 3];
	char key[2][PATH_MAX + 3];
};

struct http_call {
	struct http_client *client;
	struct http_call *next;
	CURL *easy;
	struct buf body;
	struct buf reply;
	http_fn fn;
	void *user;
	int64_t sent_mono_us;
	int64_t recv_mono_us;
	int err; /**< our own refusal: trust, size */
	char why[WHY_MAX];
};

/* --- one request ------------------------------------------------------------------------------ */

static size_t on_body(char *data, size_t size, size_t n, void *user)
{
	struct http_call *call = user;

	buf_put(&call->reply, data, size * n);
	if (!buf_ok(&call->reply)) {
		call->err = call->reply.err;
		snprintf(call->why, sizeof(call->why), "the answer is longer than expected");
		return 0;
	}
	return size * n;
}

static size_t on_header(char *data, size_t size, size_t n, void *user)
{
	struct http_call *call = user;

	(void) data;
	if (call->recv_mono_us == 0)
		call->recv_mono_us = clock_mono_us(call->client->clock);
	return size * n;
}

/* After the handshake, before the request: the place where the server is believed or not. */
static int on_connected(void *user, char *ip, char *local_ip, int port, int local_port)
{
	struct http_call *call = user;
	struct curl_tlssessioninfo *tls = NULL;
	const gnutls_datum_t *chain = NULL;
	unsigned int n = 0;

	(void) ip;
	(void) local_ip;
	(void) port;
	(void) local_port;
	if (curl_easy_getinfo(call->easy, CURLINFO_TLS_SSL_PTR, &tls) == CURLE_OK && tls &&
	    tls->backend == CURLSSLBACKEND_GNUTLS && tls->internals)
		chain = gnutls_certificate_get_peers(tls->internals, &n);
	call->err = trust_check(call->client->cfg.trust, chain, n, call->client->host, call->why,
				sizeof(call->why));
	if (call->err < 0)
		return CURL_PREREQFUNC_ABORT;
	call->sent_mono_us = clock_mono_us(call->client->clock);
	call->recv_mono_us = 0;
	return CURL_PREREQFUNC_OK;
}

static void call_free(struct http_call *call)
{
	for (struct http_call **p = &call->client->calls; *p; p = &(*p)->next) {
		if (*p == call) {
			*p = call->next;
			break;
		}
	}
	if (call->easy) {
		curl_loop_remove(call->client->curl, call->easy);
		curl_easy_cleanup(call->easy);
	}
	buf_done(&call->body);
	buf_done(&call->reply);
	free(call);
}

static void on_done(void *user, void *mine, CURLcode code)
{
	struct http_call *call = mine;
	struct http_reply reply = {.why = ""};
	long status = 0;

	(void) user;
	if (code != CURLE_OK) {
		reply.err = call->err ? call->err : curl_loop_error(code);
		reply.why = call->why[0] ? call->why : curl_easy_strerror(code);
	} else {
		curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
		reply.status = (unsigned int) status;
		reply.body = call->reply.data;
		reply.len = call->reply.len;
		reply.sent_mono_us = call->sent_mono_us;
		reply.recv_mono_us = call->recv_mono_us;
	}
	call->fn(call->user, &reply);
	call_free(call);
}

static CURLcode set_tls(struct http_client *c, CURL *e)
{
	CURLcode r = curl_easy_setopt(e, CURLOPT_SSLVERSION, (long) CURL_SSLVERSION_TLSv1_2);

	/* Verification is ours, in on_connected(): libcurl's own would ask this machine's clock.
	 * And the machine's CA directory would cost 7 MB of memory. */
	r |= curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, 0L);
	r |= curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, 0L);
	r |= curl_easy_setopt(e, CURLOPT_CAINFO, NULL);
	r |= curl_easy_setopt(e, CURLOPT_CAPATH, NULL);
	r |= curl_easy_setopt(e, CURLOPT_SSL_SESSIONID_CACHE, 0L);
	if (c->identified) {
		r |= curl_easy_setopt(e, CURLOPT_SSLCERT, c->cert[c->other]);
		r |= curl_easy_setopt(e, CURLOPT_SSLKEY, c->key[c->other]);
	}
	return r;
}

static CURLcode set_call(struct http_call *call, const char *url, const struct http_request *req)
{
	struct http_client *c = call->client;
	CURL *e = call->easy;
	CURLcode r = set_tls(c, e);

	r |= curl_easy_setopt(e, CURLOPT_URL, url);
	r |= curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "https");
	r |= curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long) CURL_HTTP_VERSION_1_1);
	r |= curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	r |= curl_easy_setopt(e, CURLOPT_NOPROXY, "*");
	r |= curl_easy_setopt(e, CURLOPT_TCP_KEEPALIVE, 1L);
	r |= curl_easy_setopt(e, CURLOPT_BUFFERSIZE, RECEIVE_BUFFER);
	r |= curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS);
	r |= curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, (long) (req->timeout_us / US_PER_MS));
	r |= curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body);
	r |= curl_easy_setopt(e, CURLOPT_WRITEDATA, call);
	r |= curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_header);
	r |= curl_easy_setopt(e, CURLOPT_HEADERDATA, call);
	r |= curl_easy_setopt(e, CURLOPT_PREREQFUNCTION, on_connected);
	r |= curl_easy_setopt(e, CURLOPT_PREREQDATA, call);
	if (strcmp(req->method, "POST") == 0) {
		r |= curl_easy_setopt(e, CURLOPT_POST, 1L);
		r |= curl_easy_setopt(e, CURLOPT_POSTFIELDS,
				      call->body.data ? (char *) call->body.data : "");
		r |= curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE, (long) call->body.len);
		r |= curl_easy_setopt(e, CURLOPT_HTTPHEADER, c->post_headers);
	}
	return r;
}

int http_client_start(struct http_client *c, const struct http_request *req, http_fn fn, void *user,
		      struct http_call **ret)
{
	char url[1024];
	int n = snprintf(url, sizeof(url), "%s%s", c->cfg.base_url, req->path);

	if (n < 0 || (size_t) n >= sizeof(url))
		return -ERR_TOO_LARGE;

	struct http_call *call = calloc(1, sizeof(*call));

	if (!call)
		return -ENOMEM;
	call->client = c;
	call->fn = fn;
	call->user = user;
	call->next = c->calls;
	c->calls = call;
	buf_init(&call->reply, req->max_reply);
	buf_put(&call->body, req->body, req->body_len);
	call->easy = curl_easy_init();
	if (!call->easy || !buf_ok(&call->body) || set_call(call, url, req) != CURLE_OK ||
	    curl_loop_add(c->curl, call->easy, call) < 0) {
		call_free(call);
		return -ENOMEM;
	}
	*ret = call;
	return 0;
}

void http_call_cancel(struct http_call *call)
{
	if (call)
		call_free(call);
}

/* --- the client ------------------------------------------------------------------------------- */

/* The name the certificate must be for: between "https://" and the port. */
static int parse_host(struct http_client *c)
{
	const char *at = c->cfg.base_url;

	if (strncmp(at, "https://", 8) != 0)
		return -ERR_CONFIG;
	at += 8;

	size_t len = strcspn(at, ":/");

	if (*at == '[') {
		at++;
		len = strcspn(at, "]");
	}
	if (len == 0 || len >= sizeof(c->host))
		return -ERR_CONFIG;
	memcpy(c->host, at, len);
	return 0;
}

int http_client_new(struct loop *loop, const struct http_client_config *cfg,
		    struct http_client **ret)
{
	struct http_client *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	c->loop = loop;
	c->clock = loop_clock(loop);
	c->cfg = *cfg;

	int r = parse_host(c);

	if (r == 0)
		r = curl_loop_new(loop, MAX_CONNECTIONS, on_done, c, &c->curl);
	if (r == 0) {
		c->post_headers = curl_slist_append(NULL, "Content-Type: application/cbor");
		if (!c->post_headers || !curl_slist_append(c->post_headers, "Expect:"))
			r = -ENOMEM;
	}
	if (r < 0) {
		http_client_free(c);
		return r;
	}
	*ret = c;
	return 0;
}

void http_client_free(struct http_client *c)
{
	if (!c)
		return;
	while (c->calls)
		call_free(c->calls);
	curl_loop_free(c->curl);
	curl_slist_free_all(c->post_headers);
	free(c);
}

/* libcurl keeps connections apart by the name of the certificate file, not by its content. Naming
 * the same file in another way keeps new requests off the connections that showed the old
 * certificate; those die of idleness. */
static void spell(char to[2][PATH_MAX + 3], const char *path)
{
	snprintf(to[0], sizeof(to[0]), "%.4000s", path);
	snprintf(to[1], sizeof(to[1]), "%s%.4000s", path[0] == '/' ? "/." : "./", path);
}

void http_client_identify(struct http_client *c, bool on)
{
	spell(c->cert, c->cfg.cert_path);
	spell(c->key, c->cfg.key_path);
	c->identified = on;
	c->other = !c->other;
}
