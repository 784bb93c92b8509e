/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Walks: somebody carries a tag through one place after the other, so that the store can learn how
 * each sounds to all antennas.
 *
 *     walk.c         starting, ending, deleting; lists
 *     walk_rows.c    what agents bring for a walk, into its rows (writer thread)
 *     walk_live.c    what agents tell of a carried tag meanwhile; walks that end by themselves
 *     walk_picture.c the live picture of a walk, in words; its reads as CSV
 *     model.c        fitting a model to walks (pool), which one is in use
 *     model_load.c   walks from their rows to what the fit takes
 *     model_words.c  how well a model will do, in words
 *
 * Bounds: 16 walks open at once, an hour each, WALK_MAX_READS reads and WALK_MAX_TOLD sightings
 * each, WALK_KEPT walks kept.
 */
#pragma once

#include "common/proto.h"
#include "common/sql.h"
#include "controller/inventory/inventory_internal.h"

#define WALK_MAX_READS   100000
#define WALK_MAX_TOLD    20000
#define WALK_KEPT        256
#define WALK_USUAL_S     600
#define WALK_LONGEST_S   3600
#define WALK_LATE_US     (120 * US_PER_SEC) /* after its end, reads still come */
#define WALK_ENOUGH_S    90
#define WALK_ENOUGH_READ 80
#define WALK_ENOUGH_TOLD 20

/** A tag that is carried about now. */
struct walk_open {
	int64_t id;
	int64_t until_us;
	struct epc epc;
};

struct walks {
	struct inventory *inv;
	struct loop_timer *timer;
	size_t n;
	struct walk_open open[PROTO_MAX_FOLLOW];
	bool ending; /**< a write that ends some is under way */
};

int walks_new(struct inventory *inv, struct walks **ret) _must_check_;
void walks_free(struct walks *w);
/** Reads the open ones anew, after one was started or ended. */
void walks_reload(struct walks *w);
/** An agent's batch of sightings: those of carried tags are kept beside their walks. */
void walks_told(struct walks *w, const struct inv_batch *b);

/** Takes the reads of an entry into its walk. On the writer thread; what belongs to no walk of this
 * tag is dropped without a word: it may have been deleted meanwhile. */
int walk_rows_add(struct sql *s, int64_t agent_id, const struct proto_reads_entry *e,
		  int64_t now_us) _must_check_;

/** A walk as the API shows it; `full` adds the picture by antenna. NULL if there is none. */
json_t *walk_json(struct inventory *inv, int64_t id, bool full);

void walks_list(struct http_request *rq, struct app *app);
void walks_show(struct http_request *rq, struct app *app);
void walks_start(struct http_request *rq, struct app *app);
void walks_stop(struct http_request *rq, struct app *app);
void walks_delete(struct http_request *rq, struct app *app);
void walks_csv(struct http_request *rq, struct app *app);
