// SPDX-License-Identifier: MIT
// Names that cannot be found in the sources, because they are no identifiers.

// clang-format off
Q(/lib)
