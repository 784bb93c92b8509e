/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Named places where the fault tests end a process, or make a write fail. They exist only in builds
 * configured with --enable-fault-points and cost nothing otherwise.
 *
 * GONDOLA_FAULT="point:N" in the environment kills the process (SIGKILL) at the N-th passage of
 * `point`, after appending the point's name to the file GONDOLA_FAULT_LOG, so that a test can prove
 * that the fault was hit. GONDOLA_FAULT="@FILE" reads "point:N" from that file at every passage, so
 * that a running process can be armed; passages count from its start. Names are `room.place.when`,
 * for example "ctl.journal.before_commit".
 */
#pragma once

#include "config.h"

#ifdef ENABLE_FAULT_POINTS
void fault_point(const char *name);
#define FAULT_POINT(name) fault_point(name)
#else
#define FAULT_POINT(name) ((void) 0)
#endif
