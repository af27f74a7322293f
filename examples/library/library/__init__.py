"""Methods that read the documentation of Python's standard library, by subject.

`vocabulary` to `areas` observe, `inference` and `comparison` infer from what was observed,
`audits` judge both. The rest is shared: `pages` and `words` read the text, `figures` does sums.
"""
