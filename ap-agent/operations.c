/* SPDX-License-Identifier: Apache-2.0 */
#include "ap-agent/operations_impl.h"
#include "common/err.h"
#include "common/fault.h"
#include "common/log.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define RETRY_US    US_PER_SEC       /* a reader that does not run */
#define GUARD_US    (8 * US_PER_SEC) /* an answer that never comes */
#define SEND_MIN_US US_PER_SEC
#define SEND_MAX_US (30 * US_PER_SEC)
#define TIMEOUT_US  (30 * US_PER_SEC)
#define SMALL_REPLY 4096
#define PC_AT       1
#define WORD_BITS   16

static void run(struct operations *o);

/* --- results -----------------------------------------------------------------------------------
 */

static void send_soon(struct operations *o, int64_t delay_us)
{
	if (o->cfg.http && !o->call && !loop_timer_active(o->send))
		loop_timer_start(o->send, delay_us);
}

/** What is known of it now; kept on flash unless it is only that it runs. */
static void _printf_(4, 5)
	tell(struct operations *o, struct op *op, enum operation_state state, const char *fmt, ...)
{
	struct proto_operation_result *r = &op->result;
	va_list ap;
	int err;

	r->id = op->ask.id;
	r->state = (uint8_t) state;
	r->at_us = timebase_now(o->cfg.tb);
	r->tag = op->ask.tag;
	va_start(ap, fmt);
	vsnprintf(r->text, sizeof(r->text), fmt, ap);
	va_end(ap);
	op->has_result = true;
	op->told = false;
	op->version++;
	if (state != OPERATION_RUNNING) {
		err = op_save(o, op);
		if (err < 0)
			log_write(LOG_ERR, "tags", err, "operation=%llu msg=\"cannot be kept\"",
				  (unsigned long long) op->ask.id);
	}
	send_soon(o, 0);
}

static void remove_op(struct operations *o, struct op *op)
{
	size_t i = 0;

	while (i < o->n && o->list[i] != op)
		i++;
	if (i == o->n || op == o->active)
		return;
	o->n--;
	memmove(o->list + i, o->list + i + 1, (o->n - i) * sizeof(o->list[0]));
	free(op);
}

/** It is over; the next one. */
static void finish(struct operations *o)
{
	struct op *op = o->active;

	o->active = NULL;
	o->step = STEP_IDLE;
	log_notice("tags", "operation=%llu state=%u msg=\"%s\"", (unsigned long long) op->ask.id,
		   op->result.state, op->result.text);
	loop_timer_start(o->timer, 0);
	if (op->told)
		remove_op(o, op);
}

#define END(o, state, ...)                                                                         \
	do {                                                                                       \
		(o)->active->phase = OP_FINISHED;                                                  \
		tell((o), (o)->active, (state), __VA_ARGS__);                                      \
		finish(o);                                                                         \
	} while (0)

/* --- asking the reader -------------------------------------------------------------------------
 */

static void on_answer(void *user, const struct rfid_access_result *result);

static void begin_step(struct operations *o, enum op_step step, int64_t guard_us)
{
	o->step = step;
	loop_timer_start(o->timer, guard_us);
}

/** The operation waits until its reader runs; how long is up to run(). */
static void wait_for_reader(struct operations *o)
{
	o->active = NULL;
	begin_step(o, STEP_WAIT, RETRY_US);
}

static int ask_reader(struct operations *o, const struct rfid_access *access)
{
	return readers_access(o->cfg.readers, o->active->ask.reader, access, on_answer, o);
}

