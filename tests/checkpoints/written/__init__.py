"""Checkpoints as the real libraries write them; these tests need torch and its friends."""
