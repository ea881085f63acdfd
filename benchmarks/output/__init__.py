"""What every benchmark writes with: tables, files of results, options."""
