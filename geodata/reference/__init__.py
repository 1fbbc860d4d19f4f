"""Reference tables: what cases are judged by, changed a row at a time, each row dated."""
