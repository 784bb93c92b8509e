/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/bus_daemon.h"

#include <dbus/dbus.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define ADDRESS_MAX 256

static pid_t daemon_pid;

int bus_daemon_start(void **state)
{
	char address[ADDRESS_MAX];
	int out[2];
	ssize_t n;

	(void) state;
	if (pipe(out) < 0)
		return -1;
	daemon_pid = fork();
	if (daemon_pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGTERM); /* a test that dies leaves no bus behind */
		dup2(out[1], 1);
		close(out[0]);
		execlp("dbus-daemon", "dbus-daemon", "--session", "--nofork", "--print-address=1",
		       "--address=unix:tmpdir=/tmp", (char *) NULL);
		_exit(127);
	}
	close(out[1]);
	n = daemon_pid > 0 ? read(out[0], address, sizeof(address) - 1) : -1;
	close(out[0]);
	if (n <= 1)
		return unsetenv("DBUS_SYSTEM_BUS_ADDRESS");
	address[n - 1] = '\0';
	return setenv("DBUS_SYSTEM_BUS_ADDRESS", address, 1);
}

int bus_daemon_stop(void **state)
{
	(void) state;
	if (daemon_pid > 0) {
		kill(daemon_pid, SIGTERM);
		waitpid(daemon_pid, NULL, 0);
	}
	dbus_shutdown();
	return 0;
}

pid_t bus_daemon_pid(void)
{
	return daemon_pid;
}
