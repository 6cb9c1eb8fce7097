/* A fuzzer's bytes, taken from the front; zeros when there are no more.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef INPUT_H
#define INPUT_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct input {
    const uint8_t *at;
    size_t left;
};

static inline uint64_t input_number(struct input *input, size_t bytes)
{
    uint64_t value = 0;

    for (size_t i = 0; i < bytes && input->left > 0; i++, input->left--)
        value |= (uint64_t)*input->at++ << 8 * i;
    return value;
}

/* Copy what there is of `length` bytes, and fill the rest with zeros. */
static inline void input_bytes(struct input *input, void *to, size_t length)
{
    size_t some = length < input->left ? length : input->left;

    memset(to, 0, length);
    if (some > 0)
        memcpy(to, input->at, some);
    input->at += some;
    input->left -= some;
}

/* An argument of a call: seldom any number, mostly one at an edge. */
static inline uint64_t input_argument(struct input *input, uint64_t memory_size)
{
    uint64_t how = input_number(input, 1), low = how >> 3;

    switch (how & 7) {
    case 0:
    case 1:
        return low;
    case 2:
        return low * 8;
    case 3:
        return memory_size - low;
    case 4:
        return UINT32_MAX - low;
    case 5:
        return input_number(input, 2);
    case 6:
        return UINT64_MAX - low;
    default:
        return input_number(input, 8);
    }
}

#endif
