/* SPDX-License-Identifier: Apache-2.0 */
#include "common/err.h"
#include "common/log.h"
#include "controller/app.h"
#include "controller/http/http_internal.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

static const struct {
	unsigned int status;
	const char *title;
} titles[] = {
	{400, "Bad request"},
	{401, "Not signed in"},
	{403, "Forbidden"},
	{404, "Not found"},
	{405, "Method not allowed"},
	{408, "Too slow"},
	{409, "Conflict"},
	{412, "Precondition failed"},
	{413, "Too large"},
	{414, "Address too long"},
	{415, "Unsupported content type"},
	{422, "Not acceptable content"},
	{428, "Precondition required"},
	{429, "Too many attempts"},
	{500, "Internal error"},
	{503, "Not available now"},
	{507, "Disk full"},
};

static const char *title_of(unsigned int status)
{
	for (size_t i = 0; i < ARRAY_SIZE(titles); i++)
		if (titles[i].status == status)
			return titles[i].title;
	return "Error";
}

void http_set_header(struct http_request *rq, const char *name, const char *value)
{
	struct http_header *h = calloc(1, sizeof(*h));

	if (!h)
		return;
	h->name = strdup(name);
	h->value = strdup(value);
	/* A line break would start a header of the caller's choosing. */
	if (!h->name || !h->value || strpbrk(h->value, "\r\n")) {
		free(h->name);
		free(h->value);
		free(h);
		return;
	}
	h->next = rq->reply.headers;
	rq->reply.headers = h;
}

const char *http_reply_header(const struct http_request *rq, const char *name)
{
	for (const struct http_header *h = rq->reply.headers; h; h = h->next)
		if (!strcasecmp(h->name, name))
			return h->value;
	return NULL;
}

/* Lets the reply go: to the connection that waits for it, to the test that asked, or to nobody. */
void http_reply_ready(struct http_request *rq)
{
	struct http_server *s = rq->server;

	rq->replied = true;
	s->stats.by_class[MIN(rq->reply.status / 100, 5u)]++;
	log_debug("http", "listener=%s method=%d path=/%s status=%u us=%lld agent=%lld msg=reply",
		  rq->listener == HTTP_AGENTS ? "agents" : "public", (int) rq->method,
		  rq->route ? rq->route->path + 1 : "*", rq->reply.status,
		  (long long) (clock_mono_us(s->clock) - rq->start_us),
		  (long long) rq->who.agent_id);
	if (rq->finished)
		http_request_free(rq);
	else if (rq->mc)
		http_conn_resume(rq);
	else if (rq->injected && !rq->injecting)
		http_inject_complete(rq);
}

/* True when the stopping server answered for the request's owner before: this reply is dropped. */
bool http_reply_answered(struct http_request *rq)
{
	if (!rq->replied)
		return false;
	rq->forced = false;
	if (rq->finished)
		http_request_free(rq);
	return true;
}

void http_reply_buf(struct http_request *rq, unsigned int status, const char *content_type,
		    struct buf *body)
{
	if (http_reply_answered(rq)) {
		buf_done(body);
		return;
	}
	if (!buf_ok(body)) {
		/* Half a body is worse than none. */
		log_write(LOG_ERR, "http", body->err, "msg=\"reply could not be built\"");
		buf_done(body);
		status = 503;
		content_type = NULL;
	}
	rq->reply.kind = REPLY_BUF;
	rq->reply.status = status;
	rq->reply.content_type = content_type;
	rq->reply.body = *body;
	*body = BUF_INIT;
	http_reply_ready(rq);
}

void http_reply_file(struct http_request *rq, unsigned int status, const char *content_type, int fd,
		     uint64_t size)
{
	if (http_reply_answered(rq)) {
		close(fd);
		return;
	}
	rq->reply.kind = REPLY_FILE;
	rq->reply.status = status;
	rq->reply.content_type = content_type;
	rq->reply.fd = fd;
	rq->reply.size = size;
	http_reply_ready(rq);
}

static int dump_to_buf(const char *data, size_t len, void *user)
{
	struct buf *b = user;

	buf_put(b, data, len);
	return buf_ok(b) ? 0 : -1;
}

