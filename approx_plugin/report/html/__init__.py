"""Pages of one file: templates, and the plain geometry of their pictures."""
