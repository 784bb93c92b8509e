/* SPDX-License-Identifier: Apache-2.0 */
#include "common/curl_loop.h"

#include "common/err.h"
#include <errno.h>

struct curl_loop {
	struct loop *loop;
	CURLM *multi;
	struct loop_timer *timer;
	curl_loop_fn done;
	void *user;
};

struct watch {
	struct curl_loop *owner;
	curl_socket_t fd;
	struct loop_io *io;
};

static void collect(struct curl_loop *c)
{
	CURLMsg *msg;
	int left;

	while ((msg = curl_multi_info_read(c->multi, &left)) != NULL) {
		void *mine = NULL;

		if (msg->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, (char **) &mine);
		c->done(c->user, mine, msg->data.result);
	}
}

static void on_io(void *user, unsigned int events)
{
	struct watch *w = user;
	struct curl_loop *c = w->owner;
	int running;
	int what = (events & LOOP_READ ? CURL_CSELECT_IN : 0) |
		   (events & LOOP_WRITE ? CURL_CSELECT_OUT : 0);

	/* curl may free w in here */
	curl_multi_socket_action(c->multi, w->fd, what, &running);
	collect(c);
}

static void on_timer(void *user)
{
	struct curl_loop *c = user;
	long left_ms = -1;
	int running;

	curl_multi_socket_action(c->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	collect(c);
	/* The loop's clock may be a millisecond ahead of curl's, which then found nothing due and
	 * does not say again when something will be. */
	(void) curl_multi_timeout(c->multi, &left_ms);
	if (left_ms >= 0 && !loop_timer_active(c->timer))
		loop_timer_start(c->timer, MAX(left_ms, 1) * US_PER_MS);
}

static int set_timer(CURLM *multi, long timeout_ms, void *user)
{
	struct curl_loop *c = user;

	(void) multi;
	/* Also for 0 by the timer: curl must not be entered from its own callback. */
	if (timeout_ms < 0)
		loop_timer_stop(c->timer);
	else
		loop_timer_start(c->timer, timeout_ms * US_PER_MS);
	return 0;
}

static int set_watch(CURL *easy, curl_socket_t fd, int what, void *user, void *socket_user)
{
	struct curl_loop *c = user;
	struct watch *w = socket_user;
	unsigned int events =
		(what & CURL_POLL_IN ? LOOP_READ : 0) | (what & CURL_POLL_OUT ? LOOP_WRITE : 0);

	(void) easy;
	if (what == CURL_POLL_REMOVE) {
		if (w) {
			loop_io_free(w->io);
			curl_multi_assign(c->multi, fd, NULL);
			free(w);
		}
		return 0;
	}
	if (w) {
		loop_io_set(w->io, events);
		return 0;
	}
	w = calloc(1, sizeof(*w));
	if (!w)
		return -1;
	w->owner = c;
	w->fd = fd;
	if (loop_io_new(c->loop, fd, events, on_io, w, &w->io) < 0) {
		free(w);
		return -1;
	}
	curl_multi_assign(c->multi, fd, w);
	return 0;
}

int curl_loop_new(struct loop *loop, long keep, curl_loop_fn done, void *user,
		  struct curl_loop **ret)
{
	struct curl_loop *c = calloc(1, sizeof(*c));
	int r;

	if (!c)
		return -ENOMEM;
	c->loop = loop;
	c->done = done;
	c->user = user;
	/* Not CURL_GLOBAL_ALL by habit: SSL is all we use of it, and it is what this flag says. */
	r = curl_global_init(CURL_GLOBAL_SSL) == CURLE_OK ? 0 : -ENOMEM;
	if (r == 0)
		r = loop_timer_new(loop, on_timer, c, &c->timer);
	if (r == 0) {
		c->multi = curl_multi_init();
		r = c->multi ? 0 : -ENOMEM;
	}
	if (r < 0) {
		curl_loop_free(c);
		return r;
	}
	curl_multi_setopt(c->multi, CURLMOPT_SOCKETFUNCTION, set_watch);
	curl_multi_setopt(c->multi, CURLMOPT_SOCKETDATA, c);
	curl_multi_setopt(c->multi, CURLMOPT_TIMERFUNCTION, set_timer);
	curl_multi_setopt(c->multi, CURLMOPT_TIMERDATA, c);
	curl_multi_setopt(c->multi, CURLMOPT_MAXCONNECTS, keep);
	*ret = c;
	return 0;
}

void curl_loop_free(struct curl_loop *c)
{
	if (!c)
		return;
	if (c->multi)
		curl_multi_cleanup(c->multi);
	loop_timer_free(c->timer);
	free(c);
}

int curl_loop_add(struct curl_loop *c, CURL *easy, void *mine)
{
	if (curl_easy_setopt(easy, CURLOPT_PRIVATE, (char *) mine) != CURLE_OK ||
	    curl_multi_add_handle(c->multi, easy) != CURLM_OK)
		return -ENOMEM;
	return 0;
}

void curl_loop_remove(struct curl_loop *c, CURL *easy)
{
	curl_multi_remove_handle(c->multi, easy);
}

int curl_loop_error(CURLcode code)
{
	switch (code) {
	case CURLE_OPERATION_TIMEDOUT:
		return -ETIMEDOUT;
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY:
		return -EHOSTUNREACH;
	case CURLE_COULDNT_CONNECT:
		return -ECONNREFUSED;
	case CURLE_OUT_OF_MEMORY:
		return -ENOMEM;
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_PEER_FAILED_VERIFICATION:
		return -ERR_TLS;
	default:
		return -ERR_CLOSED;
	}
}
