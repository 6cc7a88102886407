"""Subsystems in whose place others stand that watch or disturb what they receive and send."""
