"""Each budget of DESIGN.md as a runnable measurement: `make bench`."""
