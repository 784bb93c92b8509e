/* SPDX-License-Identifier: Apache-2.0 */
#include "common/err.h"
#include "controller/ctl/ctl.h"
#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define MAX_REPLY (256u << 20)
#define CONNECT_S 10L
#define TIMEOUT_S 600L

struct transfer {
	CURL *curl;
	const struct ctl_request *rq;
	struct ctl_reply *reply;
};

static size_t on_body(char *data, size_t size, size_t n, void *user)
{
	struct transfer *t = user;

	(void) size;
	if (t->rq->piece) {
		long status = 0;

		/* A refusal is for print.c, not for who takes the pieces. */
		curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &status);
		if (status < 400)
			return t->rq->piece(t->rq->user, data, n) ? n : 0;
	}
	buf_put(&t->reply->raw, data, n);
	return buf_ok(&t->reply->raw) ? n : 0;
}

/* Keeps "name=value" of the session cookie, without its attributes. */
static size_t on_header(char *data, size_t size, size_t n, void *user)
{
	static const char prefix[] = "set-cookie:";
	struct transfer *t = user;

	(void) size;
	if (n > sizeof(prefix) && strncasecmp(data, prefix, sizeof(prefix) - 1) == 0) {
		const char *from = data + sizeof(prefix) - 1, *end = data + n;

		while (from < end && *from == ' ')
			from++;
		size_t len = 0;

		while (from + len < end && from[len] != ';' && from[len] != '\r' &&
		       from[len] != '\n')
			len++;
		if (len < sizeof(t->reply->cookie)) {
			memcpy(t->reply->cookie, from, len);
			t->reply->cookie[len] = 0;
		}
	}
	return n;
}

static struct curl_slist *headers_of(const struct ctl *c, const struct ctl_request *rq)
{
	struct curl_slist *list = NULL;
	char line[320];

	if (rq->body) {
		snprintf(line, sizeof(line), "Content-Type: %s",
			 rq->content_type ? rq->content_type : "application/json");
		list = curl_slist_append(list, line);
	}
	if (rq->if_match) {
		snprintf(line, sizeof(line), "If-Match: %.200s", rq->if_match);
		list = curl_slist_append(list, line);
	}
	if (c->token) {
		snprintf(line, sizeof(line), "Authorization: Bearer %s", c->token);
		list = curl_slist_append(list, line);
	} else if (c->cookie[0]) {
		snprintf(line, sizeof(line), "Cookie: %s", c->cookie);
		list = curl_slist_append(list, line);
	}
	/* No waiting for "100 Continue" before a large import. */
	return curl_slist_append(list, "Expect:");
}

static void explain(const struct ctl *c, CURLcode rc)
{
	fprintf(stderr, "gondolactl: cannot reach %s: %s\n", c->url, curl_easy_strerror(rc));
	if (rc == CURLE_PEER_FAILED_VERIFICATION || rc == CURLE_SSL_CACERT_BADFILE)
		fprintf(stderr, "Give the store's own authority with --ca FILE or GONDOLA_CA "
				"(ca/ca.pem in the controller's state directory).\n");
}

static void set_options(CURL *h, const struct ctl *c, const struct ctl_request *rq,
			struct transfer *t)
{
	curl_easy_setopt(h, CURLOPT_CUSTOMREQUEST, rq->method);
	curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(h, CURLOPT_WRITEDATA, t);
	curl_easy_setopt(h, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(h, CURLOPT_HEADERDATA, t);
	curl_easy_setopt(h, CURLOPT_CONNECTTIMEOUT, CONNECT_S);
	curl_easy_setopt(h, CURLOPT_TIMEOUT, rq->piece ? 0L : TIMEOUT_S);
	curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR, "https");
	curl_easy_setopt(h, CURLOPT_SSLVERSION, (long) CURL_SSLVERSION_TLSv1_2);
	if (c->ca) {
		/* Only the store's own authority, not the hundred that the system knows. */
		curl_easy_setopt(h, CURLOPT_CAPATH, NULL);
		curl_easy_setopt(h, CURLOPT_CAINFO, c->ca);
	}
	if (rq->body) {
		curl_easy_setopt(h, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t) rq->body_len);
		curl_easy_setopt(h, CURLOPT_POSTFIELDS, rq->body);
	}
}

static void parse_json(struct ctl_reply *r, const char *type)
{
	if (type && strstr(type, "json") && r->raw.len)
		r->body = json_loadb((const char *) r->raw.data, r->raw.len, 0, NULL);
}

int ctl_send(const struct ctl *c, const struct ctl_request *rq, struct ctl_reply *ret)
{
	_cleanup_buf_ struct buf url = BUF_INIT;
	CURL *h = curl_easy_init();
	struct transfer t = {h, rq, ret};

	*ret = (struct ctl_reply){0};
	buf_init(&ret->raw, MAX_REPLY);
	buf_printf(&url, "%s%s", c->url, rq->path);
	buf_put_u8(&url, 0);
	if (!h || !buf_ok(&url)) {
		curl_easy_cleanup(h);
		return -ENOMEM;
	}
	struct curl_slist *headers = headers_of(c, rq);

	set_options(h, c, rq, &t);
	curl_easy_setopt(h, CURLOPT_URL, (const char *) url.data);
	curl_easy_setopt(h, CURLOPT_HTTPHEADER, headers);
	CURLcode rc = curl_easy_perform(h);

	if (rc == CURLE_OK) {
		const char *type = NULL;

		curl_easy_getinfo(h, CURLINFO_RESPONSE_CODE, &ret->status);
		curl_easy_getinfo(h, CURLINFO_CONTENT_TYPE, &type);
		parse_json(ret, type);
	} else if (!(rq->piece && rc == CURLE_WRITE_ERROR)) {
		explain(c, rc);
	}
	curl_slist_free_all(headers);
	curl_easy_cleanup(h);
	return rc == CURLE_OK ? 0 : -ERR_CLOSED;
}

void ctl_reply_done(struct ctl_reply *r)
{
	json_decref(r->body);
	buf_done(&r->raw);
	*r = (struct ctl_reply){0};
}

void ctl_escape(struct buf *out, const char *text)
{
	static const char plain[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

	for (; *text; text++) {
		if (strchr(plain, *text))
			buf_put(out, text, 1);
		else
			buf_printf(out, "%%%02X", (unsigned char) *text);
	}
}
