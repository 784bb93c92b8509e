/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How an agent gets its certificate. Its key names it: whoever repeats an enrolment with the same
 * key, because the answer was lost or the power went, gets the same agent and certificate and burns
 * no further use of the code. All of it is one write, certificate included, so that a crash leaves
 * either nothing or an enrolment that can be repeated.
 *
 * A code may give away a dead access point's place: its user becomes that agent, with its name,
 * readers and labels, and the dead one's key and certificates are worth nothing from that write on.
 */
#include "common/err.h"
#include "common/fault.h"
#include "common/log.h"
#include "controller/db/db.h"
#include "controller/fleet/fleet_internal.h"
#include "controller/shop/shop.h"
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define KEEP_CERT_US   (60 * 86400 * US_PER_SEC) /* a certificate good for longer is given again */
#define NAME_TRIES     1000
#define CLOCK_SLACK_US (3600 * US_PER_SEC)
#define ENROLL_BODY    (16 * 1024)

struct enrolment {
	struct http_request *rq;
	struct app *app;
	bool renew;
	char address[64];
	char by[AUTH_WHO_MAX];
	uint8_t secret_hash[32], key_hash[32];
	bool has_peer; /* when renewing: the certificate it shows */
	uint8_t peer[CA_FINGERPRINT_BYTES];
	int64_t now_us;
	struct proto_enroll_request request;
	/* results */
	int64_t agent_id;
	int64_t replaces; /* whose place the code gives away; 0 = nobody's */
	char name[PROTO_NAME_MAX];
	struct ca_cert cert;
	bool made_agent, took_over;
};

/* --- inside the write ---------------------------------------------------------------------- */

/* -ERR_AUTH: no such code. -ERR_EXPIRED: too old or used up. */
static int use_code(struct sql *s, struct enrolment *e)
{
	struct sql_stmt *q = sql_prepare(
		s, "SELECT c.id, c.uses > c.used, c.expires, c.created,"
		   " EXISTS(SELECT 1 FROM join_uses u WHERE u.code_id = c.id AND u.key_hash = ?),"
		   " c.replaces"
		   " FROM join_codes c WHERE c.secret_hash = ?");
	int64_t id, expires, created;
	bool left, repeated;
	int r;

	sql_bind_blob(q, 1, e->key_hash, sizeof(e->key_hash));
	sql_bind_blob(q, 2, e->secret_hash, sizeof(e->secret_hash));
	r = sql_step(q);
	if (r <= 0)
		return r < 0 ? r : -ERR_AUTH;
	id = sql_col_i64(q, 0);
	left = sql_col_i64(q, 1) != 0;
	expires = sql_col_i64(q, 2);
	created = sql_col_i64(q, 3);
	repeated = sql_col_i64(q, 4) != 0;
	e->replaces = sql_col_i64(q, 5);
	sql_reset(q);
	/* One from the future was made while our clock was wrong: it would live until then. */
	if (e->now_us >= expires || created - e->now_us >= CLOCK_SLACK_US || (!left && !repeated))
		return -ERR_EXPIRED;
	if (repeated)
		return 0;
	q = sql_prepare(s, "INSERT INTO join_uses(code_id, key_hash) VALUES(?, ?)");
	sql_bind_i64(q, 1, id);
	sql_bind_blob(q, 2, e->key_hash, sizeof(e->key_hash));
	r = sql_run(q);
	if (r < 0)
		return r;
	q = sql_prepare(s, "UPDATE join_codes SET used = used + 1 WHERE id = ?");
	sql_bind_i64(q, 1, id);
	return sql_run(q);
}

/* The key of a machine whose place another has taken. */
static int key_is_replaced(struct sql *s, const struct enrolment *e)
{
	struct sql_stmt *q = sql_prepare(s, "SELECT 1 FROM agent_certs WHERE key_hash = ?"
					    " AND revoked IS NOT NULL LIMIT 1");
	int r;

	sql_bind_blob(q, 1, e->key_hash, sizeof(e->key_hash));
	r = sql_step(q);
	sql_reset(q);
	return r > 0 ? -ERR_REVOKED : r;
}

