"""What lies in the files of checkpoints, read without torch: tensors, pickles, shards, configurations.

Nothing of a file is run: pickles are walked through, never loaded, and tensors are read as bytes.
"""
