/* SPDX-License-Identifier: Apache-2.0 */
#include "ap-agent/problem.h"
#include <ctype.h>
#include <string.h>

#define MEMBER "\"code\""

static const char *skip_space(const char *at, const char *end)
{
	while (at < end && (*at == ' ' || *at == '\t' || *at == '\r' || *at == '\n'))
		at++;
	return at;
}

const char *problem_code(const void *body, size_t len, char ret_code[PROBLEM_CODE_MAX])
{
	const char *at = body ? memmem(body, len, MEMBER, strlen(MEMBER)) : NULL;
	size_t n = 0;

	ret_code[0] = '\0';
	if (!at)
		return ret_code;

	const char *end = (const char *) body + len;

	at = skip_space(at + strlen(MEMBER), end);
	if (at == end || *at++ != ':')
		return ret_code;
	at = skip_space(at, end);
	if (at == end || *at++ != '"')
		return ret_code;
	while (at + n < end && n < PROBLEM_CODE_MAX - 1 &&
	       (islower((unsigned char) at[n]) || isdigit((unsigned char) at[n]) || at[n] == '-'))
		n++;
	if (at + n == end || at[n] != '"')
		return ret_code;
	memcpy(ret_code, at, n);
	ret_code[n] = '\0';
	return ret_code;
}
