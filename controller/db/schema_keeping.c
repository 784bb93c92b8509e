/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Version 2: tokens for machines. Like a session, a token is known by its hash; unlike one it has a
 * name, permissions of its own and an end that its maker chose.
 */
#include "controller/db/db_schema.h"

const char keeping_schema_v2[] =
	"CREATE TABLE tokens("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" user_id INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE," /* who made it */
	" name TEXT NOT NULL UNIQUE COLLATE NOCASE,"
	" token_hash BLOB NOT NULL UNIQUE,"
	" perms TEXT NOT NULL," /* names, joined by commas: bits may be numbered anew */
	" created INTEGER NOT NULL,"
	" expires INTEGER NOT NULL,"
	" last_used INTEGER);"
	"CREATE INDEX tokens_by_user ON tokens(user_id);";
