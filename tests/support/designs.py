"""Designs to simulate on."""

import upturn

SMALL = upturn.Design(models_per_task=8)
