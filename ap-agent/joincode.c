/* SPDX-License-Identifier: Apache-2.0 */
#include "ap-agent/joincode.h"
#include "common/err.h"
#include "common/hex.h"
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PREFIX     "GJ1-"
#define PREFIX_LEN 4
#define SECRET_END (PREFIX_LEN + JOINCODE_SECRET_DIGITS)
#define CODE_LEN   (SECRET_END + 1 + 2 * JOINCODE_FINGERPRINT_BYTES)

int joincode_parse(const char *text, struct joincode *ret)
{
	struct joincode jc = {0};

	while (isspace((unsigned char) *text))
		text++;

	size_t len = strlen(text);

	while (len > 0 && isspace((unsigned char) text[len - 1]))
		len--;
	if (len != CODE_LEN || strncasecmp(text, PREFIX, PREFIX_LEN) != 0 ||
	    text[SECRET_END] != '-')
		return -ERR_SYNTAX;

	memcpy(jc.text, PREFIX, PREFIX_LEN);
	for (size_t i = PREFIX_LEN; i < SECRET_END; i++) {
		/* Which base32 alphabet is the controller's business. */
		if (!isalnum((unsigned char) text[i]))
			return -ERR_SYNTAX;
		jc.text[i] = (char) toupper((unsigned char) text[i]);
	}
	jc.text[SECRET_END] = '-';
	for (size_t i = SECRET_END + 1; i < CODE_LEN; i++)
		jc.text[i] = (char) tolower((unsigned char) text[i]);

	int r = hex_decode(jc.text + SECRET_END + 1, jc.fingerprint, sizeof(jc.fingerprint));

	if (r < 0)
		return r;
	*ret = jc;
	return 0;
}

int joincode_read_file(const char *path, struct joincode *ret)
{
	char text[256];
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return -errno;

	ssize_t n = read(fd, text, sizeof(text) - 1);
	int err = errno;

	close(fd);
	if (n < 0)
		return -err;
	text[n] = '\0';
	text[strcspn(text, "\r\n")] = '\0';
	return joincode_parse(text, ret);
}
