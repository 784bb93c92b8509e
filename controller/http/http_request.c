/* SPDX-License-Identifier: Apache-2.0 */
#include "common/err.h"
#include "common/log.h"
#include "controller/app.h"
#include "controller/http/http_internal.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

static const char *const method_names[] = {"GET", "POST", "PUT", "PATCH", "DELETE"};

struct http_request *http_request_new(struct http_server *s, enum http_listener listener,
				      const char *raw_uri)
{
	struct http_request *rq = calloc(1, sizeof(*rq));

	if (!rq)
		return NULL;
	rq->server = s;
	rq->listener = listener;
	rq->start_us = clock_mono_us(s->clock);
	rq->who.user = "";
	rq->reply.fd = -1;
	rq->uri_err = http_uri_parse(&rq->uri, raw_uri);
	rq->next = s->requests;
	if (rq->next)
		rq->next->prev = rq;
	s->requests = rq;
	s->stats.requests++;
	return rq;
}

void http_request_free(struct http_request *rq)
{
	if (rq->prev)
		rq->prev->next = rq->next;
	else
		rq->server->requests = rq->next;
	if (rq->next)
		rq->next->prev = rq->prev;
	while (rq->reply.headers) {
		struct http_header *h = rq->reply.headers;

		rq->reply.headers = h->next;
		free(h->name);
		free(h->value);
		free(h);
	}
	if (rq->reply.fd >= 0)
		close(rq->reply.fd);
	buf_done(&rq->reply.body);
	buf_done(&rq->body);
	free(rq);
}

void http_request_finished(struct http_request *rq)
{
	if (rq->stream)
		http_stream_gone(rq->stream);
	rq->finished = true;
	rq->conn = NULL;
	rq->mc = NULL;
	/* A request that never reached its handler belongs to nobody else. */
	if ((rq->replied && !rq->forced) || rq->stage < RQ_HANDLED)
		http_request_free(rq);
}

/* --- headers ------------------------------------------------------------------------------- */

static int parse_method(const char *text, enum http_method *ret)
{
	if (!strcmp(text, "HEAD"))
		text = "GET";
	for (size_t i = 0; i < ARRAY_SIZE(method_names); i++) {
		if (!strcmp(text, method_names[i])) {
			*ret = (enum http_method) i;
			return 0;
		}
	}
	return -ERR_SYNTAX;
}

static void refuse_method(struct http_request *rq, unsigned int allow)
{
	char text[64] = "";
	size_t len = 0;

	for (size_t i = 0; i < ARRAY_SIZE(method_names); i++) {
		if (allow & (1u << i))
			len += (size_t) snprintf(text + len, sizeof(text) - len, "%s%s%s",
						 len ? ", " : "", method_names[i],
						 i == HTTP_GET ? ", HEAD" : "");
	}
	http_set_header(rq, "Allow", text);
	http_problem(rq, 405, "method-not-allowed", "This address answers to: %s.", text);
}

/* What a page on another site could make a browser do with a cookie: nothing. */
static bool is_cross_site(struct http_request *rq)
{
	const char *site = http_header(rq, "Sec-Fetch-Site");
	const char *origin = http_header(rq, "Origin");
	const char *host = http_header(rq, "Host");

	if (site)
		return strcmp(site, "same-origin") && strcmp(site, "none");
	if (!origin)
		return false;
	return strncmp(origin, "https://", 8) || !host || strcasecmp(origin + 8, host);
}

static bool content_type_is(const struct http_request *rq, const char *type)
{
	const char *have = http_header(rq, "Content-Type");
	size_t len = strlen(type);

	return have && !strncasecmp(have, type, len) && strchr("; \t", have[len]);
}

/* The rule against cross-site requests. DELETE, PUT and PATCH without a body cannot be sent by a
 * plain form; a POST can, and must say a type that a form has not. */
static bool pass_cross_site_rule(struct http_request *rq, bool has_body)
{
	if (rq->listener != HTTP_PUBLIC || rq->method == HTTP_GET)
		return true;
	if (is_cross_site(rq)) {
		http_problem(rq, 403, "cross-site",
			     "The request comes from a page of another site.");
		return false;
	}
	if (!has_body && rq->method != HTTP_POST)
		return true;
	if (content_type_is(rq, "application/json") || content_type_is(rq, "text/csv"))
		return true;
	http_problem(rq, 403, "content-type",
		     "Content-Type must be application/json (text/csv for an import).");
	return false;
}

