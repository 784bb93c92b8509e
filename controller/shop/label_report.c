/* SPDX-License-Identifier: Apache-2.0 */
/* POST /agent/v1/labels: a batch of reports, answered when it is durable. */
#include "common/err.h"
#include "controller/shop/desired.h"
#include "controller/shop/label.h"
#include "controller/shop/label_ingest.h"
#include "controller/shop/label_notify.h"
#include "controller/shop/shop_internal.h"
#include "controller/shop/wanted.h"
#include <errno.h>
#include <string.h>

struct report_op {
	struct http_request *rq;
	struct shop *shop;
	struct proto_label_reports m;
	struct label_ingest in;
};

static void op_free(struct report_op *op)
{
	for (size_t i = 0; i < op->m.n; i++) { /* keys do not stay behind in freed memory */
		explicit_bzero(op->m.reports[i].response_key, PROTO_KEY_BYTES);
		explicit_bzero(op->m.reports[i].train_key, PROTO_KEY_BYTES);
	}
	proto_label_reports_done(&op->m);
	free(op);
}

static int report_write(struct sql *s, void *arg)
{
	struct report_op *op = arg;
	int r = db_now_us(s, &op->in.now_us);

	return r < 0 ? r : label_ingest_apply(s, &op->m, &op->in);
}

static int by_number(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *) a, y = *(const uint64_t *) b;

	return x < y ? -1 : x > y;
}

/* Browsers hear of each label of the batch once. */
static void tell_browsers(struct report_op *op)
{
	uint64_t *addrs = calloc(op->m.n + 1, sizeof *addrs);

	if (!addrs)
		return;
	for (size_t i = 0; i < op->m.n; i++)
		addrs[i] = label_addr_number(op->m.reports[i].addr);
	qsort(addrs, op->m.n, sizeof *addrs, by_number);
	for (size_t i = 0; i < op->m.n; i++)
		if (i == 0 || addrs[i] != addrs[i - 1])
			label_notify(op->shop, addrs[i]);
	free(addrs);
}

static void report_done(void *arg, int err)
{
	struct report_op *op = arg;
	struct shop *s = op->shop;
	struct proto_ack ack = {.caps = PROTO_CAP_LABELS,
				.acked = op->in.acked,
				.server_time_us = clock_real_us(s->app->clock)};
	struct buf body = BUF_INIT;

	if (err == 0)
		err = proto_ack_encode(&ack, &body);
	if (err < 0) {
		buf_done(&body);
		http_reply_err(op->rq, err, "Label reports");
		op_free(op);
		return;
	}
	http_reply_buf(op->rq, 200, PROTO_CONTENT_TYPE, &body);
	s->stats.reports += op->in.taken;
	s->stats.duplicates += op->in.dropped;
	s->stats.readings += (uint64_t) op->in.readings;
	if (op->in.taken) {
		tell_browsers(op);
		app_labels_reported(s->app);
	}
	wanted_kick(s->wanted);
	if (op->in.assigned)
		desired_wake(s->desired, op->in.agent_id);
	if (op->in.lost_agent)
		desired_wake(s->desired, op->in.lost_agent);
	op_free(op);
}

void label_report_post(struct http_request *rq, struct app *app)
{
	struct report_op *op = calloc(1, sizeof *op);
	const uint8_t *body;
	size_t len, at = 0;
	int r;

	if (!op) {
		http_reply_err(rq, -ENOMEM, "Label reports");
		return;
	}
	body = http_body(rq, &len);
	r = proto_label_reports_decode(body, len, &op->m, &at);
	if (r < 0) {
		http_problem(rq, 400, "bad-message", "Byte %zu: not a label report message.", at);
		free(op);
		return;
	}
	op->rq = rq;
	op->shop = app->shop;
	op->in = (struct label_ingest){.agent_id = http_who(rq)->agent_id,
				       .adopt = app->config->labels_adopt_auto,
				       .escrow = app->shop->escrow};
	r = db_write(app->db, report_write, report_done, op);
	if (r < 0) {
		http_reply_err(rq, r, "Label reports");
		op_free(op);
	}
}
