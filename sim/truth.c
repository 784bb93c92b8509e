/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/truth.h"

#include "common/buf.h"
#include "sim/net.h"
#include <errno.h>
#include <string.h>
#include <unistd.h>

#define MAX_LINE  4096
#define MAX_PEERS 16
#define MAX_QUEUE (64u << 20)

struct peer {
	struct sim_truth *t;
	struct net_conn *conn; /**< NULL = free place */
	char line[MAX_LINE];
	size_t len;
};

struct sim_truth {
	struct loop *loop;
	struct sim_truth_sources sources;
	struct net_listener *listener;
	struct peer peers[MAX_PEERS];
};

static void peer_end(struct peer *p)
{
	net_conn_free(p->conn);
	p->conn = NULL;
	p->len = 0;
}

static void peer_line(struct peer *p, const char *line, size_t len)
{
	_cleanup_buf_ struct buf out = BUF_INIT;

	sim_truth_answer(&p->t->sources, loop_clock(p->t->loop), line, len, &out);
	if (!buf_ok(&out) || net_conn_send(p->conn, out.data, out.len) < 0)
		peer_end(p);
}

static void peer_data(void *user, const uint8_t *data, size_t len)
{
	struct peer *p = user;

	while (len > 0 && p->conn) {
		const uint8_t *end = memchr(data, '\n', len);
		size_t n = end ? (size_t) (end - data) : len;

		if (n > sizeof p->line - p->len) {
			peer_end(p);
			return;
		}
		memcpy(p->line + p->len, data, n);
		p->len += n;
		if (!end)
			return;
		n = p->len;
		p->len = 0;
		peer_line(p, p->line, n);
		len -= (size_t) (end + 1 - data);
		data = end + 1;
	}
}

static void peer_closed(void *user, int err)
{
	(void) err;
	peer_end(user);
}

static void peer_accept(void *user, int fd)
{
	static const struct net_conn_callbacks cb = {.data = peer_data, .closed = peer_closed};
	struct sim_truth *t = user;

	for (size_t i = 0; i < MAX_PEERS; i++) {
		struct peer *p = &t->peers[i];

		if (p->conn)
			continue;
		p->t = t;
		p->len = 0;
		if (net_conn_new(t->loop, fd, false, MAX_QUEUE, &cb, p, &p->conn) < 0)
			p->conn = NULL;
		return;
	}
	close(fd);
}

int sim_truth_new(struct loop *loop, const struct sim_truth_sources *sources, uint16_t port,
		  struct sim_truth **ret)
{
	struct sim_truth *t = calloc(1, sizeof *t);
	int r;

	if (!t)
		return -ENOMEM;
	t->loop = loop;
	t->sources = *sources;
	r = net_listen_tcp(loop, port, peer_accept, t, &t->listener);
	if (r < 0) {
		free(t);
		return r;
	}
	*ret = t;
	return 0;
}

uint16_t sim_truth_port(const struct sim_truth *t)
{
	return net_listener_port(t->listener);
}

void sim_truth_free(struct sim_truth *t)
{
	if (!t)
		return;
	net_listener_free(t->listener);
	for (size_t i = 0; i < MAX_PEERS; i++) {
		if (t->peers[i].conn)
			peer_end(&t->peers[i]);
	}
	free(t);
}
