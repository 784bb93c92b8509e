/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Small things every room uses: cleanup attributes, sizes, and the marker for results that must
 * not be ignored.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#define ARRAY_SIZE(a)  (sizeof(a) / sizeof((a)[0]))
#define MIN(a, b)      ((a) < (b) ? (a) : (b))
#define MAX(a, b)      ((a) > (b) ? (a) : (b))
#define _must_check_   __attribute__((warn_unused_result))
#define _printf_(f, a) __attribute__((format(printf, f, a)))
#define _unused_       __attribute__((unused))
#define _cleanup_(fn)  __attribute__((cleanup(fn)))
#define _cleanup_free_ _cleanup_(freep)

/** Drops a result that must not be ignored by accident (gcc does not take a cast to void for it).
 */
#define ignore_result(expr)                                                                        \
	({                                                                                         \
		__typeof__(expr) ignored_ = (expr);                                                \
		(void) ignored_;                                                                   \
	})

/** Hands a pointer over: yields its value and leaves NULL behind, so that a cleanup does nothing.
 */
#define TAKE_PTR(p)                                                                                \
	({                                                                                         \
		__typeof__(p) *take_ptr_ = &(p);                                                   \
		__typeof__(p) take_val_ = *take_ptr_;                                              \
		*take_ptr_ = NULL;                                                                 \
		take_val_;                                                                         \
	})

/** Defines name##p(), a cleanup function for pointers that are released by fn. */
#define DEFINE_CLEANUP(type, fn)                                                                   \
	static inline _unused_ void fn##p(type *p)                                                 \
	{                                                                                          \
		if (*p)                                                                            \
			fn(*p);                                                                    \
	}

static inline void freep(void *p)
{
	free(*(void **) p);
}

#define US_PER_MS  INT64_C(1000)
#define US_PER_SEC INT64_C(1000000)
#define MS_PER_SEC INT64_C(1000)
