/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tables of people, agents and the trail they leave. Instants are microseconds UTC. Secrets are
 * stored as hashes only: a copy of the database opens no door.
 */
#include "controller/db/db_schema.h"

const char core_schema_v1[] =
	"CREATE TABLE users("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" name TEXT NOT NULL UNIQUE COLLATE NOCASE,"
	" role TEXT NOT NULL,"
	" password TEXT NOT NULL," /* argon2id, with its parameters */
	" created INTEGER NOT NULL,"
	" last_login INTEGER);"

	"CREATE TABLE sessions("
	" token_hash BLOB PRIMARY KEY,"
	" user_id INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE,"
	" created INTEGER NOT NULL,"
	" seen INTEGER NOT NULL,"
	" expires INTEGER NOT NULL) WITHOUT ROWID;"
	"CREATE INDEX sessions_by_user ON sessions(user_id);"

	"CREATE TABLE audit("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" at INTEGER NOT NULL,"
	" who TEXT NOT NULL,"
	" action TEXT NOT NULL,"
	" object TEXT NOT NULL,"
	" detail TEXT NOT NULL);"

	"CREATE TABLE idempotency("
	" user_id INTEGER NOT NULL,"
	" key TEXT NOT NULL,"
	" request_hash BLOB NOT NULL,"
	" status INTEGER NOT NULL,"
	" body TEXT NOT NULL,"
	" at INTEGER NOT NULL,"
	" PRIMARY KEY(user_id, key)) WITHOUT ROWID;"
	"CREATE INDEX idempotency_by_age ON idempotency(at);"

	"CREATE TABLE agents("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" name TEXT NOT NULL UNIQUE COLLATE NOCASE,"
	" key_hash BLOB NOT NULL UNIQUE," /* SHA-256 of the public key: the same key is the same
					     agent */
	" created INTEGER NOT NULL,"
	" revoked INTEGER,"
	" version TEXT NOT NULL DEFAULT '',"
	" caps INTEGER NOT NULL DEFAULT 0,"
	" last_seen INTEGER,"
	" readers_rev INTEGER NOT NULL DEFAULT 0);"

	"CREATE TABLE agent_certs("
	" fingerprint BLOB PRIMARY KEY," /* SHA-256 of the certificate */
	" agent_id INTEGER NOT NULL REFERENCES agents(id) ON DELETE CASCADE,"
	" key_hash BLOB NOT NULL,"
	" cert BLOB NOT NULL,"
	" not_after INTEGER NOT NULL) WITHOUT ROWID;"
	"CREATE INDEX agent_certs_by_agent ON agent_certs(agent_id);"

	"CREATE TABLE agent_health("
	" agent_id INTEGER PRIMARY KEY REFERENCES agents(id) ON DELETE CASCADE,"
	" at INTEGER NOT NULL,"
	" report BLOB NOT NULL);" /* the last proto_health, as it came */

	"CREATE TABLE readers("
	" agent_id INTEGER NOT NULL REFERENCES agents(id) ON DELETE CASCADE,"
	" name TEXT NOT NULL,"
	" host TEXT NOT NULL,"
	" port INTEGER NOT NULL,"
	" antennas TEXT NOT NULL," /* \"1,2,4\"; empty = all */
	" session INTEGER NOT NULL,"
	" power_cdbm INTEGER NOT NULL,"
	" PRIMARY KEY(agent_id, name)) WITHOUT ROWID;"

	"CREATE TABLE join_codes("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" secret_hash BLOB NOT NULL UNIQUE,"
	" uses INTEGER NOT NULL,"
	" used INTEGER NOT NULL DEFAULT 0,"
	" created INTEGER NOT NULL,"
	" created_by TEXT NOT NULL,"
	" expires INTEGER NOT NULL,"
	" note TEXT NOT NULL DEFAULT '');"
	/* Who used a code: an agent that repeats itself does not burn another use. */
	"CREATE TABLE join_uses("
	" code_id INTEGER NOT NULL REFERENCES join_codes(id) ON DELETE CASCADE,"
	" key_hash BLOB NOT NULL,"
	" PRIMARY KEY(code_id, key_hash)) WITHOUT ROWID;";

const char core_schema_v3[] =
	/* A code for the machine that takes a dead access point's place; NULL = for a new one. */
	"ALTER TABLE join_codes ADD COLUMN replaces INTEGER REFERENCES agents(id);"
	/* How a reader is talked to, beyond where it is. */
	"ALTER TABLE readers ADD COLUMN profile TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE readers ADD COLUMN llrp_version INTEGER NOT NULL DEFAULT 1;"
	"ALTER TABLE readers ADD COLUMN reader_calls INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE readers ADD COLUMN tls INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE readers ADD COLUMN tls_pin TEXT NOT NULL DEFAULT '';"
	/* Since when a certificate of an agent that lives on is worth nothing. */
	"ALTER TABLE agent_certs ADD COLUMN revoked INTEGER;"
	/* The history of one thing, newest first. */
	"CREATE INDEX audit_by_object ON audit(object);";
