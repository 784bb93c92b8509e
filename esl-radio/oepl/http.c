/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests by libcurl, and the feed over a socket that libcurl connects. An access point knows
 * neither TLS nor users: there is nothing to verify, and nothing here that may be trusted. It is
 * never followed elsewhere.
 */
#include "common/buf.h"
#include "common/curl_loop.h"
#include "common/err.h"
#include "esl-radio/oepl/net.h"
#include "esl-radio/oepl/ws.h"
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define CONNECT_MS 10000L
#define KEEP       2L
#define FIELDS_MAX (size_t)(4u << 20)
#define URL_MAX    512

struct oepl_http {
	struct oepl_net net;
	struct loop *loop;
	struct curl_loop *curl;
	char base[URL_MAX / 2];
	struct oepl_net_callbacks cb;
	void *user;
	CURL *call; /* the request under way */
	curl_mime *form;
	struct buf body, reply;
	CURL *line; /* whose socket the feed runs over */
	struct ws *ws;
};

static struct oepl_http *http_of(struct oepl_net *n)
{
	return (struct oepl_http *) n;
}

int oepl_url_check(const char *url)
{
	static const char in_host[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
	char *end;
	unsigned long port;
	size_t host;

	if (strncmp(url, "http://", 7) != 0 || strlen(url) >= URL_MAX / 2)
		return -ERR_SYNTAX;
	url += 7;
	if (*url == '[') {
		host = strspn(url + 1, "0123456789abcdefABCDEF:.");
		if (host < 2 || url[host + 1] != ']')
			return -ERR_SYNTAX;
		url += host + 2;
	} else {
		host = strspn(url, in_host);
		if (!host)
			return -ERR_SYNTAX;
		url += host;
	}
	if (!*url)
		return 0;
	if (*url++ != ':' || !isdigit((unsigned char) *url))
		return -ERR_SYNTAX;
	port = strtoul(url, &end, 10);
	return *end || port < 1 || port > UINT16_MAX ? -ERR_SYNTAX : 0;
}

/* --- requests --------------------------------------------------------------------------------- */

static size_t on_body(char *data, size_t size, size_t n, void *user)
{
	struct oepl_http *h = user;

	buf_put(&h->reply, data, size * n);
	return buf_ok(&h->reply) ? size * n : 0;
}

static void end_call(struct oepl_http *h)
{
	if (!h->call)
		return;
	curl_loop_remove(h->curl, h->call);
	curl_easy_cleanup(h->call);
	curl_mime_free(h->form);
	h->call = NULL;
	h->form = NULL;
}

static void call_done(struct oepl_http *h, CURLcode code)
{
	struct oepl_reply reply = {0};
	_cleanup_buf_ struct buf body = h->reply;
	long status = 0;

	h->reply = BUF_INIT;
	if (code != CURLE_OK) {
		reply.err = buf_ok(&body) ? curl_loop_error(code) : body.err;
	} else {
		curl_easy_getinfo(h->call, CURLINFO_RESPONSE_CODE, &status);
		reply.status = (unsigned int) status;
		reply.body = body.data;
		reply.len = body.len;
	}
	end_call(h);
	h->cb.reply(h->user, &reply);
}

static CURLcode set_common(CURL *e, const char *url)
{
	CURLcode r = curl_easy_setopt(e, CURLOPT_URL, url);

	r |= curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http");
	r |= curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long) CURL_HTTP_VERSION_1_1);
	r |= curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L);
	r |= curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	r |= curl_easy_setopt(e, CURLOPT_NOPROXY, "*");
	r |= curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS);
	return r;
}

/** name=value&...: what its firmware takes for everything but files. */
static CURLcode set_fields(struct oepl_http *h, const struct oepl_request *req)
{
	CURLcode r;

	buf_clear(&h->body);
	for (size_t i = 0; i < req->n_fields; i++) {
		const struct oepl_field *f = &req->fields[i];
		char *value = curl_easy_escape(h->call, f->data, (int) f->len);

		buf_printf(&h->body, "%s%s=%s", i ? "&" : "", f->name, value ? value : "");
		if (!value)
			return CURLE_OUT_OF_MEMORY;
		curl_free(value);
	}
	if (!buf_ok(&h->body))
		return CURLE_OUT_OF_MEMORY;
	r = curl_easy_setopt(h->call, CURLOPT_POST, 1L);
	r |= curl_easy_setopt(h->call, CURLOPT_POSTFIELDSIZE, (long) h->body.len);
	return r | curl_easy_setopt(h->call, CURLOPT_POSTFIELDS, (char *) h->body.data);
}

/** In the order given: the firmware wants to know whose picture it is before the picture comes. */
static CURLcode set_form(struct oepl_http *h, const struct oepl_request *req)
{
	CURLcode r = CURLE_OK;

	h->form = curl_mime_init(h->call);
	for (size_t i = 0; h->form && i < req->n_fields; i++) {
		const struct oepl_field *f = &req->fields[i];
		curl_mimepart *part = curl_mime_addpart(h->form);

		if (!part)
			return CURLE_OUT_OF_MEMORY;
		r |= curl_mime_name(part, f->name);
		r |= curl_mime_data(part, f->data, f->len);
		if (f->filename) {
			r |= curl_mime_filename(part, f->filename);
			r |= curl_mime_type(part, "image/jpeg");
		}
	}
	if (!h->form)
		return CURLE_OUT_OF_MEMORY;
	return r | curl_easy_setopt(h->call, CURLOPT_MIMEPOST, h->form);
}

