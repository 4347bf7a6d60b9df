"""Pickles, walked through and never loaded: nothing of them is imported, called or made."""