/* 1 = found, 0 = no agent has this key. */
static int find_by_key(struct sql *s, struct enrolment *e)
{
	struct sql_stmt *q =
		sql_prepare(s, "SELECT id, name, revoked FROM agents WHERE key_hash = ?");
	bool revoked;
	int r;

	sql_bind_blob(q, 1, e->key_hash, sizeof(e->key_hash));
	r = sql_step(q);
	if (r <= 0)
		return r < 0 ? r : key_is_replaced(s, e);
	e->agent_id = sql_col_i64(q, 0);
	snprintf(e->name, sizeof(e->name), "%s", sql_col_text(q, 1));
	revoked = !sql_col_is_null(q, 2);
	sql_reset(q);
	return revoked ? -ERR_REVOKED : 1;
}

static int name_is_taken(struct sql *s, const char *name)
{
	struct sql_stmt *q = sql_prepare(s, "SELECT 1 FROM agents WHERE name = ?");
	int r;

	sql_bind_text(q, 1, name);
	r = sql_step(q);
	if (r > 0)
		sql_reset(q);
	return r;
}

/* The name it asks for, or that with a number: "dock", "dock-2", ... */
static int choose_name(struct sql *s, struct enrolment *e)
{
	int r;

	for (int i = 1; i <= NAME_TRIES; i++) {
		if (i == 1)
			snprintf(e->name, sizeof(e->name), "%s", e->request.name);
		else
			snprintf(e->name, sizeof(e->name), "%.*s-%d",
				 (int) fleet_name_cut(e->request.name, 50), e->request.name, i);
		r = name_is_taken(s, e->name);
		if (r <= 0)
			return r;
	}
	return -ERR_CONFLICT;
}

static int insert_agent(struct sql *s, struct enrolment *e)
{
	struct sql_stmt *q;
	int r = choose_name(s, e);

	if (r < 0)
		return r;
	q = sql_prepare(s, "INSERT INTO agents(name, key_hash, created, version, caps)"
			   " VALUES(?, ?, ?, ?, ?)");
	sql_bind_text(q, 1, e->name);
	sql_bind_blob(q, 2, e->key_hash, sizeof(e->key_hash));
	sql_bind_i64(q, 3, e->now_us);
	sql_bind_text(q, 4, e->request.version);
	sql_bind_i64(q, 5, (int64_t) (e->request.caps & INT64_MAX));
	r = sql_run(q);
	if (r < 0)
		return r;
	e->agent_id = sql_last_rowid(s);
	e->made_agent = true;
	return db_audit(s, "join-code", "agent.enrol", e->name, e->address);
}

/* 1 = the newest certificate of this agent for this key will do. */
static int reuse_cert(struct sql *s, struct enrolment *e)
{
	struct sql_stmt *q = sql_prepare(s, "SELECT cert, fingerprint, not_after FROM agent_certs"
					    " WHERE agent_id = ? AND key_hash = ?"
					    " AND revoked IS NULL ORDER BY not_after DESC LIMIT 1");
	const void *cert, *fingerprint;
	size_t len, fingerprint_len;
	int r;

	sql_bind_i64(q, 1, e->agent_id);
	sql_bind_blob(q, 2, e->key_hash, sizeof(e->key_hash));
	r = sql_step(q);
	if (r <= 0)
		return r;
	cert = sql_col_blob(q, 0, &len);
	fingerprint = sql_col_blob(q, 1, &fingerprint_len);
	e->cert.not_after_us = sql_col_i64(q, 2);
	if (cert && len <= sizeof(e->cert.der) && fingerprint &&
	    fingerprint_len == sizeof(e->cert.fingerprint) &&
	    e->cert.not_after_us - e->now_us > KEEP_CERT_US) {
		memcpy(e->cert.der, cert, len);
		e->cert.len = len;
		memcpy(e->cert.fingerprint, fingerprint, fingerprint_len);
		r = 1;
	} else {
		r = 0;
	}
	sql_reset(q);
	return r;
}

