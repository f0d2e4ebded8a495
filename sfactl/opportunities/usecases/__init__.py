"""Use cases of deals and customers; the only modules of this slice that read or write the workspace."""
