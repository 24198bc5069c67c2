"""What every panel is made of: HTML with words for everybody, a field, a button, the loop."""
