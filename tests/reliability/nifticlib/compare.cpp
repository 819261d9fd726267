// SPDX-License-Identifier: Apache-2.0
// compare FILE...: each file read by nifticlib and by read_nifti, in a process of its own each. Prints a table of how
// they fared, and, of eight files or fewer, a line for each.
#include <nifti2_io.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <functional>
#include <string>

#include "dsasrgs/error.hpp"
#include "dsasrgs/io.hpp"

namespace {

enum Outcome { taken = 0, refused = 1, not_finite = 2, crashed = 3 };
struct Fate {
  Outcome outcome;
  long printed_bytes, peak_kib;
};

Fate in_child(const std::function<Outcome()>& job) {
  int error[2];
  if (pipe(error) != 0) return {crashed, 0, 0};
  const pid_t child = fork();
  if (child == 0) {
    alarm(20);
    dup2(error[1], STDERR_FILENO);
    close(error[0]);
    _exit(job());
  }
  close(error[1]);
  Fate fate{crashed, 0, 0};
  char block[4096];
  for (ssize_t n = 0; (n = ::read(error[0], block, sizeof block)) > 0;) fate.printed_bytes += n;
  close(error[0]);
  int status = 0;
  rusage usage{};
  wait4(child, &status, 0, &usage);
  fate.peak_kib = usage.ru_maxrss;
  if (WIFEXITED(status)) fate.outcome = static_cast<Outcome>(WEXITSTATUS(status));
  return fate;
}

Outcome with_nifticlib(const char* file, int debug_level) {
  nifti_set_debug_level(debug_level);
  const nifti_image* image = nifti_image_read(file, 1);
  if (image == nullptr) return refused;
  bool finite = true;
  for (const auto& row : image->sto_xyz.m)
    for (const double x : row) finite = finite && std::isfinite(x);
  return finite ? taken : not_finite;
}

Outcome with_ours(const char* file) {
  try {
    dsasrgs::read_nifti(file);
    return taken;
  } catch (const dsasrgs::Error&) {
    return refused;
  }
}

}  // namespace

int main(int argc, char** argv) {
  const char* names[] = {"nifticlib", "nifticlib, debug level 0", "read_nifti"};
  const char* outcomes[] = {"read", "refused", "read with an affine that is not finite", "crashed"};
  int count[3][4] = {}, printed[3] = {}, read_by_nifticlib_alone = 0;
  long peak[3] = {};
  for (int i = 1; i < argc; ++i) {
    const Fate fates[] = {in_child([&] { return with_nifticlib(argv[i], 1); }),
                          in_child([&] { return with_nifticlib(argv[i], 0); }),
                          in_child([&] { return with_ours(argv[i]); })};
    for (int r = 0; r < 3; ++r) {
      ++count[r][fates[r].outcome];
      printed[r] += fates[r].printed_bytes > 0 ? 1 : 0;
      peak[r] = std::max(peak[r], fates[r].peak_kib);
    }
    read_by_nifticlib_alone += fates[0].outcome != refused && fates[2].outcome == refused ? 1 : 0;
    if (argc <= 9)
      std::printf("%s: nifticlib %s, read_nifti %s\n", argv[i], outcomes[fates[0].outcome], outcomes[fates[2].outcome]);
  }
  for (int r = 0; r < 3; ++r)
    std::printf(
        "%s: %d read, %d refused, %d with an affine that is not finite, %d crashed; %d printed; at most %ld KiB\n",
        names[r], count[r][taken], count[r][refused], count[r][not_finite], count[r][crashed], printed[r], peak[r]);
  std::printf("read by nifticlib and refused by read_nifti: %d\n", read_by_nifticlib_alone);
}
