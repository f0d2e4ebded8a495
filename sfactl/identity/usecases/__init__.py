"""What can be done about duplicates. The only modules of this slice that touch the workspace."""
