/* SPDX-License-Identifier: Apache-2.0 */
/** @file A message bus of a test's own, which takes the place of the system's. */
#pragma once

#include <sys/types.h>

/** A group's setup and teardown: dbus-daemon. Without one DBUS_SYSTEM_BUS_ADDRESS is not set, and
 * tests skip. */
int bus_daemon_start(void **state);
int bus_daemon_stop(void **state);
/** Its process. */
pid_t bus_daemon_pid(void);
