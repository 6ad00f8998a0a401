"""TLS of the hub's own: a certificate authority for this hub alone, and the certificate that it serves."""
