"""Whether, why and when a person is written to: over all campaigns and strategies, with what happened so far."""
