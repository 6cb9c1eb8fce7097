/* The distinct core signatures in calls.def, spelled out for macros.
 *
 * WB_SIGNATURE_<signature>(I32, I64) expands to one `, I32(n)` or `, I64(n)` for
 * each core parameter, n counting from 0. The comma comes first, so that an
 * expansion can follow fixed arguments and vanish for a call that has none:
 *
 *     #define PARAMETER_I32(n) uint32_t a##n
 *     #define PARAMETER_I64(n) uint64_t a##n
 *     void f(int x WB_SIGNATURE_iI(PARAMETER_I32, PARAMETER_I64));
 *     // void f(int x, uint32_t a0, uint64_t a1);
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WASI_BACKING_SIGNATURES_H
#define WASI_BACKING_SIGNATURES_H

/* clang-format off */
#define WB_SIGNATURE_v(I32, I64)
#define WB_SIGNATURE_i(I32, I64) , I32(0)
#define WB_SIGNATURE_ii(I32, I64) , I32(0), I32(1)
#define WB_SIGNATURE_iii(I32, I64) , I32(0), I32(1), I32(2)
#define WB_SIGNATURE_iiii(I32, I64) , I32(0), I32(1), I32(2), I32(3)
#define WB_SIGNATURE_iiiii(I32, I64) , I32(0), I32(1), I32(2), I32(3), I32(4)
#define WB_SIGNATURE_iiiiii(I32, I64) \
    , I32(0), I32(1), I32(2), I32(3), I32(4), I32(5)
#define WB_SIGNATURE_iiiiiii(I32, I64) \
    , I32(0), I32(1), I32(2), I32(3), I32(4), I32(5), I32(6)
#define WB_SIGNATURE_iI(I32, I64) , I32(0), I64(1)
#define WB_SIGNATURE_iII(I32, I64) , I32(0), I64(1), I64(2)
#define WB_SIGNATURE_iIi(I32, I64) , I32(0), I64(1), I32(2)
#define WB_SIGNATURE_iIIi(I32, I64) , I32(0), I64(1), I64(2), I32(3)
#define WB_SIGNATURE_iIii(I32, I64) , I32(0), I64(1), I32(2), I32(3)
#define WB_SIGNATURE_iiiIi(I32, I64) \
    , I32(0), I32(1), I32(2), I64(3), I32(4)
#define WB_SIGNATURE_iiiiIIi(I32, I64) \
    , I32(0), I32(1), I32(2), I32(3), I64(4), I64(5), I32(6)
#define WB_SIGNATURE_iiiiiIIii(I32, I64) \
    , I32(0), I32(1), I32(2), I32(3), I32(4), I64(5), I64(6), I32(7), I32(8)
/* clang-format on */

/* How many parameters a signature has at most. */
#define WB_MAX_PARAMETERS 9

#endif
