"""Training of adapters beside a model whose own weights stay as the file stores them."""
