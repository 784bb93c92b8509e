/* SPDX-License-Identifier: Apache-2.0 */
/* Keeping the store: a copy of everything, and what a helper needs to see. */
#include "common/err.h"
#include "common/file.h"
#include "controller/ctl/ctl.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* A file that is there whole or not at all. */
struct out_file {
	const char *path;
	char part[PATH_MAX];
	int fd;
	uint64_t bytes;
	int err;
};

static int out_open(struct out_file *o, const char *path)
{
	*o = (struct out_file){.path = path, .fd = -1};
	if (snprintf(o->part, sizeof(o->part), "%s.part", path) >= (int) sizeof(o->part))
		return -ENAMETOOLONG;
	(void) unlink(o->part);
	o->fd = open(o->part, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	return o->fd < 0 ? -errno : 0;
}

static bool out_piece(void *user, const char *data, size_t len)
{
	struct out_file *o = user;

	o->bytes += len;
	if (!o->err)
		o->err = file_write_all(o->fd, data, len);
	return !o->err;
}

/* Gives the file its name if all of it came, else leaves nothing. */
static int out_close(struct out_file *o, bool whole)
{
	int r = o->err;

	if (o->fd < 0)
		return r;
	if (!r && whole && fsync(o->fd) < 0)
		r = -errno;
	if (close(o->fd) < 0 && !r)
		r = -errno;
	if (!r && whole && rename(o->part, o->path) < 0)
		r = -errno;
	if (r < 0 || !whole)
		(void) unlink(o->part);
	else
		r = file_sync_parent(o->path);
	return r;
}

/* Sends a request and stores its answer in a file. */
static int fetch_to(struct ctl *c, struct ctl_request *rq, const char *path, uint64_t *ret_bytes)
{
	struct ctl_reply reply;
	struct out_file o;
	int code = ctl_ensure_session(c), r;
	bool whole;

	if (code != CTL_OK)
		return code;
	r = out_open(&o, path);
	if (r < 0) {
		fprintf(stderr, "gondolactl: %s: %s\n", path, err_str(r));
		return CTL_REFUSED;
	}
	rq->piece = out_piece;
	rq->user = &o;
	r = ctl_send(c, rq, &reply);
	whole = r == 0 && reply.status == 200;
	if (r == 0 && !whole)
		ctl_print_problem(&reply);
	ctl_reply_done(&reply);
	code = whole ? CTL_OK : r < 0 && !o.err ? CTL_UNREACHABLE : CTL_REFUSED;
	r = out_close(&o, whole);
	if (r < 0) {
		fprintf(stderr, "gondolactl: %s: %s\n", path, err_str(r));
		code = CTL_REFUSED;
	}
	*ret_bytes = o.bytes;
	return code;
}

/* Takes `--name VALUE` out of the arguments. */
static const char *take_option(int *argc, char **argv, const char *name)
{
	for (int i = 0; i + 1 < *argc; i++) {
		if (strcmp(argv[i], name) == 0) {
			const char *value = argv[i + 1];

			memmove(argv + i, argv + i + 2, (size_t) (*argc - i - 2) * sizeof(*argv));
			*argc -= 2;
			return value;
		}
	}
	return NULL;
}

/* Asked for twice when a person types it: what it seals cannot be opened without it. */
static int read_passphrase(const char *file, char *buf, size_t cap)
{
	static const char env[] = "GONDOLA_BACKUP_PASSPHRASE";
	char again[1100];
	int r = ctl_read_password(file, env, "Passphrase for the backup: ", buf, cap);

	if (r < 0 || file || getenv(env))
		return r;
	r = ctl_read_password(NULL, env, "Once more: ", again, sizeof(again));
	if (r == 0 && strcmp(buf, again) != 0) {
		fprintf(stderr, "gondolactl: the two differ\n");
		r = -EINVAL;
	}
	explicit_bzero(again, sizeof(again));
	return r;
}

int ctl_backup(struct ctl *c, int argc, char **argv)
{
	const char *file = take_option(&argc, argv, "--passphrase-file");
	char passphrase[1100];
	uint64_t bytes = 0;

	if (argc != 1)
		return ctl_usage_error("backup needs a FILE");
	if (read_passphrase(file, passphrase, sizeof(passphrase)) < 0)
		return CTL_USAGE;
	json_t *body = json_pack("{s:s}", "passphrase", passphrase);
	char *text = body ? json_dumps(body, 0) : NULL;

	explicit_bzero(passphrase, sizeof(passphrase));
	json_decref(body);
	if (!text) {
		fprintf(stderr, "gondolactl: the passphrase is not valid UTF-8\n");
		return CTL_USAGE;
	}
	struct ctl_request rq = {
		.method = "POST", .path = "/api/v1/backup", .body = text, .body_len = strlen(text)};
	int code = fetch_to(c, &rq, argv[0], &bytes);

	explicit_bzero(text, strlen(text));
	free(text);
	if (code == CTL_OK)
		printf("%s: %.1f MB. Keep the passphrase: without it nobody opens this file.\n",
		       argv[0], (double) bytes / 1e6);
	return code;
}

int ctl_diagnostics(struct ctl *c, int argc, char **argv)
{
	struct ctl_request rq = {.method = "GET", .path = "/api/v1/diagnostics"};
	uint64_t bytes = 0;

	if (argc != 1)
		return ctl_usage_error("diagnostics needs a FILE");
	int code = fetch_to(c, &rq, argv[0], &bytes);

	if (code == CTL_OK)
		printf("%s: state and figures of the store, without secrets and names of people.\n",
		       argv[0]);
	return code;
}
