"""What the labs try beside the exercises: other tools, other models' choices, killed processes."""
