"""Model families, one a file: ``serves(config)`` and a class ``Adapter``; the file name is its name for --adapter."""
