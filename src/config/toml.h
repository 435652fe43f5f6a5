// toml++, with no exceptions and without its assertions. Version 3.3 asserts that a key begins as one may, a line
// before it reports that it does not: `[!x]` would end a debug build, and a release build is told to assume that it
// cannot be. The reports are right; so both kinds of build get neither. Internal to config/.
#pragma once

#define TOML_EXCEPTIONS 0
#define TOML_HEADER_ONLY 1
#define TOML_ASSERT(expression) static_cast<void>(0)
#pragma push_macro("NDEBUG")
#undef NDEBUG  // with it, assertions become assumptions
#include <toml++/toml.h>
#pragma pop_macro("NDEBUG")
