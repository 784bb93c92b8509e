/* SPDX-License-Identifier: Apache-2.0 */
#include "common/err.h"
#include "common/file.h"
#include "common/log.h"
#include "controller/app.h"
#include "controller/app_config.h"
#include "controller/http/http.h"
#include "controller/keeping/restore.h"
#include "controller/people/auth.h"
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum mode {
	MODE_RUN,
	MODE_CHECK,
	MODE_RESET,
	MODE_RESTORE
};

struct options {
	enum mode mode;
	const char *config;
	const char *user;
	const char *backup;
	const char *passphrase_file;
};

struct daemon {
	const char *config_file;
	struct app app;
	struct app_config *config;
	struct loop_signal *term, *intr, *hup;
	int lock;
};

static void print_usage(FILE *out)
{
	fputs("Usage: gondolad --config FILE [--check-config | --reset-password USER |\n"
	      "                               --restore BACKUP [--passphrase-file FILE]]\n"
	      "Runs a store's shelf labels and RFID stock.\n"
	      "\n"
	      "  -c, --config FILE          configuration\n"
	      "      --check-config         check the configuration and leave\n"
	      "      --reset-password USER  give USER a new password, print it once and leave;\n"
	      "                             works beside a running gondolad\n"
	      "      --restore BACKUP       put the store of a backup in place of the one there, "
	      "and\n"
	      "                             leave; gondolad must not run\n"
	      "      --passphrase-file FILE first line: the backup's passphrase; else\n"
	      "                             GONDOLA_BACKUP_PASSPHRASE, else asked for\n"
	      "      --help-config          list the keys of the configuration\n"
	      "  -h, --help                 this text\n"
	      "  -V, --version              version\n"
	      "\n"
	      "SIGHUP reads log_level anew and replaces a server certificate that is gone or "
	      "nears\n"
	      "its end; SIGTERM stops after what is being written is stored.\n",
	      out);
}

/* Returns 0 to go on, 1 to leave with success, negative to leave with failure. */
static int parse_options(int argc, char **argv, struct options *o)
{
	static const struct option table[] = {
		{"config", required_argument, NULL, 'c'},
		{"check-config", no_argument, NULL, 'C'},
		{"reset-password", required_argument, NULL, 'R'},
		{"restore", required_argument, NULL, 'B'},
		{"passphrase-file", required_argument, NULL, 'P'},
		{"help-config", no_argument, NULL, 'H'},
		{"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'V'},
		{NULL, 0, NULL, 0},
	};
	int c;

	while ((c = getopt_long(argc, argv, "c:hV", table, NULL)) != -1) {
		switch (c) {
		case 'c':
			o->config = optarg;
			break;
		case 'C':
			o->mode = MODE_CHECK;
			break;
		case 'R':
			o->mode = MODE_RESET;
			o->user = optarg;
			break;
		case 'B':
			o->mode = MODE_RESTORE;
			o->backup = optarg;
			break;
		case 'P':
			o->passphrase_file = optarg;
			break;
		case 'H':
			conf_print_schema(app_config_schema, stdout);
			return 1;
		case 'h':
			print_usage(stdout);
			return 1;
		case 'V':
			puts("gondolad " PACKAGE_VERSION);
			return 1;
		default:
			return -EINVAL;
		}
	}
	return o->config && optind == argc ? 0 : -EINVAL;
}

/* Two daemons on one state directory would each think that they own it. */
static int lock_state_dir(const char *dir, int *ret_fd)
{
	_cleanup_free_ char *path = NULL;
	int fd, r = file_make_dir(dir);

	if (r < 0)
		return r;
	if (chmod(dir, 0700) < 0)
		return -errno;
	if (asprintf(&path, "%s/lock", dir) < 0)
		return -ENOMEM;
	fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		r = -errno;
		close(fd);
		return r == -EWOULDBLOCK ? -EBUSY : r;
	}
	*ret_fd = fd;
	return 0;
}

static void set_log_level(const struct app_config *config)
{
	enum log_level level;

	if (log_level_parse(config->log_level, &level) == 0)
		log_set_level(level);
}

static void on_stop(void *user, int signo _unused_)
{
	struct daemon *d = user;

	log_info("gondolad", "msg=stopping");
	loop_stop(d->app.loop);
}