static int issue_cert(struct sql *s, struct enrolment *e)
{
	struct sql_stmt *q;
	int r = ca_sign_agent(e->app->ca, e->request.csr, e->request.csr_len, e->agent_id,
			      e->now_us, &e->cert);

	if (r < 0)
		return r;
	q = sql_prepare(s, "INSERT INTO agent_certs(fingerprint, agent_id, cert, not_after,"
			   " key_hash) VALUES(?, ?, ?, ?, ?)");
	sql_bind_blob(q, 1, e->cert.fingerprint, sizeof(e->cert.fingerprint));
	sql_bind_i64(q, 2, e->agent_id);
	sql_bind_blob(q, 3, e->cert.der, e->cert.len);
	sql_bind_i64(q, 4, e->cert.not_after_us);
	sql_bind_blob(q, 5, e->key_hash, sizeof(e->key_hash));
	r = sql_run(q);
	if (r < 0)
		return r;
	/* Of this agent only: with a clock that is years ahead for a moment everybody's would go.
	 */
	q = sql_prepare(s, "DELETE FROM agent_certs WHERE agent_id = ? AND not_after < ?");
	sql_bind_i64(q, 1, e->agent_id);
	sql_bind_i64(q, 2, e->now_us);
	return sql_run(q);
}

/* The agent lives on with another key; what others know it by, its number and name, stays. */
static int take_over(struct sql *s, struct enrolment *e)
{
	struct sql_stmt *q =
		sql_prepare(s, "SELECT name FROM agents WHERE id = ? AND revoked IS NULL");
	int r;

	sql_bind_i64(q, 1, e->replaces);
	r = sql_step(q);
	if (r <= 0)
		return r < 0 ? r : -ERR_STATE;
	e->agent_id = e->replaces;
	snprintf(e->name, sizeof(e->name), "%s", sql_col_text(q, 0));
	sql_reset(q);
	q = sql_prepare(s, "UPDATE agent_certs SET revoked = ? WHERE agent_id = ?"
			   " AND revoked IS NULL");
	sql_bind_i64(q, 1, e->now_us);
	sql_bind_i64(q, 2, e->agent_id);
	r = sql_run(q);
	if (r < 0)
		return r;
	q = sql_prepare(s, "UPDATE agents SET key_hash = ?, version = ?, caps = ? WHERE id = ?");
	sql_bind_blob(q, 1, e->key_hash, sizeof(e->key_hash));
	sql_bind_text(q, 2, e->request.version);
	sql_bind_i64(q, 3, (int64_t) (e->request.caps & INT64_MAX));
	sql_bind_i64(q, 4, e->agent_id);
	r = sql_run(q);
	if (r < 0)
		return r;
	q = sql_prepare(s, "DELETE FROM agent_health WHERE agent_id = ?");
	sql_bind_i64(q, 1, e->agent_id);
	r = sql_run(q);
	e->took_over = true;
	return r < 0 ? r : db_audit(s, "join-code", "agent.replace", e->name, e->address);
}

/* Is this machine an agent already, or does it become one? */
static int find_or_make(struct sql *s, struct enrolment *e)
{
	int r = find_by_key(s, e);

	if (r > 0 && e->replaces && e->agent_id != e->replaces)
		return -EEXIST;
	if (r != 0)
		return r < 0 ? r : reuse_cert(s, e);
	return e->replaces ? take_over(s, e) : insert_agent(s, e);
}

static int write_enrolment(struct sql *s, void *arg)
{
	struct enrolment *e = arg;
	int r = use_code(s, e);

	if (r == 0)
		r = find_or_make(s, e);
	if (e->took_over)
		FAULT_POINT("ctl.links.before_takeover");
	if (r != 0)
		return r < 0 ? r : 0;
	return issue_cert(s, e);
}

/* The request was let in, but another machine may have taken the agent's place since. */
static int peer_is_replaced(struct sql *s, const struct enrolment *e)
{
	struct sql_stmt *q = sql_prepare(s, "SELECT 1 FROM agent_certs WHERE fingerprint = ?"
					    " AND revoked IS NOT NULL");
	int r;

	if (!e->has_peer)
		return 0;
	sql_bind_blob(q, 1, e->peer, sizeof(e->peer));
	r = sql_step(q);
	sql_reset(q);
	return r > 0 ? -ERR_REVOKED : r;
}

