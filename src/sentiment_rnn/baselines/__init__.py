"""The networks' linear baselines: bags of n-grams and logistic regression, on the same splits."""