/* The other keys take a restart: a listener or a database cannot change under those who use it. */
static void on_reload(void *user, int signo _unused_)
{
	struct daemon *d = user;
	_cleanup_(app_config_freep) struct app_config *config = NULL;
	char diag[512];
	int r = app_config_load(d->config_file, diag, sizeof(diag), &config);

	if (r < 0) {
		char quoted[640];

		(void) snprintf(quoted, sizeof(quoted), "%s", diag);
		quoted[strcspn(quoted, "\"\r\n")] = '\0';
		log_write(LOG_ERR, "gondolad", r, "diag=\"%s\" msg=\"not reloaded\"", quoted);
		return;
	}
	set_log_level(config);
	log_notice("gondolad", "msg=\"log level reloaded\"");
	app_renew_certificate(&d->app);
}

static int watch_signals(struct daemon *d)
{
	struct loop *l = d->app.loop;
	int r = loop_signal_new(l, SIGTERM, on_stop, d, &d->term);

	if (r == 0)
		r = loop_signal_new(l, SIGINT, on_stop, d, &d->intr);
	if (r == 0)
		r = loop_signal_new(l, SIGHUP, on_reload, d, &d->hup);
	return r;
}

static void print_address(const char *name, const struct app_listen *listen, uint16_t port)
{
	bool v6 = strchr(listen->address, ':') != NULL;

	printf(" %s=https://%s%s%s:%u", name, v6 ? "[" : "", listen->address, v6 ? "]" : "", port);
}

static int run(struct daemon *d)
{
	const char *what = "loop";
	int r = loop_new(&d->app.loop);

	if (r == 0)
		r = watch_signals(d);
	if (r == 0) {
		d->app.config = d->config;
		r = app_start(&d->app, &what);
	}
	if (r < 0) {
		fprintf(stderr, "gondolad: %s: %s\n", what, err_str(r));
	} else {
		fputs("gondolad ready", stdout);
		print_address("public", &d->config->public_listen,
			      http_server_port(d->app.http, HTTP_PUBLIC));
		print_address("agents", &d->config->agents_listen,
			      http_server_port(d->app.http, HTTP_AGENTS));
		putchar('\n');
		fflush(stdout);
		loop_run(d->app.loop);
		app_stop(&d->app);
	}
	loop_signal_free(d->term);
	loop_signal_free(d->intr);
	loop_signal_free(d->hup);
	loop_free(d->app.loop);
	return r;
}

static int reset_password(const struct app_config *config, const char *user)
{
	int r = auth_reset_password(config->state_dir, user, clock_real_us(clock_system()), stdout);

	if (r == -ENOENT)
		fprintf(stderr, "gondolad: no user %s in %s\n", user, config->state_dir);
	else if (r < 0)
		fprintf(stderr, "gondolad: password not reset: %s\n", err_str(r));
	return r;
}

int main(int argc, char **argv)
{
	_cleanup_(app_config_freep) struct app_config *config = NULL;
	struct options o = {.mode = MODE_RUN};
	struct daemon d = {.lock = -1};
	char diag[512];
	int r = parse_options(argc, argv, &o);

	if (r != 0) {
		if (r < 0)
			print_usage(stderr);
		return r < 0 ? 2 : 0;
	}
	r = app_config_load(o.config, diag, sizeof(diag), &config);
	if (r < 0) {
		fprintf(stderr, "gondolad: %s\n", diag);
		return 1;
	}
	set_log_level(config);
	if (o.mode == MODE_CHECK)
		return 0;
	if (o.mode == MODE_RESET)
		return reset_password(config, o.user) < 0;
	(void) umask(0077);
	(void) signal(SIGPIPE, SIG_IGN);
	r = lock_state_dir(config->state_dir, &d.lock);
	if (r < 0) {
		fprintf(stderr, "gondolad: %s: %s\n", config->state_dir,
			r == -EBUSY ? "in use by another gondolad" : err_str(r));
		return 1;
	}
	if (o.mode == MODE_RESTORE) {
		r = restore_command(config, o.backup, o.passphrase_file);
		close(d.lock);
		return r;
	}
	r = restore_resume(config->state_dir);
	if (r < 0) {
		fprintf(stderr, "gondolad: %s: a restore cannot be finished: %s\n",
			config->state_dir, err_str(r));
		return 1;
	}
	d.config = config;
	d.config_file = o.config;
	r = run(&d);
	close(d.lock);
	return r < 0;
}
