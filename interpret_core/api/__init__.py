"""What a notebook needs, behind `import interpret_core as ic`: live objects in, results with tables out."""
