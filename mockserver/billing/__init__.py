"""Charges, invoices, money, Stripe, the open choices and the search: pure values and rules, without I/O and HTTP."""
