/* SPDX-License-Identifier: Apache-2.0 */
#include "common/file.h"
#include "common/err.h"
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int file_make_dir(const char *path)
{
	char part[PATH_MAX];
	size_t len = strlen(path);

	if (len >= sizeof(part))
		return -ENAMETOOLONG;
	for (size_t i = 1; i <= len; i++) {
		if (path[i] != '/' && path[i] != '\0')
			continue;
		memcpy(part, path, i);
		part[i] = '\0';
		if (mkdir(part, 0700) < 0 && errno != EEXIST)
			return -errno;
	}
	return 0;
}

int file_sync_parent(const char *path)
{
	_cleanup_free_ char *copy = strdup(path);

	return copy ? file_sync_dir(dirname(copy)) : -ENOMEM;
}

int file_write_all(int fd, const void *data, size_t len)
{
	const uint8_t *at = data;

	while (len > 0) {
		ssize_t n = write(fd, at, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		at += n;
		len -= (size_t) n;
	}
	return 0;
}

static int write_synced(int fd, const void *data, size_t len)
{
	int r = file_write_all(fd, data, len);

	return r < 0 ? r : fsync(fd) < 0 ? -errno : 0;
}

int file_write_durable(const char *path, const void *data, size_t len, unsigned int mode)
{
	char tmp[PATH_MAX];
	int fd, r;

	if (snprintf(tmp, sizeof(tmp), "%s.new", path) >= (int) sizeof(tmp))
		return -ENAMETOOLONG;
	(void) unlink(tmp);
	fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, (mode_t) mode);
	if (fd < 0)
		return -errno;
	r = write_synced(fd, data, len);
	if (close(fd) < 0 && r == 0)
		r = -errno;
	if (r == 0 && rename(tmp, path) < 0)
		r = -errno;
	if (r < 0) {
		(void) unlink(tmp);
		return r;
	}
	return file_sync_parent(path);
}

/* Where the last whole line ends. */
static int find_end(int fd, off_t *ret)
{
	off_t end = lseek(fd, 0, SEEK_END);
	char block[4096];

	while (end > 0) {
		size_t n = MIN((size_t) end, sizeof(block));
		ssize_t got = pread(fd, block, n, end - (off_t) n);
		const char *last;

		if (got != (ssize_t) n)
			return got < 0 ? -errno : -EIO;
		last = memrchr(block, '\n', n);
		if (last) {
			*ret = end - (off_t) n + (last - block) + 1;
			return 0;
		}
		end -= (off_t) n;
	}
	*ret = 0;
	return end < 0 ? -errno : 0;
}

int file_append_lines(const char *path, const void *lines, size_t len, unsigned int mode)
{
	int fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, (mode_t) mode), r;
	off_t end;

	if (fd < 0)
		return -errno;
	r = find_end(fd, &end);
	if (r == 0 && ftruncate(fd, end) < 0)
		r = -errno;
	if (r == 0) {
		r = write_synced(fd, lines, len);
		if (r < 0)
			ignore_result(ftruncate(fd, end));
	}
	if (close(fd) < 0 && r == 0)
		r = -errno;
	return r < 0 ? r : file_sync_parent(path);
}

static int remove_entry(const char *path, const struct stat *st _unused_, int type _unused_,
			struct FTW *ftw _unused_)
{
	return remove(path) < 0 && errno != ENOENT ? -1 : 0;
}

int file_remove_tree(const char *path)
{
	if (nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS) < 0)
		return errno == ENOENT ? 0 : -errno;
	return 0;
}

int file_sync_dir(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), r;

	if (fd < 0)
		return -errno;
	r = fsync(fd) < 0 ? -errno : 0;
	close(fd);
	return r;
}

int file_read(const char *path, size_t max, char **ret, size_t *ret_len)
{
	_cleanup_free_ char *text = malloc(max + 1);
	FILE *f;
	size_t n;
	int r = 0;

	if (!text)
		return -ENOMEM;
	f = fopen(path, "re");
	if (!f)
		return -errno;
	n = fread(text, 1, max, f);
	if (ferror(f))
		r = -EIO;
	else if (n == max && fgetc(f) != EOF)
		r = -ERR_TOO_LARGE;
	(void) fclose(f);
	if (r < 0)
		return r;
	text[n] = '\0';
	*ret_len = n;
	*ret = TAKE_PTR(text);
	return 0;
}
