"""Who may be written to: people's own words by topic, addresses to leave in peace, the ground on which mail goes."""
