/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The HTTP seam: the only door to libmicrohttpd. Two TLS listeners on the loop thread, a route
 * table, and requests that are answered exactly once, at once or later.
 *
 * A handler runs on the loop thread after the whole body has arrived and its caller has been
 * established and permitted. It either replies before it returns, or keeps the request and replies
 * later from the loop thread (the connection is suspended meanwhile); the request stays valid until
 * it has been replied to, even when the client is gone. Nothing commits in a handler: use
 * db_write().
 */
#pragma once

#include "common/buf.h"
#include "common/loop.h"
#include "controller/perm.h"
#include <jansson.h>

struct http_server;
struct http_request;
struct app;

enum http_method {
	HTTP_GET,
	HTTP_POST,
	HTTP_PUT,
	HTTP_PATCH,
	HTTP_DELETE
};
enum http_listener {
	HTTP_PUBLIC,
	HTTP_AGENTS
};

typedef void (*http_handler)(struct http_request *rq, struct app *app);

/** One row of a route table; a table ends with a row whose path is NULL. */
struct http_route {
	enum http_listener listener;
	enum http_method method;
	const char
		*path; /**< "/api/v1/products/{}": each {} is one non-empty segment, an argument */
	unsigned int perm; /**< enum perm bits all needed; PERM_NONE = anyone; PERM_AGENT = a valid,
				unrevoked client certificate */
	size_t max_body;   /**< 0 = 64 KiB; a larger body is refused with 413 */
	http_handler handler;
};

/* --- the server ---------------------------------------------------------------------------- */

/** How a listener is reached and who it says it is. PEM texts are borrowed for the call. */
struct http_listen {
	const char *address;  /**< numeric */
	uint16_t port;        /**< 0 = any free one */
	const char *cert_pem; /**< chain, the server's own certificate first, the store CA last */
	const char *key_pem;
	const char *ca_pem; /**< asks for a client certificate of this authority; NULL = does not */
};

/** A server without listeners: enough for http_inject(). */
int http_server_new(struct app *app, struct http_server **ret) _must_check_;
/** Opens one listener. May be called again for the same one with a new certificate: connections
 * that are open keep the old one. */
int http_server_listen(struct http_server *s, enum http_listener which,
		       const struct http_listen *how) _must_check_;
uint16_t http_server_port(const struct http_server *s, enum http_listener which);
/** No new connections; open streams end. */
void http_server_quiesce(struct http_server *s);
/** Answers 503 to whoever still waits, closes everything. Requests that handlers hold stay valid.
 */
void http_server_stop(struct http_server *s);
/** After the parts are gone, so that nobody holds a request any more. NULL-safe. */
void http_server_free(struct http_server *s);

void http_add_routes(struct http_server *s, const struct http_route *table);
/** Serves GET on the public listener where no route fits (files of the web page). */
void http_set_fallback(struct http_server *s, http_handler fn);

struct http_who;
/** Establishes who asks. A negative result says why nobody could be: -ERR_AUTH no credentials or
 * unknown ones, -ERR_EXPIRED, -ERR_REVOKED. Routes with PERM_NONE are served all the same. */
typedef int (*http_identify_fn)(void *user, struct http_request *rq, struct http_who *ret);
void http_set_identify(struct http_server *s, enum http_listener which, http_identify_fn fn,
		       void *user);

struct http_stats {
	uint64_t requests;
	uint64_t by_class[6]; /**< replies by first digit of the status */
	uint64_t connections; /**< now */
	uint64_t waiting;     /**< suspended requests, now */
	uint64_t streams;     /**< now */
	uint64_t cut;         /**< connections closed for being too slow, since the start */
};
void http_stats(const struct http_server *s, struct http_stats *ret);

/* --- a request ----------------------------------------------------------------------------- */

/** The i-th {} of the path, percent-decoded. */
const char *http_arg(const struct http_request *rq, size_t i);
/** The number in the i-th {} of the path; replies 404 and returns false if it is none. */
bool http_arg_id(struct http_request *rq, size_t i, int64_t *ret);
/** Query parameter or header, NULL if absent. */
const char *http_query(const struct http_request *rq, const char *name);
const char *http_header(const struct http_request *rq, const char *name);
/** Query parameter as an integer within [min,max]; replies 400 and returns false if it is not one.
 */
