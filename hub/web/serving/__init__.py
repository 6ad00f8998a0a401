"""The hub as a server: its addresses, its redirect to HTTPS, the built dashboard, and how requests end."""
