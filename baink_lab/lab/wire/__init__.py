"""What goes over the wire, and how it is shown: in words, as a diagram, as claims."""
