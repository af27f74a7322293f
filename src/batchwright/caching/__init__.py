"""What need not run again: digests of contents and code, and a cache keyed by them."""
