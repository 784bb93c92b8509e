/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * A backup of the whole store while it runs: POST /api/v1/backup {passphrase}. A job on the pool
 * copies the database, the LMDB environments and the keys one by one and seals them
 * (backup_pack.h) into a file without a name in the state directory; when it is whole, it is sent.
 * So the copy never waits for a slow client, a full disk is answered with a problem instead of half
 * a file, and nothing is left behind by whoever dies meanwhile. One at a time.
 *
 * Order makes it consistent: the database first, then what its rows name (pictures), then the
 * journal, then the snapshot. All that was acknowledged before the request is in it.
 */
#pragma once

#include "controller/app.h"
#include "controller/http/http.h"

struct backup;

/** Removes what a killed backup left, too. */
int backup_new(struct app *app, struct backup **ret) _must_check_;
/** Waits for a backup under way. NULL-safe. */
void backup_free(struct backup *b);

extern const struct http_route backup_routes[];
