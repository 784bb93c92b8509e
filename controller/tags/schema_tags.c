/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Version 4: operations on tags, and the serials that were given out. A serial is given out once:
 * whatever became of the operation, a tag may bear it.
 */
#include "controller/db/db_schema.h"

const char tags_schema_v4[] =
	"CREATE TABLE tag_operations("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" store_id INTEGER NOT NULL DEFAULT 1,"
	" agent_id INTEGER NOT NULL REFERENCES agents(id),"
	" reader TEXT NOT NULL,"
	" antenna INTEGER NOT NULL DEFAULT 0," /* 0 = any */
	" kind TEXT NOT NULL,"                 /* read, write-epc, lock */
	" epc TEXT NOT NULL DEFAULT '',"       /* of the tag; empty = the one in view */
	" bank INTEGER NOT NULL DEFAULT 0,"
	" pointer INTEGER NOT NULL DEFAULT 0,"
	" words INTEGER NOT NULL DEFAULT 0,"
	" new_epc TEXT NOT NULL DEFAULT '',"
	" field INTEGER NOT NULL DEFAULT 0,"
	" how INTEGER NOT NULL DEFAULT 0,"
	" token INTEGER NOT NULL DEFAULT 0," /* names its password in memory; 0 = it has none */
	" state TEXT NOT NULL DEFAULT 'pending'," /* pending, running, done, failed, unknown */
	" told INTEGER NOT NULL DEFAULT 0,"       /* the agent has said how it ended */
	" reason TEXT NOT NULL DEFAULT '',"
	" tag TEXT NOT NULL DEFAULT '',"
	" answered_at INTEGER NOT NULL DEFAULT 0," /* antenna */
	" data TEXT NOT NULL DEFAULT '',"          /* what was read, hex */
	" created INTEGER NOT NULL,"
	" created_by TEXT NOT NULL,"
	" until INTEGER NOT NULL," /* not begun after */
	" finished INTEGER,"
	" rev INTEGER NOT NULL);"
	"CREATE INDEX tag_operations_by_agent ON tag_operations(agent_id, rev);"
	"CREATE INDEX tag_operations_open ON tag_operations(until)"
	" WHERE state IN ('pending', 'running');"
	"CREATE TABLE tag_serials("
	" gtin INTEGER NOT NULL,"
	" serial INTEGER NOT NULL,"
	" prefix_digits INTEGER NOT NULL,"
	" operation_id INTEGER NOT NULL,"
	" at INTEGER NOT NULL,"
	" PRIMARY KEY(gtin, serial)) WITHOUT ROWID;" DB_APPEND_ONLY("tag_serials");
