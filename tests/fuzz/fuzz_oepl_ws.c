/* SPDX-License-Identifier: Apache-2.0 */
/* What a server sends on a WebSocket: the handshake's answer, then frames. A frame never takes more
 * than there is, and never lies outside of it. */
#include "esl-radio/oepl/ws_wire.h"
#include <stdlib.h>

#define MAX_DATA 65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const uint8_t zero[16];
	char key[WS_KEY_MAX];
	struct ws_frame f;
	int n;

	ws_key(zero, key);
	n = ws_granted(data, len, key);
	if (n > 0 && (size_t) n > len)
		abort();
	while ((n = ws_frame_parse(data, len, MAX_DATA, &f)) > 0) {
		if ((size_t) n > len || f.len > MAX_DATA || (f.len && f.data < data) ||
		    (f.len && f.data + f.len > data + n))
			abort();
		data += n;
		len -= (size_t) n;
	}
	return 0;
}
