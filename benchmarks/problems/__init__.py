"""Problems: curves and models that samplers are tried on."""
