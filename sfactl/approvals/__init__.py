"""Who may give their word for a plan, a quote or an order, and which words were given."""