bool http_query_int(struct http_request *rq, const char *name, int64_t def, int64_t min,
		    int64_t max, int64_t *ret);
/** The method as routed: HEAD is GET. */
enum http_method http_method(const struct http_request *rq);
/** All segments of the path, percent-decoded. */
size_t http_path(const struct http_request *rq, const char *const **ret_segments);
/** Numeric address of the other end, without port. */
const char *http_remote(const struct http_request *rq);

/** What is known of the certificate of a connection's other end; kept with the connection, so that
 * the chain is checked once and only its state is looked at in every request. */
struct http_peer {
	bool checked;
	int err; /**< of the check */
	uint8_t fingerprint[32];
	int64_t not_after_us;
};
struct http_peer *http_peer(struct http_request *rq);
/** The client's certificate in DER, NULL if it showed none. */
const uint8_t *http_peer_cert(struct http_request *rq, size_t *ret_len);

const uint8_t *http_body(const struct http_request *rq, size_t *ret_len);
/** Parses the body as a JSON object (bounded depth, no duplicate keys). Replies 400/415 with the
 * place of the error and returns NULL if it is none. The caller owns the reference. */
json_t *http_json(struct http_request *rq);

/** Who asks. Valid until the reply. */
struct http_who {
	int64_t user_id;        /**< 0 for agents and strangers */
	const char *user;       /**< name, or "" */
	unsigned int perms;     /**< enum perm bits */
	int64_t agent_id;       /**< 0 unless PERM_AGENT */
	const uint8_t *session; /**< 32 bytes that name the session, or the token; else NULL */
};
const struct http_who *http_who(const struct http_request *rq);

/** Replies; each consumes the request. `body` references and buffers are taken over. */
void http_reply_json(struct http_request *rq, unsigned int status, json_t *body);
void http_reply_buf(struct http_request *rq, unsigned int status, const char *content_type,
		    struct buf *body);
/** Sends `size` bytes of an open file, which is closed afterwards. */
void http_reply_file(struct http_request *rq, unsigned int status, const char *content_type, int fd,
		     uint64_t size);
void http_reply_empty(struct http_request *rq, unsigned int status);
/** RFC 9457 problem details; `code` is a stable word such as "bad-check-digit". */
void http_problem(struct http_request *rq, unsigned int status, const char *code,
		  const char *detail, ...) _printf_(4, 5);
/** The same with an errors[] extension (array of objects), taken over. */
void http_problem_errors(struct http_request *rq, unsigned int status, const char *code,
			 json_t *errors, const char *detail, ...) _printf_(5, 6);
/** Maps one of our error codes to a status and a problem. */
void http_reply_err(struct http_request *rq, int err, const char *what);
/** Adds a header to the coming reply (copied). */
void http_set_header(struct http_request *rq, const char *name, const char *value);

/** Idempotency-Key support for POST handlers that write: see idempotency.h. */

/** Turns the request into an event stream: 200 text/event-stream, then what is written until the
 * client goes or http_stream_end(). `gone` is called once, on the loop thread, when it is over. */
struct http_stream;
struct http_stream *http_reply_stream(struct http_request *rq, void (*gone)(void *user),
				      void *user);
/** Queues bytes; returns false when the client lags more than 256 KiB behind (and is cut off). */
bool http_stream_write(struct http_stream *st, const void *data, size_t len);
void http_stream_end(struct http_stream *st);
/** The user pointer given to http_reply_stream(). */
void *http_stream_user(const struct http_stream *st);

/* --- tests --------------------------------------------------------------------------------- */

/** A request without a socket, through routing, permissions, handler and reply. */
struct http_injection {
	enum http_listener listener;
	const char *method;
	const char *uri;
	const char *const *headers; /**< name, value, ..., NULL; NULL = none */
	const void *body;
	size_t body_len;
	const struct http_who *who; /**< NULL = ask the identify function */
	const char *remote;         /**< NULL = "127.0.0.1" */
	/** Called once. `body` is the whole body; NULL for a file or stream. */
	void (*done)(void *user, unsigned int status, const char *body, size_t len);
	/** May be NULL. Called before `done` for each header that the handler set. */
	void (*header)(void *user, const char *name, const char *value);
	void *user;
};
int http_inject(struct http_server *s, const struct http_injection *in) _must_check_;
