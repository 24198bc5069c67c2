"""What the labs configure at the tenant: looked at, brought to a lab's start, written down."""
