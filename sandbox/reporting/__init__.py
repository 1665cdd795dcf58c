"""Pictures, pages and tables; everything here reads run folders."""
