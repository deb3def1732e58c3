"""What a whole plan has beside grooming and assignment: the bill of materials, its workbook, tables and statistics."""
