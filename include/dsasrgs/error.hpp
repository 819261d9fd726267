// SPDX-License-Identifier: Apache-2.0
#pragma once
/// @file
/// Typed errors. Every message says what was expected, what was given, and where.

#include <stdexcept>
#include <string>
#include <string_view>

#include "dsasrgs/export.hpp"

namespace DSASRGS_API dsasrgs {

/// Base of everything this library throws on purpose. A message is one line whatever a file, a name or a value in it
/// holds: control characters are written as `\n`, `\r`, `\t` or `\xHH`.
class Error : public std::runtime_error {
 public:
  /// With what what() then says.
  explicit Error(std::string_view message);
};

/// A caller's argument breaks a documented precondition (a shape, a range, a null view).
class InvalidArgument : public Error {
 public:
  using Error::Error;
};

/// The requested backend was not built in, or this machine has no device for it.
class BackendUnavailable : public Error {
 public:
  using Error::Error;
};

/// An allocation failed; the message says how many bytes were wanted, or how much the process held. What functions that
/// do a job cannot allocate comes as this, not as std::bad_alloc.
class OutOfMemory : public Error {
 public:
  using Error::Error;
};

/// A CUDA call or kernel launch failed.
class CudaError : public Error {
 public:
  using Error::Error;
};

/// The operating system refused to read or write a file.
class IoError : public Error {
 public:
  using Error::Error;
};

/// A file or a configuration was readable but its content is not what the format asks for.
/// The message is one line: "FILE: FIELD: expected …, found …".
class BadInput : public Error {
 public:
  /// With the parts of the message.
  BadInput(std::string_view file, std::string_view field, std::string_view expected, std::string_view found);
};

/// The computation produced a non-finite number; the message names step, view and stage, or the pixel and the time.
class NumericalError : public Error {
 public:
  using Error::Error;
};

/// The caller asked to stop before the end; the message says how far the job was.
class Cancelled : public Error {
 public:
  using Error::Error;
};

}  // namespace dsasrgs
