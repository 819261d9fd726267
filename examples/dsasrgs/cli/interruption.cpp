// SPDX-License-Identifier: Apache-2.0
#include "cli/interruption.hpp"

namespace dsasrgs::program {

namespace {

volatile std::sig_atomic_t g_requested = 0;

void request_stop(int) { g_requested = 1; }

void install(int signal, struct sigaction& previous) {
  sigaction(signal, nullptr, &previous);
  if (previous.sa_handler == SIG_IGN) return;  // whoever started the program wants it to go on (nohup)
  struct sigaction action {};
  action.sa_handler = request_stop;
  action.sa_flags = static_cast<int>(SA_RESETHAND | SA_RESTART);
  sigaction(signal, &action, nullptr);
}

}  // namespace

Interruption::Interruption() {
  for (std::size_t i = 0; i < kSignals.size(); ++i) install(kSignals[i], previous_[i]);
}

Interruption::~Interruption() {
  for (std::size_t i = 0; i < kSignals.size(); ++i) sigaction(kSignals[i], &previous_[i], nullptr);
}

bool Interruption::requested() { return g_requested != 0; }

void Interruption::check() {
  if (requested()) throw Interrupted("interrupted before the end");
}

}  // namespace dsasrgs::program
