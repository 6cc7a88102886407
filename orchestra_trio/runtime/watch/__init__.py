"""What the tasks of subsystems do at a moment: whether they rest, wait for each other for ever, or where they stand."""
