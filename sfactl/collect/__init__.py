"""The collector: takes people's clicks, opens, unsubscribes and forms, keeps them on disk, and brings them in."""
