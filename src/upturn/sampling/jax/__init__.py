"""The population sampler's stages on JAX."""
