/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tables of rollouts. What a step of a rollout decided is written in the same transaction as what
 * it decided from, so that any instant is a good one to be killed at. Prices themselves go to the
 * ledger (`prices`), and what each label showed to the display ledger: those are the evidence;
 * these tables say how far a rollout has come.
 */
#include "controller/db/db_schema.h"

const char rollout_schema_v3[] =
	/* Since when a wish's picture is in a slot of its label; NULL = not known to be. */
	"ALTER TABLE wanted ADD COLUMN staged_at INTEGER;"

	"CREATE TABLE rollouts("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" store_id INTEGER NOT NULL DEFAULT 1,"
	" name TEXT NOT NULL,"
	" state TEXT NOT NULL,"
	" resume_state TEXT NOT NULL DEFAULT ''," /* where a paused or halted one goes on */
	" reason TEXT NOT NULL DEFAULT '',"       /* why it is in this state */
	" why TEXT NOT NULL DEFAULT '',"          /* of its maker, for the price ledger */
	" created INTEGER NOT NULL,"
	" who TEXT NOT NULL,"
	" start_at INTEGER NOT NULL,"
	" finished INTEGER,"
	" n_waves INTEGER NOT NULL,"
	" wave INTEGER NOT NULL DEFAULT 0," /* the present one, from 1 */
	" since INTEGER NOT NULL,"          /* when the state was entered */
	" back_at INTEGER,"                 /* when the old prices hold again */
	" staged_percent REAL NOT NULL,"
	" timeout_us INTEGER NOT NULL,"
	" failed_percent REAL NOT NULL,"
	" settle_us INTEGER NOT NULL,"
	" lead_us INTEGER NOT NULL,"            /* from the write to the flip; 0 = by size */
	" forgiven INTEGER NOT NULL DEFAULT 0," /* failures that a person has accepted */
	" rate REAL NOT NULL DEFAULT 0,"        /* pictures a second of the busiest access point */
	" prices_seen INTEGER NOT NULL,"        /* ledger rows up to here have been looked at */
	" sample_us INTEGER NOT NULL,"
	" first_forecast TEXT NOT NULL DEFAULT '',"
	" forecast TEXT NOT NULL DEFAULT '');"
	"CREATE INDEX rollouts_open ON rollouts(id) WHERE finished IS NULL;"

	"CREATE TABLE rollout_waves("
	" rollout_id INTEGER NOT NULL REFERENCES rollouts(id),"
	" n INTEGER NOT NULL,"
	" percent REAL NOT NULL,"
	" state TEXT NOT NULL DEFAULT 'waiting',"
	" flip_at INTEGER,"
	/* as counted by the latest step */
	" products INTEGER NOT NULL DEFAULT 0, labels INTEGER NOT NULL DEFAULT 0,"
	" staged INTEGER NOT NULL DEFAULT 0, flipped INTEGER NOT NULL DEFAULT 0,"
	" shown INTEGER NOT NULL DEFAULT 0, failed INTEGER NOT NULL DEFAULT 0,"
	" back INTEGER NOT NULL DEFAULT 0,"
	" PRIMARY KEY(rollout_id, n)) WITHOUT ROWID;"

	/* `hold` says what the labels keep besides: 1 the new price, 2 the price from before. */
	"CREATE TABLE rollout_products("
	" rollout_id INTEGER NOT NULL REFERENCES rollouts(id),"
	" product_id INTEGER NOT NULL REFERENCES products(id),"
	" wave INTEGER NOT NULL,"
	" price_minor INTEGER NOT NULL,"
	" currency TEXT NOT NULL,"
	" old_minor INTEGER NOT NULL,"  /* in force when the rollout was made */
	" seen_price INTEGER NOT NULL," /* newest ledger row that the rollout knows of */
	" state TEXT NOT NULL DEFAULT 'waiting',"
	" hold INTEGER NOT NULL DEFAULT 0,"
	" open INTEGER NOT NULL DEFAULT 1," /* no other rollout may have the product */
	" flip_price INTEGER,"              /* the ledger row of its flip */
	" flip_at INTEGER,"
	" reason TEXT NOT NULL DEFAULT '',"
	" PRIMARY KEY(rollout_id, product_id)) WITHOUT ROWID;"
	"CREATE UNIQUE INDEX rollout_products_open ON rollout_products(product_id) WHERE open = 1;"
	"CREATE UNIQUE INDEX rollout_products_held ON rollout_products(product_id) WHERE hold <> 0;"

	"CREATE TABLE rollout_labels("
	" rollout_id INTEGER NOT NULL REFERENCES rollouts(id),"
	" addr INTEGER NOT NULL,"
	" product_id INTEGER NOT NULL,"
	" wave INTEGER NOT NULL,"
	" agent_id INTEGER,"
	" state TEXT NOT NULL,"
	" reason TEXT NOT NULL DEFAULT '',"
	" staged_at INTEGER, flipped_at INTEGER, shown_at INTEGER,"
	" grade INTEGER NOT NULL DEFAULT 0,"
	" PRIMARY KEY(rollout_id, addr)) WITHOUT ROWID;"

	"CREATE TABLE rollout_samples("
	" rollout_id INTEGER NOT NULL REFERENCES rollouts(id),"
	" at INTEGER NOT NULL,"
	" staged INTEGER NOT NULL, flipped INTEGER NOT NULL,"
	" shown INTEGER NOT NULL, failed INTEGER NOT NULL,"
	" forecast_staged INTEGER NOT NULL,"
	" PRIMARY KEY(rollout_id, at)) WITHOUT ROWID;";
