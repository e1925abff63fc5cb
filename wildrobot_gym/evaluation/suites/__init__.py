"""The walk benchmark, version 2: suites of episodes, each defined once as data."""
