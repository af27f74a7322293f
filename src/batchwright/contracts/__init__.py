"""What is to run: contracts of either road, read, bound and joined into one step graph."""
