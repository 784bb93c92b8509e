/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who asks. `login` stores the session's cookie, with the URL it belongs to, in a file only the
 * user may read; later calls use it. With --user (or GONDOLA_USER) and a password each call signs
 * in for itself and out again.
 */
#include "common/err.h"
#include "controller/ctl/ctl.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#define PASSWORD_MAX 1024

static int session_path(char path[PATH_MAX], bool make_dirs)
{
	const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	char dir[PATH_MAX - 32];

	if (config && config[0])
		snprintf(dir, sizeof(dir), "%s", config);
	else if (home)
		snprintf(dir, sizeof(dir), "%s/.config", home);
	else
		return -ENOENT;
	if (make_dirs)
		(void) mkdir(dir, 0700);
	size_t n = strlen(dir);

	snprintf(dir + n, sizeof(dir) - n, "/gondola");
	if (make_dirs && mkdir(dir, 0700) < 0 && errno != EEXIST)
		return -errno;
	snprintf(path, PATH_MAX, "%s/session", dir);
	return 0;
}

/* The file holds two lines: the URL and the cookie. A session for another URL is not ours to send.
 */
static void load_session(struct ctl *c)
{
	char path[PATH_MAX], url[PATH_MAX] = "", cookie[sizeof(c->cookie)] = "";
	FILE *f = session_path(path, false) == 0 ? fopen(path, "re") : NULL;

	if (!f)
		return;
	if (fgets(url, sizeof(url), f) && fgets(cookie, sizeof(cookie), f)) {
		url[strcspn(url, "\n")] = 0;
		cookie[strcspn(cookie, "\n")] = 0;
		if (strcmp(url, c->url) == 0)
			memcpy(c->cookie, cookie, sizeof(cookie));
	}
	fclose(f);
}

static int store_session(const struct ctl *c)
{
	char path[PATH_MAX];
	int r = session_path(path, true);

	if (r < 0)
		return r;
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0)
		return -errno;
	(void) fchmod(fd, 0600);
	if (dprintf(fd, "%s\n%s\n", c->url, c->cookie) < 0)
		r = -errno;
	if (close(fd) < 0 && r == 0)
		r = -errno;
	return r;
}

static int prompt_password(const char *prompt, const char *env, char *buf, size_t cap)
{
	struct termios old, quiet;
	FILE *tty = fopen("/dev/tty", "r+e");

	if (!tty) {
		fprintf(stderr,
			"gondolactl: no terminal to ask for the password; put it into the "
			"environment as %s\n",
			env);
		return -ENOTTY;
	}
	fputs(prompt, tty);
	fflush(tty);
	bool hidden = tcgetattr(fileno(tty), &old) == 0;

	if (hidden) {
		quiet = old;
		quiet.c_lflag &= ~(tcflag_t) ECHO;
		tcsetattr(fileno(tty), TCSAFLUSH, &quiet);
	}
	char *got = fgets(buf, (int) cap, tty);

	if (hidden)
		tcsetattr(fileno(tty), TCSAFLUSH, &old);
	fputc('\n', tty);
	fclose(tty);
	if (!got)
		return -EIO;
	buf[strcspn(buf, "\r\n")] = 0;
	return 0;
}

int ctl_read_password(const char *file, const char *env, const char *prompt, char *buf, size_t cap)
{
	const char *value = getenv(env);

	if (file) {
		FILE *f = fopen(file, "re");

		if (!f || !fgets(buf, (int) cap, f)) {
			fprintf(stderr, "gondolactl: cannot read a password from %s\n", file);
			if (f)
				fclose(f);
			return -EIO;
		}
		fclose(f);
		buf[strcspn(buf, "\r\n")] = 0;
		return 0;
	}
	if (value) {
		snprintf(buf, cap, "%s", value);
		return 0;
	}
	return prompt_password(prompt, env, buf, cap);
}

static int sign_in(struct ctl *c, const char *user)
{
	char password[PASSWORD_MAX];
	struct ctl_reply reply;

	if (ctl_read_password(c->password_file, "GONDOLA_PASSWORD", "Password: ", password,
			      sizeof(password)) < 0)
		return CTL_USAGE;
	json_t *body = json_pack("{s:s,s:s}", "user", user, "password", password);
	char *text = body ? json_dumps(body, 0) : NULL;

	explicit_bzero(password, sizeof(password));
	json_decref(body);
	if (!text) {
		fprintf(stderr, "gondolactl: user name or password is not valid UTF-8\n");
		return CTL_USAGE;
	}
	struct ctl_request rq = {.method = "POST",
				 .path = "/api/v1/session",
				 .body = text,
				 .body_len = strlen(text)};

	c->cookie[0] = 0;
	int r = ctl_send(c, &rq, &reply);

	explicit_bzero(text, strlen(text));
	free(text);
	int code = CTL_OK;

	if (r < 0) {
		code = CTL_UNREACHABLE;
	} else if (reply.status != 200) {
		ctl_print_problem(&reply);
		code = CTL_REFUSED;
	} else {
		memcpy(c->cookie, reply.cookie, sizeof(c->cookie));
	}
	ctl_reply_done(&reply);
	return code;
}

int ctl_ensure_session(struct ctl *c)
{
	if (c->token || c->cookie[0])
		return CTL_OK;
	if (c->user)
		return sign_in(c, c->user);
	load_session(c);
	if (c->cookie[0])
		return CTL_OK;
	fprintf(stderr, "gondolactl: not signed in to %s; run `gondolactl login --user NAME`\n",
		c->url);
	return CTL_REFUSED;
}

int ctl_login(struct ctl *c, int argc, char **argv)
{
	(void) argv;
	if (argc > 0)
		return ctl_usage_error("login takes no further words");
	if (!c->user)
		return ctl_usage_error("login needs --user NAME");
	int code = sign_in(c, c->user);

	if (code != CTL_OK)
		return code;
	int r = store_session(c);

	if (r < 0) {
		fprintf(stderr, "gondolactl: cannot keep the session: %s\n", err_str(r));
		return CTL_REFUSED;
	}
	printf("Signed in to %s as %s.\n", c->url, c->user);
	return CTL_OK;
}

int ctl_logout(struct ctl *c, int argc, char **argv)
{
	char path[PATH_MAX];

	(void) argc;
	(void) argv;
	load_session(c);
	if (c->cookie[0]) {
		json_t *body = NULL;

		(void) ctl_call(c, "DELETE", "/api/v1/session", NULL, &body);
		json_decref(body);
	}
	if (session_path(path, false) == 0)
		(void) unlink(path);
	puts("Signed out.");
	return CTL_OK;
}
