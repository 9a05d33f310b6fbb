"""Composition root: builds everything, runs the processes, is the command line."""
