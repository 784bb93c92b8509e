/* SPDX-License-Identifier: Apache-2.0 */
#include "esl-radio/oepl/ws_wire.h"

#include "common/err.h"
#include "common/wire.h"
#include <nettle/base64.h>
#include <nettle/sha1.h>
#include <string.h>
#include <strings.h>

#define CONTROL_MAX 125

static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"; /* RFC 6455 1.3 */

void ws_key(const uint8_t random[16], char ret[WS_KEY_MAX])
{
	base64_encode_raw(ret, 16, random);
	ret[WS_KEY_MAX - 1] = '\0';
}

void ws_ask(struct buf *out, const char *host, const char *path, const char key[WS_KEY_MAX])
{
	buf_printf(out,
		   "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
		   "Sec-WebSocket-Key: %s\r\nSec-WebSocket-Version: 13\r\n\r\n",
		   path, host, key);
}

/* --- handshake -------------------------------------------------------------------------------- */

static void expected(const char key[WS_KEY_MAX], char ret[29])
{
	struct sha1_ctx ctx;
	uint8_t digest[SHA1_DIGEST_SIZE];

	sha1_init(&ctx);
	sha1_update(&ctx, strlen(key), (const uint8_t *) key);
	sha1_update(&ctx, sizeof(guid) - 1, (const uint8_t *) guid);
	sha1_digest(&ctx, sizeof(digest), digest);
	base64_encode_raw(ret, sizeof(digest), digest);
	ret[28] = '\0';
}

/** Value of a header line, or NULL if the line is not that header. */
static const char *value_of(const char *line, const char *end, const char *name, size_t *ret_len)
{
	size_t n = strlen(name);

	if ((size_t) (end - line) <= n || line[n] != ':' || strncasecmp(line, name, n) != 0)
		return NULL;
	line += n + 1;
	while (line < end && (*line == ' ' || *line == '\t'))
		line++;
	while (end > line && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	*ret_len = (size_t) (end - line);
	return line;
}

int ws_granted(const void *data, size_t len, const char key[WS_KEY_MAX])
{
	static const char status[] = "HTTP/1.1 101";
	const char *head = data;
	const char *end;
	char accept[29];
	bool accepted = false, upgrades = false;

	if (!data || len == 0)
		return 0; /* nothing has come yet */
	end = memmem(data, MIN(len, WS_HEAD_MAX), "\r\n\r\n", 4);
	if (len >= sizeof(status) - 1 && memcmp(head, status, sizeof(status) - 1) != 0)
		return -ERR_PEER;
	if (!end)
		return len >= WS_HEAD_MAX ? -ERR_TOO_LARGE : 0;
	expected(key, accept);
	for (const char *line = head; line < end;) {
		const char *stop = memmem(line, (size_t) (end + 2 - line), "\r\n", 2);
		const char *v;
		size_t n;

		v = value_of(line, stop, "Sec-WebSocket-Accept", &n);
		if (v)
			accepted = n == strlen(accept) && memcmp(v, accept, n) == 0;
		v = value_of(line, stop, "Upgrade", &n);
		if (v)
			upgrades = n == 9 && strncasecmp(v, "websocket", 9) == 0;
		if (value_of(line, stop, "Sec-WebSocket-Extensions", &n))
			return -ERR_PEER; /* none was asked for */
		line = stop + 2;
	}
	return accepted && upgrades ? (int) (end + 4 - head) : -ERR_PEER;
}

/* --- frames ----------------------------------------------------------------------------------- */

int ws_frame_parse(const void *data, size_t len, size_t max, struct ws_frame *ret)
{
	struct wire w;
	uint8_t first, second;
	uint64_t n;
	bool control;

	wire_init(&w, data, len);
	first = wire_get_u8(&w);
	second = wire_get_u8(&w);
	if (!wire_ok(&w))
		return 0;
	control = first & 0x08;
	/* Bits reserved, opcodes unknown, a server that masks: RFC 6455 5.1, 5.2. */
	if ((first & 0x70) || (first & 0x0f) > WS_PONG || ((first & 0x07) > WS_BINARY) ||
	    (second & 0x80))
		return -ERR_BADMSG;
	n = second;
	if (control && (n > CONTROL_MAX || !(first & 0x80)))
		return -ERR_BADMSG;
	if (n == 126)
		n = wire_get_u16be(&w);
	else if (n == 127)
		n = wire_get_u64be(&w);
	if (!wire_ok(&w))
		return 0;
	if (n > max)
		return -ERR_TOO_LARGE;
	if (wire_left(&w) < n)
		return 0;
	*ret = (struct ws_frame){.fin = first & 0x80,
				 .opcode = first & 0x0f,
				 .data = wire_get_bytes(&w, (size_t) n),
				 .len = (size_t) n};
	return (int) w.pos;
}

void ws_frame_put(struct buf *out, uint8_t opcode, const void *data, size_t len,
		  const uint8_t mask[4])
{
	uint8_t *to;

	buf_put_u8(out, (uint8_t) (0x80 | opcode));
	if (len < 126) {
		buf_put_u8(out, (uint8_t) (0x80 | len));
	} else if (len <= UINT16_MAX) {
		buf_put_u8(out, 0x80 | 126);
		buf_put_u16be(out, (uint16_t) len);
	} else {
		buf_put_u8(out, 0x80 | 127);
		buf_put_u64be(out, len);
	}
	buf_put(out, mask, 4);
	to = buf_extend(out, len);
	for (size_t i = 0; to && i < len; i++)
		to[i] = ((const uint8_t *) data)[i] ^ mask[i % 4];
}
