/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Version 4: incidents, and the trail of what became of each. A trail is evidence: a row of it is
 * never changed, and goes only after its incident has gone, long after that was closed.
 */
#include "controller/db/db_schema.h"

const char incidents_schema_v4[] =
	"CREATE TABLE incidents("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" store_id INTEGER NOT NULL DEFAULT 1,"
	" kind TEXT NOT NULL,"
	" subject TEXT NOT NULL,"
	" agent_id INTEGER NOT NULL DEFAULT 0," /* 0 = none */
	" severity INTEGER NOT NULL,"
	" opened INTEGER NOT NULL,"
	" updated INTEGER NOT NULL,"
	" closed INTEGER,"
	" times INTEGER NOT NULL DEFAULT 1," /* it came back this often within a short while */
	" title TEXT NOT NULL,"
	" detail TEXT NOT NULL DEFAULT '{}',"
	" next_step TEXT NOT NULL DEFAULT '',"
	" why_closed TEXT NOT NULL DEFAULT '',"
	" acknowledged INTEGER,"
	" acknowledged_by TEXT NOT NULL DEFAULT '',"
	" note TEXT NOT NULL DEFAULT '',"
	" rev INTEGER NOT NULL);" /* of the one revision counter: what browsers have been told */
	"CREATE UNIQUE INDEX incidents_open ON incidents(kind, subject) WHERE closed IS NULL;"
	"CREATE INDEX incidents_by_subject ON incidents(kind, subject, closed);"
	"CREATE INDEX incidents_by_end ON incidents(closed);"
	"CREATE INDEX incidents_by_rev ON incidents(rev);"
	"CREATE TRIGGER incidents_open_stay BEFORE DELETE ON incidents WHEN OLD.closed IS NULL"
	" BEGIN SELECT RAISE(ABORT, 'an open incident stays'); END;"

	"CREATE TABLE incident_changes("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" incident_id INTEGER NOT NULL,"
	" at INTEGER NOT NULL,"
	" what TEXT NOT NULL,"           /* opened, reopened, severity, closed, acknowledged */
	" who TEXT NOT NULL DEFAULT ''," /* empty = the software */
	" text TEXT NOT NULL DEFAULT '');"
	"CREATE INDEX incident_changes_of ON incident_changes(incident_id, id);"
	"CREATE TRIGGER incident_changes_no_update BEFORE UPDATE ON incident_changes"
	" BEGIN SELECT RAISE(ABORT, 'incident_changes is append-only'); END;"
	"CREATE TRIGGER incident_changes_no_delete BEFORE DELETE ON incident_changes"
	" WHEN EXISTS(SELECT 1 FROM incidents WHERE id = OLD.incident_id)"
	" BEGIN SELECT RAISE(ABORT, 'incident_changes is append-only'); END;";