/** Reads the EPC memory of the tag with that EPC: whether it answers is what counts. */
static void read_epc(struct operations *o, enum op_step step)
{
	const struct proto_operation *ask = &o->active->ask;
	struct rfid_access a = {.tag = step == STEP_READ_NEW ? ask->epc : ask->tag, .n_ops = 1};

	a.ops[0] = (struct rfid_op){.kind = RFID_OP_READ,
				    .bank = RFID_BANK_EPC,
				    .pointer = PC_AT,
				    .n_words = (uint16_t) (1 + a.tag.bits / WORD_BITS)};
	if (ask_reader(o, &a) < 0) {
		o->active->recovering = true;
		if (!o->active->give_up_us)
			o->active->give_up_us = clock_mono_us(o->clock) + OPERATIONS_RECOVER_US;
		if (o->active->result.state != OPERATION_UNKNOWN)
			tell(o, o->active, OPERATION_UNKNOWN,
			     "The reader was lost while it wrote; it is looked at again when it is "
			     "back.");
		wait_for_reader(o);
		return;
	}
	begin_step(o, step, GUARD_US);
}

static int make_access(const struct proto_operation *ask, struct rfid_access *a)
{
	int r = 0;

	*a = (struct rfid_access){.tag = ask->tag, .n_ops = 1};
	switch (ask->kind) {
	case OPERATION_READ:
		a->ops[0] = (struct rfid_op){.kind = RFID_OP_READ,
					     .bank = (enum rfid_bank) ask->bank,
					     .pointer = ask->pointer,
					     .n_words = ask->n_words};
		break;
	case OPERATION_WRITE_EPC:
		r = rfid_access_write_epc(&ask->tag, &ask->epc, a);
		break;
	case OPERATION_LOCK:
		a->ops[0] = (struct rfid_op){.kind = RFID_OP_LOCK,
					     .field = (enum rfid_lock_field) ask->field,
					     .how = (enum rfid_lock_how) ask->how};
		break;
	default:
		return -ERR_VERSION;
	}
	a->antenna = ask->antenna;
	a->password = ask->password;
	return r;
}

/** On flash before the reader hears of it. */
static void work(struct operations *o)
{
	struct op *op = o->active;
	struct rfid_access a;
	int r = make_access(&op->ask, &a);

	if (r < 0) {
		END(o, OPERATION_FAILED, "This cannot be done with this tag: %s.", err_str(r));
		return;
	}
	o->said_done = false;
	o->why[0] = '\0';
	op->phase = OP_BEGUN;
	r = op_save(o, op);
	if (r < 0) {
		END(o, OPERATION_FAILED, "The access point cannot keep what it begins: %s.",
		    err_str(r));
		return;
	}
	FAULT_POINT("agent.operation.begun");
	r = ask_reader(o, &a);
	if (r < 0) { /* it has not heard of it */
		op->phase = OP_ACCEPTED;
		if (op_save(o, op) < 0)
			log_warn("tags", "msg=\"cannot keep that nothing was begun\"");
		wait_for_reader(o);
		return;
	}
	FAULT_POINT("agent.operation.sent");
	tell(o, op, OPERATION_RUNNING, "The reader is at it.");
	begin_step(o, STEP_WORK, GUARD_US);
}

/* --- which tag is in view ----------------------------------------------------------------------
 */

static void on_reads(void *user, const char *reader, const struct rfid_read *reads, size_t n)
{
	struct operations *o = user;

	if (o->step != STEP_LOOK || strcmp(reader, o->active->ask.reader) != 0)
		return;
	for (size_t i = 0; i < n; i++) {
		bool known = false;

		if (o->active->ask.antenna && reads[i].antenna != o->active->ask.antenna)
			continue;
		for (size_t k = 0; k < o->n_tags && !known; k++)
			known = epc_equal(&o->tags[k], &reads[i].epc);
		if (!known && o->n_tags < SEEN_TAGS_MAX)
			o->tags[o->n_tags++] = reads[i].epc;
	}
}

static void looked(struct operations *o)
{
	if (o->n_tags == 0) {
		END(o, OPERATION_FAILED, "No tag is in view: bring it near the antenna.");
	} else if (o->n_tags > 1) {
		END(o, OPERATION_FAILED,
		    "%zu%s tags answer: take the others away, or say which one by its EPC.",
		    o->n_tags, o->n_tags == SEEN_TAGS_MAX ? " or more" : "");
	} else {
		o->active->ask.tag = o->tags[0];
		work(o);
	}
}

