"""What a use case is handed: the workspace, the settings, the plugins, a clock, a seed and who is acting."""
