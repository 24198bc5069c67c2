"""The learner's own code: put in Aiya's graph, read, and its slips told in a sentence."""
