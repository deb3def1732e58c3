"""Reading SQL databases: one SELECT, streamed into raw pages of JSON Lines with the server's column types."""
