"""The plugin host: finds plugins, checks their offers, and keeps one plugin's fault from the others."""
