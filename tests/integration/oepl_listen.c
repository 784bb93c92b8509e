/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oepl_listen URL: opens the feed of an access point as the product does, and tells on stdout what
 * comes of it: "up", "message LENGTH SHA-256" for each, "down". It ends then, or hangs up at the
 * end of its input.
 */
#include "common/hex.h"
#include "common/image.h"
#include "esl-radio/oepl/net.h"
#include <stdio.h>
#include <unistd.h>

struct listener {
	struct loop *loop;
	struct oepl_net *net;
	struct loop_io *in;
};

static void on_reply(void *user, const struct oepl_reply *reply)
{
	(void) user;
	(void) reply;
}

static void on_feed(void *user, bool up)
{
	struct listener *l = user;

	puts(up ? "up" : "down");
	fflush(stdout);
	if (!up)
		loop_stop(l->loop);
}

static void on_message(void *user, const uint8_t *text, size_t len)
{
	uint8_t hash[IMAGE_HASH_BYTES];
	char hex[2 * IMAGE_HASH_BYTES + 1];

	(void) user;
	image_hash(text, len, hash);
	hex_encode(hash, sizeof(hash), hex);
	printf("message %zu %s\n", len, hex);
	fflush(stdout);
}

static void on_input(void *user, unsigned int events)
{
	struct listener *l = user;
	char byte;

	(void) events;
	if (read(STDIN_FILENO, &byte, 1) > 0)
		return;
	if (l->net->ops->listen(l->net, false) == 0)
		puts("left");
	loop_stop(l->loop);
}

int main(int argc, char **argv)
{
	static const struct oepl_net_callbacks cb = {
		.reply = on_reply, .feed = on_feed, .message = on_message};
	struct listener l = {0};

	if (argc != 2 || loop_new(&l.loop) < 0 || oepl_net_http(l.loop, argv[1], &l.net) < 0 ||
	    loop_io_new(l.loop, STDIN_FILENO, LOOP_READ, on_input, &l, &l.in) < 0) {
		fprintf(stderr, "usage: oepl_listen URL\n");
		return 1;
	}
	l.net->ops->set(l.net, &cb, &l);
	if (l.net->ops->listen(l.net, true) < 0)
		return 1;
	loop_run(l.loop);
	loop_io_free(l.in);
	l.net->ops->free(l.net);
	loop_free(l.loop);
	return 0;
}
