"""Linear baselines on the same splits as the networks: n-grams and logistic regression."""
