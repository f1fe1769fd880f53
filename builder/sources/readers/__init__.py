"""One module a kind of source file: it turns a file into blocks of raw rows."""
