"""Cases: what customers want settled, from the day they come with it to the day they say it is done."""
