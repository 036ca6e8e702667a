"""Recurrent networks for the sentiment of reviews: training, search, comparison, registry, serving."""
