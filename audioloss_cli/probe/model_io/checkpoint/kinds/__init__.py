"""What a checkpoint can be, one kind a file: ``ORDER``, ``claims(request)``, ``load(request)``; first claim wins."""
