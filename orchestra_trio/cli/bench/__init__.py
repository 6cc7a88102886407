"""The command `bench`: measures a user's own orchestra.

To be read from what is known to what is made of it: `looking` (what one reading of the meters says, and the sum of
many), `limits` (which lane holds up the whole), `capacities` (how much room a lane needs), `report` (all figures),
`tables` (the same as text). These are pure, and know no task. `loads` is what drives the orchestra, `measuring` runs
and reads it, `interrupts` ends that early, and `command` is the command line.
"""
