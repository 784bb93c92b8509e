/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Places, and which antenna hears which. Where the items are is not here: that lives in memory and
 * LMDB (inv_engine.h). An antenna is named by its agent, its reader's name and its number; a row is
 * made when somebody gives it a place.
 */
#include "controller/db/db_schema.h"

const char inventory_schema_v1[] = "CREATE TABLE places("
				   " id INTEGER PRIMARY KEY AUTOINCREMENT,"
				   " store_id INTEGER NOT NULL DEFAULT 1,"
				   " name TEXT NOT NULL COLLATE NOCASE,"
				   " kind TEXT NOT NULL,"
				   " created INTEGER NOT NULL,"
				   " UNIQUE(store_id, name));"

				   "CREATE TABLE antennas("
				   " agent_id INTEGER NOT NULL,"
				   " reader TEXT NOT NULL,"
				   " antenna INTEGER NOT NULL,"
				   " place_id INTEGER REFERENCES places(id) ON DELETE SET NULL,"
				   " PRIMARY KEY(agent_id, reader, antenna)) WITHOUT ROWID;"
				   "CREATE INDEX antennas_by_place ON antennas(place_id);";
