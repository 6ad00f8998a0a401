"""Where pictures come from: one small interface, and an implementation for each kind of camera."""
