/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The client's half of RFC 6455: the answer to the handshake, and frames. Pure; the socket is
 * ws.c's. (Debian's libcurl is built without WebSocket, and its libwebsockets would bring a second
 * TLS library to an access point that speaks none here.)
 */
#pragma once

#include "common/buf.h"

enum ws_opcode {
	WS_CONTINUE = 0x0,
	WS_TEXT = 0x1,
	WS_BINARY = 0x2,
	WS_CLOSE = 0x8,
	WS_PING = 0x9,
	WS_PONG = 0xa,
};

#define WS_KEY_MAX  25 /**< base64 of 16 bytes, with its NUL */
#define WS_HEAD_MAX 4096

struct ws_frame {
	bool fin;
	uint8_t opcode;
	const uint8_t *data; /**< borrowed from the input */
	size_t len;
};

/** The request line and headers that ask for a WebSocket. */
void ws_ask(struct buf *out, const char *host, const char *path, const char key[WS_KEY_MAX]);
/** Text form of 16 random bytes. */
void ws_key(const uint8_t random[16], char ret[WS_KEY_MAX]);
/** The server's answer. Bytes it takes when it grants the WebSocket of `key`; 0 if more must come;
 * -ERR_PEER if it says something else, -ERR_TOO_LARGE past WS_HEAD_MAX. */
int ws_granted(const void *data, size_t len, const char key[WS_KEY_MAX]) _must_check_;
/** The first frame of the input. Bytes it takes; 0 if more must come; -ERR_BADMSG for one that no
 * server may send, -ERR_TOO_LARGE for more than `max` bytes of data. */
int ws_frame_parse(const void *data, size_t len, size_t max, struct ws_frame *ret) _must_check_;
/** A whole frame as a client sends it. */
void ws_frame_put(struct buf *out, uint8_t opcode, const void *data, size_t len,
		  const uint8_t mask[4]);
