"""Surveys: what customers answer, and what may be said from it."""
