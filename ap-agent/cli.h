/* SPDX-License-Identifier: Apache-2.0 */
/** @file gondola-agent's command line. */
#pragma once

/** Runs the program; returns its exit status: 0, 1 = failed, 2 = wrong use. */
int agent_main(int argc, char **argv);
