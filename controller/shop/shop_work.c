/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/shop/shop_work.h"
#include "common/log.h"
#include <errno.h>

#define SLOTS 3

struct shop_work {
	struct loop *loop;
	struct shop_slot slots[SLOTS];
	bool busy[SLOTS];
	size_t running;
	struct shop_job *first;
};

int shop_work_new(struct loop *loop, struct db *db, struct shop_work **ret)
{
	struct shop_work *w = calloc(1, sizeof *w);
	int r = 0;

	if (!w)
		return -ENOMEM;
	w->loop = loop;
	for (size_t i = 0; i < SLOTS && r == 0; i++) {
		r = db_open_reader(db, &w->slots[i].sql);
		if (r == 0)
			r = renderer_new(&w->slots[i].renderer);
	}
	if (r < 0) {
		shop_work_free(w);
		return r;
	}
	*ret = w;
	return 0;
}

void shop_work_drain(struct shop_work *w)
{
	while (w->running > 0)
		loop_run_once(w->loop, 20);
}

void shop_work_free(struct shop_work *w)
{
	if (!w)
		return;
	shop_work_drain(w);
	for (size_t i = 0; i < SLOTS; i++) {
		sql_close(w->slots[i].sql);
		renderer_free(w->slots[i].renderer);
	}
	free(w);
}

static void run(void *user)
{
	struct shop_job *job = user;

	job->work(job, &job->owner->slots[job->slot]);
}

static void start_next(struct shop_work *w);

static void finished(void *user)
{
	struct shop_job *job = user;
	struct shop_work *w = job->owner;

	w->busy[job->slot] = false;
	w->running--;
	job->done(job);
	start_next(w);
}

static void start_next(struct shop_work *w)
{
	while (w->first && w->running < SLOTS) {
		struct shop_job *job = w->first;
		size_t i = 0;

		while (w->busy[i])
			i++;
		w->first = job->next;
		w->busy[i] = true;
		w->running++;
		job->slot = i;
		if (loop_work(w->loop, run, finished, job) < 0) {
			/* no memory to hand it over: better late on this thread than never */
			log_warn("shop", "msg=\"work pool refused a job, running it here\"");
			run(job);
			finished(job);
		}
	}
}

void shop_work_submit(struct shop_work *w, struct shop_job *job, bool urgent)
{
	struct shop_job **at = &w->first;

	job->owner = w;
	while (!urgent && *at)
		at = &(*at)->next;
	job->next = *at;
	*at = job;
	start_next(w);
}
