"""What is made of a run: `machine` says what it ran on, and `stored` what is kept of it, as JSON.

`tables` prints a run, `changes` compares two, and `pictures` draws one; all three need no more than what is stored.
"""
