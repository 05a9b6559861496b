// What a C function needs of the rline contract: read one row (bincode) from standard input, find columns in it, answer
// with a row or an error on standard output. One row per call; all numbers are little-endian, as wasm's are.
#ifndef RLINE_H
#define RLINE_H
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { RLINE_STRING, RLINE_INTEGER, RLINE_FLOAT, RLINE_VEC_STRING, RLINE_VEC_INTEGER, RLINE_VEC_FLOAT, RLINE_VEC_U8 };

typedef struct {
  uint32_t tag;
  const uint8_t *data;  // behind the tag: a string's or list's u64 count, or the number itself
} rline_value;

typedef struct {
  uint8_t *bytes;
  size_t length;
} rline_row;

static inline uint64_t rline_u64(const uint8_t *at) {
  uint64_t value;
  memcpy(&value, at, 8);
  return value;
}

static inline double rline_f64(const uint8_t *at) {
  double value;
  memcpy(&value, at, 8);
  return value;
}

// Reads standard input to its end. The caller frees `bytes`.
static inline rline_row rline_read(void) {
  size_t room = 4096, length = 0;
  uint8_t *bytes = malloc(room);
  for (;;) {
    if (!bytes) abort();
    ssize_t got = read(STDIN_FILENO, bytes + length, room - length);
    if (got <= 0) break;
    length += (size_t)got;
    if (length == room) bytes = realloc(bytes, room *= 2);
  }
  return (rline_row){bytes, length};
}

// Where the value behind `at` ends; NULL when the row is cut short.
static inline const uint8_t *rline_skip(const uint8_t *at, const uint8_t *end, uint32_t tag) {
  if (end - at < 8) return NULL;
  if (tag == RLINE_INTEGER || tag == RLINE_FLOAT) return at + 8;
  uint64_t count = rline_u64(at);
  at += 8;
  if (tag == RLINE_VEC_STRING) {
    for (; count; count--) {
      if (end - at < 8 || rline_u64(at) > (uint64_t)(end - at - 8)) return NULL;
      at += 8 + rline_u64(at);
    }
    return at;
  }
  uint64_t width = tag == RLINE_VEC_INTEGER || tag == RLINE_VEC_FLOAT ? 8 : 1;
  if (count > (uint64_t)(end - at) / width) return NULL;
  return at + count * width;
}

// Finds a column; false when it is absent or the row is cut short. Of a doubled name the last counts.
static inline bool rline_find(const rline_row *row, const char *name, rline_value *found) {
  const uint8_t *at = row->bytes, *end = row->bytes + row->length;
  bool is_there = false;
  if (row->length < 8) return false;
  uint64_t columns = rline_u64(at);
  at += 8;
  for (; columns; columns--) {
    if (end - at < 8) return false;
    uint64_t length = rline_u64(at);
    at += 8;
    if (end - at < 4 || length > (uint64_t)(end - at) - 4) return false;
    bool wanted = length == strlen(name) && memcmp(at, name, length) == 0;
    at += length;
    uint32_t tag;
    memcpy(&tag, at, 4);
    at += 4;
    if (wanted) *found = (rline_value){tag, at}, is_there = true;
    if (tag > RLINE_VEC_U8 || !(at = rline_skip(at, end, tag))) return false;
  }
  return is_there;
}

static inline void rline_put(const void *data, size_t length) { fwrite(data, 1, length, stdout); }
static inline void rline_put_u32(uint32_t value) { rline_put(&value, 4); }
static inline void rline_put_text(const char *text) {
  uint64_t length = strlen(text);
  rline_put(&length, 8);
  rline_put(text, length);
}

// Answers with an error: the row goes to the error table with this reason.
static inline void rline_fail(const char *reason) {
  putchar(3);
  rline_put_u32(1);
  rline_put_text(reason);
  fflush(stdout);
}

// Starts an answer of `columns` columns; each follows with rline_answer_…; rline_done sends it.
static inline void rline_answer(uint64_t columns) {
  putchar(3);
  rline_put_u32(0);
  rline_put(&columns, 8);
}
static inline void rline_answer_float(const char *name, double value) {
  rline_put_text(name);
  rline_put_u32(RLINE_FLOAT);
  rline_put(&value, 8);
}
static inline void rline_answer_string(const char *name, const char *value) {
  rline_put_text(name);
  rline_put_u32(RLINE_STRING);
  rline_put_text(value);
}
static inline void rline_done(void) { fflush(stdout); }
#endif
