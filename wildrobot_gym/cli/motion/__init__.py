"""`wildrobot motion`: make, retarget, perform and judge reference motion.

One module for each command.
"""