static void refuse_stranger(struct http_request *rq, int err)
{
	switch (err) {
	case -ERR_REVOKED:
		http_problem(rq, 403, "revoked", "This agent's certificate has been revoked.");
		break;
	case -ERR_EXPIRED:
		http_problem(rq, 401, "expired", "The certificate or session has expired.");
		break;
	default:
		if (rq->listener == HTTP_AGENTS)
			http_problem(rq, 401, "no-agent-certificate",
				     "A client certificate of this store's authority is needed.");
		else
			http_problem(rq, 401, "sign-in-needed", "Sign in first.");
	}
}

static void adopt_who(struct http_request *rq, const struct http_who *who)
{
	rq->who = *who;
	snprintf(rq->user_name, sizeof(rq->user_name), "%s", who->user ? who->user : "");
	rq->who.user = rq->user_name;
	if (who->session) {
		memcpy(rq->session, who->session, sizeof(rq->session));
		rq->who.session = rq->session;
	}
}

static bool establish_caller(struct http_request *rq)
{
	struct http_server *s = rq->server;
	http_identify_fn identify = s->identify[rq->listener];
	struct http_who who = {.user = ""};
	int err = -ERR_AUTH;

	if (rq->injected && rq->inject.who) {
		who = *rq->inject.who;
		err = 0;
	} else if (identify) {
		err = identify(s->identify_user[rq->listener], rq, &who);
	}
	if (err == 0)
		adopt_who(rq, &who);
	if ((rq->who.perms & rq->route->perm) == rq->route->perm)
		return true;
	if (err < 0)
		refuse_stranger(rq, err);
	else
		http_problem(rq, 403, "forbidden", "Your role does not permit this.");
	return false;
}

static bool parse_length(const char *text, uint64_t *ret)
{
	char *end;

	if (text[0] < '0' || text[0] > '9' || strlen(text) > 18)
		return false;
	*ret = strtoull(text, &end, 10);
	return *end == '\0';
}

/* One piece of memory for a body of a usual size. More than that is believed when it comes. */
static void reserve_body(struct http_request *rq, uint64_t len)
{
	size_t n = (size_t) MIN(len, (uint64_t) HTTP_RESERVE_BYTES);

	if (n && buf_extend(&rq->body, n))
		rq->body.len = 0;
}

static bool pass_length(struct http_request *rq, bool *ret_has_body)
{
	const char *text = http_header(rq, "Content-Length");
	uint64_t len = 0;

	if (text && !parse_length(text, &len)) {
		http_problem(rq, 400, "bad-length", "Content-Length is not a number.");
		return false;
	}
	*ret_has_body = len > 0 || http_header(rq, "Transfer-Encoding");
	if (len <= rq->max_body) {
		reserve_body(rq, len);
		return true;
	}
	http_problem(rq, 413, "too-large", "The body may have at most %zu bytes.", rq->max_body);
	return false;
}

static bool find_route(struct http_request *rq, const char *method)
{
	unsigned int allow;

	if (rq->uri_err == -ERR_TOO_LARGE) {
		http_problem(rq, 414, "uri-too-long", "The address is too long.");
		return false;
	}
	if (rq->uri_err < 0) {
		http_problem(rq, 400, "bad-uri", "The address is malformed.");
		return false;
	}
	if (parse_method(method, &rq->method) < 0) {
		http_problem(rq, 405, "method-not-allowed", "Unknown method.");
		return false;
	}
	rq->route = http_route_find(&rq->server->routes, rq->listener, rq->method, &rq->uri,
				    rq->args, &allow);
	if (rq->route)
		return true;
	if (allow)
		refuse_method(rq, allow);
	else if (rq->listener != HTTP_PUBLIC || !rq->server->fallback || rq->method != HTTP_GET)
		http_problem(rq, 404, "not-found", "There is nothing at this address.");
	else
		return true;
	return false;
}

void http_request_begin(struct http_request *rq, const char *method)
{
	bool has_body = false;

	rq->stage = RQ_BODY;
	if (rq->server->stopping) {
		http_problem(rq, 503, "stopping", "The controller is stopping.");
		return;
	}
	if (!find_route(rq, method))
		return;
	rq->max_body = rq->route && rq->route->max_body ? rq->route->max_body : HTTP_DEFAULT_BODY;
	buf_init(&rq->body, rq->max_body);
	if (rq->route && !establish_caller(rq))
		return;
	if (!pass_length(rq, &has_body))
		return;
	(void) pass_cross_site_rule(rq, has_body);
}

/* --- body ---------------------------------------------------------------------------------- */

bool http_request_body(struct http_request *rq, const char *data, size_t len)
{
	if (!rq->replied) {
		buf_put(&rq->body, data, len);
		if (buf_ok(&rq->body))
			return true;
		if (rq->body.err == -ENOMEM)
			http_problem(rq, 503, "no-memory", "The controller is out of memory.");
		else
			http_problem(rq, 413, "too-large", "The body may have at most %zu bytes.",
				     rq->max_body);
		buf_done(&rq->body);
	}
	rq->dropped += len;
	return rq->dropped <= HTTP_DRAIN_BYTES;
}

