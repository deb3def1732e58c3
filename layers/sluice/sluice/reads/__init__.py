"""Reading published data: selection, filters, order, pages, formats."""
