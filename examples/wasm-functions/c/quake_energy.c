// Adds `energy_joules`, the energy that an earthquake of that `magnitude` radiates (Gutenberg and Richter).
#include "rline.h"
#include <math.h>

__attribute__((export_name("quake_energy"))) void quake_energy(void) {
  rline_row row = rline_read();
  rline_value mag;
  if (!rline_find(&row, "magnitude", &mag)) {
    rline_fail("column magnitude is missing");
  } else if (mag.tag != RLINE_FLOAT && mag.tag != RLINE_INTEGER) {
    rline_fail("column magnitude is no number");
  } else {
    double magnitude = mag.tag == RLINE_FLOAT ? rline_f64(mag.data) : (double)(int64_t)rline_u64(mag.data);
    rline_answer(1);
    rline_answer_float("energy_joules", pow(10, 1.5 * magnitude + 4.8));
    rline_done();
  }
  free(row.bytes);
}
