"""Orders, ERP and receivables."""
