"""calibrate: are intervals and probabilities right on a design?"""