/* --- what the reader answered ------------------------------------------------------------------
 */

static void keep_words(struct op *op, const struct rfid_access_result *result)
{
	const struct rfid_op_result *r = &result->ops[0];

	op->result.antenna = result->antenna;
	op->result.n_words = MIN(r->n_words, (uint16_t) PROTO_MAX_OPERATION_WORDS);
	memcpy(op->result.words, r->words, op->result.n_words * sizeof(r->words[0]));
}

/** True when the tag did it; else o->why says why not. */
static bool take_outcome(struct operations *o, const struct rfid_access_result *result)
{
	if (result->err < 0)
		snprintf(o->why, sizeof(o->why), "%s", result->text ? result->text : "no answer");
	else if (result->n == 0 || !result->ops[0].done)
		snprintf(o->why, sizeof(o->why), "the reader told no result");
	else if (result->ops[0].code != 0)
		snprintf(o->why, sizeof(o->why), "%s", result->ops[0].words_of);
	else
		return true;
	return false;
}

static void worked(struct operations *o, const struct rfid_access_result *result)
{
	struct op *op = o->active;
	bool done = take_outcome(o, result);

	FAULT_POINT("agent.operation.answered");
	if (op->ask.kind == OPERATION_WRITE_EPC) {
		o->said_done = done;
		op->result.antenna = result->antenna;
		read_epc(o, STEP_READ_NEW); /* whatever it said: the tag decides */
		return;
	}
	if (done && op->ask.kind == OPERATION_READ)
		keep_words(op, result);
	if (done)
		END(o, OPERATION_DONE, "%s",
		    op->ask.kind == OPERATION_READ ? "The tag was read." : "The tag took it.");
	else if (result->err == -ERR_CLOSED && op->ask.kind == OPERATION_LOCK)
		END(o, OPERATION_UNKNOWN,
		    "The reader was lost meanwhile: whether the tag took it cannot be seen.");
	else
		END(o, OPERATION_FAILED, "Not done: %s.", o->why);
}

static void looked_for_new(struct operations *o, bool answers,
			   const struct rfid_access_result *result)
{
	struct op *op = o->active;

	if (answers) {
		keep_words(op, result);
		END(o, OPERATION_DONE, "Written, and read back%s.",
		    op->recovering ? " after an interruption" : "");
	} else if (result && result->err == -ERR_CLOSED) {
		read_epc(o, STEP_READ_NEW); /* that waits for the reader */
	} else {
		read_epc(o, STEP_READ_OLD);
	}
}

static void looked_for_old(struct operations *o, bool answers,
			   const struct rfid_access_result *result)
{
	if (answers)
		END(o, OPERATION_FAILED, "Not written, the tag has its old EPC: %s.",
		    o->why[0] ? o->why : "interrupted");
	else if (result && result->err == -ERR_CLOSED)
		read_epc(o, STEP_READ_NEW);
	else if (o->said_done)
		END(o, OPERATION_UNKNOWN,
		    "The tag said that it was written, and does not answer any more.");
	else
		END(o, OPERATION_UNKNOWN, "Neither the old EPC nor the new one answers: %s.",
		    o->why[0] ? o->why : "interrupted");
}

static void on_answer(void *user, const struct rfid_access_result *result)
{
	struct operations *o = user;
	bool answers;

	if (!o->active || o->step < STEP_WORK || o->step > STEP_READ_OLD)
		return;
	loop_timer_stop(o->timer);
	answers = result->err == 0 && result->n > 0 && result->ops[0].done &&
		  result->ops[0].code == 0;
	if (o->step == STEP_WORK)
		worked(o, result);
	else if (o->step == STEP_READ_NEW)
		looked_for_new(o, answers, result);
	else
		looked_for_old(o, answers, result);
}

