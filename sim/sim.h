/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The room gondola-sim: a store that exists only in memory and speaks the real protocols over real
 * sockets, so that the product can be tried and tested without hardware. It shares the wire tables
 * with the product (codecs of rfid/ and esl-radio/: llrp tables, wire formats, ead) and nothing
 * else: no session, scheduler, presence filter or belief.
 *
 *     store     one simulated store from a file (simconf): builds and joins what follows
 *     world     the truth: places, antennas, goods, who moved when; goods fills it with items
 *     air       reads of those goods at a reader's antennas, at a fixed rate
 *     floor     the ground plan, if there is one: where items lie and walk; day moves them about
 *     field     reads as radio has it: rf is the channel, gen2 the air protocol, both pure
 *     reader*   an LLRP reader on a TCP port
 *     replay    a recorded trace (CSV); player feeds it to a reader instead of the air
 *     label*    one electronic shelf label, without I/O; label_service is what its values do,
 *               whoever carries them
 *     kernel_label  one on this machine's own Bluetooth stack, with kernel_bluez, kernel_gatt,
 *               kernel_channel and kernel_hci
 *     radio*    one access point's virtual Bluetooth controller (H4) with its train, its links and
 *               its labels; a label_host at the other end of each link
 *     oepl*     an OpenEPaperLink access point with its labels, over HTTP
 *     truth*    what is really so, for tests, on a port of its own
 *     rng, net  seeded chance; sockets
 *
 * Time comes from the loop's clock alone, so that all of it also runs in virtual time.
 */
#pragma once

#include "common/loop.h"
#include <stdio.h>

struct sim_store;

/** Builds a store from a configuration file and listens. `diag` says in one line what is wrong. */
int sim_store_new(struct loop *loop, const char *config, char *diag, size_t diag_len,
		  struct sim_store **ret) _must_check_;
void sim_store_free(struct sim_store *s);
/** Reads the file, places the goods, listens nowhere. */
int sim_store_check(const char *config, char *diag, size_t diag_len) _must_check_;
/** The "gondola-sim ready {...}" line, with the real ports. */
void sim_store_print_ready(const struct sim_store *s, FILE *out);

/** The program behind main(). Returns the exit status. */
int sim_main(int argc, char **argv);
