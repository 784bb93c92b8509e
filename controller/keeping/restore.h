/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * A store back from its backup, into the state directory of a gondolad that does not run (its lock
 * is held). What happens, each step durable before the next:
 *
 *   restore.new/    the backup unpacked, checked against its manifest, and made a successor: a new
 *                   database epoch (revisions may have gone back: agents ask for everything anew),
 *                   no sessions, no open join codes, ids that continue well above the old ones
 *   restore.ready/  the same, renamed: from here on it will be finished, whoever dies. What is
 * there is moved to replaced/ restore.in/     what was restored moves to its place
 *
 * replaced/ keeps the store that was there until the next restore.
 */
#pragma once

#include "common/util.h"
#include <stdio.h>

struct app_config;

/** Codes of backup_unpack(). On failure before restore.ready nothing has changed. *ret_about is one
 * line about the backup, to be freed. */
int restore_from(int fd, const char *passphrase, const char *state_dir, int64_t now_us,
		 char **ret_about) _must_check_;
/** Finishes a restore that was interrupted, or drops one that had not got far enough. */
int restore_resume(const char *state_dir) _must_check_;

/** gondolad --restore: passphrase from a file, GONDOLA_BACKUP_PASSPHRASE or the terminal; says what
 * happened. Returns an exit status. */
int restore_command(const struct app_config *config, const char *file, const char *passphrase_file);
