/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Version 4: walks through the store and what was fitted to them; doors and who passed them. What
 * an agent reads for one of these is stored as it came (CBOR, common/proto.h); a stream's mark
 * moves in the same write, so that a repeated message is counted once. `watch_rev` is the revision
 * at which agents were last asked to look at something else.
 */
#include "controller/db/db_schema.h"

const char places_schema_v4[] =
	"INSERT INTO meta VALUES('watch_rev', 0);"

	"CREATE TABLE read_streams("
	" agent_id INTEGER NOT NULL,"
	" journal_id BLOB NOT NULL,"
	" acked INTEGER NOT NULL,"
	" PRIMARY KEY(agent_id, journal_id)) WITHOUT ROWID;"

	"CREATE TABLE walks("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" store_id INTEGER NOT NULL DEFAULT 1,"
	" place_id INTEGER NOT NULL REFERENCES places(id) ON DELETE CASCADE,"
	" epc BLOB NOT NULL, epc_bits INTEGER NOT NULL,"
	" started INTEGER NOT NULL,"
	" until INTEGER NOT NULL," /* it ends by itself then */
	" ended INTEGER,"
	" who TEXT NOT NULL,"
	" reads INTEGER NOT NULL DEFAULT 0,"
	" refused INTEGER NOT NULL DEFAULT 0);" /* reads beyond what one walk may hold */
	"CREATE INDEX walks_open ON walks(until) WHERE ended IS NULL;"
	"CREATE INDEX walks_by_place ON walks(place_id);"
	"CREATE TABLE walk_reads("
	" id INTEGER PRIMARY KEY,"
	" walk_id INTEGER NOT NULL REFERENCES walks(id) ON DELETE CASCADE,"
	" agent_id INTEGER NOT NULL,"
	" n INTEGER NOT NULL,"
	" body BLOB NOT NULL);"
	"CREATE INDEX walk_reads_of ON walk_reads(walk_id);"
	"CREATE TABLE walk_antennas("
	" walk_id INTEGER NOT NULL REFERENCES walks(id) ON DELETE CASCADE,"
	" agent_id INTEGER NOT NULL,"
	" reader TEXT NOT NULL, antenna INTEGER NOT NULL,"
	" reads INTEGER NOT NULL,"
	" cdbm_sum INTEGER NOT NULL, with_level INTEGER NOT NULL,"
	" last INTEGER NOT NULL,"
	" PRIMARY KEY(walk_id, agent_id, reader, antenna)) WITHOUT ROWID;"
	/* What the agents told of the carried tag meanwhile: sightings. */
	"CREATE TABLE walk_told("
	" id INTEGER PRIMARY KEY,"
	" walk_id INTEGER NOT NULL REFERENCES walks(id) ON DELETE CASCADE,"
	" at INTEGER NOT NULL,"
	" agent_id INTEGER NOT NULL,"
	" reader TEXT NOT NULL, antenna INTEGER NOT NULL,"
	" present INTEGER NOT NULL,"
	" rssi_cdbm INTEGER NOT NULL,"
	" rate_mhz INTEGER NOT NULL,"
	" key TEXT NOT NULL," /* stream and number: a replay is the same again */
	" UNIQUE(walk_id, key));"

	"CREATE TABLE place_models("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" store_id INTEGER NOT NULL DEFAULT 1,"
	" made INTEGER NOT NULL,"
	" who TEXT NOT NULL,"
	" body BLOB NOT NULL,"
	" outlook TEXT NOT NULL);" /* JSON: how it does on what it was not shown */
	"CREATE TABLE place_model_now("
	" store_id INTEGER PRIMARY KEY,"
	" model_id INTEGER REFERENCES place_models(id),"
	" since INTEGER NOT NULL,"
	" who TEXT NOT NULL);"

	"CREATE TABLE doors("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" store_id INTEGER NOT NULL DEFAULT 1,"
	" name TEXT NOT NULL COLLATE NOCASE,"
	" place_id INTEGER NOT NULL REFERENCES places(id) ON DELETE CASCADE,"
	" agent_id INTEGER NOT NULL,"
	" grace_s INTEGER NOT NULL,"
	" UNIQUE(store_id, name));"
	"CREATE TABLE door_antennas("
	" door_id INTEGER NOT NULL REFERENCES doors(id) ON DELETE CASCADE,"
	" reader TEXT NOT NULL, antenna INTEGER NOT NULL,"
	" side TEXT NOT NULL," /* inner, outer */
	" PRIMARY KEY(door_id, reader, antenna)) WITHOUT ROWID;"

	"CREATE TABLE passages("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" store_id INTEGER NOT NULL DEFAULT 1,"
	" door_id INTEGER," /* NULL: an exit without a door; a door may be gone */
	" place_id INTEGER NOT NULL,"
	" agent_id INTEGER NOT NULL DEFAULT 0,"
	" epc BLOB NOT NULL, epc_bits INTEGER NOT NULL,"
	" gtin INTEGER NOT NULL DEFAULT 0,"
	" began INTEGER NOT NULL, at INTEGER NOT NULL,"
	" direction TEXT NOT NULL," /* out, in, unknown */
	" confidence REAL NOT NULL,"
	" reads INTEGER NOT NULL,"
	" body BLOB,"           /* the reads; let go of after a while */
	" state TEXT NOT NULL," /* waiting, unsold, sold, stayed, returned, stranger, noted */
	" due INTEGER,"         /* waiting: when it becomes an incident */
	" sale_line INTEGER,"
	" note TEXT NOT NULL DEFAULT '',"
	" UNIQUE(epc, epc_bits, at));"
	"CREATE INDEX sale_lines_of_epc ON sale_lines(epc) WHERE epc IS NOT NULL;"
	"CREATE INDEX passages_open ON passages(due) WHERE state IN ('waiting', 'unsold');"
	"CREATE INDEX passages_of ON passages(epc, at);"
	"CREATE INDEX passages_by_sale ON passages(sale_line) WHERE sale_line IS NOT NULL;";
