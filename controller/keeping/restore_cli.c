/* SPDX-License-Identifier: Apache-2.0 */
/* What a person sees of a restore. */
#include "common/clock.h"
#include "common/err.h"
#include "controller/app_config.h"
#include "controller/keeping/backup_seal.h"
#include "controller/keeping/restore.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

static int read_line(FILE *f, char *buf, size_t cap)
{
	if (!fgets(buf, (int) cap, f))
		return -EIO;
	buf[strcspn(buf, "\r\n")] = '\0';
	return 0;
}

static int ask(char *buf, size_t cap)
{
	struct termios old, quiet;
	FILE *tty = fopen("/dev/tty", "r+e");
	bool hidden;
	int r;

	if (!tty)
		return -ENOTTY;
	fputs("Passphrase of the backup: ", tty);
	fflush(tty);
	hidden = tcgetattr(fileno(tty), &old) == 0;
	if (hidden) {
		quiet = old;
		quiet.c_lflag &= ~(tcflag_t) ECHO;
		tcsetattr(fileno(tty), TCSAFLUSH, &quiet);
	}
	r = read_line(tty, buf, cap);
	if (hidden)
		tcsetattr(fileno(tty), TCSAFLUSH, &old);
	fputc('\n', tty);
	fclose(tty);
	return r;
}

static int read_passphrase(const char *file, char *buf, size_t cap)
{
	const char *env = getenv("GONDOLA_BACKUP_PASSPHRASE");
	int r;

	if (file) {
		FILE *f = fopen(file, "re");

		if (!f)
			return -errno;
		r = read_line(f, buf, cap);
		fclose(f);
		return r;
	}
	if (env) {
		snprintf(buf, cap, "%s", env);
		return 0;
	}
	return ask(buf, cap);
}

static const char *explain(int err)
{
	switch (err) {
	case -ERR_BADMSG:
		return "this is not a backup";
	case -ERR_VERSION:
		return "a newer version made this backup; install that version first";
	case -ERR_AUTH:
		return "the passphrase is wrong";
	case -ERR_TRUNCATED:
		return "the file is not complete";
	case -ERR_CRYPTO:
	case -ERR_TRAILING:
		return "the file is damaged";
	case -ERR_CORRUPT:
		return "what is inside does not match its manifest";
	default:
		return err_str(err);
	}
}

int restore_command(const struct app_config *config, const char *file, const char *passphrase_file)
{
	_cleanup_free_ char *about = NULL;
	char passphrase[SEAL_PASSPHRASE_MAX + 2];
	int fd = open(file, O_RDONLY | O_CLOEXEC), r;

	if (fd < 0) {
		fprintf(stderr, "gondolad: %s: %s\n", file, strerror(errno));
		return 1;
	}
	r = read_passphrase(passphrase_file, passphrase, sizeof(passphrase));
	if (r < 0) {
		fprintf(stderr, "gondolad: no passphrase: give --passphrase-file or "
				"GONDOLA_BACKUP_PASSPHRASE\n");
	} else {
		r = restore_from(fd, passphrase, config->state_dir, clock_real_us(clock_system()),
				 &about);
		if (r < 0)
			fprintf(stderr, "gondolad: %s: not restored: %s\n", file, explain(r));
	}
	explicit_bzero(passphrase, sizeof(passphrase));
	close(fd);
	if (r < 0)
		return 1;
	printf("restored %s\n", about);
	printf("The store that was there is in %s/replaced. Look at agents and tokens: what was "
	       "revoked after the backup is not revoked now.\n",
	       config->state_dir);
	return 0;
}
