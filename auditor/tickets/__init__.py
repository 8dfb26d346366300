"""Findings into tickets, once each, and closed when they are really fixed."""
