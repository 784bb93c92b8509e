/* SPDX-License-Identifier: Apache-2.0 */
/*
 * main() of a fuzz target when it is not linked with libFuzzer: runs the target over its corpus,
 * the directory tests/fuzz/NAME.in/ for a program fuzz_NAME, and reports in TAP. Besides each file
 * as it is, it tries every truncation and a fixed set of seeded mutations of it.
 */
#include "common/util.h"
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CORPUS_FILE_MAX (1u << 20)
#define MUTATIONS       200
#define MAX_TRUNCATED   512

/* xorshift: the mutations are the same on every machine. */
static uint32_t next_random(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

/* A copy of exactly `size` bytes, so that a sanitizer sees any read past the end. */
static void run_copy(const uint8_t *data, size_t size, uint32_t *mutate)
{
	uint8_t *copy = malloc(size ? size : 1);

	if (!copy)
		return;
	memcpy(copy, data, size);
	for (int i = 0; mutate && size && i < 4; i++)
		copy[next_random(mutate) % size] = (uint8_t) next_random(mutate);
	(void) LLVMFuzzerTestOneInput(copy, size);
	free(copy);
}

static size_t run_file(const char *path)
{
	_cleanup_free_ uint8_t *data = malloc(CORPUS_FILE_MAX);
	FILE *f = data ? fopen(path, "rb") : NULL;
	uint32_t seed = 2463534242u;
	size_t runs = 0;

	if (!f)
		return 0;
	size_t n = fread(data, 1, CORPUS_FILE_MAX, f);

	fclose(f);
	run_copy(data, n, NULL);
	for (size_t len = 0; len < MIN(n, MAX_TRUNCATED); len++, runs++)
		run_copy(data, len, NULL);
	for (int i = 0; i < MUTATIONS; i++, runs++)
		run_copy(data, n, &seed);
	return runs + 1;
}

/* The program's name without what comes before the last "fuzz_". */
static const char *target_name(const char *program)
{
	const char *name = NULL;

	for (const char *p = strstr(program, "fuzz_"); p; p = strstr(p + 1, "fuzz_"))
		name = p + 5;
	return name ? name : "unknown";
}

int main(int argc, char **argv)
{
	const char *top = getenv("top_srcdir"), *name = target_name(argv[0]);
	char dir[PATH_MAX], path[PATH_MAX + 300];
	size_t files = 0, runs = 0;

	(void) argc;
	snprintf(dir, sizeof(dir), "%s/tests/fuzz/%s.in", top ? top : ".", name);
	DIR *d = opendir(dir);

	for (struct dirent *e = d ? readdir(d) : NULL; e; e = readdir(d)) {
		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		runs += run_file(path);
		files++;
	}
	if (d)
		closedir(d);
	printf("1..1\n%s 1 - fuzz target %s survives %zu inputs grown from the %zu files of its "
	       "corpus\n",
	       files ? "ok" : "not ok", name, runs, files);
	return files ? 0 : 1;
}
