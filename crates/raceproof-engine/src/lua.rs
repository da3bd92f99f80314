//! Scripts in real Lua 5.1, sandboxed as Redis does it.
