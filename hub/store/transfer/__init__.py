"""History in and out as a whole: backup, export, erasing, and what other programs recorded."""
