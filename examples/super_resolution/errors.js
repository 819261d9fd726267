// SPDX-License-Identifier: Apache-2.0
/** Input that cannot be used; its message is `FILE: FIELD: expected …, found …`, as the library's. */
export class BadInput extends Error {
  constructor(file, field, expected, found) {
    super(`${file}: ${field}: expected ${expected}, found ${found}`);
  }
}

/** A command line that cannot be followed. */
export class UsageError extends Error {}
