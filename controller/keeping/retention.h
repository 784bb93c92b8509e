/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * How long evidence is kept: what labels showed and were linked to, who did what, what the books,
 * tills and deliveries said. Rows older than the configuration allows (gondolad.conf, section keep)
 * go, oldest first and a few at a time, with a pause between, so that nobody's write waits for
 * them; what proves or makes up the present stays, however old it is (retention_rows.h). If asked,
 * rows are written to a file before, and without the file they stay.
 *
 * The database refuses to drop a row of these tables that is younger than the instant noted in
 * kept_since, which only moves forward, and by no more than a month at each hourly look: a
 * clock that jumps ahead for an hour costs a month of the oldest evidence and not all of it.
 */
#pragma once

#include "common/sql.h"

struct app;
struct retention;

int retention_new(struct app *app, struct retention **ret) _must_check_;
/** Waits for what is under way. NULL-safe. */
void retention_free(struct retention *r);
