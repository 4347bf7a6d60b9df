"""What can be wrong with a checkpoint, one check a file; each looks at ``CheckpointEvidence`` alone."""
