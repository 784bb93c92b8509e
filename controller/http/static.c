/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/http/static.h"
#include "common/err.h"
#include "controller/app.h"
#include "controller/app_config.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct {
	const char *ending;
	const char *type;
} types[] = {
	{".html", "text/html; charset=utf-8"},
	{".js", "text/javascript; charset=utf-8"},
	{".css", "text/css; charset=utf-8"},
	{".json", "application/json"},
	{".yaml", "application/yaml"},
	{".svg", "image/svg+xml"},
	{".png", "image/png"},
	{".ico", "image/x-icon"},
	{".woff2", "font/woff2"},
	{".webmanifest", "application/manifest+json"},
	{".txt", "text/plain; charset=utf-8"},
	{".map", "application/json"},
};

static const char *type_of(const char *path)
{
	const char *dot = strrchr(path, '.');

	for (size_t i = 0; dot && i < ARRAY_SIZE(types); i++)
		if (!strcmp(dot, types[i].ending))
			return types[i].type;
	return "application/octet-stream";
}

/* Joins the segments; -ENOENT for any that could mean more than a name. */
static int join_path(const char *root, const char *const *segments, size_t n, char path[PATH_MAX])
{
	size_t len = (size_t) snprintf(path, PATH_MAX, "%s", root);

	for (size_t i = 0; i < n && len < PATH_MAX; i++) {
		if (segments[i][0] == '.' || strchr(segments[i], '/') || strchr(segments[i], '\\'))
			return -ENOENT;
		len += (size_t) snprintf(path + len, PATH_MAX - len, "/%s", segments[i]);
	}
	return len < PATH_MAX ? 0 : -ENOENT;
}

/* Opens a regular file whose real place is below root. */
static int open_below(const char *root, const char *path, struct stat *st)
{
	char real_root[PATH_MAX], real[PATH_MAX];
	size_t len;
	int fd;

	if (!realpath(root, real_root) || !realpath(path, real))
		return -ENOENT;
	len = strlen(real_root);
	/* The separator counts: /srv/web-old is not below /srv/web. */
	if (strncmp(real, real_root, len) || (real[len] != '/' && len > 1))
		return -ENOENT;
	fd = open(real, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return -ENOENT;
	if (fstat(fd, st) < 0 || !S_ISREG(st->st_mode)) {
		close(fd);
		return -ENOENT;
	}
	return fd;
}

static bool accepts_gzip(const struct http_request *rq)
{
	const char *accept = http_header(rq, "Accept-Encoding");
	const char *at = accept ? strstr(accept, "gzip") : NULL;

	return at && strncmp(at, "gzip;q=0", 8);
}

/* "app-3F9A2C7B.js": a name that holds a hash of its content may be kept for ever. */
static bool name_has_hash(const char *path)
{
	const char *name = strrchr(path, '/'), *dot, *dash;

	name = name ? name + 1 : path;
	dot = strchr(name, '.');
	if (!dot)
		return false;
	for (dash = dot; dash > name && dash[-1] != '-'; dash--)
		;
	return dash > name && dot - dash >= 8 &&
	       strspn(dash, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_") >=
		       (size_t) (dot - dash);
}

static bool etag_matches(const struct http_request *rq, const char *etag)
{
	const char *have = http_header(rq, "If-None-Match");

	return have && (strstr(have, etag) || !strcmp(have, "*"));
}

/* 0 = replied; -ENOENT = there is no such file. */
static int send_file(struct http_request *rq, const char *root, const char *path)
{
	char packed[PATH_MAX + 4], etag[64];
	struct stat st;
	int fd = -ENOENT;
	bool gzip = false;

	if (accepts_gzip(rq)) {
		snprintf(packed, sizeof(packed), "%s.gz", path);
		fd = strlen(packed) < PATH_MAX ? open_below(root, packed, &st) : -ENOENT;
		gzip = fd >= 0;
	}
	if (fd < 0)
		fd = open_below(root, path, &st);
	if (fd < 0)
		return fd;
	snprintf(etag, sizeof(etag), "\"%llx-%llx-%llx%s\"", (unsigned long long) st.st_size,
		 (unsigned long long) st.st_mtim.tv_sec, (unsigned long long) st.st_mtim.tv_nsec,
		 gzip ? "-gz" : "");
	http_set_header(rq, "ETag", etag);
	http_set_header(rq, "Vary", "Accept-Encoding");
	http_set_header(rq, "Cache-Control",
			name_has_hash(path) ? "public, max-age=31536000, immutable" : "no-cache");
	if (etag_matches(rq, etag)) {
		close(fd);
		http_reply_empty(rq, 304);
		return 0;
	}
	if (gzip)
		http_set_header(rq, "Content-Encoding", "gzip");
	http_reply_file(rq, 200, type_of(path), fd, (uint64_t) st.st_size);
	return 0;
}

static bool is_page_address(const char *const *segments, size_t n)
{
	if (n == 0)
		return true;
	if (!strcmp(segments[0], "api") || !strcmp(segments[0], "agent") ||
	    !strcmp(segments[0], "epcis"))
		return false;
	return !strchr(segments[n - 1], '.');
}

void static_get(struct http_request *rq, struct app *app)
{
	const char *root = app->config->web_root;
	const char *const *segments;
	size_t n = http_path(rq, &segments);
	bool page = is_page_address(segments, n);
	char path[PATH_MAX];

	if (*root && !page && join_path(root, segments, n, path) == 0 &&
	    send_file(rq, root, path) == 0)
		return;
	if (*root && page) {
		snprintf(path, sizeof(path), "%s/index.html", root);
		if (send_file(rq, root, path) == 0)
			return;
	}
	if (*root && n > 0)
		http_problem(rq, 404, "not-found", "There is nothing at this address.");
	else
		http_problem(rq, 404, "no-page", "This controller serves no web page (web_root).");
}