/* A renewal may bring a new key; the agent is known by its present certificate. */
static int write_renewal(struct sql *s, void *arg)
{
	struct enrolment *e = arg;
	struct sql_stmt *q;
	bool same_key;
	int r = peer_is_replaced(s, e);

	if (r < 0)
		return r;
	q = sql_prepare(s, "SELECT key_hash = ?, name FROM agents WHERE id = ?");
	sql_bind_blob(q, 1, e->key_hash, sizeof(e->key_hash));
	sql_bind_i64(q, 2, e->agent_id);
	r = sql_step(q);
	if (r <= 0)
		return r < 0 ? r : -ENOENT;
	same_key = sql_col_i64(q, 0) != 0;
	snprintf(e->name, sizeof(e->name), "%s", sql_col_text(q, 1));
	sql_reset(q);
	if (same_key) {
		r = reuse_cert(s, e);
		if (r != 0)
			return r < 0 ? r : 0;
	} else {
		q = sql_prepare(s, "UPDATE agents SET key_hash = ? WHERE id = ?");
		sql_bind_blob(q, 1, e->key_hash, sizeof(e->key_hash));
		sql_bind_i64(q, 2, e->agent_id);
		r = sql_run(q);
		if (r < 0)
			return r;
	}
	r = issue_cert(s, e);
	return r < 0 ? r : db_audit(s, e->by, "agent.renew", e->name, same_key ? NULL : "new key");
}

/* --- on the loop --------------------------------------------------------------------------- */

static void refuse(struct enrolment *e, int err)
{
	struct fleet *f = e->app->fleet;

	switch (err) {
	case -ERR_AUTH:
		throttle_charge(f->strangers, e->address, clock_mono_us(e->app->clock));
		log_notice("fleet", "address=%s msg=\"enrolment refused: unknown join code\"",
			   e->address);
		http_problem(e->rq, 403, "bad-join-code", "This join code is not known here.");
		break;
	case -ERR_EXPIRED:
		http_problem(e->rq, 403, "join-code-expired",
			     "This join code is too old or used up. Make a new one.");
		break;
	case -ERR_STATE:
		http_problem(
			e->rq, 403, "nothing-to-replace",
			"The access point whose place this code gives away was revoked since.");
		break;
	case -EEXIST:
		http_problem(e->rq, 409, "already-an-agent",
			     "This machine is another agent of this store already. Erase its state "
			     "first, or use it as it is.");
		break;
	case -ERR_REVOKED:
		http_problem(e->rq, 403, "revoked",
			     "This agent was revoked. Erase its state to enrol it anew.");
		break;
	default:
		http_reply_err(e->rq, err, "Enrolment");
	}
}

static int encode_answer(const struct enrolment *e, struct buf *out)
{
	_cleanup_free_ struct proto_enroll_response *m = calloc(1, sizeof(*m));
	const uint8_t *ca;

	if (!m)
		return -ENOMEM;
	m->agent_id = (uint64_t) e->agent_id;
	snprintf(m->name, sizeof(m->name), "%s", e->name);
	memcpy(m->cert, e->cert.der, e->cert.len);
	m->cert_len = e->cert.len;
	ca = ca_cert_der(e->app->ca, &m->ca_len);
	if (m->ca_len > sizeof(m->ca))
		return -ERR_TOO_LARGE;
	memcpy(m->ca, ca, m->ca_len);
	m->server_time_us = e->now_us;
	return proto_enroll_response_encode(m, out);
}

/* What is durable now becomes known to fleet_identify(). */
static int remember(struct enrolment *e)
{
	struct fleet *f = e->app->fleet;
	struct agent *a = fleet_add(f, e->agent_id, e->name);
	int r;

	if (!a)
		return -ENOMEM;
	if (e->took_over) {
		fleet_revoke_certs(f, a);
		shop_agent_shut_out(e->app->shop, a->id);
	}
	if (e->made_agent)
		a->created_us = e->now_us;
	if (!e->renew) {
		a->caps = e->request.caps;
		snprintf(a->version, sizeof(a->version), "%s", e->request.version);
	}
	r = fleet_add_cert(f, e->cert.fingerprint, e->agent_id, e->cert.not_after_us, false);
	if (r == 0)
		fleet_publish(f, a);
	return r;
}

