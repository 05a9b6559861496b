// The limit: simdjson's document parser over a memory-mapped file of JSON lines. Every document is validated whole (UTF-8,
// structure, strings, numbers), one integer field is looked up and summed, nothing is written.
// Build: g++ -O3 -march=native simdjson.cpp -lsimdjson. Usage: simdjson INPUT
#include <cstdint>
#include <cstdio>
#include <fcntl.h>
#include <simdjson.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

int main(int argc, char **argv) {
  if (argc != 2) return 2;
  const int file = open(argv[1], O_RDONLY);
  struct stat info;
  if (file < 0 || fstat(file, &info) != 0) return 1;
  const size_t size = static_cast<size_t>(info.st_size);
  // Room behind the end: the parser reads up to SIMDJSON_PADDING bytes too far. Anonymous pages first, the file laid over them.
  void *memory = mmap(nullptr, size + simdjson::SIMDJSON_PADDING + 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return 1;
  if (mmap(memory, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, file, 0) == MAP_FAILED) return 1;
  madvise(memory, size, MADV_SEQUENTIAL);

  simdjson::dom::parser parser;
  simdjson::dom::document_stream documents;
  if (parser.parse_many(static_cast<const uint8_t *>(memory), size, 1 << 20).get(documents)) return 1;
  uint64_t rows = 0;
  int64_t sum = 0;
  for (auto document : documents) {
    int64_t value;
    if (document["creation_timestamp"].get(value)) return 1;
    sum += value;
    rows++;
  }
  std::printf("%llu rows, sum %lld, %s\n", (unsigned long long)rows, (long long)sum, simdjson::get_active_implementation()->name().c_str());
}