/* --- one after the other -----------------------------------------------------------------------
 */

static void start(struct operations *o, struct op *op)
{
	o->active = op;
	if (op->recovering) {
		o->said_done = false;
		o->why[0] = '\0';
		if (clock_mono_us(o->clock) >= op->give_up_us)
			END(o, OPERATION_UNKNOWN,
			    "It was interrupted, and the reader did not come back to look.");
		else
			read_epc(o, STEP_READ_NEW);
		return;
	}
	if (timebase_now(o->cfg.tb) >= op->ask.until_us) {
		END(o, OPERATION_FAILED, "Its time was over before the reader could begin.");
		return;
	}
	if (op->ask.tag.bits) {
		work(o);
		return;
	}
	o->n_tags = 0;
	begin_step(o, STEP_LOOK, OPERATIONS_LOOK_US);
}

/** The first that is not finished; those of a reader that is away do not hold up the others. */
static void run(struct operations *o)
{
	bool waits = false;

	for (size_t i = 0; i < o->n && !o->active; i++) {
		struct op *op = o->list[i];
		bool running = readers_running(o->cfg.readers, op->ask.reader);

		if (op->phase == OP_FINISHED)
			continue;
		if (running || (op->recovering ? clock_mono_us(o->clock) >= op->give_up_us
					       : timebase_now(o->cfg.tb) >= op->ask.until_us)) {
			start(o, op);
			return;
		}
		waits = true;
	}
	o->step = waits ? STEP_WAIT : STEP_IDLE;
	if (waits)
		loop_timer_start(o->timer, RETRY_US);
}

static void on_timer(void *user)
{
	static const struct rfid_access_result late = {.err = -ETIMEDOUT,
						       .text = "the reader told no result"};
	struct operations *o = user;

	if (!o->active)
		run(o);
	else if (o->step == STEP_LOOK)
		looked(o);
	else
		on_answer(o, &late);
}

int operations_want(struct operations *o, const struct proto_operation *list, size_t n)
{
	int r = 0;

	for (size_t i = 0; i < n && r >= 0; i++) {
		struct op op = {.ask = list[i], .secret = list[i].password != 0};

		if (o->n == OPERATIONS_MAX)
			return -ENOSPC;
		r = op_accept(o, &op);
		if (r > 0 && !op_add(o, &op))
			r = -ENOMEM;
	}
	if (!o->active && o->n)
		loop_timer_start(o->timer, 0);
	return MIN(r, 0);
}

/* --- telling -----------------------------------------------------------------------------------
 */

size_t operations_owed(const struct operations *o, struct proto_operation_results *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->caps = o->cfg.caps;
	for (size_t i = 0; i < o->n && ret->n < PROTO_MAX_OPERATIONS; i++)
		if (o->list[i]->has_result && !o->list[i]->told)
			ret->list[ret->n++] = o->list[i]->result;
	return ret->n;
}

static struct op *find(struct operations *o, uint64_t id)
{
	for (size_t i = 0; i < o->n; i++)
		if (o->list[i]->ask.id == id)
			return o->list[i];
	return NULL;
}

static void take_ack(struct operations *o)
{
	for (size_t i = 0; i < o->sent.n; i++) {
		struct op *op = find(o, o->sent.list[i].id);

		if (!op || op->version != o->sent_version[i])
			continue; /* there is more to tell by now */
		op->told = true;
		if (op->phase != OP_FINISHED)
			continue;
		if (op_save(o, op) < 0)
			log_warn("tags", "msg=\"cannot keep that a result was told\"");
		remove_op(o, op);
	}
	if (op_prune(o) < 0)
		log_debug("tags", "msg=\"cannot forget old operations\"");
}

