/* SPDX-License-Identifier: Apache-2.0 */
/** @file Small files that must be there whole or not at all, whenever the power goes. */
#pragma once

#include "common/buf.h"

/** Makes a directory (mode 0700) with its missing parents; an existing one is left as it is. */
int file_make_dir(const char *path) _must_check_;
/** Replaces a file in one step: temporary name, fsync, rename, fsync of the directory. */
int file_write_durable(const char *path, const void *data, size_t len,
		       unsigned int mode) _must_check_;
/** Appends whole lines to a file, made if it is not there. What a crash left of a line at its end
 * is cut off before; if it fails, none of these is there. */
int file_append_lines(const char *path, const void *lines, size_t len,
		      unsigned int mode) _must_check_;
/** Removes a directory with all that is in it, without following links. Nothing there is fine. */
int file_remove_tree(const char *path) _must_check_;
/** Syncs a directory, or the one that a path lies in, so that the names in it last. */
int file_sync_dir(const char *path) _must_check_;
int file_sync_parent(const char *path) _must_check_;
/** Writes all of it, however often the kernel takes but a part. Nothing is synced. */
int file_write_all(int fd, const void *data, size_t len) _must_check_;
/** Reads a whole file. -ERR_TOO_LARGE beyond `max` bytes. The text has a NUL after it. */
int file_read(const char *path, size_t max, char **ret, size_t *ret_len) _must_check_;
