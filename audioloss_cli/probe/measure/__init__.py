"""What is measured of a batch and a model: forward pass, perturbation, gradients, statistics, alignment."""
