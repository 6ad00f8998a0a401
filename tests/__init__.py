"""Tests on real parts; each file is the specification of the module it is named after."""