static void on_sent(void *user, const struct http_reply *reply)
{
	struct operations *o = user;
	struct proto_ack ack;

	o->call = NULL;
	if (reply->err == 0 && reply->status == 200 &&
	    proto_ack_decode(reply->body, reply->len, &ack, NULL) == 0 && ack.acked == o->sent.n) {
		take_ack(o);
		o->backoff_us = 0;
		if (operations_owed(o, &o->sent))
			send_soon(o, 0);
		return;
	}
	o->backoff_us = MIN(MAX(2 * o->backoff_us, SEND_MIN_US), SEND_MAX_US);
	send_soon(o, o->backoff_us);
}

static void on_send(void *user)
{
	struct operations *o = user;
	_cleanup_buf_ struct buf body = BUF_INIT;
	struct http_request rq = {.method = "POST",
				  .path = "/agent/v1/operations",
				  .max_reply = SMALL_REPLY,
				  .timeout_us = TIMEOUT_US};

	if (o->call || operations_owed(o, &o->sent) == 0)
		return;
	for (size_t i = 0; i < o->sent.n; i++)
		o->sent_version[i] = find(o, o->sent.list[i].id)->version;
	FAULT_POINT("agent.operation.tell");
	if (proto_operation_results_encode(&o->sent, &body) == 0) {
		rq.body = body.data;
		rq.body_len = body.len;
		if (http_client_start(o->cfg.http, &rq, on_sent, o, &o->call) == 0)
			return;
	}
	send_soon(o, SEND_MAX_US);
}

void operations_online(struct operations *o)
{
	o->backoff_us = 0;
	send_soon(o, 0);
}

/* --- life --------------------------------------------------------------------------------------
 */

/** What an earlier life left half done. */
static void recover(struct operations *o)
{
	for (size_t i = 0; i < o->n; i++) {
		struct op *op = o->list[i];

		if (op->phase == OP_FINISHED)
			continue;
		if (op->phase == OP_BEGUN && op->ask.kind == OPERATION_WRITE_EPC) {
			op->recovering = true;
			op->give_up_us = clock_mono_us(o->clock) + OPERATIONS_RECOVER_US;
			tell(o, op, OPERATION_UNKNOWN,
			     "The access point restarted while the tag was being written; it is "
			     "read to find out.");
		} else if (op->phase == OP_BEGUN && op->ask.kind == OPERATION_LOCK) {
			op->phase = OP_FINISHED;
			tell(o, op, OPERATION_UNKNOWN,
			     "The access point restarted meanwhile: whether the tag took it cannot "
			     "be seen.");
		} else if (op->secret) {
			op->phase = OP_FINISHED;
			tell(o, op, OPERATION_FAILED,
			     "The access point restarted, and keeps no passwords: ask again.");
		} else {
			op->phase = OP_ACCEPTED; /* reading twice does no harm */
		}
	}
}

int operations_new(struct loop *loop, const struct operations_config *cfg, struct operations **ret)
{
	_cleanup_(operations_freep) struct operations *o = calloc(1, sizeof(*o));
	int r;

	if (!o)
		return -ENOMEM;
	o->loop = loop;
	o->clock = loop_clock(loop);
	o->cfg = *cfg;
	o->sql = store_sql(cfg->store);
	r = loop_timer_new(loop, on_timer, o, &o->timer);
	if (r == 0)
		r = loop_timer_new(loop, on_send, o, &o->send);
	if (r == 0)
		r = op_table(o);
	if (r == 0)
		r = op_load(o);
	if (r < 0)
		return r;
	readers_listen(cfg->readers, on_reads, o);
	recover(o);
	if (o->n)
		loop_timer_start(o->timer, 0);
	*ret = TAKE_PTR(o);
	return 0;
}

void operations_free(struct operations *o)
{
	if (!o)
		return;
	if (o->cfg.readers)
		readers_listen(o->cfg.readers, NULL, NULL);
	http_call_cancel(o->call);
	loop_timer_free(o->timer);
	loop_timer_free(o->send);
	for (size_t i = 0; i < o->n; i++)
		free(o->list[i]);
	free(o);
}
