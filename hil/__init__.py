"""Hardware in the loop: the rig file, the pytest plugin, the suite that tests boards, the virtual board."""
