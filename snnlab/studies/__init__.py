"""Many conversions side by side: all methods on one network, a paper's tables, the battery of checks."""
