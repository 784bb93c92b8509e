/* SPDX-License-Identifier: Apache-2.0 */
/*
 * POST /agent/v1/sightings. The agent is the one of the certificate; whatever the body says, it can
 * only speak of its own antennas and streams.
 */
#include "common/err.h"
#include "controller/inventory/walk.h"
#include <errno.h>

struct pending {
	struct http_request *rq;
	struct app *app;
};

static void on_acked(void *user, int err, uint64_t acked)
{
	struct pending *p = user;
	struct buf body = BUF_INIT;
	struct proto_ack ack = {.acked = acked, .server_time_us = clock_real_us(p->app->clock)};

	if (!err)
		err = proto_ack_encode(&ack, &body);
	if (err) {
		buf_done(&body);
		http_set_header(p->rq, "Retry-After", "2");
		http_reply_err(p->rq, err, "Sightings");
	} else {
		http_reply_buf(p->rq, 200, PROTO_CONTENT_TYPE, &body);
	}
	free(p);
}

void ingest_sightings(struct http_request *rq, struct app *app)
{
	struct inventory *inv = app->inventory;
	struct inv_batch batch;
	struct pending *p;
	size_t len, at = 0;
	const uint8_t *body = http_body(rq, &len);
	int r = ingest_decode(&inv->decoder, body, len, &batch, &at);

	inv->batches++;
	if (r) {
		inv->bad_batches++;
		if (r == -ERR_VERSION)
			http_problem(rq, 400, "protocol-version",
				     "This controller speaks version %u.", PROTO_VERSION);
		else
			http_problem(rq, 400, "bad-message", "%s at byte %zu", err_str(r), at);
		return;
	}
	p = malloc(sizeof(*p));
	if (!p) {
		http_reply_err(rq, -ENOMEM, "Sightings");
		return;
	}
	*p = (struct pending){.rq = rq, .app = app};
	batch.agent = (uint64_t) http_who(rq)->agent_id;
	if (inv->walks)
		walks_told(inv->walks, &batch);
	inv_engine_sightings(inv->engine, &batch, on_acked, p);
}