void http_request_dispatch(struct http_request *rq)
{
	rq->stage = RQ_HANDLED;
	if (rq->replied)
		return;
	if (rq->route)
		rq->route->handler(rq, rq->server->app);
	else
		rq->server->fallback(rq, rq->server->app);
}

/* --- what handlers ask --------------------------------------------------------------------- */

const char *http_arg(const struct http_request *rq, size_t i)
{
	return i < HTTP_ARGS_MAX ? rq->args[i] : NULL;
}

const char *http_query(const struct http_request *rq, const char *name)
{
	return http_uri_query(&rq->uri, name);
}

static const char *injected_header(const struct http_request *rq, const char *name)
{
	const char *const *h = rq->inject.headers;

	for (; h && h[0]; h += 2)
		if (!strcasecmp(h[0], name))
			return h[1];
	return NULL;
}

const char *http_header(const struct http_request *rq, const char *name)
{
	return rq->injected ? injected_header(rq, name) : http_conn_header(rq, name);
}

bool http_query_int(struct http_request *rq, const char *name, int64_t def, int64_t min,
		    int64_t max, int64_t *ret)
{
	const char *text = http_query(rq, name);
	char *end;
	long long v;

	if (!text) {
		*ret = def;
		return true;
	}
	errno = 0;
	v = strtoll(text, &end, 10);
	if (errno || end == text || *end || strchr(" \t+", text[0]) || v < min || v > max) {
		http_problem(rq, 400, "bad-number", "%s must be a whole number from %lld to %lld.",
			     name, (long long) min, (long long) max);
		return false;
	}
	*ret = v;
	return true;
}

const uint8_t *http_body(const struct http_request *rq, size_t *ret_len)
{
	*ret_len = rq->body.len;
	return rq->body.data;
}

enum http_method http_method(const struct http_request *rq)
{
	return rq->method;
}

size_t http_path(const struct http_request *rq, const char *const **ret_segments)
{
	*ret_segments = rq->uri.segments;
	return rq->uri.n_segments;
}

const char *http_remote(const struct http_request *rq)
{
	if (rq->injected)
		return rq->inject.remote ? rq->inject.remote : "127.0.0.1";
	return rq->conn ? rq->conn->remote : "";
}

const struct http_who *http_who(const struct http_request *rq)
{
	return &rq->who;
}

/* jansson recurses: bound the nesting before it starts. */
static bool depth_is_bounded(const uint8_t *data, size_t len)
{
	size_t depth = 0;
	bool in_string = false;

	for (size_t i = 0; i < len; i++) {
		if (in_string) {
			if (data[i] == '\\')
				i++;
			else if (data[i] == '"')
				in_string = false;
		} else if (data[i] == '"') {
			in_string = true;
		} else if (data[i] == '{' || data[i] == '[') {
			if (++depth > HTTP_JSON_DEPTH)
				return false;
		} else if ((data[i] == '}' || data[i] == ']') && depth > 0) {
			depth--;
		}
	}
	return true;
}

json_t *http_json(struct http_request *rq)
{
	json_error_t e;
	json_t *root;

	if (!content_type_is(rq, "application/json")) {
		http_problem(rq, 415, "not-json", "Content-Type must be application/json.");
		return NULL;
	}
	if (!depth_is_bounded(rq->body.data, rq->body.len)) {
		http_problem(rq, 400, "bad-json", "The JSON text is nested too deeply.");
		return NULL;
	}
	root = json_loadb((const char *) rq->body.data, rq->body.len, JSON_REJECT_DUPLICATES, &e);
	if (!root) {
		http_problem_errors(rq, 400, "bad-json",
				    json_pack("[{s:i,s:i,s:s,s:s}]", "line", MAX(e.line, 1),
					      "column", MAX(e.column, 1), "code", "bad-json",
					      "detail", e.text),
				    "The body is not valid JSON.");
		return NULL;
	}
	if (!json_is_object(root)) {
		json_decref(root);
		http_problem(rq, 400, "bad-json", "The body must be a JSON object.");
		return NULL;
	}
	return root;
}

bool http_arg_id(struct http_request *rq, size_t i, int64_t *ret)
{
	const char *text = http_arg(rq, i);
	int64_t v = 0;

	for (const char *p = text; *p; p++) {
		if (*p < '0' || *p > '9' || v > INT64_MAX / 10 - 1) {
			http_problem(rq, 404, "not-found", "There is no such thing.");
			return false;
		}
		v = v * 10 + (*p - '0');
	}
	*ret = v;
	return true;
}
