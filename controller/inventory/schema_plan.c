/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The floor plan: a rectangle in metres, origin top left, and where on it places and antennas are.
 * It is drawn and stored as a whole; `rev` rises with each, for who edits it at the same time.
 */
#include "controller/db/db_schema.h"

const char plan_schema_v3[] =
	"CREATE TABLE plan("
	" store_id INTEGER PRIMARY KEY DEFAULT 1,"
	" width_m REAL NOT NULL,"
	" height_m REAL NOT NULL,"
	" rev INTEGER NOT NULL);"
	"INSERT INTO plan(width_m, height_m, rev) VALUES(30, 20, 0);"

	"CREATE TABLE plan_places("
	" place_id INTEGER PRIMARY KEY REFERENCES places(id) ON DELETE CASCADE,"
	" x REAL NOT NULL, y REAL NOT NULL, w REAL NOT NULL, h REAL NOT NULL);"

	"CREATE TABLE plan_antennas("
	" agent_id INTEGER NOT NULL,"
	" reader TEXT NOT NULL,"
	" antenna INTEGER NOT NULL,"
	" x REAL NOT NULL, y REAL NOT NULL,"
	" PRIMARY KEY(agent_id, reader, antenna)) WITHOUT ROWID;";