static void reply_json_as(struct http_request *rq, unsigned int status, const char *type,
			  json_t *body)
{
	struct buf b = BUF_INIT;

	if (!body || json_dump_callback(body, dump_to_buf, &b, JSON_COMPACT | JSON_ENCODE_ANY) < 0)
		b.err = -ENOMEM;
	json_decref(body);
	http_reply_buf(rq, status, type, &b);
}

void http_reply_json(struct http_request *rq, unsigned int status, json_t *body)
{
	reply_json_as(rq, status, "application/json", body);
}

void http_reply_empty(struct http_request *rq, unsigned int status)
{
	struct buf b = BUF_INIT;

	http_reply_buf(rq, status, NULL, &b);
}

static __attribute__((format(printf, 5, 0))) void problem_v(struct http_request *rq,
							    unsigned int status, const char *code,
							    json_t *errors, const char *detail,
							    va_list ap)
{
	char text[512], type[96];
	json_t *body;

	vsnprintf(text, sizeof(text), detail, ap);
	snprintf(type, sizeof(type), "urn:gondola:problem:%s", code);
	/* detail may quote the caller and be cut inside a character: json_pack would refuse it all.
	 */
	body = json_pack("{s:s,s:s,s:i,s:s,s:s*}", "type", type, "title", title_of(status),
			 "status", (int) status, "code", code, "detail", text);
	if (!body)
		body = json_pack("{s:s,s:s,s:i,s:s}", "type", type, "title", title_of(status),
				 "status", (int) status, "code", code);
	if (body && errors)
		(void) json_object_set(body, "errors", errors);
	json_decref(errors);
	reply_json_as(rq, status, "application/problem+json", body);
}

void http_problem(struct http_request *rq, unsigned int status, const char *code,
		  const char *detail, ...)
{
	va_list ap;

	va_start(ap, detail);
	problem_v(rq, status, code, NULL, detail, ap);
	va_end(ap);
}

void http_problem_errors(struct http_request *rq, unsigned int status, const char *code,
			 json_t *errors, const char *detail, ...)
{
	va_list ap;

	va_start(ap, detail);
	problem_v(rq, status, code, errors, detail, ap);
	va_end(ap);
}

static const struct {
	int err;
	unsigned int status;
	const char *code;
} err_map[] = {
	{ENOSPC, 507, "disk-full"},
	{EROFS, 507, "disk-read-only"},
	{EIO, 500, "disk-error"},
	{ENOENT, 404, "not-found"},
	{EEXIST, 409, "exists"},
	{EAGAIN, 503, "busy"},
	{EBUSY, 503, "busy"},
	{ENOMEM, 503, "no-memory"},
	{EINVAL, 400, "bad-value"},
	{ERR_BADMSG, 400, "malformed"},
	{ERR_TRUNCATED, 400, "malformed"},
	{ERR_TRAILING, 400, "malformed"},
	{ERR_TOO_LARGE, 413, "too-large"},
	{ERR_VERSION, 400, "version"},
	{ERR_RANGE, 422, "out-of-range"},
	{ERR_CHECK_DIGIT, 422, "bad-check-digit"},
	{ERR_UTF8, 422, "bad-utf8"},
	{ERR_SYNTAX, 400, "bad-syntax"},
	{ERR_AUTH, 401, "sign-in-needed"},
	{ERR_FORBIDDEN, 403, "forbidden"},
	{ERR_REVOKED, 403, "revoked"},
	{ERR_EXPIRED, 403, "expired"},
	{ERR_CONFLICT, 409, "conflict"},
	{ERR_STATE, 409, "wrong-state"},
	{ERR_CLOSED, 503, "stopping"},
};

void http_reply_err(struct http_request *rq, int err, const char *what)
{
	int code = err < 0 ? -err : err;

	for (size_t i = 0; i < ARRAY_SIZE(err_map); i++) {
		if (err_map[i].err != code)
			continue;
		http_problem(rq, err_map[i].status, err_map[i].code, "%s: %s", what, err_str(code));
		return;
	}
	log_write(LOG_ERR, "http", err, "path=%s msg=\"request failed\"",
		  rq->route ? rq->route->path : "*");
	http_problem(rq, 500, "internal", "%s: %s", what, err_str(code));
}
