"""The work of the `wildrobot motion` commands, as functions that return results and print
nothing.
"""