static void enrolment_written(void *arg, int err)
{
	_cleanup_free_ struct enrolment *e = arg;
	struct buf out = BUF_INIT;

	if (err == 0)
		err = remember(e);
	if (err == 0)
		err = encode_answer(e, &out);
	if (err < 0) {
		buf_done(&out);
		refuse(e, err);
		return;
	}
	if (e->took_over)
		FAULT_POINT("ctl.links.after_takeover");
	log_notice("fleet", "agent=%lld msg=%s", (long long) e->agent_id,
		   e->renew       ? "renewed"
		   : e->took_over ? "replaced"
				  : "enrolled");
	http_reply_buf(e->rq, 200, PROTO_CONTENT_TYPE, &out);
}

static bool name_is_good(const char *name)
{
	if (!*name || *name == ' ')
		return false;
	for (; *name; name++)
		if ((unsigned char) *name < 0x20 || *name == 0x7f || *name == '/')
			return false;
	return true;
}

/* Reads the body. Replies and returns NULL if it will not do. */
static struct enrolment *read_request(struct http_request *rq, struct app *app)
{
	struct enrolment *e = calloc(1, sizeof(*e));
	const uint8_t *body;
	size_t len, at = 0;
	int r;

	if (!e) {
		http_reply_err(rq, -ENOMEM, "Enrolment");
		return NULL;
	}
	e->rq = rq;
	e->app = app;
	e->now_us = clock_real_us(app->clock);
	snprintf(e->address, sizeof(e->address), "%s", http_remote(rq));
	auth_who_text(http_who(rq), e->by);
	body = http_body(rq, &len);
	r = proto_enroll_request_decode(body, len, &e->request, &at);
	if (r < 0) {
		http_problem(rq, 400, "malformed", "Enrolment: %s at byte %zu.", err_str(r), at);
	} else if (ca_csr_check(e->request.csr, e->request.csr_len, e->key_hash) < 0) {
		http_problem(rq, 422, "bad-csr",
			     "The certificate request is malformed or its key is too weak.");
	} else {
		return e;
	}
	free(e);
	return NULL;
}

static void queue_write(struct enrolment *e, db_write_fn fn)
{
	int r = db_write(e->app->db, fn, enrolment_written, e);

	if (r < 0) {
		http_reply_err(e->rq, r, "Enrolment");
		free(e);
	}
}

static void post_enroll(struct http_request *rq, struct app *app)
{
	int64_t wait =
		throttle_wait_us(app->fleet->strangers, http_remote(rq), clock_mono_us(app->clock));
	struct enrolment *e;
	char seconds[24];
	int r;

	if (wait > 0) {
		snprintf(seconds, sizeof(seconds), "%lld", (long long) (wait / US_PER_SEC + 1));
		http_set_header(rq, "Retry-After", seconds);
		http_problem(rq, 429, "throttled", "Too many attempts.");
		return;
	}
	e = read_request(rq, app);
	if (!e)
		return;
	r = fleet_code_parse(e->request.code, ca_fingerprint(app->ca), e->secret_hash);
	if (r == -ERR_SYNTAX)
		http_problem(rq, 422, "bad-join-code", "This is not a join code.");
	else if (r < 0)
		refuse(e, r);
	else if (!name_is_good(e->request.name))
		http_problem(rq, 422, "bad-name", "The agent needs a plain name.");
	else {
		queue_write(e, write_enrolment);
		return;
	}
	free(e);
}

static void post_renew(struct http_request *rq, struct app *app)
{
	struct enrolment *e = read_request(rq, app);
	const struct http_peer *peer = http_peer(rq);

	if (!e)
		return;
	e->renew = true;
	if (peer && peer->checked && peer->err == 0) {
		e->has_peer = true;
		memcpy(e->peer, peer->fingerprint, sizeof(e->peer));
	}
	e->agent_id = http_who(rq)->agent_id;
	queue_write(e, write_renewal);
}

const struct http_route fleet_enroll_routes[] = {
	{HTTP_AGENTS, HTTP_POST, "/agent/v1/enroll", PERM_NONE, ENROLL_BODY, post_enroll},
	{HTTP_AGENTS, HTTP_POST, "/agent/v1/renew", PERM_AGENT, ENROLL_BODY, post_renew},
	{.path = NULL},
};
