"""Who is who: duplicates among leads, accounts and contacts are found here, weighed, and explained."""
