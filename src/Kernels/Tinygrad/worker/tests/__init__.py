"""Tests of the Python child: `python3 -m unittest discover -t . -s tests` in the worker's folder."""