static bool has_file(const struct oepl_request *req)
{
	for (size_t i = 0; i < req->n_fields; i++)
		if (req->fields[i].filename)
			return true;
	return false;
}

static int http_request(struct oepl_net *n, const struct oepl_request *req)
{
	struct oepl_http *h = http_of(n);
	char url[URL_MAX];
	int len = snprintf(url, sizeof(url), "%s%s", h->base, req->path);
	CURLcode r;

	if (h->call)
		return -ERR_STATE;
	if (len < 0 || (size_t) len >= sizeof(url))
		return -ERR_TOO_LARGE;
	h->call = curl_easy_init();
	if (!h->call)
		return -ENOMEM;
	buf_done(&h->reply);
	buf_init(&h->reply, req->max_reply);
	r = set_common(h->call, url);
	r |= curl_easy_setopt(h->call, CURLOPT_TIMEOUT_MS, (long) (req->timeout_us / US_PER_MS));
	r |= curl_easy_setopt(h->call, CURLOPT_WRITEFUNCTION, on_body);
	r |= curl_easy_setopt(h->call, CURLOPT_WRITEDATA, h);
	if (req->n_fields)
		r |= has_file(req) ? set_form(h, req) : set_fields(h, req);
	if (r != CURLE_OK || curl_loop_add(h->curl, h->call, h->call) < 0) {
		end_call(h);
		return -ENOMEM;
	}
	return 0;
}

/* --- the feed --------------------------------------------------------------------------------- */

static void end_line(struct oepl_http *h)
{
	ws_free(h->ws);
	h->ws = NULL;
	if (h->line) {
		curl_loop_remove(h->curl, h->line);
		curl_easy_cleanup(h->line);
	}
	h->line = NULL;
}

static void feed_up(void *user)
{
	struct oepl_http *h = user;

	h->cb.feed(h->user, true);
}

static void feed_message(void *user, const uint8_t *text, size_t len)
{
	struct oepl_http *h = user;

	h->cb.message(h->user, text, len);
}

static void feed_down(void *user, int err)
{
	struct oepl_http *h = user;

	(void) err;
	end_line(h);
	h->cb.feed(h->user, false);
}

static void line_done(struct oepl_http *h, CURLcode code)
{
	static const struct ws_callbacks cb = {
		.up = feed_up, .message = feed_message, .down = feed_down};
	curl_socket_t fd = CURL_SOCKET_BAD;

	if (code == CURLE_OK)
		curl_easy_getinfo(h->line, CURLINFO_ACTIVESOCKET, &fd);
	if (fd == CURL_SOCKET_BAD ||
	    ws_new(h->loop, fd, h->base + strlen("http://"), "/ws", &cb, h, &h->ws) < 0)
		feed_down(h, -ERR_CLOSED);
}

static int http_listen(struct oepl_net *n, bool on)
{
	struct oepl_http *h = http_of(n);

	if (!on) {
		end_line(h);
		return 0;
	}
	if (h->line)
		return -ERR_STATE;
	h->line = curl_easy_init();
	if (!h->line)
		return -ENOMEM;
	if (set_common(h->line, h->base) != CURLE_OK ||
	    curl_easy_setopt(h->line, CURLOPT_CONNECT_ONLY, 1L) != CURLE_OK ||
	    curl_easy_setopt(h->line, CURLOPT_FRESH_CONNECT, 1L) != CURLE_OK ||
	    curl_loop_add(h->curl, h->line, h->line) < 0) {
		end_line(h);
		return -ENOMEM;
	}
	return 0;
}

/* --- life ------------------------------------------------------------------------------------- */

static void on_done(void *user, void *mine, CURLcode code)
{
	struct oepl_http *h = user;

	if (mine == h->call)
		call_done(h, code);
	else if (mine == h->line)
		line_done(h, code);
}

static void http_set(struct oepl_net *n, const struct oepl_net_callbacks *cb, void *user)
{
	struct oepl_http *h = http_of(n);

	h->cb = *cb;
	h->user = user;
}

static void http_free(struct oepl_net *n)
{
	struct oepl_http *h = http_of(n);

	end_call(h);
	end_line(h);
	curl_loop_free(h->curl);
	buf_done(&h->body);
	buf_done(&h->reply);
	free(h);
}

int oepl_net_http(struct loop *loop, const char *url, struct oepl_net **ret)
{
	static const struct oepl_net_ops ops = {
		.set = http_set, .request = http_request, .listen = http_listen, .free = http_free};
	struct oepl_http *h;
	int r = oepl_url_check(url);

	if (r < 0)
		return r;
	h = calloc(1, sizeof(*h));
	if (!h)
		return -ENOMEM;
	h->net.ops = &ops;
	h->loop = loop;
	(void) snprintf(h->base, sizeof(h->base), "%s", url);
	buf_init(&h->body, FIELDS_MAX);
	r = curl_loop_new(loop, KEEP, on_done, h, &h->curl);
	if (r < 0) {
		http_free(&h->net);
		return r;
	}
	*ret = &h->net;
	return 0;
}
